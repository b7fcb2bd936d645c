//! Comments of all kinds, folded and drawn.

use std::time::Duration;

use expect_test::{Expect, expect};

use super::*;
use crate::model::{LineRange, Side, Spot, TaskId};

fn comment(id: u64, parent: u64) -> Comment {
    Comment {
        id: CommentId(id),
        parent: (parent != 0).then_some(CommentId(parent)),
        author: Some(User { uuid: Some(format!("{{{}}}", id % 3)), ..User::default() }),
        raw: format!("comment {id}"),
        mentions: Vec::new(),
        created_on: Some(Timestamp(1_000 + id as i64)),
        updated_on: None,
        deleted: false,
        pending: false,
        anchor: None,
        resolution: None,
        html_url: None,
        unreadable: false,
    }
}

fn deleted(id: u64, parent: u64) -> Comment {
    Comment { deleted: true, raw: String::new(), ..comment(id, parent) }
}

fn task(id: u64, comment: u64, resolved: bool) -> Task {
    Task {
        id: TaskId(id),
        comment: (comment != 0).then_some(CommentId(comment)),
        raw: format!("task {id}"),
        creator: None,
        resolved,
        created_on: Some(Timestamp(5_000 + id as i64)),
    }
}

fn anchor(line: u32) -> Anchor {
    Anchor {
        path: "src/pay.rs".into(),
        spot: Spot::Lines(Side::To, LineRange::line(line)),
        source_commit: None,
        destination_commit: None,
        outdated: None,
    }
}

fn check(comments: Vec<Comment>, tasks: Vec<Task>, expected: Expect) {
    let discussion = fold(comments, tasks);
    let mut drawn = String::new();
    for thread in &discussion.threads {
        for Reply { comment, depth } in &thread.comments {
            let deleted = if comment.deleted { " deleted" } else { "" };
            drawn += &format!("{:indent$}{}{deleted}\n", "", comment.id.0, indent = *depth as usize * 2);
        }
        for task in &thread.tasks {
            drawn += &format!("  task {}\n", task.id.0);
        }
        if thread.is_resolved() {
            drawn += "  resolved\n";
        }
    }
    for task in &discussion.tasks {
        drawn += &format!("own task {}\n", task.id.0);
    }
    expected.assert_eq(&drawn);
}

