//! What the session knows of one repository: what is checked out, its pull request, and where each thread is.

use super::overlay::Overlay;
use crate::event::{Discovery, Fresh, Located, Problem};
use pull_request::model::{
    BuildStatus, CommentId, LineRange, PullRequest, PullRequestId, RepositoryName, Spot, Timestamp,
};
use pull_request::place::{Placed, Placement};
use pull_request::text::Edit;
use pull_request::thread::{Discussion, Thread};
use pull_request::view::PlacedThread;
use pull_request::view::markdown::Names;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

/// Why a refresh was begun; the log says it, and a stronger cause replaces a weaker one that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// The clock.
    Timer,
    /// git changed.
    Git,
    /// The repository was found.
    Discovery,
    /// The user asked.
    Command,
}

/// The one refresh in flight.
pub(super) struct Busy {
    pub(super) generation: u64,
    pub(super) cause: Cause,
    pub(super) shown: bool,
}

/// A thread on its line in a file.
pub(super) struct Spotted {
    /// Index into [`Discussion::threads`].
    pub(super) thread: usize,
    /// The anchored lines, which edits are carried against; `None` for a whole file.
    pub(super) origin: Option<LineRange>,
    pub(super) placed: Placed,
    pub(super) renamed_from: Option<String>,
    pub(super) remark: Option<String>,
}

impl Spotted {
    /// Whether both are shown alike.
    fn same_as(&self, other: &Self) -> bool {
        self.placed == other.placed && self.renamed_from == other.renamed_from && self.remark == other.remark
    }

    /// First line on screen; `None` if the file is gone.
    pub(super) fn lines(&self) -> Option<LineRange> {
        match self.placed.placement {
            Placement::Exact(lines) | Placement::Moved(lines) | Placement::Changed { near: lines } => {
                Some(lines)
            }
            Placement::Gone { near } => Some(LineRange::line(near)),
            Placement::FileGone => None,
        }
    }
}

/// A loaded pull request.
pub(super) struct Review {
    pub(super) name: RepositoryName,
    /// The id of the account that it was read with.
    pub(super) account: String,
    pub(super) pull_request: PullRequest,
    pub(super) discussion: Discussion,
    pub(super) statuses: Vec<BuildStatus>,
    pub(super) unreadable: u32,
    pub(super) incomplete: Vec<String>,
    /// When Bitbucket last confirmed what is shown.
    pub(super) as_of: Timestamp,
    /// Why it could not be confirmed since.
    pub(super) stale: Option<Stale>,
    /// Threads by file, in the order of their lines.
    pub(super) files: BTreeMap<String, Vec<Spotted>>,
    /// Names for mentions.
    pub(super) names: Names,
    /// What the user changed since it was read.
    pub(super) overlay: Overlay,
    /// The comments, and first comments of threads, that are being sent.
    pub(super) sending: HashSet<CommentId>,
    by_comment: HashMap<CommentId, usize>,
    /// The file that a placed thread is in, and its index there.
    by_thread: HashMap<usize, (String, usize)>,
}

/// Why what is shown could not be confirmed.
pub(super) struct Stale {
    /// Bitbucket could not be reached; otherwise it refused.
    pub(super) offline: bool,
    /// The sentence.
    pub(super) why: String,
}

impl Review {
    pub(super) fn new(
        name: RepositoryName,
        account: String,
        pull_request: PullRequest,
        discussion: Discussion,
        at: Timestamp,
    ) -> Self {
        let mut review = Self {
            names: Names::default(),
            overlay: Overlay::default(),
            sending: HashSet::new(),
            name,
            account,
            pull_request,
            discussion: Discussion::default(),
            statuses: Vec::new(),
            unreadable: 0,
            incomplete: Vec::new(),
            as_of: at,
            stale: None,
            files: BTreeMap::new(),
            by_comment: HashMap::new(),
            by_thread: HashMap::new(),
        };
        review.discuss(discussion);
        review
    }

