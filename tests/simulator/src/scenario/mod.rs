//! A scenario: a readable file that says which repositories, people and pull requests there are.
//!
//! This module is the file's shape; it holds plain data that tests may also write in code.
//! `history` turns commits into real git repositories, `build` the rest into the simulator's state.

mod build;
mod history;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

pub(crate) use build::build;
pub(crate) use history::{file_change, quoted};

/// Everything that a simulated Bitbucket starts with.
///
/// Dates are written `2026-11-20T09:30:00Z` or `2026-11-20 09:30` (UTC).
/// Where one is left out it is ten minutes after the one before.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Whether public repositories answer without a token.
    #[serde(default)]
    pub anonymous: bool,
    /// People. The first one is the one who runs the editor.
    #[serde(default, rename = "user")]
    pub users: Vec<User>,
    /// Tokens. Without any, the first user has one with the scopes `account` and `pullrequest`.
    #[serde(default, rename = "account")]
    pub accounts: Vec<Account>,
    /// Repositories; a fork stands after the one that it was forked from.
    #[serde(default, rename = "repository")]
    pub repositories: Vec<Repository>,
    /// OAuth consumers.
    #[serde(default, rename = "consumer")]
    pub consumers: Vec<Consumer>,
    /// The user's `id` whom the browser is signed in as; the first user if left out.
    #[serde(default)]
    pub signed_in: Option<String>,
    /// Pull requests.
    #[serde(default, rename = "pull_request")]
    pub pull_requests: Vec<PullRequest>,
}

/// A person.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The word by which the scenario names this person.
    pub id: String,
    /// What Bitbucket shows.
    pub name: String,
    /// Defaults to `id`.
    pub nickname: Option<String>,
    /// Defaults to one made from `id`.
    pub account_id: Option<String>,
    /// With braces; defaults to one made from `id`.
    pub uuid: Option<String>,
    /// Not a member of the workspaces: may see repositories, but not who the members are.
    #[serde(default)]
    pub outside: bool,
}

/// A token and what it allows.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Whose it is; a user's `id`.
    pub user: String,
    /// The token itself, as a Bearer token. With [`crate::MARKER`] in it, a search finds it where it should not be.
    pub token: String,
    /// With an e-mail address the token is an API token: `Basic email:token`, and Bearer is refused.
    pub email: Option<String>,
    /// Scopes; defaults to `account` and `pullrequest`, or for an API token to their `read:…:bitbucket` forms.
    pub scopes: Option<Vec<String>>,
    /// Whether it has run out.
    #[serde(default)]
    pub expired: bool,
}

/// An OAuth consumer of a workspace.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consumer {
    /// What OAuth calls the client id.
    pub key: String,
    /// What OAuth calls the client secret. It should have [`crate::MARKER`] in it, too.
    pub secret: String,
    /// Shown on the page that asks for access.
    pub name: Option<String>,
    /// Where the browser is sent back to, or below it. Without one the consumer cannot sign users in.
    pub callback: Option<String>,
    /// Whether the port of a loopback callback does not count. Bitbucket is not known to allow that.
    #[serde(default)]
    pub any_port: bool,
    /// What its owner ticked; `account` and `pullrequest:write` if left out.
    pub scopes: Option<Vec<String>>,
    /// Whether it may act for itself, by client credentials.
    #[serde(default)]
    pub private: bool,
    /// Whether each use replaces a refresh token; it does if left out.
    pub rotates: Option<bool>,
    /// How long a spent refresh token still works after its first use; 600 if left out.
    pub grace_seconds: Option<u64>,
    /// How long access tokens live, in seconds; 7200 if left out.
    pub expires_in: Option<u64>,
    /// The member of the reply that has the scopes: `scope` (if left out), or `scopes` as before May 2026.
    pub scope_member: Option<String>,
    /// The length of access tokens, at least 18; 2600 if left out, as Bitbucket's are.
    pub token_bytes: Option<usize>,
}

impl Consumer {
    pub(crate) fn scopes(&self) -> Vec<String> {
        let usual = || vec!["account".to_owned(), "pullrequest:write".to_owned()];
        self.scopes.clone().unwrap_or_else(usual)
    }

    pub(crate) fn rotates(&self) -> bool {
        self.rotates.unwrap_or(true)
    }

    pub(crate) fn grace(&self) -> std::time::Duration {
        std::time::Duration::from_secs(self.grace_seconds.unwrap_or(600))
    }

    pub(crate) fn expires_in(&self) -> u64 {
        self.expires_in.unwrap_or(7200)
    }

    pub(crate) fn token_bytes(&self) -> usize {
        self.token_bytes.unwrap_or(2600)
    }
}

