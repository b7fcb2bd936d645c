//! Pull requests and what hangs on them: comments, tasks, builds, activity, commits.

use serde_json::{Value, json};

use super::page::Page;
use super::query::{self, Query};
use super::shapes::{LIST_ON_DEMAND, time};
use super::{Call, Result, error, source};
use crate::http::Answer;
use crate::world::{Comment, PullRequest, Repository, State};

/// Fields that a filter of pull requests may speak of.
const FIELDS: &[&str] = &[
    "id",
    "title",
    "description",
    "summary",
    "state",
    "draft",
    "author",
    "source",
    "destination",
    "reviewers",
    "participants",
    "comment_count",
    "task_count",
    "close_source_branch",
    "closed_by",
    "reason",
    "merge_commit",
    "created_on",
    "updated_on",
];

/// Fields that a filter of comments may speak of.
const COMMENT_FIELDS: &[&str] =
    &["id", "content", "user", "deleted", "pending", "inline", "parent", "created_on", "updated_on"];

pub(super) fn list(call: &Call<'_>, repository: &Repository) -> Result<Answer> {
    call.needs("pullrequest")?;
    let page = Page::asked(call.request, 50)?;
    let filter = match call.request.parameter("q") {
        Some(text) => Some(Query::parse(&text, FIELDS).map_err(|message| error(400, &message))?),
        None => None,
    };
    let mut states = Vec::new();
    for word in call.request.all("state") {
        states.push(State::parse(&word).ok_or_else(|| error(400, &format!("Invalid state: {word}")))?);
    }
    // Only open ones, unless a state is asked for by either way.
    if states.is_empty() && !filter.as_ref().is_some_and(|filter| filter.names("state")) {
        states.push(State::Open);
    }
    let wanted = |one: &&PullRequest| {
        one.repository == repository.name && (states.is_empty() || states.contains(&one.state))
    };
    let found = call.world.pull_requests.iter().filter(wanted).map(|one| call.world.pull_request_json(one));
    let mut found: Vec<Value> =
        found.filter(|one| filter.as_ref().is_none_or(|filter| filter.matches(one))).collect();
    let by = call.request.parameter("sort").unwrap_or_else(|| "-id".to_owned());
    query::sort(&mut found, &by, FIELDS).map_err(|message| error(400, &message))?;
    Ok(call.json(page.of(call.world, call.request, &found, Value::clone)?, LIST_ON_DEMAND))
}

pub(super) fn one(call: &Call<'_>, repository: &Repository, id: &str) -> Result<Answer> {
    call.needs("pullrequest")?;
    let pull_request = find(call, repository, id)?;
    Ok(call.json(call.world.pull_request_json(pull_request), &[]))
}

pub(super) fn comments(call: &Call<'_>, repository: &Repository, id: &str) -> Result<Answer> {
    call.needs("pullrequest")?;
    let pull_request = find(call, repository, id)?;
    let page = Page::asked(call.request, 100)?;
    let mut comments: Vec<&Comment> = pull_request.comments.iter().collect();
    comments.sort_by_key(|comment| (comment.created, comment.id));
    let shape = |comment: &&Comment| call.world.comment_json(pull_request, comment);
    let (filter, sort) = (call.request.parameter("q"), call.request.parameter("sort"));
    if filter.is_none() && sort.is_none() {
        return Ok(call.json(page.of(call.world, call.request, &comments, shape)?, &[]));
    }
    let mut found: Vec<Value> = comments.iter().map(shape).collect();
    if let Some(filter) = filter {
        let filter = Query::parse(&filter, COMMENT_FIELDS).map_err(|message| error(400, &message))?;
        found.retain(|comment| filter.matches(comment));
    }
    if let Some(by) = sort {
        query::sort(&mut found, &by, COMMENT_FIELDS).map_err(|message| error(400, &message))?;
    }
    Ok(call.json(page.of(call.world, call.request, &found, Value::clone)?, &[]))
}

pub(super) fn comment(call: &Call<'_>, repository: &Repository, id: &str, comment: &str) -> Result<Answer> {
    call.needs("pullrequest")?;
    let pull_request = find(call, repository, id)?;
    let found = comment.parse().ok().and_then(|comment| pull_request.comment(comment));
    // The message of a missing comment is only its id.
    let found = found.ok_or_else(|| error(404, comment))?;
    Ok(call.json(call.world.comment_json_alone(pull_request, found), &[]))
}

pub(super) fn tasks(call: &Call<'_>, repository: &Repository, id: &str) -> Result<Answer> {
    call.needs("pullrequest")?;
    let pull_request = find(call, repository, id)?;
    let page = Page::asked(call.request, 100)?;
    let shape = |task: &crate::world::Task| call.world.task_json(pull_request, task);
    Ok(call.json(page.of(call.world, call.request, &pull_request.tasks, shape)?, &[]))
}

pub(super) fn task(call: &Call<'_>, repository: &Repository, id: &str, task: &str) -> Result<Answer> {
    call.needs("pullrequest")?;
    let pull_request = find(call, repository, id)?;
    let found = super::tasks::find(pull_request, task)?;
    Ok(call.json(call.world.task_json(pull_request, found), &[]))
}

