//! What the session answers to the editor's questions, in plain data; `to_lsp` turns it into LSP.
//! Symbols of our own documents are the core's (`pull_request::view::document::Symbol`).

use crate::protocol::Call;
pub use pull_request::draft::CompletionKind;
use pull_request::model::LineRange;
use pull_request::view::Severity;

/// A hover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoverAnswer {
    /// Safe Markdown.
    pub markdown: String,
    /// The commented lines.
    pub lines: LineRange,
    /// Columns after the end of the last line.
    pub end: u32,
}

/// A code lens, over a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lens {
    /// 0-based.
    pub line: u32,
    /// Plain text.
    pub title: String,
    /// What a click does.
    pub call: Call,
}

/// A code action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Plain text.
    pub title: String,
    /// What it does.
    pub call: Call,
    /// It mends what a diagnostic tells of.
    pub is_fix: bool,
}

/// Whole lines of a document and what stands there instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineEdit {
    /// Where it starts: line and column in the client's encoding.
    pub start: (u32, u32),
    /// Line and column after its end.
    pub end: (u32, u32),
    /// The new text.
    pub text: String,
}

/// Something to complete a word with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// What kind of thing.
    pub kind: CompletionKind,
    /// Plain text.
    pub label: String,
    /// Plain text beside it.
    pub detail: String,
    /// What is typed to find it.
    pub filter: String,
    /// Where it stands in the list.
    pub rank: u32,
    /// What it replaces: line, first and after-last column in the client's encoding.
    pub replaces: (u32, u32, u32),
    /// What is inserted.
    pub insert: String,
}

/// An inlay hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inlay {
    /// 0-based.
    pub line: u32,
    /// Columns, in the client's encoding.
    pub character: u32,
    /// Plain text.
    pub label: String,
}

/// A link in one of our own documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// 0-based.
    pub line: u32,
    /// First and after-last column, in the client's encoding.
    pub columns: (u32, u32),
    /// https or file URI.
    pub target: String,
}

/// A diagnostic, with columns in the client's encoding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// First line and column.
    pub start: (u32, u32),
    /// Line and column after the end.
    pub end: (u32, u32),
    /// Severity.
    pub severity: Severity,
    /// Tagged as unnecessary: outdated.
    pub unnecessary: bool,
    /// Plain text.
    pub message: String,
    /// Short code, shown as a link where there is one.
    pub code: String,
    /// The thread on Bitbucket.
    pub link: Option<String>,
    /// Replies: plain text each, at the same place.
    pub related: Vec<String>,
    /// Which thread; none in a draft.
    pub thread: Option<u64>,
}
