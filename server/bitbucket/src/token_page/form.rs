//! Reads what the form was sent with.
//!
//! Pure. The token is in wiped buffers until it is a [`Secret`]; what is wrong with it is said without a letter of
//! it.

use credentials::Secret;

use super::wiped::Wiped;
use crate::oauth::callback::unescaped;

/// The longest e-mail address (RFC 5321), in characters.
pub(super) const EMAIL_LIMIT: usize = 254;
/// The longest token.
pub(super) const TOKEN_LIMIT: usize = 8192;

/// What the user entered.
pub struct Submitted {
    /// The e-mail address that goes with an API token; `None` for an access token of a repository, a project or a
    /// workspace.
    pub email: Option<String>,
    /// The token, which nobody has tried yet.
    pub token: Secret,
}

/// A form that was filled in wrongly.
pub(super) struct Mistake {
    /// What is wrong, and what to do.
    pub(super) sentence: &'static str,
    /// The address as it was entered, as far as addresses go.
    pub(super) email: String,
}

/// Reads a form's body. `None` if it is not our form: it has both fields once, spelled as browsers spell them.
pub(super) fn read(body: &[u8]) -> Option<Result<Submitted, Mistake>> {
    let body = std::str::from_utf8(body).ok()?;
    let (mut email, mut token) = (None, None);
    for pair in body.split('&') {
        let (name, value) = pair.split_once('=')?;
        let slot = match name {
            "email" => &mut email,
            "token" => &mut token,
            _ => return None,
        };
        if slot.replace(decoded(value)?).is_some() {
            return None;
        }
    }
    let (email, token) = (email?, token?);
    let email = std::str::from_utf8(&email).ok()?.trim();
    let token = std::str::from_utf8(&token).ok()?.trim();
    Some(match mistake(email, token) {
        // The copies have just the room that they need, so that wrapping them makes no more copies.
        None => Ok(Submitted {
            email: (!email.is_empty()).then(|| email.to_owned()),
            token: Secret::new(token.to_owned()),
        }),
        Some(sentence) => Err(Mistake { sentence, email: email.chars().take(EMAIL_LIMIT).collect() }),
    })
}

/// What is wrong with the fields.
fn mistake(email: &str, token: &str) -> Option<&'static str> {
    // A colon ends the user's name in what the address is sent as (RFC 7617 section 2).
    let in_address = |letter: char| (letter.is_ascii_graphic() || letter.is_alphabetic()) && letter != ':';
    if email.chars().count() > EMAIL_LIMIT || !email.chars().all(in_address) {
        Some("This is not an e-mail address; enter the one of your Atlassian account, and the token again.")
    } else if token.is_empty() {
        Some("The token is missing; paste it into its field.")
    } else if token.len() > TOKEN_LIMIT {
        Some("This is longer than any token; copy the token alone and paste it again.")
    } else if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        Some(
            "There is a character in this that no token has, or a space; copy the token alone and paste it again.",
        )
    } else {
        None
    }
}

/// A value without its escapes. As nothing gets longer by that, the buffer need not grow; what is left of it is
/// zeros, and cut off.
fn decoded(value: &str) -> Option<Field> {
    let mut field = Field { bytes: Wiped::zeros(value.len()), length: 0 };
    for byte in unescaped(value) {
        field.bytes[field.length] = byte?;
        field.length += 1;
    }
    Some(field)
}

/// A decoded value.
struct Field {
    bytes: Wiped,
    length: usize,
}

