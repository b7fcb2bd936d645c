//! Answers recorded from the real Bitbucket, read by our own types with nothing dropped.
//!
//! The recordings lie beside the repository, in `../shared/payloads` or where `BITBUCKET_PAYLOADS`
//! points: `manifest.jsonl` names each file with its method, path, status and kind.
//! Without them the test says that it was left out; with `CI=true` that is a failure.
//!
//! What is expected is computed from the raw JSON, not by the code under test.
#![expect(clippy::print_stderr, reason = "says what was checked, or that nothing was")]

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use bitbucket::cloud::{self, Readable, wire};
use pull_request::model::{
    Anchor, BuildState, BuildStatus, Comment, CommitHash, End, Participant, PullRequest, PullRequestState,
    Resolution, Role, Side, Spot, Task, Timestamp, User, Vote,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What an answer is by the path that it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Route {
    PullRequest,
    PullRequests,
    Comment,
    Comments,
    Task,
    Tasks,
    Status,
    Statuses,
    User,
    Users,
    Members,
    Participant,
    Resolution,
    Commit,
    Commits,
    DiffStats,
    Repository,
    Repositories,
    Branch,
    Branches,
    Error,
    /// Not read in this version; the reason.
    Unused(&'static str),
}

#[test]
fn recorded_answers_are_read_with_nothing_dropped() {
    let folder = match std::env::var_os("BITBUCKET_PAYLOADS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/payloads"),
    };
    let Ok(manifest) = std::fs::read_to_string(folder.join("manifest.jsonl")) else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no recorded answers in {}", folder.display());
        eprintln!("left out: no recorded answers in {}", folder.display());
        return;
    };
    let mut counts = Counts::default();
    for line in manifest.lines().filter(|line| !line.trim().is_empty()) {
        let entry: Value = serde_json::from_str(line).expect("a line of the manifest");
        let file = entry["file"].as_str().expect("a file's name");
        let bytes = std::fs::read(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        if entry["kind"] == "text" {
            assert!(String::from_utf8_lossy(&bytes).contains("diff --git"), "{file}");
            continue;
        }
        let Ok(json) = serde_json::from_slice::<Value>(&bytes) else {
            assert!(entry["status"].as_u64() >= Some(400), "{file}: only errors come as plain text");
            continue;
        };
        let body = match entry["kind"].as_str() {
            Some("exchange") => ["body", "jsonBody"].iter().find_map(|key| json["response"].get(key)),
            _ => Some(&json),
        };
        // Some recorders keep the body as text.
        let parsed = body.and_then(Value::as_str).and_then(|text| serde_json::from_str(text).ok());
        let body = parsed.as_ref().or(body).filter(|body| body.is_object());
        if let Some(body) = body {
            let route =
                route(entry["method"].as_str(), entry["path"].as_str(), entry["status"].as_u64(), body);
            if let Some(route) = route {
                check_route(route, body, file);
                *counts.routes.entry(format!("{route:?}")).or_default() += 1;
            }
        }
        // Whatever the file is, each object in it that looks like one of ours must be one.
        check_within(&json, file, &mut counts);
    }
    eprintln!("by path: {:#?}\nby looks: {:#?}", counts.routes, counts.looks);
    for kind in ["comment", "pull request", "task", "build", "user", "commit", "repository"] {
        assert!(counts.looks.get(kind).is_some_and(|count| *count > 0), "no {kind} in the recordings");
    }
}

#[derive(Default)]
struct Counts {
    routes: BTreeMap<String, u32>,
    looks: BTreeMap<&'static str, u32>,
}

/// By path and status. `None` for webhooks and fragments, which have no path.
fn route(method: Option<&str>, path: Option<&str>, status: Option<u64>, body: &Value) -> Option<Route> {
    let (method, path) = (method?, path?);
    let path = path.split('?').next().unwrap_or_default().trim_matches('/');
    let path = path.strip_prefix("internal/").unwrap_or(path);
    if status? >= 400 {
        return Some(Route::Error);
    }
    if method == "DELETE" {
        return Some(Route::Unused("an empty answer to a deletion"));
    }
    let parts: Vec<&str> = path.split('/').collect();
    let list = body.get("values").is_some();
    let one_or_list = |one, many| if list { many } else { one };
    Some(match parts.as_slice() {
        ["user"] => Route::User,
        ["user", ..] => Route::Unused("e-mails, permissions and workspaces: for cloning, in a later version"),
        ["repositories", _, _, "default-reviewers", ..] => Route::Users,
        ["repositories", _, _, "pullrequests"] => one_or_list(Route::PullRequest, Route::PullRequests),
        ["repositories", _, _, "pullrequests", _] => Route::PullRequest,
        ["repositories", _, _, "pullrequests", _, rest @ ..] => match rest {
            ["comments", _, "resolve"] => Route::Resolution,
            ["comments", ..] => one_or_list(Route::Comment, Route::Comments),
            ["tasks", ..] => one_or_list(Route::Task, Route::Tasks),
            ["statuses"] => Route::Statuses,
            ["commits"] => Route::Commits,
            ["diffstat"] => Route::DiffStats,
            ["approve" | "request-changes"] => Route::Participant,
            ["activity"] => Route::Unused("the activity log: nothing is shown of it"),
            ["diff"] => Route::Unused("a diff is text, not JSON"),
            _ => Route::Unused("a path that this version does not ask for"),
        },
        ["repositories", _, _, "commit", _, "statuses", ..] => one_or_list(Route::Status, Route::Statuses),
        ["repositories", _, _, "commit", _] => Route::Commit,
        ["repositories", _, _, "commits", ..] => one_or_list(Route::Commit, Route::Commits),
        ["repositories", _, _, "diffstat", ..] => Route::DiffStats,
        ["repositories", _, _, "refs", ..] => one_or_list(Route::Branch, Route::Branches),
        ["repositories", _, _, "src", ..] => Route::Unused("a file's own content, or a folder's list"),
        ["repositories", _, _, "hooks" | "pipelines" | "branching-model", ..] => {
            Route::Unused("hooks, pipelines and branching models: nothing is shown of them")
        }
        ["repositories", _, _] => Route::Repository,
        ["repositories"] | ["repositories", _] => Route::Repositories,
        ["workspaces", _, "members"] => Route::Members,
        ["workspaces" | "teams", ..] => Route::Unused("workspaces, teams, projects: in a later version"),
        ["oauth" | "site", ..] => Route::Unused("tokens of OAuth: in a later version"),
        _ => Route::Unused("a path that this version does not ask for"),
    })
}

fn check_route(route: Route, body: &Value, file: &str) {
    // An answer to `fields=` that left the ids out: no whole pull requests, but their parts are read.
    let values = body["values"].as_array().map_or(std::slice::from_ref(body), Vec::as_slice);
    if matches!(route, Route::PullRequest | Route::PullRequests) && values.iter().any(|it| it["id"].is_null())
    {
        for value in values {
            let part: wire::PullRequest = serde_json::from_value(value.clone()).expect("a part");
            same_members(value, &serde_json::to_value(part).expect("JSON"), file);
        }
        return;
    }
    match route {
        Route::PullRequest => one(body, file, same_pull_request),
        Route::PullRequests => page(body, file, same_pull_request),
        Route::Comment => one(body, file, same_comment),
        Route::Comments => page(body, file, same_comment),
        Route::Task => one(body, file, same_task),
        Route::Tasks => page(body, file, same_task),
        Route::Status => one(body, file, same_build),
        Route::Statuses => page(body, file, same_build),
        Route::User => one(body, file, same_user),
        Route::Users => page(body, file, same_user),
        Route::Members => each(body, file, leaves::<wire::Member>),
        Route::Participant => one(body, file, same_participant),
        Route::Commits => each(body, file, leaves::<wire::Commit>),
        Route::Commit => leaves::<wire::Commit>(body, file),
        Route::Resolution => leaves::<wire::Resolution>(body, file),
        Route::DiffStats => each(body, file, leaves::<wire::DiffStat>),
        Route::Repository => leaves::<wire::Repository>(body, file),
        Route::Repositories => each(body, file, leaves::<wire::Repository>),
        Route::Branch => leaves::<wire::Branch>(body, file),
        Route::Branches => each(body, file, leaves::<wire::Branch>),
        Route::Error => leaves::<wire::ErrorBody>(body, file),
        Route::Unused(_) => {}
    }
}

/// Goes through the whole of a file, and reads each object that looks like one of ours on its own and
/// in a page between others.
fn check_within(json: &Value, file: &str, counts: &mut Counts) {
    let kind = looks_like(json);
    if let Some(kind) = kind {
        *counts.looks.entry(kind).or_default() += 1;
    }
    match kind {
        Some("comment") => alone_and_in_a_page(json, file, same_comment),
        Some("pull request") => alone_and_in_a_page(json, file, same_pull_request),
        Some("task") => alone_and_in_a_page(json, file, same_task),
        Some("build") => alone_and_in_a_page(json, file, same_build),
        Some("user") => alone_and_in_a_page(json, file, same_user),
        Some("participant") => alone_and_in_a_page(json, file, same_participant),
        Some("commit") => {
            leaves::<wire::Commit>(json, file);
            if is_hash(&json["hash"]) {
                alone_and_in_a_page::<CommitHash>(json, file, same_commit);
            }
        }
        Some("repository") => leaves::<wire::Repository>(json, file),
        Some("branch") => leaves::<wire::Branch>(json, file),
        Some("diffstat") => leaves::<wire::DiffStat>(json, file),
        Some("resolution") => leaves::<wire::Resolution>(json, file),
        Some("error") => leaves::<wire::ErrorBody>(json, file),
        _ => {}
    }
    match json {
        Value::Object(members) => members.values().for_each(|member| check_within(member, file, counts)),
        Value::Array(elements) => elements.iter().for_each(|element| check_within(element, file, counts)),
        _ => {}
    }
}

fn looks_like(json: &Value) -> Option<&'static str> {
    let has = |key: &str| json.get(key).is_some();
    let page = json["links"]["html"]["href"].as_str().unwrap_or_default();
    match json["type"].as_str() {
        Some("pullrequest_comment") if has("id") => Some("comment"),
        Some("pullrequest") if has("id") => Some("pull request"),
        Some("build") if has("key") => Some("build"),
        Some("user" | "app_user" | "team") if has("uuid") || has("display_name") => Some("user"),
        Some("participant") => Some("participant"),
        Some("commit") if has("hash") => Some("commit"),
        Some("repository") if has("full_name") => Some("repository"),
        Some("branch" | "named_branch") if has("name") => Some("branch"),
        Some("diffstat") => Some("diffstat"),
        Some("comment_resolution") => Some("resolution"),
        Some("error") => Some("error"),
        _ if matches!(json["state"].as_str(), Some("RESOLVED" | "UNRESOLVED")) && has("content") => {
            Some("task")
        }
        _ if has("id")
            && has("content")
            && (has("inline") || has("deleted") || page.contains("#comment-")) =>
        {
            Some("comment")
        }
        _ if has("id") && has("title") && has("source") && has("destination") => Some("pull request"),
        _ if has("display_name") && (has("uuid") || has("account_id")) => Some("user"),
        _ => None,
    }
}

