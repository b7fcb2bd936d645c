//! What an answer's status, headers and body mean.
//!
//! Pure: it must not send anything. It goes by status codes; Bitbucket's texts are localized.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use serde_json::Value;

use super::{Want, unexpected};
use crate::cloud::wire::{ErrorBody, Fields};
use crate::cloud::{read_wire, without_mark};
use crate::error::Error;

/// The most that is read of an error's text, in bytes.
pub(super) const ERROR_LIMIT: usize = 64 << 10;

/// The most that is read of what is wrong with a write: fields, and how deep they nest.
const MOST_FIELDS: usize = 20;
const FIELD_DEPTH: usize = 4;

/// The body of a 200, if it is what was wanted.
pub(super) fn accept(body: Vec<u8>, headers: &HeaderMap, want: Want) -> Result<Vec<u8>, Error> {
    let kind = content_type(headers);
    let is_html = kind.starts_with("text/html") || kind.starts_with("application/xhtml");
    let first = without_mark(&body).iter().find(|byte| !byte.is_ascii_whitespace());
    let good = match want {
        // Proxies are known to rename the type, so text that begins as JSON does is read.
        Want::Json => !is_html && matches!(first, Some(b'{' | b'[')),
        Want::File { html } => html || !is_html || first != Some(&b'<'),
        Want::Diff => !is_html,
    };
    match good {
        true => Ok(body),
        false if want == Want::Json && kind.contains("json") => Err(unexpected(200, "no JSON object")),
        false => Err(Error::Portal),
    }
}

/// The error of any status but 200.
pub(super) fn error(status: u16, headers: &HeaderMap, body: &[u8], basic: bool) -> Error {
    match status {
        401 => Error::Unauthorized { basic },
        // A filter or proxy of the network blocks in HTML; Bitbucket's API refuses in JSON or plain text.
        403 if content_type(headers).starts_with("text/html") => Error::Portal,
        403 => missing_scope(headers, body).unwrap_or(Error::Forbidden),
        404 => Error::NotFound,
        407 | 511 => Error::Portal,
        410 => Error::Gone,
        429 => Error::RateLimited { retry_after: retry_after(headers).unwrap_or_default() },
        500.. => Error::Server { status },
        _ => unexpected(status, message(body).unwrap_or_else(|| "an odd status".into())),
    }
}

/// The error of a 4xx that a write was answered with; these name what is wrong with it.
pub(super) fn refusal(status: u16, headers: &HeaderMap, body: &[u8], basic: bool) -> Error {
    match status {
        400 | 413 | 414 | 422 => {
            let (fields, what) = objections(headers, body);
            Error::Invalid { fields, what }
        }
        409 => Error::Conflict,
        _ => error(status, headers, body, basic),
    }
}

/// What `Retry-After` says (RFC 9110 section 10.2.3), as a time from now.
///
/// A date is compared with the answer's own `Date`, so that the clock here does not matter.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX >> 1)));
    }
    let until = moment(text)?;
    let now = date(headers).unwrap_or_else(jiff::Timestamp::now);
    Some(Duration::from_secs(u64::try_from(until.as_second() - now.as_second()).unwrap_or(0)))
}

/// When the answer was made, by the clock of whoever made it.
pub(super) fn date(headers: &HeaderMap) -> Option<jiff::Timestamp> {
    moment(headers.get(DATE)?.to_str().ok()?)
}

/// A date of HTTP (RFC 9110 section 5.6.7).
fn moment(text: &str) -> Option<jiff::Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

pub(super) fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().trim().to_ascii_lowercase()
}

/// From `error.detail` of the body, else from the pair of headers that name scopes.
fn missing_scope(headers: &HeaderMap, body: &[u8]) -> Option<Error> {
    let (body, _) = read_wire::<ErrorBody>(body).unwrap_or_default();
    let detail = body.error.and_then(|error| error.detail).and_then(|detail| detail.scopes());
    if let Some((required, granted)) = detail.filter(|(required, _)| !required.is_empty()) {
        return Some(Error::MissingScope { required, granted });
    }
    let granted = scopes(headers, "x-oauth-scopes")?;
    let accepted = scopes(headers, "x-accepted-oauth-scopes")?;
    let lacks = !accepted.is_empty() && !accepted.iter().any(|scope| covers(&granted, scope));
    lacks.then_some(Error::MissingScope { required: accepted, granted })
}

