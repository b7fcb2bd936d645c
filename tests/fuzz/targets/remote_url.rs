//! The URL of a git remote: whatever the text, a name comes out only where others see Bitbucket's repository in it too.
//!
//! The oracle is a parser of the WHATWG's URL standard. The first line of the input is the URL, what follows is an alias
//! of ssh's; the whole is tried as a URL as well.

#![no_main]

use std::sync::LazyLock;

use bitbucket::Origin;
use bitbucket::remote::{NotBitbucket, WebHost, parse};
use libfuzzer_sys::fuzz_target;
use url::Url;

/// A web host, told once more.
struct Web {
    web: WebHost,
    scheme: &'static str,
    port: u16,
    hosts: &'static [&'static str],
    /// Where ssh is behind port 443 too.
    alternatives: &'static [&'static str],
    base: &'static [&'static str],
}

static WEBS: LazyLock<[Web; 4]> = LazyLock::new(|| {
    let web = |url| Origin::new(None, Some(url)).unwrap().web_host();
    [
        Web {
            web: Origin::default().web_host(),
            scheme: "https",
            port: 443,
            hosts: &["bitbucket.org", "www.bitbucket.org"],
            alternatives: &["altssh.bitbucket.org"],
            base: &[],
        },
        Web {
            web: web("http://127.0.0.1:7990"),
            scheme: "http",
            port: 7990,
            hosts: &["127.0.0.1"],
            alternatives: &[],
            base: &[],
        },
        Web {
            web: web("http://[::1]:7990"),
            scheme: "http",
            port: 7990,
            hosts: &["[::1]"],
            alternatives: &[],
            base: &[],
        },
        Web {
            web: web("https://example.com/bb/"),
            scheme: "https",
            port: 443,
            hosts: &["example.com"],
            alternatives: &[],
            base: &["bb"],
        },
    ]
});

const CANARY: &str = "s3cr3t-c4n4ry";

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (first, alias) = text.split_once('\n').unwrap_or((&text, ""));
    let (whole, first) = (Remote::of(&text), Remote::of(first));
    for web in &*WEBS {
        for alias in [None, Some("bitbucket.org"), Some("AltSSH.bitbucket.org"), Some(alias)] {
            check(&first, web, alias);
        }
        check(&whole, web, None);
        check_hiding(first.text, web);
    }
});

/// A URL as others read it.
struct Remote<'a> {
    text: &'a str,
    url: Option<Url>,
}

impl<'a> Remote<'a> {
    fn of(text: &'a str) -> Self {
        let url = match (text.contains("://"), text.split_once(':')) {
            (true, _) => Url::parse(text).ok(),
            // This form has no standard; git says what it means.
            (false, Some((place, path))) if !place.contains('/') && place.len() != 1 => {
                let path = path.strip_prefix('/').unwrap_or(path);
                Url::parse(&format!("ssh://{place}/{path}")).ok()
            }
            _ => None,
        };
        Self { text, url: url.filter(|url| url.query().is_none() && url.fragment().is_none()) }
    }
}

