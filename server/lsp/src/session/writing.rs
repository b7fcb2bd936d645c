//! Commands that write: what each wants, and the draft or the request that comes of it.
//!
//! A command with a text is sent at once; one without opens a draft.
//! It must not know how drafts are kept, nor what becomes of what is sent: that is `drafts` and `sending`.

use super::Session;
use super::commands::{NO_THREAD, warn};
use super::review::Review;
use crate::effect::{Effect, Sending};
use crate::event::{Question, RepositoryId};
use crate::protocol::{Command, Target, TargetSide};
use crate::writing::{About, Anchored, Anchoring, Base, Change, WriteId, lines_of};
use pull_request::draft::{self, Code, Intent, Page};
use pull_request::model::{
    Comment, CommentId, LineRange, Side, Spot, Subject, Task, TaskId, Timestamp, User,
};
use pull_request::suggestion;
use pull_request::thread::Thread;
use pull_request::view::markdown::plain;

const NO_COMMENT_OF_YOURS: &str =
    "There is no comment of yours on this line; only your own comments can be edited and deleted.";
const NO_TASK: &str = "There is no such task here; Bitbucket: Show Pull Request lists all of them.";
const BLANK: &str = "There is nothing to send: the text is empty.";

/// What a session waits for, of what is being written.
pub(super) enum Pending {
    /// A place for a new comment.
    Anchor(Placeless),
    /// A new draft, to be shown with the cursor at this line and byte.
    Draft((u32, u32)),
    /// A text on its way, for this repository; whether it had no draft before.
    Send { repository: RepositoryId, about: Box<About>, is_direct: bool },
    /// A change on its way.
    Change { repository: RepositoryId, change: Change },
    /// An edit of a document by suggestions of these threads.
    Edit { threads: Vec<CommentId> },
}

/// A new comment that waits for its place.
pub(super) struct Placeless {
    repository: RepositoryId,
    /// It suggests a change of the lines.
    suggests: bool,
    text: Option<String>,
    language: Option<String>,
}

/// All that a new text begins with.
struct Beginning {
    intent: Intent,
    base: Option<Base>,
    quoted: Option<(String, String)>,
    code: Option<Code>,
    body: String,
    /// The body is what the user gave, and nothing that was begun before may take its place.
    is_given: bool,
    remarks: Vec<String>,
}

impl Beginning {
    fn new(intent: Intent) -> Self {
        Self {
            intent,
            base: None,
            quoted: None,
            code: None,
            body: String::new(),
            is_given: false,
            remarks: Vec::new(),
        }
    }
}

impl Session {
    pub(super) fn reply(&mut self, target: &Target, now: Timestamp, out: &mut Vec<Effect>) {
        let Some((id, review, index)) = self.thread_of(target) else { return warn(NO_THREAD, out) };
        let thread = review.thread(index);
        let Some(parent) = answered_comment(thread) else { return warn(NO_THREAD, out) };
        let beginning = Beginning {
            quoted: Some(self.quote(review, parent, now)),
            code: self.code_of(review, index),
            ..Beginning::new(Intent::Comment(Subject::Comment(parent.id)))
        };
        self.begin(id, beginning, target.text.clone(), now, out);
    }

    pub(super) fn edit_comment(&mut self, target: &Target, now: Timestamp, out: &mut Vec<Effect>) {
        let Some((id, review, index, comment)) = self.own_comment(target) else {
            return warn(NO_COMMENT_OF_YOURS, out);
        };
        let beginning = Beginning {
            code: self.code_of(review, index),
            body: comment.raw.clone(),
            ..Beginning::new(Intent::Edit { comment: comment.id, before: comment.raw.clone() })
        };
        self.begin(id, beginning, target.text.clone(), now, out);
    }

    pub(super) fn delete_comment(&mut self, target: &Target, now: Timestamp, out: &mut Vec<Effect>) {
        let Some((id, review, _, comment)) = self.own_comment(target) else {
            return warn(NO_COMMENT_OF_YOURS, out);
        };
        let words = self.quote(review, comment, now).1;
        out.push(Effect::Ask {
            question: Question::Change(id, Change::DeleteComment(comment.id)),
            text: format!("Delete your comment «{}»? Bitbucket keeps no copy.", plain(&words, 80)),
            choices: vec!["Delete".into()],
        });
    }

