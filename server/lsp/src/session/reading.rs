//! From a found repository to comments to place: which refresh runs, what its outcome changes, what comes next.
//!
//! One refresh is in flight for a repository; others wait as one, under the strongest cause.
//! What is shown stays while Bitbucket cannot be reached, and says how old it is.

use super::Session;
use super::polling::PROBES_BEFORE_LOAD;
use super::review::{Busy, Cause, RepositoryState, Review, Stale, fresh};
use crate::effect::{Effect, MessageKind, ProgressStep, Work};
use crate::event::{Discovery, Found, Loaded, Login, Problem, RepositoryId, Timer, Trouble};
use pull_request::model::{PullRequest, PullRequestId, RepositoryName, Timestamp};
use pull_request::thread::fold;
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

/// A refresh shows progress only if it takes longer.
const PATIENCE: Duration = Duration::from_millis(500);
/// Problems that the status tells of.
const MOST_ERRORS: usize = 10;

impl Session {
    pub(super) fn discovered(
        &mut self,
        path: PathBuf,
        outcome: Result<(RepositoryId, Box<Discovery>), String>,
        out: &mut Vec<Effect>,
    ) {
        let (id, discovery) = match outcome {
            Ok((id, discovery)) => (id, *discovery),
            Err(why) => {
                self.log(why.clone(), out);
                // A repository that was deleted or moved takes what is shown of it along.
                let gone = self.repositories.iter().find(|(_, state)| state.discovery.root == path);
                if let Some(id) = gone.map(|(id, _)| *id) {
                    self.forget(id, out);
                }
                if self.folders.contains(&path) {
                    self.undiscovered.insert(path, why);
                }
                return;
            }
        };
        self.undiscovered.remove(&path);
        for remark in &discovery.remarks {
            self.log(remark.clone(), out);
        }
        let Some(state) = self.repositories.get_mut(&id) else {
            let in_document = self.documents.values().any(|document| document.path.as_ref() == Some(&path));
            if !in_document && !self.folders.contains(&path) && !self.is_drafted_in(&path) {
                // Closed while it was looked at.
                return out.push(Effect::Forget(id));
            }
            let mut state = RepositoryState::new(discovery);
            state.found_from.push(path);
            self.repositories.insert(id, state);
            self.note_login(id);
            self.explain(id, out);
            self.refresh(id, Cause::Discovery, out);
            return;
        };
        if !state.found_from.contains(&path) {
            state.found_from.push(path);
        }
        let before = std::mem::replace(&mut state.discovery, discovery);
        self.note_login(id);
        let Some(state) = self.repositories.get_mut(&id) else { return };
        let now = &state.discovery;
        let account = |login: &Result<Login, String>| login.as_ref().ok().map(|login| login.id.clone());
        if account(&before.login) != account(&now.login)
            || before.checked_out != now.checked_out
            || before.candidates != now.candidates
            || before.trusted != now.trusted
        {
            self.leave_review(id, out);
            self.explain(id, out);
            self.refresh(id, Cause::Git, out);
        } else {
            // A fetch may have brought what a pull request was changed by, or the commits that comments are on.
            // What is being looked for already is not looked for twice.
            let nothing_yet = state.review.is_none() && state.busy.is_none();
            let news = before.head != now.head || nothing_yet || std::mem::take(&mut state.git_moved);
            self.place(id, None, out);
            if news {
                self.refresh(id, Cause::Git, out);
            }
        }
    }

    /// Logs why the remotes won or lost.
    fn explain(&self, id: RepositoryId, out: &mut Vec<Effect>) {
        let Some(state) = self.repositories.get(&id) else { return };
        let root = state.discovery.root.display();
        for remote in &state.discovery.remotes {
            let verdict = match &remote.repository {
                Ok(name) => format!("is {name} on Bitbucket"),
                Err(why) => format!("is not used: {why}"),
            };
            self.log(format!("{root}: remote {} {verdict}", remote.name), out);
        }
        if state.discovery.remotes.is_empty() {
            self.log(
                format!("{root}: the repository has no remotes, so there is no pull request to look for."),
                out,
            );
        }
    }

