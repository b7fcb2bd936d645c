//! The only place where bytes leave, and the only code that attaches a token.
//!
//! One `GET` at a time: gate, deadlines, redirects by hand, size caps, repeats.
//! What changes something is in `write`, without redirects and repeats.
//! The one `POST` of signing in is in `token`, with rules of its own.
//! It must not know what the bytes mean beyond "JSON was wanted" and the errors in `answer`.
//! Logs hold the method, the path, the status and the time; never a header, a query or a body.

use std::sync::{Arc, Mutex, PoisonError};

use credentials::Authorization;
use jiff::SignedDuration;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, USER_AGENT};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use crate::error::{Error, Outage};
use crate::gate::{Budget, Gate, doubled, jittered};
use crate::origin::{Origin, is_loopback};
use crate::signer::Signer;

mod answer;
mod contacts;
mod failure;
mod options;
mod redirect;
mod shape;
mod token;
mod verdict;
mod write;

pub(crate) use answer::covers;
pub use contacts::Contacts;
use failure::{Failure, Kind, answered, log, not_sent};
pub use options::{BadSurroundings, Certificates, Options, Proxy};
use redirect::Hop;
pub(crate) use shape::Shape;
pub(crate) use token::{Grant, request_token};
#[cfg(test)]
pub(crate) use verdict::{Answer, verdict};
pub(crate) use write::{Write, Written};

/// What is wanted of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// JSON of the API.
    Json,
    /// The bytes of a file. `html`: the file may well be HTML, by its name.
    File { html: bool },
    /// A diff.
    Diff,
}

pub(crate) struct Http {
    origin: Origin,
    signer: Option<Arc<dyn Signer>>,
    options: Options,
    gate: Gate,
    places: Semaphore,
    client: Mutex<Option<reqwest::Client>>,
    writer: Mutex<Option<reqwest::Client>>,
    /// The scopes that the last answer of the API named.
    granted: Mutex<Option<Vec<String>>>,
    /// How far the API's clock was ahead of this computer's at its last answer.
    ahead: Mutex<Option<SignedDuration>>,
}

impl Http {
    pub(crate) fn new(origin: Origin, signer: Option<Arc<dyn Signer>>, options: Options) -> Self {
        let gate = Gate::new(&options);
        let places = Semaphore::new(options.side_by_side.max(1));
        let (client, writer, granted, ahead) = Default::default();
        Self { origin, signer, gate, places, options, client, writer, granted, ahead }
    }

