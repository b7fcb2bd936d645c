//! Folds the comments and tasks of a pull request into threads.
//!
//! Bitbucket has no threads, only comments that name a parent.
//! Whatever those parents are (missing, deleted, in a circle, twenty thousand deep), folding answers with threads.
//! It must not know where a thread is shown.

use std::collections::{HashMap, HashSet};

use crate::model::{Anchor, Comment, CommentId, Resolution, Task, Timestamp, User};

/// Everything that is said on a pull request.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Discussion {
    /// Inline and general threads, oldest first.
    pub threads: Vec<Thread>,
    /// The pull request's own tasks: those that hang on no comment that is known here; oldest first.
    pub tasks: Vec<Task>,
}

/// A root comment with everything that answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// The id of the first comment; it names the thread.
    pub root: CommentId,
    /// The root first, then the replies in reading order: each comment before what answers it, siblings oldest first.
    /// Never empty.
    pub comments: Vec<Reply>,
    /// Where it is, by the root or else by the first reply that says so; `None` for a general thread.
    pub anchor: Option<Anchor>,
    /// Set when the root is resolved.
    pub resolution: Option<Resolution>,
    /// The tasks of all its comments, oldest first.
    pub tasks: Vec<Task>,
}

/// A comment within its thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The comment.
    pub comment: Comment,
    /// How many comments are above it in the thread: 0 for the root.
    pub depth: u32,
}

/// Folds comments and tasks, in any order, into threads.
///
/// - Of two comments or tasks with one id, the later in the list wins.
/// - A comment whose parent is missing, or is itself, becomes a root; of a circle the oldest comment does.
/// - A deleted comment stays only while something below it lives, or a task hangs on it or below it.
/// - Only the root's resolution counts: Bitbucket resolves threads, not replies.
///
/// Takes time in proportion to the input (and the sorting of siblings), and no stack for depth.
pub fn fold(comments: Vec<Comment>, tasks: Vec<Task>) -> Discussion {
    let comments = latest(comments, |comment| comment.id);
    let mut tasks = latest(tasks, |task| task.id);
    tasks.sort_by_key(|task| (written(task.created_on), task.id));

    let index: HashMap<CommentId, usize> = comments.iter().enumerate().map(|(at, it)| (it.id, at)).collect();
    let forest = Forest::grow(&comments, &index);

    let mut own_tasks = Vec::new();
    let mut tasks_of: HashMap<usize, Vec<Task>> = HashMap::new();
    let mut kept: Vec<bool> = comments.iter().map(|comment| !comment.deleted).collect();
    for task in tasks {
        match task.comment.and_then(|id| index.get(&id)) {
            Some(&at) => {
                kept[at] = true;
                tasks_of.entry(forest.root_of[at]).or_default().push(task);
            }
            None => own_tasks.push(task),
        }
    }
    for &at in forest.order.iter().rev() {
        if let (true, Some(parent)) = (kept[at], forest.parent[at]) {
            kept[parent] = true;
        }
    }

    let mut comments: Vec<Option<Comment>> = comments.into_iter().map(Some).collect();
    let mut threads: Vec<Thread> = Vec::new();
    for &at in forest.order.iter().filter(|&&at| kept[at]) {
        // Each comment is in the order once, so it is taken once.
        let Some(comment) = comments[at].take() else {
            continue;
        };
        match (forest.parent[at], threads.last_mut()) {
            (Some(_), Some(thread)) => {
                thread.anchor = thread.anchor.take().or_else(|| comment.anchor.clone());
                thread.comments.push(Reply { comment, depth: forest.depth[at] });
            }
            _ => threads.push(Thread {
                root: comment.id,
                anchor: comment.anchor.clone(),
                resolution: comment.resolution.clone(),
                tasks: tasks_of.remove(&at).unwrap_or_default(),
                comments: vec![Reply { comment, depth: 0 }],
            }),
        }
    }
    Discussion { threads, tasks: own_tasks }
}

impl Discussion {
    /// The thread that a comment is part of, be it the root or a reply.
    pub fn thread_of(&self, comment: CommentId) -> Option<&Thread> {
        let by_root = self.threads.iter().find(|thread| thread.root == comment);
        by_root.or_else(|| self.threads.iter().find(|thread| thread.comment(comment).is_some()))
    }

    /// The threads that nobody resolved.
    pub fn open_threads(&self) -> impl Iterator<Item = &Thread> {
        self.threads.iter().filter(|thread| !thread.is_resolved())
    }

    /// The threads without a place in a file.
    pub fn general(&self) -> impl Iterator<Item = &Thread> {
        self.threads.iter().filter(|thread| thread.is_general())
    }

    /// Every task: the pull request's own, then those of its threads.
    pub fn all_tasks(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter().chain(self.threads.iter().flat_map(|thread| &thread.tasks))
    }

    /// How many tasks are not done, on threads and on the pull request itself.
    pub fn open_tasks(&self) -> usize {
        self.all_tasks().filter(|task| !task.resolved).count()
    }
}

impl Thread {
    /// The first comment; possibly a deleted one.
    pub fn first(&self) -> &Comment {
        // `fold` makes no thread without a comment, and nothing else makes threads outside of tests.
        &self.comments[0].comment
    }

    /// Everything after the first comment, in reading order.
    pub fn replies(&self) -> &[Reply] {
        &self.comments[1..]
    }

    /// How many replies are not deleted.
    pub fn reply_count(&self) -> usize {
        self.replies().iter().filter(|reply| !reply.comment.deleted).count()
    }

