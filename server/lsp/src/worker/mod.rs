//! The worker: performs effects and sends their outcome back as events. The only importer of the edge crates.
//!
//! It must not decide anything about reviews; that is the session's. It owns handles, never state.
//! Nothing here blocks the loop: every effect becomes a task of its own, or a message to one.

mod about;
pub mod accounts;
mod anchoring;
mod browser;
mod client;
pub mod credential;
mod discover;
mod documents;
mod draft_files;
mod environment;
mod files;
pub mod keeping;
mod logins;
mod memo;
pub mod once;
mod placing;
mod reading;
pub mod sign_in;
pub mod terminal;
mod writing;

use crate::effect::Effect;
use crate::event::{Discovery, Event, Location, RepositoryId, Trouble};
use ::drafts::Drafts;
use accounts::{Accounts, Known, Oauth, Who};
use bitbucket::{Client as Bitbucket, Origin};
pub use browser::Browser;
use client::ForClient;
use credentials::Authorization;
use credentials::store::Store;
pub use credentials::{Redactor, Secret};
use logins::SigningIn;
use memo::Memo;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;

/// What the server is given by the process around it.
#[derive(Clone)]
pub struct Environment {
    /// Where Bitbucket is.
    pub origin: Origin,
    /// The account of the environment, if it names one; an error (a sentence to show): nothing may be sent at all.
    pub account: Result<Option<Authorization>, String>,
    /// The user's file, in a sentence: read, absent, or why it could not be read.
    pub config: Result<String, String>,
    /// How to sign in by OAuth.
    pub oauth: Oauth,
    /// Where tokens are kept.
    pub store: Arc<dyn Store>,
    /// Where they may have been kept before: signing out removes them there too.
    pub other_stores: Vec<Arc<dyn Store>>,
    /// The folder of the list of accounts.
    pub state: PathBuf,
    /// The cache folder.
    pub cache: PathBuf,
    /// What opens web pages where the editor does not.
    pub browser: Browser,
    /// Learns each secret, for the log.
    pub redactor: Redactor,
    /// Deadlines and sizes of the connection to Bitbucket.
    pub limits: bitbucket::Options,
    /// How long is waited before each look for a text whose answer was lost.
    pub looks: Vec<Duration>,
}

/// What a task has to say; [`Worker::absorb`] makes events of it.
pub enum Outcome {
    /// An event as it is.
    Event(Box<Event>),
    /// A repository was looked for from a folder.
    Discovered(PathBuf, Result<Box<discover::Found>, String>),
    /// A document's repository was looked for.
    Located(String, PathBuf, Option<Box<discover::Located>>),
    /// The git folders and files that were looked at, when the list of accounts was written, and what names the state of
    /// the folder of drafts.
    Watched(Vec<(RepositoryId, git::Fingerprint)>, Stamps, Option<accounts::Stamp>, Option<u64>),
    /// The list of accounts was read anew.
    Accounts(Known, Option<accounts::Stamp>),
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
    /// Who asks Bitbucket for it.
    who: Option<Who>,
}

/// Performs effects.
pub struct Worker {
    accounts: Accounts,
    /// The stored accounts, as they were last read.
    known: Known,
    accounts_stamp: Option<accounts::Stamp>,
    /// What named the state of the folder of drafts when it was looked at last.
    drafts_stamp: Option<u64>,
    /// The connections, one for each account.
    clients: HashMap<Option<Who>, Bitbucket>,
    signing_in: Option<SigningIn>,
    to_client: mpsc::UnboundedSender<ForClient>,
    documents: mpsc::UnboundedSender<documents::Page>,
    draft_orders: mpsc::UnboundedSender<draft_files::Order>,
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
    /// Held by each task until its outcome is sent.
    busy: Arc<()>,
}

impl Worker {
    /// A worker that shows things to this client and sends its events there.
    pub fn new(
        client: tower_lsp::Client,
        events: mpsc::UnboundedSender<Event>,
        environment: Environment,
    ) -> Self {
        let (to_client, for_client) = mpsc::unbounded_channel();
        let (documents, pages) = mpsc::unbounded_channel();
        let worker = Self::with(to_client.clone(), documents, environment);
        let can = worker.show_document.clone();
        let environment = worker.accounts.environment();
        let can = move || can.load(Ordering::Relaxed);
        tokio::spawn(client::send_all(client, for_client, events.clone(), can, environment.browser.clone()));
        tokio::spawn(documents::write_all(environment.cache.clone(), pages, events, to_client));
        worker
    }

    /// A worker without a client: what it would show goes nowhere.
    pub fn without_client(environment: Environment) -> Self {
        Self::with(mpsc::unbounded_channel().0, mpsc::unbounded_channel().0, environment)
    }

