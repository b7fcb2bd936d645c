//! A comment, and the code that it is on, as a person reads them at a terminal: made safe to print, with names for mentions.

use super::invisible::reveal;
use super::{PlacedThread, Reader, words};
use crate::model::Comment;
use crate::view::markdown::plain;

/// The text, possibly of several lines: tabs as blanks; what a terminal would obey is shown by number.
pub fn comment(comment: &Comment, reader: &Reader<'_>) -> String {
    let text = comment.raw.trim();
    match (comment.deleted, comment.unreadable, text.is_empty()) {
        (true, _, _) => "(deleted)".into(),
        (_, true, true) => "(a comment that could not be read)".into(),
        (_, _, true) => "(no text)".into(),
        _ => code(&with_names(text, comment, reader)),
    }
}

/// A line of code: tabs as blanks; what a terminal would obey, or what makes code look like other code, by number.
pub fn code(line: &str) -> String {
    reveal(line).replace('\t', "    ")
}

/// Where a thread came from and what became of its lines: `moved from line 3`, `changed since`, `outdated`.
pub fn whereabouts(thread: &PlacedThread<'_>) -> Vec<String> {
    words::whereabouts(thread)
}

/// `@{account}` as `@Name`.
fn with_names(text: &str, comment: &Comment, reader: &Reader<'_>) -> String {
    let mut named = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("@{") {
        let (before, mention) = rest.split_at(at);
        named.push_str(before);
        let Some((account, after)) = mention[2..].split_once('}').filter(|(account, _)| account.len() <= 128)
        else {
            named.push_str("@{");
            rest = &mention[2..];
            continue;
        };
        let own = comment.mentions.iter().find(|(id, _)| id == account).map(|(_, name)| name.as_str());
        let name = own.or_else(|| reader.names.get(account)).map(|name| plain(name, 60));
        named.push('@');
        named.push_str(name.as_deref().filter(|name| !name.is_empty()).unwrap_or("someone"));
        rest = after;
    }
    named.push_str(rest);
    named
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CommentId, Timestamp};
    use crate::view::markdown::Names;

    fn said(raw: &str) -> Comment {
        Comment {
            id: CommentId(1),
            parent: None,
            author: None,
            raw: raw.into(),
            mentions: vec![("5:a".into(), "Ana \u{202e}Ruiz".into())],
            created_on: None,
            updated_on: None,
            deleted: false,
            pending: false,
            anchor: None,
            resolution: None,
            html_url: None,
            unreadable: false,
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_and_mentions_have_names() {
        let names = Names::default();
        let reader =
            Reader { me: None, names: &names, now: Timestamp(0), sending: crate::view::nothing_is_sent() };
        let shown = |raw: &str| comment(&said(raw), &reader);
        assert_eq!(shown("ask @{5:a} and @{5:b}\n  `x`"), "ask @Ana Ruiz and @someone\n  `x`");
        assert_eq!(shown("red \u{1b}[31m text"), "red ⟦U+001B⟧[31m text");
        assert_eq!(shown("a\tb\r\nc\rd"), "a    b\nc⟦U+000D⟧d");
        assert_eq!(shown("an open @{ brace @{"), "an open @{ brace @{");
        assert_eq!(shown("  "), "(no text)");
    }

    #[test]
    fn what_hides_in_code_is_shown() {
        assert_eq!(code("a\tb\x1b[2J"), "a    b⟦U+001B⟧[2J");
        assert_eq!(
            code("if admin {\u{202e} } \u{2066}/* ad\u{200b}min */"),
            "if admin {⟦U+202E⟧ } ⟦U+2066⟧/* ad⟦U+200B⟧min */"
        );
        assert_eq!(code("// 👩‍👩‍👧 ß"), "// 👩‍👩‍👧 ß");
    }
}
