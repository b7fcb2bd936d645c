//! What is offered where.

use std::fmt::Write as _;

use super::*;
use crate::testing::vectors::hostile_characters;

/// What is offered at `┃`.
fn offered(drawn: &str) -> Vec<Completion> {
    let before = drawn.split('┃').next().unwrap_or_default();
    let text = format!("{}\n\n{END}\n\nReply to Ana @\n", drawn.replacen('┃', "", 1));
    let line = before.matches('\n').count() as u32;
    let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
    let participants = [user("Cem Ak", "cem"), user("Ana Li", "ana")];
    let nameless = User { account_id: Some("557058:x".into()), ..User::default() };
    let forged = User { account_id: Some("a} @{b".into()), ..user("Ana Evil", "evil") };
    let unknown = User { account_id: None, ..user("Ana Nobody", "nobody") };
    let members = [
        user("Ana Li", "ana"),
        user("Bob\u{202e} Anderson", "bobby"),
        user("", "anon"),
        nameless,
        forged,
        unknown,
    ];
    let people = People { participants: &participants, members: &members };
    let requests = [
        (PullRequestId(12), "Add\ntotals".to_owned()),
        (PullRequestId(120), String::new()),
        (PullRequestId(3), "No 12 more".into()),
    ];
    completions(&text, (line, column as u32), &people, &requests, Some(&owned(&["  a", "```"])))
}

fn draw(drawn: &str) -> String {
    let mut all = String::new();
    for it in offered(drawn) {
        let Completion { columns: (from, to), label, detail, filter, insert, kind, .. } = it;
        writeln!(all, "{kind:?} {from}..{to} {label:?} ({detail}) {filter:?} -> {insert:?}").unwrap();
    }
    all
}

fn labels(drawn: &str) -> Vec<String> {
    offered(drawn).into_iter().map(|it| it.label).collect()
}

