//! The documents that the editor has open: their texts, and which file of which repository each is.
//!
//! It must not know what is shown in them.

use super::Session;
use crate::effect::Effect;
use crate::event::{Change, Location, Timer};
use pull_request::text::Text;
use std::path::PathBuf;
use std::time::Duration;

/// How long typing must pause before threads are placed anew by a full diff.
pub(super) const TYPING_PAUSE: Duration = Duration::from_millis(300);

/// An open document.
pub(super) struct Document {
    pub(super) path: Option<PathBuf>,
    pub(super) version: i32,
    /// Names this text among all texts of the session: versions begin anew when a document is opened again.
    pub(super) revision: u64,
    pub(super) text: Text,
    pub(super) location: Option<Location>,
}

impl Session {
    pub(super) fn open(
        &mut self,
        uri: String,
        path: Option<PathBuf>,
        version: i32,
        text: &str,
        out: &mut Vec<Effect>,
    ) {
        if let Some(path) = path.clone() {
            out.push(Effect::Locate {
                uri: uri.clone(),
                path,
                preferred_remotes: self.settings.preferred_remotes.clone(),
            });
        }
        self.focus = Some(uri.clone());
        let revision = self.next_revision();
        self.documents
            .insert(uri, Document { path, version, revision, text: Text::new(text), location: None });
    }

    pub(super) fn belongs(&mut self, uri: &str, location: Option<Location>, out: &mut Vec<Effect>) {
        let Some(document) = self.documents.get_mut(uri) else { return };
        document.location = location;
        let Some(location) = &document.location else { return };
        if !self.repositories.contains_key(&location.repository) {
            // It was let go of while the document was looked for.
            document.location = None;
            out.extend(self.documents.get(uri).and_then(|document| self.locate_again(uri, document)));
            return;
        }
        let (id, is_new) = (location.repository, location.is_new);
        self.dirty.insert((id, location.path.clone()));
        self.lenses_dirty = true;
        if is_new {
            // Perhaps a file with comments that was just moved here.
            self.place(id, None, out);
        } else {
            self.place_document(uri, out);
        }
    }

    /// Looks for the repository of a document that has none.
    pub(super) fn locate_again(&self, uri: &str, document: &Document) -> Option<Effect> {
        let path = document.path.clone().filter(|_| document.location.is_none())?;
        let preferred_remotes = self.settings.preferred_remotes.clone();
        Some(Effect::Locate { uri: uri.to_owned(), path, preferred_remotes })
    }

    fn next_revision(&mut self) -> u64 {
        self.revisions += 1;
        self.revisions
    }

    pub(super) fn change(&mut self, uri: &str, version: i32, changes: Vec<Change>, out: &mut Vec<Effect>) {
        let revision = self.next_revision();
        let Some(document) = self.documents.get_mut(uri) else { return };
        (document.version, document.revision) = (version, revision);
        let mut moved = false;
        for change in changes {
            let edit = document.text.apply(change.range, &change.text, self.profile.encoding);
            if let Some(location) = &document.location
                && let Some(state) = self.repositories.get_mut(&location.repository)
            {
                moved |= state.carry(&location.path, &edit);
            }
        }
        if let Some(location) = &document.location {
            if moved {
                self.dirty.insert((location.repository, location.path.clone()));
                self.lenses_dirty = true;
            }
            let has_threads = self
                .repositories
                .get(&location.repository)
                .is_some_and(|state| state.has_threads_in(&location.path));
            if has_threads {
                out.push(Effect::After(TYPING_PAUSE, Timer::TypingPaused(uri.to_owned(), version)));
            }
        }
        if self.focus.as_deref() != Some(uri) {
            self.focus = Some(uri.to_owned());
        }
    }

    pub(super) fn close(&mut self, uri: &str, out: &mut Vec<Effect>) {
        let Some(document) = self.documents.remove(uri) else { return };
        if let Some(Location { repository, path, .. }) = document.location {
            // Unsaved text is gone with the buffer: what is on disk counts again.
            self.dirty.insert((repository, path.clone()));
            self.place(repository, Some(vec![path]), out);
        }
        if self.focus.as_deref() == Some(uri) {
            self.focus = None;
        }
        self.forget_unused(out);
    }
}
