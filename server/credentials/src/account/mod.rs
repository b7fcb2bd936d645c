//! Stored accounts: what is known of them that is no secret.
//!
//! It must not know their secrets (see [`crate::vault`]), nor what a git repository is.

mod choose;
mod index;
mod origin;

use serde::{Deserialize, Serialize};

pub use choose::{Choice, NoChoice, Wanted, choose};
pub use index::{Accounts, IndexError, Loaded};
pub use origin::{NotAnOrigin, Origin};

/// Which account: on which host, and who.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccountKey {
    /// Scheme, host and port of the API that its tokens are for; they are handed out for no other.
    pub origin: Origin,
    /// Who.
    pub id: AccountId,
}

/// Who an account is. Names change and are never an identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountId {
    /// A person: `account_id` of `/user`, or `uuid` where there is none.
    User(String),
    /// A bot of an access token, named by what it opens.
    Bot(Opens),
}

/// What an access token opens. Slugs, as in URLs; compared without regard to case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opens {
    /// One repository.
    Repository {
        /// The workspace.
        workspace: String,
        /// The repository.
        repository: String,
    },
    /// The repositories of one project.
    Project {
        /// The workspace.
        workspace: String,
        /// The project's key.
        project: String,
    },
    /// All repositories of one workspace.
    Workspace {
        /// The workspace.
        workspace: String,
    },
}

/// How an account signs requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// OAuth: an access token that expires and a refresh token.
    #[serde(rename = "oauth")]
    OAuth,
    /// A personal API token, sent with the e-mail address.
    ApiToken {
        /// E-mail address of the Atlassian account.
        email: String,
    },
    /// A repository, project or workspace access token.
    AccessToken,
}

/// A stored account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAccount {
    /// Which one.
    pub key: AccountKey,
    /// How it signs.
    pub kind: Kind,
    /// The name to show.
    pub display_name: String,
    /// The short name to show; Bitbucket lets users change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// The name in the URLs of git remotes, where Bitbucket tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// What was granted, as Bitbucket spells it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// When the login itself ends, in seconds since 1970, where that is known: an API token has an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// When it was added, in seconds since 1970.
    pub added_at: u64,
    /// When somebody last signed in with it, in milliseconds since 1970: its tokens are other ones since.
    #[serde(default)]
    pub signed_in_at: u64,
    /// The store that has its tokens, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_in: Option<String>,
    /// What a newer version wrote, kept as it is.
    #[serde(flatten)]
    other: serde_json::Map<String, serde_json::Value>,
}

impl StoredAccount {
    /// An account with nothing optional known.
    pub fn new(key: AccountKey, kind: Kind, display_name: String, added_at: u64) -> Self {
        Self {
            key,
            kind,
            display_name,
            nickname: None,
            username: None,
            scopes: Vec::new(),
            expires_at: None,
            added_at,
            signed_in_at: 0,
            kept_in: None,
            other: serde_json::Map::new(),
        }
    }

    /// Whether a person would call it that: identity, user name, nickname, e-mail address or shown name, without
    /// regard to case.
    pub fn is_called(&self, name: &str) -> bool {
        let email = match &self.kind {
            Kind::ApiToken { email } => Some(email.as_str()),
            Kind::OAuth | Kind::AccessToken => None,
        };
        let id = match &self.key.id {
            AccountId::User(id) => Some(id.as_str()),
            AccountId::Bot(_) => None,
        };
        let names = [id, self.username.as_deref(), self.nickname.as_deref(), email];
        let mut names = names.into_iter().flatten().chain([self.display_name.as_str()]);
        names.any(|known| same(known, name))
    }
}

impl AccountKey {
    /// The key as one word, the same for the same account; for names of items and files.
    pub(crate) fn word(&self) -> String {
        let who = match &self.id {
            AccountId::User(id) => format!("user {id}"),
            AccountId::Bot(Opens::Repository { workspace, repository }) => {
                format!("repository {}/{}", lower(workspace), lower(repository))
            }
            AccountId::Bot(Opens::Project { workspace, project }) => {
                format!("project {}/{}", lower(workspace), lower(project))
            }
            AccountId::Bot(Opens::Workspace { workspace }) => format!("workspace {}", lower(workspace)),
        };
        format!("{} {who}", self.origin)
    }
}

fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// Names on Bitbucket are the same in upper and lower case.
fn same(one: &str, other: &str) -> bool {
    lower(one) == lower(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_words_and_differ() {
        let origin = Origin::of("https://api.bitbucket.org/2.0").unwrap();
        let key = |id| AccountKey { origin: origin.clone(), id };
        assert_eq!(
            key(AccountId::User("557058:Ab".into())).word(),
            "https://api.bitbucket.org user 557058:Ab"
        );
        let bot =
            key(AccountId::Bot(Opens::Repository { workspace: "Team".into(), repository: "App".into() }));
        assert_eq!(bot.word(), "https://api.bitbucket.org repository team/app");
    }

    #[test]
    fn an_account_is_called_by_any_of_its_names() {
        let origin = Origin::of("https://api.bitbucket.org").unwrap();
        let key = AccountKey { origin, id: AccountId::User("1:a".into()) };
        let email = "ana@x.org".to_owned();
        let mut ana = StoredAccount::new(key, Kind::ApiToken { email }, "Ana María".into(), 0);
        ana.nickname = Some("ana".into());
        for name in ["1:A", "ANA", "Ana@x.org", "ana maría"] {
            assert!(ana.is_called(name), "{name}");
        }
        assert!(!ana.is_called("an") && !ana.is_called(""));
    }
}
