//! How a write failed, by the one thing that matters: whether it may have happened.
//!
//! It must not know what was written.

use std::fmt;

use crate::error::Error;

/// Why a write gave nothing, by whether it may have happened all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// It certainly did not happen: nothing left this computer, or Bitbucket refused it. It may be sent again.
    Refused(Error),
    /// It may have happened: the request may have reached Bitbucket, and no clear answer came back. Sending it again
    /// may do it twice; look first.
    Unknown(Error),
}

impl WriteError {
    /// One sentence for the user: what happened, and what to do next.
    pub fn sentence(&self) -> String {
        match self {
            Self::Refused(error) => refused(error),
            Self::Unknown(error) => format!(
                "It is not known whether Bitbucket took this, because {}; refresh and look before you send it \
                 again.",
                reason(error)
            ),
        }
    }

    /// What happened, on whichever side.
    pub fn error(&self) -> &Error {
        match self {
            Self::Refused(error) | Self::Unknown(error) => error,
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

impl std::error::Error for WriteError {}

/// Where what helps a reader does not help a writer, other words than the error's own.
fn refused(error: &Error) -> String {
    match error {
        Error::NotFound => "What this is about is not on Bitbucket any more, or your account may not see it \
             (404); refresh to see what is there now."
            .into(),
        Error::RateLimited { retry_after } => format!(
            "Bitbucket's limit of requests per hour is reached (429), so this was not taken; send it again in {}.",
            crate::error::time(*retry_after)
        ),
        Error::Offline { outage, retry_after } => {
            let what_next = match retry_after {
                Some(wait) => format!("send it again in {}", crate::error::time(*wait)),
                None => outage.advice("send it again"),
            };
            format!("Nothing was sent, because Bitbucket cannot be reached: {outage}; {what_next}.")
        }
        Error::Portal => {
            "Something else than Bitbucket answered, perhaps the sign-in page of this network or a \
             proxy; open a web page in the browser to sign in to the network, then send this again."
                .into()
        }
        Error::Timeout => "Nothing was sent, because there was no token in time; send it again.".into(),
        Error::Unexpected { status, what } => format!(
            "Bitbucket did not take this (status {status}: {what}); refresh, and report it if it happens again."
        ),
        error => error.sentence(),
    }
}

/// Why it is not known; a part of a sentence.
fn reason(error: &Error) -> String {
    match error {
        Error::Timeout => "it did not answer in time".into(),
        Error::Offline { outage, .. } => outage.to_string(),
        Error::Portal => "something else answered in its place, perhaps a proxy".into(),
        Error::Server { status: 555 } => "this took it too long (555)".into(),
        Error::Server { status } => format!("it has a problem of its own ({status})"),
        Error::TooLarge { .. } => "its answer is too large to be read".into(),
        Error::Unexpected { status, what } => {
            format!("its answer was not understood (status {status}: {what})")
        }
        _ => "its answer was lost".into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::Outage;

    #[test]
    fn each_is_a_sentence_with_advice_that_fits_its_side() {
        let offline = |outage, retry_after| Error::Offline { outage, retry_after };
        let unexpected = || Error::Unexpected { status: 201, what: "no JSON".into() };
        let errors = [
            Error::SignedOut,
            Error::Unauthorized { basic: true },
            Error::MissingScope { required: vec!["pullrequest".into()], granted: vec![] },
            Error::Forbidden,
            Error::NotFound,
            Error::Gone,
            Error::Conflict,
            Error::Invalid { fields: vec![], what: "it is too long".into() },
            Error::RateLimited { retry_after: Duration::from_secs(61) },
            Error::Portal,
            Error::Timeout,
            Error::Server { status: 503 },
            Error::Server { status: 555 },
            Error::TooLarge { limit: 1 << 25 },
            unexpected(),
            offline(Outage::Resting, Some(Duration::from_secs(9))),
            offline(Outage::Connection, None),
            offline(Outage::Clock, None),
            offline(Outage::Certificate, None),
        ];
        for error in errors {
            for failed in [WriteError::Refused(error.clone()), WriteError::Unknown(error.clone())] {
                let sentence = failed.to_string();
                assert!(sentence.ends_with('.') && sentence.contains([';', ':']), "{sentence}");
                assert!(!sentence.contains("  ") && !sentence.contains('\n'), "{sentence}");
                assert_eq!(failed.error(), &error);
                // Nobody is told to send again what may be there already.
                if matches!(failed, WriteError::Unknown(_)) {
                    assert!(sentence.contains("look before you send it again"), "{sentence}");
                }
            }
        }
        let resting = WriteError::Refused(offline(Outage::Resting, Some(Duration::from_secs(9))));
        let expected = "Nothing was sent, because Bitbucket cannot be reached: several requests in a row failed; \
                        send it again in 9 seconds.";
        assert_eq!(resting.sentence(), expected);
        let expected = "It is not known whether Bitbucket took this, because it has a problem of its own (503); \
                        refresh and look before you send it again.";
        assert_eq!(WriteError::Unknown(Error::Server { status: 503 }).sentence(), expected);
    }
}
