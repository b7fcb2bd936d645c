//! What is wrong with a draft, or may not be what the user wants.

use super::Intent;
use super::body::{END, above, marker, normalized};
use super::markup::Code;
use crate::model::{LineRange, Side, Spot, Subject};
use crate::suggestion;
use crate::text::{Encoding, Text};
use crate::view::Severity;
use crate::view::invisible::{is_hidden, one_line};
use crate::view::markdown::{cut_at, mentioned};

/// The longest text that is sent, in bytes. Bitbucket documents no limit; this is ours, and no review needs more.
pub const LONGEST: usize = 32_768;

/// How many problems of one draft are told.
const MOST: usize = 100;

/// How many words a name may have to be recognized behind an `@`.
const NAME_WORDS: usize = 5;

/// What judging a draft needs to know beside its text.
#[derive(Clone)]
pub struct Facts<'a> {
    /// The name of an account, by its id.
    pub mentions: &'a dyn Fn(&str) -> Option<String>,
    /// Whether somebody is called so: display name or nickname, in any case.
    pub is_name: &'a dyn Fn(&str) -> bool,
    /// Whether `mentions` knows everybody who can be mentioned.
    pub people_complete: bool,
    /// The commented lines as the draft shows them; `None` if it is not about lines.
    pub commented: Option<Vec<String>>,
    /// The same lines on screen now; `None` if that is not known.
    pub lines_now: Option<Vec<String>>,
}

/// Something that is wrong with a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The lines that it is on.
    pub lines: LineRange,
    /// Where it starts on the first line and where it ends on the last one, in bytes.
    pub columns: (u32, u32),
    /// How loud.
    pub severity: Severity,
    /// What it is and what to do: one sentence of plain text.
    pub sentence: String,
    /// Whether the draft is not sent like this.
    pub blocks: bool,
}

/// Judges a draft, at most 100 problems in the order of the text; those that keep it from being sent always among them.
///
/// Nothing is ever mended silently: what is sent is what stands there.
pub fn problems(text: &str, intent: &Intent, facts: &Facts<'_>) -> Vec<Problem> {
    let mut found = Found { lines: Text::new(text), problems: Vec::new() };
    let body = above(text);
    if marker(text).is_none() {
        let sentence = format!(
            "The line that says where your text ends is gone: undo, or write it below your text again: {END}"
        );
        let last = text.trim_end().len();
        let start = text[..last].rfind(['\n', '\r']).map_or(0, |at| at + 1);
        found.add(start..last, Severity::Error, true, sentence);
    }
    if one_line(body).is_empty() {
        found.add(
            0..0,
            Severity::Information,
            true,
            "There is no text yet: write it above the marker line.".into(),
        );
    }
    let (length, end) = (normalized(body).len(), body.trim_end().len());
    if length > LONGEST {
        let sentence = format!(
            "The text is too long: {length} bytes, and at most {LONGEST} are sent. Shorten it, or make two of it."
        );
        let start = cut_at(&body[..end], LONGEST).len();
        found.add(start..end, Severity::Error, true, sentence);
    }
    // Of what is far too long, the start is looked at.
    let body = cut_at(body, 2 * LONGEST);
    characters(body, &mut found);
    names(body, facts, &mut found);
    suggestions(body, intent, facts, &mut found);
    found.problems.sort_by_key(|it| (!it.blocks, it.lines.first, it.columns.0));
    found.problems.truncate(MOST);
    found.problems.sort_by_key(|it| (it.lines.first, it.columns.0));
    found.problems
}

struct Found {
    lines: Text,
    problems: Vec<Problem>,
}

impl Found {
    fn add(&mut self, bytes: std::ops::Range<usize>, severity: Severity, blocks: bool, sentence: String) {
        // Enough to choose from; what comes first of what blocks is always among it.
        if self.problems.len() >= if blocks { 20 * MOST } else { 10 * MOST } {
            return;
        }
        let start = self.lines.position(bytes.start, Encoding::Utf8);
        let end = self.lines.position(bytes.end, Encoding::Utf8);
        self.problems.push(Problem {
            lines: LineRange { first: start.line, last: end.line },
            columns: (start.character, end.character),
            severity,
            sentence,
            blocks,
        });
    }
}

