//! The pages that the browser shows at the end of a sign-in, and the heads of all answers of the listener.
//!
//! Pure. The pages load nothing from anywhere, run no script, and hold no code, state or token.

/// A page of ours.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) status: &'static str,
    pub(crate) kind: Kind,
    pub(crate) title: &'static str,
    /// Plain text; escaped when the page is written.
    pub(crate) text: String,
}

/// What a page has besides its text. All of it is markup: whoever writes it escapes what comes from elsewhere.
#[derive(Default)]
pub(crate) struct Markup<'a> {
    /// After the text.
    pub(crate) inside: &'a str,
    /// More of the document's head.
    pub(crate) head: &'a str,
    /// More of the style sheet.
    pub(crate) style: &'a str,
    /// Whether it holds a form, which the browser may send to where the page is from, and with that origin named.
    pub(crate) has_form: bool,
}

/// How a page looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Good,
    Bad,
    Neutral,
}

impl Page {
    /// What everything gets that is not the sign-in.
    pub(super) fn nothing_here() -> Self {
        Self {
            status: "404 Not Found",
            kind: Kind::Neutral,
            title: "Nothing here",
            text: "This address only waits for Bitbucket's answer to a sign-in. Go back to your editor."
                .into(),
        }
    }

    /// A page with status 200.
    pub(crate) fn new(kind: Kind, title: &'static str, text: &str) -> Self {
        Self { status: "200 OK", kind, title, text: text.to_owned() }
    }

    /// The whole answer, its head included. `nonce`: random letters, for the style sheet.
    pub(crate) fn answer(&self, nonce: &str) -> Vec<u8> {
        self.answer_with(nonce, &Markup::default())
    }

    /// Likewise, with more than text.
    pub(crate) fn answer_with(&self, nonce: &str, markup: &Markup<'_>) -> Vec<u8> {
        let Markup { inside, head: more, style, has_form } = markup;
        let (mark, color) = match self.kind {
            Kind::Good => ("\u{2713}", "good"),
            Kind::Bad => ("\u{2715}", "bad"),
            Kind::Neutral => ("i", "neutral"),
        };
        let (title, text) = (escaped(self.title), escaped(&self.text));
        let body = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style nonce=\"{nonce}\">{STYLE}{style}</style>\n{more}</head>\n<body>\n\
             <main class=\"{color}\">\n<p class=\"mark\" aria-hidden=\"true\">{mark}</p>\n<h1>{title}</h1>\n\
             <p>{text}</p>\n{inside}<footer>Bitbucket in your editor</footer>\n</main>\n</body>\n</html>\n"
        );
        // A browser that is to tell nobody where it comes from sends a form with `Origin: null` (Fetch standard,
        // "append a request `Origin` header"), which is also what a page of an attacker's can send. Under
        // `same-origin` it names us to ourselves, and still tells nobody else anything.
        let (form_action, referrer) =
            if *has_form { ("'self'", "same-origin") } else { ("'none'", "no-referrer") };
        let policy = format!(
            "default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action {form_action}; \
             frame-ancestors 'none'"
        );
        let head = format!(
            "HTTP/1.1 {}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
             Content-Security-Policy: {policy}\r\n{}\r\n",
            self.status,
            body.len(),
            headers(referrer)
        );
        (head + &body).into_bytes()
    }
}

/// The answer that takes the code out of the browser's address.
pub(super) fn redirect(path: &str) -> Vec<u8> {
    elsewhere("302 Found", path)
}

/// The answer to a form: go on there, by a `GET`.
pub(crate) fn see_other(path: &str) -> Vec<u8> {
    elsewhere("303 See Other", path)
}

fn elsewhere(status: &str, path: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\nLocation: {path}\r\nContent-Length: 0\r\n\
         Content-Security-Policy: default-src 'none'\r\n{}\r\n",
        headers("no-referrer")
    )
    .into_bytes()
}

/// Those that all answers have.
fn headers(referrer: &str) -> String {
    format!(
        "Cache-Control: no-store\r\nReferrer-Policy: {referrer}\r\n\
         X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nConnection: close\r\n"
    )
}

const STYLE: &str = ":root{color-scheme:light dark;--good:#1f845a;--bad:#c9372c;--soft:#626f86;--back:#f7f8f9;--card:#fff;--text:#172b4d}\
@media(prefers-color-scheme:dark){:root{--good:#4bce97;--bad:#f87168;--soft:#9fadbc;--back:#161a1d;--card:#22272b;--text:#dee4ea}}\
*{margin:0;box-sizing:border-box}\
body{min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--back);color:var(--text);\
font:1rem/1.5 system-ui,sans-serif}\
main{max-width:30rem;padding:2.5rem;border-radius:.75rem;background:var(--card);text-align:center;\
overflow-wrap:anywhere;box-shadow:0 1px 3px #091e4240}\
.mark{width:3.5rem;height:3.5rem;margin:0 auto 1rem;border-radius:50%;font-size:1.75rem;line-height:3.5rem;color:var(--card);background:var(--soft)}\
.good .mark{background:var(--good)}.bad .mark{background:var(--bad)}\
h1{margin-bottom:.5rem;font-size:1.375rem;line-height:1.3}\
footer{margin-top:1.5rem;font-size:.875rem;color:var(--soft)}";

/// Text for anywhere in a page, attributes in double quotes included.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Controls, and what turns the direction of text around.
            character if character.is_control() => escaped.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => {}
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_says_all_that_keeps_it_apart() {
        let page = Page::new(Kind::Good, "Signed in", "As Ana <b>Ruiz</b> & \"co\"\u{202e}.");
        let answer = String::from_utf8(page.answer("n0nce")).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        for header in [
            "HTTP/1.1 200 OK",
            "Content-Security-Policy: default-src 'none'; style-src 'nonce-n0nce'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "Referrer-Policy: no-referrer",
            "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff",
            "Connection: close",
            &format!("Content-Length: {}", body.len()),
        ] {
            assert!(head.split("\r\n").any(|line| line == header), "{header} in {head}");
        }
        assert!(body.contains("As Ana &lt;b&gt;Ruiz&lt;/b&gt; &amp; &quot;co&quot;."));
        assert!(!body.contains("http") && !body.contains("<script") && !body.contains("src="));
    }

    #[test]
    fn a_redirect_has_no_body() {
        let answer = String::from_utf8(redirect("/result/x")).unwrap();
        assert!(answer.starts_with("HTTP/1.1 302 Found\r\nLocation: /result/x\r\nContent-Length: 0\r\n"));
        assert!(answer.ends_with("\r\n\r\n") && answer.contains("Referrer-Policy: no-referrer\r\n"));
    }

    proptest! {
        #[test]
        fn no_text_becomes_markup(text in ".{0,60}") {
            let plain = escaped(&text);
            prop_assert!(!plain.contains(['<', '>', '"', '\'']) && !plain.contains(char::is_control));
        }
    }
}
