//! What tests and the program `outbox` tell each other: a line of JSON each.

use serde::{Deserialize, Serialize};

/// What the program is to do in a folder of drafts. It comes on standard input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Orders {
    /// The folder.
    pub folder: String,
    /// What to do.
    pub work: Work,
}

/// What to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Work {
    /// Write these as a user does, then send them side by side.
    Write(Vec<Plan>),
    /// After a death: tell what is there and bring it to its end, of these drafts too, as an honest user does.
    Finish(Vec<String>),
    /// Write and send these, so many side by side, until each is posted.
    Post(Vec<Plan>, usize),
    /// Try all that needs a disk.
    TryDisk(Plan),
}

/// A text that is to be written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// What it begins with; twins have the same.
    pub word: String,
    /// How often it is changed before it is sent.
    pub changes: u32,
    /// The file that it is about, not the pull request as a whole.
    pub file: Option<String>,
}

impl Plan {
    /// The text after so many changes.
    #[must_use]
    pub fn text(&self, changes: u32) -> String {
        format!("{} version {changes}", self.word)
    }
}

/// What the program says, on standard output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Said {
    /// This text is on disk.
    Kept {
        /// The draft.
        id: String,
        /// Its text.
        text: String,
    },
    /// A draft that it found.
    Found {
        /// The draft.
        id: String,
        /// Its text.
        text: String,
        /// What it was posted as, if it was.
        posted: Option<u64>,
        /// Whether its record says what it is about.
        known: bool,
        /// Whether it may have been posted.
        unknown: bool,
    },
    /// Something is there.
    Posted {
        /// The draft.
        id: String,
        /// As what.
        number: u64,
    },
    /// It certainly is not there.
    Rejected {
        /// The draft.
        id: String,
    },
    /// It may be there, and could be looked for or not.
    Unknown {
        /// The draft.
        id: String,
        /// Whether it could be looked for.
        looked: bool,
    },
    /// The disk was at fault.
    Disk {
        /// The draft, if there was one.
        id: Option<String>,
        /// What the user is told.
        sentence: String,
    },
    /// All is done.
    Done,
}
