//! Why a sign-in did not come to its end.
//!
//! It must not hold a code, a state or an address of the browser.

use std::fmt;

/// Why the browser did not bring a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginError {
    /// Other programs have the ports; no browser was opened.
    PortBusy {
        /// Those that were tried.
        ports: Vec<u16>,
    },
    /// The system does not give the port.
    NoPort {
        /// The first that was tried.
        port: u16,
    },
    /// The user pressed Deny.
    Denied,
    /// Bitbucket refused before the user was asked, or has a problem.
    Refused {
        /// OAuth's word for it (RFC 6749 section 4.1.2.1).
        code: String,
    },
    /// The browser did not come back in time.
    TimedOut,
    /// It was given up.
    Cancelled,
    /// What was pasted is not the address that Bitbucket sends the browser to. The sign-in goes on.
    NotTheAddress {
        /// How the right one begins.
        begins: String,
    },
    /// What was pasted belongs to another sign-in, or is not whole. The sign-in goes on.
    OtherLogin,
    /// This sign-in was answered before.
    Used,
}

impl LoginError {
    /// One sentence for the user: what happened, and what to do next.
    pub fn sentence(&self) -> String {
        match self {
            Self::PortBusy { ports } => {
                let named: Vec<String> = ports.iter().map(u16::to_string).collect();
                let (noun, verb, it) = match ports.len() {
                    1 => ("Port", "is", "it"),
                    _ => ("Ports", "are", "one of them"),
                };
                format!(
                    "{noun} {}, where Bitbucket sends the browser back to, {verb} in use; end the program that \
                     uses {it} (another sign-in, perhaps) and try again, or register another port's callback URL \
                     and name it in the configuration, or use an API token (Bitbucket: Add Token).",
                    named.join(", ")
                )
            }
            Self::NoPort { port } => format!(
                "This computer does not let the port {port} be opened; name another one in the configuration, or \
                 use an API token (Bitbucket: Add Token)."
            ),
            Self::Denied => "You denied access on Bitbucket's page, so nothing was stored; run Bitbucket: \
                Generate Token again to change your mind."
                .into(),
            Self::Refused { code } => format!(
                "Bitbucket refused the sign-in ({code}); check the OAuth consumer's callback URL and scopes."
            ),
            Self::TimedOut => {
                "The browser did not come back from Bitbucket in time; run Bitbucket: Generate Token \
                again, and where the browser runs on another computer paste the address that it ends at."
                    .into()
            }
            Self::Cancelled => "The sign-in was given up; nothing was stored.".into(),
            Self::NotTheAddress { begins } => format!(
                "This is not the address that Bitbucket sent the browser to; copy the whole address that begins \
                 with {begins} and paste it again."
            ),
            Self::OtherLogin => {
                "This address belongs to another sign-in or is not whole; copy the address of the \
                page that the browser ended at just now."
                    .into()
            }
            Self::Used => "This sign-in was answered already; run Bitbucket: Generate Token again.".into(),
        }
    }
}

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

impl std::error::Error for LoginError {}
