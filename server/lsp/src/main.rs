//! The binary: reads arguments, environment and the user's file, then serves or does one command.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to its user")]

use bitbucket_lsp::cli::{self, Arguments, Command};
use bitbucket_lsp::config::{Folders, UserConfig};
use bitbucket_lsp::server;
use bitbucket_lsp::worker::Environment;
use clap::Parser;
use pull_request::model::PullRequestId;
use pull_request::view::markdown::plain;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    keep_memory_private();
    let get = |name: &str| std::env::var(name).ok();
    let Some(folders) = Folders::find(&get) else {
        eprintln!(
            "There is no home folder to keep files in; set BITBUCKET_LSP_CONFIG and BITBUCKET_LSP_CACHE."
        );
        return ExitCode::FAILURE;
    };
    let file = folders.config.join("config.toml");
    let (config, config_report) = match read_config(&file) {
        Ok((config, sentence)) => (config, Ok(sentence)),
        Err(sentence) => (UserConfig::default(), Err(sentence)),
    };
    let account = account(&get);
    start_log(&get, &config, account.as_ref().ok());
    if let Err(sentence) = &config_report {
        tracing::warn!("{sentence}");
    }
    let origin = bitbucket::Origin::new(
        get("BITBUCKET_API_URL").or(config.api_url).as_deref(),
        get("BITBUCKET_WEB_URL").or(config.web_url).as_deref(),
    );
    let origin = match origin {
        Ok(origin) => origin,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    // A file that could not be read may hold the address of another Bitbucket: no token is sent on a guess.
    let account = match &config_report {
        Err(sentence) => Err(sentence.clone()),
        Ok(_) => account,
    };
    let environment =
        Environment { origin, account, cache: folders.cache, limits: bitbucket::Options::default() };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("The server could not start its threads: {error}.");
            return ExitCode::FAILURE;
        }
    };
    match arguments.command {
        Some(Command::Comments { pull_request, resolved, folder }) => {
            let options = cli::comments::Options {
                number: pull_request.map(PullRequestId),
                resolved,
                color: std::io::stdout().is_terminal()
                    && get("NO_COLOR").is_none_or(|value| value.is_empty())
                    && get("TERM").is_none_or(|terminal| terminal != "dumb"),
            };
            match runtime.block_on(cli::comments::draw(&folder, &environment, &options)) {
                Ok(text) => print(&text),
                Err(sentence) => {
                    eprintln!("{}", plain(&sentence, 2_000));
                    ExitCode::FAILURE
                }
            }
        }
        Some(Command::Doctor { folder }) => {
            let findings = runtime.block_on(cli::doctor::examine(&folder, &environment, config_report));
            let well = findings.iter().all(|finding| finding.ok);
            print(&cli::doctor::report(&findings));
            if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        None => {
            if std::io::stdin().is_terminal() {
                eprintln!("This is a language server: your editor starts it. See bitbucket-lsp --help.");
            }
            let exit = runtime.block_on(server::serve(tokio::io::stdin(), tokio::io::stdout(), environment));
            tracing::info!("the server ends: {}", exit.why);
            // tokio's thread that reads standard input cannot be stopped, so the process is.
            std::process::exit(i32::from(exit.code));
        }
    }
}

/// No core file and no debugger of another process may read the token out of memory (best effort, where the system can).
#[cfg(target_os = "linux")]
fn keep_memory_private() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

#[cfg(not(target_os = "linux"))]
fn keep_memory_private() {}

/// A closed pipe (`| head`) is no failure.
fn print(text: &str) -> ExitCode {
    use std::io::Write;
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn read_config(file: &Path) -> Result<(UserConfig, String), String> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok((UserConfig::parse(&text, file)?, format!("The user's file is {}.", file.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok((UserConfig::default(), format!("There is no {}, which is fine.", file.display())))
        }
        Err(error) => Err(format!("{} could not be read: {error}.", file.display())),
    }
}

fn account(get: &dyn Fn(&str) -> Option<String>) -> Result<credentials::Authorization, String> {
    match credentials::from_environment(get) {
        Ok(Some(account)) => Ok(account.authorization),
        Ok(None) => Err(bitbucket::Error::SignedOut.sentence()),
        Err(error) => Err(error.to_string()),
    }
}

/// Logs go to standard error, with known secrets taken out.
fn start_log(
    get: &dyn Fn(&str) -> Option<String>,
    config: &UserConfig,
    account: Option<&credentials::Authorization>,
) {
    use tracing_subscriber::Layer;
    use tracing_subscriber::filter::Targets;
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    let wanted = get("BITBUCKET_LSP_LOG").or_else(|| config.log.clone()).unwrap_or_else(|| "warn".into());
    let filter: Targets =
        wanted.parse().unwrap_or_else(|_| Targets::new().with_default(tracing::Level::WARN));
    // The codec of tower-lsp writes whole messages at trace level.
    let filter = filter.with_target("tower_lsp_server", tracing::level_filters::LevelFilter::OFF);
    let redactor = credentials::Redactor::new(account.map(credentials::Authorization::secret));
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(move || redactor.writer(std::io::stderr()))
        .with_filter(filter);
    tracing_subscriber::registry().with(layer).init();
    // Editors show standard error; what a panic says may hold a user's text, so only its place is told.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        tracing::error!("a task ended unexpectedly at {place}; please report this");
    }));
}
