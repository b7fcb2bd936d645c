//! Who signs a write: asked once before it, and once after a 401, which is a certain no.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bitbucket::WriteError::{Refused, Unknown};
use bitbucket::{Client, Error, Options, Origin, Signer};
use credentials::{Authorization, Secret};
use futures_util::future::{BoxFuture, pending};

use crate::support::{Reply, Server, json, options};
use crate::{VERBS, Verb};

fn bearer(token: &str) -> Authorization {
    Authorization::Bearer(Secret::new(token.into()))
}

/// Signs with `one`, then with what it is told; counts.
struct Scripted {
    first: Option<Result<Authorization, Error>>,
    instead: Mutex<Option<Result<Authorization, Error>>>,
    asked: AtomicUsize,
}

impl Scripted {
    fn new(first: Option<Result<&str, Error>>, instead: Result<&str, Error>) -> Arc<Self> {
        Arc::new(Self {
            first: first.map(|first| first.map(bearer)),
            instead: Mutex::new(Some(instead.map(bearer))),
            asked: AtomicUsize::new(0),
        })
    }
}

impl Signer for Scripted {
    fn sign(&self) -> BoxFuture<'_, Result<Authorization, Error>> {
        match self.first.clone() {
            Some(first) => Box::pin(async move { first }),
            None => Box::pin(pending()),
        }
    }

    fn instead_of<'a>(&'a self, refused: &'a Authorization) -> BoxFuture<'a, Result<Authorization, Error>> {
        assert!(refused.secret().same_as(&Secret::new("one".into())));
        self.asked.fetch_add(1, Ordering::SeqCst);
        let instead = self.instead.lock().unwrap().take().expect("asked once");
        Box::pin(async move { instead })
    }
}

fn client(server: &Server, signer: &Arc<Scripted>, options: Options) -> Client {
    let origin = Origin::new(Some(&format!("{}/2.0", server.base())), None).unwrap();
    Client::signed_by(origin, Arc::clone(signer) as Arc<dyn Signer>, options)
}

fn tokens(server: &Server) -> Vec<String> {
    let token = |head: String| {
        let rest = head.split("\r\nauthorization: bearer ").nth(1).unwrap_or_default().to_owned();
        rest.split("\r\n").next().unwrap_or_default().to_owned()
    };
    server.seen().into_iter().map(|seen| token(seen.head)).collect()
}

#[tokio::test]
async fn after_a_401_it_is_sent_once_more_with_another_token() {
    for verb in VERBS {
        let server =
            Server::start(move |_, index| if index == 0 { json(401, "{}") } else { verb.good() }).await;
        let signer = Scripted::new(Some(Ok("one")), Ok("two"));
        assert_eq!(verb.run(&client(&server, &signer, options())).await, Ok(()), "{verb:?}");
        assert_eq!(tokens(&server), ["one", "two"], "{verb:?}");
        let bodies: Vec<String> = server.seen().into_iter().map(|seen| seen.body).collect();
        assert_eq!(bodies[0], bodies[1], "{verb:?}");
    }
}

#[tokio::test]
async fn a_second_401_is_a_no_and_whatever_comes_second_counts() {
    let after: [(fn() -> Reply, _); 4] = [
        (|| json(401, "{}"), Refused(Error::Unauthorized { basic: false })),
        (|| json(404, "{}"), Refused(Error::NotFound)),
        (|| json(503, "{}"), Unknown(Error::Server { status: 503 })),
        (
            || json(201, "{}"),
            Unknown(Error::Unexpected { status: 201, what: "not the object that was written".into() }),
        ),
    ];
    for (second, expected) in after {
        let server = Server::start(move |_, index| if index == 0 { json(401, "{}") } else { second() }).await;
        let signer = Scripted::new(Some(Ok("one")), Ok("two"));
        assert_eq!(Verb::Comment.run(&client(&server, &signer, options())).await, Err(expected));
        assert_eq!(tokens(&server), ["one", "two"]);
        assert_eq!(signer.asked.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let ended = Error::NeedsLogin { sentence: "Sign in.".into() };
    for verb in VERBS {
        let server = Server::start(move |_, _| verb.good()).await;
        let signer = Scripted::new(Some(Err(ended.clone())), Ok("two"));
        let found = verb.run(&client(&server, &signer, options())).await;
        assert_eq!(found, Err(Refused(ended.clone())), "{verb:?}");
        let origin = Origin::new(Some(&format!("{}/2.0", server.base())), None).unwrap();
        let found = verb.run(&Client::new(origin, None, options())).await;
        assert_eq!(found, Err(Refused(Error::SignedOut)), "{verb:?}");
        // A signer that hangs is given up.
        let signer = Scripted::new(None, Ok("two"));
        let short = Options { total: Duration::from_millis(30), ..options() };
        assert_eq!(
            verb.run(&client(&server, &signer, short)).await,
            Err(Refused(Error::Timeout)),
            "{verb:?}"
        );
        assert!(server.seen().is_empty(), "{verb:?}");
    }
}

#[tokio::test]
async fn where_there_is_no_other_token_the_no_stands() {
    let server = Server::start(|_, _| json(401, "{}")).await;
    let later = Error::NoToken {
        sentence: "The keyring is locked.".into(),
        retry_after: Duration::from_secs(9),
        unreachable: false,
    };
    let signer = Scripted::new(Some(Ok("one")), Err(later.clone()));
    assert_eq!(Verb::Comment.run(&client(&server, &signer, options())).await, Err(Refused(later)));
    assert_eq!(server.seen().len(), 1);
}
