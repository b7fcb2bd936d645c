//! The login Keychain of macOS.
//!
//! It must not know what is kept in it.

use std::sync::Arc;

use keyring::{CredentialStore, Entry};

use super::items;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::worker::{Connect, Keyring, Trouble};

/// As a part of a sentence.
pub(crate) const NAME: &str = "the Keychain";

/// Items are kept under `service` and key.
pub(crate) fn connect(service: String) -> Connect {
    Box::new(move || {
        let store = apple_native_keyring_store::keychain::Store::new()
            .map_err(|error| StoreError::Absent { detail: crate::store::one_line(&error.to_string()) })?;
        Ok(Box::new(Keychain { store, service: service.clone() }))
    })
}

struct Keychain {
    store: Arc<CredentialStore>,
    service: String,
}

impl Keychain {
    fn entry(&self, key: &str) -> Result<Entry, Trouble> {
        self.store.build(&self.service, key, None).map_err(items::trouble)
    }
}

impl Keyring for Keychain {
    /// The system itself asks to unlock, and says so when that was refused.
    fn is_locked(&mut self) -> Result<bool, Trouble> {
        Ok(false)
    }

    fn unlock(&mut self) -> Result<(), Trouble> {
        Ok(())
    }

    fn get(&mut self, key: &str) -> Result<Option<Secret>, Trouble> {
        items::get(&self.entry(key)?, items::trouble)
    }

    fn set(&mut self, key: &str, text: &Secret) -> Result<(), Trouble> {
        items::set(&self.entry(key)?, text, items::trouble)
    }

    fn delete(&mut self, key: &str) -> Result<(), Trouble> {
        items::delete(&self.entry(key)?, items::trouble)
    }
}
