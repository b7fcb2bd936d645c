//! The worker: performs effects and sends their outcome back as events. The only importer of the edge crates.
//!
//! It must not decide anything about reviews; that is the session's. It owns handles, never state.
//! Nothing here blocks the loop: every effect becomes a task of its own, or a message to one.

mod client;
mod discover;
mod documents;
mod files;
mod memo;
pub mod once;
mod placing;
mod reading;

use crate::effect::Effect;
use crate::event::{Discovery, Event, Location, RepositoryId, Trouble};
use crate::session::AccountState;
use bitbucket::{Client as Bitbucket, Origin};
use client::ForClient;
use memo::Memo;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;
use tokio::sync::mpsc;

/// What the server is given by the process around it.
#[derive(Clone)]
pub struct Environment {
    /// Where Bitbucket is.
    pub origin: Origin,
    /// Who asks; `Err` has the sentence to show where there is nobody.
    pub account: Result<credentials::Authorization, String>,
    /// The cache folder.
    pub cache: PathBuf,
    /// Deadlines and sizes of the connection to Bitbucket.
    pub limits: bitbucket::Options,
}

impl Environment {
    /// What the session is told of the account.
    pub fn account_state(&self) -> AccountState {
        match &self.account {
            Ok(_) => AccountState::SignedIn,
            Err(sentence) => AccountState::SignedOut(sentence.clone()),
        }
    }

    /// A client for Bitbucket.
    pub fn bitbucket(&self) -> Bitbucket {
        Bitbucket::new(self.origin.clone(), self.account.as_ref().ok().cloned(), self.limits.clone())
    }
}

/// What a task has to say; [`Worker::absorb`] makes events of it.
pub enum Outcome {
    /// An event as it is.
    Event(Box<Event>),
    /// A repository was looked for from a folder.
    Discovered(PathBuf, Result<Box<discover::Found>, String>),
    /// A document's repository was looked for.
    Located(String, PathBuf, Option<Box<discover::Located>>),
    /// The git folders and files that were looked at.
    Watched(Vec<(RepositoryId, git::Fingerprint)>, Stamps),
}

/// Files of work trees with their times and sizes; `None` for one that is not there.
type Stamps = HashMap<(RepositoryId, String), Option<(SystemTime, u64)>>;

struct Opened {
    git: git::Repository,
    /// As it was when its HEAD was read, or when it was last looked at since.
    fingerprint: git::Fingerprint,
    /// What was learned last, and by which look.
    discovery: Discovery,
    look: u64,
}

/// Performs effects.
pub struct Worker {
    bitbucket: Bitbucket,
    environment: Environment,
    to_client: mpsc::UnboundedSender<ForClient>,
    documents: mpsc::UnboundedSender<documents::Page>,
    show_document: Arc<AtomicBool>,
    outcomes: mpsc::UnboundedSender<Outcome>,
    inbox: Option<mpsc::UnboundedReceiver<Outcome>>,
    repositories: HashMap<RepositoryId, Opened>,
    next_id: u32,
    ids: HashMap<PathBuf, RepositoryId>,
    looks: u64,
    watching: bool,
    stamps: Stamps,
    memo: Arc<Memo>,
}

impl Worker {
    /// A worker that shows things to this client and sends its events there.
    pub fn new(
        client: tower_lsp::Client,
        events: mpsc::UnboundedSender<Event>,
        environment: Environment,
    ) -> Self {
        let (outcomes, inbox) = mpsc::unbounded_channel();
        let (to_client, for_client) = mpsc::unbounded_channel();
        let show_document = Arc::new(AtomicBool::new(false));
        let can = show_document.clone();
        tokio::spawn(client::send_all(client, for_client, events.clone(), move || {
            can.load(Ordering::Relaxed)
        }));
        let (documents, pages) = mpsc::unbounded_channel();
        tokio::spawn(documents::write_all(
            environment.cache.clone(),
            pages,
            events.clone(),
            to_client.clone(),
        ));
        Self {
            bitbucket: environment.bitbucket(),
            environment,
            to_client,
            documents,
            show_document,
            outcomes,
            inbox: Some(inbox),
            repositories: HashMap::new(),
            next_id: 0,
            ids: HashMap::new(),
            looks: 0,
            watching: false,
            stamps: Stamps::new(),
            memo: Arc::default(),
        }
    }

