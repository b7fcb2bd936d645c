//! The listener on the loopback address: the one open port, for as long as a sign-in lasts.
//!
//! Everything but the browser's way back gets a 404, and changes nothing. It must not know what a code is good
//! for, and holds none after handing it on.

use std::future::Future;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use credentials::Secret;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::callback::{self, Answer, END, HEAD_LIMIT};
use super::consumer::PATH;
use super::error::LoginError;
use super::page::{self, Kind, Page};
use super::random;

/// The most connections at once; more wait in the system's queue.
const CONNECTIONS: usize = 32;
/// How long the browser's page is held while the token is fetched and stored.
const HOLD: Duration = Duration::from_secs(120);
/// How long the port stays open for the browser to fetch its page, once there is something to show.
const LINGER: Duration = Duration::from_millis(600);
/// How long a port that is in use is tried again: a sign-in that was just given up may still be closing its own.
const PATIENCE: Duration = Duration::from_millis(850);

/// An open port. Closed when dropped, at once or as soon as the browser has its page.
pub(super) struct Listener {
    pub(super) port: u16,
    shared: Arc<Shared>,
    /// What the browser came back with; closed when the port is.
    answers: tokio::sync::Mutex<mpsc::Receiver<Answer>>,
    task: JoinHandle<()>,
}

struct Shared {
    /// `127.0.0.1:PORT`
    host: String,
    /// `/result/…`; nobody but the browser knows it.
    result: String,
    /// Taken by the first who brings it.
    state: Mutex<Option<Secret>>,
    phase: watch::Sender<Phase>,
    read: Duration,
}

#[derive(Clone)]
enum Phase {
    /// For the browser.
    Waiting,
    /// The browser came, and waits for what became of it.
    Holding { until: Instant },
    /// There is something to show it.
    Telling { page: Page, until: Instant },
    /// No more.
    Closed,
}

impl Listener {
    /// Takes the first port that is free.
    pub(super) async fn open(
        ports: &[u16],
        state: Secret,
        lifetime: Duration,
        read: Duration,
    ) -> Result<Self, LoginError> {
        let socket = bind(ports).await?;
        let port = socket.local_addr().map_err(|_| LoginError::NoPort { port: ports[0] })?.port();
        let (sender, answers) = mpsc::channel(1);
        let shared = Arc::new(Shared {
            host: format!("127.0.0.1:{port}"),
            result: format!("/result/{}", random()),
            state: Mutex::new(Some(state)),
            phase: watch::Sender::new(Phase::Waiting),
            read,
        });
        let serving = serve(socket, Arc::clone(&shared), sender, Instant::now() + lifetime);
        let task = tokio::spawn(serving);
        Ok(Self { port, shared, answers: tokio::sync::Mutex::new(answers), task })
    }

    /// Waits for the browser; `None` once the port is closed.
    pub(super) async fn answer(&self) -> Option<Answer> {
        self.answers.lock().await.recv().await
    }

    /// Takes a query that came another way. `None` if it is not the right one; `Some(None)` if the right one was
    /// there before.
    pub(super) fn take(&self, query: &str) -> Option<Option<Answer>> {
        if self.shared.is_used() {
            return Some(None);
        }
        let answer = self.shared.judge(query)?;
        // Nobody waits at the port for a page.
        self.shared.phase.send_replace(Phase::Closed);
        Some(Some(answer))
    }

    /// Whether somebody closed it, rather than its time ran out.
    pub(super) fn is_closed(&self) -> bool {
        matches!(*self.shared.phase.borrow(), Phase::Closed)
    }

    /// Closes the port without a word.
    pub(super) fn close(&self) {
        self.shared.phase.send_replace(Phase::Closed);
    }

    /// Tells the browser how it ended, if it is there or on its way.
    pub(super) fn tell(&self, kind: Kind, title: &'static str, text: &str) {
        self.shared.tell(Page::new(kind, title, text));
    }

    /// Waits until the port is closed.
    pub(super) async fn closed(mut self) {
        // An error is a panic of the task or the runtime's end; the port is closed either way.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let interrupted = || {
            Page::new(Kind::Bad, "Not signed in", "The sign-in was given up. Start it again in your editor.")
        };
        self.shared.phase.send_if_modified(|phase| match phase {
            Phase::Waiting => {
                *phase = Phase::Closed;
                true
            }
            Phase::Holding { .. } => {
                *phase = Phase::telling(interrupted());
                true
            }
            // Ends by itself, when the browser has the page.
            Phase::Telling { .. } | Phase::Closed => false,
        });
    }
}

impl Phase {
    fn telling(page: Page) -> Self {
        Self::Telling { page, until: Instant::now() + LINGER }
    }
}

impl Shared {
    fn is_used(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Reads a callback's query and uses the state up if it is the right one.
    fn judge(&self, query: &str) -> Option<Answer> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = callback::answer(query, state.as_ref()?)?;
        *state = None;
        Some(answer)
    }

    /// Only a browser that is here is told anything.
    fn tell(&self, page: Page) {
        self.phase.send_modify(|phase| {
            *phase = match phase {
                Phase::Holding { .. } => Phase::telling(page),
                Phase::Telling { until, .. } => Phase::Telling { page, until: *until },
                Phase::Waiting | Phase::Closed => Phase::Closed,
            };
        });
    }
}

