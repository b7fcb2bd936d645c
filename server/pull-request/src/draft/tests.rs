//! Drafts as they look when they are begun, what of them is sent, and what helps to write them.

mod completions;
mod pages;
mod problems;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::model::{LineRange, PullRequestId, Side, Spot, User};

fn on_lines(side: Side, first: u32, last: u32) -> Intent {
    let spot = Spot::Lines(side, LineRange { first, last });
    Intent::Comment(Subject::Code { path: "src/pay.rs".into(), spot })
}

fn user(name: &str, nickname: &str) -> User {
    User {
        account_id: Some(format!("557058:{}", nickname.to_lowercase())),
        display_name: name.into(),
        nickname: Some(nickname.into()),
        ..User::default()
    }
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| line.to_string()).collect()
}

#[test]
fn the_text_above_the_marker_is_sent() {
    let draft = |above: &str| format!("{above}{END}\n\nReply to Ana\n");
    assert_eq!(body(&draft("Hi.\n\n")).as_deref(), Some("Hi."));
    assert_eq!(body(&draft("\n\n")).as_deref(), Some(""));
    assert_eq!(body(&draft("")).as_deref(), Some(""));
    assert_eq!(body(&draft("a  \nb\t\n \n")).as_deref(), Some("a  \nb"), "a hard break stays");
    assert_eq!(body(&draft("a\r\nb\rc\r\n")).as_deref(), Some("a\nb\nc"));
    assert_eq!(body(&draft("\u{FEFF}a\n")).as_deref(), Some("a"));
    assert_eq!(
        body(&format!("a\n{END} \t\r\nb")).as_deref(),
        Some("a"),
        "blanks behind the marker do not matter"
    );
    assert_eq!(body(&draft(&format!("a\n{END}\nb\n"))), Some(format!("a\n{END}\nb")), "the last one counts");
}

#[test]
fn without_its_marker_nothing_is_sent() {
    for text in ["", "a", &format!("a {END}\n"), &format!("> {END}\n"), &format!("{END}x"), &END[1..]] {
        assert_eq!(body(text), None, "{text:?}");
        assert_eq!(body(&with_body(text, "new")).as_deref(), Some("new"), "{text:?}");
    }
}

#[test]
fn another_body_leaves_the_rest_as_it_is() {
    let rest = format!("{END}\r\n\r\nReply to Ana\r\n> Why?");
    assert_eq!(with_body(&format!("old\r\n{rest}"), "new\nwords\n"), format!("new\r\nwords\r\n\r\n{rest}"));
}

/// Bits from which bodies and drafts are put together.
fn bits() -> impl Strategy<Value = String> {
    let bit = prop_oneof![
        3 => prop::sample::select(vec![
            "a", " ", "\n", "\r\n", "\r", "\t", "```\n", "~~~", "\n```suggestion\n", "<!--", "-->", "\u{FEFF}", "\0",
            "\u{202E}", "日", "@{557058:ana}", "@{", "}", "`", "#", ":", "\u{2028}", "\u{85}", "> ", "    ", "@Ana",
        ]).prop_map(str::to_owned),
        1 => Just(format!("\n{END}\n")),
        1 => Just(END.to_owned()),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(bit, 0..20).prop_map(|bits| bits.concat())
}

/// What is left of a text when only what does not matter is taken away.
fn normal(text: &str) -> String {
    let text = text.trim_start_matches('\u{FEFF}');
    text.replace("\r\n", "\n").replace('\r', "\n").trim_end().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_body_that_was_put_in_comes_out(text in bits(), new in bits()) {
        let draft = with_body(&text, &new);
        prop_assert_eq!(body(&draft), Some(normal(&new)));
        let again = with_body(&draft, &body(&draft).unwrap_or_default());
        prop_assert_eq!(&again, &draft, "once is enough");
        if body(&text).is_some() {
            let rest = &text[text.rfind(END).unwrap_or_default()..];
            prop_assert!(draft.ends_with(rest.trim_start_matches(END)), "{:?}", draft);
        }
    }

    /// No text makes what looks at drafts fail, and what it points at is there.
    #[test]
    fn any_text_is_looked_at(text in bits(), line in 0..9_u32, column in 0..30_u32, known: bool) {
        let lines = crate::text::Text::new(&text);
        let fits = |line: u32, column: u32| {
            lines.line(line).is_some_and(|text| text.is_char_boundary(column as usize))
        };
        let is_known = |_: &str| known.then(|| "Ana".to_owned());
        let commented = Some(owned(&["a"]));
        let facts = Facts { mentions: &is_known, is_name: &|name| name == "Ana", people_complete: true, commented: commented.clone(), lines_now: None };
        for it in problems(&text, &on_lines(Side::To, 0, 0), &facts) {
            prop_assert!(fits(it.lines.first, it.columns.0) && fits(it.lines.last, it.columns.1), "{:?}", it);
            prop_assert!((it.lines.first, it.columns.0) <= (it.lines.last, it.columns.1), "{:?}", it);
        }
        for it in mentions(&text) {
            prop_assert!(fits(it.line, it.columns.0) && fits(it.line, it.columns.1), "{:?}", it);
            let line = lines.line(it.line).unwrap_or_default();
            prop_assert_eq!(&line[it.columns.0 as usize..it.columns.1 as usize], format!("@{{{}}}", it.account_id));
        }
        let people = [user("Ana Li", "ana")];
        let people = People { participants: &people, members: &people };
        let requests = [(PullRequestId(12), "a".to_owned())];
        let found = completions(&text, (line, column), &people, &requests, commented.as_deref());
        for (rank, it) in (0..).zip(found) {
            prop_assert_eq!((it.line, it.rank), (line, rank));
            prop_assert!(it.columns.0 <= it.columns.1 && fits(line, it.columns.0) && fits(line, it.columns.1), "{:?}", it);
        }
    }
}

/// The shapes that could take long, far beyond what is ever sent.
#[test]
#[allow(clippy::disallowed_methods, reason = "a test may look at the clock")]
fn no_draft_takes_long() {
    let people: Vec<User> = (0..2_000).map(|n| user(&format!("Ana {n}"), &format!("ana{n}"))).collect();
    let people = People { participants: &[], members: &people };
    let commented = Some(owned(&["a"]));
    let facts = Facts {
        mentions: &|_| None,
        is_name: &|_| false,
        people_complete: true,
        commented: commented.clone(),
        lines_now: None,
    };
    for piece in [
        "@",
        "@{",
        "@a ",
        "`a`@b ",
        "\0a",
        "\u{202e}a",
        END,
        "\u{FEFF}",
        "\n",
        "`",
        "\n```suggestion\n```",
        "#",
        ": ",
        "@{a:b}",
        " ",
    ] {
        let text = piece.repeat((256 * 1024) / piece.len());
        for text in [format!("{text}\n{END}\n"), text.clone()] {
            let before = std::time::Instant::now();
            body(&text);
            with_body(&text, &text);
            mentions(&text);
            problems(&text, &on_lines(Side::To, 0, 0), &facts);
            completions(&text, (0, u32::MAX), &people, &[], commented.as_deref());
            let took = before.elapsed();
            assert!(took < std::time::Duration::from_secs(5), "{piece:?} took {took:?}");
        }
    }
}
