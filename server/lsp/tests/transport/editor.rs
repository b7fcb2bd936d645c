//! The client's end of a pipe: it writes and reads messages, and must not know what they are about.

use std::sync::Arc;
use std::time::Duration;

use bitbucket_lsp::transport::{Exit, Options, serve};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tower_lsp::LspService;

use crate::fake::{Fake, Log};

/// The client's end of a running session.
pub(crate) struct Editor {
    pub(crate) input: Option<DuplexStream>,
    pub(crate) output: DuplexStream,
    unread: Vec<u8>,
    pub(crate) session: JoinHandle<Exit>,
    pub(crate) log: Log,
}

/// A pipe of this size holds a few messages, so both sides meet a full one.
pub(crate) const PIPE: usize = 4096;

impl Editor {
    pub(crate) fn start(options: Options) -> Self {
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

    pub(crate) async fn initialized(options: Options) -> Self {
        let mut editor = Self::start(options);
        let answer = editor.ask("initialize", json!({ "capabilities": {} })).await;
        assert!(answer["result"].is_object(), "{answer}");
        editor
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).await.unwrap();
    }

    pub(crate) async fn body(&mut self, body: &[u8]) {
        let header = format!("Content-Length: {}\r\n\r\n", body.len());
        self.write(&[header.as_bytes(), body].concat()).await;
    }

    pub(crate) async fn send(&mut self, message: Value) {
        self.body(message.to_string().as_bytes()).await;
    }

    pub(crate) async fn request(&mut self, id: impl Into<Value>, method: &str, params: Value) {
        self.send(json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params })).await;
    }

    pub(crate) async fn notify(&mut self, method: &str, params: Value) {
        self.send(json!({ "jsonrpc": "2.0", "method": method, "params": params })).await;
    }

    /// Sends a request and reads its answer, which must be the next message.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.request("ask", method, params).await;
        let answer = self.read().await;
        assert_eq!(answer["id"], "ask", "{answer}");
        answer
    }

    pub(crate) async fn read(&mut self) -> Value {
        self.read_or_end().await.expect("a message")
    }

    pub(crate) async fn read_or_end(&mut self) -> Option<Value> {
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
    pub(crate) async fn end(self) -> (Exit, Duration) {
        let Self { session, output, input, .. } = self;
        let start = Instant::now();
        let exit = timeout(Duration::from_secs(60), session).await.expect("the session ends").unwrap();
        drop((input, output));
        (exit, start.elapsed())
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

/// The first message in some bytes, and the bytes after it.
pub(crate) fn split(bytes: &[u8]) -> Option<(Value, Vec<u8>)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let header = std::str::from_utf8(&bytes[..end]).unwrap();
    let length: usize = header.trim().strip_prefix("Content-Length: ").unwrap().parse().unwrap();
    let body = bytes.get(end..end + length)?;
    Some((serde_json::from_slice(body).unwrap(), bytes[end + length..].to_vec()))
}
