//! Proxies named in the options (E10): what they are shown, and what is said when they refuse.

use std::time::{Duration, Instant};

use bitbucket::oauth::TokenError;
use bitbucket::{Options, Outage, Proxy};

use crate::authority::{Authority, Identity};
use crate::proxy::{Manner, ProxyServer};
use crate::server::TlsServer;
use crate::support::{self, Seen};
use crate::{
    CONSUMER, REFRESH, assert_both_fail, assert_both_work, bitbucket, offline, token, trusting, user,
};

/// No resolver knows it; the proxy leads to the test's server.
const HOST: &str = "https://bitbucket.test";
const NAMES: [&str; 1] = ["bitbucket.test"];

fn through(proxy: &str, options: Options) -> Options {
    Options { proxy: Some(Proxy::of(proxy).unwrap()), ..options }
}

/// None of ours in what a proxy saw.
fn assert_nothing_told(proxy: &ProxyServer) {
    for head in proxy.heads() {
        assert!(head.starts_with("CONNECT ") || head.is_empty(), "{head}");
        assert!(!head.to_ascii_lowercase().contains("authorization"), "{head}");
    }
    for bytes in proxy.after() {
        let text = String::from_utf8_lossy(&bytes);
        for secret in [support::TOKEN, REFRESH, CONSUMER, "GET ", "POST ", "uthorization"] {
            assert!(!text.contains(secret), "{secret}");
        }
    }
}

#[tokio::test]
async fn a_request_goes_through_the_tunnel_and_the_proxy_learns_the_host_only() {
    let ours = Authority::new("ours");
    let server = TlsServer::start(&ours.certify(&NAMES), bitbucket).await;
    let proxy = ProxyServer::start(Manner::Tunnel(server.address())).await;
    assert_both_work(HOST, &through(&proxy.url(), trusting(&ours.pem()))).await;
    assert_both_work(&format!("{HOST}:8443"), &through(&proxy.url(), trusting(&ours.pem()))).await;
    let [standard, other] = ["bitbucket.test:443", "bitbucket.test:8443"];
    assert_eq!(proxy.hosts(), [standard, standard, other, other]);
    let expected = format!("CONNECT {standard} HTTP/1.1\r\nHost: {standard}\r\n\r\n");
    assert_eq!(proxy.heads()[0], expected);
    assert!(proxy.after().iter().all(|bytes| bytes.starts_with(&[0x16, 0x03])));
    assert_nothing_told(&proxy);
    let seen = server.seen();
    assert!(seen.len() == 4 && seen.iter().all(Seen::is_signed));
    assert!(seen.iter().all(|seen| !seen.head.contains("proxy")));
}

