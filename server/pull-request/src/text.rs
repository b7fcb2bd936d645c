//! An open document's text, LSP positions in it, and the shape of an edit.
//!
//! Lines here are LSP's: ended by `\n`, `\r\n` or a lone `\r`.
//! git and Bitbucket end lines at `\n` only; [`Text::lsp_lines`] goes from theirs to LSP's.
//! This module must not know what the text is about, nor that there are comments on it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use ropey::{Rope, RopeSlice};

use crate::model::LineRange;

#[cfg(test)]
mod tests;

/// The unit in which [`Position::character`] counts: LSP's `positionEncoding` as negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units: LSP's default, and the only one that every client has.
    #[default]
    Utf16,
    /// Unicode scalar values.
    Utf32,
}

/// A place between two characters (LSP 3.17, "Position").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// 0-based LSP line.
    pub line: u32,
    /// 0-based column in code units of the negotiated [`Encoding`].
    pub character: u32,
}

impl Position {
    /// From a 0-based line and column.
    pub fn new(line: u32, character: u32) -> Self {
        Self { line, character }
    }
}

/// The text of an open document. A clone costs nothing and does not follow later edits.
#[derive(Clone, Default)]
pub struct Text {
    rope: Rope,
    /// How many `\r` stand without a `\n` after them; while there are none, LSP's lines are git's.
    lone_returns: usize,
}

impl Text {
    /// Takes the text of `didOpen`.
    pub fn new(text: &str) -> Self {
        let rope = Rope::from_str(text);
        let lone_returns = lone_returns(&rope, 0..rope.len_chars());
        Self { rope, lone_returns }
    }

    /// The number of LSP lines: the line ends, plus one. Never 0.
    pub fn line_count(&self) -> u32 {
        to_u32(self.rope.len_lines())
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.rope.len_bytes()
    }

