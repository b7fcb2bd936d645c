//! What a live session is sent that it should not be, one after the other: each is answered as it must, and all goes on.

use super::{hover, started, until_shown};
use journeys::editor::{Editor, able, uri};
use journeys::process::Process;
use journeys::world::World;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The hover works as before.
async fn works(editor: &mut Editor, world: &World, after: &str) {
    let answer = editor.request("textDocument/hover", hover(world)).await;
    let text = answer["contents"]["value"].as_str().unwrap_or_default();
    assert!(text.contains("Does the order matter?"), "after {after}: {answer}");
}

#[tokio::test]
async fn malformed_messages_cost_only_themselves() {
    let world = World::sample("input-malformed").await;
    let mut editor = started("input-malformed", &world).await;
    until_shown(&mut editor, &world).await;
    let deep = "[".repeat(200_000);
    let deep_params = format!(r#"{{"jsonrpc":"2.0","method":"x/y","params":{deep}"#);
    let bodies: [(&str, &[u8], bool); 18] = [
        ("bad JSON", b"{\"jsonrpc\":", true),
        ("no text at all", b"\xff\xfe\x00\x80", true),
        ("invalid UTF-8 in a string", b"{\"jsonrpc\":\"2.0\",\"method\":\"a\xff\"}", true),
        (
            "a lone surrogate",
            br#"{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"x":"\ud800"}}"#,
            false,
        ),
        ("a batch of numbers", b"[1,2,3]", true),
        ("an empty batch", b"[]", true),
        ("a number", b"17", true),
        ("null", b"null", true),
        ("an empty object", b"{}", true),
        ("a nest of 200,000", deep.as_bytes(), true),
        ("params that are a nest", deep_params.as_bytes(), true),
        ("a method that is a number", br#"{"jsonrpc":"2.0","id":null,"method":5}"#, true),
        ("another protocol", br#"{"jsonrpc":"1.0","method":"x"}"#, false),
        ("a response to nothing", br#"{"jsonrpc":"2.0","id":999999,"result":null}"#, false),
        (
            "a response of a strange id",
            br#"{"jsonrpc":"2.0","id":"what","error":{"code":1,"message":"x"}}"#,
            false,
        ),
        (
            "a notification of params of a wrong type",
            br#"{"jsonrpc":"2.0","method":"textDocument/didOpen","params":7}"#,
            false,
        ),
        (
            "a cancellation of nothing",
            br#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":31337}}"#,
            false,
        ),
        ("an unknown notification", br#"{"jsonrpc":"2.0","method":"$/no/such","params":{}}"#, false),
    ];
    for (what, body, is_refused) in bodies {
        let before = editor.seen.refused.len();
        editor.write_message(body).await;
        works(&mut editor, &world, what).await;
        if is_refused {
            assert_eq!(editor.seen.refused.len(), before + 1, "{what} is refused once");
            let code = editor.seen.refused[before]["error"]["code"].as_i64();
            assert!(matches!(code, Some(-32700 | -32600)), "{what}: {:?}", editor.seen.refused[before]);
        }
    }
    let requests = [
        ("no/such", json!({}), -32601),
        ("textDocument/hover", json!(7), -32602),
        (
            "textDocument/hover",
            json!({ "textDocument": { "uri": "no uri" }, "position": { "line": -1, "character": 0 } }),
            -32602,
        ),
        ("workspace/executeCommand", json!({ "command": "bitbucket.noSuch", "arguments": [] }), -32602),
        (
            "workspace/executeCommand",
            json!({ "command": "bitbucket.showThread", "arguments": [[[7]]] }),
            -32602,
        ),
        ("initialize", json!({ "capabilities": {} }), -32600),
    ];
    for (method, params, code) in requests {
        let answer = editor.request(method, params.clone()).await;
        assert_eq!(answer["error"]["code"], code, "{method} {params}: {answer}");
        works(&mut editor, &world, method).await;
    }
    for header in [
        "Content-Type: x\r\n\r\n",
        "Nonsense\r\n\r\n",
        "Content-Length: -5\r\n\r\n",
        "content-length:   two\r\n\r\n",
        "\r\n\r\n",
    ] {
        editor.write(header.as_bytes()).await;
        works(&mut editor, &world, header).await;
    }
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn documents_out_of_order_do_no_harm() {
    let world = World::sample("input-documents").await;
    let mut editor = started("input-documents", &world).await;
    until_shown(&mut editor, &world).await;
    let file = uri(&world.file("till/cart.py"));
    let text = std::fs::read_to_string(world.file("till/cart.py")).expect("a file");
    let open = json!({ "textDocument": { "uri": file, "languageId": "python", "version": 1, "text": text } });
    let far = json!({ "start": { "line": 4_000_000_000_u32, "character": 4_000_000_000_u32 }, "end": { "line": 0, "character": 9 } });
    let change = |uri: &str, version: i64, change: Value| json!({ "textDocument": { "uri": uri, "version": version }, "contentChanges": [change] });
    let notifications = [
        ("textDocument/didOpen", open.clone()),
        ("textDocument/didChange", change("file:///not/open.py", 1, json!({ "text": "x" }))),
        ("textDocument/didClose", json!({ "textDocument": { "uri": "file:///not/open.py" } })),
        ("textDocument/didSave", json!({ "textDocument": { "uri": "untitled:Untitled-1" } })),
        ("textDocument/didChange", change(&file, -7, json!({ "range": far, "text": "" }))),
        (
            "textDocument/didOpen",
            json!({ "textDocument": { "uri": "untitled:Untitled-1", "languageId": "x", "version": 1, "text": "\u{0}\r\n\u{feff}" } }),
        ),
        ("textDocument/didClose", json!({ "textDocument": { "uri": file } })),
        ("textDocument/didClose", json!({ "textDocument": { "uri": file } })),
        ("initialized", json!({})),
        (
            "workspace/didChangeWorkspaceFolders",
            json!({ "event": { "added": [{ "uri": "http://x/y", "name": "" }], "removed": [{ "uri": "file:///no/such", "name": "" }] } }),
        ),
        ("workspace/didChangeConfiguration", json!({ "settings": [[["what"]]] })),
        ("textDocument/didOpen", open),
    ];
    for (method, params) in notifications {
        editor.notify(method, params).await;
    }
    until_shown(&mut editor, &world).await;
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn before_initialize_and_after_shutdown_requests_are_refused() {
    let world = World::sample("input-phases").await;
    let mut editor = Editor::of("input-phases", Process::start(&world.variables()), json!({}));
    editor.notify("textDocument/didOpen", json!({ "textDocument": {} })).await;
    for method in ["textDocument/hover", "shutdown", "workspace/executeCommand"] {
        let answer = editor.request(method, hover(&world)).await;
        assert_eq!(answer["error"]["code"], -32002, "{method}: {answer}");
    }
    editor.initialize(&[&world.clone], able(), json!({})).await;
    editor.notify("initialized", json!({})).await;
    editor.open(&world.file("till/cart.py")).await;
    until_shown(&mut editor, &world).await;
    assert!(editor.request("shutdown", Value::Null).await.is_null());
    for method in ["textDocument/hover", "shutdown", "initialize", "no/such"] {
        let answer = editor.request(method, hover(&world)).await;
        assert_eq!(answer["error"]["code"], -32600, "{method}: {answer}");
    }
    editor.notify("textDocument/didClose", json!({ "textDocument": { "uri": "file:///x" } })).await;
    editor.notify("exit", Value::Null).await;
    assert_eq!(editor.end().await, 0);
}

#[tokio::test]
async fn a_client_that_does_not_read_for_a_while_misses_nothing() {
    let world = World::sample("input-not-read").await;
    let mut editor = started("input-not-read", &world).await;
    until_shown(&mut editor, &world).await;
    // Many times what a pipe holds, and few enough to be handled within the two seconds that each may take.
    let mut ids = Vec::new();
    let start = Instant::now();
    for _ in 0..600 {
        ids.push(editor.post("textDocument/hover", hover(&world)).await);
    }
    // It went on reading all the while, though nobody read what it said.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    for id in ids {
        let answer = editor.answer_to(id, "a hover").await;
        assert!(
            answer["contents"]["value"].as_str().is_some_and(|text| text.contains("Does the order")),
            "{answer}"
        );
    }
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_message_that_is_announced_as_far_too_long_ends_the_session() {
    let world = World::sample("input-endless").await;
    let mut editor = started("input-endless", &world).await;
    until_shown(&mut editor, &world).await;
    let start = Instant::now();
    editor.write(b"Content-Length: 99999999999999\r\n\r\n").await;
    assert_eq!(editor.process().end(Duration::from_secs(10)).await.code(), Some(1));
    assert!(start.elapsed() <= Duration::from_secs(1), "{:?}", start.elapsed());
}
