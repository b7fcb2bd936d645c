//! A draft's text: the file that the editor owns, and what is typed and not saved yet.
//!
//! It must not know what is in a text. What is typed belongs to the file as it was then; once the file has changed, it
//! is the newer one, and the copy is put aside, never thrown away.

use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use crate::error::{Error, on_disk};
use crate::folder::Drafts;
use crate::id::DraftId;
use crate::lock::{self, Lock};
use crate::record::{self, Found, LARGEST, Typed};
use crate::words::mark;

/// Longer than it takes to change a text.
const PATIENCE: Duration = Duration::from_secs(5);

/// Both texts of a draft.
pub(crate) struct Texts {
    file: Option<Vec<u8>>,
    shown: Option<String>,
    typed: Found<Typed>,
}

impl Texts {
    /// Reads both.
    ///
    /// # Errors
    /// `Disk`.
    pub(crate) fn read(drafts: &Drafts, id: &DraftId) -> Result<Self, Error> {
        // In this order: the copy goes only once the file has it.
        let typed = on_disk(&drafts.typed_of(id), record::read)?;
        let file = on_disk(&drafts.path(id), |path| private_files::read_shared(path, LARGEST))?;
        let shown = file.as_deref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        Ok(Self { file, shown, typed })
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.file.is_none() && matches!(self.typed, Found::Missing)
    }

    fn mark(&self) -> Option<String> {
        self.file.as_deref().map(mark)
    }

    /// What was typed, if the file has not changed since.
    fn typed_later(&self) -> Option<&str> {
        match &self.typed {
            Found::There(typed) if self.file.is_none() || typed.over == self.mark() => Some(&typed.text),
            _ => None,
        }
    }

    /// The newer one.
    pub(crate) fn newest(&self) -> Option<&str> {
        self.typed_later().or(self.shown.as_deref())
    }

    /// The mark of the newer one.
    pub(crate) fn newest_mark(&self) -> String {
        match (self.typed_later(), &self.file) {
            (Some(typed), _) => mark(typed.as_bytes()),
            (None, Some(file)) => mark(file),
            (None, None) => mark(b""),
        }
    }

    /// Whether the copy is what came before in the same window.
    fn copy_is_by(&self, process: &str) -> bool {
        matches!(&self.typed, Found::There(typed) if typed.by == process)
    }

    /// Whether the copy has something that is in no other place.
    fn copy_is_of_use(&self) -> bool {
        match &self.typed {
            Found::There(typed) => self.file.as_deref() != Some(typed.text.as_bytes()),
            Found::Damaged => true,
            Found::Missing => false,
        }
    }
}

/// A word for this process that no other one has.
fn this_process() -> io::Result<String> {
    static WORD: OnceLock<String> = OnceLock::new();
    match WORD.get() {
        Some(word) => Ok(word.clone()),
        None => {
            let word = private_files::random_id()?;
            Ok(WORD.get_or_init(|| word).clone())
        }
    }
}

impl Drafts {
    /// Keeps what is typed and not saved yet, beside the draft's file, which the editor owns. To be called while the
    /// user types and after each save; on disk when this returns. What another process kept is put aside, not replaced.
    ///
    /// # Errors
    /// `Gone` if there is no such draft (any more); `Disk`, then what was kept before is still kept.
    pub fn keep_typed(&self, id: &DraftId, text: &str) -> Result<(), Error> {
        let _lock = self.lock_texts(id)?;
        let texts = Texts::read(self, id)?;
        if texts.is_nothing() && !self.record_of(id).exists() {
            return Err(Error::Gone);
        }
        let by = on_disk(&self.typed_of(id), |_| this_process())?;
        if texts.copy_is_of_use() && !texts.copy_is_by(&by) {
            self.copy_aside(id)?;
        }
        if texts.file.as_deref() == Some(text.as_bytes()) {
            on_disk(&self.path(id), private_files::sync)?;
            return on_disk(&self.typed_of(id), private_files::remove);
        }
        let typed = Typed { over: texts.mark(), by, text: text.to_owned() };
        on_disk(&self.typed_of(id), |path| record::write(path, &typed))
    }

    /// Replaces the draft's file, for when no editor has it open.
    ///
    /// # Errors
    /// `Gone` if there is no such draft (any more); `Disk`, then the old text is still there.
    pub fn write_text(&self, id: &DraftId, text: &str) -> Result<(), Error> {
        let _lock = self.lock_texts(id)?;
        if Texts::read(self, id)?.is_nothing() && !self.record_of(id).exists() {
            return Err(Error::Gone);
        }
        on_disk(&self.path(id), |path| private_files::replace(path, text.as_bytes()))
    }

