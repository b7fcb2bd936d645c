//! What a user sees, as pictures; and what no input brings onto the screen. Here: the sample that the tests share.

mod documents;
mod hostile;
mod threads;
mod writing;

use super::document::{Document, DraftRow, DraftState, LinkTarget, Page, Row, Symbol};
use super::*;
use crate::content::Confidence;
use crate::model::*;
use crate::place::Provenance;
use crate::thread::{Discussion, fold};

const NOW: Timestamp = Timestamp(1_800_000_000);
const HOUR: i64 = 60 * 60;

fn user(name: &str) -> User {
    User {
        uuid: Some(format!("{{{name}}}")),
        account_id: Some(format!("557058:{}", name.to_lowercase())),
        display_name: name.into(),
        nickname: Some(name.to_lowercase()),
    }
}

fn anchor(side: Side, first: u32, last: u32) -> Anchor {
    Anchor {
        path: "src/pay.rs".into(),
        spot: Spot::Lines(side, LineRange { first, last }),
        source_commit: CommitHash::parse("298e9b999046"),
        destination_commit: CommitHash::parse("1a2b3c4d5e6f"),
        outdated: None,
    }
}

fn comment(id: u64, parent: u64, author: &str, hours: i64, raw: &str) -> Comment {
    Comment {
        id: CommentId(id),
        parent: (parent != 0).then_some(CommentId(parent)),
        author: Some(user(author)),
        raw: raw.into(),
        mentions: vec![("557058:cem".into(), "Cem Ak".into())],
        created_on: Some(Timestamp(NOW.0 - hours * HOUR)),
        updated_on: None,
        deleted: false,
        pending: false,
        anchor: None,
        resolution: None,
        html_url: Some(format!("https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-{id}")),
        unreadable: false,
    }
}

fn task(id: u64, comment: u64, raw: &str, resolved: bool) -> Task {
    let comment = (comment != 0).then_some(CommentId(comment));
    let created_on = Some(Timestamp(NOW.0 - HOUR));
    Task { id: TaskId(id), comment, raw: raw.into(), creator: Some(user("Bob")), resolved, created_on }
}

/// Ana's thread on lines 42 and 43, with a suggestion, answers of all kinds, and tasks.
fn discussed() -> Thread {
    let suggestion = "**Why** twice? @{557058:cem}\n\n```suggestion\n    charge_once();\n```";
    let comments = vec![
        Comment { anchor: Some(anchor(Side::To, 41, 42)), ..comment(1, 0, "Ana Li", 50, suggestion) },
        Comment {
            updated_on: Some(NOW),
            ..comment(2, 1, "Bob", 3, "Because `charge` may fail, see [docs](https://x.org).")
        },
        Comment { deleted: true, raw: String::new(), ..comment(3, 1, "Bob", 2, "") },
        comment(4, 3, "Cem Ak", 1, "I **don't** think so."),
        Comment { pending: true, ..comment(5, 4, "Me", -1, "Nor do I.\n\n# Really") },
        Comment { unreadable: true, ..comment(6, 1, "Dee", 0, "") },
    ];
    let tasks = vec![task(1, 1, "Charge *once*", false), task(2, 4, "Ask Cem", true)];
    fold(comments, tasks).threads.remove(0)
}

fn placed(placement: Placement, provenance: Provenance) -> Placed {
    Placed { placement, provenance, commented: Some("    charge();\n    charge();".into()) }
}

