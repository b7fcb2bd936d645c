//! Names of mentioned people, out of the HTML that Bitbucket renders of a comment.
//!
//! A mention is `@{account_id}` as typed; its element in the HTML has a class of mentions or names the
//! account in a `data-` attribute, and shows the name.
//! This is a scanner of tags, not a parser of HTML: what it does not understand it passes over.
//! It must not hand out any markup: names are plain text, and hostile until made safe.

/// Longer HTML than this many bytes is looked at only so far.
const MOST_HTML: usize = 256 << 10;
/// More mentions than these are left out.
const MOST: usize = 200;
/// Longer names are cut, in characters.
const MOST_NAME: usize = 100;

/// Attributes that hold an account id, the usual first.
const ATTRIBUTES: &[&str] =
    &["data-atlassian-id", "data-account-id", "data-mention-id", "data-user-id", "data-aaid"];

/// (account id, name without `@`) for each mention, each id once.
///
/// Where elements do not say the id, they are matched with the mentions in `raw` by their order, if
/// there are as many.
pub(super) fn names(raw: &str, html: &str) -> Vec<(String, String)> {
    if !raw.contains("@{") && !html.contains("data-") {
        return Vec::new();
    }
    let elements = elements(html);
    let typed = typed(raw);
    let same_order = elements.len() == typed.len();
    let mut names: Vec<(String, String)> = Vec::new();
    for (index, element) in elements.into_iter().enumerate() {
        let by_order = || same_order.then(|| typed[index].to_owned());
        let Some(id) = element.id.or_else(by_order) else {
            continue;
        };
        if !element.name.is_empty() && names.iter().all(|(known, _)| *known != id) {
            names.push((id, element.name));
        }
    }
    names
}

struct Element {
    id: Option<String>,
    name: String,
}

/// The ids of `@{id}`, in order.
fn typed(raw: &str) -> Vec<&str> {
    let id = |part: &str| -> Option<usize> { part.find('}').filter(|end| (1..=128).contains(end)) };
    raw.split("@{").skip(1).filter_map(|part| id(part).map(|end| &part[..end])).take(MOST).collect()
}

fn elements(html: &str) -> Vec<Element> {
    let mut end = html.len().min(MOST_HTML);
    while !html.is_char_boundary(end) {
        end -= 1;
    }
    let mut rest = &html[..end];
    let mut elements = Vec::new();
    while let Some((tag, after)) = next_tag(rest) {
        rest = after;
        let Some(id) = mention(tag) else { continue };
        let (text, after) = text_until_end(tag.name, rest);
        rest = after;
        let name = text.trim().trim_start_matches('@').trim();
        elements.push(Element { id, name: name.chars().take(MOST_NAME).collect() });
        if elements.len() == MOST {
            break;
        }
    }
    elements
}

/// `Some` if the tag is a mention's: with the id where it says it.
fn mention(tag: Tag<'_>) -> Option<Option<String>> {
    if tag.name.starts_with(['/', '!', '?']) {
        return None;
    }
    let mut by_class = false;
    let mut found: Option<(usize, String)> = None;
    for (key, value) in attributes(tag.attributes) {
        if key.eq_ignore_ascii_case("class") {
            by_class |= value.split_ascii_whitespace().any(|class| {
                ["ap-mention", "user-mention", "mention"]
                    .iter()
                    .any(|known| class.eq_ignore_ascii_case(known))
            });
        }
        let rank = ATTRIBUTES.iter().position(|known| key.eq_ignore_ascii_case(known));
        if let Some(rank) = rank.filter(|rank| found.as_ref().is_none_or(|(best, _)| rank < best)) {
            let id = plain(value);
            if (1..=128).contains(&id.len()) && !id.contains(char::is_control) {
                found = Some((rank, id));
            }
        }
    }
    let id = found.map(|(_, id)| id);
    (by_class || id.is_some()).then_some(id)
}

#[derive(Clone, Copy)]
struct Tag<'a> {
    /// With the slash of an end tag.
    name: &'a str,
    attributes: &'a str,
}

