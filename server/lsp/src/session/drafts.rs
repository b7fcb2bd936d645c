//! The drafts that the session knows, and what the editor sees in one: lenses, actions, completion, problems, names.
//!
//! What a draft is made of is the core's (`pull_request::draft`); how it is kept is the worker's.

use super::Session;
use super::acting::action;
use super::commands::warn;
use super::documents::Document;
use super::own_documents::{OwnDocument, OwnKind};
use super::review::{Cause, Review};
use super::sending::{NO_DRAFT, first_words};
use super::showing::{call, units};
use super::writing::Pending;
use crate::answer::{Action, Completion, Diagnostic, HoverAnswer, Inlay, Lens};
use crate::effect::{Effect, MessageKind};
use crate::event::{Candidates, RepositoryId, Timer};
use crate::protocol::{Command, Target};
use crate::writing::{About, DraftFile, DraftName, DraftState, WriteId};
use pull_request::draft::{self, Facts, Intent, People};
use pull_request::model::{CommentId, LineRange, RepositoryName, Subject, Timestamp, User};
use pull_request::text::Position;
use pull_request::view::document::{self, DraftRow};
use pull_request::view::markdown::{Names, plain};
use pull_request::view::{Reader, Severity, nothing_is_sent};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// How long typing in a draft must pause before it is looked at, and kept.
const DRAFT_PAUSE: Duration = Duration::from_millis(300);
/// The list of drafts.
const LIST: &str = "drafts.md";
/// The folder that drafts are in.
const FOLDER: &str = "drafts";

/// A draft, as the session knows it.
pub(super) struct Known {
    pub(super) file: DraftFile,
    /// It was looked for on Bitbucket since the start.
    pub(super) looked_for: bool,
    /// Somebody typed in it: one that was only opened is not blamed for being empty.
    touched: bool,
}

impl Session {
    /// All drafts were read anew.
    pub(super) fn take_drafts(&mut self, files: Vec<DraftFile>, now: Timestamp, out: &mut Vec<Effect>) {
        let before = std::mem::take(&mut self.drafts);
        for file in files {
            let (looked_for, touched) =
                before.get(&file.name).map_or((false, false), |known| (known.looked_for, known.touched));
            self.drafts.insert(file.name.clone(), Known { file, looked_for, touched });
        }
        // What another server sent is on Bitbucket, and not shown here yet.
        let gone = before.iter().filter(|(name, _)| !self.drafts.contains_key(name));
        let gone = gone.filter_map(|(_, known)| self.repository_for(known.file.about.as_ref()?));
        let sent: BTreeSet<RepositoryId> = gone.collect();
        for id in sent {
            self.refresh(id, Cause::Discovery, out);
        }
        let ids: Vec<RepositoryId> = self.repositories.keys().copied().collect();
        for id in ids {
            self.reconcile_all(id, out);
        }
        if std::mem::take(&mut self.list_wanted) {
            self.show_list(true, now, out);
        }
        let states = |drafts: &BTreeMap<DraftName, Known>| -> Vec<(DraftName, DraftState)> {
            drafts.iter().map(|(name, known)| (name.clone(), known.file.state.clone())).collect()
        };
        // Typing alone changes nothing that is shown.
        if states(&before) != states(&self.drafts) {
            self.drafts_changed(now, out);
        }
    }

    pub(super) fn keep_draft(&mut self, file: DraftFile) {
        let before = self.drafts.get(&file.name);
        let (looked_for, touched) = before.map_or((false, false), |known| (known.looked_for, known.touched));
        self.drafts.insert(file.name.clone(), Known { file, looked_for, touched });
    }

    pub(super) fn draft_made(
        &mut self,
        id: WriteId,
        outcome: Result<Box<DraftFile>, String>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(Pending::Draft((line, byte))) = self.writes.remove(&id) else { return };
        match outcome {
            Ok(file) => {
                let at = file.text.lines().nth(line as usize).unwrap_or_default();
                let at = (line, units(at, byte, self.profile.encoding));
                let name = file.name.clone();
                self.keep_draft(*file);
                out.push(Effect::OpenDraft { name, restore: false, at });
                self.drafts_changed(now, out);
            }
            Err(sentence) => warn(&sentence, out),
        }
    }

