//! What a user does in the editor, looks at, and waits for. It must not know how messages travel.

use super::{Editor, PATIENCE, uri};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

impl Editor {
    /// Waits until the diagnostics of a file are these, drawn as [`super::Seen::drawn`] does; compares starts of lines.
    pub async fn until_drawn(&mut self, path: &Path, expected: &[&str]) {
        let uri = uri(path);
        self.until("these diagnostics", |seen| {
            let drawn = seen.drawn(&uri);
            let same = drawn.len() == expected.len()
                && drawn.iter().zip(expected).all(|(line, start)| line.starts_with(start));
            if same { Ok(()) } else { Err(format!("{} has {drawn:#?}, not {expected:#?}", path.display())) }
        })
        .await;
    }

    /// Waits until no file has a diagnostic.
    pub async fn until_nothing_is_drawn(&mut self) {
        self.until("no diagnostics", |seen| {
            let left: Vec<&String> =
                seen.diagnostics.iter().filter(|(_, list)| !list.is_empty()).map(|(uri, _)| uri).collect();
            if left.is_empty() { Ok(()) } else { Err(format!("there are some in {left:?}")) }
        })
        .await;
    }

    /// Waits until the server has taken in all that was sent, and has placed anew what typing left behind:
    /// a refresh of the lenses follows each placing.
    pub async fn until_quiet(&mut self) {
        let before = self.seen.lens_refreshes;
        self.until("a placing after the pause", |seen| {
            if seen.lens_refreshes > before { Ok(()) } else { Err("there was none".into()) }
        })
        .await;
    }

