//! Sends what the user wrote: kept on disk first, once, and looked for where the answer was lost; and changes without a
//! text, which are read back where their answer was lost.
//!
//! How a draft gets out at most once is the business of `drafts`; here is what is posted and what is looked at.

use super::about::{from_value, hint, key, to_value};
use super::anchoring::{Follow, follow};
use super::{problem, sentence};
use crate::effect::Sending;
use crate::event::{Candidates, Problem, Trouble};
use crate::writing::{About, Change, Changed, DraftFile, DraftName, DraftState, Ending, Posted, Sent};
use bitbucket::{Client, Error, Listing, WriteError};
use drafts::{DraftId, Drafts, Ended, Outcome, Seen, Service, State, Waits, normalised};
use pull_request::draft::{self, Intent};
use pull_request::model::{
    Anchor, Comment, CommentId, PullRequestId, RepositoryName, Spot, Subject, Task, TaskId, Timestamp, User,
};
use pull_request::view::markdown::plain;
use serde_json::Value;
use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;

const CHANGED_MEANWHILE: &str =
    "It was changed by somebody, or elsewhere, since you began; what it says now is in the editor.";
const ON_ITS_WAY: &str =
    "The same text is being sent, here or in another window; its outcome is shown when it is known.";

/// Everything that sending needs.
pub(super) struct Desk {
    pub(super) drafts: Drafts,
    pub(super) git: Option<git::Repository>,
    pub(super) bitbucket: Client,
    pub(super) looks: Vec<Duration>,
}

impl Desk {
    /// Keeps a text, sends it, and says how that ended.
    pub(super) async fn send(&self, sending: Sending) -> Sent {
        let Sending { about, draft, text, again, .. } = sending;
        let kept = match &draft {
            Some(name) => self.keep(name, &text),
            None => self
                .drafts
                .create(hint(&about.intent), &to_value(&about), &key(&about), &about.account, &text)
                .map_err(|error| error.to_string()),
        };
        let id = match kept {
            Ok(id) => id,
            Err(why) => {
                let text = draft.is_none().then(|| format!(" Your text: {}", plain(&text, 1_500)));
                let sentence = format!("Nothing was sent. {why}{}", text.unwrap_or_default());
                return Sent {
                    draft: draft.and_then(|name| self.file(&name)),
                    remark: None,
                    ending: Ending::NotKept(sentence),
                };
            }
        };
        let body = draft::body(&text).unwrap_or_default();
        let ending = match self.up_to_date(about).await {
            Ok(about) => {
                // Not before it is really sent: until then it may be there.
                if again && let Err(error) = self.drafts.again(&id) {
                    return self.sent(&id, (Ending::NotKept(format!("Nothing was sent. {error}")), None));
                }
                let service = self.service();
                let ended = drafts::send(
                    &self.drafts,
                    &id,
                    &to_value(&about),
                    &key(&about),
                    &body,
                    &service,
                    &self.waits(),
                )
                .await;
                service.ending(ended)
            }
            Err(ending) => (ending, None),
        };
        self.sent(&id, ending)
    }

    /// Finds out what became of a draft; nothing is sent.
    pub(super) async fn reconcile(&self, name: &DraftName) -> Sent {
        let Some(id) = DraftId::parse(&name.0) else {
            let ending = Ending::NotKept("There is no such draft.".into());
            return Sent { draft: None, remark: None, ending };
        };
        let service = self.service();
        let ended = drafts::reconcile(&self.drafts, &id, &service, &self.waits()).await;
        let ending = service.ending(ended);
        self.sent(&id, ending)
    }

    fn keep(&self, name: &DraftName, text: &str) -> Result<DraftId, String> {
        let id = DraftId::parse(&name.0).ok_or("There is no such draft.")?;
        self.drafts.keep_typed(&id, text).map_err(|error| error.to_string())?;
        Ok(id)
    }

    fn waits(&self) -> Waits {
        Waits { before_looks: self.looks.clone(), ..Waits::default() }
    }

