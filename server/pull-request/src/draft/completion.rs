//! What can be chosen while a draft is written: people behind `@`, emoji behind `:`, pull requests behind `#`, a suggestion.

use std::collections::HashSet;

use super::body::above;
use super::emoji::EMOJI;
use super::markup::Code;
use crate::model::{PullRequestId, User};
use crate::suggestion;
use crate::text::{Encoding, Position, Text};
use crate::view::markdown::{mentioned, plain};

/// How many of a kind are offered at once.
const MOST: usize = 100;

/// The longest text behind a mark that is looked up, in bytes.
const LONGEST: usize = 60;

/// Who can be mentioned.
#[derive(Clone, Copy, Debug, Default)]
pub struct People<'a> {
    /// Those on the pull request: they come first.
    pub participants: &'a [User],
    /// Those of the workspace, the participants again or not.
    pub members: &'a [User],
}

/// What a completion puts into the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompletionKind {
    /// Somebody to mention.
    Person,
    /// An emoji.
    Emoji,
    /// A pull request's number.
    PullRequest,
    /// A block that suggests a change.
    Suggestion,
}

/// Something to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The line that the text stands on.
    pub line: u32,
    /// What is replaced, in bytes of that line.
    pub columns: (u32, u32),
    /// What is shown: one line of plain text.
    pub label: String,
    /// More about it: one line of plain text, may be empty.
    pub detail: String,
    /// What an editor compares with the text that is replaced.
    pub filter: String,
    /// What comes into the text; of a suggestion several lines, with `\n`.
    pub insert: String,
    /// What it is.
    pub kind: CompletionKind,
    /// The order: lower comes first, each has another.
    pub rank: u32,
}

/// What fits at a line and a column in bytes: above the marker only, and but for suggestions not in code.
///
/// At most 100 of a kind, so the list is not complete: an editor shall ask again when more is typed.
/// `commented` is the lines that a suggestion would replace; without them none is offered.
pub fn completions(
    text: &str,
    at: (u32, u32),
    people: &People<'_>,
    pull_requests: &[(PullRequestId, String)],
    commented: Option<&[String]>,
) -> Vec<Completion> {
    let body = above(text);
    let lines = Text::new(body);
    if at.0 >= lines.line_count() || body.len() < text.len() && at.0 + 1 == lines.line_count() {
        return Vec::new();
    }
    let caret = lines.offset(Position::new(at.0, at.1), Encoding::Utf8);
    let start = lines.offset(Position::new(at.0, 0), Encoding::Utf8);
    let line = lines.line(at.0).unwrap_or_default();
    let place = Typed { line: at.0, before: &body[start..caret], after: &line[caret - start..] };
    let code = Code::of(body);
    let mut found = Vec::new();
    let in_older_block = code.block_at(caret).is_some_and(|block| block.start < start);
    if let Some(commented) = commented.filter(|_| !in_older_block) {
        found.extend(block(&place, commented));
    }
    if !code.has(caret) && place.before.bytes().filter(|&byte| byte == b'`').count() % 2 == 0 {
        found.extend(mentions(&place, people));
        found.extend(emoji(&place));
        found.extend(numbers(&place, pull_requests));
    }
    for (rank, it) in (0..).zip(&mut found) {
        it.rank = rank;
    }
    found
}

/// The line that is being typed.
struct Typed<'a> {
    line: u32,
    /// Up to the caret.
    before: &'a str,
    /// From there on.
    after: &'a str,
}

impl<'a> Typed<'a> {
    /// What was typed behind a mark that begins a word, and where the mark is.
    fn behind(&self, mark: char) -> Option<(usize, &'a str)> {
        let at = self.before.rfind(mark)?;
        let typed = &self.before[at + mark.len_utf8()..];
        let in_word = self.before[..at]
            .chars()
            .next_back()
            .is_some_and(|before| before.is_alphanumeric() || before == mark);
        let fits =
            typed.len() <= LONGEST && !typed.starts_with(char::is_whitespace) && !typed.ends_with("  ");
        (!in_word && fits).then_some((at, typed))
    }

    fn completion(&self, from: usize, kind: CompletionKind, insert: String) -> Completion {
        let columns = (from as u32, self.before.len() as u32);
        let (label, detail, filter) = (String::new(), String::new(), String::new());
        Completion { line: self.line, columns, label, detail, filter, insert, kind, rank: 0 }
    }
}

