//! Where a redirect may lead.
//!
//! Pure: it must not send anything.

use url::{Host, Url};

use super::Want;
use crate::origin::Origin;

/// The most redirects in a row.
pub(super) const MOST: usize = 5;

/// What to do about a redirect.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hop {
    /// Go there. The token goes along if it is the API.
    Follow(Url),
    /// Somebody who is not Bitbucket sends the client elsewhere.
    Portal,
    /// Do not go there; the reason in a few words.
    Refuse(&'static str),
}

/// Decides about a `Location` that the answer of `from` gave.
///
/// The API itself is always followed. Files and diffs may lie elsewhere on https (a storage service),
/// where the token does not go; addresses by number are not followed, as nobody serves files there but
/// machines inside this network. JSON comes from the API only.
pub(super) fn hop(origin: &Origin, from: &Url, location: Option<&str>, want: Want) -> Hop {
    let Some(to) = location.and_then(|location| from.join(location).ok()) else {
        return Hop::Refuse("a redirect to no URL");
    };
    if !to.username().is_empty() || to.password().is_some() {
        return Hop::Refuse("a redirect with user info");
    }
    if origin.is_api(&to) {
        // Back from elsewhere would let elsewhere choose what the token is used for.
        return match origin.is_api(from) {
            true => Hop::Follow(to),
            false => Hop::Refuse("a redirect from elsewhere to the API"),
        };
    }
    if want == Want::Json {
        return Hop::Portal;
    }
    match (to.scheme(), to.host()) {
        ("https", Some(Host::Domain(name))) if name.contains('.') && !name.ends_with(".localhost") => {
            Hop::Follow(to)
        }
        ("https", _) => Hop::Refuse("a redirect to an address inside the network"),
        _ => Hop::Refuse("a redirect to an unprotected address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: [Want; 3] = [Want::Json, Want::File { html: false }, Want::Diff];
    const FROM: &str = "https://api.bitbucket.org/2.0/repositories/team/app/src/abc/x.rs";

    fn to(location: &str, want: Want) -> Hop {
        hop(&Origin::default(), &Url::parse(FROM).unwrap(), Some(location), want)
    }

    #[test]
    fn the_api_is_followed_for_anything() {
        for want in ANY {
            for location in ["https://api.bitbucket.org/2.0/y", "/2.0/y", "//api.bitbucket.org/2.0/y"] {
                let expected = Url::parse("https://api.bitbucket.org/2.0/y").unwrap();
                assert_eq!(to(location, want), Hop::Follow(expected));
            }
        }
    }

    #[test]
    fn elsewhere_is_for_files_and_diffs_over_https() {
        let elsewhere = "https://files.example.com/y";
        assert_eq!(to(elsewhere, Want::Json), Hop::Portal);
        for want in [Want::File { html: true }, Want::Diff] {
            assert_eq!(to(elsewhere, want), Hop::Follow(Url::parse(elsewhere).unwrap()));
            for refused in [
                "http://files.example.com/y",
                "http://api.bitbucket.org/2.0/y",
                "ftp://files.example.com/y",
                "file:///etc/passwd",
                "data:text/plain,x",
                "https://127.0.0.1/y",
                "https://169.254.169.254/latest",
                "https://[::1]/y",
                "https://localhost/y",
                "https://x.localhost/y",
                "https://intranet/y",
                "https://user@api.bitbucket.org/2.0/y",
                "https://api.bitbucket.org@evil.example/y",
                "https://:80:80/",
            ] {
                assert!(matches!(to(refused, want), Hop::Refuse(_)), "{refused}");
            }
        }
        assert!(matches!(to("http://login.example/", Want::Json), Hop::Portal));
    }

    #[test]
    fn elsewhere_cannot_lead_back_to_the_api() {
        let from = Url::parse("https://files.example.com/y").unwrap();
        let back = hop(&Origin::default(), &from, Some("https://api.bitbucket.org/2.0/user"), Want::Diff);
        assert_eq!(back, Hop::Refuse("a redirect from elsewhere to the API"));
        assert!(matches!(hop(&Origin::default(), &from, None, Want::Diff), Hop::Refuse(_)));
    }
}