    /// Another branch, or another repository behind it: what was shown, and what is in flight, is no longer meant.
    pub(super) fn leave_review(&mut self, id: RepositoryId, out: &mut Vec<Effect>) {
        self.drop_review(id, out);
        let Some(state) = self.repositories.get_mut(&id) else { return };
        state.generation += 1;
        state.again = None;
        if state.busy.take().is_some_and(|busy| busy.shown) {
            out.push(Effect::Progress(Work::Repository(id), ProgressStep::End));
        }
    }

    /// What was shown is no longer meant.
    fn drop_review(&mut self, id: RepositoryId, out: &mut Vec<Effect>) {
        self.clear_published(id, out);
        let Some(state) = self.repositories.get_mut(&id) else { return };
        state.review = None;
        state.choices.clear();
        state.ended.clear();
        state.explanation.clear();
        state.chosen = None;
        state.searched = false;
        state.problem = None;
        state.placing += 1;
        self.lenses_dirty = true;
    }

    pub(super) fn git_changed(&mut self, id: RepositoryId, out: &mut Vec<Effect>) {
        if let Some(state) = self.repositories.get_mut(&id) {
            state.git_moved = true;
            let root = state.discovery.root.clone();
            out.push(self.discover(root));
        }
    }

    pub(super) fn refresh_all(&mut self, cause: Cause, out: &mut Vec<Effect>) {
        let ids: Vec<RepositoryId> = self.repositories.keys().copied().collect();
        for id in ids {
            self.refresh(id, cause, out);
        }
    }

    /// Begins a refresh, or lets it wait behind the one in flight.
    pub(super) fn refresh(&mut self, id: RepositoryId, cause: Cause, out: &mut Vec<Effect>) {
        let Some(state) = self.repositories.get_mut(&id) else { return };
        if state.busy.is_some() {
            state.again = state.again.max(Some(cause));
            return;
        }
        if !state.discovery.trusted || state.discovery.candidates.is_empty() {
            return;
        }
        let account = match &state.discovery.login {
            Ok(login) => login.id.clone(),
            Err(sentence) => {
                let sentence = sentence.clone();
                state.problem = Some(Problem {
                    trouble: Trouble::SignedOut,
                    sentence: sentence.clone(),
                    retry_after: None,
                });
                // By the clock only who signed out meanwhile comes here, and they know.
                if cause != Cause::Timer {
                    self.tell_once(MessageKind::Info, sentence, out);
                }
                return;
            }
        };
        let refused = state.problem.as_ref().is_some_and(|problem| problem.trouble.waits_for_user());
        if refused && cause == Cause::Timer {
            return;
        }
        state.generation += 1;
        state.busy = Some(Busy { generation: state.generation, cause, shown: false });
        out.push(Effect::Find {
            repository: id,
            generation: state.generation,
            candidates: state.discovery.candidates.clone(),
            checked_out: state.discovery.checked_out.clone(),
            head: state.discovery.head.clone(),
            // What the last one was does not change by the clock.
            explain: cause != Cause::Timer || !state.searched,
        });
        out.push(Effect::After(PATIENCE, Timer::StillBusy(id, state.generation)));
        let is_new = !self.people.contains_key(&account)
            && (cause == Cause::Command || !self.identify_asked.contains(&account));
        if is_new {
            self.identify_asked.insert(account);
            out.push(Effect::Identify(id));
        }
    }

    pub(super) fn still_busy(&mut self, id: RepositoryId, generation: u64, out: &mut Vec<Effect>) {
        let Some(state) = self.repositories.get_mut(&id) else { return };
        let Some(busy) = state.busy.as_mut().filter(|busy| busy.generation == generation && !busy.shown)
        else {
            return;
        };
        // A quiet clock stays quiet.
        if self.profile.progress && busy.cause != Cause::Timer {
            busy.shown = true;
            let title = "Bitbucket: reading the pull request".into();
            out.push(Effect::Progress(Work::Repository(id), ProgressStep::Begin(title)));
        }
    }

