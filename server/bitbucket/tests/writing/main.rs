//! Writes against answers of all kinds, over real sockets on loopback: what is sent, and which side of "it did not
//! happen" and "nobody knows" each ending is on.

#![allow(missing_docs, reason = "tests")]

mod bodies;
mod fates;
mod faults;
mod gate;
mod logs;
mod recorded;
mod signing;
#[path = "../support/mod.rs"]
mod support;

use bitbucket::{Client, Options, WriteError};
use pull_request::model::{CommentId, PullRequestId, RepositoryName, Subject, TaskId};
use support::{Reply, Server};

/// Everything that writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Comment,
    Answer,
    EditComment,
    DeleteComment,
    Resolve,
    Reopen,
    Task,
    EditTask,
    DeleteTask,
}

const VERBS: [Verb; 9] = [
    Verb::Comment,
    Verb::Answer,
    Verb::EditComment,
    Verb::DeleteComment,
    Verb::Resolve,
    Verb::Reopen,
    Verb::Task,
    Verb::EditTask,
    Verb::DeleteTask,
];

/// The text that is written; what looks like an escape is none.
const TEXT: &str = "Gr\u{fc}\u{df}e \\n \"x\"\n\n  \u{1f600}\t@{557058:a}\n";
const TEXT_IN_JSON: &str = "Gr\u{fc}\u{df}e \\\\n \\\"x\\\"\\n\\n  \u{1f600}\\t@{557058:a}\\n";
const COMMENT: &str = r#"{"type":"pullrequest_comment","id":9,"content":{"raw":"x"},"parent":{"id":5}}"#;
const TASK: &str = r#"{"id":8,"state":"UNRESOLVED","content":{"raw":"x"},"comment":{"id":9}}"#;
const RESOLUTION: &str = r#"{"type":"comment_resolution","user":{"uuid":"{u}","display_name":"Ana"}}"#;

impl Verb {
    async fn run(self, client: &Client) -> Result<(), WriteError> {
        let (repository, id) = (repository(), PullRequestId(7));
        let (comment, task) = (CommentId(9), TaskId(8));
        match self {
            Self::Comment => {
                client.create_comment(&repository, id, &Subject::PullRequest, TEXT).await.map(|_| ())
            }
            Self::Answer => {
                let subject = Subject::Comment(CommentId(5));
                client.create_comment(&repository, id, &subject, TEXT).await.map(|_| ())
            }
            Self::EditComment => client.edit_comment(&repository, id, comment, TEXT).await.map(|_| ()),
            Self::DeleteComment => client.delete_comment(&repository, id, comment).await,
            Self::Resolve => client.resolve(&repository, id, comment).await.map(|_| ()),
            Self::Reopen => client.reopen(&repository, id, comment).await,
            Self::Task => client.create_task(&repository, id, Some(comment), TEXT).await.map(|_| ()),
            Self::EditTask => client.edit_task(&repository, id, task, TEXT, true).await.map(|_| ()),
            Self::DeleteTask => client.delete_task(&repository, id, task).await,
        }
    }

    /// What Bitbucket answers when all is well.
    fn good(self) -> Reply {
        match self {
            Self::Comment | Self::Answer => support::json(201, COMMENT),
            Self::EditComment => support::json(200, COMMENT),
            Self::Resolve => support::json(200, RESOLUTION),
            Self::Task => support::json(201, TASK),
            Self::EditTask => support::json(200, TASK),
            Self::DeleteComment | Self::Reopen | Self::DeleteTask => support::answer(204, &[], b""),
        }
    }

    /// Whether an object must come back.
    fn has_object(self) -> bool {
        !matches!(self, Self::DeleteComment | Self::Reopen | Self::DeleteTask)
    }
}

fn repository() -> RepositoryName {
    RepositoryName::new("team", "app").unwrap()
}

/// What a verb comes to when the server answers everything alike, and how many requests it took.
async fn outcome(
    verb: Verb,
    options: Options,
    reply: impl Fn() -> Reply + Send + Sync + 'static,
) -> (Result<(), WriteError>, usize) {
    let server = Server::start(move |_, _| reply()).await;
    let outcome = verb.run(&server.client(options)).await;
    (outcome, server.seen().len())
}
