//! What a parser finds in Markdown that is shown.

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use super::address;
use super::characters::visible;

/// What most editors read.
const USUAL: Options =
    Options::ENABLE_TABLES.union(Options::ENABLE_STRIKETHROUGH).union(Options::ENABLE_TASKLISTS);

/// Whether no dialect finds anything in it but text, code, and links to the web.
pub(super) fn judge(text: &str) -> Result<(), String> {
    visible(text, "\n\t")?;
    for options in [Options::empty(), USUAL, Options::all()] {
        for event in Parser::new_ext(text, options) {
            judge_event(&event)?;
        }
    }
    Ok(())
}

fn judge_event(event: &Event<'_>) -> Result<(), String> {
    match event {
        Event::Text(text) | Event::Code(text) => visible(text, "\n\t"),
        Event::SoftBreak | Event::HardBreak | Event::Rule | Event::TaskListMarker(_) | Event::End(_) => {
            Ok(())
        }
        // A formula can be a link or an image too, and ends what it begins in: code, say.
        Event::Html(_)
        | Event::InlineHtml(_)
        | Event::FootnoteReference(_)
        | Event::InlineMath(_)
        | Event::DisplayMath(_) => Err(format!("{event:?}")),
        Event::Start(tag) => judge_tag(tag),
    }
}

fn judge_tag(tag: &Tag<'_>) -> Result<(), String> {
    match tag {
        Tag::Link { link_type: LinkType::Inline | LinkType::Autolink, dest_url, title, id } => {
            if !title.is_empty() || !id.is_empty() {
                return Err(format!("{tag:?}"));
            }
            match dest_url.strip_prefix("mailto:") {
                Some(mailbox) => address::judge_mailbox(mailbox),
                None => address::judge(dest_url),
            }
        }
        Tag::Heading { id, classes, attrs, .. }
            if id.is_some() || !classes.is_empty() || !attrs.is_empty() =>
        {
            Err(format!("{tag:?}"))
        }
        Tag::BlockQuote(None)
        | Tag::CodeBlock(_)
        | Tag::Emphasis
        | Tag::Heading { .. }
        | Tag::Item
        | Tag::List(_)
        | Tag::Paragraph
        | Tag::Strikethrough
        | Tag::Strong
        | Tag::Subscript
        | Tag::Superscript
        | Tag::Table(_)
        | Tag::TableCell
        | Tag::TableHead
        | Tag::TableRow => Ok(()),
        _ => Err(format!("{tag:?}")),
    }
}

/// What Markdown is made of outside of quotes and code: what *we* say looks the same, whatever others wrote.
///
/// `with_links`: also its links.
pub fn shape(text: &str, with_links: bool) -> String {
    let mut shape = String::new();
    let mut n_quotes = 0_u32;
    for event in Parser::new_ext(text, USUAL) {
        match &event {
            Event::Start(Tag::BlockQuote(_)) => n_quotes += 1,
            Event::End(TagEnd::BlockQuote(_)) => n_quotes -= 1,
            _ => {}
        }
        let name = match &event {
            Event::Start(Tag::BlockQuote(_)) if n_quotes == 1 => "quote",
            _ if n_quotes > 0 => continue,
            Event::Start(tag) => match tag {
                Tag::Heading { level, .. } => {
                    shape.push_str(&level.to_string());
                    " "
                }
                Tag::Paragraph => "paragraph",
                Tag::CodeBlock(_) => "code",
                Tag::List(_) => "list",
                Tag::Item => "item",
                Tag::Emphasis => "emphasis",
                Tag::Strong => "strong",
                Tag::Link { .. } if with_links => "link",
                Tag::Link { .. } => continue,
                _ => "other",
            },
            Event::Rule => "rule",
            Event::TaskListMarker(_) => "task",
            Event::HardBreak | Event::SoftBreak => "break",
            _ => continue,
        };
        shape.push_str(name);
        shape.push(' ');
    }
    shape
}
