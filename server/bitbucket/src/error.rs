//! Why a request gave nothing, by what the caller does about it.
//!
//! It must not know what was asked for, and never carries a header, a token or user info.

use std::fmt;
use std::time::Duration;

/// Why a request gave nothing. Each variant is something that callers treat differently.
///
/// The variants follow the status code, never the text of an answer: Bitbucket's texts are localized.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// There is no account; nothing was sent.
    SignedOut,
    /// The account's login has ended, and only the user can help, by signing in again; nothing was sent.
    NeedsLogin {
        /// A sentence for the user.
        sentence: String,
    },
    /// The account's token cannot be had now (a locked keyring, a sign-in server out of reach); nothing is lost.
    NoToken {
        /// What happened and what to do next, for the user.
        sentence: String,
        /// Before that no other answer is to be had.
        retry_after: Duration,
        /// It is because Bitbucket was not reached.
        unreachable: bool,
    },
    /// 401: the token is wrong, expired or revoked.
    Unauthorized {
        /// An API token was sent as Basic, not an access token as Bearer.
        basic: bool,
    },
    /// 403 for want of a scope.
    MissingScope {
        /// What the request needs; any of them, where Bitbucket only named alternatives.
        required: Vec<String>,
        /// What the token has.
        granted: Vec<String>,
    },
    /// 403 otherwise: the account may not.
    Forbidden,
    /// 404: not there, or private and not visible to this account.
    NotFound,
    /// 410: Bitbucket took the function away.
    Gone,
    /// 409: what a write is about is no longer as it was; resolved already, for example.
    Conflict,
    /// 400, or what comes to the same: the text or the place of a write cannot be taken as they are.
    Invalid {
        /// Which parts are wrong, by the API's names (`content.raw`), and what is wrong with each.
        /// Bitbucket's words, so hostile until made safe.
        fields: Vec<(String, String)>,
        /// What is wrong altogether; likewise. Empty if nothing was said.
        what: String,
    },
    /// 429: the account's hourly requests are spent.
    RateLimited {
        /// No request leaves before this time has passed.
        retry_after: Duration,
    },
    /// Bitbucket was not reached.
    Offline {
        /// Why.
        outage: Outage,
        /// No request leaves before this time has passed; `None`: the next may try at once.
        retry_after: Option<Duration>,
    },
    /// Something between here and Bitbucket answered: the sign-in page of a network, or a proxy.
    Portal,
    /// No answer, or not all of it, in time.
    Timeout,
    /// 5xx: Bitbucket has a problem. 555 is its own time-out.
    Server {
        /// The status code.
        status: u16,
    },
    /// The answer is longer than this client takes.
    TooLarge {
        /// The most that it takes, in bytes.
        limit: usize,
    },
    /// Bitbucket answered something that it should not have.
    Unexpected {
        /// The status code.
        status: u16,
        /// What was wrong, in a few words; may quote Bitbucket, so hostile until made safe.
        what: String,
    },
}

/// Why Bitbucket was not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// The host's name could not be resolved.
    Name,
    /// No connection.
    Connection,
    /// The connection broke off before the answer was whole.
    BrokenOff,
    /// No trust in the certificate.
    Certificate,
    /// The certificate's dates do not fit this computer's clock.
    Clock,
    /// The proxy refused.
    Proxy,
    /// No TLS client can be made on this computer: no trusted certificates.
    NoTrustStore,
    /// Several requests failed in a row, so the client takes a break.
    Resting,
}

impl Error {
    /// One sentence for the user: what happened, and what to do next.
    pub fn sentence(&self) -> String {
        match self {
            Self::SignedOut => "You are not signed in to Bitbucket; run \"Bitbucket: Generate Token\" or \
                 \"Bitbucket: Add Token\"."
                .into(),
            Self::NeedsLogin { sentence } | Self::NoToken { sentence, .. } => sentence.clone(),
            Self::Unauthorized { basic: true } => "Bitbucket did not accept the API token (401); check that \
                 the e-mail address is the one of your Atlassian account and that the token is an API token \
                 with scopes that has not expired: app passwords no longer work."
                .into(),
            Self::Unauthorized { basic: false } => "Bitbucket did not accept the access token (401); it may \
                 have expired or been revoked: create a new one. An API token goes with an e-mail address."
                .into(),
            Self::MissingScope { required, granted } => {
                let granted = match granted.is_empty() {
                    true => String::new(),
                    false => format!(" (it has {})", words(granted)),
                };
                format!("Your token lacks the scope {}{granted}; create one that has it.", words(required))
            }
            Self::Forbidden => {
                "Bitbucket says that your account may not do this (403); ask the repository's \
                 administrator for access."
                    .into()
            }
            Self::NotFound => {
                "Bitbucket does not know this, or your account may not see it (404); check the \
                 repository's name and your access to it."
                    .into()
            }
            Self::Gone => "Bitbucket no longer offers this function (410); update bitbucket-lsp.".into(),
            Self::Conflict => {
                "It is no longer as it was when you read it, so this changed nothing (409); refresh to see what \
                 is there now."
                    .into()
            }
            Self::Invalid { fields, what } => {
                let field = || fields.iter().map(|(field, what)| format!("{field}: {what}")).collect::<Vec<_>>();
                let reason = match (what.is_empty(), fields.is_empty()) {
                    (false, _) => what.clone(),
                    (true, false) => field().join(", "),
                    (true, true) => "no reason was given".into(),
                };
                format!("This was not taken: {reason}; change it, then send it again.")
            }
            Self::RateLimited { retry_after } => format!(
                "Bitbucket's limit of requests per hour is reached (429); trying again in {}.",
                time(*retry_after)
            ),
            Self::Offline { outage, retry_after } => {
                let what_next = match retry_after {
                    Some(wait) => format!("trying again in {}", time(*wait)),
                    None => outage.advice("refresh"),
                };
                format!("Bitbucket cannot be reached: {outage}; {what_next}.")
            }
            Self::Portal => {
                "Something else than Bitbucket answered, perhaps the sign-in page of this network \
                 or a proxy; open a web page in the browser to sign in to the network, then refresh."
                    .into()
            }
            Self::Timeout => "Bitbucket did not answer in time; refresh to try again.".into(),
            Self::Server { status: 555 } => {
                "This took Bitbucket itself too long (555); refresh to try again later.".into()
            }
            Self::Server { status } => {
                format!("Bitbucket has a problem of its own ({status}); refresh to try again later.")
            }
            Self::TooLarge { limit } => format!(
                "Bitbucket's answer is larger than {} MiB and was not read; look at it on the web.",
                limit.div_ceil(1 << 20)
            ),
            Self::Unexpected { status, what } => format!(
                "Bitbucket's answer was not understood (status {status}: {what}); refresh, and report it if \
                 it happens again."
            ),
        }
    }

