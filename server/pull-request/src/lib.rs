//! One pull request under discussion, seen from the text on screen: the core of bitbucket-lsp.
//!
//! `thread` folds comments into threads, `diff` and `place` carry their anchors to where the code is now,
//! `content` finds code again where no diff reaches, and `view` says what a user sees, in editor words.
//! The way back: `suggestion` changes documents as reviewers suggest, and `draft` is what a user writes before it is sent.
//! This crate must not know LSP, JSON, HTTP, git or the file system, and it has no clock: its `clippy.toml` holds it to that.
//! Bad luck is a value here, never an error: a comment whose code is gone is placed as gone.

pub mod content;
pub mod diff;
pub mod draft;
pub mod model;
pub mod place;
pub mod suggestion;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod thread;
pub mod view;
