//! What can go wrong with a draft on disk.

use std::io;
use std::path::Path;

/// Why something was not done; a sentence for the user. What was there before is still there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such draft, or it was posted or discarded.
    #[error("This draft is no longer there. Show Drafts lists those that are.")]
    Gone,
    /// Another window, or another command, is sending this draft or one with the same text for the same place.
    #[error("Another window is sending this draft. Wait a moment and try again.")]
    Busy,
    /// It was posted already, as this comment or task.
    #[error("This draft was posted already, as #{0}.")]
    Posted(u64),
    /// What the user chose belongs to another draft.
    #[error("#{0} was posted from another draft. Send this one again if it is missing.")]
    Taken(u64),
    /// The disk is full, may not be written to, or is broken.
    #[error(
        "{path} cannot be used ({detail}). Put that right and try again; your text is still in the editor."
    )]
    Disk {
        /// The file or folder.
        path: String,
        /// What the system said.
        detail: String,
    },
}

impl Error {
    pub(crate) fn disk(path: &Path, error: &io::Error) -> Self {
        let detail = error.to_string();
        Self::Disk {
            path: path.display().to_string(),
            detail: detail.lines().next().unwrap_or_default().into(),
        }
    }
}

/// Does something with a file or folder; says which one it was if that fails.
pub(crate) fn on_disk<T>(path: &Path, act: impl FnOnce(&Path) -> io::Result<T>) -> Result<T, Error> {
    act(path).map_err(|error| Error::disk(path, &error))
}
