//! What is on its way to Bitbucket: shown at once as being sent, settled when the outcome is known, taken back where it is
//! refused.
//!
//! Nothing is sent twice by itself: what may have arrived is looked for, and then the user is asked.
//! It must not know how requests are made.

use super::Session;
use super::commands::{NO_THREAD, warn};
use super::overlay::Shown;
use super::review::{Cause, Review};
use super::writing::{Pending, path_of};
use crate::effect::{Effect, MessageKind, Sending};
use crate::event::{Problem, Question, RepositoryId, Trouble};
use crate::protocol::Target;
use crate::writing::{About, Change, Changed, DraftFile, DraftName, DraftState, Ending, Sent, WriteId};
use pull_request::draft::{self, Intent};
use pull_request::model::{Anchor, Comment, CommentId, Resolution, Subject, Task, TaskId, Timestamp, User};
use pull_request::view::markdown::plain;

/// What is said where a command finds no draft.
pub(super) const NO_DRAFT: &str = "There is no such draft; Bitbucket: Show Drafts lists them.";
const OTHER_ACCOUNT: &str = "This draft was begun with another account than the one that is used for its repository now; choose that one by Bitbucket: Switch Account, or copy the text and discard the draft.";
const BEING_SENT: &str = "This draft is being sent.";
const NO_MARKER: &str = "The line that ends the text is gone from the draft; undo that, or discard the draft and begin anew. Nothing was sent.";
const SEND_AGAIN: &str = "Send it again";
const IS_THERE: &str = "It is there";
const KEEP: &str = "Keep the draft";

impl Session {
    /// Sends the draft that the target names, as it stands in the editor.
    pub(super) fn send_draft(&mut self, target: &Target, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(name) = self.draft_named(target) else { return warn(NO_DRAFT, out) };
        self.send_named(&name, None, false, now, out);
    }

    fn send_named(
        &mut self,
        name: &DraftName,
        moved: Option<About>,
        again: bool,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(known) = self.drafts.get(name) else { return };
        let Some(about) = moved.or_else(|| known.file.about.clone()) else {
            return warn("What this draft is about is lost; copy its text, and discard it.", out);
        };
        let Some(repository) = self.repository_for(&about) else {
            let (what, of) = (about.pull_request, &about.repository);
            out.push(self.discover(about.root.clone()));
            let sentence = format!(
                "The repository {of}, whose pull request {what} this draft is for, is being looked for; send it again in a moment, or open the repository."
            );
            return warn(&sentence, out);
        };
        let login = self.repositories.get(&repository).map(|state| &state.discovery.login);
        if login.is_some_and(|login| login.as_ref().is_ok_and(|login| login.id != about.account)) {
            return warn(OTHER_ACCOUNT, out);
        }
        match &known.file.state {
            DraftState::Sending => return out.push(Effect::Message(MessageKind::Info, BEING_SENT.into())),
            DraftState::Unknown(_) if !again => return self.reconcile(name.clone(), repository, out),
            DraftState::Draft | DraftState::Rejected(_) | DraftState::Unknown(_) => {}
        }
        let text = self.text_of(name);
        if let Some(sentence) = self.why_not(&about, &text) {
            return warn(&sentence, out);
        }
        let id = self.next_write();
        self.send(Sending { id, repository, about, draft: Some(name.clone()), text, again }, now, out);
    }

    /// Shows a text as being sent, and sends it.
    pub(super) fn send(&mut self, sending: Sending, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(body) = draft::body(&sending.text) else { return warn(NO_MARKER, out) };
        let known = sending.draft.as_ref().and_then(|name| self.drafts.get_mut(name));
        if let Some(known) = known {
            known.file.state = DraftState::Sending;
        }
        let (id, repository, about) = (sending.id, sending.repository, &sending.about);
        if let Some(review) = self.review_about(repository, about) {
            let shown = shown(about, &body, id, self.people.get(&review.account), now);
            let path = match &about.intent {
                Intent::Comment(subject) => path_of(subject).map(str::to_owned),
                _ => None,
            };
            self.lay(repository, id, shown, path, now, out);
        }
        let is_direct = sending.draft.is_none();
        self.writes.insert(id, Pending::Send { repository, about: Box::new(about.clone()), is_direct });
        out.push(Effect::Send(Box::new(sending)));
        self.drafts_changed(now, out);
    }

