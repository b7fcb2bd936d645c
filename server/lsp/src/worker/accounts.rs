//! Who signs requests: the account of the environment, or a stored one; which for which repository; and its client.
//!
//! It must not know how somebody signs in (that is `sign_in`), nor what is asked of Bitbucket.

use super::Environment;
use crate::event::{Discovery, Login, LoginWay};
use bitbucket::oauth::{self, Consumer, DEFAULT_PORT, TokenError};
use bitbucket::{Client, Error, Reach, Signer};
use credentials::account::{self, AccountId, AccountKey, Choice, Kind, Opens, StoredAccount, Wanted};
use credentials::refresh::{ExchangeError, Outcome, Refresher, TokenReply};
use credentials::store::Store;
use credentials::vault::{self, Owner, Secrets};
use credentials::{Authorization, Redactor, Secret};
use futures_util::future::{BoxFuture, FutureExt, ready};
use pull_request::model::{RepositoryName, User};
use std::path::PathBuf;
use std::sync::Arc;

/// All accounts of this process. Clones share everything.
#[derive(Clone)]
pub struct Accounts {
    shared: Arc<Shared>,
}

struct Shared {
    environment: Environment,
    /// What stored tokens are bound to; an error: nobody can be signed in there.
    origin: Result<account::Origin, String>,
    refresher: Refresher,
}

/// How somebody signs in by OAuth: from the user's file, the environment, or the build.
#[derive(Clone, Default)]
pub struct Oauth {
    /// The consumer's key.
    pub key: Option<String>,
    /// Its secret.
    pub secret: Option<Secret>,
    /// The ports to wait at, best first; none: the usual one.
    pub ports: Vec<u16>,
    /// What is asked for.
    pub reach: Reach,
}

/// The stored accounts, as they were last read.
#[derive(Clone, Default)]
pub struct Known {
    pub(super) accounts: account::Accounts,
    /// What could not be read, in sentences.
    pub(super) notes: Vec<String>,
}

/// When the list of accounts was written, and its length.
pub(super) type Stamp = (std::time::SystemTime, u64);

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// The one of the environment.
    Environment,
    /// A stored one.
    Stored(AccountKey),
}

impl Accounts {
    /// Those that the environment leads to. Reads nothing yet.
    pub fn new(environment: Environment) -> Self {
        let origin =
            account::Origin::of(environment.origin.api().as_str()).map_err(|error| error.to_string());
        let refresher = Refresher::new(environment.store.clone(), environment.state.clone());
        Self { shared: Arc::new(Shared { environment, origin, refresher }) }
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.shared.environment
    }

    pub(super) fn refresher(&self) -> &Refresher {
        &self.shared.refresher
    }

    pub(super) fn store(&self) -> &Arc<dyn Store> {
        &self.environment().store
    }

    pub(super) fn state(&self) -> &PathBuf {
        &self.environment().state
    }

    pub(super) fn redactor(&self) -> &Redactor {
        &self.environment().redactor
    }

    /// What stored tokens are bound to; the error is a sentence.
    pub(super) fn origin(&self) -> Result<&account::Origin, String> {
        self.shared.origin.as_ref().map_err(Clone::clone)
    }

    /// The list on disk. Blocks for a moment.
    pub fn load(&self) -> Known {
        match account::Accounts::load(self.state()) {
            Ok(loaded) => Known { accounts: loaded.accounts, notes: loaded.notes },
            Err(error) => Known { accounts: account::Accounts::default(), notes: vec![error.to_string()] },
        }
    }

    /// The list read anew after it was `before`, and when it was written; a list that cannot be read now is as before,
    /// and looked at again soon. What is in memory of accounts that changed or went is forgotten. Blocks.
    pub(super) fn reload(&self, before: &Known) -> (Known, Option<Stamp>) {
        // First the stamp: what is written in between is seen by the next look.
        let stamp = self.stamp();
        let known = match account::Accounts::load(self.state()) {
            Ok(loaded) => Known { accounts: loaded.accounts, notes: loaded.notes },
            Err(error) => {
                let notes = vec![error.to_string()];
                return (Known { accounts: before.accounts.clone(), notes }, None);
            }
        };
        for account in before.accounts.all() {
            if known.accounts.get(&account.key) != Some(account) {
                self.refresher().forget(&account.key);
            }
        }
        (known, stamp)
    }