/// The next tag, and what follows it.
fn next_tag(html: &str) -> Option<(Tag<'_>, &str)> {
    let start = html.find('<')? + 1;
    let mut quote = None;
    for (at, character) in html[start..].char_indices() {
        match (character, quote) {
            ('>', None) => {
                let inside = &html[start..start + at];
                let name_end = inside.find(|c: char| c.is_ascii_whitespace()).unwrap_or(inside.len());
                let tag =
                    Tag { name: inside[..name_end].trim_end_matches('/'), attributes: &inside[name_end..] };
                return Some((tag, &html[start + at + 1..]));
            }
            ('"' | '\'', None) => quote = Some(character),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

/// `key="value"`, `key='value'`, `key=value`, `key`.
fn attributes(mut text: &str) -> Vec<(&str, &str)> {
    let mut attributes = Vec::new();
    loop {
        text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if text.is_empty() || attributes.len() == 50 {
            return attributes;
        }
        let key_end = text.find(|c: char| c.is_ascii_whitespace() || c == '=').unwrap_or(text.len());
        let (key, rest) = text.split_at(key_end);
        let Some(value) = rest.trim_start().strip_prefix('=').map(str::trim_start) else {
            attributes.push((key, ""));
            text = rest;
            continue;
        };
        let quoted = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, rest) = match quoted {
            Some(quote) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            None => value.split_at(value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len())),
        };
        attributes.push((key, value));
        text = rest;
    }
}

/// The text up to the element's end tag, inner tags left out, and what follows.
fn text_until_end<'a>(name: &str, html: &'a str) -> (String, &'a str) {
    let mut text = String::new();
    let mut rest = html;
    loop {
        let Some((tag, after)) = next_tag(rest) else {
            return (plain(&text), rest);
        };
        text.push_str(rest.split('<').next().unwrap_or_default());
        if tag.name.strip_prefix('/').is_some_and(|end| end.eq_ignore_ascii_case(name)) {
            return (plain(&text), after);
        }
        if text.len() > 4 * MOST_NAME {
            return (plain(&text), after);
        }
        rest = after;
    }
}

/// Character references resolved: the five of XML, the no-break space, and numbers.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let reference = after.find(';').filter(|end| *end <= 8).map(|end| (&after[..end], &after[end + 1..]));
        let resolved = reference.and_then(|(reference, after)| character(reference).map(|c| (c, after)));
        rest = match resolved {
            Some((character, after)) => {
                plain.push(character);
                after
            }
            None => {
                plain.push('&');
                after
            }
        };
    }
    plain.push_str(rest);
    plain
}

fn character(reference: &str) -> Option<char> {
    match reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => {
            let number = reference.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(raw: &str, html: &str) -> Vec<(String, String)> {
        names(raw, html)
    }

    fn pair(id: &str, name: &str) -> (String, String) {
        (id.into(), name.into())
    }

    #[test]
    fn ids_and_names_are_found() {
        let html = r#"<p>Hi <span class="ap-mention" data-atlassian-id="557058:a-b">@Ana &amp; Co</span>,
            <a href="/x" class='x user-mention' data-account-id='712020:c'>@<b>Ben</b></a></p>"#;
        let expected = [pair("557058:a-b", "Ana & Co"), pair("712020:c", "Ben")];
        assert_eq!(found("Hi @{557058:a-b}, @{712020:c}", html), expected);
        let by_attribute = r"<span data-atlassian-id=7:x>Cy</span>";
        assert_eq!(found("", by_attribute), [pair("7:x", "Cy")]);
    }

    #[test]
    fn without_ids_the_order_tells_if_the_counts_agree() {
        let html = r#"<span class="ap-mention">@Ana</span> <span class="ap-mention">@Ben</span>"#;
        assert_eq!(found("@{1:a} and @{2:b}", html), [pair("1:a", "Ana"), pair("2:b", "Ben")]);
        assert_eq!(found("@{1:a} alone", html), []);
    }

    #[test]
    fn what_is_no_mention_is_passed_over() {
        assert_eq!(found("mail@x.org", "<p class=\"x\">mail@x.org</p>"), []);
        assert_eq!(found("@{1:a}", "<p>@{1:a}</p>"), []);
        assert_eq!(found("@{1:a}", "<span class=\"ap-mention\"></span>"), []);
        assert_eq!(found("@{1:a}", "<span class=\"ap-mention\">@"), []);
        assert_eq!(found("@{1:a}", "<!-- <b class=mention> -->"), []);
    }

    #[test]
    fn one_id_has_one_name_and_names_are_cut() {
        let html = format!(
            r#"<i data-user-id="1">Ana</i><i data-user-id="1">Eve</i><i data-user-id="2">{}</i>"#,
            "x".repeat(1000)
        );
        let names = found("", &html);
        assert_eq!(names[0], pair("1", "Ana"));
        assert_eq!((names.len(), names[1].1.len()), (2, MOST_NAME));
    }

    #[test]
    fn character_references() {
        assert_eq!(plain("a&lt;b&#65;&#x42;&unknown;&&#xD800;&amp"), "a<bAB&unknown;&&#xD800;&amp");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(raw in "[@{}a:]{0,20}", html in "[<>/=\"' a&;#x\u{e9}-]{0,60}") {
            let _ = found(&raw, &html);
            let _ = found(&raw, &format!("<span class=\"ap-mention\" data-user-id='{html}'>{html}"));
        }
    }
}
