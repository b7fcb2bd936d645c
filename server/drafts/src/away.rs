//! Where drafts go: posted, discarded, and after 30 days gone; and what the user says of one whose fate is not known.

use std::path::{Path, PathBuf};

use crate::error::{Error, on_disk};
use crate::folder::{Drafts, seconds_of};
use crate::id::DraftId;
use crate::lock::{self, Lock};
use crate::record::{self, Found, Record, State};
use crate::service::system_now;

/// How long discarded drafts and the ids of posted ones are kept, in seconds.
const KEPT: u64 = 30 * 24 * 60 * 60;

impl Drafts {
    /// Puts a draft away; its texts are kept for 30 days in the folder `discarded`.
    ///
    /// # Errors
    /// `Gone`, `Posted`; `Busy` while it is being sent; `Disk`, then its texts are in one of the two places.
    pub fn discard(&self, id: &DraftId) -> Result<(), Error> {
        let _own = self.own_now(id)?;
        let record = Record { changed: system_now(), ..self.record(id)? };
        let folder = self.discarded();
        on_disk(&folder, private_files::folder)?;
        on_disk(&folder.join(format!("{id}.json")), |to| record::write(to, &record))?;
        self.discard_texts(id)?;
        on_disk(&self.record_of(id), private_files::remove)
    }

    /// The user looked, and what was sent is not there: the draft can be sent again.
    ///
    /// # Errors
    /// `Gone`, `Posted`; `Busy` while it is being sent or looked for; `Disk`.
    pub fn again(&self, id: &DraftId) -> Result<(), Error> {
        let (record, _locks) = self.unresolved_now(id)?;
        if record.is_unresolved() {
            self.put(id, &Record { state: State::Draft, changed: system_now(), ..record })?;
        }
        Ok(())
    }

    /// The user looked, and what was sent is there as `posted`: the draft is done.
    ///
    /// # Errors
    /// `Gone`, `Posted`; `Taken` if that came from another draft; `Busy` while it is being sent or looked for; `Disk`.
    pub fn settle(&self, id: &DraftId, posted: u64) -> Result<(), Error> {
        let (record, _locks) = self.unresolved_now(id)?;
        if self.is_bound(posted)? {
            return Err(Error::Taken(posted));
        }
        self.bind(id, &record, posted).map(drop)
    }

    /// The record, with the locks under which it may be changed.
    fn unresolved_now(&self, id: &DraftId) -> Result<(Record, [Option<Lock>; 2]), Error> {
        let own = self.own_now(id)?;
        let record = self.record(id)?;
        let Some(attempt) = record.attempt.as_ref().filter(|_| record.is_unresolved()) else {
            return Ok((record, [Some(own), None]));
        };
        let path = self.turn_of(&attempt.turn);
        let turn = on_disk(&path, lock::take_now)?.ok_or(Error::Busy)?;
        // It may have been found while another one had the turn.
        Ok((self.record(id)?, [Some(own), Some(turn)]))
    }

    fn own_now(&self, id: &DraftId) -> Result<Lock, Error> {
        self.ready_for_locks()?;
        on_disk(&self.lock_of(id), lock::take_now)?.ok_or(Error::Busy)
    }

    /// Whether a draft was posted as this.
    pub(crate) fn is_bound(&self, posted: u64) -> Result<bool, Error> {
        Ok(self.posted()?.values().any(|id| *id == posted))
    }

    /// Writes down that the draft was posted, then removes its texts and its record. Where text was put that was
    /// written after it was sent.
    ///
    /// # Errors
    /// `Disk`: it is not written down, and nothing was removed.
    pub(crate) fn bind(&self, id: &DraftId, record: &Record, posted: u64) -> Result<Option<PathBuf>, Error> {
        let small = Record {
            state: State::Posted { id: posted },
            changed: system_now(),
            attempt: None,
            ..record.clone()
        };
        on_disk(&self.folder().join("posted"), private_files::folder)?;
        on_disk(&self.posted_record_of(id, posted), |path| record::write(path, &small))?;
        // From here on it is posted, whatever happens; `sweep` does what is left.
        Ok(self.clear(id, record).unwrap_or_default())
    }

    /// Removes what is left of a draft that was posted.
    fn clear(&self, id: &DraftId, record: &Record) -> Result<Option<PathBuf>, Error> {
        let text = record.attempt.as_ref().map(|attempt| attempt.text.as_str());
        let newer = self.remove_texts(id, text.unwrap_or_default())?;
        on_disk(&self.record_of(id), private_files::remove)?;
        Ok(newer)
    }

    /// Removes what has been kept for 30 days at `now` (seconds since 1970 by the system's clock), and what processes left that died.
    pub fn sweep(&self, now: u64) {
        self.finish_posted();
        self.forget(&self.folder().join("posted"), now);
        self.forget(&self.discarded(), now);
        for folder in [self.folder(), &self.folder().join("posted"), &self.discarded()] {
            private_files::remove_left_over(folder);
        }
    }

    /// Clears drafts whose process died after it wrote down that they were posted.
    fn finish_posted(&self) {
        let (Ok(posted), Ok(ids)) = (self.posted(), self.ids()) else { return };
        for id in ids.iter().filter(|id| posted.contains_key(id)) {
            let Ok(_own) = self.own_now(id) else { continue };
            let record = match record::read::<Record>(&self.record_of(id)) {
                Ok(Found::There(record)) => record,
                _ => Record::new(0),
            };
            let _ = self.clear(id, &record);
        }
    }

    fn forget(&self, folder: &Path, now: u64) {
        for name in self.names(folder).unwrap_or_default() {
            let path = folder.join(&name);
            // A text keeps its time when it is moved; the record beside it says when that was.
            let record = match name.split_once('.') {
                Some((id, _)) if DraftId::parse(id).is_some() => folder.join(format!("{id}.json")),
                _ => path.clone(),
            };
            let since = seconds_of(&record).max(seconds_of(&path));
            if path.is_file() && since.is_some_and(|since| since + KEPT < now) {
                let _ = private_files::remove(&path);
            }
        }
    }
}
