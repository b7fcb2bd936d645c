//! The binary: reads arguments, environment and the user's file, then serves or does one command.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to its user")]

use bitbucket_lsp::cli::{self, Arguments, Command};
use bitbucket_lsp::config::{Folders, UserConfig};
use bitbucket_lsp::server;
use bitbucket_lsp::worker::accounts::Accounts;
use bitbucket_lsp::worker::{Environment, Redactor, credential};
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
            "There is no home folder to keep files in; set BITBUCKET_LSP_CONFIG, BITBUCKET_LSP_CACHE and BITBUCKET_LSP_STATE."
        );
        return ExitCode::FAILURE;
    };
    let file = folders.config.join("config.toml");
    let config = read_config(&file);
    let redactor = Redactor::default();
    let log = config.as_ref().ok().and_then(|(config, _)| config.log.clone());
    start_log(&get, log, redactor.clone());
    if let Err(sentence) = &config {
        tracing::warn!("{sentence}");
    }
    let environment = match Environment::of_process(config, folders, &get, redactor) {
        Ok(environment) => environment,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
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
                Err(sentence) => told(Err(sentence)),
            }
        }
        Some(Command::Doctor { folder }) => {
            let report = runtime.block_on(cli::doctor::examine(&folder, environment));
            print(&report.text);
            if report.well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Some(Command::Auth { command }) => {
            let outcome = runtime.block_on(cli::auth::run(command, environment, &get));
            // What waits for a line of the terminal must not hold up the end.
            runtime.shutdown_background();
            told(outcome)
        }
        Some(Command::Credential { operation, local, use_http_path }) => {
            let folder = Path::new(".");
            let local = local.then_some(folder);
            let mut environment = environment;
            environment.limits.total = credential::EXCHANGE;
            let accounts = Accounts::new(environment);
            match operation.as_str() {
                "install" => told(credential::install(&accounts, local, use_http_path, &get)),
                "uninstall" => told(credential::uninstall(local, &get)),
                operation => {
                    let (input, mut output) = (std::io::stdin(), std::io::stdout());
                    let answer = credential::answer(&accounts, operation, folder, input, &mut output, &get);
                    for sentence in runtime.block_on(answer).sentences {
                        eprintln!("bitbucket-lsp: {}", plain(&sentence, 2_000));
                    }
                    runtime.shutdown_background();
                    ExitCode::SUCCESS
                }
            }
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
fn keep_memory_private() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// What was done, or why it was not.
fn told(outcome: Result<String, String>) -> ExitCode {
    match outcome {
        Ok(text) => print(&text),
        Err(sentence) => {
            for line in sentence.lines() {
                eprintln!("{}", plain(line, 2_000));
            }
            ExitCode::FAILURE
        }
    }
}

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

/// Logs go to standard error, with known secrets taken out.
fn start_log(get: &dyn Fn(&str) -> Option<String>, configured: Option<String>, redactor: Redactor) {
    use tracing_subscriber::Layer;
    use tracing_subscriber::filter::Targets;
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    let wanted = get("BITBUCKET_LSP_LOG").or(configured).unwrap_or_else(|| "warn".into());
    let filter: Targets =
        wanted.parse().unwrap_or_else(|_| Targets::new().with_default(tracing::Level::WARN));
    // The codec of tower-lsp writes whole messages at trace level.
    let filter = filter.with_target("tower_lsp_server", tracing::level_filters::LevelFilter::OFF);
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(move || redactor.writer(std::io::stderr()))
        .with_filter(filter);
    tracing_subscriber::registry().with(layer).init();
    std::panic::set_hook(Box::new(tell_of_panic));
}

/// Editors show standard error; what a panic says may hold a user's text, so only its place is told.
fn tell_of_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    tracing::error!("a task ended unexpectedly at {place}; please report this");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn a_panic_tells_where_it_was_and_nothing_else() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let writer: std::sync::Arc<File> = log.reopen().unwrap().into();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(writer).finish();
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(tell_of_panic));
        let secret = String::from("tok-c4n4ry");
        let ended =
            tracing::subscriber::with_default(subscriber, || std::panic::catch_unwind(|| panic!("{secret}")));
        std::panic::set_hook(usual);
        assert!(ended.is_err());
        let told = std::fs::read_to_string(log.path()).unwrap();
        assert!(told.contains("a task ended unexpectedly at") && told.contains("main.rs:"), "{told}");
        assert!(told.lines().count() == 1 && !told.contains("tok"), "{told}");
    }
}
