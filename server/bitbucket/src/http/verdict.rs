//! What the answer to a write says: it happened, it certainly did not, or nobody knows.
//!
//! Pure: it must not send anything. It goes by status codes; Bitbucket's texts are localized.

use reqwest::header::HeaderMap;
use url::Url;

use super::write::{Written, location};
use super::{Want, answer, unexpected};
use crate::error::Error;
use crate::origin::Origin;
use crate::write_error::WriteError;
use crate::write_error::WriteError::{Refused, Unknown};

/// An answer as it came; the body of a good one is whole, that of any other may be cut.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// `asked` is where the write was sent; `basic`: with an API token.
pub(crate) fn verdict(
    answer: Answer,
    origin: &Origin,
    asked: &Url,
    basic: bool,
) -> Result<Written, WriteError> {
    let Answer { status, headers, body } = answer;
    match status {
        204 => Ok(Written { status, body: Vec::new() }),
        // What is no JSON comes from somebody in between, who may or may not have asked Bitbucket before.
        200..300 => match answer::accept(body, &headers, Want::Json) {
            Ok(body) => Ok(Written { status, body }),
            Err(Error::Unexpected { what, .. }) => Err(Unknown(unexpected(status, what))),
            Err(error) => Err(Unknown(error)),
        },
        // They send the same request elsewhere, so it was not taken here.
        301 | 307 | 308 => Err(Refused(moved(status, &headers, origin, asked))),
        // They may also say where the result of a request is that was taken.
        300..400 => Err(Unknown(moved(status, &headers, origin, asked))),
        // Said by gateways that wait no longer, for Bitbucket or for the request: only the words tell which.
        408 | 460 | 499 => Err(Unknown(answer::error(status, &headers, &body, basic))),
        400..500 => Err(Refused(answer::refusal(status, &headers, &body, basic))),
        _ => Err(Unknown(answer::error(status, &headers, &body, basic))),
    }
}

/// A redirect out of the API is a portal's, within it Bitbucket's.
fn moved(status: u16, headers: &HeaderMap, origin: &Origin, asked: &Url) -> Error {
    let to = location(headers).and_then(|location| asked.join(location).ok());
    match to {
        Some(to) if !origin.is_api(&to) => Error::Portal,
        Some(_) => unexpected(status, "it has moved to another address"),
        None => unexpected(status, "an odd status"),
    }
}
