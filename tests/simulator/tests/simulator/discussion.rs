//! Comments and what other people do while a client looks on.

use serde_json::{Value, json};
use simulator::{Comment, Scenario, Side, Simulator, Status, Task, Vote};

use crate::client::{control, get};
use crate::demo;

const TILL: &str = "corner-shop/till";

async fn comments(simulator: &Simulator) -> Vec<Value> {
    let page = get(simulator, "…/pullrequests/4/comments?pagelen=100").await.json();
    page["values"].as_array().unwrap().clone()
}

async fn comment(simulator: &Simulator, name: &str) -> Value {
    let id = simulator.pull_request(TILL, 4).comment_id(name).unwrap();
    comments(simulator).await.into_iter().find(|comment| comment["id"] == id).unwrap()
}

#[tokio::test]
async fn comments_stand_on_the_lines_that_they_quote() {
    let simulator = demo().await;
    let lines = async |name: &str| {
        let inline = comment(&simulator, name).await["inline"].clone();
        ["start_from", "from", "start_to", "to"].map(|member| inline[member].as_u64())
    };
    assert_eq!(lines("rounding").await, [None, None, Some(15), Some(16)]);
    assert_eq!(lines("word").await, [None, Some(15), None, None]);
    assert_eq!(lines("names").await, [None; 4]);
    assert_eq!(comment(&simulator, "friday").await.get("inline"), None);
    let head = simulator.repository(TILL).commit("discounts").unwrap();
    let first = simulator.repository(TILL).commit("discounts-first").unwrap();
    let code = |comment: &Value| comment["links"]["code"]["href"].as_str().unwrap().to_owned();
    let main = simulator.repository(TILL).commit("main").unwrap();
    let outdated = comment(&simulator, "negative").await;
    let pair = format!("/diff/corner-shop/till:{}..{}?path=till%2Fdiscounts.py", &first[..12], &main[..12]);
    assert!(code(&outdated).ends_with(&pair), "{} {pair}", code(&outdated));
    assert!(code(&comment(&simulator, "rounding").await).contains(&head[..12]));
    assert_eq!(outdated["inline"].get("outdated"), None);
    let alone = get(&simulator, &format!("…/pullrequests/4/comments/{}", outdated["id"])).await.json();
    assert_eq!(alone["inline"]["outdated"], true);
    assert_eq!(comment(&simulator, "import").await["resolution"]["user"]["nickname"], "ana");
}

#[tokio::test]
async fn other_people_go_on_talking() {
    let simulator = demo().await;
    let pull_request = simulator.pull_request(TILL, 4);
    let before = get(&simulator, "…/pullrequests/4").await.json();
    let new = Comment {
        author: "cleo".into(),
        text: "New".into(),
        file: Some("till/receipt.py".into()),
        on: Some("WIDTH = 32".into()),
        side: Some(Side::Both),
        ..Comment::default()
    };
    let id = pull_request.add_comment(&new).unwrap();
    let found = comments(&simulator).await;
    let last = found.last().unwrap();
    assert_eq!(
        (&last["id"], &last["inline"]["from"], &last["inline"]["to"]),
        (&json!(id), &json!(5), &json!(5))
    );
    let reply = Comment {
        author: "ana".into(),
        text: "Yes".into(),
        reply_to: Some(id.to_string()),
        ..Comment::default()
    };
    let reply = pull_request.add_comment(&reply).unwrap();
    let after = get(&simulator, "…/pullrequests/4").await.json();
    assert_eq!(after["comment_count"], before["comment_count"].as_u64().unwrap() + 2);
    assert_ne!(after["updated_on"], before["updated_on"]);

    pull_request.edit_comment(reply, "Yes, yes").unwrap();
    pull_request.delete_comment(id).unwrap();
    pull_request.resolve(pull_request.comment_id("order").unwrap(), "ben").unwrap();
    assert!(pull_request.resolve(reply, "ben").is_err());
    let found = comments(&simulator).await;
    let of = |id: u64| found.iter().find(|comment| comment["id"] == id).unwrap();
    assert_eq!((&of(id)["deleted"], &of(id)["content"]["raw"]), (&json!(true), &json!("")));
    assert_eq!(of(id)["updated_on"], of(id)["created_on"]);
    assert_eq!((&of(reply)["parent"]["id"], &of(reply)["content"]["raw"]), (&json!(id), &json!("Yes, yes")));
    assert_eq!(comment(&simulator, "order").await["resolution"]["user"]["nickname"], "ben");

    let task =
        Task { text: "Look".into(), author: "ben".into(), comment: Some("word".into()), ..Task::default() };
    let task = pull_request.add_task(&task).unwrap();
    pull_request.finish_task(task, Some("ana")).unwrap();
    let tasks = get(&simulator, "…/pullrequests/4/tasks?pagelen=100").await.json();
    let last = tasks["values"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["state"], last.get("type"), &last["pending"]),
        (&json!("RESOLVED"), None, &json!(true))
    );
    assert_eq!(get(&simulator, &format!("…/pullrequests/4/tasks/{task}")).await.json(), last);

    pull_request.vote("cleo", Some(Vote::Approved)).unwrap();
    let participants = get(&simulator, "…/pullrequests/4").await.json()["participants"].clone();
    assert!(participants.as_array().unwrap().iter().filter(|one| one["approved"] == true).count() == 2);
    let status = Status { key: "tests".into(), state: "INPROGRESS".into(), ..Status::default() };
    pull_request.set_status(&status).unwrap();
    let builds = get(&simulator, "…/pullrequests/4/statuses").await.json();
    assert_eq!((&builds["size"], &builds["values"][1]["state"]), (&json!(2), &json!("INPROGRESS")));
}

