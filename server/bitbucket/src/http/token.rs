//! The token endpoint: the one `POST` of signing in, with rules of its own.
//!
//! Form-encoded, the consumer's key and secret as Basic, to the configured web origin only; no redirects,
//! one deadline, 64 KiB of JSON at most, never repeated: a code and a refresh token are good for one use.
//! It must not know how a code was come by, nor where tokens are kept.

use std::time::Duration;

use credentials::Secret;
use futures_util::future::{BoxFuture, FutureExt as _};
use oauth2::basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse};
use oauth2::{
    AsyncHttpClient, AuthType, AuthorizationCode, ClientId, ClientSecret, HttpRequest, HttpResponse,
    PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, StandardRevocableToken, TokenUrl,
};
use reqwest::header::{HeaderMap, HeaderValue, USER_AGENT};
use tokio::time::{Instant, timeout_at};

use super::{Options, answer, build, failure};
use crate::error::{Error, Outage};
use crate::oauth::{Consumer, TokenError, TokenReply, WireReply};
use crate::origin::Origin;

/// The most of an answer that is read, in bytes.
const LIMIT: usize = 64 << 10;

/// What is shown for a token.
pub(crate) enum Grant<'a> {
    /// A code, as the browser brought it.
    Code {
        code: &'a Secret,
        /// The address that the browser was sent back to, as at the start.
        redirect: &'a str,
        /// PKCE's.
        verifier: &'a Secret,
    },
    /// A refresh token.
    Refresh(&'a Secret),
}

type Client<A, B, C, D, E> = oauth2::Client<
    BasicErrorResponse,
    WireReply,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    A,
    B,
    C,
    D,
    E,
>;

/// Sends the one request. A type of its own and not a closure, with which the compiler would not see that the future
/// around it may move between threads.
struct Sender<'a> {
    origin: &'a Origin,
    options: &'a Options,
    deadline: Instant,
}

impl<'c> AsyncHttpClient<'c> for Sender<'_> {
    type Error = TokenError;
    type Future = BoxFuture<'c, Result<HttpResponse, TokenError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        let Self { origin, options, deadline } = *self;
        let sent = async move {
            let sent = timeout_at(deadline, post(origin, request, options, deadline)).await;
            sent.unwrap_or(Err(TokenError::Failed(Error::Timeout)))
        };
        sent.boxed()
    }
}

/// One request for a token.
pub(crate) async fn request_token(
    origin: &Origin,
    consumer: &Consumer,
    grant: Grant<'_>,
    options: &Options,
) -> Result<TokenReply, TokenError> {
    let endpoint = TokenUrl::from_url(origin.page("/site/oauth2/access_token"));
    let client = Client::new(ClientId::new(consumer.key().to_owned()))
        .set_client_secret(ClientSecret::new(consumer.secret().expose().to_owned()))
        .set_auth_type(AuthType::BasicAuth)
        .set_token_uri(endpoint);
    let deadline = Instant::now() + options.total;
    let send = Sender { origin, options, deadline };
    let reply = match grant {
        Grant::Code { code, redirect, verifier } => {
            let redirect = RedirectUrl::new(redirect.to_owned()).map_err(|_| TokenError::Unreadable)?;
            client
                .exchange_code(AuthorizationCode::new(code.expose().to_owned()))
                .set_redirect_uri(std::borrow::Cow::Owned(redirect))
                .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()))
                .request_async(&send)
                .await
        }
        Grant::Refresh(token) => {
            let token = RefreshToken::new(token.expose().to_owned());
            client.exchange_refresh_token(&token).request_async(&send).await
        }
    };
    // The other variants may quote the answer, so nothing of them is passed on.
    let reply = reply.map_err(|error| match error {
        RequestTokenError::Request(error) => error,
        _ => TokenError::Unreadable,
    });
    reply.map(TokenReply::from)
}

/// Gives a good answer only; whatever else comes is an error by then.
async fn post(
    origin: &Origin,
    request: HttpRequest,
    options: &Options,
    deadline: Instant,
) -> Result<HttpResponse, TokenError> {
    let start = Instant::now();
    let client = build(origin.web(), options).map_err(TokenError::Failed)?;
    options.contacts.note(origin.web());
    let mut request = reqwest::Request::try_from(request).map_err(|_| TokenError::Unreadable)?;
    // Whoever made the request, this is the only place that it may go to.
    *request.url_mut() = origin.page("/site/oauth2/access_token");
    if let Some(header) = request.headers_mut().get_mut("authorization") {
        header.set_sensitive(true);
    }
    if let Ok(agent) = HeaderValue::from_str(&options.user_agent) {
        request.headers_mut().insert(USER_AGENT, agent);
    }
    let outcome = match client.execute(request).await {
        Ok(response) => accept(response, deadline.min(start + options.total)).await,
        Err(error) => Err(TokenError::Failed(failure::not_sent(error).error)),
    };
    let ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = outcome.as_ref().map_or_else(TokenError::word, |_| "200".into());
    tracing::debug!(method = "POST", path = "/site/oauth2/access_token", %status, ms);
    outcome
}

async fn accept(mut response: reqwest::Response, deadline: Instant) -> Result<HttpResponse, TokenError> {
    let status = response.status();
    let headers = response.headers().clone();
    let mut body = Vec::new();
    loop {
        let idle = deadline.min(Instant::now() + Duration::from_secs(15));
        match timeout_at(idle, response.chunk()).await {
            Ok(Ok(Some(piece))) if body.len() + piece.len() > LIMIT => {
                return Err(TokenError::TooLarge { limit: LIMIT });
            }
            Ok(Ok(Some(piece))) => body.extend_from_slice(&piece),
            Ok(Ok(None)) => break,
            Ok(Err(_)) => {
                return Err(TokenError::Failed(Error::Offline {
                    outage: Outage::BrokenOff,
                    retry_after: None,
                }));
            }
            Err(_) => return Err(TokenError::Failed(Error::Timeout)),
        }
    }
    let is_json = answer::content_type(&headers).starts_with("application/json");
    match status.as_u16() {
        200 if is_json => {
            let mut accepted = HttpResponse::new(body);
            *accepted.headers_mut() = headers;
            Ok(accepted)
        }
        200 | 300..400 => Err(TokenError::Failed(Error::Portal)),
        status => Err(refusal(status, &headers, &body, is_json)),
    }
}

/// What any status but a good one means. RFC 6749 section 5.2 names the codes; Bitbucket answers some with 401.
fn refusal(status: u16, headers: &HeaderMap, body: &[u8], is_json: bool) -> TokenError {
    let code = match is_json {
        true => crate::oauth::error_code(body),
        false => None,
    };
    match (status, code.as_deref()) {
        (400 | 401 | 403, Some("invalid_grant")) => TokenError::InvalidGrant,
        (400 | 401 | 403, Some("invalid_client" | "unauthorized_client")) => TokenError::InvalidConsumer,
        (401, _) if !answer::content_type(headers).starts_with("text/html") => TokenError::InvalidConsumer,
        (401, _) => TokenError::Failed(Error::Portal),
        (400 | 403, Some(code)) => TokenError::Refused { code: code.to_owned() },
        (400, None) if answer::content_type(headers).starts_with("text/html") => {
            TokenError::Failed(Error::Portal)
        }
        _ => TokenError::Failed(answer::error(status, headers, body, false)),
    }
}
