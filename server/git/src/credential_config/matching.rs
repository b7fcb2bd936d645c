//! Whether `credential.<pattern>` in git's configuration is about an address; see `gitcredentials(7)`.
//!
//! Pure text in, a yes or no out; it must not know what is configured there.

use crate::url::percent_decoded;

/// The address that a credential is wanted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// Its parts in the form in which they are compared with a whole address.
    address: Option<Address>,
    /// Its parts as they are written.
    parts: Parts,
}

impl Asked {
    pub(super) fn new(url: &str) -> Self {
        Self { address: Address::read(url), parts: Parts::read(url) }
    }

    /// Whether the pattern is about this address: a whole address with any path below it, or a part of one.
    pub(super) fn fits(&self, pattern: &str) -> bool {
        match Address::read(pattern) {
            Some(pattern) => self.address.as_ref().is_some_and(|address| address.is_below(&pattern)),
            None => self.parts.fit(&Parts::read(pattern)),
        }
    }
}

/// A whole address: `scheme://[user@]host[:port][/path]`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Address {
    scheme: String,
    user: Option<String>,
    /// In lower case; a pattern may have `*` for one of its parts.
    host: String,
    /// `None` if it is the scheme's own.
    port: Option<String>,
    /// Without slashes at its ends.
    path: String,
}

impl Address {
    fn read(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        if !scheme.starts_with(|first: char| first.is_ascii_alphabetic()) || !scheme.bytes().all(of_scheme) {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, host) =
            authority.split_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        let colon = host.rfind(':').filter(|colon| !host[*colon..].contains(']'));
        let (host, port) = colon.map_or((host, ""), |colon| (&host[..colon], &host[colon + 1..]));
        let of_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_[]:*".contains(&byte);
        if host.is_empty() || !host.bytes().all(of_host) || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let port = port.trim_start_matches('0');
        let own_port = match scheme.as_str() {
            "http" => "80",
            "https" => "443",
            _ => "",
        };
        Some(Self {
            user: match user {
                Some(user) => Some(percent_decoded(user.split(':').next().unwrap_or(user))?),
                None => None,
            },
            host: host.to_ascii_lowercase(),
            port: (!port.is_empty() && port != own_port).then(|| port.to_owned()),
            path: percent_decoded(path)?.trim_matches('/').to_owned(),
            scheme,
        })
    }

    fn is_below(&self, pattern: &Self) -> bool {
        let below = self.path.strip_prefix(pattern.path.as_str());
        let path =
            pattern.path.is_empty() || below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let user = pattern.user.is_none() || pattern.user == self.user;
        let (mut parts, mut wanted) = (self.host.split('.'), pattern.host.split('.'));
        let host = loop {
            match (parts.next(), wanted.next()) {
                (None, None) => break true,
                (Some(part), Some(wanted)) if wanted == "*" || wanted == part => {}
                _ => break false,
            }
        };
        self.scheme == pattern.scheme && self.port == pattern.port && host && user && path
    }
}

/// What there is of an address, each part to be compared as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    scheme: Option<String>,
    user: Option<String>,
    /// With the port, if one is written.
    host: Option<String>,
    /// Without slashes at its ends.
    path: Option<String>,
}

impl Parts {
    fn read(text: &str) -> Self {
        let (scheme, rest) =
            text.split_once("://").map_or((None, text), |(scheme, rest)| (Some(scheme), rest));
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, host) =
            authority.split_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        let user = user.map(|user| user.split(':').next().unwrap_or(user));
        let part = |part: Option<&str>| {
            part.filter(|part| !part.is_empty())
                .map(|part| percent_decoded(part).unwrap_or_else(|| part.to_owned()))
        };
        Self {
            scheme: part(scheme),
            user: part(user),
            host: part(Some(host)),
            path: part(Some(path.trim_matches('/'))),
        }
    }

    fn fit(&self, pattern: &Self) -> bool {
        let fits = |part: &Option<String>, wanted: &Option<String>| wanted.is_none() || part == wanted;
        fits(&self.scheme, &pattern.scheme)
            && fits(&self.user, &pattern.user)
            && fits(&self.host, &pattern.host)
            && fits(&self.path, &pattern.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_about_the_addresses_that_git_says() {
        let asked = "https://ana@bitbucket.org/team/app.git";
        let about = [
            "",
            "https://bitbucket.org",
            "https://bitbucket.org/",
            "HTTPS://BitBucket.org:443/team",
            "https://bitbucket.org/team/",
            "https://bitbucket.org/team/app.git",
            "https://ana@bitbucket.org",
            "https://*.org",
            "bitbucket.org",
            "ana@bitbucket.org",
            "bitbucket.org/team/app.git",
            "https://",
        ];
        for pattern in about {
            assert!(Asked::new(asked).fits(pattern), "{pattern}");
        }
        let not_about = [
            "http://bitbucket.org",
            "https://bitbucket.org:8443",
            "https://bitbucket.org/tea",
            "https://bitbucket.org/team/app",
            "https://ben@bitbucket.org",
            "https://*",
            "https://*.bitbucket.org",
            "https://bitbucket.com",
            "https://bitbucket.org.evil.com",
            "BitBucket.org",
            "bitbucket.com",
            "bitbucket.org:443",
            "bitbucket.org/team",
            "ben@bitbucket.org",
            "https",
        ];
        for pattern in not_about {
            assert!(!Asked::new(asked).fits(pattern), "{pattern}");
        }
    }

    #[test]
    fn no_text_makes_it_panic() {
        let pieces = ["https", "://", ":", "@", "/", "[", "]", "%", "%4", "é", "?", "*", ".", "", "1"];
        for a in pieces {
            for b in pieces {
                for c in pieces {
                    let text = format!("{a}{b}{c}");
                    assert!(Asked::new(&text).parts.fit(&Parts::read(&text)));
                    Asked::new(&text).fits(&text);
                }
            }
        }
    }
}
