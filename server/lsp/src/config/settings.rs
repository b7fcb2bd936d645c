//! Settings that come over LSP. It must not know the user's own file.

use serde_json::Value;

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
}
