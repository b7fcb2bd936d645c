//! Where a comment is now: the heart of the product.
//!
//! [`place`] carries an anchor over diffs, [`Journey`] also looks by content where no diff leads,
//! and [`Placement::carry_edit`] follows the keystrokes between two journeys.
//! All of it is total: bad luck is a placement too.
//! It must not know threads, what a comment says, nor how a placement is shown.

pub use self::back::{Back, MOST_LINES, back, removals};

use crate::content::lines::Lines;
use crate::content::{Confidence, Excerpt};
use crate::diff::{Carried, LineDiff};
use crate::model::{Anchor, LineRange, Spot};
use crate::text::{Edit, Text};

mod back;
#[cfg(test)]
mod fixtures;
mod journey;
#[cfg(test)]
mod properties;

/// Where an anchor lands. Lines are 0-based lines of the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Placement {
    /// The same lines, unchanged. The whole file is line 0.
    Exact(LineRange),
    /// The same text on other lines.
    Moved(LineRange),
    /// The text was changed since.
    Changed {
        /// What is left of it, or what it became.
        near: LineRange,
    },
    /// The text is not there any more. For a removed line that is as it should be.
    Gone {
        /// The line that stands in its place: at most the last line, 0 in an empty file.
        near: u32,
    },
    /// The whole file is not there any more.
    FileGone,
}

/// Carries an anchor over diffs, one after the other: from the commented text to HEAD's, from there to the buffer's.
///
/// Total and pure. What was once changed or gone stays so, though a later text may have it again.
/// Lines past the end of a commented text are gone, never exact.
pub fn place(anchor: &Anchor, carried_over: &[&LineDiff]) -> Placement {
    let Spot::Lines(_, origin) = anchor.spot else {
        return Placement::Exact(LineRange::line(0));
    };
    carried_over.iter().fold(Placement::Exact(origin), |placement, diff| {
        placement.carried(origin, |lines| diff.carry(lines))
    })
}

impl Placement {
    /// The lines to show it on; `None` if the file is gone.
    pub fn lines(&self) -> Option<LineRange> {
        match *self {
            Self::Exact(lines) | Self::Moved(lines) | Self::Changed { near: lines } => Some(lines),
            Self::Gone { near } => Some(LineRange::line(near)),
            Self::FileGone => None,
        }
    }

    /// Whether the commented text is there, unchanged.
    pub fn is_intact(&self) -> bool {
        matches!(self, Self::Exact(_) | Self::Moved(_))
    }

    /// Follows one edit of the buffer, in O(1) and without looking at text. `origin` is the anchor's lines.
    /// Answers whether anything changed.
    ///
    /// Lines above the edit stay, lines below it shift, lines that it reaches into are changed, and gone if it deletes all of them.
    /// It does not see that an edit restores what an earlier one destroyed: an edit and its inverse may leave a placement changed.
    /// It never makes an intact claim that is not true. The next [`Journey`] sees the text again, and puts it right.
    ///
    /// Comments on a whole file stay on line 0: carry [`Placed`] instead, which knows.
    pub fn carry_edit(&mut self, origin: LineRange, edit: &Edit) -> bool {
        let (before, shifts) = (edit.before(), edit.before().end != edit.after().end);
        if self.lines().is_none_or(|at| at.last < before.start || (at.first >= before.end && !shifts)) {
            return false;
        }
        let carried = self.carried(origin, |lines| carry_over(lines, edit));
        std::mem::replace(self, carried) != carried
    }

    /// From lines ended by `\n` only, as diffs count, to the LSP lines of the same text. The identity where the text has no lone `\r`.
    pub fn in_lsp_lines(self, text: &Text) -> Self {
        match self {
            Self::Exact(lines) => Self::Exact(text.lsp_lines(lines)),
            Self::Moved(lines) => Self::Moved(text.lsp_lines(lines)),
            Self::Changed { near } => Self::Changed { near: text.lsp_lines(near) },
            Self::Gone { near } => Self::Gone { near: text.lsp_lines(LineRange::line(near)).first },
            Self::FileGone => Self::FileGone,
        }
    }

    /// Exact or moved, by whether these are the anchor's own lines.
    fn intact(origin: LineRange, lines: LineRange) -> Self {
        if lines == origin { Self::Exact(lines) } else { Self::Moved(lines) }
    }