    /// The scopes of the account's token, as the last answer of the API named them; `None` if none did so far.
    pub(crate) fn granted(&self) -> Option<Vec<String>> {
        self.granted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How far the API's clock was ahead of this computer's at its last answer; `None` if none told the time so far.
    pub(crate) fn ahead(&self) -> Option<SignedDuration> {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn budget(&self) -> Budget {
        self.gate.budget()
    }

    /// Drops idle connections and ends a rest after failures.
    pub(crate) fn reconnect(&self) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.writer.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.gate.wake();
    }

    /// The body of the answer to a `GET` of a URL of the API.
    pub(crate) async fn get(&self, url: &Url, want: Want) -> Result<Vec<u8>, Error> {
        let Some(signer) = &self.signer else {
            return Err(Error::SignedOut);
        };
        if !self.origin.is_api(url) {
            return Err(unexpected(0, "a URL outside of the API"));
        }
        let total = match want {
            Want::Json => self.options.total,
            Want::File { .. } | Want::Diff => self.options.total_of_files,
        };
        let deadline = Instant::now() + total;
        let mut authorization = timeout_at(deadline, signer.sign()).await.unwrap_or(Err(Error::Timeout))?;
        let mut is_replay = false;
        let mut repeats = 0;
        let mut failed_for = None;
        loop {
            // First a place, then the gate: who waits for a place may find the gate closed afterwards.
            let place = timeout_at(deadline, self.places.acquire()).await;
            // The semaphore is never closed.
            let Ok(Ok(place)) = place else {
                return Err(Error::Timeout);
            };
            let pass = match self.gate.enter(deadline).await {
                Ok(pass) => pass,
                // The gate closed between two tries: the reason of the first says more than that.
                Err(closed @ Error::Offline { .. }) => return Err(failed_for.unwrap_or(closed)),
                Err(closed) => return Err(closed),
            };
            let start = Instant::now();
            let outcome = match timeout_at(deadline, self.attempt(url, want, &authorization, deadline)).await
            {
                Ok(outcome) => outcome,
                Err(_) => Err(Failure { error: Error::Timeout, kind: Kind::Down }),
            };
            drop(place);
            log(url, &outcome, start);
            let failure = match outcome {
                Ok(body) => {
                    pass.answered();
                    return Ok(body);
                }
                Err(failure) => failure,
            };
            match failure.kind {
                Kind::Answered => {
                    pass.answered();
                    if is_replay || !matches!(failure.error, Error::Unauthorized { .. }) {
                        return Err(failure.error);
                    }
                    // Once, with another token if there is one.
                    is_replay = true;
                    let another = timeout_at(deadline, signer.instead_of(&authorization)).await;
                    authorization = another.unwrap_or(Err(Error::Timeout))?;
                }
                // Entering the gate again waits, or says how long it would take.
                Kind::Limited(told) => pass.limited(told),
                Kind::Down => {
                    pass.failed();
                    return Err(failure.error);
                }
                Kind::Passing => {
                    pass.failed();
                    repeats += 1;
                    let pause = jittered(doubled(self.options.first_pause, repeats, total));
                    if repeats > self.options.repeats || Instant::now() + pause >= deadline {
                        return Err(failure.error);
                    }
                    failed_for = Some(failure.error);
                    sleep(pause).await;
                }
            }
        }
    }

    /// One request, its redirects followed.
    async fn attempt(
        &self,
        url: &Url,
        want: Want,
        authorization: &Authorization,
        deadline: Instant,
    ) -> Result<Vec<u8>, Failure> {
        let client = self.client()?;
        let mut url = url.clone();
        for _ in 0..=redirect::MOST {
            let by = deadline.min(Instant::now() + self.options.header);
            if self.origin.is_api(&url) {
                self.gate.spend();
            }
            self.options.contacts.note(&url);
            let sent = timeout_at(by, client.execute(self.request(&url, want, authorization)?)).await;
            let response = match sent {
                Ok(Ok(response)) => response,
                Ok(Err(error)) => return Err(not_sent(error)),
                Err(_) => {
                    return Err(Failure { error: Error::Timeout, kind: Kind::Down });
                }
            };
            let status = response.status().as_u16();
            if !matches!(status, 301 | 302 | 303 | 307 | 308) {
                let basic = matches!(authorization, Authorization::Basic { .. });
                return self.read(response, want, basic, deadline).await;
            }
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            url = match redirect::hop(&self.origin, &url, location, want) {
                Hop::Follow(url) => url,
                Hop::Portal => return Err(answered(Error::Portal)),
                Hop::Refuse(why) => return Err(answered(unexpected(status, why))),
            };
        }
        Err(answered(unexpected(302, "too many redirects")))
    }

    /// The only place that attaches the token: to a URL with the API's scheme, host and port.
    fn request(
        &self,
        url: &Url,
        want: Want,
        authorization: &Authorization,
    ) -> Result<reqwest::Request, Failure> {
        let mut request = reqwest::Request::new(reqwest::Method::GET, url.clone());
        let headers = request.headers_mut();
        let accept = match want {
            Want::Json => "application/json",
            Want::File { .. } | Want::Diff => "*/*",
        };
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        if let Ok(agent) = HeaderValue::from_str(&self.options.user_agent) {
            headers.insert(USER_AGENT, agent);
        }
        if self.origin.is_api(url) {
            let header = HeaderValue::from_str(authorization.header().expose());
            let mut header = header.map_err(|_| {
                let basic = matches!(authorization, Authorization::Basic { .. });
                answered(Error::Unauthorized { basic })
            })?;
            header.set_sensitive(true);
            headers.insert(AUTHORIZATION, header);
        }
        Ok(request)
    }

    async fn read(
        &self,
        mut response: reqwest::Response,
        want: Want,
        basic: bool,
        deadline: Instant,
    ) -> Result<Vec<u8>, Failure> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        // Who keeps a file has no say about the account.
        let is_api = self.origin.is_api(response.url());
        if is_api {
            self.learn(&headers);
        }
        let good = status == 200;
        // The text of an error matters for its scopes only; a long one is cut.
        let limit = if good { self.options.body_limit } else { answer::ERROR_LIMIT };
        let mut body = Vec::new();
        loop {
            let by = deadline.min(Instant::now() + self.options.idle);
            let piece = match timeout_at(by, response.chunk()).await {
                Ok(Ok(Some(piece))) => piece,
                Ok(Ok(None)) => break,
                // The status is known, and says more than the text of an error that broke off.
                _ if !good => break,
                Ok(Err(_)) => {
                    let error = Error::Offline { outage: Outage::BrokenOff, retry_after: None };
                    return Err(Failure { error, kind: Kind::Passing });
                }
                Err(_) => {
                    return Err(Failure { error: Error::Timeout, kind: Kind::Down });
                }
            };
            if body.len() + piece.len() > limit {
                if good {
                    return Err(answered(Error::TooLarge { limit }));
                }
                break;
            }
            body.extend_from_slice(&piece);
        }
        if good {
            return answer::accept(body, &headers, want).map_err(answered);
        }
        let error = match status {
            401 | 403 | 429 if !is_api => unexpected(status, "from the host that keeps the file"),
            _ => answer::error(status, &headers, &body, basic),
        };
        let kind = match (status, &error) {
            (_, Error::Unexpected { .. }) => Kind::Answered,
            (429, _) => Kind::Limited(answer::retry_after(&headers)),
            (_, Error::Portal) => Kind::Answered,
            // 555 is Bitbucket's own time-out: asking again at once costs it the same again.
            (501 | 555, _) => Kind::Answered,
            (500.., _) => Kind::Passing,
            _ => Kind::Answered,
        };
        Err(Failure { error, kind })
    }

