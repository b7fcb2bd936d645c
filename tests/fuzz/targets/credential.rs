//! Git's questions to the credential helper: whatever the bytes, only the web host's own question is answered.
//!
//! The oracle reads the question a second time, in the plainest way, and knows the whole answer that it expects.

#![no_main]

use std::io::{self, ErrorKind, Read};
use std::sync::LazyLock;

use credentials::account::Origin;
use credentials::git_protocol::{Request, answer};
use credentials::{Authorization, Secret};
use libfuzzer_sys::fuzz_target;

/// A web host, and what git may say about it.
struct Web {
    origin: Origin,
    protocol: &'static str,
    hosts: &'static [&'static str],
}

static WEBS: LazyLock<[Web; 4]> = LazyLock::new(|| {
    let web = |url, protocol, hosts| Web { origin: Origin::of(url).unwrap(), protocol, hosts };
    [
        web("https://bitbucket.org", "https", &["bitbucket.org", "bitbucket.org:443"]),
        web("http://127.0.0.1:7990", "http", &["127.0.0.1:7990"]),
        web("https://[::1]:8443", "https", &["[::1]:8443"]),
        web("http://localhost", "http", &["localhost", "localhost:80"]),
    ]
});

/// Something to sign with, and what git is to be told of it.
struct Signing {
    authorization: Authorization,
    expires_at: Option<u64>,
    /// To a git that knows `authtype`.
    new: &'static str,
    /// To any other.
    old: &'static str,
}

static SIGNINGS: LazyLock<[Signing; 2]> = LazyLock::new(|| {
    let secret = |text: &str| Secret::new(text.to_owned());
    [
        Signing {
            authorization: Authorization::Bearer(secret("tok-1")),
            expires_at: Some(1_800_000_000),
            new: "capability[]=authtype\nauthtype=Bearer\ncredential=tok-1\nephemeral=1\n\
                password_expiry_utc=1800000000\n",
            old: "username=x-token-auth\npassword=tok-1\npassword_expiry_utc=1800000000\n",
        },
        Signing {
            authorization: Authorization::Basic { user: "ana@x.org".into(), password: secret("ATATT1") },
            expires_at: None,
            new: "capability[]=authtype\nauthtype=Basic\n\
                credential=eC1iaXRidWNrZXQtYXBpLXRva2VuLWF1dGg6QVRBVFQx\nephemeral=1\n",
            old: "username=x-bitbucket-api-token-auth\npassword=ATATT1\n",
        },
    ]
});

fuzz_target!(|question: &[u8]| {
    let parsed = Request::parse(question);
    let known = read_plainly(question);
    assert_eq!(parsed.is_ok(), known.is_some(), "what is refused");
    if let (Ok(request), Some(known)) = (&parsed, &known) {
        for web in &*WEBS {
            let asks = known.asks_for(web);
            assert_eq!(request.is_for(&web.origin), asks, "who is asked for");
            for signing in &*SIGNINGS {
                let printed = answer(request, &web.origin, &signing.authorization, signing.expires_at);
                let printed = printed.as_ref().map(Secret::expose);
                let wanted = if known.knows_authtype() { signing.new } else { signing.old };
                assert_eq!(printed, asks.then_some(wanted));
                printed.into_iter().for_each(check_lines);
            }
        }
        let refused = request.refused();
        if let Some(password) = known.one("password") {
            assert_eq!(refused.as_ref().map(Secret::expose), Some(password));
        }
        assert_eq!(request.username(), known.one("username").filter(|name| !name.is_empty()));
        if let Some((workspace, repository)) = request.repository() {
            let path = known.one("path").unwrap_or_default().trim_start_matches('/');
            assert!(path.starts_with(workspace) && path.contains(repository), "{path}");
            assert!(!workspace.is_empty() && !workspace.contains('/'), "{workspace}");
            assert!(!repository.is_empty() && !repository.contains('/'), "{repository}");
        }
    }
    let in_pieces = Request::read(Pieces::of(question));
    assert_eq!(parsed.as_ref().err(), in_pieces.as_ref().err(), "read in pieces");
    if let (Ok(whole), Ok(in_pieces)) = (&parsed, &in_pieces) {
        assert!(told(whole) == told(in_pieces), "read in pieces");
    }
    check_token(question);
});

/// The lines of a question, in their order.
struct Known(Vec<(String, String)>);

