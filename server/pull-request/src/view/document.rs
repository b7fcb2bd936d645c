//! Documents for reading: a pull request with all that is said on it, and one thread in full.
//!
//! A document is Markdown with a map: what its parts are, where its lines lead.

mod builder;
mod drafts;

pub use self::drafts::{DraftRow, DraftState, Drafts, drafts};

use std::collections::{BTreeMap, HashMap};

use self::builder::Builder;
use super::markdown::{Surroundings, code, link_or_text, plain, quote, safe, text, web_url};
use super::{PlacedThread, Reader, hover, lens, status, words};
use crate::model::{
    BuildState, BuildStatus, CommentId, End, LineRange, Participant, PullRequest, Role, Vote,
};
use crate::thread::{Discussion, Thread};

/// How much of the general comments is written out, in bytes.
const COMMENTS: usize = 2 * 1024 * 1024;

/// A Markdown text and its map. Lines are 0-based.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Document {
    /// Safe Markdown, ended by a line feed.
    pub text: String,
    /// Its parts, in their order.
    pub symbols: Vec<Symbol>,
    /// What can be followed, in the order of lines.
    pub links: Vec<DocLink>,
    /// The lines that stand for something, in their order.
    pub rows: Vec<Row>,
}

/// A part of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// One line of plain text, not empty.
    pub name: String,
    /// One line of plain text about it; may be empty.
    pub detail: String,
    /// All its lines.
    pub lines: LineRange,
    /// The line of its title.
    pub selection: u32,
    /// Its own parts.
    pub children: Vec<Symbol>,
}

/// A stretch of a line that leads somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocLink {
    /// The line.
    pub line: u32,
    /// Where it starts, in characters (Unicode scalar values) from the line's start.
    pub start: u32,
    /// Where it ends, likewise; exclusive.
    pub end: u32,
    /// Where it leads.
    pub target: LinkTarget,
}

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkTarget {
    /// An `https` or `http` address.
    Web(String),
    /// A thread, by its first comment: to where it is in the code.
    Thread(CommentId),
}

/// A line that stands for something that can be acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line.
    pub line: u32,
    /// The thread that it is part of; `None` for a task or a build of the pull request itself.
    pub thread: Option<CommentId>,
}

/// All that Show Pull Request shows.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The pull request.
    pub pull_request: &'a PullRequest,
    /// What is said on it.
    pub discussion: &'a Discussion,
    /// Where its inline threads are, as far as that is known.
    pub placed: &'a [PlacedThread<'a>],
    /// The builds of its source's head.
    pub statuses: &'a [BuildStatus],
    /// How many comments could not be read at all.
    pub n_unreadable: u32,
    /// Why not all comments are here, if so: a sentence of ours.
    pub left_out: Option<&'a str>,
    /// How fresh this is, see [`status::as_of`].
    pub as_of: Option<&'a str>,
}

/// The pull request: how it stands, description, participants, builds, tasks, general comments, threads by file.
pub fn pull_request(page: &Page<'_>, reader: &Reader<'_>) -> Document {
    let pull_request = page.pull_request;
    let mut builder = Builder::default();
    let title = words::title(pull_request, 300);
    builder.begin(&format!("{} {title}", pull_request.id), words::pull_request_state(pull_request));
    builder.push(&format!("# {} {}", pull_request.id, text(&title, 300)));
    builder.push("");
    overview(page, reader, &mut builder);
    description(pull_request, reader, &mut builder);
    participants(&pull_request.participants, reader, &mut builder);
    builds(page.statuses, reader, &mut builder);
    tasks(page.discussion, reader, &mut builder);
    general_comments(page, reader, &mut builder);
    threads(page, reader, &mut builder);
    builder.end();
    builder.finish()
}

