//! Bitbucket Cloud over REST, reading and writing, and signing in: the one place that talks to the network.
//!
//! - [`remote`]: from the URL of a git remote to a repository's name. Pure.
//! - [`Origin`]: which API and which web host this process belongs to.
//! - [`Signer`]: who signs requests, and what to sign with after a refusal.
//! - [`Client`]: the verbs. Each gives plain data of `pull_request::model`, or an [`Error`]; those that write, a
//!   [`WriteError`], which says whether the write may have happened.
//! - [`oauth`]: signing in with a browser, and new tokens for old ones.
//! - [`token_page`]: a page in the browser that takes a token which a user brings.
//! - [`check_token`]: whether a token that a user brings is good, and what it lacks.
//! - [`cloud`]: JSON as Bitbucket Cloud writes it, decoded leniently, object by object.
//!
//! Inside: `http` is where bytes leave (and the only code that attaches a token), `gate` holds requests
//! back, `page` walks through paged answers.
//!
//! It must not know what LSP, git or an editor is, nor read settings or the environment.

pub mod cloud;
pub mod oauth;
pub mod remote;
pub mod token_page;

mod check;
mod client;
mod error;
mod gate;
mod http;
mod listing;
mod origin;
mod page;
mod pieces;
mod scopes;
mod signer;
mod write_error;
mod writing;

pub use check::{CheckError, Granted, Trial, check_token};
pub use client::{Client, Probe};
pub use error::{Error, Outage};
pub use gate::Budget;
pub use http::{BadSurroundings, Certificates, Contacts, Options, Proxy};
pub use listing::Listing;
pub use origin::{BadOrigin, Origin};
pub use scopes::Reach;
pub use signer::Signer;
pub use write_error::WriteError;
