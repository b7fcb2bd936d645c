//! The REST API: routes, rights, errors.
//!
//! Each route is one line: those that read in [`route`], those that change something in [`change`]; a later one adds
//! its line and its function.
//! Nothing here knows how the bytes came (`http`) or how the state was made (`scenario`).

mod body;
mod comments;
mod fields;
mod page;
mod place;
mod pull_requests;
mod query;
mod repositories;
pub(crate) mod shapes;
pub(crate) mod source;
mod tasks;
mod workspaces;

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::http::{Answer, Request, base64_decode};
use crate::oauth;
use crate::world::{Account, Repository, World};

/// An answer, and whether the simulator has such a route.
pub(crate) struct Routed {
    pub(crate) answer: Answer,
    pub(crate) known: bool,
}

/// What a route gets: the state, the request and who sent it.
pub(crate) struct Call<'a> {
    pub(crate) world: &'a World,
    pub(crate) request: &'a Request,
    account: Option<&'a Account>,
    /// The scope that the route asked for.
    accepted: RefCell<Option<String>>,
}

type Result<T> = std::result::Result<T, Answer>;

/// What a request does to the state, once nothing speaks against it, and what it is then answered.
type Change = Box<dyn FnOnce(&mut World) -> anyhow::Result<Answer>>;

/// Answers a request below `/2.0`.
pub(crate) fn answer(world: &RwLock<World>, request: &Request) -> Routed {
    if matches!(request.method.as_str(), "GET" | "HEAD") {
        let world = world.read().unwrap_or_else(PoisonError::into_inner);
        let decided = decide(&world, request, route);
        return decided.finish(Ok);
    }
    let mut world = world.write().unwrap_or_else(PoisonError::into_inner);
    // The account is looked up and the request judged under the same lock as the change.
    let decided = decide(&world, request, change);
    decided.finish(|change| {
        change(&mut world).map_err(|broken| Answer::text(500, &format!("The simulator broke: {broken:#}")))
    })
}

/// A moment as HTTP dates have it.
fn rfc9110(moment: Timestamp) -> Option<String> {
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&moment).ok()
}

