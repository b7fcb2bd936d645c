//! A new draft document: the text to begin with, the marker, and below it what it is about.

use super::Intent;
use super::body::{END, is_marker, with_body};
use crate::model::{LineRange, PullRequestId, Side, Spot, Subject};
use crate::suggestion;
use crate::view::markdown::{Names, Surroundings, code, code_block, quote, safe, text};
use crate::view::words::{PATH, lines as line_words};

/// The last words of each draft.
pub(super) const HOW_TO_SEND: &str = "To send it: the lens or the action “Send”, or the command “Bitbucket: Send Draft”. Saving alone sends nothing.";

/// What stands in a new draft, and below its end marker. All texts are taken as hostile.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// What the draft becomes.
    pub intent: &'a Intent,
    /// The pull request's number and title.
    pub pull_request: (PullRequestId, &'a str),
    /// Who wrote what is answered or edited (the name as shown, `You` for the reader), and the raw text.
    pub quoted: Option<(String, String)>,
    /// Names for the mentions in the quoted text.
    pub names: Option<&'a Names>,
    /// The lines that it is about.
    pub code: Option<Code>,
    /// The text to begin with; may be empty.
    pub body: String,
    /// Sentences that the user must know, such as that a line exists only on this computer.
    pub remarks: Vec<String>,
}

/// Lines that a draft is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Path in the repository.
    pub path: String,
    /// Which lines, 0-based.
    pub lines: LineRange,
    /// Of which side.
    pub side: Side,
    /// What is on them, without line ends.
    pub text: Vec<String>,
    /// The language for the fence; by the path's ending if `None`.
    pub language: Option<String>,
}

/// A new draft document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The text, with `\n` for line ends.
    pub text: String,
    /// Where to type: a line, and a column in bytes.
    pub caret: (u32, u32),
}

/// Writes a draft document: the body, the marker line, what it is about, and how to send it.
///
/// The caret stands at the body's end, in a new suggestion on its first line behind the indentation.
/// Below the marker no line is one again, whatever the page has in it.
pub fn write(page: &Page<'_>) -> Written {
    let mut parts = vec![about(page)];
    if !page.remarks.is_empty() {
        let remarks = page.remarks.iter().map(|remark| format!("- {}", text(remark, 500)));
        parts.push(remarks.collect::<Vec<_>>().join("\n"));
    }
    if let Some((_, raw)) = &page.quoted {
        let quoted = safe(raw, &Surroundings { names: page.names, ..Surroundings::default() });
        parts.push(if quoted.is_empty() { "> *(no text)*".into() } else { quote(&quoted) });
    }
    if let Some(code) = &page.code {
        // The first line says already where it is, unless the draft is about something else.
        let is_said = matches!(page.intent, Intent::Comment(Subject::Code { path, spot: Spot::Lines(side, lines) })
            if (path, side, lines) == (&code.path, &code.side, &code.lines));
        parts.extend(Some(format!("{}:", place(&code.path, code.side, code.lines))).filter(|_| !is_said));
        parts.push(fenced(code));
    }
    parts.push(HOW_TO_SEND.into());
    let text = with_body(&format!("{END}\n\n{}\n", without_markers(&parts.join("\n\n"))), &page.body);
    Written { caret: caret(page.intent, &page.body), text }
}

/// `Reply to Ana in pull request #12 “title”`.
fn about(page: &Page<'_>) -> String {
    let whose = match page.quoted.as_ref().map(|(name, _)| text(name, 60)) {
        Some(name) if name == "You" => "your comment".into(),
        Some(name) => format!("{name}’s comment"),
        None => "a comment".into(),
    };
    let what = match page.intent {
        Intent::Comment(Subject::PullRequest) => "New comment".into(),
        Intent::Comment(Subject::Comment(_)) => match &page.quoted {
            Some((name, _)) if name != "You" => format!("Reply to {}", text(name, 60)),
            _ => format!("Reply to {whose}"),
        },
        Intent::Comment(Subject::Code { path, spot: Spot::Lines(side, lines) }) => {
            format!("New comment on {},", place(path, *side, *lines))
        }
        Intent::Comment(Subject::Code { path, spot: Spot::File }) => {
            format!("New comment on the file {}", code(path, PATH))
        }
        Intent::Edit { .. } => "Edit of your comment".into(),
        Intent::Task { comment: Some(_) } => format!("Task on {whose}"),
        Intent::Task { comment: None } => "Task".into(),
        Intent::EditTask { .. } => "Edit of a task".into(),
    };
    let (id, title) = page.pull_request;
    format!("{what} in pull request {id} “{}”", text(title, 200))
}

/// `` `src/a.rs`, lines 4–6 ``.
fn place(path: &str, side: Side, lines: LineRange) -> String {
    let removed = if side == Side::From { "removed " } else { "" };
    format!("{}, {removed}{}", code(path, PATH), line_words(lines))
}

fn fenced(code: &Code) -> String {
    let ending = code.path.rsplit(['/', '.']).next().unwrap_or_default();
    code_block(&code.text.join("\n"), code.language.as_deref().unwrap_or(ending))
}

/// A blank makes a marker, as a commented file may have it, an ordinary line.
fn without_markers(below: &str) -> String {
    let lines =
        below.split('\n').map(|line| if is_marker(line) { format!(" {line}") } else { line.to_owned() });
    lines.collect::<Vec<_>>().join("\n")
}

fn caret(intent: &Intent, body: &str) -> (u32, u32) {
    let lines: Vec<&str> = body.trim_end().split('\n').collect();
    let at = |line: usize, column: usize| (line as u32, column as u32);
    if matches!(intent, Intent::Comment(_))
        && let Some(fence) = lines.iter().position(|line| suggestion::opens(line))
        && let Some(line) = lines.get(fence + 1)
    {
        let is_text = fence + 2 < lines.len();
        let indentation = if is_text { line.len() - line.trim_start().len() } else { 0 };
        return at(fence + 1, indentation);
    }
    at(lines.len() - 1, lines[lines.len() - 1].len())
}
