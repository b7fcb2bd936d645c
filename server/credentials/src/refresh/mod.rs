//! One token for all processes: exchanged for a new one before it expires, and after it was refused.
//!
//! It must not know how an exchange is made (the caller hands that in), nor what the token is used for.
//!
//! Bitbucket's refresh tokens can be exchanged once. Several editors share one. So an exchange is made by one process,
//! under a lock that the others wait for, and each reads the store again before it begins: what another one has
//! got in the meantime is used. Nothing is ever removed because something failed.

mod account;
mod clock;
mod exchange;
mod life;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Duration;

use crate::account::{AccountKey, Origin};
use crate::lock::Lock;
use crate::secret::{Authorization, Secret};
use crate::store::Store;
use crate::vault::{self, Generation, Grant, Owner, Secrets, VaultError};

use account::{Account, Surroundings};

pub use clock::{Clock, SystemClock};

/// What a token server answered.
#[derive(Clone)]
pub struct TokenReply {
    /// The access token.
    pub access: Secret,
    /// The refresh token; without one the old one stays.
    pub refresh: Option<Secret>,
    /// For how many seconds the access token is good.
    pub expires_in: Option<u64>,
    /// The scopes; none said means those of before.
    pub scopes: Vec<String>,
}

/// Why a token server gave no token. The sentences are for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExchangeError {
    /// `invalid_grant` (RFC 6749 section 5.2), or 401: the refresh token is not taken any more.
    InvalidGrant,
    /// It may work later: something of this computer's own, or an answer that was no use.
    Passing(String),
    /// It may work later: the server was not reached, or has a problem of its own.
    Unreachable(String),
    /// It will not get better by itself: an answer that makes no sense, a consumer that is not known.
    Unexpected(String),
}

/// A token that can be used now.
#[derive(Clone)]
pub struct Tokens {
    origin: Origin,
    authorization: Option<Authorization>,
    /// When it expires, in seconds since 1970, if that is known.
    pub expires_at: Option<u64>,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// Why it could not be saved, if so: a sentence for the user. It works, saving is tried again by later calls,
    /// and if this process ends before that, the user may have to sign in again.
    pub unsaved: Option<String>,
}

/// What came of asking for a token.
#[derive(Clone)]
pub enum Outcome {
    /// This one can be used.
    Fresh(Tokens),
    /// Only the user can help, by signing in again. Everything stored is kept.
    NeedsLogin(String),
    /// There is none now; nothing is lost; a later call may get one.
    KeepAndRetry {
        /// What happened and what comes next, for the user.
        sentence: String,
        /// When to ask again; calls before that get this answer again.
        after: Duration,
        /// Whether it is because the server was not reached, as other requests will not reach it either.
        unreachable: bool,
    },
}

/// Does the exchange: given the refresh token, makes one request and reads the answer. It must end within 30 s.
pub type Exchange<'a> = dyn FnMut(&Secret) -> Result<TokenReply, ExchangeError> + 'a;

/// Hands out the tokens of all accounts in one store.
///
/// There is one for each store in a process. All methods but [`Refresher::ready`] may block, for the keyring, for an
/// exchange and for other processes (up to about a minute): call them on threads for blocking work.
pub struct Refresher {
    accounts: Mutex<HashMap<AccountKey, Arc<Mutex<Account>>>>,
    surroundings: Surroundings,
}

impl Refresher {
    /// For the accounts in `store`. The locks are made in the state folder.
    pub fn new(store: Arc<dyn Store>, state_folder: PathBuf) -> Self {
        Self::with_clock(store, state_folder, Arc::new(SystemClock::default()))
    }

    /// With clocks of the caller's.
    pub fn with_clock(store: Arc<dyn Store>, state_folder: PathBuf, clock: Arc<dyn Clock>) -> Self {
        let mut spread = [128];
        // Without randomness all processes renew at the same moment, and all but one find it done.
        let _ = getrandom::fill(&mut spread);
        Self {
            accounts: Mutex::default(),
            surroundings: Surroundings {
                store,
                state_folder,
                clock,
                spread: spread[0],
                patience: LOCK_PATIENCE,
                rounds: AtomicU64::new(0),
            },
        }
    }

