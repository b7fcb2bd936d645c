//! How text and code are written so that Markdown shows them as they are, and no more than is needed is escaped.
//!
//! It knows CommonMark's inline syntax and what can begin a block, and no node types.

use std::borrow::Cow;

use super::url::bare_length;
use crate::view::invisible::reveal;

/// Where a text is written.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    /// It is the first on its line.
    pub(super) line_start: bool,
    /// It is the text of a link.
    pub(super) in_link: bool,
    /// It is in a heading.
    pub(super) in_heading: bool,
}

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// As it is.
    Text(&'a str),
    /// `@{account id}`: the id.
    Mention(&'a str),
    /// A bare web address.
    Url(&'a str),
}

/// Finds mentions and bare web addresses in a text.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut done, mut at) = (0, 0);
    let mut in_word = false;
    while let Some(character) = text[at..].chars().next() {
        let rest = &text[at..];
        let (piece, length) = match character {
            '@' => match mentioned(rest) {
                Some(account) => (Some(Piece::Mention(account)), account.len() + "@{}".len()),
                None => (None, 0),
            },
            'h' | 'H' if !in_word && starts_like_web(rest) => {
                let length = bare_length(rest);
                (Some(Piece::Url(&rest[..length])).filter(|_| length > 0), length)
            }
            _ => (None, 0),
        };
        in_word = character.is_alphanumeric();
        let Some(piece) = piece else {
            at += character.len_utf8();
            continue;
        };
        if done < at {
            pieces.push(Piece::Text(&text[done..at]));
        }
        pieces.push(piece);
        at += length;
        done = at;
    }
    if done < text.len() {
        pieces.push(Piece::Text(&text[done..]));
    }
    pieces
}

fn starts_like_web(text: &str) -> bool {
    let starts =
        |prefix: &str| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    starts("https://") || starts("http://")
}

/// The account id of a mention at the start of the text.
pub(crate) fn mentioned(text: &str) -> Option<&str> {
    // Account ids are at most 128 characters (Atlassian's privacy guide).
    let inside = text.strip_prefix("@{")?;
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_');
    let length = inside.bytes().take(129).take_while(fits).count();
    let is_whole = (1..=128).contains(&length) && inside.as_bytes().get(length) == Some(&b'}');
    is_whole.then(|| &inside[..length])
}

/// Adds a text so that it is shown as it is; line feeds in it become spaces, hidden characters numbers.
pub(super) fn escape(out: &mut String, text: &str, place: Place) {
    let text = match place.line_start {
        true => reveal(text.trim_start()),
        false => reveal(text),
    };
    let mut line_start = place.line_start;
    // Digits so far, if there is nothing else on the line.
    let mut number = place.line_start.then_some(0);
    for (at, character) in text.char_indices() {
        let before = out.chars().next_back();
        let after = text[at + character.len_utf8()..].chars().next();
        let is_space = |neighbour: Option<char>| neighbour.is_some_and(char::is_whitespace);
        let is_word = |neighbour: Option<char>| neighbour.is_some_and(char::is_alphanumeric);
        let escaped = match character {
            '\\' | '`' | '~' | '|' | '[' => true,
            ']' | '^' => place.in_link,
            '*' => line_start || !(is_space(before) && is_space(after)),
            '_' => !(is_word(before) && is_word(after)),
            '<' => may_be_tag(&text[at + 1..]),
            '&' => starts_entity(&text[at..]),
            // Where formulas are drawn, one that begins here would also swallow the start of code or of a link.
            '$' => !is_space(after),
            '#' => line_start || place.in_heading && is_space(before) && is_closing(&text[at..]),
            '>' | '=' | '+' | '-' | ':' => line_start,
            '.' | ')' => matches!(number, Some(1..=9)) || at == 0 && is_number_so_far(out),
            _ => false,
        };
        if escaped {
            out.push('\\');
        }
        if character == '}' && place.in_heading && after.is_none() {
            // Some dialects take braces at a heading's end for its attributes, even behind a backslash.
            out.push_str("&#125;");
            continue;
        }
        out.push(if matches!(character, '\n' | '\t') { ' ' } else { character });
        number = number.filter(|_| character.is_ascii_digit()).map(|digits| digits + 1);
        line_start = false;
    }
}

/// Whether a heading's text could end here, with the marks that may close a heading.
fn is_closing(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'#' | b' '))
}

/// Whether what follows a `<`, perhaps with another text behind it, could make it a tag or an autolink: a mailbox may
/// begin with a digit.
fn may_be_tag(text: &str) -> bool {
    match text.bytes().next() {
        Some(b' ') => false,
        Some(b'=' | b'0'..=b'9') => {
            // A word that is longer than this is no ordinary one.
            let mut bytes = text.bytes().take(80);
            bytes.find(|byte| b" \t\n@".contains(byte)).is_none_or(|end| end == b'@')
        }
        _ => true,
    }
}

/// Whether an entity starts here, or what another text that follows could make one.
fn starts_entity(text: &str) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'#';
    let name = text.bytes().skip(1).take_while(is_name).count();
    match text.as_bytes().get(name + 1) {
        Some(next) => name > 0 && *next == b';',
        None => true,
    }
}

