//! Texts of files: of the work tree, under paths that came from Bitbucket; and how their bytes are read.
//!
//! It must not know what the texts are for.

use std::fs::File;
use std::io::Read;

/// Larger files are not read: their comments are shown by line number, and it is said.
pub(super) const MOST_BYTES: u64 = 16 << 20;

/// Why a file of the work tree has no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// It is not there, or no file.
    Gone,
    /// It has more than [`MOST_BYTES`].
    TooLarge,
    /// The path leads out of the work tree, or into the git folder.
    Refused,
}

/// The text of a file of the work tree; `path` is the repository's, and may be hostile.
///
/// Only plain files are read: a pipe or a device would never end.
pub(super) fn on_disk(git: &git::Repository, path: &str) -> Result<String, Absent> {
    let place = git.work_path(path).ok_or(Absent::Refused)?;
    let check = |metadata: std::io::Result<std::fs::Metadata>| match metadata {
        Ok(metadata) if metadata.is_file() && metadata.len() > MOST_BYTES => Err(Absent::TooLarge),
        Ok(metadata) if metadata.is_file() => Ok(()),
        _ => Err(Absent::Gone),
    };
    // Looked at before, as opening a pipe waits for its writer; and after, as it may be another by then.
    check(std::fs::metadata(&place))?;
    let file = File::open(&place).map_err(|_| Absent::Gone)?;
    check(file.metadata())?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|_| Absent::Gone)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Absent::TooLarge);
    }
    Ok(decode(&bytes))
}

/// What is not UTF-8 is read as Latin-1, as editors that guess do: every byte a character, none lost.
pub(super) fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// A text as it looks where an editor took it for UTF-8 though it is not: replacement characters for all but ASCII.
pub(super) fn blurred(text: &str) -> String {
    let mut blurred = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii() {
            blurred.push(letter);
        } else if !blurred.ends_with(char::REPLACEMENT_CHARACTER) {
            blurred.push(char::REPLACEMENT_CHARACTER);
        }
    }
    blurred
}
