//! Which addresses may be links, and how they are written.
//!
//! An address leaves here in characters that mean nothing to Markdown, or not at all.

use super::cut_at;
use crate::view::invisible::is_hidden;

/// Longer addresses are shown as text.
const LONGEST: usize = 2048;

/// A web address (`https` or `http`) fit for a link, with all that Markdown or an eye could stumble over percent-encoded.
///
/// `None` for other schemes, for addresses without a host or with a user in front of it, and for ones over 2,048 bytes.
pub fn web_url(address: &str) -> Option<String> {
    let address = address.trim();
    let (scheme, rest) = address.split_once("://")?;
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let host_ends = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = &rest[..host_ends];
    let fits = is_web && address.len() <= LONGEST && !host.is_empty() && host.chars().all(may_be_in_host);
    fits.then(|| format!("{}://{host}{}", scheme.to_ascii_lowercase(), encoded(&rest[host_ends..])))
}

/// An address fit for a link: [`web_url`], or `mailto` with nothing but the mailbox.
pub(super) fn link_target(address: &str) -> Option<String> {
    let address = address.trim();
    if let Some(scheme) = address.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:")) {
        // Only the mailbox: clients differ in what they do with prefilled headers.
        let mailbox = address[scheme.len()..].split('?').next().unwrap_or_default();
        let fits = mailbox.len() <= 320 && mailbox.contains('@') && mailbox.chars().all(may_be_in_mailbox);
        return fits.then(|| format!("mailto:{mailbox}"));
    }
    web_url(address)
}

/// A path without scheme or host, as in links to files of the repository: not for a link, but worth being shown.
pub(super) fn is_relative(address: &str) -> bool {
    let first = address.find(['/', '?', '#']).unwrap_or(address.len());
    !address.is_empty() && !address.starts_with("//") && !address[..first].contains(':')
}

/// The length of the bare web address at the start of a text, or 0: without the punctuation of the sentence around it.
///
/// Looks no further than an address may be long, and no further than its host if that is none.
pub(crate) fn bare_length(text: &str) -> usize {
    const SENTENCE: &str = ".,;:!?'*_~";
    let ends = |character: char| {
        character.is_whitespace() || "<>\"`|\\{}^[]⟦".contains(character) || is_hidden(None, character, None)
    };
    let text = cut_at(text, LONGEST);
    let Some((scheme, rest)) = text.split_once("://") else {
        return 0;
    };
    let host_ends = rest.find(|character| !may_be_in_host(character)).unwrap_or(rest.len());
    match rest[host_ends..].chars().next() {
        Some(next) if !ends(next) && !"/?#)".contains(next) && !SENTENCE.contains(next) => return 0,
        _ => {}
    }
    let path = &rest[host_ends..];
    let path_ends = path.find(ends).unwrap_or(path.len());
    let mut address = &text[..scheme.len() + "://".len() + host_ends + path_ends];
    let n_of = |bracket: char| address.matches(bracket).count();
    let mut n_surplus = n_of(')').saturating_sub(n_of('('));
    while let Some(last) = address.chars().next_back() {
        if last == ')' && n_surplus > 0 {
            n_surplus -= 1;
        } else if !SENTENCE.contains(last) {
            break;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    if web_url(address).is_some() { address.len() } else { 0 }
}

fn may_be_in_host(character: char) -> bool {
    let plain = character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_' | ':');
    plain || !character.is_ascii() && character.is_alphanumeric() && !is_hidden(None, character, None)
}

fn may_be_in_mailbox(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_' | '+' | '@')
}

fn encoded(path: &str) -> String {
    let mut written = String::with_capacity(path.len());
    for character in path.chars() {
        let plain = character.is_ascii_alphanumeric() || "/?#&=%:@!'+,.-_~".contains(character);
        let readable =
            !character.is_ascii() && character.is_alphanumeric() && !is_hidden(None, character, None);
        if plain || readable {
            written.push(character);
            continue;
        }
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            written.push_str(&format!("%{byte:02X}"));
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_addresses() {
        let same = |address: &str| assert_eq!(web_url(address).as_deref(), Some(address));
        same("https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-7");
        same("http://127.0.0.1:8080/a?b=c&d=e%20f");
        same("https://example.com");
        same("https://bücher.example/straße");
        assert_eq!(web_url(" HTTPS://x.org/a(b) ").as_deref(), Some("https://x.org/a%28b%29"));
        assert_eq!(web_url("https://x.org/a?b&copy;<").as_deref(), Some("https://x.org/a?b&copy%3B%3C"));
        assert_eq!(web_url("https://x.org/$a$").as_deref(), Some("https://x.org/%24a%24"));
        assert_eq!(web_url("https://x.org/\u{202E}gpj").as_deref(), Some("https://x.org/%E2%80%AEgpj"));
    }

    #[test]
    fn what_is_no_web_address() {
        for address in [
            "",
            "//x.org",
            "https:",
            "https://",
            "https:///path",
            "https:x.org",
            "command://x",
            "javascript://x.org/%0aalert(1)",
            "file:///etc/passwd",
            "vscode://x.org",
            "data:text/html,https://x.org",
            "https://bitbucket.org@evil.example/",
            "https://bitbucket.org\\@evil.example/",
            "https://ex\u{200B}ample.org/",
            "https://x y/",
            "java\nscript://x",
            "/relative",
        ] {
            assert_eq!(web_url(address), None, "{address:?}");
        }
        assert_eq!(web_url(&format!("https://x.org/{}", "a".repeat(LONGEST))), None);
    }

    #[test]
    fn only_the_mailbox_of_mailto() {
        assert_eq!(link_target("MailTo:ana@x.org?attach=/etc/passwd").as_deref(), Some("mailto:ana@x.org"));
        assert_eq!(link_target("mailto:"), None);
        assert_eq!(link_target("mailto:a b@x"), None);
    }

    #[test]
    fn bare_addresses_end_before_the_sentence_does() {
        let found = |text: &str| text[..bare_length(text)].to_owned();
        assert_eq!(found("https://x.org/a_(b)), and"), "https://x.org/a_(b)");
        assert_eq!(found("https://x.org/a?b=1&c=2."), "https://x.org/a?b=1&c=2");
        assert_eq!(found("https://x.org**"), "https://x.org");
        assert_eq!(found("https://"), "");
        assert_eq!(found("https:// x"), "");
    }
}