/// Characters that nobody sees, a run of one of them at a time.
fn characters(body: &str, found: &mut Found) {
    let mut before = None;
    let mut characters = body.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let after = characters.peek().map(|(_, after)| *after);
        let is_mark = at == 0 && character == '\u{FEFF}';
        if is_mark || matches!(character, '\n' | '\r' | '\t') || !is_hidden(before, character, after) {
            before = Some(character);
            continue;
        }
        let mut end = at + character.len_utf8();
        while let Some((at, same)) = characters.next_if(|(_, next)| *next == character) {
            end = at + same.len_utf8();
        }
        before = None;
        let number = u32::from(character);
        let (severity, blocks, sentence) = match character {
            '\0' => (
                Severity::Error,
                true,
                "A NUL character is in the text, which cannot be sent: delete it.".to_owned(),
            ),
            '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => (
                Severity::Warning,
                false,
                format!(
                    "The invisible character U+{number:04X} changes the direction in which text is read; it is sent as it is."
                ),
            ),
            _ if character.is_control() => (
                Severity::Warning,
                false,
                format!("The control character U+{number:04X} is in the text; it is sent as it is."),
            ),
            _ => (
                Severity::Warning,
                false,
                format!("The invisible character U+{number:04X} is in the text; it is sent as it is."),
            ),
        };
        found.add(at..end, severity, blocks, sentence);
    }
}

/// Mentions that reach nobody.
fn names(body: &str, facts: &Facts<'_>, found: &mut Found) {
    if !body.contains('@') {
        return;
    }
    let code = Code::of(body);
    for (at, _) in body.match_indices('@') {
        let in_word = body[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        if in_word || code.has(at) || code.has(at + 1) {
            continue;
        }
        let rest = &body[at + 1..];
        if let Some(account_id) = mentioned(&body[at..]) {
            if facts.people_complete && (facts.mentions)(account_id).is_none() {
                let sentence =
                    "Nobody here has this account: the mention will reach no one. Type @ and choose a name.";
                found.add(at..at + account_id.len() + 3, Severity::Warning, false, sentence.into());
            }
        } else if rest.starts_with('{') {
            let line = start_of_line(rest);
            let length = line.find('}').map_or(line.trim_end().len(), |end| end + 1);
            let sentence = "This mention is not complete: type @ and choose a name.";
            found.add(at..at + 1 + length, Severity::Warning, false, sentence.into());
        } else if let Some(length) = name_length(rest, facts.is_name) {
            let sentence = "This mentions no one yet: choose the name from the completion, so that Bitbucket knows who is meant.";
            found.add(at..at + 1 + length, Severity::Hint, false, sentence.into());
        }
    }
}

/// What is left of the line, if it is not long.
fn start_of_line(text: &str) -> &str {
    let mut characters = text.char_indices().zip(0..);
    let end = characters.find(|((_, character), n)| matches!(character, '\n' | '\r') || *n == 100);
    &text[..end.map_or(text.len(), |((at, _), _)| at)]
}

/// The length of the longest name at the start of a text, in whole words.
fn name_length(text: &str, is_name: &dyn Fn(&str) -> bool) -> Option<usize> {
    if !text.starts_with(char::is_alphanumeric) {
        return None;
    }
    let line = start_of_line(text);
    let word_end = |(at, character): (usize, char)| {
        let next = line[at + character.len_utf8()..].chars().next();
        let ends = character.is_alphanumeric() && !next.is_some_and(char::is_alphanumeric);
        ends.then_some(at + character.len_utf8())
    };
    let ends: Vec<usize> = line.char_indices().filter_map(word_end).take(NAME_WORDS).collect();
    ends.into_iter().rev().find(|&end| is_name(&line[..end]))
}

/// Suggestions that cannot be shown, or say nothing new.
fn suggestions(body: &str, intent: &Intent, facts: &Facts<'_>, found: &mut Found) {
    let is_on_new_lines = match intent {
        Intent::Comment(Subject::Code { spot, .. }) => matches!(spot, Spot::Lines(Side::To, _)),
        Intent::Comment(Subject::Comment(_)) | Intent::Edit { .. } => facts.commented.is_some(),
        Intent::Comment(Subject::PullRequest) | Intent::Task { .. } | Intent::EditTask { .. } => false,
    };
    for (suggestion, bytes) in suggestion::find_with_places(body) {
        let bytes = bytes.start..bytes.start + body[bytes].trim_end().len();
        let same = |one: &[String], other: &[String]| {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| one.trim_end_matches('\r') == other.trim_end_matches('\r'))
        };
        if !is_on_new_lines {
            let sentence = "Bitbucket shows a suggestion only in a comment on lines of the new file; here it stays a block of code.";
            found.add(bytes, Severity::Warning, false, sentence.into());
            continue;
        }
        let Some(commented) = &facts.commented else { continue };
        if facts.lines_now.as_ref().is_some_and(|now| !same(now, commented)) {
            let sentence = "The lines that this suggestion replaces were changed since: compare it with them before you send it.";
            found.add(bytes.clone(), Severity::Warning, false, sentence.into());
        }
        if same(&suggestion.replacement, commented) {
            let sentence = "This suggestion changes nothing yet: write in it what the lines shall become.";
            found.add(bytes, Severity::Hint, false, sentence.into());
        }
    }
}
