//! What is seen of writing: titles of what can be done, what is on its way, suggestions.

use std::fmt::Write as _;

use expect_test::expect;

use super::threads::draw;
use super::*;
use crate::view::action::{CommentAction, TaskAction};
use crate::view::diagnostic::diagnostic;

#[test]
fn what_can_be_done_with_a_comment_or_a_task() {
    let (thread, silent) = (discussed(), Comment { author: None, ..comment(9, 0, "", 1, "") });
    let suggestion = |number, of| CommentAction::ApplySuggestion { number, of };
    expect![[r#"
        Bitbucket: Edit comment
        Bitbucket: Edit comment (Ana Li: Why twice? @Cem Ak — suggestion: charge…)
        Bitbucket: Delete comment
        Bitbucket: Delete comment (Ana Li: Why twice? @Cem Ak — suggestion: charge…)
        Bitbucket: Apply suggestion
        Bitbucket: Apply suggestion (Ana Li: Why twice? @Cem Ak — suggestion: charge…)
        Bitbucket: Apply suggestion 2 of 3
        Bitbucket: Apply suggestion 2 of 3 (Ana Li: Why twice? @Cem Ak — suggestion: charge…)
        Bitbucket: Delete comment (Deleted account: (no text))
        Bitbucket: Complete task
        Bitbucket: Complete task (Charge once)
        Bitbucket: Reopen task
        Bitbucket: Reopen task (Charge once)
        Bitbucket: Edit task
        Bitbucket: Edit task (Charge once)
        Bitbucket: Delete task
        Bitbucket: Delete task (Charge once)
    "#]]
    .assert_eq(&with_reader(|reader| {
        let mut titles = String::new();
        for action in [CommentAction::Edit, CommentAction::Delete, suggestion(1, 1), suggestion(2, 3)] {
            writeln!(titles, "{}\n{}", action.short_title(), action.title(thread.first(), reader)).unwrap();
        }
        writeln!(titles, "{}", CommentAction::Delete.title(&silent, reader)).unwrap();
        for action in [TaskAction::Complete, TaskAction::Reopen, TaskAction::Edit, TaskAction::Delete] {
            writeln!(titles, "{}\n{}", action.short_title(), action.title(&thread.tasks[0], reader)).unwrap();
        }
        titles
    }));
}

/// One thread in a lens, a diagnostic, a hover and a document, while some of it is on its way.
fn draw_sending(thread: &Thread, ids: &[CommentId]) -> String {
    let placed = placed(Placement::Exact(on(41, 41)), Provenance::Diff);
    let it = PlacedThread { thread, placed: &placed, written_on_older_version: false };
    while_sending(ids, |reader| {
        let lens = lens::thread_lens(&it, reader);
        let diagnostic = draw(diagnostic(&it, &Options::default(), reader));
        let document = document::thread(thread, Some(&it), None, reader).text;
        let hover = hover::hover(&it, reader);
        assert!(document.ends_with(&format!("{hover}\n")), "{document}");
        format!("{lens}\n{diagnostic}{hover}\n")
    })
}

#[test]
fn what_is_on_its_way_says_so() {
    let local = CommentId::local(0);
    let root = Comment { anchor: Some(anchor(Side::To, 41, 41)), ..comment(1, 0, "Ana", 2, "Why?") };
    let reply = Comment { id: local, parent: Some(CommentId(1)), ..comment(2, 1, "Me", 0, "So.") };
    let answered = fold(vec![root.clone(), reply], vec![]).threads.remove(0);
    expect![[r#"
        Ana: Why? · 1 reply · being sent
        41..41 Information
        Ana: Why? (+1 reply) · being sent
        1 <https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-1>
          You: So.
        **Open thread** · line 42

        **Ana** · 2 hours ago

        > Why?

        ↳ **You** · just now · being sent

        > So.

        [Open in Bitbucket](https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-1)
    "#]]
    .assert_eq(&draw_sending(&answered, &[local]));
    expect![[r#"
        Ana: Why? · 1 reply · being sent
        41..41 Information
        Ana: Why? (+1 reply) · being sent
        1 <https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-1>
          You: So.
        **Open thread** · line 42 · being sent

        **Ana** · 2 hours ago

        > Why?

        ↳ **You** · just now

        > So.

        [Open in Bitbucket](https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-1)
    "#]]
    .assert_eq(&draw_sending(&answered, &[CommentId(1)]));
    let new = fold(vec![Comment { id: local, ..root }], vec![]).threads.remove(0);
    expect![[r#"
        Ana: Why? · being sent
        41..41 Information
        Ana: Why? · being sent
        being sent <>
        **Open thread** · line 42 · being sent

        **Ana** · 2 hours ago

        > Why?
    "#]]
    .assert_eq(&draw_sending(&new, &[local]));
}

#[test]
fn local_comments_have_ids_of_their_own() {
    assert!(CommentId::local(0).is_local() && CommentId::local(u32::MAX).is_local());
    assert_ne!(CommentId::local(0), CommentId::local(1));
    assert_eq!(CommentId::local(u32::MAX), CommentId(u64::MAX));
    assert!(!CommentId(u64::MAX - u64::from(u32::MAX) - 1).is_local() && !CommentId(0).is_local());
}

#[test]
fn each_suggestion_of_a_comment_is_shown_as_a_diff() {
    let raw = "One:\n\n```suggestion\n    charge(1);\n```\n\nor\n\n```suggestion\n```\n\n```suggestion\n    charge();\n    charge();\n    log();\n```";
    let root = Comment { anchor: Some(anchor(Side::To, 41, 42)), ..comment(1, 0, "Ana", 2, raw) };
    let thread = fold(vec![root], vec![]).threads.remove(0);
    let placed = placed(Placement::Exact(on(41, 42)), Provenance::Diff);
    let it = PlacedThread { thread: &thread, placed: &placed, written_on_older_version: false };
    expect![[r#"
        **Open thread** · lines 42–43

        **Ana** · 2 hours ago

        > One:
        >
        > ```diff
        > -    charge();
        > -    charge();
        > +    charge(1);
        > ```
        >
        > or
        >
        > ```diff
        > -    charge();
        > -    charge();
        > ```
        >
        > ```diff
        >      charge();
        >      charge();
        > +    log();
        > ```

        [Open in Bitbucket](https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-1)"#]]
    .assert_eq(&with_reader(|reader| hover::hover(&it, reader)));
}