    pub(super) fn add_task(&mut self, target: &Target, now: Timestamp, out: &mut Vec<Effect>) {
        let names_thread = target.thread.is_some() || target.line.is_some();
        let on = if names_thread { self.thread_of(target) } else { None };
        let (id, beginning) = match on {
            Some((id, review, index)) => {
                let thread = review.thread(index);
                let Some(comment) = answered_comment(thread).map(|comment| comment.id) else {
                    return warn(NO_THREAD, out);
                };
                let beginning = Beginning {
                    quoted: Some(self.quote(review, thread.first(), now)),
                    code: self.code_of(review, index),
                    ..Beginning::new(Intent::Task { comment: Some(comment) })
                };
                (id, beginning)
            }
            // A thread that is named and not there must not become a task of something else.
            None if target.thread.is_some() => return warn(NO_THREAD, out),
            None => match self.review_of(target) {
                Some((id, _)) => (id, Beginning::new(Intent::Task { comment: None })),
                None => return warn(&self.why_no_pull_request(target), out),
            },
        };
        self.begin(id, beginning, target.text.clone(), now, out);
    }

    /// Completes, opens, edits or deletes a task; of several it asks which.
    pub(super) fn with_task(
        &mut self,
        command: Command,
        target: &Target,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some((id, review)) = self.review_of(target) else {
            return warn(&self.why_no_pull_request(target), out);
        };
        let fits = |task: &&Task| match command {
            // What is still being sent has no id yet.
            _ if CommentId(task.id.0).is_local() => false,
            Command::CompleteTask => !task.resolved,
            Command::ReopenTask => task.resolved,
            _ => true,
        };
        let tasks: Vec<Task> = match target.task {
            Some(named) => {
                review.discussion.all_tasks().filter(|task| task.id == TaskId(named)).cloned().collect()
            }
            None => match self.thread_of(target) {
                Some((_, review, index)) => review.thread(index).tasks.iter().filter(fits).cloned().collect(),
                None => review.discussion.tasks.iter().filter(fits).cloned().collect(),
            },
        };
        let [task] = tasks.as_slice() else {
            if tasks.is_empty() {
                return warn(NO_TASK, out);
            }
            let ids = tasks.iter().map(|task| task.id).collect();
            let choices = tasks.iter().enumerate();
            let choices = choices.map(|(at, task)| format!("{}. {}", at + 1, plain(&task.raw, 60)));
            return out.push(Effect::Ask {
                question: Question::Task(command, Box::new(target.clone()), ids),
                text: "Which task?".into(),
                choices: choices.collect(),
            });
        };
        let set = |resolved| Change::SetTask { task: task.id, raw: task.raw.clone(), resolved };
        match command {
            Command::CompleteTask => self.make_change(id, set(true), now, out),
            Command::ReopenTask => self.make_change(id, set(false), now, out),
            Command::DeleteTask => out.push(Effect::Ask {
                question: Question::Change(id, Change::DeleteTask(task.id)),
                text: format!("Delete the task «{}»? Bitbucket keeps no copy.", plain(&task.raw, 80)),
                choices: vec!["Delete".into()],
            }),
            _ => {
                let beginning = Beginning {
                    body: task.raw.clone(),
                    ..Beginning::new(Intent::EditTask { task: task.id, before: task.raw.clone() })
                };
                self.begin(id, beginning, target.text.clone(), now, out);
            }
        }
    }

