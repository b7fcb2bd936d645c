//! A store in memory with scripted faults, for tests.
//!
//! It must not know what is tested with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::secret::Secret;
use crate::store::{Store, StoreError};

/// Keeps items in memory; clones share them.
#[derive(Clone, Default)]
pub struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    items: BTreeMap<String, Secret>,
    faults: Vec<Fault>,
    calls: usize,
}

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Gets an item.
    Get,
    /// Sets an item.
    Set,
    /// Deletes an item.
    Delete,
}

/// Something that goes wrong with one call, counted over all calls from 0.
pub enum Fault {
    /// That call and all after it fail; nothing changes any more.
    From(usize, StoreError),
    /// That one call fails; nothing is changed by it.
    Once(usize, StoreError),
    /// That one call fails though it is carried out.
    DoneBut(usize, StoreError),
    /// The next calls of this kind fail, as many as it says.
    Next(Operation, usize, StoreError),
}

impl MemoryStore {
    /// Adds a fault.
    pub fn fault(&self, fault: Fault) {
        self.lock().faults.push(fault);
    }

    /// Takes all faults away.
    pub fn heal(&self) {
        self.lock().faults.clear();
    }

    /// How many calls were made.
    pub fn calls(&self) -> usize {
        self.lock().calls
    }

    /// The keys that are there, sorted.
    pub fn keys(&self) -> Vec<String> {
        self.lock().items.keys().cloned().collect()
    }

    /// Changes an item behind the callers' backs, without counting as a call.
    pub fn tamper(&self, key: &str, text: Option<&str>) {
        let mut inner = self.lock();
        match text {
            Some(text) => drop(inner.items.insert(key.to_owned(), Secret::new(text.to_owned()))),
            None => drop(inner.items.remove(key)),
        }
    }

    /// A copy of what is there now, without faults; changes to one are not seen in the other.
    pub fn copied(&self) -> Self {
        let copy = Self::default();
        copy.lock().items = self.lock().items.clone();
        copy
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call<T>(
        &self,
        operation: Operation,
        action: impl FnOnce(&mut BTreeMap<String, Secret>) -> T,
    ) -> Result<T, StoreError> {
        let inner = &mut *self.lock();
        let call = inner.calls;
        inner.calls += 1;
        let mut done_but = None;
        for fault in &mut inner.faults {
            match fault {
                Fault::From(from, error) if call >= *from => return Err(error.clone()),
                Fault::Once(at, error) if call == *at => return Err(error.clone()),
                Fault::DoneBut(at, error) if call == *at => done_but = Some(error.clone()),
                Fault::Next(kind, left, error) if *kind == operation && *left > 0 => {
                    *left -= 1;
                    return Err(error.clone());
                }
                _ => {}
            }
        }
        let value = action(&mut inner.items);
        done_but.map_or(Ok(value), Err)
    }
}

impl Store for MemoryStore {
    fn name(&self) -> &str {
        "the store in memory"
    }

    fn get(&self, key: &str) -> Result<Option<Secret>, StoreError> {
        self.call(Operation::Get, |items| items.get(key).cloned())
    }

    fn set(&self, key: &str, text: &Secret) -> Result<(), StoreError> {
        self.call(Operation::Set, |items| drop(items.insert(key.to_owned(), text.clone())))
    }

    fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.call(Operation::Delete, |items| drop(items.remove(key)))
    }

    fn interactive(&self) -> Arc<dyn Store> {
        Arc::new(self.clone())
    }

    fn when_idle(&self, guard: Box<dyn Send>) {
        drop(guard);
    }
}
