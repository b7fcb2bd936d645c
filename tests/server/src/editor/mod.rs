//! A fake editor: a bare LSP client, of a server in memory or of the real process. Here: messages and waiting.
//!
//! It must not know what is said, beyond what any client answers.

mod gestures;
mod seen;

pub use seen::Seen;

use crate::logs;
use crate::process::Process;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::task::JoinHandle;

/// How long a condition is left alone while no message comes.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How long a condition may take to come true.
const PATIENCE: Duration = Duration::from_secs(20);

/// The editor.
pub struct Editor {
    to_server: Box<dyn AsyncWrite + Send + Unpin>,
    from_server: BufReader<Box<dyn AsyncRead + Send + Unpin>>,
    server: Server,
    next_id: i64,
    answers: BTreeMap<i64, Value>,
    versions: BTreeMap<String, i32>,
    /// What the server has said.
    pub seen: Seen,
    /// Every message of the server, as it came.
    pub heard: Vec<u8>,
    /// The answer to `workspace/configuration`.
    pub settings: Value,
    /// The title to pick when asked.
    pub pick: Option<String>,
    /// Whether it takes the edits that it is sent.
    pub takes_edits: bool,
    log: Option<File>,
}

/// What the editor talks to.
enum Server {
    InMemory(JoinHandle<bitbucket_lsp::transport::Exit>),
    Real(Box<Process>),
}

/// A client that can do everything that this server uses.
pub fn able() -> Value {
    json!({
        "general": { "positionEncodings": ["utf-16"] },
        "workspace": {
            "configuration": true, "workspaceFolders": true, "applyEdit": true,
            "didChangeConfiguration": { "dynamicRegistration": true },
            "codeLens": { "refreshSupport": true }, "inlayHint": { "refreshSupport": true }
        },
        "window": { "workDoneProgress": true, "showDocument": { "support": true } }
    })
}

impl Editor {
    /// Starts a server in memory and shakes hands with it. `name` names the log of the messages.
    pub async fn start(
        name: &str,
        environment: bitbucket_lsp::worker::Environment,
        folders: &[&Path],
        capabilities: Value,
        settings: Value,
    ) -> Self {
        let mut editor = Self::connect(name, environment, folders, capabilities, settings).await;
        editor.notify("initialized", json!({})).await;
        editor
    }

    /// The first half of the handshake: `initialize` is answered, `initialized` is not sent yet.
    pub async fn connect(
        name: &str,
        environment: bitbucket_lsp::worker::Environment,
        folders: &[&Path],
        capabilities: Value,
        settings: Value,
    ) -> Self {
        let mut editor = Self::unstarted(name, environment, settings).await;
        editor.initialize(folders, capabilities, json!({})).await;
        editor
    }