#[tokio::test]
async fn pushes_move_the_pull_request_and_merging_closes_it() {
    let simulator = demo().await;
    let repository = simulator.repository(TILL);
    let head = async || {
        get(&simulator, "…/pullrequests/4?fields=source.commit.hash").await.json()["source"]["commit"]["hash"]
            .clone()
    };
    let pushed = repository
        .push_commit("discounts", "More", &[("till/more.py", Some("more\n")), ("README.md", None)])
        .unwrap();
    assert_eq!(head().await, pushed[..12]);
    assert_eq!(get(&simulator, &format!("…/src/{pushed}/README.md")).await.status, 404);
    assert_eq!(get(&simulator, "…/pullrequests/4/statuses").await.json()["size"], 0);
    let rewritten =
        repository.force_push("discounts", "start", "Again", &[("till/more.py", Some("again\n"))]).unwrap();
    assert_eq!(head().await, rewritten[..12]);
    assert_eq!(get(&simulator, &format!("…/src/{pushed}/till/more.py")).await.text(), "more\n");
    let merged = simulator.pull_request(TILL, 4).merge("ben").unwrap();
    let pull_request = get(&simulator, "…/pullrequests/4").await.json();
    assert_eq!(
        (&pull_request["state"], &pull_request["merge_commit"]["hash"]),
        (&json!("MERGED"), &json!(merged[..12]))
    );
    assert_eq!(get(&simulator, "…/src/main/till/more.py").await.text(), "again\n");
    assert!(simulator.pull_request(TILL, 4).decline("ben").is_err());
    assert_eq!(get(&simulator, "…/pullrequests").await.json()["size"], 0);
}

#[tokio::test]
async fn a_scenario_that_contradicts_itself_says_where() {
    for (change, expected) in [
        ("on = 'percent: int'", "on = 'absent'"),
        ("reply_to = 'order'", "reply_to = 'nobody'"),
        ("author = 'cleo'", "author = 'zoe'"),
    ]
    .map(|(from, to)| (from.replace('\'', "\""), to.replace('\'', "\"")))
    {
        let text = include_str!("../../../fixtures/demo.toml");
        assert!(text.contains(&change), "{change}");
        let scenario = Scenario::parse(&text.replacen(&change, &expected, 1)).unwrap();
        let error = Simulator::start(scenario).await.err().expect(&expected);
        let word = expected.split('"').nth(1).unwrap();
        assert!(format!("{error:#}").contains(word), "{error:#}");
    }
}

#[tokio::test]
async fn the_same_scenario_has_the_same_hashes() {
    let (one, other) = (demo().await, demo().await);
    let hash = |simulator: &Simulator| simulator.repository(TILL).commit("discounts").unwrap();
    assert_eq!(hash(&one), hash(&other));
    let tiny = "
        user = [{ id = 'ana', name = 'Ana' }]
        [[repository]]
        name = 'a/b'
        commit = [{ branch = 'main', message = 'one', date = '2026-11-20 09:30', write = { f = 'x' } }]
    ";
    let tiny = Simulator::start(Scenario::parse(tiny).unwrap()).await.unwrap();
    assert_eq!(tiny.repository("a/b").commit("main-1").unwrap(), "04e254d97f0e856dd1800b8ac4f311359404fa7b");
}

#[tokio::test]
async fn suites_in_other_languages_have_the_same_means() {
    let simulator = demo().await;
    let made = control(
        &simulator,
        "comments",
        r#"{"author": "ben", "text": "Hi", "file": "README.md", "on": "Adds up"}"#,
    )
    .await;
    let found = comments(&simulator).await;
    assert_eq!(found.last().unwrap()["id"], made["id"]);
    control(&simulator, "comments/edit", &json!({"comment": made["id"], "text": "Ho"}).to_string()).await;
    control(&simulator, "comments/resolve", r#"{"comment": "order", "by": "ben"}"#).await;
    control(&simulator, "comments/delete", r#"{"comment": "word"}"#).await;
    control(&simulator, "tasks", r#"{"author": "ben", "text": "Do it", "comment": "order"}"#).await;
    control(&simulator, "statuses", r#"{"key": "x", "state": "STOPPED"}"#).await;
    control(&simulator, "vote", r#"{"user": "ben", "vote": null}"#).await;
    let pushed =
        control(&simulator, "push", r#"{"branch": "discounts", "files": {"a": "b", "README.md": null}}"#)
            .await;
    control(&simulator, "faults", r#"{"fault": "status", "value": 555, "route": "/2.0/user", "times": 1}"#)
        .await;
    assert_eq!(get(&simulator, "/2.0/user").await.status, 555);
    assert_eq!(get(&simulator, "/2.0/user").await.status, 200);
    let pull_request = get(&simulator, "…/pullrequests/4").await.json();
    assert_eq!(pull_request["source"]["commit"]["hash"], pushed["hash"].as_str().unwrap()[..12]);
    assert_eq!(pull_request["task_count"], 2);
    assert_eq!(comment(&simulator, "word").await["deleted"], true);
    assert_eq!(comments(&simulator).await.last().unwrap()["content"]["raw"], "Ho");
    let log = get(&simulator, "/_simulator/requests").await.json();
    assert_eq!(log[1]["status"], 555);
    control(&simulator, "decline", r#"{"by": "ben"}"#).await;
    assert_eq!(get(&simulator, "…/pullrequests/4").await.json()["state"], "DECLINED");
    let bad = crate::client::send(&simulator, "POST", "/_simulator/faults", None, r#"{"fault": "gremlins"}"#)
        .await
        .unwrap();
    assert_eq!(bad.status, 400);
}
