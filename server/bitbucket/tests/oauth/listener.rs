//! The port: when it opens, what it shows, and that it is closed in every end.

use std::future::{pending, ready};
use std::time::{Duration, Instant};

use bitbucket::Origin;
use bitbucket::oauth::{Login, LoginError, LoginOptions};

use crate::browser::{Reply, get, granted, request, send, state};
use crate::{begin, begin_with, is_free, on};

fn short(timeout: Duration) -> LoginOptions {
    LoginOptions { timeout, ..LoginOptions::default() }
}

/// Where a browser goes on after the callback.
fn next(reply: &Reply) -> String {
    assert_eq!(reply.status(), 302, "{}", reply.0);
    reply.header("location").unwrap().to_owned()
}

#[tokio::test]
async fn the_address_for_the_browser_says_all_that_bitbucket_wants() {
    let login = Login::begin(on(&[0]), Origin::default(), LoginOptions::default()).await.ok().unwrap();
    let url = login.authorize_url();
    assert!(url.as_str().starts_with("https://bitbucket.org/site/oauth2/authorize?"), "{url}");
    let query = url.query().unwrap();
    assert!(query.contains("scope=account%20pullrequest%3Awrite"), "{query}");
    assert!(!query.contains('+') && !query.contains(' '), "{query}");
    let pair =
        |name: &str| url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned());
    assert_eq!(pair("client_id").as_deref(), Some("key-1"));
    assert_eq!(pair("response_type").as_deref(), Some("code"));
    assert_eq!(pair("redirect_uri"), Some(format!("http://127.0.0.1:{}/callback", login.port())));
    assert_eq!(pair("code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(pair("code_challenge").unwrap().len(), 43);
    assert_eq!(pair("state").unwrap().len(), 43);
    assert!(!url.as_str().contains("secret-1"));
    let other =
        begin_with(LoginOptions { reach: bitbucket::Reach::ReviewOnly, ..LoginOptions::default() }).await;
    let scope = other.authorize_url().query_pairs().find(|(name, _)| name == "scope").unwrap().1.into_owned();
    assert_eq!(scope, "account pullrequest");
    assert_ne!(state(&login), state(&other));
}

#[tokio::test]
async fn only_this_computer_reaches_the_port() {
    let login = begin().await;
    // Another loopback address stands for another network card.
    assert!(tokio::net::TcpStream::connect(("127.0.0.2", login.port())).await.is_err());
    assert!(tokio::net::TcpStream::connect(("::1", login.port())).await.is_err());
    assert!(tokio::net::TcpStream::connect(("127.0.0.1", login.port())).await.is_ok());
}

#[tokio::test]
async fn a_busy_port_is_said_within_a_second() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let start = Instant::now();
    let error = Login::begin(on(&[port]), Origin::default(), LoginOptions::default()).await.err().unwrap();
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(error, LoginError::PortBusy { ports: vec![port] });
    let sentence = error.sentence();
    assert!(sentence.contains(&port.to_string()), "{sentence}");
    for way_out in ["try again", "another port", "API token"] {
        assert!(sentence.contains(way_out), "{sentence}");
    }
    // An alternative that is registered is taken instead.
    let login = Login::begin(on(&[port, 0]), Origin::default(), LoginOptions::default()).await.ok().unwrap();
    assert_ne!(login.port(), port);
    assert!(login.redirect_url().contains(&login.port().to_string()));
}

