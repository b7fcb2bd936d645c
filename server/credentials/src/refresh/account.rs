//! The steps for one account. Whoever calls holds the account for themselves within this process.
//!
//! It must not know other accounts.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::life::{Life, Now, life};
use super::{Clock, Exchange, Outcome, Tokens};
use crate::account::AccountKey;
use crate::lock::{Lock, LockError};
use crate::secret::Secret;
use crate::store::Store;
use crate::vault::{self, Generation, Grant, Held, Owner, Secrets, VaultError};

/// What all accounts share.
pub(super) struct Surroundings {
    pub(super) store: Arc<dyn Store>,
    pub(super) state_folder: PathBuf,
    pub(super) clock: Arc<dyn Clock>,
    /// Moves the moment of renewal; another one in each process.
    pub(super) spread: u8,
    /// How long another process may hold the lock.
    pub(super) patience: Duration,
    /// Counts how often the user asked to try again: failures of earlier rounds do not count.
    pub(super) rounds: AtomicU64,
}

impl Surroundings {
    pub(super) fn lock(&self, owner: &Owner) -> Result<Lock, LockError> {
        Lock::take(&self.state_folder, owner, &self.store, self.patience)
    }

    fn round(&self) -> u64 {
        self.rounds.load(Ordering::Relaxed)
    }

    pub(super) fn now(&self) -> Now {
        Now { wall: self.clock.wall(), monotonic: self.clock.monotonic() }
    }
}

/// One account's memory.
pub(super) struct Account {
    key: AccountKey,
    pub(super) owner: Owner,
    pub(super) known: Option<Known>,
    failure: Option<Failure>,
    pub(super) failures_in_a_row: u32,
    /// The generation whose refresh token is dead.
    pub(super) dead: Option<Generation>,
    /// The generation whose token was refused and cannot be replaced, and the round that this was met in.
    refused: Option<(Generation, u64)>,
    pub(super) unsaved: Option<Unsaved>,
}

/// The secrets as they were last seen.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) secrets: Secrets,
    /// None if they are not in the store.
    pub(super) generation: Option<Generation>,
    /// When this generation was first seen.
    pub(super) seen: Now,
    /// When it was last looked for in the store.
    pub(super) looked: Now,
}

/// What went wrong last, and is not tried again before its time.
struct Failure {
    until: Duration,
    failed: Failed,
    /// The round that it was met in.
    round: u64,
}

/// A grant that the store did not take.
pub(super) struct Unsaved {
    pub(super) secrets: Secrets,
    /// The generation whose refresh token was exchanged for it.
    pub(super) instead_of: Generation,
    pub(super) sentence: String,
    pub(super) try_again: Duration,
}

/// The pause before a store is tried again, and before a dead login is looked at again.
pub(super) const STORE_PAUSE: Duration = Duration::from_secs(5);
/// A token that is refused so soon (seconds) after it was granted is not exchanged again at once.
const TOO_SOON: u64 = 30;

/// Why there is no better token than what is known.
#[derive(Clone)]
pub(super) enum Failed {
    NeedsLogin(String),
    KeepAndRetry { sentence: String, after: Duration, unreachable: bool },
}

pub(super) type Step<T> = Result<T, Failed>;

impl Account {
    pub(super) fn new(key: AccountKey) -> Self {
        Self {
            owner: Owner::Account(key.clone()),
            key,
            known: None,
            failure: None,
            failures_in_a_row: 0,
            dead: None,
            refused: None,
            unsaved: None,
        }
    }

    pub(super) fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Forgets everything: the store was changed.
    pub(super) fn forget(&mut self) {
        *self = Self::new(self.key.clone());
    }

    /// Forgets what the store has: another process may have changed it.
    pub(super) fn forget_saved(&mut self) {
        if self.unsaved.is_none() {
            self.forget();
        }
    }

    fn is_refused(&self, known: &Known, surroundings: &Surroundings) -> bool {
        let refused = self.refused.as_ref().filter(|(_, round)| *round == surroundings.round());
        refused.is_some_and(|(generation, _)| known.generation.as_ref() == Some(generation))
    }

    pub(super) fn ready(&self, surroundings: &Surroundings) -> Option<Tokens> {
        let now = surroundings.now();
        let known = self.known.as_ref().filter(|known| !now.jumped_since(known.looked))?;
        let to_be_saved = self.unsaved.as_ref().is_some_and(|unsaved| now.monotonic >= unsaved.try_again);
        let good = known.life(now, surroundings) == Life::Good && !self.is_refused(known, surroundings);
        (!to_be_saved && good).then(|| self.handed_out(known))
    }

