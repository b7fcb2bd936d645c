//! git's questions for a credential, answered from the stored accounts, and putting ourselves into git's configuration.
//!
//! It must not open a browser or ask anybody anything: git runs it in the middle of other work.

use super::accounts::Accounts;
use credentials::account::{self, AccountKey, Wanted};
use credentials::git_protocol::{self, Operation, Request};
use credentials::refresh::Outcome;
use credentials::{Authorization, Secret};
use git::credential_config::{self, Helper, Target};
use pull_request::view::markdown::plain;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

/// git waits no longer for a token that must be renewed.
const PATIENCE: Duration = Duration::from_secs(10);

/// What one exchange of a token may take when git waits for it.
pub const EXCHANGE: Duration = Duration::from_secs(8);

/// git's setting that names an account.
const ACCOUNT: &str = "bitbucket.account";

/// What is told besides the answer, on standard error.
pub struct Told {
    /// Sentences for the user.
    pub sentences: Vec<String>,
}

/// Answers one question of git's, from `input` to `output`. Whatever goes wrong is told, and nothing is answered then:
/// git goes on to ask the next helper, or the user.
pub async fn answer(
    accounts: &Accounts,
    operation: &str,
    folder: &Path,
    input: impl Read + Send + 'static,
    output: &mut (impl Write + Send),
    get: &(dyn Fn(&str) -> Option<String> + Sync),
) -> Told {
    let mut told = Told { sentences: Vec::new() };
    let operation = Operation::of(operation);
    if !matches!(operation, Operation::Get | Operation::Erase) {
        return told;
    }
    let request = match tokio::task::spawn_blocking(move || Request::read(input)).await {
        Ok(Ok(request)) => request,
        Ok(Err(error)) => {
            told.sentences.push(error.to_string());
            return told;
        }
        Err(_) => return told,
    };
    let Ok(web) = account::Origin::of(accounts.environment().origin.web().as_str()) else { return told };
    if !request.is_for(&web) {
        return told;
    }
    if operation == Operation::Erase {
        erase(accounts, &request, &mut told).await;
        return told;
    }
    // git may work on another repository than the one around the folder that it runs in.
    let git_folder = get("GIT_DIR").filter(|place| !place.is_empty());
    let place = git_folder.map_or_else(|| folder.to_owned(), |place| folder.join(place));
    let repository = git::discover(&place).ok();
    let configured = credential_config::on_command_line(ACCOUNT, &get)
        .or_else(|| repository.as_ref().and_then(git::Repository::account));
    match credential(accounts, &request, configured.as_deref()).await {
        Ok((authorization, expires_at)) => {
            if !request.knows_authtype() {
                told.sentences.extend(others_warning(&web, repository.as_ref(), get));
            }
            let answer = git_protocol::answer(&request, &web, &authorization, expires_at);
            if let Some(answer) = answer
                && answer.write_to(output).is_err()
            {
                told.sentences.push("git did not take the credential.".into());
            }
        }
        Err(sentence) => told.sentences.push(sentence),
    }
    told
}

/// The token for the account that the question means, and when it expires.
async fn credential(
    accounts: &Accounts,
    request: &Request,
    configured: Option<&str>,
) -> Result<(Authorization, Option<u64>), String> {
    match &accounts.environment().account {
        Err(sentence) => return Err(sentence.clone()),
        Ok(Some(authorization)) => return Ok((authorization.clone(), None)),
        Ok(None) => {}
    }
    let key = chosen(accounts, request, configured)?;
    let origin = key.origin.clone();
    let working = accounts.clone();
    let mut token = tokio::task::spawn_blocking(move || working.token(&key, None));
    let outcome = match tokio::time::timeout(PATIENCE, &mut token).await {
        Ok(outcome) => outcome,
        // A request may be under way, and a token that it brings must be saved before the process ends.
        Err(_) => tokio::time::timeout(EXCHANGE, token).await.map_err(|_| {
            "The token could not be renewed in time; try again, or see bitbucket-lsp doctor.".to_owned()
        })?,
    };
    match outcome.map_err(|_| super::fault())? {
        Outcome::Fresh(tokens) => {
            let authorization = tokens.authorization(&origin).cloned();
            Ok((authorization.ok_or_else(super::fault)?, tokens.expires_at))
        }
        Outcome::NeedsLogin(sentence) | Outcome::KeepAndRetry { sentence, .. } => Err(sentence),
    }
}

fn chosen(accounts: &Accounts, request: &Request, configured: Option<&str>) -> Result<AccountKey, String> {
    let known = accounts.load();
    let (workspace, slug) = request.repository().unzip();
    let wanted = Wanted {
        origin: accounts.origin()?,
        remote_user: request.username(),
        workspace,
        repository: slug,
        configured,
    };
    match account::choose(&known.accounts, &wanted) {
        Ok(choice) => Ok(choice.account.key.clone()),
        Err(error) => Err(known.notes.into_iter().next().unwrap_or_else(|| error.to_string())),
    }
}

/// A token was refused: it is exchanged before it is used again. Nothing is removed.
async fn erase(accounts: &Accounts, request: &Request, told: &mut Told) {
    let Some(refused) = request.refused() else { return };
    let working = accounts.clone();
    let marked = tokio::task::spawn_blocking(move || mark_stale(&working, &refused)).await;
    if let Ok(Err(sentence)) = marked {
        told.sentences.push(sentence);
    }
}

