//! The LSP methods: each translates, sends one event, waits for the answer under a deadline, translates back.
//!
//! No state beyond what `initialize` said, no lock, no I/O. Each handler sends its event before its first await,
//! so the order of arrival is the order of events (the transport polls each once at once).

use crate::event::{ClientProfile, Event, Reply};
use crate::protocol::{COMMANDS, Call, Command, Target};
use crate::to_lsp;
use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionOrCommand, CodeActionParams, CodeActionProviderCapability,
    CodeActionResponse, CodeLens, CodeLensOptions, CodeLensParams, CompletionItem, CompletionList,
    CompletionOptions, CompletionParams, CompletionResponse, DidChangeConfigurationParams,
    DidChangeTextDocumentParams, DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, DidSaveTextDocumentParams, DocumentLink, DocumentLinkOptions,
    DocumentLinkParams, DocumentSymbolParams, DocumentSymbolResponse, ExecuteCommandOptions,
    ExecuteCommandParams, Hover, HoverParams, HoverProviderCapability, InitializeParams, InitializeResult,
    InitializedParams, InlayHint, InlayHintParams, OneOf, SaveOptions, ServerCapabilities, ServerInfo,
    TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions, TextDocumentSyncSaveOptions,
    WorkDoneProgressCancelParams, WorkspaceFolder, WorkspaceFoldersServerCapabilities,
    WorkspaceServerCapabilities,
};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tower_lsp::LanguageServer;
use tower_lsp::jsonrpc::{Error, ErrorCode, Result};

/// The session answers from memory; if it does not within this, something is wrong and the editor must not hang.
const DEADLINE: Duration = Duration::from_secs(2);

/// What `initialize` said; handed on with `initialized`.
struct Hello {
    profile: ClientProfile,
    folders: Vec<PathBuf>,
    options: Value,
}

/// The front of the server towards LSP.
pub struct Frontend {
    events: mpsc::UnboundedSender<Event>,
    hello: OnceLock<Hello>,
}

impl Frontend {
    /// A front that sends its events there.
    pub fn new(events: mpsc::UnboundedSender<Event>) -> Self {
        Self { events, hello: OnceLock::new() }
    }

    fn tell(&self, event: Event) {
        // The session ends only with the process.
        let _ = self.events.send(event);
    }

    /// Sends the event at once; the answer is awaited later.
    fn ask<T, M: FnOnce(Reply<T>) -> Event>(&self, make: M) -> impl Future<Output = Result<T>> + use<T, M> {
        let (reply, answer) = oneshot::channel();
        self.tell(make(reply));
        let failed =
            |text: &'static str| Error { code: ErrorCode::InternalError, message: text.into(), data: None };
        async move {
            match tokio::time::timeout(DEADLINE, answer).await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(_)) => Err(failed("The server is ending.")),
                Err(_) => Err(failed("The server is busy; try again.")),
            }
        }
    }
}

fn folders(folders: &[WorkspaceFolder]) -> Vec<PathBuf> {
    folders.iter().filter_map(|folder| crate::uri::file_path(folder.uri.as_str())).collect()
}

impl Frontend {
    /// `window/workDoneProgress/cancel`, which the trait does not have.
    pub async fn cancel_progress(&self, params: WorkDoneProgressCancelParams) {
        if let Some(id) = to_lsp::sign_in_of(&params.token) {
            self.tell(Event::CancelSignIn(id));
        }
    }
}

