//! TLS and proxies, over real sockets on loopback: which certificates are trusted, which way requests take, and
//! what is said when neither works.

#![allow(missing_docs, reason = "tests")]

mod authority;
mod certificates;
mod child;
mod environment;
mod no_way_around;
mod proxies;
mod proxy;
mod redirects;
mod roots;
mod server;
#[path = "../support/mod.rs"]
mod support;
mod writes;

use bitbucket::oauth::{Consumer, TokenError, TokenReply, refresh};
use bitbucket::{Certificates, Client, Error, Options, Origin, Outage};
use credentials::{Authorization, Secret};

/// What the token endpoint must be shown, and nobody else.
const REFRESH: &str = "canary-refresh-91aa";
const CONSUMER: &str = "canary-consumer-77d0";
const USER: &str = r#"{"type":"user","uuid":"{u}","display_name":"Ana"}"#;
const GOOD: &str =
    r#"{"access_token":"new-access","refresh_token":"new-refresh","expires_in":7200,"scope":"account"}"#;

/// A Bitbucket that answers `/2.0/user` and the token endpoint.
fn bitbucket(seen: &support::Seen, _: usize) -> support::Reply {
    match seen.target.as_str() {
        "/2.0/user" => support::json(200, USER),
        "/site/oauth2/access_token" => support::json(200, GOOD),
        _ => support::json(404, "{}"),
    }
}

/// API and web at one place, `https://host:port`.
fn origin(base: &str) -> Origin {
    Origin::new(Some(&format!("{base}/2.0")), Some(base)).unwrap()
}

fn client(base: &str, options: &Options) -> Client {
    let token = Authorization::Bearer(Secret::new(support::TOKEN.into()));
    Client::new(origin(base), Some(token), options.clone())
}

/// `GET /2.0/user`.
async fn user(base: &str, options: &Options) -> Result<String, Error> {
    client(base, options).current_user().await.map(|user| user.display_name)
}

/// A refresh.
async fn token(base: &str, options: &Options) -> Result<TokenReply, TokenError> {
    let consumer = Consumer::new("key-1", Secret::new(CONSUMER.into()), &[0]).ok().unwrap();
    refresh(&origin(base), &consumer, &Secret::new(REFRESH.into()), options).await
}

/// The test's limits, and certificates to trust beside the system's.
fn trusting(pem: &str) -> Options {
    Options { certificates: Some(Certificates::of(pem.as_bytes()).unwrap()), ..support::options() }
}

fn offline(outage: Outage) -> Error {
    Error::Offline { outage, retry_after: None }
}

/// Both kinds of request fail alike, and tokens outlive it.
async fn assert_both_fail(base: &str, options: &Options, outage: Outage) {
    assert_eq!(user(base, options).await, Err(offline(outage)), "{base}");
    let error = token(base, options).await.err().unwrap();
    assert_eq!(error, TokenError::Failed(offline(outage)), "{base}");
    assert!(error.is_passing(), "a login must not end for this: {error}");
}

async fn assert_both_work(base: &str, options: &Options) {
    assert_eq!(user(base, options).await, Ok("Ana".into()), "{base}");
    let reply = token(base, options).await.unwrap_or_else(|error| panic!("{base}: {error}"));
    assert!(reply.access.same_as(&Secret::new("new-access".into())));
}
