//! What applying suggestions does to a document: whole lines replaced by others, or a reason why not.

use std::fmt;

use super::Suggestion;
use crate::model::LineRange;
use crate::place::Placement;
use crate::text::{Encoding, Position, Text};

/// A suggestion that shall be applied, of a comment on the new side: on removed lines Bitbucket knows none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where the commented lines are now, in LSP lines of the document.
    pub placement: Placement,
    /// What the reviewer saw there, without line ends; `None` if that is not known in full.
    pub reviewed: Option<Vec<String>>,
    /// What shall stand there.
    pub suggestion: Suggestion,
}

/// Whole lines of a document, and the text for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The LSP lines that go, with their line ends.
    pub lines: LineRange,
    /// What comes: lines with the document's line ends; nothing if the lines are only deleted.
    pub new_text: String,
}

impl Replacement {
    /// What to replace in the text that it was made for: from the first line's start to behind the last line's end.
    pub fn range(&self, text: &Text, encoding: Encoding) -> (Position, Position) {
        let final_line = text.line_count() - 1;
        let end = match self.lines.last < final_line {
            true => Position::new(self.lines.last + 1, 0),
            false => Position::new(final_line, text.line_length(final_line, encoding)),
        };
        (Position::new(self.lines.first, 0), end)
    }
}

/// Why a suggestion is not applied. `Display` says it to the user in a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// The commented lines are not in the document any more.
    Gone,
    /// They do not read as they did when the suggestion was made.
    Changed,
    /// The lines end in different ways, so none of them is right for the new ones.
    MixedLineEnds,
    /// The lines are as the suggestion wants them.
    NothingToChange,
    /// What the reviewer saw is not known.
    NotKnown,
    /// Another suggestion that was made earlier replaces some of the same lines.
    Overlaps,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gone => "The suggestion was not applied: the lines that it is about are not there any more.",
            Self::Changed => {
                "The suggestion was not applied: the lines were changed since it was made. Compare them with the thread, and change them by hand."
            }
            Self::MixedLineEnds => {
                "The suggestion was not applied: some of the lines end with CRLF and some do not. Give them all the same line end, and apply it again."
            }
            Self::NothingToChange => "There is nothing to apply: the lines already read as suggested.",
            Self::NotKnown => {
                "The suggestion was not applied: the text that it was made for is not known here. Fetch the pull request's commits, and apply it again."
            }
            Self::Overlaps => {
                "The suggestion was not applied: an earlier one changes some of the same lines. Look at what is left of it."
            }
        })
    }
}

/// What applying a suggestion does to a document.
///
/// Only lines that still read as the reviewer saw them (line ends aside) are replaced, by the suggestion's lines letter for letter.
/// They get the line end that the replaced ones have; a final line without one stays without. Nothing else is touched.
pub fn apply(text: &Text, wanted: &Wanted) -> Result<Replacement, Why> {
    let lines = match wanted.placement {
        Placement::Exact(lines) | Placement::Moved(lines) | Placement::Changed { near: lines } => lines,
        Placement::Gone { .. } | Placement::FileGone => return Err(Why::Gone),
    };
    if lines.last >= text.line_count() {
        return Err(Why::Gone);
    }
    let reviewed = wanted.reviewed.as_ref().ok_or(Why::NotKnown)?;
    let replacement = &wanted.suggestion.replacement;
    if same_lines(reviewed, replacement) {
        return Err(Why::NothingToChange);
    }
    let now: Vec<String> =
        (lines.first..=lines.last).filter_map(|line| text.line(line)).map(|line| line.into_owned()).collect();
    if same_lines(&now, replacement) {
        return Err(Why::NothingToChange);
    }
    if !same_lines(&now, reviewed) {
        return Err(Why::Changed);
    }
    let end = line_end(text, lines).ok_or(Why::MixedLineEnds)?;
    let mut new_text = replacement.join(end);
    if !replacement.is_empty() && text.line_end(lines.last).is_some() {
        new_text.push_str(end);
    }
    Ok(Replacement { lines, new_text })
}

/// What applying several suggestions to one document does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct All {
    /// What to replace, the lowest lines first, none overlapping another: made one after the other or all at once, it comes to the same.
    pub replacements: Vec<Replacement>,
    /// Which suggestions (by their place in what was wanted) are applied so, in the order of `replacements`.
    pub applied: Vec<usize>,
    /// Which are not, and why, in the order wanted.
    pub refused: Vec<(usize, Why)>,
}

/// Applies each suggestion that can be: of those that replace the same lines the first in `wanted`, and no other.
pub fn apply_all(text: &Text, wanted: &[Wanted]) -> All {
    let mut all = All::default();
    let mut applied: Vec<(usize, Replacement)> = Vec::new();
    for (at, it) in wanted.iter().enumerate() {
        let overlaps = |new: &Replacement| {
            applied
                .iter()
                .any(|(_, old)| old.lines.first <= new.lines.last && new.lines.first <= old.lines.last)
        };
        match apply(text, it) {
            Ok(new) if overlaps(&new) => all.refused.push((at, Why::Overlaps)),
            Ok(new) => applied.push((at, new)),
            Err(why) => all.refused.push((at, why)),
        }
    }
    applied.sort_by_key(|(_, it)| std::cmp::Reverse(it.lines.first));
    (all.applied, all.replacements) = applied.into_iter().unzip();
    all
}

/// The one line end for these lines: theirs, or where they have none that of the line above; `None` if they have several.
fn line_end(text: &Text, lines: LineRange) -> Option<&'static str> {
    let mut ends = (lines.first..=lines.last).filter_map(|line| text.line_end(line));
    let above = lines.first.checked_sub(1).and_then(|line| text.line_end(line));
    if above == Some("\r") {
        // A line feed behind it, of an empty line, would be taken for its other half.
        return None;
    }
    let Some(end) = ends.next().or(above) else { return Some("\n") };
    (ends.all(|other| other == end) && end != "\r").then_some(end)
}

fn same_lines(one: &[String], other: &[String]) -> bool {
    let bare = |line: &String| line.strip_suffix('\r').unwrap_or(line).to_owned();
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| bare(one) == bare(other))
}

#[cfg(test)]
mod tests;
