//! Dispatch: what happens to each message, in either direction.
//!
//! Knows JSON-RPC and the life cycle of LSP (`initialize`, `shutdown`, `exit`, `$/cancelRequest`).
//! Must not know any other method.
//! The one owner of a session's state: everything is decided on its task, so nothing here is locked.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::select;
use tokio::task::{JoinSet, unconstrained};
use tokio::time::timeout;
use tower_lsp::ClientSocket;
use tower_lsp::jsonrpc::{Error, ErrorCode, Id, Request, Response};
use tower_service::Service;
use tracing::{debug, error, warn};

use super::frame::{Broken, Frame, Frames};
use super::message::{self, Incoming};
use super::output::Output;
use super::parent::Parent;
use super::pending::{Pending, Ticket};
use super::{Options, Why};

/// Errors of LSP that tower-lsp has no names for.
const SERVER_NOT_INITIALIZED: i64 = -32002;
const REQUEST_FAILED: i64 = -32803;

/// The one owner of a session.
pub(super) struct Dispatch<S> {
    service: S,
    /// Our requests to the client, and the client's responses to them.
    socket: ClientSocket,
    phase: Phase,
    pending: Pending,
    /// Handlers that did not finish at once; they end with this struct.
    running: JoinSet<(Task, Outcome)>,
    output: Output,
    parent: Parent,
    options: Options,
}

