//! Whether a request on the loopback port is the browser coming back from Bitbucket.
//!
//! Pure, and strict: whatever is not spelled as a browser spells it is not it. Anybody on this computer, and
//! any web page that it shows, can send requests here.

use credentials::Secret;

use super::reply::is_code;

/// The longest head of a request, in bytes.
pub(crate) const HEAD_LIMIT: usize = 8 << 10;

/// The end of a head.
pub(crate) const END: &[u8] = b"\r\n\r\n";

/// Longest code, in bytes.
const CODE_LIMIT: usize = 4 << 10;

/// What Bitbucket sent the browser back with.
#[derive(Clone)]
pub(super) enum Answer {
    /// The user granted access.
    Code(Secret),
    /// The user denied it.
    Denied,
    /// Bitbucket refused, with OAuth's word for it (RFC 6749 section 4.1.2.1).
    Refused(String),
}

/// Path and query of a whole request, if it is a `GET` for `host` with nothing odd about it.
///
/// `None` for other methods and versions, absolute and other forms of the target, no `Host` or another or
/// several, a body, bytes after the head, line ends other than CRLF, continued lines, and characters that
/// do not belong where they are.
pub(super) fn target<'a>(request: &'a [u8], host: &str) -> Option<(&'a str, &'a str)> {
    let head = Head::read(request.strip_suffix(END)?)?;
    let is_ours = head.method == "GET" && head.only("host") == Some(host.as_bytes());
    let has_body = head.values("content-length").any(|value| value != b"0") || head.is_chunked();
    (is_ours && !has_body).then(|| head.target.split_once('?').unwrap_or((head.target, "")))
}

/// The head of a request with nothing odd about it.
pub(crate) struct Head<'a> {
    pub(crate) method: &'a str,
    /// A path, and what follows it.
    pub(crate) target: &'a str,
    fields: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Head<'a> {
    /// Takes a head apart that comes without its end.
    pub(crate) fn read(head: &'a [u8]) -> Option<Self> {
        let mut lines = split_lines(head)?.into_iter();
        let first = std::str::from_utf8(lines.next()?).ok()?;
        let (method, target) = first.strip_suffix(" HTTP/1.1")?.split_once(' ')?;
        if !target.starts_with('/') || !target.bytes().all(is_target_byte) {
            return None;
        }
        let fields = lines.map(field).collect::<Option<_>>()?;
        Some(Self { method, target, fields })
    }

    /// The values of all fields of a name.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let named = self.fields.iter().filter(move |(found, _)| found.eq_ignore_ascii_case(name.as_bytes()));
        named.map(|(_, value)| *value)
    }

    /// The value of the one field of a name; `None` if there is none or several.
    pub(crate) fn only(&self, name: &str) -> Option<&'a [u8]> {
        let mut values = self.values(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// Whether the length of the body is told in another way than by a number.
    pub(crate) fn is_chunked(&self) -> bool {
        self.values("transfer-encoding").next().is_some()
    }
}

/// Name and value of a line.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&line[..colon], trimmed(&line[colon + 1..]));
    let good_name = !name.is_empty() && name.iter().copied().all(is_token_byte);
    let good_value = value.iter().all(|byte| *byte >= b' ' && *byte != 0x7f || *byte == b'\t');
    (good_name && good_value).then_some((name, value))
}

/// Reads the query of a callback; `None` unless it has the right state, and either a code or an error, once each.
///
/// Parameters of other names are passed over (RFC 6749 section 4.1.2).
pub(super) fn answer(query: &str, state: &Secret) -> Option<Answer> {
    let (mut found_state, mut code, mut error) = (None, None, None);
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name)?, decoded(value)?);
        let slot = match name.as_str() {
            "state" => &mut found_state,
            "code" => &mut code,
            "error" => &mut error,
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return None;
        }
    }
    if !Secret::new(found_state?).same_as(state) {
        return None;
    }
    match (code, error) {
        (Some(code), None) => {
            let good =
                (1..=CODE_LIMIT).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_graphic());
            good.then(|| Answer::Code(Secret::new(code)))
        }
        (None, Some(error)) if error == "access_denied" => Some(Answer::Denied),
        (None, Some(error)) => is_code(&error).then_some(Answer::Refused(error)),
        _ => None,
    }
}

/// Lines that end in CRLF; `None` if a CR or an LF stands alone.
fn split_lines(head: &[u8]) -> Option<Vec<&[u8]>> {
    let mut lines = Vec::new();
    let mut rest = head;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
        if !rest[at..].starts_with(b"\r\n") {
            return None;
        }
        lines.push(&rest[..at]);
        rest = &rest[at + 2..];
    }
    lines.push(rest);
    Some(lines)
}

