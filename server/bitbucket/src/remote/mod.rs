//! From the URL of a git remote to a repository's name.
//!
//! Pure: it must not know git's configuration, ssh's, nor the network. Remotes are hostile input.
//! The outcome is a pair of checked slugs or a refusal; the URL itself is never used to connect, and
//! what a refusal says never holds user info, a path or a query of it.

use std::net::Ipv6Addr;

use pull_request::model::RepositoryName;
use url::Url;

#[cfg(test)]
mod table;

/// The web host that remotes are matched against, see [`crate::Origin::web_host`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebHost {
    scheme: String,
    /// Lower case; IPv6 addresses in brackets.
    host: String,
    port: Option<u16>,
    path: String,
}

impl WebHost {
    pub(crate) fn of(web: &Url) -> Self {
        Self {
            scheme: web.scheme().to_owned(),
            host: web.host_str().unwrap_or_default().to_ascii_lowercase(),
            port: web.port_or_known_default(),
            path: web.path().trim_matches('/').to_owned(),
        }
    }

    /// Bitbucket Cloud is known under more names than the one it is configured with.
    fn is_cloud(&self) -> bool {
        self.scheme == "https" && self.host == "bitbucket.org" && self.port == Some(443)
    }

    fn is_web(&self, host: &str) -> bool {
        host.eq_ignore_ascii_case(&self.host)
            || (self.is_cloud() && host.eq_ignore_ascii_case("www.bitbucket.org"))
    }

    /// Bitbucket's ssh behind port 443, for networks that let nothing else out.
    fn is_alternative_ssh(&self, host: &str) -> bool {
        self.is_cloud() && host.eq_ignore_ascii_case("altssh.bitbucket.org")
    }
}

/// Why a remote is not a repository on Bitbucket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NotBitbucket {
    /// A sentence for the user, without user info.
    pub why: String,
}

/// Reads the URL of a remote, as git would use it.
///
/// These forms are taken, with or without `.git` and a slash at the end, hosts in any case:
/// `git@bitbucket.org:ws/repo`, `ssh://git@bitbucket.org[:22]/ws/repo`,
/// `ssh://git@altssh.bitbucket.org[:443]/ws/repo`, `https://[user[:password]@][www.]bitbucket.org[:443]/ws/repo`,
/// and the configured web host in place of `bitbucket.org`, with its port.
///
/// `alias_of` is the real host where ssh's configuration has a `HostName` for the URL's host; it
/// matters in ssh forms only.
///
/// # Errors
/// [`NotBitbucket`] with the reason. Whatever is ambiguous between URL parsers (backslashes, several
/// `@`, encoded characters, other scripts) is refused, not repaired.
pub fn parse(url: &str, web: &WebHost, alias_of: Option<&str>) -> Result<RepositoryName, NotBitbucket> {
    let form = Form::read(url)?;
    let parts = form.parts();
    match form {
        Form::Https(_) | Form::Http(_) => over_http(&form, parts, web)?,
        Form::Ssh(_) | Form::Scp(_) => over_ssh(parts, web, alias_of)?,
    }
    let base = match form {
        Form::Https(_) | Form::Http(_) => web.path.as_str(),
        Form::Ssh(_) | Form::Scp(_) => "",
    };
    name(parts.path, base)
}

