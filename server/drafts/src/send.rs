//! A draft's way out: at most once, whatever happens on the way.
//!
//! Two locks are held, always in this order: the draft's own, so that it is sent by one at a time, and the turn of its
//! text and place, so that what is found by looking can belong to one draft only. What is known of a draft that may
//! have been posted is changed under its turn alone.

use serde_json::Value;

use crate::error::{Error, on_disk};
use crate::folder::{Drafts, unknown};
use crate::id::DraftId;
use crate::lock::{self, Lock};
use crate::record::{self, Attempt, Found, Record, State};
use crate::service::{Outcome, Service, Waits};
use crate::text::Texts;
use crate::words::{mark, normalised};

/// What is looked for was made at most this long before it was sent, by the clock of who was posted to; in seconds.
const EARLIER: u64 = 120;
/// A discarded draft can be taken for another one only if it was sent at most this long before, in seconds.
const CONFUSABLE: u64 = 600;

/// How sending or looking ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is there; the draft is gone.
    Posted {
        /// Its id.
        id: u64,
        /// What the user should know beside that, as a sentence.
        remark: Option<String>,
    },
    /// It is certainly not there; why, as a sentence. The draft can be sent again.
    Rejected(String),
    /// It may be there: the user must look and say, by [`Drafts::again`] or [`Drafts::settle`]; or it can be looked for
    /// later by [`reconcile`].
    Unknown {
        /// Why that is not known, as a sentence.
        sentence: String,
        /// Whether it was looked for and not found; else it could not be looked for.
        looked: bool,
    },
    /// Nothing was sent: another draft with the same text for the same place may be there, and comes first.
    Twin {
        /// That draft.
        draft: DraftId,
        /// Why that is not known, as a sentence.
        sentence: String,
    },
    /// Nothing was sent: the draft, or one with the same text for the same place, is being sent.
    Busy,
    /// Nothing was sent: there is no such draft.
    Gone,
    /// Nothing was sent: the draft's record cannot be read or written; a sentence for the user.
    Disk(String),
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        match error {
            Error::Gone => Self::Gone,
            Error::Busy => Self::Busy,
            Error::Posted(id) | Error::Taken(id) => Self::Posted { id, remark: None },
            Error::Disk { .. } => Self::Disk(error.to_string()),
        }
    }
}

/// Posts a draft, once. If it may have been posted before, it is looked for and not sent.
///
/// `about` says what `body` is, for `service`. `key` names in words what it is and where it goes (repository, pull
/// request, kind, parent, place): drafts with the same key and the same [`normalised`] body are sent one at a time. The
/// text should have been kept before by [`Drafts::keep_typed`].
///
/// Files are read and written where this runs, which takes milliseconds. Giving it up midway is safe: the draft is then
/// one whose fate is not known.
pub async fn send(
    drafts: &Drafts,
    id: &DraftId,
    about: &Value,
    key: &str,
    body: &str,
    service: &impl Service,
    waits: &Waits,
) -> Ended {
    let post = Post { drafts, service, waits };
    post.send(id, about, key, body).await.unwrap_or_else(Ended::from)
}

/// Finds out by looking what became of a draft that may have been posted. Nothing is sent.
///
/// `Rejected` and `Unknown` are as they were, for a draft that was never sent too (with an empty sentence).
pub async fn reconcile(drafts: &Drafts, id: &DraftId, service: &impl Service, waits: &Waits) -> Ended {
    let post = Post { drafts, service, waits };
    post.reconcile(id).await.unwrap_or_else(Ended::from)
}

struct Post<'a, S> {
    drafts: &'a Drafts,
    service: &'a S,
    waits: &'a Waits,
}

