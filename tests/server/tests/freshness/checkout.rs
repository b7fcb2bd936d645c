//! Nobody asks for a refresh: what git does in the folder is noticed.

use super::LIST;
use journeys::world::World;
use simulator::Comment;

#[tokio::test]
async fn another_branch_has_other_comments() {
    let world = World::picnic("switch").await;
    let list = world.file("list.txt");
    let mut editor = world.editor().await;
    editor.open(&list).await;
    editor.until_drawn(&list, &LIST).await;
    world.git(&["switch", "-q", "main"]);
    editor.until_nothing_is_drawn().await;
    editor.until_status("Checked out: branch main").await;
    assert_eq!(editor.lenses(&list).await, Vec::<String>::new());
    assert_eq!(editor.hover(&list, 8).await, "");
    world.git(&["switch", "-q", "work"]);
    editor.until_drawn(&list, &LIST).await;
    // There and back between two looks: what is shown is right, whether it was noticed or not.
    world.git(&["switch", "-q", "main"]);
    world.git(&["switch", "-q", "work"]);
    editor.until_status("Shown: pull request #7").await;
    editor.until_drawn(&list, &LIST).await;
    assert_eq!(editor.seen.messages, Vec::<String>::new());
    editor.stop().await;
}

#[tokio::test]
async fn a_commit_and_a_reset_move_the_comments_of_files_that_are_not_open() {
    let world = World::picnic("commit").await;
    let list = world.file("list.txt");
    let mut editor = world.editor().await;
    editor.until_drawn(&list, &LIST).await;
    let loads = world.requests_to("/comments");
    world.replace("list.txt", "# The picnic\n", "# The picnic\n\nOn Sunday.\n");
    world.git(&["commit", "-qam", "Sunday"]);
    editor.until_drawn(&list, &["11: Ben", "15: Ben", "17: Ben"]).await;
    world.git(&["reset", "-q", "--hard", "HEAD~1"]);
    editor.until_drawn(&list, &LIST).await;
    assert_eq!(world.requests_to("/comments"), loads, "a commit of one's own is no news on Bitbucket");
    editor.stop().await;
}

#[tokio::test]
async fn a_fetch_brings_news_and_a_pull_moves_the_lines() {
    let world = World::picnic("fetch-and-pull").await;
    let list = world.file("list.txt");
    let mut editor = world.editor().await;
    editor.until_drawn(&list, &LIST).await;
    let longer = format!("beforehand: blankets\n{}", std::fs::read_to_string(&list).unwrap());
    world
        .simulator
        .repository("club/picnic")
        .push_commit("work", "Blankets", &[("list.txt", Some(&longer))])
        .unwrap();
    let sugar = Comment {
        author: "ben".into(),
        text: "Sugar too.".into(),
        file: Some("list.txt".into()),
        on: Some("tango brings tea".into()),
        ..Comment::default()
    };
    world.simulator.pull_request("club/picnic", 7).add_comment(&sugar).unwrap();
    world.simulator.git(&world.clone, &["fetch", "-q"]).unwrap();
    editor.until_drawn(&list, &[LIST[0], LIST[1], LIST[2], "22: Ben Okafor: Sugar too"]).await;
    assert_eq!(world.requests_to("/src/"), 0, "the commit was fetched, so its text is here");
    world.simulator.git(&world.clone, &["pull", "-q"]).unwrap();
    editor.until_drawn(&list, &["10: Ben", "14: Ben", "16: Ben", "23: Ben"]).await;
    assert_eq!(editor.seen.messages, Vec::<String>::new());
    editor.stop().await;
}
