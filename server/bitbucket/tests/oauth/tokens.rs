//! The token endpoint's answers, good and bad.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bitbucket::oauth::{TokenError, TokenReply, refresh};
use bitbucket::{Error, Options, Origin, Outage};
use credentials::Secret;

use crate::consumer;
use crate::support::{Reply, Server, answer, json, message};

const GOOD: &str = r#"{"access_token":"new-access","refresh_token":"new-refresh","expires_in":7200,"scope":"account pullrequest:write","token_type":"bearer"}"#;

fn origin(server: &Server) -> Origin {
    Origin::new(None, Some(&server.base())).unwrap()
}

async fn outcome(server: &Server, options: &Options) -> Result<TokenReply, TokenError> {
    let token = Secret::new("old-refresh&x=1".into());
    refresh(&origin(server), &consumer(), &token, options).await
}

/// Why there is no token, and that nobody asked twice.
async fn error(reply: impl Fn() -> Reply + Send + Sync + 'static) -> TokenError {
    let server = Server::start(move |_, _| reply()).await;
    let options = Options { total: Duration::from_secs(5), ..Options::default() };
    let error = outcome(&server, &options).await.err().unwrap();
    assert_eq!(server.seen().len(), 1, "{error}");
    error
}

fn same(secret: &Secret, text: &str) -> bool {
    secret.same_as(&Secret::new(text.into()))
}