    fn service(&self) -> Bitbucket<'_> {
        let (learned, heard) = mpsc::unbounded_channel();
        Bitbucket { client: &self.bitbucket, learned, heard }
    }

    fn sent(&self, id: &DraftId, (ending, remark): (Ending, Option<String>)) -> Sent {
        let name = DraftName(id.as_str().to_owned());
        let posted = matches!(ending, Ending::Posted(_));
        // Where it was posted, the name says which draft it was.
        let draft = match self.file(&name) {
            Some(file) => Some(file),
            None if posted => Some(DraftFile {
                path: self.drafts.path(id),
                name,
                about: None,
                state: DraftState::Draft,
                changed: Timestamp(0),
                text: String::new(),
            }),
            None => None,
        };
        Sent { draft, remark, ending }
    }

    fn file(&self, name: &DraftName) -> Option<DraftFile> {
        let entry = self.drafts.read(&DraftId::parse(&name.0)?).ok()?;
        draft_file(&self.drafts, entry)
    }

    /// The head is read again just before posting on code: the comment lands on whatever it is then.
    async fn up_to_date(&self, about: About) -> Result<About, Ending> {
        let on_code = matches!(about.intent, Intent::Comment(Subject::Code { .. }));
        if !on_code {
            return Ok(about);
        }
        let refused = |error: &Error| Ending::Refused(problem(error));
        let now = self.bitbucket.pull_request(&about.repository, about.pull_request).await;
        let now = now.map_err(|error| refused(&error))?;
        let Some(git) = &self.git else { return Ok(about) };
        match follow(git, &self.bitbucket, &about, &now).await {
            Follow::Same(about) => Ok(about),
            Follow::Changed(about, sentence) => Err(Ending::Moved(Box::new(about), sentence)),
            Follow::Nowhere(sentence) => {
                Err(Ending::Refused(Problem { trouble: Trouble::Other, sentence, retry_after: None }))
            }
            Follow::Failed(error) => Err(refused(&error)),
        }
    }
}

/// All drafts that are not posted.
pub(super) fn all(drafts: &Drafts) -> Vec<DraftFile> {
    drafts.list().into_iter().filter_map(|entry| draft_file(drafts, entry)).collect()
}

/// A draft for the session; `None` if it is posted.
pub(super) fn draft_file(drafts: &Drafts, entry: drafts::Entry) -> Option<DraftFile> {
    let state = match entry.state {
        State::Posted { .. } => return None,
        _ if entry.elsewhere => DraftState::Sending,
        State::Draft => DraftState::Draft,
        State::Sending => DraftState::Sending,
        State::Rejected { sentence } => DraftState::Rejected(sentence),
        State::Unknown { sentence } => DraftState::Unknown(sentence),
    };
    Some(DraftFile {
        path: drafts.path(&entry.id),
        name: DraftName(entry.id.as_str().to_owned()),
        about: from_value(&entry.about),
        state,
        changed: Timestamp(i64::try_from(entry.changed).unwrap_or(i64::MAX)),
        text: entry.text,
    })
}

/// Makes a draft; an error is a sentence.
pub(super) fn make(drafts: &Drafts, about: &About, text: &str) -> Result<Box<DraftFile>, String> {
    let made = drafts.create(hint(&about.intent), &to_value(about), &key(about), &about.account, text);
    let id = made.map_err(|error| error.to_string())?;
    let entry = drafts.read(&id).map_err(|error| error.to_string())?;
    draft_file(drafts, entry).map(Box::new).ok_or_else(super::fault)
}

/// Bitbucket, as `drafts` sees it.
struct Bitbucket<'a> {
    client: &'a Client,
    learned: mpsc::UnboundedSender<Learned>,
    heard: mpsc::UnboundedReceiver<Learned>,
}

/// What was learned on the way.
enum Learned {
    /// What was posted or seen, and the number that stands for it.
    Seen(u64, Posted),
    /// Why it was refused.
    Refused(Problem),
}