    /// Shows a draft that is there, with the cursor at the end of its text.
    pub(super) fn open_draft(&mut self, name: &DraftName, out: &mut Vec<Effect>) {
        let text = self.text_of(name);
        let body = draft::body(&text).unwrap_or_default();
        let line = body.lines().count().saturating_sub(1);
        let last = body.lines().last().unwrap_or_default();
        let byte = u32::try_from(last.len()).unwrap_or(0);
        let at = (u32::try_from(line).unwrap_or(0), units(last, byte, self.profile.encoding));
        let restore = self.document_of(name).is_none();
        out.push(Effect::OpenDraft { name: name.clone(), restore, at });
    }

    /// A draft about the same that was begun and not sent.
    pub(super) fn draft_about(&self, about: &About) -> Option<DraftName> {
        let is_it = |known: &&Known| {
            matches!(known.file.state, DraftState::Draft | DraftState::Rejected(_))
                && known.file.about.as_ref().is_some_and(|known| {
                    known.repository.same_as(&about.repository)
                        && known.pull_request == about.pull_request
                        && known.intent == about.intent
                        && known.base.as_ref().map(|base| &base.source)
                            == about.base.as_ref().map(|base| &base.source)
                })
        };
        self.drafts.values().find(is_it).map(|known| known.file.name.clone())
    }

    /// The draft that a target names, or whose document it is; else the one that is looked at.
    pub(super) fn draft_named(&self, target: &Target) -> Option<DraftName> {
        if let Some(name) = &target.draft {
            return Some(DraftName(name.clone())).filter(|name| self.drafts.contains_key(name));
        }
        let uri = target.uri.as_ref().or(self.focus.as_ref())?;
        if let Some((name, _)) = self.draft_at(uri) {
            return Some(name.clone());
        }
        // In the list of drafts: the one on the line.
        let own = self.own_document(uri).filter(|own| own.kind == OwnKind::Drafts)?;
        let line = target.line?;
        let row = own.draft_rows.iter().rev().find(|(first, _)| *first <= line)?;
        Some(row.1.clone())
    }

    pub(super) fn draft_at(&self, uri: &str) -> Option<(&DraftName, &Known)> {
        let path = self.documents.get(uri)?.path.as_ref()?;
        self.drafts.iter().find(|(_, known)| known.file.path == *path)
    }

    fn document_of(&self, name: &DraftName) -> Option<(&String, &Document)> {
        let path = &self.drafts.get(name)?.file.path;
        self.documents.iter().find(|(_, document)| document.path.as_ref() == Some(path))
    }

    /// What a draft says: in the editor where it is open, else on disk.
    pub(super) fn text_of(&self, name: &DraftName) -> String {
        match self.document_of(name) {
            Some((_, document)) => document.text.to_string(),
            None => self.drafts.get(name).map(|known| known.file.text.clone()).unwrap_or_default(),
        }
    }

    /// A document was opened that may be a draft that another window made.
    pub(super) fn opened_draft(&mut self, uri: &str, out: &mut Vec<Effect>) {
        let Some(document) = self.documents.get(uri) else { return };
        let Some(path) = &document.path else { return };
        if let Some((name, known)) = self.draft_at(uri) {
            if known.file.text != document.text.to_string() {
                // What was typed before and not saved comes back, and is not taken for old.
                let (name, at) = (name.clone(), (0, 0));
                out.push(Effect::OpenDraft { name, restore: true, at });
            }
            let repository = known.file.about.as_ref().map(|about| about.repository.clone());
            out.push(Effect::After(Duration::ZERO, Timer::DraftPaused(uri.to_owned(), document.version)));
            self.find_repository(uri, out);
            self.want_candidates(repository, out);
        } else if path.parent().and_then(|folder| folder.file_name()).is_some_and(|name| name == FOLDER)
            && path.extension().is_some_and(|extension| extension == "md")
        {
            out.push(Effect::ReadDrafts);
        }
    }

    /// Whether a draft that was begun in this work tree is open.
    pub(super) fn is_drafted_in(&self, root: &Path) -> bool {
        let begun_there =
            |known: &Known| known.file.about.as_ref().is_some_and(|about| about.root.as_path() == root);
        self.documents.keys().any(|uri| self.draft_at(uri).is_some_and(|(_, known)| begun_there(known)))
    }

