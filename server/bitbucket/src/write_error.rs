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
