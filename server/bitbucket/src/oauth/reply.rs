//! What the token endpoint answers.
//!
//! Pure. Tolerant of everything but the tokens themselves: a wrong one would sign the user out later.

use std::fmt;
use std::time::Duration;

use credentials::Secret;
use oauth2::basic::BasicTokenType;
use oauth2::{AccessToken, RefreshToken, Scope, TokenResponse};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::error::Error;

/// Tokens, as Bitbucket handed them out.
#[derive(Clone)]
pub struct TokenReply {
    /// Opaque; more than 2,500 characters are normal.
    pub access: Secret,
    /// Replaces the one that was used, if there is one. Without one the session ends with `access`, unless
    /// the refresh token that was used is still good.
    pub refresh: Option<Secret>,
    /// Seconds from the answer, as Bitbucket said.
    pub expires_in: Option<u64>,
    /// Empty if Bitbucket did not say.
    pub scopes: Vec<String>,
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// The code or the refresh token is no longer good (or never was): sign in again. A refresh token may have
    /// been used by another process of this computer in the meantime, so look at the store first.
    InvalidGrant,
    /// The consumer's key or secret is wrong, or the consumer was deleted.
    InvalidConsumer,
    /// Bitbucket refused for another reason.
    Refused {
        /// OAuth's word for it (RFC 6749 section 5.2).
        code: String,
    },
    /// The answer holds no usable token.
    Unreadable,
    /// The answer is longer than tokens are.
    TooLarge {
        /// The most that is read, in bytes.
        limit: usize,
    },
    /// Bitbucket was not reached, or has a problem: the tokens at hand stay good.
    Failed(Error),
}

impl TokenError {
    /// One sentence for the user: what happened, and what to do next.
    pub fn sentence(&self) -> String {
        match self {
            Self::InvalidGrant => {
                "Bitbucket no longer accepts this sign-in; run Bitbucket: Generate Token again.".into()
            }
            Self::InvalidConsumer => {
                "Bitbucket does not know the OAuth consumer's key and secret; compare them \
                with those under OAuth consumers in your workspace's settings."
                    .into()
            }
            Self::Refused { code } => {
                format!("Bitbucket refused the sign-in ({code}); check the OAuth consumer's settings.")
            }
            Self::Unreadable => {
                "Bitbucket's answer to the sign-in holds no usable token; try again, and report \
                it if it happens again."
                    .into()
            }
            Self::TooLarge { limit } => format!(
                "Bitbucket's answer to the sign-in is larger than {} KiB and was not read; try again, and report \
                it if it happens again.",
                limit >> 10
            ),
            Self::Failed(error) => error.sentence(),
        }
    }

    /// Whether the same request may well succeed later, with nothing changed here.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::InvalidGrant | Self::InvalidConsumer | Self::Refused { .. } => false,
            // What is wrong with an answer is seldom wrong with the next one, and tokens must not be lost for it.
            Self::Unreadable | Self::TooLarge { .. } => true,
            Self::Failed(error) => error.is_passing(),
        }
    }

    /// For the log.
    pub(crate) fn word(&self) -> String {
        match self {
            Self::InvalidGrant => "invalid_grant".into(),
            Self::InvalidConsumer => "invalid_client".into(),
            Self::Refused { code } => code.clone(),
            Self::Unreadable => "unreadable".into(),
            Self::TooLarge { .. } => "too large".into(),
            Self::Failed(Error::Server { status } | Error::Unexpected { status, .. }) => status.to_string(),
            Self::Failed(Error::Portal) => "portal".into(),
            Self::Failed(Error::Timeout) => "timeout".into(),
            Self::Failed(Error::RateLimited { .. }) => "429".into(),
            Self::Failed(_) => "offline".into(),
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

impl std::error::Error for TokenError {}

/// The word of an error answer; `None` if it has none that could be shown.
pub(crate) fn error_code(body: &[u8]) -> Option<String> {
    let Ok(Value::Object(members)) = serde_json::from_slice(body) else {
        return None;
    };
    let code = members.get("error")?.as_str()?;
    is_code(code).then(|| code.to_owned())
}

/// Whether a text is a plain word, as OAuth's error codes are.
pub(super) fn is_code(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=60).contains(&text.len()) && text.bytes().all(plain)
}

/// The answer as the `oauth2` crate wants it. Read by hand, because its own type knows `scope` only and
/// refuses numbers that are written as text.
#[derive(Debug)]
pub(crate) struct WireReply {
    access: AccessToken,
    kind: BasicTokenType,
    refresh: Option<RefreshToken>,
    expires_in: Option<u64>,
    scopes: Vec<Scope>,
}

impl From<WireReply> for TokenReply {
    fn from(wire: WireReply) -> Self {
        Self {
            access: Secret::new(wire.access.into_secret()),
            refresh: wire.refresh.map(|token| Secret::new(token.into_secret())),
            expires_in: wire.expires_in,
            scopes: wire.scopes.iter().map(|scope| scope.to_string()).collect(),
        }
    }
}

impl<'de> Deserialize<'de> for WireReply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut members = Map::deserialize(deserializer)?;
        let Some(Value::String(access)) = members.remove("access_token") else {
            return Err(D::Error::custom("no access token"));
        };
        let refresh = match members.remove("refresh_token") {
            None | Some(Value::Null) => None,
            Some(Value::String(token)) if token.is_empty() => None,
            Some(Value::String(token)) if is_token(&token) => Some(RefreshToken::new(token)),
            // Passing over it would sign the user out in two hours, and nobody would know why.
            Some(_) => return Err(D::Error::custom("an odd refresh token")),
        };
        let bearer = match members.get("token_type") {
            None | Some(Value::Null) => true,
            Some(kind) => kind.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")),
        };
        if !is_token(&access) || !bearer {
            return Err(D::Error::custom("an odd access token"));
        }
        Ok(Self {
            access: AccessToken::new(access),
            kind: BasicTokenType::Bearer,
            refresh,
            expires_in: members.get("expires_in").and_then(seconds),
            scopes: ["scope", "scopes"]
                .iter()
                .filter_map(|name| members.get(*name))
                .map(words)
                .find(|scopes| !scopes.is_empty())
                .unwrap_or_default(),
        })
    }
}

