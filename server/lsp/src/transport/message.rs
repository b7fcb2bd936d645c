//! Messages: one body of JSON, taken apart into what JSON-RPC knows.
//!
//! Knows JSON-RPC 2.0 and nothing of the methods.
//! Whatever a client sends comes out as something that can be acted on; nothing here fails.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tower_lsp::jsonrpc::{Error, Id, Response};

/// What a client sent.
#[derive(Debug, PartialEq)]
pub(super) enum Incoming {
    /// Wants an answer.
    Request { id: Id, method: String, params: Option<Value> },
    /// Wants none.
    Notification { method: String, params: Option<Value> },
    /// Answers one of our requests.
    Response(Response),
    /// Cannot be handed on; the answer says so.
    Invalid(Response),
    /// An answer that does not say to what.
    /// Not answered: two programs that answer each other's errors never end.
    Stray,
}

/// Reads one message.
///
/// The nesting that `serde_json` reads is limited (128 levels), so a deep body costs an error and no stack.
pub(super) fn decode(body: &[u8]) -> Incoming {
    match serde_json::from_slice(body) {
        Ok(Value::Object(message)) => sort(message),
        Ok(_) => Incoming::Invalid(Response::from_error(Id::Null, Error::invalid_request())),
        Err(_) => Incoming::Invalid(Response::from_error(id_of_unreadable(body), Error::parse_error())),
    }
}

/// A message with its header, ready to be written.
pub(super) fn encode(message: &impl Serialize) -> Vec<u8> {
    // Only `Value`s with text for keys are in our messages, and these always serialise.
    let body = serde_json::to_vec(message).unwrap_or_default();
    let mut frame = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    frame.extend(body);
    frame
}

/// The id that a client gave to a request or named in `$/cancelRequest`.
/// Other than JSON-RPC, LSP has no `null` here, and no fractions.
pub(super) fn id(value: &Value) -> Option<Id> {
    match value {
        Value::Number(number) => number.as_i64().map(Id::Number),
        Value::String(text) => Some(Id::String(text.clone())),
        _ => None,
    }
}

fn sort(mut message: Map<String, Value>) -> Incoming {
    let given = message.remove("id");
    let id = given.as_ref().and_then(id);
    let invalid = |id: Option<Id>| {
        Incoming::Invalid(Response::from_error(id.unwrap_or_default(), Error::invalid_request()))
    };
    let params = message.remove("params");
    match message.remove("method") {
        Some(Value::String(method)) if message.get("jsonrpc").is_some_and(|version| version == "2.0") => {
            match (given, id) {
                (None, _) => Incoming::Notification { method, params },
                (Some(_), Some(id)) => Incoming::Request { id, method, params },
                (Some(_), None) => invalid(None),
            }
        }
        None if message.contains_key("result") || message.contains_key("error") => match id {
            Some(id) => Incoming::Response(Response::from_parts(id, outcome(message))),
            None => Incoming::Stray,
        },
        _ => invalid(id),
    }
}

/// What a client answered.
/// An error that is not formed like one is still an error: our side waits for it.
fn outcome(mut message: Map<String, Value>) -> Result<Value, Error> {
    match message.remove("error") {
        None | Some(Value::Null) => Ok(message.remove("result").unwrap_or_default()),
        Some(error) => Err(serde_json::from_value(error).unwrap_or_else(|_| Error::internal_error())),
    }
}

/// The id of a request that cannot be read for what is inside of it: text that is not UTF-8, half a surrogate
/// pair, nesting without end.
/// With the id in the answer, the client need not wait for ever.
fn id_of_unreadable(body: &[u8]) -> Id {
    #[derive(Deserialize)]
    struct Envelope {
        id: Option<Id>,
        method: Option<IgnoredAny>,
    }
    match serde_json::from_slice(body) {
        Ok(Envelope { id: Some(id), method: Some(_) }) => id,
        _ => Id::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tower_lsp::jsonrpc::ErrorCode;

    use super::*;

    fn refusal(body: &[u8]) -> (Id, ErrorCode) {
        match decode(body) {
            Incoming::Invalid(response) => {
                let (id, outcome) = response.into_parts();
                (id, outcome.unwrap_err().code)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn tells_the_kinds_apart() {
        assert_eq!(
            decode(br#"{"jsonrpc":"2.0","id":"a","method":"m","params":[1]}"#),
            Incoming::Request { id: "a".into(), method: "m".into(), params: Some(json!([1])) }
        );
        assert_eq!(
            decode(br#"{"jsonrpc":"2.0","method":"m"}"#),
            Incoming::Notification { method: "m".into(), params: None }
        );
        assert_eq!(
            decode(br#"{"jsonrpc":"2.0","id":7,"result":null,"error":null}"#),
            Incoming::Response(Response::from_ok(7.into(), Value::Null))
        );
        assert_eq!(
            decode(br#"{"jsonrpc":"2.0","id":7,"error":"no"}"#),
            Incoming::Response(Response::from_error(7.into(), Error::internal_error()))
        );
        assert_eq!(
            decode(br#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}}"#),
            Incoming::Stray
        );
    }

    #[test]
    fn refuses_what_is_no_request() {
        for body in ["[]", r#"[{"jsonrpc":"2.0","id":1,"method":"m"}]"#, "\"text\"", "1", "null", "{}"] {
            assert_eq!(refusal(body.as_bytes()), (Id::Null, ErrorCode::InvalidRequest), "{body}");
        }
        for id in ["1.5", "1.0", "{}", "[]", "null", "true", "9223372036854775808"] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"m"}}"#);
            assert_eq!(refusal(body.as_bytes()), (Id::Null, ErrorCode::InvalidRequest), "{body}");
        }
        for rest in
            [r#""jsonrpc":"2.0""#, r#""jsonrpc":"1.0","method":"m""#, r#""method":"m""#, r#""method":1"#]
        {
            let body = format!(r#"{{"id":3,{rest}}}"#);
            assert_eq!(refusal(body.as_bytes()), (3.into(), ErrorCode::InvalidRequest), "{body}");
        }
    }

    #[test]
    fn answers_the_unreadable_under_its_own_id_where_it_has_one() {
        let with = |text: &[u8]| [br#"{"jsonrpc":"2.0","id":5,"method":"m","params":"#, text, b"}"].concat();
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        for inside in [deep.as_bytes(), b"\"\xff\"", br#""\ud800""#, b"1e999"] {
            assert_eq!(refusal(&with(inside)), (5.into(), ErrorCode::ParseError));
        }
        for body in
            [deep.as_bytes(), "[".repeat(200_000).as_bytes(), b"", b"{", b"{\"id\":5,\"method\":", b"\xff"]
        {
            assert_eq!(refusal(body), (Id::Null, ErrorCode::ParseError));
        }
    }
}
