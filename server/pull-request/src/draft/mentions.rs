//! The people that a draft names.

use super::body::above;
use super::markup::Code;
use crate::text::{Encoding, Text};
use crate::view::markdown::mentioned;

/// How many mentions of one draft are found.
const MOST: usize = 1_000;

/// A mention `@{account id}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The line that it is on.
    pub line: u32,
    /// From `@` to behind `}`, in bytes of the line.
    pub columns: (u32, u32),
    /// Who.
    pub account_id: String,
}

/// The mentions above the marker, in their order, at most 1,000; what stands in code is none.
pub fn mentions(text: &str) -> Vec<Mention> {
    let above = above(text);
    if !above.contains("@{") {
        return Vec::new();
    }
    let (code, lines) = (Code::of(above), Text::new(above));
    let found = above.match_indices("@{").filter_map(|(at, _)| {
        let account_id = mentioned(&above[at..])?;
        if code.has(at + 1) {
            return None;
        }
        let start = lines.position(at, Encoding::Utf8);
        let columns = (start.character, start.character + account_id.len() as u32 + 3);
        Some(Mention { line: start.line, columns, account_id: account_id.to_owned() })
    });
    found.take(MOST).collect()
}
