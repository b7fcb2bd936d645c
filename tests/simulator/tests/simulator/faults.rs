//! Each fault, as a client meets it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulator::{Fault, Simulator};

use crate::client::{Reply, get, send};
use crate::demo;

const COMMENTS: &str = "…/pullrequests/4/comments";

async fn with(simulator: &Simulator, fault: Fault) -> Reply {
    simulator.faults().set(fault.once());
    get(simulator, COMMENTS).await
}

async fn try_get(simulator: &Simulator, target: &str) -> std::io::Result<Reply> {
    let bearer = format!("Bearer {}", simulator.token());
    send(simulator, "GET", target, Some(&bearer), "").await
}

#[tokio::test]
async fn answers_are_replaced() {
    let simulator = demo().await;
    let later = Fault::RateLimited(Some("120".into()));
    let elsewhere = Fault::RedirectElsewhere("http://127.0.0.1:9/away".into());
    let cases = [
        (Fault::Unauthorized, 401, "Token is invalid", None),
        (Fault::MissingScope("pullrequest".into()), 403, r#""required":["pullrequest"]"#, None),
        (Fault::NotFound, 404, "Not Found", None),
        (Fault::RateLimited(None), 429, "Rate limit", None),
        (later, 429, "Rate limit", Some(("retry-after", "120"))),
        (Fault::Status(500), 500, "<html>", None),
        (Fault::Status(555), 555, "<html>", None),
        (elsewhere, 302, "", Some(("location", "http://127.0.0.1:9/away"))),
        (
            Fault::HtmlPortal,
            200,
            "Sign in to the guest network",
            Some(("content-type", "text/html; charset=utf-8")),
        ),
    ];
    for (fault, status, text, header) in cases {
        let reply = with(&simulator, fault.clone()).await;
        assert_eq!(reply.status, status, "{fault:?}");
        assert!(reply.text().contains(text), "{fault:?}: {}", reply.text());
        if let Some((name, value)) = header {
            assert_eq!(reply.header(name), Some(value));
        }
    }
    assert_eq!(simulator.requests()[0].faults, ["unauthorized"]);
    assert_eq!(get(&simulator, COMMENTS).await.status, 200);
}

#[tokio::test]
async fn bodies_are_damaged() {
    let simulator = demo().await;
    let wrong = with(&simulator, Fault::WrongTypes).await.json();
    assert!(wrong["values"][0]["id"].is_string() && wrong["values"][1]["id"].is_u64());
    let evil = with(&simulator, Fault::EvilNext("http://elsewhere.test/2.0/x".into())).await.json();
    assert_eq!(evil["next"], "http://elsewhere.test/2.0/x");
    let looping = with(&simulator, Fault::LoopingNext).await.json();
    assert_eq!(
        looping["next"],
        format!("{}/repositories/corner-shop/till/pullrequests/4/comments", simulator.api_url())
    );
    let opaque = with(&simulator, Fault::OpaqueNext).await.json();
    let next = opaque["next"].as_str().unwrap();
    assert!(next.contains("page=after-2"), "{next}");
    assert_eq!(get(&simulator, next).await.json()["page"], 2);
    let huge = with(&simulator, Fault::HugeComment(1_000_000)).await.json();
    assert_eq!(huge["values"][0]["content"]["raw"].as_str().unwrap().len(), 1_000_000);
    let cut = with(&simulator, Fault::TruncatedJson).await;
    assert!(cut.whole && serde_json::from_slice::<Value>(&cut.body).is_err());
}

#[tokio::test]
async fn connections_break() {
    let simulator = demo().await;
    let cut = with(&simulator, Fault::Cut).await;
    assert!(cut.status == 200 && !cut.whole && !cut.body.is_empty());
    simulator.faults().set(Fault::Reset.once());
    let error = try_get(&simulator, "/2.0/user").await.err().unwrap();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    simulator.faults().set(Fault::Offline);
    assert!(try_get(&simulator, "/2.0/user").await.is_err());
    assert!(try_get(&simulator, "/corner-shop/till.git/info/refs?service=git-upload-pack").await.is_err());
    // The way back stays open.
    assert_eq!(send(&simulator, "POST", "/_simulator/faults/clear", None, "").await.unwrap().status, 200);
    assert_eq!(get(&simulator, "/2.0/user").await.status, 200);
    let broken = simulator.requests().iter().filter(|request| request.status.is_none()).count();
    assert_eq!(broken, 3);
}

#[tokio::test]
async fn answers_are_slow() {
    let simulator = demo().await;
    let start = Instant::now();
    assert_eq!(with(&simulator, Fault::Latency(Duration::from_millis(80))).await.status, 200);
    assert!(start.elapsed() >= Duration::from_millis(80));
    simulator.faults().set(Fault::SlowBody(100).once());
    let start = Instant::now();
    let reply = get(&simulator, "/2.0/user").await;
    assert!(reply.whole && reply.body.len() > 300);
    assert!(start.elapsed() >= Duration::from_millis(30));
}

#[tokio::test]
async fn held_requests_wait_for_their_release() {
    let simulator = demo().await;
    simulator.faults().set(Fault::Hold.on("/2.0/user"));
    let held = get(&simulator, "/2.0/user");
    let release = async {
        assert!(simulator.until(|requests| requests.len() == 1, Duration::from_secs(5)).await);
        assert_eq!(get(&simulator, COMMENTS).await.status, 200);
        assert_eq!(simulator.requests()[0].finished, None);
        simulator.faults().release();
    };
    let (reply, ()) = tokio::join!(held, release);
    assert_eq!(reply.status, 200);
    let clear = async {
        assert!(simulator.until(|requests| requests.len() == 3, Duration::from_secs(5)).await);
        simulator.faults().clear("hold");
    };
    let (reply, ()) = tokio::join!(get(&simulator, "/2.0/user"), clear);
    assert_eq!(reply.json()["type"], json!("user"));
    assert!(!simulator.until(|requests| requests.len() == 99, Duration::from_millis(5)).await);
}
