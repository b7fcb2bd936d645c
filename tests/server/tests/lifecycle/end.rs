//! The end: orderly or not, it comes soon, with the right code, and leaves no process behind.
//!
//! What needs no Bitbucket (exit codes of an idle server, a closed input, a client that died) is tested beside the
//! binary, in `server/lsp/tests/lifecycle.rs`.

use super::{hover, started, started_with, until_shown};
use journeys::world::World;
use serde_json::{Value, json};
use simulator::Fault;
use std::time::{Duration, Instant};

/// Many requests are under way, and every request to Bitbucket hangs.
async fn busy(name: &str, world: &World) -> journeys::editor::Editor {
    world.simulator.faults().set(Fault::Hold.on("/2.0"));
    let mut editor = started(name, world).await;
    let asked = |log: &[simulator::LoggedRequest]| {
        log.iter().any(|one| one.path.starts_with("/2.0") && one.finished.is_none())
    };
    assert!(world.simulator.until(asked, Duration::from_secs(10)).await, "a request hangs");
    for _ in 0..16 {
        editor.post("textDocument/hover", hover(world)).await;
        editor.post("textDocument/codeLens", json!({ "textDocument": hover(world)["textDocument"] })).await;
        for command in ["bitbucket.refresh", "bitbucket.showStatus"] {
            editor.post("workspace/executeCommand", json!({ "command": command, "arguments": [] })).await;
        }
    }
    editor
}

#[tokio::test]
async fn shutdown_and_exit_wait_for_nothing() {
    let world = World::sample("end-busy").await;
    let mut editor = busy("end-busy", &world).await;
    let start = Instant::now();
    let answer = editor.request("shutdown", Value::Null).await;
    let answered = start.elapsed();
    assert!(answer.is_null(), "{answer}");
    assert!(answered <= Duration::from_millis(200), "shutdown took {answered:?}");
    let start = Instant::now();
    editor.notify("exit", Value::Null).await;
    let code = editor.process().end(Duration::from_secs(10)).await.code();
    let ended = start.elapsed();
    assert_eq!(code, Some(0));
    assert!(ended <= Duration::from_millis(500), "exit took {ended:?}");
}

#[tokio::test]
async fn exit_without_shutdown_is_an_error_and_as_quick() {
    let world = World::sample("end-exit").await;
    let mut editor = busy("end-exit", &world).await;
    let start = Instant::now();
    editor.notify("exit", Value::Null).await;
    assert_eq!(editor.process().end(Duration::from_secs(10)).await.code(), Some(1));
    assert!(start.elapsed() <= Duration::from_millis(500), "{:?}", start.elapsed());
}

#[tokio::test]
async fn the_end_of_the_input_ends_a_busy_server() {
    let world = World::sample("end-input").await;
    let mut editor = busy("end-input", &world).await;
    let start = Instant::now();
    editor.hang_up().await;
    assert_eq!(editor.process().end(Duration::from_secs(10)).await.code(), Some(1));
    assert!(start.elapsed() <= Duration::from_secs(1), "{:?}", start.elapsed());
}

/// The editor dies, but its pipes stay open in another process.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_does_not_outlive_its_editor() {
    let world = World::sample("end-parent").await;
    let mut parent = tokio::process::Command::new("sh")
        .args(["-c", "read line"])
        .stdin(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a shell");
    let id = parent.id().expect("it runs");
    let more = json!({ "processId": id });
    let mut editor = started_with("end-parent", &world, &world.variables(), more).await;
    until_shown(&mut editor, &world).await;
    world.simulator.faults().set(Fault::Hold.on("/2.0"));
    editor.command("bitbucket.refresh", json!({})).await;
    let start = Instant::now();
    parent.kill().await.expect("it can be killed");
    assert_eq!(editor.process().end(Duration::from_secs(10)).await.code(), Some(1));
    assert!(start.elapsed() <= Duration::from_secs(5), "{:?}", start.elapsed());
}

/// A moment in the life of a server, from its first millisecond to when everything is shown.
fn moment(number: u64) -> Duration {
    // Spread by the golden ratio: no two runs meet the same place.
    let part = (number as f64 * 0.618_033_988_749_895).fract();
    Duration::from_micros((part * part * 400_000.0) as u64)
}

/// What an editor sends in its first moments, without waiting for anything.
async fn begin(
    world: &World,
    variables: &[(String, String)],
) -> (tokio::process::Child, tokio::process::ChildStdin) {
    use tokio::io::AsyncWriteExt;
    let mut command = journeys::process::command(variables);
    command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let mut child = command.spawn().expect("it starts");
    let mut input = child.stdin.take().expect("a pipe");
    let folder = journeys::editor::uri(&world.clone);
    let file = journeys::editor::uri(&world.file("till/cart.py"));
    let text = std::fs::read_to_string(world.file("till/cart.py")).expect("a file");
    let messages = [
        json!({ "id": 1, "method": "initialize", "params": {
            "capabilities": journeys::editor::able(), "processId": null, "workspaceFolders": [{ "uri": folder, "name": "x" }]
        } }),
        json!({ "method": "initialized", "params": {} }),
        json!({ "method": "textDocument/didOpen", "params": {
            "textDocument": { "uri": file, "languageId": "python", "version": 1, "text": text }
        } }),
        json!({ "id": 2, "method": "workspace/executeCommand", "params": { "command": "bitbucket.showStatus" } }),
        json!({ "id": 3, "method": "workspace/executeCommand", "params": { "command": "bitbucket.showPullRequest" } }),
    ];
    for mut message in messages {
        message["jsonrpc"] = "2.0".into();
        let body = message.to_string();
        let frame = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        if input.write_all(frame.as_bytes()).await.is_err() {
            break;
        }
    }
    (child, input)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn whenever_the_editor_goes_nothing_is_left() {
    let world = World::sample("end-anywhen").await;
    let mut variables = world.variables();
    let mark = world.folder().join("cache").display().to_string();
    variables.push(("BITBUCKET_LSP_LOG".into(), "error".into()));
    for number in 0..60 {
        let (mut child, input) = begin(&world, &variables).await;
        tokio::time::sleep(moment(number)).await;
        let start = Instant::now();
        if number % 2 == 0 {
            drop(input);
            let ended = tokio::time::timeout(Duration::from_secs(10), child.wait()).await;
            let status = ended.expect("it ends").expect("a status");
            assert_eq!(status.code(), Some(1), "gone after {:?}", moment(number));
            assert!(
                start.elapsed() <= Duration::from_secs(1),
                "{:?} after {:?}",
                start.elapsed(),
                moment(number)
            );
        } else {
            child.kill().await.expect("it can be killed");
        }
        assert_eq!(journeys::process::marked(&mark), Vec::<u32>::new(), "left after {:?}", moment(number));
    }
    // Whatever the killed ones left on disk, the next one works.
    let mut editor = started("end-anywhen", &world).await;
    assert_eq!(journeys::process::marked(&mark), [editor.process().id()], "the check does see a server");
    until_shown(&mut editor, &world).await;
    let (_, document) = editor.document("bitbucket.showPullRequest", json!({ "line": 0 })).await;
    assert!(document.contains("Discounts: percentages and vouchers"), "{document}");
    assert_eq!(editor.stop().await, 0);
}