    /// A token other than `refused`.
    pub(super) fn tokens(
        &mut self,
        surroundings: &Surroundings,
        refused: Option<&Secret>,
        exchange: &mut Exchange<'_>,
    ) -> Outcome {
        let fits = |known: &Known| refused.is_none_or(|refused| !known.secrets.has(refused));
        if let Some(tokens) = self.ready(surroundings).filter(|_| self.known.as_ref().is_some_and(fits)) {
            return Outcome::Fresh(tokens);
        }
        let now = surroundings.now().monotonic;
        let counts = |failure: &&Failure| now < failure.until && failure.round == surroundings.round();
        if let Some(Failure { until, failed, .. }) = self.failure.as_ref().filter(counts) {
            let failed = match failed.clone() {
                Failed::KeepAndRetry { sentence, unreachable, .. } => {
                    Failed::KeepAndRetry { sentence, after: *until - now, unreachable }
                }
                failed @ Failed::NeedsLogin(_) => failed,
            };
            return self.in_spite_of(failed, surroundings, refused);
        }
        match self.obtain(surroundings, refused, exchange) {
            Ok(()) => {
                self.failure = None;
                self.failures_in_a_row = 0;
                // `obtain` leaves something known whenever it ends well.
                let known = self.known.as_ref();
                known.map_or_else(|| signed_out().into(), |known| Outcome::Fresh(self.handed_out(known)))
            }
            Err(failed) => {
                let pause = match &failed {
                    Failed::KeepAndRetry { after, .. } => *after,
                    Failed::NeedsLogin(_) => STORE_PAUSE,
                };
                let round = surroundings.round();
                let until = surroundings.now().monotonic + pause;
                self.failure = Some(Failure { until, failed: failed.clone(), round });
                let known = self.known.as_ref().filter(|known| !fits(known));
                if let (Failed::NeedsLogin(_), Some(generation)) =
                    (&failed, known.and_then(|known| known.generation.clone()))
                {
                    self.refused = Some((generation, round));
                }
                self.in_spite_of(failed, surroundings, refused)
            }
        }
    }

    /// A token that is due but not over is still used while there is no better one.
    fn in_spite_of(&self, failed: Failed, surroundings: &Surroundings, refused: Option<&Secret>) -> Outcome {
        let usable = |known: &&Known| {
            refused.is_none_or(|refused| !known.secrets.has(refused))
                && known.life(surroundings.now(), surroundings) != Life::Over
                && !self.is_refused(known, surroundings)
        };
        let known = self.known.as_ref().filter(usable);
        known.map_or_else(|| failed.into(), |known| Outcome::Fresh(self.handed_out(known)))
    }

    /// Leaves something known that can be used, or says why not.
    fn obtain(
        &mut self,
        surroundings: &Surroundings,
        refused: Option<&Secret>,
        exchange: &mut Exchange<'_>,
    ) -> Step<()> {
        if self.unsaved.is_none() {
            let held = self.look(surroundings)?;
            if self.is_good(surroundings, refused) {
                return Ok(());
            }
            self.exchangeable(&held, surroundings, refused)?;
        }
        let lock = surroundings
            .lock(&self.owner)
            .map_err(|error| retry(error.to_string(), Duration::from_secs(1)))?;
        private_files::failpoint::at("refresh.locked");
        self.save_now(surroundings, &lock);
        if let Some(unsaved) = &self.unsaved {
            return match self.is_good(surroundings, refused) {
                true => Ok(()),
                false => Err(retry(unsaved.sentence.clone(), STORE_PAUSE)),
            };
        }
        let held = self.look(surroundings)?;
        if self.is_good(surroundings, refused) {
            return Ok(());
        }
        let grant = self.exchangeable(&held, surroundings, refused)?;
        self.exchange(surroundings, held.generation, &grant, &lock, exchange)
    }

    /// Reads the store and takes over what is there.
    pub(super) fn look(&mut self, surroundings: &Surroundings) -> Step<Held> {
        let held = vault::read(&*surroundings.store, &self.owner)
            .map_err(|error| retry(error.to_string(), STORE_PAUSE))?;
        let Some(held) = held else {
            self.known = None;
            return Err(signed_out());
        };
        let looked = surroundings.now();
        let same = self.known.as_ref().filter(|known| known.generation.as_ref() == Some(&held.generation));
        self.known = Some(Known {
            secrets: held.secrets.clone(),
            generation: Some(held.generation.clone()),
            seen: same.map_or(looked, |known| known.seen),
            looked,
        });
        if self.dead.as_ref().is_some_and(|dead| *dead != held.generation) {
            self.dead = None;
        }
        Ok(held)
    }