/// `@`: participants, then members, whose name or nickname has a word that starts with what was typed.
fn mentions(typed: &Typed<'_>, people: &People<'_>) -> Vec<Completion> {
    let Some((at, query)) = typed.behind('@').filter(|(_, query)| !query.contains('}')) else {
        return Vec::new();
    };
    let (mark, query) = match query.strip_prefix('{') {
        Some(query) => ("@{", query),
        None => ("@", query),
    };
    let closed = usize::from(mark == "@{" && typed.after.starts_with('}')) as u32;
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for (group, detail) in
        [(people.participants, "on this pull request"), (people.members, "in the workspace")]
    {
        let mut matching: Vec<Completion> = Vec::new();
        for user in group {
            let Some(account_id) = user.account_id.as_deref() else { continue };
            let insert = format!("@{{{account_id}}}");
            if mentioned(&insert) != Some(account_id) || seen.contains(account_id) {
                continue;
            }
            let (name, nickname) =
                (plain(&user.display_name, 60), plain(user.nickname.as_deref().unwrap_or_default(), 60));
            let label = if name.is_empty() { nickname.clone() } else { name.clone() };
            let Some(matched) = from_word(&name, query).or_else(|| from_word(&nickname, query)) else {
                continue;
            };
            if label.is_empty() {
                continue;
            }
            seen.insert(account_id);
            let other = Some(&nickname).filter(|nickname| !nickname.is_empty() && **nickname != label);
            let detail = other.map_or(detail.to_owned(), |nickname| format!("{nickname}, {detail}"));
            let mut it = typed.completion(at, CompletionKind::Person, insert);
            it.columns.1 += closed;
            matching.push(Completion {
                label,
                detail,
                filter: format!("{mark}{}", as_typed(matched, query)),
                ..it
            });
        }
        matching.sort_by_cached_key(|it| (it.label.to_lowercase(), it.insert.clone()));
        found.extend(matching);
    }
    found.truncate(MOST);
    found
}

/// `:`: emoji by a word of their names; `:name:` typed in full is offered too.
fn emoji(typed: &Typed<'_>) -> Vec<Completion> {
    let whole = typed.before.strip_suffix(':').and_then(|before| {
        let typed = Typed { before, ..*typed };
        let (at, name) = typed.behind(':')?;
        EMOJI.iter().any(|(known, _)| *known == name).then_some((at, name))
    });
    let Some((at, query)) = whole.or_else(|| typed.behind(':')) else { return Vec::new() };
    let query = query.to_ascii_lowercase();
    let matched = |name: &'static str| match whole {
        Some(_) => Some(name).filter(|name| *name == query),
        None => Some(name).filter(|name| name.starts_with(&query)).or_else(|| from_word(name, &query)),
    };
    let known = EMOJI.iter().filter_map(|(name, character)| Some((matched(name)?, *name, *character)));
    let mut fitting: Vec<(&str, &str, &str)> = known.collect();
    fitting.sort_by_key(|(matched, name, _)| matched != name);
    let completion = |(matched, name, character): (&str, &str, &str)| Completion {
        label: format!("{character} {name}"),
        detail: format!(":{name}:"),
        filter: format!(":{matched}:"),
        ..typed.completion(at, CompletionKind::Emoji, character.to_owned())
    };
    fitting.into_iter().take(MOST).map(completion).collect()
}

/// `#`: pull requests by the start of their number or of a word of their title.
fn numbers(typed: &Typed<'_>, pull_requests: &[(PullRequestId, String)]) -> Vec<Completion> {
    let Some((at, query)) = typed.behind('#') else { return Vec::new() };
    let completion = |(id, title): &(PullRequestId, String)| {
        let title = plain(title, 80);
        let filter = match id.0.to_string().starts_with(query) {
            true => format!("{id} {title}").trim_end().to_owned(),
            false => format!("#{}", as_typed(from_word(&title, query)?, query)),
        };
        let it = typed.completion(at, CompletionKind::PullRequest, id.to_string());
        Some(Completion { label: format!("{id} {title}").trim_end().to_owned(), filter, ..it })
    };
    pull_requests.iter().filter_map(completion).take(MOST).collect()
}

/// A suggestion, where a line is empty or begins with a fence or with the word.
fn block(typed: &Typed<'_>, commented: &[String]) -> Option<Completion> {
    let start = typed.before.trim_start();
    let indentation = typed.before.len() - start.len();
    let word = start.trim_start_matches('`').trim_start();
    let fits =
        indentation < 4 && "suggestion".starts_with(word) && (word.is_empty() || !start.starts_with(' '));
    let rest = typed.after.trim_end();
    if !fits || !rest.trim_start_matches('`').is_empty() {
        return None;
    }
    let ticks = start.len() - start.trim_start_matches('`').len();
    let mut it = typed.completion(0, CompletionKind::Suggestion, suggestion::of_lines(commented));
    it.columns.1 += typed.after.len() as u32;
    Some(Completion {
        label: "suggestion".into(),
        detail: "the commented lines, to be changed".into(),
        filter: format!("{}suggestion", "`".repeat(ticks)),
        ..it
    })
}

/// The text from its first word on that starts with what was typed, in any case.
fn from_word<'a>(text: &'a str, typed: &str) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let mut before = None;
    text.char_indices().find_map(|(at, character)| {
        let starts =
            character.is_alphanumeric() && !before.replace(character).is_some_and(char::is_alphanumeric);
        before = Some(character);
        (starts && text[at..].to_lowercase().starts_with(&typed)).then(|| &text[at..])
    })
}

/// What a text that starts with what was typed is compared by: its start in the letters that were typed, for editors that
/// tell capitals from others.
fn as_typed(text: &str, typed: &str) -> String {
    match text.get(..typed.len()) {
        Some(start) if start.to_lowercase() == typed.to_lowercase() => {
            format!("{typed}{}", &text[typed.len()..])
        }
        _ => text.to_owned(),
    }
}
