//! Bodies of requests as Bitbucket Cloud wants them.
//!
//! Here 0-based lines become 1-based. Text goes out as it comes in.
//! It must not know where they are sent.

use pull_request::model::{CommentId, LineRange, Side, Spot, Subject};
use serde::Serialize;

/// A comment that is new, or one's new text.
#[derive(Serialize)]
pub(crate) struct Comment<'a> {
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inline: Option<Inline<'a>>,
}

/// A task that is new, or one's new text and state.
#[derive(Serialize)]
pub(crate) struct Task<'a> {
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
}

#[derive(Serialize)]
struct Content<'a> {
    raw: &'a str,
}

#[derive(Serialize)]
struct Reference {
    id: u64,
}

/// The plain members are the last line, `start_*` the first; without lines it is the file.
#[derive(Default, Serialize)]
struct Inline<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_from: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_to: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<u64>,
}

impl<'a> Comment<'a> {
    /// A new one. An answer has no place of its own: Bitbucket gives it that of what it answers.
    pub(crate) fn new(subject: &'a Subject, raw: &'a str) -> Self {
        let (parent, inline) = match subject {
            Subject::PullRequest => (None, None),
            Subject::Comment(id) => (Some(Reference { id: id.0 }), None),
            Subject::Code { path, spot } => (None, Some(Inline::at(path, *spot))),
        };
        Self { content: Content { raw }, parent, inline }
    }

    /// A new text.
    pub(crate) fn edited(raw: &'a str) -> Self {
        Self { content: Content { raw }, parent: None, inline: None }
    }
}

impl<'a> Task<'a> {
    /// A new one, of a comment or of the pull request.
    pub(crate) fn new(comment: Option<CommentId>, raw: &'a str) -> Self {
        let comment = comment.map(|id| Reference { id: id.0 });
        Self { content: Content { raw }, comment, state: None }
    }

    /// A new text and state; Bitbucket wants both, whichever changes.
    pub(crate) fn edited(raw: &'a str, resolved: bool) -> Self {
        let state = if resolved { "RESOLVED" } else { "UNRESOLVED" };
        Self { content: Content { raw }, comment: None, state: Some(state) }
    }
}

impl<'a> Inline<'a> {
    fn at(path: &'a str, spot: Spot) -> Self {
        let file = Self { path, ..Self::default() };
        match spot {
            Spot::File => file,
            Spot::Lines(Side::To, lines) => {
                let (start_to, to) = ends(lines);
                Self { start_to, to, ..file }
            }
            Spot::Lines(Side::From, lines) => {
                let (start_from, from) = ends(lines);
                Self { start_from, from, ..file }
            }
        }
    }
}

/// The first line, if there are several, and the last; from 1.
fn ends(lines: LineRange) -> (Option<u64>, Option<u64>) {
    let LineRange { first, last } = LineRange::new(lines.first, lines.last);
    let number = |line: u32| u64::from(line) + 1;
    ((first != last).then(|| number(first)), Some(number(last)))
}
