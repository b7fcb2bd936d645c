//! Commands: each finds its target, answers at once, and leaves the rest to effects.

use super::Session;
use super::own_documents::{OwnDocument, OwnKind};
use super::review::{Cause, Review, Spotted};
use crate::effect::{Effect, MessageKind, Way};
use crate::event::{Question, RepositoryId};
use crate::protocol::{Call, Command, Target};
use pull_request::model::{CommentId, LineRange, PullRequest, PullRequestId, Timestamp};
use pull_request::view;
use serde_json::{Value, json};
use std::path::PathBuf;

const NO_PULL_REQUEST: &str = "There is no pull request here to act on; run Bitbucket: Show Status to see what was looked for, and where.";
pub(super) const NO_THREAD: &str =
    "There is no Bitbucket comment on this line; Bitbucket: Next Comment goes to one.";

impl Session {
    pub(super) fn command(&mut self, call: &Call, now: Timestamp, out: &mut Vec<Effect>) -> Value {
        let target = &call.target;
        if let Some(uri) = &target.uri
            && self.documents.contains_key(uri)
        {
            self.focus = Some(uri.clone());
        }
        let writes = self.n_writes;
        let answer = self.perform(call, now, out);
        let given = target.text.as_ref().filter(|text| !text.trim().is_empty() && call.command.takes_text());
        if let Some(text) = given.filter(|_| self.n_writes == writes) {
            self.show_unsent(text, out);
        }
        answer
    }

    fn perform(&mut self, call: &Call, now: Timestamp, out: &mut Vec<Effect>) -> Value {
        let target = &call.target;
        match call.command {
            Command::ShowPullRequest => self.show_pull_request(target, now, out),
            Command::ShowThread => self.show_thread(target, now, out),
            Command::GoToThread => self.go_to_thread(target, out),
            Command::NextComment => self.walk(target, true, out),
            Command::PreviousComment => self.walk(target, false, out),
            Command::Reply => self.reply(target, now, out),
            Command::AddComment => self.add_comment(target, false, now, out),
            Command::SuggestChange => self.add_comment(target, true, now, out),
            Command::EditComment => self.edit_comment(target, now, out),
            Command::DeleteComment => self.delete_comment(target, now, out),
            Command::ResolveThread => {
                self.set_resolved(target, true, now, out);
            }
            Command::ReopenThread => {
                self.set_resolved(target, false, now, out);
            }
            Command::ResolveAndNext => self.resolve_and_next(target, now, out),
            Command::ApplySuggestion => self.apply_suggestion(target, out),
            Command::ApplyAllSuggestions => self.apply_all_suggestions(target, out),
            Command::AddTask => self.add_task(target, now, out),
            Command::CompleteTask | Command::ReopenTask | Command::EditTask | Command::DeleteTask => {
                self.with_task(call.command, target, now, out);
            }
            Command::SendDraft => self.send_draft(target, now, out),
            Command::DiscardDraft => self.discard_draft(target, out),
            Command::ShowDrafts => self.show_drafts(target, out),
            Command::ToggleComments => {
                self.comments_shown = !self.comments_shown;
                self.everything_dirty();
                let what = if self.comments_shown { "shown" } else { "hidden until you show them again" };
                out.push(Effect::Message(MessageKind::Info, format!("Bitbucket comments are {what}.")));
            }
            Command::Refresh => self.refresh_by_command(out),
            Command::SwitchPullRequest => self.switch(target, out),
            Command::OpenInBrowser => match self.link(target) {
                Some(link) => out.push(Effect::OpenPage(link)),
                None => warn(NO_PULL_REQUEST, out),
            },
            Command::CopyLink => match self.link(target) {
                Some(link) => {
                    out.push(Effect::Message(MessageKind::Info, link.clone()));
                    return json!({ "text": link });
                }
                None => warn(NO_PULL_REQUEST, out),
            },
            Command::ShowStatus => out.push(Effect::DescribeAccount),
            Command::GenerateToken => self.sign_in(Way::Browser, out),
            Command::FinishSignIn => self.finish_sign_in(target, now, out),
            Command::CancelSignIn => self.cancel_sign_in(out),
            Command::AddToken => self.sign_in(Way::Token(self.repository_of(target)), out),
            Command::SwitchAccount => self.switch_account(target, out),
            Command::SignOut => self.sign_out(target, out),
        }
        Value::Null
    }