    /// Looks for the repository of an open draft that is none of those that this server was given.
    fn find_repository(&self, uri: &str, out: &mut Vec<Effect>) {
        let about = self.draft_at(uri).and_then(|(_, known)| known.file.about.as_ref());
        if let Some(about) = about.filter(|about| self.repository_for(about).is_none()) {
            out.push(self.discover(about.root.clone()));
        }
    }

    fn want_candidates(&mut self, repository: Option<RepositoryName>, out: &mut Vec<Effect>) {
        let Some(name) = repository.filter(|name| !self.candidates.contains_key(name)) else { return };
        let candidate = |state: &super::RepositoryState| {
            state.discovery.candidates.iter().any(|candidate| candidate.same_as(&name))
        };
        let found = self.repositories.iter().find(|(_, state)| candidate(state));
        if let Some(id) = found.map(|(id, _)| *id) {
            self.candidates.insert(name.clone(), Candidates::default());
            out.push(Effect::ReadCandidates(id, name));
        }
    }

    pub(super) fn take_candidates(
        &mut self,
        name: RepositoryName,
        candidates: Candidates,
        out: &mut Vec<Effect>,
    ) {
        self.candidates.insert(name, candidates);
        self.look_at_open_drafts(out);
    }

    pub(super) fn look_at_open_drafts(&mut self, out: &mut Vec<Effect>) {
        let open: Vec<String> =
            self.documents.keys().filter(|uri| self.draft_at(uri).is_some()).cloned().collect();
        for uri in open {
            self.find_repository(&uri, out);
            let about = self.draft_at(&uri).and_then(|(_, known)| known.file.about.as_ref());
            self.want_candidates(about.map(|about| about.repository.clone()), out);
            self.publish_draft(&uri, out);
        }
    }

    pub(super) fn typed_in_draft(&mut self, uri: &str, version: i32, out: &mut Vec<Effect>) {
        let name = self.draft_at(uri).map(|(name, _)| name.clone());
        if let Some(known) = name.and_then(|name| self.drafts.get_mut(&name)) {
            known.touched = true;
            out.push(Effect::After(DRAFT_PAUSE, Timer::DraftPaused(uri.to_owned(), version)));
        }
    }

    /// Typing in a draft has paused: its text is kept, and what is wrong with it is said.
    pub(super) fn draft_paused(&mut self, uri: &str, version: i32, out: &mut Vec<Effect>) {
        let Some(document) = self.documents.get(uri).filter(|document| document.version == version) else {
            return;
        };
        let text = document.text.to_string();
        self.keep_typed(uri, text, out);
        self.publish_draft(uri, out);
    }

    /// A draft's document is closed: what stood in it stays, saved or not.
    pub(super) fn closed_draft(&mut self, uri: &str, out: &mut Vec<Effect>) {
        let Some(text) = self.documents.get(uri).map(|document| document.text.to_string()) else { return };
        self.keep_typed(uri, text, out);
        let name = self.draft_at(uri).map(|(name, _)| name.clone());
        if let Some(known) = name.and_then(|name| self.drafts.get_mut(&name)) {
            known.touched = false;
        }
    }

    fn keep_typed(&mut self, uri: &str, text: String, out: &mut Vec<Effect>) {
        let Some(name) = self.draft_at(uri).map(|(name, _)| name.clone()) else { return };
        // Of a document that was only opened nothing is newer than what is kept.
        let is_news = |known: &&mut Known| known.touched && known.file.text != text;
        let Some(known) = self.drafts.get_mut(&name).filter(is_news) else { return };
        known.file.text.clone_from(&text);
        out.push(Effect::KeepTyped(name, text));
    }