    /// A comment on lines, a file or the pull request, or a suggestion for lines.
    pub(super) fn add_comment(
        &mut self,
        target: &Target,
        suggests: bool,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some((id, review)) = self.review_of(target) else {
            return warn(&self.why_no_pull_request(target), out);
        };
        let document = target.uri.as_ref().and_then(|uri| self.documents.get(uri));
        let located = document.and_then(|document| Some((document, document.location.as_ref()?)));
        let Some((document, location)) = located else {
            let is_file = target.uri.as_ref().is_some_and(|uri| self.own_document(uri).is_none());
            if suggests || target.line.is_some() || is_file && document.is_some() {
                return warn("Only files of the repository have lines to comment on.", out);
            }
            let beginning = Beginning::new(Intent::Comment(Subject::PullRequest));
            return self.begin(id, beginning, target.text.clone(), now, out);
        };
        if suggests && target.line.is_none() {
            return warn("Select the lines that you want to suggest a change of.", out);
        }
        let lines = target.line.map(|line| LineRange::new(line, target.end_line.unwrap_or(line)));
        let anchoring = Anchoring {
            id: WriteId(0),
            repository: id,
            name: review.name.clone(),
            source: review.pull_request.source.clone(),
            destination: review.pull_request.destination.clone(),
            head: self.repositories.get(&id).and_then(|state| state.discovery.head.clone()),
            path: location.path.clone(),
            text: Some(document.text.clone()),
            lines,
            side: match target.side {
                Some(TargetSide::From) => Side::From,
                Some(TargetSide::To) | None => Side::To,
            },
        };
        let language = location.path.rsplit_once('.').map(|(_, extension)| extension.to_owned());
        let waiting = Placeless { repository: id, suggests, text: target.text.clone(), language };
        let anchoring = Anchoring { id: self.next_write(), ..anchoring };
        self.writes.insert(anchoring.id, Pending::Anchor(waiting));
        out.push(Effect::Anchor(Box::new(anchoring)));
    }

    pub(super) fn anchored(
        &mut self,
        id: WriteId,
        outcome: Result<Box<Anchored>, String>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(Pending::Anchor(waiting)) = self.writes.remove(&id) else { return };
        let anchored = match outcome {
            Ok(anchored) => *anchored,
            Err(sentence) => {
                // Without a place the text would be lost.
                if let Some(text) = waiting.text.filter(|text| !text.trim().is_empty()) {
                    let mut beginning = Beginning::new(Intent::Comment(Subject::PullRequest));
                    beginning.remarks = vec![sentence.clone()];
                    beginning.body = text;
                    beginning.is_given = true;
                    self.begin(waiting.repository, beginning, None, now, out);
                }
                return warn(&sentence, out);
            }
        };
        let Anchored { subject, base, local, remarks } = anchored;
        let lines = base.as_ref().map_or(&[][..], |base| &base.lines);
        let mut body = waiting.text.clone().unwrap_or_default();
        if waiting.suggests && matches!(subject, Subject::Code { .. }) && local.is_empty() {
            if waiting.text.is_none() {
                body = suggestion::of_lines(lines);
            }
        } else if !local.is_empty() {
            let code = fenced(&local, waiting.language.as_deref());
            body = if body.is_empty() { format!("\n\n{code}") } else { format!("{body}\n\n{code}") };
        }
        let code = lines_of(&subject).map(|(side, at)| Code {
            path: path_of(&subject).unwrap_or_default().to_owned(),
            lines: at,
            side,
            text: lines.to_vec(),
            language: waiting.language.clone(),
        });
        // A text that is to go elsewhere than was asked for waits for the user's word.
        let is_elsewhere = !remarks.is_empty();
        let is_given = waiting.text.is_some();
        let text = waiting.text.filter(|_| !is_elsewhere);
        let beginning =
            Beginning { base, code, body, is_given, remarks, ..Beginning::new(Intent::Comment(subject)) };
        self.begin(waiting.repository, beginning, text, now, out);
    }

