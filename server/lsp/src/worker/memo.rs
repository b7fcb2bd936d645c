//! A bounded memory of results that never change: texts fetched at a commit, diffs between two blobs.
//!
//! The only lock of this crate: it guards no state of the server, only work that need not be done twice.

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
    /// Nothing.
    Nothing,
}

/// Names a text that cannot change: a blob, or a path at a commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum TextKey {
    Blob(String),
    Fetched(String, String),
}

/// The memory.
#[derive(Default)]
pub(super) struct Memo {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    texts: HashMap<(String, String), Option<Arc<Lines<'static>>>>,
    bytes: usize,
    diffs: HashMap<(TextKey, TextKey), Arc<LineDiff>>,
}

impl Memo {
    /// A panic elsewhere leaves results that are still right.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A text fetched before: `Some(None)` if Bitbucket said that there is none.
    pub(super) fn fetched(&self, commit: &str, path: &str) -> Option<Option<Arc<Lines<'static>>>> {
        self.lock().texts.get(&(commit.to_owned(), path.to_owned())).cloned()
    }

    /// Keeps a fetched text.
    pub(super) fn keep_fetched(&self, commit: &str, path: &str, text: Option<Arc<Lines<'static>>>) {
        let mut inner = self.lock();
        let size = text.as_ref().map_or(0, |text| text.text().len());
        if inner.bytes + size > MOST_BYTES {
            inner.texts.clear();
            inner.bytes = 0;
        }
        inner.bytes += size;
        inner.texts.insert((commit.to_owned(), path.to_owned()), text);
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
