//! What is written on a pull request, as the simulator keeps it: for tests that ask what became of what was sent.

use serde::Serialize;

use crate::world::{Comment, Inline, PullRequest, Task};

/// A comment. People are named by the scenario's word for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WrittenComment {
    /// Its id.
    pub id: u64,
    /// Who wrote it.
    pub author: String,
    /// The raw text; empty once it is deleted.
    pub raw: String,
    /// The texts that it had before, oldest first; a deleted one's last text is the last of them.
    pub edits: Vec<String>,
    /// The comment that it answers.
    pub parent: Option<u64>,
    /// Where it stands; `None` for a general one.
    pub inline: Option<WrittenInline>,
    /// Who resolved the thread that it starts.
    pub resolved_by: Option<String>,
    /// Whether it is deleted.
    pub deleted: bool,
    /// Whether it is not published yet.
    pub pending: bool,
}

/// Where a comment stands: lines from 1, the last one included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WrittenInline {
    /// The file.
    pub path: String,
    /// Last line on the old side.
    pub from: Option<u32>,
    /// Last line on the new side.
    pub to: Option<u32>,
    /// First line on the old side, of several.
    pub start_from: Option<u32>,
    /// First line on the new side, of several.
    pub start_to: Option<u32>,
    /// The source's head when it was written; a whole hash.
    pub source: String,
    /// The destination's.
    pub destination: String,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WrittenTask {
    /// Its id.
    pub id: u64,
    /// Who wrote it.
    pub author: String,
    /// The raw text.
    pub raw: String,
    /// The texts that it had before, oldest first.
    pub edits: Vec<String>,
    /// The comment that it hangs on.
    pub comment: Option<u64>,
    /// Who marked it as done.
    pub resolved_by: Option<String>,
}

/// The comments of a pull request with greater ids than this one.
pub(crate) fn comments(pull_request: &PullRequest, after: u64) -> Vec<WrittenComment> {
    let start = pull_request.comments.partition_point(|comment| comment.id <= after);
    pull_request.comments[start..].iter().map(comment).collect()
}

/// The tasks of a pull request.
pub(crate) fn tasks(pull_request: &PullRequest) -> Vec<WrittenTask> {
    pull_request.tasks.iter().map(task).collect()
}

fn comment(comment: &Comment) -> WrittenComment {
    WrittenComment {
        id: comment.id,
        author: comment.author.clone(),
        raw: comment.text.clone(),
        edits: comment.edits.clone(),
        parent: comment.parent,
        inline: comment.inline.as_ref().map(inline),
        resolved_by: comment.resolution.as_ref().map(|resolution| resolution.user.clone()),
        deleted: comment.deleted,
        pending: comment.pending,
    }
}

fn inline(inline: &Inline) -> WrittenInline {
    let Inline { path, from, to, start_from, start_to, source, destination } = inline.clone();
    WrittenInline { path, from, to, start_from, start_to, source, destination }
}

fn task(task: &Task) -> WrittenTask {
    WrittenTask {
        id: task.id,
        author: task.author.clone(),
        raw: task.text.clone(),
        edits: task.edits.clone(),
        comment: task.comment,
        resolved_by: task.resolved.as_ref().map(|(user, _)| user.clone()),
    }
}
