//! Who signs requests is asked once before each and once after a refusal, never more.

mod support;

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bitbucket::{Client, Error, Options, Origin, Outage, Signer};
use credentials::{Authorization, Secret};
use futures_util::future::{BoxFuture, join_all};
use pull_request::model::{PullRequestId, RepositoryName};
use support::{Reply, Seen, Server, answer, json, options};

const USER: &str = r#"{"type":"user","uuid":"{u}","display_name":"Ana"}"#;

/// What a signer says.
#[derive(Clone)]
enum Says {
    Token(&'static str),
    Email(&'static str),
    Fails(Error),
    Hangs,
    /// A token, after a while.
    Late(&'static str, Duration),
}

/// Says what it is told to, and counts.
struct Scripted {
    signs: Says,
    instead: Mutex<VecDeque<Says>>,
    log: Mutex<Log>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Log {
    signed: usize,
    /// The headers that were refused.
    refused: Vec<String>,
}

impl Scripted {
    fn new(signs: Says, instead: impl IntoIterator<Item = Says>) -> Arc<Self> {
        let instead = Mutex::new(instead.into_iter().collect());
        Arc::new(Self { signs, instead, log: Mutex::default() })
    }

    fn log(&self) -> Log {
        self.log.lock().unwrap().clone()
    }

    /// Signed once, and asked so often for another token.
    fn assert_asked(&self, refused: &[&str]) {
        let refused = refused.iter().map(|header| (*header).to_owned()).collect();
        assert_eq!(self.log(), Log { signed: 1, refused });
    }
}

async fn say(says: Says) -> Result<Authorization, Error> {
    let bearer = |token: &str| Authorization::Bearer(Secret::new(token.into()));
    match says {
        Says::Token(token) => Ok(bearer(token)),
        Says::Email(token) => {
            Ok(Authorization::Basic { user: "ana@x.test".into(), password: Secret::new(token.into()) })
        }
        Says::Fails(error) => Err(error),
        Says::Hangs => pending().await,
        Says::Late(token, wait) => {
            tokio::time::sleep(wait).await;
            Ok(bearer(token))
        }
    }
}

impl Signer for Scripted {
    fn sign(&self) -> BoxFuture<'_, Result<Authorization, Error>> {
        self.log.lock().unwrap().signed += 1;
        Box::pin(say(self.signs.clone()))
    }

    fn instead_of<'a>(&'a self, refused: &'a Authorization) -> BoxFuture<'a, Result<Authorization, Error>> {
        let header = match refused {
            Authorization::Bearer(_) => "bearer",
            Authorization::Basic { .. } => "basic",
        };
        let known = ["one", "two"].into_iter().find(|text| {
            let text = Secret::new((*text).to_owned());
            refused.secret().same_as(&text)
        });
        self.log.lock().unwrap().refused.push(format!("{header} {}", known.unwrap_or("other")));
        let says = self.instead.lock().unwrap().pop_front();
        Box::pin(say(says.unwrap_or(Says::Fails(Error::Unauthorized { basic: false }))))
    }
}

fn client(server: &Server, signer: &Arc<Scripted>, options: Options) -> Client {
    let origin = Origin::new(Some(&format!("{}/2.0", server.base())), None).unwrap();
    Client::signed_by(origin, Arc::clone(signer) as Arc<dyn Signer>, options)
}

/// The tokens of the requests, in order.
fn tokens(server: &Server) -> Vec<String> {
    let token = |seen: &Seen| {
        let header = seen.head.split("\r\nauthorization: bearer ").nth(1).unwrap_or_default();
        header.split("\r\n").next().unwrap_or_default().to_owned()
    };
    server.seen().iter().map(token).collect()
}

/// Takes the token `two` only.
fn takes_two(seen: &Seen, _: usize) -> Reply {
    json(if seen.head.contains("bearer two\r\n") { 200 } else { 401 }, USER)
}

fn needs_login() -> Error {
    Error::NeedsLogin { sentence: "Sign in; again.".into() }
}

fn no_token() -> Error {
    Error::NoToken {
        sentence: "The keyring is locked; unlock it.".into(),
        retry_after: Duration::from_secs(9),
        unreachable: false,
    }
}

#[tokio::test]
async fn after_a_401_it_is_sent_once_more_with_the_other_token() {
    let server = Server::start(takes_two).await;
    let signer = Scripted::new(Says::Token("one"), [Says::Token("two"), Says::Token("two")]);
    let client = client(&server, &signer, options());
    assert!(client.current_user().await.is_ok());
    assert_eq!(tokens(&server), ["one", "two"]);
    signer.assert_asked(&["bearer one"]);
    assert_eq!(client.budget().spent_last_hour, 2, "both count");
    let seen = server.seen();
    assert_eq!(seen[0].target, seen[1].target);
    // The next request asks anew: what was good a moment ago is the signer's to know.
    assert!(client.current_user().await.is_ok());
    assert_eq!(signer.log(), Log { signed: 2, refused: vec!["bearer one".into(); 2] });
    assert_eq!(client.budget().spent_last_hour, 4);
}

#[tokio::test]
async fn a_second_401_is_the_end() {
    let server = Server::start(|_, _| json(401, "{}")).await;
    for (other, basic) in [(Says::Token("two"), false), (Says::Email("two"), true)] {
        let before = server.seen().len();
        let signer = Scripted::new(Says::Token("one"), [other, Says::Token("three")]);
        let client = client(&server, &signer, options());
        assert_eq!(client.current_user().await, Err(Error::Unauthorized { basic }));
        assert_eq!(server.seen().len() - before, 2, "never a third");
        signer.assert_asked(&["bearer one"]);
        assert_eq!(client.budget().spent_last_hour, 2);
    }
    // An API token is refused as one.
    let signer = Scripted::new(Says::Email("one"), [Says::Fails(Error::Unauthorized { basic: true })]);
    let client = client(&server, &signer, options());
    assert_eq!(client.current_user().await, Err(Error::Unauthorized { basic: true }));
    signer.assert_asked(&["basic one"]);
}

#[tokio::test]
async fn nothing_but_a_401_asks_for_another_token() {
    for status in [400, 402, 403, 404, 407, 410, 418, 429, 500, 502, 503, 511, 555] {
        let server = Server::start(move |_, _| answer(status, &[("Retry-After", "0")], b"{}")).await;
        let signer = Scripted::new(Says::Token("one"), [Says::Token("two")]);
        let options = Options { total: Duration::from_millis(300), ..options() };
        assert!(client(&server, &signer, options).current_user().await.is_err(), "{status}");
        signer.assert_asked(&[]);
        assert!(tokens(&server).iter().all(|token| token == "one"), "{status}");
    }
    for reply in [|| Reply::Close, || Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec())]
    {
        let server = Server::start(move |_, _| reply()).await;
        let signer = Scripted::new(Says::Token("one"), [Says::Token("two")]);
        let found = client(&server, &signer, options()).current_user().await;
        assert_eq!(found, Err(Error::Offline { outage: Outage::BrokenOff, retry_after: None }));
        signer.assert_asked(&[]);
    }
    let server = Server::start(|_, _| answer(302, &[("Location", "http://127.0.0.1:1/401")], b"")).await;
    let signer = Scripted::new(Says::Token("one"), [Says::Token("two")]);
    assert_eq!(client(&server, &signer, options()).current_user().await, Err(Error::Portal));
    signer.assert_asked(&[]);
}

#[tokio::test]
async fn a_signer_that_fails_is_passed_on_and_nothing_is_sent() {
    let server = Server::start(|_, _| json(200, USER)).await;
    for error in [needs_login(), no_token(), Error::SignedOut] {
        let signer = Scripted::new(Says::Fails(error.clone()), [Says::Token("two")]);
        let client = client(&server, &signer, options());
        let repository = RepositoryName::new("team", "app").unwrap();
        assert_eq!(client.current_user().await, Err(error.clone()));
        assert_eq!(client.comments(&repository, PullRequestId(1), None).await.err(), Some(error.clone()));
        assert_eq!(client.diff_of(&repository, "a31d1b70c972", "").await, Err(error));
        assert_eq!(signer.log(), Log { signed: 3, refused: vec![] });
        assert_eq!(client.budget().spent_last_hour, 0);
    }
    assert!(server.seen().is_empty());
    // What no header can hold is no reason to send without one, and another token may do.
    let signer = Scripted::new(Says::Token("a\nb"), [Says::Token("one")]);
    assert!(client(&server, &signer, options()).current_user().await.is_ok());
    assert_eq!(tokens(&server), ["one"]);
    let signer = Scripted::new(Says::Token("a\nb"), []);
    let found = client(&server, &signer, options()).current_user().await;
    assert_eq!(found, Err(Error::Unauthorized { basic: false }));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_signer_that_fails_after_a_401_says_why() {
    let server = Server::start(takes_two).await;
    for error in [needs_login(), no_token(), Error::Unauthorized { basic: false }] {
        let before = server.seen().len();
        let signer = Scripted::new(Says::Token("one"), [Says::Fails(error.clone())]);
        assert_eq!(client(&server, &signer, options()).current_user().await, Err(error));
        assert_eq!(server.seen().len() - before, 1);
        signer.assert_asked(&["bearer one"]);
    }
}

#[tokio::test]
async fn a_signer_that_hangs_ends_at_the_deadline() {
    let server = Server::start(takes_two).await;
    let short = || Options { total: Duration::from_millis(150), ..options() };
    for (signs, instead, sent) in [
        (Says::Hangs, Says::Token("two"), 0),
        (Says::Late("two", Duration::from_secs(9)), Says::Hangs, 0),
        (Says::Token("one"), Says::Hangs, 1),
        (Says::Token("one"), Says::Late("two", Duration::from_secs(9)), 1),
    ] {
        let before = server.seen().len();
        let signer = Scripted::new(signs, [instead]);
        let client = client(&server, &signer, short());
        let start = Instant::now();
        assert_eq!(client.current_user().await, Err(Error::Timeout));
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(140) && took < Duration::from_secs(3), "{took:?}");
        assert_eq!(server.seen().len() - before, sent);
        assert_eq!(client.budget().spent_last_hour as usize, sent);
    }
    // One that takes its time is waited for.
    let wait = Duration::from_millis(30);
    let signer = Scripted::new(Says::Late("one", wait), [Says::Late("two", wait)]);
    assert!(client(&server, &signer, options()).current_user().await.is_ok());
}

#[tokio::test]
async fn one_that_waits_for_a_token_holds_up_no_other() {
    let server = Server::start(takes_two).await;
    // One place, and who waits for another token does not keep it.
    let narrow = Options { side_by_side: 1, total: Duration::from_secs(5), ..options() };
    let signer = Scripted::new(Says::Token("one"), [Says::Hangs, Says::Token("two")]);
    let client = client(&server, &signer, narrow);
    let stuck = client.current_user();
    tokio::pin!(stuck);
    tokio::select! {
        found = &mut stuck => panic!("{found:?}"),
        () = async { while signer.log().refused.is_empty() { tokio::time::sleep(Duration::from_millis(1)).await } } => {}
    }
    assert!(client.current_user().await.is_ok());
}

#[tokio::test]
async fn twenty_side_by_side_ask_once_each() {
    let server = Server::start(takes_two).await;
    let late = Says::Late("two", Duration::from_millis(5));
    let signer = Scripted::new(Says::Token("one"), vec![late; 40]);
    let client = client(&server, &signer, options());
    for found in join_all((0..20).map(|_| client.current_user())).await {
        assert!(found.is_ok(), "{found:?}");
    }
    assert_eq!(signer.log(), Log { signed: 20, refused: vec!["bearer one".into(); 20] });
    let sent = tokens(&server);
    assert_eq!(sent.iter().filter(|token| *token == "one").count(), 20);
    assert_eq!(sent.len(), 40);
    assert_eq!(client.budget().spent_last_hour, 40);

    // Where the other token is no better, that is it.
    let server = Server::start(|_, _| json(401, "{}")).await;
    let signer = Scripted::new(Says::Token("one"), vec![Says::Token("two"); 40]);
    let client = self::client(&server, &signer, options());
    for found in join_all((0..20).map(|_| client.current_user())).await {
        assert_eq!(found, Err(Error::Unauthorized { basic: false }));
    }
    assert_eq!((server.seen().len(), signer.log().refused.len()), (40, 20));
}

#[tokio::test]
async fn a_401_amid_other_trouble_is_still_met_once() {
    let trouble: [(&[u16], Result<(), Error>); 6] = [
        (&[500, 401, 200], Ok(())),
        (&[401, 503, 200], Ok(())),
        (&[401, 429, 200], Ok(())),
        (&[429, 401, 429, 200], Ok(())),
        (&[401, 500, 401], Err(Error::Unauthorized { basic: false })),
        (&[500, 401, 502, 503], Err(Error::Server { status: 503 })),
    ];
    for (statuses, expected) in trouble {
        let server = Server::start(|_, index| {
            answer(
                statuses[index],
                &[("Content-Type", "application/json"), ("Retry-After", "0")],
                USER.as_bytes(),
            )
        })
        .await;
        let signer = Scripted::new(Says::Token("one"), [Says::Token("two"), Says::Token("three")]);
        let client = client(&server, &signer, options());
        assert_eq!(client.current_user().await.map(drop), expected, "{statuses:?}");
        assert_eq!(server.seen().len(), statuses.len(), "{statuses:?}");
        signer.assert_asked(&["bearer one"]);
        let refused = statuses.iter().position(|status| *status == 401).unwrap();
        for (at, token) in tokens(&server).iter().enumerate() {
            assert_eq!(token, if at <= refused { "one" } else { "two" }, "{statuses:?}");
        }
        assert_eq!(client.budget().spent_last_hour as usize, statuses.len());
    }
}

#[tokio::test]
async fn each_page_of_a_list_may_meet_one() {
    let server = Server::start(|seen, index| {
        let base = seen.head.split("\r\nhost: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        let next = format!("http://{}{}&page=2", base.unwrap(), seen.target);
        match (seen.page(), index % 2) {
            (_, 0) => json(401, "{}"),
            (1, _) => json(200, &format!(r#"{{"values":[],"page":1,"next":"{next}"}}"#)),
            _ => json(200, r#"{"values":[],"page":2}"#),
        }
    })
    .await;
    let signer = Scripted::new(Says::Token("one"), [Says::Token("two"), Says::Token("two")]);
    let client = client(&server, &signer, options());
    let repository = RepositoryName::new("team", "app").unwrap();
    client.statuses(&repository, PullRequestId(7)).await.unwrap();
    assert_eq!(tokens(&server), ["one", "two", "one", "two"]);
    assert_eq!(signer.log().signed, 2);
}