impl LanguageServer for Frontend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let profile = to_lsp::profile(&params.capabilities);
        let encoding = profile.encoding;
        #[allow(deprecated, reason = "older clients send only rootUri")]
        let root = params.root_uri.as_ref().and_then(|uri| crate::uri::file_path(uri.as_str()));
        let folders = match &params.workspace_folders {
            Some(list) => folders(list),
            None => root.into_iter().collect(),
        };
        let options = params.initialization_options.unwrap_or_default();
        // A second `initialize` is refused before it comes here.
        let _ = self.hello.set(Hello { profile, folders, options });
        Ok(InitializeResult {
            capabilities: capabilities(encoding),
            server_info: Some(ServerInfo {
                name: env!("CARGO_PKG_NAME").into(),
                version: Some(env!("CARGO_PKG_VERSION").into()),
            }),
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        if let Some(Hello { profile, folders, options }) = self.hello.get() {
            let mut options = options.clone();
            // What the client can do, and no setting.
            let draft_closed = options.as_object_mut().and_then(|options| options.remove("draftClosed"));
            let draft_closed = draft_closed.and_then(|value| value.as_bool()).unwrap_or(false);
            let profile = ClientProfile { draft_closed, ..profile.clone() };
            self.tell(Event::Started(profile, folders.clone(), options));
        }
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        let document = params.text_document;
        let uri = document.uri.as_str().to_owned();
        self.tell(Event::Opened {
            path: crate::uri::file_path(&uri),
            uri,
            version: document.version,
            text: document.text,
        });
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        let changes = params.content_changes.into_iter().map(to_lsp::change).collect();
        let document = params.text_document;
        self.tell(Event::Changed(document.uri.as_str().to_owned(), document.version, changes));
    }

    async fn did_save(&self, params: DidSaveTextDocumentParams) {
        self.tell(Event::Saved(params.text_document.uri.as_str().to_owned()));
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.tell(Event::Closed(params.text_document.uri.as_str().to_owned()));
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        let pulls = self.hello.get().is_some_and(|hello| hello.profile.configuration);
        if pulls {
            // Clients that answer pulls push null, or stale or foreign settings.
            self.tell(Event::SettingsChanged);
        } else if params.settings.get("bitbucket").is_some() {
            // Some push null, or the settings of all servers: what was said at the start stays.
            self.tell(Event::Settings(params.settings));
        }
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        self.tell(Event::Folders(folders(&params.event.added), folders(&params.event.removed)));
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        let at = params.text_document_position_params;
        let uri = at.text_document.uri.as_str().to_owned();
        let answer = self.ask(|reply| Event::Hover(uri, to_lsp::position(at.position), reply)).await?;
        let has_markdown = self.hello.get().is_none_or(|hello| hello.profile.markdown);
        Ok(answer.map(|answer| to_lsp::hover(answer, has_markdown)))
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        let uri = params.text_document.uri.as_str().to_owned();
        let lenses = self.ask(|reply| Event::Lenses(uri, reply)).await?;
        Ok(Some(lenses.into_iter().map(to_lsp::lens).collect()))
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        // Of those that can be asked for by kind, ours are quick fixes; the others have no kind.
        let asks_for = |wanted: &str| {
            let only = params.context.only.as_deref();
            only.is_none_or(|only| {
                only.iter().any(|kind| kind.as_str() == wanted || kind.as_str().is_empty())
            })
        };
        let (fixes, others) = (asks_for("quickfix"), asks_for(""));
        let uri = params.text_document.uri.as_str().to_owned();
        let selected = to_lsp::selected(&params);
        let actions = self.ask(|reply| Event::Actions(uri, selected, reply)).await?;
        let wanted = actions.into_iter().filter(|action| if action.is_fix { fixes } else { others });
        let actions: Vec<CodeActionOrCommand> = wanted.map(to_lsp::action).collect();
        Ok((!actions.is_empty()).then_some(actions))
    }

    async fn completion(&self, params: CompletionParams) -> Result<Option<CompletionResponse>> {
        let at = params.text_document_position;
        let uri = at.text_document.uri.as_str().to_owned();
        let items = self.ask(|reply| Event::Complete(uri, to_lsp::position(at.position), reply)).await?;
        let items: Vec<CompletionItem> = items.into_iter().map(to_lsp::completion).collect();
        // More typing may bring others: an id is not what a name begins with.
        Ok((!items.is_empty())
            .then_some(CompletionResponse::List(CompletionList { is_incomplete: true, items })))
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        let uri = params.text_document.uri.as_str().to_owned();
        let (first, last) = (params.range.start.line, params.range.end.line);
        let inlays = self.ask(|reply| Event::Inlays(uri, first, last, reply)).await?;
        Ok(Some(inlays.into_iter().map(to_lsp::inlay).collect()))
    }

    async fn document_symbol(&self, params: DocumentSymbolParams) -> Result<Option<DocumentSymbolResponse>> {
        let uri = params.text_document.uri.as_str().to_owned();
        let symbols = self.ask(|reply| Event::Symbols(uri, reply)).await?;
        let symbols: Vec<_> = symbols.into_iter().map(to_lsp::symbol).collect();
        Ok((!symbols.is_empty()).then_some(DocumentSymbolResponse::Nested(symbols)))
    }

    async fn document_link(&self, params: DocumentLinkParams) -> Result<Option<Vec<DocumentLink>>> {
        let uri = params.text_document.uri.as_str().to_owned();
        let links = self.ask(|reply| Event::Links(uri, reply)).await?;
        let links: Vec<DocumentLink> = links.into_iter().filter_map(to_lsp::link).collect();
        Ok((!links.is_empty()).then_some(links))
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<Value>> {
        let call = call(&params)?;
        let answer = self.ask(|reply| Event::Command(call, reply)).await?;
        Ok((!answer.is_null()).then_some(answer))
    }
}

fn call(params: &ExecuteCommandParams) -> Result<Call> {
    let command = Command::by_id(&params.command).ok_or_else(|| Error {
        code: ErrorCode::InvalidParams,
        message: "This version of bitbucket-lsp does not know that command; see docs/COMMANDS.md.".into(),
        data: None,
    })?;
    let target = match params.arguments.first() {
        None | Some(Value::Null) => Target::default(),
        Some(argument) => Target::read(argument).ok_or_else(|| {
            Error::invalid_params("The argument must be one object of ids, as docs/COMMANDS.md has it.")
        })?,
    };
    Ok(Call { command, target })
}

fn capabilities(encoding: pull_request::text::Encoding) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: Some(to_lsp::encoding_kind(encoding)),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions { include_text: Some(false) })),
            ..TextDocumentSyncOptions::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(["@", "#", ":", "`"].map(String::from).to_vec()),
            ..CompletionOptions::default()
        }),
        code_lens_provider: Some(CodeLensOptions { resolve_provider: Some(false) }),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX, CodeActionKind::EMPTY]),
            ..CodeActionOptions::default()
        })),
        inlay_hint_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        document_link_provider: Some(DocumentLinkOptions {
            resolve_provider: Some(false),
            work_done_progress_options: Default::default(),
        }),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: COMMANDS.iter().map(|spec| spec.id.to_owned()).collect(),
            work_done_progress_options: Default::default(),
        }),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            file_operations: None,
        }),
        ..ServerCapabilities::default()
    }
}