    /// Opens a draft, or sends the text at once.
    fn begin(
        &mut self,
        repository: RepositoryId,
        beginning: Beginning,
        text: Option<String>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let state = self.repositories.get(&repository);
        let Some((state, review)) = state.and_then(|state| Some((state, state.review.as_ref()?))) else {
            return warn(&self.why_no_pull_request(&Target::default()), out);
        };
        if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
            return warn(BLANK, out);
        }
        let about = About {
            repository: review.name.clone(),
            pull_request: review.pull_request.id,
            title: review.pull_request.title.clone(),
            account: review.account.clone(),
            root: state.discovery.root.clone(),
            intent: beginning.intent,
            base: beginning.base,
        };
        if text.is_none()
            && !beginning.is_given
            && let Some(name) = self.draft_about(&about)
        {
            // It was begun before: what was typed then is not to be typed again.
            return self.open_draft(&name, out);
        }
        let written = draft::write(&Page {
            intent: &about.intent,
            pull_request: (about.pull_request, &about.title),
            quoted: beginning.quoted,
            names: Some(&review.names),
            code: beginning.code,
            body: beginning.body,
            remarks: beginning.remarks,
        });
        let id = self.next_write();
        match text {
            None => {
                self.writes.insert(id, Pending::Draft(written.caret));
                out.push(Effect::MakeDraft { id, about: Box::new(about), text: written.text });
            }
            Some(text) => {
                let text = draft::with_body(&written.text, &text);
                let sending = Sending { id, repository, about, draft: None, text, again: false };
                self.send(sending, now, out);
            }
        }
    }

    /// A command that was given a text began nothing with it: the text is shown whole, so that it can be kept.
    pub(super) fn show_unsent(&self, text: &str, out: &mut Vec<Effect>) {
        let text = format!("{text}\n\n<!-- This was not sent, and is kept nowhere else: copy it. -->\n");
        out.push(Effect::ShowText { name: "unsent.md".into(), text, line: None, show: true });
    }

    pub(super) fn next_write(&mut self) -> WriteId {
        self.n_writes += 1;
        WriteId(self.n_writes)
    }

    /// The comment that the target names, or the last of the thread, that the signed-in user wrote.
    pub(super) fn own_comment(&self, target: &Target) -> Option<(RepositoryId, &Review, usize, &Comment)> {
        let named = target.comment.map(CommentId);
        let target = Target { thread: target.comment.or(target.thread), ..target.clone() };
        let (id, review, index) = self.thread_of(&target)?;
        let me = self.people.get(&review.account);
        let comments = review.thread(index).comments.iter().rev().map(|reply| &reply.comment);
        let comment =
            comments.filter(|comment| !comment.deleted && !comment.id.is_local()).find(|comment| {
                named.map_or_else(|| is_mine(comment, me), |named| comment.id == named)
                // Where it is not known who signed in, Bitbucket says whether it is theirs.
                && (me.is_none() || is_mine(comment, me))
            })?;
        Some((id, review, index, comment))
    }

    /// Who wrote a comment, as the user is told, and its raw text.
    fn quote(&self, review: &Review, comment: &Comment, now: Timestamp) -> (String, String) {
        (self.reader(review, now).name(comment.author.as_ref()), comment.raw.clone())
    }

    /// The code that a thread is about, as it was commented.
    fn code_of(&self, review: &Review, index: usize) -> Option<Code> {
        let thread = review.thread(index);
        let anchor = thread.anchor.as_ref()?;
        let Spot::Lines(side, lines) = anchor.spot else { return None };
        let commented = review.spot_of(index).and_then(|(_, spot)| spot.placed.commented.as_deref());
        Some(Code {
            path: anchor.path.clone(),
            lines,
            side,
            text: commented.unwrap_or_default().lines().map(str::to_owned).collect(),
            language: anchor.path.rsplit_once('.').map(|(_, extension)| extension.to_owned()),
        })
    }
}

/// What a reply answers: the first comment, or the last that is left where that was deleted.
fn answered_comment(thread: &Thread) -> Option<&Comment> {
    let live = |comment: &&Comment| !comment.deleted && !comment.id.is_local();
    let first = Some(thread.first()).filter(live);
    first.or_else(|| thread.comments.iter().rev().map(|reply| &reply.comment).find(live))
}

/// A code block whose fence is longer than any within it.
fn fenced(lines: &[String], language: Option<&str>) -> String {
    let longest = lines.iter().flat_map(|line| line.split(|letter| letter != '`')).map(str::len).max();
    let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    format!("{fence}{}\n{}\n{fence}", language.unwrap_or_default(), lines.join("\n"))
}

fn is_mine(comment: &Comment, me: Option<&User>) -> bool {
    comment.author.as_ref().zip(me).is_some_and(|(author, me)| author.is(me))
}

pub(super) fn path_of(subject: &Subject) -> Option<&str> {
    match subject {
        Subject::Code { path, .. } => Some(path),
        Subject::PullRequest | Subject::Comment(_) => None,
    }
}
