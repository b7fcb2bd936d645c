//! Places that keep secrets: the keyring of the system, and a folder of files where the user chose that.
//!
//! It must not know what an account or a token is: a store keeps short texts under names.

mod file;
mod keyring;
#[cfg(any(test, feature = "testing"))]
mod memory;
mod system;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use crate::secret::Secret;

pub use file::FileStore;
pub use keyring::KeyringStore;
#[cfg(any(test, feature = "testing"))]
pub use memory::{Fault, MemoryStore, Operation};

/// Keeps short texts under names.
///
/// All calls block; from async code call them on a thread for blocking work.
/// One call changes one item, entirely or not at all.
pub trait Store: Send + Sync {
    /// What it is, as a part of a sentence: "the Secret Service keyring".
    fn name(&self) -> &str;

    /// The text under `key`; `None` if there is none. A locked or unreachable store is an error, never `None`.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn get(&self, key: &str) -> Result<Option<Secret>, StoreError>;

    /// Puts the text under `key`, in place of what is there.
    ///
    /// # Errors
    /// See [`StoreError`]. After [`StoreError::Slow`] it may still happen.
    fn set(&self, key: &str, text: &Secret) -> Result<(), StoreError>;

    /// Removes the text under `key`; that there is none is no error.
    ///
    /// # Errors
    /// See [`StoreError`]. After [`StoreError::Slow`] it may still happen.
    fn delete(&self, key: &str) -> Result<(), StoreError>;

    /// The same store, for calls that a person is waiting for: it may ask them to unlock, and gives them time.
    fn interactive(&self) -> Arc<dyn Store>;

    /// Drops `guard` when no call is under way any more, also none that was given up as slow.
    /// So whoever holds a lock around its calls keeps it until the last of them can no longer change anything.
    fn when_idle(&self, guard: Box<dyn Send>);
}

/// Why a store did not do it; each message is a sentence or two for the user, with what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such store on this machine, or nobody runs it.
    #[error(
        "This machine has no keyring that can be reached ({detail}). Start one (gnome-keyring, KWallet or KeePassXC), \
         or set BITBUCKET_TOKEN, or choose the file store in config.toml."
    )]
    Absent {
        /// What the system said.
        detail: String,
    },
    /// It is there and locked.
    #[error("{store} is locked. Unlock it and try again; nothing was lost.")]
    Locked {
        /// Which store, to begin a sentence with.
        store: String,
    },
    /// It did not answer in time.
    #[error(
        "{store} did not answer within {seconds} s. See whether it asks for something in another window, and try again."
    )]
    Slow {
        /// Which store, to begin a sentence with.
        store: String,
        /// How long it was waited for, in seconds.
        seconds: u64,
    },
    /// There is no room left.
    #[error("{store} is full. Make room and try again.")]
    Full {
        /// Which store, to begin a sentence with.
        store: String,
    },
    /// The text or its name is longer than the store takes.
    #[error("{store} does not take anything that long ({what}). Please report this.")]
    TooLong {
        /// Which store, to begin a sentence with.
        store: String,
        /// What is too long, and the limit if it is known.
        what: String,
    },
    /// It is not safe to use.
    #[error("{what}. Nothing was read or written; put that right, or remove it, and try again.")]
    Unsafe {
        /// What is wrong: a path and what others could do with it.
        what: String,
    },
    /// Anything else.
    #[error(
        "{store} failed ({detail}). Try again; if it stays so, sign in by environment variables (BITBUCKET_TOKEN)."
    )]
    Failed {
        /// Which store, to begin a sentence with.
        store: String,
        /// What the system said.
        detail: String,
    },
}

impl StoreError {
    /// Whether trying again later, with nothing changed by the user, may work.
    pub fn may_pass(&self) -> bool {
        !matches!(self, Self::TooLong { .. } | Self::Unsafe { .. })
    }
}

/// How long calls may take.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Each call that nobody waits for.
    pub background: Duration,
    /// Each call that a person waits for, unlocking included.
    pub interactive: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { background: Duration::from_secs(3), interactive: Duration::from_secs(60) }
    }
}

/// What a system or library said, fit for one line of a message: no control characters, at most 200 characters.
pub(crate) fn one_line(text: &str) -> String {
    let clean = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    clean.take(200).collect::<String>().trim().trim_end_matches('.').to_owned()
}

/// A name as a sentence begins with it.
pub(crate) fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
