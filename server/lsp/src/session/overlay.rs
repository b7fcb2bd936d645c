//! What the user changed and Bitbucket has not shown yet: laid over a review, so that it is on screen at once.
//!
//! A change is taken away again if it is refused, and once a reading that began after it was done shows it.
//! It must not know how changes are sent.

use super::review::Review;
use crate::writing::{Posted, WriteId};
use pull_request::model::{Comment, CommentId, Resolution, Task, TaskId};
use pull_request::thread::{Discussion, fold};
use std::collections::HashSet;

/// A change of the user's.
pub(super) struct Laid {
    id: WriteId,
    change: Shown,
    /// The refresh that was the latest when it was done; `None` while it is being sent.
    done: Option<u64>,
}

/// What a change looks like.
#[derive(Clone)]
pub(super) enum Shown {
    /// A new comment.
    Comment(Box<Comment>),
    /// Another text of a comment.
    Text(CommentId, String),
    /// A comment goes.
    Deleted(CommentId),
    /// A thread is resolved, or open again.
    Resolution(CommentId, Option<Resolution>),
    /// A new task.
    Task(Box<Task>),
    /// Another text of a task.
    TaskText(TaskId, String),
    /// A task is done, or open again.
    TaskState(TaskId, bool),
    /// A task goes.
    TaskDeleted(TaskId),
}

impl Shown {
    /// The comment that is marked as being sent.
    fn marked(&self) -> Option<CommentId> {
        match self {
            Self::Comment(comment) => Some(comment.id),
            Self::Text(comment, _) | Self::Deleted(comment) | Self::Resolution(comment, _) => Some(*comment),
            Self::Task(task) => task.comment,
            Self::TaskText(..) | Self::TaskState(..) | Self::TaskDeleted(_) => None,
        }
    }

    fn apply(&self, comments: &mut Vec<Comment>, tasks: &mut Vec<Task>) {
        match self {
            Self::Comment(comment) => {
                if !comments.iter().any(|known| known.id == comment.id) {
                    comments.push((**comment).clone());
                }
            }
            Self::Text(id, raw) => change(comments, |comment| comment.id == *id, |it| it.raw.clone_from(raw)),
            Self::Deleted(id) => change(
                comments,
                |comment| comment.id == *id,
                |comment| {
                    comment.deleted = true;
                    comment.raw.clear();
                },
            ),
            Self::Resolution(id, resolution) => {
                change(comments, |comment| comment.id == *id, |it| it.resolution.clone_from(resolution));
            }
            Self::Task(task) => {
                if !tasks.iter().any(|known| known.id == task.id) {
                    tasks.push((**task).clone());
                }
            }
            Self::TaskText(id, raw) => change(tasks, |task| task.id == *id, |it| it.raw.clone_from(raw)),
            Self::TaskState(id, resolved) => {
                change(tasks, |task| task.id == *id, |task| task.resolved = *resolved);
            }
            Self::TaskDeleted(id) => tasks.retain(|task| task.id != *id),
        }
    }
}

fn change<T>(all: &mut [T], is_it: impl Fn(&T) -> bool, edit: impl FnOnce(&mut T)) {
    if let Some(it) = all.iter_mut().find(|it| is_it(it)) {
        edit(it);
    }
}

/// What Bitbucket said, below what the user changed since.
#[derive(Default)]
pub(super) struct Overlay {
    /// As read; only kept while something lies over it.
    below: Option<(Vec<Comment>, Vec<Task>)>,
    laid: Vec<Laid>,
}

impl Overlay {
    /// What is marked as being sent.
    fn marked(&self) -> HashSet<CommentId> {
        self.laid.iter().filter(|laid| laid.done.is_none()).filter_map(|laid| laid.change.marked()).collect()
    }
}

impl Review {
    /// Shows a change at once.
    pub(super) fn lay(&mut self, id: WriteId, change: Shown) {
        let discussion = &self.discussion;
        self.overlay.below.get_or_insert_with(|| flat(discussion));
        self.overlay.laid.push(Laid { id, change, done: None });
        self.refold(None);
    }

    /// A change was refused, or its place is taken by another one.
    pub(super) fn lift(&mut self, id: WriteId) {
        self.overlay.laid.retain(|laid| laid.id != id);
        self.refold(None);
    }

    /// A change is done: what Bitbucket made of it stays on screen until it is read. `generation`: the latest refresh.
    pub(super) fn done(&mut self, id: WriteId, posted: Option<Posted>, generation: u64) {
        let mut renamed = None;
        for laid in self.overlay.laid.iter_mut().filter(|laid| laid.id == id) {
            laid.done = Some(generation);
            match (&mut laid.change, &posted) {
                (Shown::Comment(shown), Some(Posted::Comment(comment))) => {
                    renamed = Some((shown.id, comment.id));
                    shown.clone_from(comment);
                }
                (Shown::Task(shown), Some(Posted::Task(task))) => **shown = task.clone(),
                (Shown::Text(_, raw), Some(Posted::Comment(comment))) => raw.clone_from(&comment.raw),
                (Shown::TaskText(_, raw), Some(Posted::Task(task))) => raw.clone_from(&task.raw),
                _ => {}
            }
        }
        self.refold(renamed);
    }

    /// Takes over from the review that was shown before what a reading of `generation` cannot have seen.
    pub(super) fn lay_again(&mut self, before: Overlay, generation: u64) {
        let unseen = |laid: &Laid| laid.done.is_none_or(|done| done >= generation);
        let laid: Vec<Laid> = before.laid.into_iter().filter(unseen).collect();
        if !laid.is_empty() {
            self.overlay = Overlay { below: Some(flat(&self.discussion)), laid };
            self.refold(None);
        }
    }

    /// Whether somebody waits for this change.
    pub(super) fn is_laid(&self, id: WriteId) -> bool {
        self.overlay.laid.iter().any(|laid| laid.id == id)
    }

    /// Folds anew what was read with what lies over it. Places stay; `renamed`: a comment has another id now.
    fn refold(&mut self, renamed: Option<(CommentId, CommentId)>) {
        let Some((comments, tasks)) = &self.overlay.below else { return };
        let (mut comments, mut tasks) = (comments.clone(), tasks.clone());
        for laid in &self.overlay.laid {
            laid.change.apply(&mut comments, &mut tasks);
        }
        let mut places = self.places();
        if let Some((before, now)) = renamed {
            change(&mut places, |(root, _)| *root == before, |place| place.0 = now);
        }
        self.discuss(fold(comments, tasks));
        self.files.clear();
        self.respot(places, &HashSet::new());
        self.sending = self.overlay.marked();
        if self.overlay.laid.is_empty() {
            self.overlay.below = None;
        }
    }
}

/// A discussion as the lists that it was folded from.
fn flat(discussion: &Discussion) -> (Vec<Comment>, Vec<Task>) {
    let comments = discussion.threads.iter().flat_map(|thread| &thread.comments);
    (comments.map(|reply| reply.comment.clone()).collect(), discussion.all_tasks().cloned().collect())
}
