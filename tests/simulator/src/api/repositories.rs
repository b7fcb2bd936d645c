//! The current user, repositories, branches and the builds of a commit.

use serde_json::{Value, json};

use super::page::Page;
use super::query::{self, Query};
use super::{Call, Result, error, source};
use crate::http::{Answer, percent_encode};
use crate::world::Repository;

pub(super) fn current_user(call: &Call<'_>) -> Result<Answer> {
    let account = call.signed_in()?;
    call.needs("account")?;
    let mut user = call.world.user(&account.user);
    // Told of oneself only; it is what stands in the addresses of remotes, and need not be the nickname.
    if let Some(nickname) = user["nickname"].as_str() {
        user["username"] = format!("{nickname}-git").into();
    }
    Ok(call.json(user, &[]))
}

pub(super) fn of_workspace(call: &Call<'_>, workspace: &str) -> Result<Answer> {
    let account = call.signed_in()?;
    call.needs("repository")?;
    let page = Page::asked(call.request, 100)?;
    let is_there = |repository: &&Repository| {
        repository.workspace() == workspace && !repository.gone && super::may_read(repository, account)
    };
    let repositories: Vec<&Repository> = call.world.repositories.iter().filter(is_there).collect();
    if repositories.is_empty() {
        return Err(error(404, &format!("No workspace with identifier '{workspace}'.")));
    }
    let shape = |repository: &&Repository| call.world.repository_json(repository);
    Ok(call.json(page.of(call.world, call.request, &repositories, shape)?, &[]))
}

pub(super) fn repository(call: &Call<'_>, repository: &Repository) -> Result<Answer> {
    call.needs("repository")?;
    Ok(call.json(call.world.repository_json(repository), &[]))
}

pub(super) fn branches(call: &Call<'_>, repository: &Repository) -> Result<Answer> {
    call.needs("repository")?;
    let page = Page::asked(call.request, 100)?;
    let fields = ["name", "target"];
    let names = repository.heads.iter().map(|(name, hash)| json!({"name": name, "target": {"hash": hash}}));
    let mut branches: Vec<Value> = names.collect();
    if let Some(filter) = call.request.parameter("q") {
        let filter = Query::parse(&filter, &fields).map_err(|message| error(400, &message))?;
        branches.retain(|branch| filter.matches(branch));
    }
    if let Some(by) = call.request.parameter("sort") {
        query::sort(&mut branches, &by, &fields).map_err(|message| error(400, &message))?;
    }
    let shape = |brief: &Value| json_of(call, repository, brief["name"].as_str().unwrap_or_default());
    Ok(call.json(page.of(call.world, call.request, &branches, shape)?, &[]))
}

pub(super) fn branch(call: &Call<'_>, repository: &Repository, name: &str) -> Result<Answer> {
    call.needs("repository")?;
    if !repository.heads.contains_key(name) {
        return Err(error(404, &format!("Branch \"{name}\" does not exist")));
    }
    Ok(call.json(json_of(call, repository, name), &[]))
}

pub(super) fn statuses(call: &Call<'_>, repository: &Repository, name: &str) -> Result<Answer> {
    call.needs("repository")?;
    let page = Page::asked(call.request, 100)?;
    let hash = repository.commit(name).ok_or_else(|| error(404, &format!("Commit not found: {name}")))?;
    let statuses: Vec<_> = repository.statuses.iter().filter(|status| status.commit == hash).collect();
    let shape = |status: &&crate::world::Status| call.world.status_json(repository, status);
    Ok(call.json(page.of(call.world, call.request, &statuses, shape)?, &[]))
}

fn json_of(call: &Call<'_>, repository: &Repository, name: &str) -> Value {
    let world = call.world;
    let target = repository.heads.get(name).and_then(|hash| source::log(repository, &[hash, "-1"]).pop());
    let own = format!("{}/repositories/{}", world.api(), repository.name);
    let encoded = percent_encode(name);
    json!({
        "name": name,
        "type": "branch",
        "target": target.map(|commit| world.commit_json(repository, &commit)),
        "links": {
            "self": {"href": format!("{own}/refs/branches/{encoded}")},
            "commits": {"href": format!("{own}/commits/{encoded}")},
            "html": {"href": format!("{}/{}/branch/{encoded}", world.web, repository.name)},
        },
        "merge_strategies": ["merge_commit", "squash", "fast_forward"],
        "default_merge_strategy": "merge_commit",
        "sync_strategies": ["merge_commit", "rebase"],
    })
}
