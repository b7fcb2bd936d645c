//! The judge finds what is planted, and lets pass what is meant.

use super::super::outputs::{Kind, Output};
use super::{judge, shape};

#[track_caller]
fn finds(kind: Kind, texts: &[&str]) {
    for text in texts {
        let output = Output { place: "here", kind, text: (*text).to_owned() };
        assert!(judge(&output).is_err(), "{kind:?} passes {text:?}");
    }
}

#[track_caller]
fn passes(kind: Kind, texts: &[&str]) {
    for text in texts {
        let output = Output { place: "here", kind, text: (*text).to_owned() };
        assert_eq!(judge(&output), Ok(()), "{kind:?}");
    }
}

#[test]
fn planted_in_markdown() {
    let links =
        ["command:x", "javascript:x", "vscode://x", "file:///x", "data:text/html,x", "//x.org", "#x", "x.md"];
    for link in links {
        finds(
            Kind::Markdown,
            &[
                &format!("[a]({link})"),
                &format!("[a](<{link}>)"),
                &format!("[a][b]\n\n[b]: {link}"),
                &format!("[a]\n\n[a]:\n{link}"),
                &format!("> - a `b` [c]({link})"),
                &format!("[![a](https://x.org/i.png)]({link})"),
            ],
        );
    }
    finds(Kind::Markdown, &["<command:x>", "<javascript:alert(1)>", "<vscode://x>"]);
    finds(Kind::Markdown, &["![a](https://x.org/i.png)", "![a][b]", "a ![", "[a](https://x.org \"title\")"]);
    finds(
        Kind::Markdown,
        &["<b>", "</b>", "a <!-- b", "<?x?>", "<![CDATA[x]]>", "<!DOCTYPE x>", "<b\nonclick=x>"],
    );
    finds(Kind::Markdown, &["[^1]", "[^1]: a", "[[a]]", "[a]: https://x.org", "[a]", "[a][]", "[a"]);
    finds(Kind::Markdown, &["a\n===", "a\n---", "&lt;b&gt;", "&#x202E;", "&copy;"]);
    finds(
        Kind::Markdown,
        &["# a {#b}", "# a {.b onclick=c}", "---\na: b\n---", "+++\na\n+++", "a\n: b", "> [!NOTE]\n> a"],
    );
    finds(Kind::Markdown, &["$a$", "$$a$$", "a$b `c$ d`", "[a](https://x.org/$b)", "$5"]);
    finds(
        Kind::Markdown,
        &["`a", "```\na", "> ```\n> a", "```a b\n```", "[a](https://x.org/;)", "[a](https://b@x.org)"],
    );
    finds(Kind::Markdown, &["<mailto:a@x.org?bcc=b>", "[a](mailto:a@x.org?attach=b)", "<a@x.org>"]);
    for hidden in ["\u{202E}", "\0", "\u{1b}", "\u{85}", "\u{200B}", "\u{FE00}", "\u{E0041}", "\r"] {
        finds(
            Kind::Markdown,
            &[&format!("a{hidden}b"), &format!("`a{hidden}`"), &format!("```\na{hidden}b\n```")],
        );
    }
}

#[test]
fn meant_in_markdown() {
    passes(
        Kind::Markdown,
        &[
            "# a\n\n**b** · *c* ~~d~~\n\n> e\n>\n> - f\n>   1. g\n\n- [ ] h\n- [x] i\n\n***\n\n| a | b |\n| :-- | --: |\n| c | d |",
            "[a](https://x.org/a%28b%29?c=d&e#f) <https://x.org> <mailto:a@x.org> [b](mailto:a@x.org)",
            "`a` `` b`[c](command:d) `` \\`e\\` \\[f](command:g) \\<h> !\\[i] \\&lt; j & k",
            "````rust\n```\n<b> [a](command:b)\n````\n> ```\n> <b>\n> ```",
            "1 < 2 <= 3, a] b) \\$5 6 $ 7$",
            "👩‍👩‍👧 ❤️‍🔥 1️⃣ ©️ می‌خواهم क्‍ष \ta",
        ],
    );
}

#[test]
fn planted_in_lines_texts_and_addresses() {
    finds(
        Kind::Line,
        &["a\nb", "a\tb", "a\rb", "\u{1b}[31m", "a\u{202E}", "a\u{200B}b", "a\u{FE0F}b", " a", "a  b"],
    );
    passes(Kind::Line, &["", "Ana Li: [x](command:y) <b> **c** 👩‍👩‍👧", "ad min"]);
    finds(Kind::Title, &["$(alert)", "a $(sync~spin)", "a\nb"]);
    passes(Kind::Title, &["$ (alert)", "$5"]);
    finds(Kind::Text, &["\u{1b}[31m", "a\rb", "a\u{2028}b", "\u{7}"]);
    passes(Kind::Text, &["a\n\n\tb\n"]);
    finds(Kind::Terminal, &["\u{1b}]8;;x", "\u{9b}31m", "a\tb", "a\rb", "\u{8}"]);
    passes(Kind::Terminal, &["a\nb"]);
    finds(
        Kind::Url,
        &[
            "",
            "x",
            "command:x",
            "HTTPS://x.org",
            "https:",
            "https://",
            "https:///x",
            "https://a@x.org",
            "https://x.org/ a",
        ],
    );
    finds(
        Kind::Url,
        &["https://x.org/\u{202E}", "https://x.org/)", "https://x%2eorg/", "https://x\\y", "mailto:a@x.org"],
    );
    passes(Kind::Url, &["https://x.org", "http://127.0.0.1:80/a?b=c&d#e", "https://bücher.example/ß"]);
}

#[test]
fn the_shape_is_what_is_outside_of_quotes() {
    let shown = "# a\n\n**b** [c](https://x.org)\n\n> # d\n> > e\n\n- [ ] f `g`\n\n```\n# h\n```";
    assert_eq!(shape(shown, true), "h1  paragraph strong link quote list item task code ");
    assert_eq!(shape("a\n# b", true), "paragraph h1  ");
    assert_eq!(shape("[c](https://x.org)", false), "paragraph ");
}