    /// Whether an outcome belongs to the refresh in flight.
    pub(super) fn is_current(&self, id: RepositoryId, generation: u64) -> bool {
        self.repositories
            .get(&id)
            .and_then(|state| state.busy.as_ref())
            .is_some_and(|busy| busy.generation == generation)
    }

    pub(super) fn found(
        &mut self,
        id: RepositoryId,
        generation: u64,
        outcome: Result<Found, Problem>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if !self.is_current(id, generation) {
            return;
        }
        let found = match outcome {
            Ok(found) => found,
            Err(problem) => return self.finish(id, Some(problem), now, out),
        };
        let Some(state) = self.repositories.get_mut(&id) else { return };
        state.searched = true;
        state.explanation = found.explanation;
        match found.ended {
            _ if !found.pull_requests.is_empty() => state.ended.clear(),
            Some(ended) => state.ended = ended,
            None => {}
        }
        state.choices = found.pull_requests;
        let chosen =
            state.chosen.and_then(|chosen| state.choices.iter().find(|(_, choice)| choice.id == chosen));
        let Some((name, pull_request)) = chosen.or(state.choices.first()).cloned() else {
            if state.review.is_some() {
                let keep = (std::mem::take(&mut state.explanation), std::mem::take(&mut state.ended));
                self.drop_review(id, out);
                if let Some(state) = self.repositories.get_mut(&id) {
                    (state.explanation, state.ended) = keep;
                    state.searched = true;
                }
            }
            return self.finish(id, None, now, out);
        };
        self.load_unless_same(id, name, pull_request, now, out);
    }

    /// Loads a pull request just read, unless it is shown already and nothing about it changed.
    fn load_unless_same(
        &mut self,
        id: RepositoryId,
        name: RepositoryName,
        pull_request: PullRequest,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(state) = self.repositories.get_mut(&id) else { return };
        let quiet = state.busy.as_ref().is_some_and(|busy| busy.cause <= Cause::Git);
        if let Some(review) = &mut state.review
            && quiet
            && review.name == name
            && review.pull_request.id == pull_request.id
            && review.fresh() == fresh(&pull_request)
            && state.polls_since_load < PROBES_BEFORE_LOAD
        {
            review.as_of = now;
            review.stale = None;
            return self.finish(id, None, now, out);
        }
        out.push(Effect::Load {
            repository: id,
            generation: state.generation,
            name,
            id: pull_request.id,
            known: Some(Box::new(pull_request)),
            builds: self.settings.builds_enabled,
        });
    }

    pub(super) fn loaded(
        &mut self,
        id: RepositoryId,
        generation: u64,
        outcome: Result<Box<Loaded>, Problem>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if !self.is_current(id, generation) {
            return;
        }
        let loaded = match outcome {
            Ok(loaded) => *loaded,
            Err(problem) => return self.finish(id, Some(problem), now, out),
        };
        let Some(state) = self.repositories.get_mut(&id) else { return };
        let Some(name) = state
            .choices
            .iter()
            .find(|(_, choice)| choice.id == loaded.pull_request.id)
            .map(|(name, _)| name.clone())
            .or_else(|| state.review.as_ref().map(|review| review.name.clone()))
        else {
            return self.finish(id, None, now, out);
        };
        let discussion = fold(loaded.comments, loaded.tasks);
        let account = state.discovery.login.as_ref().map(|login| login.id.clone()).unwrap_or_default();
        let mut review = Review::new(name, account, loaded.pull_request, discussion, loaded.at);
        review.statuses = loaded.statuses;
        review.unreadable = loaded.unreadable;
        review.incomplete = loaded.incomplete;
        let before = state.review.take();
        let paths: Vec<String> = before.iter().flat_map(|review| review.files.keys().cloned()).collect();
        if let Some(before) = before.filter(|before| before.pull_request.id == review.pull_request.id) {
            let places = before.places();
            review.lay_again(before.overlay, generation);
            // Until the threads are placed anew, those that were known stay where they were.
            review.respot(places, &HashSet::new());
        }
        if review.unreadable > 0 {
            let (count, id) = (review.unreadable, review.pull_request.id);
            out.push(Effect::Message(
                MessageKind::Log,
                format!("{count} objects of pull request {id} could not be read; they are shown as such."),
            ));
        }
        state.review = Some(review);
        state.polls_since_load = 0;
        self.dirty.extend(paths.into_iter().map(|path| (id, path)));
        self.everything_dirty();
        self.place(id, None, out);
        self.rewrite_own(id, now, out);
        self.reconcile_all(id, out);
        self.look_at_open_drafts(out);
        self.finish(id, None, now, out);
    }

