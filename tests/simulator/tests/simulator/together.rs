//! Several people at once, and very many comments.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulator::{Comment, Scenario, Simulator};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::client::{control, get, write};
use crate::demo_for_two;

const TILL: &str = "corner-shop/till";
const COMMENTS: &str = "…/pullrequests/4/comments";

#[tokio::test]
async fn people_write_at_once_and_nothing_is_lost() {
    let simulator = demo_for_two().await;
    let before = simulator.pull_request(TILL, 4).comments().unwrap().len();
    let ask = async |account: usize| {
        let mut ids = Vec::new();
        for number in 0..40 {
            let body = json!({"content": {"raw": format!("{account} says {number}")}});
            let reply = write(&simulator, account, "POST", COMMENTS, body).await;
            ids.push(reply.json()["id"].as_u64().unwrap());
        }
        ids
    };
    let others = async {
        let mut ids = Vec::new();
        for number in 0..40 {
            let new = json!({"author": "cleo", "text": format!("cleo says {number}"), "reply_to": "friday"});
            let id = control(&simulator, "comments", &new.to_string()).await["id"].as_u64().unwrap();
            control(&simulator, "comments/edit", &json!({"comment": id, "text": "changed"}).to_string())
                .await;
            if number % 2 == 0 {
                control(&simulator, "comments/delete", &json!({"comment": id}).to_string()).await;
            }
            let by = if number % 2 == 0 { json!("cleo") } else { Value::Null };
            control(&simulator, "comments/resolve", &json!({"comment": "friday", "by": by}).to_string())
                .await;
            ids.push(id);
        }
        ids
    };
    let (ana, ben, cleo) = tokio::join!(ask(0), ask(1), others);
    let all: HashSet<u64> = ana.iter().chain(&ben).chain(&cleo).copied().collect();
    assert_eq!(all.len(), 120);
    let written = simulator.pull_request(TILL, 4).comments().unwrap();
    assert_eq!(written.len(), before + 120);
    for (author, ids) in [("ana", &ana), ("ben", &ben), ("cleo", &cleo)] {
        let found: Vec<u64> =
            written[before..].iter().filter(|one| one.author == author).map(|one| one.id).collect();
        assert_eq!(&found, ids);
    }
    assert_eq!(written.iter().filter(|one| one.deleted).count(), 20);

    // The same by control, and only what is new.
    let last = ben[20];
    let target = format!("/_simulator/comments?pull_request=4&after={last}");
    let listed = get(&simulator, &target).await.json();
    let expected = simulator.pull_request(TILL, 4).comments_after(last).unwrap();
    assert_eq!(listed, serde_json::to_value(&expected).unwrap());
    assert!(expected.len() >= 19 && expected.iter().all(|comment| comment.id > last));
    assert_eq!(get(&simulator, "/_simulator/comments?pull_request=99").await.status, 400);
}

/// Posts over one connection, as a client that keeps it does.
async fn post_many(simulator: &Simulator, count: usize, inline: &Value) {
    let host = simulator.web_url().trim_start_matches("http://").to_owned();
    let mut stream = BufReader::new(TcpStream::connect(&host).await.unwrap());
    let path = COMMENTS.replace('…', "/2.0/repositories/corner-shop/till");
    let token = simulator.token();
    for number in 0..count {
        let body = json!({"content": {"raw": format!("posted {number}")}, "inline": inline}).to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.get_mut().write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        let (mut length, mut line, mut first) = (0, String::new(), String::new());
        while line != "\r\n" {
            line.clear();
            assert_ne!(stream.read_line(&mut line).await.unwrap(), 0, "the connection ended");
            first = if first.is_empty() { line.clone() } else { first };
            length =
                line.strip_prefix("content-length: ").map_or(length, |text| text.trim().parse().unwrap());
        }
        assert!(first.contains(" 201 "), "{first}");
        stream.read_exact(&mut vec![0; length]).await.unwrap();
    }
}

/// `SIMULATOR_POSTS` is how many are posted; 2,000 if it is not set.
#[tokio::test]
async fn twenty_thousand_comments_do_not_slow_down_the_next_ones() {
    let posts = std::env::var("SIMULATOR_POSTS").map_or(2000, |text| text.parse().unwrap());
    let mut scenario = Scenario::demo();
    let many = (0..20_000).map(|number| Comment {
        author: "ben".into(),
        text: format!("number {number}"),
        file: Some("till/cart.py".into()),
        lines: Some([1, 1]),
        ..Comment::default()
    });
    scenario.pull_requests[0].comments = many.collect();
    scenario.pull_requests[0].tasks.clear();
    let simulator = Simulator::start(scenario).await.unwrap();
    let start = Instant::now();
    let inline = json!({"path": "till/cart.py", "start_to": 2, "to": 4});
    let half = posts / 2;
    tokio::join!(post_many(&simulator, half, &inline), post_many(&simulator, posts - half, &inline));
    let took = start.elapsed();
    // 10,000 in less than a minute, on a machine that has other things to do.
    let limit = Duration::from_millis(6 * u64::try_from(posts).unwrap()).max(Duration::from_secs(2));
    assert!(took < limit, "{posts} posts took {took:?}");
    let start = Instant::now();
    assert_eq!(simulator.pull_request(TILL, 4).comments().unwrap().len(), 20_000 + posts);
    assert_eq!(
        get(&simulator, "/_simulator/comments").await.json().as_array().unwrap().len(),
        20_000 + posts
    );
    assert!(start.elapsed() < Duration::from_secs(10), "the list took {:?}", start.elapsed());
    #[expect(clippy::print_stderr, reason = "the time is what is asked for")]
    {
        eprintln!("{posts} posts took {took:?}, the two lists {:?}", start.elapsed());
    }
}
