//! The state of the simulated Bitbucket: people, tokens, repositories, pull requests.
//!
//! Plain data and look-ups. It must not know about HTTP or JSON; `change` and `discussion` have what happens to it.

pub(crate) mod anchor;
mod change;
pub(crate) mod discussion;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};

use self::anchor::Texts;
use crate::git;
use crate::oauth::authority::Authority;
use crate::scenario::ResolutionForm;

/// All of it.
pub(crate) struct World {
    /// `http://127.0.0.1:PORT`
    pub(crate) web: String,
    /// The folder that holds `workspace/slug.git`.
    pub(crate) root: PathBuf,
    /// Whether public repositories answer without a token.
    pub(crate) anonymous: bool,
    pub(crate) people: Vec<Person>,
    /// Tokens of the scenario; those of OAuth are the authority's.
    pub(crate) accounts: Vec<Account>,
    pub(crate) authority: Authority,
    pub(crate) repositories: Vec<Repository>,
    pub(crate) pull_requests: Vec<PullRequest>,
    /// The time of the last thing that happened; the simulator does not look at the clock.
    pub(crate) now: Timestamp,
    pub(crate) next_id: u64,
    pub(crate) texts: Mutex<Texts>,
}

#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) nickname: String,
    pub(crate) account_id: String,
    pub(crate) uuid: String,
    /// Whether they belong to the workspaces.
    pub(crate) member: bool,
}

/// A token and what it allows.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) token: String,
    pub(crate) email: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) expired: bool,
}

pub(crate) struct Repository {
    /// `workspace/slug`
    pub(crate) name: String,
    pub(crate) uuid: String,
    pub(crate) main: String,
    pub(crate) public: bool,
    pub(crate) visible_to: Option<Vec<String>>,
    pub(crate) fork_of: Option<String>,
    pub(crate) gone: bool,
    pub(crate) folder: PathBuf,
    pub(crate) created: Timestamp,
    /// Branch to the hash of its tip, as of the last [`World::refresh`].
    pub(crate) heads: BTreeMap<String, String>,
    /// The scenario's names of commits.
    pub(crate) names: HashMap<String, String>,
    pub(crate) statuses: Vec<Status>,
}

pub(crate) struct PullRequest {
    pub(crate) id: u64,
    /// The destination's repository.
    pub(crate) repository: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) author: String,
    pub(crate) state: State,
    pub(crate) draft: bool,
    pub(crate) close_source_branch: bool,
    pub(crate) source: End,
    pub(crate) destination: End,
    pub(crate) merge_commit: Option<String>,
    pub(crate) closed_by: Option<String>,
    pub(crate) participants: Vec<Participant>,
    /// Whether nobody may say anything on it any more.
    pub(crate) locked: bool,
    /// With ascending ids.
    pub(crate) comments: Vec<Comment>,
    /// With ascending ids.
    pub(crate) tasks: Vec<Task>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// Head of the source and when it came to it, oldest first.
    pub(crate) updates: Vec<(Timestamp, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    Merged,
    Declined,
    Superseded,
}

#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) repository: String,
    pub(crate) branch: String,
    /// The whole hash.
    pub(crate) commit: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Participant {
    pub(crate) user: String,
    pub(crate) reviewer: bool,
    pub(crate) vote: Option<Vote>,
    pub(crate) on: Option<Timestamp>,
}

/// A reviewer's vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vote {
    /// `approved`
    Approved,
    /// `changes_requested`
    ChangesRequested,
}

#[derive(Clone, Debug)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    /// The scenario's name for it.
    pub(crate) name: Option<String>,
    pub(crate) author: String,
    pub(crate) text: String,
    /// The texts that it had before, oldest first.
    pub(crate) edits: Vec<String>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) parent: Option<u64>,
    pub(crate) inline: Option<Inline>,
    pub(crate) deleted: bool,
    pub(crate) pending: bool,
    pub(crate) resolution: Option<Resolution>,
}

/// Where a comment stands, as Bitbucket numbers it: lines from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inline {
    pub(crate) path: String,
    pub(crate) from: Option<u32>,
    pub(crate) to: Option<u32>,
    pub(crate) start_from: Option<u32>,
    pub(crate) start_to: Option<u32>,
    /// Heads when it was written; whole hashes.
    pub(crate) source: String,
    pub(crate) destination: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Resolution {
    pub(crate) user: String,
    pub(crate) on: Timestamp,
    pub(crate) form: ResolutionForm,
}

