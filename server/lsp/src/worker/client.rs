//! What goes to the editor: notifications in order, requests beside them.
//!
//! One task sends; nothing here waits for the editor in a way that holds up anything else.

use super::browser::Browser;
use crate::answer::{Diagnostic, LineEdit};
use crate::effect::{MessageKind, ProgressStep, Work};
use crate::event::{Event, Question};
use crate::to_lsp;
use crate::writing::WriteId;
use lsp_types as lsp;
use pull_request::view::markdown::plain;
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tower_lsp::Client;

/// One thing for the editor.
pub(super) enum ForClient {
    PullSettings,
    RegisterForSettings,
    Publish {
        uri: String,
        version: Option<i32>,
        diagnostics: Vec<Diagnostic>,
    },
    RefreshLenses,
    RefreshInlays,
    Message(MessageKind, String),
    /// At a line and column in the client's encoding.
    ShowFile {
        uri: String,
        at: (u32, u32),
    },
    DraftClosed(String),
    Edit {
        id: WriteId,
        uri: String,
        version: i32,
        title: String,
        edits: Vec<LineEdit>,
    },
    OpenPage(String),
    Ask {
        question: Question,
        text: String,
        choices: Vec<String>,
    },
    Progress(Work, ProgressStep),
}

/// Sends until the worker is gone. `show_document` says whether the client has `window/showDocument`.
pub(super) async fn send_all(
    client: Client,
    mut inbox: mpsc::UnboundedReceiver<ForClient>,
    events: mpsc::UnboundedSender<Event>,
    show_document: impl Fn() -> bool,
    browser: Browser,
) {
    let mut running: HashMap<Work, oneshot::Sender<()>> = HashMap::new();
    let mut tokens = 0_u64;
    while let Some(work) = inbox.recv().await {
        match work {
            ForClient::Publish { uri, version, diagnostics } => {
                let Some(uri) = to_lsp::uri(&uri) else { continue };
                let diagnostics = diagnostics.into_iter().map(|one| to_lsp::diagnostic(one, &uri)).collect();
                client.publish_diagnostics(uri, diagnostics, version).await;
            }
            ForClient::Message(kind, text) => message(&client, kind, text).await,
            ForClient::PullSettings => {
                spawn(pull_settings(client.clone(), events.clone()));
            }
            ForClient::RegisterForSettings => {
                let client = client.clone();
                spawn(async move {
                    let registration = lsp::Registration {
                        id: "bitbucket-settings".into(),
                        method: "workspace/didChangeConfiguration".into(),
                        register_options: Some(serde_json::json!({ "section": "bitbucket" })),
                    };
                    // A client that refuses still pushes changes, or has none to push.
                    let _ = client.register_capability(vec![registration]).await;
                });
            }
            ForClient::RefreshLenses => {
                let client = client.clone();
                spawn(async move {
                    let _ = client.code_lens_refresh().await;
                });
            }
            ForClient::RefreshInlays => {
                let client = client.clone();
                spawn(async move {
                    let _ = client.inlay_hint_refresh().await;
                });
            }
            ForClient::ShowFile { uri, at } => {
                spawn(show_file(client.clone(), uri, at, show_document()));
            }
            ForClient::DraftClosed(uri) => {
                client.send_notification::<DraftClosed>(DraftClosedParams { uri }).await;
            }
            ForClient::Edit { id, uri, version, title, edits } => {
                spawn(edit(client.clone(), events.clone(), id, to_lsp::edit(&uri, version, title, edits)));
            }
            ForClient::OpenPage(page) => {
                spawn(open_page(client.clone(), page, show_document(), browser.clone()));
            }
            ForClient::Ask { question, text, choices } => {
                spawn(ask(client.clone(), events.clone(), question, text, choices));
            }
            ForClient::Progress(work, ProgressStep::Begin(title)) => {
                tokens += 1;
                let (end, ended) = oneshot::channel();
                // Replacing an older sender ends its progress.
                running.insert(work, end);
                let (token, cancellable) = match work {
                    Work::Repository(_) => (format!("bitbucket-{tokens}"), false),
                    Work::SignIn(id) => (to_lsp::sign_in_token(id), true),
                };
                spawn(progress(client.clone(), token, title, cancellable, ended));
            }
            ForClient::Progress(work, ProgressStep::End) => {
                running.remove(&work);
            }
        }
    }
}

fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(future);
}

/// One line that holds no link: some editors make links of `[…](…)` in messages, and run commands by them.
fn harmless(text: &str) -> String {
    plain(text, 2_000).replace("](", "] (")
}

async fn message(client: &Client, kind: MessageKind, text: String) {
    let text = harmless(&text);
    match kind {
        MessageKind::Info => client.show_message(lsp::MessageType::INFO, text).await,
        MessageKind::Warning => client.show_message(lsp::MessageType::WARNING, text).await,
        MessageKind::Log => client.log_message(lsp::MessageType::INFO, text).await,
    }
}

