//! What goes over the network and when: nothing before the first answers, few round trips, one refresh, quiet when offline.

use super::{LIST, PATIENCE};
use journeys::editor::uri;
use journeys::world::World;
use serde_json::json;
use simulator::{Fault, LoggedRequest};
use std::time::Duration;

fn of_pull_request(request: &LoggedRequest) -> bool {
    request.path.contains("/pullrequests")
}

#[tokio::test]
async fn nothing_is_asked_for_before_the_first_answers() {
    let world = World::picnic("first-answers").await;
    // Bitbucket never answers: nobody waits for it.
    world.simulator.faults().set(Fault::Hold);
    let list = world.file("list.txt");
    let before = world.simulator.requests().len();
    let mut editor = world.editor().await;
    assert_eq!(world.simulator.requests().len(), before, "the handshake is over, and nothing was asked");
    editor.open(&list).await;
    assert_eq!(editor.hover(&list, 8).await, "");
    assert_eq!(editor.lenses(&list).await, Vec::<String>::new());
    assert_eq!(editor.actions(&list, 8).await, vec![]);
    editor.command("bitbucket.showPullRequest", json!({})).await;
    let said =
        editor.until("an answer", |seen| seen.messages.last().cloned().ok_or_else(|| "none".into())).await;
    assert!(said.contains("still being read") || said.contains("No folder"), "{said}");
    editor
        .until("progress", |seen| {
            if seen.progress == ["begin"] { Ok(()) } else { Err(format!("{:?}", seen.progress)) }
        })
        .await;
    world.simulator.faults().clear_all();
    editor.until_drawn(&list, &LIST).await;
    editor
        .until("its end", |seen| {
            if seen.progress == ["begin", "end"] { Ok(()) } else { Err(format!("{:?}", seen.progress)) }
        })
        .await;
    editor.stop().await;
}

#[tokio::test]
async fn a_cold_load_takes_two_round_trips() {
    let world = World::picnic("round-trips").await;
    let latency = Duration::from_millis(400);
    world.simulator.faults().set(Fault::Latency(latency));
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    editor.stop().await;
    let requests = world.simulator.requests();
    let asked: Vec<String> =
        requests.iter().filter(|one| of_pull_request(one)).map(LoggedRequest::target).collect();
    let all: Vec<&LoggedRequest> = requests.iter().filter(|one| of_pull_request(one)).collect();
    assert_eq!(all.len(), 4, "the pull request, its comments, tasks and builds: {asked:#?}");
    let (first, rest) = (all[0], &all[1..]);
    let end = |request: &LoggedRequest| request.finished.expect("an answer");
    assert!(
        rest.iter().all(|one| one.arrived >= first.arrived + latency),
        "they need to know the pull request: {asked:#?}"
    );
    let first_end = rest.iter().map(|one| end(one)).min().unwrap();
    assert!(rest.iter().all(|one| one.arrived < first_end), "they go side by side: {rest:#?}");
    let user = requests.iter().find(|one| one.path == "/2.0/user").expect("who is signed in");
    assert!(user.arrived < end(first), "who is signed in is asked beside the rest");
    assert_eq!(requests.iter().filter(|one| one.path.starts_with("/2.0")).count(), 5);
}

#[tokio::test]
async fn twenty_refreshes_are_one_in_flight_and_one_more() {
    let world = World::picnic("twenty-refreshes").await;
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    editor.until_status("Signed in as").await;
    let before = world.simulator.requests().iter().filter(|one| of_pull_request(one)).count();
    world.simulator.faults().set(Fault::Hold);
    for _ in 0..20 {
        editor.command("bitbucket.refresh", json!({})).await;
    }
    let count = |all: &[LoggedRequest]| all.iter().filter(|one| of_pull_request(one)).count() - before;
    assert!(world.simulator.until(|all| count(all) >= 1, PATIENCE).await);
    editor.status().await;
    assert_eq!(count(&world.simulator.requests()), 1, "one search is under way");
    // A new comment says when the last refresh is through.
    let beer = simulator::Comment {
        author: "ben".into(),
        text: "And beer?".into(),
        file: Some("list.txt".into()),
        on: Some("bravo brings bread".into()),
        ..simulator::Comment::default()
    };
    world.simulator.pull_request("club/picnic", 7).add_comment(&beer).unwrap();
    world.simulator.faults().clear_all();
    editor
        .until_drawn(&world.file("list.txt"), &["4: Ben Okafor: And beer?", LIST[0], LIST[1], LIST[2]])
        .await;
    assert!(world.simulator.until(|all| count(all) >= 8, PATIENCE).await);
    for _ in 0..5 {
        editor.status().await;
    }
    let asked = count(&world.simulator.requests());
    assert!(asked <= 12, "twenty refreshes made {asked} requests");
    editor.stop().await;
}

