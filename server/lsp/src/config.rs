//! Settings that come over LSP, and the user's own file.
//!
//! Settings reach a server already merged, so a workspace may have written them: nothing here that decides where a
//! token goes can be set over LSP. Such things come from the user's file or the environment only.
//! docs/SETTINGS.md is written from this file. It must not know what a setting does.

use crate::worker::Secret;
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// One setting, as the documentation shows it.
#[derive(Clone, Copy, Debug)]
pub struct SettingSpec {
    /// The key below `bitbucket`, with dots.
    pub key: &'static str,
    /// What it takes, in words.
    pub takes: &'static str,
    /// The default, as JSON.
    pub default: &'static str,
    /// What it does.
    pub about: &'static str,
}

/// All settings, in the order of the documentation.
pub const SETTINGS: &[SettingSpec] = &[
    SettingSpec {
        key: "preferredRemotes",
        takes: "list of names",
        default: r#"["upstream", "origin"]"#,
        about: "The git remotes in which pull requests are looked for, best first; all others follow in their order in git's configuration.",
    },
    SettingSpec {
        key: "refreshInterval",
        takes: "seconds, 0 = off, else at least 15",
        default: "60",
        about: "How often Bitbucket is asked whether the pull request has changed.",
    },
    SettingSpec {
        key: "comments.enabled",
        takes: "boolean",
        default: "true",
        about: "Show comments in code.",
    },
    SettingSpec {
        key: "comments.severity",
        takes: "`hint`, `information`, `warning` or `error`",
        default: r#""information""#,
        about: "The severity of an open thread's diagnostic; one with open tasks is at least a warning, another outdated one a hint.",
    },
    SettingSpec {
        key: "comments.showResolved",
        takes: "boolean",
        default: "false",
        about: "Show resolved threads in code too, as hints.",
    },
    SettingSpec {
        key: "comments.showOutdated",
        takes: "boolean",
        default: "true",
        about: "Show outdated threads in code, as hints.",
    },
    SettingSpec {
        key: "comments.ignoreAuthors",
        takes: "list of names, nicknames or account ids",
        default: "[]",
        about: "Threads begun by these (bots, mostly) are not shown in code unless somebody else answered.",
    },
    SettingSpec {
        key: "codeLens.enabled",
        takes: "boolean",
        default: "true",
        about: "Code lenses: the pull request on the first line, each thread over its code.",
    },
    SettingSpec {
        key: "inlayHints.enabled",
        takes: "boolean",
        default: "false",
        about: "Inlay hints at the end of commented lines: author and number of replies.",
    },
    SettingSpec {
        key: "builds.enabled",
        takes: "boolean",
        default: "true",
        about: "Read and show the builds of the pull request.",
    },
];

/// Keys that people may try over LSP and that decide where a token goes.
const REFUSED: &[&str] = &[
    "apiUrl", "webUrl", "token", "email", "apiToken", "oauth", "store", "proxy", "caFile", "browser",
    "gitPath", "logFile",
];

/// Severity of an open thread's diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// `hint`
    Hint,
    /// `information`
    Information,
    /// `warning`
    Warning,
    /// `error`
    Error,
}

/// The settings in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `preferredRemotes`
    pub preferred_remotes: Vec<String>,
    /// `refreshInterval`, seconds; 0 = off.
    pub refresh_interval: u64,
    /// `comments.enabled`
    pub comments_enabled: bool,
    /// `comments.severity`
    pub severity: Severity,
    /// `comments.showResolved`
    pub show_resolved: bool,
    /// `comments.showOutdated`
    pub show_outdated: bool,
    /// `comments.ignoreAuthors`
    pub ignore_authors: Vec<String>,
    /// `codeLens.enabled`
    pub code_lens_enabled: bool,
    /// `inlayHints.enabled`
    pub inlay_hints_enabled: bool,
    /// `builds.enabled`
    pub builds_enabled: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            preferred_remotes: vec!["upstream".into(), "origin".into()],
            refresh_interval: 60,
            comments_enabled: true,
            severity: Severity::Information,
            show_resolved: false,
            show_outdated: true,
            ignore_authors: Vec::new(),
            code_lens_enabled: true,
            inlay_hints_enabled: false,
            builds_enabled: true,
        }
    }
}

