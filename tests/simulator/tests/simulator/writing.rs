//! Comments that are sent: what is answered, what is refused, what changes.

use serde_json::{Value, json};
use simulator::{Account, Comment, MARKER, Scenario, Simulator};

use crate::client::{control, get, send_with, write};
use crate::{demo, demo_for_two};

const TILL: &str = "corner-shop/till";
const COMMENTS: &str = "…/pullrequests/4/comments";

async fn say(simulator: &Simulator, body: Value) -> Value {
    let reply = write(simulator, 0, "POST", COMMENTS, body).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn of(comment: &Value) -> String {
    format!("{COMMENTS}/{}", comment["id"])
}

#[tokio::test]
async fn a_new_comment_is_answered_as_recorded() {
    let simulator = demo().await;
    let before = get(&simulator, "…/pullrequests/4").await.json();
    let said = say(&simulator, json!({"content": {"raw": "**Well**"}})).await;
    let recorded = [
        "content",
        "created_on",
        "deleted",
        "id",
        "links",
        "pending",
        "pullrequest",
        "type",
        "updated_on",
        "user",
    ];
    assert_eq!(keys(&said), recorded);
    assert_eq!(keys(&said["pullrequest"]), ["draft", "id", "links", "queued", "title", "type"]);
    assert_eq!((&said["user"]["nickname"], &said["content"]["raw"]), (&json!("ana"), &json!("**Well**")));
    assert_eq!((&said["deleted"], &said["pending"]), (&json!(false), &json!(false)));
    let after = get(&simulator, "…/pullrequests/4").await.json();
    assert_eq!(after["comment_count"], before["comment_count"].as_u64().unwrap() + 1);
    assert!(after["updated_on"].as_str() > before["updated_on"].as_str());
    assert_eq!(get(&simulator, &of(&said)).await.json(), said);

    let place = json!({"path": "till/cart.py", "start_to": 3, "to": 4});
    let said = say(&simulator, json!({"content": {"raw": "Here"}, "inline": place})).await;
    let head = simulator.repository(TILL).commit("discounts").unwrap();
    let main = simulator.repository(TILL).commit("main").unwrap();
    let inline = json!({
        "path": "till/cart.py", "from": null, "to": 4, "start_from": null, "start_to": 3, "outdated": false,
        "context_lines": "", "src_rev": head[..12], "dest_rev": main[..12], "base_rev": null,
    });
    assert_eq!(said["inline"], inline);
    assert!(said["links"]["code"]["href"].as_str().unwrap().contains(&head[..12]));
}

#[tokio::test]
async fn replies_stand_where_their_parents_stand() {
    let simulator = demo().await;
    let parent = simulator.pull_request(TILL, 4).comment_id("negative").unwrap();
    let reply = say(&simulator, json!({"content": {"raw": "No"}, "parent": {"id": parent}})).await;
    let whole = get(&simulator, &format!("{COMMENTS}/{parent}")).await.json();
    assert_eq!((&reply["parent"]["id"], &reply["inline"]), (&json!(parent), &whole["inline"]));
    assert_eq!(reply["inline"]["outdated"], true);
    let place = json!({"path": "README.md", "to": 1});
    let again = json!({"content": {"raw": "Really"}, "parent": {"id": reply["id"]}, "inline": place});
    let again = say(&simulator, again).await;
    assert_eq!((&again["parent"]["id"], &again["inline"]), (&reply["id"], &reply["inline"]));
    let general = simulator.pull_request(TILL, 4).comment_id("friday").unwrap();
    let reply = say(&simulator, json!({"content": {"raw": "Fine"}, "parent": {"id": general}})).await;
    assert_eq!(reply.get("inline"), None);

    let lost =
        write(&simulator, 0, "POST", COMMENTS, json!({"content": {"raw": "x"}, "parent": {"id": 5}})).await;
    assert_eq!((lost.status, &lost.json()["error"]["message"]), (404, &json!("5")));
    simulator.pull_request(TILL, 4).delete_comment(general).unwrap();
    let body = json!({"content": {"raw": "x"}, "parent": {"id": general}});
    assert_eq!(write(&simulator, 0, "POST", COMMENTS, body).await.status, 404);
}

#[tokio::test]
async fn bodies_without_sense_are_refused() {
    let simulator = demo().await;
    let known = say(&simulator, json!({"content": {"raw": "Mine"}})).await;
    let long = "é".repeat(32_768);
    let longer = format!("{long}!");
    let cases = [
        (json!({}), "content"),
        (json!({"content": null}), "content"),
        (json!({"content": "text"}), "content"),
        (json!({"content": {}}), "content.raw"),
        (json!({"content": {"raw": 5}}), "content.raw"),
        (json!({"content": {"raw": ""}}), "content.raw"),
        (json!({"content": {"raw": " \n\t"}}), "content.raw"),
        (json!({"content": {"raw": longer}}), "content.raw"),
    ];
    for (body, field) in cases {
        for (method, target) in [("POST", COMMENTS.to_owned()), ("PUT", of(&known))] {
            let reply = write(&simulator, 0, method, &target, body.clone()).await;
            let error = reply.json()["error"].clone();
            assert_eq!((reply.status, keys(&error["fields"])), (400, vec![field]), "{method} {error}");
        }
    }
    let parent = json!({"content": {"raw": "x"}, "parent": 5});
    assert_eq!(write(&simulator, 0, "POST", COMMENTS, parent).await.status, 400);
    say(&simulator, json!({"content": {"raw": long}})).await;
    assert_eq!(get(&simulator, &of(&known)).await.json(), known);

    let bearer = format!("Bearer {}", simulator.token());
    let target = "/2.0/repositories/corner-shop/till/pullrequests/4/comments";
    let resolve = format!("{target}/{}/resolve", known["id"]);
    let kind = ("content-type", "application/json");
    for (target, body) in [(target, ""), (target, "{"), (target, "[]"), (resolve.as_str(), "")] {
        let headers = [("authorization", bearer.as_str()), kind];
        let reply = send_with(&simulator, "POST", target, &headers, body).await.unwrap();
        assert_eq!((reply.status, reply.text().as_str()), (400, "Bad Request"), "{target} {body}");
        assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
    }
    // JSON that does not say so is a form without a name that counts.
    let headers = [("authorization", bearer.as_str())];
    let reply =
        send_with(&simulator, "POST", target, &headers, r#"{"content": {"raw": "x"}}"#).await.unwrap();
    assert_eq!(reply.json()["error"]["fields"], json!({"content": "required key not provided"}));
}

#[tokio::test]
async fn comments_are_changed_and_deleted_by_their_authors() {
    let simulator = demo_for_two().await;
    let place = json!({"path": "till/cart.py", "to": 4});
    let said = say(&simulator, json!({"content": {"raw": "One"}, "inline": place})).await;
    let own = of(&said);
    let text = |raw: &str| json!({"content": {"raw": raw}});
    let changed = write(&simulator, 0, "PUT", &own, text("Two")).await;
    assert_eq!((changed.status, &changed.json()["content"]["raw"]), (200, &json!("Two")));
    assert!(changed.json()["updated_on"].as_str() > said["updated_on"].as_str());
    assert_eq!(changed.json()["created_on"], said["created_on"]);

    let mut body = text("Three");
    body["inline"] = place;
    assert_eq!(write(&simulator, 0, "PUT", &own, body.clone()).await.status, 200);
    body["inline"]["to"] = 5.into();
    let moved = write(&simulator, 0, "PUT", &own, body.clone()).await;
    assert_eq!((moved.status, keys(&moved.json()["error"]["fields"])), (400, vec!["inline"]));
    let general = say(&simulator, text("General")).await;
    assert_eq!(write(&simulator, 0, "PUT", &of(&general), body).await.status, 400);

    for (method, body) in [("PUT", text("Ha")), ("DELETE", Value::Null)] {
        assert_eq!(write(&simulator, 1, method, &own, body).await.status, 403);
    }
    let before = get(&simulator, "…/pullrequests/4").await.json();
    let gone = write(&simulator, 0, "DELETE", &own, Value::Null).await;
    assert_eq!((gone.status, gone.text().as_str(), gone.header("content-length")), (204, "", None));
    let after = get(&simulator, "…/pullrequests/4").await.json();
    assert_eq!(after["comment_count"], before["comment_count"].as_u64().unwrap() - 1);
    let deleted = get(&simulator, &own).await.json();
    assert_eq!((&deleted["deleted"], &deleted["content"]["raw"]), (&json!(true), &json!("")));
    for (method, body) in [("PUT", text("Back")), ("DELETE", Value::Null)] {
        let reply = write(&simulator, 0, method, &own, body).await;
        let message = said["id"].to_string();
        assert_eq!((reply.status, &reply.json()["error"]["message"]), (404, &json!(message)));
    }
    assert_eq!(write(&simulator, 0, "PUT", &format!("{COMMENTS}/5"), text("x")).await.status, 404);

    let written = simulator.pull_request(TILL, 4).comments_after(said["id"].as_u64().unwrap() - 1).unwrap();
    assert_eq!(written[0].edits, ["One", "Two", "Three"]);
    assert!(written[0].deleted && written[0].raw.is_empty() && written[0].author == "ana");
    // An edit's date moves, a deletion's does not.
    assert_ne!(deleted["updated_on"], said["updated_on"]);
    assert_eq!(get(&simulator, &own).await.json()["updated_on"], deleted["updated_on"]);
}

#[tokio::test]
async fn threads_are_resolved_and_reopened_by_anybody() {
    let simulator = demo_for_two().await;
    let pull_request = simulator.pull_request(TILL, 4);
    for name in ["rounding", "friday"] {
        let resolve = format!("{COMMENTS}/{}/resolve", pull_request.comment_id(name).unwrap());
        let reply = write(&simulator, 1, "POST", &resolve, json!({})).await;
        assert_eq!((reply.status, keys(&reply.json())), (200, vec!["created_on", "type", "user"]));
        assert_eq!(reply.json()["user"]["nickname"], "ben");
        let again = write(&simulator, 0, "POST", &resolve, Value::Null).await;
        let message = json!("Comment has already been resolved.");
        assert_eq!((again.status, &again.json()["error"]["message"]), (409, &message));
        assert_eq!(write(&simulator, 0, "DELETE", &resolve, Value::Null).await.status, 204);
        assert_eq!(write(&simulator, 0, "DELETE", &resolve, Value::Null).await.status, 404);
    }
    let reply = Comment {
        author: "ben".into(),
        text: "Yes".into(),
        reply_to: Some("rounding".into()),
        ..Comment::default()
    };
    let reply = pull_request.add_comment(&reply).unwrap();
    for method in ["POST", "DELETE"] {
        let refused = write(&simulator, 0, method, &format!("{COMMENTS}/{reply}/resolve"), Value::Null).await;
        let message = json!("Comment is not a top-level comment");
        assert_eq!((refused.status, &refused.json()["error"]["message"]), (403, &message));
        let missing = write(&simulator, 0, method, &format!("{COMMENTS}/5/resolve"), Value::Null).await;
        assert_eq!(missing.status, 404);
    }
}

#[tokio::test]
async fn who_may_read_may_write() {
    let mut scenario = Scenario::demo();
    let account = |user: &str, token: &str, scopes: &[&str]| Account {
        user: user.into(),
        token: format!("{token}-{MARKER}"),
        scopes: Some(scopes.iter().map(|&scope| scope.to_owned()).collect()),
        ..Account::default()
    };
    scenario.accounts = vec![
        account("ana", "reads", &["pullrequest"]),
        account("ana", "narrow", &["account", "repository"]),
        account("cleo", "stranger", &["pullrequest:write"]),
    ];
    scenario.repositories[0].visible_to = Some(vec!["ana".into()]);
    let simulator = Simulator::start(scenario).await.unwrap();
    let text = || json!({"content": {"raw": "x"}});
    let status =
        async |account: usize, target: &str| write(&simulator, account, "POST", target, text()).await.status;
    assert_eq!(status(0, COMMENTS).await, 201);
    assert_eq!(status(2, COMMENTS).await, 404);
    assert_eq!(status(0, "…/pullrequests/99/comments").await, 404);
    let narrow = write(&simulator, 1, "POST", COMMENTS, text()).await;
    assert_eq!(
        (narrow.status, &narrow.json()["error"]["detail"]["required"]),
        (403, &json!(["pullrequest"]))
    );
    let target = "/2.0/repositories/corner-shop/till/pullrequests/4/comments";
    let kind = [("content-type", "application/json")];
    let nobody = send_with(&simulator, "POST", target, &kind, &text().to_string()).await.unwrap();
    assert_eq!(nobody.status, 401);

    control(&simulator, "lock", "").await;
    assert_eq!(status(0, COMMENTS).await, 403);
    assert_eq!(status(0, "…/pullrequests/4/tasks").await, 403);
    assert_eq!(get(&simulator, COMMENTS).await.status, 200);
    control(&simulator, "lock", r#"{"locked": false}"#).await;
    simulator.pull_request(TILL, 4).merge("ben").unwrap();
    assert_eq!(status(0, COMMENTS).await, 201);
    assert!(simulator.unexpected().is_empty());
    assert_eq!(write(&simulator, 0, "PATCH", COMMENTS, text()).await.status, 404);
    assert_eq!(simulator.unexpected().len(), 1);
}
