//! The transport: bytes from the editor into a tower-lsp service, and its answers out again.
//!
//! Knows JSON-RPC and the life cycle of an LSP session.
//! Must not know any other LSP method, and nothing of Bitbucket.
//!
//! It takes the place of tower-lsp's own `Server`, and keeps these promises:
//!
//! - **Order.** Messages reach the service in the order of arrival.
//!   Each handler runs up to its first `await` before the next message is looked at; the rest of it runs on
//!   a task of its own.
//!   So a handler that hands its event on before it waits keeps the order, and one that hangs stops nobody.
//! - **An answer to every request**, within [`Options::request_deadline`], also when its handler panics.
//! - **No deadlock.** Responses from the client and `$/cancelRequest` go past everything that waits.
//!   A client that does not read makes a queue grow, and nothing wait.
//! - **Bad input costs one message**, not the session, as long as the next message can be found.
//! - **No orphan.** The session ends with `exit`, and with its input, its output or the client's process.
//!
//! One task owns all state and does all the deciding: `dispatch`.
//! Around it are `frame` (where a message ends), `message` (what it is), `pending` (who waits), `output`,
//! `parent` and [`uri`].

mod dispatch;
mod frame;
mod message;
mod output;
mod parent;
mod pending;
pub mod uri;

use std::fmt::{self, Display};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tower_lsp::ClientSocket;
use tower_lsp::jsonrpc::{Request, Response};
use tower_service::Service;

use dispatch::Dispatch;
use frame::Frames;
pub use uri::Spelling;

/// How long requests may still be answered after the end of the input.
const LAST_ANSWERS: Duration = Duration::from_millis(300);

/// How long `shutdown` may still be answered if `exit` comes before its answer.
const LAST_SHUTDOWN: Duration = Duration::from_millis(150);

/// How long the output may take for what is queued at the end.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// The limits of a session, and what it shares with the server.
#[derive(Clone, Debug)]
pub struct Options {
    /// When a request that is not answered is given up: it gets `RequestFailed`, and its handler is dropped.
    pub request_deadline: Duration,
    /// How often the client's process is looked for.
    pub parent_check: Duration,
    /// The longest message that is read, in bytes; a longer one ends the session.
    pub max_message: usize,
    /// How much may wait for a client that does not read, in bytes; more ends the session.
    pub max_unsent: usize,
    /// The client's spelling of URIs, to be shared with whoever needs it outside of messages.
    pub spelling: Spelling,
}

impl Default for Options {
    /// 30 seconds for a request, 2 seconds between looks at the client's process, 64 MiB for a message,
    /// 256 MiB for what waits to be written.
    fn default() -> Self {
        Self {
            request_deadline: Duration::from_secs(30),
            parent_check: Duration::from_secs(2),
            max_message: 64 * 1024 * 1024,
            max_unsent: 256 * 1024 * 1024,
            spelling: Spelling::default(),
        }
    }
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the process should end with this code"]
pub struct Exit {
    /// The exit code that LSP asks for: 0 for `exit` after `shutdown`, else 1.
    pub code: u8,
    /// What ended it.
    pub why: Why,
}

/// What ended a session; `Display` is a clause for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The `exit` notification.
    ExitNotification,
    /// The input ended, or cannot be read any more.
    EndOfInput,
    /// A message was announced that is longer than [`Options::max_message`].
    OversizedMessage,
    /// The input holds no headers that say where messages end.
    UnreadableInput,
    /// The client's process (`processId` in `initialize`) is gone.
    ParentGone,
    /// The output cannot be written any more.
    OutputClosed,
    /// The client does not read, and [`Options::max_unsent`] is used up.
    OutputStuck,
}

impl Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ExitNotification => "the client asked to exit",
            Self::EndOfInput => "the input has ended",
            Self::OversizedMessage => "a message was announced that is too long",
            Self::UnreadableInput => "the input holds no message headers",
            Self::ParentGone => "the client's process is gone",
            Self::OutputClosed => "the output is closed",
            Self::OutputStuck => "the client does not read what it is sent",
        })
    }
}

/// Serves one client until it leaves.
///
/// `service` is called in the order of arrival, and has to be ready always, as an `LspService` is.
/// Layers around it see every message in their `call`, requests under ids that are not the client's.
/// `socket` is the way from the `LspService` to the client.
/// Handlers that still run when this returns are dropped.
///
/// A handler must not block its thread: this would hold up all messages.
///
/// Needs a Tokio runtime with its timer.
/// Cannot fail: whatever ends the session is in [`Exit`].
pub async fn serve<I, O, S>(stdin: I, stdout: O, service: S, socket: ClientSocket, options: Options) -> Exit
where
    I: AsyncRead + Unpin,
    O: AsyncWrite + Unpin + Send + 'static,
    S: Service<Request, Response = Option<Response>>,
    S::Future: Send + 'static,
{
    let mut frames = Frames::new(stdin, options.max_message);
    let mut dispatch = Dispatch::new(service, socket, stdout, options);
    let why = dispatch.run(&mut frames).await;
    match why {
        Why::EndOfInput => dispatch.finish(None, LAST_ANSWERS).await,
        Why::ExitNotification => {
            dispatch.finish(Some("shutdown"), LAST_SHUTDOWN).await;
            dispatch.exit();
        }
        _ => {}
    }
    let orderly = why == Why::ExitNotification && dispatch.is_shut_down();
    dispatch.close(LAST_WORDS).await;
    Exit { code: u8::from(!orderly), why }
}
