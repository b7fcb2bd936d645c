//! A folder of files, one for each item: for machines without a keyring, and only where the user chose it.
//!
//! It must not know what is kept. The files are not encrypted; their modes keep other users out.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::zeroize::Zeroizing;

use crate::secret::Secret;
use crate::store::{Store, StoreError, capitalized, one_line};

const NAME: &str = "the file store";

/// Keeps each item in a file of mode 0600 in a folder of mode 0700.
///
/// It refuses files and folders that others could use, that belong to somebody else, or that are links.
/// Not for Windows, where each user has the Credential Manager: there each call is [`StoreError::Absent`].
#[derive(Clone)]
pub struct FileStore {
    folder: PathBuf,
}

impl FileStore {
    /// Keeps items in `folder`, which the first write makes.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn file(&self, key: &str) -> Result<PathBuf, StoreError> {
        private_files::name_for(key).map(|name| self.folder.join(name)).ok_or_else(|| StoreError::TooLong {
            store: capitalized(NAME),
            what: "the name of an item".to_owned(),
        })
    }

    fn is_made(&self) -> Result<bool, StoreError> {
        if cfg!(not(unix)) {
            return Err(StoreError::Absent {
                detail: "the file store is for Linux, BSD and macOS".to_owned(),
            });
        }
        match self.folder.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            _ => {
                private_files::folder(&self.folder).map(|()| true).map_err(|error| told(&self.folder, &error))
            }
        }
    }
}

impl Store for FileStore {
    fn name(&self) -> &str {
        NAME
    }

    fn get(&self, key: &str) -> Result<Option<Secret>, StoreError> {
        let file = self.file(key)?;
        if !self.is_made()? {
            return Ok(None);
        }
        let content = private_files::read(&file).map_err(|error| told(&file, &error))?.map(Zeroizing::new);
        let Some(content) = content else { return Ok(None) };
        match std::str::from_utf8(&content) {
            Ok(text) => Ok(Some(Secret::new(text.to_owned()))),
            Err(_) => Err(StoreError::Failed {
                store: capitalized(NAME),
                detail: format!("{} is not text", file.display()),
            }),
        }
    }

    fn set(&self, key: &str, text: &Secret) -> Result<(), StoreError> {
        let file = self.file(key)?;
        if !self.is_made()? {
            private_files::folder(&self.folder).map_err(|error| told(&self.folder, &error))?;
        }
        private_files::remove_left_over(&self.folder);
        private_files::write(&file, text.expose().as_bytes()).map_err(|error| told(&file, &error))
    }

    fn delete(&self, key: &str) -> Result<(), StoreError> {
        let file = self.file(key)?;
        match self.is_made()? {
            true => private_files::remove(&file).map_err(|error| told(&file, &error)),
            false => Ok(()),
        }
    }

    fn interactive(&self) -> Arc<dyn Store> {
        Arc::new(self.clone())
    }

    fn when_idle(&self, guard: Box<dyn Send>) {
        drop(guard);
    }
}

fn told(path: &Path, error: &io::Error) -> StoreError {
    let store = capitalized(NAME);
    match error.kind() {
        // The sentences of `private_files` have no error number; those of the system do.
        io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => {
            StoreError::Unsafe { what: error.to_string() }
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { store },
        _ => StoreError::Failed { store, detail: one_line(&format!("{}: {error}", path.display())) },
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.into())
    }

    #[test]
    fn items_are_kept_replaced_and_removed() {
        let root = tempfile::tempdir().unwrap();
        let store = FileStore::new(root.path().join("secrets"));
        assert!(store.get("a").unwrap().is_none());
        store.delete("a").unwrap();
        assert!(!root.path().join("secrets").exists(), "reading makes nothing");
        store.set("a", &secret("one")).unwrap();
        store.set("a", &secret("two")).unwrap();
        store.set("A", &secret("other")).unwrap();
        assert_eq!(store.get("a").unwrap().unwrap().expose(), "two");
        assert_eq!(store.interactive().get("A").unwrap().unwrap().expose(), "other");
        store.delete("a").unwrap();
        assert!(store.get("a").unwrap().is_none());
    }

    #[test]
    fn keys_cannot_leave_the_folder() {
        let root = tempfile::tempdir().unwrap();
        let store = FileStore::new(root.path().join("secrets"));
        store.set("../x/é", &secret("one")).unwrap();
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
        assert_eq!(store.get("../x/é").unwrap().unwrap().expose(), "one");
        assert!(matches!(store.get(&"x".repeat(300)), Err(StoreError::TooLong { .. })));
    }

    #[test]
    fn what_is_unsafe_is_refused_and_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("secrets");
        let store = FileStore::new(folder.clone());
        store.set("a", &secret("one")).unwrap();
        fs::set_permissions(folder.join("a"), fs::Permissions::from_mode(0o644)).unwrap();
        let refused = store.get("a").err().unwrap();
        assert!(
            refused.to_string().contains("can be used by other users (its mode must be 0600)"),
            "{refused}"
        );
        assert!(!refused.may_pass());
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        for refused in [store.get("b").map(drop), store.set("b", &secret("x")), store.delete("a")] {
            assert!(matches!(refused, Err(StoreError::Unsafe { .. })));
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        let linked = root.path().join("linked");
        symlink(&folder, &linked).unwrap();
        assert!(matches!(FileStore::new(linked).get("a"), Err(StoreError::Unsafe { .. })));
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert!(matches!(told(Path::new("/x"), &full), StoreError::Full { .. }));
        // As the system spells a folder that may not be written to.
        let denied = io::Error::from_raw_os_error(13);
        assert!(matches!(told(Path::new("/x"), &denied), StoreError::Failed { .. }));
    }
}
