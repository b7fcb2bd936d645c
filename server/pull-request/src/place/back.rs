//! The way back: from lines of the document on screen to lines that can be commented on.

use crate::diff::{Carried, LineDiff};
use crate::model::LineRange;

/// How many lines a comment may be on, as Bitbucket's own page allows.
pub const MOST_LINES: u32 = 30;

/// Where lines of a document are in the head of the pull request, 0-based. At most [`MOST_LINES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Back {
    /// The same lines, unchanged.
    Exact(LineRange),
    /// Not all of them are there as they are, or they are too many.
    Near {
        /// The nearest lines that are there.
        lines: LineRange,
        /// From the first to the last line of the document that exists only there, changed or new;
        /// `None` if all are in the head, and only too many: then `lines` is the first of them.
        local: Option<LineRange>,
    },
    /// The head's file has no lines: only the file as a whole can be commented on.
    Nowhere,
}

/// Carries lines of a document back to the head's text, of `head_lines` lines as git counts them.
///
/// `document_to_head` is the difference from the one to the other; `lines` are lines of the document, counted like git too.
pub fn back(document_to_head: &LineDiff, head_lines: u32, lines: LineRange) -> Back {
    let Some(last) = head_lines.checked_sub(1) else { return Back::Nowhere };
    let within = |it: LineRange| LineRange { first: it.first.min(last), last: it.last.min(last) };
    let (near, is_intact) = match document_to_head.carry(lines) {
        Carried::Intact(near) => (near, near.last <= last),
        Carried::Changed { near } => (near, false),
        Carried::Gone { near } => (LineRange::line(near), false),
    };
    let near = within(near);
    let shown = LineRange { last: near.last.min(near.first.saturating_add(MOST_LINES - 1)), ..near };
    match is_intact {
        true if shown == near => Back::Exact(near),
        true => Back::Near { lines: shown, local: None },
        false => Back::Near { lines: shown, local: Some(local(document_to_head, last, lines)) },
    }
}

/// From the first to the last line that is not in the head; all of them if only something was put between.
fn local(document_to_head: &LineDiff, last: u32, lines: LineRange) -> LineRange {
    let is_local = |line: &u32| !matches!(document_to_head.carry(LineRange::line(*line)), Carried::Intact(head) if head.last <= last);
    let mut all = lines.first..=lines.last;
    match (all.find(is_local), (lines.first..=lines.last).rev().find(is_local)) {
        (Some(first), Some(last)) => LineRange { first, last },
        _ => lines,
    }
}

/// The lines of the base that were removed at a line of the document: those that it stands in place of,
/// else those that stood right above it, else right below it. `None` if there are none.
pub fn removals(base_to_document: &LineDiff, line: u32) -> Option<LineRange> {
    let hunks = base_to_document.hunks();
    let from = hunks.partition_point(|hunk| hunk.after.end < line);
    let touching = || hunks[from..].iter().take_while(|hunk| hunk.after.start <= line.saturating_add(1));
    let removing = || touching().filter(|hunk| !hunk.before.is_empty());
    let hunk = removing()
        .find(|hunk| hunk.after.contains(&line))
        .or_else(|| removing().find(|hunk| hunk.after.is_empty() && hunk.after.start == line))
        .or_else(|| {
            removing().find(|hunk| hunk.after.is_empty() && hunk.after.start == line.saturating_add(1))
        })?;
    Some(LineRange { first: hunk.before.start, last: hunk.before.end - 1 })
}
