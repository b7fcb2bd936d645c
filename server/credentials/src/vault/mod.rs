//! What an account's secrets are in a store.
//!
//! It must not know how tokens are got or used.
//!
//! Stores hold short texts only: Windows takes 2,560 bytes, KDE Wallet only UTF-8, and tokens are longer.
//! So a record is JSON, in Base64, cut into items of at most 1,024 bytes under a new generation's name, each time
//! anew. A header item says which generation counts, and is switched last. So at each moment, also after a crash,
//! the header leads to one whole record. A journal item, written first, names the generations that may be left over
//! from a crash; the next write removes them.

mod items;
mod record;

use secrecy::zeroize::Zeroizing;

use crate::account::{AccountKey, Origin};
use crate::base64;
use crate::lock::{Lock, LockError};
use crate::secret::{Authorization, Secret};
use crate::store::{Store, StoreError};

use items::{Header, Items, Journal};

/// What a record belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// An account.
    Account(AccountKey),
    /// The user's own OAuth consumer for a host's API.
    Consumer(Origin),
}

/// The secrets of an owner.
#[derive(Clone)]
pub enum Secrets {
    /// OAuth.
    OAuth(Grant),
    /// A personal API token, and the e-mail address that it is sent with.
    ApiToken {
        /// E-mail address.
        email: String,
        /// The token.
        token: Secret,
    },
    /// A repository, project or workspace access token.
    AccessToken {
        /// The token.
        token: Secret,
    },
    /// An OAuth consumer.
    Consumer {
        /// Its key, which is no secret.
        key: String,
        /// Its secret.
        secret: Secret,
    },
}

/// What an OAuth server granted.
#[derive(Clone)]
pub struct Grant {
    /// Signs requests until it expires.
    pub access: Secret,
    /// Is exchanged for the next grant, once.
    pub refresh: Option<Secret>,
    /// When it was granted, in seconds since 1970 by this machine's clock.
    pub granted_at: u64,
    /// For how many seconds from then; `None` if the server did not say.
    pub lifetime: Option<u64>,
    /// The scopes.
    pub scopes: Vec<String>,
    /// Somebody was refused with the access token; it is not used any more.
    pub stale: bool,
}

/// A record as it was read.
#[derive(Clone)]
pub struct Held {
    owner: Owner,
    /// The secrets.
    pub secrets: Secrets,
    /// Which writing this is; another one after each write.
    pub generation: Generation,
}

/// The name of one writing of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation(String);

/// Why a record could not be read or written; sentences for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is there is no record. Nothing was removed.
    #[error(
        "What {store} holds for {owner} is damaged ({what}). Nothing was removed; sign in again to replace it."
    )]
    Damaged {
        /// The store.
        store: String,
        /// Who it is for.
        owner: String,
        /// What is wrong.
        what: &'static str,
    },
    /// A newer version wrote it.
    #[error(
        "What {store} holds for {owner} was written by a newer bitbucket-lsp; update this one, or sign in again."
    )]
    Newer {
        /// The store.
        store: String,
        /// Who it is for.
        owner: String,
    },
    /// The store said that it kept it, and did not. The old record is still there.
    #[error(
        "{store} does not keep what is put into it. Try again; if it stays so, choose another store in config.toml."
    )]
    NotKept {
        /// The store, to begin a sentence with.
        store: String,
    },
    /// Another process kept the lock for too long.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// No randomness, without which no new generation has a name.
    #[error("The system gave no random numbers ({0}). Try again.")]
    NoRandomness(String),
}

/// More is refused: no token is that long.
const LONGEST: usize = 1024 * 1024;

/// Reads the record of `owner`; `None` if there is none.
///
/// It needs no lock: when somebody writes meanwhile, it is read again.
///
/// # Errors
/// See [`VaultError`]; nothing is ever removed by reading.
pub fn read(store: &dyn Store, owner: &Owner) -> Result<Option<Held>, VaultError> {
    let items = Items { store, owner };
    let mut header = match items.header()? {
        Some(header) => header,
        None => return Ok(None),
    };
    loop {
        let outcome = content(&items, &header).and_then(|content| {
            let secrets = record::read(&items, &content)?;
            Ok(Held { owner: owner.clone(), secrets, generation: Generation(header.generation.clone()) })
        });
        match outcome {
            Ok(held) => return Ok(Some(held)),
            Err(error @ VaultError::Damaged { .. }) => match items.header()? {
                // Somebody wrote a new one and removed the old one while it was being read.
                Some(newer) if newer != header => header = newer,
                Some(_) => return Err(error),
                None => return Ok(None),
            },
            Err(error) => return Err(error),
        }
    }
}

/// Puts the record in the place of the one that is there, if any.
/// `_lock` is the owner's: two writers at once would remove each other's items.
///
/// # Errors
/// See [`VaultError`]. The old record is then still there; but after a slow switch of the header the new one may be.
pub fn write(
    store: &dyn Store,
    owner: &Owner,
    secrets: &Secrets,
    lock: &Lock,
) -> Result<Generation, VaultError> {
    begin(store, owner, lock)?.commit(secrets)
}

/// Removes the record. That there is none is no error; a damaged one is removed as far as it can be found.
///
/// # Errors
/// See [`VaultError::Store`].
pub fn remove(store: &dyn Store, owner: &Owner, _lock: &Lock) -> Result<(), VaultError> {
    let items = Items { store, owner };
    let old = match items.header() {
        Ok(header) => header,
        Err(VaultError::Store(error)) => return Err(error.into()),
        Err(_) => None,
    };
    let left_over = items.journal()?;
    if let Some(old) = &old {
        items.set_journal(&Journal::of([old.generation.as_str()].into_iter().chain(left_over.names())))?;
    }
    store.delete(&items.header_key())?;
    for generation in old.iter().map(|old| old.generation.as_str()).chain(left_over.names()) {
        items.remove_generation(generation)?;
    }
    Ok(store.delete(&items.journal_key())?)
}

