//! The titles of code actions on a thread.

use super::{Reader, words};
use crate::thread::Thread;

/// What can be done with a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ThreadAction {
    /// Show it in full, as a document.
    Show,
    /// Show it on the web.
    OpenInBrowser,
    /// Put its web address on the clipboard, or show it.
    CopyLink,
}

impl ThreadAction {
    /// The title: what it does, and to which thread, since a line may have several. One line of plain text.
    pub fn title(self, thread: &Thread, reader: &Reader<'_>) -> String {
        let verb = match self {
            Self::Show => "Show thread",
            Self::OpenInBrowser => "Open in browser",
            Self::CopyLink => "Copy link",
        };
        format!("Bitbucket: {verb} ({})", words::headline(thread, reader, 40))
    }
}
