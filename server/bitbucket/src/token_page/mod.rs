//! A page on the loopback address that takes a token which the user has made at Bitbucket.
//!
//! Editors have no field for secrets in their protocol, and what passes through it is logged. So the token goes from
//! the browser straight to this process, over a port that only this computer reaches.
//!
//! - [`TokenPage`]: the page, from the address that the browser opens to how it ended.
//! - [`Submitted`]: what the user entered.
//!
//! Inside: `request` judges requests, `form` reads what was sent, `port` is the open port, `page` what the browser
//! shows, `wiped` the memory that a token passes through.
//!
//! It must not open browsers, try tokens, store them, nor know what an editor is.

mod error;
mod form;
mod page;
mod port;
mod request;
mod wiped;

pub use error::TokenPageError;
pub use form::Submitted;

use std::future::Future;
use std::time::Duration;

use url::Url;

use crate::oauth::page::{Kind, Page};
use page::Words;
use port::{Port, Times};

/// How a page goes, and what it says.
#[derive(Clone, Debug)]
pub struct TokenPageOptions {
    /// A sentence or two at the top, such as where tokens are made and what they must allow. Plain text.
    pub intro: String,
    /// What a link says, and where it leads: the page where tokens are made. Shown for `https` only.
    pub make_at: Option<(String, Url)>,
    /// How long the form can be filled in; counted anew when it is shown again.
    pub timeout: Duration,
    /// How long one connection may take to say what it wants.
    pub read: Duration,
    /// How long the browser is kept waiting for what became of a token.
    pub hold: Duration,
}

impl Default for TokenPageOptions {
    /// No words; ten minutes, five seconds, 45 seconds.
    fn default() -> Self {
        Self {
            intro: String::new(),
            make_at: None,
            timeout: Duration::from_secs(600),
            read: Duration::from_secs(5),
            hold: Duration::from_secs(45),
        }
    }
}

/// A page that waits for a token. Dropping it gives it up and closes its port within a second.
///
/// ```no_run
/// # async fn good(_: &bitbucket::token_page::Submitted) -> Result<(), String> { Ok(()) }
/// # async fn example(cancelled: std::pin::Pin<&mut impl Future<Output = ()>>) -> Result<(), Box<dyn std::error::Error>> {
/// # let mut cancelled = cancelled;
/// use bitbucket::token_page::{TokenPage, TokenPageOptions};
///
/// let page = TokenPage::open(TokenPageOptions::default()).await?;
/// // The port is open by now: show `page.url()` in a browser.
/// loop {
///     let submitted = page.wait(&mut cancelled).await?;
///     // Try the token and store it, while the browser waits.
///     match good(&submitted).await {
///         Ok(()) => break,
///         Err(sentence) => page.again(&sentence),
///     }
/// }
/// page.finish(Ok("The token is stored. Go back to your editor.")).await;
/// # Ok(())
/// # }
/// ```
pub struct TokenPage {
    port: Port,
    url: Url,
}

impl TokenPage {
    /// Opens a free port on 127.0.0.1. Needs a runtime of tokio's.
    ///
    /// # Errors
    /// [`TokenPageError::NoPort`].
    pub async fn open(options: TokenPageOptions) -> Result<Self, TokenPageError> {
        let TokenPageOptions { intro, make_at, timeout, read, hold } = options;
        let port = Port::open(Words { intro, make_at }, Times { fill: timeout, read, hold }).await?;
        let url = Url::parse(&port.addresses.url()).map_err(|_| TokenPageError::NoPort)?;
        Ok(Self { port, url })
    }

    /// The address for the browser. Who knows it can send a token here, but see none.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Waits for a form that is filled in, until the time is over or `cancelled` is done. One caller at a time.
    ///
    /// The browser waits from then on: go on with [`TokenPage::again`] or [`TokenPage::finish`].
    ///
    /// # Errors
    /// [`TokenPageError::TimedOut`] and [`TokenPageError::Cancelled`], after either of which the port is closed.
    pub async fn wait(&self, cancelled: impl Future<Output = ()>) -> Result<Submitted, TokenPageError> {
        tokio::select! {
            biased;
            () = cancelled => {
                self.port.close();
                Err(TokenPageError::Cancelled)
            }
            submitted = self.port.submitted() => submitted.ok_or(TokenPageError::TimedOut),
        }
    }

    /// Shows the form again to the browser that waits, with what is wrong in a sentence for the user, and the e-mail
    /// address that was entered. Then [`TokenPage::wait`] again.
    pub fn again(&self, sentence: &str) {
        self.port.again(sentence);
    }

    /// Tells the browser that waits how it ended, in a sentence for the user, and waits until the port is closed: at
    /// most a second. Call it once the token is stored, not before.
    pub async fn finish(self, outcome: Result<&str, &str>) {
        self.port.tell(match outcome {
            Ok(text) => Page::new(Kind::Good, "Token added", text),
            Err(text) => Page::new(Kind::Bad, "No token added", text),
        });
        self.port.closed().await;
    }

    /// Gives it up, and waits until the port is closed.
    pub async fn cancel(self) {
        self.port.close();
        self.port.closed().await;
    }
}
