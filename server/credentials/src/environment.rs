//! The account that the environment describes.
//!
//! It must not read the environment itself: the caller hands in how to look a variable up, so tests
//! need no process-wide state.

use secrecy::zeroize::Zeroizing;

use crate::secret::{Authorization, Secret};

/// An account that requests can be signed with.
#[derive(Clone)]
pub struct Account {
    /// How to sign.
    pub authorization: Authorization,
    /// Where it came from.
    pub source: Source,
}

/// Where an account came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Environment variables.
    Environment,
}

/// What is wrong with the credentials; each message is a sentence for the user and never holds a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Only one of a pair is there.
    #[error("{present} is set but {missing} is not; set both to sign in with an API token, or neither.")]
    HalfPair {
        /// The variable that is set.
        present: &'static str,
        /// The variable that is not.
        missing: &'static str,
    },
    /// Both ways of signing in at once.
    #[error("{one} and {other} are both set; remove one of them, so that it is clear which account is used.")]
    Ambiguous {
        /// A variable of the first way.
        one: &'static str,
        /// A variable of the second way.
        other: &'static str,
    },
    /// A variable holds nothing but spaces.
    #[error("{variable} is empty; put the value in or remove the variable.")]
    Blank {
        /// The variable.
        variable: &'static str,
    },
    /// A variable holds something that no token or address holds.
    #[error("{variable} holds {what}; copy the value again, without line breaks or spaces.")]
    Malformed {
        /// The variable.
        variable: &'static str,
        /// What was found in it, in words.
        what: &'static str,
    },
}

const TOKEN: &str = "BITBUCKET_TOKEN";
const EMAIL: &str = "BITBUCKET_EMAIL";
const API_TOKEN: &str = "BITBUCKET_API_TOKEN";

/// Reads `BITBUCKET_TOKEN` (an access token, sent as Bearer), or `BITBUCKET_EMAIL` with
/// `BITBUCKET_API_TOKEN` (an API token, sent as Basic).
///
/// `get` looks a variable up. `Ok(None)` means that none of the three is set: signed out, which is no error.
/// A variable that is set to nothing at all counts as not set, because that is how shells unset for a child.
/// A line break at the very end is taken off, because files have one; nothing else is repaired.
///
/// # Errors
/// Half a pair, both ways at once, blanks, and characters that would break or forge a header.
pub fn from_environment(get: &dyn Fn(&str) -> Option<String>) -> Result<Option<Account>, Error> {
    let token = read(get, TOKEN)?;
    let email = read(get, EMAIL)?;
    let api_token = read(get, API_TOKEN)?;
    let authorization = match (token, email, api_token) {
        (None, None, None) => return Ok(None),
        (Some(token), None, None) => Authorization::Bearer(token),
        (None, Some(email), Some(password)) => {
            let user = email.expose().to_owned();
            if user.contains(':') {
                return Err(Error::Malformed { variable: EMAIL, what: "a colon" });
            }
            Authorization::Basic { user, password }
        }
        (None, Some(_), None) => {
            return Err(Error::HalfPair { present: EMAIL, missing: API_TOKEN });
        }
        (None, None, Some(_)) => {
            return Err(Error::HalfPair { present: API_TOKEN, missing: EMAIL });
        }
        (Some(_), _, Some(_)) => {
            return Err(Error::Ambiguous { one: TOKEN, other: API_TOKEN });
        }
        (Some(_), Some(_), None) => {
            return Err(Error::Ambiguous { one: TOKEN, other: EMAIL });
        }
    };
    Ok(Some(Account { authorization, source: Source::Environment }))
}

fn read(get: &dyn Fn(&str) -> Option<String>, variable: &'static str) -> Result<Option<Secret>, Error> {
    let Some(value) = get(variable).map(Zeroizing::new) else {
        return Ok(None);
    };
    if value.is_empty() {
        return Ok(None);
    }
    let text = value.strip_suffix("\r\n").or_else(|| value.strip_suffix('\n')).unwrap_or(&value);
    if text.trim().is_empty() {
        return Err(Error::Blank { variable });
    }
    let malformed = |what| Err(Error::Malformed { variable, what });
    if text.contains(['\r', '\n']) {
        return malformed("a line break");
    }
    if text.contains(char::is_control) {
        return malformed("a control character");
    }
    if text.contains(char::is_whitespace) {
        return malformed("a space");
    }
    if !text.is_ascii() {
        return malformed("a character that tokens and addresses do not have");
    }
    Ok(Some(Secret::new(text.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let get =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        match from_environment(&get) {
            Ok(account) => Ok(account.map(|account| account.authorization.header().expose().to_owned())),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn nothing_set_is_signed_out() {
        assert_eq!(outcome(&[]), Ok(None));
        assert_eq!(outcome(&[(TOKEN, "")]), Ok(None));
    }

    #[test]
    fn each_way_gives_its_header() {
        assert_eq!(outcome(&[(TOKEN, "abc\n")]), Ok(Some("Bearer abc".into())));
        assert_eq!(outcome(&[(TOKEN, "abc"), (EMAIL, ""), (API_TOKEN, "")]), Ok(Some("Bearer abc".into())));
        let pair = [(EMAIL, "a@b.c"), (API_TOKEN, "x")];
        assert_eq!(outcome(&pair), Ok(Some("Basic YUBiLmM6eA==".into())));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_value() {
        let canary = "s3cr3t-canary";
        let spaced = format!("{canary} x");
        let two_lines = format!("{canary}\r\nX-Evil: 1");
        let nul = format!("{canary}\0");
        let accent = format!("{canary}\u{e9}");
        let colon = format!("{canary}:x");
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[(EMAIL, canary)], "BITBUCKET_API_TOKEN is not"),
            (&[(API_TOKEN, canary)], "BITBUCKET_EMAIL is not"),
            (&[(TOKEN, canary), (API_TOKEN, canary)], "both set"),
            (&[(TOKEN, canary), (EMAIL, canary)], "both set"),
            (&[(TOKEN, canary), (EMAIL, canary), (API_TOKEN, canary)], "both set"),
            (&[(TOKEN, "  ")], "BITBUCKET_TOKEN is empty"),
            (&[(TOKEN, "\n")], "BITBUCKET_TOKEN is empty"),
            (&[(TOKEN, &spaced)], "a space"),
            (&[(TOKEN, &two_lines)], "a line break"),
            (&[(TOKEN, &nul)], "a control character"),
            (&[(TOKEN, &accent)], "a character that"),
            (&[(EMAIL, &colon), (API_TOKEN, "x")], "a colon"),
        ];
        for (variables, said) in cases {
            let message = outcome(variables).unwrap_err();
            assert!(message.contains(said), "{message}");
            assert!(!message.contains(canary), "{message}");
        }
    }
}
