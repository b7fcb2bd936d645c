//! Control over HTTP, for test suites in other languages: what [`crate::Simulator`] offers in Rust.
//!
//! `POST` routes take one JSON object. `pull_request` is its number, `repository` its full name (the only one, or the
//! first, if left out). An error is 400 with its text.
//!
//! | route | object |
//! | --- | --- |
//! | `GET /_simulator/requests` | answers the log |
//! | `GET /_simulator/violations` | answers a list of texts |
//! | `GET /_simulator/comments` | parameters `repository`, `pull_request`, `after` (an id); answers [`WrittenComment`]s |
//! | `GET /_simulator/tasks` | parameters `repository`, `pull_request`; answers [`WrittenTask`]s |
//! | `POST /_simulator/clock` | `now` (as 2026-11-17T10:20:00Z): no earlier than that is what happens from now on |
//! | `POST /_simulator/faults` | `fault` (name), `value`, `route`, `method`, `times` |
//! | `POST /_simulator/faults/clear` | `fault`, or nothing for all |
//! | `POST /_simulator/faults/release` | nothing |
//! | `POST /_simulator/comments` | the members of a scenario's comment; answers `{"id"}` |
//! | `POST /_simulator/comments/edit` | `comment` (id or name), `text` |
//! | `POST /_simulator/comments/delete` | `comment` |
//! | `POST /_simulator/comments/resolve` | `comment`, `by`; reopens without `by` |
//! | `POST /_simulator/tasks` | the members of a scenario's task; answers `{"id"}` |
//! | `POST /_simulator/tasks/finish` | `task` (id), `by`; reopens without `by` |
//! | `POST /_simulator/tasks/edit` | `task`, `text` |
//! | `POST /_simulator/tasks/delete` | `task` |
//! | `POST /_simulator/lock` | `locked` (`true` if left out): whether all that is written is refused |
//! | `POST /_simulator/statuses` | the members of a scenario's status |
//! | `POST /_simulator/vote` | `user`, `vote` (`approved`, `changes_requested` or null) |
//! | `POST /_simulator/merge`, `/decline` | `by` |
//! | `POST /_simulator/oauth` | nothing; answers the counts |
//! | `POST /_simulator/oauth/advance` | `seconds` |
//! | `POST /_simulator/oauth/expire` | nothing |
//! | `POST /_simulator/oauth/revoke` | `user`, or nothing for all |
//! | `POST /_simulator/oauth/sign_in` | `user` |
//! | `POST /_simulator/oauth/consumer` | `key`, and any of `rotates`, `grace_seconds`, `expires_in`, `scope_member`, `token_bytes` |
//! | `POST /_simulator/push` | `branch`, `message`, `files` (path to text, or null to delete), `from` to rewrite |
//!
//! [`WrittenComment`]: crate::WrittenComment
//! [`WrittenTask`]: crate::WrittenTask

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::faults::{Fault, Rule};
use crate::handles::{PullRequestHandle, RepositoryHandle};
use crate::http::{Answer, Request};
use crate::oauth::OauthHandle;
use crate::simulator::Shared;
use crate::world::Vote;

/// Answers a control request.
pub(crate) fn answer(shared: &Shared, request: &Request) -> Answer {
    match perform(shared, request) {
        Ok(value) => Answer::json(200, &value),
        Err(error) => Answer::text(400, &format!("{error:#}")),
    }
}