#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) id: u64,
    pub(crate) text: String,
    /// The texts that it had before, oldest first.
    pub(crate) edits: Vec<String>,
    pub(crate) author: String,
    pub(crate) comment: Option<u64>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) resolved: Option<(String, Timestamp)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Status {
    pub(crate) commit: String,
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) url: Option<String>,
    pub(crate) description: String,
    pub(crate) on: Timestamp,
}

impl State {
    /// Bitbucket's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Merged => "MERGED",
            Self::Declined => "DECLINED",
            Self::Superseded => "SUPERSEDED",
        }
    }

    /// From Bitbucket's word.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Merged, Self::Declined, Self::Superseded]
            .into_iter()
            .find(|state| state.word() == word)
    }
}

impl Vote {
    /// Bitbucket's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::ChangesRequested => "changes_requested",
        }
    }
}

impl Repository {
    /// The workspace's slug.
    pub(crate) fn workspace(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }

    /// The repository's slug.
    pub(crate) fn slug(&self) -> &str {
        self.name.split('/').next_back().unwrap_or_default()
    }

    /// A commit by the scenario's name for it, a branch, a hash or an abbreviation.
    pub(crate) fn commit(&self, name: &str) -> Option<String> {
        let known = self.names.get(name).or_else(|| self.heads.get(name)).cloned();
        known.or_else(|| git::commit(&self.folder, name))
    }

    /// The text of a file at a commit.
    pub(crate) fn text(&self, commit: &str, path: &str) -> Option<String> {
        git::file(&self.folder, commit, path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl PullRequest {
    /// A comment by its id.
    pub(crate) fn comment(&self, id: u64) -> Option<&Comment> {
        let at = self.comments.binary_search_by_key(&id, |comment| comment.id);
        at.ok().map(|at| &self.comments[at])
    }

    /// A task by its id.
    pub(crate) fn task(&self, id: u64) -> Option<&Task> {
        let at = self.tasks.binary_search_by_key(&id, |task| task.id);
        at.ok().map(|at| &self.tasks[at])
    }
}

impl World {
    /// `http://127.0.0.1:PORT/2.0`
    pub(crate) fn api(&self) -> String {
        format!("{}/2.0", self.web)
    }

    /// A person by the scenario's word for them.
    pub(crate) fn person(&self, id: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    /// A repository by its full name; Bitbucket compares without case.
    pub(crate) fn repository(&self, name: &str) -> Option<&Repository> {
        self.repositories.iter().find(|repository| repository.name.eq_ignore_ascii_case(name))
    }

    fn repository_mut(&mut self, name: &str) -> Result<&mut Repository> {
        let mut repositories = self.repositories.iter_mut();
        repositories
            .find(|repository| repository.name.eq_ignore_ascii_case(name))
            .with_context(|| format!("there is no repository {name}"))
    }

    /// A pull request by the full name of the repository that it goes to and its number.
    pub(crate) fn pull_request(&self, repository: &str, id: u64) -> Option<&PullRequest> {
        self.pull_requests.iter().find(|one| one.id == id && one.repository.eq_ignore_ascii_case(repository))
    }

    fn pull_request_mut(&mut self, repository: &str, id: u64) -> Result<&mut PullRequest> {
        let mut pull_requests = self.pull_requests.iter_mut();
        pull_requests
            .find(|one| one.id == id && one.repository.eq_ignore_ascii_case(repository))
            .with_context(|| format!("{repository} has no pull request {id}"))
    }

    /// The builds of a pull request: those of its source's head.
    pub(crate) fn statuses(&self, pull_request: &PullRequest) -> Vec<&Status> {
        let repositories = [&pull_request.repository, &pull_request.source.repository];
        let mut statuses: Vec<&Status> = self
            .repositories
            .iter()
            .filter(|repository| repositories.contains(&&repository.name))
            .flat_map(|repository| &repository.statuses)
            .filter(|status| status.commit == pull_request.source.commit)
            .collect();
        statuses.sort_by_key(|status| status.on);
        statuses
    }

    /// Folders of repositories whose objects a pull request's diff may need.
    pub(crate) fn related(&self, name: &str) -> Vec<&Path> {
        let forks = |one: &&Repository| one.fork_of.as_deref() == Some(name) || one.name == name;
        self.repositories.iter().filter(forks).map(|one| one.folder.as_path()).collect()
    }

    /// Lets a second pass and says what time it is now.
    pub(crate) fn tick(&mut self) -> Timestamp {
        self.now += SignedDuration::from_secs(1);
        self.now
    }

    /// What git said so far about files and merge bases.
    pub(crate) fn texts(&self) -> MutexGuard<'_, Texts> {
        // What is remembered there is true, whoever panicked meanwhile.
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A fresh id of a comment or a task.
    pub(crate) fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}
