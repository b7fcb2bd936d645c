//! The transport, driven over an in-memory pipe with a small language server behind it.

mod client;
mod editor;
mod fake;
mod handlers;
mod input;
mod life_cycle;

use std::time::Duration;

use bitbucket_lsp::transport::{Exit, Options, Why};
use editor::Editor;
use serde_json::{Value, json};
use tokio::time::Instant;

const PARSE_ERROR: i64 = -32700;
const INVALID_REQUEST: i64 = -32600;
const METHOD_NOT_FOUND: i64 = -32601;
const INTERNAL_ERROR: i64 = -32603;
const NOT_INITIALIZED: i64 = -32002;
const REQUEST_CANCELLED: i64 = -32800;
const REQUEST_FAILED: i64 = -32803;

fn document(uri: &str, text: &str) -> Value {
    json!({ "textDocument": { "uri": uri, "languageId": "x", "version": 1, "text": text } })
}

/// The id that an error answers, and its code.
fn code(answer: &Value) -> (&Value, i64) {
    (&answer["id"], answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {answer}")))
}
