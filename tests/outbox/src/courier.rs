//! The real client as who posts and looks.

use bitbucket::{Client, Options, Origin, WriteError};
use drafts::{Outcome, Seen, Service, Waits, normalised};
use pull_request::model::{Comment, PullRequestId, RepositoryName, Spot, Subject, User};
use serde_json::{Value, json};
use std::time::Duration;

use crate::orders::Plan;

/// The repository of all comments here.
pub const REPOSITORY: &str = "club/picnic";
/// The pull request of all comments here.
pub const PULL_REQUEST: u64 = 7;

/// Posts and looks for drafts.
pub struct Courier {
    reader: Client,
    writer: Client,
    me: User,
}

/// What a draft of a plan is about.
#[must_use]
pub fn about(plan: &Plan) -> Value {
    json!({ "file": plan.file })
}

/// The key of a draft of a plan.
#[must_use]
pub fn key(plan: &Plan) -> String {
    format!("{REPOSITORY} {PULL_REQUEST} comment {}", plan.file.as_deref().unwrap_or_default())
}

/// Waits as long as tests can; looks reach over what is on its way when a process dies.
#[must_use]
pub fn waits() -> Waits {
    Waits {
        before_looks: [0, 20, 100].map(Duration::from_millis).to_vec(),
        for_twin: Duration::from_secs(60),
        ..Waits::default()
    }
}

impl Courier {
    /// With the account and the addresses that the environment names.
    pub async fn from(get: &dyn Fn(&str) -> Option<String>) -> Self {
        let account = credentials::from_environment(get).expect("credentials").expect("an account");
        let (api, web) = (get("BITBUCKET_API_URL"), get("BITBUCKET_WEB_URL"));
        let origin = Origin::new(api.as_deref(), web.as_deref()).expect("addresses on this machine");
        let signed = |options| Client::new(origin.clone(), Some(account.authorization.clone()), options);
        let options = Options {
            // No number of faults makes it rest.
            failures_in_a_row: u32::MAX,
            first_pause: Duration::from_millis(1),
            first_wait: Duration::from_millis(1),
            retry_after: (Duration::from_millis(1), Duration::from_millis(1)),
            side_by_side: 16,
            ..Options::default()
        };
        let reader = signed(options.clone());
        // A hanging answer is given up early.
        let writer = signed(Options { total: Duration::from_millis(600), ..options });
        let me = reader.current_user().await.expect("who this is");
        Self { reader, writer, me }
    }

    /// All own comments.
    async fn comments(&self) -> Result<Vec<Comment>, String> {
        let listing = self.reader.comments(&repository(), PullRequestId(PULL_REQUEST), None).await;
        let listing = listing.map_err(|error| error.to_string())?;
        // What is missing in a part of the list may be in the rest.
        if listing.unreadable > 0 {
            return Err("Some comments cannot be read.".into());
        }
        if let Some(more) = listing.more {
            return Err(more);
        }
        let own = |comment: &Comment| comment.author.as_ref().is_some_and(|author| author.is(&self.me));
        Ok(listing.items.into_iter().filter(own).collect())
    }
}

fn repository() -> RepositoryName {
    RepositoryName::parse(REPOSITORY).expect("a name")
}

fn subject(about: &Value) -> Subject {
    match about["file"].as_str() {
        Some(path) => Subject::Code { path: path.to_owned(), spot: Spot::File },
        None => Subject::PullRequest,
    }
}

fn stands_on(comment: &Comment, about: &Value) -> bool {
    comment.parent.is_none() && comment.anchor.as_ref().map(|anchor| &*anchor.path) == about["file"].as_str()
}

impl Service for Courier {
    async fn post(&self, about: &Value, body: &str) -> Outcome {
        let id = PullRequestId(PULL_REQUEST);
        match self.writer.create_comment(&repository(), id, &subject(about), body).await {
            Ok(comment) => Outcome::Posted(comment.id.0),
            Err(error @ WriteError::Refused(_)) => Outcome::Refused(error.sentence()),
            Err(error @ WriteError::Unknown(_)) => Outcome::Unknown(error.sentence()),
        }
    }

    async fn look(&self, about: &Value, body: &str, since: u64) -> Result<Vec<Seen>, String> {
        let comments = self.comments().await?;
        let seen = comments.iter().filter_map(|comment| {
            let created = u64::try_from(comment.created_on?.0).ok()?;
            let same =
                !comment.deleted && stands_on(comment, about) && normalised(&comment.raw) == normalised(body);
            (same && created >= since).then_some(Seen { id: comment.id.0, created })
        });
        Ok(seen.collect())
    }
}
