//! The command line, beside the server.
//!
//! It must not know how a review is read or placed: `worker::once` does that.

pub mod auth;
pub mod comments;
pub mod doctor;

use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Bitbucket pull requests in every editor: a language server, and a few commands of its own.
#[derive(Debug, Parser)]
#[command(name = "bitbucket-lsp", version, about, after_help = AFTER)]
pub struct Arguments {
    /// Serve LSP on standard input and output (also the default; editors may pass it)
    #[arg(long, global = false)]
    pub stdio: bool,
    /// The editor's process; the server ends when it is gone
    #[arg(long = "clientProcessId", hide = true, value_name = "PID")]
    pub client_process_id: Option<u32>,
    /// What to do instead of serving
    #[command(subcommand)]
    pub command: Option<Command>,
}

const AFTER: &str = "Without a command it is a language server: start it from your editor.\n\
    Sign in by `auth login` or `auth token`; BITBUCKET_TOKEN, or BITBUCKET_EMAIL and BITBUCKET_API_TOKEN, win over that.";

/// What the binary can do beside serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Draw the review comments of the branch checked out, under their code
    Comments {
        /// The pull request's number; without it, the newest open one of the branch
        #[arg(long, value_name = "NUMBER")]
        pull_request: Option<u64>,
        /// Show resolved threads too
        #[arg(long)]
        resolved: bool,
        /// A folder in the repository
        #[arg(default_value = ".", value_name = "FOLDER")]
        folder: PathBuf,
    },
    /// Sign in, sign out, and say who is signed in
    Auth {
        /// What to do
        #[command(subcommand)]
        command: auth::AuthCommand,
    },
    /// Answer git's questions for credentials, or put that into git's configuration
    Credential {
        /// What git asks (get, store, erase), or install, or uninstall
        operation: String,
        /// install and uninstall: in the configuration of this repository, not in yours
        #[arg(long)]
        local: bool,
        /// install: let git say which repository it is about, so that several accounts can be told apart
        #[arg(long)]
        use_http_path: bool,
    },
    /// Check what the server needs, and say what is missing
    Doctor {
        /// A folder in the repository
        #[arg(default_value = ".", value_name = "FOLDER")]
        folder: PathBuf,
    },
}
