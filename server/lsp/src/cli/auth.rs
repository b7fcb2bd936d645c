//! `bitbucket-lsp auth`: signing in and out at a terminal.
//!
//! It must not know how tokens are got or kept: `worker::sign_in` does that.

#![allow(clippy::print_stderr, reason = "a command line talks to its user")]

use crate::event::ToRegister;
use crate::worker::accounts::Accounts;
use crate::worker::sign_in::{self, Failure, Order, Step};
use crate::worker::{Environment, Secret, credential, keeping, once, terminal};
use clap::Subcommand;
use pull_request::view::markdown::plain;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc;

/// What can be done about accounts.
#[derive(Debug, Subcommand)]
pub enum AuthCommand {
    /// Sign in by OAuth, in the browser
    Login,
    /// Sign in by an API token, or by an access token of a repository, project or workspace
    ///
    /// The token is asked for, or read from standard input where that is no terminal; it is never an argument.
    Token {
        /// The e-mail address of your Atlassian account: for an API token
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// What an access token is for: workspace/repository; without it, the repository of the folder
        #[arg(long, value_name = "WORKSPACE/REPOSITORY", group = "opens")]
        repository: Option<String>,
        /// What an access token is for: the key of a project
        #[arg(long, value_name = "WORKSPACE/KEY", group = "opens")]
        project: Option<String>,
        /// What an access token is for: a whole workspace
        #[arg(long, value_name = "WORKSPACE", group = "opens")]
        workspace: Option<String>,
        /// A folder in a repository that the token is for
        #[arg(default_value = ".", value_name = "FOLDER")]
        folder: PathBuf,
    },
    /// Say who is signed in, and which account is used for a folder and why
    Status {
        /// A folder in the repository
        #[arg(default_value = ".", value_name = "FOLDER")]
        folder: PathBuf,
    },
    /// Remove an account's tokens from this computer
    Logout {
        /// The account, by its id or a name; may be left out if there is only one
        account: Option<String>,
    },
    /// Choose the default account, or the one for a workspace
    Use {
        /// The account, by its id or a name
        account: String,
        /// For this workspace only
        #[arg(long, value_name = "WORKSPACE")]
        workspace: Option<String>,
    },
    /// Put your own OAuth consumer into the keyring, for `auth login` and Generate Token
    ///
    /// The secret is asked for, or read from standard input where that is no terminal.
    Consumer {
        /// The consumer's key
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
        /// Take the consumer out of the keyring
        #[arg(long)]
        remove: bool,
    },
}

/// Does it; what to print, or a sentence about why it was not done.
///
/// # Errors
/// The sentence.
pub async fn run(
    command: AuthCommand,
    environment: Environment,
    get: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let accounts = Accounts::new(environment.clone());
    match command {
        AuthCommand::Login => login(&accounts).await,
        AuthCommand::Token { email, repository, project, workspace, folder } => {
            let opens = terminal::opens(repository, project, workspace)?;
            let here = once::discover(&folder, &environment).ok();
            let here = here.and_then(|here| here.discovery.candidates.first().cloned());
            let is_terminal = std::io::stdin().is_terminal();
            let email = match email {
                None if is_terminal => {
                    Some(asked("E-mail address of your Atlassian account (empty for an access token): ")?)
                }
                email => email,
            };
            let email = email.map(|email| email.trim().to_owned()).filter(|email| !email.is_empty());
            let token = secret("Token (it is not shown): ")?;
            let signed = terminal::by_token(&accounts, email, token, opens, here).await?;
            Ok(format!("{}\n", signed.sentence()))
        }
        AuthCommand::Status { folder } => {
            let lines = terminal::describe(&accounts);
            let mut text: String = lines.iter().map(|line| format!("{}\n", plain(line, 2_000))).collect();
            text.push_str(&format!("{}\n", credential::describe(&accounts, get)));
            if let Ok(repository) = once::discover(&folder, &environment)
                && !repository.discovery.candidates.is_empty()
            {
                let line = match repository.discovery.login {
                    Ok(login) => format!("This folder is asked for as {}, {}.", login.name, login.reason),
                    Err(sentence) => sentence,
                };
                text.push_str(&format!("{}\n", plain(&line, 600)));
            }
            Ok(text)
        }
        AuthCommand::Logout { account } => {
            let account = match account {
                Some(account) => account,
                None => terminal::only_account(&accounts)?,
            };
            Ok(format!("{}\n", keeping::out(&accounts, &account).await?))
        }
        AuthCommand::Use { account, workspace } => {
            Ok(format!("{}\n", keeping::choose(&accounts, &account, workspace).await?))
        }
        AuthCommand::Consumer { remove: true, .. } => {
            keeping::keep_consumer(&accounts, None).await?;
            Ok("The OAuth consumer is no longer in the keyring.\n".into())
        }
        AuthCommand::Consumer { key, remove: false } => {
            let key = match key {
                Some(key) => key,
                None if std::io::stdin().is_terminal() => asked("Key of the OAuth consumer: ")?,
                None => return Err("Name the consumer's key by --key.".into()),
            };
            let secret = secret("Secret of the OAuth consumer (it is not shown): ")?;
            keeping::keep_consumer(&accounts, Some((key.trim().to_owned(), secret))).await?;
            Ok("The OAuth consumer is in the keyring; run bitbucket-lsp auth login to sign in with it.\n"
                .into())
        }
    }
}