    fn with(
        to_client: mpsc::UnboundedSender<ForClient>,
        documents: mpsc::UnboundedSender<documents::Page>,
        environment: Environment,
    ) -> Self {
        let (outcomes, inbox) = mpsc::unbounded_channel();
        let (draft_orders, orders) = mpsc::unbounded_channel();
        let accounts = Accounts::new(environment);
        let drafts = drafts_in(accounts.environment());
        tokio::spawn(draft_files::serve(drafts, orders, outcomes.clone(), to_client.clone()));
        Self {
            draft_orders,
            accounts_stamp: accounts.stamp(),
            drafts_stamp: draft_files::stamp(&accounts.environment().state.join(DRAFTS)),
            known: accounts.load(),
            accounts,
            clients: HashMap::new(),
            signing_in: None,
            to_client,
            documents,
            show_document: Arc::default(),
            outcomes,
            inbox: Some(inbox),
            repositories: HashMap::new(),
            next_id: 0,
            ids: HashMap::new(),
            looks: 0,
            watching: false,
            stamps: Stamps::new(),
            memo: Arc::default(),
            busy: Arc::default(),
        }
    }

    /// Whether nothing that was begun is still to be heard of, timers aside.
    pub fn is_idle(&self) -> bool {
        Arc::strong_count(&self.busy) == 1
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
                let (id, discovery) = self.keep(*found);
                vec![Event::Discovered(path, Ok((id, Box::new(discovery))))]
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
                    events.push(Event::Discovered(file, Ok((id, Box::new(discovery)))));
                    id
                });
                events.push(Event::Belongs(uri, path.map(|path| Location { repository: id, path, is_new })));
                events
            }
            Outcome::Accounts(known, stamp) => self.take_accounts(known, stamp),
            Outcome::Watched(seen, stamps, accounts, drafts) => {
                self.watching = false;
                if accounts != self.accounts_stamp {
                    self.read_accounts();
                }
                let mut changed = self.changed_files(stamps);
                if std::mem::replace(&mut self.drafts_stamp, drafts) != drafts {
                    changed.push(Event::DraftsMoved);
                }
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

    /// The connection for a repository, as the account that was chosen for it.
    fn bitbucket(&mut self, id: RepositoryId) -> Bitbucket {
        let who = self.repositories.get(&id).and_then(|opened| opened.who.clone());
        let make = || self.accounts.client(who.as_ref());
        self.clients.entry(who.clone()).or_insert_with(make).clone()
    }

    fn keep(&mut self, found: discover::Found) -> (RepositoryId, Discovery) {
        let discover::Found { look, repository: mut git, place, fingerprint, mut discovery } = found;
        let (who, login) = match self.accounts.choose(&self.known, &discovery) {
            Ok((who, login)) => (Some(who), Ok(login)),
            Err(sentence) => (None, Err(sentence)),
        };
        discovery.login = login;
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
        self.repositories.insert(id, Opened { git, fingerprint, discovery: discovery.clone(), look, who });
        (id, discovery)
    }

    /// Begins an effect; what comes of it follows as an outcome.
    pub fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::PullSettings => self.client(ForClient::PullSettings),
            Effect::RegisterForSettings => self.client(ForClient::RegisterForSettings),
            Effect::Discover { path, preferred_remotes } => {
                let web = self.accounts.environment().origin.web_host();
                let look = self.next_look();
                let failed = Outcome::Discovered(path.clone(), Err(fault()));
                let work = move || {
                    let found = discover::repository(&path, &preferred_remotes, &web, look);
                    Outcome::Discovered(path, found.map(Box::new))
                };
                self.blocking(work, failed);
            }
            Effect::Locate { uri, path, preferred_remotes } => {
                let web = self.accounts.environment().origin.web_host();
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
            Effect::Reconnect => {
                self.accounts.refresher().try_again_now();
                self.clients.values().for_each(Bitbucket::reconnect);
            }
            Effect::Identify(id) => {
                let bitbucket = self.bitbucket(id);
                let login = self.repositories.get(&id).map(|opened| &opened.discovery.login);
                let Some(account) = login.and_then(|login| Some(login.as_ref().ok()?.id.clone())) else {
                    return;
                };
                let identify = async move { Event::Identified(account, reading::identify(&bitbucket).await) };
                self.task(identify, None);
            }
            Effect::SignIn(id, way) => self.sign_in(id, way),
            Effect::PasteAddress(address) => self.order(sign_in::Order::Paste(address)),
            Effect::CancelSignIn => self.order(sign_in::Order::Cancel),
            Effect::SignOut(account) => {
                let accounts = self.accounts.clone();
                self.change_account(async move { keeping::out(&accounts, &account).await });
            }
            Effect::UseAccount(account, repository) => {
                let accounts = self.accounts.clone();
                let opened = repository.and_then(|id| self.repositories.get(&id));
                let discovery = opened.map(|opened| opened.discovery.clone());
                self.change_account(async move {
                    keeping::use_for(&accounts, &account, discovery.as_ref()).await
                });
            }
            Effect::DescribeAccount => {
                let lines = reading::describe(&self.accounts, &self.known, &self.clients);
                self.send(Event::Account(lines));
            }
            Effect::Find { repository, generation, candidates, checked_out, head, explain } => {
                let bitbucket = self.bitbucket(repository);
                let work = async move {
                    let found =
                        reading::find(&bitbucket, &candidates, &checked_out, head.as_deref(), explain).await;
                    Event::Found(repository, generation, found)
                };
                self.task(work, Some(Event::Found(repository, generation, Err(faulty()))));
            }
            Effect::Load { repository, generation, name, id, known, builds } => {
                let bitbucket = self.bitbucket(repository);
                let work = async move {
                    let loaded =
                        reading::load(&bitbucket, &name, id, known.map(|known| *known), builds).await;
                    Event::Loaded(repository, generation, loaded.map(Box::new))
                };
                self.task(work, Some(Event::Loaded(repository, generation, Err(faulty()))));
            }
            Effect::Probe { repository, generation, name, id } => {
                let bitbucket = self.bitbucket(repository);
                let work = async move {
                    Event::Probed(repository, generation, reading::probe(&bitbucket, &name, id).await)
                };
                self.task(work, Some(Event::Probed(repository, generation, Err(faulty()))));
            }
            Effect::Place(placing) => {
                let bitbucket = self.bitbucket(placing.repository);
                let Some(opened) = self.repositories.get(&placing.repository) else { return };
                let (git, memo) = (opened.git.clone(), self.memo.clone());
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
            Effect::ShowFile { uri, path, line, character } => {
                if let Some(uri) = client::uri_or_path(uri, &path) {
                    self.client(ForClient::ShowFile { uri, at: (line, character) });
                }
            }
            Effect::ReadDrafts => self.draft_order(draft_files::Order::Read),
            Effect::MakeDraft { id, about, text } => {
                self.draft_order(draft_files::Order::Make { id, about, text });
            }
            Effect::KeepTyped(name, text) => self.draft_order(draft_files::Order::KeepTyped(name, text)),
            Effect::Discard(name) => self.draft_order(draft_files::Order::Discard(name)),
            Effect::CountAsSent(name) => self.draft_order(draft_files::Order::CountAsSent(name)),
            Effect::OpenDraft { name, restore, at } => {
                self.draft_order(draft_files::Order::Open { name, restore, at });
            }
            Effect::DraftClosed(uri) => self.client(ForClient::DraftClosed(uri)),
            Effect::Anchor(wanted) => {
                let (id, repository) = (wanted.id, wanted.repository);
                let bitbucket = self.bitbucket(repository);
                let Some(git) = self.repositories.get(&repository).map(|opened| opened.git.clone()) else {
                    return self.send(Event::Anchored(id, Err(fault())));
                };
                let work =
                    async move { Event::Anchored(id, anchoring::anchor(git, bitbucket, *wanted).await) };
                self.task(work, Some(Event::Anchored(id, Err(fault()))));
            }
            Effect::Send(sending) => {
                let (id, desk) = (sending.id, self.desk(sending.repository));
                let work = async move { Event::Sent(id, Box::new(desk.send(*sending).await)) };
                self.task(work, Some(Event::Sent(id, Box::new(lost()))));
            }
            Effect::Reconcile { id, repository, name } => {
                let desk = self.desk(repository);
                let work = async move { Event::Sent(id, Box::new(desk.reconcile(&name).await)) };
                self.task(work, Some(Event::Sent(id, Box::new(lost()))));
            }
            Effect::Change { id, repository, name, pull_request, change } => {
                let bitbucket = self.bitbucket(repository);
                let work = async move {
                    Event::ChangeMade(id, writing::change(&bitbucket, &name, pull_request, &change).await)
                };
                self.task(work, Some(Event::ChangeMade(id, Err(faulty()))));
            }
            Effect::Edit { id, uri, version, title, edits } => {
                self.client(ForClient::Edit { id, uri, version, title, edits });
            }
            Effect::ReadCandidates(repository, name) => {
                let bitbucket = self.bitbucket(repository);
                let work = async move {
                    let candidates = writing::candidates(&bitbucket, &name).await;
                    Event::Candidates(name, candidates)
                };
                self.task(work, None);
            }
            Effect::OpenPage(page) => self.client(ForClient::OpenPage(page)),
            Effect::Ask { question, text, choices } => {
                self.client(ForClient::Ask { question, text, choices });
            }
            Effect::CanShowDocuments(can) => self.show_document.store(can, Ordering::Relaxed),
            Effect::Progress(id, step) => self.client(ForClient::Progress(id, step)),
            Effect::After(delay, timer) => {
                let outcomes = self.outcomes.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    let _ = outcomes.send(Outcome::Event(Box::new(Event::Timer(timer))));
                });
            }
        }
    }

    fn draft_order(&self, order: draft_files::Order) {
        // The one who takes them lives as long as this.
        let _ = self.draft_orders.send(order);
    }

    fn desk(&mut self, repository: RepositoryId) -> writing::Desk {
        writing::Desk {
            drafts: drafts_in(self.accounts.environment()),
            git: self.repositories.get(&repository).map(|opened| opened.git.clone()),
            bitbucket: self.bitbucket(repository),
            looks: self.accounts.environment().looks.clone(),
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
        let accounts = self.accounts.clone();
        let work = move || {
            let stamp = |id: &RepositoryId, path: &str| {
                let metadata = std::fs::metadata(repositories.get(id)?.work_path(path)?).ok()?;
                Some((metadata.modified().ok()?, metadata.len()))
            };
            let stamps = files.into_iter().map(|(id, path)| (stamp(&id, &path), id, path));
            let stamps = stamps.map(|(stamp, id, path)| ((id, path), stamp)).collect();
            let fingerprints = repositories.iter().map(|(id, git)| (*id, git.fingerprint())).collect();
            let drafts = draft_files::stamp(&accounts.environment().state.join(DRAFTS));
            Outcome::Watched(fingerprints, stamps, accounts.stamp(), drafts)
        };
        let failed = Outcome::Watched(Vec::new(), Stamps::new(), self.accounts_stamp, self.drafts_stamp);
        self.blocking(work, failed);
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
        let (outcomes, busy) = (self.outcomes.clone(), self.busy.clone());
        let work = tokio::spawn(work);
        tokio::spawn(async move {
            let _busy = busy;
            if let Some(event) = work.await.ok().or(failed) {
                let _ = outcomes.send(Outcome::Event(Box::new(event)));
            }
        });
    }

    fn blocking(&self, work: impl FnOnce() -> Outcome + Send + 'static, failed: Outcome) {
        let (outcomes, busy) = (self.outcomes.clone(), self.busy.clone());
        let work = tokio::task::spawn_blocking(work);
        tokio::spawn(async move {
            let _busy = busy;
            let _ = outcomes.send(work.await.unwrap_or(failed));
        });
    }
}

