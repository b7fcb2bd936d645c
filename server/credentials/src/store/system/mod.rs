//! Which keyring this system has, and what its errors mean.
//!
//! It must not know what is kept in it.

#[cfg_attr(
    any(target_os = "linux", target_os = "freebsd", target_os = "openbsd"),
    path = "secret_service.rs"
)]
#[cfg_attr(target_os = "macos", path = "keychain.rs")]
#[cfg_attr(windows, path = "credential_manager.rs")]
#[cfg_attr(
    not(any(
        target_os = "linux",
        target_os = "freebsd",
        target_os = "openbsd",
        target_os = "macos",
        windows
    )),
    path = "none.rs"
)]
mod this;

pub(crate) use this::{NAME, connect};

#[cfg(any(target_os = "linux", target_os = "freebsd", target_os = "openbsd", target_os = "macos", windows))]
mod items {
    use keyring::{Entry, Error};
    use secrecy::zeroize::Zeroizing;

    use crate::secret::Secret;
    use crate::store::worker::Trouble;
    use crate::store::{StoreError, capitalized, one_line};

    /// `meaning` says what the system's own errors mean.
    pub(super) fn get(entry: &Entry, meaning: fn(Error) -> Trouble) -> Result<Option<Secret>, Trouble> {
        match entry.get_secret() {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Ok(Some(Secret::new(text))),
                Err(error) => {
                    drop(Zeroizing::new(error.into_bytes()));
                    Err(Trouble::Told(failed("the item is not text")))
                }
            },
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(meaning(error)),
        }
    }

    pub(super) fn set(entry: &Entry, text: &Secret, meaning: fn(Error) -> Trouble) -> Result<(), Trouble> {
        entry.set_secret(text.expose().as_bytes()).map_err(meaning)
    }

    pub(super) fn delete(entry: &Entry, meaning: fn(Error) -> Trouble) -> Result<(), Trouble> {
        match entry.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(meaning(error)),
        }
    }

    /// What an error of the interface means, where the system has no words of its own for it.
    pub(super) fn trouble(error: Error) -> Trouble {
        let store = capitalized(super::NAME);
        Trouble::Told(match error {
            Error::NoStorageAccess(_) => StoreError::Locked { store },
            Error::PlatformFailure(why) => return by_words(&why.to_string()),
            Error::TooLong(what, limit) => {
                let what = format!("{}, limit {limit}", one_line(&what));
                StoreError::TooLong { store, what }
            }
            Error::Ambiguous(_) => {
                failed("it holds one item twice; remove both in the keyring's own program")
            }
            Error::BadEncoding(bytes) | Error::BadDataFormat(bytes, _) => {
                drop(Zeroizing::new(bytes));
                failed("an item is damaged")
            }
            other => failed(&other.to_string()),
        })
    }

    /// What the words of a system's error mean.
    pub(super) fn by_words(words: &str) -> Trouble {
        let store = capitalized(super::NAME);
        let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
        // Secret Service, then macOS: not allowed to ask, asked and refused, wrong password.
        let locked = [
            "Secret.Error.IsLocked",
            "object locked",
            "interaction is not allowed",
            "canceled",
            "not correct",
        ];
        let full = ["No space left", "Disk quota exceeded", "not enough", "Not enough"];
        if says(&locked) {
            Trouble::Told(StoreError::Locked { store })
        } else if says(&full) {
            Trouble::Told(StoreError::Full { store })
        } else {
            Trouble::Connection(failed(words))
        }
    }

    pub(super) fn failed(detail: &str) -> StoreError {
        StoreError::Failed { store: capitalized(super::NAME), detail: one_line(detail) }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::items::{by_words, trouble};
    use crate::store::StoreError;
    use crate::store::worker::Trouble;

    fn said(trouble: Trouble) -> (bool, String) {
        match trouble {
            Trouble::Told(error) => (false, error.to_string()),
            Trouble::Connection(error) => (true, error.to_string()),
        }
    }

    #[test]
    fn locked_full_and_failed_are_told_apart() {
        let locked = "The keyring is locked. Unlock it and try again; nothing was lost.";
        for words in [
            "zbus error: org.freedesktop.Secret.Error.IsLocked: Collection is locked",
            "User interaction is not allowed.",
            "User canceled the operation.",
        ] {
            assert_eq!(said(by_words(words)), (false, locked.to_owned()));
        }
        let full = said(by_words("write: No space left on device"));
        assert_eq!(full, (false, "The keyring is full. Make room and try again.".to_owned()));
        let (connection, sentence) = said(by_words("broken\npipe."));
        assert!(connection && sentence.starts_with("The keyring failed (broken pipe). "), "{sentence}");
    }

    #[test]
    fn a_damaged_item_is_not_printed() {
        let canary = b"s3cr3t-canary".to_vec();
        for error in [
            keyring::Error::BadEncoding(canary.clone()),
            keyring::Error::BadDataFormat(canary, "s3cr3t-canary".into()),
        ] {
            let (connection, sentence) = said(trouble(error));
            assert!(
                !connection && sentence.contains("damaged") && !sentence.contains("canary"),
                "{sentence}"
            );
        }
        let long = trouble(keyring::Error::TooLong("password".into(), 2560));
        assert!(
            matches!(long, Trouble::Told(StoreError::TooLong { what, .. }) if what == "password, limit 2560")
        );
    }
}
