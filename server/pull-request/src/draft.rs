//! Texts that are still to be sent: what stands in a draft document, what of it is sent, and what helps to write it.
//!
//! A draft is Markdown with a marker line, [`END`]: what is above it is sent, what is below says what it answers and how to send it.
//! Lines are LSP's, ended by `\n`, `\r\n` or a lone `\r`, and columns count bytes.
//! It must not know where drafts are kept, nor how they are sent.

mod body;
mod completion;
mod emoji;
mod markup;
mod mentions;
mod page;
mod problems;

pub use self::body::{END, body, with_body};
pub use self::completion::{Completion, CompletionKind, People, completions};
pub use self::mentions::{Mention, mentions};
pub use self::page::{Code, Page, Written, write};
pub use self::problems::{Facts, LONGEST, Problem, problems};

use crate::model::{CommentId, Subject, TaskId};

/// What a draft becomes when it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Intent {
    /// A new comment, or a reply to one.
    Comment(Subject),
    /// A new text for a comment.
    Edit {
        /// Which.
        comment: CommentId,
        /// Its raw text when the edit was begun.
        before: String,
    },
    /// A new task.
    Task {
        /// The comment that it hangs on; `None` for one of the pull request itself.
        comment: Option<CommentId>,
    },
    /// A new text for a task.
    EditTask {
        /// Which.
        task: TaskId,
        /// Its raw text when the edit was begun.
        before: String,
    },
}

#[cfg(test)]
mod tests;
