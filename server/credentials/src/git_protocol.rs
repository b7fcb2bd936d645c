//! What git asks its credential helpers, and the answers (gitcredentials(7), git-credential(1)).
//!
//! It must not do I/O beyond reading the question, nor know where tokens are kept.

mod request;

pub use request::{BadRequest, Request};

use secrecy::zeroize::Zeroizing;

use crate::account::Origin;
use crate::base64;
use crate::secret::{Authorization, Secret};

/// What git calls a helper for: its one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It wants a credential.
    Get,
    /// A credential worked.
    Store,
    /// A credential was refused.
    Erase,
    /// Something that a newer git may ask; the manual says to pass over it in silence.
    Other,
}

impl Operation {
    /// From the argument.
    pub fn of(argument: &str) -> Self {
        match argument {
            "get" => Self::Get,
            "store" => Self::Store,
            "erase" => Self::Erase,
            _ => Self::Other,
        }
    }
}

/// What to print for `request` (only its host's own origin `web` is ever answered): text for standard output, to be
/// written and nowhere else. Nothing for any other host or protocol.
///
/// A git that knows `authtype` (2.46 and newer) gets the header's two words, marked as not to be stored. To an older one
/// a user name and a password are told, which other configured helpers see too.
/// `expires_at` (seconds since 1970) is told where it is known. A refresh token never is.
pub fn answer(
    request: &Request,
    web: &Origin,
    authorization: &Authorization,
    expires_at: Option<u64>,
) -> Option<Secret> {
    if !request.is_for(web) {
        return None;
    }
    let mut text = Zeroizing::new(String::new());
    let mut line = |name: &str, value: &str| {
        for part in [name, "=", value, "\n"] {
            text.push_str(part);
        }
    };
    let token = authorization.secret().expose();
    // What would break a line is no token.
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let (user, scheme) = match authorization {
        Authorization::Bearer(_) => ("x-token-auth", "Bearer"),
        Authorization::Basic { .. } => ("x-bitbucket-api-token-auth", "Basic"),
    };
    if request.knows_authtype() {
        line("capability[]", "authtype");
        line("authtype", scheme);
        match authorization {
            Authorization::Bearer(_) => line("credential", token),
            Authorization::Basic { .. } => {
                let pair = Zeroizing::new(format!("{user}:{token}"));
                line("credential", &Zeroizing::new(base64::encode(pair.as_bytes())));
            }
        }
        line("ephemeral", "1");
    } else {
        line("username", user);
        line("password", token);
    }
    if let Some(expires_at) = expires_at {
        line("password_expiry_utc", &expires_at.to_string());
    }
    Some(Secret::new(std::mem::take(&mut *text)))
}

#[cfg(test)]
mod tests;
