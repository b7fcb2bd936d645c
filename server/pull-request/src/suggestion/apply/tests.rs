//! Suggestions on documents of all kinds: what they change, when they do not, and that they never touch another byte.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::suggestion::{find, of_lines};

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| line.to_string()).collect()
}

fn wanted(first: u32, last: u32, reviewed: &[&str], replacement: &[&str]) -> Wanted {
    Wanted {
        placement: Placement::Exact(LineRange { first, last }),
        reviewed: Some(owned(reviewed)),
        suggestion: Suggestion { replacement: owned(replacement) },
    }
}

/// The document after a replacement, as an editor makes it.
fn edited(text: &Text, replacement: &Replacement) -> String {
    let mut edited = text.clone();
    let range = replacement.range(text, Encoding::Utf16);
    edited.apply(Some(range), &replacement.new_text, Encoding::Utf16);
    edited.to_string()
}

fn applied(document: &str, wanted: &Wanted) -> Result<String, Why> {
    let text = Text::new(document);
    apply(&text, wanted).map(|replacement| edited(&text, &replacement))
}

#[track_caller]
fn check(document: &str, wanted: &Wanted, expected: Result<&str, Why>) {
    assert_eq!(applied(document, wanted), expected.map(str::to_owned), "{document:?}");
}

#[test]
fn lines_are_replaced_whole() {
    check("a\nb\nc\n", &wanted(1, 1, &["b"], &["x", "y"]), Ok("a\nx\ny\nc\n"));
    check("a\nb\nc\n", &wanted(0, 2, &["a", "b", "c"], &["x"]), Ok("x\n"));
    check("\tif a {\n\t\tb\n", &wanted(0, 0, &["\tif a {"], &["\tif  b {"]), Ok("\tif  b {\n\t\tb\n"));
    check("日\n🦀 b\nc", &wanted(1, 1, &["🦀 b"], &["🦀🦀"]), Ok("日\n🦀🦀\nc"));
}

#[test]
fn an_empty_suggestion_deletes_the_lines() {
    check("a\nb\nc\n", &wanted(1, 1, &["b"], &[]), Ok("a\nc\n"));
    check("a\nb", &wanted(1, 1, &["b"], &[]), Ok("a\n"));
    check("a\nb\n", &wanted(0, 1, &["a", "b"], &[]), Ok(""));
    check("a\nb\n", &wanted(0, 0, &["a"], &[""]), Ok("\nb\n"));
}

#[test]
fn line_ends_are_kept() {
    check("a\r\nb\r\nc\r\n", &wanted(1, 1, &["b"], &["x", "y"]), Ok("a\r\nx\r\ny\r\nc\r\n"));
    check("a\r\nb\r\n", &wanted(1, 1, &["b\r"], &["x"]), Ok("a\r\nx\r\n"));
    check("a\r\nb", &wanted(1, 1, &["b"], &["x", "y"]), Ok("a\r\nx\r\ny"));
    check("b", &wanted(0, 0, &["b"], &["x", "y"]), Ok("x\ny"));
    check("a\nb\r\nc\n", &wanted(1, 1, &["b"], &["x", "y"]), Ok("a\nx\r\ny\r\nc\n"));
    check("a\nb\r\nc\n", &wanted(0, 1, &["a", "b"], &["x"]), Err(Why::MixedLineEnds));
    check("a\rb\rc", &wanted(1, 1, &["b"], &["x"]), Err(Why::MixedLineEnds));
    // The empty line would be one with the return above it.
    check("a\rb\nc\n", &wanted(1, 1, &["b"], &["", "x"]), Err(Why::MixedLineEnds));
}

#[test]
fn only_what_the_reviewer_saw_is_replaced() {
    let text = "a\nb\nc\n";
    check(text, &wanted(1, 1, &["B"], &["x"]), Err(Why::Changed));
    check(text, &wanted(1, 1, &["b", "c"], &["x"]), Err(Why::Changed));
    check(text, &wanted(1, 1, &["b "], &["x"]), Err(Why::Changed));
    check(text, &wanted(1, 1, &["b"], &["b"]), Err(Why::NothingToChange));
    check(text, &wanted(1, 1, &["old"], &["b"]), Err(Why::NothingToChange));
    check(text, &wanted(1, 9, &["b"], &["x"]), Err(Why::Gone));
    check(text, &Wanted { reviewed: None, ..wanted(1, 1, &[], &["x"]) }, Err(Why::NotKnown));
    let at = |placement| Wanted { placement, ..wanted(1, 1, &["b"], &["x"]) };
    let here = LineRange::line(1);
    check(text, &at(Placement::Moved(here)), Ok("a\nx\nc\n"));
    check(text, &at(Placement::Changed { near: here }), Ok("a\nx\nc\n"));
    check(text, &at(Placement::Gone { near: 1 }), Err(Why::Gone));
    check(text, &at(Placement::FileGone), Err(Why::Gone));
}