    /// Takes a discussion; where its threads are is to be said anew.
    pub(super) fn discuss(&mut self, discussion: Discussion) {
        self.by_comment.clear();
        for (index, thread) in discussion.threads.iter().enumerate() {
            self.by_comment.extend(thread.comments.iter().map(|reply| (reply.comment.id, index)));
        }
        let writers = discussion.threads.iter().flat_map(|thread| &thread.comments);
        let writers = writers.filter_map(|reply| reply.comment.author.as_ref());
        let participants =
            self.pull_request.participants.iter().filter_map(|participant| participant.user.as_ref());
        self.names = Names::of(writers.chain(participants).chain(&self.pull_request.author));
        self.discussion = discussion;
    }

    /// Where each thread is now, by its first comment.
    pub(super) fn places(&self) -> Vec<(CommentId, Located)> {
        let spots = self.files.iter().flat_map(|(path, spots)| spots.iter().map(move |spot| (path, spot)));
        let located = |(path, spot): (&String, &Spotted)| {
            let located = Located {
                path: path.clone(),
                placed: spot.placed.clone(),
                renamed_from: spot.renamed_from.clone(),
                remark: spot.remark.clone(),
            };
            (self.thread(spot.thread).root, located)
        };
        spots.map(located).collect()
    }

    /// The thread that a comment is in.
    pub(super) fn thread_of(&self, comment: CommentId) -> Option<usize> {
        self.by_comment.get(&comment).copied()
    }

    pub(super) fn thread(&self, index: usize) -> &Thread {
        &self.discussion.threads[index]
    }

    /// A thread with its place, as views take it.
    pub(super) fn placed<'a>(&'a self, spot: &'a Spotted) -> PlacedThread<'a> {
        let thread = self.thread(spot.thread);
        let written_on = thread.anchor.as_ref().and_then(|anchor| anchor.source_commit.as_ref());
        let written_on_older_version = match (written_on, &self.pull_request.source.commit) {
            (Some(written_on), Some(head)) => !written_on.matches(head),
            _ => false,
        };
        PlacedThread { thread, placed: &spot.placed, written_on_older_version }
    }

    /// Where a thread was placed: file and spot.
    pub(super) fn spot_of(&self, thread: usize) -> Option<(&str, &Spotted)> {
        let (path, index) = self.by_thread.get(&thread)?;
        Some((path, self.files.get(path)?.get(*index)?))
    }

    /// The threads that are, or may be, in these files: by where they were placed, or by their anchor's path.
    pub(super) fn threads_in(&self, paths: &[String]) -> HashSet<usize> {
        let placed = paths.iter().filter_map(|path| self.files.get(path)).flatten().map(|spot| spot.thread);
        let anchored =
            self.discussion.threads.iter().enumerate().filter(|(_, thread)| {
                thread.anchor.as_ref().is_some_and(|anchor| paths.contains(&anchor.path))
            });
        placed.chain(anchored.map(|(index, _)| index)).collect()
    }

    /// Takes new places. Where a document moved on while they were computed (`outrun` has its path), what edits
    /// carried so far stays. Says in which files something is shown otherwise now.
    pub(super) fn respot(
        &mut self,
        places: Vec<(CommentId, Located)>,
        outrun: &HashSet<String>,
    ) -> HashSet<String> {
        let mut spots: HashMap<usize, (String, Spotted)> = HashMap::new();
        for (path, list) in std::mem::take(&mut self.files) {
            spots.extend(list.into_iter().map(|spot| (spot.thread, (path.clone(), spot))));
        }
        let mut changed = HashSet::new();
        for (id, located) in places {
            let Some(thread) = self.thread_of(id) else { continue };
            if outrun.contains(&located.path) {
                continue;
            }
            let origin = self.thread(thread).anchor.as_ref().and_then(|anchor| match anchor.spot {
                Spot::Lines(_, lines) => Some(lines),
                Spot::File => None,
            });
            let Located { path, placed, renamed_from, remark } = located;
            let spot = Spotted { thread, origin, placed, renamed_from, remark };
            match spots.get(&thread) {
                Some((known, before)) if *known == path && before.same_as(&spot) => continue,
                Some((known, _)) => changed.insert(known.clone()),
                None => false,
            };
            changed.insert(path.clone());
            spots.insert(thread, (path, spot));
        }
        for (_, (path, spot)) in spots {
            self.files.entry(path).or_default().push(spot);
        }
        for list in self.files.values_mut() {
            list.sort_by_key(|spot| (spot.lines(), spot.thread));
        }
        self.by_thread.clear();
        for (path, list) in &self.files {
            let places = list.iter().enumerate().map(|(index, spot)| (spot.thread, (path.clone(), index)));
            self.by_thread.extend(places);
        }
        changed
    }