    /// What the API's answers say about the account beside what they answer.
    fn learn(&self, headers: &HeaderMap) {
        if let Some(scopes) = answer::scopes(headers, "x-oauth-scopes") {
            *self.granted.lock().unwrap_or_else(PoisonError::into_inner) = Some(scopes);
        }
        if let Some(date) = answer::date(headers) {
            let ahead = date.duration_since(jiff::Timestamp::now());
            *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead);
        }
        let limit = headers.get("x-ratelimit-limit").and_then(|value| value.to_str().ok()?.parse().ok());
        if let Some(limit) = limit.filter(|limit| *limit > 0) {
            self.gate.learn_limit(limit);
        }
    }

    /// Built at the first request, because reading the system's certificates takes time and can fail.
    fn client(&self) -> Result<reqwest::Client, Failure> {
        let mut slot = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*slot {
            return Ok(client.clone());
        }
        let client =
            build(self.origin.api(), &self.options).map_err(|error| Failure { error, kind: Kind::Down })?;
        *slot = Some(client.clone());
        Ok(client)
    }
}

fn build(base: &Url, options: &Options) -> Result<reqwest::Client, Error> {
    builder(base, options)?.build().map_err(|_| no_client())
}

fn no_client() -> Error {
    Error::Offline { outage: Outage::NoTrustStore, retry_after: None }
}

/// Of a client for one base URL: redirects by hand, no proxy for this computer, no certificates without TLS.
fn builder(base: &Url, options: &Options) -> Result<reqwest::ClientBuilder, Error> {
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .gzip(true)
        .connect_timeout(options.connect);
    if is_loopback(base) {
        builder = builder.no_proxy();
    } else if let Some(proxy) = &options.proxy {
        builder = builder.proxy(proxy.for_reqwest().ok_or_else(no_client)?);
    }
    if base.scheme() == "http" {
        // No TLS, so no certificates are read either.
        builder = builder.tls_certs_only([]);
    } else if let Some(certificates) = &options.certificates {
        builder = builder.tls_certs_merge(certificates.for_reqwest().ok_or_else(no_client)?);
    }
    Ok(builder)
}

pub(crate) fn unexpected(status: u16, what: impl Into<String>) -> Error {
    Error::Unexpected { status, what: what.into() }
}

#[cfg(test)]
mod tests {
    use credentials::Secret;
    use proptest::prelude::*;

    use super::*;

    fn token() -> Authorization {
        Authorization::Bearer(Secret::new("canary-token".into()))
    }

    fn signed(api: &str) -> Http {
        let origin = Origin::new(Some(api), None).unwrap();
        Http::new(origin, Some(Arc::new(token())), Options::default())
    }

    fn is_signed(http: &Http, url: &Url) -> bool {
        http.request(url, Want::Json, &token()).ok().unwrap().headers().contains_key(AUTHORIZATION)
    }

    #[test]
    fn the_header_is_marked_as_sensitive() {
        let http = signed("https://api.bitbucket.org/2.0");
        let url = Url::parse("https://api.bitbucket.org/2.0/user").unwrap();
        let request = http.request(&url, Want::Json, &token()).ok().unwrap();
        assert!(request.headers()[AUTHORIZATION].is_sensitive());
        assert!(!format!("{request:?}").contains("canary-token"));
        assert!(request.headers()[USER_AGENT].to_str().unwrap().starts_with("bitbucket-lsp/0."));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        /// A2: the token goes to the API's scheme, host and port, and to nothing else.
        #[test]
        fn the_token_goes_to_the_api_only(
            scheme in prop::sample::select(vec!["https", "http", "ftp", "wss", "HTTPS"]),
            user in prop::sample::select(vec!["", "a@", "api.bitbucket.org@", "api.bitbucket.org:443@"]),
            host in prop::sample::select(vec![
                "api.bitbucket.org", "API.bitbucket.org", "bitbucket.org", "api.bitbucket.org.", "127.0.0.1",
                "api.bitbucket.org.evil.example", "evil.example", "xapi.bitbucket.org", "[::1]",
                "api.bitbucket.org%2eevil", "api\u{3002}bitbucket.org",
            ]),
            port in prop::sample::select(vec!["", ":443", ":80", ":8443", ":"]),
            path in "[ -~]{0,12}",
        ) {
            let Ok(url) = Url::parse(&format!("{scheme}://{user}{host}{port}/{path}")) else { return Ok(()) };
            let http = signed("https://api.bitbucket.org/2.0");
            let own = url.scheme() == "https"
                && url.host_str() == Some("api.bitbucket.org")
                && url.port_or_known_default() == Some(443);
            prop_assert_eq!(is_signed(&http, &url), own, "{}", url);
        }
    }
}
