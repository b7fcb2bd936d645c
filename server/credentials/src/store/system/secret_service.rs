//! The Secret Service (gnome-keyring, KWallet, KeePassXC) over D-Bus.
//!
//! It must not know what is kept in it.

use std::collections::HashMap;
use std::sync::Arc;

use keyring::{CredentialStore, Entry, Error};
use secret_service::EncryptionType;
use secret_service::blocking::SecretService;

use super::items;
use crate::secret::Secret;
use crate::store::worker::{Connect, Keyring, Trouble};
use crate::store::{StoreError, capitalized, one_line};

/// As a part of a sentence.
pub(crate) const NAME: &str = "the keyring";

/// Items are found by `service` and key, in whichever collection, and made in the default one.
pub(crate) fn connect(service: String) -> Connect {
    Box::new(move || {
        let absent =
            |error: &dyn std::fmt::Display| StoreError::Absent { detail: one_line(&error.to_string()) };
        let locks = SecretService::connect(EncryptionType::Plain).map_err(|error| absent(&error))?;
        let store = zbus_secret_service_keyring_store::Store::new().map_err(|error| match error {
            Error::PlatformFailure(why) => absent(&why),
            other => absent(&other),
        })?;
        Ok(Box::new(Service { locks, store, service: service.clone() }))
    })
}

struct Service {
    /// A second connection, which only asks whether the default collection is locked and opens it: the store
    /// itself says "no such item" of a locked one, and asks the user at once.
    locks: SecretService<'static>,
    store: Arc<CredentialStore>,
    service: String,
}

impl Service {
    fn entry(&self, key: &str) -> Result<Entry, Trouble> {
        let label = format!("{}: {key}", self.service);
        let modifiers = HashMap::from([("label", label.as_str())]);
        self.store.build(&self.service, key, Some(&modifiers)).map_err(trouble)
    }
}

impl Keyring for Service {
    fn is_locked(&mut self) -> Result<bool, Trouble> {
        match self.locks.get_default_collection() {
            Ok(collection) => collection.is_locked().map_err(service_trouble),
            // There is none, so none is locked; making an item will say so.
            Err(secret_service::Error::NoResult) => Ok(false),
            Err(error) => Err(service_trouble(error)),
        }
    }

    fn unlock(&mut self) -> Result<(), Trouble> {
        let collection = self.locks.get_default_collection().map_err(service_trouble)?;
        collection.unlock().map_err(service_trouble)?;
        match collection.is_locked().map_err(service_trouble)? {
            true => Err(Trouble::Told(locked())),
            false => Ok(()),
        }
    }

    fn get(&mut self, key: &str) -> Result<Option<Secret>, Trouble> {
        match items::get(&self.entry(key)?, trouble) {
            // It may have been locked since it was looked at.
            Ok(None) if self.is_locked()? => Err(Trouble::Told(locked())),
            outcome => outcome,
        }
    }

    fn set(&mut self, key: &str, text: &Secret) -> Result<(), Trouble> {
        items::set(&self.entry(key)?, text, trouble)
    }

    fn delete(&mut self, key: &str) -> Result<(), Trouble> {
        items::delete(&self.entry(key)?, trouble)?;
        match self.is_locked()? {
            true => Err(Trouble::Told(locked())),
            false => Ok(()),
        }
    }
}

fn trouble(error: Error) -> Trouble {
    match error {
        Error::NoStorageAccess(why) | Error::PlatformFailure(why) => {
            match why.downcast::<secret_service::Error>() {
                Ok(error) => service_trouble(*error),
                Err(why) => items::by_words(&why.to_string()),
            }
        }
        other => items::trouble(other),
    }
}

fn service_trouble(error: secret_service::Error) -> Trouble {
    use secret_service::Error as E;
    match error {
        E::Locked | E::Prompt | E::PromptDisconnected => Trouble::Told(locked()),
        E::NoResult => Trouble::Told(StoreError::Absent {
            detail: "it has no default collection; make one in the keyring's own program".to_owned(),
        }),
        E::Unavailable => {
            Trouble::Connection(StoreError::Absent { detail: one_line(&E::Unavailable.to_string()) })
        }
        other => items::by_words(&other.to_string()),
    }
}

fn locked() -> StoreError {
    StoreError::Locked { store: capitalized(NAME) }
}