    /// Whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A 0-based LSP line without its end; `None` past the last one.
    pub fn line(&self, line: u32) -> Option<Cow<'_, str>> {
        let line = line as usize;
        (line < self.rope.len_lines()).then(|| Cow::from(self.rope.slice(self.content(line))))
    }

    /// How a line ends: `\n`, `\r\n` or `\r`; `None` for the final line, and past it.
    pub fn line_end(&self, line: u32) -> Option<&'static str> {
        let line = line as usize;
        if line + 1 >= self.rope.len_lines() {
            return None;
        }
        let (content, next) = (self.content(line).end, self.rope.line_to_char(line + 1));
        Some(match (next - content, self.rope.char(content)) {
            (1, '\n') => "\n",
            (1, _) => "\r",
            _ => "\r\n",
        })
    }

    /// The columns of a line before its end, in code units of `encoding`; 0 for a line that is not there.
    pub fn line_length(&self, line: u32, encoding: Encoding) -> u32 {
        let line = line as usize;
        if line >= self.rope.len_lines() {
            return 0;
        }
        let Range { start, end } = self.content(line);
        self.columns(start, end, encoding)
    }

    /// Replaces `range` (the whole document if `None`) by `new`, as one entry of `didChange` asks.
    ///
    /// Positions out of range are clamped as LSP says: past a line's end is its end, past the last line is the end of the document.
    /// A position inside of a character counts as before it, and swapped ends are put in order.
    /// The cost is that of the edit, not of the document.
    pub fn apply(&mut self, range: Option<(Position, Position)>, new: &str, encoding: Encoding) -> Edit {
        let (one, other) = match range {
            Some((start, end)) => (self.to_char(start, encoding), self.to_char(end, encoding)),
            None => (0, self.rope.len_chars()),
        };
        let (replaced, new) = trim(&self.rope, one.min(other)..one.max(other), new);
        self.replace(replaced, new)
    }

    /// The byte at which a position is; clamped as in [`Text::apply`].
    pub fn offset(&self, position: Position, encoding: Encoding) -> usize {
        self.rope.char_to_byte(self.to_char(position, encoding))
    }

    /// The position of a byte; past the text is its end, inside a character its start, inside `\r\n` the line's end.
    pub fn position(&self, byte: usize, encoding: Encoding) -> Position {
        let char = self.rope.byte_to_char(byte.min(self.rope.len_bytes()));
        let line = self.rope.char_to_line(char);
        let Range { start, end } = self.content(line);
        Position { line: to_u32(line), character: self.columns(start, char.min(end), encoding) }
    }

    /// LSP lines as they stand, with the line ends between them and without the last one's.
    ///
    /// Lines past the end are left out.
    pub fn slice(&self, lines: LineRange) -> String {
        let count = self.rope.len_lines();
        let first = lines.first as usize;
        if first >= count {
            return String::new();
        }
        let last = (lines.last as usize).clamp(first, count - 1);
        self.rope.slice(self.content(first).start..self.content(last).end).to_string()
    }

    /// From lines as git and Bitbucket count them, ended by `\n` only, to LSP's lines; clamped to the last line.
    ///
    /// The identity in O(1) where the text has no lone `\r`; otherwise O(text).
    pub fn lsp_lines(&self, lines: LineRange) -> LineRange {
        let final_line = self.line_count() - 1;
        if self.lone_returns == 0 {
            return LineRange { first: lines.first.min(final_line), last: lines.last.min(final_line) };
        }
        let Some(start) = self.after_newlines(lines.first) else {
            return LineRange::line(final_line);
        };
        let last_start = self.after_newlines(lines.last).unwrap_or(start);
        let mut end = self.rope.len_bytes();
        if let Some(next) = lines.last.checked_add(1).and_then(|line| self.after_newlines(line)) {
            end = next - 1;
            if end > last_start && self.rope.byte(end - 1) == b'\r' {
                end -= 1;
            }
        }
        let line_of = |byte: usize| to_u32(self.rope.byte_to_line(byte));
        LineRange { first: line_of(start), last: line_of(end.saturating_sub(1).max(last_start)) }
    }

    /// From LSP's lines to lines as git and Bitbucket count them: those that these are part of. Undoes [`Text::lsp_lines`].
    ///
    /// The identity in O(1) where the text has no lone `\r`, but for lines past the end, which are clamped; otherwise O(text).
    pub fn git_lines(&self, lines: LineRange) -> LineRange {
        let final_line = self.line_count() - 1;
        let (first, last) = (lines.first.min(final_line), lines.last.min(final_line));
        if self.lone_returns == 0 {
            return LineRange { first, last };
        }
        let start_of = |line: u32| self.rope.line_to_char(line as usize);
        let newlines = |chars: Range<usize>| {
            let chunks = self.rope.slice(chars);
            to_u32(chunks.chunks().flat_map(str::bytes).filter(|&byte| byte == b'\n').count())
        };
        let before = newlines(0..start_of(first));
        LineRange { first: before, last: before + newlines(start_of(first)..start_of(last)) }
    }

    /// The byte behind the n-th `\n`, 0 for none; `None` if there are not that many.
    fn after_newlines(&self, count: u32) -> Option<usize> {
        let mut left = count as usize;
        let mut offset = 0;
        if left == 0 {
            return Some(0);
        }
        for chunk in self.rope.chunks() {
            for (at, byte) in chunk.bytes().enumerate() {
                if byte == b'\n' {
                    left -= 1;
                    if left == 0 {
                        return Some(offset + at + 1);
                    }
                }
            }
            offset += chunk.len();
        }
        None
    }

    /// A line's characters without its end. The line must be there.
    fn content(&self, line: usize) -> Range<usize> {
        let start = self.rope.line_to_char(line);
        let end = self.rope.line_to_char(line + 1);
        if line + 1 == self.rope.len_lines() {
            return start..end;
        }
        let paired = end - start > 1 && self.rope.char(end - 1) == '\n' && self.rope.char(end - 2) == '\r';
        start..end - if paired { 2 } else { 1 }
    }

    fn columns(&self, start: usize, end: usize, encoding: Encoding) -> u32 {
        to_u32(match encoding {
            Encoding::Utf8 => self.rope.char_to_byte(end) - self.rope.char_to_byte(start),
            Encoding::Utf16 => self.rope.char_to_utf16_cu(end) - self.rope.char_to_utf16_cu(start),
            Encoding::Utf32 => end - start,
        })
    }

    fn to_char(&self, position: Position, encoding: Encoding) -> usize {
        let line = position.line as usize;
        if line >= self.rope.len_lines() {
            return self.rope.len_chars();
        }
        let Range { start, end } = self.content(line);
        let column = position.character as usize;
        match encoding {
            Encoding::Utf8 => {
                let wanted = self.rope.char_to_byte(start).saturating_add(column);
                self.rope.byte_to_char(wanted.min(self.rope.char_to_byte(end)))
            }
            Encoding::Utf16 => {
                let wanted = self.rope.char_to_utf16_cu(start).saturating_add(column);
                self.rope.utf16_cu_to_char(wanted.min(self.rope.char_to_utf16_cu(end)))
            }
            Encoding::Utf32 => start.saturating_add(column).min(end),
        }
    }

    /// Replaces characters, and finds out which whole lines stayed as they were.
    fn replace(&mut self, replaced: Range<usize>, new: &str) -> Edit {
        let Range { start, end } = replaced;
        if start == end && new.is_empty() {
            return Edit { before: 0..0, after: 0..0, last_line: self.last_line() };
        }
        // Lines above the first and below the final one are out of reach. An edit that joins a `\r` in front of it with a `\n`,
        // or parts the two, needs no more care: `\r` and `\r\n` end the same line, and both end only one.
        let first = self.rope.char_to_line(start);
        let old_final = self.rope.char_to_line(end);
        let first_ends_here = self.content(first).end == start;
        let final_starts_here = self.rope.line_to_char(old_final) == end;
        let lone_before = lone_returns(&self.rope, start.saturating_sub(1)..end);

        let new_end = if start == 0 && end == self.rope.len_chars() {
            self.rope = Rope::from_str(new);
            self.rope.len_chars()
        } else {
            let unchanged_tail = self.rope.len_chars() - end;
            self.rope.remove(start..end);
            self.rope.insert(start, new);
            self.rope.len_chars() - unchanged_tail
        };
        let lone_after = lone_returns(&self.rope, start.saturating_sub(1)..new_end);
        self.lone_returns = (self.lone_returns + lone_after).saturating_sub(lone_before);

        let new_final = self.rope.char_to_line(new_end);
        let keeps_first = first_ends_here && self.content(first).end == start;
        let keeps_final = final_starts_here && self.rope.line_to_char(new_final) == new_end;
        let (old_end, new_end) =
            (old_final + usize::from(!keeps_final), new_final + usize::from(!keeps_final));
        // The first line stays too, unless it is the same line as the last one: that line moves then.
        let keeps_first = keeps_first && first < old_end && first < new_end;
        let start = to_u32(first + usize::from(keeps_first));
        Edit { before: start..to_u32(old_end), after: start..to_u32(new_end), last_line: self.last_line() }
    }

    /// The last line that has something on it or ends at the end of the text: not the nothing behind a final line end.
    fn last_line(&self) -> u32 {
        let last = self.rope.len_lines() - 1;
        let behind_final_end = last > 0 && self.rope.line_to_char(last) == self.rope.len_chars();
        to_u32(last - usize::from(behind_final_end))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rope.chunks().try_for_each(|chunk| f.write_str(chunk))
    }
}

