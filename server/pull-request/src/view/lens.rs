//! The titles of code lenses: one line of plain text each.

use super::{PlacedThread, Reader, words};
use crate::model::{BuildState, BuildStatus, Participant, PullRequest, Vote};
use crate::thread::Discussion;

/// Over a thread: author, first words, replies, state, and where it came from.
pub fn thread_lens(thread: &PlacedThread<'_>, reader: &Reader<'_>) -> String {
    let mut parts = vec![words::headline(thread.thread, reader, 80)];
    if words::n_others(thread.thread) > 0 {
        parts.push(words::count(words::n_others(thread.thread), "reply", "replies"));
    }
    parts.extend(words::state(thread.thread, reader));
    parts.extend(words::whereabouts(thread));
    without_icons(&parts.join(" · "))
}

/// On a file's first line: the pull request and how it stands.
///
/// `n_candidates` is how many pull requests the branch has, this one among them.
pub fn summary_lens(
    pull_request: &PullRequest,
    discussion: &Discussion,
    statuses: &[BuildStatus],
    n_candidates: usize,
) -> String {
    let mut parts = vec![
        format!("Bitbucket {} {}", pull_request.id, words::title(pull_request, 80)),
        words::pull_request_state(pull_request).into(),
    ];
    parts.extend(votes(&pull_request.participants));
    parts.extend(builds(statuses));
    let n_open = discussion.open_threads().count();
    parts.push(words::count(n_open, "open thread", "open threads"));
    if discussion.open_tasks() > 0 {
        parts.push(words::count(discussion.open_tasks(), "open task", "open tasks"));
    }
    if n_candidates > 1 {
        parts.push(format!("1 of {n_candidates} pull requests"));
    }
    without_icons(&parts.join(" · "))
}

/// `2 approvals`, `1 change request`.
pub(super) fn votes(participants: &[Participant]) -> Vec<String> {
    let n_with = |vote| participants.iter().filter(|participant| participant.vote == Some(vote)).count();
    let approvals = Some(n_with(Vote::Approved)).filter(|&n| n > 0);
    let requests = Some(n_with(Vote::ChangesRequested)).filter(|&n| n > 0);
    let approvals = approvals.map(|n| words::count(n, "approval", "approvals"));
    approvals
        .into_iter()
        .chain(requests.map(|n| words::count(n, "change request", "change requests")))
        .collect()
}

/// `builds 2 ✓ 1 ✗`, if there are any.
pub(super) fn builds(statuses: &[BuildStatus]) -> Option<String> {
    let mut text = String::from("builds");
    for (state, mark) in [
        (BuildState::Successful, "✓"),
        (BuildState::Failed, "✗"),
        (BuildState::InProgress, "running"),
        (BuildState::Stopped, "stopped"),
        (BuildState::Unknown, "?"),
    ] {
        let number = statuses.iter().filter(|status| status.state == state).count();
        if number > 0 {
            text.push_str(&format!(" {number} {mark}"));
        }
    }
    (!statuses.is_empty()).then_some(text)
}

/// VS Code draws `$(name)` in a lens as an icon: nobody but us shall put a mark there.
fn without_icons(title: &str) -> String {
    title.replace("$(", "$ (")
}