    fn publish_draft(&self, uri: &str, out: &mut Vec<Effect>) {
        let (Some(document), Some((_, known))) = (self.documents.get(uri), self.draft_at(uri)) else {
            return;
        };
        let text = document.text.to_string();
        let encoding = self.profile.encoding;
        let column =
            |line: u32, byte: u32| units(&document.text.line(line).unwrap_or_default(), byte, encoding);
        let is_new = !known.touched && draft::body(&text).is_some_and(|body| body.is_empty());
        let judged = known.file.about.as_ref().filter(|_| !is_new);
        let mut diagnostics: Vec<Diagnostic> = judged
            .into_iter()
            .flat_map(|about| {
                self.problems(about, &text).into_iter().map(|problem| Diagnostic {
                    start: (problem.lines.first, column(problem.lines.first, problem.columns.0)),
                    end: (problem.lines.last, column(problem.lines.last, problem.columns.1)),
                    severity: problem.severity,
                    unnecessary: false,
                    message: problem.sentence,
                    code: "draft".into(),
                    link: None,
                    related: Vec::new(),
                    thread: None,
                })
            })
            .collect();
        let state = match &known.file.state {
            DraftState::Rejected(sentence) => Some((Severity::Error, sentence.clone())),
            DraftState::Unknown(sentence) => Some((Severity::Warning, sentence.clone())),
            DraftState::Draft | DraftState::Sending => None,
        };
        diagnostics.extend(state.map(|(severity, message)| Diagnostic {
            start: (0, 0),
            end: (0, document.text.line_length(0, encoding)),
            severity,
            unnecessary: false,
            message: plain(&message, 600),
            code: "not-sent".into(),
            link: None,
            related: Vec::new(),
            thread: None,
        }));
        out.push(Effect::Publish {
            uri: Some(uri.to_owned()),
            path: known.file.path.clone(),
            version: Some(document.version),
            diagnostics,
        });
    }

    /// Why a text cannot be sent, in a sentence.
    pub(super) fn why_not(&self, about: &About, text: &str) -> Option<String> {
        let problems = self.problems(about, text);
        problems.into_iter().find(|problem| problem.blocks).map(|problem| problem.sentence)
    }

    fn problems(&self, about: &About, text: &str) -> Vec<draft::Problem> {
        let candidates = self.candidates.get(&about.repository);
        let members = candidates.and_then(|candidates| candidates.members.as_deref());
        let people = self.people_of(about);
        let name = |account: &str| {
            let is_it = |user: &&User| user.account_id.as_deref() == Some(account);
            let found = people.iter().find(is_it).or_else(|| members?.iter().find(is_it));
            found.map(|user| plain(&user.display_name, 60))
        };
        let is_name = |words: &str| {
            let is_it = |user: &User| user.display_name.eq_ignore_ascii_case(words);
            people.iter().any(is_it) || members.is_some_and(|members| members.iter().any(is_it))
        };
        let commented = self.commented(about);
        let lines_now = commented.as_ref().and_then(|lines| self.lines_now(about, lines));
        let facts = Facts {
            mentions: &name,
            is_name: &is_name,
            people_complete: members.is_some(),
            commented,
            lines_now,
        };
        draft::problems(text, &about.intent, &facts)
    }

    fn review_of_draft(&self, about: &About) -> Option<&Review> {
        let review = self.repositories.get(&self.repository_for(about)?)?.review.as_ref()?;
        (review.pull_request.id == about.pull_request).then_some(review)
    }

    /// Who takes part in the pull request.
    fn people_of(&self, about: &About) -> Vec<User> {
        let Some(review) = self.review_of_draft(about) else { return Vec::new() };
        let participants = review.pull_request.participants.iter().filter_map(|one| one.user.as_ref());
        let comments = review.discussion.threads.iter().flat_map(|thread| &thread.comments);
        let authors = comments.filter_map(|reply| reply.comment.author.as_ref());
        let mut people: Vec<User> = Vec::new();
        for user in review.pull_request.author.iter().chain(participants).chain(authors) {
            if !people.iter().any(|known| known.is(user)) {
                people.push(user.clone());
            }
        }
        people
    }

    /// The lines that a text is about, as the pull request has them.
    fn commented(&self, about: &About) -> Option<Vec<String>> {
        if let Some(base) = &about.base {
            return (!base.lines.is_empty()).then(|| base.lines.clone());
        }
        let comment: CommentId = match &about.intent {
            Intent::Comment(Subject::Comment(comment)) | Intent::Edit { comment, .. } => *comment,
            _ => return None,
        };
        let review = self.review_of_draft(about)?;
        let (_, spot) = review.spot_of(review.thread_of(comment)?)?;
        let commented = spot.placed.commented.as_deref()?;
        Some(commented.lines().map(str::to_owned).collect())
    }