/// The scopes that a header lists, `None` without such a header.
pub(super) fn scopes(headers: &HeaderMap, name: &str) -> Option<Vec<String>> {
    let text = headers.get(name)?.to_str().ok()?;
    let scopes = text.split(',').map(str::trim).filter(|scope| !scope.is_empty());
    Some(scopes.map(str::to_owned).collect())
}

/// Whether a scope is granted, itself or by one that includes it.
pub(crate) fn covers(granted: &[String], scope: &str) -> bool {
    granted.iter().any(|have| {
        let same_resource = have.split(':').next() == scope.split(':').next();
        // `x:admin` includes `x:write`, which includes `x`; pull requests include reading repositories.
        // API tokens name scopes otherwise (`read:x:bitbucket`), and there none includes another.
        have == scope
            || (same_resource && !scope.contains(':') && !have.ends_with(":bitbucket"))
            || (same_resource && scope.ends_with(":write") && have.ends_with(":admin"))
            || (scope == "repository" && have.starts_with("pullrequest"))
            || (scope == "repository:write" && have == "pullrequest:write")
            || (have.ends_with(":bitbucket") != scope.ends_with(":bitbucket"))
    })
}

/// What Bitbucket says about a 4xx, cut to a line.
fn message(body: &[u8]) -> Option<String> {
    let (body, _) = read_wire::<ErrorBody>(body)?;
    line(&body.error?.message?)
}

/// What is wrong with a write, by field and altogether.
fn objections(headers: &HeaderMap, body: &[u8]) -> (Vec<(String, String)>, String) {
    let Some((body, _)) = read_wire::<ErrorBody>(body) else {
        // Some come as a plain word or two.
        let is_text = content_type(headers).starts_with("text/plain");
        let text = is_text.then(|| String::from_utf8_lossy(body)).and_then(|text| line(&text));
        return (Vec::new(), text.unwrap_or_default());
    };
    let error = body.error.unwrap_or_default();
    let mut fields = Vec::new();
    if let Some(Fields(value)) = error.fields {
        collect(&value, "", FIELD_DEPTH, &mut fields);
    }
    (fields, error.message.and_then(|message| line(&message)).unwrap_or_default())
}

/// The messages within `error.fields`, each with its field's name; nested ones are joined by dots.
fn collect(value: &Value, field: &str, depth: usize, found: &mut Vec<(String, String)>) {
    if found.len() >= MOST_FIELDS {
        return;
    }
    match value {
        Value::String(message) => {
            if let Some(message) = line(message) {
                found.push((field.to_owned(), message));
            }
        }
        Value::Array(values) if depth > 0 => {
            values.iter().for_each(|value| collect(value, field, depth - 1, found));
        }
        Value::Object(members) if depth > 0 => {
            for (key, value) in members {
                let key = line(key).unwrap_or_default();
                let name = if field.is_empty() { key } else { format!("{field}.{key}") };
                collect(value, &name, depth - 1, found);
            }
        }
        _ => {}
    }
}