    /// Whether Bitbucket could not be reached to confirm it.
    pub(super) fn is_offline(&self) -> bool {
        self.stale.as_ref().is_some_and(|stale| stale.offline)
    }

    pub(super) fn fresh(&self) -> Fresh {
        fresh(&self.pull_request)
    }
}

/// What a probe would say of this pull request.
pub(super) fn fresh(pull_request: &PullRequest) -> Fresh {
    Fresh {
        updated_on: pull_request.updated_on,
        comment_count: pull_request.comment_count,
        task_count: pull_request.task_count,
        commits: (
            pull_request.source.commit.as_ref().map(|commit| commit.short().to_owned()),
            pull_request.destination.commit.as_ref().map(|commit| commit.short().to_owned()),
        ),
        open: pull_request.state == pull_request::model::PullRequestState::Open,
    }
}

/// One repository.
pub(super) struct RepositoryState {
    pub(super) discovery: Discovery,
    /// The folders and files that led to it.
    pub(super) found_from: Vec<PathBuf>,
    /// All open pull requests of the branch, newest first.
    pub(super) choices: Vec<(RepositoryName, PullRequest)>,
    /// Merged or declined ones, where none is open.
    pub(super) ended: Vec<PullRequest>,
    /// The user's choice among several.
    pub(super) chosen: Option<PullRequestId>,
    /// How it was searched.
    pub(super) explanation: Vec<String>,
    /// Whether a search has come to its end.
    pub(super) searched: bool,
    pub(super) review: Option<Review>,
    pub(super) problem: Option<Problem>,
    /// git changed, and what is checked out is being looked at.
    pub(super) git_moved: bool,
    pub(super) busy: Option<Busy>,
    pub(super) again: Option<Cause>,
    pub(super) generation: u64,
    pub(super) placing: u64,
    pub(super) poll_clock: u64,
    pub(super) polls_since_load: u32,
    pub(super) failures: u32,
}

impl RepositoryState {
    pub(super) fn new(discovery: Discovery) -> Self {
        Self {
            discovery,
            found_from: Vec::new(),
            choices: Vec::new(),
            ended: Vec::new(),
            chosen: None,
            explanation: Vec::new(),
            searched: false,
            review: None,
            problem: None,
            git_moved: false,
            busy: None,
            again: None,
            generation: 0,
            placing: 0,
            poll_clock: 0,
            polls_since_load: 0,
            failures: 0,
        }
    }

    /// Carries the threads of a file across an edit; whether any of them moved. No allocation, no diff.
    pub(super) fn carry(&mut self, path: &str, edit: &Edit) -> bool {
        let Some(spots) = self.review.as_mut().and_then(|review| review.files.get_mut(path)) else {
            return false;
        };
        let mut moved = false;
        for spot in spots {
            if let Some(origin) = spot.origin {
                moved |= spot.placed.placement.carry_edit(origin, edit);
            }
        }
        moved
    }

    pub(super) fn has_threads_in(&self, path: &str) -> bool {
        self.review.as_ref().is_some_and(|review| review.files.contains_key(path))
    }

    /// The files that have threads.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.review.iter().flat_map(|review| review.files.keys().map(String::as_str))
    }
}
