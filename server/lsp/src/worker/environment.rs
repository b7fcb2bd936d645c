//! What the process around the server contributes: the user's file, the environment, the keyring.
//!
//! It must not take anything from an editor or a repository: what is decided here decides where tokens go.

use super::accounts::Oauth;
use super::{Browser, Environment};
use crate::config::{Folders, StoreChoice, UserConfig};
use bitbucket::{Certificates, Options, Proxy, Reach};
use credentials::store::{FileStore, KeyringStore, Store};
use credentials::{Redactor, Secret};
use std::path::Path;
use std::sync::Arc;

/// The name that items in the keyring are kept under.
const SERVICE: &str = "bitbucket-lsp";

impl Environment {
    /// From the user's file (read, or why it could not be) and the variables that `get` looks up. `folders`: where
    /// things are kept.
    ///
    /// What is wrong with the file keeps everything from being sent, and is told by the status.
    ///
    /// # Errors
    /// A sentence: an address that cannot be Bitbucket's, without which there is nothing to serve.
    pub fn of_process(
        config: Result<(UserConfig, String), String>,
        folders: Folders,
        get: &dyn Fn(&str) -> Option<String>,
        redactor: Redactor,
    ) -> Result<Self, String> {
        let (config, mut report) = match config {
            Ok((config, sentence)) => (config, Ok(sentence)),
            Err(sentence) => (UserConfig::default(), Err(sentence)),
        };
        let set = |name: &str| get(name).filter(|value| !value.is_empty());
        let origin = bitbucket::Origin::new(
            set("BITBUCKET_API_URL").or(config.api_url).as_deref(),
            set("BITBUCKET_WEB_URL").or(config.web_url).as_deref(),
        );
        let origin = origin.map_err(|error| error.to_string())?;
        let mut limits = Options::default();
        if let Err(sentence) = surroundings(&mut limits, config.ca_file.as_deref(), config.proxy.as_deref()) {
            report = Err(sentence);
        }
        let key = set("BITBUCKET_LSP_OAUTH_KEY").or(config.oauth.key);
        let secret = set("BITBUCKET_LSP_OAUTH_SECRET").map(Secret::new).or(config.oauth.secret);
        let oauth = Oauth {
            key,
            secret,
            ports: config.oauth.ports,
            reach: if config.oauth.review_only { Reach::ReviewOnly } else { Reach::Full },
        };
        redactor.learn(&oauth.secret);
        // A file that could not be read may hold the address of another Bitbucket: no token is sent on a guess.
        let account = match &report {
            Err(sentence) => Err(sentence.clone()),
            Ok(_) => {
                let found = credentials::from_environment(get).map_err(|error| error.to_string());
                found.map(|found| found.map(|account| account.authorization))
            }
        };
        if let Ok(Some(account)) = &account {
            redactor.learn([account.secret()]);
        }
        let keyring: Arc<dyn Store> = Arc::new(KeyringStore::new(SERVICE));
        let files: Arc<dyn Store> = Arc::new(FileStore::new(folders.state.join("secrets")));
        let (store, other) = match config.store {
            StoreChoice::Keyring => (keyring, files),
            StoreChoice::File => (files, keyring),
        };
        Ok(Self {
            origin,
            account,
            config: report,
            oauth,
            store,
            other_stores: vec![other],
            state: folders.state,
            cache: folders.cache,
            browser: config.browser.map_or(Browser::System, Browser::Program),
            redactor,
            limits,
            looks: drafts::Waits::default().before_looks,
        })
    }
}

fn surroundings(limits: &mut Options, ca_file: Option<&Path>, proxy: Option<&str>) -> Result<(), String> {
    if let Some(file) = ca_file {
        let shown = file.display();
        let pem = std::fs::read(file).map_err(|error| {
            format!("The file {shown}, which config.toml names as ca_file, could not be read: {error}; put that right.")
        })?;
        let certificates = Certificates::of(&pem).map_err(|why| {
            format!("The file {shown}, which config.toml names as ca_file, {why}; name another one.")
        })?;
        limits.certificates = Some(certificates);
    }
    if let Some(proxy) = proxy {
        let proxy =
            Proxy::of(proxy).map_err(|why| format!("The proxy in config.toml {why}; put that right."))?;
        limits.proxy = Some(proxy);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(config: Result<&str, &str>, variables: &[(&str, &str)]) -> Result<Environment, String> {
        let folder = Path::new("/nonexistent/bitbucket-lsp");
        let folders = Folders { config: folder.into(), cache: folder.into(), state: folder.into() };
        let config = match config {
            Ok(text) => {
                UserConfig::parse(text, folder).map(|config| (config, "The file is read.".to_owned()))
            }
            Err(sentence) => Err(sentence.to_owned()),
        };
        let get = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Environment::of_process(config, folders, &get, Redactor::default())
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = "api_url = \"https://file.test/2.0\"\n[oauth]\nkey = \"file\"\nports = [4000]\n";
        let variables =
            [("BITBUCKET_API_URL", "https://variable.test/2.0"), ("BITBUCKET_LSP_OAUTH_KEY", "variable")];
        let environment = read(Ok(file), &variables).ok().unwrap();
        assert_eq!(environment.origin.api().as_str(), "https://variable.test/2.0");
        assert_eq!(environment.oauth.key.as_deref(), Some("variable"));
        assert_eq!(environment.oauth.ports, [4000]);
        assert!(matches!(environment.account, Ok(None)));
    }

    #[test]
    fn nothing_is_sent_where_the_file_is_wrong() {
        let variables = [("BITBUCKET_TOKEN", "tok-1")];
        for (file, why) in [
            (Err("It could not be read."), "It could not be read."),
            (
                Ok("proxy = \"socks5://p:1\""),
                "The proxy in config.toml is not an http or https URL; put that right.",
            ),
            (
                Ok("ca_file = \"/nonexistent/ca.pem\""),
                "which config.toml names as ca_file, could not be read",
            ),
        ] {
            let environment = read(file, &variables).ok().unwrap();
            let sentence = environment.account.err().unwrap();
            assert!(sentence.contains(why), "{sentence}");
            assert_eq!(environment.config, Err(sentence));
        }
        assert!(read(Ok("api_url = \"http://bitbucket.org\""), &[]).is_err());
    }
}
