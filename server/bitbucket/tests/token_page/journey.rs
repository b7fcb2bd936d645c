//! The way of a browser: from the form to how it ended, with detours.

use std::future::pending;

use bitbucket::token_page::TokenPageOptions;

use crate::{FILLED, Tab, is_held, open, open_with, right_one, seen, short};

#[tokio::test]
async fn the_address_is_of_this_computer_and_cannot_be_guessed() {
    let (page, other) = (open().await, open().await);
    let url = page.url().as_str();
    let path = url.strip_prefix(&format!("http://127.0.0.1:{}/", page.url().port().unwrap())).unwrap();
    assert_eq!(path.len(), 43, "{url}");
    assert!(path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{url}");
    assert_ne!(page.url().path(), other.url().path());
    // Another loopback address stands for another network card.
    assert!(tokio::net::TcpStream::connect(("127.0.0.2", page.url().port().unwrap())).await.is_err());
}

#[tokio::test]
async fn a_token_is_taken_and_the_browser_is_held_until_it_is_stored() {
    let options = TokenPageOptions {
        intro: "Make a token with <these> scopes.".into(),
        make_at: Some(("Make one".into(), "https://id.test/api-tokens".parse().unwrap())),
        ..TokenPageOptions::default()
    };
    let page = open_with(options).await;
    let tab = Tab::of(&page);
    let form = tab.get().await;
    assert_eq!(form.status(), 200);
    assert_eq!(form.header("referrer-policy"), Some("same-origin"), "or browsers send `Origin: null`");
    assert_eq!(form.header("cache-control"), Some("no-store"));
    assert!(form.header("content-security-policy").unwrap().contains("form-action 'self'"));
    for part in [
        "Make a token with &lt;these&gt; scopes.",
        "href=\"https://id.test/api-tokens\"",
        "name=\"email\"",
        "type=\"password\"",
        "autocomplete=\"off\"",
    ] {
        assert!(form.body().contains(part), "{part} in {}", form.0);
    }
    let mut posted = tab.posting(FILLED);
    right_one(&page).await;
    assert!(is_held(&mut posted).await);
    let finish = tokio::spawn(async move { page.finish(Ok("As <b>Ana</b> & Co.")).await });
    let posted = posted.await.unwrap();
    assert_eq!(posted.header("referrer-policy"), Some("no-referrer"));
    assert!(posted.header("location").unwrap().starts_with("/result/"), "{}", posted.0);
    let end = tab.follow(&posted).await;
    assert_eq!(end.status(), 200);
    assert!(end.body().contains("<h1>Token added</h1>"), "{}", end.0);
    assert!(end.body().contains("As &lt;b&gt;Ana&lt;/b&gt; &amp; Co."), "{}", end.0);
    assert_eq!(end.header("referrer-policy"), Some("no-referrer"));
    finish.await.unwrap();
    tab.is_closed("finished").await;
}

#[tokio::test]
async fn an_access_token_comes_alone() {
    let page = open().await;
    let posted = Tab::of(&page).posting("email=+&token=%0D%0A+tok-1%0D%0A");
    let submitted = page.wait(pending()).await.ok().unwrap();
    assert_eq!(submitted.email, None);
    assert!(submitted.token.same_as(&credentials::Secret::new("tok-1".into())));
    page.finish(Err("The keyring is locked.")).await;
    assert_eq!(posted.await.unwrap().status(), 303);
}

#[tokio::test]
async fn a_token_that_is_no_good_is_asked_for_again() {
    let page = open().await;
    let tab = Tab::of(&page);
    for sentence in ["Bitbucket does not know this token.", "A scope is <missing>."] {
        let posted = tab.posting(FILLED);
        right_one(&page).await;
        page.again(sentence);
        let posted = posted.await.unwrap();
        assert_eq!(posted.header("location"), Some(tab.path.as_str()));
        let form = tab.follow(&posted).await;
        let sentence = sentence.replace('<', "&lt;").replace('>', "&gt;");
        assert!(form.body().contains(&format!("role=\"alert\">{sentence}</p>")), "{}", form.0);
        assert!(form.body().contains("value=\"ana@shop.test\""), "the address is kept: {}", form.0);
        // It is still there when the page is loaded anew.
        assert!(tab.get().await.body().contains(&sentence));
    }
    let posted = tab.posting(FILLED);
    right_one(&page).await;
    let ((), end) =
        tokio::join!(page.finish(Ok("Done.")), async { tab.follow(&posted.await.unwrap()).await });
    assert!(end.body().contains("Done."), "{}", end.0);
    tab.is_closed("finished").await;
}

#[tokio::test]
async fn mistakes_are_explained_without_anybody_being_asked() {
    let page = open().await;
    let tab = Tab::of(&page);
    let mistakes = async {
        for (body, word) in [
            ("email=ana%40shop.test&token=+", "missing"),
            ("email=ana%40shop.test&token=c4nary+c4nary", "copy the token alone"),
            ("email=ana%40shop.test&token=c4nary%E2%80%A6", "copy the token alone"),
            ("email=ana%40shop.test+x&token=c4nary", "not an e-mail address"),
        ] {
            let form = tab.follow(&tab.post(body).await).await;
            assert!(form.body().contains(word), "{body}: {}", form.0);
            assert!(form.body().contains("value=\"ana@shop.test"), "{body}: {}", form.0);
        }
        let form = tab.follow(&tab.post("email=%22%3E%3Cscript%3E+&token=").await).await;
        assert!(form.body().contains("value=\"&quot;&gt;&lt;script&gt;\""), "{}", form.0);
    };
    tokio::select! {
        _ = page.wait(pending()) => panic!("somebody was asked"),
        () = mistakes => {}
    }
    let posted = tab.posting(FILLED);
    right_one(&page).await;
    page.cancel().await;
    assert_eq!(posted.await.unwrap().0, "", "nothing is said after it was cancelled");
}

#[tokio::test]
async fn one_token_is_checked_at_a_time() {
    let page = open().await;
    let tab = Tab::of(&page);
    let mut first = tab.posting(FILLED);
    right_one(&page).await;
    for body in ["email=&token=other", FILLED, "email=&token="] {
        let second = tab.post(body).await;
        assert_eq!(second.status(), 409, "{}", second.0);
        assert!(second.body().contains("being checked already"), "{}", second.0);
        // Who pressed twice sees in the end what became of the first.
        let goes_on = format!("<meta http-equiv=\"refresh\" content=\"0;url={}\">", tab.path);
        assert!(second.body().contains(&goes_on), "{}", second.0);
    }
    let waiting = tab.clone();
    let mut form = tokio::spawn(async move { waiting.get().await });
    assert!(is_held(&mut form).await && is_held(&mut first).await);
    page.again("Not this one.");
    assert_eq!(first.await.unwrap().status(), 303);
    assert!(form.await.unwrap().body().contains("Not this one."));
    // The others were forgotten: the next one is the next one that is sent.
    let posted = tab.posting(FILLED);
    right_one(&page).await;
    let held = tokio::spawn(async move { tab.get().await });
    page.finish(Err("No.")).await;
    assert!(posted.await.unwrap().header("location").unwrap().starts_with("/result/"));
    assert!(held.await.unwrap().header("location").unwrap().starts_with("/result/"));
}

#[tokio::test]
async fn two_tabs_at_once_submit_one_token() {
    for _ in 0..20 {
        let page = open().await;
        let tab = Tab::of(&page);
        let (one, other) = (tab.posting(FILLED), tab.posting(FILLED));
        right_one(&page).await;
        let again = tokio::time::timeout(std::time::Duration::from_millis(20), page.wait(pending())).await;
        assert!(again.is_err(), "submitted twice");
        page.again("No.");
        let mut statuses = [one.await.unwrap().status(), other.await.unwrap().status()];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 409]);
    }
}

