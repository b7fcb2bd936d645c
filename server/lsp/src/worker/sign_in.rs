//! Signing in: by OAuth in a browser, or by a token that the user brings.
//!
//! It must not know how the user is talked to (the editor's side is in `session`, the terminal's in `cli`), nor how accounts are
//! kept (`keeping`).

use super::accounts::{Accounts, now, opens_word, reply_of};
use super::keeping::store;
use crate::event::ToRegister;
use bitbucket::oauth::{Callback, Login, LoginError, LoginOptions};
use bitbucket::token_page::{Submitted, TokenPage, TokenPageError, TokenPageOptions};
use bitbucket::{CheckError, Reach, Trial, check_token};
use credentials::account::{AccountId, AccountKey, Kind, Opens, StoredAccount};
use credentials::vault::{Grant, Secrets};
use credentials::{Authorization, Secret};
use futures_util::future::FutureExt;
use pull_request::model::{RepositoryName, User};
use pull_request::view::markdown::plain;
use tokio::sync::mpsc;
use url::Url;

/// What the user says to a sign-in that waits for the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// The address that the browser ended at.
    Paste(String),
    /// Give it up.
    Cancel,
}

/// What a sign-in has to say before it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The port is open: the browser is to show this.
    Waiting {
        /// For the browser.
        page: String,
        /// What the address that the browser ends at begins with, where it can be pasted.
        redirect: Option<String>,
    },
    /// What was pasted is of no use; the sign-in goes on.
    NotTaken(String),
}

/// Somebody who is signed in now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// A name, safe to show on one line.
    pub name: String,
    /// What was granted; empty if Bitbucket did not say.
    pub scopes: Vec<String>,
    /// What is needed and was not granted.
    pub missing: Vec<&'static str>,
    /// Where it is kept.
    pub kept_in: String,
    /// What else the user should know, in sentences.
    pub notes: Vec<String>,
}

impl Signed {
    /// For the user: who is signed in, and what is lacking.
    pub fn sentence(&self) -> String {
        let scopes = match self.scopes.is_empty() {
            true => String::new(),
            false => format!("; scopes {}", self.scopes.join(", ")),
        };
        let notes: String = self.notes.iter().map(|note| format!(" {note}")).collect();
        format!(
            "Signed in to Bitbucket as {}; kept in {}{scopes}.{}{notes}",
            self.name,
            self.kept_in,
            self.lack()
        )
    }

    /// What is lacking, as a further sentence; nothing, mostly.
    fn lack(&self) -> String {
        match self.missing.as_slice() {
            [] => String::new(),
            missing => format!(
                " The scope{} {} {} missing, so some commands will be refused; tick {} and sign in again.",
                if missing.len() == 1 { "" } else { "s" },
                missing.join(", "),
                if missing.len() == 1 { "is" } else { "are" },
                if missing.len() == 1 { "it" } else { "them" },
            ),
        }
    }
}

/// Why nobody is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no OAuth consumer to sign in with.
    NoConsumer(ToRegister),
    /// The user gave it up.
    Cancelled,
    /// Anything else, in a sentence.
    Other(String),
}

/// Signs in by OAuth. Each step is said; `orders` are obeyed until the code is there.
///
/// # Errors
/// See [`Failure`]; nothing is stored then.
pub async fn by_browser(
    accounts: &Accounts,
    orders: &mut mpsc::UnboundedReceiver<Order>,
    steps: &mpsc::UnboundedSender<Step>,
) -> Result<Signed, Failure> {
    let environment = accounts.environment();
    if let Err(sentence) = &environment.account {
        return Err(Failure::Other(sentence.clone()));
    }
    let reach = environment.oauth.reach;
    let consumer = blocking(accounts, Accounts::consumer).await.map_err(Failure::Other)?;
    let consumer = consumer.ok_or_else(|| {
        Failure::NoConsumer(ToRegister {
            callback_url: accounts.callback_url(),
            scopes: reach.oauth().to_vec(),
            token_scopes: reach.api_token().to_vec(),
        })
    })?;
    let other = |error: LoginError| match error {
        LoginError::Cancelled => Failure::Cancelled,
        error => Failure::Other(plain(&error.sentence(), 600)),
    };
    let options = LoginOptions { reach, http: environment.limits.clone(), ..LoginOptions::default() };
    let login = Login::begin(consumer, environment.origin.clone(), options).await.map_err(other)?;
    // Whoever does not listen any more has given the sign-in up, or will.
    let _ = steps.send(Step::Waiting {
        page: login.authorize_url().as_str().to_owned(),
        redirect: Some(login.redirect_url()),
    });
    let callback = match callback(&login, orders, steps).await {
        Ok(callback) => callback,
        Err(error) => {
            if error == LoginError::Cancelled {
                login.cancel().await;
            }
            return Err(other(error));
        }
    };
    let grant = tokio::select! {
        biased;
        () = cancelled(orders) => {
            login.cancel().await;
            return Err(Failure::Cancelled);
        }
        grant = granted(accounts, &login, callback) => grant,
    };
    let signed = match grant {
        Ok((account, secrets)) => store(accounts, account, secrets).await,
        Err(sentence) => Err(sentence),
    };
    match signed {
        Ok(signed) => {
            let sentence =
                format!("You are signed in as {}. Go back to your editor.{}", signed.name, signed.lack());
            login.finish(Ok(&sentence)).await;
            Ok(signed)
        }
        Err(sentence) => {
            login.finish(Err(&sentence)).await;
            Err(Failure::Other(sentence))
        }
    }
}