    /// Whether the same request may well succeed later, with nothing changed here.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. }
                | Self::NoToken { .. }
                | Self::Offline { .. }
                | Self::Portal
                | Self::Timeout
                | Self::Server { .. }
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "its name could not be resolved",
            Self::Connection => "there is no connection",
            Self::BrokenOff => "the connection broke off",
            Self::Certificate => "its certificate is not trusted on this computer",
            Self::Clock => "its certificate is not valid at the time that this computer's clock shows",
            Self::Proxy => "the proxy refused the connection",
            Self::NoTrustStore => "this computer has no trusted certificates",
            Self::Resting => "several requests in a row failed",
        })
    }
}

impl Outage {
    /// What to do about it, and `then`.
    pub(crate) fn advice(self, then: &str) -> String {
        let first = match self {
            Self::Name | Self::Connection | Self::BrokenOff | Self::Resting => "check the network",
            Self::Certificate => {
                "if a proxy of your company inspects connections, add its certificate to the system's"
            }
            Self::Clock => "set the clock right",
            Self::Proxy => "check HTTPS_PROXY and its user name and password",
            Self::NoTrustStore => "install the system's package of CA certificates, or set SSL_CERT_FILE",
        };
        match self {
            Self::Certificate | Self::Proxy | Self::NoTrustStore => first.into(),
            _ => format!("{first}, then {then}"),
        }
    }
}

/// `a`, `a or b`, ...
fn words(items: &[String]) -> String {
    match items {
        [] => "that this needs".into(),
        items => items.join(" or "),
    }
}

pub(crate) fn time(wait: Duration) -> String {
    match wait.as_secs_f64().ceil() as u64 {
        0 | 1 => "a second".into(),
        seconds @ 2..=90 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_is_a_sentence_with_advice() {
        let scopes = |scopes: &[&str]| scopes.iter().map(|scope| (*scope).to_owned()).collect::<Vec<_>>();
        let outages = [
            Outage::Name,
            Outage::Connection,
            Outage::BrokenOff,
            Outage::Certificate,
            Outage::Clock,
            Outage::Proxy,
            Outage::NoTrustStore,
            Outage::Resting,
        ];
        let mut errors = vec![
            Error::SignedOut,
            Error::Unauthorized { basic: true },
            Error::Unauthorized { basic: false },
            Error::MissingScope { required: scopes(&["pullrequest"]), granted: scopes(&["account"]) },
            Error::MissingScope { required: vec![], granted: vec![] },
            Error::Forbidden,
            Error::NotFound,
            Error::Gone,
            Error::Conflict,
            Error::Invalid { fields: vec![], what: String::new() },
            Error::Invalid { fields: vec![("content.raw".into(), "empty".into())], what: String::new() },
            Error::Invalid { fields: vec![], what: "it is too long".into() },
            Error::RateLimited { retry_after: Duration::from_secs(61) },
            Error::Portal,
            Error::Timeout,
            Error::Server { status: 503 },
            Error::Server { status: 555 },
            Error::TooLarge { limit: 1 << 25 },
            Error::Unexpected { status: 200, what: "no JSON".into() },
        ];
        errors.extend(outages.map(|outage| Error::Offline { outage, retry_after: None }));
        for error in errors {
            let sentence = error.sentence();
            assert!(sentence.ends_with('.') && sentence.contains([';', ':']), "{sentence}");
            assert!(!sentence.contains("  ") && !sentence.contains('\n'), "{sentence}");
        }
    }

    #[test]
    fn a_missing_scope_is_named() {
        let error =
            Error::MissingScope { required: vec!["pullrequest".into()], granted: vec!["account".into()] };
        let expected = "Your token lacks the scope pullrequest (it has account); create one that has it.";
        assert_eq!(error.sentence(), expected);
    }

    #[test]
    fn waits_read_well() {
        assert_eq!(time(Duration::from_millis(200)), "a second");
        assert_eq!(time(Duration::from_secs(30)), "30 seconds");
        assert_eq!(time(Duration::from_secs(300)), "5 minutes");
    }
}
