//! Signing in by OAuth 2: the authorization code flow with a browser and a loopback address.
//!
//! - [`Consumer`]: what Bitbucket knows this program by.
//! - [`Login`]: one sign-in, from the address that the browser opens to the page that it ends at.
//! - [`TokenReply`]: tokens; [`refresh`] gets new ones.
//!
//! Inside: `callback` judges requests, `listener` is the open port, `page` what the browser shows, `reply` what the
//! token endpoint says. RFC 6749, RFC 7636 (sent, though Bitbucket passes it over), RFC 8252.
//!
//! It must not open browsers, store tokens, nor know what an editor is.

pub(crate) mod callback;
mod consumer;
mod error;
pub(crate) mod listener;
mod login;
pub(crate) mod page;
mod reply;

pub use consumer::{BadConsumer, Consumer, DEFAULT_PORT};
pub use error::LoginError;
pub use login::{Callback, Login, LoginOptions};
pub use reply::{TokenError, TokenReply};
pub(crate) use reply::{WireReply, error_code};

use credentials::Secret;

use crate::http::{Grant, Options, request_token};
use crate::origin::Origin;

/// New tokens for a refresh token.
///
/// One request, never repeated, within [`Options::total`]. Bitbucket replaces refresh tokens: store
/// [`TokenReply::refresh`] before anything else, and hold the account's lock from before the call until then.
///
/// # Errors
/// [`TokenError::InvalidGrant`] once the refresh token is no longer good; after any other error it may still be.
pub async fn refresh(
    origin: &Origin,
    consumer: &Consumer,
    refresh_token: &Secret,
    options: &Options,
) -> Result<TokenReply, TokenError> {
    request_token(origin, consumer, Grant::Refresh(refresh_token), options).await
}

/// 32 random bytes, as 43 letters that fit anywhere.
pub(crate) fn random() -> String {
    oauth2::CsrfToken::new_random_len(32).into_secret()
}

/// Entry points for fuzzing, which must take any bytes.
#[doc(hidden)]
pub mod fuzzing {
    use credentials::Secret;

    /// A request at the loopback port.
    pub fn callback(bytes: &[u8]) {
        if let Some((_, query)) = super::callback::target(bytes, "127.0.0.1:28727") {
            let found = super::callback::answer(query, &Secret::new("state".into()));
            assert!(found.is_none() || query.contains("stat") || query.contains('%'));
        }
    }

    /// An answer of the token endpoint.
    pub fn token_reply(bytes: &[u8]) {
        let reply = serde_json::from_slice::<super::WireReply>(bytes);
        drop(reply.map(super::TokenReply::from));
        drop(super::error_code(bytes));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[{}\\[\\]\":,a-z0-9_]{0,60}") {
            for bytes in [&bytes, &text.into_bytes()] {
                super::fuzzing::callback(bytes);
                super::fuzzing::token_reply(bytes);
            }
        }
    }
}
