//! Hostile and honest Markdown through the gate, judged by parsing what comes out.

use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use proptest::prelude::*;
use pulldown_cmark::LinkType;

use super::*;
use crate::testing::vectors::{addresses, vectors};
use crate::view::invisible::is_hidden;

fn check(raw: &str, expected: Expect) {
    let mentions = [("557058:ana".to_owned(), "Ana Li".to_owned())];
    let shown = safe(raw, &Surroundings { mentions: &mentions, ..Surroundings::default() });
    assert_harmless(raw, &shown);
    expected.assert_eq(&(shown + "\n"));
}

fn shown(raw: &str) -> String {
    let shown = safe(raw, &Surroundings::default());
    assert_harmless(raw, &shown);
    shown
}

/// Parses the output in several dialects and finds nothing forbidden in any.
pub(crate) fn assert_harmless(raw: &str, shown: &str) {
    for options in [Options::empty(), OPTIONS, Options::all()] {
        for event in Parser::new_ext(shown, options) {
            match &event {
                Event::Html(_) | Event::InlineHtml(_) | Event::Start(Tag::Image { .. }) => {
                    panic!("{event:?}\n--- from\n{raw:?}\n--- shown as\n{shown}")
                }
                Event::Start(Tag::Link { dest_url, link_type, .. }) => {
                    let schemes = ["https://", "http://", "mailto:"];
                    let allowed = schemes.iter().any(|scheme| dest_url.starts_with(scheme));
                    assert!(allowed || *link_type == LinkType::Email, "{dest_url:?} from\n{raw:?}\n{shown}");
                    assert_visible(dest_url);
                }
                Event::Text(text) | Event::Code(text) => assert_visible(text),
                _ => {}
            }
        }
    }
    assert_visible(shown);
}

/// No character is hidden, written out or by entity; joiners within emoji and joining scripts aside.
fn assert_visible(text: &str) {
    let characters: Vec<char> = text.chars().collect();
    for (at, &character) in characters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| characters[at]);
        let hidden = is_hidden(before, character, characters.get(at + 1).copied());
        assert!(!hidden || matches!(character, '\n' | '\t'), "{character:?} in {text:?}");
    }
}

#[test]
fn nothing_forbidden_comes_out() {
    let corpus = vectors();
    assert!(corpus.len() > 2_000, "{}", corpus.len());
    for raw in &corpus {
        let once = shown(raw);
        // In company, where what one leaves open could reach into the next.
        shown(&format!("> - {raw}\n\n{raw} `{raw}` **{raw}**\n{raw}"));
        // What is safe stays so.
        shown(&once);
    }
    shown(&corpus.join("\n"));
    shown(&corpus.join(" "));
}

#[test]
fn no_evil_address_is_a_link_in_any_shape() {
    for evil in addresses() {
        let shown = shown(&format!("[text]({evil})"));
        assert!(!Parser::new(&shown).any(|event| matches!(event, Event::Start(Tag::Link { .. }))), "{shown}");
        assert!(shown.contains("text"), "{shown}");
    }
}

