//! Tasks that are sent, and the people of a workspace.

use serde_json::{Value, json};
use simulator::{Account, MARKER, Scenario, Simulator};

use crate::client::{control, get, write};
use crate::demo_for_two;

const TILL: &str = "corner-shop/till";
const TASKS: &str = "…/pullrequests/4/tasks";

#[tokio::test]
async fn tasks_are_written_changed_finished_and_deleted() {
    let simulator = demo_for_two().await;
    let comment = simulator.pull_request(TILL, 4).comment_id("limits").unwrap();
    let body = json!({"content": {"raw": "Do it"}, "comment": {"id": comment}});
    let made = write(&simulator, 0, "POST", TASKS, body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    assert_eq!(
        (made.get("type"), &made["pending"], &made["state"]),
        (None, &json!(true), &json!("UNRESOLVED"))
    );
    let members: Vec<&str> = made["comment"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((&made["comment"]["id"], members), (&json!(comment), vec!["id", "links"]));
    let general = write(&simulator, 0, "POST", TASKS, json!({"content": {"raw": "Or that"}})).await.json();
    assert_eq!(general.get("comment"), None);
    assert_eq!(get(&simulator, "…/pullrequests/4").await.json()["task_count"], 3);
    let resolve = format!("…/pullrequests/4/comments/{comment}/resolve");
    assert_eq!(write(&simulator, 0, "POST", &resolve, json!({})).await.status, 200);

    let own = format!("{TASKS}/{}", made["id"]);
    assert_eq!(get(&simulator, &own).await.json(), made, "a thread that is resolved finishes no task");
    let put = async |account: usize, body: Value| write(&simulator, account, "PUT", &own, body).await;
    let done = put(1, json!({"content": {"raw": "Do it"}, "state": "RESOLVED"})).await;
    assert_eq!((done.status, &done.json()["resolved_by"]["nickname"]), (200, &json!("ben")));
    assert_eq!(done.json()["resolved_on"], done.json()["updated_on"]);
    let again = put(0, json!({"content": {"raw": "Do it"}, "state": "RESOLVED"})).await;
    assert_eq!(again.json(), done.json());
    let open = put(0, json!({"content": {"raw": "Do it all"}, "state": "UNRESOLVED"})).await.json();
    assert_eq!((&open["state"], &open["resolved_by"]), (&json!("UNRESOLVED"), &Value::Null));
    assert_eq!(open["content"]["raw"], "Do it all");
    let kept = put(0, json!({"content": {"raw": "Do it all"}})).await.json();
    assert_eq!(kept, open);
    let written = simulator.pull_request(TILL, 4).tasks().unwrap();
    let one = written.iter().find(|task| made["id"] == task.id).unwrap();
    assert_eq!((one.edits.as_slice(), one.comment), (["Do it".to_owned()].as_slice(), Some(comment)));

    assert_eq!(write(&simulator, 0, "DELETE", &own, Value::Null).await.status, 204);
    for (method, body) in
        [("GET", Value::Null), ("PUT", json!({"content": {"raw": "x"}})), ("DELETE", Value::Null)]
    {
        let reply = write(&simulator, 0, method, &own, body).await;
        assert_eq!(
            (reply.status, reply.json()["error"]["message"].as_str()),
            (404, Some(&*made["id"].to_string()))
        );
    }
    assert_eq!(get(&simulator, TASKS).await.json()["size"], 3);
}

#[tokio::test]
async fn tasks_without_sense_are_refused() {
    let simulator = demo_for_two().await;
    let own = format!("{TASKS}/{}", get(&simulator, TASKS).await.json()["values"][0]["id"]);
    let before = simulator.pull_request(TILL, 4).tasks().unwrap();
    for body in [
        json!({}),
        json!({"state": "RESOLVED"}),
        json!({"content": {"raw": " "}}),
        json!({"content": {"raw": 1}}),
    ] {
        for (method, target) in [("POST", TASKS), ("PUT", own.as_str())] {
            let reply = write(&simulator, 0, method, target, body.clone()).await;
            assert_eq!(
                (reply.status, reply.json()["error"]["fields"].is_object()),
                (400, true),
                "{method} {body}"
            );
        }
    }
    let ajar = json!({"content": {"raw": "x"}, "state": "AJAR"});
    assert_eq!(write(&simulator, 0, "PUT", &own, ajar).await.status, 400);
    let lost = json!({"content": {"raw": "x"}, "comment": {"id": 5}});
    assert_eq!(write(&simulator, 0, "POST", TASKS, lost).await.status, 404);
    assert_eq!(simulator.pull_request(TILL, 4).tasks().unwrap(), before);
}

#[tokio::test]
async fn suites_in_other_languages_change_tasks_too() {
    let simulator = demo_for_two().await;
    let made = control(&simulator, "tasks", r#"{"author": "cleo", "text": "Look"}"#).await;
    control(&simulator, "tasks/edit", &json!({"task": made["id"], "text": "Look twice"}).to_string()).await;
    let listed =
        get(&simulator, "/_simulator/tasks?repository=corner-shop%2Ftill&pull_request=4").await.json();
    let last = listed.as_array().unwrap().last().unwrap();
    assert_eq!(
        last,
        &json!({
            "id": made["id"], "author": "cleo", "raw": "Look twice", "edits": ["Look"], "comment": null,
            "resolved_by": null,
        })
    );
    control(&simulator, "tasks/delete", &json!({"task": made["id"]}).to_string()).await;
    assert_eq!(get(&simulator, "/_simulator/tasks").await.json().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn members_are_the_people_of_the_scenario() {
    let mut scenario = Scenario::demo();
    scenario.users[2].outside = true;
    let account = |user: &str, scopes: &[&str]| Account {
        user: user.into(),
        token: format!("{user}-{}-{MARKER}", scopes.len()),
        scopes: Some(scopes.iter().map(|&scope| scope.to_owned()).collect()),
        ..Account::default()
    };
    scenario.accounts = vec![
        account("ana", &["account"]),
        account("cleo", &["account"]),
        account("ana", &["pullrequest", "repository"]),
    ];
    let mut simulator = Simulator::start(scenario).await.unwrap();
    simulator.check_against_openapi();
    let members = "/2.0/workspaces/corner-shop/members?pagelen=1";
    let page = get(&simulator, members).await.json();
    let member = &page["values"][0];
    assert_eq!((&page["size"], &member["type"]), (&json!(2), &json!("workspace_membership")));
    assert_eq!(
        (&member["user"]["nickname"], &member["workspace"]["slug"]),
        (&json!("ana"), &json!("corner-shop"))
    );
    let next = get(&simulator, page["next"].as_str().unwrap()).await.json();
    assert_eq!((&next["values"][0]["user"]["nickname"], next.get("next")), (&json!("ben"), None));
    let status = async |account: usize, target: &str| {
        write(&simulator, account, "GET", target, Value::Null).await.status
    };
    assert_eq!(status(1, members).await, 403);
    assert_eq!(status(2, members).await, 403);
    assert_eq!(status(0, "/2.0/workspaces/elsewhere/members").await, 404);
    let user = &member["user"];
    for id in [&user["uuid"], &user["account_id"]] {
        let id = id.as_str().unwrap().replace('{', "%7B").replace('}', "%7D");
        assert_eq!(&get(&simulator, &format!("/2.0/users/{id}")).await.json(), user);
    }
    assert_eq!(status(0, "/2.0/users/nobody").await, 404);
}

#[tokio::test]
async fn api_tokens_need_a_scope_of_their_own_for_members() {
    let mut scenario = Scenario::demo();
    let account = |scopes: &[&str]| Account {
        user: "ana".into(),
        token: format!("{}-{MARKER}", scopes.len()),
        email: Some("ana@shop.test".into()),
        scopes: Some(scopes.iter().map(|&scope| scope.to_owned()).collect()),
        ..Account::default()
    };
    scenario.accounts =
        vec![account(&["read:workspace:bitbucket"]), account(&["read:user:bitbucket", "read:x"])];
    let simulator = Simulator::start(scenario).await.unwrap();
    // `ana@shop.test:` with `1-` or `2-` and the marker.
    for (pair, status) in
        [("YW5hQHNob3AudGVzdDoxLWM0bjRyeVQwazNu", 200), ("YW5hQHNob3AudGVzdDoyLWM0bjRyeVQwazNu", 403)]
    {
        let basic = format!("Basic {pair}");
        let target = "/2.0/workspaces/corner-shop/members";
        let reply = crate::client::send(&simulator, "GET", target, Some(&basic), "").await.unwrap();
        assert_eq!(reply.status, status, "{}", reply.text());
    }
}
