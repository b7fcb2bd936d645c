//! The start: an answer at once, without a network, and no port for others to knock at.

use super::{started, until_shown};
use journeys::canary::Canary;
use journeys::editor::{Editor, able};
use journeys::process::{Process, binary};
use journeys::world::World;
use serde_json::json;
use simulator::Fault;
use std::time::{Duration, Instant};

#[tokio::test]
async fn initialize_is_answered_quickly_and_without_any_network() {
    let world = World::sample("start-without-network").await;
    let canary = Canary::start().await;
    let mut variables = world.variables();
    for (name, value) in &mut variables {
        if name == "BITBUCKET_API_URL" {
            *value = format!("{}/2.0", canary.url());
        }
    }
    binary();
    let start = Instant::now();
    let mut editor = Editor::of("start-without-network", Process::start(&variables), json!({}));
    let answer = editor.initialize(&[&world.clone], able(), json!({})).await;
    let took = start.elapsed();
    assert_eq!(answer["serverInfo"]["name"], "bitbucket-lsp");
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(canary.heard(), Vec::<String>::new(), "nothing is sent before `initialized`");
    // The control: afterwards it does ask.
    editor.notify("initialized", json!({})).await;
    editor
        .until("a request", |seen| {
            let spoke = canary.heard().iter().any(|head| head.starts_with("GET /2.0/"));
            if spoke && !seen.log.is_empty() { Ok(()) } else { Err("there is none".into()) }
        })
        .await;
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn an_editor_without_a_way_to_bitbucket_is_usable_at_once() {
    let world = World::sample("start-offline").await;
    world.simulator.faults().set(Fault::Hold);
    binary();
    let start = Instant::now();
    let mut editor = started("start-offline", &world).await;
    let answer = editor.request("textDocument/hover", super::hover(&world)).await;
    assert!(answer.is_null(), "{answer}");
    assert_eq!(editor.lenses(&world.file("till/cart.py")).await, Vec::<String>::new());
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    world.simulator.faults().clear_all();
    until_shown(&mut editor, &world).await;
    assert_eq!(editor.stop().await, 0);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn it_listens_on_no_port() {
    let world = World::sample("no-port").await;
    let mut editor = started("no-port", &world).await;
    until_shown(&mut editor, &world).await;
    assert_eq!(editor.process().listening(), 0);
    // The control: this process does listen, as the simulator runs in it.
    assert!(journeys::process::listening(std::process::id()) > 0);
    assert_eq!(editor.stop().await, 0);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn it_starts_no_other_process_and_leaves_the_clone_alone() {
    let world = World::sample("no-children").await;
    let files = |folder: std::path::PathBuf| {
        let mut files: Vec<_> = walk(&folder).into_iter().filter(|path| !path.ends_with("index")).collect();
        files.sort();
        files
    };
    let before = files(world.clone.clone());
    let mut editor = started("no-children", &world).await;
    until_shown(&mut editor, &world).await;
    editor.document("bitbucket.showPullRequest", json!({ "line": 0 })).await;
    let id = editor.process().id();
    assert_eq!(journeys::children::children(id), Vec::<u32>::new());
    assert_eq!(editor.stop().await, 0);
    assert_eq!(files(world.clone.clone()), before, "nothing of ours is in the clone");
}

/// All files below a folder.
#[cfg(target_os = "linux")]
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| if path.is_dir() && !path.is_symlink() { walk(&path) } else { vec![path] })
        .collect()
}
