//! Git over HTTP, with a real git.

use simulator::{Scenario, Simulator, git};

use crate::client::send;
use crate::demo;

const TILL: &str = "corner-shop/till";

#[tokio::test]
async fn a_clone_is_a_clone() {
    let simulator = demo().await;
    let folder = tempfile::tempdir().unwrap();
    let clone = simulator.clone_to(&folder.path().join("a").join("till"), TILL, "discounts").unwrap();
    assert_eq!(git::run(&clone, &["remote", "get-url", "origin"]).unwrap(), simulator.remote_url(TILL));
    assert_eq!(
        git::run(&clone, &["rev-parse", "HEAD"]).unwrap(),
        simulator.repository(TILL).commit("discounts").unwrap()
    );
    assert!(git::run(&clone, &["rev-parse", "--abbrev-ref", "@{upstream}"]).unwrap() == "origin/discounts");
    let config = std::fs::read_to_string(clone.join(".git/config")).unwrap();
    assert!(!config.contains(&simulator.token()), "{config}");
    let pushed =
        simulator.repository(TILL).push_commit("discounts", "More", &[("new.py", Some("x\n"))]).unwrap();
    simulator.git(&clone, &["pull", "--quiet"]).unwrap();
    assert_eq!(git::run(&clone, &["rev-parse", "HEAD"]).unwrap(), pushed);
    let shallow = folder.path().join("shallow");
    let url = simulator.remote_url(TILL);
    simulator
        .git(folder.path(), &["clone", "-q", "--depth", "1", "-b", "discounts", &url, "shallow"])
        .unwrap();
    assert_eq!(git::run(&shallow, &["rev-list", "--count", "HEAD"]).unwrap(), "1");
}

#[tokio::test]
async fn strangers_get_the_challenge_and_readers_do_not_push() {
    let simulator = demo().await;
    let target = "/corner-shop/till.git/info/refs?service=git-upload-pack";
    let reply = send(&simulator, "GET", target, None, "").await.unwrap();
    assert_eq!(
        (reply.status, reply.header("www-authenticate")),
        (401, Some("Basic realm=\"Bitbucket.org HTTP\""))
    );
    let bearer = format!("Bearer {}", simulator.token());
    let reply = send(&simulator, "GET", target, Some(&bearer), "").await.unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/x-git-upload-pack-advertisement"));
    let push = "/corner-shop/till.git/info/refs?service=git-receive-pack";
    assert_eq!(send(&simulator, "GET", push, Some(&bearer), "").await.unwrap().status, 403);
    let outside = "/..%2Fcorner-shop/till.git/info/refs?service=git-upload-pack";
    assert_eq!(send(&simulator, "GET", outside, Some(&bearer), "").await.unwrap().status, 404);
    let absent = "/corner-shop/absent.git/info/refs?service=git-upload-pack";
    assert_eq!(send(&simulator, "GET", absent, Some(&bearer), "").await.unwrap().status, 404);
}

#[tokio::test]
async fn who_may_write_pushes_and_pull_requests_follow() {
    let mut scenario = Scenario::demo();
    scenario.accounts = vec![simulator::Account {
        user: "ana".into(),
        token: format!("writer-{}", simulator::MARKER),
        scopes: Some(vec!["account".into(), "pullrequest:write".into()]),
        ..Default::default()
    }];
    let simulator = Simulator::start(scenario).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let clone = simulator.clone_to(&folder.path().join("till"), TILL, "discounts").unwrap();
    std::fs::write(clone.join("new.py"), "x = 1\n").unwrap();
    git::run(&clone, &["add", "new.py"]).unwrap();
    git::run(&clone, &["commit", "-q", "-m", "New"]).unwrap();
    simulator.git(&clone, &["push", "-q", "origin", "discounts"]).unwrap();
    let head = git::run(&clone, &["rev-parse", "HEAD"]).unwrap();
    assert_eq!(simulator.repository(TILL).commit("discounts").unwrap(), head);
    let pull_request = crate::client::get(&simulator, "…/pullrequests/4").await.json();
    assert!(head.starts_with(pull_request["source"]["commit"]["hash"].as_str().unwrap()));
}

#[tokio::test]
async fn public_repositories_are_cloned_without_a_token() {
    let mut scenario = Scenario::demo();
    scenario.repositories[0].public = true;
    let simulator = Simulator::start(scenario).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    git::run(folder.path(), &["clone", "-q", &simulator.remote_url(TILL), "till"]).unwrap();
    assert!(folder.path().join("till/till/cart.py").is_file());
}