/// What became of a request, and the headers that say whose it was.
struct Decided<T> {
    /// `None` where there is no such route.
    result: Option<Result<T>>,
    headers: Vec<(&'static str, String)>,
}

fn decide<T>(
    world: &World,
    request: &Request,
    routes: impl FnOnce(&Call<'_>, &[&str]) -> Option<Result<T>>,
) -> Decided<T> {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    let account = match account(world, request) {
        Ok(account) => account,
        Err(answer) => return Decided { result: Some(Err(answer)), headers: Vec::new() },
    };
    let call = Call { world, request, account, accepted: RefCell::default() };
    let result = routes(&call, &segments);
    // The scenario's time goes on from where the scenario left it, whatever the clock of this computer says.
    let mut headers: Vec<(&str, String)> =
        rfc9110(world.now).map(|date| ("date", date)).into_iter().collect();
    if let Some(scope) = call.accepted.take() {
        headers.push(("x-accepted-oauth-scopes", scope));
    }
    if let Some(account) = account {
        let kind = if account.email.is_some() { "apitoken" } else { "oauth2" };
        headers.push(("x-oauth-scopes", account.scopes.join(", ")));
        headers.push(("x-credential-type", kind.to_owned()));
    }
    Decided { result, headers }
}

impl<T> Decided<T> {
    fn finish(self, perform: impl FnOnce(T) -> Result<Answer>) -> Routed {
        let Some(result) = self.result else {
            let body = json!({"type": "error", "error": {
                "message": "Resource not found",
                "detail": "There is no API hosted at this URL",
            }});
            return Routed { answer: Answer::json(404, &body), known: false };
        };
        let mut answer = result.and_then(perform).unwrap_or_else(|error| error);
        if answer.status == 200 {
            let mut hasher = DefaultHasher::new();
            answer.body.hash(&mut hasher);
            answer = answer.with("etag", format!("\"gz[{:016x}]\"", hasher.finish()));
        }
        for (name, value) in self.headers {
            answer = answer.with(name, value);
        }
        Routed { answer, known: true }
    }
}

/// All routes that read. `None` if there is none.
fn route(call: &Call<'_>, segments: &[&str]) -> Option<Result<Answer>> {
    Some(match segments {
        ["user"] => repositories::current_user(call),
        ["users", id] => workspaces::user(call, id),
        ["repositories"] | ["workspaces"] => Err(removed()),
        ["user", "permissions", "workspaces" | "repositories"] => Err(removed()),
        ["workspaces", workspace, "members"] => workspaces::members(call, workspace),
        ["repositories", workspace] => repositories::of_workspace(call, workspace),
        ["repositories", workspace, slug, rest @ ..] => {
            let repository = match call.repository(workspace, slug) {
                Ok(repository) => repository,
                Err(answer) => return Some(Err(answer)),
            };
            return in_repository(call, repository, rest);
        }
        _ => return None,
    })
}

/// All routes that change something. `None` if there is none.
fn change(call: &Call<'_>, segments: &[&str]) -> Option<Result<Change>> {
    let (workspace, slug, id, rest) = match segments {
        ["repositories", workspace, slug, "pullrequests", id, rest @ ..] => (workspace, slug, id, rest),
        ["repositories"] | ["workspaces"] => return Some(Err(removed())),
        _ => return None,
    };
    let repository = match call.repository(workspace, slug) {
        Ok(repository) => repository,
        Err(answer) => return Some(Err(answer)),
    };
    Some(match (call.request.method.as_str(), rest) {
        ("POST", ["comments"]) => comments::create(call, repository, id),
        ("PUT", ["comments", comment]) => comments::edit(call, repository, id, comment),
        ("DELETE", ["comments", comment]) => comments::delete(call, repository, id, comment),
        ("POST", ["comments", comment, "resolve"]) => comments::resolve(call, repository, id, comment),
        ("DELETE", ["comments", comment, "resolve"]) => comments::reopen(call, repository, id, comment),
        ("POST", ["tasks"]) => tasks::create(call, repository, id),
        ("PUT", ["tasks", task]) => tasks::edit(call, repository, id, task),
        ("DELETE", ["tasks", task]) => tasks::delete(call, repository, id, task),
        _ => return None,
    })
}

fn in_repository(call: &Call<'_>, repository: &Repository, rest: &[&str]) -> Option<Result<Answer>> {
    Some(match rest {
        [] => repositories::repository(call, repository),
        ["pullrequests"] => pull_requests::list(call, repository),
        ["pullrequests", "activity"] => pull_requests::activity_of_all(call, repository),
        ["pullrequests", id] => pull_requests::one(call, repository, id),
        ["pullrequests", id, "comments"] => pull_requests::comments(call, repository, id),
        ["pullrequests", id, "comments", comment] => pull_requests::comment(call, repository, id, comment),
        ["pullrequests", id, "tasks"] => pull_requests::tasks(call, repository, id),
        ["pullrequests", id, "tasks", task] => pull_requests::task(call, repository, id, task),
        ["pullrequests", id, "statuses"] => pull_requests::statuses(call, repository, id),
        ["pullrequests", id, "activity"] => pull_requests::activity(call, repository, id),
        ["pullrequests", id, "commits"] => pull_requests::commits(call, repository, id),
        ["pullrequests", id, part @ ("diff" | "diffstat")] => {
            pull_requests::comparison(call, repository, id, part)
        }
        ["diff", spec @ ..] if !spec.is_empty() => source::diff(call, repository, &spec.join("/")),
        ["diffstat", spec @ ..] if !spec.is_empty() => source::diffstat(call, repository, &spec.join("/")),
        ["src", commit, path @ ..] => source::file(call, repository, commit, &path.join("/")),
        ["merge-base", spec @ ..] if !spec.is_empty() => {
            source::merge_base(call, repository, &spec.join("/"))
        }
        ["commit", hash] => source::commit(call, repository, hash),
        ["commit", hash, "statuses"] => repositories::statuses(call, repository, hash),
        ["commits"] => source::commits(call, repository, None),
        ["commits", name @ ..] => source::commits(call, repository, Some(&name.join("/"))),
        ["refs", "branches"] => repositories::branches(call, repository),
        ["refs", "branches", name @ ..] => repositories::branch(call, repository, &name.join("/")),
        _ => return None,
    })
}

/// Bitbucket's error body.
pub(crate) fn error(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({"type": "error", "error": {"message": message}}))
}

fn removed() -> Answer {
    let body = json!({"type": "error", "error": {
        "message": "CHANGE-2770 - Functionality has been deprecated",
        "detail": "This endpoint has been removed; see the announcement for what replaces it.",
        "data": {"announcement_url": "https://developer.atlassian.com/cloud/bitbucket/changelog/#CHANGE-2770"},
    }});
    Answer::json(410, &body)
}

/// Whose request it is: `None` without an `Authorization` header.
fn account<'a>(world: &'a World, request: &Request) -> Result<Option<&'a Account>> {
    let Some(header) = request.header("authorization") else {
        return Ok(None);
    };
    let found = match header.split_once(' ') {
        Some(("Bearer", token)) => oauth::bearer(world, token).filter(|(account, _)| account.email.is_none()),
        Some(("Basic", pair)) => credentials(pair).and_then(|(email, token)| {
            let same = |account: &&Account| account.email.as_ref() == Some(&email) && account.token == token;
            world.accounts.iter().find(same).map(|account| (account, account.expired))
        }),
        _ => None,
    };
    match found {
        None => Err(error(401, "Token is invalid or not supported for this endpoint")),
        Some((_, true)) => {
            let message = "Access token expired. Use your refresh token to obtain a new access token.";
            Err(error(401, message))
        }
        Some((account, false)) => Ok(Some(account)),
    }
}