/// Reads byte by byte; `None` for what must not be answered at all.
fn read_plainly(question: &[u8]) -> Option<Known> {
    let mut lines = Vec::new();
    let mut line = Vec::new();
    for byte in question {
        match byte {
            b'\r' | 0 => return None,
            b'\n' if line.is_empty() => return Some(Known(lines)),
            b'\n' => {
                let text = String::from_utf8(std::mem::take(&mut line)).ok()?;
                let at = text.find('=').filter(|at| *at > 0)?;
                let (name, value) = (text[..at].to_owned(), text[at + 1..].to_owned());
                let once = ["protocol", "host", "path", "username", "authtype", "password", "credential"];
                if once.contains(&name.as_str()) && lines.iter().any(|(known, _)| *known == name) {
                    return None;
                }
                lines.push((name, value));
            }
            other => line.push(*other),
        }
    }
    line.is_empty().then_some(Known(lines))
}

impl Known {
    fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn asks_for(&self, web: &Web) -> bool {
        let host = self.one("host").map(str::to_ascii_lowercase);
        self.one("protocol") == Some(web.protocol)
            && host.is_some_and(|host| web.hosts.contains(&host.as_str()))
    }

    /// An empty one takes back all before it.
    fn knows_authtype(&self) -> bool {
        let capabilities = self.0.iter().rev().filter(|(name, _)| name == "capability[]");
        capabilities.take_while(|(_, value)| !value.is_empty()).any(|(_, value)| value == "authtype")
    }
}

/// What git is told: lines that each program reads alike, and never a token that is good for months.
fn check_lines(printed: &str) {
    assert!(printed.ends_with('\n') && !printed.contains(['\r', '\0']), "{printed:?}");
    assert!(!printed.contains("refresh"), "{printed:?}");
    let names = [
        "authtype",
        "capability[]",
        "credential",
        "ephemeral",
        "password",
        "password_expiry_utc",
        "username",
    ];
    for line in printed.strip_suffix('\n').unwrap().split('\n') {
        let (name, value) = line.split_once('=').unwrap();
        assert!(names.contains(&name) && !value.is_empty(), "{line}");
    }
}

/// The input as a token: it is printed whole on one line, or nothing is.
fn check_token(bytes: &[u8]) {
    static QUESTIONS: LazyLock<[Request; 2]> = LazyLock::new(|| {
        let text = "protocol=https\nhost=bitbucket.org\n";
        let question = |text: &str| Request::parse(text.as_bytes()).ok().unwrap();
        [question(text), question(&format!("{text}capability[]=authtype\n"))]
    });
    let token = String::from_utf8_lossy(bytes).into_owned();
    let good = !token.is_empty() && token.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
    let secret = Secret::new(token.clone());
    let bearer = Authorization::Bearer(secret.clone());
    let basic = Authorization::Basic { user: token.clone(), password: secret };
    let [old, new] = &*QUESTIONS;
    let told = [(old, &bearer, "password="), (new, &bearer, "credential="), (old, &basic, "password=")];
    for (question, authorization, name) in told {
        let printed = answer(question, &WEBS[0].origin, authorization, None);
        assert_eq!(printed.is_some(), good, "{token:?}");
        if let Some(printed) = printed {
            let mut lines = printed.expose().lines().filter_map(|line| line.strip_prefix(name));
            assert_eq!((lines.next(), lines.next()), (Some(token.as_str()), None));
            assert!(printed.expose().lines().count() <= 4 && !printed.expose().contains('\r'));
        }
    }
}

/// All that can be asked of a request.
fn told(request: &Request) -> impl PartialEq {
    (
        WEBS.each_ref().map(|web| request.is_for(&web.origin)),
        request.username().map(str::to_owned),
        request.repository().map(|(workspace, repository)| (workspace.to_owned(), repository.to_owned())),
        request.knows_authtype(),
        request.refused().map(|secret| secret.expose().to_owned()),
    )
}

/// A pipe that brings a question in pieces of uneven length, is interrupted at times, and stays open at the end.
struct Pieces<'a> {
    rest: &'a [u8],
    /// Of what was brought, the last byte; a line feed at the start, where an empty line is an end too.
    last: u8,
    ended: bool,
    dice: u64,
    largest: u64,
}

impl<'a> Pieces<'a> {
    fn of(question: &'a [u8]) -> Self {
        let dice =
            question.iter().fold(1, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()));
        // Not many for a long question: the reader looks for the end in all that it has, each time.
        let largest = 1 + dice % 16 + (question.len() as u64 >> 4);
        Self { rest: question, last: b'\n', ended: false, dice, largest }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        assert!(!self.ended, "git waits for an answer, and the question is read on");
        self.dice = self.dice.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        let roll = self.dice >> 33;
        if roll.is_multiple_of(16) {
            return Err(ErrorKind::Interrupted.into());
        }
        let length = (1 + roll % self.largest) as usize;
        let (piece, rest) = self.rest.split_at(length.min(self.rest.len()).min(into.len()));
        into[..piece.len()].copy_from_slice(piece);
        self.rest = rest;
        for byte in piece {
            self.ended |= *byte == b'\n' && self.last == b'\n';
            self.last = *byte;
        }
        Ok(piece.len())
    }
}