#[test]
fn replies_of_any_depth_follow_what_they_answer() {
    check(
        vec![comment(5, 2), comment(4, 1), comment(3, 2), comment(2, 1), comment(1, 0), comment(6, 0)],
        vec![],
        expect![[r#"
            1
              2
                3
                5
              4
            6
        "#]],
    );
}

#[test]
fn orphans_and_circles_become_threads() {
    check(
        vec![
            comment(1, 99),
            comment(2, 2),
            comment(3, 5),
            comment(4, 3),
            comment(5, 4),
            comment(6, 4),
            comment(8, 7),
            comment(7, 8),
        ],
        vec![],
        expect![[r#"
            1
            2
            3
              4
                5
                6
            7
              8
        "#]],
    );
}

#[test]
fn deleted_comments_stay_while_something_hangs_on_them() {
    check(
        vec![
            deleted(1, 0),
            comment(2, 1),
            deleted(3, 0),
            deleted(4, 3),
            comment(5, 0),
            deleted(6, 5),
            comment(7, 6),
            deleted(8, 5),
            deleted(9, 0),
            deleted(10, 0),
            deleted(11, 10),
        ],
        vec![task(1, 9, true), task(2, 11, false)],
        expect![[r#"
            1 deleted
              2
            5
              6 deleted
                7
            9 deleted
              task 1
            10 deleted
              11 deleted
              task 2
        "#]],
    );
}

#[test]
fn tasks_go_to_the_thread_of_their_comment() {
    check(
        vec![comment(1, 0), comment(2, 1), comment(3, 2)],
        vec![task(4, 3, false), task(1, 0, false), task(2, 99, false), task(3, 1, false), task(3, 1, true)],
        expect![[r#"
            1
              2
                3
              task 3
              task 4
            own task 1
            own task 2
        "#]],
    );
    let discussion = fold(vec![comment(1, 0)], vec![task(3, 1, false), task(3, 1, true), task(4, 0, false)]);
    assert_eq!(discussion.threads[0].open_tasks(), 0, "the later of two with one id wins");
    assert_eq!(discussion.open_tasks(), 1);
}

#[test]
fn only_the_root_resolves() {
    let resolved = |comment| Comment { resolution: Some(Resolution::default()), ..comment };
    check(
        vec![resolved(comment(1, 0)), comment(2, 1), comment(3, 0), resolved(comment(4, 3))],
        vec![],
        expect![[r#"
            1
              2
              resolved
            3
              4
        "#]],
    );
}

#[test]
fn the_later_of_two_with_one_id_wins() {
    let edited = Comment { raw: "edited".into(), ..comment(1, 0) };
    let discussion = fold(vec![comment(1, 0), comment(2, 1), edited], vec![]);
    assert_eq!(discussion.threads.len(), 1);
    assert_eq!(discussion.threads[0].first().raw, "edited");
}

#[test]
fn a_thread_is_where_its_root_is_or_else_its_first_placed_reply() {
    let at = |line, comment| Comment { anchor: Some(anchor(line)), ..comment };
    let threads = fold(
        vec![at(7, comment(1, 0)), at(8, comment(2, 1)), comment(3, 0), at(9, comment(4, 3)), comment(5, 0)],
        vec![],
    )
    .threads;
    let lines: Vec<_> = threads.iter().map(|thread| thread.anchor.clone()).collect();
    assert_eq!(lines, [Some(anchor(7)), Some(anchor(9)), None]);
    assert!(!threads[1].is_general() && threads[2].is_general());
}

#[test]
fn questions_to_a_thread() {
    let mut edited = comment(2, 1);
    edited.updated_on = Some(Timestamp(9_000));
    let discussion = fold(
        vec![comment(1, 0), edited, comment(4, 1), deleted(6, 1), comment(9, 6), comment(11, 0)],
        vec![],
    );
    let thread = discussion.thread_of(CommentId(9)).unwrap();
    assert_eq!(thread.root, CommentId(1));
    assert_eq!(discussion.thread_of(CommentId(11)).unwrap().root, CommentId(11));
    assert_eq!(discussion.thread_of(CommentId(12)), None);
    assert_eq!(thread.comment(CommentId(4)).unwrap().raw, "comment 4");
    assert_eq!(thread.last_activity(), Some(Timestamp(9_000)));
    assert_eq!(thread.reply_count(), 3);
    let ids: Vec<_> = thread.participants().iter().map(|user| user.uuid.clone().unwrap()).collect();
    assert_eq!(ids, ["{1}", "{2}", "{0}"]);
}

#[test]
fn threads_without_a_date_come_last() {
    let undated = Comment { created_on: None, ..comment(1, 0) };
    let roots: Vec<_> = fold(vec![undated, comment(3, 0), comment(2, 0)], vec![])
        .threads
        .iter()
        .map(|it| it.root.0)
        .collect();
    assert_eq!(roots, [2, 3, 1]);
}

/// Twenty thousand comments in any shape: a chain, a circle, all roots, all replies of one root.
#[test]
fn many_comments_take_no_stack_and_little_time() {
    const MANY: u64 = 20_000;
    type ParentOf = fn(u64) -> u64;
    let shapes: [(&str, ParentOf, usize); 5] = [
        ("chain", |id| id - 1, 1),
        ("chain upwards", |id| if id == MANY { 0 } else { id + 1 }, 1),
        ("circle", |id| if id == 1 { MANY } else { id - 1 }, 1),
        ("roots", |_| 0, MANY as usize),
        ("replies", |id| u64::from(id != 1), 1),
    ];
    for (shape, parent, n_threads) in shapes {
        let comments = (1..=MANY).map(|id| comment(id, parent(id))).collect();
        let tasks = (1..=MANY).map(|id| task(id, id, false)).collect();
        let before = now();
        let discussion = fold(comments, tasks);
        let took = now() - before;
        assert_eq!(discussion.threads.len(), n_threads, "{shape}");
        let n_comments: usize = discussion.threads.iter().map(|thread| thread.comments.len()).sum();
        assert_eq!(n_comments, MANY as usize, "{shape}");
        assert_eq!(discussion.open_tasks(), MANY as usize, "{shape}");
        drop(discussion);
        assert!(took < Duration::from_secs(1), "{shape} took {took:?}");
    }
}

#[allow(clippy::disallowed_methods, reason = "a test may look at the clock")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}
