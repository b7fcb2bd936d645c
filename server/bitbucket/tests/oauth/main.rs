//! Signing in: the loopback listener under attack, the token endpoint's answers, and the whole way against a
//! simulated Bitbucket.

#![allow(missing_docs, reason = "tests")]

mod browser;
mod callbacks;
mod check;
mod flow;
mod listener;
#[path = "../support/mod.rs"]
mod support;
mod tokens;

use std::time::Duration;

use bitbucket::Origin;
use bitbucket::oauth::{Consumer, Login, LoginOptions};
use credentials::Secret;

/// A consumer whose port the system chooses.
fn consumer() -> Consumer {
    on(&[0])
}

fn on(ports: &[u16]) -> Consumer {
    Consumer::new("key-1", Secret::new("secret-1".into()), ports).ok().unwrap()
}

/// A sign-in at Bitbucket, whose browser is the test.
async fn begin() -> Login {
    begin_with(LoginOptions::default()).await
}

async fn begin_with(options: LoginOptions) -> Login {
    Login::begin(consumer(), Origin::default(), options).await.ok().unwrap()
}

/// Waits until a port can be bound; how long that took is at most a second.
async fn is_free(port: u16) -> bool {
    let start = tokio::time::Instant::now();
    while tokio::net::TcpListener::bind(("127.0.0.1", port)).await.is_err() {
        if start.elapsed() > Duration::from_secs(1) {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    true
}