    /// What these lines say in the editor: the same where they are still there; `None` if the file is not open.
    fn lines_now(&self, about: &About, lines: &[String]) -> Option<Vec<String>> {
        let path = match &about.intent {
            Intent::Comment(Subject::Code { path, .. }) => path.clone(),
            Intent::Comment(Subject::Comment(comment)) | Intent::Edit { comment, .. } => {
                let review = self.review_of_draft(about)?;
                review.spot_of(review.thread_of(*comment)?)?.0.to_owned()
            }
            _ => return None,
        };
        let uri = self.uri_of(self.repository_for(about)?, &path)?;
        let text = self.documents.get(&uri)?.text.to_string();
        let now: Vec<&str> = text.lines().collect();
        let same = now.windows(lines.len().max(1)).any(|window| window == lines);
        Some(if same { lines.to_vec() } else { Vec::new() })
    }

    pub(super) fn draft_lenses(&self, uri: &str) -> Option<Vec<Lens>> {
        let (name, known) = self.draft_at(uri)?;
        let lens = |(title, command): (String, Command)| Lens {
            line: 0,
            title,
            call: call(command, Target { draft: Some(name.0.clone()), ..Target::default() }),
        };
        Some(offers(known).into_iter().map(lens).collect())
    }

    pub(super) fn draft_actions(&self, uri: &str) -> Option<Vec<Action>> {
        let (name, known) = self.draft_at(uri)?;
        let target = || Target { draft: Some(name.0.clone()), ..Target::default() };
        let offered = offers(known).into_iter();
        Some(
            offered
                .map(|(title, command)| action(&format!("Bitbucket: {title}"), command, target()))
                .collect(),
        )
    }

    /// The lenses of the list of drafts.
    pub(super) fn list_lenses(&self, uri: &str) -> Vec<Lens> {
        let Some((own, _)) = self.own_map(uri) else { return Vec::new() };
        let mut lenses = Vec::new();
        for (line, name) in &own.draft_rows {
            let Some(known) = self.drafts.get(name) else { continue };
            let target = || Target { draft: Some(name.0.clone()), ..Target::default() };
            lenses.push(Lens {
                line: *line,
                title: "Open".into(),
                call: call(Command::ShowDrafts, target()),
            });
            lenses.extend(offers(known).into_iter().map(|(title, command)| Lens {
                line: *line,
                title,
                call: call(command, target()),
            }));
        }
        lenses
    }

    /// What can be done with the draft on a line of the list.
    pub(super) fn list_actions(&self, uri: &str, line: u32) -> Vec<Action> {
        let target = Target { uri: Some(uri.to_owned()), line: Some(line), ..Target::default() };
        let Some(name) = self.draft_named(&target) else { return Vec::new() };
        let Some(known) = self.drafts.get(&name) else { return Vec::new() };
        let target = || Target { draft: Some(name.0.clone()), ..Target::default() };
        let mut actions = vec![action("Bitbucket: Open draft", Command::ShowDrafts, target())];
        let offered = offers(known).into_iter();
        actions.extend(
            offered.map(|(title, command)| action(&format!("Bitbucket: {title}"), command, target())),
        );
        actions
    }

    pub(super) fn complete(&self, uri: &str, at: Position) -> Vec<Completion> {
        let (Some(document), Some((_, known))) = (self.documents.get(uri), self.draft_at(uri)) else {
            return Vec::new();
        };
        let Some(about) = &known.file.about else { return Vec::new() };
        let encoding = self.profile.encoding;
        let (start, here) = (Position { line: at.line, character: 0 }, at);
        let byte = document.text.offset(here, encoding) - document.text.offset(start, encoding);
        // Nobody mentions themselves.
        let me = self.people.get(&about.account);
        let is_other = |user: &User| me.is_none_or(|me| !me.is(user));
        let participants: Vec<User> = self.people_of(about).into_iter().filter(is_other).collect();
        let none = Candidates::default();
        let candidates = self.candidates.get(&about.repository).unwrap_or(&none);
        let members = candidates.members.iter().flatten().filter(|user| is_other(user));
        let members: Vec<User> = members.cloned().collect();
        let commented = self.commented(about);
        let found = draft::completions(
            &document.text.to_string(),
            (at.line, u32::try_from(byte).unwrap_or(0)),
            &People { participants: &participants, members: &members },
            &candidates.pull_requests,
            commented.as_deref(),
        );
        let column =
            |line: u32, byte: u32| units(&document.text.line(line).unwrap_or_default(), byte, encoding);
        let completion = |found: draft::Completion| Completion {
            kind: found.kind,
            replaces: (found.line, column(found.line, found.columns.0), column(found.line, found.columns.1)),
            label: found.label,
            detail: found.detail,
            filter: found.filter,
            rank: found.rank,
            insert: found.insert,
        };
        found.into_iter().map(completion).collect()
    }

