//! Workspaces and users.

use serde_json::json;

use super::page::Page;
use super::{Call, Result, error};
use crate::http::Answer;
use crate::world::Person;

/// The members of a workspace: all people of the scenario but those outside, whom the list is refused.
pub(super) fn members(call: &Call<'_>, workspace: &str) -> Result<Answer> {
    let account = call.signed_in()?;
    call.needs("workspace")?;
    let page = Page::asked(call.request, 100)?;
    let mut repositories = call.world.repositories.iter().filter(|repository| !repository.gone);
    let found = repositories.find(|repository| repository.workspace().eq_ignore_ascii_case(workspace));
    let workspace =
        found.ok_or_else(|| error(404, &format!("No workspace with identifier '{workspace}'.")))?;
    let workspace = call.world.workspace_json(workspace.workspace());
    if !call.world.person(&account.user).is_some_and(|person| person.member) {
        return Err(error(403, "You don't have permission to see the members of this workspace."));
    }
    let members: Vec<&Person> = call.world.people.iter().filter(|person| person.member).collect();
    let shape = |person: &&Person| {
        json!({
            "type": "workspace_membership",
            "user": call.world.user(&person.id),
            "workspace": workspace,
        })
    };
    Ok(call.json(page.of(call.world, call.request, &members, shape)?, &[]))
}

/// A user by uuid or account id.
pub(super) fn user(call: &Call<'_>, id: &str) -> Result<Answer> {
    call.signed_in()?;
    let found =
        call.world.people.iter().find(|person| [&person.uuid, &person.account_id].contains(&&id.to_owned()));
    let found = found.ok_or_else(|| error(404, id))?;
    Ok(call.json(call.world.user(&found.id), &[]))
}
