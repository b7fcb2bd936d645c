//! Git over HTTP: `git http-backend` behind Basic or Bearer authorization.
//!
//! A push needs the scope to write. Git's first try is always anonymous, so the 401 must carry the challenge.

use std::sync::RwLock;

use crate::api;
use crate::git;
use crate::http::{Answer, Request};
use crate::oauth;
use crate::world::{Account, World};

/// User names that git may send with an access token and with an API token.
const TOKEN_USERS: [&str; 2] = ["x-token-auth", "x-bitbucket-api-token-auth"];

/// Answers `/workspace/slug.git/…`; `None` if the path is no such one.
pub(crate) fn answer(world: &RwLock<World>, request: &Request) -> Option<Answer> {
    let segments = request.segments();
    let [workspace, folder, rest @ ..] = segments.as_slice() else {
        return None;
    };
    let slug = folder.strip_suffix(".git")?;
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let service = match (request.method.as_str(), rest.as_slice()) {
        ("GET", ["info", "refs"]) => request.parameter("service")?,
        ("POST", [service @ ("git-upload-pack" | "git-receive-pack")]) => (*service).to_owned(),
        _ => return None,
    };
    // The lock is let go before git works: a clone must not hold up the REST routes.
    let (name, root, user) = {
        let world = world.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let found = world.repository(&format!("{workspace}/{slug}")).filter(|repository| !repository.gone);
        let account = account(&world, request);
        let challenge = || {
            let answer = Answer::text(401, "Authentication is required");
            Some(answer.with("www-authenticate", "Basic realm=\"Bitbucket.org HTTP\""))
        };
        let Some(repository) = found else {
            return if account.is_some() {
                Some(Answer::text(404, "Repository not found"))
            } else {
                challenge()
            };
        };
        let Some(account) = account else {
            if repository.public && service == "git-upload-pack" && request.header("authorization").is_none()
            {
                return run(&repository.name, &world.root, "anonymous", request, &service);
            }
            return challenge();
        };
        if !api::may_read(repository, account) {
            return Some(Answer::text(404, "Repository not found"));
        }
        let (scope, deed) = match service.as_str() {
            "git-receive-pack" => ("repository:write", "write to"),
            _ => ("repository", "read"),
        };
        if !api::allows(account, scope).1 {
            let text = format!("Your credentials do not allow you to {deed} this repository.");
            return Some(Answer::text(403, &text));
        }
        (repository.name.clone(), world.root.clone(), account.user.clone())
    };
    let answer = run(&name, &root, &user, request, &service);
    if request.method == "POST" && service == "git-receive-pack" {
        let mut world = world.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        world.tick();
        if let Err(error) = world.refresh() {
            return Some(Answer::text(500, &format!("{error:#}")));
        }
    }
    answer
}

/// Runs the CGI program.
fn run(name: &str, root: &std::path::Path, user: &str, request: &Request, service: &str) -> Option<Answer> {
    let path = if request.method == "GET" {
        format!("/{name}.git/info/refs")
    } else {
        format!("/{name}.git/{service}")
    };
    let mut command = git::command(root);
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", path)
        .env("QUERY_STRING", &request.query)
        .env("REQUEST_METHOD", &request.method)
        .env("CONTENT_TYPE", request.header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("REMOTE_USER", user)
        .env("REMOTE_ADDR", "127.0.0.1");
    if let Some(encoding) = request.header("content-encoding") {
        command.env("HTTP_CONTENT_ENCODING", encoding);
    }
    if let Some(protocol) = request.header("git-protocol") {
        command.env("GIT_PROTOCOL", protocol);
    }
    let Ok(output) = git::output(&mut command, Some(&request.body)) else {
        return Some(Answer::text(500, "git http-backend failed"));
    };
    Some(from_cgi(&output))
}

fn from_cgi(output: &[u8]) -> Answer {
    let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap_or(output.len());
    let head = String::from_utf8_lossy(&output[..end]);
    let mut answer =
        Answer { status: 200, headers: Vec::new(), body: output.get(end + 4..).unwrap_or_default().to_vec() };
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        match name {
            "Status" => {
                answer.status = value.split(' ').next().and_then(|code| code.parse().ok()).unwrap_or(500)
            }
            _ => answer.headers.push((name.to_ascii_lowercase(), value.to_owned())),
        }
    }
    answer
}

/// Git may send a token as Bearer, or as the password of Basic under one of several names.
fn account<'a>(world: &'a World, request: &Request) -> Option<&'a Account> {
    let live = |token: &str| {
        let found = oauth::bearer(world, token).filter(|(_, expired)| !expired);
        found.map(|(account, _)| account)
    };
    match request.header("authorization")?.split_once(' ')? {
        ("Bearer", token) => live(token),
        ("Basic", pair) => {
            let (user, token) = api::credentials(pair)?;
            let account = live(&token)?;
            let person = world.person(&account.user)?;
            let own = [Some(&person.nickname), account.email.as_ref()];
            (TOKEN_USERS.contains(&user.as_str()) || own.contains(&Some(&user))).then_some(account)
        }
        _ => None,
    }
}