/// What is seen while some comments, or what was done to their threads, are on their way.
fn while_sending<T>(ids: &[CommentId], see: impl FnOnce(&Reader<'_>) -> T) -> T {
    let sending = ids.iter().copied().collect();
    with_reader(|reader| see(&Reader { sending: &sending, ..*reader }))
}

fn with_reader<T>(see: impl FnOnce(&Reader<'_>) -> T) -> T {
    let (me, names) = (user("Me"), Names::of([&user("Ana Li")]));
    see(&Reader { me: Some(&me), names: &names, now: NOW, sending: nothing_is_sent() })
}

fn on(first: u32, last: u32) -> LineRange {
    LineRange { first, last }
}

fn sample() -> (PullRequest, Discussion, Vec<BuildStatus>) {
    let end = |branch: &str, repository: &str| End {
        branch: Some(branch.into()),
        commit: CommitHash::parse("298e9b999046"),
        repository: RepositoryName::parse(repository),
    };
    let participant = |name, role, vote| Participant { user: Some(user(name)), role, vote };
    let pull_request = PullRequest {
        id: PullRequestId(12),
        title: "Add *totals*".into(),
        description: "Adds totals.\n\n- [x] tests\n- [ ] docs".into(),
        state: PullRequestState::Open,
        draft: true,
        author: Some(user("Bob")),
        source: end("feature/totals", "bob/repo"),
        destination: end("main", "team/repo"),
        participants: vec![
            participant("Ana Li", Role::Reviewer, Some(Vote::Approved)),
            participant("Me", Role::Reviewer, None),
            participant("Cem Ak", Role::Participant, Some(Vote::ChangesRequested)),
            participant("Bob", Role::Participant, None),
        ],
        comment_count: Some(9),
        task_count: Some(3),
        created_on: Some(Timestamp(NOW.0 - 72 * HOUR)),
        updated_on: Some(Timestamp(NOW.0 - HOUR)),
        html_url: Some("https://bitbucket.org/team/repo/pull-requests/12".into()),
    };
    let other = |id, path: &str, line, resolution| Comment {
        anchor: Some(Anchor { path: path.into(), ..anchor(Side::To, line, line) }),
        resolution,
        ..comment(id, 0, "Cem Ak", id as i64, &format!("Comment {id}"))
    };
    let mut comments: Vec<Comment> = discussed().comments.into_iter().map(|reply| reply.comment).collect();
    comments.extend([
        other(20, "src/pay.rs", 3, Some(Resolution::default())),
        other(21, "src/pay.rs", 80, None),
        other(22, "README.md", 0, None),
        comment(30, 0, "Ana Li", 5, "Nice work!\n\nSee https://x.org/a."),
        comment(31, 30, "Bob", 4, "Thanks."),
        Comment { resolution: Some(Resolution::default()), ..comment(32, 0, "Me", 3, "Rebase?") },
    ]);
    let tasks = vec![
        task(1, 1, "Charge *once*", false),
        task(2, 4, "Ask Cem", true),
        task(3, 0, "Write the changelog", false),
    ];
    let status = |name: &str, state, url: &str| BuildStatus {
        key: name.into(),
        name: name.into(),
        state,
        url: Some(url.into()),
        description: Some("12 tests".into()),
        updated_on: Some(Timestamp(NOW.0 - 600)),
    };
    let statuses = vec![
        status("unit", BuildState::Successful, "https://ci.example/1"),
        status("lint [fast]", BuildState::Failed, "javascript:alert(1)"),
    ];
    (pull_request, fold(comments, tasks), statuses)
}

/// Lines, columns and parts agree with the text.
fn assert_well_formed(document: &Document) {
    let lines: Vec<&str> = document.text.lines().collect();
    for link in &document.links {
        let length = lines[link.line as usize].chars().count() as u32;
        assert!(link.start < link.end && link.end <= length, "{link:?}");
    }
    assert!(document.rows.iter().all(|row| (row.line as usize) < lines.len()));
    assert!(document.rows.is_sorted_by_key(|row| row.line), "rows are in order");
    let mut ahead: Vec<(&Symbol, LineRange)> =
        document.symbols.iter().map(|symbol| (symbol, on(0, lines.len() as u32 - 1))).collect();
    while let Some((symbol, within)) = ahead.pop() {
        let LineRange { first, last } = symbol.lines;
        assert!(within.first <= first && first <= symbol.selection && symbol.selection <= last, "{symbol:?}");
        assert!(last <= within.last && !symbol.name.is_empty(), "{symbol:?}");
        ahead.extend(symbol.children.iter().map(|child| (child, symbol.lines)));
    }
}
