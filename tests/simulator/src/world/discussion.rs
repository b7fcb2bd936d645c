//! What is said on pull requests: comments, their resolution, tasks.
//!
//! It must not ask who may do it: the REST routes do, and tests may do everything.

use anyhow::{Context, Result, bail};
use jiff::Timestamp;

use super::{Comment, Inline, PullRequest, Resolution, Task, World, anchor};
use crate::scenario::{self, ResolutionForm};

/// A comment as its author sends it; the place is found already.
pub(crate) struct NewComment {
    pub(crate) author: String,
    pub(crate) text: String,
    pub(crate) parent: Option<u64>,
    pub(crate) inline: Option<Inline>,
    pub(crate) pending: bool,
}

/// A task as its author sends it.
pub(crate) struct NewTask {
    pub(crate) author: String,
    pub(crate) text: String,
    pub(crate) comment: Option<u64>,
}

impl World {
    /// Adds a scenario's comment and returns its id.
    pub(crate) fn add_comment(
        &mut self,
        repository: &str,
        id: u64,
        new: &scenario::Comment,
        on: Timestamp,
    ) -> Result<u64> {
        self.known(&new.author)?;
        let pull_request = self.pull_request(repository, id).context("no such pull request")?;
        let parent = match &new.reply_to {
            Some(name) => Some(named(pull_request, name)?),
            None => None,
        };
        let inline = match parent.and_then(|parent| pull_request.comment(parent)) {
            Some(parent) => parent.inline.clone(),
            None => anchor::place(self, pull_request, new)?,
        };
        let sent = NewComment {
            author: new.author.clone(),
            text: new.text.clone(),
            parent,
            inline,
            pending: new.pending,
        };
        let comment_id = self.say(repository, id, sent, on)?;
        let form = new.resolution.unwrap_or_default();
        let comment = self.comment_mut(repository, id, comment_id)?;
        comment.name = new.id.clone();
        comment.deleted = new.deleted;
        comment.resolution = new.resolved_by.clone().map(|user| Resolution { user, on, form });
        Ok(comment_id)
    }

    /// Adds a comment and returns its id.
    pub(crate) fn say(&mut self, repository: &str, id: u64, new: NewComment, on: Timestamp) -> Result<u64> {
        let comment_id = self.fresh_id();
        let pull_request = self.pull_request_mut(repository, id)?;
        pull_request.took_part(&new.author, on);
        pull_request.updated = pull_request.updated.max(on);
        pull_request.comments.push(Comment {
            id: comment_id,
            name: None,
            author: new.author,
            text: new.text,
            edits: Vec::new(),
            created: on,
            updated: on,
            parent: new.parent,
            inline: new.inline,
            deleted: false,
            pending: new.pending,
            resolution: None,
        });
        self.now = self.now.max(on);
        Ok(comment_id)
    }

    /// Deletes a comment: its text goes, `updated_on` does not move.
    pub(crate) fn delete_comment(&mut self, repository: &str, id: u64, comment: u64) -> Result<()> {
        let comment = self.comment_mut(repository, id, comment)?;
        comment.deleted = true;
        comment.edits.push(std::mem::take(&mut comment.text));
        Ok(())
    }

    /// Changes a comment's text.
    pub(crate) fn edit_comment(&mut self, repository: &str, id: u64, comment: u64, text: &str) -> Result<()> {
        let now = self.tick();
        let comment = self.comment_mut(repository, id, comment)?;
        comment.edits.push(std::mem::replace(&mut comment.text, text.to_owned()));
        comment.updated = now;
        Ok(())
    }

    /// Resolves the thread that starts with a comment, or reopens it.
    pub(crate) fn resolve(
        &mut self,
        repository: &str,
        id: u64,
        comment: u64,
        by: Option<&str>,
    ) -> Result<()> {
        if let Some(user) = by {
            self.known(user)?;
        }
        let now = self.tick();
        let form = ResolutionForm::Full;
        let comment = self.comment_mut(repository, id, comment)?;
        if comment.parent.is_some() {
            bail!("Comment is not a top-level comment");
        }
        comment.resolution = by.map(|user| Resolution { user: user.to_owned(), on: now, form });
        Ok(())
    }

