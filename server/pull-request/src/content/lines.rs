//! A text whose lines were found once, for many look-ups by number and by what is on them.
//!
//! Lines are git's and Bitbucket's: ended by `\n` only, shown without it and without one `\r` before it.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::diff::similarity::blankless_hash;
use crate::diff::without_return;
use crate::model::LineRange;

/// A text and where its lines start. Made in one pass; keep it while many comments are placed on the same text.
#[derive(Debug, Default)]
pub struct Lines<'a> {
    text: Cow<'a, str>,
    /// The byte at which each line starts, and the end of the text.
    starts: Vec<usize>,
    /// (hash of the line without its blanks, line), sorted; made when first asked for. Blank lines are not in it.
    by_content: OnceLock<Vec<(u64, u32)>>,
}

impl<'a> Lines<'a> {
    /// Finds the lines of a text, borrowed or owned.
    pub fn of(text: impl Into<Cow<'a, str>>) -> Self {
        let text = text.into();
        let mut starts = vec![0];
        starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
        if starts.last() != Some(&text.len()) {
            starts.push(text.len());
        }
        Self { text, starts, by_content: OnceLock::new() }
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many lines there are; 0 for an empty text.
    pub fn count(&self) -> u32 {
        u32::try_from(self.starts.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// The last line; 0 for an empty text.
    pub fn last(&self) -> u32 {
        self.count().saturating_sub(1)
    }

    /// A 0-based line without its end; `None` past the last one.
    pub fn get(&self, line: u32) -> Option<&str> {
        let line = line as usize;
        let (start, end) = (*self.starts.get(line)?, *self.starts.get(line + 1)?);
        let line = &self.text[start..end];
        Some(without_return(line.strip_suffix('\n').unwrap_or(line)))
    }

    /// These lines, as far as they are there.
    pub fn range(&self, lines: LineRange) -> impl DoubleEndedIterator<Item = &str> {
        let end = lines.last.saturating_add(1).min(self.count());
        (lines.first..end).filter_map(|line| self.get(line))
    }

    /// Whether all of these lines are there.
    pub fn has(&self, lines: LineRange) -> bool {
        lines.last < self.count()
    }

    /// The lines that are, but for blanks, the same as this one; ascending. At first O(text), then O(log lines).
    ///
    /// Found by hash: who needs to be sure compares. Nothing is found for a blank line.
    pub(crate) fn like(&self, line: &str) -> &[(u64, u32)] {
        let Some(hash) = blankless_hash(line) else {
            return &[];
        };
        let index = self.by_content.get_or_init(|| {
            let hashed = |line| Some((blankless_hash(self.get(line)?)?, line));
            let mut index: Vec<_> = (0..self.count()).filter_map(hashed).collect();
            index.sort_unstable();
            index
        });
        let start = index.partition_point(|(other, _)| *other < hash);
        let length = index[start..].partition_point(|(other, _)| *other == hash);
        &index[start..start + length]
    }
}