/// One thread in full; `placed` where it is known.
pub fn thread(
    thread: &Thread,
    placed: Option<&PlacedThread<'_>>,
    pull_request: Option<&PullRequest>,
    reader: &Reader<'_>,
) -> Document {
    let mut builder = Builder::default();
    let headline = words::headline(thread, reader, 80);
    builder.begin(&headline, &words::state(thread, reader).join(" · "));
    builder.push(&format!("# {}", text(&headline, 200)));
    builder.push("");
    if let Some(pull_request) = pull_request {
        let title = format!("{} {}", pull_request.id, words::title(pull_request, 200));
        builder.push(&format!("On {}", link_or_text(&title, pull_request.html_url.as_deref())));
        builder.push("");
    }
    if let Some(anchor) = &thread.anchor {
        let label = hover::location(thread, placed).unwrap_or_default();
        builder.push_link(&format!("{} · ", code(&anchor.path, words::PATH)), &label, "", thread.root);
        builder.push("");
    }
    let from = builder.line();
    builder.push(&hover::heading(thread, placed, reader));
    for part in hover::body(thread, placed, reader, hover::DOCUMENT) {
        builder.push("");
        builder.push(&part);
    }
    builder.rows(from, Some(thread.root));
    builder.end();
    builder.finish()
}

fn overview(page: &Page<'_>, reader: &Reader<'_>, builder: &mut Builder) {
    let pull_request = page.pull_request;
    let author = text(&reader.name(pull_request.author.as_ref()), 60);
    let mut parts = vec![format!("**{}**", words::pull_request_state(pull_request))];
    parts.push(format!("by {author} · {}", way(&pull_request.source, &pull_request.destination)));
    builder.push(&parts.join(" · "));
    builder.push("");

    let discussion = page.discussion;
    let mut facts = lens::votes(&pull_request.participants);
    facts.extend(lens::builds(page.statuses));
    facts.push(words::count(discussion.open_threads().count(), "open thread", "open threads"));
    facts.push(words::count(discussion.open_tasks(), "open task", "open tasks"));
    builder.push(&facts.join(" · "));
    builder.push("");

    let created = pull_request.created_on.map(|on| format!("created {}", status::age(reader.now, on)));
    let updated = pull_request.updated_on.map(|on| format!("updated {}", status::age(reader.now, on)));
    let page_link = pull_request.html_url.as_deref();
    let link = page_link.and_then(web_url).map(|_| link_or_text("Open in Bitbucket", page_link));
    let as_of = page.as_of.map(|as_of| text(as_of, 100));
    let times: Vec<String> = [created, updated, as_of, link].into_iter().flatten().collect();
    if !times.is_empty() {
        builder.push(&times.join(" · "));
        builder.push("");
    }

    if page.n_unreadable > 0 {
        let n_unreadable = words::count(page.n_unreadable as usize, "comment", "comments");
        builder.push(&format!("**Note:** {n_unreadable} could not be read."));
        builder.push("");
    }
    if let Some(left_out) = page.left_out {
        builder.push(&format!("**Note:** not everything is shown here: {}", text(left_out, 300)));
        builder.push("");
    }
}

/// `` `branch` → `main` in shop/till ``; where it comes from a fork, each end with its repository.
fn way(source: &End, destination: &End) -> String {
    match &destination.repository {
        Some(repository) if source.repository.as_ref() == Some(repository) => {
            let only_branch = |of: &End| End { repository: None, ..of.clone() };
            let (source, destination) = (end(&only_branch(source)), end(&only_branch(destination)));
            format!("{source} → {destination} in {}", text(&repository.to_string(), 300))
        }
        _ => format!("{} → {}", end(source), end(destination)),
    }
}

/// `` `branch` ``, with its repository if that is known.
fn end(end: &End) -> String {
    let branch = end.branch.as_deref().map_or_else(|| "an unknown branch".into(), |branch| code(branch, 200));
    match &end.repository {
        Some(repository) => format!("{branch} ({})", text(&repository.to_string(), 300)),
        None => branch,
    }
}