// How objects are read: alone, in the page they came in, and in a page of ours.

fn read<T: Readable>(json: &Value, file: &str) -> T {
    let read = cloud::read::<T>(json.to_string().as_bytes());
    let read = read.unwrap_or_else(|| panic!("{file}: not read: {json}"));
    assert!(!read.flawed && !read.value.is_unreadable(read.flawed), "{file}: flawed: {json}");
    read.value
}

fn one<T: Readable>(json: &Value, file: &str, same: fn(&Value, &T, &str)) {
    same(json, &read(json, file), file);
}

fn page<T: Readable>(json: &Value, file: &str, same: fn(&Value, &T, &str)) {
    // A list in the place of a page is as some effective lists have it.
    let values: Vec<&Value> = json["values"].as_array().expect("values").iter().collect();
    let read =
        cloud::read_page::<T>(json.to_string().as_bytes()).unwrap_or_else(|| panic!("{file}: no page"));
    assert_eq!((read.listing.unreadable, &read.listing.more), (0, &None), "{file}");
    assert_eq!(read.size, json["size"].as_u64(), "{file}");
    assert_eq!(read.pagelen, json["pagelen"].as_u64(), "{file}");
    assert_eq!(read.next.as_deref(), json["next"].as_str(), "{file}");
    let mut seen = HashSet::new();
    let distinct: Vec<&Value> = values.into_iter().filter(|value| seen.insert(value.to_string())).collect();
    assert_eq!(read.listing.items.len(), distinct.len(), "{file}: as many out as in");
    for (value, item) in distinct.iter().zip(&read.listing.items) {
        same(value, item, file);
    }
}

