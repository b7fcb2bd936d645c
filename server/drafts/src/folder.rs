//! The folder of drafts: which there are, and what is known of each.
//!
//! ```text
//! drafts/reply-….md           the text; the user's editor owns it
//! drafts/reply-….json         the record: what it is about, its state, what was sent
//! drafts/reply-….typed        what is typed and not saved yet
//! drafts/posted/ID-reply-….json  that it was posted as ID: the name alone says it
//! drafts/discarded/           texts and records of what was discarded
//! drafts/locks/               who is sending what
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Error, on_disk};
use crate::id::DraftId;
use crate::lock;
use crate::record::{self, DIED, Found, Record, State};
use crate::service::system_now;
use crate::text::Texts;
use crate::words::mark;

/// The folder of drafts. Copies of it, also in other processes, may be used at the same time.
#[derive(Clone, Debug)]
pub struct Drafts {
    folder: PathBuf,
}

/// All that is known of a draft.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its name.
    pub id: DraftId,
    /// What it was made with or last sent with; null if the record cannot be read.
    pub about: Value,
    /// What it was made with or last sent with.
    pub key: String,
    /// What it was made with.
    pub account: String,
    /// How far it has come. `Sending` only while somebody is at it: a process that died left `Unknown`.
    pub state: State,
    /// Seconds since 1970.
    pub created: u64,
    /// When the state changed, in seconds since 1970.
    pub changed: u64,
    /// The file as it is now, or what was typed and not saved, if that is newer; with neither, what was sent.
    pub text: String,
    /// What was sent last, unless it was posted.
    pub sent: Option<Sent>,
    /// Whether its lock is held: another process, or another task of this one, is sending it.
    pub elsewhere: bool,
}

/// What was sent of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Exactly that.
    pub body: String,
    /// When, in seconds since 1970.
    pub at: u64,
}

const UNREADABLE: &str =
    "Its record on disk is damaged, so whether it was posted is not known. Look on Bitbucket.";

impl Drafts {
    /// The drafts in `folder`; nothing is read or written yet.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Makes a draft with `text` as its file. `hint` is a word for its name, `about` and `key` are as for
    /// [`send`](crate::send), `account` says whose it is. Its file and record are on disk when this returns.
    ///
    /// # Errors
    /// `Disk`; then nothing was made.
    pub fn create(
        &self,
        hint: &str,
        about: &Value,
        key: &str,
        account: &str,
        text: &str,
    ) -> Result<DraftId, Error> {
        let id = DraftId::new(hint).map_err(|error| Error::disk(&self.folder, &error))?;
        let file = self.path(&id);
        on_disk(&self.folder, private_files::folder)?;
        on_disk(&file, |file| private_files::replace(file, text.as_bytes()))?;
        let record = Record {
            about: about.clone(),
            key: key.to_owned(),
            account: account.to_owned(),
            ..Record::new(system_now())
        };
        if let Err(error) = self.put(&id, &record) {
            let _ = private_files::remove(&file);
            return Err(error);
        }
        Ok(id)
    }

    /// The file of a draft's text.
    #[must_use]
    pub fn path(&self, id: &DraftId) -> PathBuf {
        self.folder.join(format!("{id}.md"))
    }

    /// The draft whose text's file this is, whether or not it is there.
    #[must_use]
    pub fn id_of(&self, path: &Path) -> Option<DraftId> {
        let id = DraftId::parse(path.file_name()?.to_str()?.strip_suffix(".md")?)?;
        let above = path.parent()?;
        let same = above == self.folder
            || matches!((above.canonicalize(), self.folder.canonicalize()), (Ok(one), Ok(two)) if one == two);
        same.then_some(id)
    }

    /// What is known of a draft, also of one that was posted.
    ///
    /// # Errors
    /// `Gone` if there is none; `Disk`.
    pub fn read(&self, id: &DraftId) -> Result<Entry, Error> {
        self.entry(id, &self.posted()?)
    }

    /// All drafts but those that were posted, oldest first. A text whose record is damaged or missing is among them.
    #[must_use]
    pub fn list(&self) -> Vec<Entry> {
        let posted = self.posted().unwrap_or_default();
        let ids = self.ids().unwrap_or_default().into_iter().filter(|id| !posted.contains_key(id));
        let mut entries: Vec<Entry> = ids.filter_map(|id| self.entry(&id, &posted).ok()).collect();
        entries.sort_by(|one, two| (one.created, &one.id).cmp(&(two.created, &two.id)));
        entries
    }

    fn entry(&self, id: &DraftId, posted: &BTreeMap<DraftId, u64>) -> Result<Entry, Error> {
        if let Some(posted_as) = posted.get(id) {
            return Ok(self.posted_entry(id, *posted_as));
        }
        let texts = Texts::read(self, id)?;
        let elsewhere = lock::is_held(&self.lock_of(id));
        let record = match record::read::<Record>(&self.record_of(id)) {
            Ok(Found::There(record)) => record,
            Ok(Found::Missing) if texts.is_nothing() => return Err(Error::Gone),
            Ok(Found::Missing) => Record::new(self.made(id)),
            Ok(Found::Damaged) | Err(_) => {
                Record { state: unknown(UNREADABLE), ..Record::new(self.made(id)) }
            }
        };
        let state = match record.state {
            State::Sending if !elsewhere => unknown(DIED),
            state => state,
        };
        let sent = record.attempt.map(|attempt| Sent { body: attempt.body, at: attempt.at });
        let text = texts.newest().map(str::to_owned);
        Ok(Entry {
            id: id.clone(),
            about: record.about,
            key: record.key,
            account: record.account,
            state,
            created: record.created,
            changed: record.changed,
            text: text.or_else(|| sent.as_ref().map(|sent| sent.body.clone())).unwrap_or_default(),
            sent,
            elsewhere,
        })
    }

