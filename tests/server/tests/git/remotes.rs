//! Which remote counts: rewritten addresses, passwords in them, forks, preferences, two hundred of them.

use super::LIST;
use journeys::world::{World, git, picnic};
use serde_json::json;
use simulator::{PullRequest, Repository, Scenario};

/// The picnic, and a fork of it whose branch `work` has the pull request.
fn forked() -> Scenario {
    let mut scenario = picnic();
    let fork = Repository {
        name: "ana/picnic".into(),
        fork_of: Some("club/picnic".into()),
        ..Repository::default()
    };
    scenario.repositories.push(fork);
    let pull_request = &mut scenario.pull_requests[0];
    pull_request.repository = Some("club/picnic".into());
    pull_request.source_repository = Some("ana/picnic".into());
    scenario
}

#[tokio::test]
async fn an_address_that_git_rewrites_is_followed() {
    let world = World::picnic("instead-of").await;
    let base = format!("url.{}/.insteadOf", world.simulator.web_url());
    world.git(&["config", &base, "bb:"]);
    world.git(&["remote", "set-url", "origin", "bb:club/picnic.git"]);
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    let status = editor.status().await;
    assert!(status.contains("written as bb:club/picnic.git"), "{status}");
    editor.stop().await;
}

#[tokio::test]
async fn a_password_in_an_address_is_never_shown() {
    let world = World::picnic("user-info").await;
    let with_password = |url: String| url.replace("http://", "http://ana:s3cr3t-passw0rd@");
    let url = with_password(world.simulator.remote_url("club/picnic"));
    world.git(&["remote", "set-url", "origin", &url]);
    // Where the name of a remote could be, and through a rewritten address, too.
    let base = format!("url.{}/.insteadOf", with_password(world.simulator.web_url()));
    world.git(&["config", &base, "bb:"]);
    world.git(&["remote", "add", "second", "bb:club/other.git"]);
    world.git(&["config", "branch.work.remote", &url]);
    world.git(&["config", "remote.broken.url", "https://ana:s3cr3t-passw0rd@[nonsense/x"]);
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    let status = editor.status().await;
    let (_, page) = editor.document("bitbucket.showPullRequest", json!({})).await;
    world.simulator.faults().set(simulator::Fault::NotFound);
    editor.command("bitbucket.refresh", json!({})).await;
    editor
        .until("the refusal", |seen| if seen.messages.is_empty() { Err("none".into()) } else { Ok(()) })
        .await;
    let after = editor.status().await;
    assert!(status.contains("Remote origin"), "{status}");
    for text in [status, page, after, editor.said()] {
        assert!(!text.contains("s3cr3t"), "{text}");
    }
    let targets: Vec<String> = world.simulator.requests().iter().map(|request| request.target()).collect();
    assert!(!targets.iter().any(|target| target.contains("s3cr3t")), "{targets:?}");
    editor.stop().await;
}

#[tokio::test]
async fn a_branch_pushed_to_a_fork_has_its_pull_request_upstream() {
    let world = World::checkout("fork", forked(), "ana/picnic", "work").await;
    world.git(&["remote", "add", "upstream", &world.simulator.remote_url("club/picnic")]);
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    let status = editor.status().await;
    assert!(
        status.contains("Open pull requests of club/picnic from the branch work of ana/picnic: 1."),
        "{status}"
    );
    assert!(status.contains("club/picnic on Bitbucket, asked first."), "{status}");
    assert!(status.contains("ana/picnic on Bitbucket, asked as number 2."), "{status}");
    // A branch that was never pushed from here may be in any of the two.
    world.git(&["branch", "-q", "--unset-upstream"]);
    editor.command("bitbucket.refresh", json!({})).await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    editor.stop().await;
}

#[tokio::test]
async fn the_commits_of_a_fork_are_fetched_from_the_fork() {
    let world = World::start("fork-shallow", forked()).await;
    let url = world.simulator.remote_url("ana/picnic");
    let folder = world.folder();
    world
        .simulator
        .git(&folder, &["clone", "-q", "--depth", "1", "--branch", "work", &url, "clone"])
        .unwrap();
    world.git(&["remote", "add", "upstream", &world.simulator.remote_url("club/picnic")]);
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    assert!(world.requests_to("/ana/picnic/src/") > 0);
    editor.stop().await;
}

#[tokio::test]
async fn preferred_remotes_count_at_once() {
    let mut scenario = forked();
    let own = PullRequest {
        repository: Some("ana/picnic".into()),
        source_repository: None,
        id: Some(2),
        title: "Only among ourselves".into(),
        comments: vec![simulator::Comment {
            text: "Between us.".into(),
            ..scenario.pull_requests[0].comments[0].clone()
        }],
        ..scenario.pull_requests[0].clone()
    };
    scenario.pull_requests.push(own);
    let world = World::checkout("preferred-remotes", scenario, "ana/picnic", "work").await;
    world.git(&["remote", "add", "upstream", &world.simulator.remote_url("club/picnic")]);
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    editor.configure(json!({ "preferredRemotes": ["origin", "upstream"] })).await;
    editor.until_drawn(&world.file("list.txt"), &["9: Ben Okafor: Between us"]).await;
    editor.configure(json!({ "preferredRemotes": ["upstream"] })).await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    editor.stop().await;
}

#[tokio::test]
async fn two_hundred_remotes_cost_a_handful_of_requests() {
    let world = World::picnic("two-hundred-remotes").await;
    let config = world.clone.join(".git/config");
    let mut text = std::fs::read_to_string(&config).unwrap();
    for number in 0..200 {
        let url = match number % 4 {
            0 => format!("https://example.com/team/repository-{number}.git"),
            1 => format!("{}/team-{number}/repository.git", world.simulator.web_url()),
            2 => format!("git@github.com:team/repository-{number}.git"),
            _ => "ext::sh -c 'touch pwned'".to_owned(),
        };
        text.push_str(&format!("[remote \"r{number}\"]\n\turl = {url}\n"));
    }
    std::fs::write(&config, text).unwrap();
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    let status = editor.status().await;
    assert_eq!(status.lines().filter(|line| line.starts_with("- Remote ")).count(), 201);
    assert!(world.requests_to("/2.0") <= 6, "{:?}", world.simulator.requests());

    // Of a branch that is nowhere, only the first few repositories are asked about, each once.
    let before = world.requests_to("/2.0");
    world.git(&["switch", "-q", "-c", "nowhere"]);
    editor.until_nothing_is_drawn().await;
    editor.until_status("from the branch nowhere: none").await;
    let asked = world.requests_to("/2.0") - before;
    assert!(asked == 4 + 1, "{asked} requests: one for each of four, one for what was the last");
    assert!(!world.file("pwned").exists());
    editor.stop().await;
}

#[tokio::test]
async fn a_remote_elsewhere_is_explained() {
    let world = World::picnic("no-bitbucket").await;
    world.git(&["remote", "set-url", "origin", "git@github.com:club/picnic.git"]);
    let mut editor = world.editor().await;
    let status = editor.until_status("Remote origin").await;
    assert!(status.contains("not used,") && status.contains("github.com"), "{status}");
    editor.command("bitbucket.showPullRequest", json!({})).await;
    let said =
        editor.until("a message", |seen| seen.messages.first().cloned().ok_or_else(|| "none".into())).await;
    assert!(said.contains("No remote of this repository is on Bitbucket"), "{said}");
    assert_eq!(world.requests_to("/2.0"), 0);
    // Set right, it is found without anybody asking: the configuration is watched.
    git(&world.clone, &["remote", "set-url", "origin", &world.simulator.remote_url("club/picnic")]);
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    editor.stop().await;
}