    /// An editor of a server in memory, that has said nothing yet.
    pub async fn unstarted(
        name: &str,
        environment: bitbucket_lsp::worker::Environment,
        settings: Value,
    ) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let (input, output) = tokio::io::split(theirs);
        let server = tokio::spawn(bitbucket_lsp::server::serve(input, output, environment));
        let (from_server, to_server) = tokio::io::split(ours);
        let server = Server::InMemory(server);
        Self::over(name, Box::new(from_server), Box::new(to_server), server, settings)
    }

    /// An editor of the real process, that has said nothing yet.
    pub fn of(name: &str, mut process: Process, settings: Value) -> Self {
        process.log_as(name);
        let (from_server, to_server) = process.streams();
        Self::over(
            name,
            Box::new(from_server),
            Box::new(to_server),
            Server::Real(Box::new(process)),
            settings,
        )
    }

    fn over(
        name: &str,
        from_server: Box<dyn AsyncRead + Send + Unpin>,
        to_server: Box<dyn AsyncWrite + Send + Unpin>,
        server: Server,
        settings: Value,
    ) -> Self {
        Self {
            to_server,
            from_server: BufReader::new(from_server),
            server,
            next_id: 0,
            answers: BTreeMap::new(),
            versions: BTreeMap::new(),
            seen: Seen::default(),
            heard: Vec::new(),
            settings,
            pick: None,
            takes_edits: true,
            log: open_log(name),
        }
    }

    /// Asks `initialize`; `more` has members beside those for folders and capabilities. Gives the answer.
    pub async fn initialize(&mut self, folders: &[&Path], capabilities: Value, more: Value) -> Value {
        let folders: Vec<Value> = folders
            .iter()
            .map(|folder| json!({ "uri": uri(folder), "name": folder.file_name().unwrap_or_default().to_string_lossy() }))
            .collect();
        let mut hello = json!({
            "processId": null, "rootUri": null, "capabilities": capabilities, "workspaceFolders": folders,
            "initializationOptions": null
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            hello[key] = value.clone();
        }
        self.request("initialize", hello).await
    }

    /// Sends a notification.
    pub async fn notify(&mut self, method: &str, params: Value) {
        self.send(json!({ "jsonrpc": "2.0", "method": method, "params": params })).await;
    }

    /// Sends a request and waits for the result; an error comes back as `{"error": …}`.
    pub async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.post(method, params).await;
        self.answer_to(id, method).await
    }

    /// Sends a request and waits for nothing; gives its id for [`Editor::answer_to`].
    pub async fn post(&mut self, method: &str, params: Value) -> i64 {
        self.next_id += 1;
        let id = self.next_id;
        self.send(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
        id
    }

    /// Waits for the result of a request; an error comes back as `{"error": …}`.
    pub async fn answer_to(&mut self, id: i64, what: &str) -> Value {
        let waiting = async {
            loop {
                if let Some(answer) = self.answers.remove(&id) {
                    return answer;
                }
                self.receive().await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("no answer to {what}"))
    }

    /// Waits until `condition` gives something; panics with what is there instead, and why it is not enough.
    pub async fn until<T>(&mut self, what: &str, mut condition: impl FnMut(&Seen) -> Result<T, String>) -> T {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let why_not = match condition(&self.seen) {
                Ok(value) => return value,
                Err(why_not) => why_not,
            };
            if tokio::time::Instant::now() >= deadline {
                panic!(
                    "waited for {what}, but {why_not}\nmessages: {:#?}\nlog: {:#?}",
                    self.seen.messages, self.seen.log
                );
            }
            // A condition may be about more than messages, a file for example: it is looked at without one too.
            let waiting = tokio::time::timeout(LOOK_AGAIN, self.from_server.fill_buf()).await;
            if waiting.is_ok() {
                let received = tokio::time::timeout_at(deadline, self.receive()).await;
                assert!(
                    received.is_ok(),
                    "waited for {what}, and the server stopped in the middle of a message"
                );
            }
        }
    }

    /// Ends the server as a client should; its exit code.
    pub async fn stop(mut self) -> i32 {
        self.request("shutdown", Value::Null).await;
        self.notify("exit", Value::Null).await;
        self.end().await
    }

    /// Waits for the end of the server; its exit code.
    pub async fn end(self) -> i32 {
        match self.server {
            Server::InMemory(task) => {
                let exit = tokio::time::timeout(PATIENCE, task).await.expect("the server ends");
                i32::from(exit.expect("without a panic").code)
            }
            Server::Real(mut process) => process.end(PATIENCE).await.code().expect("an exit code"),
        }
    }

    /// The real process behind it.
    pub fn process(&mut self) -> &mut Process {
        match &mut self.server {
            Server::Real(process) => process,
            Server::InMemory(_) => panic!("this server is no process"),
        }
    }

    /// Sends bytes as they are, whatever they are.
    pub async fn write(&mut self, bytes: &[u8]) {
        self.to_server.write_all(bytes).await.expect("the server reads");
        self.to_server.flush().await.expect("the server reads");
    }

    /// Sends the bytes as one message.
    pub async fn write_message(&mut self, body: &[u8]) {
        let mut frame = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
        frame.extend_from_slice(body);
        self.write(&frame).await;
    }

    /// Closes the server's input.
    pub async fn hang_up(&mut self) {
        self.to_server.shutdown().await.expect("the input closes");
        self.to_server = Box::new(tokio::io::sink());
    }

    async fn send(&mut self, mut message: Value) {
        if message["params"].is_null() {
            message.as_object_mut().expect("an object").remove("params");
        }
        self.record("c2s", &message);
        let body = message.to_string();
        let frame = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        self.to_server.write_all(frame.as_bytes()).await.expect("the server reads");
    }

    async fn receive(&mut self) {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.from_server.read_line(&mut line).await.expect("the server writes");
            assert!(!line.is_empty(), "the server closed its output");
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.from_server.read_exact(&mut body).await.expect("the whole body");
        self.heard.extend_from_slice(&body);
        let message: Value = serde_json::from_slice(&body).expect("JSON");
        self.record("s2c", &message);
        match (message["method"].as_str().map(str::to_owned), message.get("id").cloned()) {
            (Some(method), Some(id)) => self.answer(&method, id, &message["params"]).await,
            (Some(method), None) => self.take(&method, &message["params"]),
            (None, Some(id)) => {
                let answer = match message.get("error") {
                    Some(error) => json!({ "error": error }),
                    None => message["result"].clone(),
                };
                match id.as_i64() {
                    Some(id) => drop(self.answers.insert(id, answer)),
                    None => self.seen.refused.push(answer),
                }
            }
            (None, None) => panic!("neither a request nor an answer: {message}"),
        }
    }

    fn take(&mut self, method: &str, params: &Value) {
        let text = || params["message"].as_str().unwrap_or_default().to_owned();
        match method {
            "textDocument/publishDiagnostics" => {
                let uri = params["uri"].as_str().unwrap_or_default().to_owned();
                self.seen.publishes += 1;
                self.seen
                    .diagnostics
                    .insert(uri, params["diagnostics"].as_array().cloned().unwrap_or_default());
            }
            "bitbucket/draftClosed" => {
                self.seen.closed_drafts.push(params["uri"].as_str().unwrap_or_default().to_owned());
            }
            "window/showMessage" => self.seen.messages.push(text()),
            "window/logMessage" => self.seen.log.push(text()),
            "$/progress" => {
                self.seen.progress.push(params["value"]["kind"].as_str().unwrap_or_default().to_owned());
            }
            other => panic!("an unexpected notification: {other}"),
        }
    }

    async fn answer(&mut self, method: &str, id: Value, params: &Value) {
        let result = match method {
            "workspace/configuration" => {
                self.seen.configurations += 1;
                json!([self.settings])
            }
            "window/showDocument" => {
                self.seen.shown.push(params.clone());
                json!({ "success": true })
            }
            "workspace/applyEdit" => {
                self.seen.edits.push(params.clone());
                json!({ "applied": self.takes_edits })
            }
            "window/showMessageRequest" => {
                self.seen.asked.push(params.clone());
                let actions = params["actions"].as_array().cloned().unwrap_or_default();
                let picked = |action: &&Value| action["title"].as_str() == self.pick.as_deref();
                actions.iter().find(picked).cloned().unwrap_or(Value::Null)
            }
            "workspace/codeLens/refresh" => {
                self.seen.lens_refreshes += 1;
                Value::Null
            }
            "client/registerCapability"
            | "window/workDoneProgress/create"
            | "workspace/inlayHint/refresh" => Value::Null,
            other => panic!("an unexpected request: {other}"),
        };
        self.send(json!({ "jsonrpc": "2.0", "id": id, "result": result })).await;
    }

    fn record(&mut self, direction: &str, message: &Value) {
        if let Some(log) = &mut self.log {
            let mut line = json!({ "dir": direction, "msg": message }).to_string();
            if direction == "c2s" {
                // What a user pastes is theirs: the search is for what the server tells.
                line = line.replace(simulator::MARKER, "pasted");
            }
            writeln!(log, "{line}").expect("the log is written");
        }
    }
}

/// Messages of all journeys go to the folder that `JOURNEY_LOGS` names, for the check against the LSP meta-model.
fn open_log(name: &str) -> Option<File> {
    logs::place("", name, ".jsonl").map(|place| File::create(place).expect("a log"))
}

/// The `file:` URI of a path.
pub fn uri(path: &Path) -> String {
    bitbucket_lsp::uri::file_uri(path).expect("an absolute path")
}
