//! The crate's promises, shown on real repositories that the `git` command line made in temporary folders.

mod contents;
mod credential_config;
mod discovery;
mod heads;
mod paths;
mod place;
mod remotes;
mod watching;