/// A write that the store is ready for: it took the journal. So what a one-time token is exchanged for will most
/// likely be taken too.
pub(crate) struct Write<'a> {
    items: Items<'a>,
    /// What can be removed when the new generation counts: the one that counts now, and what could not be removed.
    left_over: Vec<String>,
    generation: String,
}

/// Removes what crashes left over and makes the store ready for a write.
pub(crate) fn begin<'a>(
    store: &'a dyn Store,
    owner: &'a Owner,
    _lock: &'a Lock,
) -> Result<Write<'a>, VaultError> {
    let items = Items { store, owner };
    // A header that cannot be read is replaced; where its items are cannot be known.
    let old = match items.header() {
        Ok(header) => header,
        Err(VaultError::Store(error)) => return Err(error.into()),
        Err(_) => None,
    };
    let current = old.as_ref().map(|old| old.generation.as_str());
    let left_over = items.journal()?;
    // What cannot be removed stays in the journal and is in nobody's way.
    let names = left_over.names().filter(|name| Some(*name) != current);
    let stuck: Vec<&str> = names.filter(|name| items.remove_generation(name).is_err()).collect();
    let generation =
        private_files::random_id().map_err(|error| VaultError::NoRandomness(error.to_string()))?;
    let left_over: Vec<String> = current.into_iter().chain(stuck).map(str::to_owned).collect();
    items.set_journal(&Journal::of(left_over.iter().map(String::as_str).chain([generation.as_str()])))?;
    Ok(Write { items, left_over, generation })
}

impl Write<'_> {
    /// Writes, reads back, switches, and removes the old.
    pub(crate) fn commit(self, secrets: &Secrets) -> Result<Generation, VaultError> {
        let Self { items, left_over, generation } = self;
        let json = record::written(items.owner, secrets);
        let text = Zeroizing::new(base64::encode(json.as_bytes()));
        if text.len() > LONGEST {
            return Err(VaultError::Store(StoreError::TooLong {
                store: crate::store::capitalized(items.store.name()),
                what: "the tokens".to_owned(),
            }));
        }
        let header = Header::of(&generation, &text);
        items.set_content(&header, &text)?;
        let kept = match content(&items, &header) {
            Ok(kept) => *kept == *json,
            Err(VaultError::Damaged { .. }) => false,
            Err(error) => return Err(error),
        };
        if !kept {
            return Err(items.not_kept());
        }
        items.set_header(&header)?;
        match items.header() {
            Ok(Some(kept)) if kept == header => {}
            Ok(_) | Err(VaultError::Damaged { .. } | VaultError::Newer { .. }) => {
                return Err(items.not_kept());
            }
            Err(error) => return Err(error),
        }
        // From here on the record is written. What cannot be removed now is named in the journal.
        let removed = left_over.iter().try_for_each(|generation| items.remove_generation(generation));
        if removed.is_ok() {
            let _ = items.store.delete(&items.journal_key());
        }
        Ok(Generation(generation))
    }

    /// There is nothing to write after all.
    pub(crate) fn cancel(self) {
        // What stays in the journal is removed by the next write, unless it counts; so nothing needs to be done,
        // and only in the usual case, where nothing is left over, is the journal taken away.
        if self.left_over.len() <= 1 {
            let _ = self.items.store.delete(&self.items.journal_key());
        }
    }
}

fn content(items: &Items<'_>, header: &Header) -> Result<Zeroizing<String>, VaultError> {
    let text = items.content(header)?;
    let bytes =
        base64::decode(&text).map(Zeroizing::new).ok_or_else(|| items.damaged("an item is not Base64"))?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(items.damaged("the record is not text")),
    }
}

impl Held {
    /// How to sign requests to `origin`: nothing if the record is for another one, or for none.
    pub fn authorization(&self, origin: &Origin) -> Option<Authorization> {
        match &self.owner {
            Owner::Account(key) if key.origin == *origin => self.secrets.authorization(),
            Owner::Account(_) | Owner::Consumer(_) => None,
        }
    }
}

impl Secrets {
    /// How to sign with them, wherever it goes.
    pub(crate) fn authorization(&self) -> Option<Authorization> {
        match self {
            Self::OAuth(Grant { access: token, .. }) | Self::AccessToken { token } => {
                Some(Authorization::Bearer(token.clone()))
            }
            Self::ApiToken { email, token } => {
                Some(Authorization::Basic { user: email.clone(), password: token.clone() })
            }
            Self::Consumer { .. } => None,
        }
    }

    /// All that must not be seen in a log.
    pub fn all(&self) -> Vec<&Secret> {
        match self {
            Self::OAuth(grant) => [&grant.access].into_iter().chain(&grant.refresh).collect(),
            Self::ApiToken { token, .. } | Self::AccessToken { token } => vec![token],
            Self::Consumer { secret, .. } => vec![secret],
        }
    }
}

impl Owner {
    /// As one word, the same for the same owner.
    pub(crate) fn word(&self) -> String {
        match self {
            Self::Account(key) => key.word(),
            Self::Consumer(origin) => format!("{origin} consumer"),
        }
    }
}

#[cfg(test)]
mod tests;
