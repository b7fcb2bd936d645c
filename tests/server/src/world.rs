//! A world for a journey: a simulated Bitbucket, a clone of a repository in it, and folders for the server.

use crate::editor::{Editor, able};
use crate::logs;
use bitbucket::Contacts;
use bitbucket_lsp::worker::accounts::Oauth;
use bitbucket_lsp::worker::{Browser, Environment, Redactor};
use credentials::store::FileStore;
use serde_json::{Value, json};
use simulator::{Scenario, Simulator};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// What the server may write to: folders of the world.
const PLACES: [&str; 5] = ["cache", "config", "home", "state", "tmp"];

/// What a secret is in on purpose: the files that tokens are kept in where there is no keyring, and the user's own file,
/// which may hold the secret of an OAuth consumer.
const SECRET: [&str; 2] = ["state/secrets", "config/config.toml"];

/// The variables that a token comes by.
const CREDENTIALS: [&str; 3] = ["BITBUCKET_TOKEN", "BITBUCKET_EMAIL", "BITBUCKET_API_TOKEN"];

/// The world. Dropping it checks that every request and answer fitted Atlassian's OpenAPI file. If there are logs of the
/// journeys, it leaves there what the server wrote, but not what is secret on purpose.
pub struct World {
    /// Bitbucket.
    pub simulator: Simulator,
    /// The clone's work tree.
    pub clone: PathBuf,
    folder: TempDir,
    name: String,
    /// The hosts that servers in memory spoke to.
    contacts: Contacts,
}

impl World {
    /// The sample scenario with its pull request's branch checked out. `name` names the journey.
    pub async fn sample(name: &str) -> Self {
        Self::with(name, Scenario::demo()).await
    }

    /// A scenario's first pull request, checked out.
    pub async fn with(name: &str, scenario: Scenario) -> Self {
        let (repository, branch) = scenario.first_checkout().expect("a pull request in the scenario");
        Self::checkout(name, scenario, &repository, &branch).await
    }

    /// A branch of a repository of the scenario, checked out.
    pub async fn checkout(name: &str, scenario: Scenario, repository: &str, branch: &str) -> Self {
        let world = Self::start(name, scenario).await;
        world.clone_as("clone", repository, branch);
        world
    }

    /// A scenario of which nothing is cloned yet; the place for the clone is a folder that does not exist.
    pub async fn start(name: &str, scenario: Scenario) -> Self {
        let mut simulator = Simulator::start(scenario).await.expect("a simulator");
        simulator.check_against_openapi();
        let folder = tempfile::Builder::new().prefix("journey-").tempdir().expect("a folder");
        // The server makes the others where it needs them.
        for place in ["home", "tmp"] {
            std::fs::create_dir(folder.path().join(place)).expect("a folder");
        }
        let clone = folder.path().canonicalize().expect("a real path").join("clone");
        Self { simulator, clone, folder, name: name.to_owned(), contacts: Contacts::default() }
    }

    /// The small scenario of lists that tests of git use, with the branch of its pull request checked out.
    pub async fn picnic(name: &str) -> Self {
        Self::with(name, picnic()).await
    }

    /// Another clone, in a folder of this name.
    pub fn clone_as(&self, folder: &str, repository: &str, branch: &str) -> PathBuf {
        self.simulator.clone_to(&self.folder().join(folder), repository, branch).expect("a clone")
    }

    /// What the server is given: this Bitbucket, as the scenario's first account.
    pub fn environment(&self) -> Environment {
        let token = self.simulator.environment();
        let get = |name: &str| token.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let account = credentials::from_environment(&get).expect("usable credentials");
        Environment { account: Ok(account.map(|account| account.authorization)), ..self.signed_out() }
    }

    /// The same without credentials.
    pub fn signed_out(&self) -> Environment {
        let origin = bitbucket::Origin::new(Some(&self.simulator.api_url()), Some(&self.simulator.web_url()));
        Environment {
            origin: origin.expect("loopback addresses"),
            account: Ok(None),
            config: Ok("This is a test, without a file of the user's.".into()),
            oauth: Oauth::default(),
            // Never the keyring of whoever runs the tests.
            store: Arc::new(FileStore::new(self.folder().join("state/secrets"))),
            other_stores: Vec::new(),
            state: self.folder().join("state"),
            cache: self.folder().join("cache"),
            browser: Browser::Nothing,
            redactor: Redactor::default(),
            limits: bitbucket::Options { contacts: self.contacts.clone(), ..bitbucket::Options::default() },
            // Three looks, as in life, without the waiting.
            looks: vec![Duration::ZERO; 3],
        }
    }

    /// The environment variables that make the real binary do the same.
    pub fn variables(&self) -> Vec<(String, String)> {
        let mut variables = self.simulator.environment();
        for (name, folder) in [
            ("BITBUCKET_LSP_CONFIG", "config"),
            ("BITBUCKET_LSP_CACHE", "cache"),
            ("BITBUCKET_LSP_STATE", "state"),
            ("HOME", "home"),
            ("TMPDIR", "tmp"),
        ] {
            variables.push((name.to_owned(), self.folder().join(folder).display().to_string()));
        }
        variables
    }

