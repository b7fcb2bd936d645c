//! Writing, changing, deleting, resolving comments.
//!
//! The scope `pullrequest` is enough for all of it. A comment that is deleted is as if it had never been, for all who
//! want to do something to it; that a reply to one is refused as well is the simulator's choice.

use super::body::{Body, invalid};
use super::{Call, Change, Result, error, place, pull_requests, shown};
use crate::http::Answer;
use crate::world::discussion::NewComment;
use crate::world::{Comment, PullRequest, Repository, World};

pub(super) fn create(call: &Call<'_>, repository: &Repository, id: &str) -> Result<Change> {
    let (author, pull_request) = pull_requests::open_to(call, repository, id)?;
    let body = Body::required(call.request)?;
    let text = body.text()?;
    let parent = match body.id_of("parent")? {
        Some(parent) => Some(living(pull_request, &parent.to_string())?),
        None => None,
    };
    let inline = match (parent, body.member("inline")) {
        // A reply stands where its parent stands, whatever it says.
        (Some(parent), _) => parent.inline.clone(),
        (None, Some(inline)) => Some(place::of_new(call.world, repository, pull_request, inline)?),
        (None, None) => None,
    };
    let pending = body.member("pending").and_then(serde_json::Value::as_bool).unwrap_or_default();
    let new = NewComment { author, text, parent: parent.map(|parent| parent.id), inline, pending };
    let (name, id, fields) = (repository.name.clone(), pull_request.id, call.fields());
    Ok(Box::new(move |world| {
        let on = world.tick();
        let comment = world.say(&name, id, new, on)?;
        Ok(told(world, &name, id, comment, 201, &fields))
    }))
}

pub(super) fn edit(call: &Call<'_>, repository: &Repository, id: &str, comment: &str) -> Result<Change> {
    let (author, pull_request) = pull_requests::open_to(call, repository, id)?;
    let body = Body::required(call.request)?;
    let known = own(pull_request, comment, &author)?;
    let text = body.text()?;
    if body.member("inline").is_some_and(|inline| !place::is_same(inline, known.inline.as_ref())) {
        return Err(invalid("inline", "a comment cannot be moved"));
    }
    let (name, id, comment, fields) = (repository.name.clone(), pull_request.id, known.id, call.fields());
    Ok(Box::new(move |world| {
        world.edit_comment(&name, id, comment, &text)?;
        Ok(told(world, &name, id, comment, 200, &fields))
    }))
}

pub(super) fn delete(call: &Call<'_>, repository: &Repository, id: &str, comment: &str) -> Result<Change> {
    let (author, pull_request) = pull_requests::open_to(call, repository, id)?;
    let comment = own(pull_request, comment, &author)?.id;
    let (name, id) = (repository.name.clone(), pull_request.id);
    Ok(Box::new(move |world| {
        world.delete_comment(&name, id, comment)?;
        Ok(Answer::empty(204))
    }))
}

pub(super) fn resolve(call: &Call<'_>, repository: &Repository, id: &str, comment: &str) -> Result<Change> {
    let (author, pull_request) = pull_requests::open_to(call, repository, id)?;
    Body::ignored(call.request)?;
    let known = root(pull_request, comment)?;
    if known.resolution.is_some() {
        return Err(error(409, "Comment has already been resolved."));
    }
    let (name, id, comment, fields) = (repository.name.clone(), pull_request.id, known.id, call.fields());
    Ok(Box::new(move |world| {
        world.resolve(&name, id, comment, Some(&author))?;
        let comment = world.pull_request(&name, id).and_then(|one| one.comment(comment));
        let resolution = comment.and_then(|comment| comment.resolution.as_ref());
        let resolution = resolution.map(|resolution| world.resolution_json(resolution));
        Ok(shown(200, resolution.unwrap_or_default(), &fields))
    }))
}

pub(super) fn reopen(call: &Call<'_>, repository: &Repository, id: &str, comment: &str) -> Result<Change> {
    let (_, pull_request) = pull_requests::open_to(call, repository, id)?;
    let known = root(pull_request, comment)?;
    if known.resolution.is_none() {
        return Err(error(404, "Comment has not been resolved."));
    }
    let (name, id, comment) = (repository.name.clone(), pull_request.id, known.id);
    Ok(Box::new(move |world| {
        world.resolve(&name, id, comment, None)?;
        Ok(Answer::empty(204))
    }))
}

/// A comment that is there and not deleted; the message of one that is not is only its id.
pub(super) fn living<'a>(pull_request: &'a PullRequest, comment: &str) -> Result<&'a Comment> {
    let found = comment.parse().ok().and_then(|comment| pull_request.comment(comment));
    found.filter(|comment| !comment.deleted).ok_or_else(|| error(404, comment))
}

fn own<'a>(pull_request: &'a PullRequest, comment: &str, user: &str) -> Result<&'a Comment> {
    let found = living(pull_request, comment)?;
    if found.author != user {
        return Err(error(403, "You do not have permission to change this comment."));
    }
    Ok(found)
}

fn root<'a>(pull_request: &'a PullRequest, comment: &str) -> Result<&'a Comment> {
    let found = living(pull_request, comment)?;
    if found.parent.is_some() {
        return Err(error(403, "Comment is not a top-level comment"));
    }
    Ok(found)
}

fn told(world: &World, repository: &str, id: u64, comment: u64, status: u16, fields: &str) -> Answer {
    let found = world.pull_request(repository, id);
    let found = found.and_then(|one| Some(world.comment_json_alone(one, one.comment(comment)?)));
    shown(status, found.unwrap_or_default(), fields)
}
