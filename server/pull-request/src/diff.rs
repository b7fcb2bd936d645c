//! The difference of two texts in lines, and carrying line ranges over it.
//!
//! Lines are git's and Bitbucket's here: ended by `\n` only, compared without a trailing `\r`,
//! and the last one is the same with or without its `\n`. So a work tree with `\r\n` equals its blob with `\n`.
//! This module must not know comments, nor where the texts come from.

use std::ops::Range;

use gix_imara_diff::{Algorithm, Diff, InternedInput, TokenSource};

use crate::model::LineRange;

pub(crate) mod pairing;
pub(crate) mod similarity;
#[cfg(test)]
mod tests;

/// Lines of the old text that were replaced by lines of the new one; either side may be empty, not both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// 0-based lines of the text before.
    pub before: Range<u32>,
    /// 0-based lines of the text after.
    pub after: Range<u32>,
    /// Where the pairs of its removed lines start in [`LineDiff::pairs`].
    pairs: u32,
}

/// The difference between two texts. Immutable: made once for two blobs, it may be kept as long as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineDiff {
    /// Ordered, never touching each other.
    hunks: Vec<Hunk>,
    /// For each removed line the added line of its hunk that it became, or [`NO_PAIR`].
    pairs: Vec<u32>,
    /// The line counts before and after; `None` for [`LineDiff::identity`].
    counts: Option<(u32, u32)>,
}

/// What became of some lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// All of them are there, together, unchanged.
    Intact(LineRange),
    /// Some are left, or some were replaced by similar ones, or something was put between them.
    Changed {
        /// From the first to the last line that is left or similar.
        near: LineRange,
    },
    /// They were deleted, or replaced by something else.
    Gone {
        /// The line that stands in their place: at most the last line of the text, 0 if it is empty.
        near: u32,
    },
}

pub(crate) const NO_PAIR: u32 = u32::MAX;

impl LineDiff {
    /// Compares two texts: histogram, hunks slid to where people expect them, replaced lines paired by likeness.
    ///
    /// O(lines) for usual texts; texts that repeat themselves fall back on Myers with its cut-offs.
    /// Pairing has a budget, so one huge hunk costs no more than many small ones.
    pub fn between(before: &str, after: &str) -> Self {
        if before == after {
            let count = count_lines(before);
            return Self { counts: Some((count, count)), ..Self::default() };
        }
        if before.len().max(after.len()) >= i32::MAX as usize {
            return Self::unrelated(count_lines(before), count_lines(after));
        }
        let input = InternedInput::new(ByNewline(before), ByNewline(after));
        let mut diff = Diff::compute(Algorithm::Histogram, &input);
        diff.postprocess_lines(&input);
        let mut pairing = pairing::Pairing::new(&input);
        let mut hunks = Vec::new();
        for hunk in diff.hunks() {
            let pairs = pairing.pair(hunk.before.clone(), hunk.after.clone());
            hunks.push(Hunk { before: hunk.before, after: hunk.after, pairs });
        }
        let counts = Some((input.before.len() as u32, input.after.len() as u32));
        Self { hunks, pairs: pairing.into_pairs(), counts }
    }

    /// The difference of a text to itself, whatever text that is. It knows no length, so every line is on it.
    pub fn identity() -> Self {
        Self::default()
    }

    /// The hunks in order.
    pub fn hunks(&self) -> &[Hunk] {
        &self.hunks
    }

    /// Where lines of the text before are in the text after. Total; without allocation, O(log hunks + hunks and removed lines touched).
    ///
    /// Lines past the end of the text before are gone; a range that only ends past it is changed.
    pub fn carry(&self, lines: LineRange) -> Carried {
        let Some((count_before, count_after)) = self.counts else {
            return Carried::Intact(lines);
        };
        if lines.first >= count_before {
            return Carried::Gone { near: count_after.saturating_sub(1) };
        }
        if lines.last >= count_before {
            let rest = LineRange { first: lines.first, last: count_before - 1 };
            return match self.carry(rest) {
                Carried::Intact(near) => Carried::Changed { near },
                other => other,
            };
        }
        let next = self.hunks.partition_point(|hunk| hunk.before.end <= lines.first);
        let mut seen = Seen::default();
        let mut touched = None;
        let mut line = lines.first;
        for hunk in self.hunks[next..].iter().take_while(|hunk| hunk.before.start <= lines.last) {
            touched.get_or_insert(hunk);
            if line < hunk.before.start {
                let up_to_hunk = hunk.before.start - line;
                seen.add(hunk.after.start - up_to_hunk, hunk.after.start - 1);
            }
            let removed = line.max(hunk.before.start)..hunk.before.end.min(lines.last + 1);
            if let Some((first, last)) = self.pairs_of(hunk, removed) {
                seen.add(first, last);
            }
            line = line.max(hunk.before.end);
        }
        let Some(hunk) = touched else {
            let shift = |line| self.shifted(next, line);
            return Carried::Intact(LineRange { first: shift(lines.first), last: shift(lines.last) });
        };
        if line <= lines.last {
            let behind = self.hunks.partition_point(|hunk| hunk.before.start <= lines.last);
            seen.add(self.shifted(behind, line), self.shifted(behind, lines.last));
        }
        match seen.0 {
            Some(near) => Carried::Changed { near },
            None => {
                let into = lines.first.saturating_sub(hunk.before.start);
                let near = hunk.after.start + into.min((hunk.after.end - hunk.after.start).saturating_sub(1));
                Carried::Gone { near: near.min(count_after.saturating_sub(1)) }
            }
        }
    }

