//! Order, cancelling, deadlines, and handlers that panic or hang.

use std::sync::Arc;

use super::*;

#[tokio::test(start_paused = true)]
async fn handlers_start_in_the_order_of_arrival() {
    let mut editor = Editor::initialized(Options::default()).await;
    let mut expected = Vec::new();
    for number in 1..=50 {
        let change =
            json!({ "textDocument": { "uri": "file:///a", "version": number }, "contentChanges": [] });
        editor.notify("textDocument/didChange", change).await;
        editor.request(number, if number % 2 == 0 { "echo" } else { "slowEcho" }, json!([number])).await;
        expected.extend([format!("change {number}"), format!("echo [{number}]")]);
    }
    for _ in 1..=50 {
        editor.read().await;
    }
    assert_eq!(editor.log(), expected);
}

#[tokio::test(start_paused = true)]
async fn handlers_have_started_before_the_next_message_is_looked_at() {
    let mut editor = Editor::initialized(Options::default()).await;
    editor.notify("textDocument/didOpen", document("file:///a", "text")).await;
    editor.request(1, "slowEcho", json!([1])).await;
    editor.notify("exit", Value::Null).await;
    let log = Arc::clone(&editor.log);
    assert_eq!(editor.end().await.0.why, Why::ExitNotification);
    assert_eq!(*log.lock().unwrap(), ["open file:///a text", "echo [1]"]);
}

#[tokio::test(start_paused = true)]
async fn requests_run_side_by_side() {
    let mut editor = Editor::initialized(Options::default()).await;
    let start = Instant::now();
    for id in 0..100 {
        editor.notify("hangingNotification", Value::Null).await;
        editor.request(id, "slowEcho", json!([id])).await;
    }
    for _ in 0..100 {
        let answer = editor.read().await;
        assert_eq!(answer["result"], json!([answer["id"]]));
    }
    assert!(start.elapsed() < Duration::from_millis(100), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn cancels_at_once_whatever_the_id() {
    let mut editor = Editor::initialized(Options::default()).await;
    for id in 0..100 {
        editor.request(id, "hang", Value::Null).await;
    }
    let wide = 1_i64 << 40;
    editor.request(wide, "hang", Value::Null).await;
    editor.request("text", "hang", Value::Null).await;
    let start = Instant::now();
    for id in [json!(50), json!(wide), json!("text")] {
        editor.notify("$/cancelRequest", json!({ "id": id })).await;
        assert_eq!(code(&editor.read().await), (&id, REQUEST_CANCELLED));
    }
    assert!(start.elapsed() < Duration::from_millis(1));
    for params in [json!({ "id": 50 }), json!({ "id": "99" }), json!({ "id": null }), json!([]), json!({})] {
        editor.notify("$/cancelRequest", params).await;
    }
    assert_eq!(editor.ask("echo", json!([])).await["result"], json!([]), "the rest is ignored");
}

#[tokio::test(start_paused = true)]
async fn an_id_in_use_is_refused_and_free_again_afterwards() {
    let mut editor = Editor::initialized(Options::default()).await;
    editor.request(7, "hang", Value::Null).await;
    editor.request(7, "echo", json!([1])).await;
    assert_eq!(code(&editor.read().await), (&json!(7), INVALID_REQUEST));
    editor.request("7", "echo", json!([2])).await;
    assert_eq!(editor.read().await, json!({ "jsonrpc": "2.0", "id": "7", "result": [2] }));
    editor.notify("$/cancelRequest", json!({ "id": 7 })).await;
    assert_eq!(code(&editor.read().await), (&json!(7), REQUEST_CANCELLED));
    for method in ["panicAtOnce", "panicLater"] {
        editor.request(7, method, Value::Null).await;
        assert_eq!(code(&editor.read().await), (&json!(7), INTERNAL_ERROR));
    }
    editor.request(7, "echo", json!([3])).await;
    assert_eq!(editor.read().await, json!({ "jsonrpc": "2.0", "id": 7, "result": [3] }));
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_one_answer_and_tells_nothing() {
    let mut editor = Editor::initialized(Options::default()).await;
    for method in ["panicAtOnce", "panicLater"] {
        let answer = editor.ask(method, Value::Null).await;
        assert_eq!(code(&answer).1, INTERNAL_ERROR);
        assert!(!answer.to_string().contains("secret"), "{answer}");
    }
    editor.notify("panickingNotification", json!([false])).await;
    editor.notify("panickingNotification", json!([true])).await;
    for number in 0..100 {
        assert_eq!(editor.ask("slowEcho", json!([number])).await["result"], json!([number]));
    }
    assert_eq!(editor.log()[..2], ["panic, late: false", "panic, late: true"]);
}

#[tokio::test(start_paused = true)]
async fn every_request_is_answered_by_its_deadline() {
    let mut editor = Editor::initialized(Options::default()).await;
    let start = Instant::now();
    let answer = editor.ask("hang", Value::Null).await;
    assert_eq!(code(&answer).1, REQUEST_FAILED);
    assert_eq!(answer["error"]["message"], "hang was given up after 30s without an answer; try again.");
    assert!(start.elapsed() < Duration::from_millis(30_100));
    assert_eq!(editor.ask("echo", json!([])).await["result"], json!([]));
}
