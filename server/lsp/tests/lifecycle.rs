//! The life cycle of the real process: how it ends, with which code, and how soon.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A running server whose input stays open until it is dropped.
struct Server {
    process: Child,
    input: Option<ChildStdin>,
}

impl Server {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_bitbucket-lsp"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let input = process.stdin.take();
        Self { process, input }
    }

    /// A server that has answered `initialize`, from a client of this process id.
    fn initialized(client: Option<u32>) -> Self {
        let mut server = Self::start();
        server.request(0, "initialize", json!({ "capabilities": {}, "processId": client }));
        assert!(server.read()["result"]["capabilities"].is_object());
        server
    }

    fn write(&mut self, text: &str) {
        self.input.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        self.write(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    }

    fn request(&mut self, id: i64, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
    }

    fn exit(&mut self) {
        self.send(&json!({ "jsonrpc": "2.0", "method": "exit" }));
    }

    /// The next message, whose header must be in the usual form.
    fn read(&mut self) -> Value {
        let output = self.process.stdout.as_mut().unwrap();
        let mut header = Vec::new();
        while !header.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            output.read_exact(&mut byte).unwrap();
            header.push(byte[0]);
        }
        let header = String::from_utf8(header).unwrap();
        let length = header.trim().strip_prefix("Content-Length: ").unwrap().parse().unwrap();
        let mut body = vec![0; length];
        output.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    /// The exit code, which must come within `limit` while input and output are held open.
    fn code_within(self, limit: Duration) -> i32 {
        let start = Instant::now();
        let Self { mut process, input } = self;
        let output = process.stdout.take();
        let id = process.id();
        let (sender, ended) = mpsc::channel();
        thread::spawn(move || sender.send(process.wait().unwrap().code()));
        let code = ended.recv_timeout(Duration::from_secs(60));
        let took = start.elapsed();
        drop((input, output));
        let code = code.unwrap_or_else(|_| panic!("the server (process {id}) still runs after a minute"));
        assert!(took <= limit, "{took:?}");
        code.expect("an exit code")
    }
}

#[test]
fn exit_after_shutdown_is_0_while_the_input_is_open() {
    let mut server = Server::initialized(None);
    server.request(1, "shutdown", Value::Null);
    assert_eq!(server.read(), json!({ "jsonrpc": "2.0", "id": 1, "result": null }));
    server.exit();
    assert_eq!(server.code_within(Duration::from_millis(500)), 0);
}

#[test]
fn exit_without_shutdown_is_1() {
    let mut server = Server::initialized(None);
    server.exit();
    assert_eq!(server.code_within(Duration::from_millis(500)), 1);
}

#[test]
fn the_end_of_the_input_is_1() {
    for mut server in [Server::start(), Server::initialized(None)] {
        server.input = None;
        assert_eq!(server.code_within(Duration::from_secs(1)), 1);
    }
}

#[test]
fn an_endless_message_is_1() {
    let mut server = Server::initialized(None);
    server.write("Content-Length: 99999999999999\r\n\r\n");
    assert_eq!(server.code_within(Duration::from_secs(1)), 1);
}

#[test]
fn exits_although_nobody_reads_its_answers() {
    let mut server = Server::initialized(None);
    // Far more than a pipe holds.
    for id in 1..5000 {
        server.request(id, "no/such", Value::Null);
    }
    server.request(0, "shutdown", Value::Null);
    server.exit();
    assert_eq!(server.code_within(Duration::from_secs(2)), 0);
}

#[cfg(unix)]
#[test]
fn the_end_of_the_client_is_1() {
    let mut client = Command::new("sleep").arg("60").spawn().unwrap();
    let server = Server::initialized(Some(client.id()));
    client.kill().unwrap();
    client.wait().unwrap();
    assert_eq!(server.code_within(Duration::from_secs(5)), 1);
}