    /// Adds a scenario's task and returns its id.
    pub(crate) fn add_task(
        &mut self,
        repository: &str,
        id: u64,
        new: &scenario::Task,
        on: Timestamp,
    ) -> Result<u64> {
        self.known(&new.author)?;
        let pull_request = self.pull_request(repository, id).context("no such pull request")?;
        let comment = match &new.comment {
            Some(name) => Some(named(pull_request, name)?),
            None => None,
        };
        let sent = NewTask { author: new.author.clone(), text: new.text.clone(), comment };
        let task_id = self.ask(repository, id, sent, on)?;
        self.task_mut(repository, id, task_id)?.resolved = new.done.then(|| (new.author.clone(), on));
        Ok(task_id)
    }

    /// Adds a task and returns its id.
    pub(crate) fn ask(&mut self, repository: &str, id: u64, new: NewTask, on: Timestamp) -> Result<u64> {
        let task_id = self.fresh_id();
        self.pull_request_mut(repository, id)?.tasks.push(Task {
            id: task_id,
            text: new.text,
            edits: Vec::new(),
            author: new.author,
            comment: new.comment,
            created: on,
            updated: on,
            resolved: None,
        });
        self.now = self.now.max(on);
        Ok(task_id)
    }

    /// Changes a task's text.
    pub(crate) fn edit_task(&mut self, repository: &str, id: u64, task: u64, text: &str) -> Result<()> {
        let now = self.tick();
        let task = self.task_mut(repository, id, task)?;
        task.edits.push(std::mem::replace(&mut task.text, text.to_owned()));
        task.updated = now;
        Ok(())
    }

    /// Marks a task as done by somebody, or as open again.
    pub(crate) fn finish_task(
        &mut self,
        repository: &str,
        id: u64,
        task: u64,
        by: Option<&str>,
    ) -> Result<()> {
        let now = self.tick();
        let task = self.task_mut(repository, id, task)?;
        task.resolved = by.map(|user| (user.to_owned(), now));
        task.updated = now;
        Ok(())
    }

    /// Deletes a task; nothing is left of it.
    pub(crate) fn delete_task(&mut self, repository: &str, id: u64, task: u64) -> Result<()> {
        let tasks = &mut self.pull_request_mut(repository, id)?.tasks;
        let at = tasks.binary_search_by_key(&task, |known| known.id).ok().context("no such task")?;
        tasks.remove(at);
        Ok(())
    }

    /// Lets nobody say anything on a pull request, or everybody again.
    pub(crate) fn lock(&mut self, repository: &str, id: u64, locked: bool) -> Result<()> {
        self.pull_request_mut(repository, id)?.locked = locked;
        Ok(())
    }

    pub(super) fn known(&self, user: &str) -> Result<&super::Person> {
        self.person(user).with_context(|| format!("there is no user {user:?}"))
    }

    fn comment_mut(&mut self, repository: &str, id: u64, comment: u64) -> Result<&mut Comment> {
        let comments = &mut self.pull_request_mut(repository, id)?.comments;
        let at = comments.binary_search_by_key(&comment, |known| known.id);
        Ok(&mut comments[at.ok().context("no such comment")?])
    }

    fn task_mut(&mut self, repository: &str, id: u64, task: u64) -> Result<&mut Task> {
        let tasks = &mut self.pull_request_mut(repository, id)?.tasks;
        let at = tasks.binary_search_by_key(&task, |known| known.id);
        Ok(&mut tasks[at.ok().context("no such task")?])
    }
}

/// A comment by the scenario's name for it, or by its number.
fn named(pull_request: &PullRequest, name: &str) -> Result<u64> {
    let by_number = name.parse().ok().and_then(|id| pull_request.comment(id));
    let by_name = || pull_request.comments.iter().find(|comment| comment.name.as_deref() == Some(name));
    by_number
        .or_else(by_name)
        .map(|comment| comment.id)
        .with_context(|| format!("there is no comment {name:?} before it"))
}
