//! The limits of a client.
//!
//! It must not know what they limit beyond the words here.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use super::Contacts;

/// The limits of a client. The defaults are for Bitbucket Cloud; tests make them smaller.
#[derive(Clone, Debug)]
pub struct Options {
    /// Sent as `User-Agent`.
    pub user_agent: String,
    /// For the connection, TLS included.
    pub connect: Duration,
    /// From sending a request to the head of its answer, the connection included. Writes wait for `total`: an answer
    /// that is given up leaves it open whether they happened.
    pub header: Duration,
    /// Between two pieces of an answer's body.
    pub idle: Duration,
    /// For all of a request for JSON: waiting at the gate, redirects and repeats included. For a write, from sending it.
    pub total: Duration,
    /// Likewise for a request for a file or a diff.
    pub total_of_files: Duration,
    /// The most bytes of one answer, after decompression.
    pub body_limit: usize,
    /// The most bytes of all pages of one list.
    pub list_limit: usize,
    /// How often a request is repeated after a broken connection or a 5xx.
    pub repeats: u32,
    /// The wait before the first repeat; doubles each time.
    pub first_pause: Duration,
    /// The least and the most that a 429 holds requests back.
    pub retry_after: (Duration, Duration),
    /// The wait after a 429 that does not say how long; doubles each time.
    pub first_wait: Duration,
    /// After this many failures in a row the client rests.
    pub failures_in_a_row: u32,
    /// The first rest; doubles each time.
    pub first_rest: Duration,
    /// The most requests at the same time.
    pub side_by_side: usize,
    /// Certificates to trust beside the system's.
    pub certificates: Option<Certificates>,
    /// A proxy in the place of the environment's.
    pub proxy: Option<Proxy>,
    /// Notes which hosts were sent to; clones note in one list.
    pub contacts: Contacts,
}

/// Certificates to trust beside the system's: those of a company's proxy, mostly.
#[derive(Clone, Debug)]
pub struct Certificates(Arc<[u8]>);

/// A proxy for everything but this computer's own addresses and what `NO_PROXY` names.
#[derive(Clone, Debug)]
pub struct Proxy(String);

/// What is wrong with certificates or a proxy; a part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadSurroundings(&'static str);

impl Certificates {
    /// From PEM, one certificate or several.
    ///
    /// # Errors
    /// There is none in it.
    pub fn of(pem: &[u8]) -> Result<Self, BadSurroundings> {
        let certificates = Self(pem.into());
        let list = certificates.for_reqwest().filter(|list| !list.is_empty());
        // Whether they are certificates is seen when they are used. Without the system's this takes no time.
        let client = list.map(|list| reqwest::Client::builder().tls_certs_only(list).build());
        match client {
            Some(Ok(_)) => Ok(certificates),
            Some(Err(_)) | None => Err(BadSurroundings("holds no certificate in PEM form")),
        }
    }

    pub(super) fn for_reqwest(&self) -> Option<Vec<reqwest::Certificate>> {
        reqwest::Certificate::from_pem_bundle(&self.0).ok()
    }
}

impl Proxy {
    /// From its URL. One with a password is for the environment, where it is in no file.
    ///
    /// # Errors
    /// It is no URL of http or https, or has a user name or password.
    pub fn of(url: &str) -> Result<Self, BadSurroundings> {
        let parsed = Url::parse(url).map_err(|_| BadSurroundings("is not a URL"))?;
        if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
            return Err(BadSurroundings("is not an http or https URL"));
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(BadSurroundings("holds a user name or password, which belong into HTTPS_PROXY"));
        }
        Ok(Self(url.to_owned()))
    }

    pub(super) fn for_reqwest(&self) -> Option<reqwest::Proxy> {
        let proxy = reqwest::Proxy::all(&self.0).ok()?;
        Some(proxy.no_proxy(reqwest::NoProxy::from_env()))
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            user_agent: concat!("bitbucket-lsp/", env!("CARGO_PKG_VERSION")).into(),
            connect: Duration::from_secs(5),
            header: Duration::from_secs(10),
            idle: Duration::from_secs(15),
            total: Duration::from_secs(30),
            total_of_files: Duration::from_secs(120),
            body_limit: 32 << 20,
            list_limit: 64 << 20,
            repeats: 2,
            first_pause: Duration::from_millis(250),
            retry_after: (Duration::from_secs(1), Duration::from_secs(300)),
            first_wait: Duration::from_secs(15),
            failures_in_a_row: 5,
            first_rest: Duration::from_secs(10),
            side_by_side: 32,
            certificates: None,
            proxy: None,
            contacts: Contacts::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_proxy_is_refused_and_its_password_is_not_kept() {
        assert!(Proxy::of("http://proxy.corp.test:3128").is_ok());
        for (url, why) in [
            ("proxy:3128", "is not an http or https URL"),
            ("", "is not a URL"),
            ("socks5://proxy:1080", "is not an http or https URL"),
            ("http://ana:canary@proxy:3128", "holds a user name or password, which belong into HTTPS_PROXY"),
        ] {
            assert_eq!(Proxy::of(url).unwrap_err().to_string(), why, "{url}");
        }
    }

    #[test]
    fn what_holds_no_certificate_is_refused() {
        for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n"] {
            assert!(Certificates::of(pem.as_bytes()).is_err(), "{pem}");
        }
    }
}
