//! The question: lines of `name=value`, read strictly.
//!
//! It must not repair anything: what is not exactly as git writes it is refused (CVE-2020-5260, CVE-2024-50338).

use std::io::{self, Read};

use secrecy::zeroize::Zeroizing;

use crate::account::Origin;
use crate::base64;
use crate::secret::Secret;

/// More bytes are refused.
const LARGEST: usize = 64 * 1024;

/// What git asks about. It has no `Debug`: it may hold a password.
#[derive(Clone, Default)]
pub struct Request {
    protocol: Option<String>,
    host: Option<String>,
    path: Option<String>,
    username: Option<String>,
    password: Option<Secret>,
    credential: Option<Secret>,
    authtype: Option<String>,
    capabilities: Vec<String>,
}

/// Why a question was refused; a sentence for standard error. It never repeats what was read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// A carriage return or NUL: no git sends one, and other programs take it for the end of a line.
    #[error("The credential request has {0} in it and is not answered.")]
    Forbidden(&'static str),
    /// Longer than any question.
    #[error("The credential request is longer than 64 KiB and is not answered.")]
    TooLong,
    /// The last line has no end: something was cut off.
    #[error("The credential request breaks off and is not answered.")]
    NoEnd,
    /// A line that is not `name=value`.
    #[error("The credential request has a line without a name and is not answered.")]
    NoName,
    /// Bytes that are no text.
    #[error("The credential request is not UTF-8 and is not answered.")]
    NotText,
    /// Two answers to one question.
    #[error("The credential request says twice what its {0} is and is not answered.")]
    Twice(&'static str),
    /// It could not be read.
    #[error("The credential request could not be read ({0}).")]
    Io(String),
}

impl Request {
    /// Reads up to the empty line or, as git itself sends it, the end.
    ///
    /// # Errors
    /// See [`BadRequest`].
    pub fn read(mut from: impl Read) -> Result<Self, BadRequest> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST + 1));
        let mut chunk = Zeroizing::new([0; 4096]);
        loop {
            // The end may lie across two pieces; what is before that was looked at.
            let looked_at = bytes.len().saturating_sub(1);
            match from.read(&mut *chunk) {
                Ok(0) => break,
                Ok(count) => bytes.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(BadRequest::Io(error.to_string())),
            }
            let begins_empty = bytes.first() == Some(&b'\n');
            let has_end = begins_empty || bytes[looked_at..].windows(2).any(|pair| pair == b"\n\n");
            if has_end || bytes.len() > LARGEST {
                break;
            }
        }
        Self::parse(&bytes)
    }

    /// Reads a whole question. What follows an empty line is not looked at.
    ///
    /// # Errors
    /// See [`BadRequest`].
    pub fn parse(bytes: &[u8]) -> Result<Self, BadRequest> {
        let bytes = &bytes[..end_of(bytes).unwrap_or(bytes.len())];
        if bytes.len() > LARGEST {
            return Err(BadRequest::TooLong);
        }
        if bytes.contains(&b'\r') {
            return Err(BadRequest::Forbidden("a carriage return"));
        }
        if bytes.contains(&0) {
            return Err(BadRequest::Forbidden("a NUL"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| BadRequest::NotText)?;
        let mut request = Self::default();
        for line in text.split_inclusive('\n') {
            let line = line.strip_suffix('\n').ok_or(BadRequest::NoEnd)?;
            if line.is_empty() {
                break;
            }
            match line.split_once('=') {
                Some((name, value)) if !name.is_empty() => request.take(name, value)?,
                _ => return Err(BadRequest::NoName),
            }
        }
        Ok(request)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), BadRequest> {
        let text = || value.to_owned();
        let secret = || Secret::new(value.to_owned());
        match name {
            "protocol" => once(&mut self.protocol, text(), "protocol"),
            "host" => once(&mut self.host, text(), "host"),
            "path" => once(&mut self.path, text(), "path"),
            "username" => once(&mut self.username, text(), "user name"),
            "authtype" => once(&mut self.authtype, text(), "authentication type"),
            "password" => once(&mut self.password, secret(), "password"),
            "credential" => once(&mut self.credential, secret(), "credential"),
            "capability[]" if value.is_empty() => {
                self.capabilities.clear();
                Ok(())
            }
            "capability[]" => {
                self.capabilities.push(text());
                Ok(())
            }
            // The manual: attributes that are not known are passed over.
            _ => Ok(()),
        }
    }

    /// Whether it asks about exactly this origin: the same protocol, host and port, in whichever case.
    pub fn is_for(&self, web: &Origin) -> bool {
        let (Some(protocol), Some(host)) = (&self.protocol, &self.host) else {
            return false;
        };
        let with_port = format!("{}:{}", web.host(), web.port());
        let is = |authority: &str| host.eq_ignore_ascii_case(authority);
        protocol == web.scheme() && (is(&with_port) || (web.has_default_port() && is(web.host())))
    }

    /// The user name in the URL: which account is wanted.
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref().filter(|name| !name.is_empty())
    }

    /// Workspace and repository in the URL; git tells them only where `credential.useHttpPath` is set.
    pub fn repository(&self) -> Option<(&str, &str)> {
        let path = self.path.as_deref()?;
        let path = path.strip_prefix('/').unwrap_or(path);
        let (workspace, repository) = path.split_once('/')?;
        let repository = repository.split('/').next()?;
        let repository = repository.strip_suffix(".git").unwrap_or(repository);
        (!workspace.is_empty() && !repository.is_empty()).then_some((workspace, repository))
    }

    /// Whether this git takes `authtype` and `credential` (2.46 and newer).
    pub fn knows_authtype(&self) -> bool {
        self.capabilities.iter().any(|capability| capability == "authtype")
    }

    /// The token that was refused, when git asks to erase: from the password or from the header's words.
    pub fn refused(&self) -> Option<Secret> {
        if let Some(password) = &self.password {
            return Some(password.clone());
        }
        let credential = self.credential.as_ref()?;
        match self.authtype.as_deref()?.to_ascii_lowercase().as_str() {
            "bearer" => Some(credential.clone()),
            "basic" => {
                let pair = Zeroizing::new(base64::decode(credential.expose())?);
                let (_, password) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
                Some(Secret::new(password.to_owned()))
            }
            _ => None,
        }
    }
}

fn once<T>(place: &mut Option<T>, value: T, what: &'static str) -> Result<(), BadRequest> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(BadRequest::Twice(what)),
    }
}

/// Where the question ends: behind its first empty line.
fn end_of(bytes: &[u8]) -> Option<usize> {
    if bytes.first() == Some(&b'\n') {
        return Some(1);
    }
    bytes.windows(2).position(|pair| pair == b"\n\n").map(|at| at + 2)
}