#[test]
fn people_behind_an_at_sign() {
    expect![[r#"
        Person 4..5 "Ana Li" (ana, on this pull request) "@Ana Li" -> "@{557058:ana}"
        Person 4..5 "Cem Ak" (cem, on this pull request) "@Cem Ak" -> "@{557058:cem}"
        Person 4..5 "anon" (in the workspace) "@anon" -> "@{557058:anon}"
        Person 4..5 "Bob Anderson" (bobby, in the workspace) "@Bob Anderson" -> "@{557058:bobby}"
    "#]]
    .assert_eq(&draw("Ask @┃"));
    expect![[r#"
        Person 1..4 "Ana Li" (ana, on this pull request) "@ana Li" -> "@{557058:ana}"
        Person 1..4 "anon" (in the workspace) "@anon" -> "@{557058:anon}"
        Person 1..4 "Bob Anderson" (bobby, in the workspace) "@anderson" -> "@{557058:bobby}"
    "#]]
    .assert_eq(&draw("(@an┃, please"));
    expect![[r#"
        Person 4..10 "Ana Li" (ana, on this pull request) "@ana li" -> "@{557058:ana}"
    "#]]
    .assert_eq(&draw("日 @ana l┃"));
    expect![[r#"
        Person 0..5 "Ana Li" (ana, on this pull request) "@{LI" -> "@{557058:ana}"
    "#]]
    .assert_eq(&draw("@{LI┃} there"));
    for nothing in [
        "me@an┃",
        "@xy┃",
        "@{557058:ana}┃",
        "@ an┃",
        "@@an┃",
        "@ana\n┃",
        "`@an┃`",
        "`@an┃",
        "```\n@an┃\n```",
        "    @an┃",
        "~~~\n@an┃",
    ] {
        assert_eq!(labels(nothing).into_iter().filter(|it| it != "suggestion").count(), 0, "{nothing:?}");
    }
}

#[test]
fn nobody_is_offered_below_the_marker() {
    let text = format!("a\n{END}\n@an");
    let people = [user("Ana", "ana")];
    let people = People { participants: &people, members: &[] };
    let at = |line, column| completions(&text, (line, column), &people, &[], Some(&owned(&["a"]))).len();
    assert_eq!((at(1, 0), at(2, 3), at(99, 0)), (0, 0, 0));
    assert_eq!(completions("a\n@an", (1, 3), &people, &[], None).len(), 1, "the marker is gone");
}

#[test]
fn emoji_behind_a_colon() {
    expect![[r#"
        Emoji 5..10 "🎉 tada" (:tada:) ":tada:" -> "🎉"
    "#]]
    .assert_eq(&draw("Nice :tada┃"));
    expect![[r#"
        Emoji 0..8 "🚀 rocket" (:rocket:) ":rocket:" -> "🚀"
    "#]]
    .assert_eq(&draw(":rocket:┃"));
    expect![[r#"
        Emoji 1..6 "❤\u{fe0f} heart" (:heart:) ":heart:" -> "❤\u{fe0f}"
        Emoji 1..6 "😍 heart_eyes" (:heart_eyes:) ":heart_eyes:" -> "😍"
        Emoji 1..6 "💙 blue_heart" (:blue_heart:) ":heart:" -> "💙"
        Emoji 1..6 "💔 broken_heart" (:broken_heart:) ":heart:" -> "💔"
        Emoji 1..6 "💚 green_heart" (:green_heart:) ":heart:" -> "💚"
        Emoji 1..6 "💜 purple_heart" (:purple_heart:) ":heart:" -> "💜"
        Emoji 1..6 "💛 yellow_heart" (:yellow_heart:) ":heart:" -> "💛"
    "#]]
    .assert_eq(&draw("(:hear┃"));
    assert!(labels("a :+┃").contains(&"👍 +1".to_owned()));
    assert_eq!(labels("x :┃").len(), 100);
    for nothing in ["Note:┃", "a::b┃", "10:3┃", ":nothing┃", ":not:┃", "`:tada┃`", "http://x┃"]
    {
        assert!(labels(nothing).is_empty(), "{nothing:?}");
    }
}

#[test]
fn pull_requests_behind_a_hash() {
    expect![[r##"
        PullRequest 4..7 "#12 Add totals" () "#12 Add totals" -> "#12"
        PullRequest 4..7 "#120" () "#120" -> "#120"
        PullRequest 4..7 "#3 No 12 more" () "#12 more" -> "#3"
    "##]]
    .assert_eq(&draw("see #12┃"));
    expect![[r##"
        PullRequest 0..3 "#12 Add totals" () "#totals" -> "#12"
    "##]]
    .assert_eq(&draw("#to┃"));
    assert_eq!(labels("x #┃").len(), 3);
    for nothing in ["# ┃", "##┃", "a#1┃", "#9┃", "`#1┃`"] {
        assert!(labels(nothing).is_empty(), "{nothing:?}");
    }
}

#[test]
fn a_suggestion_at_the_start_of_a_line() {
    expect![[r#"
        Suggestion 0..0 "suggestion" (the commented lines, to be changed) "suggestion" -> "````suggestion\n  a\n```\n````"
    "#]].assert_eq(&draw("┃"));
    expect![[r#"
        Suggestion 0..7 "suggestion" (the commented lines, to be changed) "```suggestion" -> "````suggestion\n  a\n```\n````"
    "#]].assert_eq(&draw("Better:\n```sugg┃"));
    for also in ["a\n┃", "sug┃", "```┃", "```┃```", "  ```suggestion┃", "a\n``┃\nb"] {
        assert_eq!(labels(also), ["suggestion"], "{also:?}");
    }
    for nothing in ["a ┃", "x┃", "```rust┃", "```\n┃\n```", "```\n``┃", "    ┃", "┃ more", "suggestions┃"]
    {
        assert!(labels(nothing).is_empty(), "{nothing:?}");
    }
    let no_lines = completions(&format!("\n{END}"), (0, 0), &People::default(), &[], None);
    assert!(no_lines.is_empty(), "there is nothing to replace");
}

#[test]
fn what_was_chosen_is_a_mention() {
    let text = format!("Ask @{{557058:ana}}, `@{{a:b}}`\n日 @{{c:d}} @{{}}\n\n{END}\n@{{e:f}}");
    let found: Vec<_> = mentions(&text).into_iter().map(|it| (it.line, it.columns, it.account_id)).collect();
    assert_eq!(found, [(0, (4, 17), "557058:ana".to_owned()), (1, (4, 10), "c:d".to_owned())]);
}

#[test]
fn no_hidden_character_comes_out() {
    for character in hostile_characters() {
        let with = format!("a{character}b");
        let evil = [user(&with, &with), User { display_name: String::new(), ..user("", &with) }];
        let people = People { participants: &evil[..1], members: &evil[1..] };
        for (text, kinds) in [("@", 0..2), ("#", 1..2)] {
            let found = completions(text, (0, 1), &people, &[(PullRequestId(1), with.clone())], None);
            assert!(kinds.contains(&found.len()), "{found:?}");
            for it in found {
                for shown in [it.label, it.detail, it.filter, it.insert] {
                    assert!(!shown.contains(character), "{character:?} in {shown:?}");
                }
            }
        }
    }
}
