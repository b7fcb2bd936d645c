//! What is checked out: detached heads, shallow clones, branches with other names.

use super::LIST;
use journeys::world::{World, git, picnic};

#[tokio::test]
async fn a_detached_head_shows_the_pull_request_that_contains_it() {
    let world = World::picnic("detached").await;
    world.git(&["checkout", "-q", "--detach"]);
    world.git(&["branch", "-qD", "work"]);
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    // An older commit of the same pull request: the heading is not there yet, so all stand two lines higher.
    world.git(&["checkout", "-q", "HEAD~1"]);
    editor.until_drawn(&world.file("list.txt"), &["7: Ben", "11: Ben", "13: Ben"]).await;
    editor.until_status("Open pull requests of club/picnic that contain the commit checked out: 1.").await;
    // The commit that the branch started from is no part of the pull request.
    world.git(&["checkout", "-q", "origin/main"]);
    editor.until_nothing_is_drawn().await;
    editor.until_status("Open pull requests of club/picnic that contain the commit checked out: none.").await;
    editor.stop().await;
}

#[tokio::test]
async fn in_a_shallow_clone_commented_text_comes_from_bitbucket() {
    let world = World::start("shallow", picnic()).await;
    let url = world.simulator.remote_url("club/picnic");
    let folder = world.folder();
    let clone = ["clone", "-q", "--depth", "1", "--branch", "work", &url, "clone"];
    world.simulator.git(&folder, &clone).unwrap();
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    let lines = editor.seen.drawn(&journeys::editor::uri(&world.file("list.txt")));
    assert!(lines[0].contains("moved from line 7"), "{lines:?}");
    assert!(
        !lines.iter().any(|line| line.contains("guess") || line.contains("sure")),
        "all is known: {lines:?}"
    );
    editor.until_status("The clone is shallow").await;
    let fetched = world.requests_to("/src/") + world.requests_to("/merge-base/");
    assert!(fetched > 0);

    // What was fetched once is not fetched again while one types.
    let file = world.file("list.txt");
    editor.open(&file).await;
    editor.until_hover(&file, 8, |hover| hover.contains("Green ones")).await;
    for _ in 0..3 {
        editor.edit(&file, (0, 0), (0, 0), "more\n").await;
        editor.until_quiet().await;
    }
    editor.until_drawn(&file, &["12: Ben", "16: Ben", "18: Ben"]).await;
    assert_eq!(world.requests_to("/src/") + world.requests_to("/merge-base/"), fetched);
    editor.stop().await;
}

#[tokio::test]
async fn a_branch_is_found_by_the_name_of_its_upstream() {
    let world = World::checkout("upstream-name", picnic(), "club/picnic", "main").await;
    world.git(&["switch", "-q", "-c", "mine", "--track", "origin/work"]);
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    editor.until_status("branch mine, which is work on the remote").await;
    // The other way round: a branch that started from main is not the branch main of the remote.
    world.git(&["switch", "-q", "-c", "idea", "--track", "origin/main"]);
    editor.until_nothing_is_drawn().await;
    editor.until_status("Open pull requests of club/picnic from the branch idea: none.").await;
    editor.stop().await;
}

#[tokio::test]
async fn while_a_rebase_is_stopped_its_branch_counts() {
    let world = World::picnic("stopped-rebase").await;
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    world.git(&["-c", "sequence.editor=sed -i 1s/pick/edit/", "rebase", "-q", "-i", "origin/main"]);
    editor.until_status("The branch work is being rebased.").await;
    editor.until_drawn(&world.file("list.txt"), &["7: Ben", "11: Ben", "13: Ben"]).await;
    git(&world.clone, &["rebase", "--continue"]);
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    editor.stop().await;
}
