//! What became of one attempt, and what the log says about it.
//!
//! It must not send anything, nor decide whether to try again.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use crate::error::{Error, Outage};

/// What became of one attempt, for the gate and for the decision to repeat it.
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    /// Bitbucket answered; asking again changes nothing.
    Answered,
    /// 429, with what `Retry-After` said.
    Limited(Option<Duration>),
    /// May be gone at the next attempt.
    Passing,
    /// Will not be gone within the deadline.
    Down,
}

pub(super) fn answered(error: Error) -> Failure {
    Failure { error, kind: Kind::Answered }
}

/// Why nothing was answered. The errors' types are private to their crates, so their words must do.
pub(super) fn not_sent(error: reqwest::Error) -> Failure {
    // The URL would bring words of its own.
    let error = error.without_url();
    let mut words = String::new();
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = cause {
        words.push_str(&error.to_string().to_ascii_lowercase());
        words.push('\n');
        cause = error.source();
    }
    let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    let outage = if says(&["certificate", "unknownissuer", "tls", "handshake"]) {
        match says(&["expired", "not valid yet", "notvalidyet"]) {
            true => Outage::Clock,
            false => Outage::Certificate,
        }
    } else if says(&["proxy", "tunnel"]) {
        Outage::Proxy
    } else if says(&["dns", "lookup"]) {
        Outage::Name
    } else if error.is_connect() {
        Outage::Connection
    } else {
        Outage::BrokenOff
    };
    // A connection that was there and broke may be an old one of the pool: a new one may hold.
    let kind = if outage == Outage::BrokenOff { Kind::Passing } else { Kind::Down };
    Failure { error: Error::Offline { outage, retry_after: None }, kind }
}

pub(super) fn log(url: &Url, outcome: &Result<Vec<u8>, Failure>, start: Instant) {
    let ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    match outcome {
        Ok(_) => tracing::debug!(method = "GET", path = url.path(), status = 200, ms),
        Err(failure) => {
            tracing::debug!(method = "GET", path = url.path(), status = %Status(&failure.error), ms);
        }
    }
}

/// An error's status code, or its kind in a word.
struct Status<'a>(&'a Error);

impl fmt::Display for Status<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Error::Unauthorized { .. } => f.write_str("401"),
            Error::MissingScope { .. } | Error::Forbidden => f.write_str("403"),
            Error::NotFound => f.write_str("404"),
            Error::Gone => f.write_str("410"),
            Error::RateLimited { .. } => f.write_str("429"),
            Error::Server { status } | Error::Unexpected { status, .. } => write!(f, "{status}"),
            Error::Timeout => f.write_str("timeout"),
            Error::Portal => f.write_str("portal"),
            Error::TooLarge { .. } => f.write_str("too large"),
            Error::Offline { .. } => f.write_str("offline"),
            Error::SignedOut | Error::NeedsLogin { .. } => f.write_str("signed out"),
            Error::NoToken { .. } => f.write_str("no token"),
        }
    }
}
