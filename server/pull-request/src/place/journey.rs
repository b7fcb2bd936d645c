//! The whole journey of an anchor: by diff as far as diffs are true, else by content, else by number.

use super::{Commented, Journey, Placed, Placement, Provenance, place};
use crate::content::lines::Lines;
use crate::content::search::{Altered, MOST_LINES, find_where};
use crate::content::{Excerpt, Found, Likeness, find, find_gap};
use crate::diff::LineDiff;
use crate::diff::similarity::{RECOGNISABLE, Shapes};
use crate::model::{Anchor, LineRange, Side, Spot};

/// Per cent from which on a find counts as the commented lines.
const CERTAIN: u8 = 75;
/// The same, where the diff says that the lines became others: then something has to speak strongly against it.
const CERTAIN_AGAINST_DIFF: u8 = 85;
/// From here on a doubtful find is shown as what the lines became.
const LIKELY: u8 = 40;
/// What is kept of the commented lines.
const COMMENTED_LINES: usize = 40;
const COMMENTED_BYTES: usize = 4096;

impl Journey<'_> {
    /// Places an anchor; total.
    ///
    /// With the commented text: by diff. Where that says changed or gone, the same block is looked for among the lines that are new:
    /// code that moved within the file, or that was indented anew, is found so, with its confidence.
    /// An intact claim is checked against the buffer, so it is never about other text.
    /// With an excerpt: by content alone. With nothing: the line number, as a guess.
    ///
    /// A comment on the old side is not looked for elsewhere if its line was removed: it belongs to the place of the removal.
    pub fn place(&self, anchor: &Anchor) -> Placed {
        let Spot::Lines(side, origin) = anchor.spot else {
            let placement = self.buffer.map_or(Placement::FileGone, |_| Placement::Exact(LineRange::line(0)));
            return Placed { placement, provenance: Provenance::Diff, commented: None };
        };
        let (commented, (placement, provenance)) = match (self.commented, self.buffer) {
            (Commented::Text(text), Some(buffer)) => {
                (cap(text.range(origin)), self.by_diff(anchor, side, origin, text, buffer))
            }
            (Commented::Excerpt(excerpt), Some(buffer)) => {
                (cap(excerpt_lines(excerpt)), by_content(side, origin, excerpt, buffer))
            }
            (Commented::Nothing, Some(buffer)) => {
                (None, (self.by_number(anchor, buffer), Provenance::LineNumber))
            }
            (Commented::Text(text), None) => {
                (cap(text.range(origin)), (Placement::FileGone, Provenance::Diff))
            }
            (Commented::Excerpt(excerpt), None) => {
                (cap(excerpt_lines(excerpt)), (Placement::FileGone, Provenance::Diff))
            }
            (Commented::Nothing, None) => (None, (Placement::FileGone, Provenance::Diff)),
        };
        Placed { placement, provenance, commented }
    }

    fn legs(&self) -> impl DoubleEndedIterator<Item = &LineDiff> {
        [self.to_head, self.to_buffer].into_iter().flatten()
    }

    fn by_diff(
        &self,
        anchor: &Anchor,
        side: Side,
        origin: LineRange,
        text: &Lines<'_>,
        buffer: &Lines<'_>,
    ) -> (Placement, Provenance) {
        let legs: Vec<&LineDiff> = self.legs().collect();
        let placement = onto(place(anchor, &legs), buffer);
        let claimed = placement.lines().filter(|_| placement.is_intact() && text.has(origin));
        if claimed.is_some_and(|lines| text.range(origin).eq(buffer.range(lines))) {
            return (placement, Provenance::Diff);
        }
        // Either changed, or a claim that does not hold: lines that never were, diffs of other texts.
        let placement = match placement {
            Placement::Exact(lines) | Placement::Moved(lines) => {
                if text.range(origin).next().is_none() {
                    Placement::Gone { near: buffer.last() }
                } else {
                    Placement::Changed { near: lines }
                }
            }
            other => other,
        };
        let by_diff = (placement, Provenance::Diff);
        if side == Side::From || !text.has(origin) || origin.last - origin.first >= MOST_LINES {
            return by_diff;
        }
        let Some(expected) = placement.lines() else {
            return by_diff;
        };
        let excerpt = Excerpt::of(text, origin);
        let free = |lines| !self.is_something_else(lines, origin, buffer);
        // What changed lines became, the diff knows better.
        let altered = match placement {
            Placement::Gone { .. } => Altered::Too,
            _ => Altered::Not,
        };
        let Some(found) = find_where(&excerpt, buffer, expected.first, altered, free) else {
            return by_diff;
        };
        let in_place = found.lines.first <= expected.last && expected.first <= found.lines.last;
        let needed = match placement {
            Placement::Changed { .. } if !in_place => CERTAIN_AGAINST_DIFF,
            _ => CERTAIN,
        };
        let provenance = Provenance::Content(found.confidence);
        match (found.likeness, placement) {
            _ if found.confidence.percent() < needed => by_diff,
            (Likeness::Exact | Likeness::Blanks, _) => (Placement::intact(origin, found.lines), provenance),
            (Likeness::Similar, Placement::Gone { .. }) => {
                (Placement::Changed { near: found.lines }, provenance)
            }
            (Likeness::Similar, _) => by_diff,
        }
    }

    /// Whether lines of the buffer are, by the diffs, for the most part other lines of the commented text.
    fn is_something_else(&self, lines: LineRange, origin: LineRange, buffer: &Lines<'_>) -> bool {
        let (mut others, mut all) = (0, 0);
        for (line, text) in (lines.first..=lines.last).zip(buffer.range(lines)) {
            let weight = text.trim().len();
            let from = self.legs().rev().try_fold(line, |line, diff| diff.origin(line));
            all += weight;
            if from.is_some_and(|from| from < origin.first || from > origin.last) {
                others += weight;
            }
        }
        2 * others > all
    }

    fn by_number(&self, anchor: &Anchor, buffer: &Lines<'_>) -> Placement {
        let legs: Vec<&LineDiff> = self.to_buffer.into_iter().collect();
        onto(place(anchor, &legs), buffer)
    }
}