    /// When the list on disk was last written, as far as can be told.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        let metadata = std::fs::metadata(self.state().join("accounts.json")).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    }

    /// The account for a repository, or a sentence about why there is none.
    pub fn login(&self, known: &Known, discovery: &Discovery) -> Result<Login, String> {
        self.choose(known, discovery).map(|(_, login)| login)
    }

    pub(super) fn choose(&self, known: &Known, discovery: &Discovery) -> Result<(Who, Login), String> {
        match &self.environment().account {
            Err(sentence) => return Err(sentence.clone()),
            Ok(Some(_)) => return Ok((Who::Environment, of_environment())),
            Ok(None) => {}
        }
        let name = discovery.candidates.first();
        let remote = discovery.remotes.iter().find(|remote| match (&remote.repository, name) {
            (Ok(repository), Some(name)) => repository.same_as(name),
            _ => false,
        });
        let wanted = Wanted {
            origin: self.origin()?,
            remote_user: remote.and_then(|remote| remote.user.as_deref()),
            workspace: name.map(RepositoryName::workspace),
            repository: name.map(RepositoryName::slug),
            configured: discovery.account.as_deref(),
        };
        match account::choose(&known.accounts, &wanted) {
            Ok(Choice { account, reason }) => Ok((Who::Stored(account.key.clone()), stored(account, reason))),
            Err(account::NoChoice::SignedOut { .. }) if known.notes.is_empty() => {
                Err(Error::SignedOut.sentence())
            }
            Err(account::NoChoice::SignedOut { .. }) => Err(known.notes.join(" ")),
            Err(error) => Err(error.to_string()),
        }
    }

    /// A client that signs as this account; `None`: as nobody, so that nothing is sent.
    pub(super) fn client(&self, who: Option<&Who>) -> Client {
        let Environment { origin, account, limits, .. } = self.environment();
        match who {
            Some(Who::Stored(key)) => {
                let signer = AccountSigner { accounts: self.clone(), key: key.clone() };
                Client::signed_by(origin.clone(), Arc::new(signer), limits.clone())
            }
            Some(Who::Environment) => {
                let authorization = account.as_ref().ok().cloned().flatten();
                Client::new(origin.clone(), authorization, limits.clone())
            }
            None => Client::new(origin.clone(), None, limits.clone()),
        }
    }

    /// The OAuth consumer; `Ok(None)`: none is known. Blocks: it may be in the keyring.
    pub(super) fn consumer(&self) -> Result<Option<Consumer>, String> {
        let Oauth { key, secret, ports, .. } = &self.environment().oauth;
        let (key, secret) = match (key.clone(), secret.clone()) {
            (Some(key), Some(secret)) => (key, secret),
            (None, Some(_)) => {
                return Err("The OAuth consumer's secret is set but its key is not; set both, as \
                    docs/SIGNING-IN.md says."
                    .into());
            }
            (wanted, None) => match self.stored_consumer()? {
                Some((key, secret)) if wanted.as_ref().is_none_or(|wanted| *wanted == key) => (key, secret),
                _ if wanted.is_some() => {
                    return Err("The secret of the OAuth consumer in config.toml is not known; run \
                        bitbucket-lsp auth consumer to put it into the keyring."
                        .into());
                }
                _ => match built_in() {
                    Some(consumer) => consumer,
                    None => return Ok(None),
                },
            },
        };
        self.redactor().learn([&secret]);
        Consumer::new(&key, secret, ports).map(Some).map_err(|error| error.to_string())
    }

