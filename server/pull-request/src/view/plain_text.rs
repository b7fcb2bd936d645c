//! Our Markdown as plain text, for editors that cannot show Markdown.
//!
//! What it is given is safe Markdown of ours: what is a mark there becomes words or blanks, nothing else changes.

use super::markdown::OPTIONS;
use pulldown_cmark::{Event, Parser, Tag, TagEnd};

/// What the further lines of an item begin with.
const ITEM: &str = "  ";

/// The text of safe Markdown: quotes keep their `>`, lists their `-`, code is indented by four, links are followed by
/// their address, and all other marks are gone.
pub fn plain_text(markdown: &str) -> String {
    let mut text = Plain { at_start: true, ..Plain::default() };
    for event in Parser::new_ext(markdown, OPTIONS) {
        text.take(event);
    }
    text.line();
    text.lines.join("\n")
}

#[derive(Default)]
struct Plain {
    lines: Vec<String>,
    /// The line that is being written.
    current: String,
    /// What each line begins with: quotes, items, code.
    prefixes: Vec<&'static str>,
    /// Whether a block has just begun, so that the next one inside it needs no line of its own.
    at_start: bool,
    /// Addresses of the links that are open, each with the words before it.
    links: Vec<(String, usize)>,
    in_code: bool,
}

impl Plain {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.in_code => {
                for line in text.lines() {
                    self.row();
                    self.current.push_str(line);
                }
            }
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                self.say(&text)
            }
            Event::SoftBreak | Event::HardBreak => self.line(),
            Event::Rule => {
                self.block();
                self.say("---");
            }
            Event::TaskListMarker(done) => self.say(if done { "[x] " } else { "[ ] " }),
            Event::InlineMath(_) | Event::DisplayMath(_) | Event::FootnoteReference(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::BlockQuote(_) => self.open("> "),
            Tag::CodeBlock(_) => {
                self.open("    ");
                self.in_code = true;
            }
            Tag::List(_) if self.prefixes.last() != Some(&ITEM) => {
                self.block();
                self.at_start = true;
            }
            Tag::Item => {
                self.row();
                self.current.push_str("- ");
                self.prefixes.push(ITEM);
                self.at_start = true;
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.links.push((dest_url.into_string(), self.current.len()));
            }
            Tag::Paragraph | Tag::Heading { .. } => self.block(),
            Tag::Table(_) => {
                self.block();
                self.at_start = true;
            }
            Tag::TableHead | Tag::TableRow => {
                self.row();
                self.at_start = true;
            }
            Tag::TableCell if self.at_start => self.at_start = false,
            Tag::TableCell => self.say(" | "),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::BlockQuote(_) | TagEnd::Item | TagEnd::CodeBlock => {
                self.prefixes.pop();
                self.in_code = false;
                self.at_start = false;
            }
            TagEnd::TableHead | TagEnd::TableRow => self.at_start = false,
            TagEnd::Link | TagEnd::Image => {
                if let Some((address, before)) = self.links.pop()
                    && self.current.get(before..) != Some(&address)
                {
                    self.say(": ");
                    self.say(&address);
                }
            }
            _ => {}
        }
    }

    fn say(&mut self, text: &str) {
        self.at_start = false;
        self.current.push_str(text);
    }

    /// A block whose lines all begin with something.
    fn open(&mut self, prefix: &'static str) {
        self.block();
        self.prefixes.push(prefix);
        self.current.push_str(prefix);
        self.at_start = true;
    }

    /// A new block: after a blank line, unless it is the first of what it is in.
    fn block(&mut self) {
        if !std::mem::take(&mut self.at_start) {
            self.line();
            self.line();
        }
    }

    /// A new row of a block.
    fn row(&mut self) {
        if !std::mem::take(&mut self.at_start) {
            self.line();
        }
    }

    fn line(&mut self) {
        let line = std::mem::replace(&mut self.current, self.prefixes.concat());
        self.lines.push(line.trim_end().to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::plain_text;
    use expect_test::expect;

    #[test]
    fn a_thread_reads_as_text() {
        let markdown = "**Open thread** · line 13 · moved from line 12\n\nCommented, line 21 then:\n\n```py\n    return a\n\n    return b\n```\n\n\
            **Cleo \\[Lindqvist\\]** · 3 hours ago\n\n> Nothing *keeps* this `from`\n> being 250, see <https://x.org/a>.\n>\n> Second.\n>\n\
            > ```diff\n> -old\n> +new\n> ```\n>\n> - one\n> - two\n\n↳ **You** · 2 hours ago\n\n> No.\n\n- [ ] Test it (Ben)\n- [x] Done (You)\n\n\
            [Open in Bitbucket](https://bitbucket.org/a/b)\n\n---\n\n**Open thread**";
        expect![[r#"
            Open thread · line 13 · moved from line 12

            Commented, line 21 then:

                    return a

                    return b

            Cleo [Lindqvist] · 3 hours ago

            > Nothing keeps this from
            > being 250, see https://x.org/a.
            >
            > Second.
            >
            >     -old
            >     +new
            >
            > - one
            > - two

            ↳ You · 2 hours ago

            > No.

            - [ ] Test it (Ben)
            - [x] Done (You)

            Open in Bitbucket: https://bitbucket.org/a/b

            ---

            Open thread"#]]
        .assert_eq(&plain_text(markdown));
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(plain_text(""), "");
        assert_eq!(plain_text("\n\n"), "");
        assert_eq!(plain_text("a"), "a");
    }
}