impl Bitbucket<'_> {
    fn learn(&self, learned: Learned) {
        // The one who hears it is this very thing.
        let _ = self.learned.send(learned);
    }

    /// How it ended, in the session's words, and what the user must know beside that.
    fn ending(mut self, ended: Ended) -> (Ending, Option<String>) {
        let (mut seen, mut refused) = (HashMap::new(), None);
        while let Ok(learned) = self.heard.try_recv() {
            match learned {
                Learned::Seen(id, posted) => drop(seen.insert(id, posted)),
                Learned::Refused(problem) => refused = Some(problem),
            }
        }
        let ending = match ended {
            Ended::Posted { id, remark } => return (Ending::Posted(seen.remove(&id)), remark),
            Ended::Rejected(sentence) => Ending::Refused(refused.unwrap_or(Problem {
                trouble: Trouble::Other,
                sentence,
                retry_after: None,
            })),
            Ended::Unknown { sentence, looked } => Ending::Unknown { sentence, looked },
            Ended::Twin { sentence, .. } => Ending::Elsewhere(format!(
                "The same text may be on Bitbucket already, by another draft; send that one first, or discard it. {sentence}"
            )),
            Ended::Busy => Ending::Elsewhere(ON_ITS_WAY.into()),
            Ended::Gone => Ending::NotKept("The draft is no longer there; nothing was sent.".into()),
            Ended::Disk(sentence) => Ending::NotKept(format!("Nothing was sent. {sentence}")),
        };
        (ending, None)
    }

    fn refuse(&self, problem: Problem) -> Outcome {
        let sentence = problem.sentence.clone();
        self.learn(Learned::Refused(problem));
        Outcome::Refused(sentence)
    }

    fn changed_meanwhile(&self) -> Outcome {
        let problem =
            Problem { trouble: Trouble::Other, sentence: CHANGED_MEANWHILE.into(), retry_after: None };
        self.learn(Learned::Refused(problem));
        Outcome::Refused(CHANGED_MEANWHILE.into())
    }

    fn outcome(&self, written: Result<(u64, Posted), WriteError>) -> Outcome {
        match written {
            Ok((id, posted)) => {
                self.learn(Learned::Seen(id, posted));
                Outcome::Posted(id)
            }
            Err(error @ WriteError::Refused(_)) => self.refuse(not_done(&error)),
            Err(WriteError::Unknown(error)) => Outcome::Unknown(sentence(&error)),
        }
    }

    async fn posted(&self, about: &About, body: &str) -> Outcome {
        let (name, id) = (&about.repository, about.pull_request);
        match &about.intent {
            Intent::Comment(subject) => {
                let written = self.client.create_comment(name, id, subject, body).await;
                if let Ok(comment) = &written
                    && !is_at(comment, subject)
                {
                    tracing::warn!("Bitbucket put a comment elsewhere than it was asked to");
                }
                self.outcome(written.map(|comment| (comment.id.0, Posted::Comment(Box::new(comment)))))
            }
            Intent::Edit { comment, before } => {
                match self.client.comment(name, id, *comment).await {
                    Ok(now) if normalised(&now.raw) != normalised(before) => return self.changed_meanwhile(),
                    Ok(_) => {}
                    Err(error) => return self.refuse(problem(&error)),
                }
                let written = self.client.edit_comment(name, id, *comment, body).await;
                self.outcome(written.map(|comment| (unique(), Posted::Comment(Box::new(comment)))))
            }
            Intent::Task { comment } => {
                let written = self.client.create_task(name, id, *comment, body).await;
                self.outcome(written.map(|task| (task.id.0, Posted::Task(task))))
            }
            Intent::EditTask { task, before } => {
                let resolved = match self.client.task(name, id, *task).await {
                    Ok(now) if normalised(&now.raw) != normalised(before) => return self.changed_meanwhile(),
                    Ok(now) => now.resolved,
                    Err(error) => return self.refuse(problem(&error)),
                };
                let written = self.client.edit_task(name, id, *task, body, resolved).await;
                self.outcome(written.map(|task| (unique(), Posted::Task(task))))
            }
        }
    }

    /// What on Bitbucket may be this text.
    async fn seen(&self, about: &About, body: &str) -> Result<Vec<(u64, Option<Timestamp>, Posted)>, Error> {
        let (name, id) = (&about.repository, about.pull_request);
        let wanted = normalised(body);
        let now = Timestamp(i64::MAX);
        Ok(match &about.intent {
            Intent::Comment(subject) => {
                let me = self.me().await?;
                let listed = whole(self.client.comments(name, id, None).await?)?;
                // One that could not be read in full may be it, unless it is somebody else's.
                let may_be = |comment: &Comment| {
                    comment.unreadable
                        && (comment.author.is_none() || is_by(comment.author.as_ref(), me.as_ref()))
                };
                if listed.items.iter().any(may_be) {
                    let what = "a comment that could not be read in full".into();
                    return Err(Error::Unexpected { status: 200, what });
                }
                let is_it = |comment: &Comment| {
                    !comment.deleted
                        && is_by(comment.author.as_ref(), me.as_ref())
                        && is_at(comment, subject)
                        && normalised(&comment.raw) == wanted
                };
                let found = listed.items.into_iter().filter(is_it);
                found.map(|it| (it.id.0, it.created_on, Posted::Comment(Box::new(it)))).collect()
            }
            Intent::Task { comment } => {
                let me = self.me().await?;
                let listed = whole(self.client.tasks(name, id, None).await?)?;
                let is_it = |task: &Task| {
                    task.comment == *comment
                        && is_by(task.creator.as_ref(), me.as_ref())
                        && normalised(&task.raw) == wanted
                };
                let found = listed.items.into_iter().filter(is_it);
                found.map(|it| (it.id.0, it.created_on, Posted::Task(it))).collect()
            }
            Intent::Edit { comment, .. } => {
                let it = self.client.comment(name, id, *comment).await?;
                let found = (normalised(&it.raw) == wanted)
                    .then(|| (unique(), Some(now), Posted::Comment(Box::new(it))));
                found.into_iter().collect()
            }
            Intent::EditTask { task, .. } => {
                let it = self.client.task(name, id, *task).await?;
                let found = (normalised(&it.raw) == wanted).then(|| (unique(), Some(now), Posted::Task(it)));
                found.into_iter().collect()
            }
        })
    }

    /// Who is signed in; `None` where the account may not ask that.
    async fn me(&self) -> Result<Option<User>, Error> {
        match self.client.current_user().await {
            Ok(user) => Ok(Some(user)),
            Err(error) if error.is_passing() => Err(error),
            Err(_) => Ok(None),
        }
    }
}

