//! A record as JSON. The format is this module's own; a version says which.
//!
//! It must not know where it is kept.

use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::items::Items;
use super::{Grant, Owner, Secrets, VaultError};
use crate::secret::Secret;

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Record {
    version: u32,
    /// The owner as one word: a record that got to another owner is not used for it.
    owner: String,
    secrets: Stored,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
enum Stored {
    #[serde(rename = "oauth")]
    OAuth {
        access: Text,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refresh: Option<Text>,
        granted_at: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lifetime: Option<u64>,
        #[serde(default)]
        scopes: Vec<String>,
        #[serde(default)]
        stale: bool,
    },
    ApiToken {
        email: String,
        token: Text,
    },
    AccessToken {
        token: Text,
    },
    Consumer {
        key: String,
        secret: Text,
    },
}

/// A secret on its way in or out; nothing outside of this module can write one.
struct Text(Secret);

impl Text {
    fn of(secret: &Secret) -> Self {
        Self(secret.clone())
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::new(text)))
    }
}

/// The JSON of a record.
pub(super) fn written(owner: &Owner, secrets: &Secrets) -> Zeroizing<String> {
    let record = Record {
        version: VERSION,
        owner: owner.word(),
        secrets: match secrets {
            Secrets::OAuth(grant) => Stored::OAuth {
                access: Text::of(&grant.access),
                refresh: grant.refresh.as_ref().map(Text::of),
                granted_at: grant.granted_at,
                lifetime: grant.lifetime,
                scopes: grant.scopes.clone(),
                stale: grant.stale,
            },
            Secrets::ApiToken { email, token } => {
                Stored::ApiToken { email: email.clone(), token: Text::of(token) }
            }
            Secrets::AccessToken { token } => Stored::AccessToken { token: Text::of(token) },
            Secrets::Consumer { key, secret } => {
                Stored::Consumer { key: key.clone(), secret: Text::of(secret) }
            }
        },
    };
    // Texts and numbers only, so it cannot fail.
    Zeroizing::new(serde_json::to_string(&record).expect("a record has nothing that JSON cannot write"))
}

/// The secrets of a record.
pub(super) fn read(items: &Items<'_>, json: &str) -> Result<Secrets, VaultError> {
    let damaged = |_| items.damaged("the record cannot be read");
    let version: Version = serde_json::from_str(json).map_err(damaged)?;
    if version.version > VERSION {
        return Err(items.newer());
    }
    let record: Record = serde_json::from_str(json).map_err(damaged)?;
    if record.owner != items.owner.word() {
        return Err(items.damaged("it belongs to somebody else"));
    }
    let is_consumer = matches!(record.secrets, Stored::Consumer { .. });
    if is_consumer != matches!(items.owner, Owner::Consumer(_)) {
        return Err(items.damaged("it is of another kind"));
    }
    Ok(match record.secrets {
        Stored::OAuth { access, refresh, granted_at, lifetime, scopes, stale } => Secrets::OAuth(Grant {
            access: access.0,
            refresh: refresh.map(|Text(token)| token),
            granted_at,
            lifetime,
            scopes,
            stale,
        }),
        Stored::ApiToken { email, token } => Secrets::ApiToken { email, token: token.0 },
        Stored::AccessToken { token } => Secrets::AccessToken { token: token.0 },
        Stored::Consumer { key, secret } => Secrets::Consumer { key, secret: secret.0 },
    })
}