    /// The same without credentials.
    pub fn signed_out_variables(&self) -> Vec<(String, String)> {
        let mut variables = self.variables();
        variables.retain(|(name, _)| !CREDENTIALS.contains(&name.as_str()));
        variables
    }

    /// A folder that goes when the world does. In it are the clone, and what the server may write to: `cache`, `config`,
    /// `home`, `state` and `tmp`.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("a real path")
    }

    /// An able editor with the clone as its folder.
    pub async fn editor(&self) -> Editor {
        self.editor_with(json!({})).await
    }

    /// The same with settings.
    pub async fn editor_with(&self, settings: Value) -> Editor {
        Editor::start(&self.name, self.environment(), &[&self.clone], able(), settings).await
    }

    /// An able editor with these folders.
    pub async fn editor_in(&self, folders: &[&Path]) -> Editor {
        Editor::start(&self.name, self.environment(), folders, able(), json!({})).await
    }

    /// A file of the clone.
    pub fn file(&self, path: &str) -> PathBuf {
        self.clone.join(path)
    }

    /// The 0-based line of the first line of a file that has `text`.
    pub fn line_of(&self, path: &str, text: &str) -> u32 {
        let content = std::fs::read_to_string(self.file(path)).expect("a file of the clone");
        let line = content.lines().position(|line| line.contains(text));
        u32::try_from(line.unwrap_or_else(|| panic!("{path} has no line with {text}")))
            .expect("a line number")
    }

    /// Replaces a text, found exactly once, in a file of the clone on disk.
    pub fn replace(&self, path: &str, old: &str, new: &str) {
        let text = std::fs::read_to_string(self.file(path)).expect("a file of the clone");
        assert_eq!(text.matches(old).count(), 1, "{old:?} in {path}");
        std::fs::write(self.file(path), text.replacen(old, new, 1)).expect("the file is written");
    }

    /// How many requests went to paths with this text in them.
    pub fn requests_to(&self, part: &str) -> usize {
        self.simulator.requests().iter().filter(|request| request.path.contains(part)).count()
    }

    /// Runs git in the clone without a network, as a user with a name, without the machine's own configuration.
    pub fn git(&self, arguments: &[&str]) {
        git(&self.clone, arguments);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let strangers = self.strangers();
        assert!(
            strangers.is_empty() || std::thread::panicking(),
            "other hosts were spoken to: {strangers:?}"
        );
        let Some(target) = logs::place("worlds", &self.name, "") else { return };
        // What an earlier run has left is not this world's.
        let _ = std::fs::remove_dir_all(&target);
        for place in PLACES {
            let (from, to) = (self.folder.path().join(place), target.join(place));
            if let Err(error) = copy(&from, &to, &SECRET.map(|secret| self.folder.path().join(secret))) {
                // What could not be kept was not searched: that must be seen. But not instead of another failure.
                let told = format!("{} could not be kept: {error}", from.display());
                assert!(std::thread::panicking(), "{told}");
            }
        }
    }
}

impl World {
    /// Hosts that a server in memory spoke to and that are not this Bitbucket.
    fn strangers(&self) -> Vec<String> {
        let hosts = self.contacts.list().into_iter().map(|(host, _)| host);
        hosts.filter(|host| *host != self.simulator.web_url()).collect()
    }
}

/// Copies a folder, if there is one: files, links and folders, `without` some.
fn copy(from: &Path, to: &Path, without: &[PathBuf]) -> std::io::Result<()> {
    if without.iter().any(|path| path == from) {
        return Ok(());
    }
    let Ok(found) = from.symlink_metadata() else { return Ok(()) };
    let content = if found.is_dir() {
        std::fs::create_dir_all(to)?;
        for entry in from.read_dir()? {
            let name = entry?.file_name();
            copy(&from.join(&name), &to.join(&name), without)?;
        }
        return Ok(());
    } else if found.is_symlink() {
        // Where it points to is all that there is to it.
        std::fs::read_link(from).map(|target| target.into_os_string().into_encoded_bytes())
    } else if found.is_file() {
        std::fs::read(from)
    } else {
        return Ok(());
    };
    match content {
        Ok(content) => std::fs::write(to, content),
        // A server that still runs has replaced or removed it.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// The scenario of `tests/fixtures/picnic.toml`.
pub fn picnic() -> Scenario {
    Scenario::parse(include_str!("../../fixtures/picnic.toml")).expect("the scenario parses")
}

/// Runs git in a folder; panics with what it said if it fails.
pub fn git(folder: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=Tess", "-c", "user.email=tess@example.com", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_EDITOR", "true")
        .output()
        .expect("git is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?} failed: {said}");
}