#[tokio::test]
async fn offline_what_is_shown_stays_with_its_age_and_quietly() {
    let world = World::picnic("offline").await;
    let list = world.file("list.txt");
    let mut editor = world.editor().await;
    editor.open(&list).await;
    editor.until_drawn(&list, &LIST).await;
    editor.until_hover(&list, 8, |hover| hover.contains("Green ones")).await;
    world.simulator.faults().set(Fault::Offline);
    // A commit asks whether there is news.
    world.git(&["commit", "-q", "--allow-empty", "-m", "On the train"]);
    let hover = editor.until_hover(&list, 8, |hover| hover.contains("offline")).await;
    assert!(hover.contains("as of just now"), "{hover}");
    assert!(editor.lenses(&list).await[0].contains("ot up to date"));
    let status = editor.status().await;
    assert!(status.contains("as of just now, offline"), "{status}");
    // The unsaved text is followed all the same, and a local commit too.
    editor.edit(&list, (0, 0), (0, 0), "one\n").await;
    editor.until_drawn(&list, &["10: Ben", "14: Ben", "16: Ben"]).await;
    editor.close(&list).await;
    editor.until_drawn(&list, &LIST).await;
    assert_eq!(editor.seen.messages, Vec::<String>::new(), "nobody is disturbed");
    assert_eq!(
        world.simulator.requests().iter().filter(|one| one.status.is_none() && one.faults.is_empty()).count(),
        0
    );
    // Who asks is answered, once.
    editor.command("bitbucket.refresh", json!({})).await;
    editor.until("a word", |seen| if seen.messages.is_empty() { Err("none".into()) } else { Ok(()) }).await;
    editor.until_drawn(&list, &LIST).await;

    // Back online.
    let pull_request = world.simulator.pull_request("club/picnic", 7);
    pull_request.edit_comment(pull_request.comment_id("grapes").unwrap(), "Blue ones only?").unwrap();
    world.simulator.faults().clear_all();
    editor.command("bitbucket.refresh", json!({})).await;
    editor.until_drawn(&list, &["9: Ben Okafor: Blue ones", LIST[1], LIST[2]]).await;
    editor.open(&list).await;
    let hover = editor.until_hover(&list, 8, |hover| hover.contains("Blue ones")).await;
    assert!(!hover.contains("offline"), "{hover}");
    assert!(!editor.lenses(&list).await[0].contains("ot up to date"));
    assert_eq!(editor.seen.messages.len(), 1, "{:?}", editor.seen.messages);
    editor.stop().await;
}

#[tokio::test]
async fn offline_from_the_start_is_a_state_too() {
    let world = World::picnic("offline-from-the-start").await;
    world.simulator.faults().set(Fault::Offline);
    let list = world.file("list.txt");
    let mut editor = world.editor().await;
    editor.open(&list).await;
    let problem = editor.until_status("cannot be reached").await;
    assert!(problem.contains("club/picnic on Bitbucket"), "{problem}");
    assert_eq!(editor.seen.messages, Vec::<String>::new());
    assert!(!editor.seen.diagnostics.contains_key(&uri(&list)));
    world.simulator.faults().clear_all();
    editor.command("bitbucket.refresh", json!({})).await;
    editor.until_drawn(&list, &LIST).await;
    editor.stop().await;
}