fn alone_and_in_a_page<T: Readable + PartialEq>(json: &Value, file: &str, same: fn(&Value, &T, &str)) {
    one(json, file, same);
    let page = serde_json::json!({"pagelen": 10, "values": [{}, json, null], "page": 1, "size": 3});
    let page = cloud::read_page::<T>(page.to_string().as_bytes()).expect("a page");
    let alone = read::<T>(json, file);
    assert!(page.listing.items.contains(&alone), "{file}: read otherwise in a page");
}

fn each(json: &Value, file: &str, check: fn(&Value, &str)) {
    let values = json["values"].as_array().or_else(|| json.as_array());
    values.unwrap_or_else(|| panic!("{file}: no values")).iter().for_each(|value| check(value, file));
}

/// For objects that are used as they are on the wire: written out again, each member that our struct
/// knows is as it was.
fn leaves<T: DeserializeOwned + Serialize>(json: &Value, file: &str) {
    let object: T = serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{file}: {error}"));
    let written = serde_json::to_value(&object).expect("wire types are JSON");
    let known = same_members(json, &written, file);
    assert!(known > 0, "{file}: nothing was read of {json}");
}

/// How many members both have; they are equal.
fn same_members(json: &Value, written: &Value, file: &str) -> usize {
    match (json, written) {
        (Value::Object(members), Value::Object(known)) => known
            .iter()
            .filter_map(|(key, known)| Some((members.get(key)?, known)))
            .map(|(member, known)| same_members(member, known, file))
            .sum(),
        _ => {
            assert_eq!(json, written, "{file}");
            usize::from(!json.is_null())
        }
    }
}