async fn bind(ports: &[u16]) -> Result<TcpListener, LoginError> {
    let give_up = Instant::now() + PATIENCE;
    loop {
        let mut busy = Vec::new();
        for port in ports {
            // By number: other computers cannot reach it, and no name service has a say.
            match TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).await {
                Ok(socket) => return Ok(socket),
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => busy.push(*port),
                Err(_) => {}
            }
        }
        if busy.is_empty() {
            return Err(LoginError::NoPort { port: ports[0] });
        }
        if Instant::now() >= give_up {
            return Err(LoginError::PortBusy { ports: busy });
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// Serves until the end.
///
/// The only sender of answers is here and in the connections, so that who waits for one sees the end.
async fn serve(socket: TcpListener, shared: Arc<Shared>, answers: mpsc::Sender<Answer>, lifetime: Instant) {
    let converse = |stream| converse(stream, Arc::clone(&shared), answers.clone());
    accept(socket, ended(&shared, lifetime), converse).await;
}

/// Takes connections until `end` is done. All that is open is closed with it.
pub(crate) async fn accept<Conversation>(
    socket: TcpListener,
    end: impl Future<Output = ()>,
    converse: impl Fn(TcpStream) -> Conversation,
) where
    Conversation: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    tokio::pin!(end);
    loop {
        tokio::select! {
            biased;
            () = &mut end => return,
            _ = connections.join_next(), if !connections.is_empty() => {}
            accepted = socket.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream));
                }
                // Out of descriptors, most likely: connections that end will free some.
                Err(_) => sleep(Duration::from_millis(20)).await,
            },
        }
    }
}

/// Follows the phases to the last.
async fn ended(shared: &Shared, lifetime: Instant) {
    let mut phases = shared.phase.subscribe();
    loop {
        let until = match &*phases.borrow_and_update() {
            Phase::Waiting => lifetime,
            Phase::Holding { until } | Phase::Telling { until, .. } => *until,
            Phase::Closed => return,
        };
        if timeout_at(until, phases.changed()).await.is_err() {
            let held = matches!(*shared.phase.borrow(), Phase::Holding { .. });
            if !held {
                return;
            }
            let text = "This takes unusually long. Your editor tells how it ends.";
            shared.tell(Page::new(Kind::Neutral, "Still signing in", text));
        }
    }
}

/// One connection, one answer.
async fn converse(mut stream: TcpStream, shared: Arc<Shared>, answers: mpsc::Sender<Answer>) {
    let Ok(Some(request)) = timeout(shared.read, read(&mut stream)).await else {
        return;
    };
    let target = callback::target(&request, &shared.host);
    match target {
        Some((PATH, query)) => {
            if let Some(answer) = shared.judge(query) {
                return come_back(stream, &shared, &answers, answer).await;
            }
        }
        Some((path, "")) if path == shared.result && shared.is_used() => {
            return show_result(stream, &shared).await;
        }
        _ => {}
    }
    write(stream, shared.read, &Page::nothing_here().answer(&random())).await;
}

/// The browser is back: its address loses the code, and it waits at the next one.
async fn come_back(stream: TcpStream, shared: &Shared, answers: &mpsc::Sender<Answer>, answer: Answer) {
    let phase = match &answer {
        Answer::Code(_) => Phase::Holding { until: Instant::now() + HOLD },
        Answer::Denied => {
            let text = "You denied access, and nothing was stored. You can close this page.";
            Phase::telling(Page::new(Kind::Bad, "Not signed in", text))
        }
        Answer::Refused(_) => {
            let text = "Bitbucket refused the sign-in, and nothing was stored. Your editor says more.";
            Phase::telling(Page::new(Kind::Bad, "Not signed in", text))
        }
    };
    // Somebody may have closed it in between, and that stays.
    let open = shared.phase.send_if_modified(|now| {
        let open = matches!(now, Phase::Waiting);
        if open {
            *now = phase;
        }
        open
    });
    // The one place in the channel is free, since the state is good for one answer.
    if open && answers.try_send(answer).is_ok() {
        write(stream, shared.read, &page::redirect(&shared.result)).await;
    }
}

/// Holds the page until there is something to say; then the port has done its work.
async fn show_result(stream: TcpStream, shared: &Shared) {
    let mut phases = shared.phase.subscribe();
    let page = {
        let there = |phase: &Phase| matches!(phase, Phase::Telling { .. } | Phase::Closed);
        match phases.wait_for(there).await.as_deref() {
            Ok(Phase::Telling { page, .. }) => page.clone(),
            _ => return,
        }
    };
    write(stream, shared.read, &page.answer(&random())).await;
    shared.phase.send_replace(Phase::Closed);
}

/// Reads as far as the end of the head, or one byte more than a head may have; `None` if it breaks off.
async fn read(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::with_capacity(1024);
    let mut piece = [0; 2048];
    loop {
        let count = stream.read(&mut piece).await.ok().filter(|count| *count > 0)?;
        let from = request.len().saturating_sub(END.len() - 1);
        request.extend_from_slice(&piece[..count]);
        let whole = request[from..].windows(END.len()).any(|bytes| bytes == END);
        if request.len() > HEAD_LIMIT {
            // Too long is as good as wrong, whatever it says.
            request.truncate(1);
            return Some(request);
        }
        if whole {
            return Some(request);
        }
    }
}

/// Answers, in at most `limit`, and says that no more comes.
pub(crate) async fn write(mut stream: TcpStream, limit: Duration, answer: &[u8]) {
    let write = async {
        stream.write_all(answer).await?;
        stream.shutdown().await
    };
    // Who does not take the answer goes without it.
    let _ = timeout(limit, write).await;
}
