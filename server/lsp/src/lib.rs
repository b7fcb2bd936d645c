//! The language server: the only crate that knows LSP.
//!
//! `transport` reads and writes messages, `frontend` translates LSP methods into events, `main_loop` owns the
//! `session` (a state machine from events to effects, without I/O) and the `worker` (which performs effects and is
//! the only module that names the edge crates). `protocol` and `config` are what docs are written from.
//! It must not hold a decision about threads or placement: those are the core's, in `pull_request`.

pub mod answer;
pub mod cli;
pub mod config;
pub mod effect;
pub mod event;
pub mod frontend;
pub mod main_loop;
pub mod protocol;
pub mod server;
pub mod session;
pub mod to_lsp;
pub mod transport;
pub mod uri;
pub mod worker;
pub mod writing;