    /// The repository of the target's document, else of the document looked at last, else the one with a pull request.
    pub(super) fn repository_of(&self, target: &Target) -> Option<RepositoryId> {
        let of_uri = |uri: &String| {
            let document = self.documents.get(uri)?;
            match &document.location {
                Some(location) => Some(location.repository),
                None => self.own_document(uri)?.repository,
            }
        };
        let of_thread = || {
            let thread = CommentId(target.thread?);
            self.repositories.iter().find_map(|(id, state)| {
                state.review.as_ref()?.thread_of(thread)?;
                Some(*id)
            })
        };
        let with_review =
            || self.repositories.iter().find(|(_, state)| state.review.is_some()).map(|(id, _)| *id);
        of_thread()
            .or_else(|| target.uri.as_ref().and_then(of_uri))
            .or_else(|| self.focus.as_ref().and_then(of_uri))
            .or_else(with_review)
            .or_else(|| self.repositories.keys().next().copied())
    }

    pub(super) fn review_of(&self, target: &Target) -> Option<(RepositoryId, &Review)> {
        let id = self.repository_of(target)?;
        Some((id, self.repositories.get(&id)?.review.as_ref()?))
    }

    /// The thread that the target names, or that is on its line: in code, or in a document of ours.
    pub(super) fn thread_of(&self, target: &Target) -> Option<(RepositoryId, &Review, usize)> {
        let (id, review) = self.review_of(target)?;
        if let Some(thread) = target.thread {
            return Some((id, review, review.thread_of(CommentId(thread))?));
        }
        let (uri, line) = (target.uri.as_ref()?, target.line?);
        if let Some((own, map)) = self.own_map(uri) {
            return Some((id, review, review.thread_of(own_thread_at(own, map, line)?)?));
        }
        let location = self.documents.get(uri)?.location.as_ref()?;
        let spots = review.files.get(&location.path)?;
        let touching = |spot: &&Spotted| spot.lines().is_some_and(|lines| contains(lines, line));
        let shown = |spot: &&Spotted| self.is_shown(review, spot);
        let spot = spots.iter().filter(touching).find(shown).or_else(|| spots.iter().find(touching))?;
        Some((id, review, spot.thread))
    }

    fn show_pull_request(&mut self, target: &Target, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(id) = self.review_of(target).map(|(id, _)| id) else {
            return warn(&self.why_no_pull_request(target), out);
        };
        self.show_own(id, OwnKind::PullRequest, now, true, out);
    }

    fn show_thread(&mut self, target: &Target, now: Timestamp, out: &mut Vec<Effect>) {
        let Some((id, root)) =
            self.thread_of(target).map(|(id, review, thread)| (id, review.thread(thread).root))
        else {
            return warn(NO_THREAD, out);
        };
        self.show_own(id, OwnKind::Thread(root), now, true, out);
    }

    fn go_to_thread(&mut self, target: &Target, out: &mut Vec<Effect>) {
        let Some((id, review, thread)) = self.thread_of(target) else { return warn(NO_THREAD, out) };
        let place =
            review.spot_of(thread).and_then(|(path, spot)| Some((path.to_owned(), spot.lines()?.first)));
        match place {
            Some((path, line)) => self.show_file(id, &path, line, out),
            None => {
                warn("The file of this comment is not in your work tree, so there is no code to go to.", out)
            }
        }
    }

    /// Goes to the next or previous thread over all files, and round again.
    pub(super) fn walk(&mut self, target: &Target, forward: bool, out: &mut Vec<Effect>) {
        let Some((id, review)) = self.review_of(target) else {
            return warn(&self.why_no_pull_request(target), out);
        };
        let stops: Vec<(&str, u32)> = review
            .files
            .iter()
            .flat_map(|(path, spots)| spots.iter().map(move |spot| (path.as_str(), spot)))
            .filter(|(_, spot)| self.is_shown(review, spot))
            .filter_map(|(path, spot)| Some((path, spot.lines()?.first)))
            .collect();
        let uri = target.uri.as_ref().or(self.focus.as_ref());
        let here =
            uri.and_then(|uri| self.documents.get(uri)).and_then(|document| document.location.as_ref());
        // A client that does not say where the cursor is goes on from the last stop.
        let last_stop = self.last_stop.as_ref().filter(|(of, _, _)| *of == id && target.line.is_none());
        let here = match last_stop {
            Some((_, path, line)) => Some((path.as_str(), *line)),
            None => here.map(|location| (location.path.as_str(), target.line.unwrap_or(0))),
        };
        let stop = match (here, forward) {
            (Some(here), true) => stops.iter().find(|stop| **stop > here).or(stops.first()),
            (Some(here), false) => stops.iter().rev().find(|stop| **stop < here).or(stops.last()),
            (None, true) => stops.first(),
            (None, false) => stops.last(),
        };
        match stop.map(|(path, line)| ((*path).to_owned(), *line)) {
            Some((path, line)) => {
                self.show_file(id, &path, line, out);
                self.last_stop = Some((id, path, line));
            }
            None => out.push(Effect::Message(
                MessageKind::Info,
                format!("Pull request {} has no open comments in code.", review.pull_request.id),
            )),
        }
    }

