//! What became of one attempt, and what the log says about it.
//!
//! It must not send anything, nor decide whether to try again.

use std::time::Duration;
use std::{fmt, io};

use rustls::CertificateError;
use rustls::pki_types::InvalidDnsNameError;
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

/// Why nothing was answered.
pub(super) fn not_sent(error: reqwest::Error) -> Failure {
    let outage = outage(&error);
    // A connection that was there and broke may be an old one of the pool: a new one may hold.
    let kind = if outage == Outage::BrokenOff { Kind::Passing } else { Kind::Down };
    Failure { error: Error::Offline { outage, retry_after: None }, kind }
}

fn outage(error: &reqwest::Error) -> Outage {
    let certificate = chain(error).find_map(|cause| match cause.downcast_ref() {
        Some(rustls::Error::InvalidCertificate(why)) => Some(certificate(why)),
        Some(rustls::Error::NoCertificatesPresented) => Some(Outage::Certificate),
        _ => None,
    });
    if let Some(outage) = certificate {
        return outage;
    }
    // The type of what goes wrong with a proxy is private to its crate, so its words must do. The proxy's own name
    // may be what is not found, so this comes first.
    if chain(error).any(|cause| cause.to_string().starts_with("tunnel error")) {
        return Outage::Proxy;
    }
    // Likewise where a name is not found; what can be no name is said by its type.
    let no_name = |cause: &(dyn std::error::Error + 'static)| {
        cause.is::<InvalidDnsNameError>() || cause.to_string().starts_with("dns error")
    };
    if error.is_dns() || chain(error).any(no_name) {
        return Outage::Name;
    }
    if error.is_connect() { Outage::Connection } else { Outage::BrokenOff }
}

fn certificate(why: &CertificateError) -> Outage {
    match why {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => Outage::Clock,
        // What macOS says is in the user's language, with a number after it: `errSecCertificateExpired` and
        // `errSecCertificateNotValidYet`.
        CertificateError::Other(other) => {
            let words = other.to_string();
            match ["-67818", "-67819"].iter().any(|number| words.contains(number)) {
                true => Outage::Clock,
                false => Outage::Certificate,
            }
        }
        _ => Outage::Certificate,
    }
}

/// An error and all that it comes from. Those that an `io::Error` wraps are asked for by name: its `source` leaves
/// them out.
fn chain<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn std::error::Error + 'static)),
            None => error.source(),
        }
    })
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

/// An error's status code, or its kind in a word, for the log.
pub(super) fn word(error: &Error) -> String {
    Status(error).to_string()
}

/// Likewise.
struct Status<'a>(&'a Error);

impl fmt::Display for Status<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Error::Unauthorized { .. } => f.write_str("401"),
            Error::MissingScope { .. } | Error::Forbidden => f.write_str("403"),
            Error::NotFound => f.write_str("404"),
            Error::Gone => f.write_str("410"),
            Error::Conflict => f.write_str("409"),
            Error::Invalid { .. } => f.write_str("400"),
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Debug)]
    struct Said(&'static str);

    impl fmt::Display for Said {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Said {}

    #[test]
    fn dates_are_told_from_everything_else_that_is_wrong_with_a_certificate() {
        let said = |words| CertificateError::Other(rustls::OtherError(Arc::new(Said(words))));
        for clock in [
            CertificateError::Expired,
            CertificateError::NotValidYet,
            said("\u{201e}api\u{201c}: Das Zertifikat ist abgelaufen: -67818"),
            said("certificate is not valid yet: -67819"),
        ] {
            assert_eq!(certificate(&clock), Outage::Clock, "{clock:?}");
        }
        for other in [
            CertificateError::UnknownIssuer,
            CertificateError::NotValidForName,
            CertificateError::BadEncoding,
            CertificateError::Revoked,
            said("certificate is not trusted: -67843"),
            said("expired.example.com is not trusted"),
        ] {
            assert_eq!(certificate(&other), Outage::Certificate, "{other:?}");
        }
    }

    struct NoNames;

    impl reqwest::dns::Resolve for NoNames {
        fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
            Box::pin(std::future::ready(Err(Box::new(Said("no such name")) as Box<_>)))
        }
    }

    #[tokio::test]
    async fn a_name_that_is_not_found_is_told_from_a_host_that_is_not_there() {
        let builder = || reqwest::Client::builder().no_proxy().tls_certs_only([]);
        let of = async |client: reqwest::ClientBuilder, url: &str| {
            outage(&client.build().unwrap().get(url).send().await.unwrap_err().without_url())
        };
        let without_names = builder().dns_resolver(Arc::new(NoNames));
        assert_eq!(of(without_names, "https://tls-certificate-expired.test").await, Outage::Name);
        // By the system's own resolver: a name that is too long to be asked for.
        let long = format!("http://{}.test", "a".repeat(64));
        assert_eq!(of(builder(), &long).await, Outage::Name);
        assert_eq!(of(builder(), "https://127.0.0.1:1").await, Outage::Connection);
    }

    #[test]
    fn an_error_inside_of_an_io_error_is_found() {
        let inner = rustls::Error::InvalidCertificate(CertificateError::Expired);
        let error = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, inner));
        assert!(chain(&error).any(|cause| cause.is::<rustls::Error>()));
        assert_eq!(chain(&io::Error::from(io::ErrorKind::BrokenPipe)).count(), 1);
    }
}