fn mark_stale(accounts: &Accounts, refused: &Secret) -> Result<(), String> {
    let origin = accounts.origin()?;
    let known = accounts.load();
    let here = known.accounts.all().iter().filter(|account| account.key.origin == *origin);
    for account in here.filter(|account| account.kind == account::Kind::OAuth) {
        accounts.refresher().mark_stale(&account.key, refused).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// An older git hands a credential on to every configured helper, and some write it to a file.
fn others_warning(
    web: &account::Origin,
    repository: Option<&git::Repository>,
    get: &(dyn Fn(&str) -> Option<String> + Sync),
) -> Option<String> {
    let others: Vec<String> = credential_config::helpers_for(&web.to_string(), repository, &get)
        .iter()
        .filter(|helper| !is_ours(helper))
        // The rest of it may hold a password.
        .map(|helper| plain(helper.split_whitespace().next().unwrap_or_default(), 60))
        .collect();
    (!others.is_empty()).then(|| {
        format!(
            "This git is older than 2.46 and hands the token on to the credential helper{} {} too, which may keep it \
             in the open; run bitbucket-lsp credential install, with --local where the repository's own configuration \
             names it, which takes it out of the chain for {}.",
            if others.len() == 1 { "" } else { "s" },
            others.join(", "),
            web.host()
        )
    })
}

fn is_ours(helper: &str) -> bool {
    helper.contains("bitbucket-lsp") && helper.trim_end().ends_with(" credential")
}

/// Puts this program into git's configuration as the only helper for Bitbucket: the user's, or that of a repository.
/// What was done, for the user.
///
/// # Errors
/// A sentence; nothing was changed then.
pub fn install(
    accounts: &Accounts,
    local: Option<&Path>,
    use_http_path: bool,
    get: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let url = web_address(accounts);
    let program = std::env::current_exe()
        .and_then(|path| path.canonicalize())
        .map_err(|error| format!("Where this program is could not be found out ({error}); try again."))?;
    let origin = accounts.origin()?;
    let known = accounts.load();
    let count = known.accounts.all().iter().filter(|account| account.key.origin == *origin).count();
    let use_http_path = use_http_path || count > 1;
    let helper = Helper { url: &url, program: &program, use_http_path };
    let installed = on_target(local, get, |target| credential_config::install(target, &helper))?;
    let mut text = format!(
        "git asks bitbucket-lsp for credentials of {url} from now on, and no other helper (in {}).\n",
        installed.file.display()
    );
    if use_http_path {
        text.push_str(
            "git says which repository it is about (credential.useHttpPath), so that the account of its workspace is \
             used.\n",
        );
    }
    if count == 0 && matches!(accounts.environment().account, Ok(None)) {
        text.push_str("Nobody is signed in yet: run bitbucket-lsp auth login or bitbucket-lsp auth token.\n");
    }
    Ok(text)
}

/// Takes it out again, byte for byte. What was done, for the user.
///
/// # Errors
/// A sentence; nothing was changed then.
pub fn uninstall(local: Option<&Path>, get: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let file = on_target(local, get, credential_config::uninstall)?;
    Ok(match file {
        Some(file) => format!("{} is as it was before.\n", file.display()),
        None => "Nothing of bitbucket-lsp was in git's configuration.\n".to_owned(),
    })
}

fn on_target<T>(
    local: Option<&Path>,
    get: &dyn Fn(&str) -> Option<String>,
    action: impl FnOnce(Target<'_>) -> Result<T, credential_config::Error>,
) -> Result<T, String> {
    let done = match local {
        None => action(Target::User(get)),
        Some(folder) => {
            let repository = git::discover(folder).map_err(|error| error.to_string())?;
            action(Target::Repository(&repository))
        }
    };
    done.map_err(|error| error.to_string())
}

/// With several accounts git must say which repository it asks for; where it does not, a sentence about that.
pub(super) fn note_for_several(accounts: &Accounts) -> Option<String> {
    let (url, get) = (web_address(accounts), |name: &str| std::env::var(name).ok());
    let is_asked = credential_config::helpers_for(&url, None, &get).iter().any(|helper| is_ours(helper));
    (is_asked && !credential_config::use_http_path(&url, None, &get)).then(|| {
        "git asks bitbucket-lsp for credentials but does not say for which repository, so it gets the default \
         account's: run bitbucket-lsp credential install again, now that there are several."
            .to_owned()
    })
}

/// Whether git asks this program, in a sentence.
pub fn describe(accounts: &Accounts, get: &dyn Fn(&str) -> Option<String>) -> String {
    let url = web_address(accounts);
    let helpers = credential_config::helpers_for(&url, None, get);
    let paths = credential_config::use_http_path(&url, None, get);
    match helpers.iter().any(|helper| is_ours(helper)) {
        true if paths => "git asks bitbucket-lsp for credentials, and says for which repository.".into(),
        true => "git asks bitbucket-lsp for credentials.".into(),
        false => {
            "git does not ask bitbucket-lsp for credentials; bitbucket-lsp credential install changes that."
                .into()
        }
    }
}

fn web_address(accounts: &Accounts) -> String {
    accounts.environment().origin.web().origin().ascii_serialization()
}
