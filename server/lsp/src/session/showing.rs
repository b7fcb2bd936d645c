//! What the editor sees of a review: diagnostics, hovers, lenses, actions, inlay hints, and symbols and links of our own
//! documents. What they say comes from the core's views; here they get their place in a document.

use super::commands::contains;
use super::documents::Document;
use super::own_documents::OwnKind;
use super::review::{RepositoryState, Review, Spotted};
use super::{Published, Session};
use crate::answer::{Diagnostic, HoverAnswer, Inlay, Lens, Link};
use crate::config;
use crate::effect::Effect;
use crate::event::RepositoryId;
use crate::protocol::{Call, Command, Target};
use pull_request::model::{CommentId, LineRange, Timestamp};
use pull_request::text::{Encoding, Position};
use pull_request::thread::Thread;
use pull_request::view::document::{self, LinkTarget, Symbol};
use pull_request::view::{self, PlacedThread, Reader};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Lenses of one file at most: a file with more has a list in Show Pull Request.
const MOST_LENSES: usize = 500;
pub(super) const GO_TO_CODE: &str = "Go to code";
/// Between two threads in one hover.
const RULE: &str = "\n\n---\n\n";

impl Session {
    fn view_options(&self) -> view::Options {
        view::Options {
            show_resolved: self.settings.show_resolved,
            show_outdated: self.settings.show_outdated,
            ignore_authors: self.settings.ignore_authors.clone(),
            severity: match self.settings.severity {
                config::Severity::Error => view::Severity::Error,
                config::Severity::Warning => view::Severity::Warning,
                config::Severity::Information => view::Severity::Information,
                config::Severity::Hint => view::Severity::Hint,
            },
        }
    }

    pub(super) fn reader<'a>(&'a self, review: &'a Review, now: Timestamp) -> Reader<'a> {
        Reader { me: self.people.get(&review.account), names: &review.names, sending: &review.sending, now }
    }

    /// Whether a thread is shown in code at all.
    pub(super) fn is_shown(&self, review: &Review, spot: &Spotted) -> bool {
        self.shown(review, std::slice::from_ref(spot)).next().is_some()
    }