/// One line of at most 200 characters; `None` if there is nothing in it.
fn line(text: &str) -> Option<String> {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    (!line.trim().is_empty()).then(|| line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn retry_after_in_both_forms() {
        let told = |pairs: &[(&str, &str)]| retry_after(&headers(pairs)).map(|wait| wait.as_secs());
        assert_eq!(told(&[]), None);
        assert_eq!(told(&[("retry-after", "17")]), Some(17));
        assert_eq!(told(&[("retry-after", " 0 ")]), Some(0));
        assert_eq!(told(&[("retry-after", "soon")]), None);
        assert_eq!(told(&[("retry-after", "-5")]), None);
        assert!(told(&[("retry-after", "99999999999999999999999")]) > Some(300));
        let date = ("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT");
        assert_eq!(told(&[date, ("date", "Sun, 06 Nov 1994 08:49:37 GMT")]), Some(60));
        assert_eq!(told(&[date, ("date", "Sun, 06 Nov 1994 09:49:37 GMT")]), Some(0));
        // Without a `Date` the clock here must do: the date is long past.
        assert_eq!(told(&[date]), Some(0));
    }

    #[test]
    fn what_is_not_json_is_a_portal() {
        let json = |kind: &str, body: &str| {
            accept(body.into(), &headers(&[("content-type", kind)]), Want::Json).map(|body| body.len())
        };
        assert_eq!(json("application/json; charset=utf-8", "{}"), Ok(2));
        assert_eq!(json("Application/JSON", "\u{feff} {}"), Ok(6));
        assert_eq!(json("application/hal+json", "[]"), Ok(2));
        assert_eq!(json("text/plain", "{}"), Ok(2));
        assert_eq!(json("text/html", "<html>"), Err(Error::Portal));
        assert_eq!(json("text/html", "{}"), Err(Error::Portal));
        assert_eq!(json("text/plain", "Welcome"), Err(Error::Portal));
        assert_eq!(json("application/octet-stream", "\0"), Err(Error::Portal));
        assert!(matches!(json("application/json", "oops"), Err(Error::Unexpected { .. })));
        assert!(matches!(json("application/json", ""), Err(Error::Unexpected { .. })));
        assert_eq!(accept(b"{}".into(), &HeaderMap::new(), Want::Json), Ok(b"{}".into()));
    }

    #[test]
    fn files_may_be_html_where_their_name_says_so() {
        let html = headers(&[("content-type", "text/html")]);
        let page = || b"<!doctype html>".to_vec();
        assert_eq!(accept(page(), &html, Want::File { html: true }), Ok(page()));
        assert_eq!(accept(page(), &html, Want::File { html: false }), Err(Error::Portal));
        assert_eq!(accept(b"x".into(), &html, Want::File { html: false }), Ok(b"x".into()));
        assert_eq!(accept(page(), &html, Want::Diff), Err(Error::Portal));
        assert_eq!(accept(vec![], &HeaderMap::new(), Want::Diff), Ok(vec![]));
    }

    #[test]
    fn a_missing_scope_is_read_from_the_body_or_the_headers() {
        let body = br#"{"type":"error","error":{"message":"no","detail":{"required":["pullrequest"],"granted":["account"]}}}"#;
        let expected =
            Error::MissingScope { required: names(&["pullrequest"]), granted: names(&["account"]) };
        assert_eq!(error(403, &HeaderMap::new(), body, false), expected);
        let said = |granted: &str, accepted: &str| {
            let pair = headers(&[("x-oauth-scopes", granted), ("x-accepted-oauth-scopes", accepted)]);
            error(403, &pair, b"{\"error\":{\"message\":\"no\",\"detail\":\"text\"}}", false)
        };
        assert_eq!(said("account", "pullrequest"), expected);
        assert_eq!(said("pullrequest:write, account", "pullrequest"), Error::Forbidden);
        assert_eq!(said("pullrequest", "repository"), Error::Forbidden);
        assert_eq!(said("repository:admin", "repository:write"), Error::Forbidden);
        assert_eq!(
            said("pullrequest", "pullrequest:write"),
            Error::MissingScope { required: names(&["pullrequest:write"]), granted: names(&["pullrequest"]) }
        );
        // Names of API tokens and names of OAuth cannot be compared, so nothing is claimed.
        assert_eq!(said("read:repository:bitbucket", "pullrequest"), Error::Forbidden);
        assert_eq!(said("account", ""), Error::Forbidden);
    }

    #[test]
    fn each_status_has_its_error() {
        let of = |status| error(status, &HeaderMap::new(), b"Not Found", true);
        assert_eq!(of(401), Error::Unauthorized { basic: true });
        assert_eq!(of(403), Error::Forbidden);
        assert_eq!(of(404), Error::NotFound);
        assert_eq!(of(410), Error::Gone);
        assert!(matches!(of(429), Error::RateLimited { .. }));
        assert_eq!(of(511), Error::Portal);
        for status in [500, 502, 503, 504, 555, 599] {
            assert_eq!(of(status), Error::Server { status });
        }
        for status in [201, 204, 206, 304, 400, 405, 409, 418] {
            assert!(matches!(of(status), Error::Unexpected { .. }), "{status}");
        }
        let html = headers(&[("content-type", "text/html")]);
        assert_eq!(error(403, &html, b"<html>", false), Error::Portal);
        let said = error(400, &HeaderMap::new(), br#"{"error":{"message":"Invalid\npagelen"}}"#, false);
        assert_eq!(said, unexpected(400, "Invalid pagelen"));
    }
}
