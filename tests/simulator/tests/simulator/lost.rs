//! Requests that take effect, and whose answers are lost or late.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use serde_json::json;
use simulator::{Fault, Loss, Simulator};

use crate::client::{Reply, control, get, send_with};
use crate::demo;

const TARGET: &str = "/2.0/repositories/corner-shop/till/pullrequests/4/comments";
const ROUTE: &str = "/2.0/repositories/*/*/pullrequests/*/comments";
const SOON: Duration = Duration::from_secs(5);

async fn say(simulator: &Simulator, raw: &str) -> std::io::Result<Reply> {
    let bearer = format!("Bearer {}", simulator.token());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let body = json!({"content": {"raw": raw}}).to_string();
    send_with(simulator, "POST", TARGET, &headers, &body).await
}

fn said(simulator: &Simulator, raw: &str) -> usize {
    let comments = simulator.pull_request("corner-shop/till", 4).comments().unwrap();
    comments.iter().filter(|comment| comment.raw == raw).count()
}

#[tokio::test]
async fn what_was_asked_is_done_and_the_answer_is_lost() {
    let simulator = demo().await;
    for (value, raw) in [(json!(null), "one"), (json!("reset"), "two")] {
        let order =
            json!({"fault": "lost_reply", "value": value, "route": ROUTE, "method": "POST", "times": 1});
        control(&simulator, "faults", &order.to_string()).await;
        // What is no POST does not meet it.
        assert_eq!(get(&simulator, TARGET).await.status, 200);
        assert_eq!(say(&simulator, raw).await.err().unwrap().kind(), ErrorKind::ConnectionReset);
        assert_eq!(said(&simulator, raw), 1);
    }
    simulator.faults().set(Fault::LostReply(Loss::Status(500)).method("POST").once());
    let reply = say(&simulator, "three").await.unwrap();
    assert_eq!((reply.status, reply.text().contains("<html>")), (500, true));
    simulator.faults().set(Fault::LostReply(Loss::Cut).on(ROUTE).once());
    let reply = say(&simulator, "four").await.unwrap();
    assert!(reply.status == 201 && !reply.whole && !reply.body.is_empty());
    assert_eq!((said(&simulator, "three"), said(&simulator, "four")), (1, 1));
    let log = simulator.requests();
    let lost: Vec<_> = log.iter().filter(|one| one.faults == ["lost_reply"]).map(|one| one.status).collect();
    assert_eq!(lost, [None, None, Some(500), Some(201)]);

    let own = format!(
        "{TARGET}/{}",
        simulator.pull_request("corner-shop/till", 4).comments().unwrap().last().unwrap().id
    );
    simulator.faults().set(Fault::LostReply(Loss::Cut).method("DELETE"));
    let bearer = format!("Bearer {}", simulator.token());
    let headers = [("authorization", bearer.as_str())];
    let error = send_with(&simulator, "DELETE", &own, &headers, "").await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(said(&simulator, "four"), 0);
}

#[tokio::test]
async fn an_answer_that_never_comes_lets_the_client_give_up() {
    let simulator = demo().await;
    let finished = async |count: usize| {
        let done = move |log: &[simulator::LoggedRequest]| {
            log.iter().filter(|one| one.finished.is_some()).count() == count
        };
        assert!(simulator.until(done, SOON).await, "{:?}", simulator.requests());
    };
    simulator.faults().set(Fault::LostReply(Loss::Timeout).times(2));
    let given_up = tokio::time::timeout(Duration::from_millis(200), say(&simulator, "one")).await;
    assert!(given_up.is_err());
    finished(1).await;
    assert_eq!((said(&simulator, "one"), simulator.requests()[0].status), (1, None));

    let release = async {
        while said(&simulator, "two") == 0 {
            tokio::task::yield_now().await;
        }
        simulator.faults().release();
    };
    let (reply, ()) = tokio::join!(say(&simulator, "two"), release);
    assert_eq!(reply.err().unwrap().kind(), ErrorKind::ConnectionReset);
    finished(2).await;
    assert_eq!(say(&simulator, "three").await.unwrap().status, 201);
}

#[tokio::test]
async fn a_late_answer_comes_after_the_effect() {
    let simulator = demo().await;
    control(&simulator, "faults", r#"{"fault": "late_reply", "times": 1}"#).await;
    let release = async {
        while said(&simulator, "one") == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(simulator.requests()[0].finished, None);
        simulator.faults().clear("late_reply");
    };
    let (reply, ()) = tokio::join!(say(&simulator, "one"), release);
    assert_eq!(reply.unwrap().status, 201);
    control(&simulator, "faults", r#"{"fault": "late_reply", "value": 80, "times": 1}"#).await;
    let start = Instant::now();
    assert_eq!(say(&simulator, "two").await.unwrap().status, 201);
    assert!(start.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn what_is_held_or_refused_takes_no_effect() {
    let simulator = demo().await;
    let faults = [Fault::Reset, Fault::Status(500), Fault::RateLimited(None), Fault::Unauthorized];
    for fault in faults {
        simulator.faults().set(fault.once());
        assert!(say(&simulator, "no").await.map_or(true, |reply| reply.status >= 400));
    }
    simulator.faults().set(Fault::Hold.once());
    let release = async {
        assert!(simulator.until(|log| log.len() == 5, SOON).await);
        assert_eq!(said(&simulator, "no"), 0);
        simulator.faults().release();
    };
    let (reply, ()) = tokio::join!(say(&simulator, "no"), release);
    assert_eq!((reply.unwrap().status, said(&simulator, "no")), (201, 1));
    simulator.faults().set(Fault::WrongTypes.once());
    assert!(say(&simulator, "odd").await.unwrap().json()["id"].is_string());
    assert_eq!(said(&simulator, "odd"), 1);
}
