//! What is on disk beside a draft's text.
//!
//! Each file has one JSON object with a mark of its own content, and is only ever replaced as a whole.

use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::words::mark;

/// Larger files are not read. Bitbucket takes far less in a comment.
pub(crate) const LARGEST: u64 = 64 * 1024 * 1024;

/// How far a draft has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "lowercase")]
pub enum State {
    /// Being written; it was never sent, or the user said that it is not there.
    Draft,
    /// Being sent at this moment.
    Sending,
    /// It is there.
    Posted {
        /// Its id.
        id: u64,
    },
    /// It was sent and is certainly not there.
    Rejected {
        /// Why, for the user.
        sentence: String,
    },
    /// It may be there.
    Unknown {
        /// Why that is not known, for the user.
        sentence: String,
    },
}

/// Said of a draft whose process died.
pub(crate) const DIED: &str = "The server ended while it was being sent.";

/// A draft's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) about: Value,
    /// What it was made with or last sent with.
    pub(crate) key: String,
    pub(crate) account: String,
    pub(crate) state: State,
    /// Seconds since 1970.
    pub(crate) created: u64,
    /// Seconds since 1970; of the state, not of the text.
    pub(crate) changed: u64,
    /// How often it was sent.
    pub(crate) attempts: u32,
    pub(crate) attempt: Option<Attempt>,
}

/// The last time that it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    /// Exactly what was sent.
    pub(crate) body: String,
    /// Seconds since 1970, before anything left.
    pub(crate) at: u64,
    /// Sends with the same one are done one at a time.
    pub(crate) turn: String,
    /// The mark of the whole text, to see whether the user went on writing.
    pub(crate) text: String,
}

impl Record {
    /// A draft's that was never sent.
    pub(crate) fn new(created: u64) -> Self {
        Self {
            about: Value::Null,
            key: String::new(),
            account: String::new(),
            state: State::Draft,
            created,
            changed: created,
            attempts: 0,
            attempt: None,
        }
    }

    /// Why it is not known whether it is there.
    pub(crate) fn why_unknown(&self) -> &str {
        match &self.state {
            State::Unknown { sentence } => sentence,
            _ => DIED,
        }
    }

    /// Whether it may be there without our knowing its id.
    pub(crate) fn is_unresolved(&self) -> bool {
        matches!(self.state, State::Sending | State::Unknown { .. })
    }
}

/// What is typed and not saved yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Typed {
    /// The mark of the text's file when it was typed; nothing if there was none.
    pub(crate) over: Option<String>,
    /// The process that kept it.
    pub(crate) by: String,
    pub(crate) text: String,
}

/// What was found of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found<T> {
    There(T),
    /// Its content is not what was written.
    Damaged,
    Missing,
}

#[derive(Deserialize)]
struct Framed<'a> {
    mark: String,
    #[serde(borrow)]
    content: &'a RawValue,
}

/// Reads a file that [`write`] wrote.
///
/// # Errors
/// What the system said.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Found<T>> {
    Ok(match private_files::read_shared(path, LARGEST)? {
        Some(bytes) => decode(&bytes).map_or(Found::Damaged, Found::There),
        None => Found::Missing,
    })
}

/// Replaces the file; it is on disk when this returns.
///
/// # Errors
/// What the system said. The old content is then still there.
pub(crate) fn write<T: Serialize>(path: &Path, content: &T) -> io::Result<()> {
    private_files::replace(path, &encode(content)?)
}

fn encode<T: Serialize>(content: &T) -> io::Result<Vec<u8>> {
    let content = serde_json::to_string(content)?;
    Ok(format!("{{\"mark\":\"{}\",\"content\":{content}}}\n", mark(content.as_bytes())).into_bytes())
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let framed: Framed<'_> = serde_json::from_slice(bytes).ok()?;
    let content = framed.content.get();
    (framed.mark == mark(content.as_bytes())).then(|| serde_json::from_str(content).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(body: String, at: u64) -> Record {
        Record {
            about: serde_json::json!({ "body": body, "list": [1, null, "\u{2028}"] }),
            key: "a\nb".into(),
            account: body.clone(),
            state: State::Unknown { sentence: body.clone() },
            created: at,
            changed: u64::MAX,
            attempts: 3,
            attempt: Some(Attempt { body, at, turn: "t".into(), text: "m".into() }),
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(body in any::<String>(), at in any::<u64>()) {
            let record = record(body, at);
            prop_assert_eq!(decode::<Record>(&encode(&record).unwrap()), Some(record));
        }

        #[test]
        fn damage_is_seen(body in ".{0,40}", at in any::<prop::sample::Index>(), by in 1..=255_u8, cut: bool) {
            let record = record(body, 7);
            let mut bytes = encode(&record).unwrap();
            let at = at.index(bytes.len());
            match cut {
                true => bytes.truncate(at),
                false => bytes[at] ^= by,
            }
            let read = decode::<Record>(&bytes);
            // The line end at the end, and white space, carry nothing.
            prop_assert!(read.is_none() || read == Some(record));
        }
    }
}