/// A repository and its history.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// `workspace/slug`.
    pub name: String,
    /// Name of the main branch; `main` if left out.
    pub main: Option<String>,
    /// Whether everybody may read it.
    #[serde(default)]
    pub public: bool,
    /// The users that may read it; everybody with a token if left out.
    pub visible_to: Option<Vec<String>>,
    /// The repository that this one was forked from. It starts with all commits and branches of that one.
    pub fork_of: Option<String>,
    /// A deleted fork: its commits stay in pull requests, it is found nowhere.
    #[serde(default)]
    pub gone: bool,
    /// Commits, oldest first.
    #[serde(default, rename = "commit")]
    pub commits: Vec<Commit>,
    /// Branches deleted after all commits were made.
    #[serde(default)]
    pub deleted_branches: Vec<String>,
}

/// A commit. It is made on the tip of its branch, or where `from` says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    /// A name for it, for comments and other commits; defaults to `branch` and its number, as in `main-1`.
    pub id: Option<String>,
    /// The branch that it is made on and that then points to it.
    pub branch: String,
    /// The first line of the message, or all of it.
    pub message: String,
    /// A user's `id`; the first user if left out.
    pub author: Option<String>,
    /// See [`Scenario`].
    pub date: Option<String>,
    /// First parent, a commit's `id` or a branch: where a new branch starts, or a rewritten one goes back to.
    pub from: Option<String>,
    /// Second parent: files that only one side changed are merged, the others must be in `write`.
    pub merge: Option<String>,
    /// Files with their whole new contents.
    #[serde(default)]
    pub write: BTreeMap<String, String>,
    /// Files with pairs of texts: the first, found exactly once, is replaced by the second.
    #[serde(default)]
    pub edit: BTreeMap<String, Vec<[String; 2]>>,
    /// Old path to new path. Done before `write` and `edit`.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    /// Paths.
    #[serde(default)]
    pub delete: Vec<String>,
    /// Files that are not text, as base64.
    #[serde(default)]
    pub write_base64: BTreeMap<String, String>,
}

/// A pull request and all that was said on it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PullRequest {
    /// Its number; one more than the last in the repository if left out.
    pub id: Option<u64>,
    /// The repository that it goes to; may be left out where there is only one.
    pub repository: Option<String>,
    /// Title.
    pub title: String,
    /// Description, in Markdown.
    #[serde(default)]
    pub description: String,
    /// A user's `id`.
    pub author: String,
    /// The branch that is to be merged.
    pub source: String,
    /// The fork that has the source branch.
    pub source_repository: Option<String>,
    /// The branch that it goes into; the main branch if left out.
    pub destination: Option<String>,
    /// `OPEN` (if left out), `MERGED`, `DECLINED` or `SUPERSEDED`.
    pub state: Option<String>,
    /// For one that is not open any more: its last source commit, a commit's `id`; else the branch's tip.
    pub source_commit: Option<String>,
    /// The same for the destination.
    pub destination_commit: Option<String>,
    /// The merge commit of a merged one, a commit's `id`.
    pub merge_commit: Option<String>,
    /// Still a draft.
    #[serde(default)]
    pub draft: bool,
    /// Whether merging deletes the source branch.
    #[serde(default)]
    pub close_source_branch: bool,
    /// Users asked to review.
    #[serde(default)]
    pub reviewers: Vec<String>,
    /// User to `approved` or `changes_requested`.
    #[serde(default)]
    pub votes: BTreeMap<String, String>,
    /// See [`Scenario`].
    pub created: Option<String>,
    /// Comments; replies stand after what they answer.
    #[serde(default, rename = "comment")]
    pub comments: Vec<Comment>,
    /// Tasks.
    #[serde(default, rename = "task")]
    pub tasks: Vec<Task>,
    /// Builds.
    #[serde(default, rename = "status")]
    pub statuses: Vec<Status>,
}

/// A comment: general without `file`, on the whole file without `on` and `lines`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comment {
    /// A name for it, so that replies and tasks can say where they belong.
    pub id: Option<String>,
    /// A user's `id`.
    pub author: String,
    /// Raw Markdown.
    pub text: String,
    /// See [`Scenario`].
    pub date: Option<String>,
    /// Path of the file that it stands on.
    pub file: Option<String>,
    /// The text that it stands on: one line or several that follow each other, compared without indentation.
    /// A single line that matches no whole line is looked for inside the lines.
    pub on: Option<String>,
    /// Which occurrence of `on` is meant, from 1; needed where there are several.
    pub nth: Option<usize>,
    /// Instead of `on`: first and last line, from 1. They need not exist.
    pub lines: Option<[u32; 2]>,
    /// Which file `on` and `lines` speak of: the new one if left out.
    pub side: Option<Side>,
    /// The source's commit that it was written on, a commit's `id` or a hash; the tip if left out.
    pub at: Option<String>,
    /// The destination's commit at that time; its tip if left out.
    pub destination_at: Option<String>,
    /// The comment that it answers; its place is that one's.
    pub reply_to: Option<String>,
    /// Deleted: it stays in lists without its text.
    #[serde(default)]
    pub deleted: bool,
    /// Written, but not yet published by its author.
    #[serde(default)]
    pub pending: bool,
    /// The user who resolved the thread.
    pub resolved_by: Option<String>,
    /// How a resolution is shown; in full if left out.
    pub resolution: Option<ResolutionForm>,
}