fn perform(shared: &Shared, request: &Request) -> Result<Value> {
    let segments = request.segments();
    let route: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    match (request.method.as_str(), route.as_slice()) {
        ("GET", ["requests"]) => return Ok(serde_json::to_value(shared.log.all())?),
        ("GET", ["violations"]) => {
            return Ok(json!(shared.violations()));
        }
        ("GET", [what @ ("comments" | "tasks")]) => return written(shared, request, what),
        ("POST", _) => {}
        _ => bail!("there is no control route {} {}", request.method, request.path),
    }
    let mut order = Order(match request.body.as_slice() {
        [] => Map::new(),
        body => serde_json::from_slice(body).context("the body is no JSON object")?,
    });
    match route.as_slice() {
        ["clock"] => {
            let now = order.text("now")?.parse().context("`now` is a time")?;
            let mut world = shared.write();
            world.now = world.now.max(now);
        }
        ["faults"] => shared.faults.set(order.rule()?),
        ["faults", "clear"] => match order.take("fault") {
            Value::String(name) => shared.faults.clear(&name),
            _ => shared.faults.clear_all(),
        },
        ["faults", "release"] => shared.faults.release(),
        ["oauth", deed @ ..] => return sign_in(shared, deed, order),
        ["push"] => {
            let repository = RepositoryHandle { shared, name: order.repository(shared)? };
            let (branch, message) =
                (order.text("branch")?, order.text("message").unwrap_or_else(|_| "Change".into()));
            let files: BTreeMap<String, Option<String>> = serde_json::from_value(order.take("files"))?;
            let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_deref())).collect();
            let hash = match order.text("from") {
                Ok(from) => repository.force_push(&branch, &from, &message, &files)?,
                Err(_) => repository.push_commit(&branch, &message, &files)?,
            };
            return Ok(json!({"hash": hash}));
        }
        rest => return discuss(shared, rest, order),
    }
    Ok(json!({}))
}

/// What is written on a pull request.
fn written(shared: &Shared, request: &Request, what: &str) -> Result<Value> {
    let number = |name: &str| match request.parameter(name) {
        Some(text) => text.parse::<u64>().map(Value::from).with_context(|| format!("`{name}` is a number")),
        None => Ok(Value::Null),
    };
    let mut order = Order(Map::from_iter([("pull_request".to_owned(), number("pull_request")?)]));
    if let Some(repository) = request.parameter("repository") {
        order.0.insert("repository".to_owned(), repository.into());
    }
    let after = number("after")?.as_u64().unwrap_or_default();
    let pull_request = order.pull_request(shared)?;
    Ok(match what {
        "tasks" => serde_json::to_value(pull_request.tasks()?)?,
        _ => serde_json::to_value(pull_request.comments_after(after)?)?,
    })
}

fn sign_in(shared: &Shared, deed: &[&str], mut order: Order) -> Result<Value> {
    let oauth = OauthHandle { shared };
    match deed {
        [] => return Ok(serde_json::to_value(oauth.counts())?),
        ["advance"] => {
            let seconds = order.take("seconds").as_u64().context("`seconds` is a number")?;
            oauth.advance(Duration::from_secs(seconds));
        }
        ["expire"] => oauth.expire(),
        ["revoke"] => oauth.revoke(order.text("user").ok().as_deref()),
        ["sign_in"] => oauth.sign_in(&order.text("user")?)?,
        ["consumer"] => {
            let key = order.text("key")?;
            let number = |order: &mut Order, name: &str| order.take(name).as_u64();
            oauth.change(&key, |consumer| {
                consumer.rotates = order.take("rotates").as_bool().or(consumer.rotates);
                consumer.grace_seconds = number(&mut order, "grace_seconds").or(consumer.grace_seconds);
                consumer.expires_in = number(&mut order, "expires_in").or(consumer.expires_in);
                let bytes = number(&mut order, "token_bytes").and_then(|bytes| usize::try_from(bytes).ok());
                consumer.token_bytes = bytes.or(consumer.token_bytes);
                consumer.scope_member = order.text("scope_member").ok().or(consumer.scope_member.take());
            })?;
        }
        other => bail!("there is no control route oauth/{}", other.join("/")),
    }
    Ok(json!({}))
}

