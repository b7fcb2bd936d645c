//! A proxy for `CONNECT`, scripted, that writes down all that it is shown.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::authority::Identity;
use crate::server::acceptor;

/// What it does about a request for a tunnel.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    /// Leads there, whatever the host's name.
    Tunnel(SocketAddr),
    /// Likewise for who logs in like this; 407 for others.
    Login(&'static str, SocketAddr),
    /// Bytes, then the connection is closed.
    Answer(&'static str),
    /// The connection is closed at once.
    Close,
    /// Nothing, with the connection kept open.
    Hang,
}

#[derive(Default)]
struct Log {
    /// The heads of requests, as they came.
    heads: Vec<String>,
    /// What each client sent after its head.
    after: Vec<Vec<u8>>,
}

/// Stops when dropped.
pub(crate) struct ProxyServer {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
    task: JoinHandle<()>,
}

impl ProxyServer {
    pub(crate) async fn start(manner: Manner) -> Self {
        Self::listen(manner, None).await
    }

    /// One that is spoken to in TLS.
    pub(crate) async fn start_in_tls(manner: Manner, identity: &Identity) -> Self {
        Self::listen(manner, Some(identity)).await
    }

    async fn listen(manner: Manner, identity: Option<&Identity>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::<Mutex<Log>>::default();
        let writer = Arc::clone(&log);
        let acceptor = identity.map(|identity| acceptor(identity, false));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (log, acceptor) = (Arc::clone(&writer), acceptor.clone());
                connections.spawn(async move {
                    match acceptor {
                        None => serve(stream, manner, &log).await,
                        Some(acceptor) => serve(acceptor.accept(stream).await.ok()?, manner, &log).await,
                    }
                });
            }
        });
        Self { address, log, task }
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        self.log.lock().unwrap().heads.clone()
    }

    /// The hosts that were asked for, each with its port.
    pub(crate) fn hosts(&self) -> Vec<String> {
        self.heads().iter().map(|head| head.split(' ').nth(1).unwrap_or_default().to_owned()).collect()
    }

    /// What came after the heads.
    pub(crate) fn after(&self) -> Vec<Vec<u8>> {
        self.log.lock().unwrap().after.clone()
    }
}

impl Drop for ProxyServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    manner: Manner,
    log: &Mutex<Log>,
) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match client.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let at = {
        let mut log = log.lock().unwrap();
        log.heads.push(head.clone());
        log.after.push(Vec::new());
        log.after.len() - 1
    };
    let to = match manner {
        Manner::Tunnel(to) => to,
        Manner::Login(login, to) if head.contains(&format!("\r\nProxy-Authorization: {login}\r\n")) => to,
        Manner::Login(..) => {
            return answer(
                client,
                "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"corp\"\r\n\r\n",
                at,
                log,
            )
            .await;
        }
        Manner::Answer(bytes) => return answer(client, bytes, at, log).await,
        Manner::Close => return None,
        Manner::Hang => return answer(client, "", at, log).await,
    };
    let server = TcpStream::connect(to).await.ok()?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.ok()?;
    let (mut from_client, mut to_client) = split(client);
    let (mut from_server, mut to_server) = server.into_split();
    let there = async {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = from_client.read(&mut piece).await {
            log.lock().unwrap().after[at].extend_from_slice(&piece[..length]);
            if to_server.write_all(&piece[..length]).await.is_err() {
                break;
            }
        }
        let _ = to_server.shutdown().await;
    };
    let back = async {
        let _ = copy(&mut from_server, &mut to_client).await;
        let _ = to_client.shutdown().await;
    };
    tokio::join!(there, back);
    Some(())
}

/// Says something, and listens until the client has gone.
async fn answer(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    bytes: &str,
    at: usize,
    log: &Mutex<Log>,
) -> Option<()> {
    client.write_all(bytes.as_bytes()).await.ok()?;
    if !bytes.is_empty() {
        client.shutdown().await.ok()?;
    }
    let mut after = Vec::new();
    let _ = client.read_to_end(&mut after).await;
    log.lock().unwrap().after[at] = after;
    Some(())
}
