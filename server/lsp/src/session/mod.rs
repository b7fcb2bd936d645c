//! The session: the one owner of state, a machine from events to effects.
//!
//! It must not do I/O, read a clock, or name an edge crate (`bitbucket`, `git`, `credentials`) or LSP types.
//! `handle` takes one event; `settle` is called when no more events are ready and publishes what changed, once.

mod account;
mod acting;
mod commands;
mod documents;
mod drafts;
mod overlay;
mod own_documents;
mod placing;
mod polling;
mod reading;
mod review;
mod sending;
mod showing;
mod status;
mod suggesting;
#[cfg(test)]
mod tests;
mod writing;

use crate::config::Settings;
use crate::effect::{Effect, MessageKind, ProgressStep, Work};
use crate::event::{Candidates, ClientProfile, Event, RepositoryId, Timer, Trouble};
use crate::writing::{DraftName, WriteId};
use documents::Document;
use own_documents::OwnDocument;
use pull_request::model::{RepositoryName, Timestamp, User};
use review::RepositoryState;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

/// How often git folders are looked at.
const WATCH_EVERY: Duration = Duration::from_secs(2);

/// Files of one repository that are looked at on disk for changes by other programs.
const MOST_WATCHED: usize = 300;

/// All state of the server.
pub struct Session {
    profile: ClientProfile,
    settings: Settings,
    /// The stored accounts: id and name.
    accounts: Vec<(String, String)>,
    /// Who the accounts belong to, by the id of each.
    people: HashMap<String, User>,
    /// The accounts that Bitbucket was asked about.
    identify_asked: HashSet<String>,
    sign_in: Option<account::SignIn>,
    sign_ins: u64,
    /// The latest problems, with when they were met.
    errors: VecDeque<(Timestamp, String)>,
    comments_shown: bool,
    folders: Vec<PathBuf>,
    documents: HashMap<String, Document>,
    repositories: BTreeMap<RepositoryId, RepositoryState>,
    undiscovered: BTreeMap<PathBuf, String>,
    own: BTreeMap<String, OwnDocument>,
    focus: Option<String>,
    /// Where Next or Previous Comment went last, for clients that do not say where the cursor is.
    last_stop: Option<(RepositoryId, String, u32)>,
    said: HashSet<String>,
    /// Files whose diagnostics may have changed since the last `settle`.
    dirty: BTreeSet<(RepositoryId, String)>,
    lenses_dirty: bool,
    /// What was published last, by file: the same is not sent twice.
    published: HashMap<(RepositoryId, String), Published>,
    /// Counts the texts of documents.
    revisions: u64,
    /// The drafts on disk.
    drafts: BTreeMap<DraftName, drafts::Known>,
    /// The list of drafts is to be shown once they are read.
    list_wanted: bool,
    /// What can be named in texts, by repository.
    candidates: HashMap<RepositoryName, Candidates>,
    /// What is being written.
    writes: HashMap<WriteId, writing::Pending>,
    /// Counts what was ever written.
    n_writes: u64,
}

/// What was published of a file.
struct Published {
    /// Under which URI: that of the client while the file is open.
    uri: String,
    /// What it was.
    hash: u64,
    /// Whether it was nothing.
    is_empty: bool,
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

impl Session {
    /// A session before `initialized`.
    pub fn new() -> Self {
        Self {
            profile: ClientProfile::default(),
            settings: Settings::default(),
            accounts: Vec::new(),
            people: HashMap::new(),
            identify_asked: HashSet::new(),
            sign_in: None,
            sign_ins: 0,
            errors: VecDeque::new(),
            comments_shown: true,
            folders: Vec::new(),
            documents: HashMap::new(),
            repositories: BTreeMap::new(),
            undiscovered: BTreeMap::new(),
            own: BTreeMap::new(),
            focus: None,
            last_stop: None,
            said: HashSet::new(),
            dirty: BTreeSet::new(),
            lenses_dirty: false,
            published: HashMap::new(),
            revisions: 0,
            drafts: BTreeMap::new(),
            list_wanted: false,
            candidates: HashMap::new(),
            writes: HashMap::new(),
            n_writes: 0,
        }
    }