// What is the same, member by member, from the raw JSON.

fn same_comment(json: &Value, comment: &Comment, file: &str) {
    let id = json["id"].as_u64();
    assert_eq!(Some(comment.id.0), id, "{file}");
    let at = format!("{file}, comment {}", comment.id.0);
    assert_eq!(comment.raw, json["content"]["raw"].as_str().unwrap_or_default(), "{at}");
    assert_eq!(comment.parent.map(|id| id.0), json["parent"]["id"].as_u64(), "{at}");
    assert_eq!(comment.deleted, json["deleted"] == true, "{at}");
    assert_eq!(comment.pending, json["pending"] == true, "{at}");
    assert_eq!(comment.html_url.as_deref(), json["links"]["html"]["href"].as_str(), "{at}");
    same_time(&json["created_on"], comment.created_on, &at);
    same_time(&json["updated_on"], comment.updated_on, &at);
    same_user_or_none(&json["user"], comment.author.as_ref(), &at);
    assert_eq!(comment.anchor.is_some(), json["inline"].is_object(), "{at}");
    if let Some(anchor) = &comment.anchor {
        same_anchor(json, anchor, &at);
    }
    assert_eq!(comment.resolution.is_some(), json["resolution"].is_object(), "{at}");
    if let Some(Resolution { user, on }) = &comment.resolution {
        same_user_or_none(&json["resolution"]["user"], user.as_ref(), &at);
        same_time(&json["resolution"]["created_on"], *on, &at);
    }
}

