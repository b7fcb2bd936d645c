//! How text, code, emphasis, links and images are written.

use pulldown_cmark::LinkType;

use super::{Block, Inline, Writer};
use crate::view::markdown::DEEPEST;
use crate::view::markdown::escape::{self, Piece, Place};
use crate::view::markdown::url::{is_relative, link_target, web_url};

impl Writer<'_> {
    /// Text that no block encloses stands directly in an item of a tight list.
    pub(super) fn begin_inline(&mut self) {
        if self.block == Block::None {
            self.start_block(Block::Paragraph);
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        self.begin_inline();
        for piece in escape::pieces(text) {
            match piece {
                Piece::Text(text) => self.escaped(text),
                Piece::Mention(account) => {
                    let mention = self.mentions.mention(account);
                    self.escaped(&mention);
                }
                Piece::Url(address) => match web_url(address).filter(|_| self.n_links == 0) {
                    Some(target) => self.autolink(&target),
                    None => self.escaped(address),
                },
            }
        }
    }

    fn escaped(&mut self, text: &str) {
        let text = self.fitting(text);
        let text = if self.after_mark { text.trim_start() } else { &text };
        let in_heading = self.block == Block::Heading;
        let place = Place { line_start: self.line_start, in_link: self.n_links > 0, in_heading };
        let before = self.out.len();
        escape::escape(&mut self.out, text, place);
        if self.out.len() > before {
            self.line_start = false;
            self.after_mark = false;
        }
    }

    pub(super) fn code(&mut self, code: &str) {
        self.begin_inline();
        let code = self.fitting(code);
        escape::code_span(&mut self.out, &code, self.block == Block::Cell);
        self.line_start = false;
        self.after_mark = false;
    }

    pub(super) fn html(&mut self, html: &str) {
        self.begin_inline();
        if self.block != Block::Html {
            return self.escaped(html);
        }
        for line in html.lines().filter(|line| !line.trim().is_empty()) {
            if !self.line_start {
                self.new_line();
            }
            self.escaped(line);
        }
    }

    pub(super) fn start_mark(&mut self, mark: &'static str) {
        self.begin_inline();
        if self.inlines.len() >= DEEPEST || self.n_silent > 0 {
            self.inlines.push(Inline::Nothing);
            return;
        }
        self.out.push_str(mark);
        self.inlines.push(Inline::Mark { mark, from: self.out.len() });
        self.line_start = false;
        self.after_mark = true;
    }

    pub(super) fn start_link(&mut self, kind: LinkType, address: &str) {
        self.begin_inline();
        if self.n_links > 0 || self.n_silent > 0 {
            return self.inlines.push(Inline::Nothing);
        }
        if let Some(account) = address.strip_prefix("account_id:") {
            let name = self.mentions.name(account);
            if let Some(name) = &name {
                self.escaped(name);
                self.n_silent += 1;
            }
            return self.inlines.push(if name.is_some() { Inline::Silent } else { Inline::Nothing });
        }
        let target = match kind {
            LinkType::Email => link_target(&format!("mailto:{address}")),
            _ => link_target(address),
        };
        let inline = match target {
            Some(target) if matches!(kind, LinkType::Autolink | LinkType::Email) => {
                self.autolink(&target);
                self.n_silent += 1;
                Inline::Silent
            }
            Some(target) => {
                self.open_link();
                Inline::Link { target, from: self.out.len() }
            }
            None => Inline::Dropped { path: is_relative(address).then(|| address.to_owned()) },
        };
        self.inlines.push(inline);
    }

    pub(super) fn start_image(&mut self, address: &str) {
        self.begin_inline();
        if self.n_silent > 0 {
            return self.inlines.push(Inline::Nothing);
        }
        let target = web_url(address).filter(|_| self.n_links == 0);
        if target.is_some() {
            self.open_link();
        }
        self.out.push_str("image: ");
        self.line_start = false;
        self.inlines.push(Inline::Image { target, from: self.out.len() });
    }

    /// Opens a link so that a `!` before it does not make it an image.
    fn open_link(&mut self) {
        if self.out.ends_with('!') {
            self.out.pop();
            self.out.push_str("\\!");
        }
        self.out.push('[');
        self.n_links += 1;
        self.line_start = false;
        self.after_mark = true;
    }

    fn close_link(&mut self, target: &str) {
        self.out.push_str("](");
        self.out.push_str(target);
        self.out.push(')');
        self.n_links -= 1;
        self.after_mark = false;
    }

    fn autolink(&mut self, target: &str) {
        self.out.push('<');
        self.out.push_str(target);
        self.out.push('>');
        self.line_start = false;
        self.after_mark = false;
    }

    pub(super) fn end_inline(&mut self, inline: Inline) {
        match inline {
            Inline::Mark { mark, from } => {
                let end = self.out.trim_end_matches(' ').len().max(from);
                self.out.truncate(end);
                if end == from {
                    // Marks around nothing would be read as text.
                    self.out.truncate(from - mark.len());
                } else {
                    self.out.push_str(mark);
                }
                self.after_mark = false;
            }
            Inline::Link { target, from } => {
                if self.out.len() == from {
                    self.escaped(&target);
                }
                self.close_link(&target);
            }
            Inline::Image { target, from } => {
                if self.out.len() == from {
                    self.out.truncate(from - ": ".len());
                }
                if let Some(target) = target {
                    self.close_link(&target);
                }
            }
            Inline::Dropped { path: Some(path) } => self.escaped(&format!(" ({path})")),
            Inline::Silent => self.n_silent -= 1,
            Inline::Dropped { path: None } | Inline::Nothing => {}
        }
    }
}