impl<S> Dispatch<S>
where
    S: Service<Request, Response = Option<Response>>,
    S::Future: Send + 'static,
{
    pub(super) fn new(
        service: S,
        socket: ClientSocket,
        stdout: impl AsyncWrite + Unpin + Send + 'static,
        options: Options,
    ) -> Self {
        Self {
            service,
            socket,
            phase: Phase::New,
            pending: Pending::default(),
            running: JoinSet::new(),
            output: Output::new(stdout, options.max_unsent),
            parent: Parent::unknown(),
            options,
        }
    }

    /// Takes messages until something ends the session.
    ///
    /// Input comes last, so that a client that never stops talking still gets its answers.
    pub(super) async fn run(&mut self, frames: &mut Frames<impl AsyncRead + Unpin>) -> Why {
        loop {
            select! {
                biased;
                why = self.output.broken() => return why,
                () = self.parent.gone() => return Why::ParentGone,
                Some(message) = self.socket.next() => self.send_request(message),
                Some(Ok((task, outcome))) = self.running.join_next() => self.settle(task, outcome),
                frame = frames.next() => match frame {
                    Ok(Some(Frame::Body(body))) => {
                        if let Some(why) = self.receive(message::decode(body)) {
                            return why;
                        }
                    }
                    Ok(Some(Frame::Malformed)) => {
                        warn!("a message without a usable Content-Length header was passed over");
                        self.send_response(Response::from_error(Id::Null, Error::parse_error()));
                    }
                    Ok(None) => return Why::EndOfInput,
                    Err(Broken::Oversized) => return Why::OversizedMessage,
                    Err(Broken::Unframed) => return Why::UnreadableInput,
                    Err(Broken::Io(error)) => {
                        debug!(%error, "the input cannot be read");
                        return Why::EndOfInput;
                    }
                },
            }
        }
    }

    /// Lets handlers finish until no request (of that method) waits, for as long as `limit` at most.
    pub(super) async fn finish(&mut self, method: Option<&str>, limit: Duration) {
        let finish = async {
            while self.pending.has(method) {
                select! {
                    biased;
                    _ = self.output.broken() => return,
                    Some(message) = self.socket.next() => self.send_request(message),
                    Some(Ok((task, outcome))) = self.running.join_next() => self.settle(task, outcome),
                    else => return,
                }
            }
        };
        // What is not finished by then never will be.
        let _ = timeout(limit, finish).await;
    }

    /// Whether `shutdown` was asked for.
    pub(super) fn is_shut_down(&self) -> bool {
        self.phase == Phase::ShutDown
    }

    /// Tells the service that the client has asked to exit; it cannot send anything afterwards.
    pub(super) fn exit(&mut self) {
        self.forward();
        self.start(Task::Notification("exit".into()), "exit".into(), None, None);
    }

    /// Writes what is queued, for as long as `limit` at most, and drops what still runs.
    pub(super) async fn close(mut self, limit: Duration) {
        self.forward();
        let Self { output, .. } = self;
        output.close(limit).await;
    }

    /// Acts on one message; says so if it is the last one.
    fn receive(&mut self, message: Incoming) -> Option<Why> {
        match message {
            Incoming::Request { id, method, params } => self.request(id, method, params),
            Incoming::Notification { method, params } => return self.notification(method, params),
            Incoming::Response(response) => self.deliver(response),
            Incoming::Invalid(answer) => {
                warn!(id = %answer.id(), "a message that is no valid JSON-RPC was refused");
                self.send_response(answer);
            }
            Incoming::Stray => warn!("a response without an id was ignored"),
        }
        None
    }

    fn request(&mut self, id: Id, method: String, params: Option<Value>) {
        debug!(method, %id, "request");
        if let Some(error) = self.phase.refusal(&method) {
            return self.send_response(Response::from_error(id, error));
        }
        let Some(ticket) = self.pending.admit(&id, &method) else {
            warn!(method, %id, "a request was refused: another one of this id waits");
            return self.send_response(Response::from_error(id, Error::invalid_request()));
        };
        match method.as_str() {
            "initialize" => {
                self.phase = Phase::Initializing;
                if let Some(process) = params.as_ref().and_then(|params| params["processId"].as_i64()) {
                    self.parent.watch(process, self.options.parent_check);
                }
            }
            "shutdown" => self.phase = Phase::ShutDown,
            _ => {}
        }
        self.start(Task::Request(ticket), method, Some(ticket), params);
    }

    fn notification(&mut self, method: String, params: Option<Value>) -> Option<Why> {
        debug!(method, "notification");
        match method.as_str() {
            "exit" => return Some(Why::ExitNotification),
            "$/cancelRequest" => {
                let id = params.as_ref().and_then(|params| message::id(&params["id"]));
                if let Some(ticket) = id.and_then(|id| self.pending.ticket(&id)) {
                    self.cancel(ticket);
                }
            }
            // These are requests; without an id they are mistakes, and tower-lsp would take them seriously.
            "initialize" | "shutdown" => {}
            _ if self.phase == Phase::Running => {
                self.start(Task::Notification(method.clone()), method, None, params);
            }
            _ => debug!(method, "a notification outside of the session was ignored"),
        }
        None
    }

    /// Brings the client's response to whoever waits for it.
    fn deliver(&mut self, response: Response) {
        let (id, mut outcome) = response.into_parts();
        if let Ok(result) = &mut outcome {
            self.options.spelling.read(result);
        }
        // It is taken at once, or never: the service has exited.
        let _ = self.socket.send(Response::from_parts(id, outcome)).now_or_never();
    }

    /// Hands a message to the service, and runs its handler as far as it goes at once.
    /// The rest becomes a task.
    fn start(&mut self, task: Task, method: String, ticket: Option<Ticket>, mut params: Option<Value>) {
        if let Some(params) = &mut params {
            self.options.spelling.read(params);
        }
        let mut request = Request::build(method);
        if let Some(params) = params {
            request = request.params(params);
        }
        if let Some(ticket) = ticket {
            request = request.id(i64::from(ticket));
        }
        let mut handler = self.call(request.finish());
        // Without the constraint: Tokio's fairness must not stop a handler before its first `await` does.
        if let Some(outcome) = unconstrained(&mut handler).now_or_never() {
            return self.settle(task, outcome);
        }
        let deadline = self.options.request_deadline;
        self.running.spawn(async move {
            let outcome = match task {
                Task::Request(_) => timeout(deadline, handler).await.unwrap_or(Outcome::Late),
                // Nobody waits for this one.
                Task::Notification(_) => handler.await,
            };
            (task, outcome)
        });
    }

    /// Asks the service; a panic becomes an outcome, now or later.
    fn call(&mut self, request: Request) -> Handler {
        let service = &mut self.service;
        let called = catch_unwind(AssertUnwindSafe(|| {
            match poll_fn(|context| service.poll_ready(context)).now_or_never() {
                Some(Ok(())) => Some(service.call(request)),
                Some(Err(_)) | None => None,
            }
        }));
        let outcome = match called {
            Ok(Some(future)) => {
                return Box::pin(AssertUnwindSafe(future).catch_unwind().map(|result| match result {
                    Ok(Ok(response)) => Outcome::Done(response),
                    Ok(Err(_)) => Outcome::Refused,
                    Err(_) => Outcome::Panicked,
                }));
            }
            Ok(None) => Outcome::Refused,
            Err(_) => Outcome::Panicked,
        };
        Box::pin(std::future::ready(outcome))
    }

    /// Has the service drop a handler; a task that waits for it then ends with `RequestCancelled`.
    fn cancel(&mut self, ticket: Ticket) {
        let request = Request::build("$/cancelRequest").params(json!({ "id": ticket })).finish();
        let _ = self.call(request).now_or_never();
    }

    /// Answers what wants an answer.
    /// What a panic said stays here: it may quote anything.
    fn settle(&mut self, task: Task, outcome: Outcome) {
        // What a handler sent before it finished goes out first.
        self.forward();
        let ticket = match task {
            Task::Request(ticket) => ticket,
            Task::Notification(method) => {
                if matches!(outcome, Outcome::Panicked) {
                    error!(method, "the handler of a notification panicked");
                }
                return;
            }
        };
        let Some(waiting) = self.pending.settle(ticket) else {
            return;
        };
        let (method, id) = (waiting.method, waiting.id);
        if matches!(outcome, Outcome::Panicked | Outcome::Late) {
            // The service believes that it still runs.
            self.cancel(ticket);
        }
        let answer = match outcome {
            Outcome::Done(Some(response)) => response.into_parts().1,
            // tower-lsp is silent about `$/` methods that it does not know.
            Outcome::Done(None) => Err(Error::method_not_found()),
            Outcome::Refused => Err(Error::internal_error()),
            Outcome::Panicked => {
                error!(method, %id, "the handler of a request panicked");
                Err(Error::internal_error())
            }
            Outcome::Late => {
                warn!(method, %id, "a request was given up at its deadline");
                let deadline = self.options.request_deadline;
                Err(failure(
                    REQUEST_FAILED,
                    format!("{method} was given up after {deadline:?} without an answer; try again."),
                ))
            }
        };
        if method == "initialize" {
            self.phase = if answer.is_ok() { Phase::Running } else { Phase::New };
        }
        debug!(method, %id, ms = waiting.since.elapsed().as_millis(), ok = answer.is_ok(), "answer");
        self.send_response(Response::from_parts(id, answer));
    }

    /// Sends what handlers have sent to the client and is not on its way yet.
    fn forward(&mut self) {
        while let Some(Some(message)) = self.socket.next().now_or_never() {
            self.send_request(message);
        }
    }

    fn send_request(&mut self, message: Request) {
        let (method, id, params) = message.into_parts();
        if id.is_some() && self.is_shut_down() {
            debug!(%method, "a question to a client that is leaving was dropped");
            return;
        }
        let mut request = Request::build(method);
        if let Some(mut params) = params {
            self.options.spelling.write(&mut params);
            request = request.params(params);
        }
        if let Some(id) = id {
            request = request.id(id);
        }
        self.output.send(message::encode(&request.finish()));
    }

    fn send_response(&mut self, response: Response) {
        let (id, mut answer) = response.into_parts();
        if let Ok(result) = &mut answer {
            self.options.spelling.write(result);
        }
        self.output.send(message::encode(&Response::from_parts(id, answer)));
    }
}

