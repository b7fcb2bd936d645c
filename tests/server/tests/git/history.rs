//! Comments placed through history: HEAD behind, ahead, renamed, rebased, force-pushed.

use super::LIST;
use journeys::editor::uri;
use journeys::world::{World, git, picnic};
use serde_json::json;
use simulator::{Comment, Fault, Scenario};

/// The list at the tip of `work`.
fn list(world: &World) -> String {
    std::fs::read_to_string(world.file("list.txt")).unwrap()
}

fn on(text: &str, quote: &str) -> Comment {
    Comment {
        author: "ben".into(),
        text: text.into(),
        file: Some("list.txt".into()),
        on: Some(quote.into()),
        ..Comment::default()
    }
}

#[tokio::test]
async fn behind_the_pull_request_the_text_of_the_newer_commit_comes_from_bitbucket() {
    let world = World::picnic("behind").await;
    let longer = format!("beforehand: blankets\n{}", list(&world));
    let repository = world.simulator.repository("club/picnic");
    repository.push_commit("work", "Blankets", &[("list.txt", Some(&longer))]).unwrap();
    world
        .simulator
        .pull_request("club/picnic", 7)
        .add_comment(&on("Sugar too.", "tango brings tea"))
        .unwrap();
    let mut editor = world.editor().await;
    // Tango is line 23 there and 22 here.
    editor
        .until_drawn(&world.file("list.txt"), &[LIST[0], LIST[1], LIST[2], "22: Ben Okafor: Sugar too"])
        .await;
    let drawn = editor.seen.drawn(&uri(&world.file("list.txt")));
    assert!(drawn[3].contains("moved from line 23") && !drawn[3].contains("guess"), "{drawn:?}");
    assert_eq!(world.requests_to("/src/"), 1);
    // Pulled: now it is in git, on its own line.
    world.simulator.git(&world.clone, &["pull", "-q"]).unwrap();
    editor.until_drawn(&world.file("list.txt"), &["10: Ben", "14: Ben", "16: Ben", "23: Ben"]).await;
    assert_eq!(world.requests_to("/src/"), 1, "nothing more was asked for");
    editor.stop().await;
}

#[tokio::test]
async fn local_commits_move_edit_and_delete_the_code() {
    let world = World::picnic("ahead").await;
    let list = world.file("list.txt");
    let mut editor = world.editor().await;
    editor.until_drawn(&list, &LIST).await;
    // Moved.
    world.replace("list.txt", "echo brings eggs\n", "echo brings eggs\necho brings salt\n");
    world.git(&["commit", "-qam", "Salt"]);
    editor.until_drawn(&list, &["10: Ben", "14: Ben", "16: Ben"]).await;
    // Edited.
    world.replace("list.txt", "golf brings green grapes", "golf brings black grapes");
    world.git(&["commit", "-qam", "Black"]);
    editor
        .until("the change", |seen| {
            let drawn = seen.drawn(&uri(&list));
            let said = drawn
                .first()
                .is_some_and(|line| line.starts_with("10: Ben") && line.contains("changed since"));
            if said { Ok(()) } else { Err(format!("{drawn:?}")) }
        })
        .await;
    // Deleted.
    world.replace("list.txt", "mike brings milk\nnovember brings nuts\noscar brings oranges\n", "");
    world.git(&["commit", "-qam", "Not in a row any more"]);
    editor
        .until("the deletion", |seen| {
            let drawn = seen.drawn(&uri(&list));
            let said = drawn
                .last()
                .is_some_and(|line| line.starts_with("16: Ben Okafor: Three") && line.contains("outdated"));
            if said { Ok(()) } else { Err(format!("{drawn:?}")) }
        })
        .await;
    editor.open(&list).await;
    let hover = editor.until_hover(&list, 15, |hover| hover.contains("Three in a row")).await;
    assert!(hover.contains("november brings nuts"), "the text that was commented is in the hover: {hover}");
    assert_eq!(world.requests_to("/src/"), 0, "git has it all");
    editor.stop().await;
}

