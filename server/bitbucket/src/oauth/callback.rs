//! Whether a request on the loopback port is the browser coming back from Bitbucket.
//!
//! Pure, and strict: whatever is not spelled as a browser spells it is not it. Anybody on this computer, and
//! any web page that it shows, can send requests here.

use credentials::Secret;

use super::reply::is_code;

/// The longest head of a request, in bytes.
pub(super) const HEAD_LIMIT: usize = 8 << 10;

/// The end of a head.
pub(super) const END: &[u8] = b"\r\n\r\n";

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
    let head = request.strip_suffix(END)?;
    let mut lines = split_lines(head)?.into_iter();
    let first = std::str::from_utf8(lines.next()?).ok()?;
    let mut hosts = 0;
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        let good_name = !name.is_empty() && name.iter().copied().all(is_token_byte);
        let good_value = value.iter().all(|byte| *byte >= b' ' && *byte != 0x7f || *byte == b'\t');
        if !good_name || !good_value {
            return None;
        }
        if name.eq_ignore_ascii_case(b"host") {
            hosts += 1;
            if value != host.as_bytes() {
                return None;
            }
        }
        let has_body = name.eq_ignore_ascii_case(b"content-length") && value != b"0";
        if has_body || name.eq_ignore_ascii_case(b"transfer-encoding") {
            return None;
        }
    }
    let target = first.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?;
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"#\\\"<>^`{|}".contains(&byte);
    if hosts != 1 || !target.starts_with('/') || !target.bytes().all(plain) {
        return None;
    }
    Some(target.split_once('?').unwrap_or((target, "")))
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

/// RFC 9110 section 5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Of a form: `+` is a space. `None` for broken escapes, control characters and what is not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    let decoded = String::from_utf8(decoded).ok()?;
    (!decoded.contains(char::is_control)).then_some(decoded)
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
