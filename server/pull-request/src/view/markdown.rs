//! The one gate through which text written by others reaches a user: Markdown in, safe Markdown out.
//!
//! Text is parsed as CommonMark with tables, strikethrough and task lists, and *written anew* from an allowlist of nodes;
//! nothing of the input is copied as it was.
//! So whatever renders the result finds no HTML, no image, and no link but to `https`, `http` and `mailto`.
//! [`plain`] and [`gist`] make one-line texts.
//! It must not know what a comment is for or where it is shown.

mod escape;
mod url;
mod writer;

use std::borrow::Cow;
use std::collections::HashMap;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd, TextMergeStream};

use super::invisible::{one_line, reveal};
use crate::model::{Comment, User};
use crate::suggestion;

pub(crate) use escape::{fence, mentioned};
pub(crate) use url::bare_length;
pub use url::web_url;

/// How much of one body is read, and about how much is shown, in bytes.
pub const LONGEST: usize = 64 * 1024;

/// How many quotes and list items may be inside each other, and how much emphasis; what is deeper is shown at that depth.
pub const DEEPEST: usize = 32;

/// How much of a body is looked at for its first words, in bytes.
const GLANCE: usize = 8 * 1024;

/// The extensions that Bitbucket's Markdown has and that editors can show.
pub(crate) const OPTIONS: Options =
    Options::ENABLE_TABLES.union(Options::ENABLE_STRIKETHROUGH).union(Options::ENABLE_TASKLISTS);

/// Display names by Atlassian account id, for mentions; the names are made safe when they are shown.
#[derive(Clone, Debug, Default)]
pub struct Names {
    by_account: HashMap<String, String>,
}

impl Names {
    /// The names of users that have an account id.
    pub fn of<'a>(users: impl IntoIterator<Item = &'a User>) -> Self {
        let mut names = Self::default();
        for user in users {
            if let Some(account_id) = &user.account_id {
                names.by_account.insert(account_id.clone(), user.display_name.clone());
            }
        }
        names
    }

    /// Adds what a comment says about the people that it mentions.
    pub fn add_mentions(&mut self, comment: &Comment) {
        self.by_account.extend(comment.mentions.iter().cloned());
    }

    /// The display name of an account.
    pub fn get(&self, account_id: &str) -> Option<&str> {
        self.by_account.get(account_id).map(String::as_str)
    }
}

/// What making a body safe needs to know beside its text.
#[derive(Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// Names that the comment itself brought along: (account id, display name).
    pub mentions: &'a [(String, String)],
    /// Names known otherwise.
    pub names: Option<&'a Names>,
    /// The commented lines: with them a suggestion is shown as a diff.
    pub commented: Option<&'a str>,
    /// Where the whole text is to be read if it is cut here; used if it is a web address.
    pub page: Option<&'a str>,
}

/// Safe Markdown for a raw body, without a line feed at its end.
///
/// - Links go to `https`, `http` and `mailto` only; any other becomes its text. Images become links to themselves.
/// - HTML is shown as text. Controls, bidi marks and zero-width characters are shown by number, like `⟦U+202E⟧`.
/// - `@{account}` and `@[Name](account_id:account)` become `@Name`, of unknown accounts `@someone`.
/// - Headings are small ones, so that they do not pass for ours.
/// - At most about 64 KiB are shown, then a note with a link; nesting ends at 32.
pub fn safe(raw: &str, surroundings: &Surroundings<'_>) -> String {
    let read = cut_at(raw, LONGEST);
    let lines = line_feeds(read);
    let events: Vec<Event<'_>> = TextMergeStream::new(Parser::new_ext(&lines, OPTIONS)).collect();
    let (mut text, complete) = writer::write(&events, surroundings);
    if read.len() < raw.len() || !complete {
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str("… cut, ");
        text.push_str(&link_or_text("see it on Bitbucket", surroundings.page));
    }
    text
}

/// One line for diagnostics, lenses, messages and the like, taken as it is (no Markdown): names, titles, branches, paths.
///
/// White space becomes single spaces, hidden characters go, and more than `max_characters` are cut with `…`.
pub fn plain(text: &str, max_characters: usize) -> String {
    // Hidden characters are few in honest text; what a hostile one loses here is not missed.
    shorten(one_line(cut_at(text, max_characters.saturating_mul(16).max(GLANCE))), max_characters)
}