/// Waits for the browser, or for the address that it ended at.
async fn callback(
    login: &Login,
    orders: &mut mpsc::UnboundedReceiver<Order>,
    steps: &mpsc::UnboundedSender<Step>,
) -> Result<Callback, LoginError> {
    let mut deaf = false;
    loop {
        tokio::select! {
            callback = login.wait(std::future::pending()) => return callback,
            order = orders.recv(), if !deaf => match order {
                Some(Order::Cancel) => return Err(LoginError::Cancelled),
                Some(Order::Paste(address)) => match login.paste(&address) {
                    Err(error @ (LoginError::NotTheAddress { .. } | LoginError::OtherLogin)) => {
                        let _ = steps.send(Step::NotTaken(plain(&error.sentence(), 600)));
                    }
                    outcome => return outcome,
                },
                // Nobody is left who could say anything, but the browser may still come back.
                None => deaf = true,
            },
        }
    }
}

/// From the code to an account that can be stored. The code is spent whatever happens.
async fn granted(
    accounts: &Accounts,
    login: &Login,
    callback: Callback,
) -> Result<(StoredAccount, Secrets), String> {
    let environment = accounts.environment();
    let reply = login.exchange(callback).await.map_err(|error| plain(&error.sentence(), 600))?;
    accounts.redactor().learn([&reply.access].into_iter().chain(&reply.refresh));
    let token = Authorization::Bearer(reply.access.clone());
    let (origin, limits) = (environment.origin.clone(), environment.limits.clone());
    let granted = check_token(origin, token, Trial::Person, environment.oauth.reach, limits)
        .await
        .map_err(|error| not_granted(&error))?;
    let user = granted.user.ok_or("Bitbucket did not say who signed in; try again.")?;
    let grant = Grant::of(reply_of(reply), now(), None)
        .map_err(|what| format!("Bitbucket's answer makes no sense: {what}; try again."))?;
    let scopes = if granted.scopes.is_empty() { grant.scopes.clone() } else { granted.scopes };
    let mut account = person(accounts, &user, Kind::OAuth, scopes)?;
    account.username = granted.username;
    Ok((account, Secrets::OAuth(grant)))
}

/// Why a token that was granted is of no use: mostly the consumer's permissions, which its owner ticks.
fn not_granted(error: &CheckError) -> String {
    match error {
        CheckError::Failed(bitbucket::Error::MissingScope { required, .. }) => format!(
            "The OAuth consumer lacks the permission {}: tick it under OAuth consumers in your workspace's settings, \
             and sign in again.",
            plain(&required.join(" or "), 100)
        ),
        error => plain(&error.sentence(), 600),
    }
}

/// A token that the user brings: tried on Bitbucket, then stored. `opens`: what an access token is for; `repository`:
/// one to try it on.
///
/// # Errors
/// A sentence; nothing is stored then.
pub async fn by_token(
    accounts: &Accounts,
    email: Option<String>,
    token: Secret,
    opens: Option<Opens>,
    repository: Option<RepositoryName>,
) -> Result<Signed, String> {
    let environment = accounts.environment();
    environment.account.as_ref().map_err(Clone::clone)?;
    accounts.redactor().learn([&token]);
    let authorization = match &email {
        Some(email) => Authorization::Basic { user: email.clone(), password: token.clone() },
        None => Authorization::Bearer(token.clone()),
    };
    let (origin, limits) = (environment.origin.clone(), environment.limits.clone());
    let reach = environment.oauth.reach;
    let opens = opens.map(lower_case);
    let trial = match (repository, &opens) {
        (Some(repository), _) => Trial::Repository(repository),
        (None, Some(Opens::Workspace { workspace } | Opens::Project { workspace, .. })) => {
            Trial::Workspace(workspace.clone())
        }
        (None, _) => Trial::Nothing,
    };
    let granted = check_token(origin, authorization, trial, reach, limits)
        .await
        .map_err(|error| plain(&error.sentence(), 600))?;
    match email {
        Some(email) => {
            let user = granted.user.ok_or("Bitbucket did not say whose token this is; try again.")?;
            let kind = Kind::ApiToken { email: email.clone() };
            let mut account = person(accounts, &user, kind, granted.scopes)?;
            account.username = granted.username;
            store(accounts, account, Secrets::ApiToken { email, token }).await
        }
        None => {
            let opens = opens.ok_or(
                "An access token belongs to a repository, project or workspace: add it from a folder with one of \
                 those repositories, or name it (see bitbucket-lsp auth token --help).",
            )?;
            let name = format!("access token for {}", opens_word(&opens));
            let key = AccountKey { origin: accounts.origin()?.clone(), id: AccountId::Bot(opens) };
            let mut account = StoredAccount::new(key, Kind::AccessToken, name, now());
            account.scopes = granted.scopes;
            store(accounts, account, Secrets::AccessToken { token }).await
        }
    }
}