pub(super) fn statuses(call: &Call<'_>, repository: &Repository, id: &str) -> Result<Answer> {
    call.needs("pullrequest")?;
    let pull_request = find(call, repository, id)?;
    let page = Page::asked(call.request, 100)?;
    let statuses = call.world.statuses(pull_request);
    let shape = |status: &&crate::world::Status| call.world.status_json(repository, status);
    Ok(call.json(page.of(call.world, call.request, &statuses, shape)?, &[]))
}

pub(super) fn commits(call: &Call<'_>, repository: &Repository, id: &str) -> Result<Answer> {
    call.needs("pullrequest")?;
    let pull_request = find(call, repository, id)?;
    let page = Page::asked(call.request, 100)?;
    let source = &pull_request.source;
    let from = call.world.repository(&source.repository).filter(|repository| !repository.gone);
    let from = from.ok_or_else(|| error(404, "The source repository does not exist"))?;
    let range = [source.commit.as_str(), "--not", pull_request.destination.commit.as_str()];
    let commits =
        if from.heads.contains_key(&source.branch) { source::log(from, &range) } else { Vec::new() };
    let shape = |commit: &source::LoggedCommit| call.world.commit_json(from, commit);
    Ok(call.json(page.of(call.world, call.request, &commits, shape)?, &[]))
}

/// `diff` and `diffstat` are elsewhere.
pub(super) fn comparison(call: &Call<'_>, repository: &Repository, id: &str, part: &str) -> Result<Answer> {
    call.needs("pullrequest")?;
    let pull_request = find(call, repository, id)?;
    Ok(Answer::text(302, "").with("location", call.world.comparison(pull_request, part)))
}

pub(super) fn activity(call: &Call<'_>, repository: &Repository, id: &str) -> Result<Answer> {
    call.needs("pullrequest")?;
    let pull_request = find(call, repository, id)?;
    events(call, &[pull_request])
}

pub(super) fn activity_of_all(call: &Call<'_>, repository: &Repository) -> Result<Answer> {
    call.needs("pullrequest")?;
    let all = call.world.pull_requests.iter().filter(|one| one.repository == repository.name);
    events(call, &all.collect::<Vec<_>>())
}

/// What happened, newest first; no tasks, as in Bitbucket.
fn events(call: &Call<'_>, pull_requests: &[&PullRequest]) -> Result<Answer> {
    let page = Page::asked(call.request, 50)?;
    let world = call.world;
    let mut events = Vec::new();
    for pull_request in pull_requests {
        let brief = world.pull_request_brief(pull_request);
        for comment in pull_request.comments.iter().filter(|comment| !comment.deleted) {
            let comment_json = world.comment_json_alone(pull_request, comment);
            events.push((comment.created, json!({"pull_request": brief, "comment": comment_json})));
        }
        for participant in &pull_request.participants {
            if let (Some(vote), Some(on)) = (participant.vote, participant.on) {
                let kind =
                    if vote == crate::world::Vote::Approved { "approval" } else { "changes_requested" };
                let said =
                    json!({"date": time(on), "user": world.user(&participant.user), "pullrequest": brief});
                events.push((on, json!({"pull_request": brief, kind: said})));
            }
        }
        let whole = world.pull_request_json(pull_request);
        for (on, commit) in &pull_request.updates {
            let mut update = json!({"date": time(*on), "changes": {}});
            for part in [
                "state",
                "draft",
                "title",
                "description",
                "author",
                "source",
                "destination",
                "reason",
                "reviewers",
            ] {
                update[part] = whole[part].clone();
            }
            update["source"]["commit"]["hash"] = super::shapes::short(commit).into();
            events.push((*on, json!({"pull_request": brief, "update": update})));
        }
    }
    events.sort_by(|(one, _), (other, _)| other.cmp(one));
    let shape = |event: &(jiff::Timestamp, Value)| event.1.clone();
    Ok(call.json(page.of(world, call.request, &events, shape)?, &[]))
}

/// Who wants to write on which pull request. They are signed in, and it takes comments and tasks: merged and declined
/// ones do, too; only one that a test has locked does not.
pub(super) fn open_to<'a>(
    call: &Call<'a>,
    repository: &Repository,
    id: &str,
) -> Result<(String, &'a PullRequest)> {
    let account = call.signed_in()?;
    call.needs("pullrequest")?;
    let pull_request = find(call, repository, id)?;
    if pull_request.locked {
        return Err(error(403, "You do not have permission to write on this pull request."));
    }
    Ok((account.user.clone(), pull_request))
}

/// A missing pull request is answered in plain text.
fn find<'a>(call: &Call<'a>, repository: &Repository, id: &str) -> Result<&'a PullRequest> {
    let found = id.parse().ok().and_then(|id| call.world.pull_request(&repository.name, id));
    found.ok_or_else(|| Answer::text(404, "Not Found"))
}