impl Settings {
    /// Reads the section `bitbucket` (or an object that has it). What cannot be read keeps its default
    /// and gives a sentence; unknown keys give one too, so that a typo is seen.
    pub fn read(value: &Value) -> (Self, Vec<String>) {
        let mut settings = Self::default();
        let mut problems = Vec::new();
        let mut refused = Vec::new();
        let section = value.get("bitbucket").unwrap_or(value);
        match section {
            Value::Null => {}
            Value::Object(members) => {
                for (key, value) in members {
                    settings.read_member(key, value, &mut problems, &mut refused);
                }
            }
            _ => problems.push("The setting bitbucket must be an object; the defaults are used.".into()),
        }
        if !refused.is_empty() {
            let (what, is, it) = match refused.len() {
                1 => ("The setting", "is", "it"),
                _ => ("The settings", "are", "them"),
            };
            problems.push(format!(
                "{what} {} {is} not taken from the editor, because a workspace could set {it}; what there is of the kind belongs into the environment or the user's config.toml, as docs/SETTINGS.md says.",
                refused.join(", ")
            ));
        }
        (settings, problems)
    }

    fn read_member(
        &mut self,
        key: &str,
        value: &Value,
        problems: &mut Vec<String>,
        refused: &mut Vec<String>,
    ) {
        let nested = SETTINGS.iter().any(|spec| spec.key.starts_with(&format!("{key}.")));
        if let (true, Value::Object(members)) = (nested, value) {
            for (inner, value) in members {
                self.read_member(&format!("{key}.{inner}"), value, problems, refused);
            }
            return;
        }
        if REFUSED.iter().any(|known| key == *known || key.starts_with(&format!("{known}."))) {
            refused.push(format!("bitbucket.{key}"));
            return;
        }
        let Some(spec) = SETTINGS.iter().find(|spec| spec.key == key) else {
            // Wrappers keep settings of their own in the same section (the server's path, say).
            if !["server", "trace"].contains(&key.split('.').next().unwrap_or_default()) {
                problems.push(format!("There is no setting bitbucket.{key}; see docs/SETTINGS.md."));
            }
            return;
        };
        if value.is_null() {
            return;
        }
        if self.set(spec.key, value).is_none() {
            problems.push(format!(
                "The setting bitbucket.{key} takes {}; the default, {}, is used.",
                spec.takes, spec.default
            ));
        }
    }

    fn set(&mut self, key: &str, value: &Value) -> Option<()> {
        match key {
            "preferredRemotes" => self.preferred_remotes = names(value)?,
            "refreshInterval" => {
                let seconds = value.as_u64()?;
                self.refresh_interval = if seconds == 0 { 0 } else { seconds.clamp(15, 86_400) };
            }
            "comments.enabled" => self.comments_enabled = value.as_bool()?,
            "comments.severity" => {
                self.severity = match value.as_str()? {
                    "hint" => Severity::Hint,
                    "information" => Severity::Information,
                    "warning" => Severity::Warning,
                    "error" => Severity::Error,
                    _ => return None,
                }
            }
            "comments.showResolved" => self.show_resolved = value.as_bool()?,
            "comments.showOutdated" => self.show_outdated = value.as_bool()?,
            "comments.ignoreAuthors" => self.ignore_authors = names(value)?,
            "codeLens.enabled" => self.code_lens_enabled = value.as_bool()?,
            "inlayHints.enabled" => self.inlay_hints_enabled = value.as_bool()?,
            "builds.enabled" => self.builds_enabled = value.as_bool()?,
            _ => return None,
        }
        Some(())
    }
}

fn names(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

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

/// The folders that the server uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// Holds `config.toml`.
    pub config: PathBuf,
    /// Read-only documents, safe to delete.
    pub cache: PathBuf,
    /// The list of accounts, locks, and tokens where files were chosen for them.
    pub state: PathBuf,
}

