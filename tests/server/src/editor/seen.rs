//! What the editor has been told. It must not know why.

use serde_json::Value;
use std::collections::BTreeMap;

/// What the editor has been told so far.
#[derive(Default)]
pub struct Seen {
    /// By URI, the diagnostics published last.
    pub diagnostics: BTreeMap<String, Vec<Value>>,
    /// How many times diagnostics were published.
    pub publishes: usize,
    /// `window/showMessage`, in order.
    pub messages: Vec<String>,
    /// `window/logMessage`, in order.
    pub log: Vec<String>,
    /// `window/showDocument` params, in order.
    pub shown: Vec<Value>,
    /// `window/showMessageRequest` params, in order.
    pub asked: Vec<Value>,
    /// `$/progress` kinds, in order.
    pub progress: Vec<String>,
    /// `workspace/codeLens/refresh` requests.
    pub lens_refreshes: usize,
    /// `workspace/configuration` requests.
    pub configurations: usize,
    /// `workspace/applyEdit` params, in order.
    pub edits: Vec<Value>,
    /// The drafts that are gone, by their URIs.
    pub closed_drafts: Vec<String>,
    /// Answers to no request in particular: errors about messages that could not be read.
    pub refused: Vec<Value>,
}

impl Seen {
    /// The diagnostics of a file as `line: message` with 1-based lines, sorted.
    pub fn drawn(&self, uri: &str) -> Vec<String> {
        let mut lines: Vec<(u64, String)> = self.diagnostics.get(uri).map_or_else(Vec::new, |list| {
            let line = |one: &Value| one["range"]["start"]["line"].as_u64().unwrap_or(u64::MAX);
            let text = |one: &Value| one["message"].as_str().unwrap_or_default().to_owned();
            list.iter().map(|one| (line(one), text(one))).collect()
        });
        lines.sort();
        lines.into_iter().map(|(line, text)| format!("{}: {text}", line + 1)).collect()
    }
}