    /// Finds out whether Bitbucket has a draft.
    pub(super) fn reconcile(&mut self, name: DraftName, repository: RepositoryId, out: &mut Vec<Effect>) {
        let Some(known) = self.drafts.get_mut(&name) else { return };
        let Some(about) = known.file.about.clone() else { return };
        known.file.state = DraftState::Sending;
        let id = self.next_write();
        let about = Box::new(about);
        self.writes.insert(id, Pending::Send { repository, about, is_direct: false });
        out.push(Effect::Reconcile { id, repository, name });
    }

    pub(super) fn sent(&mut self, id: WriteId, sent: Sent, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(Pending::Send { repository, about, is_direct }) = self.writes.remove(&id) else { return };
        let Sent { draft, remark, ending } = sent;
        let name = draft.as_ref().map(|file| file.name.clone());
        if let Some(file) = draft {
            self.keep_draft(file);
        }
        let what = words(&about.intent);
        if let Ending::Posted(posted) = ending {
            let generation = self.repositories.get(&repository).map_or(0, |state| state.generation);
            let is_shown = self.review_about(repository, &about).is_some();
            if let Some(review) = self.review_mut(repository).filter(|_| is_shown) {
                let was_laid = review.is_laid(id);
                review.done(id, posted, generation);
                if !was_laid {
                    self.refresh(repository, Cause::Discovery, out);
                }
            }
            self.review_changed(repository, path_of_intent(&about.intent), now, out);
            if let Some(remark) = remark {
                warn(&remark, out);
            }
            if !is_direct {
                out.push(Effect::Message(MessageKind::Info, format!("Your {what} is on Bitbucket.")));
            }
            if let Some(name) = name {
                self.draft_gone(&name, out);
            }
            return self.drafts_changed(now, out);
        }
        self.take_back(repository, id, path_of_intent(&about.intent), now, out);
        match ending {
            Ending::Posted(_) => {}
            Ending::Refused(problem) => {
                let kept = if name.is_some() { " Its text is kept in the draft." } else { "" };
                self.refused(
                    repository,
                    &format!("Your {what} was not sent. {}{kept}", problem.sentence),
                    &problem,
                    out,
                );
                if let Some(name) = name.filter(|_| is_direct) {
                    self.open_draft(&name, out);
                }
            }
            Ending::Unknown { sentence, looked } => {
                let text = format!("It is not known whether your {what} reached Bitbucket. {sentence}");
                match name {
                    Some(name) if looked => {
                        let known = self.drafts.get_mut(&name);
                        let asked = known.map(|known| {
                            known.looked_for = true;
                            known.file.changed
                        });
                        let asked = asked.unwrap_or_default();
                        let text = format!("{text} It was looked for and not found.");
                        let choices = [SEND_AGAIN, IS_THERE, KEEP].map(str::to_owned).to_vec();
                        out.push(Effect::Ask { question: Question::Unknown(name, asked), text, choices });
                    }
                    _ => warn(
                        &format!(
                            "{text} It is kept as a draft; Bitbucket: Send Draft looks for it first, and sends nothing by itself."
                        ),
                        out,
                    ),
                }
            }
            Ending::Elsewhere(sentence) => out.push(Effect::Message(MessageKind::Info, sentence)),
            Ending::NotKept(sentence) => warn(&sentence, out),
            Ending::Moved(about, sentence) => {
                if let Some(name) = name {
                    let choices = vec!["Send it there".into(), KEEP.into()];
                    out.push(Effect::Ask { question: Question::Moved(name, about), text: sentence, choices });
                }
            }
        }
        self.drafts_changed(now, out);
    }

    /// Bitbucket said no: the user is told, and what is shown is read anew where it seems to be old.
    fn refused(&mut self, id: RepositoryId, sentence: &str, problem: &Problem, out: &mut Vec<Effect>) {
        match problem.trouble {
            Trouble::NeedsLogin => self.login_ended(id, sentence, true, out),
            _ => warn(sentence, out),
        }
        if matches!(problem.trouble, Trouble::NotFound | Trouble::Refused | Trouble::Other) {
            self.refresh(id, Cause::Discovery, out);
        }
    }

    pub(super) fn answered_unknown(
        &mut self,
        name: &DraftName,
        asked: Timestamp,
        choice: usize,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let is_it = |known: &super::drafts::Known| {
            known.file.changed == asked && matches!(known.file.state, DraftState::Unknown(_))
        };
        if !self.drafts.get(name).is_some_and(is_it) {
            // An old question: what it is about went on since.
            return;
        }
        match choice {
            0 => self.send_named(name, None, true, now, out),
            1 => {
                out.push(Effect::CountAsSent(name.clone()));
                self.draft_gone(name, out);
                let repository = self.repository_of(&Target::default());
                if let Some(id) = repository {
                    self.refresh(id, Cause::Discovery, out);
                }
                self.drafts_changed(now, out);
            }
            _ => {}
        }
    }

