//! What other people do while a test looks on: handles on a pull request and on a repository.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::scenario::{self, Comment, Status, Task};
use crate::simulator::Shared;
use crate::world::{Vote, World};
use crate::written::{self, WrittenComment, WrittenTask};

/// What other people do to a pull request. People are named by the scenario's word for them.
///
/// Errors: if there is no such repository, pull request, comment, task or user.
pub struct PullRequestHandle<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) repository: String,
    pub(crate) id: u64,
}

/// What other people do to a repository.
///
/// Errors: if there is no such repository or commit, or git fails.
pub struct RepositoryHandle<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) name: String,
}

#[expect(clippy::missing_errors_doc, reason = "said once for the type")]
impl PullRequestHandle<'_> {
    /// Adds a comment and returns its id. Without a date it is a second after what happened last.
    pub fn add_comment(&self, comment: &Comment) -> Result<u64> {
        let mut world = self.shared.write();
        let on = date(&mut world, comment.date.as_deref())?;
        world.add_comment(&self.repository, self.id, comment, on)
    }

    /// The id of the comment that the scenario calls by a name.
    pub fn comment_id(&self, name: &str) -> Result<u64> {
        let world = self.shared.write();
        let pull_request = world.pull_request(&self.repository, self.id).context("no such pull request")?;
        let found = pull_request.comments.iter().find(|comment| comment.name.as_deref() == Some(name));
        found.map(|comment| comment.id).with_context(|| format!("there is no comment {name:?}"))
    }

    /// Deletes a comment; it stays in lists without its text, and no date moves.
    pub fn delete_comment(&self, comment: u64) -> Result<()> {
        self.shared.write().delete_comment(&self.repository, self.id, comment)
    }

    /// Changes a comment's text.
    pub fn edit_comment(&self, comment: u64, text: &str) -> Result<()> {
        self.shared.write().edit_comment(&self.repository, self.id, comment, text)
    }

    /// Resolves the thread that a comment starts.
    pub fn resolve(&self, comment: u64, by: &str) -> Result<()> {
        self.shared.write().resolve(&self.repository, self.id, comment, Some(by))
    }

    /// Reopens the thread that a comment starts.
    pub fn reopen(&self, comment: u64) -> Result<()> {
        self.shared.write().resolve(&self.repository, self.id, comment, None)
    }

    /// Adds a task and returns its id.
    pub fn add_task(&self, task: &Task) -> Result<u64> {
        let mut world = self.shared.write();
        let on = date(&mut world, task.date.as_deref())?;
        world.add_task(&self.repository, self.id, task, on)
    }

    /// Changes a task's text.
    pub fn edit_task(&self, task: u64, text: &str) -> Result<()> {
        self.shared.write().edit_task(&self.repository, self.id, task, text)
    }

    /// Deletes a task; nothing is left of it.
    pub fn delete_task(&self, task: u64) -> Result<()> {
        self.shared.write().delete_task(&self.repository, self.id, task)
    }

    /// Refuses all that is written on it with a 403 (`true`), or takes it again.
    pub fn lock(&self, locked: bool) -> Result<()> {
        self.shared.write().lock(&self.repository, self.id, locked)
    }

    /// All comments, in the order of their ids.
    pub fn comments(&self) -> Result<Vec<WrittenComment>> {
        self.comments_after(0)
    }

    /// The comments with greater ids than this one.
    pub fn comments_after(&self, id: u64) -> Result<Vec<WrittenComment>> {
        let world = self.shared.read();
        let pull_request = world.pull_request(&self.repository, self.id).context("no such pull request")?;
        Ok(written::comments(pull_request, id))
    }

    /// All tasks that are not deleted, in the order of their ids.
    pub fn tasks(&self) -> Result<Vec<WrittenTask>> {
        let world = self.shared.read();
        let pull_request = world.pull_request(&self.repository, self.id).context("no such pull request")?;
        Ok(written::tasks(pull_request))
    }

    /// Marks a task as done by somebody (`Some`) or as open (`None`).
    pub fn finish_task(&self, task: u64, by: Option<&str>) -> Result<()> {
        self.shared.write().finish_task(&self.repository, self.id, task, by)
    }

    /// Sets a vote, or takes it back.
    pub fn vote(&self, user: &str, vote: Option<Vote>) -> Result<()> {
        self.shared.write().vote(&self.repository, self.id, user, vote)
    }

    /// Reports a build of the source's head, or of the commit that `at` names.
    pub fn set_status(&self, status: &Status) -> Result<()> {
        let mut world = self.shared.write();
        let on = date(&mut world, status.date.as_deref())?;
        let source = &world.pull_request(&self.repository, self.id).context("no such pull request")?.source;
        let (repository, tip) = (source.repository.clone(), source.commit.clone());
        world.set_status(&repository, status, &tip, on)
    }

    /// Merges it with a merge commit and returns its hash.
    pub fn merge(&self, by: &str) -> Result<String> {
        self.shared.write().merge(&self.repository, self.id, by)
    }

    /// Declines it.
    pub fn decline(&self, by: &str) -> Result<()> {
        self.shared.write().decline(&self.repository, self.id, by)
    }
}

#[expect(clippy::missing_errors_doc, reason = "said once for the type")]
impl RepositoryHandle<'_> {
    /// The bare repository's folder.
    pub fn folder(&self) -> Result<PathBuf> {
        let world = self.shared.write();
        Ok(world.repository(&self.name).context("no such repository")?.folder.clone())
    }

    /// The hash that a branch, a commit's `id` in the scenario, or an abbreviation stands for.
    pub fn commit(&self, name: &str) -> Result<String> {
        let world = self.shared.write();
        let found = world.repository(&self.name).and_then(|repository| repository.commit(name));
        found.with_context(|| format!("{} has no commit {name:?}", self.name))
    }

    /// Somebody pushes a commit with these files onto a branch; `None` deletes a file. Returns its hash.
    pub fn push_commit(&self, branch: &str, message: &str, files: &[(&str, Option<&str>)]) -> Result<String> {
        let files = bytes(files);
        self.shared.write().push_commit(&self.name, branch, message, &files, None)
    }

    /// Somebody rewrites a branch: it becomes a new commit with these files on the commit that `from` names.
    pub fn force_push(
        &self,
        branch: &str,
        from: &str,
        message: &str,
        files: &[(&str, Option<&str>)],
    ) -> Result<String> {
        let files = bytes(files);
        self.shared.write().push_commit(&self.name, branch, message, &files, Some(from))
    }

    /// Somebody deletes a branch.
    pub fn delete_branch(&self, branch: &str) -> Result<()> {
        self.shared.write().delete_branch(&self.name, branch)
    }

    /// Somebody deletes the repository; pull requests from it have no source repository any more.
    pub fn delete(&self) -> Result<()> {
        self.shared.write().delete_repository(&self.name)
    }
}

fn date(world: &mut World, text: Option<&str>) -> Result<jiff::Timestamp> {
    match text {
        Some(text) => scenario::moment(text),
        None => Ok(world.tick()),
    }
}

fn bytes<'a>(files: &[(&'a str, Option<&'a str>)]) -> Vec<(&'a str, Option<&'a [u8]>)> {
    files.iter().map(|(path, text)| (*path, text.map(str::as_bytes))).collect()
}