    /// The outcomes of its tasks; can be taken once.
    pub fn take_outcomes(&mut self) -> mpsc::UnboundedReceiver<Outcome> {
        self.inbox.take().unwrap_or_else(|| mpsc::unbounded_channel().1)
    }

    /// Keeps what an outcome brought, and says what the session should hear of it.
    pub fn absorb(&mut self, outcome: Outcome) -> Vec<Event> {
        match outcome {
            Outcome::Event(event) => vec![*event],
            Outcome::Discovered(path, Ok(found)) => {
                let found = self.keep(*found);
                vec![Event::Discovered(path, Ok(found))]
            }
            Outcome::Discovered(path, Err(why)) => vec![Event::Discovered(path, Err(why))],
            Outcome::Located(uri, _, None) => vec![Event::Belongs(uri, None)],
            Outcome::Located(uri, file, Some(located)) => {
                let discover::Located { found, path, is_new } = *located;
                let known =
                    self.ids.get(&found.place).copied().filter(|id| self.repositories.contains_key(id));
                let mut events = Vec::new();
                let id = known.unwrap_or_else(|| {
                    let (id, discovery) = self.keep(found);
                    events.push(Event::Discovered(file, Ok((id, discovery))));
                    id
                });
                events.push(Event::Belongs(uri, path.map(|path| Location { repository: id, path, is_new })));
                events
            }
            Outcome::Watched(seen, stamps) => {
                self.watching = false;
                let mut changed = self.changed_files(stamps);
                for (id, fingerprint) in seen {
                    let Some(opened) = self.repositories.get_mut(&id) else { continue };
                    if std::mem::replace(&mut opened.fingerprint, fingerprint) != opened.fingerprint {
                        changed.push(Event::GitChanged(id));
                    }
                }
                changed
            }
        }
    }

    fn keep(&mut self, found: discover::Found) -> (RepositoryId, Discovery) {
        let discover::Found { look, repository: mut git, place, fingerprint, mut discovery } = found;
        let id = *self.ids.entry(place).or_insert_with(|| {
            self.next_id += 1;
            RepositoryId(self.next_id)
        });
        match self.repositories.remove(&id) {
            Some(known) if known.look > look => {
                let discovery = known.discovery.clone();
                self.repositories.insert(id, known);
                return (id, discovery);
            }
            Some(known) if known.git.git_dir() != git.git_dir() => {
                // The same through a symbolic link: its files keep the paths under which they were shown first.
                git = known.git;
                discovery.root = discover::root(&git);
            }
            _ => {}
        }
        self.repositories.insert(id, Opened { git, fingerprint, discovery: discovery.clone(), look });
        (id, discovery)
    }

