//! What other people do on Bitbucket is there after a refresh. (The clock's part is shown in the session's own tests.)

use super::LIST;
use journeys::world::World;
use serde_json::json;
use simulator::Comment;

#[tokio::test]
async fn comments_come_change_and_go() {
    let world = World::picnic("come-change-go").await;
    let list = world.file("list.txt");
    let pull_request = world.simulator.pull_request("club/picnic", 7);
    let mut editor = world.editor().await;
    editor.until_drawn(&list, &LIST).await;
    let refresh = "bitbucket.refresh";

    // A new one.
    let beer = Comment {
        author: "ben".into(),
        text: "And beer?".into(),
        file: Some("list.txt".into()),
        on: Some("bravo brings bread".into()),
        ..Comment::default()
    };
    let id = pull_request.add_comment(&beer).unwrap();
    editor.command(refresh, json!({})).await;
    editor.until_drawn(&list, &["4: Ben Okafor: And beer?", LIST[0], LIST[1], LIST[2]]).await;
    // Its text is edited.
    pull_request.edit_comment(id, "And cider?").unwrap();
    editor.command(refresh, json!({})).await;
    editor.until_drawn(&list, &["4: Ben Okafor: And cider?", LIST[0], LIST[1], LIST[2]]).await;
    // It is answered.
    let grapes = pull_request.comment_id("grapes").unwrap();
    let answer = Comment {
        author: "ana".into(),
        text: "All of them.".into(),
        reply_to: Some("grapes".into()),
        ..Comment::default()
    };
    pull_request.add_comment(&answer).unwrap();
    editor.command(refresh, json!({})).await;
    editor
        .until_drawn(&list, &["4: Ben", "9: Ben Okafor: Green ones only? (+1 reply)", LIST[1], LIST[2]])
        .await;
    // It is deleted, and another thread is resolved.
    pull_request.delete_comment(id).unwrap();
    pull_request.resolve(grapes, "ana").unwrap();
    editor.command(refresh, json!({})).await;
    editor.until_drawn(&list, &LIST[1..]).await;
    // It is reopened.
    pull_request.reopen(grapes).unwrap();
    editor.command(refresh, json!({})).await;
    editor.until_drawn(&list, &LIST).await;
    assert_eq!(editor.seen.messages, Vec::<String>::new());
    editor.stop().await;
}

#[tokio::test]
async fn the_last_comment_of_a_file_takes_its_diagnostics_along() {
    let world = World::picnic("last-of-a-file").await;
    let way = world.file("docs/way.txt");
    let pull_request = world.simulator.pull_request("club/picnic", 7);
    let mut editor = world.editor().await;
    editor.open(&way).await;
    editor.until_drawn(&way, &["1: Ben Okafor: Is there a ferry"]).await;
    pull_request.delete_comment(pull_request.comment_id("way").unwrap()).unwrap();
    editor.command("bitbucket.refresh", json!({})).await;
    editor.until_drawn(&way, &[]).await;
    assert_eq!(editor.hover(&way, 0).await, "");
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    editor.stop().await;
}

#[tokio::test]
async fn a_pull_request_that_was_merged_meanwhile_goes_and_is_named() {
    let world = World::picnic("merged-meanwhile").await;
    let list = world.file("list.txt");
    let mut editor = world.editor().await;
    editor.open(&list).await;
    editor.until_drawn(&list, &LIST).await;
    world.simulator.pull_request("club/picnic", 7).merge("ben").unwrap();
    editor.command("bitbucket.refresh", json!({})).await;
    editor.until_nothing_is_drawn().await;
    editor.until_status("the last one was #7 (No kale, more limes), merged.").await;
    assert_eq!(editor.lenses(&list).await, Vec::<String>::new());
    assert_eq!(editor.seen.messages, Vec::<String>::new());
    editor.stop().await;
}

#[tokio::test]
async fn a_document_that_is_open_is_written_anew() {
    let world = World::picnic("document-anew").await;
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    let (path, text) = editor.document("bitbucket.showPullRequest", json!({})).await;
    assert!(text.contains("Green ones only?"));
    editor.open(&path).await;
    let pull_request = world.simulator.pull_request("club/picnic", 7);
    pull_request.edit_comment(pull_request.comment_id("grapes").unwrap(), "Blue ones only?").unwrap();
    editor.command("bitbucket.refresh", json!({})).await;
    editor.until_drawn(&world.file("list.txt"), &["9: Ben Okafor: Blue ones", LIST[1], LIST[2]]).await;
    // Only written, not shown: nobody is torn from what they look at.
    let shown = editor.seen.shown.len();
    let is_written = |text: &str| text.contains("Blue ones only?");
    let deadline = tokio::time::Instant::now() + super::PATIENCE;
    while !is_written(&std::fs::read_to_string(&path).unwrap()) {
        assert!(tokio::time::Instant::now() < deadline, "it was not written anew");
        editor.hover(&path, 0).await;
    }
    assert_eq!(editor.seen.shown.len(), shown);
    editor.stop().await;
}