/// The words of a raw Markdown body as one line: without markup, with names for mentions, cut with `…`.
pub fn gist(raw: &str, surroundings: &Surroundings<'_>, max_characters: usize) -> String {
    let known = Mentions::of(surroundings);
    let mut words = String::new();
    let mut account: Option<String> = None;
    let read = cut_at(raw, GLANCE);
    for event in TextMergeStream::new(Parser::new_ext(read, OPTIONS)) {
        match event {
            Event::Text(text) if account.is_none() => {
                for piece in escape::pieces(&text) {
                    match piece {
                        escape::Piece::Mention(account) => words.push_str(&known.mention(account)),
                        escape::Piece::Text(text) | escape::Piece::Url(text) => words.push_str(text),
                    }
                }
            }
            Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => words.push_str(&text),
            Event::SoftBreak | Event::HardBreak | Event::End(TagEnd::TableCell) => words.push(' '),
            Event::TaskListMarker(done) => words.push_str(if done { "[x] " } else { "[ ] " }),
            Event::Start(Tag::Image { .. }) => words.push_str("image: "),
            Event::Start(Tag::Link { dest_url, .. }) => {
                if let Some(name) = dest_url.strip_prefix("account_id:").and_then(|id| known.name(id)) {
                    words.push_str(&name);
                    account = Some(name);
                }
            }
            Event::End(TagEnd::Link) => account = None,
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if suggestion::is_suggestion(&info) => {
                words.push_str(if words.trim().is_empty() { "suggestion: " } else { " — suggestion: " });
            }
            Event::Start(tag) if is_block(&tag.to_end()) => words.push(' '),
            Event::End(tag) if is_block(&tag) => words.push(' '),
            _ => {}
        }
    }
    let cut = read.len() < raw.len();
    let mut line = one_line(&words);
    if cut {
        line.push('…');
    }
    shorten(line, max_characters)
}

/// A one-line text (as [`plain`] makes it) written so that Markdown shows it as it is.
pub fn text(text: &str, max_characters: usize) -> String {
    let mut written = String::new();
    escape::escape(
        &mut written,
        &plain(text, max_characters),
        // It may be all of a heading.
        escape::Place { line_start: true, in_heading: true, in_link: false },
    );
    written
}

/// A one-line text as inline code, hidden characters left out.
pub fn code(text: &str, max_characters: usize) -> String {
    let mut written = String::new();
    escape::code_span(&mut written, &plain(text, max_characters), false);
    written
}

/// Lines as a fenced code block that nothing in them can close, hidden characters shown by number.
///
/// `language` is used if it is a plain word. The result has no line feed at its end.
pub fn code_block(text: &str, language: &str) -> String {
    let mut written = String::new();
    let text = reveal(cut_at(text, LONGEST));
    let fence = fence(&text);
    written.push_str(&fence);
    written.push_str(escape::language(language).unwrap_or_default());
    written.push('\n');
    for line in text.lines() {
        written.push_str(line);
        written.push('\n');
    }
    written.push_str(&fence);
    written
}

/// A link to a web address, or only the label if the address is none.
pub fn link_or_text(label: &str, address: Option<&str>) -> String {
    let label = plain(label, 200);
    let address = address.and_then(web_url);
    let mut written = String::new();
    let place =
        escape::Place { line_start: address.is_none(), in_link: address.is_some(), in_heading: false };
    escape::escape(&mut written, &label, place);
    match address {
        Some(address) => format!("[{written}]({address})"),
        None => written,
    }
}

/// Every line of safe Markdown as a quote: what others wrote cannot pass for what we say.
pub(crate) fn quote(safe: &str) -> String {
    let mut quoted = String::with_capacity(safe.len() + 16);
    for line in safe.split('\n') {
        if !quoted.is_empty() {
            quoted.push('\n');
        }
        quoted.push_str(if line.is_empty() { ">" } else { "> " });
        quoted.push_str(line);
    }
    quoted
}

/// Who is mentioned by which account id, in one body.
struct Mentions<'a> {
    own: HashMap<&'a str, &'a str>,
    names: Option<&'a Names>,
}

impl<'a> Mentions<'a> {
    fn of(surroundings: &Surroundings<'a>) -> Self {
        let own = surroundings.mentions.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect();
        Self { own, names: surroundings.names }
    }

    /// The safe name of a known account.
    fn name(&self, account_id: &str) -> Option<String> {
        let name = self.own.get(account_id).copied().or_else(|| self.names?.get(account_id))?;
        Some(plain(name, 60)).filter(|name| !name.is_empty())
    }

    /// `@Name` or `@someone`.
    fn mention(&self, account_id: &str) -> String {
        format!("@{}", self.name(account_id).as_deref().unwrap_or("someone"))
    }
}

/// The text with a `\n` for each `\r` that stands alone: a line end of Markdown's that the parser loses. No byte moves.
pub(crate) fn line_feeds(text: &str) -> Cow<'_, str> {
    if !text.contains('\r') {
        return Cow::Borrowed(text);
    }
    let mut characters = text.chars().peekable();
    let mut lines = String::with_capacity(text.len());
    while let Some(character) = characters.next() {
        let is_alone = character == '\r' && characters.peek() != Some(&'\n');
        lines.push(if is_alone { '\n' } else { character });
    }
    Cow::Owned(lines)
}

/// The start of a text, of at most `longest` bytes, cut between characters.
pub(crate) fn cut_at(text: &str, longest: usize) -> &str {
    let mut end = text.len().min(longest);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn shorten(mut line: String, max_characters: usize) -> String {
    if let Some((end, _)) = line.char_indices().nth(max_characters) {
        let keep = line[..end].char_indices().next_back().map_or(0, |(last, _)| last);
        line.truncate(keep);
        // What would join with what is cut goes too.
        let joins = |end: char| matches!(end, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}');
        line.truncate(line.trim_end_matches(|end: char| end.is_whitespace() || joins(end)).len());
        line.push('…');
    }
    line
}

fn is_block(tag: &TagEnd) -> bool {
    !matches!(tag, TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image)
}

#[cfg(test)]
pub(crate) mod tests;