/// Without blanks around it, which are spaces and tabs and nothing else (RFC 9110 section 5.6.3).
fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// What browsers leave as it is in a path and a query.
pub(super) fn is_target_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"#\\\"<>^`{|}".contains(&byte)
}

/// RFC 9110 section 5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Of a form: `+` is a space. `None` for broken escapes, control characters and what is not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let decoded = String::from_utf8(unescaped(text).collect::<Option<_>>()?).ok()?;
    (!decoded.contains(char::is_control)).then_some(decoded)
}

/// The bytes of a form, where `+` is a space; `None` in place of a broken escape.
pub(crate) fn unescaped(text: &str) -> impl Iterator<Item = Option<u8>> {
    let mut bytes = text.bytes();
    std::iter::from_fn(move || {
        let byte = match bytes.next()? {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let pair = digit().zip(digit());
                pair.and_then(|(high, low)| u8::try_from(high * 16 + low).ok())
            }
            b'+' => Some(b' '),
            byte => Some(byte),
        };
        Some(byte)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOST: &str = "127.0.0.1:28727";
    const STATE: &str = "gU3c-_9x";

    fn said(query: &str) -> Option<String> {
        let state = Secret::new(STATE.into());
        answer(query, &state).map(|answer| match answer {
            Answer::Code(code) if code.same_as(&Secret::new("c1".into())) => "c1".into(),
            Answer::Code(_) => "another code".into(),
            Answer::Denied => "denied".into(),
            Answer::Refused(word) => word,
        })
    }

    #[test]
    fn a_code_a_denial_and_a_refusal_are_told_apart() {
        assert_eq!(said("code=c1&state=gU3c-_9x").as_deref(), Some("c1"));
        assert_eq!(said("state=gU3c-_9x&code=c1&iss=x&foo%5B%5D=1&&=").as_deref(), Some("c1"));
        assert_eq!(said("state=gU3c%2D%5f9x&code=c%31").as_deref(), Some("c1"));
        assert_eq!(
            said("error=access_denied&error_description=a+b&state=gU3c-_9x").as_deref(),
            Some("denied")
        );
        assert_eq!(said("error=invalid_scope&state=gU3c-_9x").as_deref(), Some("invalid_scope"));
    }

    #[test]
    fn a_browsers_request_is_taken_apart() {
        let request = format!(
            "GET /callback?code=c1&state=s HTTP/1.1\r\nHost: {HOST}\r\nUser-Agent: \u{e9}x (y; z)\r\n\
             Accept: text/html,*/*;q=0.8\r\nCookie: a=b\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n"
        );
        assert_eq!(target(request.as_bytes(), HOST), Some(("/callback", "code=c1&state=s")));
        let bare = format!("GET / HTTP/1.1\r\nhost:\t{HOST}\t\r\n\r\n");
        assert_eq!(target(bare.as_bytes(), HOST), Some(("/", "")));
        for blank in ['\u{b}', '\u{c}', '\u{a0}'] {
            for value in [format!("{HOST}{blank}"), format!("{blank}{HOST}")] {
                let odd = format!("GET / HTTP/1.1\r\nHost: {value}\r\n\r\n");
                assert_eq!(target(odd.as_bytes(), HOST), None, "{value:?}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        #[test]
        fn random_bytes_are_never_a_callback(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(target(&bytes, HOST), None);
        }

        #[test]
        fn random_queries_never_have_the_state(query in "[ -~]{0,80}") {
            prop_assert!(said(&query).is_none());
        }

        /// One byte of the right request replaced, taken out or put in: still right only where HTTP says that it is.
        #[test]
        fn a_damaged_request_is_right_or_refused(at in 0_usize..200, byte: u8, how in 0..3) {
            let mut request = format!(
                "GET /callback?code=c1&state={STATE} HTTP/1.1\r\nHost: {HOST}\r\nAccept: */*\r\n\r\n"
            ).into_bytes();
            let at = at % request.len();
            match how {
                0 => request[at] = byte,
                1 => { request.remove(at); }
                _ => request.insert(at, byte),
            }
            if let Some((path, query)) = target(&request, HOST)
                && path == "/callback" && let Some(said) = said(query)
            {
                // The state is whole, whatever else is damaged.
                prop_assert!(String::from_utf8_lossy(&request).contains(STATE));
                prop_assert!(said == "c1" || said == "another code");
            }
        }
    }
}