/// Where the session is in its life.
///
/// tower-lsp keeps such a state too.
/// This one also covers methods that it does not know, and a second `initialize` before the first is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing but `initialize` is answered.
    New,
    /// `initialize` waits for its answer.
    Initializing,
    Running,
    /// `shutdown` was asked for: nothing is answered but what waits already.
    ShutDown,
}

impl Phase {
    /// Why a request is refused; `None` if it is not.
    fn refusal(self, method: &str) -> Option<Error> {
        match self {
            // As a notification it ends the session; as a request it is a mistake.
            _ if method == "exit" => Some(Error::invalid_request()),
            Self::New if method == "initialize" => None,
            Self::Running if method != "initialize" => None,
            Self::New | Self::Initializing if method != "initialize" => {
                Some(failure(SERVER_NOT_INITIALIZED, "The server is not initialized."))
            }
            _ => Some(Error::invalid_request()),
        }
    }
}

/// A handler that was started, whatever the service makes of it.
type Handler = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// What became of a handler.
enum Outcome {
    Done(Option<Response>),
    /// The service did not take the message.
    Refused,
    Panicked,
    /// The deadline passed.
    Late,
}

/// What a handler runs for.
enum Task {
    Request(Ticket),
    Notification(String),
}

fn failure(code: i64, message: impl Into<String>) -> Error {
    Error { code: ErrorCode::ServerError(code), message: message.into().into(), data: None }
}