fn description(pull_request: &PullRequest, reader: &Reader<'_>, builder: &mut Builder) {
    let surroundings = Surroundings {
        names: Some(reader.names),
        page: pull_request.html_url.as_deref(),
        ..Surroundings::default()
    };
    let description = safe(&pull_request.description, &surroundings);
    if !description.is_empty() {
        builder.section("Description", "");
        builder.push(&quote(&description));
        builder.end_section();
    }
}

fn participants(participants: &[Participant], reader: &Reader<'_>, builder: &mut Builder) {
    // Who only took part is worth a line once there was a vote; reviewers always are.
    let listed: Vec<&Participant> =
        participants.iter().filter(|it| it.role == Role::Reviewer || it.vote.is_some()).collect();
    if listed.is_empty() {
        return;
    }
    builder.section("Reviewers", &lens::votes(participants).join(" · "));
    for participant in listed {
        let (mark, vote) = match participant.vote {
            Some(Vote::Approved) => ("✓", "approved"),
            Some(Vote::ChangesRequested) => ("✗", "requested changes"),
            None => ("·", "no vote yet"),
        };
        let role = if participant.role == Role::Reviewer { "" } else { " (not a reviewer)" };
        builder
            .push(&format!("- {mark} {} — {vote}{role}", text(&reader.name(participant.user.as_ref()), 60)));
    }
    builder.end_section();
}

fn builds(statuses: &[BuildStatus], reader: &Reader<'_>, builder: &mut Builder) {
    if statuses.is_empty() {
        return;
    }
    let counts = lens::builds(statuses).unwrap_or_default();
    builder.section("Builds", counts.trim_start_matches("builds "));
    for build in statuses {
        let (mark, state) = match build.state {
            BuildState::Successful => ("✓", "successful"),
            BuildState::Failed => ("✗", "failed"),
            BuildState::InProgress => ("…", "in progress"),
            BuildState::Stopped => ("–", "stopped"),
            BuildState::Unknown => ("?", "state unknown"),
        };
        let name = if build.name.trim().is_empty() { &build.key } else { &build.name };
        let mut row = format!("- {mark} {} — {state}", text(name, 200));
        let description = build.description.as_deref().map(|it| text(it, 200)).filter(|it| !it.is_empty());
        let age = build.updated_on.map(|on| status::age(reader.now, on));
        // The address comes last: it is long, and what is behind it would not be seen.
        let page = build.url.as_deref();
        let link = page.and_then(web_url).map(|_| link_or_text("Open", page));
        for part in [description, age, link].into_iter().flatten() {
            row.push_str(&format!(" · {part}"));
        }
        builder.push_row(&row, None);
    }
    builder.end_section();
}

fn tasks(discussion: &Discussion, reader: &Reader<'_>, builder: &mut Builder) {
    let n_tasks = discussion.all_tasks().count();
    if n_tasks == 0 {
        return;
    }
    builder.section("Tasks", &format!("{} open of {n_tasks}", discussion.open_tasks()));
    for is_done in [false, true] {
        for task in discussion.tasks.iter().filter(|task| task.resolved == is_done) {
            builder.push_row(&hover::task(task, reader), None);
        }
        for thread in &discussion.threads {
            for task in thread.tasks.iter().filter(|task| task.resolved == is_done) {
                let from = builder.line();
                builder.push_link(&format!("{} · ", hover::task(task, reader)), "thread", "", thread.root);
                builder.rows(from, Some(thread.root));
            }
        }
    }
    builder.end_section();
}

