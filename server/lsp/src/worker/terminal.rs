//! What the command line needs of accounts beyond what editors do.
//!
//! It must not print.

use super::accounts::{Accounts, id_of, opens_word};
use super::sign_in::{self, Signed};
use super::{Browser, Secret};
use credentials::account::{AccountId, Opens, StoredAccount};
use pull_request::model::RepositoryName;
use pull_request::view::markdown::plain;
use std::io::Read;

/// The longest secret that is read, in bytes.
const LONGEST: u64 = 16 * 1024;

/// What an access token is for, from the arguments.
///
/// # Errors
/// A sentence about what is no name.
pub fn opens(
    repository: Option<String>,
    project: Option<String>,
    workspace: Option<String>,
) -> Result<Option<Opens>, String> {
    let pair = |text: &str, what: &str| match text.split_once('/') {
        Some((workspace, name)) if !workspace.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok((workspace.to_owned(), name.to_owned()))
        }
        _ => Err(format!("{} is not {what}.", plain(text, 100))),
    };
    if let Some(repository) = repository {
        let (workspace, repository) = pair(&repository, "WORKSPACE/REPOSITORY")?;
        return Ok(Some(Opens::Repository { workspace, repository }));
    }
    if let Some(project) = project {
        let (workspace, project) = pair(&project, "WORKSPACE/KEY, with the key of a project")?;
        return Ok(Some(Opens::Project { workspace, project }));
    }
    Ok(workspace.map(|workspace| Opens::Workspace { workspace }))
}

/// Signs in by a token; `here`: the repository of the folder.
///
/// # Errors
/// A sentence.
pub async fn by_token(
    accounts: &Accounts,
    email: Option<String>,
    token: Secret,
    opens: Option<Opens>,
    here: Option<RepositoryName>,
) -> Result<Signed, String> {
    let named = match &opens {
        Some(Opens::Repository { workspace, repository }) => RepositoryName::new(workspace, repository),
        _ => None,
    };
    let is_in =
        |workspace: &str| here.as_ref().is_some_and(|here| here.workspace().eq_ignore_ascii_case(workspace));
    let trial = match &opens {
        Some(Opens::Workspace { workspace } | Opens::Project { workspace, .. }) if !is_in(workspace) => None,
        _ => named.or_else(|| here.clone()),
    };
    let opens = opens.or_else(|| here.as_ref().map(sign_in::opens));
    sign_in::by_token(accounts, email, token, opens, trial).await
}

/// What is known of all accounts, in sentences.
pub fn describe(accounts: &Accounts) -> Vec<String> {
    let known = accounts.load();
    let mut lines = accounts.describe(&known);
    let ids = here(accounts, known.accounts.all()).map(|account| match &account.key.id {
        AccountId::User(id) => format!("{} has the id {id}.", account.display_name),
        AccountId::Bot(opens) => format!("{} is called {}.", account.display_name, opens_word(opens)),
    });
    lines.extend(ids.collect::<Vec<_>>());
    match &accounts.environment().account {
        Err(sentence) => lines.push(sentence.clone()),
        Ok(None) if here(accounts, known.accounts.all()).next().is_none() => lines.push(
            "Nobody is signed in; run bitbucket-lsp auth login, or bitbucket-lsp auth token.".to_owned(),
        ),
        Ok(_) => {}
    }
    lines
}

fn here<'a>(
    accounts: &'a Accounts,
    all: &'a [StoredAccount],
) -> impl Iterator<Item = &'a StoredAccount> + use<'a> {
    let origin = accounts.origin().ok();
    all.iter().filter(move |account| Some(&account.key.origin) == origin)
}

/// The id of the only account.
///
/// # Errors
/// A sentence: there is none, or several.
pub fn only_account(accounts: &Accounts) -> Result<String, String> {
    let known = accounts.load();
    let mut all = here(accounts, known.accounts.all());
    match (all.next(), all.next()) {
        (Some(account), None) => Ok(id_of(&account.key)),
        (None, _) => Err("No account is stored here, so nobody can be signed out.".into()),
        (Some(_), Some(_)) => {
            Err("Several accounts are stored; name one, as bitbucket-lsp auth status shows them.".into())
        }
    }
}

/// A secret: typed at the terminal, which does not show it, or from standard input.
///
/// # Errors
/// A sentence.
pub fn secret(question: &str, is_terminal: bool) -> Result<Secret, String> {
    let text = match is_terminal {
        true => rpassword::prompt_password(question)
            .map_err(|error| format!("The terminal could not be read: {error}."))?,
        false => {
            let mut text = String::new();
            let read = std::io::stdin().take(LONGEST).read_to_string(&mut text);
            read.map_err(|error| format!("Standard input could not be read: {error}."))?;
            text
        }
    };
    let text = Secret::new(text);
    text.trimmed().ok_or_else(|| "Nothing was entered, so nothing was stored.".to_owned())
}

impl Accounts {
    /// What opens web pages.
    pub fn browser(&self) -> Browser {
        self.environment().browser.clone()
    }
}
