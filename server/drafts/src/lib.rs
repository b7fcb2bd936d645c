//! Drafts: what the user writes, on disk from the first word until it is certain that it was posted; and its way out.
//!
//! - [`Drafts`]: the folder. A draft is a text that the user's editor owns, and a record beside it.
//! - [`send`]: posts a draft, once.
//! - [`reconcile`]: finds out by looking whether a draft was posted whose answer was lost.
//! - [`Service`]: who can post and look.
//!
//! It must not know what a draft is about, nor how anything is sent; it knows files, locks and time.

mod away;
mod error;
mod folder;
mod id;
mod lock;
mod record;
mod send;
mod service;
#[cfg(all(test, unix))]
mod tests;
mod text;
mod words;

pub use error::Error;
pub use folder::{Drafts, Entry, Sent};
pub use id::DraftId;
pub use record::State;
pub use send::{Ended, reconcile, send};
pub use service::{Outcome, Seen, Service, Waits};
pub use words::normalised;
