//! A whole thread as Markdown: for hovers, and for documents.
//!
//! What others wrote is quoted, so that it cannot pass for what we say.

use std::collections::HashMap;

use super::markdown::{Surroundings, code_block, gist, link_or_text, quote, safe, text};
use super::{PlacedThread, Reader, page_of, status, words};
use crate::model::{Comment, CommentId, Side, Spot, Task, Timestamp};
use crate::place::Placement;
use crate::thread::{Reply, Thread};

/// How much of a thread is shown.
#[derive(Clone, Copy)]
pub(super) struct Room {
    n_comments: usize,
    bytes: usize,
}

/// In a hover: what a person scrolls through.
const HOVER: Room = Room { n_comments: 100, bytes: 128 * 1024 };
/// In a document of its own.
pub(super) const DOCUMENT: Room = Room { n_comments: 5_000, bytes: 2 * 1024 * 1024 };

/// Two edits of a comment within this many seconds are its creation.
const EDITED: i64 = 2;

/// The whole thread as safe Markdown: how it stands, where it came from, every comment, its tasks, and a link.
///
/// At most 100 comments and about 128 KiB are shown; what is left out is counted.
pub fn hover(thread: &PlacedThread<'_>, reader: &Reader<'_>) -> String {
    let mut parts = vec![heading(thread.thread, Some(thread), reader)];
    parts.extend(body(thread.thread, Some(thread), reader, HOVER));
    parts.join("\n\n")
}

/// `**Open thread** · line 42 · moved from line 12`.
pub(super) fn heading(thread: &Thread, placed: Option<&PlacedThread<'_>>, reader: &Reader<'_>) -> String {
    let state = if thread.is_resolved() { "**Resolved thread**" } else { "**Open thread**" };
    let mut parts = vec![match location(thread, placed) {
        Some(location) => format!("{state} · {location}"),
        None => state.into(),
    }];
    parts.extend(Some(words::SENDING.into()).filter(|_| reader.is_sending(thread.root)));
    let said = ["resolved", words::SENDING];
    parts.extend(words::state(thread, reader).into_iter().filter(|word| !said.contains(&word.as_str())));
    parts.extend(placed.iter().flat_map(|placed| words::whereabouts(placed)));
    parts.join(" · ")
}

/// Where a thread is now, or, if that is not known, where it was written.
pub(super) fn location(thread: &Thread, placed: Option<&PlacedThread<'_>>) -> Option<String> {
    let anchor = thread.anchor.as_ref()?;
    let Some((placed, now)) = placed.and_then(|placed| Some((placed, placed.lines()?))) else {
        return Some(words::anchored(anchor));
    };
    Some(match (anchor.spot, placed.placed.placement) {
        (Spot::File, _) => words::anchored(anchor),
        (_, Placement::Gone { .. }) => format!("near {}", words::lines(now)),
        _ => words::lines(now),
    })
}

/// All of a thread below its heading, in paragraphs.
pub(super) fn body(
    thread: &Thread,
    placed: Option<&PlacedThread<'_>>,
    reader: &Reader<'_>,
    room: Room,
) -> Vec<String> {
    let mut parts = Vec::new();
    parts.extend(placed.and_then(commented));
    if let Some(resolution) = &thread.resolution {
        let who = resolution.user.as_ref().map(|user| format!(" by {}", text(&reader.name(Some(user)), 60)));
        let when = resolution.on.map(|on| format!(" · {}", status::age(reader.now, on)));
        if who.is_some() || when.is_some() {
            parts.push(format!("Resolved{}{}", who.unwrap_or_default(), when.unwrap_or_default()));
        }
    }

    let by_id: HashMap<CommentId, &Comment> =
        thread.comments.iter().map(|it| (it.comment.id, &it.comment)).collect();
    let mut bytes = 0;
    let mut shown = 0;
    for reply in &thread.comments {
        if shown == room.n_comments || bytes > room.bytes {
            break;
        }
        let comment = comment(reply, &by_id, placed, reader);
        bytes += comment.len();
        shown += 1;
        parts.push(comment);
    }
    let page = page_of(thread.first());
    if shown < thread.comments.len() {
        let rest = words::count(thread.comments.len() - shown, "more comment", "more comments");
        parts.push(format!("… {rest}, {}", link_or_text("see them on Bitbucket", page)));
    }
    if !thread.tasks.is_empty() {
        let shown = thread.tasks.iter().take(room.n_comments);
        let mut tasks: Vec<String> = shown.map(|it| task(it, reader)).collect();
        if thread.tasks.len() > tasks.len() {
            tasks.push(format!(
                "- … {}",
                words::count(thread.tasks.len() - tasks.len(), "more task", "more tasks")
            ));
        }
        parts.push(tasks.join("\n"));
    }
    if page.and_then(super::markdown::web_url).is_some() {
        parts.push(link_or_text("Open in Bitbucket", page));
    }
    parts
}

