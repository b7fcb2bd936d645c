//! The pages that the browser shows while a token is added.
//!
//! Pure. They load nothing from anywhere, run no script, and never hold a token.

use url::Url;

use super::form::{EMAIL_LIMIT, TOKEN_LIMIT};
use crate::oauth::page::{Kind, Markup, Page, escaped};

/// What the form says besides its fields.
pub(super) struct Words {
    /// Plain text at the top.
    pub(super) intro: String,
    /// A page where tokens are made, with what the link to it says.
    pub(super) make_at: Option<(String, Url)>,
}

/// How the form is filled in when it is shown.
#[derive(Clone, Default)]
pub(super) struct Filled {
    /// The address that was entered last.
    pub(super) email: String,
    /// What was wrong last.
    pub(super) wrong: Option<String>,
}

/// The form, with the path that it is sent to.
pub(super) fn form(words: &Words, filled: &Filled, path: &str, nonce: &str) -> Vec<u8> {
    let kind = if filled.wrong.is_some() { Kind::Bad } else { Kind::Neutral };
    // The form comes first, so that it is seen without scrolling.
    let page =
        Page::new(kind, "Add a Bitbucket token", "It goes to your editor's server, not into your editor.");
    let intro = match words.intro.is_empty() {
        true => String::new(),
        false => format!("<p class=\"intro\">{}</p>\n", escaped(&words.intro)),
    };
    let link = words.make_at.as_ref().filter(|(_, url)| url.scheme() == "https").map(|(label, url)| {
        let (label, url) = (escaped(label), escaped(url.as_str()));
        format!("<p><a href=\"{url}\" target=\"_blank\" rel=\"noopener noreferrer\">{label}</a></p>\n")
    });
    let wrong = filled
        .wrong
        .as_ref()
        .map(|wrong| format!("<p class=\"wrong\" role=\"alert\">{}</p>\n", escaped(wrong)));
    let (link, wrong, email) = (link.unwrap_or_default(), wrong.unwrap_or_default(), escaped(&filled.email));
    let inside = format!(
        "{wrong}<form method=\"post\" action=\"{path}\" autocomplete=\"off\">\n\
         <label for=\"email\">E-mail address of your Atlassian account</label>\n\
         <input id=\"email\" name=\"email\" type=\"text\" inputmode=\"email\" maxlength=\"{EMAIL_LIMIT}\" \
         autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\" aria-describedby=\"hint\" \
         value=\"{email}\">\n\
         <p id=\"hint\">Empty for an access token of a repository, a project or a workspace.</p>\n\
         <label for=\"token\">Token</label>\n\
         <input id=\"token\" name=\"token\" type=\"password\" maxlength=\"{TOKEN_LIMIT}\" required \
         autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\">\n\
         <button type=\"submit\">Add the token</button>\n</form>\n{intro}{link}"
    );
    page.answer_with(nonce, &Markup { inside: &inside, style: STYLE, has_form: true, ..Markup::default() })
}

/// For who sends a form while another one is looked at: goes on to `path` by itself, which waits for the outcome.
pub(super) fn busy(path: &str, nonce: &str) -> Vec<u8> {
    let text = "A token is being checked already, so this one was not looked at. This page goes on by itself \
        when the check is over.";
    let page = Page { status: "409 Conflict", ..Page::new(Kind::Neutral, "One at a time", text) };
    let head = format!("<meta http-equiv=\"refresh\" content=\"0;url={path}\">\n");
    page.answer_with(nonce, &Markup { head: &head, ..Markup::default() })
}

/// For who has waited for too long.
pub(super) fn still_checking(nonce: &str) -> Vec<u8> {
    let text = "This takes unusually long. Your editor tells how it ends.";
    Page::new(Kind::Neutral, "Still checking the token", text).answer(nonce)
}

/// What everything gets that is not our form.
pub(super) fn nothing_here(nonce: &str) -> Vec<u8> {
    refusal("404 Not Found", "Nothing here", nonce)
}

/// For methods that forms do not use.
pub(super) fn other_method(nonce: &str) -> Vec<u8> {
    refusal("405 Method Not Allowed\r\nAllow: GET, POST", "Not this way", nonce)
}

/// For bodies that are longer than a form's.
pub(super) fn too_long(nonce: &str) -> Vec<u8> {
    refusal("413 Content Too Large", "Too long", nonce)
}

fn refusal(status: &'static str, title: &'static str, nonce: &str) -> Vec<u8> {
    let text = "This address only takes a token from a form of its own. Go back to your editor.";
    Page { status, ..Page::new(Kind::Neutral, title, text) }.answer(nonce)
}

const STYLE: &str = "form{margin-top:1.5rem;text-align:left}\
label{display:block;font-weight:600}\
input{width:100%;margin-top:.25rem;padding:.5rem .75rem;border:1px solid var(--soft);border-radius:.375rem;\
background:var(--back);color:var(--text);font:inherit}\
#hint{margin:.25rem 0 1rem;font-size:.875rem;color:var(--soft)}\
button{width:100%;margin-top:1.25rem;padding:.625rem;border:0;border-radius:.375rem;background:var(--good);\
color:var(--card);font:inherit;font-weight:600;cursor:pointer}\
a{color:inherit}\
.intro{margin-top:1.5rem;font-size:.875rem;text-align:left}\
.wrong{margin-top:1rem;color:var(--bad);font-weight:600}";

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(filled: &Filled, make_at: Option<(&str, &str)>) -> String {
        let words = Words {
            intro: "Made <here> & there.".into(),
            make_at: make_at.map(|(label, url)| (label.into(), Url::parse(url).unwrap())),
        };
        String::from_utf8(form(&words, filled, "/p4th", "n0nce")).unwrap()
    }

    #[test]
    fn the_form_keeps_apart_what_is_not_its_own() {
        let answer = shown(&Filled::default(), Some(("Make <one>", "https://id.test/a?b=c&d=\"e'")));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        for header in [
            "Content-Security-Policy: default-src 'none'; style-src 'nonce-n0nce'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
            "Referrer-Policy: same-origin",
            "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff",
            "X-Frame-Options: DENY",
            "Connection: close",
            &format!("Content-Length: {}", body.len()),
        ] {
            assert!(head.split("\r\n").any(|line| line == header), "{header} in {head}");
        }
        assert!(body.contains("Made &lt;here&gt; &amp; there."), "{body}");
        assert!(body.contains("href=\"https://id.test/a?b=c&amp;d=%22e%27\""), "{body}");
        assert!(
            body.contains(">Make &lt;one&gt;</a>") && !body.contains("<script") && !body.contains("src=")
        );
        assert!(body.contains("<form method=\"post\" action=\"/p4th\"") && !body.contains("role=\"alert\""));
    }

    #[test]
    fn what_was_entered_stays_text() {
        let filled = Filled { email: "\"><b>&'\u{202e}".into(), wrong: Some("No <i>.".into()) };
        let body = shown(&filled, None);
        assert!(body.contains("value=\"&quot;&gt;&lt;b&gt;&amp;&#39;\""), "{body}");
        assert!(body.contains("<p class=\"wrong\" role=\"alert\">No &lt;i&gt;.</p>"), "{body}");
    }

    #[test]
    fn links_lead_to_encrypted_pages_only() {
        for url in ["http://id.test/", "javascript:alert(1)", "file:///etc/passwd"] {
            assert!(!shown(&Filled::default(), Some(("Make one", url))).contains("Make one"), "{url}");
        }
    }
}
