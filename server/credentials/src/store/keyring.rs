//! The keyring of the system: Secret Service on Linux and BSD, Keychain on macOS, Credential Manager on Windows.
//!
//! It must not know how a system's keyring is called; see `system`.

use std::sync::Arc;
use std::time::Duration;

use crate::secret::Secret;
use crate::store::worker::{Connect, Worker};
use crate::store::{Limits, Store, StoreError, system};

/// The keyring of the system.
///
/// Making one is free: the first call connects, and when that fails the next call tries again.
/// All calls are made on one thread of its own, so this can be called from any thread.
/// A call takes 3 s at most, and does not ask to unlock; those of [`Store::interactive`] take 60 s and may ask.
/// Clones share the thread.
#[derive(Clone)]
pub struct KeyringStore {
    worker: Arc<Worker>,
    limits: Limits,
    interactive: bool,
}

impl KeyringStore {
    /// This system's keyring. `service` is the name that items are kept under: the program's.
    pub fn new(service: &str) -> Self {
        Self::over(system::NAME, system::connect(service.to_owned()), Limits::default())
    }

    pub(crate) fn over(name: &str, connect: Connect, limits: Limits) -> Self {
        Self { worker: Arc::new(Worker::new(name.to_owned(), connect)), limits, interactive: false }
    }

    fn limit(&self) -> Duration {
        match self.interactive {
            true => self.limits.interactive,
            false => self.limits.background,
        }
    }
}

impl Store for KeyringStore {
    fn name(&self) -> &str {
        self.worker.name()
    }

    fn get(&self, key: &str) -> Result<Option<Secret>, StoreError> {
        let key = key.to_owned();
        self.worker.call(self.limit(), self.interactive, move |keyring| keyring.get(&key))
    }

    fn set(&self, key: &str, text: &Secret) -> Result<(), StoreError> {
        let (key, text) = (key.to_owned(), text.clone());
        self.worker.call(self.limit(), self.interactive, move |keyring| keyring.set(&key, &text))
    }

    fn delete(&self, key: &str) -> Result<(), StoreError> {
        let key = key.to_owned();
        self.worker.call(self.limit(), self.interactive, move |keyring| keyring.delete(&key))
    }

    fn interactive(&self) -> Arc<dyn Store> {
        let patient = Self { interactive: true, ..self.clone() };
        Arc::new(patient)
    }

    fn when_idle(&self, guard: Box<dyn Send>) {
        self.worker.when_idle(guard);
    }
}

#[cfg(test)]
mod tests;