fn general_comments(page: &Page<'_>, reader: &Reader<'_>, builder: &mut Builder) {
    let n_threads = page.discussion.general().count();
    if n_threads == 0 {
        return;
    }
    builder.section("Comments", &words::count(n_threads, "general thread", "general threads"));
    let begin = builder.len();
    for (at, thread) in page.discussion.general().enumerate() {
        if at > 0 {
            builder.push("***");
            builder.push("");
        }
        if builder.len() - begin > COMMENTS {
            let rest = words::count(n_threads - at, "more general thread", "more general threads");
            let link = link_or_text("see them on Bitbucket", page.pull_request.html_url.as_deref());
            builder.push(&format!("… {rest}, {link}"));
            break;
        }
        let from = builder.line();
        let headline = words::headline(thread, reader, 80);
        builder.begin(&headline, &words::state(thread, reader).join(" · "));
        if thread.is_resolved() || thread.open_tasks() > 0 || reader.is_sending(thread.root) {
            builder.push(&hover::heading(thread, None, reader));
            builder.push("");
        }
        for (at, part) in hover::body(thread, None, reader, hover::DOCUMENT).iter().enumerate() {
            if at > 0 {
                builder.push("");
            }
            builder.push(part);
        }
        builder.rows(from, Some(thread.root));
        builder.end();
        builder.push("");
    }
    builder.end_section();
}

fn threads(page: &Page<'_>, reader: &Reader<'_>, builder: &mut Builder) {
    let placed: HashMap<CommentId, &PlacedThread<'_>> =
        page.placed.iter().map(|it| (it.thread.root, it)).collect();
    let is_outdated = |thread: &Thread| placed.get(&thread.root).is_some_and(|it| it.outdated());
    let mut by_file: BTreeMap<&str, Vec<&Thread>> = BTreeMap::new();
    for thread in &page.discussion.threads {
        if let Some(anchor) = &thread.anchor {
            by_file.entry(&anchor.path).or_default().push(thread);
        }
    }
    if by_file.is_empty() {
        return;
    }
    let inline = || by_file.values().flatten();
    let n_open = inline().filter(|thread| !thread.is_resolved()).count();
    let n_resolved = inline().count() - n_open;
    let n_outdated = inline().filter(|thread| !thread.is_resolved() && is_outdated(thread)).count();
    let mut detail = format!("{n_open} open · {n_resolved} resolved");
    if n_outdated > 0 {
        detail.push_str(&format!(" · {n_outdated} outdated"));
    }
    builder.section("Threads", &detail);
    for (path, mut threads) in by_file {
        threads.sort_by_cached_key(|thread| {
            let lines = placed.get(&thread.root).and_then(|it| it.lines());
            (
                thread.is_resolved(),
                is_outdated(thread),
                lines.map_or(u32::MAX, |lines| lines.first),
                thread.root,
            )
        });
        let n_open = threads.iter().filter(|thread| !thread.is_resolved()).count();
        let counts = format!("{n_open} open of {}", threads.len());
        builder.begin(&plain(path, words::PATH), &counts);
        builder.push(&format!("### {}", code(path, words::PATH)));
        builder.push("");
        for thread in threads {
            let at = placed.get(&thread.root).copied();
            let mut state: Vec<String> = Vec::new();
            if words::n_others(thread) > 0 {
                state.push(words::count(words::n_others(thread), "reply", "replies"));
            }
            state.extend(words::state(thread, reader));
            // Which file it is about, and that it is about the file, is said already.
            let whereabouts = at.iter().flat_map(|at| words::whereabouts(at));
            state.extend(whereabouts.filter(|word| word != words::FILE_COMMENT));
            if at.is_none() {
                state.push("as written, not found in the code yet".into());
            }
            let location = hover::location(thread, at).unwrap_or_default();
            let headline = words::headline(thread, reader, 100);
            let rest: String = state.iter().map(|word| format!(" · {word}")).collect();
            let mark = if thread.is_resolved() { "✓ " } else { "" };
            let from = builder.line();
            builder.begin(
                &headline,
                &std::iter::once(location.clone()).chain(state).collect::<Vec<_>>().join(" · "),
            );
            builder.push_link(
                &format!("- {mark}"),
                &location,
                &format!(" · {}{rest}", text(&headline, 200)),
                thread.root,
            );
            builder.rows(from, Some(thread.root));
            builder.end();
        }
        builder.end();
        builder.push("");
    }
    builder.end_section();
}
