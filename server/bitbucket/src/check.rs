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
    /// Its scopes, as Bitbucket spells them; empty if Bitbucket did not name them.
    pub scopes: Vec<String>,
    /// What the program needs and the token lacks, spelled as on the page where one is made.
    pub missing: Vec<&'static str>,
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

/// Asks Bitbucket about a token: `/user`, or for a token without a user the repository given.
///
/// One or two requests. A token that lacks scopes is none of the errors: they are in [`Granted::missing`].
///
/// # Errors
/// See [`CheckError`]. [`Error::is_passing`] tells whether trying again later may help.
pub async fn check_token(
    origin: Origin,
    authorization: Authorization,
    repository: Option<RepositoryName>,
    reach: Reach,
    options: Options,
) -> Result<Granted, CheckError> {
    let shape = Shape::of(&authorization);
    if shape == Shape::AppPassword {
        return Err(CheckError::AppPassword);
    }
    let basic = matches!(authorization, Authorization::Basic { .. });
    let http = Http::new(origin, Some(Arc::new(authorization)), options);
    let refused = match ask(&http, "/user", "").await {
        Ok(body) => {
            let user = read::<User>(&body).ok_or_else(|| CheckError::Failed(unexpected(200, "no user")))?;
            return Ok(granted(&http, reach, Some(user.value)));
        }
        Err(error) => error,
    };
    let may_be_a_bot = matches!(
        refused,
        Error::Unauthorized { .. } | Error::MissingScope { .. } | Error::Forbidden | Error::NotFound
    );
    if basic || !may_be_a_bot {
        return Err(told(refused, shape));
    }
    let Some(repository) = repository else {
        return Err(match refused {
            Error::Unauthorized { .. } if shape != Shape::AccessToken => told(refused, shape),
            _ => CheckError::NeedsRepository,
        });
    };
    let path = format!("/repositories/{}/{}", repository.workspace(), repository.slug());
    match ask(&http, &path, "fields=uuid,full_name").await {
        Ok(_) => Ok(granted(&http, reach, None)),
        Err(error) => Err(told(error, shape)),
    }
}

fn granted(http: &Http, reach: Reach, user: Option<User>) -> Granted {
    let scopes = http.granted().unwrap_or_default();
    let missing = reach.missing(&scopes, user.is_some());
    Granted { user, scopes, missing }
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