    /// The token if it is in memory and good: answers at once. `None` means: ask [`Refresher::tokens`].
    pub fn ready(&self, key: &AccountKey) -> Option<Tokens> {
        let account = self.account(key);
        match account.try_lock() {
            Ok(account) => account.ready(&self.surroundings),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().ready(&self.surroundings),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The user asks to try again: what failed before is tried at once, however short ago that was. Never blocks.
    pub fn try_again_now(&self) {
        self.surroundings.rounds.fetch_add(1, Ordering::Relaxed);
    }

    /// Forgets what is known of an account, except a token that could not be saved: another process may have changed
    /// or removed it.
    pub fn forget(&self, key: &AccountKey) {
        self.locked(key, Account::forget_saved);
    }

    /// A token to use now: from memory, from the store, or by an exchange if it is time for one.
    ///
    /// Calls for the same account wait for each other, and all use what the first one got.
    pub fn tokens(&self, key: &AccountKey, exchange: &mut Exchange<'_>) -> Outcome {
        self.locked(key, |account| account.tokens(&self.surroundings, None, exchange))
    }

    /// A token to use after `refused` was answered with 401; never the same one.
    /// Replay the request once with it, not more.
    pub fn rejected(
        &self,
        key: &AccountKey,
        refused: &Authorization,
        exchange: &mut Exchange<'_>,
    ) -> Outcome {
        let refused = refused.secret();
        self.locked(key, |account| account.tokens(&self.surroundings, Some(refused), exchange))
    }

    /// Notes for all processes that somebody was refused with this access token, so the next who asks exchanges it.
    /// If another one is stored by now, nothing is changed. Never touches a refresh token.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub fn mark_stale(&self, key: &AccountKey, refused: &Secret) -> Result<(), VaultError> {
        self.locked(key, |account| account.mark_stale(&self.surroundings, refused))
    }

    /// Stores what a login brought, in the place of what was there. A person is waiting, so the store may ask them to
    /// unlock it.
    ///
    /// # Errors
    /// See [`VaultError`]. What was there is then still there.
    pub fn sign_in(&self, key: &AccountKey, secrets: &Secrets) -> Result<Generation, VaultError> {
        self.change(key, |store, owner, lock| vault::write(store, owner, secrets, lock))
    }

    /// Removes what is stored. That nothing is, is no error.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub fn sign_out(&self, key: &AccountKey) -> Result<(), VaultError> {
        self.change(key, vault::remove)
    }

    fn change<T>(
        &self,
        key: &AccountKey,
        change: impl FnOnce(&dyn Store, &Owner, &Lock) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        self.locked(key, |account| {
            let Surroundings { store, .. } = &self.surroundings;
            let lock = self.surroundings.lock(account.owner())?;
            let value = change(&*store.interactive(), account.owner(), &lock)?;
            account.forget();
            Ok(value)
        })
    }

    fn account(&self, key: &AccountKey) -> Arc<Mutex<Account>> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.entry(key.clone()).or_insert_with(|| Arc::new(Mutex::new(Account::new(key.clone())))).clone()
    }

    /// A panic in an exchange leaves the account as it was before, so it can be used on.
    fn locked<T>(&self, key: &AccountKey, action: impl FnOnce(&mut Account) -> T) -> T {
        let account = self.account(key);
        let mut account = account.lock().unwrap_or_else(PoisonError::into_inner);
        action(&mut account)
    }
}

/// As long as an exchange may take in another process, and what comes before and after it.
const LOCK_PATIENCE: Duration = Duration::from_secs(45);

impl Tokens {
    /// How to sign requests to `origin`; nothing if the token is for another one.
    pub fn authorization(&self, origin: &Origin) -> Option<&Authorization> {
        self.authorization.as_ref().filter(|_| self.origin == *origin)
    }
}

impl Grant {
    /// The grant that an answer brings at this moment (seconds since 1970). What the answer leaves out is as in
    /// `previous`.
    ///
    /// # Errors
    /// The answer has no token that could be sent in a header; a part of a sentence says what is wrong.
    pub fn of(reply: TokenReply, wall: u64, previous: Option<&Self>) -> Result<Self, &'static str> {
        let sendable = |token: &Secret| {
            let text = token.expose();
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if !sendable(&reply.access) {
            return Err("its access token is empty or has characters that no token has");
        }
        let new_refresh = reply.refresh.filter(|token| !token.expose().is_empty());
        if !new_refresh.as_ref().is_none_or(sendable) {
            return Err("its refresh token has characters that no token has");
        }
        let scopes = match (reply.scopes.is_empty(), previous) {
            (true, Some(previous)) => previous.scopes.clone(),
            _ => reply.scopes,
        };
        Ok(Self {
            access: reply.access,
            refresh: new_refresh.or_else(|| previous.and_then(|previous| previous.refresh.clone())),
            granted_at: wall,
            lifetime: reply.expires_in,
            scopes,
            stale: false,
        })
    }
}

#[cfg(test)]
mod tests;