/// Says how large the text is, not what it says: documents do not belong into logs.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} lines, {} bytes)", self.line_count(), self.len())
    }
}

/// What an edit did to whole lines: which were replaced by which. All that carrying a placement needs.
///
/// Every line outside of [`Edit::before`] is, letter for letter, still there.
/// Line ends do not count as part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    before: Range<u32>,
    after: Range<u32>,
    last_line: u32,
}

impl Edit {
    /// The lines that are no more, in the text before the edit; empty for a pure insertion of lines.
    pub fn before(&self) -> Range<u32> {
        self.before.clone()
    }

    /// What stands there instead, in the text after the edit; starts where [`Edit::before`] starts, empty for a pure deletion of lines.
    pub fn after(&self) -> Range<u32> {
        self.after.clone()
    }

    /// The last line of the text after the edit, not counting the nothing behind a final line end.
    pub fn last_line(&self) -> u32 {
        self.last_line
    }
}

/// Leaves out what an edit replaces by the same: some editors send whole lines or the whole document.
fn trim<'a>(rope: &Rope, replaced: Range<usize>, new: &'a str) -> (Range<usize>, &'a str) {
    if replaced.is_empty() || new.is_empty() {
        return (replaced, new);
    }
    let old: RopeSlice<'_> = rope.slice(replaced.clone());
    let equal_start: usize =
        old.chars().zip(new.chars()).take_while(|(a, b)| a == b).map(|(char, _)| char.len_utf8()).sum();
    let chars_start = old.byte_to_char(equal_start);
    let new = &new[equal_start..];
    let old = old.slice(chars_start..);
    let equal_end: usize = old
        .chars_at(old.len_chars())
        .reversed()
        .zip(new.chars().rev())
        .take_while(|(a, b)| a == b)
        .map(|(char, _)| char.len_utf8())
        .sum();
    let chars_end = old.len_chars() - old.byte_to_char(old.len_bytes() - equal_end);
    (replaced.start + chars_start..replaced.end - chars_end, &new[..new.len() - equal_end])
}

/// Counts each `\r` among these characters after which no `\n` comes.
fn lone_returns(rope: &Rope, chars: Range<usize>) -> usize {
    let mut here = rope.chars_at(chars.start).take(chars.len() + 1).peekable();
    let mut count = 0;
    for _ in chars {
        let Some(char) = here.next() else { break };
        count += usize::from(char == '\r' && here.peek() != Some(&'\n'));
    }
    count
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
