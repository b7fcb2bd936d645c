//! Writing, changing, finishing, deleting tasks.
//!
//! Who may see a pull request may do all of it, to everybody's tasks: the simulator's choice, since Bitbucket does not
//! say who may not.

use serde_json::Value;

use super::body::{Body, invalid};
use super::comments::living;
use super::{Call, Change, Result, error, pull_requests, shown};
use crate::http::Answer;
use crate::world::discussion::NewTask;
use crate::world::{PullRequest, Repository, Task, World};

pub(super) fn create(call: &Call<'_>, repository: &Repository, id: &str) -> Result<Change> {
    let (author, pull_request) = pull_requests::open_to(call, repository, id)?;
    let body = Body::required(call.request)?;
    let text = body.text()?;
    let comment = match body.id_of("comment")? {
        Some(comment) => Some(living(pull_request, &comment.to_string())?.id),
        None => None,
    };
    let (name, id, fields) = (repository.name.clone(), pull_request.id, call.fields());
    Ok(Box::new(move |world| {
        let on = world.tick();
        let task = world.ask(&name, id, NewTask { author, text, comment }, on)?;
        Ok(told(world, &name, id, task, 201, &fields))
    }))
}

/// The text must be sent even where only the state changes.
pub(super) fn edit(call: &Call<'_>, repository: &Repository, id: &str, task: &str) -> Result<Change> {
    let (author, pull_request) = pull_requests::open_to(call, repository, id)?;
    let body = Body::required(call.request)?;
    let known = find(pull_request, task)?;
    let text = Some(body.text()?).filter(|text| *text != known.text);
    let resolved = match body.member("state").map(Value::as_str) {
        None => None,
        Some(Some("RESOLVED")) => Some(true),
        Some(Some("UNRESOLVED")) => Some(false),
        Some(_) => return Err(invalid("state", "expected RESOLVED or UNRESOLVED")),
    };
    let resolved = resolved.filter(|resolved| *resolved != known.resolved.is_some());
    let (name, id, task, fields) = (repository.name.clone(), pull_request.id, known.id, call.fields());
    Ok(Box::new(move |world| {
        if let Some(text) = text {
            world.edit_task(&name, id, task, &text)?;
        }
        if let Some(resolved) = resolved {
            world.finish_task(&name, id, task, resolved.then_some(&author))?;
        }
        Ok(told(world, &name, id, task, 200, &fields))
    }))
}

pub(super) fn delete(call: &Call<'_>, repository: &Repository, id: &str, task: &str) -> Result<Change> {
    let (_, pull_request) = pull_requests::open_to(call, repository, id)?;
    let task = find(pull_request, task)?.id;
    let (name, id) = (repository.name.clone(), pull_request.id);
    Ok(Box::new(move |world| {
        world.delete_task(&name, id, task)?;
        Ok(Answer::empty(204))
    }))
}

/// A task; the message of one that is not there is only its id.
pub(super) fn find<'a>(pull_request: &'a PullRequest, task: &str) -> Result<&'a Task> {
    let found = task.parse().ok().and_then(|task| pull_request.task(task));
    found.ok_or_else(|| error(404, task))
}

fn told(world: &World, repository: &str, id: u64, task: u64, status: u16, fields: &str) -> Answer {
    let found = world.pull_request(repository, id);
    let found = found.and_then(|one| Some(world.task_json(one, one.task(task)?)));
    shown(status, found.unwrap_or_default(), fields)
}
