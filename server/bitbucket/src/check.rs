//! Whether a token that a user brings is good, before it is stored.
//!
//! It must not store anything, nor know where the token came from.

use std::fmt;
use std::sync::Arc;

use credentials::Authorization;
use futures_util::future::{BoxFuture, FutureExt as _};
use pull_request::model::{RepositoryName, User};

use crate::cloud::read;
use crate::error::Error;
use crate::http::{Http, Options, Shape, Want, unexpected};
use crate::origin::Origin;
use crate::scopes::Reach;

/// What Bitbucket said about a token that it took. Bitbucket does not tell when one expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Whose it is; `None` for a token of a repository, a project or a workspace, which acts as a bot.
    pub user: Option<User>,
    /// The user's name in the addresses of git remotes, where Bitbucket tells it.
    pub username: Option<String>,
    /// Its scopes, as Bitbucket spells them; empty if Bitbucket did not name them.
    pub scopes: Vec<String>,
    /// What the program needs and the token lacks, spelled as on the page where one is made.
    pub missing: Vec<&'static str>,
}

/// What a token without a user behind it is tried on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trial {
    /// Nothing: there must be a user.
    Person,
    /// Nothing is at hand.
    Nothing,
    /// This repository.
    Repository(RepositoryName),
    /// The repositories of the workspace with this slug.
    Workspace(String),
}

/// Why a token is not worth storing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckError {
    /// It is an app password; nothing was sent.
    AppPassword,
    /// It is an API token, which goes with an e-mail address, but came without one.
    NeedsEmail,
    /// It is an access token, which goes alone, but came with an e-mail address.
    GoesAlone,
    /// There is no user behind it and no repository was given to try it on.
    NeedsRepository,
    /// Bitbucket did not take it, or was not reached.
    Failed(Error),
}

/// Asks Bitbucket about a token: `/user`, or for a token without a user what it is to be tried on.
///
/// One or two requests. A token that lacks scopes is none of the errors: they are in [`Granted::missing`].
///
/// # Errors
/// See [`CheckError`]. [`Error::is_passing`] tells whether trying again later may help.
pub async fn check_token(
    origin: Origin,
    authorization: Authorization,
    trial: Trial,
    reach: Reach,
    options: Options,
) -> Result<Granted, CheckError> {
    let shape = Shape::of(&authorization);
    if shape == Shape::AppPassword {
        return Err(CheckError::AppPassword);
    }
    let basic = matches!(authorization, Authorization::Basic { .. });
    let must_be_a_person = trial == Trial::Person;
    let http = Http::new(origin, Some(Arc::new(authorization)), options);
    let user = match ask(&http, "/user", "").await {
        Ok(body) => {
            let user = read::<User>(&body).ok_or_else(|| CheckError::Failed(unexpected(200, "no user")))?;
            Ok(Granted { username: username(&body), ..granted(&http, reach, Some(user.value)) })
        }
        Err(error) => Err(error),
    };
    let place = match trial {
        Trial::Repository(name) => {
            Some((format!("/repositories/{}/{}", name.workspace(), name.slug()), "fields=uuid,full_name"))
        }
        Trial::Workspace(slug) => {
            // As the name of any of its repositories would be taken.
            let name = RepositoryName::new(&slug, "any").ok_or(CheckError::NeedsRepository)?;
            Some((format!("/repositories/{}", name.workspace()), "pagelen=10&fields=values.uuid"))
        }
        Trial::Person | Trial::Nothing => None,
    };
    let bot = match user {
        // An access token must open what it is for, whoever is behind it.
        Ok(granted) if basic || place.is_none() => return Ok(granted),
        Ok(granted) => granted,
        Err(refused) => {
            let may_be_a_bot = matches!(
                refused,
                Error::Unauthorized { .. } | Error::MissingScope { .. } | Error::Forbidden | Error::NotFound
            );
            if basic || must_be_a_person || !may_be_a_bot {
                return Err(told(refused, shape));
            }
            if place.is_none() {
                return Err(match refused {
                    Error::Unauthorized { .. } if shape != Shape::AccessToken => told(refused, shape),
                    _ => CheckError::NeedsRepository,
                });
            }
            granted(&http, reach, None)
        }
    };
    let Some((path, query)) = place else { return Ok(bot) };
    match ask(&http, &path, query).await {
        Ok(_) if bot.user.is_some() => Ok(bot),
        // Bitbucket names the scopes with the answer.
        Ok(_) => Ok(granted(&http, reach, None)),
        Err(error) => Err(told(error, shape)),
    }
}

fn granted(http: &Http, reach: Reach, user: Option<User>) -> Granted {
    let scopes = http.granted().unwrap_or_default();
    let missing = reach.missing(&scopes, user.is_some());
    Granted { user, username: None, scopes, missing }
}

/// The member `username` of a user, which the model has no use for.
fn username(body: &[u8]) -> Option<String> {
    let user: serde_json::Value = serde_json::from_slice(body).ok()?;
    let name = user.get("username")?.as_str()?;
    (1..=100).contains(&name.len()).then(|| name.to_owned())
}

/// Boxed: the compiler must see that it may move between threads.
fn ask<'a>(http: &'a Http, path: &str, query: &str) -> BoxFuture<'a, Result<Vec<u8>, Error>> {
    let url = http.origin().endpoint(path, query);
    let url = url.ok_or_else(|| unexpected(0, "a path that leads out of the API"));
    async move { http.get(&url?, Want::Json).await }.boxed()
}

/// A refusal, explained by the token's text where that helps.
fn told(error: Error, shape: Shape) -> CheckError {
    match (&error, shape) {
        (Error::Unauthorized { basic: false }, Shape::ApiToken) => CheckError::NeedsEmail,
        (Error::Unauthorized { basic: true }, Shape::AccessToken) => CheckError::GoesAlone,
        _ => CheckError::Failed(error),
    }
}

impl CheckError {
    /// One sentence for the user: what happened, and what to do next.
    pub fn sentence(&self) -> String {
        match self {
            Self::AppPassword => "This looks like an app password, and Bitbucket removed those in July 2026; \
                make an API token with scopes instead, at id.atlassian.com under Security, and add it together \
                with your account's e-mail address."
                .into(),
            Self::NeedsEmail => "This looks like an API token, which Bitbucket takes only together with the \
                e-mail address of your Atlassian account; add it again with the address."
                .into(),
            Self::GoesAlone => "This looks like an access token of a repository, project or workspace, which \
                goes without an e-mail address; add it again without one."
                .into(),
            Self::NeedsRepository => "Bitbucket knows no user behind this token, so it may belong to a \
                repository, project or workspace; add it again from a folder with one of those repositories."
                .into(),
            Self::Failed(error) => error.sentence(),
        }
    }
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

impl std::error::Error for CheckError {}