    /// Who is mentioned where, in a draft: line, bytes and the name.
    fn named_mentions(&self, uri: &str) -> Vec<(draft::Mention, String)> {
        let (Some(document), Some((_, known))) = (self.documents.get(uri), self.draft_at(uri)) else {
            return Vec::new();
        };
        let Some(about) = &known.file.about else { return Vec::new() };
        let people = self.people_of(about);
        let members = self.candidates.get(&about.repository).and_then(|found| found.members.as_deref());
        let everybody = people.iter().chain(members.unwrap_or(&[]));
        let everybody: Vec<&User> = everybody.collect();
        let mentions = draft::mentions(&document.text.to_string()).into_iter();
        let named = mentions.filter_map(|mention| {
            let is_it = |user: &&&User| user.account_id.as_deref() == Some(&mention.account_id);
            let name = plain(&everybody.iter().find(is_it)?.display_name, 60);
            Some((mention, name))
        });
        named.collect()
    }

    pub(super) fn draft_hover(&self, uri: &str, at: Position) -> Option<HoverAnswer> {
        let document = self.documents.get(uri)?;
        let (mention, name) = self.named_mentions(uri).into_iter().find(|(mention, _)| {
            let line = document.text.line(mention.line).unwrap_or_default();
            let column = |byte| units(&line, byte, self.profile.encoding);
            mention.line == at.line
                && (column(mention.columns.0)..column(mention.columns.1)).contains(&at.character)
        })?;
        Some(HoverAnswer {
            markdown: format!("Mentions **{}**", pull_request::view::markdown::text(&name, 60)),
            lines: LineRange::line(mention.line),
            end: document.text.line_length(mention.line, self.profile.encoding),
        })
    }

    /// Names behind mentions, which are ids in the text; whether hints are switched on for comments does not matter.
    pub(super) fn draft_inlays(&self, uri: &str, first: u32, last: u32) -> Option<Vec<Inlay>> {
        let document = self.documents.get(uri)?;
        self.draft_at(uri)?;
        let shown = self
            .named_mentions(uri)
            .into_iter()
            .filter(|(mention, _)| (first..=last).contains(&mention.line));
        let inlay = |(mention, name): (draft::Mention, String)| Inlay {
            line: mention.line,
            character: units(
                &document.text.line(mention.line).unwrap_or_default(),
                mention.columns.1,
                self.profile.encoding,
            ),
            label: name,
        };
        Some(shown.map(inlay).collect())
    }

    pub(super) fn discard_draft(&mut self, target: &Target, out: &mut Vec<Effect>) {
        let Some(name) = self.draft_named(target) else {
            return warn(NO_DRAFT, out);
        };
        match self.drafts.get(&name).map(|known| &known.file.state) {
            Some(DraftState::Sending) => warn("This draft is being sent; wait until that has ended.", out),
            _ => {
                // What stands in the editor is what is kept.
                let text = self.text_of(&name);
                out.push(Effect::KeepTyped(name.clone(), text));
                out.push(Effect::Discard(name));
            }
        }
    }

    pub(super) fn discarded(
        &mut self,
        name: &DraftName,
        outcome: Result<(), String>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        match outcome {
            Ok(()) => {
                out.push(Effect::Message(
                    MessageKind::Info,
                    "The draft was discarded; its text is kept for 30 days in the folder discarded beside the drafts.".into(),
                ));
                self.draft_gone(name, out);
                self.drafts_changed(now, out);
            }
            Err(sentence) => warn(&sentence, out),
        }
    }

