//! Who posts and looks, and how long is waited.
//!
//! It must not know how either is done.

use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// What became of a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is there, under this id.
    Posted(u64),
    /// It certainly did not happen; why, as a sentence for the user.
    Refused(String),
    /// It may have happened; why that is not known, as a sentence for the user.
    Unknown(String),
}

/// A comment or task that was found by looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its id.
    pub id: u64,
    /// When it was made, in seconds since 1970.
    pub created: u64,
}

/// Who can post and look. `about` is what the draft was made with.
pub trait Service: Sync {
    /// Posts `body` once. It must not try again where it may have happened.
    fn post(&self, about: &Value, body: &str) -> impl Future<Output = Outcome> + Send;

    /// The account's own comments (or tasks) since `since` (seconds since 1970) that stand in the same place, under the
    /// same parent, with the same text by [`normalised`](crate::normalised); oldest first, without deleted ones.
    ///
    /// # Errors
    /// A sentence for the user: why it could not look, or not through all of them. (What is missing in a part of a list
    /// may be in the rest.)
    fn look(
        &self,
        about: &Value,
        body: &str,
        since: u64,
    ) -> impl Future<Output = Result<Vec<Seen>, String>> + Send;
}

/// How long is waited, and the clock, so that tests take no time.
pub struct Waits {
    /// How long is waited before each look for what may have been posted; as many as there are looks.
    pub before_looks: Vec<Duration>,
    /// How long a send waits for another one with the same text for the same place, maybe in another process.
    pub for_twin: Duration,
    /// Seconds since 1970; best by the clock of who is posted to.
    pub now: Box<dyn Fn() -> u64 + Send + Sync>,
}

impl Default for Waits {
    /// Three looks over 30 seconds, by the system's clock.
    fn default() -> Self {
        Self {
            before_looks: [0, 10, 20].map(Duration::from_secs).to_vec(),
            for_twin: Duration::from_secs(90),
            now: Box::new(system_now),
        }
    }
}

pub(crate) fn system_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