/// By content alone: the lines, what they became, or where they were.
fn by_content(
    side: Side,
    origin: LineRange,
    excerpt: &Excerpt,
    buffer: &Lines<'_>,
) -> (Placement, Provenance) {
    let around = origin.first.min(buffer.last());
    let gap = find_gap(excerpt, buffer, around);
    // A removed line is expected to be missing: where its surroundings have closed, that is its place.
    if let (Side::From, Some((near, None, confidence))) = (side, gap)
        && confidence.percent() >= CERTAIN
    {
        let near = near.min(buffer.last());
        return (Placement::Gone { near }, Provenance::Content(confidence));
    }
    if let Some(Found { lines, confidence, likeness }) = find(excerpt, buffer, around) {
        let whole = lines.last - lines.first == origin.last - origin.first;
        if confidence.percent() >= CERTAIN && likeness != Likeness::Similar && whole {
            return (Placement::intact(origin, lines), Provenance::Content(confidence));
        }
        let closed = gap.is_some_and(|(_, between, of_gap)| between.is_none() && of_gap > confidence);
        if confidence.percent() >= LIKELY && !closed {
            return (Placement::Changed { near: lines }, Provenance::Content(confidence));
        }
    }
    match gap {
        Some((near, between, confidence)) => {
            let placement = match between.filter(|between| is_like(excerpt, buffer, *between)) {
                Some(near) => Placement::Changed { near },
                None => Placement::Gone { near: near.min(buffer.last()) },
            };
            (placement, Provenance::Content(confidence))
        }
        None => (Placement::Gone { near: around }, Provenance::LineNumber),
    }
}

/// Whether any commented line has a like one here.
fn is_like(excerpt: &Excerpt, buffer: &Lines<'_>, lines: LineRange) -> bool {
    let commented = Shapes::of(excerpt.lines.iter().map(String::as_str).take(COMMENTED_LINES));
    let here = Shapes::of(buffer.range(lines).take(2 * COMMENTED_LINES));
    let count = lines.last - lines.first + 1;
    (0..excerpt.lines.len().min(COMMENTED_LINES)).any(|line| {
        let mut found = 0..(count as usize).min(2 * COMMENTED_LINES);
        found.any(|other| commented.similarity(line, &here, other) >= RECOGNISABLE)
    })
}

/// Holds a placement to the lines that the buffer has: what is past its end is gone.
fn onto(placement: Placement, buffer: &Lines<'_>) -> Placement {
    match placement {
        Placement::Gone { near } => Placement::Gone { near: near.min(buffer.last()) },
        Placement::FileGone => Placement::FileGone,
        Placement::Exact(lines) | Placement::Moved(lines) | Placement::Changed { near: lines } => {
            if buffer.has(lines) {
                placement
            } else if lines.first < buffer.count() {
                Placement::Changed { near: LineRange { first: lines.first, last: buffer.last() } }
            } else {
                Placement::Gone { near: buffer.last() }
            }
        }
    }
}

fn excerpt_lines(excerpt: &Excerpt) -> impl Iterator<Item = &str> {
    excerpt.lines.iter().map(String::as_str)
}

/// Joins lines up to the cap; `None` if there are none.
fn cap<'a>(lines: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut lines = lines.enumerate().peekable();
    lines.peek()?;
    let mut capped = String::new();
    for (index, line) in lines {
        if index > 0 {
            capped.push('\n');
        }
        let room = COMMENTED_BYTES.saturating_sub(capped.len());
        if index == COMMENTED_LINES || line.len() > room {
            let room = if index == COMMENTED_LINES { 0 } else { room };
            let fits = (0..=room.min(line.len())).rev().find(|&end| line.is_char_boundary(end));
            capped.push_str(&line[..fits.unwrap_or(0)]);
            capped.push('…');
            break;
        }
        capped.push_str(line);
    }
    Some(capped)
}