impl std::ops::Deref for Field {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The e-mail address, if the token is the expected one; or the sentence.
    fn said(body: &str, token: &str) -> Option<Result<Option<String>, &'static str>> {
        read(body.as_bytes()).map(|read| match read {
            Ok(form) => {
                assert!(form.token.same_as(&Secret::new(token.into())), "another token");
                Ok(form.email)
            }
            Err(mistake) => Err(mistake.sentence),
        })
    }

    #[test]
    fn fields_are_read_and_trimmed() {
        assert_eq!(said("email=&token=t1", "t1"), Some(Ok(None)));
        assert_eq!(said("token=t1&email=ana%40shop.test", "t1"), Some(Ok(Some("ana@shop.test".into()))));
        assert_eq!(
            said("email=+ana%2bx%40shop.test%0d%0a&token=%0D%0A%09+a%2Bb%3D%2f_-%0A%C2%A0", "a+b=/_-"),
            Some(Ok(Some("ana+x@shop.test".into())))
        );
        assert_eq!(
            said("email=j%C3%BCrg%40shop.test&token=t", "t"),
            Some(Ok(Some("j\u{fc}rg@shop.test".into())))
        );
        let long = "x".repeat(TOKEN_LIMIT);
        assert_eq!(
            said(&format!("email={}&token={long}", "a".repeat(EMAIL_LIMIT)), &long)
                .unwrap()
                .unwrap()
                .unwrap()
                .len(),
            254
        );
    }

    #[test]
    fn mistakes_are_explained_without_the_token() {
        let long = "x".repeat(TOKEN_LIMIT + 1);
        for (body, word) in [
            ("email=&token=", "missing"),
            ("email=&token=%20%0a", "missing"),
            ("email=&token=secr3t%20secr3t", "character"),
            ("email=&token=secr3t%00", "character"),
            ("email=&token=s%C3%A9cr3t", "character"),
            ("email=&token=secr3t%0d%0aX:%20y", "character"),
            (&format!("email=&token={long}"), "longer"),
            ("email=a%20b&token=secr3t", "e-mail"),
            ("email=a%3ab%40shop.test&token=secr3t", "e-mail"),
            ("email=a%0d%0ab&token=secr3t", "e-mail"),
            ("email=%E2%80%AEa%40shop.test&token=secr3t", "e-mail"),
            (&format!("email={}&token=secr3t", "a".repeat(EMAIL_LIMIT + 1)), "e-mail"),
        ] {
            let Some(Err(mistake)) = read(body.as_bytes()) else { panic!("{body}") };
            assert!(mistake.sentence.contains(word), "{body}: {}", mistake.sentence);
            assert!(!mistake.sentence.contains("secr3t") && !mistake.email.contains("secr3t"), "{body}");
            assert!(mistake.email.chars().count() <= EMAIL_LIMIT);
        }
    }

    #[test]
    fn other_forms_are_not_read() {
        for body in [
            "",
            "&",
            "=",
            "email",
            "token",
            "email=",
            "token=t1",
            "email&token=t1",
            "email=&token",
            "email=&token=t1&",
            "email=&token=t1&x=y",
            "email=&email=&token=t1",
            "email=&token=t1&token=t1",
            "Email=&token=t1",
            "email=&%74oken=t1",
            "email=&token=%",
            "email=&token=%4",
            "email=&token=%zz",
            "email=&token=%ff",
            "email=%c0%80&token=t1",
            "email=;token=t1",
            "{\"email\":\"\",\"token\":\"t1\"}",
        ] {
            assert_eq!(said(body, "t1"), None, "{body}");
        }
        assert!(read(b"email=&token=\xff").is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "(email|token|=|&|%|[0-9a-f ]){0,20}") {
            for body in [&bytes[..], text.as_bytes()] {
                if let Some(Ok(form)) = read(body) {
                    prop_assert!(form.email.is_none_or(|email| (1..=EMAIL_LIMIT).contains(&email.chars().count())));
                }
            }
        }

        #[test]
        fn what_is_written_is_read(token in "[!-~]{1,60}", email in "[a-z+%&=@.-]{0,20}") {
            let body: String = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("email", &email).append_pair("token", &token).finish();
            prop_assert_eq!(said(&body, &token), Some(Ok((!email.is_empty()).then_some(email))));
        }
    }
}
