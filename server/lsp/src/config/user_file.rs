//! The user's own file, `config.toml`. It must not know settings that come over LSP, nor where the file is.

use crate::worker::Secret;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The user's own file, `config.toml`: what a workspace must not decide. It has no `Debug`: it may hold a secret.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserConfig {
    /// Where the REST API is; https, or http on loopback.
    pub api_url: Option<String>,
    /// Where the web pages are, and the host that git remotes are matched against.
    pub web_url: Option<String>,
    /// A tracing filter such as `info` or `bitbucket=debug`.
    pub log: Option<String>,
    /// Where tokens are kept.
    pub store: StoreChoice,
    /// A file with certificates to trust beside the system's, in PEM form.
    pub ca_file: Option<PathBuf>,
    /// A proxy in the place of the environment's.
    pub proxy: Option<String>,
    /// The program that opens web pages where the editor cannot.
    pub browser: Option<String>,
    /// Signing in by OAuth.
    pub oauth: OauthConfig,
}

/// Where tokens are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreChoice {
    /// The keyring of the system.
    #[default]
    Keyring,
    /// Files that only the user can read, not encrypted.
    File,
}

/// The section `oauth` of the user's file.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OauthConfig {
    /// The key of the user's own OAuth consumer.
    pub key: Option<String>,
    /// Its secret.
    #[serde(deserialize_with = "secret")]
    pub secret: Option<Secret>,
    /// The ports whose callback URL is registered, best first; none: the usual one.
    pub ports: Vec<u16>,
    /// Ask for reading, commenting and voting only, not for merging and pushing.
    pub review_only: bool,
}

/// A text that is never repeated in an error.
fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    match toml::Value::deserialize(deserializer) {
        Ok(toml::Value::String(text)) => Ok(Some(Secret::new(text))),
        Ok(_) | Err(_) => Err(serde::de::Error::custom("the secret must be a text in quotes")),
    }
}

/// The rows of docs/SETTINGS.md for [`UserConfig`]: key, environment variable, meaning.
pub const USER_CONFIG: &[(&str, &str, &str)] = &[
    (
        "api_url",
        "BITBUCKET_API_URL",
        "Where the REST API is; default `https://api.bitbucket.org/2.0`; `http` only for loopback addresses.",
    ),
    (
        "web_url",
        "BITBUCKET_WEB_URL",
        "Where the web pages are, and the host that git remotes are matched against; default `https://bitbucket.org`.",
    ),
    (
        "oauth.key",
        "BITBUCKET_LSP_OAUTH_KEY",
        "The key of your OAuth consumer, for *Generate Token*; see [Signing in](SIGNING-IN.md).",
    ),
    (
        "oauth.secret",
        "BITBUCKET_LSP_OAUTH_SECRET",
        "Its secret; better kept in the keyring, by `bitbucket-lsp auth consumer`.",
    ),
    (
        "oauth.ports",
        "",
        "The ports of this computer whose callback URL is registered with the consumer, best first; default `[28727]`.",
    ),
    (
        "oauth.review_only",
        "",
        "`true` asks for reading, commenting and voting only, not for merging and pushing; default `false`.",
    ),
    (
        "store",
        "",
        "Where tokens are kept: `\"keyring\"` (default), or `\"file\"`: files in the state folder that only you can read, not encrypted, for machines without a keyring.",
    ),
    ("ca_file", "", "A file with certificates to trust beside the system's, in PEM form."),
    (
        "proxy",
        "HTTPS_PROXY",
        "A proxy as `http://host:port`; one with a user name and password belongs into the environment.",
    ),
    ("browser", "", "The program that opens web pages where the editor does not; default the system's."),
    (
        "log",
        "BITBUCKET_LSP_LOG",
        "What is written to the log (standard error): `error`, `warn` (default), `info`, `debug`, or targets such as `bitbucket=debug`.",
    ),
];

impl UserConfig {
    /// Parses the file's text; the error is one sentence with line and column.
    pub fn parse(text: &str, path: &Path) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| {
            let (line, column) = error.span().map_or((1, 1), |span| line_and_column(text, span.start));
            format!(
                "{} line {line}, column {column}: {}; the file is not used until that is mended.",
                path.display(),
                error.message().trim_end_matches('.')
            )
        })
    }
}

fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary_at(offset)];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

trait FloorCharBoundary {
    fn floor_char_boundary_at(&self, offset: usize) -> usize;
}

impl FloorCharBoundary for str {
    /// `str::floor_char_boundary` is younger than our rust-version.
    fn floor_char_boundary_at(&self, offset: usize) -> usize {
        (0..=offset.min(self.len())).rev().find(|&at| self.is_char_boundary(at)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_error(text: &str, path: &Path) -> String {
        UserConfig::parse(text, path).err().expect("a mistake")
    }

    #[test]
    fn the_users_file_tells_line_and_column_of_a_typo() {
        let path = Path::new("/home/ana/.config/bitbucket-lsp/config.toml");
        let error = parse_error("api_url = \"https://x\"\nweb_ulr = \"https://y\"\n", path);
        assert!(error.contains("config.toml line 2, column 1"), "{error}");
        let error = parse_error("api_url = \n", path);
        assert!(error.contains("line 1, column 1"), "{error}");
        assert!(UserConfig::parse("log = \"debug\"", path).is_ok());
    }

    #[test]
    fn the_users_file_is_read_whole_and_its_secret_is_never_repeated() {
        let path = Path::new("/c/config.toml");
        let text = "store = \"file\"\nca_file = \"/c/ca.pem\"\n[oauth]\nkey = \"k\"\nsecret = \"s\"\nports = [28727, 28728]\nreview_only = true\n";
        let config = UserConfig::parse(text, path).ok().unwrap();
        assert_eq!((config.store, config.oauth.ports), (StoreChoice::File, vec![28727, 28728]));
        assert!(config.oauth.review_only && config.oauth.key.as_deref() == Some("k"));
        assert!(config.oauth.secret.is_some_and(|secret| secret.same_as(&Secret::new("s".into()))));
        for secret in ["4711", "[4711]", "\"4711", "{ a = 4711 }"] {
            let error = parse_error(&format!("[oauth]\nsecret = {secret}\n"), path);
            assert!(error.contains("config.toml line 2") && !error.contains("4711"), "{error}");
        }
    }
}