fn same_anchor(json: &Value, anchor: &Anchor, at: &str) {
    let inline = &json["inline"];
    assert_eq!(Some(anchor.path.as_str()), inline["path"].as_str(), "{at}");
    assert_eq!(anchor.outdated, inline["outdated"].as_bool(), "{at}");
    let line = |key: &str| inline[key].as_u64();
    let (side, first, last) = match (line("to"), line("from")) {
        (Some(to), _) => (Side::To, line("start_to").unwrap_or(to), to),
        (None, Some(from)) => (Side::From, line("start_from").unwrap_or(from), from),
        (None, None) => {
            assert_eq!(anchor.spot, Spot::File, "{at}");
            return;
        }
    };
    let Spot::Lines(found, lines) = anchor.spot else { panic!("{at}: lines were dropped") };
    assert_eq!((found, u64::from(lines.first) + 1, u64::from(lines.last) + 1), (side, first, last), "{at}");
    if let Some(href) = json["links"]["code"]["href"].as_str() {
        let hash = |hash: &Option<CommitHash>| hash.as_ref().map(|hash| hash.as_str().to_owned());
        let (source, destination) = (hash(&anchor.source_commit), hash(&anchor.destination_commit));
        let pair = format!("{}..{}", source.unwrap_or_default(), destination.unwrap_or_default());
        let href = href.replace("%0D", "..").replace("%0d", "..").to_lowercase();
        assert!(href.contains(&pair) && pair.len() > 16, "{at}: {pair} of {href}");
    }
}

fn same_pull_request(json: &Value, request: &PullRequest, file: &str) {
    let at = format!("{file}, pull request {}", request.id.0);
    assert_eq!(Some(request.id.0), json["id"].as_u64(), "{at}");
    assert_eq!(request.title, json["title"].as_str().unwrap_or_default(), "{at}");
    let description = json["description"].as_str().or_else(|| json["summary"]["raw"].as_str());
    assert_eq!(request.description, description.unwrap_or_default(), "{at}");
    let state = match json["state"].as_str() {
        Some("OPEN") => PullRequestState::Open,
        Some("MERGED") => PullRequestState::Merged,
        Some("DECLINED") => PullRequestState::Declined,
        Some("SUPERSEDED") => PullRequestState::Superseded,
        None => PullRequestState::Unknown,
        Some(other) => panic!("{at}: {other}"),
    };
    assert_eq!(request.state, state, "{at}");
    assert_eq!(request.draft, json["draft"] == true, "{at}");
    assert_eq!(request.comment_count.map(u64::from), json["comment_count"].as_u64(), "{at}");
    assert_eq!(request.task_count.map(u64::from), json["task_count"].as_u64(), "{at}");
    assert_eq!(request.html_url.as_deref(), json["links"]["html"]["href"].as_str(), "{at}");
    same_time(&json["created_on"], request.created_on, &at);
    same_time(&json["updated_on"], request.updated_on, &at);
    same_user_or_none(&json["author"], request.author.as_ref(), &at);
    same_end(&json["source"], &request.source, &at);
    same_end(&json["destination"], &request.destination, &at);
    let none = Vec::new();
    let participants = json["participants"].as_array().unwrap_or(&none);
    assert!(request.participants.len() >= participants.len(), "{at}");
    for (value, participant) in participants.iter().zip(&request.participants) {
        same_user_or_none(&value["user"], participant.user.as_ref(), &at);
    }
    for reviewer in json["reviewers"].as_array().unwrap_or(&none) {
        let is_there = request.participants.iter().any(|participant| {
            participant.role == Role::Reviewer
                && participant.user.as_ref().and_then(|user| user.uuid.as_deref())
                    == reviewer["uuid"].as_str()
        });
        assert!(is_there, "{at}: a reviewer was dropped");
    }
}

fn same_end(json: &Value, end: &End, at: &str) {
    assert_eq!(end.branch.as_deref(), json["branch"]["name"].as_str(), "{at}");
    assert_eq!(end.commit.as_ref().map(CommitHash::as_str), json["commit"]["hash"].as_str(), "{at}");
    let name = json["repository"]["full_name"].as_str().filter(|name| name.contains('/'));
    assert_eq!(end.repository.as_ref().map(ToString::to_string).as_deref(), name, "{at}");
}