async fn login(accounts: &Accounts) -> Result<String, String> {
    let (orders, mut obeyed) = mpsc::unbounded_channel();
    let (steps, mut said) = mpsc::unbounded_channel();
    let is_terminal = std::io::stdin().is_terminal();
    if is_terminal {
        tokio::spawn(async move {
            let mut lines = BufReader::new(tokio::io::stdin()).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if !line.trim().is_empty() && orders.send(Order::Paste(line)).is_err() {
                    return;
                }
            }
        });
    }
    let browser = accounts.browser();
    let telling = tokio::spawn(async move {
        while let Some(step) = said.recv().await {
            match step {
                Step::Waiting { page, .. } => {
                    eprintln!(
                        "Press Grant access on Bitbucket's page in the browser. Its address, if it does not open:\n\n  {page}\n"
                    );
                    if is_terminal {
                        eprintln!(
                            "Where the browser runs on another computer and ends at a page that does not open, paste \
                             that page's address here and press Enter."
                        );
                    }
                    let browser = browser.clone();
                    tokio::task::spawn_blocking(move || browser.open(&page));
                }
                Step::NotTaken(sentence) => eprintln!("{sentence}"),
            }
        }
    });
    let outcome = sign_in::by_browser(accounts, &mut obeyed, &steps).await;
    drop(steps);
    let _ = telling.await;
    match outcome {
        Ok(signed) => Ok(format!("{}\n", signed.sentence())),
        Err(Failure::Other(sentence)) => Err(sentence),
        Err(Failure::Cancelled) => Err("The sign-in was given up; nothing was stored.".into()),
        Err(Failure::NoConsumer(ToRegister { callback_url, scopes, token_scopes })) => Err(format!(
            "Bitbucket gives OAuth tokens to consumers only, and none is known here. Make one of your own, once:\n\
             1. On Bitbucket, in the settings of a workspace of yours: OAuth consumers, Add consumer.\n\
             2. Callback URL {callback_url}; permissions {}.\n\
             3. Run bitbucket-lsp auth consumer, and then bitbucket-lsp auth login again.\n\
             An API token needs none of that:\n\
             1. Make one at {} with the scopes {}.\n\
             2. Run bitbucket-lsp auth token.",
            scopes.join(", "),
            sign_in::TOKEN_PAGE,
            token_scopes.join(", "),
        )),
    }
}

fn asked(question: &str) -> Result<String, String> {
    let read = || {
        let mut terminal = std::io::stderr();
        terminal.write_all(question.as_bytes())?;
        terminal.flush()?;
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line.trim().to_owned())
    };
    read().map_err(|error| format!("The terminal could not be read: {error}."))
}

/// A secret from the terminal, which does not show it; or from standard input where that is no terminal.
fn secret(question: &str) -> Result<Secret, String> {
    terminal::secret(question, std::io::stdin().is_terminal())
}
