//! The titles of code actions on a thread, on its comments and on its tasks: one line of plain text each.

use super::markdown::{Surroundings, gist};
use super::{Reader, words};
use crate::model::{Comment, Task};
use crate::thread::Thread;

/// How much of a comment or a task a title quotes.
const WORDS: usize = 40;

/// What can be done with a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ThreadAction {
    /// Answer it.
    Reply,
    /// Say that it is settled.
    Resolve,
    /// The same, and on to the next open one.
    ResolveAndNext,
    /// Take that back.
    Reopen,
    /// Add something to be done.
    AddTask,
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
            Self::Reply => "Bitbucket: Reply",
            Self::Resolve => "Bitbucket: Resolve thread",
            Self::ResolveAndNext => "Bitbucket: Resolve thread and go to next",
            Self::Reopen => "Bitbucket: Reopen thread",
            Self::AddTask => "Bitbucket: Add task",
            Self::Show => "Bitbucket: Show thread",
            Self::OpenInBrowser => "Bitbucket: Open in browser",
            Self::CopyLink => "Bitbucket: Copy link",
        }
    }

    /// The title: what it does, and to which thread, since a line may have several.
    pub fn title(self, thread: &Thread, reader: &Reader<'_>) -> String {
        format!("{} ({})", self.short_title(), words::headline(thread, reader, WORDS))
    }
}

/// What can be done with one comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommentAction {
    /// Write it anew.
    Edit,
    /// Delete it.
    Delete,
    /// Put what it suggests into the code.
    ApplySuggestion {
        /// Which of its suggestions, from 1 on.
        number: usize,
        /// How many it has.
        of: usize,
    },
}

impl CommentAction {
    /// The title where only one comment can be meant.
    pub fn short_title(self) -> String {
        match self {
            Self::Edit => "Bitbucket: Edit comment".into(),
            Self::Delete => "Bitbucket: Delete comment".into(),
            Self::ApplySuggestion { of: 0 | 1, .. } => "Bitbucket: Apply suggestion".into(),
            Self::ApplySuggestion { number, of } => format!("Bitbucket: Apply suggestion {number} of {of}"),
        }
    }

    /// The title: what it does, and to which comment.
    pub fn title(self, comment: &Comment, reader: &Reader<'_>) -> String {
        let who = reader.name(comment.author.as_ref());
        format!("{} ({who}: {})", self.short_title(), reader.gist(comment, WORDS))
    }
}

/// What can be done with a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskAction {
    /// Say that it is done.
    Complete,
    /// Take that back.
    Reopen,
    /// Write it anew.
    Edit,
    /// Delete it.
    Delete,
}

impl TaskAction {
    /// The title where only one task can be meant.
    pub fn short_title(self) -> &'static str {
        match self {
            Self::Complete => "Bitbucket: Complete task",
            Self::Reopen => "Bitbucket: Reopen task",
            Self::Edit => "Bitbucket: Edit task",
            Self::Delete => "Bitbucket: Delete task",
        }
    }

    /// The title: what it does, and to which task.
    pub fn title(self, task: &Task, reader: &Reader<'_>) -> String {
        let surroundings = Surroundings { names: Some(reader.names), ..Surroundings::default() };
        let words = gist(&task.raw, &surroundings, WORDS);
        let words = if words.is_empty() { "(no text)".into() } else { words };
        format!("{} ({words})", self.short_title())
    }
}
