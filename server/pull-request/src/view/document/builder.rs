//! Builds a document line by line, and keeps its map while it does.

use super::{DocLink, Document, LinkTarget, Row, Symbol};
use crate::model::{CommentId, LineRange};
use crate::view::markdown::{bare_length, web_url};

/// A document that is being written.
#[derive(Default)]
pub(super) struct Builder {
    document: Document,
    line: u32,
    /// The parts that are open, outermost first.
    open: Vec<Symbol>,
}

impl Builder {
    /// The line that comes next.
    pub(super) fn line(&self) -> u32 {
        self.line
    }

    /// How much is written, in bytes.
    pub(super) fn len(&self) -> usize {
        self.document.text.len()
    }

    /// Adds one or more lines of safe Markdown.
    pub(super) fn push(&mut self, markdown: &str) {
        self.document.text.push_str(markdown);
        self.document.text.push('\n');
        self.line += markdown.bytes().filter(|&byte| byte == b'\n').count() as u32 + 1;
    }

    /// Adds one line that stands for something.
    pub(super) fn push_row(&mut self, markdown: &str, thread: Option<CommentId>) {
        let from = self.line;
        self.push(markdown);
        self.rows(from, thread);
    }

    /// Adds one line with a stretch in it that leads to a thread.
    pub(super) fn push_link(&mut self, before: &str, label: &str, after: &str, thread: CommentId) {
        let start = before.chars().count() as u32;
        let end = start + label.chars().count() as u32;
        self.document.links.push(DocLink { line: self.line, start, end, target: LinkTarget::Thread(thread) });
        self.push(&format!("{before}{label}{after}"));
    }

    /// Says what the lines since one stand for.
    pub(super) fn rows(&mut self, from: u32, thread: Option<CommentId>) {
        self.document.rows.extend((from..self.line).map(|line| Row { line, thread }));
    }

    /// Opens a part on the line that comes next.
    pub(super) fn begin(&mut self, name: &str, detail: &str) {
        let name = if name.is_empty() { "(no name)" } else { name };
        self.open.push(Symbol {
            name: name.to_owned(),
            detail: detail.to_owned(),
            lines: LineRange::line(self.line),
            selection: self.line,
            children: Vec::new(),
        });
    }

    /// Closes the part opened last, without blank lines at its end.
    pub(super) fn end(&mut self) {
        let Some(mut symbol) = self.open.pop() else { return };
        let trailing = self.document.text.bytes().rev().take_while(|&byte| byte == b'\n').count() as u32;
        let last = self.line.saturating_sub(trailing.max(1));
        symbol.lines = LineRange { first: symbol.selection, last: last.max(symbol.selection) };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(symbol),
            None => self.document.symbols.push(symbol),
        }
    }

    /// Opens a part with a heading of its own.
    pub(super) fn section(&mut self, name: &str, detail: &str) {
        self.begin(name, detail);
        let heading = if detail.is_empty() { name.to_owned() } else { format!("{name} ({detail})") };
        self.push(&format!("## {heading}"));
        self.push("");
    }

    /// Closes it, with a blank line behind it.
    pub(super) fn end_section(&mut self) {
        self.end();
        if !self.document.text.ends_with("\n\n") {
            self.push("");
        }
    }

    /// The document, with its web links found.
    pub(super) fn finish(mut self) -> Document {
        while !self.open.is_empty() {
            self.end();
        }
        let end = self.document.text.trim_end_matches('\n').len();
        self.document.text.truncate(end);
        self.document.text.push('\n');
        for (line, text) in self.document.text.lines().enumerate() {
            web_links(line as u32, text, &mut self.document.links);
        }
        self.document.links.sort_by_key(|link| (link.line, link.start));
        self.document
    }
}

/// Finds the web addresses of a line of safe Markdown: in links, in autolinks, and bare ones in code.
fn web_links(line: u32, text: &str, links: &mut Vec<DocLink>) {
    let (mut at, mut characters) = (0, 0);
    while let Some(found) = text[at..].find("http") {
        let start = at + found;
        let rest = &text[start..];
        // No address is longer than this, so no search is.
        let end =
            |closing: char| rest.bytes().take(2_049).position(|byte| byte == closing as u8).unwrap_or(0);
        let length = match text[..start].chars().next_back() {
            Some('(') if text[..start].ends_with("](") => end(')'),
            Some('<') => end('>'),
            _ => bare_length(rest),
        };
        let target = web_url(&rest[..length]);
        let length = if target.is_some() { length } else { "http".len() };
        let first = characters + text[at..start].chars().count() as u32;
        let end = first + rest[..length].chars().count() as u32;
        links.extend(target.map(|url| DocLink { line, start: first, end, target: LinkTarget::Web(url) }));
        (at, characters) = (start + length, end);
    }
}
