//! Decoding that loses as little as possible of what is damaged.
//!
//! Three steps, each only where the one before fails:
//! the whole object at once; then without the members that have a wrong type; then, if the text is no
//! JSON that the decoder takes (a lone surrogate, a number beyond all bounds, nesting without end),
//! member by member.
//! A page is cut into its items by a scanner that only knows strings and brackets, so what is wrong in
//! one item, or missing behind the last, does not touch the others.
//!
//! It must not know what the objects mean.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::scan::{array, object};

/// How deep members are tried one by one.
const DEPTH: usize = 8;

/// A page, cut into its parts.
#[derive(Debug, Default)]
pub(crate) struct RawPage<'a> {
    pub(crate) items: Vec<&'a [u8]>,
    pub(crate) size: Option<u64>,
    pub(crate) pagelen: Option<u64>,
    pub(crate) next: Option<String>,
    /// The text ends before the page does.
    pub(crate) cut: bool,
}

/// Without the byte order mark that some proxies put before texts.
pub(crate) fn without_mark(json: &[u8]) -> &[u8] {
    json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json)
}

/// Cuts a page into its parts; `None` if it is no object with a list of values.
pub(crate) fn page(json: &[u8]) -> Option<RawPage<'_>> {
    let (members, mut cut) = object(json)?;
    let mut page = RawPage::default();
    let mut has_values = false;
    for (key, value) in members {
        match key {
            b"values" => {
                let Some((items, items_cut)) = array(value) else {
                    if value == b"null" {
                        has_values = true;
                    }
                    continue;
                };
                has_values = true;
                page.items = items;
                cut |= items_cut;
            }
            b"size" => page.size = serde_json::from_slice(value).ok(),
            b"pagelen" => page.pagelen = serde_json::from_slice(value).ok(),
            b"next" => page.next = serde_json::from_slice(value).ok(),
            _ => {}
        }
    }
    page.cut = cut;
    has_values.then_some(page)
}

/// Whether the text begins with an object that ends within it and does not have this member.
pub(crate) fn is_whole_without(json: &[u8], member: &[u8]) -> bool {
    let has = |(key, value): &(&[u8], &[u8])| *key == member && *value != b"null";
    object(json).is_some_and(|(members, cut)| !cut && !members.iter().any(has))
}

/// Decodes an object into `T`, all of whose fields must be optional.
///
/// The flag says that something was left out. `None` if it is no object.
pub(crate) fn read<T: DeserializeOwned>(json: &[u8]) -> Option<(T, bool)> {
    if first(json) != Some(b'{') {
        return None;
    }
    if let Ok(whole) = serde_json::from_slice(json) {
        return Some((whole, false));
    }
    let (value, flawed) = match serde_json::from_slice::<Value>(json) {
        Ok(value) => (value, false),
        Err(_) => (rescue(json, DEPTH)?, true),
    };
    // Twice the same key is an error to the first step only; the last one counts.
    if let Ok(whole) = T::deserialize(&value) {
        return Some((whole, flawed));
    }
    let pruned = prune(&value, &|value| T::deserialize(value).is_ok(), DEPTH)?;
    T::deserialize(&pruned).ok().map(|object| (object, true))
}

/// The value without the members and elements that do not decode, each tried alone in its place.
fn prune(value: &Value, decodes: &dyn Fn(&Value) -> bool, depth: usize) -> Option<Value> {
    if decodes(value) {
        return Some(value.clone());
    }
    if depth == 0 {
        return None;
    }
    let pruned = match value {
        Value::Object(members) => {
            let alone =
                |key: &str, member: &Value| Value::Object(Map::from_iter([(key.to_owned(), member.clone())]));
            let keep = |(key, member): (&String, &Value)| {
                let decodes = |member: &Value| decodes(&alone(key, member));
                prune(member, &decodes, depth - 1).map(|member| (key.clone(), member))
            };
            Value::Object(members.iter().filter_map(keep).collect())
        }
        Value::Array(elements) => {
            let decodes = |element: &Value| decodes(&Value::Array(vec![element.clone()]));
            Value::Array(elements.iter().filter_map(|element| prune(element, &decodes, depth - 1)).collect())
        }
        _ => return None,
    };
    decodes(&pruned).then_some(pruned)
}

