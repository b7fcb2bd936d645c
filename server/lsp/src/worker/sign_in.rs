//! Signing in and out: by OAuth in a browser, by a token that the user brings, and taking it back.
//!
//! It must not know how the user is talked to: the editor's side is in `session`, the terminal's in `cli`.

use super::accounts::{Accounts, now, opens_word, reply_of};
use crate::event::Discovery;
use bitbucket::oauth::{Callback, Login, LoginError, LoginOptions};
use bitbucket::token_page::{Submitted, TokenPage, TokenPageError, TokenPageOptions};
use bitbucket::{CheckError, Reach, Trial, check_token};
use credentials::account::{self, AccountId, AccountKey, Kind, Opens, StoredAccount};
use credentials::vault::{self, Grant, Owner, Secrets};
use credentials::{Authorization, Lock, Secret};
use futures_util::future::FutureExt;
use pull_request::model::{RepositoryName, User};
use pull_request::view::markdown::plain;
use std::time::Duration;
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
    /// There is no OAuth consumer to sign in with; holds the callback URL to register and the scopes to tick.
    NoConsumer {
        /// The callback URL.
        callback_url: String,
        /// The scopes.
        scopes: Vec<&'static str>,
        /// The scopes of an API token.
        token_scopes: Vec<&'static str>,
    },
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
    let consumer = consumer.ok_or_else(|| Failure::NoConsumer {
        callback_url: accounts.callback_url(),
        scopes: reach.oauth().to_vec(),
        token_scopes: reach.api_token().to_vec(),
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

/// The tokens first, then the list of accounts; without a place in the list they are not kept.
async fn store(accounts: &Accounts, mut account: StoredAccount, secrets: Secrets) -> Result<Signed, String> {
    let environment = accounts.environment();
    let is_person = matches!(account.key.id, AccountId::User(_));
    let kept_in = accounts.store().name().to_owned();
    account.kept_in = Some(kept_in.clone());
    account.signed_in_at = millis();
    let mut signed = Signed {
        name: plain(&account.display_name, 80),
        scopes: account.scopes.clone(),
        missing: environment.oauth.reach.missing(&account.scopes, is_person),
        kept_in,
        notes: Vec::new(),
    };
    let count = blocking(accounts, move |accounts| {
        let error = |error: account::IndexError| error.to_string();
        // Whether the list can be written is seen before anything is stored.
        account::Accounts::update(accounts.state(), |_| ()).map_err(error)?;
        let key = account.key.clone();
        accounts.refresher().sign_in(&key, &secrets).map_err(|error| error.to_string())?;
        let was_there = accounts.load().accounts.get(&key).is_some();
        let added = account::Accounts::update(accounts.state(), |list| {
            if let Some(before) = list.get(&account.key) {
                account.added_at = before.added_at;
            }
            list.add(account);
            list.all().iter().filter(|known| known.key.origin == key.origin).count()
        });
        if added.is_err() && !was_there {
            // Tokens that no list leads to could never be removed.
            let _ = accounts.refresher().sign_out(&key);
        }
        added.map_err(error)
    })
    .await?;
    if matches!(environment.account, Ok(Some(_))) {
        signed.notes.push(ENVIRONMENT_WINS.to_owned());
    }
    if count > 1 {
        signed.notes.extend(super::credential::note_for_several(accounts));
    }
    Ok(signed)
}

const ENVIRONMENT_WINS: &str = "But the environment names an account too (BITBUCKET_TOKEN, or BITBUCKET_EMAIL and \
    BITBUCKET_API_TOKEN), and that wins: unset it to use this one.";

/// Milliseconds since 1970.
fn millis() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Removes an account: its tokens, wherever they are kept, then its place in the list. A sentence for the user.
///
/// # Errors
/// A sentence; what could not be removed is still listed then.
pub async fn out(accounts: &Accounts, id: &str) -> Result<String, String> {
    // A file that cannot be read may name another store.
    accounts.environment().config.as_ref().map_err(Clone::clone)?;
    let id = id.to_owned();
    let (name, is_oauth) = blocking(accounts, move |accounts| {
        let known = accounts.load();
        let account = find(accounts, &known.accounts, &id)?;
        accounts.refresher().sign_out(&account.key).map_err(|error| error.to_string())?;
        let owner = Owner::Account(account.key.clone());
        for other in &accounts.environment().other_stores {
            if account.kept_in.as_deref() == Some(other.name()) {
                let store = other.interactive();
                let lock = Lock::take(accounts.state(), &owner, &store, LOCK_PATIENCE);
                let lock = lock.map_err(|error| error.to_string())?;
                vault::remove(&*store, &owner, &lock).map_err(|error| error.to_string())?;
            }
        }
        let removed = account::Accounts::update(accounts.state(), |list| list.remove(&account.key));
        removed.map_err(|error| error.to_string())?;
        Ok::<_, String>((plain(&account.display_name, 80), account.kind == Kind::OAuth))
    })
    .await?;
    let web = accounts.environment().origin.web().as_str().trim_end_matches('/').to_owned();
    let revoke = match is_oauth {
        true => format!("{web}/account/settings/app-authorizations/"),
        false => "the page where you made the token".to_owned(),
    };
    Ok(format!("Signed out {name}: its tokens were removed here. Access itself is revoked at {revoke}"))
}

/// Another process renews or stores no longer than that.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// Makes an account the default, or the one for a workspace. A sentence for the user.
///
/// # Errors
/// A sentence.
pub async fn choose(accounts: &Accounts, id: &str, workspace: Option<String>) -> Result<String, String> {
    let id = id.to_owned();
    let sentence = blocking(accounts, move |accounts| {
        let account = find(accounts, &accounts.load().accounts, &id)?;
        let name = plain(&account.display_name, 80);
        let updated = account::Accounts::update(accounts.state(), |list| match &workspace {
            Some(workspace) => list.remember(&account.key, workspace),
            None => list.make_default(&account.key),
        });
        updated.map_err(|error| error.to_string())?;
        Ok(match &workspace {
            Some(workspace) => {
                format!("{name} is used for the workspace {} from now on.", plain(workspace, 80))
            }
            None => format!("{name} is the default account from now on."),
        })
    })
    .await?;
    Ok(match accounts.environment().account {
        Ok(Some(_)) => format!("{sentence} {ENVIRONMENT_WINS}"),
        _ => sentence,
    })
}

/// Chooses an account for the workspace of a repository; the sentence says so if something else wins there all the same.
///
/// # Errors
/// A sentence.
pub async fn use_for(accounts: &Accounts, id: &str, discovery: Option<&Discovery>) -> Result<String, String> {
    let workspace = discovery.and_then(|discovery| discovery.candidates.first());
    let workspace = workspace.map(|name| name.workspace().to_owned());
    let sentence = choose(accounts, id, workspace).await?;
    let (Some(discovery), Ok(None)) = (discovery, &accounts.environment().account) else {
        return Ok(sentence);
    };
    let (id, discovery) = (id.to_owned(), discovery.clone());
    let wins = blocking(accounts, move |accounts| {
        let known = accounts.load();
        let wanted = find(accounts, &known.accounts, &id)?;
        let login = accounts.login(&known, &discovery)?;
        let is_it = login.id == super::accounts::id_of(&wanted.key);
        Ok((!is_it).then(|| format!("{}, {}", plain(&login.name, 80), plain(&login.reason, 200))))
    })
    .await?;
    Ok(match wins {
        Some(winner) => format!(
            "{sentence} But this repository is asked for as {winner}; change that to have it otherwise."
        ),
        None => sentence,
    })
}

/// A stored account of this Bitbucket by its id or any of its names.
fn find(accounts: &Accounts, list: &account::Accounts, name: &str) -> Result<StoredAccount, String> {
    let origin = accounts.origin()?;
    let here: Vec<&StoredAccount> =
        list.all().iter().filter(|account| account.key.origin == *origin).collect();
    let by_id = here.iter().find(|account| super::accounts::id_of(&account.key) == name);
    let mut by_name = here.iter().filter(|account| account.is_called(name));
    match (by_id, by_name.next(), by_name.next()) {
        (Some(account), _, _) | (None, Some(account), None) => Ok((*account).clone()),
        (None, Some(_), Some(_)) => Err(format!(
            "Several accounts are called {}; name one by its id, which bitbucket-lsp auth status shows.",
            plain(name, 80)
        )),
        (None, None, _) => Err(format!(
            "No account that is signed in is called {}; bitbucket-lsp auth status shows which there are.",
            plain(name, 80)
        )),
    }
}

/// Puts the user's own OAuth consumer into the keyring, or removes it.
///
/// # Errors
/// A sentence.
pub async fn keep_consumer(accounts: &Accounts, consumer: Option<(String, Secret)>) -> Result<(), String> {
    // A file that cannot be read may name another store.
    accounts.environment().config.as_ref().map_err(Clone::clone)?;
    if let Some((_, secret)) = &consumer {
        accounts.redactor().learn([secret]);
    }
    blocking(accounts, move |accounts| {
        let owner = Owner::Consumer(accounts.origin()?.clone());
        let store = accounts.store().interactive();
        let lock =
            Lock::take(accounts.state(), &owner, &store, LOCK_PATIENCE).map_err(|error| error.to_string())?;
        match consumer {
            Some((key, secret)) => {
                bitbucket::oauth::Consumer::new(&key, secret.clone(), &[])
                    .map_err(|error| error.to_string())?;
                let secrets = Secrets::Consumer { key, secret };
                vault::write(&*store, &owner, &secrets, &lock).map(drop).map_err(|error| error.to_string())
            }
            None => vault::remove(&*store, &owner, &lock).map_err(|error| error.to_string()),
        }
    })
    .await
}

/// Runs what blocks where that is fine.
async fn blocking<T: Send + 'static>(
    accounts: &Accounts,
    work: impl FnOnce(&Accounts) -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let accounts = accounts.clone();
    let done = tokio::task::spawn_blocking(move || work(&accounts)).await;
    done.unwrap_or_else(|_| Err(super::fault()))
}
