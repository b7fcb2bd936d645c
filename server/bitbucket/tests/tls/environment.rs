//! Proxies that the environment names, with or without a password; and what it leaves out of them.

use bitbucket::Outage;

use crate::authority::Authority;
use crate::child::{Child, Found};
use crate::proxy::{Manner, ProxyServer};
use crate::server::TlsServer;
use crate::support::{self, Seen};
use crate::{CONSUMER, REFRESH, bitbucket, offline};

const HOST: &str = "https://bitbucket.test";
const NAMES: [&str; 2] = ["bitbucket.test", "0.0.0.0"];
/// `ana` and `canary@pass`.
const LOGIN: &str = "ana:canary%40pass";
const BASIC: &str = "Basic YW5hOmNhbmFyeUBwYXNz";

/// A Bitbucket behind a proxy.
struct World {
    certificates: String,
    server: TlsServer,
    proxy: ProxyServer,
}

impl World {
    async fn new(manner: impl FnOnce(&TlsServer) -> Manner) -> Self {
        let ours = Authority::new("ours");
        let identity = ours.certify(&[&NAMES[..], &["127.0.0.1", "localhost"]].concat());
        let server = TlsServer::start(&identity, bitbucket).await;
        let proxy = ProxyServer::start(manner(&server)).await;
        Self { certificates: ours.pem(), server, proxy }
    }

    async fn ask(&self, base: &str, proxy: Option<&str>, environment: &[(&str, &str)]) -> Found {
        let certificates = Some(self.certificates.as_str());
        Child { base, certificates, proxy, environment }.run().await
    }
}

fn tunnel(server: &TlsServer) -> Manner {
    Manner::Tunnel(server.address())
}

#[tokio::test]
async fn the_environments_proxy_is_used() {
    let world = World::new(tunnel).await;
    let url = world.proxy.url();
    let bare = url.trim_start_matches("http://");
    // The special one wins over the general one, the capital one over the small one.
    let wrong = "http://127.0.0.1:1";
    let environments: [&[(&str, &str)]; 6] = [
        &[("HTTPS_PROXY", &url)],
        &[("https_proxy", &url)],
        &[("ALL_PROXY", &url)],
        &[("HTTPS_PROXY", bare)],
        &[("HTTPS_PROXY", &url), ("ALL_PROXY", wrong), ("HTTP_PROXY", wrong)],
        &[("HTTPS_PROXY", &url), ("NO_PROXY", "other.test,10.0.0.0/8")],
    ];
    for (at, environment) in environments.iter().enumerate() {
        world.ask(HOST, None, environment).await.assert_both("ok");
        assert_eq!(world.proxy.hosts().len(), 2 * (at + 1), "{environment:?}");
    }
    assert!(world.proxy.hosts().iter().all(|host| host == "bitbucket.test:443"));
    for head in world.proxy.heads() {
        assert!(!head.to_ascii_lowercase().contains("authorization"), "{head}");
    }
    assert!(world.server.seen().iter().all(Seen::is_signed));
}

#[tokio::test]
async fn the_options_proxy_is_used_in_its_place() {
    let world = World::new(tunnel).await;
    let url = world.proxy.url();
    let unused = ProxyServer::start(Manner::Close).await;
    let environment = [("HTTPS_PROXY", unused.url()), ("ALL_PROXY", unused.url())];
    let environment = environment.each_ref().map(|(name, url)| (*name, url.as_str()));
    world.ask(HOST, Some(&url), &environment).await.assert_both("ok");
    assert_eq!(world.proxy.hosts().len(), 2);
    assert!(unused.heads().is_empty());
}

#[tokio::test]
async fn a_password_goes_to_the_proxy_only_and_is_written_nowhere() {
    let world = World::new(|server| Manner::Login(BASIC, server.address())).await;
    let address = world.proxy.address();
    let secrets = [
        "canary%40pass",
        "canary@pass",
        "ana:",
        "YW5hOmNhbmFyeUBwYXNz",
        support::TOKEN,
        REFRESH,
        CONSUMER,
        "new-access",
        "new-refresh",
    ];
    let good = format!("http://{LOGIN}@{address}");
    let found = world.ask(HOST, None, &[("HTTPS_PROXY", &good)]).await;
    found.assert_both("ok");
    // Crates do log that there is a proxy, so this looks where they would say more.
    assert!(found.all.contains(&address.to_string()), "{}", found.all);
    for head in world.proxy.heads() {
        assert_eq!(head.matches("uthorization").count(), 1, "{head}");
        assert!(head.contains(&format!("\r\nProxy-Authorization: {BASIC}\r\n")), "{head}");
    }
    let seen = world.server.seen();
    assert_eq!(seen.len(), 2);
    for request in &seen {
        assert!(!request.head.contains("proxy") && !request.head.contains(&BASIC.to_ascii_lowercase()));
    }

    // A wrong password: 407, and none of it in what is said about that.
    let wrong = format!("http://ana:canary-wrong@{address}");
    let refused = world.ask(HOST, None, &[("ALL_PROXY", &wrong)]).await;
    refused.assert_both(&offline(Outage::Proxy).sentence());
    // A proxy that is not there, and one with an odd name.
    let gone = format!("http://{LOGIN}@127.0.0.1:1");
    let gone = world.ask(HOST, None, &[("HTTPS_PROXY", &gone)]).await;
    gone.assert_both(&offline(Outage::Proxy).sentence());
    let odd = format!("http://{LOGIN}@{}.test:3128", "a".repeat(64));
    let odd = world.ask(HOST, None, &[("HTTPS_PROXY", &odd)]).await;
    odd.assert_both(&offline(Outage::Proxy).sentence());
    // The options' proxy does not get the environment's password.
    let before = world.proxy.heads().len();
    let plain = world.ask(HOST, Some(&world.proxy.url()), &[("HTTPS_PROXY", &good)]).await;
    plain.assert_both(&offline(Outage::Proxy).sentence());
    for head in &world.proxy.heads()[before..] {
        assert!(!head.contains("uthorization"), "{head}");
    }
    for found in [found, refused, gone, odd, plain] {
        for secret in secrets.iter().chain(&["canary-wrong", "YW5hOmNhbmFyeS13cm9uZw"]) {
            assert!(!found.all.contains(secret), "{secret} in {}", found.all);
        }
    }
}