async fn pull_settings(client: Client, events: mpsc::UnboundedSender<Event>) {
    let section = lsp::ConfigurationItem { scope_uri: None, section: Some("bitbucket".into()) };
    match client.configuration(vec![section]).await {
        Ok(values) => {
            let value = values.into_iter().next().unwrap_or(Value::Null);
            // null: the client has nothing to say; what it pushed at the start stays.
            if !value.is_null() {
                let _ = events.send(Event::Settings(value));
            }
        }
        Err(error) => tracing::warn!("the settings could not be read from the editor: {error}"),
    }
}

/// Shows a file; where the client cannot, or does not, says where it is.
async fn show_file(client: Client, uri: String, (line, character): (u32, u32), can: bool) {
    let at = lsp::Position::new(line, character);
    if can && show(&client, &uri, false, Some(lsp::Range::new(at, at))).await {
        return;
    }
    let place = match crate::uri::file_path(&uri) {
        Some(path) => format!("{}:{}", path.display(), line + 1),
        None => uri,
    };
    client.show_message(lsp::MessageType::INFO, harmless(&format!("Open {place}"))).await;
}

/// Opens a page of the web: by the client, which may run on another computer than the server; else by this one's
/// browser; else the address is told.
async fn open_page(client: Client, page: String, can: bool, browser: Browser) {
    if can && show(&client, &page, true, None).await {
        return;
    }
    let address = page.clone();
    let opened = tokio::task::spawn_blocking(move || browser.open(&address)).await;
    if !opened.unwrap_or(false) {
        client.show_message(lsp::MessageType::INFO, harmless(&format!("Open {page}"))).await;
    }
}

async fn show(client: &Client, target: &str, external: bool, selection: Option<lsp::Range>) -> bool {
    let Some(uri) = to_lsp::uri(target) else { return false };
    let params = lsp::ShowDocumentParams { uri, external: Some(external), take_focus: Some(true), selection };
    // Some clients say that they can, and never answer.
    let answer = tokio::time::timeout(PATIENCE, client.show_document(params)).await;
    answer.is_ok_and(|shown| shown.unwrap_or(false))
}

/// How long a client may take to show something.
const PATIENCE: Duration = Duration::from_secs(10);

async fn ask(
    client: Client,
    events: mpsc::UnboundedSender<Event>,
    question: Question,
    text: String,
    choices: Vec<String>,
) {
    let actions = choices
        .iter()
        .map(|choice| lsp::MessageActionItem { title: choice.clone(), properties: HashMap::default() })
        .collect();
    let answer = client.show_message_request(lsp::MessageType::INFO, harmless(&text), Some(actions)).await;
    if answer.is_err() {
        // A client that cannot ask: at least it is read.
        let text = format!("{text} ({})", choices.join(", "));
        message(&client, MessageKind::Info, text).await;
    }
    let picked =
        answer.ok().flatten().and_then(|item| choices.iter().position(|choice| *choice == item.title));
    let _ = events.send(Event::Answered(question, picked));
}

/// Has the client apply an edit, and says whether it did.
async fn edit(
    client: Client,
    events: mpsc::UnboundedSender<Event>,
    id: WriteId,
    params: Option<lsp::ApplyWorkspaceEditParams>,
) {
    let taken = match params {
        Some(params) => client
            .send_request::<lsp::request::ApplyWorkspaceEdit>(params)
            .await
            .is_ok_and(|answer| answer.applied),
        None => false,
    };
    let _ = events.send(Event::EditTaken(id, taken));
}

/// `bitbucket/draftClosed`: a draft's file is gone, by its URI; for clients that said that they close it.
enum DraftClosed {}

#[derive(serde::Serialize, serde::Deserialize)]
struct DraftClosedParams {
    uri: String,
}

impl lsp::notification::Notification for DraftClosed {
    type Params = DraftClosedParams;
    const METHOD: &'static str = "bitbucket/draftClosed";
}

async fn progress(
    client: Client,
    token: String,
    title: String,
    cancellable: bool,
    ended: oneshot::Receiver<()>,
) {
    let token = lsp::ProgressToken::String(token);
    let created = client
        .send_request::<lsp::request::WorkDoneProgressCreate>(lsp::WorkDoneProgressCreateParams {
            token: token.clone(),
        })
        .await;
    if created.is_err() {
        return;
    }
    let say = |value: lsp::WorkDoneProgress| lsp::ProgressParams {
        token: token.clone(),
        value: lsp::ProgressParamsValue::WorkDone(value),
    };
    let begin = lsp::WorkDoneProgress::Begin(lsp::WorkDoneProgressBegin {
        title,
        cancellable: Some(cancellable),
        ..Default::default()
    });
    client.send_notification::<lsp::notification::Progress>(say(begin)).await;
    // The sender is dropped when the work is over.
    let _ = ended.await;
    let end = lsp::WorkDoneProgress::End(lsp::WorkDoneProgressEnd { message: None });
    client.send_notification::<lsp::notification::Progress>(say(end)).await;
}

/// Where a file is published or shown: the client's URI, else one made from the path.
pub(super) fn uri_or_path(uri: Option<String>, path: &Path) -> Option<String> {
    uri.or_else(|| crate::uri::file_uri(path))
}