    pub(super) fn is_good(&self, surroundings: &Surroundings, refused: Option<&Secret>) -> bool {
        self.known.as_ref().is_some_and(|known| {
            refused.is_none_or(|refused| !known.secrets.has(refused))
                && known.life(surroundings.now(), surroundings) == Life::Good
                && !self.is_refused(known, surroundings)
        })
    }

    /// The grant, if it has a refresh token that is worth a try.
    fn exchangeable(
        &self,
        held: &Held,
        surroundings: &Surroundings,
        refused: Option<&Secret>,
    ) -> Step<Grant> {
        let Secrets::OAuth(grant) = &held.secrets else {
            return Err(Failed::NeedsLogin(
                "Bitbucket does not take the stored token: it has expired or was revoked. Run \"Bitbucket: Add Token\" \
                 with a new one (at a terminal: bitbucket-lsp auth token)."
                    .to_owned(),
            ));
        };
        if self.dead.as_ref() == Some(&held.generation) || grant.refresh.is_none() {
            return Err(ended());
        }
        let age = surroundings.now().wall.checked_sub(grant.granted_at);
        if refused.is_some() && !grant.stale && age.is_some_and(|age| age < TOO_SOON) {
            return Err(retry(
                "Bitbucket refuses a token that it has only just given out; refresh in half a minute."
                    .to_owned(),
                Duration::from_secs(TOO_SOON),
            ));
        }
        Ok(grant.clone())
    }

    pub(super) fn mark_stale(
        &mut self,
        surroundings: &Surroundings,
        refused: &Secret,
    ) -> Result<(), VaultError> {
        let store = &*surroundings.store;
        let lock = surroundings.lock(&self.owner)?;
        if let Some(Held { secrets: Secrets::OAuth(grant), .. }) = vault::read(store, &self.owner)?
            && grant.access.same_as(refused)
            && !grant.stale
        {
            vault::write(store, &self.owner, &Secrets::OAuth(Grant { stale: true, ..grant }), &lock)?;
            self.known = None;
        }
        Ok(())
    }

    fn handed_out(&self, known: &Known) -> Tokens {
        let (expires_at, scopes) = match &known.secrets {
            Secrets::OAuth(grant) => {
                let end = grant.lifetime.map(|lifetime| grant.granted_at.saturating_add(lifetime));
                (end, grant.scopes.clone())
            }
            _ => (None, Vec::new()),
        };
        Tokens {
            origin: self.key.origin.clone(),
            authorization: known.secrets.authorization(),
            expires_at,
            scopes,
            unsaved: self.unsaved.as_ref().map(|unsaved| unsaved.sentence.clone()),
        }
    }
}

impl Known {
    fn life(&self, now: Now, surroundings: &Surroundings) -> Life {
        match &self.secrets {
            Secrets::OAuth(grant) => life(grant, self.seen, now, surroundings.spread),
            _ => Life::Good,
        }
    }
}

impl Secrets {
    /// Whether `token` is what requests are signed with.
    fn has(&self, token: &Secret) -> bool {
        match self {
            Self::OAuth(Grant { access, .. }) => access.same_as(token),
            Self::ApiToken { token: own, .. } | Self::AccessToken { token: own } => own.same_as(token),
            Self::Consumer { .. } => false,
        }
    }
}

impl From<Failed> for Outcome {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::NeedsLogin(sentence) => Self::NeedsLogin(sentence),
            Failed::KeepAndRetry { sentence, after, unreachable } => {
                Self::KeepAndRetry { sentence, after, unreachable }
            }
        }
    }
}

pub(super) fn retry(sentence: String, after: Duration) -> Failed {
    Failed::KeepAndRetry { sentence, after, unreachable: false }
}

fn signed_out() -> Failed {
    let sentence = "You are signed out of Bitbucket. Run \"Bitbucket: Generate Token\" to sign in (at a terminal: \
         bitbucket-lsp auth login).";
    Failed::NeedsLogin(sentence.to_owned())
}

pub(super) fn ended() -> Failed {
    let sentence = "Your Bitbucket login has ended. Run \"Bitbucket: Generate Token\" to sign in again (at a \
                    terminal: bitbucket-lsp auth login); what you have read and written stays.";
    Failed::NeedsLogin(sentence.to_owned())
}