    /// Whether somebody resolved it.
    pub fn is_resolved(&self) -> bool {
        self.resolution.is_some()
    }

    /// Whether it has no place in a file.
    pub fn is_general(&self) -> bool {
        self.anchor.is_none()
    }

    /// How many of its tasks are not done.
    pub fn open_tasks(&self) -> usize {
        self.tasks.iter().filter(|task| !task.resolved).count()
    }

    /// One of its comments, by id.
    pub fn comment(&self, id: CommentId) -> Option<&Comment> {
        self.comments.iter().map(|reply| &reply.comment).find(|comment| comment.id == id)
    }

    /// When something happened last: a comment, an edit, a task, the resolution.
    pub fn last_activity(&self) -> Option<Timestamp> {
        let comments = self.comments.iter().map(|reply| &reply.comment);
        let written = comments.flat_map(|comment| [comment.created_on, comment.updated_on]);
        let tasks = self.tasks.iter().map(|task| task.created_on);
        let resolved = self.resolution.as_ref().and_then(|resolution| resolution.on);
        written.chain(tasks).chain([resolved]).flatten().max()
    }

    /// Who wrote in it, each once, in reading order; authors of deleted comments are left out.
    pub fn participants(&self) -> Vec<&User> {
        let mut seen = HashSet::new();
        let live = self.comments.iter().map(|reply| &reply.comment).filter(|comment| !comment.deleted);
        let authors = live.filter_map(|comment| comment.author.as_ref());
        authors
            .filter(|author| {
                let ids = [author.uuid.as_ref(), author.account_id.as_ref()];
                let known = ids.iter().flatten().any(|id| seen.contains(*id));
                let nameless = ids.iter().all(Option::is_none);
                seen.extend(ids.into_iter().flatten());
                match nameless {
                    true => seen.insert(&author.display_name),
                    false => !known,
                }
            })
            .collect()
    }
}

/// The comments as trees: who is above whom, and the reading order of all.
struct Forest {
    /// By index of a comment: its parent, with circles cut and missing parents gone.
    parent: Vec<Option<usize>>,
    /// The root above each comment.
    root_of: Vec<usize>,
    /// Steps to the root.
    depth: Vec<u32>,
    /// All comments: roots oldest first, each followed by its replies in reading order.
    order: Vec<usize>,
}

impl Forest {
    fn grow(comments: &[Comment], index: &HashMap<CommentId, usize>) -> Self {
        let age = |at: &usize| (written(comments[*at].created_on), comments[*at].id);
        let mut parent: Vec<Option<usize>> = comments
            .iter()
            .enumerate()
            .map(|(at, it)| it.parent.and_then(|id| index.get(&id).copied()).filter(|&parent| parent != at))
            .collect();
        cut_circles(&mut parent, age);

        let mut by_age: Vec<usize> = (0..comments.len()).collect();
        by_age.sort_by_key(age);
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); comments.len()];
        for &at in &by_age {
            if let Some(parent) = parent[at] {
                children[parent].push(at);
            }
        }

        let mut forest = Self {
            root_of: vec![0; comments.len()],
            depth: vec![0; comments.len()],
            order: Vec::new(),
            parent,
        };
        // A stack of what is still to be visited, the next one last.
        let mut ahead: Vec<usize> = by_age.into_iter().filter(|&at| forest.parent[at].is_none()).collect();
        ahead.reverse();
        while let Some(at) = ahead.pop() {
            (forest.root_of[at], forest.depth[at]) = match forest.parent[at] {
                Some(parent) => (forest.root_of[parent], forest.depth[parent] + 1),
                None => (at, 0),
            };
            forest.order.push(at);
            ahead.extend(children[at].iter().rev());
        }
        forest
    }
}

/// Makes the oldest comment of each circle of parents a root.
fn cut_circles<K: Ord>(parent: &mut [Option<usize>], age: impl Fn(&usize) -> K) {
    const UNSEEN: usize = usize::MAX;
    let mut walk_of = vec![UNSEEN; parent.len()];
    for start in 0..parent.len() {
        let mut at = start;
        while walk_of[at] == UNSEEN {
            walk_of[at] = start;
            match parent[at] {
                Some(above) => at = above,
                None => break,
            }
        }
        // Only a walk that comes back to itself has found a circle.
        if walk_of[at] != start || parent[at].is_none() {
            continue;
        }
        let mut oldest = at;
        let mut around = at;
        while let Some(above) = parent[around].filter(|&above| above != at) {
            around = above;
            if age(&around) < age(&oldest) {
                oldest = around;
            }
        }
        parent[oldest] = None;
    }
}

/// The items in their order, of those with one id the last, at the place of the first.
fn latest<T, K: Eq + std::hash::Hash>(items: Vec<T>, id: impl Fn(&T) -> K) -> Vec<T> {
    let mut place: HashMap<K, usize> = HashMap::with_capacity(items.len());
    let mut kept: Vec<T> = Vec::with_capacity(items.len());
    for item in items {
        match place.get(&id(&item)) {
            Some(&at) => kept[at] = item,
            None => {
                place.insert(id(&item), kept.len());
                kept.push(item);
            }
        }
    }
    kept
}

/// The time to sort by: what has none comes last.
fn written(on: Option<Timestamp>) -> Timestamp {
    on.unwrap_or(Timestamp(i64::MAX))
}

#[cfg(test)]
mod tests;
