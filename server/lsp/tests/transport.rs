//! The transport, driven over an in-memory pipe with a small language server behind it.

use std::future::pending;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bitbucket_lsp::transport::{Exit, Options, Why, serve};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tower_lsp::jsonrpc::Result;
use tower_lsp::lsp_types::{
    DidChangeTextDocumentParams, DidOpenTextDocumentParams, Hover, HoverParams, InitializeParams,
    InitializeResult, MessageType, WorkspaceFolder,
};
use tower_lsp::{Client, LanguageServer, LspService};

/// A server whose methods do one thing each; `log` is what reached it, in order.
struct Fake {
    client: Client,
    log: Log,
}

type Log = Arc<Mutex<Vec<String>>>;

impl Fake {
    fn note(&self, what: impl Into<String>) {
        self.log.lock().unwrap().push(what.into());
    }

    async fn echo(&self, params: Value) -> Result<Value> {
        self.note(format!("echo {params}"));
        Ok(params)
    }

    async fn slow_echo(&self, params: Value) -> Result<Value> {
        self.note(format!("echo {params}"));
        sleep(Duration::from_millis(10)).await;
        Ok(params)
    }

    async fn hang(&self) -> Result<()> {
        pending().await
    }

    async fn panic_at_once(&self) -> Result<()> {
        panic!("the secret of the panic")
    }

    async fn panic_later(&self) -> Result<()> {
        sleep(Duration::from_millis(10)).await;
        panic!("the secret of the panic")
    }

    async fn panicking_notification(&self, [late]: [bool; 1]) {
        self.note(format!("panic, late: {late}"));
        if late {
            sleep(Duration::from_millis(10)).await;
        }
        panic!("the secret of the panic")
    }

    async fn hanging_notification(&self) {
        pending().await
    }

    async fn late_folders(&self) -> Result<Option<Vec<WorkspaceFolder>>> {
        sleep(Duration::from_millis(10)).await;
        self.client.log_message(MessageType::INFO, "asking").await;
        self.client.workspace_folders().await
    }

    async fn folders(&self) -> Result<Option<Vec<WorkspaceFolder>>> {
        self.client.workspace_folders().await
    }

    async fn chatty(&self, [count]: [usize; 1]) -> Result<()> {
        for number in 0..count {
            self.client.log_message(MessageType::INFO, number).await;
        }
        Ok(())
    }
}

impl LanguageServer for Fake {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        if params.initialization_options == Some(json!("hang")) {
            pending::<()>().await;
        }
        Ok(InitializeResult::default())
    }

    async fn shutdown(&self) -> Result<()> {
        sleep(Duration::from_millis(1)).await;
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        let document = params.text_document;
        self.note(format!("open {} {}", document.uri.as_str(), document.text));
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        let version = params.text_document.version;
        self.note(format!("change {version}"));
        // The earlier the change, the later it is done with: order must not come from here.
        sleep(Duration::from_millis(100 - u64::from(version.unsigned_abs()))).await;
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        let uri = params.text_document_position_params.text_document.uri;
        self.note(format!("hover {}", uri.as_str()));
        Ok(None)
    }
}

/// The client's end of a running session.
struct Editor {
    input: Option<DuplexStream>,
    output: DuplexStream,
    unread: Vec<u8>,
    session: JoinHandle<Exit>,
    log: Log,
}

/// A pipe of this size holds a few messages, so both sides meet a full one.
const PIPE: usize = 4096;

impl Editor {
    fn start(options: Options) -> Self {
        let log = Log::default();
        let (service, socket) = LspService::build(|client| Fake { client, log: Arc::clone(&log) })
            .custom_method("echo", Fake::echo)
            .custom_method("slowEcho", Fake::slow_echo)
            .custom_method("hang", Fake::hang)
            .custom_method("panicAtOnce", Fake::panic_at_once)
            .custom_method("panicLater", Fake::panic_later)
            .custom_method("panickingNotification", Fake::panicking_notification)
            .custom_method("hangingNotification", Fake::hanging_notification)
            .custom_method("folders", Fake::folders)
            .custom_method("lateFolders", Fake::late_folders)
            .custom_method("chatty", Fake::chatty)
            .finish();
        let (input, stdin) = duplex(PIPE);
        let (stdout, output) = duplex(PIPE);
        let session = tokio::spawn(serve(stdin, stdout, service, socket, options));
        Self { input: Some(input), output, unread: Vec::new(), session, log }
    }

    async fn initialized(options: Options) -> Self {
        let mut editor = Self::start(options);
        let answer = editor.ask("initialize", json!({ "capabilities": {} })).await;
        assert!(answer["result"].is_object(), "{answer}");
        editor
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).await.unwrap();
    }

    async fn body(&mut self, body: &[u8]) {
        let header = format!("Content-Length: {}\r\n\r\n", body.len());
        self.write(&[header.as_bytes(), body].concat()).await;
    }

    async fn send(&mut self, message: Value) {
        self.body(message.to_string().as_bytes()).await;
    }

    async fn request(&mut self, id: impl Into<Value>, method: &str, params: Value) {
        self.send(json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params })).await;
    }

    async fn notify(&mut self, method: &str, params: Value) {
        self.send(json!({ "jsonrpc": "2.0", "method": method, "params": params })).await;
    }

    /// Sends a request and reads its answer, which must be the next message.
    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.request("ask", method, params).await;
        let answer = self.read().await;
        assert_eq!(answer["id"], "ask", "{answer}");
        answer
    }

    async fn read(&mut self) -> Value {
        self.read_or_end().await.expect("a message")
    }

    async fn read_or_end(&mut self) -> Option<Value> {
        loop {
            if let Some((message, rest)) = split(&self.unread) {
                self.unread = rest;
                return Some(message);
            }
            let read = timeout(Duration::from_secs(60), self.output.read_buf(&mut self.unread)).await;
            if read.expect("an answer within a minute").unwrap() == 0 {
                return None;
            }
        }
    }

    /// How the session ended, and how long that took from now.
    async fn end(self) -> (Exit, Duration) {
        let Self { session, output, input, .. } = self;
        let start = Instant::now();
        let exit = timeout(Duration::from_secs(60), session).await.expect("the session ends").unwrap();
        drop((input, output));
        (exit, start.elapsed())
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

/// The first message in some bytes, and the bytes after it.
fn split(bytes: &[u8]) -> Option<(Value, Vec<u8>)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let header = std::str::from_utf8(&bytes[..end]).unwrap();
    let length: usize = header.trim().strip_prefix("Content-Length: ").unwrap().parse().unwrap();
    let body = bytes.get(end..end + length)?;
    Some((serde_json::from_slice(body).unwrap(), bytes[end + length..].to_vec()))
}

fn code(answer: &Value) -> (&Value, i64) {
    (&answer["id"], answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {answer}")))
}

const PARSE_ERROR: i64 = -32700;
const INVALID_REQUEST: i64 = -32600;
const METHOD_NOT_FOUND: i64 = -32601;
const INTERNAL_ERROR: i64 = -32603;
const NOT_INITIALIZED: i64 = -32002;
const REQUEST_CANCELLED: i64 = -32800;
const REQUEST_FAILED: i64 = -32803;

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

fn document(uri: &str, text: &str) -> Value {
    json!({ "textDocument": { "uri": uri, "languageId": "x", "version": 1, "text": text } })
}

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
