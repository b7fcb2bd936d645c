//! The port is closed in every end, within a second.

use std::future::{pending, ready};
use std::time::{Duration, Instant};

use bitbucket::token_page::TokenPageError;

use crate::{FILLED, Tab, get, open, open_with, right_one, seen, short};

#[tokio::test]
async fn dropped() {
    let page = open().await;
    let tab = Tab::of(&page);
    drop(page);
    tab.is_closed("before anything").await;

    let page = open().await;
    let tab = Tab::of(&page);
    let posted = tab.posting(FILLED);
    right_one(&page).await;
    drop(page);
    let end = tab.follow(&posted.await.unwrap()).await;
    assert!(end.body().contains("given up"), "{}", end.0);
    tab.is_closed("while a browser waits").await;

    let page = open().await;
    let tab = Tab::of(&page);
    let posted = tab.posting(FILLED);
    right_one(&page).await;
    drop(page);
    tab.is_closed("while a browser waits that never comes for its page").await;
    assert_eq!(posted.await.unwrap().status(), 303);

    let page = open().await;
    let tab = Tab::of(&page);
    let mut flood = tokio::task::JoinSet::new();
    for _ in 0..60 {
        flood.spawn(get(tab.port, "/x"));
    }
    drop(page);
    tab.is_closed("in a flood").await;
    flood.join_all().await;
}

#[tokio::test]
async fn cancelled() {
    let page = open().await;
    let tab = Tab::of(&page);
    assert_eq!(page.wait(ready(())).await.err(), Some(TokenPageError::Cancelled));
    tab.is_closed("while waiting").await;
    assert_eq!(page.wait(pending()).await.err(), Some(TokenPageError::TimedOut), "nothing comes any more");
    page.again("Nobody reads this.");
    page.finish(Ok("Nobody reads this.")).await;

    let page = open().await;
    let tab = Tab::of(&page);
    let idle = tokio::net::TcpStream::connect(("127.0.0.1", tab.port)).await.unwrap();
    page.cancel().await;
    assert!(tokio::net::TcpListener::bind(("127.0.0.1", tab.port)).await.is_ok(), "closed by then");
    drop(idle);
}

#[tokio::test]
async fn timed_out() {
    let page = open_with(short(100, 5_000, 5_000)).await;
    let tab = Tab::of(&page);
    let idle = tokio::net::TcpStream::connect(("127.0.0.1", tab.port)).await.unwrap();
    assert_eq!(page.wait(pending()).await.err(), Some(TokenPageError::TimedOut));
    tab.is_closed("with a connection open").await;
    assert_eq!(tab.post(FILLED).await.0, "refused");
    drop(idle);

    // What comes in the last moment is checked at leisure, and the time counts anew afterwards.
    let page = open_with(short(300, 5_000, 5_000)).await;
    let tab = Tab::of(&page);
    let posted = tab.posting(FILLED);
    right_one(&page).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    page.again("No.");
    assert!(tab.follow(&posted.await.unwrap()).await.body().contains("No."));
    assert_eq!(page.wait(pending()).await.err(), Some(TokenPageError::TimedOut));
    tab.is_closed("after another form").await;

    // Who took a token and does not come back keeps no port open.
    let page = open_with(short(50, 5_000, 100)).await;
    let tab = Tab::of(&page);
    let posted = tab.posting(FILLED);
    right_one(&page).await;
    assert_eq!(page.wait(pending()).await.err(), Some(TokenPageError::TimedOut));
    tab.is_closed("while a token was checked").await;
    seen(posted.await.unwrap());
}

#[tokio::test]
async fn finished() {
    let page = open().await;
    let tab = Tab::of(&page);
    let posted = tab.posting(FILLED);
    right_one(&page).await;
    let start = Instant::now();
    page.finish(Ok("Done.")).await;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    tab.is_closed("the browser did not come for its page").await;
    assert_eq!(posted.await.unwrap().status(), 303);

    let page = open().await;
    let tab = Tab::of(&page);
    page.finish(Err("Nobody asked.")).await;
    tab.is_closed("before anything was sent").await;
}

#[tokio::test]
async fn errors_say_what_to_do() {
    for error in [TokenPageError::NoPort, TokenPageError::TimedOut, TokenPageError::Cancelled] {
        let sentence = error.to_string();
        assert!(sentence.ends_with('.') && sentence.len() > 20, "{sentence}");
    }
}