/// Whether there is nothing but a number on the line that is being written, beside the marks of quotes and items.
fn is_number_so_far(written: &str) -> bool {
    // No marks are longer than this.
    let bytes = written.bytes().rev().take(256).take_while(|byte| *byte != b'\n');
    let mut n_digits = 0;
    let mut n_bytes = 0;
    for byte in bytes {
        if n_bytes == n_digits && byte.is_ascii_digit() {
            n_digits += 1;
        } else if !byte.is_ascii_digit() && !b" >-.".contains(&byte) {
            return false;
        }
        n_bytes += 1;
    }
    (1..=9).contains(&n_digits) && n_bytes < 256
}

/// Adds inline code with a fence of backticks longer than any inside.
pub(super) fn code_span(out: &mut String, code: &str, in_table: bool) {
    let code = reveal(code);
    let mut code = Cow::Borrowed(code.trim_matches(['\n', '\r']));
    if code.contains(['\n', '\t']) {
        code = Cow::Owned(code.replace(['\n', '\t'], " "));
    }
    if in_table && code.contains('|') {
        code = Cow::Owned(code.replace('|', "\\|"));
    }
    if code.is_empty() {
        return;
    }
    // Two fences side by side would be read as one.
    if out.ends_with('`') {
        out.push(' ');
    }
    let fence = "`".repeat(longest_run(&code) + 1);
    let all_spaces = code.bytes().all(|byte| byte == b' ');
    let padded = code.starts_with('`')
        || code.ends_with('`')
        || (code.starts_with(' ') && code.ends_with(' ') && !all_spaces);
    let pad = if padded { " " } else { "" };
    out.push_str(&fence);
    out.push_str(pad);
    out.push_str(&code);
    out.push_str(pad);
    out.push_str(&fence);
}

/// A fence that no line of the code can close.
pub(crate) fn fence(code: &str) -> String {
    "`".repeat((longest_run(code) + 1).max(3))
}

/// The language of a fence, if it is one plain word.
pub(super) fn language(info: &str) -> Option<&str> {
    let word = info.split([' ', '\t', ',', '\n']).find(|word| !word.is_empty())?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'#' | b'-' | b'_' | b'.');
    (word.len() <= 32 && word.bytes().all(plain)).then_some(word)
}

fn longest_run(code: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for byte in code.bytes() {
        run = if byte == b'`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        escape(&mut out, text, Place { line_start: true, ..Place::default() });
        out
    }

    #[test]
    fn ordinary_prose_stays_readable() {
        for prose in [
            "Why is `this` not in snake_case?".replace('`', "'").as_str(),
            "2 * 3 = 6, a < b and b > c; it's 50 % (or so)!",
            "Ana & Bob: see https, e.g. x.y-z + 1.",
            "Straße, 日本語, 👩‍👩‍👧",
        ] {
            assert_eq!(escaped(prose), prose);
        }
    }

    #[test]
    fn what_could_mean_something_is_escaped() {
        assert_eq!(escaped("# no"), "\\# no");
        assert_eq!(escaped("  12. no"), "12\\. no");
        assert_eq!(escaped("> - no"), "\\> - no");
        assert_eq!(escaped("*a* __b__ ~~c~~"), "\\*a\\* \\_\\_b\\_\\_ \\~\\~c\\~\\~");
        assert_eq!(escaped("[a](b) <b> &lt; `c`"), "\\[a](b) \\<b> \\&lt; \\`c\\`");
        assert_eq!(escaped("a\n\n# b"), "a  # b");
        assert_eq!(
            escaped("1 < 2 <= 3 <4 <5@x.org> <=@x.org> <6"),
            "1 < 2 <= 3 <4 \\<5@x.org> \\<=@x.org> \\<6"
        );
        assert_eq!(escaped("R&D, a && b; c &l"), "R&D, a && b; c \\&l");
        assert_eq!(escaped("$5 a$b`c$ d` $ e$"), "\\$5 a\\$b\\`c$ d\\` $ e\\$");
        let mut heading = String::from("# ");
        escape(&mut heading, "C# #1 {x} ## {.y}", Place { in_heading: true, ..Place::default() });
        escape(&mut heading, " ##", Place { in_heading: true, ..Place::default() });
        assert_eq!(heading, "# C# #1 {x} ## {.y&#125; \\##");
    }

    #[test]
    fn mentions_and_addresses_are_found() {
        assert_eq!(
            pieces("Hi @{557058:ab-c}, see https://x.org/a_b. (xhttps://no @{a b} @{})"),
            [
                Piece::Text("Hi "),
                Piece::Mention("557058:ab-c"),
                Piece::Text(", see "),
                Piece::Url("https://x.org/a_b"),
                Piece::Text(". (xhttps://no @{a b} @{})"),
            ]
        );
    }

    #[test]
    fn code_closes_where_it_should() {
        let span = |code: &str| {
            let mut out = String::new();
            code_span(&mut out, code, false);
            out
        };
        assert_eq!(span("a"), "`a`");
        assert_eq!(span("`a``b"), "``` `a``b ```");
        assert_eq!(span(" a "), "`  a  `");
        assert_eq!(span("a\nb"), "`a b`");
        assert_eq!(fence("a\n````\n"), "`````");
        assert_eq!(language("c++ title=x"), Some("c++"));
        assert_eq!(language("rust,ignore"), Some("rust"));
        assert_eq!(language("x\"onload"), None);
    }
}
