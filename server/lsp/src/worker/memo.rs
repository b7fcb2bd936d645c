//! A bounded memory of results that never change: texts fetched at a commit, diffs between two blobs;
//! and of what could not be fetched, so that it is not asked for at each pause in typing.
//!
//! The only lock of this crate: it guards no state of the server, only work that need not be done twice.

use super::placing::{Known, Source};
use crate::effect::Again;
use pull_request::content::lines::Lines;
use pull_request::diff::LineDiff;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of fetched texts that are kept.
const MOST_BYTES: usize = 32 << 20;
/// Diffs that are kept.
const MOST_DIFFS: usize = 4_096;

/// What is known of the text that a comment was written on.
#[derive(Clone, Debug)]
pub(super) enum Commented {
    /// The whole file, under a name that is the same only for the same text.
    Text(TextKey, Arc<Lines<'static>>),
    /// The unified diff of the file that the comments stand on.
    Diff(Arc<str>),
    /// The file was too large to be compared.
    TooLarge,
    /// Nothing.
    Nothing,
}

/// Names a text that cannot change: a blob, or a path at a commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum TextKey {
    Blob(String),
    Fetched(String, String),
    Blurred(Box<TextKey>),
}

/// The memory.
#[derive(Default)]
pub(super) struct Memo {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    fetched: HashMap<Source, Fetched>,
    bytes: usize,
    diffs: HashMap<(TextKey, TextKey), Arc<LineDiff>>,
}

/// What came of asking Bitbucket for a text.
struct Fetched {
    known: Known,
    /// It could not be reached; it may have the text.
    failed: bool,
}

impl Memo {
    /// A panic elsewhere leaves results that are still right.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What Bitbucket answered before; [`Commented::Nothing`] if it had nothing, or could not be reached.
    pub(super) fn fetched(&self, source: &Source) -> Option<Known> {
        self.lock().fetched.get(source).map(|fetched| fetched.known.clone())
    }

    /// Keeps what came of asking; `failed` if Bitbucket could not be reached.
    pub(super) fn keep_fetched(&self, source: Source, known: Known, failed: bool) {
        let mut inner = self.lock();
        let size = match &known.commented {
            Commented::Text(_, text) => text.text().len(),
            Commented::Diff(diff) => diff.len(),
            Commented::TooLarge | Commented::Nothing => 0,
        };
        if inner.bytes + size > MOST_BYTES {
            inner.fetched.clear();
            inner.bytes = 0;
        }
        inner.bytes += size;
        inner.fetched.insert(source, Fetched { known, failed });
    }

    /// Forgets what was not given before, so that it is asked for again.
    pub(super) fn ask_again(&self, again: Again) {
        let keep = |fetched: &Fetched| match again {
            Again::Never => true,
            Again::Failed => !fetched.failed,
            Again::All => !fetched.failed && !matches!(fetched.known.commented, Commented::Nothing),
        };
        self.lock().fetched.retain(|_, fetched| keep(fetched));
    }

    /// The diff between two named texts, made once.
    pub(super) fn diff(&self, before: (&TextKey, &str), after: (&TextKey, &str)) -> Arc<LineDiff> {
        if before.0 == after.0 {
            return Arc::new(LineDiff::identity());
        }
        let key = (before.0.clone(), after.0.clone());
        if let Some(known) = self.lock().diffs.get(&key) {
            return known.clone();
        }
        // Not under the lock: a diff of a large file takes a while.
        let diff = Arc::new(LineDiff::between(before.1, after.1));
        let mut inner = self.lock();
        if inner.diffs.len() >= MOST_DIFFS {
            inner.diffs.clear();
        }
        inner.diffs.insert(key, diff.clone());
        diff
    }
}
