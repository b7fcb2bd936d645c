//! Text that must not be seen, and the `Authorization` header that is made of it.
//!
//! It must not know where the text came from.
//! Neither type here has `Debug`, `Display` or `Serialize`: what prints them does not compile.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroizing};

use crate::base64;

/// A password or token: wiped from memory when its last owner lets go, never printed.
///
/// Clones share one copy.
///
/// ```compile_fail
/// let secret = credentials::Secret::new("tok".to_string());
/// println!("{secret:?}");
/// ```
/// ```compile_fail
/// let secret = credentials::Secret::new("tok".to_string());
/// println!("{secret}");
/// ```
#[derive(Clone)]
pub struct Secret(Arc<SecretString>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Arc::new(SecretString::from(text)))
    }

    /// The text itself. Call it where the text leaves for its destination, nowhere else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Without white space around it, as it comes along when somebody pastes; `None` if nothing is left.
    pub fn trimmed(&self) -> Option<Self> {
        let text = self.expose().trim();
        (!text.is_empty()).then(|| Self::new(text.to_owned()))
    }

    /// Writes the text itself: to git, which asked for it.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_to(&self, to: &mut impl std::io::Write) -> std::io::Result<()> {
        to.write_all(self.expose().as_bytes())?;
        to.flush()
    }

    /// Whether both hold the same text; takes as long for any two texts of the same length.
    pub fn same_as(&self, other: &Self) -> bool {
        let (one, two) = (self.expose().as_bytes(), other.expose().as_bytes());
        let difference = one.iter().zip(two).fold(0, |sum, (a, b)| sum | (a ^ b));
        one.len() == two.len() && difference == 0
    }
}

/// How to sign requests.
///
/// ```compile_fail
/// let authorization = credentials::Authorization::Bearer(credentials::Secret::new("tok".to_string()));
/// println!("{authorization:?}");
/// ```
#[derive(Clone)]
pub enum Authorization {
    /// An access token: OAuth, repository, project or workspace.
    Bearer(Secret),
    /// An Atlassian API token, with the e-mail address of its account as user.
    Basic {
        /// E-mail address.
        user: String,
        /// The API token.
        password: Secret,
    },
}

impl Authorization {
    /// The value of the `Authorization` header (RFC 6750 section 2.1, RFC 7617).
    pub fn header(&self) -> Secret {
        Secret::new(match self {
            Self::Bearer(token) => format!("Bearer {}", token.expose()),
            Self::Basic { user, password } => {
                let pair = Zeroizing::new(format!("{user}:{}", password.expose()));
                let encoded = Zeroizing::new(base64::encode(pair.as_bytes()));
                format!("Basic {}", *encoded)
            }
        })
    }

    /// The part of it that must not be seen.
    pub fn secret(&self) -> &Secret {
        match self {
            Self::Bearer(token) => token,
            Self::Basic { password, .. } => password,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_spelled_as_the_rfcs_say() {
        let bearer = Authorization::Bearer(Secret::new("tok-1".into()));
        assert_eq!(bearer.header().expose(), "Bearer tok-1");
        // The example of RFC 7617 section 2.
        let basic =
            Authorization::Basic { user: "Aladdin".into(), password: Secret::new("open sesame".into()) };
        assert_eq!(basic.header().expose(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(basic.secret().expose(), "open sesame");
    }

    #[test]
    fn secrets_compare_by_text() {
        let secret = |text: &str| Secret::new(text.into());
        assert!(secret("abc").same_as(&secret("abc")));
        assert!(!secret("abc").same_as(&secret("abd")));
        assert!(!secret("abc").same_as(&secret("abcd")));
        assert!(secret("").same_as(&secret("")));
    }
}
