//! The Credential Manager of Windows.
//!
//! It must not know what is kept in it.

use std::sync::Arc;

use keyring::{CredentialStore, Entry};

use super::items;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::worker::{Connect, Keyring, Trouble};

/// As a part of a sentence.
pub(crate) const NAME: &str = "the Credential Manager";

/// Items are kept under `service` and key.
pub(crate) fn connect(service: String) -> Connect {
    Box::new(move || {
        let store = windows_native_keyring_store::Store::new()
            .map_err(|error| StoreError::Absent { detail: crate::store::one_line(&error.to_string()) })?;
        Ok(Box::new(CredentialManager { store, service: service.clone() }))
    })
}

struct CredentialManager {
    store: Arc<CredentialStore>,
    service: String,
}

impl CredentialManager {
    fn entry(&self, key: &str) -> Result<Entry, Trouble> {
        self.store.build(&self.service, key, None).map_err(items::trouble)
    }
}

impl Keyring for CredentialManager {
    /// It is open while the user is logged in.
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
