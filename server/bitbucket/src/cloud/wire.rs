//! Objects as Bitbucket Cloud's API 2.0 writes them.
//!
//! Every field is optional, because each is missing or null somewhere: by age of the answer, by
//! `fields=`, for deleted accounts and forks. Fields that nothing here uses are not listed.
//! Nothing is renamed or interpreted; `convert` does that.
//! Source: Atlassian's OpenAPI description, corrected by recorded answers.
#![allow(missing_docs, reason = "fields are spelled and documented as in the API's reference")]

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::Value;

macro_rules! wire {
    ($($(#[$about:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
        #[serde(default, remote = "Self")]
        pub struct $name {
            $(pub $field: Option<$type>,)*
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $name::serialize(self, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                // What serde derives would take a list for a struct, too: `[]` for nothing at all.
                struct Members;
                impl<'de> Visitor<'de> for Members {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<$name, A::Error> {
                        $name::deserialize(MapAccessDeserializer::new(members))
                    }
                }
                deserializer.deserialize_map(Members)
            }
        }
    )*};
}

wire! {
    /// `links`: only those that are used.
    Links { html: Link, code: Link }
    /// One of `links`.
    Link { href: String }
    /// Text as typed and as rendered.
    Content { raw: String, html: String }
    /// `account`: a user, an app, a team, or a deleted one.
    User {
        uuid: String,
        account_id: String,
        display_name: String,
        nickname: String,
        username: String,
    }
    /// `participant` of a pull request.
    Participant { user: User, role: String, approved: bool, state: String }
    /// `workspace_membership`
    Member { user: User }
    /// `branch`
    Branch { name: String, target: Commit }
    /// `commit`, often only its hash.
    Commit { hash: String, message: String, date: String }
    /// `repository`
    Repository { uuid: String, full_name: String, name: String, slug: String }
    /// `source` or `destination`.
    Endpoint { branch: Branch, commit: Commit, repository: Repository }
    /// `pullrequest`
    PullRequest {
        id: Number,
        title: String,
        description: String,
        summary: Content,
        state: String,
        draft: bool,
        author: User,
        source: Endpoint,
        destination: Endpoint,
        participants: Vec<Participant>,
        reviewers: Vec<User>,
        comment_count: Number,
        task_count: Number,
        created_on: String,
        updated_on: String,
        links: Links,
    }
    /// `inline` of a comment: 1-based lines; the plain ones are the last, `start_*` the first.
    Inline {
        path: String,
        from: Number,
        to: Number,
        start_from: Number,
        start_to: Number,
        outdated: bool,
        src_rev: String,
        dest_rev: String,
    }
    /// Something that is only named by its id.
    Reference { id: Number }
    /// `comment_resolution`; `{}` too means resolved.
    Resolution { user: User, created_on: String }
    /// `pullrequest_comment`
    Comment {
        id: Number,
        parent: Reference,
        user: User,
        content: Content,
        created_on: String,
        updated_on: String,
        deleted: bool,
        pending: bool,
        inline: Inline,
        resolution: Resolution,
        links: Links,
    }
    /// A task has no `type` in answers, and `pending: true` even when it is live.
    Task {
        id: Number,
        comment: Reference,
        content: Content,
        creator: User,
        state: String,
        created_on: String,
        updated_on: String,
        resolved_on: String,
        resolved_by: User,
    }
    /// `build`
    BuildStatus {
        key: String,
        name: String,
        state: String,
        url: String,
        description: String,
        created_on: String,
        updated_on: String,
    }
    /// `diffstat`
    DiffStat {
        status: String,
        old: FileVersion,
        new: FileVersion,
        lines_added: Number,
        lines_removed: Number,
    }
    /// `commit_file`
    FileVersion { path: String }
    /// What an error's body holds. OAuth's errors have a word in place of the object.
    ErrorBody { error: ErrorObject }
    /// `error`
    ErrorObject { message: String, detail: Detail, fields: Fields, id: String }
}

/// `error.detail`: a sentence, or an object that names scopes.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, Serialize)]
#[serde(transparent)]
pub struct Detail(pub Value);

impl Detail {
    /// The scopes that are required and granted, where it names them.
    pub fn scopes(&self) -> Option<(Vec<String>, Vec<String>)> {
        let named = |key: &str| -> Option<Vec<String>> {
            match self.0.get(key)? {
                Value::Array(scopes) => {
                    Some(scopes.iter().filter_map(|scope| scope.as_str().map(str::to_owned)).collect())
                }
                Value::String(scope) => Some(vec![scope.clone()]),
                _ => None,
            }
        };
        Some((named("required")?, named("granted").unwrap_or_default()))
    }
}

/// `error.fields`: per field a message or a list of messages.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, Serialize)]
#[serde(transparent)]
pub struct Fields(pub Value);

/// A whole number: an id, a line or a count. Digits in a string and `5.0` are taken too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Number(pub i128);

impl Number {
    /// As an id, which is 0 or more.
    pub fn id(self) -> Option<u64> {
        u64::try_from(self.0).ok()
    }

    /// As a count: below 0 is nothing, and what is too large is as large as can be.
    pub fn count(self) -> u32 {
        u32::try_from(self.0.max(0)).unwrap_or(u32::MAX)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;
        impl Visitor<'_> for Whole {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number.into()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number.into()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Number, E> {
                // Beyond 2^53 a float no longer tells neighbours apart, so it is no id.
                match number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 {
                    true => Ok(Number(number as i128)),
                    false => Err(E::custom("not a whole number")),
                }
            }

            fn visit_str<E: Error>(self, digits: &str) -> Result<Number, E> {
                digits.parse::<i64>().map(|number| Number(number.into())).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_all_their_spellings() {
        let number = |json: &str| serde_json::from_str::<Number>(json).ok().map(|number| number.0);
        assert_eq!(number("7"), Some(7));
        assert_eq!(number("18446744073709551615"), Some(u64::MAX.into()));
        assert_eq!(number("-7"), Some(-7));
        assert_eq!(number("7.0"), Some(7));
        assert_eq!(number("\"7\""), Some(7));
        for wrong in ["18446744073709551616", "7.5", "1e300", "\"seven\"", "true", "[7]", "{}", "null"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
        assert_eq!(Number(-1).id(), None);
        assert_eq!((Number(-1).count(), Number(1 << 40).count()), (0, u32::MAX));
    }

    #[test]
    fn a_list_is_no_object() {
        assert!(serde_json::from_str::<Resolution>("[]").is_err());
        assert_eq!(serde_json::from_str::<Resolution>("{}").ok(), Some(Resolution::default()));
        assert_eq!(
            serde_json::from_str::<Comment>(r#"{"inline":null,"x":1}"#).ok(),
            Some(Comment::default())
        );
    }

    #[test]
    fn scopes_of_an_error() {
        let body = r#"{"error":{"detail":{"required":["a","b"],"granted":[]}}}"#;
        let body: ErrorBody = serde_json::from_str(body).unwrap();
        let detail = body.error.unwrap().detail.unwrap();
        assert_eq!(detail.scopes(), Some((vec!["a".into(), "b".into()], vec![])));
        assert_eq!(Detail(Value::String("text".into())).scopes(), None);
    }
}