/// Draws what becomes of a document with several suggestions.
fn draw(document: &str, wanted: &[Wanted], expected: Expect) {
    let text = Text::new(document);
    let all = apply_all(&text, wanted);
    let mut edited = text;
    for replacement in &all.replacements {
        let range = replacement.range(&edited, Encoding::Utf8);
        edited.apply(Some(range), &replacement.new_text, Encoding::Utf8);
    }
    let refused: String = all.refused.iter().map(|(at, why)| format!("{}. {why}\n", at + 1)).collect();
    let edited = edited.to_string().replace('\r', "␍");
    expected.assert_eq(&format!("{edited}\napplied {:?}\n{refused}", all.applied));
}

#[test]
fn several_suggestions_are_applied_from_the_bottom_up() {
    draw(
        "one\ntwo\nthree\nfour\nfive\n",
        &[
            wanted(1, 2, &["two", "three"], &["2", "and", "3"]),
            wanted(2, 3, &["three", "four"], &["34"]),
            wanted(4, 4, &["five"], &[]),
            wanted(3, 3, &["four"], &["4"]),
            wanted(0, 0, &["eins"], &["1"]),
            wanted(0, 0, &["one"], &["one"]),
            wanted(7, 7, &["one"], &["1"]),
            Wanted { reviewed: None, ..wanted(0, 0, &[], &["1"]) },
        ],
        expect![[r#"
            one
            2
            and
            3
            4

            applied [2, 3, 0]
            2. The suggestion was not applied: an earlier one changes some of the same lines. Look at what is left of it.
            5. The suggestion was not applied: the lines were changed since it was made. Compare them with the thread, and change them by hand.
            6. There is nothing to apply: the lines already read as suggested.
            7. The suggestion was not applied: the lines that it is about are not there any more.
            8. The suggestion was not applied: the text that it was made for is not known here. Fetch the pull request's commits, and apply it again.
        "#]],
    );
    draw(
        "a\nb\r\n",
        &[wanted(0, 1, &["a", "b"], &["x"])],
        expect![[r#"
            a
            b␍

            applied []
            1. The suggestion was not applied: some of the lines end with CRLF and some do not. Give them all the same line end, and apply it again.
        "#]],
    );
}

#[test]
fn a_block_of_lines_is_read_back_as_these_lines() {
    assert_eq!(of_lines(&owned(&["a", "  b"])), "```suggestion\na\n  b\n```");
    assert_eq!(of_lines(&owned(&["```", "x", "`````"])), "``````suggestion\n```\nx\n`````\n``````");
    assert_eq!(of_lines(&[]), "```suggestion\n```");
    assert_eq!(find(&of_lines(&[])), [Suggestion { replacement: vec![] }]);
}

#[test]
fn hidden_characters_in_a_suggestion_are_noticed() {
    let of = |line: &str| Suggestion { replacement: owned(&["fine", line]) }.has_hidden_characters();
    assert!(!of("\tlet ß = '🦀';"));
    assert!(of("if admin {\u{202e} }") && of("a\u{200b}b") && of("\u{1b}[2J"));
}

/// A document in lines with their ends, and suggestions for parts of it.
#[derive(Clone, Debug)]
struct Case {
    lines: Vec<(String, &'static str)>,
    wanted: Vec<Wanted>,
}

fn line() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "a", "\tb", "  }", "日本", "🦀 x", "a ", "```", "c\u{301}", "\u{feff}d"])
        .prop_map(str::to_owned)
}

/// Documents mostly of one kind of line end; suggestions mostly for lines as they stand.
fn case() -> impl Strategy<Value = Case> {
    let ends = || prop_oneof![6 => Just("\n"), 6 => Just("\r\n"), 1 => Just("\r")];
    let lines = (prop::collection::vec((line(), ends()), 1..12), ends(), 0..4u8, any::<bool>()).prop_map(
        |(mut lines, end, mixed, has_end)| {
            if mixed > 0 {
                lines.iter_mut().for_each(|line| line.1 = end);
            }
            // A lone return before an empty line would not be alone.
            for at in 1..lines.len() {
                if lines[at - 1].1 == "\r" && lines[at].0.is_empty() {
                    lines[at].0.push('e');
                }
            }
            let last = lines.len() - 1;
            if !has_end && !lines[last].0.is_empty() {
                lines[last].1 = "";
            }
            lines
        },
    );
    let wish = (any::<u16>(), 0..3u16, prop::collection::vec(line(), 0..4), 0..12u8);
    (lines, prop::collection::vec(wish, 1..5)).prop_map(|(lines, wishes)| {
        let wanted = wishes.into_iter().map(|(first, more, replacement, odd)| {
            let first = usize::from(first) % lines.len();
            let last = (first + usize::from(more)).min(lines.len() - 1);
            let mut reviewed: Vec<String> = lines[first..=last].iter().map(|line| line.0.clone()).collect();
            match odd {
                0 => reviewed[0].push('!'),
                1 => reviewed.push(String::new()),
                2 => reviewed[0].push('\r'),
                _ => {}
            }
            let range = LineRange { first: first as u32, last: last as u32 };
            Wanted {
                placement: Placement::Moved(range),
                reviewed: Some(reviewed),
                suggestion: Suggestion { replacement },
            }
        });
        let wanted = wanted.collect();
        Case { lines, wanted }
    })
}

fn joined(lines: &[(String, &'static str)]) -> String {
    lines.iter().map(|(line, end)| format!("{line}{end}")).collect()
}

#[allow(clippy::disallowed_methods, reason = "a test may be asked to do more")]
fn cases() -> u32 {
    std::env::var("SUGGESTIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(5_000)
}

/// One after the other, bottom-up, and each alone: the lines that are not anchored stay as they are, byte for byte,
/// and the anchored ones read as suggested.
fn stays_within_its_lines(Case { lines, wanted }: &Case) -> Result<(u32, u32), TestCaseError> {
    let document = joined(lines);
    let text = Text::new(&document);
    let around = |range: LineRange| {
        (joined(&lines[..range.first as usize]), joined(&lines[range.last as usize + 1..]))
    };
    let (mut n_applied, mut n_refused) = (0, 0);
    for it in wanted {
        let Placement::Moved(range) = it.placement else { unreachable!() };
        let Ok(replacement) = apply(&text, it) else {
            n_refused += 1;
            continue;
        };
        n_applied += 1;
        let (before, after) = around(range);
        let new = edited(&text, &replacement);
        let middle = new.strip_prefix(&before).and_then(|rest| rest.strip_suffix(&after));
        prop_assert!(middle.is_some(), "{document:?} became {new:?}");
        let has_end = !lines[range.last as usize].1.is_empty();
        let mut expected = it.suggestion.replacement.join("\n");
        if has_end && !it.suggestion.replacement.is_empty() {
            expected.push('\n');
        }
        prop_assert_eq!(middle.unwrap_or_default().replace("\r\n", "\n"), expected);
        let ends = &lines[range.first as usize..=range.last as usize];
        if let Some((_, end)) = ends.iter().find(|(_, end)| !end.is_empty()) {
            let n_crlf = middle.unwrap_or_default().matches("\r\n").count();
            let n_ends = middle.unwrap_or_default().matches('\n').count();
            prop_assert_eq!(n_crlf, if *end == "\r\n" { n_ends } else { 0 });
        }
    }

    let all = apply_all(&text, wanted);
    prop_assert_eq!(all.applied.len() + all.refused.len(), wanted.len());
    let mut edited_text = text.clone();
    let mut expected = lines.clone();
    let mut above = u32::MAX;
    for replacement in &all.replacements {
        let LineRange { first, last } = replacement.lines;
        prop_assert!(last < above, "from the bottom up, and apart");
        above = first;
        expected.splice(first as usize..=last as usize, [(replacement.new_text.clone(), "")]);
        let range = replacement.range(&text, Encoding::Utf16);
        let now = replacement.range(&edited_text, Encoding::Utf16);
        prop_assert_eq!(range.0, now.0);
        edited_text.apply(Some(now), &replacement.new_text, Encoding::Utf16);
    }
    prop_assert_eq!(edited_text.to_string(), joined(&expected));
    Ok((n_applied, n_refused))
}

#[test]
#[allow(clippy::print_stderr, reason = "how much was tried is to be seen")]
fn no_byte_outside_the_anchored_lines_changes() {
    let config = ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() };
    let counts = std::cell::Cell::new((0, 0));
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let outcome = runner.run(&case(), |case| {
        let (applied, refused) = stays_within_its_lines(&case)?;
        counts.set((counts.get().0 + applied, counts.get().1 + refused));
        Ok(())
    });
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
    let (applied, refused) = counts.get();
    eprintln!("{} documents, {applied} suggestions applied, {refused} refused", cases());
    assert!(applied > cases() && refused > cases() / 4, "{applied} applied, {refused} refused");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_lines_come_back_out_of_their_block(lines in prop::collection::vec("[a `~\t#>-]{0,6}|[^\r\n\0]{0,6}", 0..5)) {
        let found = find(&of_lines(&lines));
        prop_assert_eq!(found, [Suggestion { replacement: lines }]);
    }
}
