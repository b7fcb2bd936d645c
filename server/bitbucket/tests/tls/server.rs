//! A scripted server behind TLS.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::version::{TLS12, TLS13};

use crate::authority::Identity;
use crate::support::{Reply, Seen, serve};

/// Stops when dropped.
pub(crate) struct TlsServer {
    address: SocketAddr,
    acceptor: Arc<Mutex<TlsAcceptor>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    refused: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl TlsServer {
    pub(crate) async fn start(
        identity: &Identity,
        script: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = Arc::new(Mutex::new(acceptor(identity, false)));
        let (seen, refused) = (Arc::<Mutex<Vec<Seen>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let script = Arc::new(script);
        let (current, log, failures) = (Arc::clone(&acceptor), Arc::clone(&seen), Arc::clone(&refused));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (script, log, failures) = (Arc::clone(&script), Arc::clone(&log), Arc::clone(&failures));
                let acceptor = current.lock().unwrap().clone();
                connections.spawn(async move {
                    match acceptor.accept(stream).await {
                        Ok(stream) => {
                            serve(stream, &*script, &log).await;
                        }
                        Err(error) => failures.lock().unwrap().push(error.to_string()),
                    }
                });
            }
        });
        Self { address, acceptor, seen, refused, task }
    }

    /// Shows another certificate from now on.
    pub(crate) fn show(&self, identity: &Identity) {
        *self.acceptor.lock().unwrap() = acceptor(identity, false);
    }

    /// Likewise, and speaks no newer TLS than 1.2.
    pub(crate) fn show_in_old_tls(&self, identity: &Identity) {
        *self.acceptor.lock().unwrap() = acceptor(identity, true);
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// `https://host:PORT`, with a name or address that leads here.
    pub(crate) fn base(&self, host: &str) -> String {
        format!("https://{host}:{}", self.address.port())
    }

    /// The requests that came through.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// So many handshakes failed and no more; the last one may take a moment to arrive.
    pub(crate) async fn assert_refused(&self, count: usize) {
        let refused = || self.refused.lock().unwrap().clone();
        let start = Instant::now();
        while refused().len() < count && start.elapsed() < Duration::from_secs(5) {
            sleep(Duration::from_millis(1)).await;
        }
        sleep(Duration::from_millis(20)).await;
        assert_eq!(refused().len(), count, "{:?}", refused());
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Each with tickets of its own, as two computers have.
pub(crate) fn acceptor(identity: &Identity, old: bool) -> TlsAcceptor {
    let versions = if old { vec![&TLS12] } else { vec![&TLS12, &TLS13] };
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_protocol_versions(&versions).unwrap().with_no_client_auth();
    TlsAcceptor::from(Arc::new(builder.with_single_cert(identity.chain(), identity.key()).unwrap()))
}
