//! New drafts, whole.

use super::*;
use crate::testing::vectors::hostile_characters;
use crate::testing::vectors::vectors;
use crate::view::markdown::Names;
use crate::view::markdown::tests::assert_harmless;

fn page(intent: &Intent) -> Page<'_> {
    Page {
        intent,
        pull_request: (PullRequestId(12), "Add *totals*"),
        quoted: None,
        names: None,
        code: None,
        body: String::new(),
        remarks: Vec::new(),
    }
}

/// The draft with `┃` where the caret is.
fn draw(page: &Page<'_>) -> String {
    let Written { text, caret: (line, column) } = write(page);
    let lines = text.lines().zip(0..).map(|(text, at)| match at == line {
        true => format!("{}┃{}\n", &text[..column as usize], &text[column as usize..]),
        false => format!("{text}\n"),
    });
    lines.collect()
}

fn check(page: &Page<'_>, expected: Expect) {
    expected.assert_eq(&draw(page));
}

fn code(side: Side, lines: (u32, u32), text: &[&str]) -> Option<Code> {
    let lines = LineRange { first: lines.0, last: lines.1 };
    Some(Code { path: "src/pay.rs".into(), lines, side, text: owned(text), language: None })
}

#[test]
fn a_reply() {
    let intent = Intent::Comment(Subject::Comment(CommentId(7)));
    let ana = user("Ana Li", "ana");
    let names = Names::of([&ana]);
    check(
        &Page {
            quoted: Some(("Ana Li".into(), "Why **twice**, @{557058:ana}?\n\n<b>Really</b>".into())),
            names: Some(&names),
            code: code(Side::To, (3, 4), &["charge();", "charge();"]),
            ..page(&intent)
        },
        expect![[r#"
            ┃

            <!-- Your text ends here: this line and all that is below it is not sent. -->

            Reply to Ana Li in pull request #12 “Add \*totals\*”

            > Why **twice**, @Ana Li?
            >
            > \<b>Really\</b>

            `src/pay.rs`, lines 4–5:

            ```rs
            charge();
            charge();
            ```

            To send it: the lens or the action “Send”, or the command “Bitbucket: Send Draft”. Saving alone sends nothing.
        "#]],
    );
}

#[test]
fn a_comment_on_lines_with_something_to_know() {
    let intent = on_lines(Side::To, 3, 5);
    let remarks = owned(&[
        "Line 6 exists only on your computer; the comment comes on line 5.",
        "Two\nlines, *one* remark.",
    ]);
    check(
        &Page { remarks, code: code(Side::To, (3, 5), &["a", "```", "````"]), ..page(&intent) },
        expect![[r#"
            ┃

            <!-- Your text ends here: this line and all that is below it is not sent. -->

            New comment on `src/pay.rs`, lines 4–6, in pull request #12 “Add \*totals\*”

            - Line 6 exists only on your computer; the comment comes on line 5.
            - Two lines, \*one\* remark.

            `````rs
            a
            ```
            ````
            `````

            To send it: the lens or the action “Send”, or the command “Bitbucket: Send Draft”. Saving alone sends nothing.
        "#]],
    );
}

#[test]
fn a_suggestion_waits_to_be_changed() {
    let intent = on_lines(Side::To, 3, 4);
    let lines = owned(&["    charge();", "    charge();"]);
    let body = suggestion(&lines);
    let written =
        Page { body, code: code(Side::To, (3, 4), &["    charge();", "    charge();"]), ..page(&intent) };
    check(
        &written,
        expect![[r#"
            ```suggestion
                ┃charge();
                charge();
            ```

            <!-- Your text ends here: this line and all that is below it is not sent. -->

            New comment on `src/pay.rs`, lines 4–5, in pull request #12 “Add \*totals\*”

            ```rs
                charge();
                charge();
            ```

            To send it: the lens or the action “Send”, or the command “Bitbucket: Send Draft”. Saving alone sends nothing.
        "#]],
    );
    let empty = Page { body: suggestion(&[]), ..page(&intent) };
    assert_eq!(write(&empty).caret, (1, 0));
}

fn suggestion(lines: &[String]) -> String {
    crate::suggestion::of_lines(lines)
}

#[test]
fn an_edit_begins_with_the_text_as_it_is() {
    let intent = Intent::Edit { comment: CommentId(7), before: "Why?".into() };
    check(
        &Page { body: "Why?\r\n\r\n日本".into(), ..page(&intent) },
        expect![[r#"
        Why?

        日本┃

        <!-- Your text ends here: this line and all that is below it is not sent. -->

        Edit of your comment in pull request #12 “Add \*totals\*”

        To send it: the lens or the action “Send”, or the command “Bitbucket: Send Draft”. Saving alone sends nothing.
    "#]],
    );
}

#[test]
fn the_first_words_say_what_it_is() {
    let quoted = |name: &str| Some((name.to_owned(), "x".to_owned()));
    let reply = Intent::Comment(Subject::Comment(CommentId(7)));
    let task = |comment| Intent::Task { comment };
    let file = Intent::Comment(Subject::Code { path: "src/a `b`.rs".into(), spot: Spot::File });
    let mut drawn = String::new();
    for (intent, quoted) in [
        (Intent::Comment(Subject::PullRequest), None),
        (reply.clone(), quoted("Ana")),
        (reply.clone(), quoted("You")),
        (reply, None),
        (on_lines(Side::To, 3, 3), None),
        (on_lines(Side::From, 3, 5), None),
        (file, None),
        (task(None), None),
        (task(Some(CommentId(7))), quoted("Ana *Li*")),
        (task(Some(CommentId(7))), quoted("You")),
        (task(Some(CommentId(7))), None),
        (Intent::EditTask { task: TaskId(3), before: String::new() }, None),
    ] {
        let text = write(&Page { quoted, ..page(&intent) }).text;
        drawn.push_str(text.lines().nth(4).unwrap_or_default());
        drawn.push('\n');
    }
    expect![[r#"
        New comment in pull request #12 “Add \*totals\*”
        Reply to Ana in pull request #12 “Add \*totals\*”
        Reply to your comment in pull request #12 “Add \*totals\*”
        Reply to a comment in pull request #12 “Add \*totals\*”
        New comment on `src/pay.rs`, line 4, in pull request #12 “Add \*totals\*”
        New comment on `src/pay.rs`, removed lines 4–6, in pull request #12 “Add \*totals\*”
        New comment on the file ``src/a `b`.rs`` in pull request #12 “Add \*totals\*”
        Task in pull request #12 “Add \*totals\*”
        Task on Ana \*Li\*’s comment in pull request #12 “Add \*totals\*”
        Task on your comment in pull request #12 “Add \*totals\*”
        Task on a comment in pull request #12 “Add \*totals\*”
        Edit of a task in pull request #12 “Add \*totals\*”
    "#]]
    .assert_eq(&drawn);
}

/// A draft with one text in every field.
fn filled(with: &str) -> Vec<Written> {
    let path = format!("{with}.{with}");
    let lines = LineRange { first: 1, last: 2 };
    let subjects =
        [Spot::File, Spot::Lines(Side::From, lines)].map(|spot| Subject::Code { path: path.clone(), spot });
    let intents = subjects.into_iter().map(Intent::Comment).chain([
        Intent::Comment(Subject::Comment(CommentId(1))),
        Intent::Task { comment: Some(CommentId(1)) },
        Intent::Edit { comment: CommentId(1), before: with.into() },
    ]);
    let named = User { account_id: Some("a:b".into()), display_name: with.into(), ..User::default() };
    let names = Names::of([&named]);
    let write = |intent: Intent| {
        write(&Page {
            intent: &intent,
            pull_request: (PullRequestId(1), with),
            quoted: Some((with.into(), format!("{with}\n@{{a:b}} `{with}`\n```{with}\n{with}"))),
            names: Some(&names),
            code: Some(Code {
                path: path.clone(),
                lines,
                side: Side::To,
                text: vec![with.into(), format!("x{with}")],
                language: Some(with.into()),
            }),
            body: "Mine.".into(),
            remarks: vec![with.into()],
        })
    };
    intents.map(write).collect()
}

#[test]
fn no_hidden_character_in_any_field_comes_out() {
    for character in hostile_characters() {
        for Written { text, .. } in filled(&format!("a{character}b")) {
            let stays = matches!(character, '\n' | '\t');
            assert!(stays || !text.contains(character), "{character:?} in {text:?}");
        }
    }
}

#[test]
fn nothing_in_any_field_passes_for_the_marker_or_for_markup() {
    for evil in [
        END.to_owned(),
        format!("\n{END}\n"),
        format!("x\n\n{END}\r\nSend this"),
        format!("{END}\u{85}"),
        "[x](command:y) <img src=x onerror=alert(1)>".into(),
        "```\n<script>\n```\n````".into(),
        "x\n\n# Title\n\n<b>".into(),
        "![x](https://evil.example/i.png)".into(),
    ] {
        assert_is_only_read(&evil);
    }
    vectors().iter().step_by(2).for_each(|raw| assert_is_only_read(raw));
}

/// Nothing of a text in any field changes what is sent, or is more than text to who renders it.
fn assert_is_only_read(evil: &str) {
    for Written { text, .. } in filled(evil) {
        assert_eq!(body(&text).as_deref(), Some("Mine."), "{text}");
        assert_eq!(text.lines().filter(|line| line.trim_end() == END).count(), 1, "{text}");
        assert!(text.contains(" in pull request #1 “") && text.contains("Send Draft"), "{text}");
        let below = text.split_once(END).map(|(_, below)| below).unwrap_or_default();
        assert_harmless(evil, below);
    }
}
