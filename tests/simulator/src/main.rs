//! `simulator serve SCENARIO`: a simulated Bitbucket for test suites in other languages.
//!
//! It prints one line of JSON with everything that a client must know, and stops when its standard input ends or it is interrupted.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};
use simulator::{Scenario, Simulator};

/// A simulated Bitbucket Cloud on a loopback port.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves a scenario until standard input ends.
    Serve {
        /// The scenario file; `demo` stands for the sample.
        scenario: PathBuf,
        /// The port; a free one if left out.
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// Clones the repository of the first pull request, at its source branch, into this new folder.
        #[arg(long)]
        clone: Option<PathBuf>,
        /// Moves the dates of all that was said so that the last of it was said then, as in 2026-11-17T10:20:00Z.
        #[arg(long)]
        said_until: Option<jiff::Timestamp>,
    },
}

#[expect(clippy::print_stdout, reason = "the line that it prints is what it is for")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let Command::Serve { scenario, port, clone, said_until } = Arguments::parse().command;
    let scenario = if scenario.as_os_str() == "demo" { Scenario::demo() } else { Scenario::load(&scenario)? };
    let scenario = match said_until {
        Some(then) => scenario.said_until(then),
        None => scenario,
    };
    let checkout = scenario.first_checkout();
    let consumer = scenario.consumers.first().map(|consumer| {
        serde_json::json!({"key": consumer.key, "secret": consumer.secret, "callback": consumer.callback})
    });
    let simulator = Simulator::start_on(scenario, port).await?;
    let clone = match (clone, &checkout) {
        (Some(folder), Some((repository, branch))) => Some(simulator.clone_to(&folder, repository, branch)?),
        (Some(_), None) => anyhow::bail!("--clone needs a scenario with a repository"),
        (None, _) => None,
    };
    let account = simulator.accounts().swap_remove(0);
    let line = serde_json::json!({
        "api_url": simulator.api_url(),
        "web_url": simulator.web_url(),
        "control_url": format!("{}/_simulator", simulator.web_url()),
        "token": account.token,
        "email": account.email,
        "user": account.user,
        "consumer": consumer,
        "environment": simulator.environment().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "repository": checkout.as_ref().map(|(repository, _)| repository),
        "branch": checkout.as_ref().map(|(_, branch)| branch),
        "clone": clone,
        "pid": std::process::id(),
    });
    println!("{line}");
    simulator::until_told_to_end().await;
    for request in simulator.unexpected() {
        #[expect(clippy::print_stderr, reason = "a route that is missing must be seen")]
        {
            eprintln!("no such route: {} {}", request.method, request.target());
        }
    }
    Ok(())
}
