//! The whole way, against a simulated Bitbucket and over real sockets.

use std::future::pending;
use std::time::Duration;

use bitbucket::oauth::{Consumer, Login, LoginError, LoginOptions, TokenError, refresh};
use bitbucket::{Client, Error, Options, Origin};
use credentials::{Authorization, Secret};
use simulator::{Fault, Scenario, Simulator};

use crate::browser::get;
use crate::{consumer, is_free};

const ENDPOINT: &str = "/site/oauth2/access_token";

async fn simulator() -> Simulator {
    let scenario = Scenario {
        consumers: vec![simulator::Consumer {
            key: "key-1".into(),
            secret: "secret-1".into(),
            callback: Some("http://127.0.0.1:28727/callback".into()),
            any_port: true,
            ..Default::default()
        }],
        ..Scenario::demo()
    };
    let mut simulator = Simulator::start(scenario).await.unwrap();
    simulator.check_against_openapi();
    simulator
}

fn origin(simulator: &Simulator) -> Origin {
    Origin::new(Some(&simulator.api_url()), Some(&simulator.web_url())).unwrap()
}

async fn begin(simulator: &Simulator, consumer: Consumer) -> Login {
    Login::begin(consumer, origin(simulator), LoginOptions::default()).await.ok().unwrap()
}

/// Presses a button of Bitbucket's page; gives where the browser is sent to, without the origin.
fn press(simulator: &Simulator, login: &Login, grant: bool) -> String {
    let back = simulator.oauth().press(login.authorize_url().as_str(), grant).unwrap();
    back.strip_prefix(&format!("http://127.0.0.1:{}", login.port())).unwrap().to_owned()
}

#[tokio::test]
async fn granting_signs_in() {
    let simulator = simulator().await;
    let login = begin(&simulator, consumer()).await;
    let port = login.port();
    let back = get(port, &press(&simulator, &login, true)).await;
    let page = tokio::spawn({
        let result = back.header("location").unwrap().to_owned();
        async move { get(port, &result).await }
    });
    let callback = login.wait(pending()).await.ok().unwrap();
    let tokens = login.exchange(callback).await.ok().unwrap();
    assert_eq!(tokens.scopes, ["account", "pullrequest:write"]);
    assert_eq!(tokens.expires_in, Some(7200));
    let client = Client::new(
        origin(&simulator),
        Some(Authorization::Bearer(tokens.access.clone())),
        Options::default(),
    );
    assert_eq!(client.granted_scopes(), None);
    let user = client.current_user().await.unwrap();
    assert_eq!(client.granted_scopes().unwrap(), tokens.scopes);
    login.finish(Ok(&format!("You are signed in as {}.", user.display_name))).await;
    assert!(page.await.unwrap().body().contains("You are signed in as Ana Ruiz."));
    assert!(is_free(port).await);

    // Later: new tokens, and the old refresh token is good for as long as the grace time.
    let first = tokens.refresh.unwrap();
    simulator.oauth().expire();
    assert_eq!(client.current_user().await, Err(Error::Unauthorized { basic: false }));
    let renewed = refresh(&origin(&simulator), &consumer(), &first, &Options::default()).await.ok().unwrap();
    let second = renewed.refresh.unwrap();
    assert!(!second.same_as(&first));
    let client =
        Client::new(origin(&simulator), Some(Authorization::Bearer(renewed.access)), Options::default());
    assert!(client.current_user().await.is_ok());
    assert!(refresh(&origin(&simulator), &consumer(), &first, &Options::default()).await.is_ok());
    simulator.oauth().advance(Duration::from_secs(601));
    for spent in [&first, &second] {
        let late = refresh(&origin(&simulator), &consumer(), spent, &Options::default()).await;
        assert_eq!(late.err(), Some(TokenError::InvalidGrant));
    }
}