impl Service for Bitbucket<'_> {
    async fn post(&self, about: &Value, body: &str) -> Outcome {
        match from_value(about) {
            Some(about) => self.posted(&about, body).await,
            None => Outcome::Refused("What this draft is about is lost.".into()),
        }
    }

    async fn look(&self, about: &Value, body: &str, _since: u64) -> Result<Vec<Seen>, String> {
        let about = from_value(about).ok_or("What this draft is about is lost.")?;
        let found = self.seen(&about, body).await.map_err(|error| sentence(&error))?;
        // What is looked for was made by Bitbucket's clock; when it was sent is known by the one here.
        let ahead = self.client.clock_ahead().unwrap_or(0);
        let seen = found.into_iter().map(|(id, created, posted)| {
            self.learn(Learned::Seen(id, posted));
            let created =
                created.map_or(0, |created| u64::try_from(created.0.saturating_sub(ahead)).unwrap_or(0));
            Seen { id, created }
        });
        Ok(seen.collect())
    }
}

/// Why a write was not done, in the words of a writer.
fn not_done(error: &WriteError) -> Problem {
    Problem { sentence: plain(&error.sentence(), 600), ..problem(error.error()) }
}

/// What is not in a list that lacks something may be there all the same: that is no look at all.
fn whole<T>(listed: Listing<T>) -> Result<Listing<T>, Error> {
    match &listed.more {
        Some(why) => Err(Error::Unexpected { status: 200, what: why.clone() }),
        None => Ok(listed),
    }
}

fn is_by(author: Option<&User>, me: Option<&User>) -> bool {
    me.is_none_or(|me| author.is_some_and(|author| author.is(me)))
}

