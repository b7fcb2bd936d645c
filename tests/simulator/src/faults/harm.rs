//! What faults make of a request and of its answer.

use std::time::Duration;

use serde_json::Value;

use super::{Fault, Loss};
use crate::http::Answer;

/// What the faults make of one request.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) faults: Vec<Fault>,
}

impl Fault {
    /// The answer that stands in for the real one, if this fault has one.
    pub(crate) fn answer(&self) -> Option<Answer> {
        let error = |message: &str| serde_json::json!({"type": "error", "error": {"message": message}});
        Some(match self {
            Self::Unauthorized => {
                Answer::json(401, &error("Token is invalid or not supported for this endpoint"))
            }
            Self::MissingScope(scope) => {
                let mut body = error("Your credentials lack one or more required privilege scopes.");
                body["error"]["detail"] = serde_json::json!({"required": [scope], "granted": ["account"]});
                Answer::json(403, &body)
            }
            Self::Forbidden => Answer::json(403, &error("You may not have access to this repository.")),
            Self::NotFound => Answer::text(404, "Not Found"),
            Self::RateLimited(after) => {
                let answer = Answer::text(429, "Rate limit for this resource has been exceeded");
                match after {
                    Some(after) => answer.with("retry-after", after.clone()),
                    None => answer,
                }
            }
            Self::Status(status) => broken(*status),
            Self::RedirectElsewhere(address) => Answer::text(302, "").with("location", address.clone()),
            Self::HtmlPortal => {
                let page =
                    "<!doctype html><title>Guest network</title><form>Sign in to the guest network</form>";
                Answer::new(200, "text/html; charset=utf-8", page)
            }
            _ => return None,
        })
    }

    /// Changes the body of a JSON answer.
    pub(crate) fn alter(&self, body: &mut Value, here: &str) {
        let has_next = body.get("next").is_some();
        match self {
            Self::WrongTypes => match body.get_mut("values").and_then(Value::as_array_mut) {
                Some(values) => values.iter_mut().step_by(2).for_each(damage),
                None => damage(body),
            },
            Self::EvilNext(address) if body.get("values").is_some() => body["next"] = address.clone().into(),
            Self::LoopingNext if body.get("values").is_some() => body["next"] = here.into(),
            Self::OpaqueNext if has_next => {
                let opaque = body["next"].as_str().map(|next| next.replace("page=", "page=after-"));
                body["next"] = opaque.unwrap_or_default().into();
            }
            Self::HugeComment(bytes) => {
                let first = body.get_mut("values").and_then(|values| values.get_mut(0));
                if let Some(content) = first.and_then(|comment| comment.get_mut("content")) {
                    content["raw"] = "x".repeat(*bytes).into();
                    content["html"] = Value::Null;
                }
            }
            Self::NoRefreshToken => {
                if let Some(members) = body.as_object_mut() {
                    members.remove("refresh_token");
                }
            }
            _ => {}
        }
    }
}

impl Plan {
    pub(crate) fn has(&self, fault: &Fault) -> bool {
        self.faults.contains(fault)
    }

    pub(crate) fn latency(&self) -> Duration {
        let latency = |fault: &Fault| {
            if let Fault::Latency(time) = fault { Some(*time) } else { None }
        };
        self.faults.iter().filter_map(latency).sum()
    }

    pub(crate) fn answer(&self) -> Option<Answer> {
        self.faults.iter().find_map(Fault::answer)
    }

    /// How long the answer waits once everything is done: `Some(None)` until released.
    pub(crate) fn late(&self) -> Option<Option<Duration>> {
        let late = |fault: &Fault| {
            if let Fault::LateReply(time) = fault { Some(*time) } else { None }
        };
        self.faults.iter().find_map(late)
    }

    /// How the answer is lost.
    pub(crate) fn loss(&self) -> Option<Loss> {
        let loss = |fault: &Fault| {
            if let Fault::LostReply(loss) = fault { Some(*loss) } else { None }
        };
        self.faults.iter().find_map(loss)
    }

    /// Whether only a part of the answer goes out.
    pub(crate) fn cuts(&self) -> bool {
        self.has(&Fault::Cut) || self.loss() == Some(Loss::Cut)
    }

    /// Bytes each 10 ms.
    pub(crate) fn slow_body(&self) -> Option<usize> {
        self.faults.iter().find_map(
            |fault| {
                if let Fault::SlowBody(bytes) = fault { Some(*bytes) } else { None }
            },
        )
    }

    /// Names, for the log.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.faults.iter().map(Fault::name).collect()
    }

    /// Whether the answer is not the simulator's honest one.
    #[cfg_attr(not(feature = "openapi"), allow(dead_code, reason = "only the OpenAPI check asks"))]
    pub(crate) fn alters(&self) -> bool {
        let harmless = |fault: &Fault| {
            matches!(fault, Fault::Latency(_) | Fault::Hold | Fault::SlowBody(_) | Fault::LateReply(_))
        };
        !self.faults.iter().all(harmless)
    }
}

/// An answer of no use.
pub(crate) fn broken(status: u16) -> Answer {
    Answer::new(status, "text/html", "<html><body>Something went wrong</body></html>")
}

/// Gives members of an object types that Bitbucket never gives them.
fn damage(object: &mut Value) {
    let Some(members) = object.as_object_mut() else {
        return;
    };
    for (name, member) in members.iter_mut() {
        *member = match (name.as_str(), &member) {
            ("type" | "links", _) => continue,
            (_, Value::Number(number)) => Value::String(format!("number {number}")),
            (_, Value::String(_)) => serde_json::json!({"text": [1, 2]}),
            (_, Value::Bool(_)) => Value::String("perhaps".into()),
            (_, Value::Object(_)) => serde_json::json!([true]),
            (_, Value::Array(_) | Value::Null) => Value::from(7.5),
        };
    }
}
