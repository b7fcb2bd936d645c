//! Writes Markdown from parsed nodes, by an allowlist.
//!
//! It goes once over the events, keeps the open containers and inline marks on stacks, and stops at the size cap.
//! It must not copy any of the input: text passes [`escape`], code its fences, addresses the allowlist of schemes.

mod inlines;

use pulldown_cmark::{Alignment, CodeBlockKind, Event, HeadingLevel, Tag, TagEnd};

use super::escape;
use super::{DEEPEST, LONGEST, Mentions, Surroundings, cut_at};
use crate::suggestion;
use crate::view::invisible::reveal;

/// The Markdown for the nodes, and whether it is all of them.
///
/// Text events that follow each other must have been merged.
pub(super) fn write(events: &[Event<'_>], surroundings: &Surroundings<'_>) -> (String, bool) {
    let mut writer = Writer {
        out: String::new(),
        complete: true,
        containers: Vec::new(),
        containers_too_deep: 0,
        lists: Vec::new(),
        block: Block::None,
        line_start: true,
        after_mark: false,
        inlines: Vec::new(),
        n_links: 0,
        n_silent: 0,
        columns: Vec::new(),
        n_cells: 0,
        mentions: Mentions::of(surroundings),
        commented: surroundings.commented,
    };
    for at in 0..events.len() {
        if writer.room() == 0 {
            writer.complete &= events[at..].iter().all(|event| matches!(event, Event::End(_)));
            break;
        }
        writer.event(&events[at], &events[at + 1..]);
    }
    while let Some(inline) = writer.inlines.pop() {
        writer.end_inline(inline);
    }
    writer.out.truncate(writer.out.trim_end_matches('\n').len());
    (writer.out, writer.complete)
}

struct Writer<'a> {
    out: String,
    complete: bool,
    containers: Vec<Container>,
    /// How many containers are open beyond the nesting cap; they are not shown as such.
    containers_too_deep: usize,
    lists: Vec<List>,
    block: Block,
    /// Nothing but the containers' prefixes is on the line.
    line_start: bool,
    /// A mark was just opened: no white space may follow.
    after_mark: bool,
    inlines: Vec<Inline>,
    /// How many links are open, images that became links among them.
    n_links: usize,
    /// How many nodes are open whose content is not shown.
    n_silent: usize,
    columns: Vec<Alignment>,
    n_cells: usize,
    mentions: Mentions<'a>,
    commented: Option<&'a str>,
}

/// A quote or a list item: what its lines start with.
struct Container {
    /// What the first line starts with, until it is written.
    first: Option<String>,
    /// What the other lines start with.
    rest: String,
    /// No blank line goes before it.
    close: bool,
    /// It is an item of a list without blank lines.
    tight: bool,
}

struct List {
    number: Option<u64>,
    tight: bool,
    n_items: u64,
}

/// What the inline nodes that come are part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    None,
    Paragraph,
    Heading,
    Cell,
    Html,
    /// Written as a whole at its start.
    Code,
}

/// An open inline node, and what its end needs.
enum Inline {
    Mark {
        mark: &'static str,
        from: usize,
    },
    Link {
        target: String,
        from: usize,
    },
    Image {
        target: Option<String>,
        from: usize,
    },
    /// A link that we do not make; a path is shown behind its text.
    Dropped {
        path: Option<String>,
    },
    Silent,
    Nothing,
}

