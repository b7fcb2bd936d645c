//! URIs: the client's spelling outside, a valid one inside.
//!
//! Some clients put raw brackets, spaces, `|`, `^`, `{}` or letters beyond ASCII into URIs.
//! Helix and Zed send `file:///src/[id].tsx` as it is.
//! RFC 3986 does not allow that, and `lsp-types` refuses the whole message that holds such a URI: an opened
//! document would be lost without a word.
//! So URIs are made valid before a message is decoded.
//! Before one is sent, they are written as the client writes them.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::fmt::Write;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};
use tower_lsp::lsp_types::Uri;

/// How many spellings are remembered; the oldest goes first.
/// One that is forgotten is answered in its valid spelling, which names the same resource.
const CAPACITY: usize = 4096;

/// Longer spellings are not remembered, in bytes.
const MAX_LENGTH: usize = 8 * 1024;

/// Makes a URI valid by RFC 3986: whatever may not stand where it stands is percent-encoded.
/// What is valid already stays as it is.
///
/// ```
/// use bitbucket_lsp::transport::uri::normalize;
/// assert_eq!(normalize("file:///a b/[id].ts"), "file:///a%20b/%5Bid%5D.ts");
/// assert_eq!(normalize("file:///a%20b/%5bid%5d.ts"), "file:///a%20b/%5bid%5d.ts");
/// ```
#[must_use]
pub fn normalize(uri: &str) -> Cow<'_, str> {
    if Uri::from_str(uri).is_ok() { Cow::Borrowed(uri) } else { Cow::Owned(encode(uri)) }
}

/// Remembers how the client spells the URIs that had to be made valid.
///
/// Clones share one memory.
/// Where a client spells the same URI in several ways, the last one counts.
#[derive(Clone, Debug, Default)]
pub struct Spelling(Arc<Mutex<Memory>>);

#[derive(Debug, Default)]
struct Memory {
    /// Valid spelling → the client's.
    client: HashMap<String, String>,
    /// The keys, oldest first.
    order: VecDeque<String>,
}

impl Spelling {
    /// The valid spelling of a URI from the client, whose own spelling is remembered.
    #[must_use]
    pub fn received<'a>(&self, uri: &'a str) -> Cow<'a, str> {
        let normalized = normalize(uri);
        let mut memory = self.memory();
        match &normalized {
            Cow::Borrowed(_) => memory.forget(uri),
            Cow::Owned(_) if uri.len() > MAX_LENGTH => {}
            Cow::Owned(normalized) => memory.remember(normalized, uri),
        }
        normalized
    }

    /// The client's own spelling of a valid URI, if it has one.
    #[must_use]
    pub fn of_client(&self, normalized: &str) -> Option<String> {
        self.memory().client.get(normalized).cloned()
    }

    /// Makes the URIs in what a client sent valid.
    /// Only the fields that hold URIs are looked at, so the text of a document costs nothing.
    pub(super) fn read(&self, params: &mut Value) {
        rewrite(params, &|uri| match self.received(uri) {
            Cow::Borrowed(_) => None,
            Cow::Owned(normalized) => Some(normalized),
        });
    }

    /// Writes the URIs in what goes to the client as the client does.
    pub(super) fn write(&self, params: &mut Value) {
        if !self.memory().client.is_empty() {
            rewrite(params, &|uri| self.of_client(uri));
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn remember(&mut self, normalized: &str, uri: &str) {
        if self.client.insert(normalized.to_owned(), uri.to_owned()).is_none() {
            self.order.push_back(normalized.to_owned());
        }
        if self.order.len() > CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.client.remove(&oldest);
        }
    }

    fn forget(&mut self, normalized: &str) {
        if self.client.remove(normalized).is_some() {
            self.order.retain(|known| known != normalized);
        }
    }
}

/// Whether a field of this name holds a URI, wherever it stands in LSP.
fn holds_uri(field: &str) -> bool {
    matches!(field, "uri" | "rootUri" | "oldUri" | "newUri" | "targetUri" | "baseUri" | "scopeUri")
}

/// Replaces each URI by what `respell` makes of it; `None` keeps it.
/// The depth is bounded: what is read from JSON has at most 128 levels.
fn rewrite(value: &mut Value, respell: &dyn Fn(&str) -> Option<String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, respell)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(uri) if holds_uri(name) => {
                        if let Some(other) = respell(uri) {
                            *uri = other;
                        }
                    }
                    // `WorkspaceEdit.changes` is a map whose keys are URIs.
                    Value::Object(changes) if name == "changes" => {
                        *changes = std::mem::take(changes)
                            .into_iter()
                            .map(|(uri, edits)| (respell(&uri).unwrap_or(uri), edits))
                            .collect::<Map<_, _>>();
                        changes.values_mut().for_each(|edits| rewrite(edits, respell));
                    }
                    _ => rewrite(value, respell),
                }
            }
        }
        _ => {}
    }
}