    fn posted_entry(&self, id: &DraftId, posted_as: u64) -> Entry {
        let record = match record::read::<Record>(&self.posted_record_of(id, posted_as)) {
            Ok(Found::There(record)) => record,
            _ => Record::new(0),
        };
        Entry {
            id: id.clone(),
            about: record.about,
            key: record.key,
            account: record.account,
            state: State::Posted { id: posted_as },
            created: record.created,
            changed: record.changed,
            text: String::new(),
            sent: None,
            elsewhere: false,
        }
    }

    /// When a draft without a record was made, as well as can be said.
    fn made(&self, id: &DraftId) -> u64 {
        seconds_of(&self.path(id)).unwrap_or_default()
    }

    /// The record, or what stands for one that is missing.
    ///
    /// # Errors
    /// `Posted`, `Gone`, `Disk`.
    pub(crate) fn record(&self, id: &DraftId) -> Result<Record, Error> {
        if let Some(posted_as) = self.posted()?.get(id) {
            return Err(Error::Posted(*posted_as));
        }
        match on_disk(&self.record_of(id), record::read::<Record>)? {
            Found::There(record) => Ok(record),
            Found::Missing if Texts::read(self, id)?.is_nothing() => Err(Error::Gone),
            Found::Missing => Ok(Record::new(self.made(id))),
            Found::Damaged => Ok(Record { state: unknown(UNREADABLE), ..Record::new(self.made(id)) }),
        }
    }

    /// Replaces the record.
    pub(crate) fn put(&self, id: &DraftId, record: &Record) -> Result<(), Error> {
        on_disk(&self.folder, private_files::folder)?;
        on_disk(&self.record_of(id), |path| record::write(path, record))
    }

    /// All names in the folder that have a text or a record.
    pub(crate) fn ids(&self) -> Result<BTreeSet<DraftId>, Error> {
        let names = self.names(&self.folder)?;
        let stems = names
            .iter()
            .filter_map(|name| [".md", ".json", ".typed"].into_iter().find_map(|end| name.strip_suffix(end)));
        Ok(stems.filter_map(DraftId::parse).collect())
    }

    /// As what drafts were posted.
    pub(crate) fn posted(&self) -> Result<BTreeMap<DraftId, u64>, Error> {
        let names = self.names(&self.folder.join("posted"))?;
        let pairs = names.iter().filter_map(|name| {
            let (posted_as, id) = name.strip_suffix(".json")?.split_once('-')?;
            Some((DraftId::parse(id)?, posted_as.parse().ok()?))
        });
        Ok(pairs.collect())
    }

    /// The names of a folder's files; none if it is not there.
    pub(crate) fn names(&self, folder: &Path) -> Result<Vec<String>, Error> {
        let names = |folder: &Path| match std::fs::read_dir(folder) {
            Ok(entries) => {
                entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        on_disk(folder, names)
    }

    pub(crate) fn record_of(&self, id: &DraftId) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    pub(crate) fn typed_of(&self, id: &DraftId) -> PathBuf {
        self.folder.join(format!("{id}.typed"))
    }

    pub(crate) fn posted_record_of(&self, id: &DraftId, posted_as: u64) -> PathBuf {
        self.folder.join("posted").join(format!("{posted_as}-{id}.json"))
    }

    pub(crate) fn discarded(&self) -> PathBuf {
        self.folder.join("discarded")
    }

    /// The folder itself, for what stands beside the drafts.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Held by whoever sends the draft or puts it away.
    pub(crate) fn lock_of(&self, id: &DraftId) -> PathBuf {
        self.folder.join("locks").join(format!("{id}.lock"))
    }

    /// Held by whoever changes the draft's texts, for a moment.
    pub(crate) fn texts_lock_of(&self, id: &DraftId) -> PathBuf {
        self.folder.join("locks").join(format!("{id}.texts.lock"))
    }

    /// Held by whoever changes what is known of a draft that was sent with `turn`.
    pub(crate) fn turn_of(&self, turn: &str) -> PathBuf {
        self.folder.join("locks").join(format!("turn-{}.lock", mark(turn.as_bytes())))
    }

    /// Makes the folder that locks are in.
    pub(crate) fn ready_for_locks(&self) -> Result<(), Error> {
        on_disk(&self.folder, private_files::folder)?;
        on_disk(&self.folder.join("locks"), private_files::folder)
    }
}

/// When a file was last changed, in seconds since 1970.
pub(crate) fn seconds_of(path: &Path) -> Option<u64> {
    let changed = std::fs::symlink_metadata(path).ok()?.modified().ok()?;
    changed.duration_since(std::time::UNIX_EPOCH).ok().map(|since| since.as_secs())
}

pub(crate) fn unknown(sentence: &str) -> State {
    State::Unknown { sentence: sentence.to_owned() }
}
