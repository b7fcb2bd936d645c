//! The lock around all changes of an account's secrets, also between processes.
//!
//! It must not know what is changed. The system lets go of the lock when its process dies, however that happens.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::store::{Store, one_line};
use crate::vault::Owner;

/// Held by whoever changes the secrets of an owner.
///
/// When it is dropped, others get it only after the last call to the store has ended, also one that was given up
/// as slow: nothing changes behind the back of the next holder.
pub struct Lock {
    file: Option<File>,
    store: Arc<dyn Store>,
}

/// Why the lock was not got; a sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error(
        "Another window has been renewing the login for more than {seconds} s. Wait a moment and try again."
    )]
    Busy {
        /// How long it was waited for, in seconds.
        seconds: u64,
    },
    /// The system did not let us.
    #[error(
        "{path} cannot be locked ({detail}). Put that right, or set BITBUCKET_LSP_STATE to a folder on a local disk."
    )]
    Impossible {
        /// The file.
        path: String,
        /// What the system said.
        detail: String,
    },
}

impl Lock {
    /// Takes the lock of `owner` in the state folder, whose secrets are in `store`. Waits at most `patience`.
    ///
    /// # Errors
    /// See [`LockError`].
    pub fn take(
        state_folder: &Path,
        owner: &Owner,
        store: &Arc<dyn Store>,
        patience: Duration,
    ) -> Result<Self, LockError> {
        let folder = state_folder.join("locks");
        let path = private_files::name_for(&owner.word()).map(|name| folder.join(name + ".lock"));
        let impossible = |path: &Path, detail: &str| LockError::Impossible {
            path: path.display().to_string(),
            detail: one_line(detail),
        };
        let path = path.ok_or_else(|| impossible(&folder, "the account's name is too long"))?;
        let file = private_files::open_folder(state_folder)
            .and_then(|()| private_files::open_folder(&folder))
            .and_then(|()| private_files::lock_file(&path))
            .map_err(|error| impossible(&path, &error.to_string()))?;
        let begin = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            match file.try_lock() {
                Ok(()) => {
                    return Ok(Self { file: Some(file), store: store.clone() });
                }
                Err(TryLockError::WouldBlock) if begin.elapsed() < patience => std::thread::sleep(pause),
                Err(TryLockError::WouldBlock) => {
                    return Err(LockError::Busy { seconds: patience.as_secs() });
                }
                Err(TryLockError::Error(error)) => return Err(impossible(&path, &error.to_string())),
            }
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            self.store.when_idle(Box::new(file));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Origin;
    use crate::secret::Secret;
    use crate::store::{MemoryStore, StoreError};

    #[test]
    fn one_holds_it_and_others_wait() {
        let state = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let owner = |host| Owner::Consumer(Origin::of(host).unwrap());
        let take = |host, patience| Lock::take(state.path(), &owner(host), &store, patience);
        let lock = take("https://a.b", Duration::ZERO).unwrap();
        let busy = take("https://a.b", Duration::from_millis(5)).err().unwrap();
        assert!(matches!(busy, LockError::Busy { .. }), "{busy}");
        assert!(take("https://b.b", Duration::ZERO).is_ok(), "another owner's");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| take("https://a.b", Duration::from_secs(60)).is_ok());
            drop(lock);
            assert!(waiting.join().unwrap());
        });
    }

    /// A store with a call under way that was given up as slow.
    struct Busy(std::sync::Mutex<Vec<Box<dyn Send>>>);

    impl Store for Busy {
        fn name(&self) -> &str {
            "the busy store"
        }
        fn get(&self, _: &str) -> Result<Option<Secret>, StoreError> {
            Ok(None)
        }
        fn set(&self, _: &str, _: &Secret) -> Result<(), StoreError> {
            Ok(())
        }
        fn delete(&self, _: &str) -> Result<(), StoreError> {
            Ok(())
        }
        fn interactive(&self) -> Arc<dyn Store> {
            Arc::new(Self(Vec::new().into()))
        }
        fn when_idle(&self, guard: Box<dyn Send>) {
            self.0.lock().unwrap().push(guard);
        }
    }

    #[test]
    fn it_is_kept_while_a_slow_call_may_still_change_something() {
        let state = tempfile::tempdir().unwrap();
        let busy = Arc::new(Busy(Vec::new().into()));
        let store: Arc<dyn Store> = busy.clone();
        let owner = Owner::Consumer(Origin::of("https://a.b").unwrap());
        let take = || Lock::take(state.path(), &owner, &store, Duration::ZERO);
        drop(take().unwrap());
        assert!(matches!(take(), Err(LockError::Busy { .. })));
        busy.0.lock().unwrap().clear();
        assert!(take().is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_can_use_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().join("locks");
        std::fs::create_dir(&folder).unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let owner = Owner::Consumer(Origin::of("https://a.b").unwrap());
        let refused = Lock::take(state.path(), &owner, &store, Duration::ZERO).err().unwrap();
        assert!(refused.to_string().contains("can be used by other users"), "{refused}");
    }
}
