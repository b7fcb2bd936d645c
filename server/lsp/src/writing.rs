//! What is written, as plain data between session and worker: drafts, what becomes of them, and changes without a text.
//!
//! It must not know how a draft is kept, nor how anything is sent.

use crate::event::{Problem, RepositoryId};
use pull_request::draft::Intent;
use pull_request::model::{
    Comment, CommentId, CommitHash, End, PullRequestId, RepositoryName, Resolution, Side, Subject, Task,
    TaskId, Timestamp,
};
use pull_request::model::{LineRange, Spot};
use pull_request::text::Text;
use std::path::PathBuf;

/// Something that is being written, by a number of the session's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId(pub u64);

/// A draft on disk: the name of its file without the extension.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DraftName(pub String);

/// What a draft is about; it is kept beside the draft's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The repository that the pull request is in.
    pub repository: RepositoryName,
    /// The pull request.
    pub pull_request: PullRequestId,
    /// Its title when the draft was begun; hostile until made safe.
    pub title: String,
    /// The id of the account that it was begun with.
    pub account: String,
    /// The work tree that it was begun in: an editor may show the draft by another server, which does not know it.
    pub root: PathBuf,
    /// What it becomes.
    pub intent: Intent,
    /// For a comment on code: the commits that its lines are counted on.
    pub base: Option<Base>,
}

/// The version of a pull request that the lines of a new comment are counted on, and what they say there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Head of the source.
    pub source: CommitHash,
    /// Head of the destination: the old side is the file at the merge base of the two.
    pub destination: Option<CommitHash>,
    /// The lines, without line ends; none for a whole file.
    pub lines: Vec<String>,
}

/// A draft as it is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftFile {
    /// Its name.
    pub name: DraftName,
    /// Its file.
    pub path: PathBuf,
    /// What it is about; `None` where that is lost, or is of a later version of this program.
    pub about: Option<About>,
    /// How far it came.
    pub state: DraftState,
    /// When it was written last.
    pub changed: Timestamp,
    /// The file's whole text.
    pub text: String,
}

/// How far a draft came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DraftState {
    /// Not sent.
    Draft,
    /// On its way, sent by this process or by another one.
    Sending,
    /// Bitbucket refused it, in a sentence.
    Rejected(String),
    /// Bitbucket may have it, in a sentence.
    Unknown(String),
}

/// Where a comment on code is to be placed.
#[derive(Clone, Debug)]
pub struct Anchoring {
    /// Names the wish.
    pub id: WriteId,
    /// Which repository.
    pub repository: RepositoryId,
    /// On Bitbucket.
    pub name: RepositoryName,
    /// The source's end of the pull request.
    pub source: End,
    /// The destination's end.
    pub destination: End,
    /// The commit of HEAD.
    pub head: Option<String>,
    /// Path in the work tree.
    pub path: String,
    /// The document's text; `None`: as on disk.
    pub text: Option<Text>,
    /// LSP lines of the document; `None`: the whole file.
    pub lines: Option<LineRange>,
    /// The lines as they are, or those that were removed there.
    pub side: Side,
}

/// Where a comment can be placed in the pull request's present version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchored {
    /// Where: on code, or on the pull request where it does not have the file.
    pub subject: Subject,
    /// The version that the lines are counted on; `None` for the pull request as a whole.
    pub base: Option<Base>,
    /// Lines of the document that the pull request does not have, without line ends.
    pub local: Vec<String>,
    /// What the user must know of it, in sentences.
    pub remarks: Vec<String>,
}

/// What became of sending a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The draft, where there still is one.
    pub draft: Option<DraftFile>,
    /// What the user must know beside how it ended: where text is that was written after it was sent.
    pub remark: Option<String>,
    /// How it ended.
    pub ending: Ending,
}

/// How sending a text ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Bitbucket has it: as its answer or a later look showed it.
    Posted(Option<Posted>),
    /// It certainly does not have it.
    Refused(Problem),
    /// It may have it.
    Unknown {
        /// Why that is not known.
        sentence: String,
        /// It was looked for, and not found.
        looked: bool,
    },
    /// Another process is sending it, or one of the same text; a sentence.
    Elsewhere(String),
    /// It could not be kept on disk, so it was not sent; a sentence.
    NotKept(String),
    /// New commits changed the lines that it is about: where it could go now, and a sentence. Nothing was sent.
    Moved(Box<About>, String),
}

/// What Bitbucket has of a text now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posted {
    /// A comment.
    Comment(Box<Comment>),
    /// A task.
    Task(Task),
}

/// A change that needs no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Resolve the thread of this first comment.
    Resolve(CommentId),
    /// Take its resolution back.
    Reopen(CommentId),
    /// Delete a comment.
    DeleteComment(CommentId),
    /// Complete a task or open it again; Bitbucket wants its text too.
    SetTask {
        /// Which.
        task: TaskId,
        /// Its text.
        raw: String,
        /// Done.
        resolved: bool,
    },
    /// Delete a task.
    DeleteTask(TaskId),
}

/// What came of a change: for a resolution, who and when.
pub type Changed = Result<Option<Resolution>, Problem>;

/// Lines of a subject's code.
pub fn lines_of(subject: &Subject) -> Option<(Side, LineRange)> {
    match subject {
        Subject::Code { spot: Spot::Lines(side, lines), .. } => Some((*side, *lines)),
        _ => None,
    }
}