/// What can be read of a text that is not quite JSON.
fn rescue(json: &[u8], depth: usize) -> Option<Value> {
    if let Ok(value) = serde_json::from_slice(json) {
        return Some(value);
    }
    if depth == 0 {
        return None;
    }
    match first(json)? {
        b'{' => {
            let (members, _) = object(json)?;
            let member = |(key, value): (&[u8], &[u8])| {
                let value = rescue(value, depth - 1)?;
                Some((String::from_utf8_lossy(key).into_owned(), value))
            };
            Some(Value::Object(members.into_iter().filter_map(member).collect()))
        }
        b'[' => {
            let (elements, _) = array(json)?;
            Some(Value::Array(elements.into_iter().filter_map(|json| rescue(json, depth - 1)).collect()))
        }
        // Bytes that are not UTF-8 and halves of surrogate pairs become U+FFFD.
        b'"' => serde_json::from_str(&whole_characters(&String::from_utf8_lossy(json))).ok(),
        _ => None,
    }
}

/// A JSON string with each `\uD800` to `\uDFFF` that has no other half replaced by `\uFFFD`.
fn whole_characters(json: &str) -> String {
    let unit = |at: usize| -> Option<u16> {
        let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut whole = String::with_capacity(json.len());
    let mut at = 0;
    while let Some(step) = json[at..].chars().next() {
        let (taken, replaced) = match (unit(at), unit(at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, false),
            (Some(0xd800..=0xdfff), _) => (6, true),
            _ if step == '\\' => (1 + json[at + 1..].chars().next().map_or(0, char::len_utf8), false),
            _ => (step.len_utf8(), false),
        };
        whole.push_str(if replaced { "\\ufffd" } else { &json[at..at + taken] });
        at += taken;
    }
    whole
}

fn first(json: &[u8]) -> Option<u8> {
    json.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Thing {
        id: Option<u64>,
        name: Option<String>,
        inner: Option<Inner>,
        list: Option<Vec<Inner>>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Inner {
        line: Option<i64>,
        path: Option<String>,
    }

    fn thing(json: &str) -> Option<(Thing, bool)> {
        read(json.as_bytes())
    }

    fn items(json: &str) -> (Vec<String>, bool) {
        let page = page(json.as_bytes()).unwrap();
        (page.items.iter().map(|item| String::from_utf8_lossy(item).into_owned()).collect(), page.cut)
    }

    #[test]
    fn a_wrong_type_costs_its_own_member_only() {
        let (read, flawed) =
            thing(r#"{"id":1,"name":5,"inner":{"line":"x","path":"p"},"list":[{"line":1},7,{"line":[]}]}"#)
                .unwrap();
        assert!(flawed);
        assert_eq!(
            read,
            Thing {
                id: Some(1),
                name: None,
                inner: Some(Inner { line: None, path: Some("p".into()) }),
                list: Some(vec![Inner { line: Some(1), path: None }, Inner::default()]),
            }
        );
        assert_eq!(thing("[1]"), None);
        assert_eq!(thing("null"), None);
        assert_eq!(thing("{"), Some((Thing::default(), true)));
    }

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        let (read, flawed) = thing(r#"{"id":1,"name":"a","name":"b","unknown":1,"unknown":2}"#).unwrap();
        assert_eq!((read.name.as_deref(), flawed), (Some("b"), false));
    }

    #[test]
    fn text_that_is_not_quite_json_is_read_member_by_member() {
        let deep = "[".repeat(100_000);
        let closed = "]".repeat(100_000);
        let smile = "\u{fffd}\u{1f600}\\ud800";
        // The text, the name that is read, and whether something that counts was lost.
        let cases = [
            (r#"{"id":7,"name":"a\ud800b"}"#.to_owned(), Some("a\u{fffd}b"), true),
            (r#"{"id":7,"name":"\udc00\ud83d\ude00\\ud800"}"#.to_owned(), Some(smile), true),
            (r#"{"id":7,"huge":1e999,"name":"ok"}"#.to_owned(), Some("ok"), false),
            (r#"{"id":7,"name":1e999}"#.to_owned(), None, true),
            (r#"{"id":7,"nan":NaN,"name":"ok"}"#.to_owned(), Some("ok"), true),
            (format!(r#"{{"id":7,"name":"ok","deep":{deep}"#), Some("ok"), true),
            (format!(r#"{{"id":7,"deep":{deep}{closed},"name":"ok"}}"#), Some("ok"), false),
            (format!(r#"{{"id":7,"inner":{deep}{closed},"name":"ok"}}"#), Some("ok"), true),
            (r#"{"id":7,"name":"cut of"#.to_owned(), None, true),
        ];
        for (json, name, lost) in cases {
            let (read, flawed) = thing(&json).unwrap();
            let seen = (read.id, read.name.as_deref(), flawed);
            assert_eq!(seen, (Some(7), name, lost), "{}", &json[..json.len().min(80)]);
        }
        let (read, flawed) = read::<Thing>(b"{\"id\":7,\"name\":\"a\xffb\"}").unwrap();
        assert_eq!((read.name.as_deref(), flawed), (Some("a\u{fffd}b"), true));
    }

    #[test]
    fn a_page_is_cut_into_items() {
        let (found, cut) = items(r#" { "values" : [ {"a":"]}\\\"" } , 1 ,[2,{}], null ] , "size": 4 }"#);
        assert_eq!(found, [r#"{"a":"]}\\\"" }"#, "1", "[2,{}]", "null"]);
        assert!(!cut);
        assert_eq!(items(r#"{"values":null}"#), (vec![], false));
        assert!(page(br#"{"size":4}"#).is_none());
        assert!(page(br#"[1]"#).is_none());
        assert!(page(b"").is_none());
        let parts = page(br#"{"values":[],"size":"x","next":5,"pagelen":10}"#).unwrap();
        assert_eq!((parts.size, parts.next, parts.pagelen), (None, None, Some(10)));
    }

    #[test]
    fn a_page_that_breaks_off_keeps_what_is_whole() {
        let whole = r#"{"values":[{"id":1},{"id":2},{"id":3}],"next":"x"}"#;
        for end in 12..whole.len() {
            let (found, cut) = items(&whole[..end]);
            assert!(cut, "{}", &whole[..end]);
            let expected = [19, 28, 37].iter().filter(|after| end >= **after).count();
            assert_eq!(found.len(), expected, "{}", &whole[..end]);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn nothing_makes_it_panic(json in r#"[\[\]{}",:\\u0-9a-f \n-]{0,60}"#, bytes: Vec<u8>) {
            for json in [json.as_bytes(), &bytes, &[b"{\"values\":", json.as_bytes()].concat()] {
                let _ = read::<Thing>(json);
                let _ = page(json);
            }
        }

        /// For good JSON the scanner and the decoder see the same items.
        #[test]
        fn items_are_the_elements(values in prop::collection::vec(any::<(u32, String, Option<bool>)>(), 0..6)) {
            let json = serde_json::json!({"page": 1, "values": values, "size": values.len()}).to_string();
            let parts = page(json.as_bytes()).unwrap();
            let decoded: Vec<(u32, String, Option<bool>)> =
                parts.items.iter().map(|item| serde_json::from_slice(item).unwrap()).collect();
            prop_assert_eq!(decoded, values);
            prop_assert!(!parts.cut);
        }
    }
}
