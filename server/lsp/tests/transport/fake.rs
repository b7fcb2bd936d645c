//! A small language server whose methods do one thing each. It must not know the transport.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;
use tower_lsp::jsonrpc::Result;
use tower_lsp::lsp_types::{
    DidChangeTextDocumentParams, DidOpenTextDocumentParams, Hover, HoverParams, InitializeParams,
    InitializeResult, MessageType, WorkspaceFolder,
};
use tower_lsp::{Client, LanguageServer};

/// A server whose methods do one thing each; `log` is what reached it, in order.
pub(crate) struct Fake {
    pub(crate) client: Client,
    pub(crate) log: Log,
}

pub(crate) type Log = Arc<Mutex<Vec<String>>>;

impl Fake {
    pub(crate) fn note(&self, what: impl Into<String>) {
        self.log.lock().unwrap().push(what.into());
    }

    pub(crate) async fn echo(&self, params: Value) -> Result<Value> {
        self.note(format!("echo {params}"));
        Ok(params)
    }

    pub(crate) async fn slow_echo(&self, params: Value) -> Result<Value> {
        self.note(format!("echo {params}"));
        sleep(Duration::from_millis(10)).await;
        Ok(params)
    }

    pub(crate) async fn hang(&self) -> Result<()> {
        pending().await
    }

    pub(crate) async fn panic_at_once(&self) -> Result<()> {
        panic!("the secret of the panic")
    }

    pub(crate) async fn panic_later(&self) -> Result<()> {
        sleep(Duration::from_millis(10)).await;
        panic!("the secret of the panic")
    }

    pub(crate) async fn panicking_notification(&self, [late]: [bool; 1]) {
        self.note(format!("panic, late: {late}"));
        if late {
            sleep(Duration::from_millis(10)).await;
        }
        panic!("the secret of the panic")
    }

    pub(crate) async fn hanging_notification(&self) {
        pending().await
    }

    pub(crate) async fn late_folders(&self) -> Result<Option<Vec<WorkspaceFolder>>> {
        sleep(Duration::from_millis(10)).await;
        self.client.log_message(MessageType::INFO, "asking").await;
        self.client.workspace_folders().await
    }

    pub(crate) async fn folders(&self) -> Result<Option<Vec<WorkspaceFolder>>> {
        self.client.workspace_folders().await
    }

    pub(crate) async fn chatty(&self, [count]: [usize; 1]) -> Result<()> {
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
