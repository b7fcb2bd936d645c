//! The open port: hands out the form, takes what is sent, and holds the browser until there is something to say.
//!
//! It must not know what a token is good for, and holds none after handing it on.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::error::TokenPageError;
use super::form::{self, Mistake, Submitted};
use super::page::{self, Filled, Words};
use super::request::{Addresses, BODY_LIMIT, Wanted, wanted};
use super::wiped::Wiped;
use crate::oauth::callback::{END, HEAD_LIMIT};
use crate::oauth::listener::{accept, write};
use crate::oauth::page::{Kind, Page, see_other};
use crate::oauth::random;

/// How long the port stays open for the browser to fetch its last page.
const LINGER: Duration = Duration::from_millis(600);

/// An open port. Closed when dropped, at once or as soon as the browser has its page.
pub(super) struct Port {
    pub(super) addresses: Arc<Addresses>,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// How long things take.
#[derive(Clone, Copy)]
pub(super) struct Times {
    /// For the user to fill in the form.
    pub(super) fill: Duration,
    /// For a connection to say what it wants.
    pub(super) read: Duration,
    /// For a browser to be held.
    pub(super) hold: Duration,
}

struct Shared {
    addresses: Arc<Addresses>,
    words: Words,
    times: Times,
    phase: watch::Sender<Phase>,
}

enum Phase {
    /// For the user to fill in the form.
    Asking { filled: Filled, until: Instant },
    /// The form was sent. Whoever tries the token takes it from here.
    Checking { submitted: Option<Submitted>, email: String, until: Instant },
    /// It is over, and there is something to show for it.
    Telling { page: Page, until: Instant },
    /// No more.
    Closed,
}

impl Port {
    /// Takes a port that is free.
    pub(super) async fn open(words: Words, times: Times) -> Result<Self, TokenPageError> {
        // By number: other computers cannot reach it, and no name service has a say.
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let socket = socket.map_err(|_| TokenPageError::NoPort)?;
        let port = socket.local_addr().map_err(|_| TokenPageError::NoPort)?.port();
        let addresses = Arc::new(Addresses {
            host: format!("127.0.0.1:{port}"),
            form: format!("/{}", random()),
            result: format!("/result/{}", random()),
        });
        let phase = watch::Sender::new(Phase::asking(Filled::default(), times));
        let shared = Arc::new(Shared { addresses: Arc::clone(&addresses), words, times, phase });
        let task = tokio::spawn(serve(socket, Arc::clone(&shared)));
        Ok(Self { addresses, shared, task })
    }

    /// Waits for a form that is filled in; `None` once the port is closed.
    pub(super) async fn submitted(&self) -> Option<Submitted> {
        let mut phases = self.shared.phase.subscribe();
        loop {
            let there = |phase: &Phase| {
                matches!(
                    phase,
                    Phase::Checking { submitted: Some(_), .. } | Phase::Telling { .. } | Phase::Closed
                )
            };
            if !matches!(*phases.wait_for(there).await.ok()?, Phase::Checking { .. }) {
                return None;
            }
            let mut taken = None;
            self.shared.phase.send_if_modified(|phase| {
                if let Phase::Checking { submitted, .. } = phase {
                    taken = submitted.take();
                }
                false
            });
            if taken.is_some() {
                return taken;
            }
        }
    }

    /// Asks the browser that waits again.
    pub(super) fn again(&self, sentence: &str) {
        self.shared.phase.send_if_modified(|phase| {
            let Phase::Checking { email, .. } = phase else { return false };
            let filled = Filled { email: std::mem::take(email), wrong: Some(sentence.to_owned()) };
            *phase = Phase::asking(filled, self.shared.times);
            true
        });
    }

    /// Tells the browser that waits how it ended; where none does, the port is closed.
    pub(super) fn tell(&self, page: Page) {
        self.shared.phase.send_modify(|phase| {
            *phase = match phase {
                Phase::Checking { .. } => Phase::Telling { page, until: Instant::now() + LINGER },
                _ => Phase::Closed,
            };
        });
    }

    /// Closes the port without a word.
    pub(super) fn close(&self) {
        self.shared.phase.send_replace(Phase::Closed);
    }

    /// Waits until the port is closed.
    pub(super) async fn closed(mut self) {
        // An error is a panic of the task or the runtime's end; the port is closed either way.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        // What tells already ends by itself, when the browser has the page.
        if !matches!(*self.shared.phase.borrow(), Phase::Telling { .. }) {
            let text = "Adding a token was given up. Start it again in your editor.";
            self.tell(Page::new(Kind::Bad, "Given up", text));
        }
    }
}

impl Phase {
    fn asking(filled: Filled, times: Times) -> Self {
        Self::Asking { filled, until: Instant::now() + times.fill }
    }
}

/// Serves until the end, and leaves the phase closed in any case.
async fn serve(socket: TcpListener, shared: Arc<Shared>) {
    struct CloseAtEnd<'a>(&'a Shared);
    impl Drop for CloseAtEnd<'_> {
        fn drop(&mut self) {
            self.0.phase.send_replace(Phase::Closed);
        }
    }
    let _close = CloseAtEnd(&shared);
    accept(socket, shared.ended(), |stream| converse(stream, Arc::clone(&shared))).await;
}

