//! Which API and which web host this process belongs to.
//!
//! It must not read the environment or settings; the caller hands the two URLs in, and takes them from
//! nowhere but the user's own file or environment.

use url::{Host, Url};

/// The API's base URL and the web's. Tokens go to the API's scheme, host and port, nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    api: Url,
    web: Url,
}

/// Why a URL cannot be the API's or the web's; the message is a sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {why}; it must look like {example}.")]
pub struct BadOrigin {
    /// The environment variable that the URL comes from.
    pub variable: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
    example: &'static str,
}

const API: &str = "https://api.bitbucket.org/2.0";
const WEB: &str = "https://bitbucket.org";

impl Default for Origin {
    /// Bitbucket Cloud.
    fn default() -> Self {
        // The two constants are URLs, as a test shows.
        Self { api: base(API, "", API).expect(API), web: base(WEB, "", WEB).expect(WEB) }
    }
}

impl Origin {
    /// From what `BITBUCKET_API_URL` and `BITBUCKET_WEB_URL` hold; `None` for Bitbucket Cloud's own.
    ///
    /// # Errors
    /// What is not an https URL (or http on a loopback address), or has user info, a query or a fragment.
    pub fn new(api: Option<&str>, web: Option<&str>) -> Result<Self, BadOrigin> {
        Ok(Self {
            api: base(api.unwrap_or(API), "BITBUCKET_API_URL", API)?,
            web: base(web.unwrap_or(WEB), "BITBUCKET_WEB_URL", WEB)?,
        })
    }

    /// The API's base, without a slash at its end unless it has no path.
    pub fn api(&self) -> &Url {
        &self.api
    }

    /// The web's base, likewise.
    pub fn web(&self) -> &Url {
        &self.web
    }

    /// The web's page at `path` (with a leading slash, percent-encoded).
    pub(crate) fn page(&self, path: &str) -> Url {
        let mut url = self.web.clone();
        url.set_path(&format!("{}{path}", self.web.path().trim_end_matches('/')));
        url
    }

    /// Whether remotes are matched against this web host and how.
    pub fn web_host(&self) -> crate::remote::WebHost {
        crate::remote::WebHost::of(&self.web)
    }

    /// Whether a token may go to this URL: the API's scheme, host and port.
    pub(crate) fn is_api(&self, url: &Url) -> bool {
        let place = |url: &Url| {
            (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default())
        };
        url.has_host() && place(url) == place(&self.api)
    }

    /// The API's path with no slash at its end: `/2.0`, or nothing.
    pub(crate) fn api_path(&self) -> &str {
        self.api.path().trim_end_matches('/')
    }

    /// The URL of `path` (with a leading slash, percent-encoded) and `query` (likewise, without `?`).
    /// `None` if they lead out of the API, by `..` for example.
    pub(crate) fn endpoint(&self, path: &str, query: &str) -> Option<Url> {
        let mut url = self.api.clone();
        let wanted = format!("{}{path}", self.api_path());
        url.set_path(&wanted);
        url.set_query((!query.is_empty()).then_some(query));
        (self.is_api(&url) && url.path() == wanted).then_some(url)
    }
}

/// Whether it is on this computer, so that no proxy must be asked.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn base(text: &str, variable: &'static str, example: &'static str) -> Result<Url, BadOrigin> {
    let bad = |why| BadOrigin { variable, why, example };
    if text.contains(|character: char| character.is_control() || character.is_whitespace()) {
        return Err(bad("holds a space or a control character"));
    }
    let mut url = Url::parse(text).map_err(|_| bad("is not a URL"))?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => {
            return Err(bad("is plain http, which is taken for this computer's own address only"));
        }
        _ => return Err(bad("is not an https URL")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("holds a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("holds a query or a fragment"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_defaults_are_bitbucket_clouds() {
        let origin = Origin::default();
        assert_eq!(origin, Origin::new(None, None).unwrap());
        assert_eq!(origin.api().as_str(), API);
        assert_eq!(origin.web().host_str(), Some("bitbucket.org"));
        assert!(!is_loopback(origin.api()));
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        let good = [
            "https://api.example.com/2.0/",
            "http://127.0.0.1:8080/2.0",
            "http://127.9.9.9:1",
            "http://[::1]:8080/x",
            "http://localhost:7990",
        ];
        for api in good {
            Origin::new(Some(api), None).unwrap_or_else(|error| panic!("{api}: {error}"));
        }
        let bad = [
            "http://api.bitbucket.org/2.0",
            "http://127.0.0.1.evil.example/",
            "http://localhost.evil.example/",
            "http://192.168.0.1/",
            "http://[::ffff:1.2.3.4]/",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "api.bitbucket.org",
            "",
            "https://",
            "https://user@api.bitbucket.org/",
            "https://user:tok@api.bitbucket.org/",
            "https://api.bitbucket.org/?a=b",
            "https://api.bitbucket.org/#a",
            "https://api.bitbucket.org/\n",
            " https://api.bitbucket.org/",
        ];
        for api in bad {
            let error = Origin::new(Some(api), None).expect_err(api);
            assert!(error.to_string().starts_with("BITBUCKET_API_URL "), "{error}");
            assert!(!error.to_string().contains("tok@"), "{error}");
        }
        assert!(Origin::new(None, Some("http://bitbucket.org")).is_err());
    }

    #[test]
    fn endpoints_stay_within_the_api() {
        let origin = Origin::default();
        let url = origin.endpoint("/repositories/team/app", "pagelen=50").unwrap();
        assert_eq!(url.as_str(), "https://api.bitbucket.org/2.0/repositories/team/app?pagelen=50");
        assert_eq!(origin.endpoint("/repositories/../../internal", ""), None);
        assert_eq!(origin.endpoint("/repositories/%2e%2e/x", ""), None);
        assert_eq!(origin.endpoint("/a b", ""), None);
        let bare = Origin::new(Some("http://127.0.0.1:9/"), None).unwrap();
        assert_eq!(bare.endpoint("/user", "").unwrap().as_str(), "http://127.0.0.1:9/user");
    }

    #[test]
    fn only_the_same_scheme_host_and_port_is_the_api() {
        let origin = Origin::default();
        let is_api = |url: &str| origin.is_api(&Url::parse(url).unwrap());
        assert!(is_api("https://api.bitbucket.org/2.0/user"));
        assert!(is_api("https://API.bitbucket.org:443/else"));
        for other in [
            "http://api.bitbucket.org/2.0/user",
            "https://api.bitbucket.org:444/2.0/user",
            "https://bitbucket.org/2.0/user",
            "https://api.bitbucket.org.evil.example/",
            "https://api.bitbucket.org@evil.example/",
            "https://api.bitbucket.org./",
            "wss://api.bitbucket.org/",
            "data:text/plain,x",
        ] {
            assert!(!is_api(other), "{other}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn paths_and_queries_never_change_the_host(path in ".{0,40}", query in ".{0,40}") {
            if let Some(url) = Origin::default().endpoint(&path, &query) {
                prop_assert!(url.as_str().starts_with("https://api.bitbucket.org/2.0"));
            }
        }
    }
}
