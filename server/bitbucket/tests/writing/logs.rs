//! What writes leave in logs.

use std::sync::{Arc, Mutex};

use crate::support::{self, Reply, Server, options};
use crate::{COMMENT, Verb};

/// Everything that is logged, at the finest level, by all crates.
#[tokio::test]
async fn logs_hold_no_token_and_no_text() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone());
    let guard = tracing::subscriber::set_default(subscriber.finish());
    let server = Server::start(|_, index| match index {
        0 => support::json(400, r#"{"error":{"message":"557058","fields":{"content":["557058"]}}}"#),
        1 => Reply::Close,
        _ => support::json(201, COMMENT),
    })
    .await;
    let client = server.client(options());
    for _ in 0..3 {
        let _ = Verb::Comment.run(&client).await;
    }
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for said in
        ["method=POST path=\"/2.0/repositories/team/app/pullrequests/7/comments\" status=400", "status=201"]
    {
        assert!(log.contains(said), "{said}: {log}");
    }
    assert!(log.contains("unknown: offline"), "{log}");
    for secret in [support::TOKEN, "557058", "uthorization"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        std::io::Write::write(&mut *self.0.lock().unwrap(), bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