#[tokio::test]
async fn the_page_is_held_until_the_token_is_stored() {
    let login = begin().await;
    let port = login.port();
    let callback = get(port, &granted(&login, "c0de-canary")).await;
    let result = next(&callback);
    assert!(result.starts_with("/result/") && !callback.0.contains("c0de-canary"), "{}", callback.0);
    for header in ["cache-control", "referrer-policy", "content-security-policy", "x-content-type-options"] {
        assert!(callback.header(header).is_some(), "{header}");
    }
    assert!(login.wait(pending()).await.is_ok());
    let page = get(port, &result);
    tokio::pin!(page);
    let early = tokio::time::timeout(Duration::from_millis(150), &mut page).await;
    assert!(early.is_err(), "{early:?}");
    let ((), page) = tokio::join!(login.finish(Ok("As <b>Ana</b> & Co.")), page);
    assert_eq!(page.status(), 200);
    assert!(
        page.body().contains("<h1>Signed in</h1>")
            && page.body().contains("As &lt;b&gt;Ana&lt;/b&gt; &amp; Co.")
    );
    assert!(!page.0.contains("c0de-canary"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'nonce-"), "{policy}");
    assert!(is_free(port).await);
}

#[tokio::test]
async fn a_browser_that_is_late_still_sees_how_it_ended() {
    let login = begin().await;
    let port = login.port();
    let result = next(&get(port, &granted(&login, "c1")).await);
    assert!(login.wait(pending()).await.is_ok());
    let finish = tokio::spawn(login.finish(Err("The keyring is locked.")));
    let page = get(port, &result).await;
    assert!(page.body().contains("<h1>Not signed in</h1>") && page.body().contains("The keyring is locked."));
    finish.await.unwrap();
    assert!(is_free(port).await);
}

#[tokio::test]
async fn the_result_is_for_the_browser_that_was_sent_there() {
    let login = begin().await;
    let port = login.port();
    assert_eq!(get(port, "/result/guess").await.status(), 404);
    let result = next(&get(port, &granted(&login, "c1")).await);
    assert_eq!(get(port, "/result/guess").await.status(), 404);
    assert_eq!(get(port, &format!("{result}?x")).await.status(), 404);
    let post = request(port, &result).replacen("GET", "POST", 1);
    assert_eq!(send(port, post.as_bytes()).await.status(), 404);
    login.cancel().await;
    assert!(is_free(port).await);
}

#[tokio::test]
async fn denial_and_refusal_end_it_at_once() {
    for (error, expected) in [
        ("access_denied", LoginError::Denied),
        ("invalid_scope", LoginError::Refused { code: "invalid_scope".into() }),
    ] {
        let login = begin().await;
        let port = login.port();
        let target =
            granted(&login, "c1").replace("code=c1", &format!("error={error}&error_description=a+b"));
        let result = next(&get(port, &target).await);
        assert_eq!(login.wait(pending()).await.err(), Some(expected));
        drop(login);
        let page = get(port, &result).await;
        assert!(
            page.body().contains("Not signed in") && page.body().contains("nothing was stored"),
            "{}",
            page.0
        );
        assert!(is_free(port).await);
    }
}

#[tokio::test]
async fn the_port_is_free_after_every_end() {
    // Dropped before anything.
    let login = begin().await;
    let port = login.port();
    drop(login);
    assert!(is_free(port).await, "dropped");
    // Cancelled while waiting.
    let login = begin().await;
    let port = login.port();
    assert_eq!(login.wait(ready(())).await.err(), Some(LoginError::Cancelled));
    assert!(is_free(port).await, "cancelled");
    // Given up by the caller.
    let login = begin().await;
    let port = login.port();
    login.cancel().await;
    assert!(tokio::net::TcpListener::bind(("127.0.0.1", port)).await.is_ok(), "closed by then");
    // Time over, with connections open; what comes later finds nobody.
    let login = begin_with(short(Duration::from_millis(100))).await;
    let port = login.port();
    let idle = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    assert_eq!(login.wait(pending()).await.err(), Some(LoginError::TimedOut));
    assert_eq!(get(port, &granted(&login, "c1")).await.0, "refused");
    assert!(
        login.paste(&format!("http://127.0.0.1:{port}{}", granted(&login, "c1"))).is_ok(),
        "pasting still works"
    );
    drop(idle);
    assert!(is_free(port).await, "timed out");
    // Dropped while the browser waits for its page.
    let login = begin().await;
    let port = login.port();
    let result = next(&get(port, &granted(&login, "c1")).await);
    let page = tokio::spawn(async move { get(port, &result).await });
    drop(login);
    assert!(page.await.unwrap().body().contains("given up"));
    assert!(is_free(port).await, "dropped with the page held");
    // Finished, and the browser never came for its page.
    let login = begin().await;
    let port = login.port();
    next(&get(port, &granted(&login, "c1")).await);
    let start = Instant::now();
    login.finish(Ok("Done.")).await;
    assert!(start.elapsed() < Duration::from_secs(2));
    assert!(is_free(port).await, "finished");
    // Dropped in the middle of a flood.
    let login = begin().await;
    let port = login.port();
    let mut flood = tokio::task::JoinSet::new();
    for _ in 0..60 {
        flood.spawn(get(port, "/x"));
    }
    drop(login);
    assert!(is_free(port).await, "flooded");
    flood.join_all().await;
}

#[tokio::test]
async fn a_second_sign_in_follows_the_first_on_the_same_port() {
    let first = begin().await;
    let port = first.port();
    next(&get(port, &granted(&first, "c1")).await);
    drop(first);
    // The first one's page may hold the port for as long as a browser needs; that is waited for.
    let second = Login::begin(on(&[port]), Origin::default(), LoginOptions::default()).await;
    let second = second.ok().unwrap();
    assert_eq!(second.port(), port);
    let old = second.wait(ready(()));
    assert_eq!(old.await.err(), Some(LoginError::Cancelled));
}

#[tokio::test]
async fn a_pasted_address_is_judged_like_a_request() {
    let login = begin().await;
    let port = login.port();
    let right = format!("http://127.0.0.1:{port}{}", granted(&login, "c1"));
    let error = |text: &str| login.paste(text).err().unwrap();
    for other in [
        "",
        "c1",
        "https://bitbucket.org/site/oauth2/authorize?client_id=x",
        &right.replace("http:", "https:"),
        &right.replace("127.0.0.1", "localhost"),
        &right.replace("/callback", "/other"),
        &right.replace(&format!(":{port}"), ":1"),
        &right.replace("http://", "http://evil.test@"),
        &format!("{right}\u{e9}"),
        &format!("{right} x"),
        &right.replace('?', "#"),
        &right.replace('?', "/?"),
    ] {
        let found = error(other);
        assert!(matches!(found, LoginError::NotTheAddress { .. }), "{other}: {found}");
        assert!(found.sentence().contains(&format!("http://127.0.0.1:{port}/callback?")));
    }
    for other in [
        &right.replace("state=", "state=x"),
        &right.replace("&code=c1", ""),
        &format!("{right}&code=c2"),
        &right.replace("state=", "State="),
    ] {
        assert_eq!(error(other), LoginError::OtherLogin, "{other}");
    }
    let wait = login.wait(pending());
    let paste = async { login.paste(&format!("  <{right}>\n")) };
    let (waited, pasted) = tokio::join!(wait, paste);
    assert!(pasted.is_ok());
    assert_eq!(waited.err(), Some(LoginError::Used));
    assert_eq!(error(&right), LoginError::Used);
    assert!(is_free(port).await);
    login.finish(Ok("Nobody sees this.")).await;

    let login = begin().await;
    let denied = format!(
        "127.0.0.1:{}{}",
        login.port(),
        granted(&login, "c1").replace("code=c1", "error=access_denied")
    );
    assert_eq!(login.paste(&denied).err(), Some(LoginError::Denied));
    assert!(is_free(login.port()).await);
}
