//! The simulator as its users see it: over HTTP and over git.

#![allow(missing_docs, reason = "tests")]

mod client;
mod discussion;
mod faults;
mod git;
mod lost;
mod marker;
mod oauth;
mod places;
mod program;
mod rest;
mod tasks;
mod together;
mod writing;

use simulator::{Account, MARKER, Scenario, Simulator};

/// The demo's scenario, started, with every exchange checked when it is dropped.
async fn demo() -> Simulator {
    let mut simulator = Simulator::start(Scenario::demo()).await.unwrap();
    simulator.check_against_openapi();
    simulator
}

/// The same for two people, each with a token: Ana is account 0, Ben account 1.
async fn demo_for_two() -> Simulator {
    let mut scenario = Scenario::demo();
    let account =
        |user: &str| Account { user: user.into(), token: format!("{user}-{MARKER}"), ..Account::default() };
    scenario.accounts = vec![account("ana"), account("ben")];
    let mut simulator = Simulator::start(scenario).await.unwrap();
    simulator.check_against_openapi();
    simulator
}