#[tokio::test]
async fn who_waits_for_too_long_is_sent_to_the_editor() {
    let page = open_with(short(60_000, 5_000, 100)).await;
    let tab = Tab::of(&page);
    let posted = tab.post(FILLED).await;
    assert!(
        posted.body().contains("This takes unusually long. Your editor tells how it ends."),
        "{}",
        posted.0
    );
    right_one(&page).await;
    // It may still be asked for again.
    page.again("Expired.");
    assert!(tab.get().await.body().contains("Expired."));
    let posted = tab.posting(FILLED);
    right_one(&page).await;
    page.finish(Ok("Done.")).await;
    assert_eq!(posted.await.unwrap().status(), 303);
}

#[tokio::test]
async fn the_result_is_for_the_browser_that_was_sent_there() {
    let page = open().await;
    let tab = Tab::of(&page);
    let posted = tab.posting(FILLED);
    right_one(&page).await;
    let finish = tokio::spawn(async move { page.finish(Ok("Done.")).await });
    let posted = posted.await.unwrap();
    assert_eq!(seen(crate::get(tab.port, "/result/guess").await).status(), 404);
    // Whoever comes late with the form is sent to the end as well, and submits nothing.
    assert_eq!(tab.post("email=&token=late").await.header("location"), posted.header("location"));
    assert!(tab.follow(&posted).await.body().contains("Done."));
    finish.await.unwrap();
    tab.is_closed("finished").await;
}

#[tokio::test]
async fn nothing_is_logged() {
    let log = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let writer = std::sync::Arc::clone(&log);
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || Log(std::sync::Arc::clone(&writer)))
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let page = open().await;
    let posted = Tab::of(&page).posting(FILLED);
    right_one(&page).await;
    tracing::info!("the log is on");
    page.finish(Ok("Done.")).await;
    posted.await.unwrap();
    drop(guard);
    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    assert!(log.contains("the log is on"), "{log}");
    assert!(!log.contains("c4nary") && !log.contains("ana@shop.test"), "{log}");
}

struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
