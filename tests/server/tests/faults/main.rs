//! Journeys on bad days: each fault ends in bounded time with its sentence, said once, and the rest goes on.

mod accounts;
mod answers;
mod command_line;
mod contents;
mod hostile;
mod repositories;
mod settings;

use bitbucket_lsp::worker::Environment;
use journeys::editor::{Editor, Seen, able};
use journeys::world::World;
use serde_json::{Value, json};
use std::time::Duration;

/// The comments of `till/cart.py` in the sample, as diagnostics begin.
const CART: [&str; 1] = ["35: Ben Okafor: Does the order matter?"];
/// The API, without git's own routes.
const API: &str = "/2.0";
/// The comments of a pull request.
const COMMENTS: &str = "/2.0/repositories/*/*/pullrequests/*/comments";

/// The same deadlines as a user has, in small.
fn hasty(environment: Environment) -> Environment {
    let limits = bitbucket::Options {
        header: Duration::from_secs(1),
        idle: Duration::from_secs(1),
        total: Duration::from_secs(2),
        first_pause: Duration::from_millis(20),
        first_rest: Duration::from_millis(100),
        ..environment.limits.clone()
    };
    Environment { limits, ..environment }
}

/// An editor on the sample's clone whose server does not wait long.
async fn editor(name: &str, world: &World) -> Editor {
    editor_as(name, world, world.environment()).await
}

async fn editor_as(name: &str, world: &World, environment: Environment) -> Editor {
    Editor::start(name, hasty(environment), &[&world.clone], able(), json!({})).await
}

/// Waits until a sentence that holds `part` is in the messages or the log, and gives it.
async fn until_said(editor: &mut Editor, part: &str) -> String {
    editor
        .until(part, |seen| said(seen, part).into_iter().next().ok_or_else(|| "it was not said".to_owned()))
        .await
}

/// Each time that a sentence with `part` was said about the pull request.
fn said(seen: &Seen, part: &str) -> Vec<String> {
    let all = seen.messages.iter().chain(&seen.log);
    // Who the user is, is asked besides, and answered for in the log.
    all.filter(|text| text.contains(part) && !text.starts_with("Who is signed in")).cloned().collect()
}

/// The status document's text.
async fn status(editor: &mut Editor) -> String {
    editor.document("bitbucket.showStatus", json!({})).await.1
}

/// Looks at the status until it holds `part`.
async fn until_status(editor: &mut Editor, part: &str) -> String {
    until_status_is(editor, |status| status.contains(part)).await
}

async fn until_status_is(editor: &mut Editor, is_wanted: impl Fn(&str) -> bool) -> String {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let status = status(editor).await;
        if is_wanted(&status) {
            return status;
        }
        assert!(tokio::time::Instant::now() < deadline, "{status}");
        tokio::task::yield_now().await;
    }
}

/// Asks for everything that an editor may ask for on a file; each must be answered, and soon.
async fn goes_on(editor: &mut Editor, world: &World) {
    let file = world.file("till/cart.py");
    let document = json!({ "uri": journeys::editor::uri(&file) });
    let position = json!({ "line": 34, "character": 0 });
    let range = json!({ "start": position, "end": position });
    let questions: [(&str, Value); 6] = [
        ("textDocument/hover", json!({ "textDocument": document, "position": position })),
        ("textDocument/codeLens", json!({ "textDocument": document })),
        (
            "textDocument/codeAction",
            json!({ "textDocument": document, "range": range, "context": { "diagnostics": [] } }),
        ),
        ("textDocument/inlayHint", json!({ "textDocument": document, "range": range })),
        ("textDocument/documentSymbol", json!({ "textDocument": document })),
        ("textDocument/documentLink", json!({ "textDocument": document })),
    ];
    for (method, params) in questions {
        let asked = tokio::time::Instant::now();
        let answer = editor.request(method, params).await;
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        assert!(asked.elapsed() < Duration::from_secs(2), "{method} took {:?}", asked.elapsed());
    }
}

/// Takes all faults back and refreshes; then everything is shown as if nothing had been.
async fn recovers(editor: &mut Editor, world: &World, sentence: &str) {
    world.simulator.faults().clear_all();
    editor.command("bitbucket.refresh", json!({})).await;
    // Past problems are told apart from what is wrong now.
    let now = |status: &str| status.split("## Latest problems").next().unwrap_or_default().to_owned();
    until_status_is(editor, |status| {
        now(status).contains("Shown: pull request #4") && !now(status).contains(sentence)
    })
    .await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    let lenses = editor.lenses(&world.file("till/cart.py")).await;
    assert!(!lenses.iter().any(|lens| lens.contains("ot up to date")), "{lenses:?}");
    let progress = &editor.seen.progress;
    let count = |kind: &str| progress.iter().filter(|one| *one == kind).count();
    assert!(count("begin") - count("end") <= 1, "progress that never ends: {progress:?}");
}