    fn carried(self, origin: LineRange, carry: impl Fn(LineRange) -> Carried) -> Self {
        match self {
            Self::Exact(lines) | Self::Moved(lines) => match carry(lines) {
                // Not moved is not moved, also where LSP counts lines otherwise than the anchor does.
                Carried::Intact(now) if now == lines => self,
                Carried::Intact(now) => Self::intact(origin, now),
                Carried::Changed { near } => Self::Changed { near },
                Carried::Gone { near } => Self::Gone { near },
            },
            Self::Changed { near } => match carry(near) {
                Carried::Intact(near) | Carried::Changed { near } => Self::Changed { near },
                Carried::Gone { near } => Self::Gone { near },
            },
            Self::Gone { near } => match carry(LineRange::line(near)) {
                Carried::Intact(now) | Carried::Changed { near: now } => Self::Gone { near: now.first },
                Carried::Gone { near } => Self::Gone { near },
            },
            Self::FileGone => Self::FileGone,
        }
    }
}

/// How a placement was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provenance {
    /// By diffs from the commented text: as sure as diffs are.
    Diff,
    /// By what the commented lines say, with how much confidence.
    Content(Confidence),
    /// Nothing is known of the commented text: the line number alone. To be shown as a guess.
    LineNumber,
}

/// A placement, how it was found, and what was commented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Where.
    pub placement: Placement,
    /// How sure.
    pub provenance: Provenance,
    /// The commented lines as they were, joined by `\n`: at most 40 lines and 4 KiB, then `…`.
    /// `None` if they are not known, or for a whole file.
    pub commented: Option<String>,
}

impl Placed {
    /// The commented lines, without line ends, if all of them are known: what a suggestion is for.
    pub fn reviewed(&self, anchor: &Anchor) -> Option<Vec<String>> {
        let Spot::Lines(_, LineRange { first, last }) = anchor.spot else { return None };
        let lines: Vec<String> = self.commented.as_deref()?.split('\n').map(str::to_owned).collect();
        let is_cut = lines.last().is_some_and(|line| line.ends_with('…'));
        (!is_cut && lines.len() as u64 == u64::from(last) - u64::from(first) + 1).then_some(lines)
    }

    /// As [`Placement::carry_edit`], for the anchor that was placed; comments on a whole file stay where they are.
    pub fn carry_edit(&mut self, anchor: &Anchor, edit: &Edit) -> bool {
        match anchor.spot {
            Spot::Lines(_, origin) => self.placement.carry_edit(origin, edit),
            Spot::File => false,
        }
    }
}

/// What is known of the text that a comment was written on.
#[derive(Clone, Copy, Debug)]
pub enum Commented<'a> {
    /// All of the file as it was, on the anchor's side.
    Text(&'a Lines<'a>),
    /// The commented lines and a few around them.
    Excerpt(&'a Excerpt),
    /// Nothing.
    Nothing,
}

/// All that is known on the way from the commented text to the buffer.
#[derive(Clone, Copy, Debug)]
pub struct Journey<'a> {
    /// Where it starts.
    pub commented: Commented<'a>,
    /// From the commented text to HEAD's; `None` where the two are the same text, or this leg is not travelled.
    /// Without a commented text it is not used.
    pub to_head: Option<&'a LineDiff>,
    /// From there to the buffer's text; `None` where the two are the same text.
    /// For a comment of whose text nothing is known it is taken from the line number on.
    pub to_buffer: Option<&'a LineDiff>,
    /// The text on screen, or of the file in the work tree; `None` if there is no such file any more.
    pub buffer: Option<&'a Lines<'a>>,
}

/// What an edit did to some lines, by its shape.
fn carry_over(lines: LineRange, edit: &Edit) -> Carried {
    let (before, after) = (edit.before(), edit.after());
    if lines.last < before.start {
        return Carried::Intact(lines);
    }
    let shift = |line: u32| line - before.end + after.end;
    if lines.first >= before.end {
        return Carried::Intact(LineRange { first: shift(lines.first), last: shift(lines.last) });
    }
    let added = after.end - after.start;
    let (keeps_first, keeps_last) = (lines.first < before.start, lines.last >= before.end);
    // Lines that are lost at an edge are looked for among the added ones next to what is left.
    let near = match (keeps_first, keeps_last) {
        (true, true) => LineRange { first: lines.first, last: shift(lines.last) },
        (true, false) => {
            let lost = lines.last - before.start + 1;
            LineRange { first: lines.first, last: after.start + lost.min(added) - 1 }
        }
        (false, true) => {
            let lost = before.end - lines.first;
            LineRange { first: after.end - lost.min(added), last: shift(lines.last) }
        }
        (false, false) if added == 0 => {
            return Carried::Gone { near: after.start.min(edit.last_line()) };
        }
        (false, false) => {
            let at = |line: u32| after.start + (line - before.start).min(added - 1);
            LineRange { first: at(lines.first), last: at(lines.last) }
        }
    };
    Carried::Changed { near }
}
