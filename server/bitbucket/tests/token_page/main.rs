//! The page that takes a token: the form under attack, the whole way of a browser, and that the port is closed in
//! every end.

#![allow(missing_docs, reason = "tests")]

#[path = "../oauth/browser.rs"]
#[allow(dead_code, reason = "the rest of it is for signing in")]
mod browser;
mod ends;
mod journey;
#[cfg(target_os = "linux")]
mod memory;
mod requests;

use std::time::Duration;

use bitbucket::token_page::{Submitted, TokenPage, TokenPageOptions};
use credentials::Secret;
use tokio::net::TcpStream;
use tokio::time::Instant;

use browser::{Reply, get, send};

/// The token that no answer may hold.
const TOKEN: &str = "ATATT3-c4nary";

/// What a browser sends when the form is filled in rightly.
const FILLED: &str = "email=ana%40shop.test&token=ATATT3-c4nary";

async fn open() -> TokenPage {
    open_with(TokenPageOptions::default()).await
}

async fn open_with(options: TokenPageOptions) -> TokenPage {
    TokenPage::open(options).await.ok().unwrap()
}

/// A page whose times are short enough to wait for.
fn short(timeout: u64, read: u64, hold: u64) -> TokenPageOptions {
    let [timeout, read, hold] = [timeout, read, hold].map(Duration::from_millis);
    TokenPageOptions { timeout, read, hold, ..TokenPageOptions::default() }
}

/// A browser that was given the address of a page.
#[derive(Clone)]
struct Tab {
    port: u16,
    path: String,
}

impl Tab {
    fn of(page: &TokenPage) -> Self {
        Self { port: page.url().port().unwrap(), path: page.url().path().to_owned() }
    }

    /// What the browser sends for the form.
    fn request(&self, body: &str) -> String {
        let Self { port, path } = self;
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n\
             Referer: http://127.0.0.1:{port}{path}\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\
             Connection: keep-alive\r\n\r\n{body}"
        )
    }

    async fn post(&self, body: &str) -> Reply {
        seen(send(self.port, self.request(body).as_bytes()).await)
    }

    /// Sends the form while the test goes on.
    fn posting(&self, body: &'static str) -> tokio::task::JoinHandle<Reply> {
        let tab = self.clone();
        tokio::spawn(async move { tab.post(body).await })
    }

    async fn get(&self) -> Reply {
        seen(get(self.port, &self.path).await)
    }

    /// Goes where a reply sends the browser to.
    async fn follow(&self, reply: &Reply) -> Reply {
        assert_eq!(reply.status(), 303, "{}", reply.0);
        seen(get(self.port, reply.header("location").unwrap()).await)
    }

    /// Waits until nobody listens at the port.
    async fn is_closed(&self, when: &str) {
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
            assert!(start.elapsed() < Duration::from_secs(1), "open for too long: {when}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A reply that was looked at: no reply ever holds the token.
fn seen(reply: Reply) -> Reply {
    assert!(!reply.0.contains("c4nary"), "{}", reply.0);
    reply
}

/// Waits for the right form.
async fn right_one(page: &TokenPage) -> Submitted {
    let submitted = page.wait(std::future::pending()).await.ok().unwrap();
    assert_eq!(submitted.email.as_deref(), Some("ana@shop.test"));
    assert!(submitted.token.same_as(&Secret::new(TOKEN.into())));
    submitted
}

/// Whether something takes longer than a moment.
async fn is_held<T>(reply: &mut tokio::task::JoinHandle<T>) -> bool {
    tokio::time::timeout(Duration::from_millis(150), reply).await.is_err()
}
