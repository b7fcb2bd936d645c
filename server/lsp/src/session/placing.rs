//! Which threads are placed on which texts, and what an outcome changes.
//!
//! It must not know how a place is found.

use super::Session;
use super::documents::{Document, TYPING_PAUSE};
use super::review::Cause;
use crate::effect::{Again, Effect, Placing, Snapshot, ToPlace};
use crate::event::{Located, RepositoryId, Timer};
use pull_request::model::{CommentId, Timestamp};
use std::collections::HashSet;
use std::sync::Arc;

impl Session {
    pub(super) fn place_document(&mut self, uri: &str, out: &mut Vec<Effect>) {
        let Some(location) = self.documents.get(uri).and_then(|document| document.location.clone()) else {
            return;
        };
        self.place(location.repository, Some(vec![location.path]), out);
    }

    /// Places threads: those that may be in `only`, or all.
    pub(super) fn place(&mut self, id: RepositoryId, only: Option<Vec<String>>, out: &mut Vec<Effect>) {
        let documents = self.snapshots(id);
        let Some(state) = self.repositories.get_mut(&id) else { return };
        let online = state.discovery.login.is_ok();
        let Some(review) = &state.review else { return };
        let again = match (&only, &state.busy) {
            (Some(_), _) => Again::Never,
            (None, Some(busy)) if busy.cause == Cause::Command => Again::All,
            (None, _) => Again::Failed,
        };
        let concerned = only.as_deref().map(|paths| review.threads_in(paths));
        let threads: Vec<ToPlace> = review
            .discussion
            .threads
            .iter()
            .enumerate()
            .filter(|(index, _)| concerned.as_ref().is_none_or(|concerned| concerned.contains(index)))
            .filter_map(|(_, thread)| {
                let anchor = thread.anchor.clone()?;
                Some(ToPlace { thread: thread.root, anchor })
            })
            .collect();
        if threads.is_empty() {
            return;
        }
        // A placing of everything makes older ones void; one of a single document only adds to them.
        if only.is_none() {
            state.placing += 1;
        }
        out.push(Effect::Place(Box::new(Placing {
            repository: id,
            generation: state.placing,
            name: review.name.clone(),
            source: review.pull_request.source.clone(),
            destination: review.pull_request.destination.clone(),
            head: state.discovery.head.clone(),
            threads: Arc::new(threads),
            documents,
            online,
            again,
        })));
    }

    pub(super) fn placed(
        &mut self,
        id: RepositoryId,
        generation: u64,
        texts: &[(String, u64)],
        places: Vec<(CommentId, Located)>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        // Documents that were edited, opened or closed while this was computed.
        let now_open: HashSet<(String, u64)> =
            self.snapshots(id).into_iter().map(|document| (document.path, document.revision)).collect();
        let texts: HashSet<(String, u64)> = texts.iter().cloned().collect();
        let outrun: HashSet<String> =
            now_open.symmetric_difference(&texts).map(|(path, _)| path.clone()).collect();
        let Some(state) = self.repositories.get_mut(&id).filter(|state| state.placing == generation) else {
            return;
        };
        let Some(review) = &mut state.review else { return };
        // Those that were seen before are carried by the edits, and placed anew when typing pauses.
        let unseen =
            |id: &CommentId| review.thread_of(*id).is_some_and(|thread| review.spot_of(thread).is_none());
        if places.iter().any(|(id, located)| outrun.contains(&located.path) && unseen(id)) {
            out.push(Effect::After(TYPING_PAUSE, Timer::PlaceAgain(id, generation)));
        }
        let changed = review.respot(places, &outrun);
        // Lenses were asked for while somebody typed; now that the typing has paused they are asked for once more.
        self.lenses_dirty = true;
        if !changed.is_empty() {
            self.dirty.extend(changed.into_iter().map(|path| (id, path)));
            self.rewrite_own(id, now, out);
        }
    }

    fn snapshots(&self, id: RepositoryId) -> Vec<Snapshot> {
        let of_repository =
            |document: &&Document| document.location.as_ref().is_some_and(|at| at.repository == id);
        self.documents
            .values()
            .filter(of_repository)
            .filter_map(|document| {
                let path = document.location.as_ref()?.path.clone();
                Some(Snapshot { path, revision: document.revision, text: document.text.clone() })
            })
            .collect()
    }
}