/// By a token that the user types into a page of ours in the browser; `repository`: the one that an access token may
/// be for. A token that Bitbucket does not take can be corrected on the page.
///
/// # Errors
/// See [`Failure`]; nothing is stored then.
pub async fn by_page(
    accounts: &Accounts,
    orders: &mut mpsc::UnboundedReceiver<Order>,
    repository: Option<RepositoryName>,
    steps: &mpsc::UnboundedSender<Step>,
) -> Result<Signed, Failure> {
    let environment = accounts.environment();
    if let Err(sentence) = &environment.account {
        return Err(Failure::Other(sentence.clone()));
    }
    let intro = page_intro(environment.oauth.reach, repository.as_ref(), accounts.store().name());
    let options = TokenPageOptions {
        intro,
        make_at: Url::parse(TOKEN_PAGE).ok().map(|page| ("Make an API token".to_owned(), page)),
        ..TokenPageOptions::default()
    };
    let page = TokenPage::open(options).await.map_err(page_failure)?;
    let _ = steps.send(Step::Waiting { page: page.url().as_str().to_owned(), redirect: None });
    let mut cancelled = cancelled(orders).boxed();
    loop {
        let submitted = match page.wait(&mut cancelled).await {
            Ok(submitted) => submitted,
            Err(error) => {
                page.cancel().await;
                return Err(page_failure(error));
            }
        };
        let opens = repository.as_ref().map(opens);
        let Submitted { email, token } = submitted;
        match by_token(accounts, email, token, opens, repository.clone()).await {
            Ok(signed) => {
                let sentence =
                    format!("You are signed in as {}. Go back to your editor.{}", signed.name, signed.lack());
                page.finish(Ok(&sentence)).await;
                return Ok(signed);
            }
            Err(sentence) => page.again(&sentence),
        }
    }
}

fn page_failure(error: TokenPageError) -> Failure {
    match error {
        TokenPageError::Cancelled => Failure::Cancelled,
        error => Failure::Other(error.sentence().to_owned()),
    }
}

/// Names on Bitbucket are the same in upper and lower case, and an account must not be two.
fn lower_case(opens: Opens) -> Opens {
    match opens {
        Opens::Repository { workspace, repository } => {
            Opens::Repository { workspace: workspace.to_lowercase(), repository: repository.to_lowercase() }
        }
        Opens::Project { workspace, project } => {
            Opens::Project { workspace: workspace.to_lowercase(), project }
        }
        Opens::Workspace { workspace } => Opens::Workspace { workspace: workspace.to_lowercase() },
    }
}

/// An access token for this repository alone.
pub fn opens(name: &RepositoryName) -> Opens {
    Opens::Repository { workspace: name.workspace().to_owned(), repository: name.slug().to_owned() }
}

/// Where API tokens are made.
pub const TOKEN_PAGE: &str = "https://id.atlassian.com/manage-profile/security/api-tokens";

/// What the page says above its form.
fn page_intro(reach: Reach, repository: Option<&RepositoryName>, kept_in: &str) -> String {
    let access = match repository {
        Some(repository) => format!("An access token of {repository} goes without an e-mail address."),
        None => "An access token of a repository is added from a folder with that repository.".to_owned(),
    };
    format!(
        "An API token goes with the e-mail address of your Atlassian account, and needs the scopes {}. {access} What \
         you type here goes to your editor's server on this computer, which tries it at Bitbucket and keeps it in {kept_in}.",
        reach.api_token().join(", ")
    )
}

/// Done when the user gives the sign-in up.
async fn cancelled(orders: &mut mpsc::UnboundedReceiver<Order>) {
    while let Some(order) = orders.recv().await {
        if order == Order::Cancel {
            return;
        }
    }
    std::future::pending().await
}

fn person(
    accounts: &Accounts,
    user: &User,
    kind: Kind,
    scopes: Vec<String>,
) -> Result<StoredAccount, String> {
    let id = user.account_id.clone().or_else(|| user.uuid.clone());
    let id = id.ok_or("Bitbucket did not say by which id it knows you; try again.")?;
    let key = AccountKey { origin: accounts.origin()?.clone(), id: AccountId::User(id) };
    let mut account = StoredAccount::new(key, kind, plain(&user.display_name, 80), now());
    account.nickname = user.nickname.clone();
    account.scopes = scopes;
    Ok(account)
}

/// Runs what blocks where that is fine.
pub(super) async fn blocking<T: Send + 'static>(
    accounts: &Accounts,
    work: impl FnOnce(&Accounts) -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let accounts = accounts.clone();
    let done = tokio::task::spawn_blocking(move || work(&accounts)).await;
    done.unwrap_or_else(|_| Err(super::fault()))
}