    /// The refresh in flight is over; with a problem or without.
    pub(super) fn finish(
        &mut self,
        id: RepositoryId,
        problem: Option<Problem>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(state) = self.repositories.get_mut(&id) else { return };
        let Some(busy) = state.busy.take() else { return };
        if busy.shown {
            out.push(Effect::Progress(Work::Repository(id), ProgressStep::End));
        }
        let retry_after = problem.as_ref().and_then(|problem| problem.retry_after);
        let was = std::mem::replace(&mut state.problem, problem);
        match &state.problem {
            None => {
                state.failures = 0;
                if was.is_some() {
                    self.lenses_dirty = true;
                }
            }
            Some(problem) => {
                state.failures += 1;
                let (trouble, sentence) = (problem.trouble, problem.sentence.clone());
                if self.errors.back().is_none_or(|(_, last)| *last != sentence) {
                    self.errors.push_back((now, sentence.clone()));
                    if self.errors.len() > MOST_ERRORS {
                        self.errors.pop_front();
                    }
                }
                if let Some(review) = &mut state.review {
                    review.stale =
                        Some(Stale { offline: trouble == Trouble::Unreachable, why: sentence.clone() });
                    self.lenses_dirty = true;
                }
                // Trouble with the line is quiet, unless the user just asked; trouble with the account is said once.
                match (trouble, busy.cause) {
                    (Trouble::NeedsLogin, cause) => {
                        self.login_ended(id, &sentence, cause == Cause::Command, out);
                    }
                    (_, Cause::Command) => {
                        // What comes of the same wish by another way says it not once more.
                        self.said.insert(sentence.clone());
                        out.push(Effect::Message(MessageKind::Warning, sentence));
                    }
                    // Each try of the clock would say the same again; what follows the semicolon is only how long.
                    (Trouble::Unreachable, _) => {
                        let what = |sentence: &str| sentence.split(';').next().unwrap_or_default().to_owned();
                        if was.is_none_or(|was| what(&was.sentence) != what(&sentence)) {
                            self.log(sentence, out);
                        }
                    }
                    _ => self.tell_once(MessageKind::Warning, sentence, out),
                }
            }
        }
        self.schedule_poll(id, retry_after, out);
        if let Some(cause) = self.repositories.get_mut(&id).and_then(|state| state.again.take()) {
            self.refresh(id, cause, out);
        }
    }

    pub(super) fn picked(&mut self, id: RepositoryId, choice: Option<PullRequestId>, out: &mut Vec<Effect>) {
        let Some(choice) = choice else { return };
        let Some(state) = self.repositories.get_mut(&id) else { return };
        if !state.choices.iter().any(|(_, pull_request)| pull_request.id == choice) {
            return out.push(Effect::Message(
                MessageKind::Warning,
                format!("Pull request {choice} is not an open one of this branch; run Bitbucket: Show Status to see which are."),
            ));
        }
        let same = state.review.as_ref().is_some_and(|review| review.pull_request.id == choice);
        state.chosen = Some(choice);
        if !same {
            let (choices, explanation) = (state.choices.clone(), state.explanation.clone());
            self.leave_review(id, out);
            if let Some(state) = self.repositories.get_mut(&id) {
                (state.choices, state.explanation, state.searched) = (choices, explanation, true);
                state.chosen = Some(choice);
            }
            self.refresh(id, Cause::Command, out);
        }
    }
}
