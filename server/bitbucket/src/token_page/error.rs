//! Why no token came by the page.
//!
//! It must not hold anything that was sent to the page.

use std::fmt;

/// Why the page brought nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenPageError {
    /// The system gives no port on the loopback address.
    NoPort,
    /// Nobody sent the form in time.
    TimedOut,
    /// It was given up.
    Cancelled,
}

impl TokenPageError {
    /// One sentence for the user: what happened, and what to do next.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NoPort => {
                "This computer does not let a port be opened for the page that takes the token; sign in by \
                 Bitbucket: Generate Token, or add the token on the command line."
            }
            Self::TimedOut => {
                "No token was entered in the browser in time; run Bitbucket: Add Token again for a new page."
            }
            Self::Cancelled => "Adding a token was given up; nothing was stored.",
        }
    }
}

impl fmt::Display for TokenPageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

impl std::error::Error for TokenPageError {}
