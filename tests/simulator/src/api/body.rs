//! Bodies of requests that change something: what is in them, and how Bitbucket refuses them.

use serde_json::{Map, Value, json};

use super::Result;
use crate::http::{Answer, Request};

/// Longest text, in characters. The simulator's choice: it is what Bitbucket Data Center allows; where Bitbucket Cloud
/// ends is not published.
const LONGEST: usize = 32_768;

/// The members of a body.
pub(super) struct Body(Map<String, Value>);

impl Body {
    /// The body of a request that must have one.
    pub(super) fn required(request: &Request) -> Result<Self> {
        Ok(Self(read(request)?.unwrap_or_default()))
    }

    /// Refuses a body that is promised and then missing or broken; else it does not matter.
    pub(super) fn ignored(request: &Request) -> Result<()> {
        read(request).map(drop)
    }

    /// `content.raw`, which must say something.
    pub(super) fn text(&self) -> Result<String> {
        let raw = match self.0.get("content") {
            None | Some(Value::Null) => return Err(missing("content")),
            Some(Value::Object(content)) => content.get("raw").ok_or_else(|| missing("content.raw"))?,
            Some(_) => return Err(invalid("content", "expected a dictionary")),
        };
        let raw = raw.as_str().ok_or_else(|| invalid("content.raw", "expected str"))?;
        if raw.trim().is_empty() {
            return Err(invalid("content.raw", "This field may not be blank."));
        }
        if raw.chars().count() > LONGEST {
            let message = format!("Ensure this value has at most {LONGEST} characters.");
            return Err(invalid("content.raw", &message));
        }
        Ok(raw.to_owned())
    }

    /// The `id` in a member that refers to something else.
    pub(super) fn id_of(&self, name: &str) -> Result<Option<u64>> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(other) => match other.get("id").and_then(Value::as_u64) {
                Some(id) => Ok(Some(id)),
                None => Err(invalid(&format!("{name}.id"), "expected int")),
            },
        }
    }

    /// A member as it is; `None` where it is missing or null.
    pub(super) fn member(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }
}

/// A body that is called JSON and is none, or is not there at all, is refused in plain text.
fn read(request: &Request) -> Result<Option<Map<String, Value>>> {
    let kind = request.header("content-type").unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/json") {
        // Read as a form, in which no member has a name that is asked for.
        return Ok(None);
    }
    serde_json::from_slice(&request.body).map(Some).map_err(|_| Answer::text(400, "Bad Request"))
}

/// A member has a value that it cannot have; `fields` has lists.
pub(super) fn invalid(field: &str, message: &str) -> Answer {
    refused(&format!("{field}: {message}"), json!({field: [message]}))
}

/// A member is missing; `fields` has plain texts.
fn missing(field: &str) -> Answer {
    refused("Bad request", json!({field: "required key not provided"}))
}

fn refused(message: &str, fields: Value) -> Answer {
    Answer::json(400, &json!({"type": "error", "error": {"message": message, "fields": fields}}))
}