/// One connection, one answer.
async fn converse(mut stream: TcpStream, shared: Arc<Shared>) {
    let received = timeout(shared.times.read, receive(&mut stream, &shared.addresses)).await;
    let Ok(Some((wanted, form))) = received else { return };
    let nonce = random();
    let form_path = &shared.addresses.form;
    let answer = match (wanted, form) {
        (Wanted::Form, _) => {
            let show = |filled: &Filled| page::form(&shared.words, filled, form_path, &nonce);
            shared.outcome(show, &nonce).await
        }
        (Wanted::Submit { .. }, Some(form)) => {
            if shared.submit(form) {
                shared.outcome(|_| see_other(form_path), &nonce).await
            } else {
                Some(page::busy(form_path, &nonce))
            }
        }
        (Wanted::Result, _) => return show_result(stream, &shared, &nonce).await,
        (Wanted::TooLong, _) => Some(page::too_long(&nonce)),
        (Wanted::OtherMethod, _) => Some(page::other_method(&nonce)),
        (Wanted::Nothing | Wanted::Submit { .. }, _) => Some(page::nothing_here(&nonce)),
    };
    if let Some(answer) = answer {
        write(stream, shared.times.read, &answer).await;
    }
}

/// Reads a request and the form that it brings; `None` if it breaks off.
async fn receive(
    stream: &mut TcpStream,
    addresses: &Addresses,
) -> Option<(Wanted, Option<Result<Submitted, Mistake>>)> {
    let mut request = Wiped::zeros(HEAD_LIMIT + BODY_LIMIT);
    let mut filled = 0_usize;
    let head = loop {
        let from = filled.saturating_sub(END.len() - 1);
        filled += some(stream.read(&mut request[filled..]).await)?;
        if let Some(at) = request[from..filled].windows(END.len()).position(|bytes| bytes == END) {
            break from + at;
        }
        if filled > HEAD_LIMIT {
            return Some((Wanted::Nothing, None));
        }
    };
    let body = head + END.len();
    if body > HEAD_LIMIT {
        return Some((Wanted::Nothing, None));
    }
    let wanted = wanted(&request[..head], addresses);
    let end = match wanted {
        Wanted::Submit { length } => body + length,
        Wanted::Form | Wanted::Result => body,
        Wanted::TooLong | Wanted::OtherMethod | Wanted::Nothing => return Some((wanted, None)),
    };
    while filled < end {
        filled += some(stream.read(&mut request[filled..end]).await)?;
    }
    // A browser sends no more than it says.
    let wanted = if filled == end { wanted } else { Wanted::Nothing };
    Some((wanted, form::read(&request[body..end])))
}

/// How much was read, if it was not the end.
fn some(read: std::io::Result<usize>) -> Option<usize> {
    read.ok().filter(|count| *count > 0)
}

/// The page at the end, with which the port has done its work.
async fn show_result(stream: TcpStream, shared: &Shared, nonce: &str) {
    let page = match &*shared.phase.borrow() {
        Phase::Telling { page, .. } => Some(page.answer(nonce)),
        _ => None,
    };
    let is_last = page.is_some();
    write(stream, shared.times.read, &page.unwrap_or_else(|| page::nothing_here(nonce))).await;
    if is_last {
        shared.phase.send_replace(Phase::Closed);
    }
}

impl Shared {
    /// Follows the phases to the last.
    async fn ended(&self) {
        let mut phases = self.phase.subscribe();
        loop {
            let until = match &*phases.borrow_and_update() {
                Phase::Asking { until, .. }
                | Phase::Checking { until, .. }
                | Phase::Telling { until, .. } => *until,
                Phase::Closed => return,
            };
            if timeout_at(until, phases.changed()).await.is_err() {
                return;
            }
        }
    }

    /// Goes on with a form that was sent. `false` if another one is being checked, which this one does not disturb.
    fn submit(&self, form: Result<Submitted, Mistake>) -> bool {
        let mut is_busy = false;
        self.phase.send_if_modified(|phase| {
            is_busy = matches!(phase, Phase::Checking { .. });
            let Phase::Asking { until, .. } = phase else { return false };
            *phase = match form {
                Ok(submitted) => Phase::Checking {
                    email: submitted.email.clone().unwrap_or_default(),
                    submitted: Some(submitted),
                    // Also the last second's form is checked at leisure.
                    until: (*until).max(Instant::now() + self.times.hold),
                },
                Err(Mistake { sentence, email }) => {
                    Phase::asking(Filled { email, wrong: Some(sentence.to_owned()) }, self.times)
                }
            };
            true
        });
        !is_busy
    }

    /// Holds the browser while a token is checked, then sends it to where it goes on. `ask`: what it gets for a form
    /// that is to be filled in.
    async fn outcome(&self, ask: impl FnOnce(&Filled) -> Vec<u8>, nonce: &str) -> Option<Vec<u8>> {
        let mut phases = self.phase.subscribe();
        let settled = phases.wait_for(|phase| !matches!(phase, Phase::Checking { .. }));
        match timeout(self.times.hold, settled).await {
            Err(_) => Some(page::still_checking(nonce)),
            Ok(Err(_)) => None,
            Ok(Ok(phase)) => match &*phase {
                Phase::Asking { filled, .. } => Some(ask(filled)),
                Phase::Telling { .. } => Some(see_other(&self.addresses.result)),
                Phase::Checking { .. } | Phase::Closed => None,
            },
        }
    }
}