    /// Those of some placed threads that are shown in code.
    fn shown<'a>(&'a self, review: &'a Review, spots: &'a [Spotted]) -> impl Iterator<Item = &'a Spotted> {
        let (options, reader) = (self.view_options(), self.reader(review, Timestamp::default()));
        let enabled = self.comments_shown && self.settings.comments_enabled;
        spots.iter().filter(move |spot| enabled && review.placed(spot).is_wanted(&options, &reader))
    }

    pub(super) fn review_in(
        &self,
        uri: &str,
    ) -> Option<(RepositoryId, &RepositoryState, &Review, &Document, &str)> {
        let document = self.documents.get(uri)?;
        let location = document.location.as_ref()?;
        let state = self.repositories.get(&location.repository)?;
        Some((location.repository, state, state.review.as_ref()?, document, location.path.as_str()))
    }

    /// The threads shown in a document, in the order of their lines.
    pub(super) fn shown_in<'a>(
        &'a self,
        review: &'a Review,
        path: &str,
    ) -> impl Iterator<Item = &'a Spotted> {
        let spots = review.files.get(path).map_or(&[][..], Vec::as_slice);
        self.shown(review, spots).filter(|spot| spot.lines().is_some())
    }

    /// Publishes the diagnostics of a file, unless they are those published last.
    pub(super) fn publish(&mut self, id: RepositoryId, path: &str, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(state) = self.repositories.get(&id) else { return };
        let file = state.discovery.root.join(path);
        let Some(uri) = self.uri_of(id, path).or_else(|| crate::uri::file_uri(&file)) else { return };
        let document = self.documents.get(&uri);
        let diagnostics = state.review.as_ref().map_or_else(Vec::new, |review| {
            let options = self.view_options();
            let shown = self.shown_in(review, path);
            shown.filter_map(|spot| self.diagnostic(review, spot, document, &options, now)).collect()
        });
        let key = (id, path.to_owned());
        let mut hasher = DefaultHasher::new();
        (&uri, &diagnostics).hash(&mut hasher);
        let hash = hasher.finish();
        let before = self.published.get(&key);
        if before.is_some_and(|before| before.hash == hash) || (before.is_none() && diagnostics.is_empty()) {
            return;
        }
        if let Some(before) = before
            && before.uri != uri
            && !before.is_empty
        {
            // Opened or closed, and the client spells the URI otherwise: nothing may be left under the other one.
            let uri = Some(before.uri.clone());
            out.push(Effect::Publish { uri, path: file.clone(), version: None, diagnostics: Vec::new() });
        }
        let version = document.map(|document| document.version);
        let is_empty = diagnostics.is_empty();
        out.push(Effect::Publish { uri: Some(uri.clone()), path: file, version, diagnostics });
        self.published.insert(key, Published { uri, hash, is_empty });
    }

    /// Takes back all diagnostics of a repository.
    pub(super) fn clear_published(&mut self, id: RepositoryId, out: &mut Vec<Effect>) {
        let Some(state) = self.repositories.get(&id) else { return };
        let of_repository: Vec<_> = self.published.extract_if(|(of, _), _| *of == id).collect();
        for ((_, path), Published { uri, is_empty, .. }) in of_repository {
            if !is_empty {
                let version = self.documents.get(&uri).map(|document| document.version);
                let path = state.discovery.root.join(path);
                out.push(Effect::Publish { uri: Some(uri), path, version, diagnostics: Vec::new() });
            }
        }
    }

    fn diagnostic(
        &self,
        review: &Review,
        spot: &Spotted,
        document: Option<&Document>,
        options: &view::Options,
        now: Timestamp,
    ) -> Option<Diagnostic> {
        let shown = view::diagnostic::diagnostic(&review.placed(spot), options, &self.reader(review, now))?;
        let (start, end) = self.columns(shown.lines, document);
        Some(Diagnostic {
            start,
            end,
            severity: shown.severity,
            unnecessary: shown.unnecessary,
            message: shown.message,
            code: shown.code,
            link: shown.code_link,
            related: shown
                .related
                .into_iter()
                .map(|reply| format!("{}: {}", reply.author, reply.text))
                .collect(),
            thread: Some(review.thread(spot.thread).root.0),
        })
    }

    /// From the first letter of the first line to the end of the last; whole lines where the text is not at hand.
    fn columns(&self, lines: LineRange, document: Option<&Document>) -> ((u32, u32), (u32, u32)) {
        let Some(Document { text, .. }) = document else {
            return ((lines.first, 0), (lines.last.saturating_add(1), 0));
        };
        let last = text.line_count().saturating_sub(1);
        let (first, last) = (lines.first.min(last), lines.last.min(last));
        let indent = text.line(first).map_or(0, |line| {
            let blanks = line.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            // Only blanks: underline the line as it is.
            if blanks == line.len() { 0 } else { u32::try_from(blanks).unwrap_or(0) }
        });
        ((first, indent), (last, text.line_length(last, self.profile.encoding)))
    }

    pub(super) fn hover(&self, uri: &str, position: Position, now: Timestamp) -> Option<HoverAnswer> {
        if self.draft_at(uri).is_some() {
            return self.draft_hover(uri, position);
        }
        let (_, _, review, document, path) = self.review_in(uri)?;
        let mut lines: Option<LineRange> = None;
        let mut parts = Vec::new();
        for spot in self.shown_in(review, path) {
            let Some(here) = spot.lines().filter(|here| contains(*here, position.line)) else { continue };
            lines = Some(lines.map_or(here, |lines| {
                LineRange::new(lines.first.min(here.first), lines.last.max(here.last))
            }));
            parts.push(view::hover::hover(&review.placed(spot), &self.reader(review, now)));
        }
        let lines = lines?;
        if let Some(stale) = &review.stale {
            let as_of = view::status::as_of(now, review.as_of, stale.offline);
            parts.push(format!("*Shown {as_of}. {}*", view::markdown::text(&stale.why, 200)));
        }
        let ((first, _), (last, end)) = self.columns(lines, Some(document));
        Some(HoverAnswer { markdown: parts.join(RULE), lines: LineRange::new(first, last), end })
    }

    pub(super) fn lenses(&self, uri: &str, now: Timestamp) -> Vec<Lens> {
        if !self.settings.code_lens_enabled {
            return Vec::new();
        }
        if let Some(lenses) = self.draft_lenses(uri) {
            return lenses;
        }
        if let Some(own) = self.own_document(uri) {
            if own.kind == OwnKind::Drafts {
                return self.list_lenses(uri);
            }
            let offered = self.sign_in_calls(own.kind);
            if !offered.is_empty() {
                let lens = |(title, call): (&str, Call)| Lens { line: 0, title: title.to_owned(), call };
                return offered.into_iter().map(lens).collect();
            }
            return self.own_lenses(uri);
        }
        let Some((_, state, review, _, path)) = self.review_in(uri) else { return Vec::new() };
        let reader = self.reader(review, now);
        let mut lenses = vec![Lens {
            line: 0,
            title: self.summary(state, review),
            call: call(Command::ShowPullRequest, Target { uri: Some(uri.to_owned()), ..Target::default() }),
        }];
        for spot in self.shown_in(review, path).take(MOST_LENSES) {
            let (Some(lines), thread) = (spot.lines(), review.thread(spot.thread)) else { continue };
            let target = || Target { thread: Some(thread.root.0), ..Target::default() };
            lenses.push(Lens {
                line: lines.first,
                title: view::lens::thread_lens(&review.placed(spot), &reader),
                call: call(Command::ShowThread, target()),
            });
            lenses.extend(answers(thread).map(|(title, command)| Lens {
                line: lines.first,
                title: title.to_owned(),
                call: call(command, target()),
            }));
        }
        lenses
    }

    /// Lenses in a document of ours about threads: to the code, and what answers a thread.
    fn own_lenses(&self, uri: &str) -> Vec<Lens> {
        let Some((own, map)) = self.own_map(uri) else { return Vec::new() };
        let review = own.repository.and_then(|id| self.repositories.get(&id)?.review.as_ref());
        let Some(review) = review else { return Vec::new() };
        let rows = &map.rows;
        // A thread that takes several lines has its lenses on the first of them.
        let goes_on = |at: usize| {
            at > 0 && rows[at - 1].thread == rows[at].thread && rows[at - 1].line + 1 == rows[at].line
        };
        let mut lenses = Vec::new();
        let threads = (0..rows.len()).filter(|at| !goes_on(*at));
        let threads = threads.filter_map(|at| Some((rows[at].line, rows[at].thread?)));
        for (line, root) in threads {
            let target = || Target { thread: Some(root.0), ..Target::default() };
            let mut add = |title: &str, command| {
                lenses.push(Lens { line, title: title.to_owned(), call: call(command, target()) });
            };
            if self.is_in_code(root) {
                add(GO_TO_CODE, Command::GoToThread);
            }
            // In a list they would not fit beside the words; there they are actions.
            let is_alone = matches!(own.kind, OwnKind::Thread(_));
            if let Some(thread) = review.thread_of(root).filter(|_| is_alone) {
                answers(review.thread(thread)).for_each(|(title, command)| add(title, command));
            }
        }
        lenses
    }

    fn summary(&self, state: &RepositoryState, review: &Review) -> String {
        let (pull_request, n_candidates) = (&review.pull_request, state.choices.len());
        let summary =
            view::lens::summary_lens(pull_request, &review.discussion, &review.statuses, n_candidates);
        let summary = match self.n_drafts(review) {
            0 => summary,
            1 => format!("{summary} · 1 draft"),
            n => format!("{summary} · {n} drafts"),
        };
        match &review.stale {
            Some(_) => format!("Not up to date · {summary}"),
            None => summary,
        }
    }

    pub(super) fn is_in_code(&self, comment: CommentId) -> bool {
        let located = |review: &Review| {
            let (_, spot) = review.spot_of(review.thread_of(comment)?)?;
            spot.lines()
        };
        self.repositories
            .values()
            .filter_map(|state| state.review.as_ref())
            .any(|review| located(review).is_some())
    }

    /// One hint at the end of each commented line, for all threads that end there.
    pub(super) fn inlays(&self, uri: &str, first: u32, last: u32, now: Timestamp) -> Vec<Inlay> {
        if let Some(names) = self.draft_inlays(uri, first, last) {
            return names;
        }
        if !self.settings.inlay_hints_enabled {
            return Vec::new();
        }
        let Some((_, _, review, document, path)) = self.review_in(uri) else { return Vec::new() };
        let mut by_line: BTreeMap<u32, Vec<PlacedThread<'_>>> = BTreeMap::new();
        for spot in self.shown_in(review, path) {
            if let Some(lines) = spot.lines() {
                let line = lines.last.min(document.text.line_count().saturating_sub(1));
                by_line.entry(line).or_default().push(review.placed(spot));
            }
        }
        let reader = self.reader(review, now);
        by_line
            .range(first..=last.max(first))
            .map(|(line, threads)| Inlay {
                line: *line,
                character: document.text.line_length(*line, self.profile.encoding),
                label: view::inlay::inlay(threads, &reader),
            })
            .collect()
    }

    pub(super) fn symbols(&self, uri: &str) -> Vec<Symbol> {
        self.own_map(uri).map_or_else(Vec::new, |(_, map)| map.symbols.clone())
    }

    pub(super) fn links(&self, uri: &str) -> Vec<Link> {
        let (Some((own, map)), Some(document)) = (self.own_map(uri), self.documents.get(uri)) else {
            return Vec::new();
        };
        let encoding = self.profile.encoding;
        map.links
            .iter()
            .filter_map(|link| {
                let text = document.text.line(link.line)?;
                let target = match &link.target {
                    LinkTarget::Web(page) => page.clone(),
                    LinkTarget::Thread(thread) => self.thread_uri(own.repository?, *thread)?,
                };
                let column = |chars: u32| columns(&text, chars, encoding);
                Some(Link { line: link.line, columns: (column(link.start), column(link.end)), target })
            })
            .collect()
    }

    /// The place of a thread in code, as a URI with a line.
    fn thread_uri(&self, id: RepositoryId, comment: CommentId) -> Option<String> {
        let state = self.repositories.get(&id)?;
        let review = state.review.as_ref()?;
        let (path, spot) = review.spot_of(review.thread_of(comment)?)?;
        let line = spot.lines()?.first + 1;
        let uri = self.uri_of(id, path).or_else(|| crate::uri::file_uri(&state.discovery.root.join(path)))?;
        Some(format!("{uri}#L{line}"))
    }

    pub(super) fn make_own(
        &self,
        id: RepositoryId,
        kind: OwnKind,
        now: Timestamp,
    ) -> Option<document::Document> {
        let review = self.repositories.get(&id)?.review.as_ref()?;
        let reader = self.reader(review, now);
        match kind {
            OwnKind::PullRequest => {
                let placed: Vec<PlacedThread<'_>> =
                    review.files.values().flatten().map(|spot| review.placed(spot)).collect();
                let as_of = view::status::as_of(now, review.as_of, review.is_offline());
                let left_out = (!review.incomplete.is_empty()).then(|| review.incomplete.join(" "));
                Some(document::pull_request(
                    &document::Page {
                        pull_request: &review.pull_request,
                        discussion: &review.discussion,
                        placed: &placed,
                        statuses: &review.statuses,
                        n_unreadable: review.unreadable,
                        left_out: left_out.as_deref(),
                        as_of: Some(&as_of),
                    },
                    &reader,
                ))
            }
            OwnKind::Thread(root) => {
                let thread = review.thread_of(root)?;
                let placed = review.spot_of(thread).map(|(_, spot)| review.placed(spot));
                Some(document::thread(
                    review.thread(thread),
                    placed.as_ref(),
                    Some(&review.pull_request),
                    &reader,
                ))
            }
            OwnKind::Status | OwnKind::Guide | OwnKind::Paste | OwnKind::Drafts => None,
        }
    }
}