#[tokio::test]
async fn a_renamed_file_keeps_its_comments() {
    let world = World::picnic("renamed").await;
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    // By a commit.
    world.git(&["mv", "list.txt", "guests.txt"]);
    world.git(&["commit", "-qm", "Guests"]);
    editor.until_drawn(&world.file("guests.txt"), &LIST).await;
    editor.until_drawn(&world.file("list.txt"), &[]).await;
    editor.open(&world.file("guests.txt")).await;
    editor.until_hover(&world.file("guests.txt"), 8, |hover| hover.contains("Green ones")).await;
    editor.close(&world.file("guests.txt")).await;
    // By a commit that also changes it.
    world.git(&["mv", "guests.txt", "people.txt"]);
    world.replace("people.txt", "alpha brings apples\n", "alpha brings apples\nalpha brings almonds\n");
    world.git(&["commit", "-qam", "People"]);
    editor.until_drawn(&world.file("people.txt"), &["10: Ben", "14: Ben", "16: Ben"]).await;
    editor.until_drawn(&world.file("guests.txt"), &[]).await;
    // Not committed yet: the editor opens the file under its new name.
    std::fs::create_dir(world.file("who")).unwrap();
    world.git(&["mv", "people.txt", "who/all.txt"]);
    editor.open(&world.file("who/all.txt")).await;
    editor.until_drawn(&world.file("who/all.txt"), &["10: Ben", "14: Ben", "16: Ben"]).await;
    editor.until_drawn(&world.file("people.txt"), &[]).await;
    // The next comment is found in the new file too.
    editor
        .command("bitbucket.nextComment", json!({ "uri": uri(&world.file("who/all.txt")), "line": 0 }))
        .await;
    let shown = editor.until("a jump", |seen| seen.shown.last().cloned().ok_or_else(|| "none".into())).await;
    assert_eq!(shown["uri"], uri(&world.file("who/all.txt")));
    assert_eq!(shown["selection"]["start"]["line"], 9);
    editor.stop().await;
}

#[tokio::test]
async fn a_deleted_file_takes_its_comments_out_of_the_code_only() {
    let world = World::picnic("deleted-file").await;
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    world.git(&["rm", "-q", "list.txt"]);
    world.git(&["commit", "-qm", "Nobody comes"]);
    editor.until_drawn(&world.file("list.txt"), &[]).await;
    editor.until_status("1 in code, 3 in files that are not here").await;
    let (_, page) = editor.document("bitbucket.showPullRequest", json!({})).await;
    assert!(page.contains("Green ones only?") && page.contains("the file is gone"), "{page}");
    let thread = world.simulator.pull_request("club/picnic", 7).comment_id("grapes").unwrap();
    editor.command("bitbucket.goToThread", json!({ "thread": thread })).await;
    let said =
        editor.until("a message", |seen| seen.messages.last().cloned().ok_or_else(|| "none".into())).await;
    assert!(said.contains("not in your work tree"), "{said}");
    // It comes back.
    world.git(&["revert", "--no-edit", "HEAD"]);
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    editor.stop().await;
}

#[tokio::test]
async fn after_a_rebase_threads_are_found_again() {
    let world = World::picnic("rebase").await;
    let list = world.file("list.txt");
    let base = world.simulator.repository("club/picnic");
    let on_main = std::process::Command::new("git")
        .args(["show", "origin/main:list.txt"])
        .current_dir(&world.clone)
        .output()
        .unwrap();
    let on_main = String::from_utf8(on_main.stdout).unwrap();
    let longer = on_main.replace("zulu brings zucchini\n", "zulu brings zucchini\nzulu brings a guitar\n");
    let longer =
        longer.replace("charlie brings cheese\n", "charlie brings cheese\ncharlie brings crackers\n");
    base.push_commit("main", "More", &[("list.txt", Some(&longer))]).unwrap();
    let mut editor = world.editor().await;
    editor.until_drawn(&list, &LIST).await;
    world.simulator.git(&world.clone, &["fetch", "-q"]).unwrap();
    world.git(&["rebase", "-q", "origin/main"]);
    editor.until_drawn(&list, &["10: Ben", "14: Ben", "16: Ben"]).await;
    // The old commits are collected: their text comes from Bitbucket, which still has them.
    world.git(&["reflog", "expire", "--expire=now", "--all"]);
    world.git(&["update-ref", "-d", "refs/remotes/origin/work"]);
    world.git(&["update-ref", "-d", "ORIG_HEAD"]);
    world.git(&["gc", "-q", "--prune=now"]);
    editor.command("bitbucket.refresh", json!({})).await;
    editor.until_drawn(&list, &["10: Ben", "14: Ben", "16: Ben"]).await;
    let drawn = editor.seen.drawn(&uri(&list));
    assert!(!drawn.iter().any(|line| line.contains("guess")), "{drawn:?}");
    editor.stop().await;
}

