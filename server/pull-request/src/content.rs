//! Finding commented code again by what it says, where no diff leads to it.
//!
//! An [`Excerpt`] is the commented lines with a few lines around them.
//! [`find`] looks for them in another text and says how sure it is.
//! It must not decide what is shown: `place` does, and it does not show a doubtful find as certain.

use std::fmt;

use crate::model::LineRange;
use lines::Lines;

pub mod lines;
pub(crate) mod search;
#[cfg(test)]
mod tests;
mod unified;

pub use search::{find, find_gap};

/// How sure a find is, in per cent.
///
/// It grows with how much the code says (`}` says nothing), with how much of its surroundings is there too,
/// and falls where the code was altered or stands in several places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Confidence(u8);

impl Confidence {
    /// From a share of 1, clamped to 0..=1.
    pub(crate) fn of(share: f32) -> Self {
        Self((share.clamp(0.0, 1.0) * 100.0).round() as u8)
    }

    /// 0..=100.
    pub fn percent(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

/// How much of the commented text was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// Letter for letter, line ends aside.
    Exact,
    /// All of it but for blanks: moved to another indentation, say.
    Blanks,
    /// Something like it.
    Similar,
}

/// Lines that [`find`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// 0-based lines of the searched text; as many as were looked for.
    pub lines: LineRange,
    /// How sure that these are the lines.
    pub confidence: Confidence,
    /// Whether they still say the same.
    pub likeness: Likeness,
}

/// Some lines of a file with what stood around them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Excerpt {
    /// Up to [`Excerpt::CONTEXT`] lines above, in file order.
    pub before: Vec<String>,
    /// The lines themselves, without line ends.
    pub lines: Vec<String>,
    /// Up to [`Excerpt::CONTEXT`] lines below, in file order.
    pub after: Vec<String>,
}

impl Excerpt {
    /// How many lines of context are kept on each side.
    pub const CONTEXT: u32 = 4;

    /// Cuts lines out of a text, as far as they are there.
    pub fn of(text: &Lines<'_>, lines: LineRange) -> Self {
        let cut = |first: u32, end: u32| -> Vec<String> {
            (first..end.min(text.count())).filter_map(|line| text.get(line)).map(str::to_owned).collect()
        };
        let behind = lines.last.saturating_add(1);
        Self {
            before: cut(lines.first.saturating_sub(Self::CONTEXT), lines.first),
            lines: cut(lines.first, behind),
            after: cut(behind, behind.saturating_add(Self::CONTEXT)),
        }
    }
}
