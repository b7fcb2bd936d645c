//! The log of requests.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::watch;

use crate::http::Request;

/// A request as the simulator saw it. Tokens and bodies are not kept.
#[derive(Clone, Debug, Serialize)]
pub struct LoggedRequest {
    /// From 0, in the order of arrival.
    pub number: usize,
    /// `GET`
    pub method: String,
    /// As sent, percent-encoded.
    pub path: String,
    /// As sent, without the question mark.
    pub query: String,
    /// Whether it had an `Authorization` header.
    pub authorized: bool,
    /// The `Host` header.
    pub host: String,
    /// `None` while it is not answered, or if it got no answer at all.
    pub status: Option<u16>,
    /// Since the simulator started.
    pub arrived: Duration,
    /// Since the simulator started; `None` while it is under way.
    pub finished: Option<Duration>,
    /// Names of the faults that met it.
    pub faults: Vec<&'static str>,
    /// Whether the simulator has such a route.
    pub known: bool,
}

impl LoggedRequest {
    /// Path and query as one.
    pub fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }
}

pub(crate) struct Log {
    started: Instant,
    requests: Mutex<Vec<LoggedRequest>>,
    changed: watch::Sender<()>,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), requests: Mutex::default(), changed: watch::Sender::new(()) }
    }

    /// Notes a request that has arrived and returns its number.
    pub(crate) fn begin(&self, request: &Request, faults: Vec<&'static str>) -> usize {
        let arrived = self.started.elapsed();
        let mut requests = self.requests();
        let number = requests.len();
        requests.push(LoggedRequest {
            number,
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            authorized: request.header("authorization").is_some(),
            host: request.header("host").unwrap_or_default().to_owned(),
            status: None,
            arrived,
            finished: None,
            faults,
            known: true,
        });
        drop(requests);
        self.changed.send_replace(());
        number
    }

    /// Notes how a request ended.
    pub(crate) fn end(&self, number: usize, status: Option<u16>, known: bool) {
        let finished = self.started.elapsed();
        if let Some(request) = self.requests().get_mut(number) {
            request.status = status;
            request.finished = Some(finished);
            request.known = known;
        }
        self.changed.send_replace(());
    }

    pub(crate) fn all(&self) -> Vec<LoggedRequest> {
        self.requests().clone()
    }

    /// Waits until the log fulfils a condition; `false` if it does not in time.
    pub(crate) async fn until(&self, fulfilled: impl Fn(&[LoggedRequest]) -> bool, within: Duration) -> bool {
        let mut changes = self.changed.subscribe();
        let wait = async {
            while !fulfilled(&self.requests()) {
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(within, wait).await.is_ok()
    }

    fn requests(&self) -> std::sync::MutexGuard<'_, Vec<LoggedRequest>> {
        // The lock is held for plain list work only; a condition of a test that panics leaves the list whole.
        self.requests.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
