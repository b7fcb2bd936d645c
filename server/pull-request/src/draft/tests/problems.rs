//! What is said of drafts that are not as they should be.

use std::fmt::Write as _;

use super::*;
use crate::testing::vectors::hostile_characters;
use crate::view::Severity;

fn name_of(account_id: &str) -> Option<String> {
    (account_id == "557058:ana").then(|| "Ana Li".to_owned())
}

fn is_name(name: &str) -> bool {
    ["ana", "ana li", "cem"].contains(&name.to_lowercase().as_str())
}

fn facts() -> Facts<'static> {
    Facts { mentions: &name_of, is_name: &is_name, people_complete: true, commented: None, lines_now: None }
}

fn draft(body: &str) -> String {
    format!("{body}\n\n{END}\n\nReply to Ana, @Cem and @{{no:one}}\n")
}

/// The problems of a body, each with what it is on.
fn draw(body: &str, intent: &Intent, facts: &Facts<'_>) -> String {
    draw_text(&draft(body), intent, facts)
}

fn draw_text(text: &str, intent: &Intent, facts: &Facts<'_>) -> String {
    let mut drawn = String::new();
    let lines = crate::text::Text::new(text);
    for it in problems(text, intent, facts) {
        let offset = |line, column| {
            lines.offset(crate::text::Position::new(line, column), crate::text::Encoding::Utf8)
        };
        let on: String = text[offset(it.lines.first, it.columns.0)..offset(it.lines.last, it.columns.1)]
            .chars()
            .take(40)
            .collect();
        let blocks = if it.blocks { " blocks" } else { "" };
        writeln!(drawn, "{:?}{blocks} {on:?}: {}", it.severity, it.sentence).unwrap();
    }
    drawn
}

fn check(body: &str, expected: Expect) {
    expected.assert_eq(&draw(body, &on_lines(Side::To, 3, 3), &facts()));
}

#[test]
fn an_ordinary_text_is_fine() {
    check(
        "Why **twice**, @{557058:ana}?\n\n- [ ] `@Ana`, a@ana.org\n\n```\n@Ana @{x\n```\n👩‍👩‍👧 می‌خواهم",
        expect![[""]],
    );
}

