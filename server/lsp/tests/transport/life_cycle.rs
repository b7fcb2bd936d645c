//! From `initialize` to the end of the session, whichever way it comes.

use tokio::time::sleep;

use super::*;

#[tokio::test(start_paused = true)]
async fn exit_code_is_zero_only_after_shutdown() {
    let mut editor = Editor::initialized(Options::default()).await;
    assert_eq!(editor.ask("shutdown", Value::Null).await["result"], Value::Null);
    editor.notify("exit", Value::Null).await;
    assert_eq!(editor.end().await.0, Exit { code: 0, why: Why::ExitNotification });

    let mut editor = Editor::initialized(Options::default()).await;
    editor.notify("exit", Value::Null).await;
    assert_eq!(editor.end().await.0, Exit { code: 1, why: Why::ExitNotification });

    let mut editor = Editor::start(Options::default());
    editor.notify("exit", Value::Null).await;
    assert_eq!(editor.end().await.0, Exit { code: 1, why: Why::ExitNotification });

    let mut editor = Editor::initialized(Options::default()).await;
    editor.ask("shutdown", Value::Null).await;
    editor.input = None;
    assert_eq!(editor.end().await.0, Exit { code: 1, why: Why::EndOfInput });
}

#[tokio::test(start_paused = true)]
async fn shutdown_is_answered_even_if_exit_is_sent_right_behind() {
    let mut editor = Editor::initialized(Options::default()).await;
    editor.request(1, "shutdown", Value::Null).await;
    editor.notify("exit", Value::Null).await;
    assert_eq!(editor.read().await, json!({ "jsonrpc": "2.0", "id": 1, "result": null }));
    assert_eq!(editor.end().await.0.code, 0);
}

#[tokio::test(start_paused = true)]
async fn leaves_quickly_with_64_hung_requests() {
    let mut editor = Editor::initialized(Options::default()).await;
    for id in 0..64 {
        editor.request(id, "hang", Value::Null).await;
    }
    let start = Instant::now();
    editor.ask("shutdown", Value::Null).await;
    assert!(start.elapsed() <= Duration::from_millis(200), "{:?}", start.elapsed());
    editor.notify("exit", Value::Null).await;
    let (exit, took) = editor.end().await;
    assert_eq!(exit.code, 0);
    assert!(took <= Duration::from_millis(500), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn end_of_input_ends_the_session_with_hung_requests() {
    let mut editor = Editor::initialized(Options::default()).await;
    for id in 0..64 {
        editor.request(id, "hang", Value::Null).await;
    }
    editor.request("last", "slowEcho", json!([1])).await;
    editor.input = None;
    assert_eq!(editor.read().await["id"], "last", "what can still be answered is");
    let (exit, took) = editor.end().await;
    assert_eq!(exit, Exit { code: 1, why: Why::EndOfInput });
    assert!(took <= Duration::from_secs(1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn requests_wait_for_initialize_and_stop_at_shutdown() {
    let mut editor = Editor::start(Options::default());
    for method in ["textDocument/hover", "shutdown", "no/such", "$/no/such"] {
        assert_eq!(code(&editor.ask(method, Value::Null).await).1, NOT_INITIALIZED, "{method}");
    }
    editor.notify("textDocument/didOpen", document("file:///a", "early")).await;
    editor.notify("shutdown", Value::Null).await;
    editor.notify("initialize", json!({ "capabilities": {} })).await;
    assert_eq!(code(&editor.ask("initialize", json!(1)).await).1, -32602);
    assert!(editor.ask("initialize", json!({ "capabilities": {} })).await["result"].is_object());
    assert_eq!(code(&editor.ask("initialize", json!({ "capabilities": {} })).await).1, INVALID_REQUEST);
    assert_eq!(code(&editor.ask("exit", Value::Null).await).1, INVALID_REQUEST);
    assert_eq!(code(&editor.ask("no/such", Value::Null).await).1, METHOD_NOT_FOUND);
    assert_eq!(code(&editor.ask("$/no/such", Value::Null).await).1, METHOD_NOT_FOUND);
    editor.notify("$/no/such", Value::Null).await;
    editor.notify("shutdown", Value::Null).await;
    assert_eq!(editor.ask("echo", json!([2])).await["result"], json!([2]));
    editor.ask("shutdown", Value::Null).await;
    for method in ["echo", "shutdown", "initialize", "no/such"] {
        assert_eq!(code(&editor.ask(method, Value::Null).await).1, INVALID_REQUEST, "{method}");
    }
    assert_eq!(editor.log(), ["echo [2]"]);
}

#[tokio::test(start_paused = true)]
async fn two_initializes_at_once_are_one() {
    let mut editor = Editor::start(Options::default());
    let slow = json!({ "capabilities": {}, "initializationOptions": "hang" });
    editor.request(1, "initialize", slow).await;
    assert_eq!(code(&editor.ask("initialize", json!({ "capabilities": {} })).await).1, INVALID_REQUEST);
    assert_eq!(code(&editor.ask("echo", json!([])).await).1, NOT_INITIALIZED);
    editor.notify("$/cancelRequest", json!({ "id": 1 })).await;
    assert_eq!(code(&editor.read().await), (&json!(1), REQUEST_CANCELLED));
    assert!(editor.ask("initialize", json!({ "capabilities": {} })).await["result"].is_object());
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn ends_with_the_process_of_the_client() {
    let mut parent = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let mut editor = Editor::start(Options::default());
    editor.ask("initialize", json!({ "capabilities": {}, "processId": parent.id() })).await;
    sleep(Duration::from_secs(10)).await;
    assert!(!editor.session.is_finished());
    parent.kill().unwrap();
    parent.wait().unwrap();
    let (exit, took) = editor.end().await;
    assert_eq!(exit, Exit { code: 1, why: Why::ParentGone });
    assert!(took <= Duration::from_secs(5), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn no_process_is_watched_if_none_is_named() {
    let mut editor = Editor::start(Options::default());
    editor.ask("initialize", json!({ "capabilities": {}, "processId": null })).await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(editor.ask("echo", json!([])).await["result"], json!([]));
}