/// The column of a place in a line that is given in characters.
fn columns(line: &str, chars: u32, encoding: Encoding) -> u32 {
    let before = line.chars().take(chars as usize);
    let units = match encoding {
        Encoding::Utf8 => before.map(char::len_utf8).sum(),
        Encoding::Utf16 => before.map(char::len_utf16).sum(),
        Encoding::Utf32 => before.count(),
    };
    u32::try_from(units).unwrap_or(u32::MAX)
}

/// The column of a place in a line that is given in bytes.
pub(super) fn units(line: &str, bytes: u32, encoding: Encoding) -> u32 {
    let before = line.char_indices().take_while(|(at, _)| *at < bytes as usize).count();
    columns(line, u32::try_from(before).unwrap_or(u32::MAX), encoding)
}

/// What answers a thread, as lenses beside its own.
fn answers(thread: &Thread) -> impl Iterator<Item = (&'static str, Command)> + use<> {
    let resolve = match thread.is_resolved() {
        true => ("Reopen", Command::ReopenThread),
        false => ("Resolve", Command::ResolveThread),
    };
    // What is still being sent cannot be answered yet.
    let is_there = !thread.root.is_local();
    [("Reply", Command::Reply), resolve].into_iter().filter(move |_| is_there)
}

pub(super) fn call(command: Command, target: Target) -> Call {
    Call { command, target }
}