#[test]
fn no_text() {
    check(
        "",
        expect![[r#"
        Information blocks "": There is no text yet: write it above the marker line.
    "#]],
    );
    check(
        " \n\t\n\u{200B}",
        expect![[r#"
        Information blocks "": There is no text yet: write it above the marker line.
        Warning "\u{200b}": The invisible character U+200B is in the text; it is sent as it is.
    "#]],
    );
}

#[test]
fn no_marker() {
    expect![[r#"
        Error blocks "Reply to Ana": The line that says where your text ends is gone: undo, or write it below your text again: <!-- Your text ends here: this line and all that is below it is not sent. -->
    "#]].assert_eq(&draw_text("Hi.\nReply to Ana\n", &on_lines(Side::To, 3, 3), &facts()));
    expect![[r#"
        Error blocks "": The line that says where your text ends is gone: undo, or write it below your text again: <!-- Your text ends here: this line and all that is below it is not sent. -->
        Information blocks "": There is no text yet: write it above the marker line.
    "#]].assert_eq(&draw_text("", &on_lines(Side::To, 3, 3), &facts()));
}

#[test]
fn characters_that_nobody_sees() {
    check(
        "a\0\0b \u{1b}[31m c\u{85}d\nadmin\u{202e} } \u{2066}\u{200b}\u{feff}",
        expect![[r#"
        Error blocks "\0\0": A NUL character is in the text, which cannot be sent: delete it.
        Warning "\u{1b}": The control character U+001B is in the text; it is sent as it is.
        Warning "\u{85}": The control character U+0085 is in the text; it is sent as it is.
        Warning "\u{202e}": The invisible character U+202E changes the direction in which text is read; it is sent as it is.
        Warning "\u{2066}": The invisible character U+2066 changes the direction in which text is read; it is sent as it is.
        Warning "\u{200b}": The invisible character U+200B is in the text; it is sent as it is.
        Warning "\u{feff}": The invisible character U+FEFF is in the text; it is sent as it is.
    "#]],
    );
}

#[test]
fn every_hostile_character_is_told_and_none_is_changed() {
    for character in hostile_characters() {
        let text = draft(&format!("a{character}b"));
        let found = problems(&text, &on_lines(Side::To, 3, 3), &facts());
        assert_eq!(found.is_empty(), matches!(character, '\n' | '\t' | '\r'), "{character:?}");
        assert_eq!(found.iter().any(|it| it.blocks), character == '\0');
        assert!(found.iter().all(|it| !it.sentence.contains(char::is_control)), "{character:?}");
        let sent = if character == '\r' { "a\nb".to_owned() } else { format!("a{character}b") };
        assert_eq!(body(&text), Some(sent));
    }
}

#[test]
fn mentions_that_reach_nobody() {
    check(
        "@{557058:ana} @{557058:cem} @{Ana Li} @{ana\n(@Ana Li, @ana, @CEM! @Anais @Bob @",
        expect![[r#"
        Warning "@{557058:cem}": Nobody here has this account: the mention will reach no one. Type @ and choose a name.
        Warning "@{Ana Li}": This mention is not complete: type @ and choose a name.
        Warning "@{ana": This mention is not complete: type @ and choose a name.
        Hint "@Ana Li": This mentions no one yet: choose the name from the completion, so that Bitbucket knows who is meant.
        Hint "@ana": This mentions no one yet: choose the name from the completion, so that Bitbucket knows who is meant.
        Hint "@CEM": This mentions no one yet: choose the name from the completion, so that Bitbucket knows who is meant.
    "#]],
    );
    let some = Facts { people_complete: false, ..facts() };
    assert_eq!(
        draw("@{557058:cem}", &on_lines(Side::To, 3, 3), &some),
        "",
        "perhaps somebody that is not known here"
    );
}

#[test]
fn a_text_that_is_too_long() {
    let fits = "日".repeat(LONGEST / 3) + "ab";
    assert_eq!(fits.len(), LONGEST);
    check(&fits, expect![[""]]);
    check(
        &format!("{fits}c"),
        expect![[r#"
        Error blocks "c": The text is too long: 32769 bytes, and at most 32768 are sent. Shorten it, or make two of it.
    "#]],
    );
}

#[test]
fn suggestions_that_say_nothing_or_cannot_be_shown() {
    let commented = owned(&["    charge();"]);
    let with = |now: Option<&str>| Facts {
        commented: Some(commented.clone()),
        lines_now: now.map(|now| owned(&[now])),
        ..facts()
    };
    let (change, same) = ("So:\n```suggestion\n    pay();\n```", crate::suggestion::of_lines(&commented));
    let to = on_lines(Side::To, 3, 3);
    assert_eq!(draw(change, &to, &with(Some("    charge();\r"))), "");
    assert_eq!(draw(change, &to, &with(None)), "");
    assert_eq!(draw(change, &to, &facts()), "");
    assert_eq!(draw("```\n    charge();\n```", &to, &with(Some("x"))), "", "no suggestion");
    expect![[r#"
        Warning "```suggestion\n    pay();\n```": The lines that this suggestion replaces were changed since: compare it with them before you send it.
    "#]].assert_eq(&draw(change, &to, &with(Some("    charge(1);"))));
    expect![[r#"
        Hint "```suggestion\n    charge();\n```": This suggestion changes nothing yet: write in it what the lines shall become.
    "#]].assert_eq(&draw(&same, &to, &with(Some("    charge();"))));
    let reply = Intent::Comment(Subject::Comment(CommentId(7)));
    assert_eq!(draw(change, &reply, &with(None)), "");
    let elsewhere = [
        on_lines(Side::From, 3, 3),
        Intent::Comment(Subject::PullRequest),
        Intent::Task { comment: Some(CommentId(1)) },
    ];
    let drawn: String = elsewhere.map(|intent| draw(change, &intent, &with(None))).concat();
    expect![[r#"
        Warning "```suggestion\n    pay();\n```": Bitbucket shows a suggestion only in a comment on lines of the new file; here it stays a block of code.
        Warning "```suggestion\n    pay();\n```": Bitbucket shows a suggestion only in a comment on lines of the new file; here it stays a block of code.
        Warning "```suggestion\n    pay();\n```": Bitbucket shows a suggestion only in a comment on lines of the new file; here it stays a block of code.
    "#]].assert_eq(&drawn);
    assert!(!draw(change, &reply, &facts()).is_empty(), "a reply in a thread without lines");
}

#[test]
fn what_keeps_a_draft_from_being_sent_is_always_told() {
    let text = draft(&("\u{202e}x".repeat(500) + "\0"));
    let found = problems(&text, &on_lines(Side::To, 3, 3), &facts());
    assert_eq!(found.len(), 100);
    assert!(found.iter().any(|it| it.blocks));
    assert!(found.iter().all(|it| it.blocks || it.severity == Severity::Warning));
    assert!(found.is_sorted_by_key(|it| (it.lines.first, it.columns.0)));
}
