//! The read-only documents that we write: which there are, and which are written anew or let go of.
//!
//! It must not know what stands in them, nor where on disk they go.

use super::Session;
use super::documents::Document;
use crate::effect::Effect;
use crate::event::RepositoryId;
use crate::writing::DraftName;
use pull_request::model::Timestamp;
use pull_request::view;
use std::path::PathBuf;

/// Documents of ours whose map is kept, beside those that are open.
const MOST_OWN: usize = 20;

/// A read-only document of ours, by its file name.
pub(super) struct OwnDocument {
    pub(super) repository: Option<RepositoryId>,
    pub(super) kind: OwnKind,
    pub(super) path: Option<PathBuf>,
    pub(super) document: view::document::Document,
    /// When it was made: ages in it count from then.
    pub(super) made: Timestamp,
    /// What it was before; the editor may still show that.
    pub(super) former: Option<view::document::Document>,
    /// In the list of drafts: the line of each.
    pub(super) draft_rows: Vec<(u32, DraftName)>,
}

impl OwnDocument {
    pub(super) fn new(
        repository: Option<RepositoryId>,
        kind: OwnKind,
        document: view::document::Document,
        made: Timestamp,
    ) -> Self {
        Self { repository, kind, path: None, document, made, former: None, draft_rows: Vec::new() }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnKind {
    PullRequest,
    Thread(pull_request::model::CommentId),
    Status,
    /// How to sign in.
    Guide,
    /// Where the address of a sign-in is pasted.
    Paste,
    /// The list of drafts.
    Drafts,
}

impl Session {
    /// Makes a document of ours, writes it, and shows it.
    pub(super) fn show_own(
        &mut self,
        id: RepositoryId,
        kind: OwnKind,
        now: Timestamp,
        show: bool,
        out: &mut Vec<Effect>,
    ) {
        let Some(document) = self.make_own(id, kind, now) else { return };
        let Some(review) = self.repositories.get(&id).and_then(|state| state.review.as_ref()) else { return };
        let folder = format!("{}_{}", review.name.workspace(), review.name.slug());
        let name = match kind {
            OwnKind::PullRequest => format!("{folder}/pull-request-{}.md", review.pull_request.id.0),
            OwnKind::Thread(root) => format!("{folder}/thread-{}.md", root.0),
            OwnKind::Status | OwnKind::Guide | OwnKind::Paste | OwnKind::Drafts => return,
        };
        self.keep_own(name, OwnDocument::new(Some(id), kind, document, now), show, out);
    }

    /// Keeps a new document, with what it was before, and has it written.
    pub(super) fn keep_own(&mut self, name: String, mut own: OwnDocument, show: bool, out: &mut Vec<Effect>) {
        out.push(Effect::ShowText { name: name.clone(), text: own.document.text.clone(), line: None, show });
        if let Some(before) = self.own.remove(&name) {
            let on_screen = self
                .documents
                .values()
                .find(|document| document.path.is_some() && document.path == before.path);
            let is_behind =
                on_screen.zip(before.former.as_ref()).is_some_and(|(at, former)| shows(at, former));
            own.former = if is_behind { before.former } else { Some(before.document) };
            own.path = before.path;
        }
        self.own.insert(name, own);
        self.forget_own();
    }

    /// Lets go of our oldest documents that are closed. Not of each that is: an editor closes and opens what it reloads.
    fn forget_own(&mut self) {
        while self.own.len() > MOST_OWN {
            let is_open =
                |own: &OwnDocument| self.documents.values().any(|document| document.path == own.path);
            let closed = self.own.iter().filter(|(_, own)| own.path.is_some() && !is_open(own));
            let Some(oldest) = closed.min_by_key(|(_, own)| own.made).map(|(name, _)| name.clone()) else {
                return;
            };
            self.own.remove(&oldest);
        }
    }

    /// Writes those documents of ours that are open anew, after what they show has changed.
    pub(super) fn rewrite_own(&mut self, id: RepositoryId, now: Timestamp, out: &mut Vec<Effect>) {
        let open: Vec<OwnKind> = self
            .own
            .values()
            .filter(|own| own.repository == Some(id))
            .filter(|own| {
                own.path.is_some() && self.documents.values().any(|document| document.path == own.path)
            })
            // Only its ages have changed otherwise; editors ask or blink when a file is written under them.
            .filter(|own| {
                self.make_own(id, own.kind, own.made).is_some_and(|made| made.text != own.document.text)
            })
            .map(|own| own.kind)
            .collect();
        for kind in open {
            self.show_own(id, kind, now, false, out);
        }
    }

    pub(super) fn written(&mut self, name: &str, path: PathBuf) {
        if let Some(own) = self.own.get_mut(name) {
            own.path = Some(path);
        }
    }

    pub(super) fn own_document(&self, uri: &str) -> Option<&OwnDocument> {
        let path = self.documents.get(uri)?.path.as_ref()?;
        self.own.values().find(|own| own.path.as_ref() == Some(path))
    }

    /// A document of ours with the map of the text that is on screen: the editor may be behind what was written last.
    pub(super) fn own_map(&self, uri: &str) -> Option<(&OwnDocument, &view::document::Document)> {
        let own = self.own_document(uri)?;
        let on_screen = self.documents.get(uri)?;
        let maps = [Some(&own.document), own.former.as_ref()];
        let map = maps.into_iter().flatten().find(|map| shows(on_screen, map))?;
        Some((own, map))
    }
}

/// Whether a document on screen has just the text that a map was made for.
fn shows(on_screen: &Document, map: &view::document::Document) -> bool {
    map.text.len() == on_screen.text.len() && map.text == on_screen.text.to_string()
}