#[tokio::test]
async fn denying_does_not() {
    let simulator = simulator().await;
    let login = begin(&simulator, consumer()).await;
    assert_eq!(get(login.port(), &press(&simulator, &login, false)).await.status(), 302);
    assert_eq!(login.wait(pending()).await.err(), Some(LoginError::Denied));
    assert_eq!(simulator.oauth().counts().exchanges, 0);
}

#[tokio::test]
async fn pasting_signs_in_where_the_browser_is_elsewhere() {
    let simulator = simulator().await;
    let login = begin(&simulator, consumer()).await;
    let address = format!("http://127.0.0.1:{}{}", login.port(), press(&simulator, &login, true));
    let callback = login.paste(&address).ok().unwrap();
    assert!(login.exchange(callback).await.is_ok());
    login.finish(Ok("Done.")).await;
}

#[tokio::test]
async fn a_wrong_secret_is_told_apart_from_a_wrong_code() {
    let simulator = simulator().await;
    let wrong = Consumer::new("key-1", Secret::new("other".into()), &[0]).ok().unwrap();
    let login = begin(&simulator, wrong).await;
    let address = format!("http://127.0.0.1:{}{}", login.port(), press(&simulator, &login, true));
    let callback = login.paste(&address).ok().unwrap();
    assert_eq!(login.exchange(callback).await.err(), Some(TokenError::InvalidConsumer));
    let login = begin(&simulator, consumer()).await;
    let address = format!("http://127.0.0.1:{}{}", login.port(), press(&simulator, &login, true));
    let (start, _) = address.split_once("code=").unwrap();
    let callback = login.paste(&format!("{start}code=guessed")).ok().unwrap();
    assert_eq!(login.exchange(callback).await.err(), Some(TokenError::InvalidGrant));
}

#[tokio::test]
async fn what_goes_wrong_with_the_token_is_said() {
    let simulator = simulator().await;
    let exchange = |fault: Fault| {
        let simulator = &simulator;
        async move {
            simulator.faults().clear_all();
            simulator.faults().set(fault.on(ENDPOINT));
            let login = begin(simulator, consumer()).await;
            let address = format!("http://127.0.0.1:{}{}", login.port(), press(simulator, &login, true));
            let callback = login.paste(&address).ok().unwrap();
            login.exchange(callback).await
        }
    };
    assert_eq!(exchange(Fault::HtmlPortal).await.err(), Some(TokenError::Failed(Error::Portal)));
    assert_eq!(exchange(Fault::WrongTypes).await.err(), Some(TokenError::Unreadable));
    assert_eq!(exchange(Fault::TruncatedJson).await.err(), Some(TokenError::Unreadable));
    assert_eq!(
        exchange(Fault::Status(502)).await.err(),
        Some(TokenError::Failed(Error::Server { status: 502 }))
    );
    assert!(matches!(exchange(Fault::Cut).await.err(), Some(TokenError::Failed(Error::Offline { .. }))));
    assert!(matches!(exchange(Fault::Reset).await.err(), Some(TokenError::Failed(Error::Offline { .. }))));
    let elsewhere = Fault::RedirectElsewhere(format!("{}/elsewhere", simulator.web_url()));
    assert_eq!(exchange(elsewhere).await.err(), Some(TokenError::Failed(Error::Portal)));
    assert!(exchange(Fault::NoRefreshToken).await.ok().unwrap().refresh.is_none());
    simulator.oauth().change("key-1", |consumer| consumer.token_bytes = Some(6 << 10)).unwrap();
    assert!(exchange(Fault::Latency(Duration::from_millis(5))).await.is_ok());
    simulator.oauth().change("key-1", |consumer| consumer.token_bytes = Some(100 << 10)).unwrap();
    let found = exchange(Fault::Latency(Duration::ZERO)).await.err();
    assert_eq!(found, Some(TokenError::TooLarge { limit: 64 << 10 }));
    // A redirect was never followed, and nothing was asked twice.
    assert!(simulator.unexpected().is_empty());
    let asked = simulator.requests().iter().filter(|request| request.path == ENDPOINT).count();
    assert_eq!(asked, 10);
}