impl Folders {
    /// From the environment (`BITBUCKET_LSP_CONFIG`, `BITBUCKET_LSP_CACHE`, `BITBUCKET_LSP_STATE`), else the system's
    /// places.
    pub fn find(get: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let places = directories::ProjectDirs::from("", "", "bitbucket-lsp");
        let pick = |name: &str, place: Option<&Path>| {
            get(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
                .or_else(|| place.map(Path::to_owned))
        };
        Some(Self {
            config: pick("BITBUCKET_LSP_CONFIG", places.as_ref().map(|places| places.config_dir()))?,
            cache: pick("BITBUCKET_LSP_CACHE", places.as_ref().map(|places| places.cache_dir()))?,
            state: pick(
                "BITBUCKET_LSP_STATE",
                places.as_ref().map(|places| places.state_dir().unwrap_or(places.data_local_dir())),
            )?,
        })
    }
}

/// docs/SETTINGS.md, whole.
pub fn settings_markdown() -> String {
    let mut text = String::from(
        "# Settings\n\n\
         <!-- Written from server/lsp/src/config.rs; `tests/tidy` checks it. To write it anew: `UPDATE_DOCS=1 cargo test -p tidy`. -->\n\n\
         ## In the editor\n\n\
         The section `bitbucket`, by `workspace/configuration`, `workspace/didChangeConfiguration` or `initializationOptions`.\n\
         Changes count at once.\n\n\
         | setting | takes | default | meaning |\n|---|---|---|---|\n",
    );
    for spec in SETTINGS {
        text.push_str(&format!(
            "| `bitbucket.{}` | {} | `{}` | {} |\n",
            spec.key, spec.takes, spec.default, spec.about
        ));
    }
    text.push_str(
        "\n## In the user's file or the environment\n\n\
         What decides where a token goes is never a workspace's to say, so it is not taken from the editor.\n\
         The file is `config.toml` in `$XDG_CONFIG_HOME/bitbucket-lsp` (Linux: `~/.config/bitbucket-lsp`), \
         `~/Library/Application Support/bitbucket-lsp` (macOS) or `%APPDATA%\\bitbucket-lsp\\config` (Windows).\n\
         The environment wins over the file.\n\n\
         | key in the file | environment | meaning |\n|---|---|---|\n",
    );
    for (key, variable, about) in USER_CONFIG {
        let variable = if variable.is_empty() { String::new() } else { format!("`{variable}` ") };
        text.push_str(&format!("| `{key}` | {variable}| {about} |\n"));
    }
    text.push_str(
        "| | `BITBUCKET_TOKEN` | A repository, project or workspace access token (sent as Bearer). |\n\
         | | `BITBUCKET_EMAIL` and `BITBUCKET_API_TOKEN` | The e-mail of your Atlassian account and an API token with scopes. |\n\
         | | `BITBUCKET_LSP_CONFIG` | The folder of `config.toml`. |\n\
         | | `BITBUCKET_LSP_CACHE` | The folder of read-only documents, safe to delete. |\n\
         | | `BITBUCKET_LSP_STATE` | The folder of the list of accounts (Linux: `~/.local/state/bitbucket-lsp`). |\n\
         | | `NO_PROXY` | Hosts that no proxy is asked for, as usual; loopback addresses never are. |\n\
         | | `SSL_CERT_FILE`, `SSL_CERT_DIR` | Certificates to trust in place of the system's (Linux). |\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_documented_defaults_are_the_defaults() {
        for spec in SETTINGS {
            let default: Value = serde_json::from_str(spec.default).expect(spec.key);
            let mut settings = Settings::default();
            assert!(settings.set(spec.key, &default).is_some(), "{} does not take its own default", spec.key);
            assert_eq!(settings, Settings::default(), "{}", spec.key);
        }
    }

    #[test]
    fn every_setting_is_read() {
        let (settings, problems) = Settings::read(&json!({"bitbucket": {
            "preferredRemotes": ["fork"], "refreshInterval": 3, "server": {"path": "x"},
            "comments": {"enabled": false, "severity": "warning", "showResolved": true, "showOutdated": false, "ignoreAuthors": ["bot"]},
            "codeLens": {"enabled": false}, "inlayHints": {"enabled": true}, "builds": {"enabled": false}
        }}));
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(
            settings,
            Settings {
                preferred_remotes: vec!["fork".into()],
                refresh_interval: 15,
                comments_enabled: false,
                severity: Severity::Warning,
                show_resolved: true,
                show_outdated: false,
                ignore_authors: vec!["bot".into()],
                code_lens_enabled: false,
                inlay_hints_enabled: true,
                builds_enabled: false,
            }
        );
    }

    #[test]
    fn dotted_keys_count_too() {
        let (settings, problems) = Settings::read(&json!({"comments.showResolved": true}));
        assert!(settings.show_resolved && problems.is_empty());
    }

    #[test]
    fn mistakes_are_named_and_do_no_harm() {
        let (settings, problems) = Settings::read(
            &json!({"comments": {"severty": "hint", "severity": 3}, "apiUrl": "https://evil.example"}),
        );
        assert_eq!(settings, Settings::default());
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems.iter().any(|text| text.contains("bitbucket.comments.severty")));
        assert!(problems.iter().any(|text| text.contains("apiUrl") && text.contains("config.toml")));
    }

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