    fn stored_consumer(&self) -> Result<Option<(String, Secret)>, String> {
        let owner = Owner::Consumer(self.origin()?.clone());
        match vault::read(&**self.store(), &owner) {
            Ok(held) => Ok(held.and_then(|held| match held.secrets {
                Secrets::Consumer { key, secret } => Some((key, secret)),
                _ => None,
            })),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The callback URL to register for Generate Token.
    pub(super) fn callback_url(&self) -> String {
        let port = self.environment().oauth.ports.first().copied().unwrap_or(DEFAULT_PORT);
        format!("http://127.0.0.1:{port}/callback")
    }

    /// A token of a stored account that can be used now. Blocks, for the keyring, the network and other processes.
    pub(super) fn token(&self, key: &AccountKey, refused: Option<&Authorization>) -> Outcome {
        let mut exchange = |refresh: &Secret| self.exchange(refresh);
        let outcome = match refused {
            None => self.refresher().tokens(key, &mut exchange),
            Some(refused) => self.refresher().rejected(key, refused, &mut exchange),
        };
        if let Outcome::Fresh(tokens) = &outcome {
            if let Some(sentence) = &tokens.unsaved {
                tracing::warn!("the renewed login could not be saved yet: {sentence}");
            }
            self.redactor().learn(tokens.authorization(&key.origin).map(Authorization::secret));
        }
        outcome
    }

    /// One exchange of a refresh token; on a thread where blocking is fine.
    fn exchange(&self, refresh: &Secret) -> Result<TokenReply, ExchangeError> {
        let Environment { origin, limits, .. } = self.environment();
        let consumer = self.consumer().map_err(ExchangeError::Passing)?.ok_or_else(|| {
            let sentence = "The OAuth consumer that you signed in with is no longer configured; put it back as \
                docs/SIGNING-IN.md says, or sign in another way.";
            ExchangeError::Unexpected(sentence.into())
        })?;
        self.redactor().learn([refresh]);
        let runtime = tokio::runtime::Handle::current();
        match runtime.block_on(oauth::refresh(origin, &consumer, refresh, limits)) {
            Ok(reply) => {
                self.redactor().learn([&reply.access].into_iter().chain(&reply.refresh));
                Ok(reply_of(reply))
            }
            Err(TokenError::InvalidGrant) => Err(ExchangeError::InvalidGrant),
            Err(error) => {
                let sentence = error.sentence();
                Err(match &error {
                    TokenError::Failed(cause) if cause.is_passing() => ExchangeError::Unreachable(sentence),
                    error if error.is_passing() => ExchangeError::Passing(sentence),
                    _ => ExchangeError::Unexpected(sentence),
                })
            }
        }
    }

    /// Sentences about all accounts, the keyring and the consumer, for the status. Reads no secret.
    pub(super) fn describe(&self, known: &Known) -> Vec<String> {
        let mut lines = Vec::new();
        let origin = &self.environment().origin;
        lines.push(format!("Bitbucket is {}, its API {}.", origin.web(), origin.api()));
        if matches!(self.environment().account, Ok(Some(_))) {
            lines.push("The credentials come from the environment; stored accounts are not used.".into());
        }
        let here = |account: &&StoredAccount| self.origin().is_ok_and(|origin| account.key.origin == *origin);
        for account in known.accounts.all().iter().filter(here) {
            lines.push(self.describe_account(known, account));
        }
        lines.extend(known.notes.iter().cloned());
        lines.push(format!("Tokens are kept in {}.", self.store().name()));
        let oauth = &self.environment().oauth;
        lines.push(match (&oauth.key, built_in()) {
            (Some(_), _) => "The OAuth consumer is the one of your configuration.".into(),
            (None, Some(_)) => {
                "The OAuth consumer is the one of this build, unless the keyring has another.".into()
            }
            (None, None) => "The OAuth consumer is the one in the keyring, if there is one.".into(),
        });
        lines
    }

    fn describe_account(&self, known: &Known, account: &StoredAccount) -> String {
        let kind = match &account.kind {
            Kind::OAuth => "signed in by OAuth".to_owned(),
            Kind::ApiToken { email } => format!("API token of {email}"),
            Kind::AccessToken => String::new(),
        };
        let default = known.accounts.default_of(&account.key.origin) == Some(&account.key);
        let tokens = self.refresher().ready(&account.key);
        let expiry = match (&account.kind, tokens.as_ref().and_then(|tokens| tokens.expires_at)) {
            (Kind::OAuth, Some(at)) => {
                let minutes = at.saturating_sub(now()) / 60;
                format!("; its token is good for {minutes} more minutes and renewed by itself")
            }
            (Kind::OAuth, None) => "; its token is renewed by itself".to_owned(),
            _ => String::new(),
        };
        let scopes = match account.scopes.is_empty() {
            true => "; Bitbucket did not name its scopes".to_owned(),
            false => format!("; scopes {}", account.scopes.join(" ")),
        };
        let unsaved = tokens.and_then(|tokens| tokens.unsaved);
        let unsaved = unsaved.map_or(String::new(), |why| format!(" It could not be saved yet. {why}"));
        let default = if default { ", the default" } else { "" };
        let subject = match account.kind {
            Kind::AccessToken => capitalized(&account.display_name),
            Kind::OAuth | Kind::ApiToken { .. } => format!("Account {}: {kind}", account.display_name),
        };
        format!("{subject}{default}{scopes}{expiry}.{unsaved}")
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What a build may carry.
fn built_in() -> Option<(String, Secret)> {
    let (key, secret) = (option_env!("BITBUCKET_LSP_OAUTH_KEY")?, option_env!("BITBUCKET_LSP_OAUTH_SECRET")?);
    (!key.is_empty() && !secret.is_empty()).then(|| (key.to_owned(), Secret::new(secret.to_owned())))
}

pub(super) fn reply_of(reply: oauth::TokenReply) -> TokenReply {
    TokenReply {
        access: reply.access,
        refresh: reply.refresh,
        expires_in: reply.expires_in,
        scopes: reply.scopes,
    }
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

fn of_environment() -> Login {
    Login {
        id: "environment".into(),
        name: "the account of the environment".into(),
        reason: "because the environment names it".into(),
        me: None,
        way: LoginWay::Environment,
    }
}

fn stored(account: &StoredAccount, reason: String) -> Login {
    let me = match &account.key.id {
        AccountId::User(id) => Some(User {
            uuid: id.starts_with('{').then(|| id.clone()),
            account_id: (!id.starts_with('{')).then(|| id.clone()),
            display_name: account.display_name.clone(),
            nickname: account.nickname.clone(),
        }),
        AccountId::Bot(_) => None,
    };
    let way = match account.kind {
        Kind::OAuth => LoginWay::OAuth,
        Kind::ApiToken { .. } | Kind::AccessToken => LoginWay::Token,
    };
    Login { id: id_of(&account.key), name: account.display_name.clone(), reason, me, way }
}

/// Tells accounts apart, in arguments of commands and on the command line.
pub(super) fn id_of(key: &AccountKey) -> String {
    match &key.id {
        AccountId::User(id) => id.clone(),
        AccountId::Bot(opens) => opens_word(opens),
    }
}

/// What an access token opens, in a word.
pub(super) fn opens_word(opens: &Opens) -> String {
    match opens {
        Opens::Repository { workspace, repository } => format!("{workspace}/{repository}"),
        Opens::Project { workspace, project } => format!("{workspace}, project {project}"),
        Opens::Workspace { workspace } => workspace.clone(),
    }
}

/// Signs as one stored account.
struct AccountSigner {
    accounts: Accounts,
    key: AccountKey,
}

impl AccountSigner {
    fn ask(&self, refused: Option<Authorization>) -> BoxFuture<'_, Result<Authorization, Error>> {
        let (accounts, key) = (self.accounts.clone(), self.key.clone());
        let basic = matches!(refused, Some(Authorization::Basic { .. }));
        let work = tokio::task::spawn_blocking(move || accounts.token(&key, refused.as_ref()));
        async move {
            match work.await.map_err(|_| Error::Unauthorized { basic })? {
                Outcome::Fresh(tokens) => {
                    let authorization = tokens.authorization(&self.key.origin).cloned();
                    authorization.ok_or(Error::Unauthorized { basic })
                }
                Outcome::NeedsLogin(sentence) => Err(Error::NeedsLogin { sentence }),
                Outcome::KeepAndRetry { sentence, after, unreachable } => {
                    Err(Error::NoToken { sentence, retry_after: after, unreachable })
                }
            }
        }
        .boxed()
    }
}

impl Signer for AccountSigner {
    fn sign(&self) -> BoxFuture<'_, Result<Authorization, Error>> {
        let ready_now = self.accounts.refresher().ready(&self.key);
        let authorization = ready_now.and_then(|tokens| tokens.authorization(&self.key.origin).cloned());
        match authorization {
            Some(authorization) => ready(Ok(authorization)).boxed(),
            None => self.ask(None),
        }
    }

    fn instead_of<'a>(&'a self, refused: &'a Authorization) -> BoxFuture<'a, Result<Authorization, Error>> {
        self.ask(Some(refused.clone()))
    }
}