/// A side of the diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The file as the pull request makes it.
    New,
    /// The file at the merge base.
    Old,
    /// A line that is in both, with both of its numbers.
    Both,
}

/// The forms in which Bitbucket gives `resolution` of a resolved thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResolutionForm {
    /// With user and date.
    #[default]
    Full,
    /// `{}`
    Empty,
}

/// A task.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Raw Markdown.
    pub text: String,
    /// A user's `id`.
    pub author: String,
    /// The comment that it hangs on.
    pub comment: Option<String>,
    /// Done.
    #[serde(default)]
    pub done: bool,
    /// See [`Scenario`].
    pub date: Option<String>,
}

/// A build of a commit.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// What tells builds of one commit apart.
    pub key: String,
    /// Defaults to `key`.
    pub name: Option<String>,
    /// `SUCCESSFUL`, `FAILED`, `INPROGRESS` or `STOPPED`.
    pub state: String,
    /// The build's page.
    pub url: Option<String>,
    /// One line about it.
    #[serde(default)]
    pub description: String,
    /// The commit, by its `id`; the source's tip if left out.
    pub at: Option<String>,
    /// See [`Scenario`].
    pub date: Option<String>,
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// If the file cannot be read or is no scenario; the message has path, line and column.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("the scenario {} cannot be read", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is no scenario", path.display()))
    }

    /// Reads a scenario from TOML text.
    ///
    /// # Errors
    /// If it is no TOML, has a field that no scenario has, or lacks one; the message has line and column.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(toml::from_str(text)?)
    }

    /// The sample that the demo shows: a small shop's till with one pull request under discussion.
    pub fn demo() -> Self {
        // The file is part of this crate's sources and a test loads it.
        Self::parse(include_str!("../../../fixtures/demo.toml")).expect("the demo scenario parses")
    }

    /// Repository and branch that somebody who wants to see the first pull request checks out: its source.
    /// Without a pull request the first repository's main branch; `None` without a repository.
    pub fn first_checkout(&self) -> Option<(String, String)> {
        let first = self.repositories.first()?;
        let main = first.main.clone().unwrap_or_else(|| "main".to_owned());
        let Some(pull_request) = self.pull_requests.first() else {
            return Some((first.name.clone(), main));
        };
        let repository = pull_request.source_repository.as_ref().or(pull_request.repository.as_ref());
        Some((repository.unwrap_or(&first.name).clone(), pull_request.source.clone()))
    }

    /// Moves the dates of all that was said so that the last of it was said at `now`.
    ///
    /// Commits keep their dates, so their hashes stay the same. Dates that are left out follow the others.
    pub fn said_until(mut self, now: jiff::Timestamp) -> Self {
        let latest = self.dates().filter_map(|date| moment(date).ok()).max();
        let Some(shift) = latest.map(|latest| now.duration_since(latest)) else {
            return self;
        };
        for date in self.dates() {
            if let Some(moved) = moment(date).ok().and_then(|then| then.checked_add(shift).ok()) {
                *date = moved.to_string();
            }
        }
        self
    }

    fn dates(&mut self) -> impl Iterator<Item = &mut String> {
        self.pull_requests.iter_mut().flat_map(|pull_request| {
            let comments = pull_request.comments.iter_mut().filter_map(|comment| comment.date.as_mut());
            let tasks = pull_request.tasks.iter_mut().filter_map(|task| task.date.as_mut());
            let statuses = pull_request.statuses.iter_mut().filter_map(|status| status.date.as_mut());
            pull_request.created.as_mut().into_iter().chain(comments).chain(tasks).chain(statuses)
        })
    }
}

/// Reads a scenario's date.
pub(crate) fn moment(text: &str) -> Result<jiff::Timestamp> {
    if let Ok(timestamp) = text.parse() {
        return Ok(timestamp);
    }
    let civil: jiff::civil::DateTime =
        text.parse().with_context(|| format!("{text:?} is no date; write it as 2026-11-20 09:30"))?;
    Ok(jiff::tz::Offset::UTC.to_timestamp(civil)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_field_is_named_with_its_line() {
        let error = Scenario::parse("[[user]]\nid = \"ana\"\nnaem = \"Ana\"").unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("naem") && text.contains("line 3"), "{text}");
    }

    #[test]
    fn dates_move_together_and_commits_stay() {
        let now = moment("2030-01-01 12:00").unwrap();
        let before = Scenario::demo();
        let mut after = before.clone().said_until(now);
        assert_eq!(after.dates().map(|date| moment(date).unwrap()).max(), Some(now));
        assert_eq!(after.repositories[0].commits[0].date, before.repositories[0].commits[0].date);
    }
}