#[tokio::test]
async fn a_proxy_that_inspects_needs_its_certificate() {
    let (corp, ours) = (Authority::new("corp"), Authority::new("ours"));
    let server = TlsServer::start(&corp.certify(&NAMES), bitbucket).await;
    let proxy = ProxyServer::start(Manner::Tunnel(server.address())).await;
    assert_both_fail(HOST, &through(&proxy.url(), trusting(&ours.pem())), Outage::Certificate).await;
    assert!(server.seen().is_empty());
    assert_nothing_told(&proxy);
    assert_both_work(HOST, &through(&proxy.url(), trusting(&corp.pem()))).await;
    let late = TlsServer::start(&corp.certify_between(&NAMES, 2015, 2016), bitbucket).await;
    let proxy = ProxyServer::start(Manner::Tunnel(late.address())).await;
    assert_both_fail(HOST, &through(&proxy.url(), trusting(&corp.pem())), Outage::Clock).await;
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_and_not_asked_again() {
    let answers = [
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"certificate\"\r\n\r\n",
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: NTLM\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 403 Forbidden\r\n\r\n<html>tls certificate expired</html>",
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 100\r\n\r\n",
        "HTTP/1.1 502 Bad Gateway\r\n\r\n",
        "HTTP/1.0 503 Service Unavailable\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: http://login.test/\r\n\r\n",
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "\r\n",
    ];
    let manners = answers.map(Manner::Answer).into_iter().chain([Manner::Close]);
    for manner in manners {
        let proxy = ProxyServer::start(manner).await;
        assert_both_fail(HOST, &through(&proxy.url(), support::options()), Outage::Proxy).await;
        assert_eq!(proxy.hosts(), ["bitbucket.test:443"; 2]);
        assert!(proxy.after().iter().all(Vec::is_empty), "{:?}", proxy.after());
        assert_nothing_told(&proxy);
    }
    let sentence = "Bitbucket cannot be reached: the proxy refused the connection; check HTTPS_PROXY and its user \
                    name and password.";
    assert_eq!(offline(Outage::Proxy).sentence(), sentence);
    assert_eq!(TokenError::Failed(offline(Outage::Proxy)).sentence(), sentence);
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let gone = ProxyServer::start(Manner::Close).await.url();
    tokio::task::yield_now().await;
    assert_both_fail(HOST, &through(&gone, support::options()), Outage::Proxy).await;
    // Longer than any name in DNS, so that no resolver is asked.
    let unknown = format!("http://{}.test:3128", "a".repeat(64));
    assert_both_fail(HOST, &through(&unknown, support::options()), Outage::Proxy).await;
}

#[tokio::test]
async fn a_proxy_that_says_nothing_is_given_up_in_time() {
    let proxy = ProxyServer::start(Manner::Hang).await;
    let options = Options { connect: Duration::from_millis(200), ..support::options() };
    let start = Instant::now();
    assert_both_fail(HOST, &through(&proxy.url(), options), Outage::Connection).await;
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!(proxy.hosts().len(), 2);
    assert_nothing_told(&proxy);
}

#[tokio::test]
async fn a_tunnel_that_ends_in_nothing_is_no_fault_of_the_proxy() {
    // The proxy leads to a port where nobody speaks TLS.
    let nobody = support::Server::start(|_, _| support::Reply::Close).await;
    let address = nobody.base().trim_start_matches("http://").parse().unwrap();
    let proxy = ProxyServer::start(Manner::Tunnel(address)).await;
    let options = Options { connect: Duration::from_millis(300), ..support::options() };
    assert_both_fail(HOST, &through(&proxy.url(), options), Outage::Connection).await;
    assert!(nobody.seen().is_empty());
    assert_nothing_told(&proxy);
}

#[tokio::test]
async fn this_computers_own_addresses_never_go_to_a_proxy() {
    let proxy = ProxyServer::start(Manner::Close).await;
    let ours = Authority::new("ours");
    let identity: Identity = ours.certify(&["127.0.0.1", "127.1.2.3", "localhost"]);
    let secure = TlsServer::start(&identity, bitbucket).await;
    let plain = support::Server::start(bitbucket).await;
    let options = through(&proxy.url(), trusting(&ours.pem()));
    let port = plain.base().rsplit(':').next().unwrap().to_owned();
    for base in [
        plain.base(),
        format!("http://localhost:{port}"),
        format!("http://127.1:{port}"),
        secure.base("127.0.0.1"),
        secure.base("localhost"),
        secure.base("LOCALHOST"),
    ] {
        assert_both_work(&base, &options).await;
    }
    // Whether or not anybody is there.
    for base in ["http://[::1]:1", "https://[::1]:1", "http://127.8.8.8:1"] {
        assert!(user(base, &options).await.is_err() && token(base, &options).await.is_err());
    }
    assert!(proxy.heads().is_empty(), "{:?}", proxy.heads());
}

#[tokio::test]
async fn a_proxy_may_be_spoken_to_in_tls() {
    let (corp, ours) = (Authority::new("corp"), Authority::new("ours"));
    let server = TlsServer::start(&ours.certify(&NAMES), bitbucket).await;
    let manner = Manner::Tunnel(server.address());
    let proxy = ProxyServer::start_in_tls(manner, &corp.certify(&["127.0.0.1"])).await;
    let url = format!("https://{}", proxy.address());
    let both = format!("{}{}", corp.pem(), ours.pem());
    assert_both_work(HOST, &through(&url, trusting(&both))).await;
    assert_eq!(proxy.hosts(), ["bitbucket.test:443"; 2]);
    assert_nothing_told(&proxy);
    // A proxy that cannot show who it is does not learn the host either.
    assert_both_fail(HOST, &through(&url, trusting(&ours.pem())), Outage::Certificate).await;
    assert_eq!(proxy.heads().len(), 2);
}