    /// A draft's file is no longer there.
    pub(super) fn draft_gone(&mut self, name: &DraftName, out: &mut Vec<Effect>) {
        let uri = self.document_of(name).map(|(uri, _)| uri.clone());
        let Some(known) = self.drafts.remove(name) else { return };
        let path = known.file.path;
        out.push(Effect::Publish {
            uri: uri.clone(),
            path: path.clone(),
            version: None,
            diagnostics: Vec::new(),
        });
        if self.profile.draft_closed
            && let Some(uri) = uri.or_else(|| crate::uri::file_uri(&path))
        {
            out.push(Effect::DraftClosed(uri));
        }
    }

    /// Shows the list of drafts, or the one that the target names.
    pub(super) fn show_drafts(&mut self, target: &Target, out: &mut Vec<Effect>) {
        if let Some(name) = target.draft.clone().map(DraftName).filter(|name| self.drafts.contains_key(name))
        {
            return self.open_draft(&name, out);
        }
        self.list_wanted = true;
        out.push(Effect::ReadDrafts);
    }

    /// What shows drafts is to be shown anew.
    pub(super) fn drafts_changed(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.lenses_dirty = true;
        self.look_at_open_drafts(out);
        let open = self.own.get(LIST).and_then(|own| own.path.as_ref());
        if open
            .is_some_and(|path| self.documents.values().any(|document| document.path.as_ref() == Some(path)))
        {
            self.show_list(false, now, out);
        }
    }

    fn show_list(&mut self, show: bool, now: Timestamp, out: &mut Vec<Effect>) {
        let mut files: Vec<&DraftFile> = self.drafts.values().map(|known| &known.file).collect();
        files.sort_by_key(|file| std::cmp::Reverse(file.changed));
        let rows: Vec<DraftRow> = files
            .iter()
            .map(|file| DraftRow {
                id: file.name.0.clone(),
                title: title(file),
                state: match &file.state {
                    DraftState::Draft => document::DraftState::Draft,
                    DraftState::Sending => document::DraftState::Sending,
                    DraftState::Rejected(sentence) => document::DraftState::Rejected(sentence.clone()),
                    DraftState::Unknown(sentence) => document::DraftState::Unknown(sentence.clone()),
                },
                changed: file.changed,
                first_words: first_words(&self.text_of(&file.name)),
            })
            .collect();
        let names = Names::default();
        let reader = Reader { me: None, names: &names, sending: nothing_is_sent(), now };
        let list = document::drafts(&rows, &reader);
        let mut own = OwnDocument::new(None, OwnKind::Drafts, list.document, now);
        own.draft_rows = list.rows.into_iter().map(|(line, id)| (line, DraftName(id))).collect();
        self.keep_own(LIST.to_owned(), own, show, out);
    }

    /// How many drafts there are for a pull request.
    pub(super) fn n_drafts(&self, review: &Review) -> usize {
        let is_of = |known: &&Known| {
            known.file.about.as_ref().is_some_and(|about| {
                about.pull_request == review.pull_request.id && about.repository.same_as(&review.name)
            })
        };
        self.drafts.values().filter(is_of).count()
    }
}

/// What can be done with a draft.
fn offers(known: &Known) -> Vec<(String, Command)> {
    let send = match &known.file.state {
        DraftState::Sending => return vec![("Being sent …".into(), Command::ShowDrafts)],
        DraftState::Unknown(_) => "Find out whether it was sent",
        DraftState::Rejected(_) => "Send again",
        DraftState::Draft => "Send",
    };
    let what = known.file.about.as_ref().map(|about| super::sending::words(&about.intent));
    let send = what.map(|what| match send {
        "Send" => format!("Send {what}"),
        send => send.to_owned(),
    });
    let mut offers = Vec::new();
    offers.extend(send.map(|send| (send, Command::SendDraft)));
    offers.push(("Discard".into(), Command::DiscardDraft));
    offers
}

/// A draft in a few words.
fn title(file: &DraftFile) -> String {
    match &file.about {
        Some(about) => format!(
            "{} in {} {} {}",
            super::sending::words(&about.intent),
            about.repository,
            about.pull_request,
            about.title
        ),
        None => "a text whose purpose is lost".into(),
    }
}
