//! What is done with drafts on disk, one thing after the other, away from the loop.
//!
//! It must not send anything: that is `writing`.

use super::client::{self, ForClient};
use super::{Outcome, fault, writing};
use crate::event::Event;
use crate::main_loop;
use crate::writing::{About, DraftName, WriteId};
use drafts::{DraftId, Drafts, Error};
use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::time::SystemTime;
use tokio::sync::mpsc;

/// Something to be done.
pub(super) enum Order {
    Read,
    Make { id: WriteId, about: Box<About>, text: String },
    KeepTyped(DraftName, String),
    Discard(DraftName),
    CountAsSent(DraftName),
    Open { name: DraftName, restore: bool, at: (u32, u32) },
}

/// Does what is ordered until the worker is gone.
pub(super) async fn serve(
    drafts: Drafts,
    mut orders: mpsc::UnboundedReceiver<Order>,
    outcomes: mpsc::UnboundedSender<Outcome>,
    to_client: mpsc::UnboundedSender<ForClient>,
) {
    while let Some(order) = orders.recv().await {
        let drafts = drafts.clone();
        let Ok(done) = tokio::task::spawn_blocking(move || perform(&drafts, order)).await else { continue };
        match done {
            Done::Event(event) => {
                let _ = outcomes.send(Outcome::Event(event));
            }
            Done::Show(work) => {
                let _ = to_client.send(work);
            }
            Done::Nothing => {}
        }
    }
}

enum Done {
    Event(Box<Event>),
    Show(ForClient),
    Nothing,
}

fn perform(drafts: &Drafts, order: Order) -> Done {
    let event = |event| Done::Event(Box::new(event));
    match order {
        Order::Read => {
            drafts.sweep(main_loop::now().0.unsigned_abs());
            event(Event::Drafts(writing::all(drafts)))
        }
        Order::Make { id, about, text } => event(Event::DraftMade(id, writing::make(drafts, &about, &text))),
        Order::KeepTyped(name, text) => {
            with(&name, |id| drafts.keep_typed(id, &text));
            Done::Nothing
        }
        Order::Discard(name) => {
            let outcome = DraftId::parse(&name.0).ok_or_else(fault);
            let outcome = outcome.and_then(|id| drafts.discard(&id).map_err(|error| error.to_string()));
            event(Event::Discarded(name, outcome))
        }
        Order::CountAsSent(name) => {
            with(&name, |id| writing::count_as_sent(drafts, id));
            Done::Nothing
        }
        Order::Open { name, restore, at } => {
            let path = with(&name, |id| {
                if restore {
                    drafts.restore(id)?;
                }
                Ok(drafts.path(id))
            });
            match path.and_then(|path| client::uri_or_path(None, &path)) {
                Some(uri) => Done::Show(ForClient::ShowFile { uri, at }),
                None => Done::Nothing,
            }
        }
    }
}

/// A number that is another one when a file of the folder came, went or was written; `None` without the folder.
pub(super) fn stamp(folder: &Path) -> Option<u64> {
    let mut files: Vec<(OsString, Option<SystemTime>)> = std::fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| (entry.file_name(), entry.metadata().ok().and_then(|metadata| metadata.modified().ok())))
        .collect();
    files.sort();
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    Some(hasher.finish())
}

/// What goes wrong is in the log; the text is where it was.
fn with<T>(name: &DraftName, work: impl FnOnce(&DraftId) -> Result<T, Error>) -> Option<T> {
    work(&DraftId::parse(&name.0)?).inspect_err(|error| tracing::warn!("a draft: {error}")).ok()
}
