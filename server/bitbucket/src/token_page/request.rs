//! What a request at the page's port wants.
//!
//! Pure, and strict as [`crate::oauth`] is: anybody on this computer, and any web page that it shows, can send
//! requests here. Only who knows the random path gets anything, and only our own form submits something.

use credentials::Secret;

use crate::oauth::callback::Head;

/// The longest body of a form, in bytes.
pub(super) const BODY_LIMIT: usize = 16 << 10;

/// The addresses that are answered.
pub(super) struct Addresses {
    /// `127.0.0.1:PORT`
    pub(super) host: String,
    /// The path of the form; only who was given it knows it.
    pub(super) form: String,
    /// The path of the page at the end.
    pub(super) result: String,
}

impl Addresses {
    /// The whole address of the form.
    pub(super) fn url(&self) -> String {
        format!("http://{}{}", self.host, self.form)
    }
}

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The form.
    Form,
    /// The page at the end.
    Result,
    /// To submit a form, whose body has so many bytes.
    Submit { length: usize },
    /// More than a form of ours can hold.
    TooLong,
    /// Something else with the address of the form.
    OtherMethod,
    /// None of this: whatever it says, there is nothing here.
    Nothing,
}

/// Judges the head of a request, which comes without its end.
pub(super) fn wanted(head: &[u8], addresses: &Addresses) -> Wanted {
    let Some(head) = Head::read(head) else { return Wanted::Nothing };
    let is_here = head.only("host") == Some(addresses.host.as_bytes()) && !head.is_chunked();
    match (is_here, head.method) {
        (true, "GET") if head.values("content-length").any(|length| length != b"0") => Wanted::Nothing,
        // Editors and other programs open the form, so it does not matter where a `GET` comes from.
        (true, "GET") if is(&addresses.result, head.target) => Wanted::Result,
        (true, "GET") if is(&addresses.form, head.target) => Wanted::Form,
        (true, "POST") if is(&addresses.form, head.target) => submitted(&head, &addresses.host),
        (true, _) if is(&addresses.form, head.target) => Wanted::OtherMethod,
        _ => Wanted::Nothing,
    }
}

/// Judges a `POST` at the right address: whether a browser sends it from our own form.
fn submitted(head: &Head<'_>, host: &str) -> Wanted {
    let origin = format!("http://{host}");
    // Where a browser says where a form comes from, it comes from here. Other programs say nothing.
    let agrees = |name: &str, value: &str| {
        head.values(name).next().is_none() || head.only(name) == Some(value.as_bytes())
    };
    let is_form = head
        .only("content-type")
        .is_some_and(|kind| kind.eq_ignore_ascii_case(b"application/x-www-form-urlencoded"));
    let length = head.only("content-length").filter(|digits| digits.iter().all(u8::is_ascii_digit));
    let Some(length) = length.filter(|digits| !digits.is_empty()) else { return Wanted::Nothing };
    if !is_form || !agrees("origin", &origin) || !agrees("sec-fetch-site", "same-origin") {
        return Wanted::Nothing;
    }
    let length = std::str::from_utf8(length).ok().and_then(|digits| digits.parse().ok());
    match length.filter(|length| *length <= BODY_LIMIT) {
        Some(length) => Wanted::Submit { length },
        None => Wanted::TooLong,
    }
}

/// Compares paths in a time that tells nothing of how much of them is right.
fn is(path: &str, target: &str) -> bool {
    Secret::new(path.to_owned()).same_as(&Secret::new(target.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POST: &str = "POST /form HTTP/1.1\r\nHost: 127.0.0.1:7\r\nOrigin: http://127.0.0.1:7\r\n\
        Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9";

    fn judged(head: &[u8]) -> Wanted {
        let addresses =
            Addresses { host: "127.0.0.1:7".into(), form: "/form".into(), result: "/result/x".into() };
        wanted(head, &addresses)
    }

    #[test]
    fn requests_of_a_browser_are_told_apart() {
        let get = |path: &str| judged(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:7").as_bytes());
        assert_eq!(get("/form"), Wanted::Form);
        assert_eq!(get("/result/x"), Wanted::Result);
        assert_eq!(get("/form?"), Wanted::Nothing);
        assert_eq!(judged(POST.as_bytes()), Wanted::Submit { length: 9 });
        assert_eq!(judged(POST.replacen("POST", "PUT", 1).as_bytes()), Wanted::OtherMethod);
        let length = |text: &str| judged(POST.replace("Length: 9", &format!("Length: {text}")).as_bytes());
        assert_eq!(length("16384"), Wanted::Submit { length: BODY_LIMIT });
        for long in ["16385", "999999999999999999999999999999"] {
            assert_eq!(length(long), Wanted::TooLong);
        }
        for odd in ["", "-1", "+1", "0x1", "1 1", "1,1", "\u{661}"] {
            assert_eq!(length(odd), Wanted::Nothing, "{odd:?}");
        }
    }

    #[test]
    fn a_form_comes_from_here_or_does_not_say() {
        let plain =
            POST.replace("Origin: http://127.0.0.1:7\r\n", "").replace("Sec-Fetch-Site: same-origin\r\n", "");
        assert_eq!(judged(plain.as_bytes()), Wanted::Submit { length: 9 });
        for origin in [
            "null",
            "",
            "http://127.0.0.1",
            "https://127.0.0.1:7",
            "http://127.0.0.1:7/",
            "http://localhost:7",
        ] {
            let other = POST.replace("Origin: http://127.0.0.1:7", &format!("Origin: {origin}"));
            assert_eq!(judged(other.as_bytes()), Wanted::Nothing, "{origin}");
        }
        for site in ["none", "same-site", "cross-site", "", "same-origin, same-origin"] {
            let other = POST.replace("Site: same-origin", &format!("Site: {site}"));
            assert_eq!(judged(other.as_bytes()), Wanted::Nothing, "{site}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        #[test]
        fn random_bytes_want_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(judged(&bytes), Wanted::Nothing);
        }

        /// One byte of the right request replaced, taken out or put in: it is right still only if what says where it
        /// goes and how long it is stayed whole.
        #[test]
        fn a_damaged_request_is_right_or_refused(at in 0_usize..300, byte: u8, how in 0..3) {
            let mut request = POST.as_bytes().to_vec();
            let at = at % request.len();
            match how {
                0 => request[at] = byte,
                1 => { request.remove(at); }
                _ => request.insert(at, byte),
            }
            if let Wanted::Submit { .. } = judged(&request) {
                let text = String::from_utf8_lossy(&request).to_lowercase();
                prop_assert!(text.starts_with("post /form http/1.1\r\n"));
                for part in ["127.0.0.1:7", "application/x-www-form-urlencoded", "content-length:"] {
                    prop_assert!(text.contains(part), "{}", text);
                }
            }
        }
    }
}