    /// Takes one event at the time `now`; says what is to be done.
    pub fn handle(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        let mut out = Vec::new();
        self.dispatch(event, now, &mut out);
        out
    }

    fn dispatch(&mut self, event: Event, now: Timestamp, out: &mut Vec<Effect>) {
        match event {
            Event::Started(profile, folders, options) => self.start(profile, folders, &options, out),
            Event::Folders(added, removed) => self.change_folders(added, &removed, out),
            Event::Settings(value) => self.take_settings(&value, out),
            Event::SettingsChanged => out.push(Effect::PullSettings),
            Event::Opened { uri, path, version, text } => {
                self.open(uri.clone(), path, version, &text, out);
                self.opened_draft(&uri, out);
                // What a document of ours shows may have changed while the editor was opening it.
                if let Some(id) = self.own_document(&uri).and_then(|own| own.repository) {
                    self.rewrite_own(id, now, out);
                }
            }
            Event::Changed(uri, version, changes) => {
                self.change(&uri, version, changes, out);
                self.take_pasted(&uri, out);
                self.typed_in_draft(&uri, version, out);
            }
            Event::Saved(uri) => self.place_document(&uri, out),
            Event::Closed(uri) => {
                self.closed_draft(&uri, out);
                self.close(&uri, out);
            }
            Event::Hover(uri, position, reply) => {
                let _ = reply.send(self.hover(&uri, position, now));
            }
            Event::Lenses(uri, reply) => {
                let _ = reply.send(self.lenses(&uri, now));
            }
            Event::Actions(uri, selected, reply) => {
                let _ = reply.send(self.actions(&uri, selected, now));
            }
            Event::Complete(uri, position, reply) => {
                let _ = reply.send(self.complete(&uri, position));
            }
            Event::Inlays(uri, first, last, reply) => {
                let _ = reply.send(self.inlays(&uri, first, last, now));
            }
            Event::Symbols(uri, reply) => {
                let _ = reply.send(self.symbols(&uri));
            }
            Event::Links(uri, reply) => {
                let _ = reply.send(self.links(&uri));
            }
            Event::Command(call, reply) => {
                let _ = reply.send(self.command(&call, now, out));
            }
            Event::Discovered(path, outcome) => self.discovered(path, outcome, out),
            Event::Belongs(uri, location) => self.belongs(&uri, location, out),
            Event::Identified(account, user) => match user {
                Ok(user) => {
                    self.people.insert(account, user);
                    self.everything_dirty();
                }
                Err(problem) if problem.trouble == Trouble::Unreachable => {
                    self.identify_asked.remove(&account);
                }
                Err(problem) => {
                    self.log(format!("Who is signed in could not be read. {}", problem.sentence), out)
                }
            },
            Event::Found(id, generation, outcome) => self.found(id, generation, outcome, now, out),
            Event::Loaded(id, generation, outcome) => self.loaded(id, generation, outcome, now, out),
            Event::Probed(id, generation, outcome) => self.probed(id, generation, outcome, now, out),
            Event::Placed(id, generation, texts, places) => {
                self.placed(id, generation, &texts, places, now, out)
            }
            Event::GitChanged(id) => self.git_changed(id, out),
            Event::FilesChanged(id, paths) => self.place(id, Some(paths), out),
            Event::Answered(question, choice) => self.answered(question, choice, now, out),
            Event::Accounts(accounts, logins) => self.take_accounts(accounts, logins, out),
            Event::SignIn(id, step) => self.signed_in_step(id, step, now, out),
            Event::CancelSignIn(id) => self.cancelled_by_progress(id, out),
            Event::AccountChanged(outcome) => self.account_changed(outcome, out),
            Event::Written(name, path) => self.written(&name, path),
            Event::DraftsMoved => out.push(Effect::ReadDrafts),
            Event::Drafts(files) => self.take_drafts(files, now, out),
            Event::DraftMade(id, outcome) => self.draft_made(id, outcome, now, out),
            Event::Anchored(id, outcome) => self.anchored(id, outcome, now, out),
            Event::Sent(id, sent) => self.sent(id, *sent, now, out),
            Event::ChangeMade(id, outcome) => self.change_made(id, outcome, now, out),
            Event::Discarded(name, outcome) => self.discarded(&name, outcome, now, out),
            Event::EditTaken(id, taken) => self.edit_taken(id, taken, out),
            Event::Candidates(name, candidates) => self.take_candidates(name, candidates, out),
            Event::Account(lines) => self.show_status(&lines, now, out),
            Event::Timer(timer) => self.timer(timer, out),
        }
    }