/// Whether a comment is where it was to go.
fn is_at(comment: &Comment, subject: &Subject) -> bool {
    match subject {
        Subject::PullRequest => comment.parent.is_none() && comment.anchor.is_none(),
        Subject::Comment(parent) => comment.parent == Some(*parent),
        Subject::Code { path, spot } => {
            let is_it = |anchor: &Anchor| anchor.path == *path && same_end(anchor.spot, *spot);
            comment.parent.is_none() && comment.anchor.as_ref().is_some_and(is_it)
        }
    }
}

/// Bitbucket may leave out where a range starts.
fn same_end(one: Spot, other: Spot) -> bool {
    match (one, other) {
        (Spot::Lines(side, lines), Spot::Lines(other_side, other)) => {
            side == other_side && lines.last == other.last
        }
        (one, other) => one == other,
    }
}

/// An edit has no id of its own; this one was never used.
fn unique() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Makes a change that needs no text; where the answer is lost, Bitbucket is asked how it is now.
pub(super) async fn change(
    bitbucket: &Client,
    name: &RepositoryName,
    id: PullRequestId,
    change: &Change,
) -> Changed {
    let made = match change {
        Change::Resolve(root) => bitbucket.resolve(name, id, *root).await.map(Some),
        Change::Reopen(root) => bitbucket.reopen(name, id, *root).await.map(|()| None),
        Change::DeleteComment(comment) => bitbucket.delete_comment(name, id, *comment).await.map(|()| None),
        Change::SetTask { task, raw, resolved } => {
            bitbucket.edit_task(name, id, *task, raw, *resolved).await.map(|_| None)
        }
        Change::DeleteTask(task) => bitbucket.delete_task(name, id, *task).await.map(|()| None),
    };
    match made {
        Ok(resolution) => Ok(resolution),
        Err(error @ WriteError::Refused(_)) => Err(not_done(&error)),
        Err(WriteError::Unknown(error)) => match is_made(bitbucket, name, id, change).await {
            Some(true) => Ok(None),
            Some(false) => Err(problem(&error)),
            None => {
                let mut problem = problem(&error);
                problem.sentence =
                    format!("It may have been done all the same; refresh to see. {}", problem.sentence);
                Err(problem)
            }
        },
    }
}

/// Whether Bitbucket has it as the change wanted; `None` if that cannot be read.
async fn is_made(
    bitbucket: &Client,
    name: &RepositoryName,
    id: PullRequestId,
    change: &Change,
) -> Option<bool> {
    let comment = |comment: CommentId| bitbucket.comment(name, id, comment);
    let task = |task: TaskId| bitbucket.task(name, id, task);
    match change {
        Change::Resolve(root) => Some(comment(*root).await.ok()?.resolution.is_some()),
        Change::Reopen(root) => Some(comment(*root).await.ok()?.resolution.is_none()),
        Change::DeleteComment(id) => match comment(*id).await {
            Ok(comment) => Some(comment.deleted),
            Err(Error::NotFound | Error::Gone) => Some(true),
            Err(_) => None,
        },
        Change::SetTask { task: id, resolved, .. } => Some(task(*id).await.ok()?.resolved == *resolved),
        Change::DeleteTask(id) => match task(*id).await {
            Ok(_) => Some(false),
            Err(Error::NotFound | Error::Gone) => Some(true),
            Err(_) => None,
        },
    }
}

/// What can be named in a text; what the account may not see is left out.
pub(super) async fn candidates(bitbucket: &Client, name: &RepositoryName) -> Candidates {
    let (members, open) =
        futures_util::future::join(bitbucket.members(name.workspace()), bitbucket.open_pull_requests(name))
            .await;
    let title = |request: pull_request::model::PullRequest| (request.id, plain(&request.title, 80));
    Candidates {
        members: members.ok().map(|listed| listed.items),
        pull_requests: open.map(|listed| listed.items.into_iter().map(title).collect()).unwrap_or_default(),
    }
}

/// Counts a draft as sent because the user says so; which comment it is, nobody knows.
pub(super) fn count_as_sent(drafts: &Drafts, id: &DraftId) -> Result<(), drafts::Error> {
    drafts.settle(id, unique())
}