#[tokio::test]
async fn a_refresh_is_one_form_to_the_web_host() {
    let server = Server::start(|_, _| json(200, GOOD)).await;
    let tokens = outcome(&server, &Options::default()).await.ok().unwrap();
    assert!(same(&tokens.access, "new-access"));
    assert!(same(tokens.refresh.as_ref().unwrap(), "new-refresh"));
    assert_eq!(tokens.expires_in, Some(7200));
    assert_eq!(tokens.scopes, ["account", "pullrequest:write"]);
    let seen = &server.seen()[0];
    assert_eq!(seen.target, "/site/oauth2/access_token");
    assert!(seen.head.starts_with("post "), "{}", seen.head);
    // Base64 of `key-1:secret-1`, in lower case like all of the head.
    assert!(seen.head.contains("\r\nauthorization: basic a2v5lte6c2vjcmv0lte=\r\n"), "{}", seen.head);
    assert!(seen.head.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n"));
    assert!(seen.head.contains("\r\naccept: application/json\r\n"));
    assert!(seen.head.contains(concat!("\r\nuser-agent: bitbucket-lsp/", env!("CARGO_PKG_VERSION"), "\r\n")));
    assert_eq!(seen.body, "grant_type=refresh_token&refresh_token=old-refresh%26x%3D1");
}

#[tokio::test]
async fn refusals_are_told_apart_from_passing_failures() {
    let refused = |status: u16, body: &'static str| error(move || json(status, body));
    assert_eq!(
        refused(400, r#"{"error":"invalid_grant","error_description":"Invalid refresh_token"}"#).await,
        TokenError::InvalidGrant
    );
    assert_eq!(refused(401, r#"{"error":"invalid_grant"}"#).await, TokenError::InvalidGrant);
    for (status, word) in [(400, "unauthorized_client"), (401, "invalid_client"), (401, "other")] {
        let body = format!(r#"{{"error":"{word}"}}"#);
        let found = error(move || json(status, &body)).await;
        assert_eq!(found, TokenError::InvalidConsumer, "{word}");
    }
    let found = refused(400, r#"{"error":"invalid_request"}"#).await;
    assert_eq!(found, TokenError::Refused { code: "invalid_request".into() });
    assert!(!found.is_passing() && found.sentence().contains("invalid_request"));
    for passing in [
        error(|| answer(429, &[("Retry-After", "7")], b"slow down")).await,
        error(|| json(503, "{}")).await,
        error(|| answer(500, &[("Content-Type", "text/html")], b"<html>")).await,
        error(|| answer(200, &[("Content-Type", "text/html")], b"<html>Sign in to the guest network</html>"))
            .await,
        error(|| answer(400, &[("Content-Type", "text/html")], b"<html>")).await,
        error(|| answer(401, &[("Content-Type", "text/html")], b"<html>")).await,
        error(|| answer(302, &[("Location", "http://127.0.0.1:1/evil")], b"")).await,
        error(|| answer(307, &[("Location", "/site/oauth2/access_token")], b"")).await,
        error(|| answer(407, &[], b"")).await,
        error(|| Reply::Close).await,
        error(|| {
            Reply::Bytes(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"acc"
                    .to_vec(),
            )
        })
        .await,
    ] {
        assert!(passing.is_passing(), "{passing:?}");
        assert!(matches!(passing, TokenError::Failed(_)), "{passing:?}");
    }
}

#[tokio::test]
async fn answers_without_a_usable_token_are_said_to_be_that() {
    for body in [
        "{}",
        "[]",
        "null",
        "\"new-access\"",
        "{\"access_token\":",
        r#"{"access_token":{"text":[1,2]},"refresh_token":{"text":[1,2]},"expires_in":"number 7200"}"#,
        r#"{"access_token":"a b"}"#,
        r#"{"access_token":"a","refresh_token":[]}"#,
        r#"{"error":"invalid_grant"}"#,
        "",
    ] {
        let found = error(move || json(200, body)).await;
        assert_eq!(found, TokenError::Unreadable, "{body}");
        assert!(found.is_passing() && !found.sentence().contains("new-access"));
    }
    // The type must say JSON: what else would answer here is no Bitbucket.
    let plain = error(|| answer(200, &[("Content-Type", "text/plain")], GOOD.as_bytes())).await;
    assert_eq!(plain, TokenError::Failed(Error::Portal));
    assert_eq!(error(|| answer(200, &[], GOOD.as_bytes())).await, TokenError::Failed(Error::Portal));
}

#[tokio::test]
async fn long_tokens_are_normal_and_longer_answers_are_not_read() {
    for (bytes, good) in
        [(2600, true), (6 << 10, true), (60 << 10, true), (100 << 10, false), (4 << 20, false)]
    {
        let body = GOOD.replace("new-access", &"x".repeat(bytes));
        let server = Server::start(move |_, _| json(200, &body)).await;
        let found = outcome(&server, &Options::default()).await;
        match found {
            Ok(tokens) => assert!(good && same(&tokens.access, &"x".repeat(bytes)), "{bytes}"),
            Err(error) => {
                assert!(!good, "{bytes}: {error}");
                assert_eq!(error, TokenError::TooLarge { limit: 64 << 10 });
                assert!(error.sentence().contains("64 KiB"));
            }
        }
    }
    // A small thing that gzip makes large.
    let bomb = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut encoder, &vec![b' '; 8 << 20]).unwrap();
        encoder.finish().unwrap()
    };
    let found = error(move || {
        answer(200, &[("Content-Type", "application/json"), ("Content-Encoding", "gzip")], &bomb)
    })
    .await;
    assert_eq!(found, TokenError::TooLarge { limit: 64 << 10 });
}

#[tokio::test]
async fn a_reply_without_a_refresh_token_is_a_reply() {
    let body = r#"{"access_token":"new-access","scopes":"account","expires_in":"60"}"#;
    let server = Server::start(move |_, _| json(200, body)).await;
    let tokens = outcome(&server, &Options::default()).await.ok().unwrap();
    assert!(tokens.refresh.is_none());
    assert_eq!((tokens.expires_in, tokens.scopes), (Some(60), vec!["account".to_owned()]));
}

#[tokio::test]
async fn who_does_not_answer_is_waited_for_until_the_deadline() {
    let options = Options { total: Duration::from_millis(300), ..Options::default() };
    let head = message(200, &[("Content-Type", "application/json")], GOOD.as_bytes());
    let trickle: Vec<Vec<u8>> = head.iter().map(|byte| vec![*byte]).collect();
    let silent = Server::start(|_, _| Reply::Silence).await;
    let slow = Server::start(move |_, _| Reply::Pieces(trickle.clone(), Duration::from_millis(40))).await;
    for server in [silent, slow] {
        let start = std::time::Instant::now();
        let found = outcome(&server, &options).await.err().unwrap();
        assert_eq!(found, TokenError::Failed(Error::Timeout));
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    }
    let nobody = Origin::new(None, Some("http://127.0.0.1:1")).unwrap();
    let token = Secret::new("old-refresh".into());
    let found = refresh(&nobody, &consumer(), &token, &options).await.err().unwrap();
    let offline = Error::Offline { outage: Outage::Connection, retry_after: None };
    assert_eq!(found, TokenError::Failed(offline));
}

#[tokio::test]
async fn logs_hold_no_secret() {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    for status in [200, 400] {
        let server = Server::start(move |_, _| json(status, GOOD)).await;
        drop(outcome(&server, &Options::default()).await);
    }
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("POST") && log.contains("/site/oauth2/access_token"), "{log}");
    for secret in ["new-access", "new-refresh", "old-refresh", "secret-1", "a2V5LTE6c2VjcmV0LTE"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