impl Writer<'_> {
    fn event(&mut self, event: &Event<'_>, next: &[Event<'_>]) {
        match event {
            Event::Start(tag) => self.start(tag, next),
            Event::End(tag) => self.end(*tag),
            _ if self.n_silent > 0 || self.block == Block::Code => {}
            Event::Text(text) => self.text(text),
            Event::Code(code) | Event::InlineMath(code) | Event::DisplayMath(code) => self.code(code),
            Event::Html(html) | Event::InlineHtml(html) => self.html(html),
            Event::FootnoteReference(label) => self.text(label),
            Event::SoftBreak => self.next_line(""),
            Event::HardBreak => self.next_line("  "),
            Event::Rule => {
                self.begin_block();
                self.out.push_str("***");
            }
            Event::TaskListMarker(done) => {
                self.begin_inline();
                if self.block == Block::Heading {
                    // Before a heading's marks there is no box, and behind them it is none.
                    let marks = self.out.trim_end_matches(' ').trim_end_matches('#').len();
                    self.out.truncate(marks);
                    self.block = Block::Paragraph;
                }
                self.out.push_str(if *done { "[x] " } else { "[ ] " });
                self.line_start = false;
                self.after_mark = true;
            }
        }
    }

    fn start(&mut self, tag: &Tag<'_>, next: &[Event<'_>]) {
        match tag {
            Tag::Paragraph => self.start_block(Block::Paragraph),
            Tag::HtmlBlock => self.start_block(Block::Html),
            Tag::Heading { level, .. } => {
                self.start_block(Block::Heading);
                // Three levels below what they say: the large ones are ours.
                self.out.push_str(match level {
                    HeadingLevel::H1 => "#### ",
                    HeadingLevel::H2 => "##### ",
                    _ => "###### ",
                });
            }
            Tag::CodeBlock(kind) => self.code_block(kind, next.first()),
            Tag::BlockQuote(_) => self.enter("> ".into(), "> ".into(), false, false),
            Tag::List(number) => {
                let tight = !matches!(next, [Event::Start(Tag::Item), Event::Start(Tag::Paragraph), ..]);
                self.lists.push(List { number: *number, tight, n_items: 0 });
            }
            Tag::Item => self.start_item(),
            Tag::Table(columns) => {
                self.begin_block();
                self.columns.clone_from(columns);
                self.n_cells = 0;
            }
            Tag::TableHead => {}
            Tag::TableRow => {
                self.new_line();
                self.n_cells = 0;
            }
            Tag::TableCell => {
                self.out.push_str(if self.n_cells == 0 { "| " } else { " | " });
                self.n_cells += 1;
                self.block = Block::Cell;
                self.line_start = false;
                self.after_mark = true;
            }
            Tag::Emphasis => self.start_mark("*"),
            Tag::Strong => self.start_mark("**"),
            Tag::Strikethrough => self.start_mark("~~"),
            Tag::Link { link_type, dest_url, .. } => self.start_link(*link_type, dest_url),
            Tag::Image { dest_url, .. } => self.start_image(dest_url),
            // Extensions that are not switched on: their text would be shown without their marks.
            Tag::Superscript | Tag::Subscript => self.inlines.push(Inline::Nothing),
            Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::MetadataBlock(_) => self.block = Block::None,
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::BlockQuote(_) => self.leave(),
            TagEnd::Item => {
                let is_unwritten = self.containers.last().is_some_and(|item| item.first.is_some());
                if is_unwritten && self.containers_too_deep == 0 {
                    self.begin_block();
                }
                self.leave();
            }
            TagEnd::List(_) => drop(self.lists.pop()),
            TagEnd::TableHead => self.end_table_head(),
            TagEnd::TableRow => self.out.push_str(" |"),
            TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::Link
            | TagEnd::Image => {
                if let Some(inline) = self.inlines.pop() {
                    self.end_inline(inline);
                }
            }
            _ => self.block = Block::None,
        }
    }

    /// How many bytes may still be written; what is open is closed beyond that.
    fn room(&self) -> usize {
        LONGEST.saturating_sub(self.out.len())
    }

    /// As much of a text as there is room for, hidden characters shown by number.
    fn fitting(&mut self, text: &str) -> String {
        let revealed = reveal(text);
        let fitting = cut_at(&revealed, self.room());
        self.complete &= fitting.len() == revealed.len();
        fitting.to_owned()
    }

    fn start_block(&mut self, block: Block) {
        self.begin_block();
        self.block = block;
    }

    /// Begins a line for a new block, with a blank line before it unless it is the first of a close container.
    fn begin_block(&mut self) {
        self.block = Block::None;
        let entering = self.containers.iter().position(|container| container.first.is_some());
        let is_close = entering.is_some_and(|at| self.containers[at].close);
        if !self.out.is_empty() && !is_close {
            self.out.push('\n');
            for container in &self.containers[..entering.unwrap_or(self.containers.len())] {
                self.out.push_str(&container.rest);
            }
            self.out.truncate(self.out.trim_end_matches(' ').len());
        }
        self.new_line();
    }

    fn new_line(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        for container in &mut self.containers {
            match container.first.take() {
                Some(first) => self.out.push_str(&first),
                None => self.out.push_str(&container.rest),
            }
        }
        self.line_start = true;
        self.after_mark = false;
    }

    /// A line break within a text, where there can be one.
    fn next_line(&mut self, hard: &str) {
        self.begin_inline();
        if self.n_links > 0 || matches!(self.block, Block::Heading | Block::Cell) {
            self.out.push(' ');
        } else {
            self.out.push_str(hard);
            self.new_line();
        }
    }

    fn enter(&mut self, first: String, rest: String, close: bool, tight: bool) {
        self.block = Block::None;
        if self.containers.len() < DEEPEST && self.containers_too_deep == 0 {
            self.containers.push(Container { first: Some(first), rest, close, tight });
        } else {
            self.containers_too_deep += 1;
        }
    }

    fn leave(&mut self) {
        self.block = Block::None;
        match self.containers_too_deep {
            0 => drop(self.containers.pop()),
            _ => self.containers_too_deep -= 1,
        }
    }

    fn start_item(&mut self) {
        let inside_tight = self.containers.last().is_some_and(|container| container.tight);
        let Some(list) = self.lists.last_mut() else { return };
        let mark = match list.number {
            Some(number) => format!("{}. ", number.saturating_add(list.n_items).min(999_999_999)),
            None => "- ".into(),
        };
        let close = match list.n_items {
            // Only bullets and `1.` may follow a text without a blank line.
            0 => inside_tight && list.number.is_none_or(|number| number == 1),
            _ => list.tight,
        };
        list.n_items += 1;
        let (rest, tight) = (" ".repeat(mark.len()), list.tight);
        self.enter(mark, rest, close, tight);
    }

    fn end_table_head(&mut self) {
        self.out.push_str(" |");
        self.new_line();
        for column in std::mem::take(&mut self.columns) {
            self.out.push_str(match column {
                Alignment::None => "| --- ",
                Alignment::Left => "| :-- ",
                Alignment::Center => "| :-: ",
                Alignment::Right => "| --: ",
            });
        }
        self.out.push('|');
        self.block = Block::None;
    }

    fn code_block(&mut self, kind: &CodeBlockKind<'_>, content: Option<&Event<'_>>) {
        let info = match kind {
            CodeBlockKind::Fenced(info) => info,
            CodeBlockKind::Indented => "",
        };
        let content = match content {
            Some(Event::Text(text)) => text,
            _ => "",
        };
        let diff = self.commented.filter(|_| suggestion::is_suggestion(info)).map(|commented| {
            let replacement: Vec<String> = content.lines().map(str::to_owned).collect();
            suggestion::as_diff(commented, &replacement)
        });
        let language = if diff.is_some() { "diff" } else { escape::language(info).unwrap_or_default() };
        let code = self.fitting(diff.as_deref().unwrap_or(content));
        let fence = escape::fence(&code);

        self.start_block(Block::Code);
        self.out.push_str(&fence);
        self.out.push_str(language);
        for line in code.lines() {
            if self.room() == 0 {
                self.complete = false;
                break;
            }
            self.new_line();
            self.out.push_str(line);
        }
        self.new_line();
        self.out.push_str(&fence);
    }
}