impl<S: Service> Post<'_, S> {
    async fn send(&self, id: &DraftId, about: &Value, key: &str, body: &str) -> Result<Ended, Error> {
        let _own = self.own(id).await?;
        let record = self.drafts.record(id)?;
        if record.is_unresolved() {
            return self.find_out(id).await;
        }
        let turn = format!("{key}\n{}", mark(normalised(body).as_bytes()));
        let _turn = self.turn(&turn).await?;
        if let Some((draft, sentence)) = self.unresolved_twin(id, &turn).await? {
            return Ok(Ended::Twin { draft, sentence });
        }
        let at = (self.waits.now)();
        let text = Texts::read(self.drafts, id)?.newest_mark();
        let record = Record {
            about: about.clone(),
            key: key.to_owned(),
            state: State::Sending,
            changed: at,
            attempts: record.attempts.saturating_add(1),
            attempt: Some(Attempt { body: body.to_owned(), at, turn, text }),
            ..record
        };
        self.drafts.put(id, &record)?;
        private_files::failpoint::at("draft.sending");
        let outcome = self.service.post(about, body).await;
        private_files::failpoint::at("draft.sent");
        Ok(match outcome {
            Outcome::Posted(posted) => self.posted(id, &record, posted),
            Outcome::Refused(sentence) => {
                // If that cannot be written, the draft will be looked for, and the user asked.
                let _ = self.note(id, &record, State::Rejected { sentence: sentence.clone() });
                Ended::Rejected(sentence)
            }
            Outcome::Unknown(sentence) => {
                let _ = self.note(id, &record, unknown(&sentence));
                self.look(id, &record, &sentence).await
            }
        })
    }

    async fn reconcile(&self, id: &DraftId) -> Result<Ended, Error> {
        let _own = self.own(id).await?;
        self.find_out(id).await
    }

    /// Looks for a draft whose own lock is held.
    async fn find_out(&self, id: &DraftId) -> Result<Ended, Error> {
        let record = self.drafts.record(id)?;
        let turn = record.attempt.as_ref().filter(|_| record.is_unresolved()).map(|attempt| &attempt.turn);
        let _turn = match turn {
            Some(turn) => Some(self.turn(turn).await?),
            None => None,
        };
        // It may have been found while another one had the turn.
        let record = self.drafts.record(id)?;
        Ok(match &record.state {
            State::Draft => Ended::Rejected(String::new()),
            State::Rejected { sentence } => Ended::Rejected(sentence.clone()),
            State::Posted { id } => Ended::Posted { id: *id, remark: None },
            State::Sending => {
                let record = Record { state: unknown(record.why_unknown()), ..record };
                let _ = self.drafts.put(id, &record);
                self.look(id, &record, record.why_unknown()).await
            }
            State::Unknown { sentence } => self.look(id, &record, sentence).await,
        })
    }

    /// Another draft that may be there and could be taken for the one that is about to be sent. Each is looked for.
    async fn unresolved_twin(&self, id: &DraftId, turn: &str) -> Result<Option<(DraftId, String)>, Error> {
        let posted = self.drafts.posted()?;
        for twin in self.drafts.ids()?.into_iter().filter(|twin| twin != id && !posted.contains_key(twin)) {
            let Some(record) = unresolved(&self.drafts.record_of(&twin), turn)? else { continue };
            if let Ended::Unknown { sentence, .. } = self.look(&twin, &record, record.why_unknown()).await {
                return Ok(Some((twin, sentence)));
            }
        }
        let recent = (self.waits.now)().saturating_sub(CONFUSABLE);
        let folder = self.drafts.discarded();
        for name in self.drafts.names(&folder)? {
            let Some(twin) = name.strip_suffix(".json").and_then(DraftId::parse) else { continue };
            let Some(record) = unresolved(&folder.join(&name), turn)? else { continue };
            if posted.contains_key(&twin) || record.attempt.as_ref().is_none_or(|attempt| attempt.at < recent)
            {
                continue;
            }
            // The user has done with it; if it is there, it must only not be taken for this one.
            match self.seen_once(&record).await {
                Ok(Some(found)) => drop(self.drafts.bind(&twin, &record, found)?),
                Ok(None) => {}
                Err(sentence) => return Ok(Some((twin, sentence))),
            }
        }
        Ok(None)
    }

    /// Looks a few times, under the draft's turn; `before` is why it is not known.
    async fn look(&self, id: &DraftId, record: &Record, before: &str) -> Ended {
        let (mut sentence, mut looked) = (before.to_owned(), false);
        let pauses = self.waits.before_looks.iter().filter(|_| record.attempt.is_some());
        for pause in pauses {
            tokio::time::sleep(*pause).await;
            match self.seen(record).await {
                Ok(Some(posted)) => return self.posted(id, record, posted),
                Ok(None) => looked = true,
                Err(why) => sentence = why,
            }
        }
        Ended::Unknown { sentence, looked }
    }

    /// Looks until it could be looked once.
    async fn seen_once(&self, record: &Record) -> Result<Option<u64>, String> {
        let mut sentence = String::new();
        for pause in &self.waits.before_looks {
            tokio::time::sleep(*pause).await;
            match self.seen(record).await {
                Ok(seen) => return Ok(seen),
                Err(why) => sentence = why,
            }
        }
        Err(sentence)
    }

    /// The oldest one that can be what was sent and that no draft has.
    async fn seen(&self, record: &Record) -> Result<Option<u64>, String> {
        let Some(attempt) = &record.attempt else { return Ok(None) };
        let since = attempt.at.saturating_sub(EARLIER);
        let mut seen = self.service.look(&record.about, &attempt.body, since).await?;
        seen.retain(|seen| seen.created >= since);
        seen.sort_by_key(|seen| (seen.created, seen.id));
        for seen in seen {
            if !self.drafts.is_bound(seen.id).map_err(|error| error.to_string())? {
                return Ok(Some(seen.id));
            }
        }
        Ok(None)
    }

    fn posted(&self, id: &DraftId, record: &Record, posted: u64) -> Ended {
        let remark = match self.drafts.bind(id, record, posted) {
            Ok(None) => None,
            Ok(Some(newer)) => {
                Some(format!("What you wrote after sending is kept in {} for 30 days.", newer.display()))
            }
            Err(error) => {
                Some(format!("The draft stays, because that it was posted could not be noted: {error}"))
            }
        };
        private_files::failpoint::at("draft.bound");
        Ended::Posted { id: posted, remark }
    }

    fn note(&self, id: &DraftId, record: &Record, state: State) -> Result<(), Error> {
        self.drafts.put(id, &Record { state, changed: (self.waits.now)(), ..record.clone() })
    }

    async fn own(&self, id: &DraftId) -> Result<Lock, Error> {
        self.drafts.ready_for_locks()?;
        let path = self.drafts.lock_of(id);
        let taken = lock::take(&path, std::time::Duration::ZERO).await;
        on_disk(&path, |_| taken)?.ok_or(Error::Busy)
    }

    async fn turn(&self, turn: &str) -> Result<Lock, Error> {
        let path = self.drafts.turn_of(turn);
        let taken = lock::take(&path, self.waits.for_twin).await;
        on_disk(&path, |_| taken)?.ok_or(Error::Busy)
    }
}

/// The record in the file, if it may be there and has this turn.
fn unresolved(path: &std::path::Path, turn: &str) -> Result<Option<Record>, Error> {
    Ok(match on_disk(path, record::read::<Record>)? {
        Found::There(record)
            if record.is_unresolved()
                && record.attempt.as_ref().is_some_and(|attempt| attempt.turn == turn) =>
        {
            Some(record)
        }
        _ => None,
    })
}
