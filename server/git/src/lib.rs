//! Reading a git repository for code review: where it is, what is checked out, and what stood where at which commit.
//!
//! The way through this crate:
//! - `repository`: [`discover`] finds and opens, [`Repository`] is the handle that everything hangs on;
//! - `head`: what is checked out, and which branch on which remote it belongs to;
//! - `remote`, `url`, `ssh_config`: the remotes, their real addresses, and nothing secret in them;
//! - `content`, `renames`, `branches`: files, merge bases, renames and branches at commits;
//! - `paths`: work tree paths and repository paths, both ways, guarded;
//! - `account`: which account git's configuration names;
//! - [`credential_config`]: which credential helpers git runs for an address, and one more of them, or one less;
//! - `watch`: one cheap value that differs when the repository has moved on.
//!
//! It must not know Bitbucket, pull requests, LSP or the network.
//! It starts no process, and runs nothing that a repository's configuration names.
//! It writes nothing but a block of its own in a configuration file, when it is asked to in [`credential_config`].

mod account;
mod branches;
mod content;
pub mod credential_config;
mod error;
mod head;
mod paths;
mod remote;
mod renames;
mod repository;
mod ssh_config;
mod url;
mod watch;

pub use branches::BranchTip;
pub use content::Blob;
pub use error::Error;
pub use head::{Head, HeadKind, Upstream, UpstreamRemote};
pub use remote::Remote;
pub use repository::{GitConfig, Repository, Surroundings, Trust, discover, discover_within};
pub use watch::Fingerprint;