fn fault() -> String {
    "The server has a fault; please report what its log says.".into()
}

/// The folder of drafts, below the state folder.
const DRAFTS: &str = "drafts";

fn drafts_in(environment: &Environment) -> Drafts {
    Drafts::new(environment.state.join(DRAFTS))
}

/// What is said of a text whose sending ended by a fault: it may have been sent.
fn lost() -> crate::writing::Sent {
    crate::writing::Sent {
        draft: None,
        remark: None,
        ending: crate::writing::Ending::Unknown { sentence: fault(), looked: false },
    }
}

fn faulty() -> crate::event::Problem {
    crate::event::Problem { trouble: Trouble::Other, sentence: fault(), retry_after: None }
}

/// What the session does about an error of the REST edge.
fn problem(error: &bitbucket::Error) -> crate::event::Problem {
    use bitbucket::Error;
    let trouble = match error {
        Error::SignedOut => Trouble::SignedOut,
        Error::NeedsLogin { .. } => Trouble::NeedsLogin,
        Error::NoToken { unreachable: false, .. } => Trouble::NoToken,
        Error::Unauthorized { .. } | Error::MissingScope { .. } | Error::Forbidden => Trouble::Refused,
        Error::NotFound => Trouble::NotFound,
        error if error.is_passing() => Trouble::Unreachable,
        _ => Trouble::Other,
    };
    let retry_after = match error {
        Error::RateLimited { retry_after } | Error::NoToken { retry_after, .. } => {
            Some(retry_after.as_secs())
        }
        Error::Offline { retry_after, .. } => retry_after.map(|wait| wait.as_secs()),
        _ => None,
    };
    crate::event::Problem { trouble, sentence: sentence(error), retry_after }
}

/// An error's sentence for a person; it may quote what was answered, so it is made safe.
fn sentence(error: &bitbucket::Error) -> String {
    pull_request::view::markdown::plain(&error.sentence(), 600)
}
