//! What can go wrong while reading a repository, one variant for each thing that a caller does differently.
//!
//! No variant holds text of the configuration, so no address with a password can leave this way.

use std::path::{Path, PathBuf};

/// Why something could not be read; `Display` is one sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither the path nor a folder above it belongs to a git repository.
    #[error(
        "{} is not in a git repository: open a folder of a clone, or clone the repository first.", path.display()
    )]
    NotARepository {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// There is a repository, but it cannot be read.
    #[error("The git repository at {} cannot be read ({why}): check it with `git status` there.", path.display())]
    Unreadable {
        /// The repository's folder, or the path that was asked for.
        path: PathBuf,
        /// The cause in a few words.
        why: String,
    },
    /// The commit is not in the object database: never fetched, or cut off by a shallow clone.
    #[error(
        "The commit {commit} is not in this clone: fetch it with `git fetch`, or deepen a shallow clone."
    )]
    CommitMissing {
        /// The hash that was asked for.
        commit: String,
    },
    /// The commit is there, but the file's content is not, as in partial clones.
    #[error("The content of {path} at that commit is not in this clone: fetch it with `git fetch`.")]
    ContentMissing {
        /// The path within the repository.
        path: String,
    },
    /// The file is larger than the caller takes.
    #[error(
        "{path} has {size} bytes at that commit, more than the {cap} that are read: open it in the browser."
    )]
    TooLarge {
        /// The path within the repository.
        path: String,
        /// Its size in bytes.
        size: u64,
        /// The caller's cap in bytes.
        cap: u64,
    },
}

impl Error {
    /// Turns gix's error into ours.
    ///
    /// Only its class is told: its text may quote the configuration, and that may hold passwords.
    pub(crate) fn unreadable(path: &Path, what: &str, error: &gix::Error) -> Self {
        let class = if error.is_permission_denied() {
            "permission denied"
        } else if error.is_not_found() {
            "something that it refers to is missing"
        } else if error.is_unsupported() {
            "it uses a format that is not supported"
        } else if error.is_corrupted() {
            "it is damaged"
        } else {
            "it is not what git writes"
        };
        Self::Unreadable { path: path.to_owned(), why: format!("{what}: {class}") }
    }
}
