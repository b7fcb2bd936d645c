//! What the server asks and tells the client, and clients that do not listen.

use tokio::io::{AsyncWriteExt, duplex};

use super::*;
use crate::editor::PIPE;

#[tokio::test(start_paused = true)]
async fn asks_the_client_from_any_number_of_handlers() {
    let mut editor = Editor::initialized(Options::default()).await;
    for id in 0..64 {
        editor.request(id, "folders", Value::Null).await;
    }
    let mut questions = Vec::new();
    for _ in 0..64 {
        let question = editor.read().await;
        assert_eq!(question["method"], "workspace/workspaceFolders");
        questions.push(question["id"].clone());
    }
    for id in questions {
        editor
            .send(json!({ "jsonrpc": "2.0", "id": id, "result": [{ "uri": "file:///[x]", "name": "x" }] }))
            .await;
    }
    for _ in 0..64 {
        assert_eq!(editor.read().await["result"], json!([{ "uri": "file:///[x]", "name": "x" }]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_leaving_is_asked_nothing() {
    let mut editor = Editor::initialized(Options::default()).await;
    editor.request(1, "lateFolders", Value::Null).await;
    editor.ask("shutdown", Value::Null).await;
    let said = editor.read().await;
    assert_eq!(said["params"]["message"], "asking", "what is only said still comes: {said}");
    editor.notify("exit", Value::Null).await;
    assert_eq!(editor.read_or_end().await, None);
    assert_eq!(editor.end().await.0.code, 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_handler_sends_goes_before_its_answer() {
    let mut editor = Editor::initialized(Options::default()).await;
    // One message is sent without waiting, twenty are not.
    for count in [1, 20] {
        editor.request(count, "chatty", json!([count])).await;
        for number in 0..count {
            assert_eq!(editor.read().await["params"]["message"], number.to_string());
        }
        assert_eq!(editor.read().await["id"], count);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_stops_nobody() {
    let mut editor = Editor::initialized(Options::default()).await;
    let text = "x".repeat(PIPE);
    for id in 0..200 {
        editor.request(id, "echo", json!([text])).await;
    }
    editor.notify("textDocument/didOpen", document("file:///a", "")).await;
    for id in 0..200 {
        assert_eq!(editor.read().await["id"], id);
    }
    assert_eq!(editor.log().len(), 201);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_given_up() {
    let mut editor = Editor::initialized(Options { max_unsent: 100_000, ..Options::default() }).await;
    let text = "x".repeat(PIPE);
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "echo", "params": [text] }).to_string();
    let message = format!("Content-Length: {}\r\n\r\n{message}", message.len());
    // A pipe's worth more than the limit; the session may end before it has taken everything.
    for _ in 0..100 {
        let _ = editor.input.as_mut().unwrap().write_all(message.as_bytes()).await;
    }
    let (exit, took) = editor.end().await;
    assert_eq!(exit, Exit { code: 1, why: Why::OutputStuck });
    assert!(took <= Duration::from_secs(1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_closed_output_ends_the_session() {
    let mut editor = Editor::initialized(Options::default()).await;
    editor.output = duplex(1).0;
    editor.request(1, "echo", json!([])).await;
    assert_eq!(editor.end().await.0, Exit { code: 1, why: Why::OutputClosed });
}
