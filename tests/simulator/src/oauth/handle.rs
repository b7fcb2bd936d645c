//! What tests do to the OAuth server.

use std::time::Duration;

use anyhow::{Context, Result};

use super::{OauthCounts, routes};
use crate::http::{Request, percent_encode};
use crate::scenario::Consumer;
use crate::simulator::Shared;

/// What a test, or a user of Bitbucket in a browser, does to the OAuth server.
pub struct OauthHandle<'a> {
    pub(crate) shared: &'a Shared,
}

impl OauthHandle<'_> {
    /// What happened so far.
    pub fn counts(&self) -> OauthCounts {
        self.shared.write().authority.counts
    }

    /// Puts the server's clock forward: tokens run out, grace times end.
    pub fn advance(&self, by: Duration) {
        self.shared.write().authority.advance(by);
    }

    /// All access tokens that were handed out run out now; refresh tokens stay good.
    pub fn expire(&self) {
        self.shared.write().authority.expire();
    }

    /// A user takes back the access that was granted, as on Bitbucket's page App authorizations; without a user all do.
    pub fn revoke(&self, user: Option<&str>) {
        self.shared.write().authority.revoke(user);
    }

    /// The browser is signed in as this user from now on.
    ///
    /// # Errors
    /// If there is no such user.
    pub fn sign_in(&self, user: &str) -> Result<()> {
        let mut world = self.shared.write();
        world.person(user).with_context(|| format!("there is no user {user:?}"))?;
        world.authority.signed_in = user.to_owned();
        Ok(())
    }

    /// Changes a consumer's settings.
    ///
    /// # Errors
    /// If there is no such consumer.
    pub fn change(&self, key: &str, change: impl FnOnce(&mut Consumer)) -> Result<()> {
        let mut world = self.shared.write();
        let mut consumers = world.authority.consumers.iter_mut();
        change(
            consumers
                .find(|consumer| consumer.key == key)
                .with_context(|| format!("there is no consumer {key:?}"))?,
        );
        Ok(())
    }

    /// Opens an authorize address as the browser does, presses Grant or Deny, and gives the address that the browser
    /// is sent back to. It goes to no network, and is not in the log.
    ///
    /// # Errors
    /// If the page is no page with buttons; the message holds it.
    pub fn press(&self, authorize_url: &str, grant: bool) -> Result<String> {
        let url = url::Url::parse(authorize_url)?;
        let ask = Request {
            method: "GET".into(),
            path: url.path().to_owned(),
            query: url.query().unwrap_or_default().to_owned(),
            ..Request::default()
        };
        let page = routes::answer(&self.shared.world, &ask).context("this is no authorize address")?;
        let page = String::from_utf8_lossy(&page.body).into_owned();
        let id = page
            .split_once("name=\"request\" value=\"")
            .and_then(|(_, rest)| rest.split('"').next())
            .with_context(|| format!("there is no form in {page}"))?;
        let decision = if grant { "grant" } else { "deny" };
        let press = Request {
            method: "POST".into(),
            path: url.path().to_owned(),
            body: format!("request={}&decision={decision}", percent_encode(id)).into_bytes(),
            ..Request::default()
        };
        let answer = routes::answer(&self.shared.world, &press).context("this is no authorize address")?;
        let location = answer.header("location");
        Ok(location.context("the browser is sent nowhere")?.to_owned())
    }
}