    /// The line of the text before that stands at this line of the text after; `None` if the line is new.
    pub fn origin(&self, line: u32) -> Option<u32> {
        let next = self.hunks.partition_point(|hunk| hunk.after.end <= line);
        if self.hunks.get(next).is_some_and(|hunk| hunk.after.contains(&line)) {
            return None;
        }
        let Some(last) = next.checked_sub(1) else {
            return Some(line);
        };
        Some(line - self.hunks[last].after.end + self.hunks[last].before.end)
    }

    /// A line that no hunk touches, moved by the hunks before `next`.
    fn shifted(&self, next: usize, line: u32) -> u32 {
        match next.checked_sub(1).map(|last| &self.hunks[last]) {
            Some(hunk) => line - hunk.before.end + hunk.after.end,
            None => line,
        }
    }

    /// The first and the last line that these removed lines of a hunk became.
    fn pairs_of(&self, hunk: &Hunk, removed: Range<u32>) -> Option<(u32, u32)> {
        let at = |line: u32| (hunk.pairs + line - hunk.before.start) as usize;
        let pairs = self.pairs.get(at(removed.start)..at(removed.end))?;
        let first = pairs.iter().find(|&&pair| pair != NO_PAIR)?;
        let last = pairs.iter().rfind(|&&pair| pair != NO_PAIR)?;
        Some((*first, *last))
    }

    fn unrelated(before: u32, after: u32) -> Self {
        let hunk = Hunk { before: 0..before, after: 0..after, pairs: 0 };
        Self { hunks: vec![hunk], pairs: Vec::new(), counts: Some((before, after)) }
    }
}

/// From the first to the last line seen in the new text; lines come in ascending order.
#[derive(Default)]
struct Seen(Option<LineRange>);

impl Seen {
    fn add(&mut self, first: u32, last: u32) {
        let first = self.0.map_or(first, |seen| seen.first);
        self.0 = Some(LineRange { first, last });
    }
}

/// A text as the tokens of its diff: lines without `\n` and without one `\r` before it.
#[derive(Clone, Copy)]
struct ByNewline<'a>(&'a str);

impl<'a> TokenSource for ByNewline<'a> {
    type Token = &'a str;
    type Tokenizer = NewlineLines<'a>;

    fn tokenize(&self) -> Self::Tokenizer {
        lines_of(self.0)
    }

    fn estimate_tokens(&self) -> u32 {
        const SAMPLE: usize = 20;
        let sampled: usize = lines_of(self.0).take(SAMPLE).map(|line| line.len() + 1).sum();
        (self.0.len() * SAMPLE).checked_div(sampled).unwrap_or(0).min(1 << 24) as u32
    }
}

/// The lines of [`lines_of`].
pub(crate) struct NewlineLines<'a>(std::str::SplitTerminator<'a, char>);

impl<'a> Iterator for NewlineLines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.0.next().map(without_return)
    }
}

/// Lines ended by `\n`, without it and without one `\r` before it; none in an empty text.
pub(crate) fn lines_of(text: &str) -> NewlineLines<'_> {
    NewlineLines(text.split_terminator('\n'))
}

/// A line without one trailing `\r`.
pub(crate) fn without_return(line: &str) -> &str {
    line.strip_suffix('\r').unwrap_or(line)
}

fn count_lines(text: &str) -> u32 {
    u32::try_from(lines_of(text).count()).unwrap_or(u32::MAX)
}
