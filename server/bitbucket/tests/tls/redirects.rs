//! Files that lie elsewhere than the API: who serves them learns no token, and has no say about the account.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bitbucket::{Client, Error, Options, Proxy, Signer};
use credentials::{Authorization, Secret};
use futures_util::future::{BoxFuture, ready};
use pull_request::model::{CommitHash, RepositoryName};

use crate::authority::Authority;
use crate::proxy::{Manner, ProxyServer};
use crate::server::TlsServer;
use crate::support::{Reply, Seen, TOKEN, answer, json};
use crate::{USER, origin, trusting};

const FILE: &str = "https://files.storage.test/x?signature=1";

/// Counts how often it is asked for another token.
struct Counting(AtomicUsize);

impl Signer for Counting {
    fn sign(&self) -> BoxFuture<'_, Result<Authorization, Error>> {
        Box::pin(ready(Ok(Authorization::Bearer(Secret::new(TOKEN.into())))))
    }

    fn instead_of<'a>(&'a self, _: &'a Authorization) -> BoxFuture<'a, Result<Authorization, Error>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        self.sign()
    }
}

/// An API that sends files elsewhere, and what elsewhere answers, behind one proxy.
struct World {
    _proxy: ProxyServer,
    server: TlsServer,
    client: Client,
    signer: Arc<Counting>,
}

impl World {
    async fn new(elsewhere: impl Fn() -> Reply + Send + Sync + 'static) -> Self {
        let ours = Authority::new("ours");
        let identity = ours.certify(&["bitbucket.test", "files.storage.test"]);
        let server = TlsServer::start(&identity, move |seen, _| match seen.target.as_str() {
            "/x?signature=1" => elsewhere(),
            "/2.0/user" => json(200, USER),
            _ => answer(302, &[("Location", FILE)], b""),
        })
        .await;
        let proxy = ProxyServer::start(Manner::Tunnel(server.address())).await;
        let options = Options { proxy: Some(Proxy::of(&proxy.url()).unwrap()), ..trusting(&ours.pem()) };
        let signer = Arc::new(Counting(AtomicUsize::new(0)));
        let client = Client::signed_by(origin("https://bitbucket.test"), Arc::clone(&signer) as _, options);
        Self { _proxy: proxy, server, client, signer }
    }

    async fn file(&self) -> Result<Vec<u8>, Error> {
        let repository = RepositoryName::new("team", "app").unwrap();
        self.client.file_at(&repository, &CommitHash::parse("a31d1b70c972").unwrap(), "x").await
    }

    /// Nothing that elsewhere says is taken for the API's word.
    async fn assert_unmoved(&self) {
        assert_eq!(self.signer.0.load(Ordering::Relaxed), 0, "asked for another token");
        assert_eq!(self.client.budget().waiting, None, "the gate is closed");
        assert_eq!(self.client.budget().limit, 1000);
        assert!(self.client.current_user().await.is_ok());
        assert_eq!(self.client.granted_scopes(), None);
        let elsewhere: Vec<Seen> =
            self.server.seen().into_iter().filter(|seen| seen.head.contains("files.storage.test")).collect();
        assert!(!elsewhere.is_empty() && elsewhere.iter().all(|seen| !seen.is_signed()), "{elsewhere:?}");
    }
}

#[tokio::test]
async fn a_file_is_fetched_from_elsewhere_without_the_token() {
    let world = World::new(|| {
        let headers = [("X-RateLimit-Limit", "3"), ("X-OAuth-Scopes", "account")];
        answer(200, &headers, b"text")
    })
    .await;
    assert_eq!(world.file().await, Ok(b"text".to_vec()));
    assert!(world.server.seen()[0].is_signed());
    assert_eq!(world.client.budget().spent_last_hour, 1);
    world.assert_unmoved().await;
}

#[tokio::test]
async fn what_elsewhere_refuses_is_no_word_about_the_account() {
    for status in [400, 401, 403, 418, 429] {
        let world = World::new(move || {
            let headers = [
                ("Retry-After", "200"),
                ("X-OAuth-Scopes", "account"),
                ("X-Accepted-OAuth-Scopes", "repository"),
            ];
            answer(status, &headers, b"{}")
        })
        .await;
        let found = world.file().await;
        assert!(
            matches!(&found, Err(Error::Unexpected { status: told, .. }) if *told == status),
            "{found:?}"
        );
        assert_eq!(world.server.seen().len(), 2, "{status}");
        world.assert_unmoved().await;
    }
    let world = World::new(|| answer(404, &[], b"")).await;
    assert_eq!(world.file().await, Err(Error::NotFound));
    world.assert_unmoved().await;
    // Its own trouble may pass.
    let world = World::new(|| answer(503, &[], b"")).await;
    assert_eq!(world.file().await, Err(Error::Server { status: 503 }));
    world.assert_unmoved().await;
}
