//! Journeys of somebody who answers a review: drafts, replies, comments, edits, resolutions, suggestions, tasks.

mod comments;
mod drafts;
mod faults;
mod replies;
mod suggestions;
mod tasks;

use journeys::editor::{Editor, uri};
use journeys::world::World;
use serde_json::Value;
use simulator::{PullRequestHandle, WrittenComment};
use std::path::{Path, PathBuf};

/// The sample's pull request, as Bitbucket has it.
fn bitbucket(world: &World) -> PullRequestHandle<'_> {
    world.simulator.pull_request("corner-shop/till", 4)
}

/// The texts of comments that were not there when the journey began, oldest first.
fn written(world: &World, before: u64) -> Vec<WrittenComment> {
    bitbucket(world).comments_after(before).expect("comments")
}

/// The id of the latest comment.
fn latest(world: &World) -> u64 {
    bitbucket(world).comments().expect("comments").iter().map(|comment| comment.id).max().unwrap_or(0)
}

/// The sample in an editor, its comments drawn, with this file open.
async fn reviewing(world: &World, file: &str) -> (Editor, PathBuf) {
    let mut editor = world.editor().await;
    let path = world.file(file);
    drawn(&mut editor, &path).await;
    editor.open(&path).await;
    // A document is found in its repository a moment after it was opened.
    let mut lenses = editor.lenses(&path).await;
    while lenses.is_empty() {
        let before = editor.seen.lens_refreshes;
        editor
            .until("the lenses of the file", |seen| {
                if seen.lens_refreshes > before { Ok(()) } else { Err("there was no refresh".into()) }
            })
            .await;
        lenses = editor.lenses(&path).await;
    }
    (editor, path)
}

/// Waits until a file has diagnostics.
async fn drawn(editor: &mut Editor, path: &Path) {
    let uri = uri(path);
    editor
        .until("comments", |seen| match seen.drawn(&uri).as_slice() {
            [] => Err("none are drawn".into()),
            _ => Ok(()),
        })
        .await;
}

/// Runs a command that opens a draft, and opens the draft in the editor as one would: its path and text, and where the
/// cursor is.
async fn draft(editor: &mut Editor, id: &str, argument: Value) -> (PathBuf, String, (u32, u32)) {
    let before = editor.seen.shown.len();
    editor.command(id, argument).await;
    shown_draft(editor, before).await
}

/// The draft that is shown after so many documents.
async fn shown_draft(editor: &mut Editor, before: usize) -> (PathBuf, String, (u32, u32)) {
    let shown = editor
        .until("a draft", |seen| seen.shown.get(before).cloned().ok_or_else(|| "none was shown".into()))
        .await;
    let path = bitbucket_lsp::uri::file_path(shown["uri"].as_str().unwrap_or_default()).expect("a file");
    assert!(path.parent().is_some_and(|folder| folder.ends_with("drafts")), "{}", path.display());
    let text = std::fs::read_to_string(&path).expect("the draft's text");
    let number = |value: &Value| u32::try_from(value.as_u64().unwrap_or(0)).unwrap_or(0);
    let start = &shown["selection"]["start"];
    let at = (number(&start["line"]), number(&start["character"]));
    editor.open(&path).await;
    (path, text, at)
}

/// Waits for a message that has this in it.
async fn told(editor: &mut Editor, words: &str) -> String {
    editor
        .until(&format!("a message with {words:?}"), |seen| {
            let found = seen.messages.iter().find(|message| message.contains(words));
            found.cloned().ok_or_else(|| "there was none".into())
        })
        .await
}

/// Waits until Bitbucket has so many new comments.
async fn until_written(editor: &mut Editor, world: &World, before: u64, n: usize) -> Vec<WrittenComment> {
    editor
        .until(&format!("{n} new comments on Bitbucket"), |_| {
            let found = written(world, before);
            if found.len() == n { Ok(found) } else { Err(format!("it has {found:#?}")) }
        })
        .await
}

/// Waits until a draft's file is gone.
async fn until_gone(editor: &mut Editor, path: &Path) {
    editor
        .until("the draft to go", |_| {
            if path.exists() { Err(format!("{} is there", path.display())) } else { Ok(()) }
        })
        .await;
}

/// The drafts on disk.
fn drafts_of(world: &World) -> Vec<PathBuf> {
    let Ok(entries) = world.folder().join("state/drafts").read_dir() else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut drafts: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect();
    drafts.sort();
    drafts
}
