//! Connections that fail: before anything left, it did not happen; afterwards nobody knows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bitbucket::WriteError::{Refused, Unknown};
use bitbucket::{Client, Error, Options, Origin, Outage};
use credentials::{Authorization, Secret};
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{self, Reply, Server, message, options};
use crate::{COMMENT, VERBS, Verb, outcome};

fn offline(outage: Outage) -> Error {
    Error::Offline { outage, retry_after: None }
}

fn client(base: &str, options: Options) -> Client {
    let origin = Origin::new(Some(&format!("{base}/2.0")), None).unwrap();
    Client::new(origin, Some(Authorization::Bearer(Secret::new(support::TOKEN.into()))), options)
}

#[tokio::test]
async fn a_request_without_an_answer_leaves_it_open_and_is_not_repeated() {
    let broken: [fn() -> Reply; 4] = [
        || Reply::Close,
        || Reply::Bytes(b"HTTP/1.1 200".to_vec()),
        || Reply::Bytes(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
        || Reply::Bytes(b"HTTP/1.1 201 X\r\nContent-Length: 500\r\n\r\n{\"id\":9".to_vec()),
    ];
    for reply in broken {
        for verb in VERBS {
            let (found, requests) = outcome(verb, options(), reply).await;
            assert_eq!((found, requests), (Err(Unknown(offline(Outage::BrokenOff))), 1), "{verb:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_leaves_it_open() {
    let short = || Options { total: Duration::from_millis(700), ..options() };
    let check = async |verb| {
        let silent = outcome(verb, short(), || Reply::Silence).await;
        assert_eq!(silent, (Err(Unknown(Error::Timeout)), 1), "{verb:?}");
    };
    join_all(VERBS.map(check)).await;
    // A body that stalls, in the time between two pieces and in all.
    let stalled = || {
        let whole = message(201, &[("Content-Type", "application/json")], COMMENT.as_bytes());
        let (first, rest) = whole.split_at(whole.len() - 10);
        Reply::Pieces(vec![first.to_vec(), rest.to_vec()], Duration::from_millis(1500))
    };
    let idle = Options { idle: Duration::from_millis(60), ..options() };
    for limits in [idle, Options { total: Duration::from_millis(1700), ..options() }] {
        assert_eq!(outcome(Verb::Comment, limits, stalled).await, (Err(Unknown(Error::Timeout)), 1));
    }
}

#[tokio::test]
async fn a_write_waits_longer_for_the_head_than_a_read() {
    let slow = || {
        let whole = message(201, &[("Content-Type", "application/json")], COMMENT.as_bytes());
        Reply::Pieces(vec![whole], Duration::from_millis(200))
    };
    let limits = Options { header: Duration::from_millis(50), ..options() };
    assert_eq!(outcome(Verb::Comment, limits, slow).await, (Ok(()), 1));
}

#[tokio::test]
async fn a_refusal_whose_text_breaks_off_is_a_refusal() {
    let cut = || Reply::Bytes(b"HTTP/1.1 404 X\r\nContent-Length: 500\r\n\r\n{\"type\":".to_vec());
    for verb in VERBS {
        assert_eq!(outcome(verb, options(), cut).await, (Err(Refused(Error::NotFound)), 1), "{verb:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_leaves_it_open() {
    let limits = || Options { body_limit: 1 << 10, ..options() };
    let large =
        || support::json(201, &format!(r#"{{"id":9,"content":{{"raw":"{}"}}}}"#, "x".repeat(1 << 10)));
    for verb in VERBS {
        let expected = Err(Unknown(Error::TooLarge { limit: 1 << 10 }));
        assert_eq!(outcome(verb, limits(), large).await, (expected, 1), "{verb:?}");
    }
}

/// An end of the body that only the closing of the connection shows may be no end: the digits of an id may go on.
#[tokio::test]
async fn a_body_of_no_told_length_must_be_whole() {
    for (body, is_whole) in
        [("{\"id\":9", false), ("{\"id\":9,\"content\":{\"raw\":\"x\"}", false), (COMMENT, true)]
    {
        let bytes = format!("HTTP/1.1 201 X\r\nContent-Type: application/json\r\n\r\n{body}").into_bytes();
        let (found, _) = outcome(Verb::Comment, options(), move || Reply::Bytes(bytes.clone())).await;
        assert_eq!(found.is_ok(), is_whole, "{body}: {found:?}");
        assert!(matches!(found, Ok(()) | Err(Unknown(_))), "{body}: {found:?}");
    }
}

#[tokio::test]
async fn without_a_connection_it_did_not_happen() {
    for verb in VERBS {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let found = verb.run(&client(&base, options())).await;
        assert_eq!(found, Err(Refused(offline(Outage::Connection))), "{verb:?}");
        // Longer than any name in DNS, so that no resolver is asked.
        let unknown = format!("https://{}.test", "a".repeat(64));
        let found = verb.run(&client(&unknown, options())).await;
        assert_eq!(found, Err(Refused(offline(Outage::Name))), "{verb:?}");
    }
}

#[tokio::test]
async fn a_certain_end_of_tls_before_the_request_is_one() {
    // Where plain HTTP is spoken, no handshake comes to an end.
    let server = Server::start(|_, _| support::json(201, COMMENT)).await;
    let base = server.base().replace("http://", "https://");
    let limits = Options { connect: Duration::from_millis(300), ..options() };
    let found = Verb::Comment.run(&client(&base, limits)).await;
    assert_eq!(found, Err(Refused(offline(Outage::Connection))));
    assert!(server.seen().is_empty());
}

/// A connection that was used before may be closed at any time by the other side, and then nobody would know what
/// became of a write on it.
#[tokio::test]
async fn each_write_has_a_connection_of_its_own() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                // Answers the first request and offers to stay; takes the second one and says nothing.
                let mut seen = Vec::new();
                while !seen.windows(4).any(|window| window == b"\r\n\r\n") {
                    seen.push(stream.read_u8().await.ok()?);
                }
                let head = format!(
                    "HTTP/1.1 201 X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{COMMENT}",
                    COMMENT.len()
                );
                // The request's body comes before, or with, the end of it.
                stream.write_all(head.as_bytes()).await.ok()?;
                while stream.read_u8().await.ok()? != b'P' {}
                Some(())
            });
        }
    });
    let client = client(&base, options());
    // A read leaves a connection behind.
    let _ = client.current_user().await;
    for _ in 0..3 {
        assert_eq!(Verb::Comment.run(&client).await, Ok(()));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 4);
    task.abort();
}