    pub(super) fn show_file(&self, id: RepositoryId, path: &str, line: u32, out: &mut Vec<Effect>) {
        let Some(state) = self.repositories.get(&id) else { return };
        out.push(Effect::ShowFile {
            uri: self.uri_of(id, path),
            path: state.discovery.root.join(path),
            line,
            character: 0,
        });
    }

    /// The client's URI of a file that is open.
    pub(super) fn uri_of(&self, id: RepositoryId, path: &str) -> Option<String> {
        let is_it = |at: &crate::event::Location| at.repository == id && at.path == path;
        let found = self.documents.iter().find(|(_, document)| document.location.as_ref().is_some_and(is_it));
        found.map(|(uri, _)| uri.clone())
    }

    fn refresh_by_command(&mut self, out: &mut Vec<Effect>) {
        self.said.clear();
        out.push(Effect::Reconnect);
        let folders: Vec<PathBuf> =
            self.folders.iter().filter(|folder| self.undiscovered.contains_key(*folder)).cloned().collect();
        out.extend(folders.into_iter().map(|folder| self.discover(folder)));
        out.extend(self.documents.iter().filter_map(|(uri, document)| self.locate_again(uri, document)));
        let roots: Vec<(RepositoryId, PathBuf)> =
            self.repositories.iter().map(|(id, state)| (*id, state.discovery.root.clone())).collect();
        for (id, root) in roots {
            out.push(self.discover(root));
            self.refresh(id, Cause::Command, out);
        }
    }

    fn switch(&mut self, target: &Target, out: &mut Vec<Effect>) {
        let Some(id) = self.repository_of(target) else { return warn(NO_PULL_REQUEST, out) };
        if let Some(number) = target.pull_request {
            return self.picked(id, Some(PullRequestId(number)), out);
        }
        let Some(state) = self.repositories.get(&id) else { return };
        match state.choices.len() {
            0 => warn(&self.why_no_pull_request(target), out),
            1 => out.push(Effect::Message(
                MessageKind::Info,
                format!("Pull request {} is the only open one of this branch.", state.choices[0].1.id),
            )),
            _ => {
                let title = |choice: &PullRequest| {
                    format!("{} {}", choice.id, view::markdown::plain(&choice.title, 60))
                };
                out.push(Effect::Ask {
                    question: Question::PullRequest(
                        id,
                        state.choices.iter().map(|(_, choice)| choice.id).collect(),
                    ),
                    text: "Show the comments of which pull request?".to_owned(),
                    choices: state.choices.iter().map(|(_, choice)| title(choice)).collect(),
                });
            }
        }
    }

    /// The page of the target's thread, else of the pull request.
    fn link(&self, target: &Target) -> Option<String> {
        let of_thread = || {
            let (_, review, thread) = self.thread_of(target)?;
            review.thread(thread).comments.first()?.comment.html_url.clone()
        };
        let of_pull_request = || self.review_of(target)?.1.pull_request.html_url.clone();
        let link = of_thread().or_else(of_pull_request)?;
        // The link came from the server: nothing but a web page is ever opened.
        (link.starts_with("https://") || link.starts_with("http://")).then_some(link)
    }

    /// One sentence about why there is nothing to show.
    pub(super) fn why_no_pull_request(&self, target: &Target) -> String {
        let Some(state) = self.repository_of(target).and_then(|id| self.repositories.get(&id)) else {
            return match self.undiscovered.values().next() {
                Some(why) => why.clone(),
                None => {
                    "No folder with a git repository is open, so there is no pull request to show.".into()
                }
            };
        };
        if let Some(problem) = &state.problem {
            return problem.sentence.clone();
        }
        if state.busy.is_some() {
            return "The pull request is still being read; try again in a moment.".into();
        }
        if !state.discovery.trusted {
            return state.discovery.remarks.join(" ");
        }
        if state.discovery.candidates.is_empty() {
            return "No remote of this repository is on Bitbucket; run Bitbucket: Show Status to see each and why.".into();
        }
        match state.ended.first() {
            Some(ended) => format!(
                "This branch has no open pull request; the last one was {}, {}.",
                ended.id,
                super::status::state_word(ended.state)
            ),
            None => "This branch has no pull request on Bitbucket yet.".into(),
        }
    }
}

/// The thread that a line of one of our documents is about.
pub(super) fn own_thread_at(
    own: &OwnDocument,
    map: &view::document::Document,
    line: u32,
) -> Option<CommentId> {
    if let OwnKind::Thread(root) = own.kind {
        return Some(root);
    }
    map.rows.iter().rev().find(|row| row.line <= line).and_then(|row| row.thread)
}

pub(super) fn contains(lines: LineRange, line: u32) -> bool {
    (lines.first..=lines.last).contains(&line)
}

pub(super) fn warn(sentence: &str, out: &mut Vec<Effect>) {
    out.push(Effect::Message(MessageKind::Warning, sentence.to_owned()));
}
