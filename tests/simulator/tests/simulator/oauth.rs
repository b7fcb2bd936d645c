//! The OAuth server: the page, codes, tokens, rotation, revocation, and what tokens open.

use std::time::Duration;

use serde_json::Value;
use simulator::{Consumer, Fault, MARKER, OauthCounts, Scenario, Simulator, git};

use crate::client::{Reply, control, send, send_with};

const CALLBACK: &str = "http://127.0.0.1:28727/callback";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
/// `key-1:secret-` and the marker.
const BASIC: (&str, &str) = ("authorization", "Basic a2V5LTE6c2VjcmV0LWM0bjRyeVQwazNu");

fn consumer() -> Consumer {
    Consumer {
        key: "key-1".into(),
        secret: format!("secret-{MARKER}"),
        name: Some("Ana's <editor>".into()),
        callback: Some(CALLBACK.into()),
        ..Consumer::default()
    }
}

async fn with(consumer: Consumer) -> Simulator {
    let scenario = Scenario { consumers: vec![consumer], ..Scenario::demo() };
    let mut simulator = Simulator::start(scenario).await.unwrap();
    simulator.check_against_openapi();
    simulator
}

fn authorize(simulator: &Simulator, more: &str) -> String {
    format!("{}/site/oauth2/authorize?client_id=key-1&response_type=code&state=s1{more}", simulator.web_url())
}

async fn token(simulator: &Simulator, body: &str) -> Reply {
    send_with(simulator, "POST", "/site/oauth2/access_token", &[FORM, BASIC], body).await.unwrap()
}