#[tokio::test]
async fn no_proxy_is_respected() {
    let world = World::new(tunnel).await;
    let url = world.proxy.url();
    // Longer than any name in DNS, so that it is not even looked up where it is not left to the proxy.
    let unknown = format!("https://{}.test", "a".repeat(64));
    let name = unknown.trim_start_matches("https://").to_owned();
    for no_proxy in [".test", "test", "*", &name, "x.example, .test"] {
        for proxy in [None, Some(url.as_str())] {
            let environment = [("HTTPS_PROXY", url.as_str()), ("NO_PROXY", no_proxy)];
            let found = world.ask(&unknown, proxy, &environment).await;
            found.assert_both(&offline(Outage::Name).sentence());
        }
    }
    let found = world.ask(&unknown, None, &[("ALL_PROXY", &url), ("no_proxy", "*")]).await;
    found.assert_both(&offline(Outage::Name).sentence());
    assert!(world.proxy.heads().is_empty(), "{:?}", world.proxy.heads());
    world.ask(&unknown, None, &[("HTTPS_PROXY", &url), ("NO_PROXY", "other.test")]).await;
    assert_eq!(world.proxy.hosts().len(), 2);
    // A name that only ends alike is another name.
    let environment = [("HTTPS_PROXY", url.as_str()), ("NO_PROXY", "ket.test,bitbucket.test.example")];
    world.ask(HOST, None, &environment).await.assert_both("ok");
    assert_eq!(world.proxy.hosts().len(), 4);
}

/// An address that leads to this computer and is none of its own by name.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_no_proxy_names_is_reached_directly() {
    let world = World::new(tunnel).await;
    let url = world.proxy.url();
    let base = world.server.base("0.0.0.0");
    for proxy in [None, Some(url.as_str())] {
        for no_proxy in ["0.0.0.0", "0.0.0.0/8"] {
            let environment = [("HTTPS_PROXY", url.as_str()), ("NO_PROXY", no_proxy)];
            world.ask(&base, proxy, &environment).await.assert_both("ok");
        }
    }
    assert!(world.proxy.heads().is_empty(), "{:?}", world.proxy.heads());
    assert_eq!(world.server.seen().len(), 8);
    world.ask(&base, None, &[("HTTPS_PROXY", &url)]).await.assert_both("ok");
    assert_eq!(world.proxy.heads().len(), 2);
}

#[tokio::test]
async fn this_computers_own_addresses_never_go_to_the_environments_proxy() {
    let world = World::new(|_| Manner::Close).await;
    let url = world.proxy.url();
    let plain = support::Server::start(bitbucket).await;
    let mut environment = Vec::new();
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        environment.push((name, url.as_str()));
    }
    for base in [plain.base(), world.server.base("127.0.0.1"), world.server.base("localhost")] {
        world.ask(&base, None, &environment).await.assert_both("ok");
    }
    assert!(world.proxy.heads().is_empty(), "{:?}", world.proxy.heads());
}

#[tokio::test]
async fn a_proxy_of_another_kind_is_not_talked_into_it() {
    let world = World::new(|_| Manner::Close).await;
    for scheme in ["socks5", "socks5h", "socks4"] {
        let url = format!("{scheme}://{LOGIN}@{}", world.proxy.address());
        let found = world.ask(HOST, None, &[("ALL_PROXY", &url)]).await;
        found.assert_both(&offline(Outage::Proxy).sentence());
        assert!(!found.all.contains("canary@pass") && !found.all.contains("canary%40pass"), "{}", found.all);
    }
    assert!(world.proxy.after().iter().all(Vec::is_empty));
    assert!(world.server.seen().is_empty());
}
