//! Messages and URIs that are bad, and any bytes at all.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bitbucket_lsp::transport::serve;
use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::time::{sleep, timeout};
use tower_lsp::LspService;

use super::*;
use crate::editor::split;
use crate::fake::{Fake, Log};

#[tokio::test(start_paused = true)]
async fn bad_messages_are_answered_and_passed_over() {
    let mut editor = Editor::initialized(Options::default()).await;
    let deep = "[".repeat(200_000);
    for (body, expected) in [
        (&b"{"[..], (json!(null), PARSE_ERROR)),
        (b"\xff\xfe", (json!(null), PARSE_ERROR)),
        (b"", (json!(null), PARSE_ERROR)),
        (deep.as_bytes(), (json!(null), PARSE_ERROR)),
        (br#"{"jsonrpc":"2.0","id":4,"method":"echo","params":"\ud800"}"#, (json!(4), PARSE_ERROR)),
        (b"[1,2,3]", (json!(null), INVALID_REQUEST)),
        (b"\"hello\"", (json!(null), INVALID_REQUEST)),
        (br#"{"jsonrpc":"2.0","id":5}"#, (json!(5), INVALID_REQUEST)),
        (br#"{"jsonrpc":"2.0","id":1.5,"method":"echo"}"#, (json!(null), INVALID_REQUEST)),
    ] {
        editor.body(body).await;
        let answer = editor.read().await;
        assert_eq!(code(&answer), (&expected.0, expected.1), "{answer}");
    }
    for header in ["Content-Type: x\r\n\r\n{}", "Content-Length: two\r\n\r\n{}", "Nothing\n\n"] {
        editor.write(header.as_bytes()).await;
        assert_eq!(code(&editor.read().await), (&json!(null), PARSE_ERROR), "{header}");
        assert_eq!(editor.ask("echo", json!([header])).await["result"], json!([header]));
    }
    for response in [r#"{"jsonrpc":"2.0","id":null,"error":{}}"#, r#"{"jsonrpc":"2.0","id":99,"result":1}"#] {
        editor.body(response.as_bytes()).await;
    }
    assert_eq!(editor.ask("echo", json!([])).await["result"], json!([]), "responses get no response");
}

#[tokio::test(start_paused = true)]
async fn hopeless_input_ends_the_session() {
    for (input, why) in [
        ("Content-Length: 99999999999999\r\n\r\n".to_owned(), Why::OversizedMessage),
        (format!("Content-Length: {}\r\n\r\n", 64 * 1024 * 1024 + 1), Why::OversizedMessage),
        ("x: y\r\n".repeat(2000), Why::UnreadableInput),
    ] {
        let mut editor = Editor::initialized(Options::default()).await;
        // The session may end before it has taken everything.
        let _ = editor.input.as_mut().unwrap().write_all(input.as_bytes()).await;
        let (exit, took) = editor.end().await;
        assert_eq!(exit, Exit { code: 1, why });
        assert!(took <= Duration::from_secs(1), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn uris_are_valid_inside_and_the_clients_own_outside() {
    let options = Options::default();
    let mut editor = Editor::initialized(options.clone()).await;
    let raw = "file:///src/[id] ü|^{}.tsx";
    let valid = "file:///src/%5Bid%5D%20%C3%BC%7C%5E%7B%7D.tsx";
    editor.notify("textDocument/didOpen", document(raw, raw)).await;
    let place = json!({ "textDocument": { "uri": raw }, "position": { "line": 0, "character": 0 } });
    assert_eq!(editor.ask("textDocument/hover", place).await["result"], Value::Null);
    let echoed = editor.ask("echo", json!([{ "uri": raw, "changes": { raw: [] } }])).await;
    assert_eq!(echoed["result"], json!([{ "uri": raw, "changes": { raw: [] } }]));
    assert_eq!(editor.log()[..2], [format!("open {valid} {raw}"), format!("hover {valid}")]);
    assert_eq!(options.spelling.of_client(valid).as_deref(), Some(raw));
}

/// An input that never stops, for the one case that a pipe cannot show.
struct Endless;

impl AsyncRead for Endless {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        buffer.put_slice(b"Content-Length: x\r\n\r\n");
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn endless_nonsense_ends() {
    let (service, socket) = LspService::new(|client| Fake { client, log: Log::default() });
    let exit = serve(Endless, tokio::io::sink(), service, socket, Options::default()).await;
    assert_eq!(exit, Exit { code: 1, why: Why::UnreadableInput });
}

/// Everything that the server says to a session that is sent in these pieces.
async fn answers_to(pieces: Vec<Vec<u8>>) -> Vec<Value> {
    let mut editor = Editor::start(Options::default());
    let mut input = editor.input.take().unwrap();
    tokio::spawn(async move {
        for piece in pieces {
            // It fails if the session has ended, which the caller sees.
            let _ = input.write_all(&piece).await;
            tokio::task::yield_now().await;
        }
        // Held open until the slow handlers are done.
        sleep(Duration::from_secs(1)).await;
    });
    let mut answers = Vec::new();
    while let Some(answer) = editor.read_or_end().await {
        answers.push(answer);
    }
    let (exit, _) = editor.end().await;
    assert_ne!(exit.code, 0);
    answers
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn pieces_do_not_matter(cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..30)) {
        let mut stream = Vec::new();
        for (id, method, params) in [
            (Some(0), "initialize", json!({ "capabilities": {} })),
            (None, "textDocument/didOpen", document("file:///[ü]", "ü\r\n\r\n")),
            (Some(1), "echo", json!(["Content-Length: 3\r\n\r\n{}"])),
            (Some(2), "no/such", json!([])),
            (Some(3), "echo", json!([{ "uri": "file:///[ü]" }])),
        ] {
            let mut message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
            if let Some(id) = id {
                message["id"] = json!(id);
            }
            let body = message.to_string();
            stream.extend(format!("Content-Length: {}\r\nX: y\r\n\r\n{body}", body.len()).into_bytes());
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| stream[cut[0]..cut[1]].to_vec()).collect();
        let (in_pieces, at_once) = block_on(async { (answers_to(pieces).await, answers_to(vec![stream]).await) });
        prop_assert_eq!(at_once.len(), 4);
        prop_assert_eq!(in_pieces, at_once);
    }
}

/// Bytes, frames, and messages that are almost right.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![
        Just("null".to_owned()),
        Just("{\"capabilities\":{}}".to_owned()),
        Just("{\"id\":1}".to_owned()),
        Just("{\"textDocument\":{\"uri\":\"[\"},\"position\":{\"line\":4294967296}}".to_owned()),
        "[-0-9\"\\[\\]{}:,a-z\\\\]{0,20}",
        any::<i64>().prop_map(|number| number.to_string()),
    ];
    let method = prop::sample::select(vec![
        "initialize",
        "initialized",
        "shutdown",
        "$/cancelRequest",
        "$/x",
        "echo",
        "hang",
        "panicAtOnce",
        "panicLater",
        "folders",
        "textDocument/hover",
        "textDocument/didOpen",
        "textDocument/didChange",
        "exit",
        "",
    ]);
    let message =
        (method, value.clone(), prop::option::of(value)).prop_map(|(method, params, id)| match id {
            Some(id) => format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#),
            None => format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params}}}"#),
        });
    let framed = (message, -3_i64..6).prop_map(|(message, off)| {
        let length = i64::try_from(message.len()).unwrap() + off.min(0);
        format!("Content-Length: {length}\r\n\r\n{message}").into_bytes()
    });
    let piece = prop_oneof![
        6 => framed,
        1 => prop::collection::vec(any::<u8>(), 0..100),
        1 => "(Content-Length|content-length|X)?:? ?[-0-9]{0,25}(\r?\n){0,2}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]
    #[test]
    fn garbage_neither_panics_nor_hangs(garbage in garbage()) {
        block_on(async {
            let mut editor = Editor::start(Options::default());
            let mut input = editor.input.take().unwrap();
            let session = &mut editor.session;
            let written = async {
                // It fails if the session has ended, which is fine.
                let _ = input.write_all(&garbage).await;
                drop(input);
            };
            let mut answers = Vec::new();
            let read = editor.output.read_to_end(&mut answers);
            let ((), exit, read) = tokio::join!(written, timeout(Duration::from_secs(2), session), read);
            let exit = exit.expect("the session ends").expect("nothing panics");
            read.unwrap();
            prop_assert!(exit.code <= 1);
            let mut rest = answers;
            while let Some((message, unread)) = split(&rest) {
                prop_assert_eq!(&message["jsonrpc"], "2.0");
                rest = unread;
            }
            Ok(())
        })?;
    }
}