    /// Puts what was typed and never saved into the draft's file, before it is opened again; with no file and nothing
    /// typed, what was sent. Whether the file changed.
    ///
    /// # Errors
    /// `Gone`, `Posted`, `Disk`; then nothing is lost.
    pub fn restore(&self, id: &DraftId) -> Result<bool, Error> {
        let _lock = self.lock_texts(id)?;
        let record = self.record(id)?;
        let texts = Texts::read(self, id)?;
        let sent = record.attempt.as_ref().map(|attempt| attempt.body.as_str());
        let better = match &texts.file {
            Some(_) => texts.typed_later(),
            None => texts.newest().or(sent),
        };
        match better {
            Some(text) => {
                on_disk(&self.path(id), |path| private_files::replace(path, text.as_bytes()))?;
                on_disk(&self.typed_of(id), private_files::remove)?;
            }
            None if texts.copy_is_of_use() => self.put_copy_aside(id)?,
            None => on_disk(&self.typed_of(id), private_files::remove)?,
        }
        Ok(better.is_some())
    }

    /// Moves both texts to where discarded drafts are.
    ///
    /// # Errors
    /// `Disk`; then each is in one of the two places.
    pub(crate) fn discard_texts(&self, id: &DraftId) -> Result<(), Error> {
        let _lock = self.lock_texts(id)?;
        for file in [self.path(id), self.typed_of(id)] {
            let to = self.discarded().join(file.file_name().unwrap_or_default());
            if file.exists() {
                on_disk(&file, |file| private_files::rename(file, &to))?;
            }
        }
        Ok(())
    }

    /// So that a window does not take away what another one is keeping.
    fn lock_texts(&self, id: &DraftId) -> Result<Lock, Error> {
        self.ready_for_locks()?;
        on_disk(&self.texts_lock_of(id), |path| lock::take_within(path, PATIENCE))?.ok_or(Error::Busy)
    }

    /// Writes what was typed where discarded drafts are, too. (If it were moved and the disk were full, nothing would
    /// take its place.)
    fn copy_aside(&self, id: &DraftId) -> Result<(), Error> {
        let Some(bytes) = on_disk(&self.typed_of(id), |path| private_files::read_shared(path, LARGEST))?
        else {
            return Ok(());
        };
        on_disk(&self.discarded(), private_files::folder)?;
        on_disk(&self.aside(id, "typed")?, |to| private_files::replace(to, &bytes))
    }

    /// Moves the copy of what was typed to where discarded drafts are.
    fn put_copy_aside(&self, id: &DraftId) -> Result<(), Error> {
        on_disk(&self.discarded(), private_files::folder)?;
        let to = self.aside(id, "typed")?;
        on_disk(&self.typed_of(id), |path| private_files::rename(path, &to))
    }

    /// A name for something of a draft's that is put aside, which nothing has yet.
    fn aside(&self, id: &DraftId, ending: &str) -> Result<PathBuf, Error> {
        let folder = self.discarded();
        let unlike = on_disk(&folder, |_| private_files::random_id())?;
        Ok(folder.join(format!("{id}.{unlike}.{ending}")))
    }

    /// Removes the texts of a draft that was posted with the text that has the mark `posted`. What was written since is
    /// put aside; where.
    ///
    /// # Errors
    /// `Disk`; then some of it is still there.
    pub(crate) fn remove_texts(&self, id: &DraftId, posted: &str) -> Result<Option<PathBuf>, Error> {
        let _lock = self.lock_texts(id)?;
        let texts = Texts::read(self, id)?;
        let mut newer = None;
        if !texts.is_nothing() && texts.newest_mark() != posted {
            on_disk(&self.discarded(), private_files::folder)?;
            let to = self.aside(id, "md")?;
            match texts.typed_later() {
                Some(typed) => {
                    on_disk(&to, |to| private_files::replace(to, typed.as_bytes()))?;
                }
                None => on_disk(&self.path(id), |path| private_files::rename(path, &to))?,
            }
            newer = Some(to);
        }
        on_disk(&self.path(id), private_files::remove)?;
        match texts.typed_later().is_none() && texts.copy_is_of_use() {
            true => self.put_copy_aside(id)?,
            false => on_disk(&self.typed_of(id), private_files::remove)?,
        }
        Ok(newer)
    }
}
