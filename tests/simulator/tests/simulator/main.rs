//! The simulator as its users see it: over HTTP and over git.

#![allow(missing_docs, reason = "tests")]

mod client;
mod discussion;
mod faults;
mod git;
mod marker;
mod oauth;
mod program;
mod rest;

use simulator::{Scenario, Simulator};

/// The demo's scenario, started, with every exchange checked when it is dropped.
async fn demo() -> Simulator {
    let mut simulator = Simulator::start(Scenario::demo()).await.unwrap();
    simulator.check_against_openapi();
    simulator
}
