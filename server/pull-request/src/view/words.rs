//! Turns of phrase that diagnostics, lenses, hovers and documents share. Plain text, one line each.

use super::markdown::plain;
use super::{PlacedThread, Reader};
use crate::model::{Anchor, Comment, LineRange, PullRequest, PullRequestState, Side, Spot};
use crate::place::{Placement, Provenance};
use crate::thread::Thread;

/// Longer paths are cut.
pub(crate) const PATH: usize = 300;

/// Said of a thread that is about a whole file.
pub(super) const FILE_COMMENT: &str = "file comment";

/// `1 reply`, `2 replies`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// `line 42` or `lines 40–42`, as people count.
pub(crate) fn lines(range: LineRange) -> String {
    let (first, last) = (u64::from(range.first) + 1, u64::from(range.last) + 1);
    match first == last {
        true => format!("line {first}"),
        false => format!("lines {first}–{last}"),
    }
}

/// The thread's first comment that is still there, else the deleted first one.
pub(super) fn speaker(thread: &Thread) -> &Comment {
    let mut live = thread.comments.iter().map(|reply| &reply.comment).filter(|comment| !comment.deleted);
    live.next().unwrap_or_else(|| thread.first())
}

/// How many live comments there are beside the [`speaker`].
pub(super) fn n_others(thread: &Thread) -> usize {
    thread.comments.iter().filter(|reply| !reply.comment.deleted).count().saturating_sub(1)
}

/// `Ana: first words`.
pub(super) fn headline(thread: &Thread, reader: &Reader<'_>, max_characters: usize) -> String {
    let comment = speaker(thread);
    let words = reader.gist(comment, max_characters);
    match comment.deleted {
        true => words,
        false => format!("{}: {words}", reader.name(comment.author.as_ref())),
    }
}

/// Said of what is on its way to Bitbucket.
pub(super) const SENDING: &str = "being sent";

/// Being sent, resolved, pending, open tasks: what is to say of a thread wherever it is.
pub(super) fn state(thread: &Thread, reader: &Reader<'_>) -> Vec<String> {
    let mut words = Vec::new();
    if reader.is_sending_any(thread) {
        words.push(SENDING.into());
    }
    if thread.is_resolved() {
        words.push("resolved".into());
    }
    if speaker(thread).pending {
        words.push("pending".into());
    }
    if thread.open_tasks() > 0 {
        words.push(count(thread.open_tasks(), "open task", "open tasks"));
    }
    words
}

/// What is to say of where a thread is: how it came there and how sure that is; nothing if it never moved.
pub(super) fn whereabouts(thread: &PlacedThread<'_>) -> Vec<String> {
    let Some(anchor) = &thread.thread.anchor else {
        return Vec::new();
    };
    let mut words: Vec<String> = Vec::new();
    let mut outdated = thread.outdated();
    let placement = thread.placed.placement;
    match (anchor.spot, placement) {
        (_, Placement::FileGone) => {
            words.push("outdated: the file is gone".into());
            outdated = false;
        }
        (Spot::File, _) => words.push(FILE_COMMENT.into()),
        (Spot::Lines(Side::From, range), Placement::Gone { .. }) => {
            words.push(if range.first == range.last { "removed line" } else { "removed lines" }.into());
        }
        (Spot::Lines(Side::From, range), _) => words.push(format!("{} of the old file", lines(range))),
        (Spot::Lines(Side::To, range), Placement::Moved(now)) if now != range => {
            words.push(format!("moved from {}", lines(range)));
        }
        (Spot::Lines(Side::To, _), _) => {}
    }
    if matches!(placement, Placement::Changed { .. }) {
        words.push("changed since".into());
    }
    if outdated {
        words.push("outdated".into());
    }
    if placement != Placement::FileGone && anchor.spot != Spot::File {
        match thread.placed.provenance {
            Provenance::Diff => {}
            Provenance::Content(confidence) => {
                words.push(format!("found by its text, {} % sure", confidence.percent()));
            }
            Provenance::LineNumber => words.push("guess: by the line number alone".into()),
        }
    }
    words
}

/// Where an anchor is, in the words of the version that it was written on.
pub(super) fn anchored(anchor: &Anchor) -> String {
    match anchor.spot {
        Spot::File => "the file".into(),
        Spot::Lines(Side::To, range) => lines(range),
        Spot::Lines(Side::From, range) => format!("removed {}", lines(range)),
    }
}

/// `open`, `open · draft`, `merged` …
pub(super) fn pull_request_state(pull_request: &PullRequest) -> &'static str {
    match (pull_request.state, pull_request.draft) {
        (PullRequestState::Open, false) => "open",
        (PullRequestState::Open, true) => "draft",
        (PullRequestState::Merged, _) => "merged",
        (PullRequestState::Declined, _) => "declined",
        (PullRequestState::Superseded, _) => "superseded",
        (PullRequestState::Unknown, _) => "state unknown",
    }
}

/// The pull request's title, or something to call it.
pub(super) fn title(pull_request: &PullRequest, max_characters: usize) -> String {
    Some(plain(&pull_request.title, max_characters))
        .filter(|title| !title.is_empty())
        .unwrap_or("(no title)".into())
}
