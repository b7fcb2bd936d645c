//! A request that changes something: sent once, and never a second time unless it was certainly refused.
//!
//! It says on which side of the line each ending is: nothing happened, or nobody knows. What an answer's status
//! means is in `verdict`. It must not know what is written, nor what a good answer holds.
//!
//! Nothing below repeats a write either. The client for writes opens a new connection for each and keeps none, so
//! none is lost on an old connection that the other side has closed; on a new one hyper never sends again (it does
//! so only for requests that it took from the queue of a reused connection without a byte written). And reqwest's
//! own repeating, by default after refusals of the protocol, is switched off.

use std::sync::PoisonError;
use std::time::Duration;

use credentials::Authorization;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, Response};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use super::verdict::{Answer, verdict};
use super::{Http, Want, answer, builder, failure, no_client, unexpected};
use crate::error::{Error, Outage};
use crate::write_error::WriteError;
use crate::write_error::WriteError::{Refused, Unknown};

/// How long a write waits where requests are held back. The user is waiting, and can send again later.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is to be done at a URL of the API.
pub(crate) struct Write {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// JSON.
    pub(crate) body: Option<Vec<u8>>,
}

/// A 2xx, its body whole: JSON, or nothing at all with a 204.
pub(crate) struct Written {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Http {
    /// Sends a write. After a 401, a certain no, once more with another token if there is one.
    ///
    /// Whoever drops the future before it ends does not know whether the write happened.
    pub(crate) async fn write(&self, write: Write) -> Result<Written, WriteError> {
        let Some(signer) = &self.signer else {
            return Err(Refused(Error::SignedOut));
        };
        if !self.origin.is_api(&write.url) {
            return Err(Refused(unexpected(0, "a URL outside of the API")));
        }
        let total = self.options.total;
        let signed = timeout(total, signer.sign()).await.unwrap_or(Err(Error::Timeout));
        let authorization = signed.map_err(Refused)?;
        match self.write_once(&write, &authorization).await {
            Err(Refused(Error::Unauthorized { .. })) => {
                let another = timeout(total, signer.instead_of(&authorization)).await;
                let another = another.unwrap_or(Err(Error::Timeout)).map_err(Refused)?;
                self.write_once(&write, &another).await
            }
            outcome => outcome,
        }
    }

    /// One request. Its redirects are not followed.
    async fn write_once(&self, write: &Write, authorization: &Authorization) -> Result<Written, WriteError> {
        let request = self.request_to_write(write, authorization).map_err(Refused)?;
        // Reads have places and queue for them; what the user does goes past that queue, but not past the gate.
        let pass = self.gate.enter_within(PATIENCE).await.map_err(Refused)?;
        let start = Instant::now();
        let deadline = start + self.options.total;
        let exchanged = timeout_at(deadline, self.exchange(request, deadline)).await;
        let exchanged = exchanged.unwrap_or(Err(Unknown(Error::Timeout)));
        log(write, &exchanged, start);
        let answer = match exchanged {
            Ok(answer) => answer,
            Err(error) => {
                pass.failed();
                return Err(error);
            }
        };
        let told = answer::retry_after(&answer.headers);
        match answer.status {
            429 => pass.limited(told),
            // As for reads: 501 and 555 say nothing about the next request.
            501 | 555 => pass.answered(),
            500.. => pass.failed(),
            _ => pass.answered(),
        }
        let basic = matches!(authorization, Authorization::Basic { .. });
        match verdict(answer, &self.origin, &write.url, basic) {
            // What is waited for is what the gate makes of the answer.
            Err(Refused(Error::RateLimited { retry_after })) => {
                let retry_after = self.gate.budget().waiting.unwrap_or(retry_after);
                Err(Refused(Error::RateLimited { retry_after }))
            }
            outcome => outcome,
        }
    }

    fn request_to_write(
        &self,
        write: &Write,
        authorization: &Authorization,
    ) -> Result<reqwest::Request, Error> {
        let request = self.request(&write.url, Want::Json, authorization);
        let mut request = request.map_err(|failure| failure.error)?;
        *request.method_mut() = write.method.clone();
        if let Some(body) = &write.body {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.clone().into());
        }
        Ok(request)
    }

    /// Sends, and reads what comes.
    ///
    /// # Errors
    /// `Refused` where there was no connection to send on; `Unknown` from then on, where no answer came or a good one
    /// broke off.
    async fn exchange(&self, request: reqwest::Request, deadline: Instant) -> Result<Answer, WriteError> {
        let client = self.writer().map_err(Refused)?;
        self.gate.spend();
        self.options.contacts.note(request.url());
        match client.execute(request).await {
            Ok(response) => self.read_answer(response, deadline).await,
            // Of name, connection, TLS and the proxy's tunnel; nothing of a request is written before they are done.
            Err(error) if error.is_connect() => Err(Refused(failure::not_sent(error).error)),
            Err(error) => Err(Unknown(failure::not_sent(error).error)),
        }
    }

    async fn read_answer(&self, mut response: Response, deadline: Instant) -> Result<Answer, WriteError> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        self.learn(&headers);
        let good = (200..300).contains(&status);
        let limit = if good { self.options.body_limit } else { answer::ERROR_LIMIT };
        let mut body = Vec::new();
        loop {
            let by = deadline.min(Instant::now() + self.options.idle);
            let piece = match timeout_at(by, response.chunk()).await {
                Ok(Ok(Some(piece))) => piece,
                Ok(Ok(None)) => break,
                // The status alone tells which side it is on.
                _ if !good => break,
                Ok(Err(_)) => {
                    let outage = Outage::BrokenOff;
                    return Err(Unknown(Error::Offline { outage, retry_after: None }));
                }
                Err(_) => return Err(Unknown(Error::Timeout)),
            };
            if body.len() + piece.len() > limit {
                if good {
                    return Err(Unknown(Error::TooLarge { limit }));
                }
                break;
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer { status, headers, body })
    }

    /// The client for writes; see above.
    fn writer(&self) -> Result<reqwest::Client, Error> {
        let mut slot = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = &*slot {
            return Ok(writer.clone());
        }
        let builder = builder(self.origin.api(), &self.options)?;
        let writer = builder.retry(reqwest::retry::never()).pool_max_idle_per_host(0).build();
        let writer = writer.map_err(|_| no_client())?;
        *slot = Some(writer.clone());
        Ok(writer)
    }
}

/// Where an answer leads, for a redirect.
pub(super) fn location(headers: &HeaderMap) -> Option<&str> {
    headers.get(LOCATION)?.to_str().ok()
}

fn log(write: &Write, outcome: &Result<Answer, WriteError>, start: Instant) {
    let ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = match outcome {
        Ok(answer) => answer.status.to_string(),
        Err(Refused(error)) => failure::word(error),
        Err(Unknown(error)) => format!("unknown: {}", failure::word(error)),
    };
    tracing::debug!(method = %write.method, path = write.url.path(), %status, ms);
}