/// The branch was rewritten after the comments were written, and only the new commits are in the clone.
async fn force_pushed(name: &str, scenario: Scenario) -> World {
    let world = World::start(name, scenario).await;
    let repository = world.simulator.repository("club/picnic");
    let before = world.clone_as("before", "club/picnic", "work");
    let text = std::fs::read_to_string(before.join("list.txt")).unwrap();
    let text = format!("first of all: plates\n{text}");
    repository.force_push("work", "start", "All in one", &[("list.txt", Some(&text))]).unwrap();
    std::fs::remove_dir_all(before).unwrap();
    world.clone_as("clone", "club/picnic", "work");
    let old = repository.commit("second").unwrap();
    let known = std::process::Command::new("git")
        .args(["cat-file", "-e", &old])
        .current_dir(&world.clone)
        .output()
        .unwrap();
    assert!(!known.status.success(), "the old commits are not in the clone");
    world
}

#[tokio::test]
async fn after_a_force_push_the_text_comes_from_bitbucket() {
    let world = force_pushed("force-push", picnic()).await;
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("list.txt"), &["10: Ben", "14: Ben", "16: Ben"]).await;
    let drawn = editor.seen.drawn(&uri(&world.file("list.txt")));
    assert!(!drawn.iter().any(|line| line.contains("guess") || line.contains("% sure")), "{drawn:?}");
    editor.stop().await;
}

#[tokio::test]
async fn where_the_file_is_gone_from_bitbucket_the_diff_says_what_was_commented() {
    let world = force_pushed("force-push-diff", picnic()).await;
    world.simulator.faults().set(Fault::NotFound.on("/2.0/repositories/*/*/src"));
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("list.txt"), &["10: Ben", "14: Ben", "16: Ben"]).await;
    let drawn = editor.seen.drawn(&uri(&world.file("list.txt")));
    assert!(drawn.iter().all(|line| line.contains("% sure") && !line.contains("guess")), "{drawn:?}");
    editor.stop().await;
}

#[tokio::test]
async fn where_nothing_is_left_the_line_number_is_a_guess_and_says_so() {
    let world = force_pushed("force-push-nothing", picnic()).await;
    for route in ["src", "diff", "merge-base"] {
        world.simulator.faults().set(Fault::NotFound.on(&format!("/2.0/repositories/*/*/{route}")));
    }
    let list = world.file("list.txt");
    let mut editor = world.editor().await;
    editor.until_drawn(&list, &["7: Ben", "11: Ben", "15: Ben"]).await;
    let drawn = editor.seen.drawn(&uri(&list));
    assert!(drawn.iter().all(|line| line.contains("guess: by the line number alone")), "{drawn:?}");
    editor
        .until_status("could not be had from git or Bitbucket; they are shown by their line numbers.")
        .await;
    let asked = world.requests_to("/src/") + world.requests_to("/diff/") + world.requests_to("/merge-base/");
    // What is not there is not asked for again at each pause in typing.
    editor.open(&list).await;
    editor.until_hover(&list, 6, |hover| hover.contains("Green ones")).await;
    for _ in 0..3 {
        editor.edit(&list, (20, 0), (20, 0), "more\n").await;
        editor.saved(&list).await;
        editor.until_quiet().await;
    }
    editor.until_drawn(&list, &["7: Ben", "11: Ben", "15: Ben"]).await;
    assert_eq!(
        world.requests_to("/src/") + world.requests_to("/diff/") + world.requests_to("/merge-base/"),
        asked
    );
    // It is there again: a refresh asks.
    world.simulator.faults().clear_all();
    editor.close(&list).await;
    editor.command("bitbucket.refresh", json!({})).await;
    editor.until_drawn(&list, &["10: Ben", "14: Ben", "16: Ben"]).await;
    editor.stop().await;
}

#[tokio::test]
async fn a_comment_on_a_removed_line_of_a_renamed_file_is_near_the_removal() {
    let mut scenario = picnic();
    scenario.repositories[0].commits[2].rename.insert("list.txt".into(), "people.txt".into());
    let edit = scenario.repositories[0].commits[2].edit.remove("list.txt").unwrap();
    scenario.repositories[0].commits[2].edit.insert("people.txt".into(), edit);
    let comments = &mut scenario.pull_requests[0].comments;
    comments.clear();
    comments.push(Comment {
        side: Some(simulator::Side::Old),
        file: Some("people.txt".into()),
        on: None,
        lines: Some([11, 11]),
        ..on("Why no kale?", "")
    });
    let world = World::with("removed-and-renamed", scenario).await;
    let people = world.file("people.txt");
    let mut editor = world.editor().await;
    editor.until_drawn(&people, &["13: Ben Okafor: Why no kale"]).await;
    editor.open(&people).await;
    let hover = editor.until_hover(&people, 12, |hover| hover.contains("Why no kale")).await;
    assert!(hover.contains("kilo brings kale") && hover.contains("removed line"), "{hover}");
    git(&world.clone, &["status", "--short"]);
    editor.stop().await;
}