/// RFC 6750 section 2.1 allows fewer; what matters is that it cannot break a header.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn seconds(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number
            .as_u64()
            .or_else(|| number.as_f64().filter(|seconds| *seconds >= 0.0).map(|seconds| seconds as u64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Scopes as one text, apart by spaces or commas, or as a list of texts.
fn words(value: &Value) -> Vec<Scope> {
    let texts: Vec<&str> = match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let all = texts.iter().flat_map(|text| text.split([' ', ',', '\t']));
    all.filter(|word| is_token(word)).map(|word| Scope::new(word.to_owned())).collect()
}

impl Serialize for WireReply {
    /// The `oauth2` crate asks for it and never calls it. Tokens are not written out.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl TokenResponse for WireReply {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access
    }

    fn token_type(&self) -> &BasicTokenType {
        &self.kind
    }

    fn expires_in(&self) -> Option<Duration> {
        self.expires_in.map(Duration::from_secs)
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        Some(&self.scopes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Option<TokenReply> {
        serde_json::from_str::<WireReply>(json).ok().map(TokenReply::from)
    }

    #[test]
    fn both_spellings_of_scopes_are_read() {
        let scopes = |member: &str| {
            let json = format!(r#"{{"access_token":"a","token_type":"bearer",{member}}}"#);
            read(&json).unwrap().scopes.join("|")
        };
        assert_eq!(scopes(r#""scope":"account pullrequest:write""#), "account|pullrequest:write");
        assert_eq!(scopes(r#""scopes":"account, pullrequest""#), "account|pullrequest");
        assert_eq!(scopes(r#""scopes":["account","pullrequest"]"#), "account|pullrequest");
        assert_eq!(scopes(r#""scope":null,"scopes":"account""#), "account");
        assert_eq!(scopes(r#""scope":7"#), "");
        assert_eq!(scopes(r#""other":"x""#), "");
    }

    #[test]
    fn expiry_is_read_in_any_form_of_a_number() {
        let expiry = |value: &str| {
            read(&format!(r#"{{"access_token":"a","expires_in":{value}}}"#)).unwrap().expires_in
        };
        assert_eq!(expiry("7200"), Some(7200));
        assert_eq!(expiry("\"7200\""), Some(7200));
        assert_eq!(expiry("7200.9"), Some(7200));
        assert_eq!(expiry("1e300"), Some(u64::MAX));
        for odd in ["-1", "\"soon\"", "null", "[7200]", "{}"] {
            assert_eq!(expiry(odd), None, "{odd}");
        }
    }

    #[test]
    fn odd_tokens_are_refused_and_absent_ones_are_not() {
        assert!(read(r#"{"access_token":"a"}"#).unwrap().refresh.is_none());
        assert!(read(r#"{"access_token":"a","refresh_token":null}"#).unwrap().refresh.is_none());
        assert!(read(r#"{"access_token":"a","refresh_token":""}"#).unwrap().refresh.is_none());
        assert!(read(r#"{"access_token":"a","refresh_token":"r","token_type":"Bearer"}"#).is_some());
        for odd in [
            r#"{}"#,
            r#"[]"#,
            r#""access_token""#,
            r#"{"access_token":""}"#,
            r#"{"access_token":null}"#,
            r#"{"access_token":12}"#,
            r#"{"access_token":"a b"}"#,
            r#"{"access_token":"a\r\nX: y"}"#,
            r#"{"access_token":"ä"}"#,
            r#"{"access_token":"a","refresh_token":7}"#,
            r#"{"access_token":"a","refresh_token":"r\n"}"#,
            r#"{"access_token":"a","token_type":"mac"}"#,
            r#"{"access_token":"a","token_type":1}"#,
            r#"{"access_token":"a""#,
        ] {
            assert!(read(odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn error_codes_are_plain_words() {
        assert_eq!(
            error_code(br#"{"error":"invalid_grant","error_description":"x"}"#).as_deref(),
            Some("invalid_grant")
        );
        for odd in [
            &br#"{"error":"a b"}"#[..],
            br#"{"error":""}"#,
            br#"{"error":{"message":"x"}}"#,
            b"<html>",
            b"[]",
        ] {
            assert_eq!(error_code(odd), None);
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_read_without_a_panic(
            access in ".{0,20}", refresh in ".{0,20}", scope in ".{0,20}", cut in 0_usize..200,
        ) {
            let json = serde_json::json!({"access_token": access, "refresh_token": refresh, "scope": scope}).to_string();
            if let Some(reply) = read(&json) {
                prop_assert!(is_token(&access));
                prop_assert!(reply.scopes.iter().all(|scope| is_token(scope)));
            }
            let end = (0..=cut.min(json.len())).rev().find(|end| json.is_char_boundary(*end)).unwrap();
            prop_assert!(read(&json[..end]).is_none() || end == json.len());
        }
    }
}
