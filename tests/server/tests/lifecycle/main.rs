//! The real process from its start to its end: how soon it answers, what ends it, what it survives, what it leaves behind.

mod end;
mod input;
#[cfg(target_os = "linux")]
mod memory;
mod oauth_day;
mod search;
mod secrets;
mod start;

use journeys::editor::{Editor, able, uri};
use journeys::process::Process;
use journeys::world::World;
use serde_json::{Value, json};

/// The comment of `till/cart.py` in the sample, on its 0-based line.
const LINE: u32 = 34;

/// The real process on the sample's clone, greeted, with a file open.
async fn started(name: &str, world: &World) -> Editor {
    started_with(name, world, &world.variables(), json!({})).await
}

async fn started_with(name: &str, world: &World, variables: &[(String, String)], more: Value) -> Editor {
    greeted(name, world, Process::start(variables), more).await
}

async fn greeted(name: &str, world: &World, process: Process, more: Value) -> Editor {
    let mut editor = Editor::of(name, process, json!({}));
    editor.initialize(&[&world.clone], able(), more).await;
    editor.notify("initialized", json!({})).await;
    editor.open(&world.file("till/cart.py")).await;
    editor
}

/// Waits until the comment is on its line.
async fn until_shown(editor: &mut Editor, world: &World) {
    let file = world.file("till/cart.py");
    editor.until_drawn(&file, &["35: Ben Okafor: Does the order matter?"]).await;
    editor.until_hover(&file, LINE, |hover| hover.contains("Does the order matter?")).await;
}

/// The params of a hover on the comment.
fn hover(world: &World) -> Value {
    json!({
        "textDocument": { "uri": uri(&world.file("till/cart.py")) },
        "position": { "line": LINE, "character": 0 }
    })
}
