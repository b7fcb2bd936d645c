//! Which pull request is shown: several of one branch, none, one that is merged.

use super::LIST;
use journeys::world::{World, picnic};
use serde_json::json;
use simulator::{Comment, Commit, PullRequest, Scenario};

/// A second, newer pull request of the same branch, into `release`.
fn backported() -> Scenario {
    let mut scenario = picnic();
    let release = Commit {
        branch: "release".into(),
        from: Some("start".into()),
        message: "Released".into(),
        write: [("version.txt".to_owned(), "1\n".to_owned())].into(),
        ..Commit::default()
    };
    scenario.repositories[0].commits.push(release);
    scenario.pull_requests.push(PullRequest {
        id: Some(9),
        title: "No kale in the release either".into(),
        author: "ana".into(),
        source: "work".into(),
        destination: Some("release".into()),
        created: Some("2026-11-05 09:00".into()),
        comments: vec![Comment {
            author: "ben".into(),
            text: "Backport it.".into(),
            file: Some("list.txt".into()),
            on: Some("tango brings tea".into()),
            ..Comment::default()
        }],
        ..PullRequest::default()
    });
    scenario
}

#[tokio::test]
async fn of_several_the_newest_is_shown_and_another_can_be_chosen() {
    let world = World::with("several", backported()).await;
    let list = world.file("list.txt");
    let mut editor = world.editor().await;
    editor.until_drawn(&list, &["22: Ben Okafor: Backport it"]).await;
    let status = editor.status().await;
    let expected = "The branch has 2 open pull requests; this one is the newest. The others: #7. Bitbucket: Switch Pull Request changes that.";
    assert!(status.contains(expected), "{status}");

    // By argument, as a wrapper does.
    editor.command("bitbucket.switchPullRequest", json!({ "pullRequest": 7 })).await;
    editor.until_drawn(&list, &LIST).await;
    editor.until_status("this one is chosen by you. The others: #9.").await;
    // The choice holds over a refresh and over a commit.
    editor.command("bitbucket.refresh", json!({})).await;
    world.git(&["commit", "-q", "--allow-empty", "-m", "Nothing"]);
    editor.until_status("this one is chosen by you").await;
    editor.until_drawn(&list, &LIST).await;

    // By a question.
    editor.pick = Some("#9 No kale in the release either".into());
    editor.command("bitbucket.switchPullRequest", json!({})).await;
    editor.until_drawn(&list, &["22: Ben Okafor: Backport it"]).await;
    assert_eq!(editor.seen.asked.len(), 1);
    let titles: Vec<&str> = editor.seen.asked[0]["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["title"].as_str().unwrap())
        .collect();
    assert_eq!(titles, ["#9 No kale in the release either", "#7 No kale, more limes"]);
    // A question that is closed changes nothing; a number that is not there is refused.
    editor.pick = None;
    editor.command("bitbucket.switchPullRequest", json!({})).await;
    editor.command("bitbucket.switchPullRequest", json!({ "pullRequest": 5 })).await;
    let said =
        editor.until("a refusal", |seen| seen.messages.last().cloned().ok_or_else(|| "none".into())).await;
    assert!(said.contains("Pull request #5 is not an open one of this branch"), "{said}");
    editor.until_drawn(&list, &["22: Ben Okafor: Backport it"]).await;

    // The chosen one is merged: what is left is shown.
    world.simulator.pull_request("club/picnic", 9).merge("ben").unwrap();
    editor.command("bitbucket.refresh", json!({})).await;
    editor.until_drawn(&list, &LIST).await;
    editor.stop().await;
}

#[tokio::test]
async fn without_a_pull_request_it_says_so() {
    let world = World::checkout("none", picnic(), "club/picnic", "main").await;
    let mut editor = world.editor().await;
    editor.until_status("The branch has no pull request.").await;
    editor.command("bitbucket.showPullRequest", json!({})).await;
    let said =
        editor.until("a message", |seen| seen.messages.last().cloned().ok_or_else(|| "none".into())).await;
    assert_eq!(said, "This branch has no pull request on Bitbucket yet.");
    assert_eq!(editor.lenses(&world.file("list.txt")).await, Vec::<String>::new());
    editor.stop().await;
}

#[tokio::test]
async fn a_merged_pull_request_is_named() {
    let world = World::picnic("merged").await;
    world.simulator.pull_request("club/picnic", 7).merge("ben").unwrap();
    let mut editor = world.editor().await;
    let expected = "The branch has no open pull request; the last one was #7 (No kale, more limes), merged.";
    editor.until_status(expected).await;
    editor.command("bitbucket.showPullRequest", json!({})).await;
    let said =
        editor.until("a message", |seen| seen.messages.last().cloned().ok_or_else(|| "none".into())).await;
    assert_eq!(said, "This branch has no open pull request; the last one was #7, merged.");
    editor.until_nothing_is_drawn().await;
    editor.stop().await;
}
