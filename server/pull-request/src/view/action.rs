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
    /// The title where only one thread can be meant: what it does.
    pub fn short_title(self) -> &'static str {
        match self {
            Self::Show => "Bitbucket: Show thread",
            Self::OpenInBrowser => "Bitbucket: Open in browser",
            Self::CopyLink => "Bitbucket: Copy link",
        }
    }

    /// The title: what it does, and to which thread, since a line may have several. One line of plain text.
    pub fn title(self, thread: &Thread, reader: &Reader<'_>) -> String {
        format!("{} ({})", self.short_title(), words::headline(thread, reader, 40))
    }
}