    fn start(
        &mut self,
        profile: ClientProfile,
        folders: Vec<PathBuf>,
        options: &serde_json::Value,
        out: &mut Vec<Effect>,
    ) {
        self.profile = profile;
        out.push(Effect::CanShowDocuments(self.profile.show_document));
        self.take_settings(options, out);
        if self.profile.configuration {
            if self.profile.settings_registration {
                out.push(Effect::RegisterForSettings);
            }
            out.push(Effect::PullSettings);
        }
        self.change_folders(folders, &[], out);
        out.push(Effect::ReadDrafts);
        out.push(Effect::After(WATCH_EVERY, Timer::Watch));
    }

    fn change_folders(&mut self, added: Vec<PathBuf>, removed: &[PathBuf], out: &mut Vec<Effect>) {
        self.folders.retain(|folder| !removed.contains(folder));
        for folder in added {
            if !self.folders.contains(&folder) {
                self.folders.push(folder.clone());
                out.push(self.discover(folder));
            }
        }
        self.undiscovered.retain(|path, _| !removed.contains(path));
        self.forget_unused(out);
    }

    /// Lets go of repositories that no folder and no open document is in.
    fn forget_unused(&mut self, out: &mut Vec<Effect>) {
        let in_folder = |state: &RepositoryState| {
            self.folders.iter().any(|folder| {
                folder.starts_with(&state.discovery.root) || state.discovery.root.starts_with(folder)
            }) || state.found_from.iter().any(|path| self.folders.contains(path))
        };
        let in_document = |id: RepositoryId| {
            self.documents
                .values()
                .any(|document| document.location.as_ref().is_some_and(|at| at.repository == id))
        };
        let unused: Vec<RepositoryId> = self
            .repositories
            .iter()
            .filter(|(id, state)| {
                !in_folder(state) && !in_document(**id) && !self.is_drafted_in(&state.discovery.root)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in unused {
            self.forget(id, out);
        }
    }

    /// Lets go of a repository and of all that is shown of it.
    fn forget(&mut self, id: RepositoryId, out: &mut Vec<Effect>) {
        self.clear_published(id, out);
        let state = self.repositories.remove(&id);
        if state.and_then(|state| state.busy).is_some_and(|busy| busy.shown) {
            out.push(Effect::Progress(Work::Repository(id), ProgressStep::End));
        }
        self.own.retain(|_, own| own.repository != Some(id));
        out.push(Effect::Forget(id));
        self.lenses_dirty = true;
    }

    fn take_settings(&mut self, value: &serde_json::Value, out: &mut Vec<Effect>) {
        let (settings, problems) = Settings::read(value);
        for problem in problems {
            self.tell_once(MessageKind::Warning, problem, out);
        }
        if settings == self.settings {
            return;
        }
        let before = std::mem::replace(&mut self.settings, settings);
        if before.preferred_remotes != self.settings.preferred_remotes {
            // The folders too: they may still be being looked at, by the former order.
            let roots = self.repositories.values().map(|state| &state.discovery.root);
            let paths: BTreeSet<PathBuf> = roots.chain(&self.folders).cloned().collect();
            out.extend(paths.into_iter().map(|path| self.discover(path)));
            out.extend(self.documents.iter().filter_map(|(uri, document)| self.locate_again(uri, document)));
        }
        if before.builds_enabled != self.settings.builds_enabled {
            self.refresh_all(review::Cause::Command, out);
        }
        if before.refresh_interval != self.settings.refresh_interval {
            let ids: Vec<RepositoryId> = self.repositories.keys().copied().collect();
            for id in ids {
                self.schedule_poll(id, None, out);
            }
        }
        // Switched off, they are asked for a last time, so that those on screen go; later settling leaves them alone.
        if before.code_lens_enabled && !self.settings.code_lens_enabled && self.profile.lens_refresh {
            out.push(Effect::RefreshLenses);
        }
        if before.inlay_hints_enabled && !self.settings.inlay_hints_enabled && self.profile.inlay_refresh {
            out.push(Effect::RefreshInlays);
        }
        self.everything_dirty();
    }

    fn timer(&mut self, timer: Timer, out: &mut Vec<Effect>) {
        match timer {
            Timer::Watch => {
                out.push(Effect::Watch(self.watched_files()));
                out.push(Effect::After(WATCH_EVERY, Timer::Watch));
            }
            Timer::Poll(id, clock) => self.poll(id, clock, out),
            Timer::TypingPaused(uri, version) => {
                let current = self.documents.get(&uri).filter(|document| document.version == version);
                if let Some(document) = current {
                    // Also where no comment moves: a line that is longer now has other columns.
                    self.dirty.extend(document.location.as_ref().map(|at| (at.repository, at.path.clone())));
                    self.place_document(&uri, out);
                }
            }
            Timer::PlaceAgain(id, placing) => {
                if self.repositories.get(&id).is_some_and(|state| state.placing == placing) {
                    self.place(id, None, out);
                }
            }
            Timer::StillBusy(id, generation) => self.still_busy(id, generation, out),
            Timer::DraftPaused(uri, version) => self.draft_paused(&uri, version, out),
        }
    }

    /// Called when no more events are ready: publishes what changed, once for a burst.
    pub fn settle(&mut self, now: Timestamp) -> Vec<Effect> {
        let mut out = Vec::new();
        for (id, path) in std::mem::take(&mut self.dirty) {
            self.publish(id, &path, now, &mut out);
        }
        if std::mem::take(&mut self.lenses_dirty) {
            if self.profile.lens_refresh && self.settings.code_lens_enabled {
                out.push(Effect::RefreshLenses);
            }
            if self.profile.inlay_refresh && self.settings.inlay_hints_enabled {
                out.push(Effect::RefreshInlays);
            }
        }
        out
    }

    /// Files with comments that are not open: what other programs do to them is seen on disk only.
    fn watched_files(&self) -> Vec<(RepositoryId, String)> {
        let mut files = Vec::new();
        for (id, state) in &self.repositories {
            let open = |path: &str| self.uri_of(*id, path).is_some();
            let closed = state.paths().filter(|path| !open(path)).take(MOST_WATCHED);
            files.extend(closed.map(|path| (*id, path.to_owned())));
        }
        files
    }

    fn everything_dirty(&mut self) {
        for (id, state) in &self.repositories {
            self.dirty.extend(state.paths().map(|path| (*id, path.to_owned())));
        }
        self.lenses_dirty = true;
    }

    fn discover(&self, path: PathBuf) -> Effect {
        Effect::Discover { path, preferred_remotes: self.settings.preferred_remotes.clone() }
    }

    fn log(&self, text: String, out: &mut Vec<Effect>) {
        out.push(Effect::Message(MessageKind::Log, text));
    }

    /// Says a sentence once in a session: what is true for long must not be repeated at each refresh.
    fn tell_once(&mut self, kind: MessageKind, text: String, out: &mut Vec<Effect>) {
        if self.said.insert(text.clone()) {
            out.push(Effect::Message(kind, text));
        }
    }
}
