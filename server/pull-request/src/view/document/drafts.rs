//! The list of what the user has written and not yet sent.

use super::builder::Builder;
use super::{Document, Reader, plain, status, text, words};
use crate::model::Timestamp;

/// What became of a draft so far. The sentences may quote Bitbucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DraftState {
    /// Not sent yet.
    Draft,
    /// On its way.
    Sending,
    /// On its way by another server.
    SendingElsewhere,
    /// Bitbucket refused it: why.
    Rejected(String),
    /// It may have arrived or not: why nobody knows.
    Unknown(String),
}

/// A draft as the list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftRow {
    /// Its name in the journal.
    pub id: String,
    /// What it is, such as `Reply to Ana in #12`.
    pub title: String,
    /// What became of it.
    pub state: DraftState,
    /// When it was written on last.
    pub changed: Timestamp,
    /// How it begins; may be empty.
    pub first_words: String,
}

/// The list of drafts, and which line is which.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Drafts {
    /// The list.
    pub document: Document,
    /// Lines with the id of the draft that each stands for, in the order of lines.
    pub rows: Vec<(u32, String)>,
}

impl Drafts {
    /// The draft that a line stands for.
    pub fn at(&self, line: u32) -> Option<&str> {
        self.rows.iter().find(|(row, _)| *row == line).map(|(_, id)| id.as_str())
    }
}

/// All drafts in the order given, one line each.
pub fn drafts(drafts: &[DraftRow], reader: &Reader<'_>) -> Drafts {
    let mut builder = Builder::default();
    let mut rows = Vec::new();
    let count = words::count(drafts.len(), "draft", "drafts");
    builder.begin("Drafts", &count);
    builder.push("# Drafts");
    builder.push("");
    if drafts.is_empty() {
        builder.push("There are no drafts: nothing waits to be sent.");
    }
    for draft in drafts {
        let title = plain(&draft.title, 200);
        let title = if title.is_empty() { "(no title)".to_owned() } else { title };
        let state = plain(&state(&draft.state), 300);
        let mut parts = vec![format!("**{}**", text(&title, 200)), text(&state, 300)];
        parts.push(status::age(reader.now, draft.changed));
        parts.extend(Some(text(&draft.first_words, 100)).filter(|words| !words.is_empty()));
        rows.push((builder.line(), draft.id.clone()));
        builder.begin(&title, &state);
        builder.push_row(&format!("- {}", parts.join(" · ")), None);
        builder.end();
    }
    builder.end();
    Drafts { document: builder.finish(), rows }
}

fn state(state: &DraftState) -> String {
    match state {
        DraftState::Draft => "not sent".into(),
        DraftState::Sending => "being sent".into(),
        DraftState::SendingElsewhere => "being sent by another editor".into(),
        DraftState::Rejected(why) => format!("refused: {why}"),
        DraftState::Unknown(why) => format!("perhaps sent: {why}"),
    }
}
