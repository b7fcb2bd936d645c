//! Where Bitbucket put a comment: its `inline` and `links.code`, as an [`Anchor`].
//!
//! Here 1-based lines become 0-based. It must not know what the file holds.

use pull_request::model::{Anchor, CommitHash, LineRange, Side, Spot};

use super::wire;

/// `code` is the address in `links.code`. `None` if no file is named.
pub(super) fn of(inline: wire::Inline, code: Option<&str>) -> Option<Anchor> {
    // An empty path has been seen in real answers, with lines; it is kept as it is.
    let path = inline.path?;
    let line = |number: Option<wire::Number>| number.map(|number| number.count().saturating_sub(1));
    let range = |first: Option<u32>, last: Option<u32>| {
        last.or(first).map(|last| LineRange::new(first.unwrap_or(last), last))
    };
    // Both sides: a line that did not change, which is on the new side as well.
    let new = range(line(inline.start_to), line(inline.to));
    let old = range(line(inline.start_from), line(inline.from));
    let has_new_end = inline.to.is_some();
    let has_old_end = inline.from.is_some();
    let spot = match (new, old) {
        (Some(lines), _) if has_new_end || !has_old_end => Spot::Lines(Side::To, lines),
        (_, Some(lines)) => Spot::Lines(Side::From, lines),
        _ => Spot::File,
    };
    let (linked_source, linked_destination) = code.map(commits_of_link).unwrap_or_default();
    let hash = |text: Option<String>| text.and_then(|text| CommitHash::parse(&text));
    Some(Anchor {
        path,
        spot,
        source_commit: linked_source.or_else(|| hash(inline.src_rev)),
        destination_commit: linked_destination.or_else(|| hash(inline.dest_rev)),
        outdated: inline.outdated,
    })
}

/// The two commits of `…/diff/ws/repo:SRC..DST?path=…`; a carriage return (`%0D`) may stand for the dots.
fn commits_of_link(href: &str) -> (Option<CommitHash>, Option<CommitHash>) {
    let path = href.split(['?', '#']).next().unwrap_or_default();
    let replaced = path.replace("%0D", "\r").replace("%0d", "\r").replace("%3A", ":").replace("%3a", ":");
    let spec = replaced.rsplit(['/', ':']).next().unwrap_or_default();
    let (source, destination) = match spec.split_once('\r').or_else(|| spec.split_once("..")) {
        Some((source, destination)) => (source, destination.trim_start_matches('.')),
        None => (spec, ""),
    };
    (CommitHash::parse(source), CommitHash::parse(destination))
}

#[cfg(test)]
mod tests {
    use pull_request::model::Comment;

    use super::*;
    use crate::cloud::read;

    fn comment(json: &str) -> Comment {
        read(json.as_bytes()).unwrap().value
    }

    fn spot(inline: &str) -> Spot {
        comment(&format!(r#"{{"id":1,"content":{{"raw":""}},"inline":{inline}}}"#)).anchor.unwrap().spot
    }

    fn to(first: u32, last: u32) -> Spot {
        Spot::Lines(Side::To, LineRange { first, last })
    }

    fn from(first: u32, last: u32) -> Spot {
        Spot::Lines(Side::From, LineRange { first, last })
    }

    #[test]
    fn lines_of_anchors() {
        let cases = [
            (r#"{"path":"a"}"#, Spot::File),
            (r#"{"path":"a","from":null,"to":null,"start_from":null,"start_to":null}"#, Spot::File),
            (r#"{"path":"a","to":5}"#, to(4, 4)),
            (r#"{"path":"a","from":null,"to":5}"#, to(4, 4)),
            (r#"{"path":"a","from":5,"to":null}"#, from(4, 4)),
            (r#"{"path":"a","from":3,"to":5}"#, to(4, 4)),
            (r#"{"path":"a","start_to":3,"to":5}"#, to(2, 4)),
            (r#"{"path":"a","start_to":5,"to":3}"#, to(2, 4)),
            (r#"{"path":"a","start_from":3,"from":5}"#, from(2, 4)),
            (r#"{"path":"a","start_from":1,"start_to":3,"from":2,"to":5}"#, to(2, 4)),
            (r#"{"path":"a","start_from":1,"to":5}"#, to(4, 4)),
            (r#"{"path":"a","start_to":3,"from":5}"#, from(4, 4)),
            (r#"{"path":"a","start_to":3}"#, to(2, 2)),
            (r#"{"path":"a","start_from":3}"#, from(2, 2)),
            (r#"{"path":"a","to":1}"#, to(0, 0)),
            (r#"{"path":"a","to":0}"#, to(0, 0)),
            (r#"{"path":"a","to":-3}"#, to(0, 0)),
            (r#"{"path":"a","to":"7"}"#, to(6, 6)),
            (r#"{"path":"a","to":99999999999}"#, to(u32::MAX - 1, u32::MAX - 1)),
        ];
        for (inline, expected) in cases {
            assert_eq!(spot(inline), expected, "{inline}");
        }
    }

    #[test]
    fn commits_of_code_links() {
        let hash = |text: &str| CommitHash::parse(text);
        let both = (hash("a31d1b70c972"), hash("b563d040b08e"));
        let base = "https://api.bitbucket.org/2.0/repositories/w/r/diff";
        for link in [
            "w/r:a31d1b70c972..b563d040b08e?path=x%3Ay..z",
            "w/r:a31d1b70c972%0Db563d040b08e?from_pullrequest_id=1&topic=true",
            "w/r:a31d1b70c972\rb563d040b08e",
            "w/r%3Aa31d1b70c972%0db563d040b08e",
            "a31d1b70c972...b563d040b08e",
            "a31d1b70c972..b563d040b08e#frag",
        ] {
            assert_eq!(commits_of_link(&format!("{base}/{link}")), both, "{link}");
        }
        let internal =
            "https://bitbucket.org/!api/2.0/repositories/w/r/diff/w/r:a31d1b70c972..b563d040b08e?path=x";
        assert_eq!(commits_of_link(internal), both);
        assert_eq!(commits_of_link(&format!("{base}/a31d1b70c972")), (both.0, None));
        assert_eq!(commits_of_link(""), (None, None));
        assert_eq!(commits_of_link("https://evil.example/x:..?"), (None, None));
    }

    #[test]
    fn where_the_link_is_missing_the_revisions_tell() {
        let json = r#"{"id":1,"content":{"raw":"x"},"inline":{"path":"a","to":1,"outdated":true,
            "src_rev":"a31d1b70c972","dest_rev":"b563d040b08e","base_rev":null,"context_lines":""}}"#;
        let anchor = comment(json).anchor.unwrap();
        assert_eq!(anchor.source_commit, CommitHash::parse("a31d1b70c972"));
        assert_eq!(anchor.destination_commit, CommitHash::parse("b563d040b08e"));
        assert_eq!(anchor.outdated, Some(true));
    }
}
