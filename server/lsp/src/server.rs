//! A running server: transport, frontend, session and worker put together; used by `main` and by tests in memory.

use crate::frontend::Frontend;
use crate::main_loop;
use crate::session::Session;
use crate::transport::{self, Exit};
use crate::worker::{self, Worker};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tower_lsp::LspService;

/// Serves LSP on these streams until the client ends it; says with which exit code.
pub async fn serve<I, O>(input: I, output: O, environment: worker::Environment) -> Exit
where
    I: AsyncRead + Send + Unpin + 'static,
    O: AsyncWrite + Send + Unpin + 'static,
{
    let (events, inbox) = mpsc::unbounded_channel();
    let mut client = None;
    let service = LspService::build(|made| {
        client = Some(made);
        Frontend::new(events.clone())
    });
    let service = service.custom_method("window/workDoneProgress/cancel", Frontend::cancel_progress);
    let (service, socket) = service.finish();
    if let Some(client) = client {
        let session = Session::new();
        let worker = Worker::new(client, events, environment);
        tokio::spawn(main_loop::run(session, worker, inbox));
    }
    transport::serve(input, output, service, socket, transport::Options::default()).await
}