/// How a URL is written, with what it is made of.
enum Form<'a> {
    Https(Parts<'a>),
    Http(Parts<'a>),
    Ssh(Parts<'a>),
    /// `user@host:path`
    Scp(Parts<'a>),
}

#[derive(Clone, Copy)]
struct Parts<'a> {
    host: &'a str,
    port: Option<u16>,
    path: &'a str,
}

impl<'a> Form<'a> {
    fn parts(&self) -> Parts<'a> {
        match self {
            Self::Https(parts) | Self::Http(parts) | Self::Ssh(parts) | Self::Scp(parts) => *parts,
        }
    }

    fn read(url: &'a str) -> Result<Self, NotBitbucket> {
        if url.is_empty() {
            return refuse("The remote has no URL.");
        }
        if url.len() > 2048 {
            return refuse("The remote's URL is too long.");
        }
        if url.contains(|character: char| character.is_control() || character.is_whitespace()) {
            return refuse("The remote's URL holds a space or a control character.");
        }
        if !url.is_ascii() {
            return refuse("The remote's URL holds characters of other scripts; bitbucket.org has none.");
        }
        if url.contains('\\') {
            return refuse("The remote's URL holds a backslash; it is a path, or made to mislead.");
        }
        if url.contains(['?', '#']) {
            return refuse("The remote's URL has a query or a fragment; a repository's URL has none.");
        }
        let Some((scheme, rest)) = url.split_once("://") else {
            return Self::read_scp(url);
        };
        if scheme.contains("::") {
            return refuse("The remote uses a remote helper (name::address); these are not followed.");
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let make = match scheme.to_ascii_lowercase().as_str() {
            "https" => Self::Https,
            "http" => Self::Http,
            "ssh" | "git+ssh" | "ssh+git" => Self::Ssh,
            "git" => return refuse("The remote uses git://, which Bitbucket does not offer."),
            "file" => return refuse("The remote is a folder on this computer."),
            _ => return refuse("The remote's protocol is none that Bitbucket offers (https, ssh)."),
        };
        let (host, port) = host_and_port(authority)?;
        Ok(make(Parts { host, port, path }))
    }

    fn read_scp(url: &'a str) -> Result<Self, NotBitbucket> {
        if url.starts_with('[') {
            return refuse("The remote's URL has its host in brackets; write it as ssh://host:port/path.");
        }
        let colon = url.find(':');
        let slash = url.find('/');
        let Some(colon) = colon.filter(|colon| slash.is_none_or(|slash| *colon < slash)) else {
            return refuse("The remote is a folder on this computer.");
        };
        let (authority, path) = (&url[..colon], &url[colon + 1..]);
        if path.starts_with(':') {
            return refuse("The remote uses a remote helper (name::address); these are not followed.");
        }
        if authority.len() == 1 {
            return refuse("The remote is a folder on this computer.");
        }
        let (host, port) = host_and_port(authority)?;
        // Git takes `host:/path` for a path from the root; Bitbucket's ssh treats both alike.
        Ok(Self::Scp(Parts { host, port, path: path.strip_prefix('/').unwrap_or(path) }))
    }
}

/// Cuts user info off, which may hold a token, and checks what is left.
fn host_and_port(authority: &str) -> Result<(&str, Option<u16>), NotBitbucket> {
    let place = match authority.split_once('@') {
        Some((_, place)) if place.contains('@') => {
            return refuse("The remote's URL has several @, which is made to mislead.");
        }
        Some((_, place)) => place,
        None => authority,
    };
    let after_bracket = place.rfind(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match place[after_bracket..].split_once(':') {
        Some((before, port)) => (&place[..after_bracket + before.len()], Some(port)),
        None => (place, None),
    };
    let port = match port {
        None => None,
        Some(digits) => match digits.parse::<u16>() {
            // `+1` and leading zeros parse, but no two parsers agree on them.
            Ok(port) if port > 0 && digits == port.to_string() => Some(port),
            _ => return refuse("The remote's URL has a port that is no number."),
        },
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_address = bracketed.is_some_and(|inside| inside.parse::<Ipv6Addr>().is_ok());
    let odd = host.contains(['[', ']']) && !is_address;
    if host.is_empty() || host.starts_with('-') || !host.bytes().all(plain) || odd {
        return refuse("The remote's URL has a host that is no host name.");
    }
    Ok((host, port))
}

fn over_http(form: &Form<'_>, parts: Parts<'_>, web: &WebHost) -> Result<(), NotBitbucket> {
    if !web.is_web(parts.host) {
        return Err(other_host(parts.host, web));
    }
    let (scheme, default_port) = match form {
        Form::Http(_) => ("http", 80),
        _ => ("https", 443),
    };
    if scheme != web.scheme {
        return refuse(&format!("The remote uses {scheme}, but {} is reached by {}.", web.host, web.scheme));
    }
    match Some(parts.port.unwrap_or(default_port)) == web.port {
        true => Ok(()),
        false => refuse(&format!("The remote's port is not the one of {}.", web.host)),
    }
}

fn over_ssh(parts: Parts<'_>, web: &WebHost, alias_of: Option<&str>) -> Result<(), NotBitbucket> {
    let hosts = [Some(parts.host), alias_of];
    let mut hosts = hosts.into_iter().flatten();
    let fits = hosts.any(|host| match web.is_alternative_ssh(host) {
        true => matches!(parts.port, None | Some(22 | 443)),
        false => web.is_web(host) && matches!(parts.port, None | Some(22)),
    });
    if fits {
        return Ok(());
    }
    let known = |host: &str| web.is_web(host) || web.is_alternative_ssh(host);
    if known(parts.host) || alias_of.is_some_and(known) {
        return refuse(&format!("The remote's port is not the one of {}'s ssh.", web.host));
    }
    Err(other_host(parts.host, web))
}

fn other_host(host: &str, web: &WebHost) -> NotBitbucket {
    // Checked characters only; cut so that a long host cannot fill the message.
    let shown: String = host.chars().take(80).collect();
    NotBitbucket { why: format!("The remote's host is {shown}, not {}.", web.host) }
}

fn name(path: &str, base: &str) -> Result<RepositoryName, NotBitbucket> {
    if path.contains('%') {
        return refuse("The remote's path holds encoded characters; Bitbucket's names have none.");
    }
    let path = match base {
        "" => path,
        base => match path.strip_prefix(base).and_then(|rest| rest.strip_prefix('/')) {
            Some(rest) => rest,
            None => return refuse("The remote's path does not begin as Bitbucket's does."),
        },
    };
    let path = path.strip_suffix('/').unwrap_or(path);
    let path = path.strip_suffix(".git").unwrap_or(path);
    let mut segments = path.split('/');
    let (Some(workspace), Some(slug), None) = (segments.next(), segments.next(), segments.next()) else {
        return refuse("The remote's path is not workspace/repository.");
    };
    match RepositoryName::new(workspace, slug) {
        Some(name) => Ok(name),
        None => refuse("The remote's path holds characters that Bitbucket's names do not have."),
    }
}

fn refuse<T>(why: &str) -> Result<T, NotBitbucket> {
    Err(NotBitbucket { why: why.to_owned() })
}
