//! A Bitbucket that does what it is told, and remembers which draft each comment came from.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;

use crate::{DraftId, Drafts, Outcome, Seen, Service, State, Waits, normalised};

/// A comment on it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Comment {
    pub(super) id: u64,
    pub(super) created: u64,
    pub(super) about: Value,
    pub(super) body: String,
    /// The draft that it came from; nothing if it was written elsewhere.
    pub(super) from: Option<DraftId>,
}

#[derive(Debug, Default)]
pub(super) struct Cloud {
    comments: Mutex<Vec<Comment>>,
    posts: Mutex<u32>,
    now: Mutex<u64>,
}

/// What happens to a post.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Post {
    /// It is there, and it is said.
    Clear,
    /// It is not there, and it is said.
    Refused,
    /// It is there, but the answer is lost.
    Lost,
    /// It never arrived, which nobody knows.
    Vanished,
}

/// One caller of the cloud.
pub(super) struct Caller<'a> {
    pub(super) cloud: &'a Cloud,
    pub(super) drafts: &'a Drafts,
    pub(super) draft: &'a DraftId,
    pub(super) post: Post,
    /// How many looks fail before one succeeds.
    pub(super) blind: Mutex<u32>,
    /// How long the way takes.
    pub(super) way: Duration,
}

impl Cloud {
    pub(super) fn at(now: u64) -> Self {
        Self { now: now.into(), ..Self::default() }
    }

    pub(super) fn now(&self) -> u64 {
        *self.now.lock().unwrap()
    }

    pub(super) fn pass(&self, seconds: u64) {
        *self.now.lock().unwrap() += seconds;
    }

    pub(super) fn comments(&self) -> Vec<Comment> {
        self.comments.lock().unwrap().clone()
    }

    pub(super) fn from(&self, draft: &DraftId) -> Vec<u64> {
        let comments = self.comments();
        let ours = comments.iter().filter(|comment| comment.from.as_ref() == Some(draft));
        ours.map(|comment| comment.id).collect()
    }

    /// How often anybody tried.
    pub(super) fn posts(&self) -> u32 {
        *self.posts.lock().unwrap()
    }

    pub(super) fn add(&self, about: &Value, body: &str, from: Option<&DraftId>) -> u64 {
        let created = self.now();
        let mut comments = self.comments.lock().unwrap();
        let id = 100 + comments.len() as u64;
        let (about, body) = (about.clone(), normalised(body));
        comments.push(Comment { id, created, about, body, from: from.cloned() });
        id
    }

    pub(super) fn caller<'a>(&'a self, drafts: &'a Drafts, draft: &'a DraftId, post: Post) -> Caller<'a> {
        Caller { cloud: self, drafts, draft, post, blind: Mutex::new(0), way: Duration::ZERO }
    }
}

/// Waits that take no time, by the cloud's clock. (It stands still while these are in use.)
pub(super) fn waits(cloud: &Cloud) -> Waits {
    let now = cloud.now();
    Waits {
        before_looks: [0, 10, 20].map(Duration::from_secs).to_vec(),
        for_twin: Duration::from_secs(90),
        now: Box::new(move || now),
    }
}

impl Service for Caller<'_> {
    async fn post(&self, about: &Value, body: &str) -> Outcome {
        tokio::time::sleep(self.way).await;
        let entry = self.drafts.read(self.draft).unwrap();
        assert_eq!(entry.state, State::Sending, "it is on disk that it is being sent");
        assert_eq!(entry.sent.unwrap().body, body, "and what is sent");
        *self.cloud.posts.lock().unwrap() += 1;
        let outcome = match self.post {
            Post::Clear => Outcome::Posted(self.cloud.add(about, body, Some(self.draft))),
            Post::Refused => Outcome::Refused("no".into()),
            Post::Lost => {
                self.cloud.add(about, body, Some(self.draft));
                Outcome::Unknown("lost".into())
            }
            Post::Vanished => Outcome::Unknown("lost".into()),
        };
        tokio::time::sleep(self.way).await;
        outcome
    }

    async fn look(&self, about: &Value, body: &str, since: u64) -> Result<Vec<Seen>, String> {
        tokio::time::sleep(self.way).await;
        {
            let mut blind = self.blind.lock().unwrap();
            if *blind > 0 {
                *blind -= 1;
                return Err("cannot look".into());
            }
        }
        let body = normalised(body);
        let comments = self.cloud.comments();
        let same = comments
            .iter()
            .filter(|comment| comment.about == *about && comment.body == body && comment.created >= since);
        Ok(same.map(|comment| Seen { id: comment.id, created: comment.created }).collect())
    }
}
