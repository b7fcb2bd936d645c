//! The pages that links lead to: plain, so that "Open in browser" shows something in the demo.

use std::sync::RwLock;

use crate::http::{Answer, Request};
use crate::world::World;

/// Answers `/workspace/slug` and what is below it; `None` if there is no such page.
pub(crate) fn answer(world: &RwLock<World>, request: &Request) -> Option<Answer> {
    let segments = request.segments();
    let [workspace, slug, rest @ ..] = segments.as_slice() else {
        return None;
    };
    let world = world.read().unwrap_or_else(std::sync::PoisonError::into_inner);
    let repository =
        world.repository(&format!("{workspace}/{slug}")).filter(|repository| !repository.gone)?;
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let text = match rest.as_slice() {
        ["pull-requests", id, ..] => {
            let pull_request = world.pull_request(&repository.name, id.parse().ok()?)?;
            let mut text = format!("#{id} {}\n\n{}\n", pull_request.title, pull_request.description);
            for comment in pull_request.comments.iter().filter(|comment| !comment.deleted) {
                let author = world.person(&comment.author).map_or("somebody", |person| person.name.as_str());
                let place = comment.inline.as_ref().map_or("", |inline| inline.path.as_str());
                text.push_str(&format!("\n[{}] {author} {place}\n{}\n", comment.id, comment.text));
            }
            text
        }
        [] | ["branch" | "commits" | "src", ..] => {
            format!("{} in the simulated Bitbucket\n", repository.name)
        }
        _ => return None,
    };
    Some(Answer::text(200, &text))
}
