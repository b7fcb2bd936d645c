//! Writes behind TLS and proxies: what fails before the request left did not happen, and nothing is repeated after.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bitbucket::WriteError::{Refused, Unknown};
use bitbucket::{Error, Options, Outage, Proxy, WriteError};
use pull_request::model::{Comment, PullRequestId, RepositoryName, Subject};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;

use crate::authority::{Authority, Identity};
use crate::proxy::{Manner, ProxyServer};
use crate::server::TlsServer;
use crate::support::{self, Seen, json};
use crate::{client, offline, trusting};

const NAMES: [&str; 2] = ["127.0.0.1", "bitbucket.test"];
const COMMENT: &str = r#"{"type":"pullrequest_comment","id":9,"content":{"raw":"x"}}"#;

async fn post(base: &str, options: &Options) -> Result<Comment, WriteError> {
    let repository = RepositoryName::new("team", "app").unwrap();
    client(base, options).create_comment(&repository, PullRequestId(7), &Subject::PullRequest, "x").await
}

#[tokio::test]
async fn a_certificate_without_trust_is_a_certain_no() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let server = TlsServer::start(&other.certify(&NAMES), |_, _| json(201, COMMENT)).await;
    let base = server.base("127.0.0.1");
    let found = post(&base, &trusting(&ours.pem())).await;
    assert_eq!(found, Err(Refused(offline(Outage::Certificate))));
    server.show(&ours.certify_between(&NAMES, 2015, 2016));
    let found = post(&base, &trusting(&ours.pem())).await;
    assert_eq!(found, Err(Refused(offline(Outage::Clock))));
    assert!(server.seen().is_empty());
    server.show(&ours.certify(&NAMES));
    assert!(post(&base, &trusting(&ours.pem())).await.is_ok());
    assert!(server.seen().len() == 1 && server.seen().iter().all(Seen::is_signed));
}

#[tokio::test]
async fn a_proxy_that_refuses_is_a_certain_no() {
    let through =
        |proxy: &str, options: Options| Options { proxy: Some(Proxy::of(proxy).unwrap()), ..options };
    let manners = [
        Manner::Answer("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
        Manner::Answer("HTTP/1.1 502 Bad Gateway\r\n\r\n"),
        Manner::Answer("HTTP/1.1 302 Found\r\nLocation: http://login.test/\r\n\r\n"),
        Manner::Close,
    ];
    for manner in manners {
        let proxy = ProxyServer::start(manner).await;
        let found = post("https://bitbucket.test", &through(&proxy.url(), support::options())).await;
        assert_eq!(found, Err(Refused(offline(Outage::Proxy))));
        assert_eq!(proxy.hosts(), ["bitbucket.test:443"]);
        assert!(proxy.after().iter().all(Vec::is_empty));
    }
    let proxy = ProxyServer::start(Manner::Hang).await;
    let limits = Options { connect: Duration::from_millis(200), ..support::options() };
    let found = post("https://bitbucket.test", &through(&proxy.url(), limits)).await;
    assert_eq!(found, Err(Refused(offline(Outage::Connection))));
}

#[tokio::test]
async fn a_request_in_a_tunnel_that_breaks_leaves_it_open() {
    let ours = Authority::new("ours");
    let server = TlsServer::start(&ours.certify(&NAMES), |_, _| support::Reply::Close).await;
    let proxy = ProxyServer::start(Manner::Tunnel(server.address())).await;
    let options = Options { proxy: Some(Proxy::of(&proxy.url()).unwrap()), ..trusting(&ours.pem()) };
    let found = post("https://bitbucket.test", &options).await;
    assert_eq!(found, Err(Unknown(offline(Outage::BrokenOff))));
    assert_eq!((server.seen().len(), proxy.hosts().len()), (1, 1));
}

/// In HTTP/2 a server can say that it did not take a request, and clients are wont to send it again by themselves.
#[tokio::test]
async fn refusals_of_http2_are_not_answered_with_a_second_request() {
    const REFUSED_STREAM: u8 = 7;
    let ours = Authority::new("ours");
    let reset = |stream: u8| vec![0, 0, 4, 3, 0, 0, 0, 0, stream, 0, 0, 0, REFUSED_STREAM];
    let go_away = |_: u8| vec![0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let refusals: [fn(u8) -> Vec<u8>; 2] = [reset, go_away];
    for refusal in refusals {
        let (base, requests) = http2(&ours.certify(&NAMES), refusal).await;
        let found = post(&base, &trusting(&ours.pem())).await;
        let is_open = matches!(found, Err(Unknown(Error::Offline { .. })));
        assert!(is_open, "{found:?}");
        assert_eq!(*requests.lock().unwrap(), 1);
    }
}

/// A server of HTTP/2 that answers each request with these bytes, given its stream, and then closes; and a count.
async fn http2(identity: &Identity, refusal: fn(u8) -> Vec<u8>) -> (String, Arc<Mutex<usize>>) {
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = config.with_single_cert(identity.chain(), identity.key()).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(0));
    let count = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, count) = (acceptor.clone(), Arc::clone(&count));
            tokio::spawn(async move {
                let mut stream = acceptor.accept(stream).await.ok()?;
                let mut preface = [0; 24];
                stream.read_exact(&mut preface).await.ok()?;
                stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.ok()?;
                loop {
                    let mut head = [0; 9];
                    stream.read_exact(&mut head).await.ok()?;
                    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
                    let mut payload = vec![0; usize::try_from(length).unwrap()];
                    stream.read_exact(&mut payload).await.ok()?;
                    // HEADERS.
                    if head[3] == 1 {
                        *count.lock().unwrap() += 1;
                        stream.write_all(&refusal(head[8])).await.ok()?;
                        stream.flush().await.ok()?;
                    }
                }
                #[allow(unreachable_code, reason = "gives the block its type")]
                Some(())
            });
        }
    });
    (base, requests)
}