fn same_task(json: &Value, task: &Task, file: &str) {
    assert_eq!(Some(task.id.0), json["id"].as_u64(), "{file}");
    assert_eq!(Some(task.raw.as_str()), json["content"]["raw"].as_str(), "{file}");
    assert_eq!(task.resolved, json["state"] == "RESOLVED", "{file}");
    assert_eq!(task.comment.map(|id| id.0), json["comment"]["id"].as_u64(), "{file}");
    same_user_or_none(&json["creator"], task.creator.as_ref(), file);
    same_time(&json["created_on"], task.created_on, file);
}

fn same_build(json: &Value, build: &BuildStatus, file: &str) {
    let text = |key: &str| json[key].as_str().filter(|text| !text.is_empty());
    assert_eq!(Some(build.key.as_str()), text("key"), "{file}");
    assert_eq!(Some(build.name.as_str()), text("name").or(text("key")), "{file}");
    assert_eq!(build.url.as_deref(), text("url"), "{file}");
    assert_eq!(build.description.as_deref(), text("description"), "{file}");
    let state = match text("state") {
        Some("SUCCESSFUL") => BuildState::Successful,
        Some("FAILED") => BuildState::Failed,
        Some("INPROGRESS") => BuildState::InProgress,
        Some("STOPPED") => BuildState::Stopped,
        other => panic!("{file}: {other:?}"),
    };
    assert_eq!(build.state, state, "{file}");
    same_time(&json["updated_on"], build.updated_on, file);
}

fn same_participant(json: &Value, participant: &Participant, file: &str) {
    same_user_or_none(&json["user"], participant.user.as_ref(), file);
    assert_eq!(participant.role == Role::Reviewer, json["role"] == "REVIEWER", "{file}");
    let vote = match (json["state"].as_str(), json["approved"].as_bool()) {
        (Some("approved"), _) | (None, Some(true)) => Some(Vote::Approved),
        (Some("changes_requested"), _) => Some(Vote::ChangesRequested),
        _ => None,
    };
    assert_eq!(participant.vote, vote, "{file}");
}

fn same_user_or_none(json: &Value, user: Option<&User>, at: &str) {
    assert_eq!(user.is_some(), json.is_object(), "{at}");
    if let Some(user) = user {
        same_user(json, user, at);
    }
}

fn same_user(json: &Value, user: &User, at: &str) {
    let text = |key: &str| json[key].as_str().filter(|text| !text.is_empty());
    assert_eq!(user.uuid.as_deref(), text("uuid"), "{at}");
    assert_eq!(user.account_id.as_deref(), text("account_id"), "{at}");
    assert_eq!(user.nickname.as_deref(), text("nickname"), "{at}");
    let name = text("display_name").or(text("nickname")).or(text("username"));
    assert_eq!(user.display_name, name.unwrap_or_default(), "{at}");
}

/// Some recordings are made up by hand and have words for hashes.
fn is_hash(json: &Value) -> bool {
    let hex = |text: &str| text.len() >= 7 && text.chars().all(|digit| digit.is_ascii_hexdigit());
    json.as_str().is_some_and(hex)
}

fn same_commit(json: &Value, hash: &CommitHash, file: &str) {
    assert_eq!(Some(hash.as_str()), json["hash"].as_str(), "{file}");
}

/// Days and seconds counted by hand: an independent reading of `YYYY-MM-DDThh:mm:ss[.f]+00:00`.
fn same_time(json: &Value, time: Option<Timestamp>, at: &str) {
    assert_eq!(time.is_some(), json.is_string(), "{at}");
    let (Some(time), Some(text)) = (time, json.as_str()) else {
        return;
    };
    if !text.ends_with("+00:00") && !text.ends_with('Z') {
        return;
    }
    let number = |range: std::ops::Range<usize>| -> i64 { text[range].parse().unwrap() };
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let years: i64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let months: i64 = lengths.iter().take(usize::try_from(month - 1).unwrap()).sum();
    let days = years + months + day - 1;
    let seconds = number(11..13) * 3600 + number(14..16) * 60 + number(17..19);
    assert_eq!(time.0, days * 86_400 + seconds, "{at}: {text}");
}