    /// Begins an effect; what comes of it follows as an outcome.
    pub fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::PullSettings => self.client(ForClient::PullSettings),
            Effect::RegisterForSettings => self.client(ForClient::RegisterForSettings),
            Effect::Discover { path, preferred_remotes } => {
                let web = self.environment.origin.web_host();
                let look = self.next_look();
                let failed = Outcome::Discovered(path.clone(), Err(fault()));
                let work = move || {
                    let found = discover::repository(&path, &preferred_remotes, &web, look);
                    Outcome::Discovered(path, found.map(Box::new))
                };
                self.blocking(work, failed);
            }
            Effect::Locate { uri, path, preferred_remotes } => {
                let web = self.environment.origin.web_host();
                let look = self.next_look();
                let failed = Outcome::Located(uri.clone(), path.clone(), None);
                let work = move || {
                    let found = discover::repository(&path, &preferred_remotes, &web, look).ok();
                    let located = found.map(|found| Box::new(discover::locate(found, &path)));
                    Outcome::Located(uri, path, located)
                };
                self.blocking(work, failed);
            }
            Effect::Forget(id) => {
                self.repositories.remove(&id);
                // If it comes back it is another one: what is in flight for this one is not meant for that.
                self.ids.retain(|_, known| *known != id);
            }
            Effect::Watch(files) => self.watch(files),
            Effect::Reconnect => self.bitbucket.reconnect(),
            Effect::Identify => {
                let bitbucket = self.bitbucket.clone();
                self.task(async move { Event::Identified(reading::identify(&bitbucket).await) }, None);
            }
            Effect::DescribeAccount => {
                let lines = reading::describe(&self.environment, &self.bitbucket);
                self.send(Event::Account(lines));
            }
            Effect::Find { repository, generation, candidates, checked_out, head, explain } => {
                let bitbucket = self.bitbucket.clone();
                let work = async move {
                    let found =
                        reading::find(&bitbucket, &candidates, &checked_out, head.as_deref(), explain).await;
                    Event::Found(repository, generation, found)
                };
                self.task(work, Some(Event::Found(repository, generation, Err(faulty()))));
            }
            Effect::Load { repository, generation, name, id, known, builds } => {
                let bitbucket = self.bitbucket.clone();
                let work = async move {
                    let loaded =
                        reading::load(&bitbucket, &name, id, known.map(|known| *known), builds).await;
                    Event::Loaded(repository, generation, loaded.map(Box::new))
                };
                self.task(work, Some(Event::Loaded(repository, generation, Err(faulty()))));
            }
            Effect::Probe { repository, generation, name, id } => {
                let bitbucket = self.bitbucket.clone();
                let work = async move {
                    Event::Probed(repository, generation, reading::probe(&bitbucket, &name, id).await)
                };
                self.task(work, Some(Event::Probed(repository, generation, Err(faulty()))));
            }
            Effect::Place(placing) => {
                let Some(opened) = self.repositories.get(&placing.repository) else { return };
                let (git, bitbucket, memo) = (opened.git.clone(), self.bitbucket.clone(), self.memo.clone());
                self.task(async move { placing::place(git, bitbucket, memo, *placing).await }, None);
            }
            Effect::Publish { uri, path, version, diagnostics } => {
                if let Some(uri) = client::uri_or_path(uri, &path) {
                    self.client(ForClient::Publish { uri, version, diagnostics });
                }
            }
            Effect::RefreshLenses => self.client(ForClient::RefreshLenses),
            Effect::RefreshInlays => self.client(ForClient::RefreshInlays),
            Effect::Message(kind, text) => self.client(ForClient::Message(kind, text)),
            Effect::ShowText { name, text, line, show } => {
                // The one who takes them lives as long as this.
                let _ = self.documents.send(documents::Page { name, text, line, show });
            }
            Effect::ShowFile { uri, path, line } => {
                if let Some(uri) = client::uri_or_path(uri, &path) {
                    self.client(ForClient::ShowFile { uri, line, external: false });
                }
            }
            Effect::OpenPage(uri) => self.client(ForClient::ShowFile { uri, line: 0, external: true }),
            Effect::AskPullRequest { repository, question, choices } => {
                self.client(ForClient::AskPullRequest { repository, question, choices });
            }
            Effect::CanShowDocuments(can) => self.show_document.store(can, Ordering::Relaxed),
            Effect::Progress(id, step) => self.client(ForClient::Progress(id, step)),
            Effect::After(delay, timer) => {
                let timed = async move {
                    tokio::time::sleep(delay).await;
                    Event::Timer(timer)
                };
                self.task(timed, None);
            }
        }
    }

    fn next_look(&mut self) -> u64 {
        self.looks += 1;
        self.looks
    }

    fn watch(&mut self, files: Vec<(RepositoryId, String)>) {
        // A slow disk must not pile up looks.
        if std::mem::replace(&mut self.watching, true) {
            return;
        }
        let repositories: HashMap<RepositoryId, git::Repository> =
            self.repositories.iter().map(|(id, opened)| (*id, opened.git.clone())).collect();
        let work = move || {
            let stamp = |id: &RepositoryId, path: &str| {
                let metadata = std::fs::metadata(repositories.get(id)?.work_path(path)?).ok()?;
                Some((metadata.modified().ok()?, metadata.len()))
            };
            let stamps = files.into_iter().map(|(id, path)| (stamp(&id, &path), id, path));
            let stamps = stamps.map(|(stamp, id, path)| ((id, path), stamp)).collect();
            Outcome::Watched(repositories.iter().map(|(id, git)| (*id, git.fingerprint())).collect(), stamps)
        };
        self.blocking(work, Outcome::Watched(Vec::new(), Stamps::new()));
    }

    /// Files that were looked at before and are different now.
    fn changed_files(&mut self, stamps: Stamps) -> Vec<Event> {
        let before = std::mem::replace(&mut self.stamps, stamps);
        let mut changed: HashMap<RepositoryId, Vec<String>> = HashMap::new();
        for (file, stamp) in &self.stamps {
            if before.get(file).is_some_and(|before| before != stamp) {
                changed.entry(file.0).or_default().push(file.1.clone());
            }
        }
        changed.into_iter().map(|(id, paths)| Event::FilesChanged(id, paths)).collect()
    }

    fn client(&self, work: ForClient) {
        let _ = self.to_client.send(work);
    }

    fn send(&self, event: Event) {
        let _ = self.outcomes.send(Outcome::Event(Box::new(event)));
    }

    /// `failed` is what the session hears if the task ends by a fault: nothing may wait for it for ever.
    fn task(&self, work: impl Future<Output = Event> + Send + 'static, failed: Option<Event>) {
        let outcomes = self.outcomes.clone();
        let work = tokio::spawn(work);
        tokio::spawn(async move {
            if let Some(event) = work.await.ok().or(failed) {
                let _ = outcomes.send(Outcome::Event(Box::new(event)));
            }
        });
    }

    fn blocking(&self, work: impl FnOnce() -> Outcome + Send + 'static, failed: Outcome) {
        let outcomes = self.outcomes.clone();
        let work = tokio::task::spawn_blocking(work);
        tokio::spawn(async move {
            let _ = outcomes.send(work.await.unwrap_or(failed));
        });
    }
}

fn fault() -> String {
    "The server has a fault; please report what its log says.".into()
}

fn faulty() -> crate::event::Problem {
    crate::event::Problem { trouble: Trouble::Other, sentence: fault(), retry_after: None }
}

/// What the session does about an error of the REST edge.
fn problem(error: &bitbucket::Error) -> crate::event::Problem {
    use bitbucket::Error;
    let trouble = match error {
        Error::SignedOut => Trouble::SignedOut,
        Error::Unauthorized { .. } | Error::MissingScope { .. } | Error::Forbidden => Trouble::Refused,
        Error::NotFound => Trouble::NotFound,
        error if error.is_passing() => Trouble::Unreachable,
        _ => Trouble::Other,
    };
    let retry_after = match error {
        Error::RateLimited { retry_after } => Some(retry_after.as_secs()),
        Error::Offline { retry_after, .. } => retry_after.map(|wait| wait.as_secs()),
        _ => None,
    };
    crate::event::Problem { trouble, sentence: sentence(error), retry_after }
}

/// An error's sentence for a person; it may quote what was answered, so it is made safe.
fn sentence(error: &bitbucket::Error) -> String {
    pull_request::view::markdown::plain(&error.sentence(), 600)
}