/// User and password of a Basic header.
pub(crate) fn credentials(pair: &str) -> Option<(String, String)> {
    let pair = String::from_utf8(base64_decode(pair.trim())?).ok()?;
    let (user, password) = pair.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// Whether an account may read a repository.
pub(crate) fn may_read(repository: &Repository, account: &Account) -> bool {
    repository.public || repository.visible_to.as_ref().is_none_or(|users| users.contains(&account.user))
}

impl<'a> Call<'a> {
    /// The account behind the request.
    pub(crate) fn signed_in(&self) -> Result<&'a Account> {
        self.account.ok_or_else(|| error(401, "Authentication is required for this endpoint"))
    }

    /// A repository that the account may see; one that it may not see does not exist.
    fn repository(&self, workspace: &str, slug: &str) -> Result<&'a Repository> {
        let found =
            self.world.repository(&format!("{workspace}/{slug}")).filter(|repository| !repository.gone);
        let seen = match (found, self.account) {
            (Some(repository), None) if !(repository.public && self.world.anonymous) => {
                return Err(error(401, "Authentication is required for this endpoint"));
            }
            (Some(repository), Some(account)) if !may_read(repository, account) => None,
            (found, _) => found,
        };
        seen.ok_or_else(|| {
            let message = "You may not have access to this repository or it no longer exists in this workspace. \
                           If you think this repository exists and you have access, make sure you are authenticated.";
            error(404, message)
        })
    }

    /// Refuses an account that lacks a scope, given in its OAuth form: `account`, `repository:write`.
    pub(crate) fn needs(&self, scope: &str) -> Result<()> {
        let Some(account) = self.account else {
            return Ok(());
        };
        let (required, enough) = allows(account, scope);
        *self.accepted.borrow_mut() = Some(required.clone());
        if enough {
            return Ok(());
        }
        let body = json!({"type": "error", "error": {
            "message": "Your credentials lack one or more required privilege scopes.",
            "detail": {"required": [required], "granted": account.scopes},
        }});
        Err(Answer::json(403, &body))
    }

    /// A JSON answer with the members that `fields` asks for.
    pub(crate) fn json(&self, whole: Value, on_demand: &[&str]) -> Answer {
        Answer::json(200, &fields::select(whole, on_demand, &self.fields()))
    }

    /// The parameter `fields`; empty without one.
    fn fields(&self) -> String {
        self.request.parameter("fields").unwrap_or_default()
    }
}

/// A JSON answer with the members that `fields` asks for.
fn shown(status: u16, whole: Value, fields: &str) -> Answer {
    Answer::json(status, &fields::select(whole, &[], fields))
}

/// What a scope, given in its OAuth form, is called for an account's kind of token, and whether the account has it.
///
/// `workspace` is a scope of API tokens only; for OAuth it is part of `account`.
pub(crate) fn allows(account: &Account, scope: &str) -> (String, bool) {
    if account.email.is_none() {
        let scope = if scope == "workspace" { "account" } else { scope };
        let enough = account.scopes.iter().any(|granted| implies(granted, scope));
        return (scope.to_owned(), enough);
    }
    let (name, verb) = match scope {
        "account" => ("user", "read"),
        scope => scope.strip_suffix(":write").map_or((scope, "read"), |name| (name, "write")),
    };
    let required = format!("{verb}:{name}:bitbucket");
    let enough = account.scopes.contains(&required);
    (required, enough)
}

/// Whether an OAuth scope includes another one.
pub(crate) fn implies(granted: &str, wanted: &str) -> bool {
    match granted {
        "pullrequest:write" => ["pullrequest", "repository:write", "repository"].contains(&wanted),
        "pullrequest" | "repository:write" => wanted == "repository",
        _ => false,
    }
    .max(granted == wanted)
}