/// `- [ ] first words (Ana)`.
pub(super) fn task(task: &Task, reader: &Reader<'_>) -> String {
    let surroundings = Surroundings { names: Some(reader.names), ..Surroundings::default() };
    let words = text(&gist(&task.raw, &surroundings, 200), 200);
    let words = if words.is_empty() { "(no text)".into() } else { words };
    let creator = task.creator.as_ref().map(|user| format!(" ({})", text(&reader.name(Some(user)), 60)));
    format!("- [{}] {words}{}", if task.resolved { 'x' } else { ' ' }, creator.unwrap_or_default())
}

/// The commented text, where the lines on screen are not it.
fn commented(thread: &PlacedThread<'_>) -> Option<String> {
    let anchor = thread.thread.anchor.as_ref()?;
    let Spot::Lines(side, range) = anchor.spot else {
        return None;
    };
    let text = thread.placed.commented.as_deref()?;
    let intact = matches!(thread.placed.placement, Placement::Exact(_) | Placement::Moved(_));
    if intact && side == Side::To {
        return None;
    }
    let language = anchor.path.rsplit(['/', '.']).next().unwrap_or_default();
    let what = match side {
        Side::From => format!("The old file's {}:", words::lines(range)),
        Side::To => format!("Commented, {} then:", words::lines(range)),
    };
    Some(format!("{what}\n\n{}", code_block(text, language)))
}

/// Who, when, and what: the text quoted.
fn comment(
    reply: &Reply,
    by_id: &HashMap<CommentId, &Comment>,
    placed: Option<&PlacedThread<'_>>,
    reader: &Reader<'_>,
) -> String {
    let Reply { comment, depth } = reply;
    let arrow = if *depth > 0 { "↳ " } else { "" };
    if comment.deleted {
        let sending = if reader.is_sending(comment.id) { " · being sent" } else { "" };
        return format!("{arrow}*deleted comment*{sending}");
    }
    let mut head = format!("{arrow}**{}**", text(&reader.name(comment.author.as_ref()), 60));
    // Whom a reply answers goes without saying where it is the thread's first comment.
    let above = comment.parent.filter(|_| *depth > 1).and_then(|id| by_id.get(&id));
    if let Some(above) = above {
        let whom = match above.deleted {
            true => "a deleted comment".into(),
            false => text(&reader.name(above.author.as_ref()), 60),
        };
        head.push_str(&format!(" to {whom}"));
    }
    if let Some(on) = comment.created_on {
        head.push_str(&format!(" · {}", status::age(reader.now, on)));
    }
    let is_later =
        |on: Timestamp| comment.created_on.is_some_and(|created| on.0.saturating_sub(created.0) >= EDITED);
    if comment.updated_on.is_some_and(is_later) {
        head.push_str(" · edited");
    }
    // Of the thread's first comment the heading says it.
    if *depth > 0 && reader.is_sending(comment.id) {
        head.push_str(&format!(" · {}", words::SENDING));
    }
    if comment.pending {
        head.push_str(" · pending, nobody else sees it yet");
    }
    if comment.unreadable {
        let page = link_or_text("see it on Bitbucket", page_of(comment));
        head.push_str(&format!(" · *this comment could not be read in full*, {page}"));
    }
    let body = safe(&comment.raw, &reader.surroundings(comment, placed.and_then(whole_commented)));
    match (body.is_empty(), comment.unreadable) {
        (false, _) => format!("{head}\n\n{}", quote(&body)),
        (true, false) => format!("{head}\n\n> *(no text)*"),
        (true, true) => head,
    }
}

/// The commented lines, if they are all there: only then a suggestion can be compared to them.
fn whole_commented<'a>(thread: &PlacedThread<'a>) -> Option<&'a str> {
    let is_line = matches!(thread.thread.anchor.as_ref()?.spot, Spot::Lines(Side::To, _));
    thread.placed.commented.as_deref().filter(|text| is_line && !text.ends_with('…'))
}