#[test]
fn honest_markdown_stays_what_it_is() {
    check(
        "# Title\n\nSome *emphasis*, __strong__, ~~gone~~ and `code`.  \nNext line\nand more.\n\n\
         * one\n* two\n  1. a\n  2. b\n\n  text\n\n- [x] done\n- [ ] open\n\n\
         > quote\n> > deeper\n\n```rust,ignore\nfn main() {\n\n}\n```\n\n    indented\n\n---\n\n\
         | a | b |\n|:--|--:|\n| `x` | y \\| z |\n\n3. three\n4. four\n",
        expect![[r#"
            #### Title

            Some *emphasis*, **strong**, ~~gone~~ and `code`.  
            Next line
            and more.

            - one

            - two

              1. a
              2. b

              text

            - [x] done
            - [ ] open

            > quote
            >
            > > deeper

            ```rust
            fn main() {

            }
            ```

            ```
            indented
            ```

            ***

            | a | b |
            | :-- | --: |
            | `x` | y \| z |

            3. three
            4. four
        "#]],
    );
}

#[test]
fn links_images_and_html() {
    check(
        "[docs](https://x.org/a_(b)?c=d&e \"title\") <https://x.org> https://x.org/~a, and ana@x.org <ana@x.org>\n\n\
         [evil](command:evil) [file](docs/guide.md) ![graph](https://x.org/g.png) ![](https://x.org/g.png) ![no](data:x)\n\n\
         Wow![link](https://x.org) [](https://x.org)\n\n<b>bold</b> & <script>\nalert(1)\n</script>",
        expect![[r#"
            [docs](https://x.org/a_%28b%29?c=d&e) <https://x.org> <https://x.org/~a>, and ana@x.org <mailto:ana@x.org>

            evil file (docs/guide.md) [image: graph](https://x.org/g.png) [image](https://x.org/g.png) image: no

            Wow[image: link](https://x.org) [https://x.org](https://x.org)

            \<b>bold\</b> & \<script>
            alert(1)
            \</script>
        "#]],
    );
}

#[test]
fn mentions_have_names() {
    check(
        "@{557058:ana}, @{557058:bob}, @[Ana](account_id:557058:ana), @[Bob](account_id:557058:bob), `@{557058:ana}`",
        expect![[r#"
            @Ana Li, @someone, @Ana Li, @Bob, `@{557058:ana}`
        "#]],
    );
    let bob = User {
        account_id: Some("557058:bob".into()),
        display_name: "*Bob*\u{202E}".into(),
        ..User::default()
    };
    let names = Names::of([&bob]);
    let surroundings = Surroundings { names: Some(&names), ..Surroundings::default() };
    assert_eq!(safe("@{557058:bob}", &surroundings), "@\\*Bob\\*");
    assert_eq!(gist("**hi** @{557058:bob}", &surroundings, 80), "hi @*Bob*");
}

#[test]
fn suggestions_are_diffs_where_the_commented_lines_are_known() {
    let raw = "Rather:\n```suggestion\nlet b = `1`;\n```";
    let surroundings = Surroundings { commented: Some("let a = 1;\n"), ..Surroundings::default() };
    expect![[r#"
        Rather:

        ```diff
        -let a = 1;
        +let b = `1`;
        ```
    "#]]
    .assert_eq(&(safe(raw, &surroundings) + "\n"));
    check(
        raw,
        expect![[r#"
        Rather:

        ```suggestion
        let b = `1`;
        ```
    "#]],
    );
}

#[test]
fn hidden_characters_are_shown_by_number() {
    check(
        "if (admin\u{202E}) \u{2066}// x\u{2069}\n\n```\nif admin\u{202E} {\n```\n`\u{200B}` &#x202E;",
        expect![[r#"
            if (admin⟦U+202E⟧) ⟦U+2066⟧// x⟦U+2069⟧

            ```
            if admin⟦U+202E⟧ {
            ```

            `⟦U+200B⟧` ⟦U+202E⟧
        "#]],
    );
}

#[test]
fn what_is_left_of_links_makes_nothing_new() {
    assert_eq!(shown("&#x[202E](command:a); &[lt](command:a);b"), "\\&#x202E; \\&lt;b");
    assert_eq!(shown("- [ ] a\n    ---\n- [x] b\n  ==="), "- [ ] a\n- [x] b");
    assert_eq!(shown("<1[@x.org](command:a)>"), "\\<1@x.org>");
    assert_eq!(shown("[1](command:a). b"), "1\\. b");
    assert_eq!(shown("> - [12](command:a)) b"), "> - 12\\) b");
    assert_eq!(shown("[-](command:a) b\n[#](command:a) c"), "\\- b\n\\# c");
    assert_eq!(shown("a [1](command:a). b"), "a 1. b");
}

#[test]
fn a_return_alone_ends_a_line() {
    assert_eq!(shown("a\r- b\r  c\r\rd\r\ne"), "a\n\n- b\n  c\n\nd\ne");
    assert_eq!(shown("```suggestion\ra\r b\r```"), "```suggestion\na\n b\n```");
}

#[test]
fn long_bodies_are_cut_and_say_so() {
    let page = "https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-7";
    let surroundings = Surroundings { page: Some(page), ..Surroundings::default() };
    let long = [
        "word ".repeat(100_000),
        format!("```\n{}", "line\n".repeat(100_000)),
        "\u{7}\u{8}".repeat(100_000),
        format!("**[{}", "`a` ".repeat(100_000)),
        "[a](https://x.org/) ".repeat(20_000),
        format!("{}{}", "> - ".repeat(20), "\n".repeat(70_000)),
        format!("{}\n```\n{}", "> ".repeat(32), format!("{}x\n", "> ".repeat(32)).repeat(2_000)),
        format!("|{}\n|{}\n{}", "a|".repeat(500), "-|".repeat(500), "|b|\n".repeat(2_000)),
        format!("<div>\n{}", "*\n".repeat(100_000)),
        "日".repeat(100_000),
    ];
    for raw in long {
        let shown = safe(&raw, &surroundings);
        assert_harmless(&raw[..cut_at(&raw, 100).len()], &shown);
        assert!(shown.len() < 4 * LONGEST, "{} bytes", shown.len());
        assert!(
            shown.ends_with(&format!("\n\n… cut, [see it on Bitbucket]({})", page)),
            "{}",
            &shown[shown.len().saturating_sub(200)..]
        );
    }
    assert!(safe(&"a".repeat(LONGEST), &surroundings).len() == LONGEST, "just fits");
    assert!(safe(&"a".repeat(LONGEST + 1), &Surroundings::default()).ends_with("… cut, see it on Bitbucket"));
}

#[test]
fn nesting_ends_at_the_cap() {
    for (mark, times) in [
        ("> ", 5_000),
        ("- ", 5_000),
        ("*a ", 5_000),
        ("**a", 5_000),
        ("> - 1. ", 3_000),
        ("[", 60_000),
        ("![", 30_000),
    ] {
        let raw = format!("{}x", mark.repeat(times));
        let shown = shown(&raw);
        let mut depth = 0_usize;
        for event in Parser::new_ext(&shown, OPTIONS) {
            match event {
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                _ => {}
            }
            assert!(depth <= 3 * DEEPEST, "{mark:?}");
        }
    }
}

/// The shapes that parsers are known to stumble over, at the size that is read at most.
#[test]
#[allow(clippy::disallowed_methods, reason = "a test may look at the clock")]
fn no_body_takes_long() {
    for piece in [
        "[a](",
        "![[](",
        "*a_ ",
        "`",
        "``a`",
        "<a ",
        "<!--",
        "<![CDATA[",
        "<?",
        "> ",
        "- ",
        "&#",
        "[a][b",
        "\\",
        "|-",
        "a*_~~",
        "[r]: x\n",
        "- a\n ",
        "1. > ",
        "~~~\n",
        "@{",
        "http://(",
        "http://a(",
        "http://a/(",
        "http://a/)))))))))))))))))))))))) ",
        "](",
        "<1",
        "[1](x:y).",
        "&a",
    ] {
        for raw in [
            piece.repeat(LONGEST / piece.len()),
            format!("|a|\n|-|\n{}", piece.repeat(LONGEST / piece.len() - 4)),
        ] {
            let before = Instant::now();
            safe(&raw, &Surroundings::default());
            gist(&raw, &Surroundings::default(), 80);
            suggestion::find(&raw);
            let took = before.elapsed();
            assert!(took < Duration::from_secs(5), "{piece:?} took {took:?}");
        }
    }
}

#[test]
fn one_line_texts() {
    assert_eq!(plain("  Ana\u{202E}\n Li ", 20), "Ana Li");
    assert_eq!(plain("abcdef", 6), "abcdef");
    assert_eq!(plain("abcdefg", 6), "abcde…");
    assert_eq!(plain("ab cdefg", 4), "ab…");
    assert_eq!(plain("日本語日本語", 4), "日本語…");
    assert_eq!(plain("abc", 0), "…");
    assert_eq!(plain("**not Markdown**", 80), "**not Markdown**");
    assert_eq!(text("# 1 *a* <b>\n", 80), "\\# 1 \\*a\\* \\<b>");
    assert_eq!(code("feature/`x`\u{202E}", 80), "`` feature/`x` ``");
    assert_eq!(code_block("a\n```\nb\u{202E}\r\n", "rs\"x"), "````\na\n```\nb⟦U+202E⟧\n````");
    assert_eq!(link_or_text("a [b]", Some("https://x.org")), "[a \\[b\\]](https://x.org)");
    assert_eq!(link_or_text("a", Some("command:x")), "a");
}

#[test]
fn gists_are_words_without_markup() {
    let gist = |raw: &str| gist(raw, &Surroundings::default(), 60);
    assert_eq!(
        gist("# Why *twice*?\n\nSee `charge`, [docs](https://x.org) &amp; ![graph](g.png)"),
        "Why twice? See charge, docs & image: graph"
    );
    assert_eq!(gist("```suggestion\nlet b;\n```"), "suggestion: let b;");
    assert_eq!(gist("- a\n- [x] b\n\n| c | d |\n|---|---|\n"), "a [x] b c d");
    assert_eq!(gist("<b>x</b>\n\n<div>\ny\n</div>"), "<b>x</b> <div> y </div>");
    assert_eq!(gist("@{1:2} and @[Ana](account_id:1)"), "@someone and @Ana");
    assert_eq!(gist(&"word ".repeat(50)), format!("word{}…", " word".repeat(11)));
    assert_eq!(gist(" \u{200B}\n"), "");
}

#[test]
fn no_hidden_character_in_one_line_texts() {
    for raw in vectors() {
        for line in
            [plain(&raw, 100), gist(&raw, &Surroundings::default(), 100), text(&raw, 100), code(&raw, 100)]
        {
            assert_visible(&line);
            assert!(!line.contains(['\n', '\t']), "{line:?}");
            assert!(plain(&line, 100).chars().count() <= 101, "{line:?}");
        }
        assert_harmless(&raw, &text(&raw, 100));
        assert_harmless(&raw, &code(&raw, 100));
        assert_harmless(&raw, &code_block(&raw, &raw));
        assert_harmless(&raw, &quote(&shown(&raw)));
        assert_harmless(&raw, &link_or_text(&raw, Some(&raw)));
    }
}

/// Bits from which random Markdown is put together.
fn bits() -> impl Strategy<Value = String> {
    let bit = prop_oneof![
        4 => "[a-z]{1,4}",
        4 => prop::sample::select(vec![
            " ", "\n", "\n\n", "*", "**", "_", "__", "~~", "`", "``", "```", "\n```\n", "\n~~~\n", "\\", "[", "]", "(", ")",
            "![", "](", "<", ">", "&", "&lt;", "&#10;", "&#x202E;", ";", "#", "\n# ", "\n- ", "\n1. ", "\n> ", "\n    ",
            "\n  ", "\t", "|", "\n|", "|-|", "---", "===", ":", "!", "@{a:b}", "@[", "[x](command:y)", "<b>", "</b>", "<!--",
            "-->", "https://x.org/", "javascript:", "mailto:a@b", "\n[r]: ", "[r]", "\u{202E}", "\u{0}", "\r", "\n```suggestion\n",
            "- [ ] ", "é", "日", "\u{a0}", "<https://x.org>", "[](x:y)",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(bit, 0..40).prop_map(|bits| bits.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_markdown_is_harmless(raw in bits()) {
        let once = shown(&raw);
        shown(&once);
        assert_harmless(&raw, &quote(&once));
        assert_visible(&gist(&raw, &Surroundings::default(), 40));
    }
}

/// The letters and digits that a reader sees.
fn letters(markdown: &str) -> String {
    let mut letters = String::new();
    for event in Parser::new_ext(markdown, OPTIONS) {
        if let Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) = event {
            letters.extend(text.chars().filter(|character| !character.is_whitespace()));
        }
    }
    letters
}

/// Random Markdown without what is changed on purpose: links, images, mentions, hidden characters.
fn harmless_bits() -> impl Strategy<Value = String> {
    let bit = prop_oneof![
        4 => "[a-z]{1,4}",
        4 => prop::sample::select(vec![
            " ", "\n", "\n\n", " *a* ", " **b** ", " _c_ ", "*", "_", " ~~d~~ ", " `e` ", "\n```\nf\n```\n", "\\", "(", ")", "<",
            ">", "&", "&lt;", "#", "\n# ", "\n- ", "\n1. ", "\n> ", "\n    ", "\n  ", "|", "\n\n|a|b|\n|-|-|\n|c|", "---", "===",
            ":", "!", "<b>", "</b>", "\n<div>\n", "- [ ] ", "é", "1", ".", "+", "=", "~", "$",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(bit, 0..30).prop_map(|bits| bits.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is written anew reads as before: no character is lost, and none appears.
    #[test]
    fn honest_text_is_not_lost(raw in harmless_bits()) {
        let shown = shown(&raw);
        prop_assert_eq!(letters(&shown), letters(&raw), "{:?} became\n{}", raw, shown);
    }
}
