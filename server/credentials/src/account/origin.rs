//! Scheme, host and port: what a token is bound to.
//!
//! It must not know which hosts are Bitbucket's.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// Scheme, host and port (RFC 6454). https, or http where the host is a loopback address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

/// Why a text is no origin for a token; a sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no address that tokens may go to; it must begin with https:// (http:// for loopback only)."
)]
pub struct NotAnOrigin {
    /// The text, at most 200 characters, without user name and password.
    pub text: String,
}

impl Origin {
    /// The origin of a URL; its path is ignored, and a user name in it is refused.
    ///
    /// # Errors
    /// Other schemes, plain http to a host that is not this machine, no host, a user name or password.
    pub fn of(url: &str) -> Result<Self, NotAnOrigin> {
        let refused =
            || NotAnOrigin { text: url.rsplit('@').next().unwrap_or_default().chars().take(200).collect() };
        let parsed = Url::parse(url).map_err(|_| refused())?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(refused());
        }
        let host = parsed.host().ok_or_else(refused)?;
        let here = match &host {
            Host::Domain(name) => *name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let allowed = parsed.scheme() == "https" || (parsed.scheme() == "http" && here);
        match parsed.port_or_known_default() {
            Some(port) if allowed => {
                Ok(Self { scheme: parsed.scheme().to_owned(), host: host.to_string(), port })
            }
            _ => Err(refused()),
        }
    }

    /// `https` or `http`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The host in lower case, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, also where it is the scheme's own.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the port is the scheme's own.
    pub(crate) fn has_default_port(&self) -> bool {
        self.port == if self.scheme == "https" { 443 } else { 80 }
    }
}

/// As in a URL; the port only where it is not the scheme's own.
impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.scheme, self.host)?;
        match self.has_default_port() {
            true => Ok(()),
            false => write!(formatter, ":{}", self.port),
        }
    }
}

impl TryFrom<String> for Origin {
    type Error = NotAnOrigin;

    fn try_from(text: String) -> Result<Self, NotAnOrigin> {
        Self::of(&text)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_scheme_host_and_port() {
        for (url, origin) in [
            ("https://api.bitbucket.org/2.0", "https://api.bitbucket.org"),
            ("https://API.Bitbucket.org:443/2.0?x#y", "https://api.bitbucket.org"),
            ("https://bitbucket.example:8443/", "https://bitbucket.example:8443"),
            ("http://127.0.0.1:7990/2.0", "http://127.0.0.1:7990"),
            ("http://localhost", "http://localhost"),
            ("http://[::1]:9", "http://[::1]:9"),
        ] {
            let parsed = Origin::of(url).unwrap();
            assert_eq!(parsed.to_string(), origin);
            assert_eq!(Origin::of(&parsed.to_string()), Ok(parsed));
        }
        assert_ne!(Origin::of("https://a.b"), Origin::of("https://a.b:444"));
        assert_ne!(Origin::of("https://localhost:80"), Origin::of("http://localhost"));
    }

    #[test]
    fn what_a_token_must_not_go_to_is_refused() {
        for url in [
            "http://api.bitbucket.org",
            "http://127.0.0.1.evil.org",
            "http://localhost.evil.org",
            "ftp://127.0.0.1",
            "https://",
            "bitbucket.org",
            "",
            "file:///etc",
        ] {
            assert!(Origin::of(url).is_err(), "{url}");
        }
        let refused = Origin::of("https://ana:s3cr3t@bitbucket.org").unwrap_err();
        assert!(!refused.to_string().contains("s3cr3t"), "{refused}");
    }
}
