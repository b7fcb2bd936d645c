//! The pages and the endpoint of the OAuth server.
//!
//! Texts and statuses are Bitbucket's. The page is a plain form, so that a browser can be driven over it.

use std::sync::{PoisonError, RwLock};

use serde_json::{Value, json};

use super::authority::{Issued, Pending, Refusal, granted, is_callback};
use crate::api;
use crate::http::{Answer, Request};
use crate::world::World;

/// Answers what is below `/site/oauth2`; `None` for other paths.
pub(crate) fn answer(world: &RwLock<World>, request: &Request) -> Option<Answer> {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let world = || world.write().unwrap_or_else(PoisonError::into_inner);
    Some(match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["site", "oauth2", "authorize"]) => authorize(&mut world(), request),
        ("POST", ["site", "oauth2", "authorize"]) => decide(&mut world(), request),
        ("POST", ["site", "oauth2", "access_token"]) => access_token(&mut world(), request),
        (_, ["site", "oauth2", "authorize" | "access_token"]) => Answer::text(405, "Method Not Allowed"),
        _ => return None,
    })
}

/// The page with Grant and Deny. `user` in the query chooses who is signed in, for tests.
fn authorize(world: &mut World, request: &Request) -> Answer {
    let parameter = |name: &str| request.parameter(name).filter(|value| !value.is_empty());
    let key = parameter("client_id").unwrap_or_default();
    let Some(consumer) = world.authority.consumer(&key) else {
        let text = "This integration is misconfigured. Contact the vendor for assistance.";
        return page(400, "Invalid client_id", &format!("<p>{text}</p>"));
    };
    let Some(registered) = &consumer.callback else {
        let said = "No callback uri defined for the OAuth client.";
        return refused(("invalid_request", said));
    };
    let redirect = parameter("redirect_uri");
    let fits = |asked: &String| is_callback(registered, asked, consumer.any_port);
    if !redirect.as_ref().is_none_or(fits) {
        let text = "This integration is misconfigured. Contact the vendor for assistance.";
        return page(400, "Invalid redirect_uri", &format!("<p>{text}</p>"));
    }
    let state = parameter("state");
    if parameter("response_type").as_deref() != Some("code") {
        let back = redirect.unwrap_or_else(|| registered.clone());
        return send_back(&back, &[("error", "unsupported_response_type")], state.as_deref());
    }
    let scopes = granted(consumer, parameter("scope").as_deref());
    let name = escaped(consumer.name.as_deref().unwrap_or("Editor"));
    let user = parameter("user").unwrap_or_else(|| world.authority.signed_in.clone());
    let Some(person) = world.person(&user).map(|person| escaped(&person.name)) else {
        return page(400, "No such user", "");
    };
    let list: String = scopes.iter().map(|scope| format!("<li>{}</li>", escaped(scope))).collect();
    let id = world.authority.ask(Pending { consumer: key, user, scopes, redirect, state });
    page(
        200,
        "Confirm access to your account",
        &format!(
            "<p>Signed in as <b>{person}</b>.</p>\n<p><b>{name}</b> is requesting access to:</p>\n<ul>{list}</ul>\n\
             <form method=\"post\" action=\"/site/oauth2/authorize\">\n\
             <input type=\"hidden\" name=\"request\" value=\"{id}\">\n\
             <button id=\"grant\" name=\"decision\" value=\"grant\">Grant access</button>\n\
             <button id=\"deny\" name=\"decision\" value=\"deny\">Deny</button>\n</form>\n"
        ),
    )
}

/// A button was pressed.
fn decide(world: &mut World, request: &Request) -> Answer {
    let form = Form::of(request);
    let Some(pending) = world.authority.decided(&form.get("request")) else {
        return page(400, "This request is no longer there", "<p>Start again.</p>");
    };
    let registered =
        world.authority.consumer(&pending.consumer).and_then(|consumer| consumer.callback.clone());
    let back = pending.redirect.clone().or(registered).unwrap_or_default();
    let state = pending.state.as_deref();
    if form.get("decision") == "grant" {
        let code = world.authority.grant(&pending);
        return send_back(&back, &[("code", &code)], state);
    }
    world.authority.counts.denials += 1;
    let said = "The user denied access to the application";
    send_back(&back, &[("error_description", said), ("error", "access_denied")], state)
}

fn access_token(world: &mut World, request: &Request) -> Answer {
    let outcome = tokens(world, request);
    let authority = &mut world.authority;
    match outcome {
        Ok((grant, issued, member)) => {
            Answer::json(200, &reply(&grant, &issued, &member)).with("cache-control", "no-store")
        }
        Err(refusal) => {
            authority.counts.refusals += 1;
            refused(refusal)
        }
    }
}

fn tokens(world: &mut World, request: &Request) -> Result<(String, Issued, String), Refusal> {
    let kind = request.header("content-type").unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(("invalid_grant", "Unsupported grant type: None"));
    }
    let form = Form::of(request);
    let (key, secret) = match request.header("authorization").map(|header| header.split_once(' ')) {
        Some(Some(("Basic", pair))) => api::credentials(pair).unwrap_or_default(),
        Some(_) => Default::default(),
        None => (form.get("client_id"), form.get("client_secret")),
    };
    let authority = &mut world.authority;
    let consumer = authority.consumer(&key).filter(|consumer| consumer.secret == secret);
    let consumer = consumer.ok_or(("unauthorized_client", "Invalid OAuth client credentials"))?;
    let member = consumer.scope_member.clone().unwrap_or_else(|| "scope".to_owned());
    let grant = form.get("grant_type");
    let issued = match grant.as_str() {
        "authorization_code" => {
            authority.exchange(&key, &form.get("code"), form.find("redirect_uri").as_deref())
        }
        "refresh_token" => authority.refresh(&key, &form.get("refresh_token")),
        "client_credentials" => authority.client_credentials(&key),
        _ => Err(("invalid_grant", "Unsupported grant type")),
    };
    Ok((grant, issued?, member))
}

fn reply(grant: &str, issued: &Issued, member: &str) -> Value {
    let mut body = json!({
        "token_type": "bearer",
        "access_token": issued.access,
        "expires_in": issued.expires_in,
        "state": grant,
    });
    body[member] = issued.scopes.join(" ").into();
    if let Some(refresh) = &issued.refresh {
        body["refresh_token"] = refresh.clone().into();
    }
    body
}

fn refused((error, description): Refusal) -> Answer {
    Answer::json(400, &json!({"error_description": description, "error": error}))
}

/// 302 to the callback, with its own query kept.
fn send_back(callback: &str, pairs: &[(&str, &str)], state: Option<&str>) -> Answer {
    let Ok(mut url) = url::Url::parse(callback) else {
        return page(400, "Invalid redirect_uri", "");
    };
    let state = state.map(|state| ("state", state));
    url.query_pairs_mut().extend_pairs(state.iter().chain(pairs));
    Answer::text(302, "").with("location", url.as_str())
}

fn page(status: u16, title: &str, body: &str) -> Answer {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title} - Bitbucket (simulated)</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem}}\
         button{{font:inherit;padding:.4rem 1rem;margin-right:.5rem}}</style>\n<h1>{title}</h1>\n{body}</html>\n"
    );
    Answer::new(status, "text/html; charset=utf-8", html)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A form's pairs.
struct Form(Vec<(String, String)>);

impl Form {
    fn of(request: &Request) -> Self {
        Self(url::form_urlencoded::parse(&request.body).into_owned().collect())
    }

    fn find(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    fn get(&self, name: &str) -> String {
        self.find(name).unwrap_or_default()
    }
}
