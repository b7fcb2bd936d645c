//! A stateful Bitbucket Cloud on a loopback port, over real git repositories, for tests and for the demo.
//!
//! A [`Scenario`] is a readable file: repositories with commits, people, pull requests, comments that quote the text
//! they stand on. [`Simulator::start`] makes real bare repositories of it and answers the REST routes and git's
//! fetches as Bitbucket does, refusals included. [`Faults`] make it misbehave, [`Simulator::requests`] says what it
//! was asked, and handles let other people comment, push and merge while a test runs and tell what is written. Consumers of the scenario can
//! sign users in by OAuth.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use simulator::{Comment, Fault, Scenario, Simulator};
//!
//! let simulator = Simulator::start(Scenario::demo()).await?;
//! let clone = simulator.clone_to("/tmp/till".as_ref(), "corner-shop/till", "discounts")?;
//! simulator.faults().set(Fault::Status(500).on("/2.0/user").once());
//! simulator.pull_request("corner-shop/till", 4).add_comment(&Comment {
//!     author: "ben".into(),
//!     text: "And what if it is empty?".into(),
//!     file: Some("till/cart.py".into()),
//!     on: Some("def total(self) -> Money:".into()),
//!     ..Comment::default()
//! })?;
//! # Ok(())
//! # }
//! ```
//!
//! It is no part of the product, and knows none of its crates: it speaks Bitbucket's words only.

mod api;
mod control;
mod end;
mod faults;
pub mod git;
mod git_http;
mod handles;
mod http;
mod log;
mod marker;
mod oauth;
#[cfg(feature = "openapi")]
mod openapi;
mod scenario;
mod server;
mod simulator;
mod web;
mod world;
mod written;

pub use end::until_told_to_end;
pub use faults::{Fault, Faults, Loss, Rule};
pub use handles::{PullRequestHandle, RepositoryHandle};
pub use log::LoggedRequest;
pub use marker::MARKER;
pub use oauth::{OauthCounts, OauthHandle};
pub use scenario::{
    Account, Comment, Commit, Consumer, PullRequest, Repository, ResolutionForm, Scenario, Side, Status,
    Task, User,
};
pub use simulator::{Access, Simulator};
pub use world::Vote;
pub use written::{WrittenComment, WrittenInline, WrittenTask};