fn encode(uri: &str) -> String {
    let mut encoded = String::with_capacity(uri.len() + 16);
    let (scheme, rest) = split_scheme(uri);
    encoded.push_str(scheme);
    let (rest, fragment) = split_at_any(rest, "#");
    let (rest, query) = split_at_any(rest, "?");
    let path = match rest.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = split_at_any(rest, "/");
            encoded.push_str("//");
            // Colons and brackets have their places in an authority; one that is wrong keeps none of them.
            let valid = Uri::from_str(&format!("//{authority}")).is_ok();
            escape(&mut encoded, authority, if valid { ":@[]" } else { "" });
            path
        }
        None => rest,
    };
    escape(&mut encoded, path, if scheme.is_empty() { "/@" } else { "/:@" });
    for part in [query, fragment] {
        if let Some(mark) = part.chars().next() {
            encoded.push(mark);
            escape(&mut encoded, &part[1..], "/:@?");
        }
    }
    encoded
}

/// The scheme with its colon, if there is one, and the rest.
fn split_scheme(uri: &str) -> (&str, &str) {
    let end = uri.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c));
    match end {
        Some(end) if uri[end..].starts_with(':') && uri.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            uri.split_at(end + 1)
        }
        _ => ("", uri),
    }
}

/// What is before the mark, and what begins with it (empty if it is not there).
fn split_at_any<'a>(text: &'a str, mark: &str) -> (&'a str, &'a str) {
    text.split_at(text.find(mark).unwrap_or(text.len()))
}

/// Appends text, percent-encoded but for what may stand anywhere in a URI and for what is `also` allowed.
fn escape(encoded: &mut String, text: &str, also: &str) {
    for (index, byte) in text.bytes().enumerate() {
        let kept = match byte {
            b'%' => matches!(text.as_bytes().get(index + 1..index + 3), Some([high, low])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit()),
            _ if byte.is_ascii_alphanumeric() => true,
            _ => b"-._~!$&'()*+,;=".contains(&byte) || also.as_bytes().contains(&byte),
        };
        if kept {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn encodes_what_may_not_stand_there() {
        for (raw, valid) in [
            ("file:///src/[id]/{a|b}^.ts", "file:///src/%5Bid%5D/%7Ba%7Cb%7D%5E.ts"),
            ("file:///ü ö", "file:///%C3%BC%20%C3%B6"),
            ("file:///100%/a%2", "file:///100%25/a%252"),
            ("file:///C:\\a", "file:///C:%5Ca"),
            ("untitled:Untitled 1", "untitled:Untitled%201"),
            ("http://[::1]:80/a b?[c]#d#e", "http://[::1]:80/a%20b?%5Bc%5D#d%23e"),
            ("x://[y]:z/a", "x://%5By%5D%3Az/a"),
            ("a b:c", "a%20b%3Ac"),
        ] {
            assert_eq!(normalize(raw), valid);
        }
    }

    #[test]
    fn leaves_what_is_valid() {
        for uri in
            ["file:///a%5bb", "vscode-remote://wsl+Ubuntu/x", "untitled:a?b#c", "http://[::1]/", "", "a/b"]
        {
            assert!(matches!(normalize(uri), Cow::Borrowed(_)), "{uri}");
        }
    }

    #[test]
    fn answers_in_the_spelling_of_the_client() {
        let spelling = Spelling::default();
        let asked = json!({
            "textDocument": { "uri": "file:///[a]", "text": "file:///[a]" },
            "workspaceFolders": [{ "uri": "file:///x y", "name": "[a]" }],
            "files": [{ "oldUri": "file:///|", "newUri": "file:///plain" }],
        });
        let mut inside = asked.clone();
        spelling.read(&mut inside);
        assert_eq!(
            inside,
            json!({
                "textDocument": { "uri": "file:///%5Ba%5D", "text": "file:///[a]" },
                "workspaceFolders": [{ "uri": "file:///x%20y", "name": "[a]" }],
                "files": [{ "oldUri": "file:///%7C", "newUri": "file:///plain" }],
            })
        );
        let mut outside = inside.clone();
        spelling.write(&mut outside);
        assert_eq!(outside, asked);

        let mut edit =
            json!({ "changes": { "file:///%5Ba%5D": [{ "newText": "file:///%5Ba%5D" }], "file:///b": [] } });
        spelling.write(&mut edit);
        assert_eq!(
            edit,
            json!({ "changes": { "file:///[a]": [{ "newText": "file:///%5Ba%5D" }], "file:///b": [] } })
        );

        let mut encoded_now = json!({ "uri": "file:///%5Ba%5D" });
        spelling.read(&mut encoded_now);
        assert_eq!(spelling.of_client("file:///%5Ba%5D"), None);
    }

    #[test]
    fn forgets_the_oldest() {
        let spelling = Spelling::default();
        for number in 0..=CAPACITY {
            let _ = spelling.received(&format!("file:///[{number}]"));
        }
        assert_eq!(spelling.of_client("file:///%5B0%5D"), None);
        assert_eq!(spelling.of_client("file:///%5B1%5D").as_deref(), Some("file:///[1]"));
        assert_eq!(spelling.memory().client.len(), CAPACITY);
    }

    proptest! {
        #[test]
        fn always_valid_and_never_twice(
            uri in prop_oneof![".{0,30}", "file://.{0,30}", "[a-z]{1,3}:(//)?[]\\[a-z:@%/?# ü]{0,20}"],
        ) {
            let valid = normalize(&uri);
            prop_assert!(Uri::from_str(&valid).is_ok(), "{} from {}", valid, uri);
            prop_assert_eq!(normalize(&valid), valid.clone());
        }
    }
}