fn discuss(shared: &Shared, route: &[&str], mut order: Order) -> Result<Value> {
    let pull_request = order.pull_request(shared)?;
    match route {
        ["comments"] => return Ok(json!({"id": pull_request.add_comment(&order.rest()?)?})),
        ["comments", "edit"] => {
            pull_request.edit_comment(order.comment(&pull_request)?, &order.text("text")?)?
        }
        ["comments", "delete"] => pull_request.delete_comment(order.comment(&pull_request)?)?,
        ["comments", "resolve"] => {
            let comment = order.comment(&pull_request)?;
            match order.text("by") {
                Ok(by) => pull_request.resolve(comment, &by)?,
                Err(_) => pull_request.reopen(comment)?,
            }
        }
        ["tasks"] => return Ok(json!({"id": pull_request.add_task(&order.rest()?)?})),
        ["tasks", "finish"] => {
            let task = order.task()?;
            pull_request.finish_task(task, order.text("by").ok().as_deref())?;
        }
        ["tasks", "edit"] => pull_request.edit_task(order.task()?, &order.text("text")?)?,
        ["tasks", "delete"] => pull_request.delete_task(order.task()?)?,
        ["lock"] => pull_request.lock(order.take("locked").as_bool().unwrap_or(true))?,
        ["statuses"] => pull_request.set_status(&order.rest()?)?,
        ["vote"] => {
            let vote = match order.text("vote").as_deref() {
                Ok("approved") => Some(Vote::Approved),
                Ok("changes_requested") => Some(Vote::ChangesRequested),
                Ok(other) => bail!("{other:?} is no vote"),
                Err(_) => None,
            };
            pull_request.vote(&order.text("user")?, vote)?;
        }
        ["merge"] => return Ok(json!({"hash": pull_request.merge(&order.text("by")?)?})),
        ["decline"] => pull_request.decline(&order.text("by")?)?,
        other => bail!("there is no control route {}", other.join("/")),
    }
    Ok(json!({}))
}

fn first_pull_request(shared: &Shared, repository: &str) -> Result<u64> {
    let world = shared.write();
    let first = world.pull_requests.iter().find(|one| one.repository == repository);
    first.map(|one| one.id).with_context(|| format!("{repository} has no pull request"))
}

/// The members of a request's object, taken out one by one.
struct Order(Map<String, Value>);

impl Order {
    fn take(&mut self, name: &str) -> Value {
        self.0.remove(name).unwrap_or_default()
    }

    fn text(&mut self, name: &str) -> Result<String> {
        match self.take(name) {
            Value::String(text) => Ok(text),
            _ => bail!("`{name}` is missing or no text"),
        }
    }

    fn repository(&mut self, shared: &Shared) -> Result<String> {
        match self.take("repository") {
            Value::String(name) => Ok(name),
            _ => Ok(shared.write().repositories.first().context("there is no repository")?.name.clone()),
        }
    }

    fn pull_request<'a>(&mut self, shared: &'a Shared) -> Result<PullRequestHandle<'a>> {
        let repository = self.repository(shared)?;
        let id = match self.take("pull_request") {
            Value::Null => first_pull_request(shared, &repository)?,
            number => number.as_u64().context("`pull_request` is a number")?,
        };
        Ok(PullRequestHandle { shared, repository, id })
    }

    fn task(&mut self) -> Result<u64> {
        self.take("task").as_u64().context("`task` is a number")
    }

    fn comment(&mut self, pull_request: &PullRequestHandle<'_>) -> Result<u64> {
        match self.take("comment") {
            Value::String(name) => pull_request.comment_id(&name),
            other => other.as_u64().context("`comment` is an id or a name"),
        }
    }

    fn rule(&mut self) -> Result<Rule> {
        let mut rule = Rule::from(Fault::named(&self.text("fault")?, &self.take("value"))?);
        if let Ok(route) = self.text("route") {
            rule = rule.on(&route);
        }
        if let Ok(method) = self.text("method") {
            rule = rule.method(&method);
        }
        if let Some(times) = self.take("times").as_u64() {
            rule = rule.times(u32::try_from(times)?);
        }
        Ok(rule)
    }

    fn rest<T: DeserializeOwned>(self) -> Result<T> {
        Ok(serde_json::from_value(Value::Object(self.0))?)
    }
}