fn check(remote: &Remote<'_>, web: &Web, alias: Option<&str>) {
    let text = remote.text;
    let seen = remote.url.as_ref().and_then(|url| seen(url, web, alias));
    match parse(text, &web.web, alias) {
        Ok(name) => {
            let name = (name.workspace().to_owned(), name.slug().to_owned());
            assert!(is_slug(&name.0) && is_slug(&name.1), "{text:?}: {name:?}");
            // On these, parsers disagree.
            assert!(text.bytes().all(|byte| (b'!'..=b'~').contains(&byte) && byte != b'\\'), "{text:?}");
            assert!(text.matches('@').count() <= 1, "{text:?}");
            assert_eq!(Some(&name), seen.as_ref(), "{text:?} with {alias:?}");
            check_canonical(&name, web);
        }
        Err(NotBitbucket { why }) => {
            assert!(why.starts_with("The remote") && why.ends_with('.') && why.len() < 200, "{why}");
            assert!(why.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{why}");
            assert!(!(seen.is_some() && is_plain(text)), "{text:?} with {alias:?}: {why}");
        }
    }
}

/// What others see in a URL that they take for one of the web host: workspace and repository.
fn seen(url: &Url, web: &Web, alias: Option<&str>) -> Option<(String, String)> {
    let host = url.host_str()?.to_ascii_lowercase();
    let base = match url.scheme() {
        "http" | "https" => {
            let same = url.scheme() == web.scheme && url.port_or_known_default() == Some(web.port);
            if !same || !web.hosts.contains(&host.as_str()) {
                return None;
            }
            web.base
        }
        "ssh" | "git+ssh" | "ssh+git" => {
            let fits = |host: &str| {
                let host = host.to_ascii_lowercase();
                let port = |ports: &[u16]| url.port().is_none_or(|port| ports.contains(&port));
                (web.hosts.contains(&host.as_str()) && port(&[22]))
                    || (web.alternatives.contains(&host.as_str()) && port(&[22, 443]))
            };
            if !fits(&host) && !alias.is_some_and(fits) {
                return None;
            }
            &[]
        }
        _ => return None,
    };
    let path = url.path().strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let segments: Vec<&str> = path.split('/').collect();
    let [workspace, slug] = segments.strip_prefix(base)? else {
        return None;
    };
    let slug = slug.strip_suffix(".git").unwrap_or(slug);
    Some(((*workspace).to_owned(), slug.to_owned()))
}

/// Whether nothing is odd about a URL, so that there is no reason to refuse it but what it says.
fn is_plain(text: &str) -> bool {
    let letters =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let end = if scheme.is_empty() { ':' } else { '/' };
    let (place, path) = rest.split_once(end).unwrap_or((rest, ""));
    let place = place.strip_prefix("git@").unwrap_or(place);
    let path = path.strip_suffix('/').unwrap_or(path).strip_suffix(".git").unwrap_or(path);
    text.len() <= 2048
        && text.is_ascii()
        && letters(scheme)
        && letters(place)
        && !place.is_empty()
        && !place.starts_with('-')
        && path.split('/').all(is_slug)
}

/// Each name has a URL in each form, and they all lead back to it.
fn check_canonical((workspace, slug): &(String, String), web: &Web) {
    let host = web.hosts[0];
    let base: String = web.base.iter().map(|part| format!("{part}/")).collect();
    for url in [
        format!("git@{host}:{workspace}/{slug}.git"),
        format!("ssh://git@{host}:22/{workspace}/{slug}.git/"),
        format!("{}://x-token-auth:{CANARY}@{host}:{}/{base}{workspace}/{slug}.git", web.scheme, web.port),
    ] {
        // The scp form has no brackets.
        if url.starts_with("git@[") {
            continue;
        }
        let name = parse(&url, &web.web, None).unwrap_or_else(|refusal| panic!("{url}: {refusal}"));
        assert_eq!((name.workspace(), name.slug()), (workspace.as_str(), slug.as_str()), "{url}");
    }
}

/// A password in front of the host is never repeated.
fn check_hiding(url: &str, web: &Web) {
    let url = match url.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://ana:{CANARY}@{rest}"),
        None => format!("{CANARY}@{url}"),
    };
    if let Err(refusal) = parse(&url, &web.web, None) {
        assert!(!refusal.to_string().contains(CANARY), "{url:?}: {refusal}");
    }
}

/// As documented: `[A-Za-z0-9_.-]`, at most 128, neither `.` nor `..`, not starting with `-`.
fn is_slug(text: &str) -> bool {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    !["", ".", ".."].contains(&text)
        && text.len() <= 128
        && !text.starts_with('-')
        && text.chars().all(|letter| letters.contains(letter))
}
