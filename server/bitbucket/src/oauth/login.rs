//! One sign-in, from the address that the browser opens to the page that it ends at.
//!
//! It must not open the browser nor store the token: the caller does, between the steps.

use std::future::Future;
use std::time::Duration;

use credentials::Secret;
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope};
use url::Url;

use super::callback::{Answer, is_target_byte};
use super::consumer::{Consumer, callback_url};
use super::error::LoginError;
use super::listener::Listener;
use super::page::Kind;
use super::random;
use super::reply::{TokenError, TokenReply};
use crate::http::{Grant, Options, request_token};
use crate::origin::Origin;
use crate::scopes::Reach;

/// How a sign-in goes.
#[derive(Clone, Debug)]
pub struct LoginOptions {
    /// What is asked for.
    pub reach: Reach,
    /// How long the port waits for the browser.
    pub timeout: Duration,
    /// How long one connection may take to say what it wants.
    pub read: Duration,
    /// For the request for the token.
    pub http: Options,
}

impl Default for LoginOptions {
    /// Everything, five minutes, five seconds.
    fn default() -> Self {
        Self {
            reach: Reach::default(),
            timeout: Duration::from_secs(300),
            read: Duration::from_secs(5),
            http: Options::default(),
        }
    }
}

/// A code of Bitbucket's, good for one exchange of the sign-in that it came from.
pub struct Callback {
    code: Secret,
}

/// A sign-in that waits for the browser. Dropping it gives it up and closes its port within a second.
///
/// ```no_run
/// # async fn example(consumer: bitbucket::oauth::Consumer, cancelled: impl Future<Output = ()>) -> Result<(), Box<dyn std::error::Error>> {
/// use bitbucket::Origin;
/// use bitbucket::oauth::{Login, LoginOptions};
///
/// let login = Login::begin(consumer, Origin::default(), LoginOptions::default()).await?;
/// // The port is open by now: show `login.authorize_url()` in a browser.
/// let callback = login.wait(cancelled).await?;
/// let tokens = login.exchange(callback).await?;
/// // Store `tokens`, then tell the browser.
/// login.finish(Ok("You are signed in as Ana. Go back to your editor.")).await;
/// # Ok(())
/// # }
/// ```
pub struct Login {
    listener: Listener,
    consumer: Consumer,
    origin: Origin,
    options: Options,
    authorize_url: Url,
    verifier: Secret,
}

impl Login {
    /// Opens the port and makes the address for the browser. Needs a runtime of tokio's.
    ///
    /// # Errors
    /// [`LoginError::PortBusy`] and [`LoginError::NoPort`], within a second.
    pub async fn begin(
        consumer: Consumer,
        origin: Origin,
        options: LoginOptions,
    ) -> Result<Self, LoginError> {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let state = CsrfToken::new(random());
        let held = Secret::new(state.secret().clone());
        let listener = Listener::open(consumer.ports(), held, options.timeout, options.read).await?;
        let redirect = RedirectUrl::new(callback_url(listener.port));
        let redirect = redirect.map_err(|_| LoginError::NoPort { port: listener.port })?;
        let client = oauth2::basic::BasicClient::new(ClientId::new(consumer.key().to_owned()))
            .set_auth_uri(AuthUrl::from_url(origin.page("/site/oauth2/authorize")))
            .set_redirect_uri(redirect);
        let scopes = options.reach.oauth().iter().map(|scope| Scope::new((*scope).to_owned()));
        let (mut authorize_url, _) =
            client.authorize_url(|| state).add_scopes(scopes).set_pkce_challenge(challenge).url();
        // Openers of systems escape a `+` or a space once more. A plus sign itself is `%2B` here.
        let query = authorize_url.query().unwrap_or_default().replace('+', "%20");
        authorize_url.set_query(Some(&query));
        Ok(Self {
            listener,
            consumer,
            origin,
            options: options.http,
            authorize_url,
            verifier: Secret::new(verifier.into_secret()),
        })
    }

    /// The address for the browser, of the configured web host. It is good for this sign-in only.
    pub fn authorize_url(&self) -> &Url {
        &self.authorize_url
    }

    /// The port that is open on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.listener.port
    }

    /// The address that Bitbucket sends the browser back to, without what it adds.
    pub fn redirect_url(&self) -> String {
        callback_url(self.listener.port)
    }

    /// Waits for the browser, until the time is over or `cancelled` is done. One caller at a time.
    ///
    /// # Errors
    /// [`LoginError::Denied`], [`LoginError::Refused`], [`LoginError::TimedOut`], [`LoginError::Cancelled`], and
    /// [`LoginError::Used`] once [`Login::paste`] was quicker.
    pub async fn wait(&self, cancelled: impl Future<Output = ()>) -> Result<Callback, LoginError> {
        let answer = tokio::select! {
            biased;
            () = cancelled => {
                self.listener.close();
                return Err(LoginError::Cancelled);
            }
            answer = self.listener.answer() => answer,
        };
        match answer {
            Some(answer) => callback(answer),
            None if self.listener.is_closed() => Err(LoginError::Used),
            None => Err(LoginError::TimedOut),
        }
    }

    /// Takes the address that the browser ended at where it cannot reach this computer's port. Judged as a request
    /// at the port is; the port is closed after the right one.
    ///
    /// # Errors
    /// [`LoginError::NotTheAddress`] and [`LoginError::OtherLogin`], after which the sign-in goes on;
    /// [`LoginError::Denied`], [`LoginError::Refused`] and [`LoginError::Used`], after which it does not.
    pub fn paste(&self, address: &str) -> Result<Callback, LoginError> {
        let begins = format!("{}?", self.redirect_url());
        let address = address.trim().trim_matches(['<', '>', '"', '\'', '`']);
        // Some browsers leave `http://` out when they copy.
        let bare = begins.trim_start_matches("http://");
        let query = address.strip_prefix(&begins).or_else(|| address.strip_prefix(bare));
        let Some(query) = query.filter(|query| query.bytes().all(is_target_byte)) else {
            return Err(LoginError::NotTheAddress { begins });
        };
        match self.listener.take(query) {
            Some(Some(answer)) => callback(answer),
            Some(None) => Err(LoginError::Used),
            None => Err(LoginError::OtherLogin),
        }
    }

    /// Tokens for the code. One request, never repeated; the browser waits in the meantime.
    ///
    /// # Errors
    /// See [`TokenError`]. After any the code is spent: [`Login::finish`] with the error, and begin again.
    pub async fn exchange(&self, callback: Callback) -> Result<TokenReply, TokenError> {
        let redirect = self.redirect_url();
        let grant = Grant::Code { code: &callback.code, redirect: &redirect, verifier: &self.verifier };
        request_token(&self.origin, &self.consumer, grant, &self.options).await
    }

    /// Tells the browser how it ended, in a sentence for the user, and waits until the port is closed: at most a
    /// second. Call it once the token is stored, not before.
    pub async fn finish(self, outcome: Result<&str, &str>) {
        match outcome {
            Ok(text) => self.listener.tell(Kind::Good, "Signed in", text),
            Err(text) => self.listener.tell(Kind::Bad, "Not signed in", text),
        }
        self.listener.closed().await;
    }

    /// Gives it up, and waits until the port is closed.
    pub async fn cancel(self) {
        self.listener.close();
        self.listener.closed().await;
    }
}

fn callback(answer: Answer) -> Result<Callback, LoginError> {
    match answer {
        Answer::Code(code) => Ok(Callback { code }),
        Answer::Denied => Err(LoginError::Denied),
        Answer::Refused(code) => Err(LoginError::Refused { code }),
    }
}
