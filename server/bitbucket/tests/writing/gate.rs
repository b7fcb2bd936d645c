//! The gate and writes: a 429 is not waited out, and a closed gate is told at once.

use std::time::{Duration, Instant};

use bitbucket::WriteError::{Refused, Unknown};
use bitbucket::{Error, Options, Outage};

use crate::support::{Server, answer, json, options};
use crate::{COMMENT, VERBS, Verb};

#[tokio::test]
async fn a_429_is_a_no_and_is_not_waited_out() {
    for verb in VERBS {
        let server = Server::start(|_, _| answer(429, &[("Retry-After", "60")], b"Rate limit")).await;
        let client = server.client(Options::default());
        let start = Instant::now();
        for _ in 0..3 {
            let found = verb.run(&client).await;
            let Err(Refused(Error::RateLimited { retry_after })) = found else {
                panic!("{verb:?}: {found:?}");
            };
            assert!(retry_after > Duration::from_secs(50), "{retry_after:?}");
        }
        assert_eq!(server.seen().len(), 1, "{verb:?}: the gate is closed after the first");
        assert!(start.elapsed() < Duration::from_secs(10));
    }
    // Without a word how long, the time is the gate's own.
    let server = Server::start(|_, _| answer(429, &[], b"")).await;
    let found = Verb::Comment.run(&server.client(Options::default())).await;
    assert!(
        matches!(found, Err(Refused(Error::RateLimited { retry_after })) if retry_after > Duration::from_secs(5)),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_short_wait_is_waited() {
    let server = Server::start(|_, index| match index {
        0 => answer(429, &[("Retry-After", "1")], b""),
        _ => json(201, COMMENT),
    })
    .await;
    let window = Duration::from_millis(100);
    let client = server.client(Options { retry_after: (window, window), ..options() });
    assert!(matches!(Verb::Comment.run(&client).await, Err(Refused(Error::RateLimited { .. }))));
    assert_eq!(Verb::Comment.run(&client).await, Ok(()));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn failures_in_a_row_make_writes_rest_too() {
    let server = Server::start(|_, index| json(if index < 5 { 503 } else { 201 }, COMMENT)).await;
    let client = server.client(Options { first_rest: Duration::from_secs(100), ..options() });
    for _ in 0..5 {
        assert_eq!(Verb::Comment.run(&client).await, Err(Unknown(Error::Server { status: 503 })));
    }
    let start = Instant::now();
    for verb in VERBS {
        let resting = verb.run(&client).await;
        let is_resting =
            matches!(resting, Err(Refused(Error::Offline { outage: Outage::Resting, retry_after: Some(_) })));
        assert!(is_resting, "{verb:?}: {resting:?}");
    }
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(server.seen().len(), 5);
    client.reconnect();
    assert_eq!(Verb::Comment.run(&client).await, Ok(()));
    // Refusals are answers: they make nobody rest.
    let server = Server::start(|_, _| json(409, "{}")).await;
    let client = server.client(options());
    for _ in 0..12 {
        assert_eq!(Verb::Resolve.run(&client).await, Err(Refused(Error::Conflict)));
    }
    assert_eq!(server.seen().len(), 12);
}

/// Reads that hang have all places; a user's comment does not queue behind them.
#[tokio::test]
async fn a_write_goes_past_the_queue_of_reads() {
    let server = Server::start(|seen, _| match seen.head.starts_with("get ") {
        true => crate::support::Reply::Silence,
        false => json(201, COMMENT),
    })
    .await;
    let client = server.client(Options { side_by_side: 1, ..options() });
    let reading = tokio::spawn({
        let client = client.clone();
        async move { client.current_user().await }
    });
    while server.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(Verb::Comment.run(&client).await, Ok(()));
    reading.abort();
}
