//! What is checked out, and which branch on which remote it belongs to.
//!
//! It must not know what a pull request is; it tells the names that git would use.

use std::fs;
use std::path::Path;

use gix::bstr::ByteSlice;
use gix::refs::FullNameRef;
use gix::remote::Direction;

use crate::error::Error;
use crate::remote;
use crate::repository::Repository;
use crate::url;

/// What is checked out in a work tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// A branch, a branch without commits, or a commit alone.
    pub kind: HeadKind,
    /// The commit, 40 lower-case hex digits; `None` while the branch has none.
    pub commit: Option<String>,
    /// The branch that a rebase under way will move when it ends; the head is detached meanwhile.
    pub rebasing: Option<String>,
}

/// What `HEAD` refers to. Branch names are short: `feature/x` for `refs/heads/feature/x`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadKind {
    /// A branch with at least one commit.
    Branch {
        /// The local name.
        name: String,
        /// What `git pull` would pull (`branch.<name>.remote` and `.merge`).
        upstream: Option<Upstream>,
        /// Where `git push` would push to, by `pushRemote`, `pushDefault`, push refspecs and `push.default`;
        /// `None` where git would refuse for lack of configuration.
        push: Option<Upstream>,
    },
    /// A branch whose first commit has not been made.
    Unborn {
        /// The local name.
        name: String,
    },
    /// No branch.
    Detached,
}

/// A branch on another side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Where the branch is.
    pub remote: UpstreamRemote,
    /// Its name there, short; the full ref name where it is not a branch.
    pub branch: String,
}

/// Where an upstream branch is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamRemote {
    /// A configured remote, by its name.
    Named(String),
    /// An address that is no configured remote's name; user info removed.
    Url(String),
    /// This repository itself (`.`): the branch follows another local branch.
    Here,
}

impl UpstreamRemote {
    /// The remote's name, if it has one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Url(_) | Self::Here => None,
        }
    }
}

impl Repository {
    /// What is checked out now.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if `HEAD` is missing or damaged.
    pub fn head(&self) -> Result<Head, Error> {
        let handle = self.handle();
        let head =
            handle.head().map_err(|error| Error::unreadable(self.git_dir(), "reading its HEAD", &error))?;
        let commit = head.id().map(|id| id.to_string());
        let kind = match &head.kind {
            gix::head::Kind::Symbolic(reference) => match short_branch(reference.name.as_ref()) {
                Some(name) => HeadKind::Branch {
                    name,
                    upstream: upstream(&handle, reference.name.as_ref()),
                    push: push(&handle, reference.name.as_ref()),
                },
                None => HeadKind::Detached,
            },
            gix::head::Kind::Unborn(name) => match short_branch(name.as_ref()) {
                Some(name) => HeadKind::Unborn { name },
                None => HeadKind::Unborn { name: name.as_bstr().to_string() },
            },
            gix::head::Kind::Detached { .. } => HeadKind::Detached,
        };
        let rebasing = if kind == HeadKind::Detached { rebasing(self.git_dir()) } else { None };
        Ok(Head { kind, commit, rebasing })
    }
}

fn short_branch(name: &FullNameRef) -> Option<String> {
    name.as_bstr().strip_prefix(b"refs/heads/").map(|short| short.to_str_lossy().into_owned())
}

fn upstream(handle: &gix::Repository, name: &FullNameRef) -> Option<Upstream> {
    let remote = handle.branch_remote_name(name.shorten(), Direction::Fetch)?;
    let branch = handle.branch_remote_ref_name(name, Direction::Fetch)?.ok()?;
    Some(Upstream { remote: side(handle, remote.as_bstr()), branch: shown(branch.as_ref()) })
}

fn push(handle: &gix::Repository, name: &FullNameRef) -> Option<Upstream> {
    let remote = handle.branch_remote_name(name.shorten(), Direction::Push)?;
    let branch = match handle.branch_remote_ref_name(name, Direction::Push) {
        Some(branch) => branch.ok()?,
        None => {
            // `push.default = simple` pushes under the same name to a remote other than the one that is pulled from.
            let pulled_from = handle.branch_remote_name(name.shorten(), Direction::Fetch);
            let elsewhere = pulled_from.is_none_or(|from| from.as_bstr() != remote.as_bstr());
            let default = handle.config_snapshot().string("push.default");
            let simple = default.is_none_or(|value| value.eq_ignore_ascii_case(b"simple"));
            (elsewhere && simple).then(|| name.to_owned())?
        }
    };
    Some(Upstream { remote: side(handle, remote.as_bstr()), branch: shown(branch.as_ref()) })
}

fn side(handle: &gix::Repository, remote: &gix::bstr::BStr) -> UpstreamRemote {
    let text = remote.to_str_lossy();
    if text == "." {
        UpstreamRemote::Here
    } else if remote::is_configured(handle, remote) || !text.contains(['/', ':', '@']) {
        UpstreamRemote::Named(remote::shown_name(&text))
    } else {
        UpstreamRemote::Url(url::clean(&text).shown)
    }
}

fn shown(branch: &FullNameRef) -> String {
    short_branch(branch).unwrap_or_else(|| branch.as_bstr().to_string())
}

/// The branch under rebase, as both kinds of rebase write it down.
fn rebasing(git_dir: &Path) -> Option<String> {
    let files = ["rebase-merge/head-name", "rebase-apply/head-name"];
    let text = files.iter().find_map(|file| fs::read_to_string(git_dir.join(file)).ok())?;
    text.trim().strip_prefix("refs/heads/").map(str::to_owned)
}
