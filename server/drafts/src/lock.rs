//! Locks between processes, each a file; the system lets go of one when its process dies.
//!
//! It must not know what is locked.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

/// Held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Closing it unlocks.
    _file: File,
    path: PathBuf,
}

/// Whoever only looks whether a lock is held holds it for that moment, which is nobody's turn.
const A_MOMENT: Duration = Duration::from_millis(250);

/// Takes the lock, or nothing if another one holds it for longer than a moment.
///
/// # Errors
/// What the system said.
pub(crate) fn take_now(path: &Path) -> io::Result<Option<Lock>> {
    take_within(path, A_MOMENT)
}

/// Takes the lock, which others hold only shortly; nothing if one holds it for longer than `patience`.
///
/// # Errors
/// What the system said.
pub(crate) fn take_within(path: &Path, patience: Duration) -> io::Result<Option<Lock>> {
    let begin = std::time::Instant::now();
    loop {
        match attempt(path)? {
            None if begin.elapsed() < patience => std::thread::sleep(Duration::from_millis(5)),
            taken => return Ok(taken),
        }
    }
}

/// Takes the lock, or nothing if another one holds it for longer than `patience`.
///
/// # Errors
/// What the system said.
pub(crate) async fn take(path: &Path, patience: Duration) -> io::Result<Option<Lock>> {
    let begin = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        match attempt(path)? {
            None if begin.elapsed() < patience.max(A_MOMENT) => tokio::time::sleep(pause).await,
            taken => return Ok(taken),
        }
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Whether somebody holds it: another process, or another task of this one.
pub(crate) fn is_held(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn attempt(path: &Path) -> io::Result<Option<Lock>> {
    let file = private_files::lock_file(path)?;
    match file.try_lock() {
        Ok(()) if is_still_there(&file, path) => Ok(Some(Lock { _file: file, path: path.to_owned() })),
        Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The last holder may have removed the file after it was opened here; a lock on it would be nobody else's.
#[cfg(unix)]
fn is_still_there(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let name = |found: std::fs::Metadata| (found.dev(), found.ino());
    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(ours), Ok(there)) => name(ours) == name(there),
        _ => false,
    }
}

/// Where files are not removed, they are there.
#[cfg(not(unix))]
fn is_still_there(_: &File, _: &Path) -> bool {
    true
}

impl Drop for Lock {
    /// Removes the file while it is locked, so that it is nobody else's.
    fn drop(&mut self) {
        if cfg!(unix) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        assert!(!is_held(&path));
        let lock = take_now(&path).unwrap().unwrap();
        assert!(is_held(&path));
        assert!(take_now(&path).unwrap().is_none());
        drop(lock);
        assert!(!is_held(&path));
        assert!(cfg!(windows) || !path.exists());
        assert!(take_now(&path).unwrap().is_some());
    }

    #[test]
    fn a_file_that_was_removed_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        let opened = private_files::lock_file(&path).unwrap();
        if cfg!(unix) {
            std::fs::remove_file(&path).unwrap();
            assert!(!is_still_there(&opened, &path));
            private_files::lock_file(&path).unwrap();
            assert!(!is_still_there(&opened, &path), "another file of the same name");
        }
    }

    #[test]
    fn many_that_take_it_are_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        let inside = std::sync::atomic::AtomicUsize::new(0);
        let done = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut left = 50;
                    while left > 0 {
                        let Some(_lock) = attempt(&path).unwrap() else { continue };
                        assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                        std::thread::yield_now();
                        inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        done.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        left -= 1;
                    }
                });
            }
        });
        assert_eq!(done.into_inner(), 400);
    }
}
