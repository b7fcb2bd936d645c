//! A scripted HTTP server on loopback: a closure says what each request is answered with.
//!
//! It knows nothing of Bitbucket. It writes down all that it is asked.
#![allow(dead_code, reason = "each test file uses a part of it")]

mod logged;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bitbucket::{Client, Options, Origin};
use credentials::{Authorization, Secret};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

#[allow(unused_imports, reason = "each test file uses a part of it")]
pub(crate) use logged::Log;

/// The token that must not go astray.
pub(crate) const TOKEN: &str = "canary-token-5f1c";

/// One request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Path and query.
    pub(crate) target: String,
    /// All header lines, in lower case.
    pub(crate) head: String,
    /// What came after them, as long as they say.
    pub(crate) body: String,
}

impl Seen {
    /// Whether it carries the token.
    pub(crate) fn is_signed(&self) -> bool {
        self.head.contains("\r\nauthorization:") || self.head.contains(TOKEN)
    }

    /// A parameter of the query, decoded.
    pub(crate) fn parameter(&self, key: &str) -> Option<String> {
        let url = url::Url::parse(&format!("http://x{}", self.target)).unwrap();
        url.query_pairs().find(|(found, _)| found == key).map(|(_, value)| value.into_owned())
    }

    /// The number of the page that is asked for.
    pub(crate) fn page(&self) -> usize {
        self.parameter("page").map_or(1, |page| page.parse().unwrap())
    }
}

/// What to do about a request.
pub(crate) enum Reply {
    /// Bytes, head included, then the connection is closed.
    Bytes(Vec<u8>),
    /// Likewise in pieces, with a pause before each.
    Pieces(Vec<Vec<u8>>, Duration),
    /// Bytes, once so many requests have come in.
    Once(usize, Vec<u8>),
    /// Nothing, with the connection kept open.
    Silence,
    /// Nothing, with the connection closed.
    Close,
}

/// A status with a body of JSON.
pub(crate) fn json(status: u16, body: &str) -> Reply {
    answer(status, &[("Content-Type", "application/json; charset=utf-8")], body.as_bytes())
}

/// A status with headers and a body.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    Reply::Bytes(message(status, headers, body))
}

/// The bytes of an answer.
pub(crate) fn message(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    for (key, value) in headers {
        head.push_str(&format!("{key}: {value}\r\n"));
    }
    [head.as_bytes(), b"\r\n", body].concat()
}

/// Stops when dropped.
pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// The closure gets each request with its index, from 0.
    pub(crate) async fn start(script: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (script, log) = (Arc::new(script), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (script, log) = (Arc::clone(&script), Arc::clone(&log));
                connections.spawn(async move { serve(stream, &*script, &log).await });
            }
        });
        Self { address, seen, task }
    }

    /// All requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A signed-in client whose API is this server's `/2.0`.
    pub(crate) fn client(&self, options: Options) -> Client {
        let origin = Origin::new(Some(&format!("{}/2.0", self.base())), None).unwrap();
        Client::new(origin, Some(Authorization::Bearer(Secret::new(TOKEN.into()))), options)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One request of a connection.
pub(crate) async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    script: &(dyn Fn(&Seen, usize) -> Reply + Send + Sync),
    log: &Mutex<Vec<Seen>>,
) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1)?.to_owned();
    // Targets keep their case; header names and the canary are compared in lower case.
    let head = head.to_ascii_lowercase();
    let length = head.split("\r\ncontent-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    let body = String::from_utf8_lossy(&body).into_owned();
    let seen = Seen { target, head, body };
    let reply = {
        let mut log = log.lock().unwrap();
        log.push(seen.clone());
        script(&seen, log.len() - 1)
    };
    match reply {
        Reply::Bytes(bytes) => stream.write_all(&bytes).await.ok()?,
        Reply::Pieces(pieces, pause) => {
            for piece in pieces {
                tokio::time::sleep(pause).await;
                stream.write_all(&piece).await.ok()?;
            }
        }
        Reply::Once(requests, bytes) => {
            while log.lock().unwrap().len() < requests {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            stream.write_all(&bytes).await.ok()?;
        }
        Reply::Silence => {
            // Until the client gives up.
            let _ = stream.read_u8().await;
        }
        Reply::Close => {}
    }
    stream.shutdown().await.ok()
}

/// Limits for tests: waits of milliseconds, deadlines that a busy machine keeps.
pub(crate) fn options() -> Options {
    Options {
        first_pause: Duration::from_millis(1),
        retry_after: (Duration::from_millis(1), Duration::from_millis(20)),
        first_wait: Duration::from_millis(2),
        first_rest: Duration::from_millis(40),
        ..Options::default()
    }
}