fn parameter(address: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(address).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// Presses Grant and fetches the tokens.
async fn signed_in(simulator: &Simulator, more: &str) -> Value {
    let back = simulator.oauth().press(&authorize(simulator, more), true).unwrap();
    let code = parameter(&back, "code").unwrap();
    let reply = token(simulator, &format!("grant_type=authorization_code&code={code}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

async fn refreshed(simulator: &Simulator, token_text: &str) -> Result<Value, Value> {
    let reply = token(simulator, &format!("grant_type=refresh_token&refresh_token={token_text}")).await;
    match reply.status {
        200 => Ok(reply.json()),
        400 => Err(reply.json()["error"].clone()),
        other => panic!("{other}: {}", reply.text()),
    }
}

async fn status_of_user(simulator: &Simulator, tokens: &Value) -> u16 {
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    send(simulator, "GET", "/2.0/user", Some(&bearer), "").await.unwrap().status
}

#[tokio::test]
async fn a_browser_goes_over_the_page_to_the_callback() {
    let simulator = with(consumer()).await;
    let target = authorize(&simulator, "&scope=account%20pullrequest%20email&user=ben");
    let target = target.strip_prefix(&simulator.web_url()).unwrap();
    let page = send(&simulator, "GET", target, None, "").await.unwrap();
    assert_eq!(page.status, 200);
    let html = page.text();
    assert!(
        html.contains("Signed in as <b>Ben Okafor</b>") && html.contains("Ana's &lt;editor&gt;"),
        "{html}"
    );
    assert!(html.contains("<li>account</li><li>pullrequest</li></ul>"), "{html}");
    let id = html.split("name=\"request\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let press = |decision: &str| format!("request={id}&decision={decision}");
    let back =
        send_with(&simulator, "POST", "/site/oauth2/authorize", &[FORM], &press("grant")).await.unwrap();
    assert_eq!(back.status, 302);
    let location = back.header("location").unwrap().to_owned();
    assert!(
        location.starts_with(CALLBACK) && parameter(&location, "state").as_deref() == Some("s1"),
        "{location}"
    );
    // The page is good for one press.
    let again =
        send_with(&simulator, "POST", "/site/oauth2/authorize", &[FORM], &press("grant")).await.unwrap();
    assert_eq!(again.status, 400);
    let code = parameter(&location, "code").unwrap();
    let tokens = token(&simulator, &format!("grant_type=authorization_code&code={code}")).await.json();
    assert_eq!(tokens["scope"], "account pullrequest");
    assert_eq!(tokens["expires_in"], 7200);
    assert_eq!(tokens["access_token"].as_str().unwrap().len(), 2600);
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let user = send(&simulator, "GET", "/2.0/user", Some(&bearer), "").await.unwrap();
    assert_eq!(user.json()["display_name"], "Ben Okafor");
    assert_eq!(user.header("x-oauth-scopes"), Some("account, pullrequest"));
    let expected = OauthCounts { grants: 1, exchanges: 1, ..OauthCounts::default() };
    assert_eq!(simulator.oauth().counts(), expected);
    assert!(simulator.unexpected().is_empty());
    assert!(
        simulator.accounts().iter().all(|account| account.token.len() < 100),
        "only the scenario's tokens are listed"
    );
}

#[tokio::test]
async fn denying_and_mistakes_are_answered_as_oauth_says() {
    let simulator = with(consumer()).await;
    let denied = simulator.oauth().press(&authorize(&simulator, ""), false).unwrap();
    assert_eq!(parameter(&denied, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&denied, "state").as_deref(), Some("s1"));
    assert_eq!(parameter(&denied, "code"), None);
    let get = |query: &str| {
        let target = format!("/site/oauth2/authorize?{query}");
        let simulator = &simulator;
        async move { send(simulator, "GET", &target, None, "").await.unwrap() }
    };
    assert_eq!(get("client_id=other&response_type=code").await.status, 400);
    let evil = get("client_id=key-1&response_type=code&redirect_uri=http%3A%2F%2Fevil.test%2F").await;
    assert!(
        evil.status == 400
            && evil.header("location").is_none()
            && evil.text().contains("Invalid redirect_uri")
    );
    let token_flow = get("client_id=key-1&response_type=token&state=s1").await;
    assert!(token_flow.header("location").unwrap().contains("error=unsupported_response_type"));
    assert_eq!(send(&simulator, "PUT", "/site/oauth2/authorize", None, "").await.unwrap().status, 405);
    let without = with(Consumer { callback: None, ..consumer() }).await;
    let target = "/site/oauth2/authorize?client_id=key-1&response_type=code";
    let reply = send(&without, "GET", target, None, "").await.unwrap();
    assert_eq!((reply.status, reply.json()["error"].clone()), (400, "invalid_request".into()));
}

#[tokio::test]
async fn the_token_endpoint_takes_forms_and_known_clients_only() {
    let simulator = with(consumer()).await;
    let back = simulator.oauth().press(&authorize(&simulator, ""), true).unwrap();
    let body = format!("grant_type=authorization_code&code={}", parameter(&back, "code").unwrap());
    let post = |headers: Vec<(&'static str, &'static str)>, body: String| {
        let simulator = &simulator;
        async move {
            let reply =
                send_with(simulator, "POST", "/site/oauth2/access_token", &headers, &body).await.unwrap();
            (reply.status, reply.json()["error"].as_str().unwrap_or_default().to_owned())
        }
    };
    let json = ("content-type", "application/json");
    assert_eq!(post(vec![json, BASIC], "{}".into()).await, (400, "invalid_grant".into()));
    let wrong = ("authorization", "Basic a2V5LTE6d3Jvbmc=");
    assert_eq!(post(vec![FORM, wrong], body.clone()).await, (400, "unauthorized_client".into()));
    assert_eq!(post(vec![FORM], body.clone()).await, (400, "unauthorized_client".into()));
    assert_eq!(post(vec![FORM, BASIC], "grant_type=password".into()).await, (400, "invalid_grant".into()));
    let other = "grant_type=authorization_code&code=other".to_owned();
    assert_eq!(post(vec![FORM, BASIC], other).await, (400, "invalid_grant".into()));
    // The client may be named in the form, too.
    let named = format!("{body}&client_id=key-1&client_secret=secret-{MARKER}");
    assert_eq!(post(vec![FORM], named).await, (200, String::new()));
    assert_eq!(simulator.oauth().counts().refusals, 5);
}

#[tokio::test]
async fn a_code_is_good_once_for_a_while_and_for_its_callback() {
    let simulator = with(consumer()).await;
    let oauth = simulator.oauth();
    let code =
        |more: &str| parameter(&oauth.press(&authorize(&simulator, more), true).unwrap(), "code").unwrap();
    let exchange = |code: String, more: &'static str| {
        let simulator = &simulator;
        async move { token(simulator, &format!("grant_type=authorization_code&code={code}{more}")).await }
    };
    let sent = "&redirect_uri=http%3A%2F%2F127.0.0.1%3A28727%2Fcallback";
    assert_eq!(exchange(code(sent), "").await.status, 400);
    assert_eq!(exchange(code(sent), "&redirect_uri=http%3A%2F%2F127.0.0.1%3A28727%2F").await.status, 400);
    assert_eq!(exchange(code(sent), sent).await.status, 200);
    let old = code("");
    oauth.advance(Duration::from_secs(601));
    assert_eq!(exchange(old, "").await.status, 400);
    // The second use ends what the first gave.
    let twice = code("");
    let tokens = exchange(twice.clone(), "").await.json();
    assert_eq!(status_of_user(&simulator, &tokens).await, 200);
    assert_eq!(exchange(twice, "").await.json()["error"], "invalid_grant");
    assert_eq!(status_of_user(&simulator, &tokens).await, 401);
}

#[tokio::test]
async fn refresh_tokens_rotate_with_a_grace_time_and_late_reuse_ends_the_sign_in() {
    let simulator = with(Consumer { grace_seconds: Some(600), ..consumer() }).await;
    let oauth = simulator.oauth();
    let first = signed_in(&simulator, "").await;
    let spent = first["refresh_token"].as_str().unwrap();
    let second = refreshed(&simulator, spent).await.unwrap();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(status_of_user(&simulator, &first).await, 200);
    oauth.advance(Duration::from_secs(599));
    let third = refreshed(&simulator, spent).await.unwrap();
    assert_eq!((oauth.counts().refreshes, oauth.counts().grace_uses), (2, 1));
    oauth.advance(Duration::from_secs(2));
    assert_eq!(refreshed(&simulator, spent).await, Err("invalid_grant".into()));
    assert_eq!(oauth.counts().late_reuses, 1);
    // All of the sign-in is dead.
    for tokens in [&second, &third] {
        assert_eq!(
            refreshed(&simulator, tokens["refresh_token"].as_str().unwrap()).await,
            Err("invalid_grant".into())
        );
        assert_eq!(status_of_user(&simulator, tokens).await, 401);
    }
    // Another sign-in of the same user is not.
    let other = signed_in(&simulator, "").await;
    assert_eq!(status_of_user(&simulator, &other).await, 200);
    let unused = other["refresh_token"].as_str().unwrap();
    oauth.advance(Duration::from_secs(91 * 24 * 3600));
    assert_eq!(refreshed(&simulator, unused).await, Err("invalid_grant".into()));
}

#[tokio::test]
async fn without_rotation_one_refresh_token_lasts() {
    let simulator = with(Consumer {
        rotates: Some(false),
        scope_member: Some("scopes".into()),
        token_bytes: Some(6000),
        expires_in: Some(60),
        ..consumer()
    })
    .await;
    let first = signed_in(&simulator, "").await;
    assert_eq!(first["scopes"], "account pullrequest:write");
    assert!(first.get("scope").is_none() && first["access_token"].as_str().unwrap().len() == 6000);
    let token = first["refresh_token"].as_str().unwrap();
    simulator.oauth().advance(Duration::from_secs(3600));
    assert_eq!(status_of_user(&simulator, &first).await, 401);
    for _ in 0..3 {
        let next = refreshed(&simulator, token).await.unwrap();
        assert_eq!(next["refresh_token"], token);
        assert_eq!(status_of_user(&simulator, &next).await, 200);
        simulator.oauth().advance(Duration::from_secs(3600));
    }
    assert_eq!(simulator.oauth().counts().grace_uses, 0);
}

#[tokio::test]
async fn tokens_open_what_their_scopes_say_until_they_run_out_or_are_revoked() {
    let simulator = with(consumer()).await;
    let weak = signed_in(&simulator, "&scope=account").await;
    let bearer = format!("Bearer {}", weak["access_token"].as_str().unwrap());
    let list = "/2.0/repositories/corner-shop/till/pullrequests";
    let refused = send(&simulator, "GET", list, Some(&bearer), "").await.unwrap();
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.json()["error"]["detail"],
        serde_json::json!({"required": ["pullrequest"], "granted": ["account"]})
    );
    let info = "/corner-shop/till.git/info/refs?service=git-upload-pack";
    assert_eq!(send(&simulator, "GET", info, Some(&bearer), "").await.unwrap().status, 403);
    let good = signed_in(&simulator, "").await;
    simulator.oauth().expire();
    let bearer = format!("Bearer {}", good["access_token"].as_str().unwrap());
    let expired = send(&simulator, "GET", list, Some(&bearer), "").await.unwrap();
    assert_eq!(expired.status, 401);
    assert!(expired.text().contains("Access token expired. Use your refresh token"), "{}", expired.text());
    assert_eq!(send(&simulator, "GET", info, Some(&bearer), "").await.unwrap().status, 401);
    let again = refreshed(&simulator, good["refresh_token"].as_str().unwrap()).await.unwrap();
    assert_eq!(status_of_user(&simulator, &again).await, 200);
    simulator.oauth().revoke(Some("ben"));
    assert_eq!(status_of_user(&simulator, &again).await, 200);
    simulator.oauth().revoke(Some("ana"));
    assert_eq!(status_of_user(&simulator, &again).await, 401);
    assert_eq!(
        refreshed(&simulator, again["refresh_token"].as_str().unwrap()).await,
        Err("invalid_grant".into())
    );
}

#[tokio::test]
async fn git_takes_a_token_as_bearer_and_as_a_password() {
    let simulator = with(consumer()).await;
    let tokens = signed_in(&simulator, "").await;
    let access = tokens["access_token"].as_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = simulator.remote_url("corner-shop/till");
    let header = format!("http.extraHeader=Authorization: Bearer {access}");
    git::run(folder.path(), &["-c", &header, "clone", "-q", &url, "bearer"]).unwrap();
    let basic = url.replace("http://", &format!("http://x-token-auth:{access}@"));
    git::run(folder.path(), &["clone", "-q", &basic, "basic"]).unwrap();
    assert!(
        folder.path().join("bearer/till/cart.py").is_file()
            && folder.path().join("basic/till/cart.py").is_file()
    );
    let wrong = url.replace("http://", &format!("http://somebody:{access}@"));
    assert!(git::run(folder.path(), &["clone", "-q", &wrong, "wrong"]).is_err());
    // The token has the scope to write.
    let clone = folder.path().join("basic");
    git::run(&clone, &["commit", "-q", "--allow-empty", "-m", "Empty"]).unwrap();
    git::run(&clone, &["push", "-q", "origin", "HEAD:refs/heads/pushed"]).unwrap();
    let head = git::run(&clone, &["rev-parse", "HEAD"]).unwrap();
    assert_eq!(simulator.repository("corner-shop/till").commit("pushed").unwrap(), head);
    simulator.oauth().revoke(None);
    assert!(git::run(&clone, &["fetch", "-q"]).is_err());
}

#[tokio::test]
async fn every_secret_has_the_marker() {
    let simulator = with(Consumer { private: true, ..consumer() }).await;
    let back = simulator.oauth().press(&authorize(&simulator, ""), true).unwrap();
    let code = parameter(&back, "code").unwrap();
    let signed_in = token(&simulator, &format!("grant_type=authorization_code&code={code}")).await.json();
    let refreshed = refreshed(&simulator, signed_in["refresh_token"].as_str().unwrap()).await.unwrap();
    let itself = token(&simulator, "grant_type=client_credentials").await.json();
    simulator.oauth().change("key-1", |consumer| consumer.token_bytes = Some(3)).unwrap();
    let short = token(&simulator, "grant_type=client_credentials").await.json();
    let mut secrets = vec![code];
    for tokens in [&signed_in, &refreshed, &itself, &short] {
        let members = ["access_token", "refresh_token"].iter().filter_map(|name| tokens[name].as_str());
        secrets.extend(members.map(str::to_owned));
    }
    assert_eq!(secrets.len(), 7);
    for (at, secret) in secrets.iter().enumerate() {
        assert!(secret.contains(MARKER) && secret.len() >= 18, "{at}: {secret}");
        assert!(!secrets[..at].contains(secret), "{at}: {secret} comes twice");
        // Also where only a piece of a long one is left.
        let pieces = secret.as_bytes().windows(50);
        assert!(
            pieces.map(String::from_utf8_lossy).all(|piece| piece.contains(MARKER)),
            "{at}: {secret} has a piece without it"
        );
    }
}

#[tokio::test]
async fn a_private_consumer_acts_for_itself() {
    let simulator = with(Consumer { private: true, ..consumer() }).await;
    let tokens = token(&simulator, "grant_type=client_credentials").await.json();
    assert!(tokens.get("refresh_token").is_none());
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let user = send(&simulator, "GET", "/2.0/user", Some(&bearer), "").await.unwrap();
    assert_eq!(user.json()["display_name"], "Ana's <editor>");
    let open = with(consumer()).await;
    let refused = token(&open, "grant_type=client_credentials").await;
    assert_eq!((refused.status, refused.json()["error"].clone()), (400, "unauthorized_client".into()));
}

#[tokio::test]
async fn the_token_endpoint_misbehaves_on_demand() {
    let simulator = with(consumer()).await;
    let route = "/site/oauth2/access_token";
    let mut refresh = signed_in(&simulator, "").await["refresh_token"].as_str().unwrap().to_owned();
    simulator.faults().set(Fault::HtmlPortal.on(route).once());
    let body = format!("grant_type=refresh_token&refresh_token={refresh}");
    assert!(token(&simulator, &body).await.text().starts_with("<!doctype html>"));
    simulator.faults().set(Fault::WrongTypes.on(route).once());
    assert!(refreshed(&simulator, &refresh).await.unwrap()["access_token"].is_object());
    // What was damaged was handed out all the same; the grace time helps.
    simulator.faults().set(Fault::NoRefreshToken.on(route).once());
    assert!(refreshed(&simulator, &refresh).await.unwrap().get("refresh_token").is_none());
    simulator.faults().set(Fault::Cut.on(route).once());
    let cut = token(&simulator, &body).await;
    assert!(!cut.whole);
    refresh = refreshed(&simulator, &refresh).await.unwrap()["refresh_token"].as_str().unwrap().to_owned();
    assert!(refreshed(&simulator, &refresh).await.is_ok());
    assert_eq!(simulator.oauth().counts().grace_uses, 3);
}

#[tokio::test]
async fn any_loopback_port_is_taken_where_the_consumer_says_so() {
    let other = "&redirect_uri=http%3A%2F%2F127.0.0.1%3A5%2Fcallback";
    let strict = with(consumer()).await;
    assert!(strict.oauth().press(&authorize(&strict, other), true).is_err());
    let loose = with(Consumer { any_port: true, ..consumer() }).await;
    let back = loose.oauth().press(&authorize(&loose, other), true).unwrap();
    assert!(back.starts_with("http://127.0.0.1:5/callback?state=s1&code="), "{back}");
}

#[tokio::test]
async fn suites_in_other_languages_control_it() {
    let simulator = with(consumer()).await;
    let tokens = signed_in(&simulator, "").await;
    control(&simulator, "oauth/expire", "").await;
    assert_eq!(status_of_user(&simulator, &tokens).await, 401);
    control(&simulator, "oauth/consumer", r#"{"key": "key-1", "token_bytes": 50, "scope_member": "scopes"}"#)
        .await;
    let next = refreshed(&simulator, tokens["refresh_token"].as_str().unwrap()).await.unwrap();
    assert!(next["access_token"].as_str().unwrap().len() == 50 && next.get("scopes").is_some());
    control(&simulator, "oauth/advance", r#"{"seconds": 7201}"#).await;
    assert_eq!(status_of_user(&simulator, &next).await, 401);
    control(&simulator, "oauth/sign_in", r#"{"user": "ben"}"#).await;
    let bens = signed_in(&simulator, "").await;
    control(&simulator, "oauth/revoke", r#"{"user": "ben"}"#).await;
    assert_eq!(status_of_user(&simulator, &bens).await, 401);
    assert_eq!(control(&simulator, "oauth", "").await["exchanges"], 2);
    let unknown =
        send(&simulator, "POST", "/_simulator/oauth/sign_in", None, r#"{"user": "nobody"}"#).await.unwrap();
    assert_eq!(unknown.status, 400);
}
