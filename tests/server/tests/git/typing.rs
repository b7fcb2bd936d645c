//! Unsaved text: edits above and inside, saving, closing without saving, typing while threads are being placed.

use super::LIST;
use journeys::editor::uri;
use journeys::world::World;
use simulator::{Comment, Fault};

#[tokio::test]
async fn edits_above_and_inside_then_saved_or_thrown_away() {
    let world = World::picnic("edits").await;
    let list = world.file("list.txt");
    let mut editor = world.editor().await;
    editor.until_drawn(&list, &LIST).await;
    editor.open(&list).await;
    // Above all of them, between them, and inside the range of three.
    editor.edit(&list, (0, 0), (0, 0), "one\ntwo\n").await;
    editor.until_drawn(&list, &["11: Ben", "15: Ben", "17: Ben"]).await;
    editor.edit(&list, (12, 0), (13, 0), "").await;
    editor.until_drawn(&list, &["11: Ben", "14: Ben", "16: Ben"]).await;
    editor.edit(&list, (16, 0), (16, 0), "november brings a friend\n").await;
    let end = |seen: &journeys::editor::Seen| {
        let row = seen.diagnostics[&uri(&list)]
            .iter()
            .find(|one| one["message"].as_str().unwrap().contains("Three"))
            .unwrap();
        (
            row["range"]["start"]["line"].as_u64().unwrap(),
            row["range"]["end"]["line"].as_u64().unwrap(),
            row["message"].to_string(),
        )
    };
    editor
        .until("the range to grow", |seen| match end(seen) {
            (15, 18, message) if message.contains("changed since") => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    // Undone, it is whole again after a pause.
    editor.edit(&list, (16, 0), (17, 0), "").await;
    editor
        .until("the range to heal", |seen| match end(seen) {
            (15, 17, message) if !message.contains("changed since") => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    // Thrown away.
    editor.close(&list).await;
    editor.until_drawn(&list, &LIST).await;
    // Saved: the file on disk is what counts after closing.
    editor.open(&list).await;
    editor.edit(&list, (0, 0), (0, 0), "one\n").await;
    editor.until_drawn(&list, &["10: Ben", "14: Ben", "16: Ben"]).await;
    let text = std::fs::read_to_string(&list).unwrap();
    std::fs::write(&list, format!("one\n{text}")).unwrap();
    editor.saved(&list).await;
    editor.close(&list).await;
    editor.until_quiet().await;
    editor.until_drawn(&list, &["10: Ben", "14: Ben", "16: Ben"]).await;
    // The whole text replaced at once, as a formatter does.
    editor.open(&list).await;
    editor.until_hover(&list, 9, |hover| hover.contains("Green")).await;
    editor.edit(&list, (0, 0), (40, 0), &text).await;
    editor.until_drawn(&list, &LIST).await;
    editor.stop().await;
}

#[tokio::test]
async fn typing_while_threads_are_being_placed_loses_none() {
    let world = World::picnic("typing-while-placing").await;
    let list = world.file("list.txt");
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
    // The text of the new commit is slow to come, and all threads wait for it.
    world.simulator.faults().set(Fault::Hold.on("/2.0/repositories/*/*/src"));
    let mut editor = world.editor().await;
    editor.open(&list).await;
    assert!(
        world.simulator.until(|all| all.iter().any(|one| one.path.contains("/src/")), super::PATIENCE).await
    );
    for _ in 0..5 {
        editor.edit(&list, (0, 0), (0, 0), "more\n").await;
    }
    world.simulator.faults().clear_all();
    for _ in 0..5 {
        editor.edit(&list, (0, 0), (0, 0), "more\n").await;
    }
    editor.until_drawn(&list, &["19: Ben", "23: Ben", "25: Ben", "32: Ben"]).await;
    editor.stop().await;
}

#[tokio::test]
async fn an_unsaved_text_that_is_gone_places_nothing_any_more() {
    let world = World::picnic("gone-while-placing").await;
    let list = world.file("list.txt");
    let mut editor = world.editor().await;
    editor.until_drawn(&list, &LIST).await;
    for _ in 0..10 {
        editor.open(&list).await;
        editor.edit(&list, (0, 0), (0, 0), "one\ntwo\nthree\n").await;
        editor.saved(&list).await;
        editor.close(&list).await;
    }
    editor.until_drawn(&list, &LIST).await;
    // All that was under way has come to its end when the status is there; nothing may change any more.
    for _ in 0..3 {
        editor.status().await;
        editor.until_drawn(&list, &LIST).await;
    }
    editor.stop().await;
}