    pub(super) fn answered_moved(
        &mut self,
        name: &DraftName,
        about: About,
        choice: usize,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if choice == 0 {
            self.send_named(name, Some(about), false, now, out);
        }
    }

    /// Resolves or reopens the target's thread.
    pub(super) fn set_resolved(
        &mut self,
        target: &Target,
        resolved: bool,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> bool {
        let Some((id, review, index)) = self.thread_of(target) else {
            warn(NO_THREAD, out);
            return false;
        };
        let thread = review.thread(index);
        let root = thread.root;
        if root.is_local() {
            warn("This comment is still being sent; try again in a moment.", out);
            return false;
        }
        if thread.is_resolved() == resolved {
            let is = if resolved { "resolved already" } else { "open already" };
            out.push(Effect::Message(MessageKind::Info, format!("This thread is {is}.")));
            return false;
        }
        let change = if resolved { Change::Resolve(root) } else { Change::Reopen(root) };
        self.make_change(id, change, now, out);
        true
    }

    pub(super) fn resolve_and_next(&mut self, target: &Target, now: Timestamp, out: &mut Vec<Effect>) {
        let Some((id, review, index)) = self.thread_of(target) else { return warn(NO_THREAD, out) };
        let here =
            review.spot_of(index).and_then(|(path, spot)| Some((path.to_owned(), spot.lines()?.first)));
        if !self.set_resolved(target, true, now, out) {
            return;
        }
        let Some((path, line)) = here else { return };
        self.last_stop = Some((id, path, line));
        self.walk(&Target { line: None, ..target.clone() }, true, out);
    }

    /// Makes a change that needs no text, and shows it at once.
    pub(super) fn make_change(
        &mut self,
        repository: RepositoryId,
        change: Change,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(review) = self.repositories.get(&repository).and_then(|state| state.review.as_ref()) else {
            return;
        };
        let (name, pull_request) = (review.name.clone(), review.pull_request.id);
        let me = self.people.get(&review.account).cloned();
        let shown = match &change {
            Change::Resolve(root) => Shown::Resolution(*root, Some(Resolution { user: me, on: Some(now) })),
            Change::Reopen(root) => Shown::Resolution(*root, None),
            Change::DeleteComment(comment) => Shown::Deleted(*comment),
            Change::SetTask { task, resolved, .. } => Shown::TaskState(*task, *resolved),
            Change::DeleteTask(task) => Shown::TaskDeleted(*task),
        };
        let id = self.next_write();
        self.lay(repository, id, shown, None, now, out);
        self.writes.insert(id, Pending::Change { repository, change: change.clone() });
        out.push(Effect::Change { id, repository, name, pull_request, change });
    }

    pub(super) fn change_made(
        &mut self,
        id: WriteId,
        outcome: Changed,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(Pending::Change { repository, change }) = self.writes.remove(&id) else { return };
        match outcome {
            Ok(_) => {
                let generation = self.repositories.get(&repository).map_or(0, |state| state.generation);
                if let Some(review) = self.review_mut(repository) {
                    review.done(id, None, generation);
                }
                self.review_changed(repository, None, now, out);
            }
            Err(problem) => {
                self.take_back(repository, id, None, now, out);
                let what = match change {
                    Change::Resolve(_) => "The thread was not resolved.",
                    Change::Reopen(_) => "The thread was not reopened.",
                    Change::DeleteComment(_) => "The comment was not deleted.",
                    Change::SetTask { resolved: true, .. } => "The task was not completed.",
                    Change::SetTask { .. } => "The task was not reopened.",
                    Change::DeleteTask(_) => "The task was not deleted.",
                };
                self.refused(repository, &format!("{what} {}", problem.sentence), &problem, out);
            }
        }
    }

    /// Lays a change over a review, and has everything drawn anew.
    fn lay(
        &mut self,
        repository: RepositoryId,
        id: WriteId,
        shown: Shown,
        path: Option<String>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if let Some(review) = self.review_mut(repository) {
            review.lay(id, shown);
        }
        self.review_changed(repository, path, now, out);
    }

    fn take_back(
        &mut self,
        repository: RepositoryId,
        id: WriteId,
        path: Option<String>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if let Some(review) = self.review_mut(repository) {
            review.lift(id);
        }
        self.review_changed(repository, path, now, out);
    }

    /// A review changed by the user's own doing; `path`: a thread there may have no place yet.
    fn review_changed(
        &mut self,
        repository: RepositoryId,
        path: Option<String>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        self.everything_dirty();
        if let Some(path) = path {
            self.place(repository, Some(vec![path]), out);
        }
        self.rewrite_own(repository, now, out);
    }

    pub(super) fn review_mut(&mut self, repository: RepositoryId) -> Option<&mut Review> {
        self.repositories.get_mut(&repository)?.review.as_mut()
    }

    /// The review that a text belongs to, where it is the one that is shown.
    fn review_about(&self, repository: RepositoryId, about: &About) -> Option<&Review> {
        let review = self.repositories.get(&repository)?.review.as_ref()?;
        let is_it = review.name.same_as(&about.repository) && review.pull_request.id == about.pull_request;
        is_it.then_some(review)
    }

    /// The repository by whose account a text is sent: the one that shows the pull request, else one that may have it.
    pub(super) fn repository_for(&self, about: &About) -> Option<RepositoryId> {
        let showing = self.repositories.keys().find(|id| self.review_about(**id, about).is_some());
        let candidate = || {
            self.repositories.iter().find(|(_, state)| {
                state.discovery.trusted
                    && state.discovery.candidates.iter().any(|name| name.same_as(&about.repository))
            })
        };
        showing.or_else(|| candidate().map(|(id, _)| id)).copied()
    }

    /// After a start: drafts that may have been sent before are looked for, once.
    pub(super) fn reconcile_all(&mut self, repository: RepositoryId, out: &mut Vec<Effect>) {
        let login = self.repositories.get(&repository).map(|state| &state.discovery.login);
        let login = login.and_then(|login| Some(login.as_ref().ok()?.id.clone()));
        let unknown: Vec<DraftName> = self
            .drafts
            .iter()
            .filter(|(_, known)| {
                let file: &DraftFile = &known.file;
                matches!(file.state, DraftState::Unknown(_))
                    && !known.looked_for
                    && file
                        .about
                        .as_ref()
                        .filter(|about| login.as_deref() == Some(about.account.as_str()))
                        .is_some_and(|about| self.review_about(repository, about).is_some())
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in unknown {
            if let Some(known) = self.drafts.get_mut(&name) {
                known.looked_for = true;
            }
            self.reconcile(name, repository, out);
        }
    }
}

/// What a text looks like while it is being sent.
fn shown(about: &About, body: &str, id: WriteId, me: Option<&User>, now: Timestamp) -> Shown {
    let local = u32::try_from(id.0).unwrap_or(u32::MAX);
    match &about.intent {
        Intent::Comment(subject) => {
            let anchor = match subject {
                Subject::Code { path, spot } => Some(Anchor {
                    path: path.clone(),
                    spot: *spot,
                    source_commit: about.base.as_ref().map(|base| base.source.clone()),
                    destination_commit: about.base.as_ref().and_then(|base| base.destination.clone()),
                    outdated: None,
                }),
                Subject::PullRequest | Subject::Comment(_) => None,
            };
            let parent = match subject {
                Subject::Comment(parent) => Some(*parent),
                _ => None,
            };
            Shown::Comment(Box::new(Comment {
                id: CommentId::local(local),
                parent,
                author: me.cloned(),
                raw: body.to_owned(),
                mentions: Vec::new(),
                created_on: Some(now),
                updated_on: Some(now),
                deleted: false,
                pending: false,
                anchor,
                resolution: None,
                html_url: None,
                unreadable: false,
            }))
        }
        Intent::Edit { comment, .. } => Shown::Text(*comment, body.to_owned()),
        Intent::Task { comment } => Shown::Task(Box::new(Task {
            id: TaskId(CommentId::local(local).0),
            comment: *comment,
            raw: body.to_owned(),
            creator: me.cloned(),
            resolved: false,
            created_on: Some(now),
        })),
        Intent::EditTask { task, .. } => Shown::TaskText(*task, body.to_owned()),
    }
}

/// What the user calls it.
pub(super) fn words(intent: &Intent) -> &'static str {
    match intent {
        Intent::Comment(Subject::Comment(_)) => "reply",
        Intent::Comment(_) => "comment",
        Intent::Edit { .. } => "edit",
        Intent::Task { .. } => "task",
        Intent::EditTask { .. } => "edit of a task",
    }
}

fn path_of_intent(intent: &Intent) -> Option<String> {
    match intent {
        Intent::Comment(subject) => path_of(subject).map(str::to_owned),
        _ => None,
    }
}

/// A draft's first words, for a list: one line.
pub(super) fn first_words(text: &str) -> String {
    plain(&draft::body(text).unwrap_or_else(|| text.to_owned()), 80)
}