    /// Asks for the hover on a 0-based line until it is as wanted: a document is placed a moment after it was opened.
    pub async fn until_hover(&mut self, path: &Path, line: u32, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let hover = self.hover(path, line).await;
            if wanted(&hover) {
                return hover;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "the hover on line {line} of {} is {hover:?}",
                path.display()
            );
            tokio::task::yield_now().await;
        }
    }

    /// Runs Show Status until its text is as wanted.
    pub async fn until_status(&mut self, wanted: &str) -> String {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let status = self.status().await;
            if status.contains(wanted) {
                return status;
            }
            assert!(tokio::time::Instant::now() < deadline, "waited for {wanted:?} in the status:\n{status}");
            // Nothing tells when a status would read otherwise.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Opens a document with the text of its file.
    pub async fn open(&mut self, path: &Path) {
        let text = String::from_utf8_lossy(&std::fs::read(path).expect("a file to open")).into_owned();
        self.open_with(path, &text).await;
    }

    /// Opens a document with a text of its own.
    pub async fn open_with(&mut self, path: &Path, text: &str) {
        self.versions.insert(uri(path), 1);
        let document = json!({ "uri": uri(path), "languageId": "text", "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document })).await;
    }

    /// Replaces a range, given as 0-based (line, UTF-16 column) pairs, in an open document.
    pub async fn edit(&mut self, path: &Path, start: (u32, u32), end: (u32, u32), text: &str) {
        let version = self.versions.get_mut(&uri(path)).expect("an open document");
        *version += 1;
        let range = json!({
            "start": { "line": start.0, "character": start.1 }, "end": { "line": end.0, "character": end.1 }
        });
        let params = json!({
            "textDocument": { "uri": uri(path), "version": *version },
            "contentChanges": [{ "range": range, "text": text }]
        });
        self.notify("textDocument/didChange", params).await;
    }

    /// Closes a document.
    pub async fn close(&mut self, path: &Path) {
        self.versions.remove(&uri(path));
        self.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri(path) } })).await;
    }

    /// Says that a document was saved; the test writes the file.
    pub async fn saved(&mut self, path: &Path) {
        self.notify("textDocument/didSave", json!({ "textDocument": { "uri": uri(path) } })).await;
    }

    /// Opens and closes workspace folders.
    pub async fn change_folders(&mut self, added: &[&Path], removed: &[&Path]) {
        let folders = |paths: &[&Path]| -> Vec<Value> {
            paths.iter().map(|path| json!({ "uri": uri(path), "name": "folder" })).collect()
        };
        let event = json!({ "added": folders(added), "removed": folders(removed) });
        self.notify("workspace/didChangeWorkspaceFolders", json!({ "event": event })).await;
    }

    /// Changes the settings; the server is told that it should ask for them.
    pub async fn configure(&mut self, settings: Value) {
        self.settings = settings;
        self.notify("workspace/didChangeConfiguration", json!({ "settings": null })).await;
    }

    /// Runs a command.
    pub async fn command(&mut self, id: &str, argument: Value) -> Value {
        self.request("workspace/executeCommand", json!({ "command": id, "arguments": [argument] })).await
    }

    /// Runs a command that opens a document of the server, and gives its path and text.
    pub async fn document(&mut self, id: &str, argument: Value) -> (PathBuf, String) {
        let before = self.seen.shown.len();
        self.command(id, argument).await;
        let shown = self
            .until("a document", |seen| {
                seen.shown.get(before).cloned().ok_or_else(|| "none was shown".into())
            })
            .await;
        let path = bitbucket_lsp::uri::file_path(shown["uri"].as_str().unwrap_or_default()).expect("a file");
        let text = std::fs::read_to_string(&path).expect("the document's text");
        (path, text)
    }

    /// The text of Show Status.
    pub async fn status(&mut self) -> String {
        self.document("bitbucket.showStatus", json!({})).await.1
    }

    /// The hover's Markdown on a 0-based line.
    pub async fn hover(&mut self, path: &Path, line: u32) -> String {
        let params =
            json!({ "textDocument": { "uri": uri(path) }, "position": { "line": line, "character": 0 } });
        let answer = self.request("textDocument/hover", params).await;
        answer["contents"]["value"].as_str().unwrap_or_default().to_owned()
    }

    /// The lenses as `line: title` with 1-based lines.
    pub async fn lenses(&mut self, path: &Path) -> Vec<String> {
        let params = json!({ "textDocument": { "uri": uri(path) } });
        let answer = self.request("textDocument/codeLens", params).await;
        let draw = |lens: &Value| {
            let line = lens["range"]["start"]["line"].as_u64().unwrap_or(0) + 1;
            format!("{line}: {}", lens["command"]["title"].as_str().unwrap_or_default())
        };
        answer.as_array().map_or_else(Vec::new, |lenses| lenses.iter().map(draw).collect())
    }

    /// The titles of the code actions on a 0-based line, with their commands.
    pub async fn actions(&mut self, path: &Path, line: u32) -> Vec<(String, Value)> {
        let position = json!({ "line": line, "character": 0 });
        self.actions_in(path, json!({ "start": position, "end": position }), json!({ "diagnostics": [] }))
            .await
    }

    /// The same in a range, and with a context.
    pub async fn actions_in(&mut self, path: &Path, range: Value, context: Value) -> Vec<(String, Value)> {
        let params = json!({ "textDocument": { "uri": uri(path) }, "range": range, "context": context });
        let answer = self.request("textDocument/codeAction", params).await;
        let draw = |action: &Value| {
            (action["title"].as_str().unwrap_or_default().to_owned(), action["command"].clone())
        };
        answer.as_array().map_or_else(Vec::new, |actions| actions.iter().map(draw).collect())
    }

    /// Runs the code action on a 0-based line whose title starts with this.
    pub async fn act(&mut self, path: &Path, line: u32, title: &str) {
        let actions = self.actions(path, line).await;
        let found = actions.iter().find(|(known, _)| known.starts_with(title));
        let Some((_, command)) = found else { panic!("no action {title:?} among {actions:#?}") };
        let params = json!({ "command": command["command"], "arguments": command["arguments"] });
        self.request("workspace/executeCommand", params).await;
    }

    /// The completions at a position, as `label -> inserted`.
    pub async fn completions(&mut self, path: &Path, line: u32, character: u32) -> Vec<String> {
        let params = json!({
            "textDocument": { "uri": uri(path) }, "position": { "line": line, "character": character }
        });
        let answer = self.request("textDocument/completion", params).await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let draw =
            |item: &Value| format!("{} -> {}", text(&item["label"]), text(&item["textEdit"]["newText"]));
        answer["items"].as_array().map_or_else(Vec::new, |items| items.iter().map(draw).collect())
    }
    /// Everything that the server ever said to the user or to a log.
    pub fn said(&self) -> String {
        [self.seen.messages.join("\n"), self.seen.log.join("\n")].join("\n")
    }
}
