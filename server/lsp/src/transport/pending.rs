//! The requests that wait for their answers.
//!
//! Each is given a ticket, and the service knows it by that number only.
//! So clients may name requests as they like.
//! A name that is used twice at once is seen here, and any request can be cancelled: `lsp-types` reads ids of
//! 32 bits in `$/cancelRequest`, but clients send wider ones.

use std::collections::HashMap;
use std::time::Instant;

use tower_lsp::jsonrpc::Id;

/// The service's name for a request.
pub(super) type Ticket = i32;

/// A request that is not answered.
pub(super) struct Waiting {
    pub(super) id: Id,
    pub(super) method: String,
    pub(super) since: Instant,
}

#[derive(Default)]
pub(super) struct Pending {
    last: Ticket,
    waiting: HashMap<Ticket, Waiting>,
    tickets: HashMap<Id, Ticket>,
}

impl Pending {
    /// Takes a request in; `None` if another one of this id waits.
    pub(super) fn admit(&mut self, id: &Id, method: &str) -> Option<Ticket> {
        if self.tickets.contains_key(id) {
            return None;
        }
        self.last = self.last.wrapping_add(1);
        self.tickets.insert(id.clone(), self.last);
        let waiting = Waiting { id: id.clone(), method: method.to_owned(), since: Instant::now() };
        self.waiting.insert(self.last, waiting);
        Some(self.last)
    }

    /// The ticket of a waiting request.
    pub(super) fn ticket(&self, id: &Id) -> Option<Ticket> {
        self.tickets.get(id).copied()
    }

    /// Takes a request out, to be answered.
    pub(super) fn settle(&mut self, ticket: Ticket) -> Option<Waiting> {
        let waiting = self.waiting.remove(&ticket)?;
        self.tickets.remove(&waiting.id);
        Some(waiting)
    }

    /// Whether a request of this method waits, or any if none is named.
    pub(super) fn has(&self, method: Option<&str>) -> bool {
        self.waiting.values().any(|waiting| method.is_none_or(|method| waiting.method == method))
    }
}
