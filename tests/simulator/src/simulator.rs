//! The running simulator: what tests hold in their hands.

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock, RwLockWriteGuard};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::faults::Faults;
use crate::git;
use crate::log::{Log, LoggedRequest};
use crate::scenario::{self, Comment, Scenario, Status, Task};
use crate::server;
use crate::world::anchor::Texts;
use crate::world::{Vote, World};

/// A simulated Bitbucket Cloud on a loopback port, stopped when dropped.
///
/// It runs on threads of its own, so a test may block without stopping it.
pub struct Simulator {
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
    web: String,
    strict: bool,
    // The repositories; deleted when dropped.
    _root: tempfile::TempDir,
}

/// What the connections share.
pub(crate) struct Shared {
    pub(crate) world: RwLock<World>,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    #[cfg(feature = "openapi")]
    pub(crate) exchanges: std::sync::Mutex<Vec<crate::openapi::Exchange>>,
}

/// A token of the scenario.
#[derive(Clone)]
pub struct Access {
    /// The user's `id`.
    pub user: String,
    /// With an e-mail address it is an API token: `Basic email:token`; else a Bearer token.
    pub email: Option<String>,
    /// The token. It opens nothing but this simulator.
    pub token: String,
    /// What it allows.
    pub scopes: Vec<String>,
}

impl Simulator {
    /// Makes the scenario's repositories and serves it on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// If the scenario contradicts itself (the message says where) or git is missing.
    pub async fn start(scenario: Scenario) -> Result<Self> {
        Self::start_on(scenario, 0).await
    }

    /// The same on a given port; 0 is a free one.
    ///
    /// # Errors
    /// As [`Simulator::start`], or if the port is taken.
    pub async fn start_on(scenario: Scenario, port: u16) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        // In the other runtime, since making repositories waits for git.
        let made = runtime.spawn(async move {
            let listener = TcpListener::bind(("127.0.0.1", port)).await.context("the port cannot be used")?;
            let web = format!("http://{}", listener.local_addr()?);
            let root = tempfile::Builder::new().prefix("simulator-").tempdir()?;
            let world = scenario::build(&scenario, root.path(), &web)?;
            let shared = Arc::new(Shared {
                world: RwLock::new(world),
                faults: Faults::new(),
                log: Log::new(),
                #[cfg(feature = "openapi")]
                exchanges: std::sync::Mutex::default(),
            });
            tokio::spawn(server::accept(listener, Arc::clone(&shared)));
            anyhow::Ok((shared, web, root))
        });
        match made.await? {
            Ok((shared, web, root)) => Ok(Self { shared, runtime: Some(runtime), web, strict: false, _root: root }),
            Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    /// `http://127.0.0.1:PORT/2.0`
    pub fn api_url(&self) -> String {
        format!("{}/2.0", self.web)
    }

    /// `http://127.0.0.1:PORT`; also what remotes start with.
    pub fn web_url(&self) -> String {
        self.web.clone()
    }

    /// The tokens, in the scenario's order.
    pub fn accounts(&self) -> Vec<Access> {
        let world = self.shared.world.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let access = |account: &crate::world::Account| Access {
            user: account.user.clone(),
            email: account.email.clone(),
            token: account.token.clone(),
            scopes: account.scopes.clone(),
        };
        world.accounts.iter().map(access).collect()
    }

    /// The first token.
    pub fn token(&self) -> String {
        // A scenario without a token is given one when it is built.
        self.accounts().swap_remove(0).token
    }

    /// The environment that makes `bitbucket-lsp` talk to this simulator as the first account.
    pub fn environment(&self) -> Vec<(String, String)> {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut environment = vec![
            pair("BITBUCKET_API_URL", &self.api_url()),
            pair("BITBUCKET_WEB_URL", &self.web_url()),
        ];
        let account = self.accounts().swap_remove(0);
        match &account.email {
            Some(email) => {
                environment.push(pair("BITBUCKET_EMAIL", email));
                environment.push(pair("BITBUCKET_API_TOKEN", &account.token));
            }
            None => environment.push(pair("BITBUCKET_TOKEN", &account.token)),
        }
        environment
    }

    /// The address that git clones a repository from, `workspace/slug`.
    pub fn remote_url(&self, repository: &str) -> String {
        format!("{}/{repository}.git", self.web)
    }

    /// Clones a repository into a folder that does not exist yet, with git and over HTTP, and checks out a branch.
    ///
    /// The clone has a name and an e-mail address of its own, so that tests can commit. No token is left in it.
    ///
    /// # Errors
    /// If git fails; the message holds what it said.
    pub fn clone_to(&self, folder: &Path, repository: &str, branch: &str) -> Result<PathBuf> {
        let parent = folder.parent().context("a folder to clone into has a parent")?;
        std::fs::create_dir_all(parent)?;
        let mut git = self.git_command(parent);
        git.args(["clone", "--quiet", "--branch", branch, "--", &self.remote_url(repository)]).arg(folder);
        git::output(&mut git, None)?;
        let settings =
            [("user.name", "Local Person"), ("user.email", "local@corner.test"), ("commit.gpgsign", "false")];
        for (name, value) in settings {
            git::run(folder, &["config", name, value])?;
        }
        Ok(folder.to_owned())
    }

    /// Runs `git` in a folder as a user who is signed in here: for `fetch` and `pull` in clones.
    ///
    /// # Errors
    /// If git fails; the message holds what it said.
    pub fn git(&self, folder: &Path, arguments: &[&str]) -> Result<String> {
        let output = git::output(self.git_command(folder).args(arguments), None)?;
        Ok(String::from_utf8_lossy(&output).trim_end_matches('\n').to_owned())
    }

    /// The token goes by the environment, where no list of processes and no configuration shows it.
    fn git_command(&self, folder: &Path) -> std::process::Command {
        let mut git = git::command(folder);
        let helper = "!f() { echo username=x-token-auth; echo \"password=$SIMULATOR_TOKEN\"; }; f";
        git.arg("-c").arg(format!("credential.helper={helper}")).env("SIMULATOR_TOKEN", self.token());
        git
    }

    /// The faults.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// All requests so far, in the order of arrival; control requests are not among them.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.shared.log.all()
    }

    /// Waits until the requests so far fulfil a condition; `false` if they do not in time.
    pub async fn until(&self, fulfilled: impl Fn(&[LoggedRequest]) -> bool, within: Duration) -> bool {
        self.shared.log.until(fulfilled, within).await
    }

    /// Requests to routes that the simulator does not have.
    pub fn unexpected(&self) -> Vec<LoggedRequest> {
        self.shared.unexpected()
    }

    /// From now on dropping the simulator panics, with a list, if a request went to a route that it does not have,
    /// or if an exchange so far does not fit the OpenAPI file (with the feature `openapi`, where the file is at hand).
    pub fn check_against_openapi(&mut self) {
        self.strict = true;
    }

    /// What is wrong with the exchanges so far: unknown routes, and with the feature `openapi` what does not fit the
    /// OpenAPI file. Each request is judged by its method, path and parameters, each honest answer by its status,
    /// content type and body; answers that a fault altered are left out.
    pub fn violations(&self) -> Vec<String> {
        self.shared.violations()
    }

    /// A pull request, by the full name of the repository that it goes to and its number.
    pub fn pull_request(&self, repository: &str, id: u64) -> PullRequestHandle<'_> {
        PullRequestHandle { shared: &self.shared, repository: repository.to_owned(), id }
    }

    /// A repository, by its full name.
    pub fn repository(&self, name: &str) -> RepositoryHandle<'_> {
        RepositoryHandle { shared: &self.shared, name: name.to_owned() }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        if self.strict && !std::thread::panicking() {
            let violations = self.violations();
            assert!(violations.is_empty(), "what was sent or answered is wrong:\n{}", violations.join("\n"));
        }
    }
}

/// What other people do to a pull request. People are named by the scenario's word for them.
///
/// Errors: if there is no such repository, pull request, comment, task or user.
pub struct PullRequestHandle<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) repository: String,
    pub(crate) id: u64,
}

/// What other people do to a repository.
///
/// Errors: if there is no such repository or commit, or git fails.
pub struct RepositoryHandle<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) name: String,
}

#[expect(clippy::missing_errors_doc, reason = "said once for the type")]
impl PullRequestHandle<'_> {
    /// Adds a comment and returns its id. Without a date it is a second after what happened last.
    pub fn add_comment(&self, comment: &Comment) -> Result<u64> {
        let mut world = self.shared.write();
        let on = date(&mut world, comment.date.as_deref())?;
        world.add_comment(&self.repository, self.id, comment, on, &mut Texts::default())
    }

    /// The id of the comment that the scenario calls by a name.
    pub fn comment_id(&self, name: &str) -> Result<u64> {
        let world = self.shared.write();
        let pull_request = world.pull_request(&self.repository, self.id).context("no such pull request")?;
        let found = pull_request.comments.iter().find(|comment| comment.name.as_deref() == Some(name));
        found.map(|comment| comment.id).with_context(|| format!("there is no comment {name:?}"))
    }

    /// Deletes a comment; it stays in lists without its text, and no date moves.
    pub fn delete_comment(&self, comment: u64) -> Result<()> {
        self.shared.write().delete_comment(&self.repository, self.id, comment)
    }

    /// Changes a comment's text.
    pub fn edit_comment(&self, comment: u64, text: &str) -> Result<()> {
        self.shared.write().edit_comment(&self.repository, self.id, comment, text)
    }

    /// Resolves the thread that a comment starts.
    pub fn resolve(&self, comment: u64, by: &str) -> Result<()> {
        self.shared.write().resolve(&self.repository, self.id, comment, Some(by))
    }

    /// Reopens the thread that a comment starts.
    pub fn reopen(&self, comment: u64) -> Result<()> {
        self.shared.write().resolve(&self.repository, self.id, comment, None)
    }

    /// Adds a task and returns its id.
    pub fn add_task(&self, task: &Task) -> Result<u64> {
        let mut world = self.shared.write();
        let on = date(&mut world, task.date.as_deref())?;
        world.add_task(&self.repository, self.id, task, on)
    }

    /// Marks a task as done by somebody (`Some`) or as open (`None`).
    pub fn finish_task(&self, task: u64, by: Option<&str>) -> Result<()> {
        self.shared.write().finish_task(&self.repository, self.id, task, by)
    }

    /// Sets a vote, or takes it back.
    pub fn vote(&self, user: &str, vote: Option<Vote>) -> Result<()> {
        self.shared.write().vote(&self.repository, self.id, user, vote)
    }

    /// Reports a build of the source's head, or of the commit that `at` names.
    pub fn set_status(&self, status: &Status) -> Result<()> {
        let mut world = self.shared.write();
        let on = date(&mut world, status.date.as_deref())?;
        let source = &world.pull_request(&self.repository, self.id).context("no such pull request")?.source;
        let (repository, tip) = (source.repository.clone(), source.commit.clone());
        world.set_status(&repository, status, &tip, on)
    }

    /// Merges it with a merge commit and returns its hash.
    pub fn merge(&self, by: &str) -> Result<String> {
        self.shared.write().merge(&self.repository, self.id, by)
    }

    /// Declines it.
    pub fn decline(&self, by: &str) -> Result<()> {
        self.shared.write().decline(&self.repository, self.id, by)
    }
}

#[expect(clippy::missing_errors_doc, reason = "said once for the type")]
impl RepositoryHandle<'_> {
    /// The bare repository's folder.
    pub fn folder(&self) -> Result<PathBuf> {
        let world = self.shared.write();
        Ok(world.repository(&self.name).context("no such repository")?.folder.clone())
    }

    /// The hash that a branch, a commit's `id` in the scenario, or an abbreviation stands for.
    pub fn commit(&self, name: &str) -> Result<String> {
        let world = self.shared.write();
        let found = world.repository(&self.name).and_then(|repository| repository.commit(name));
        found.with_context(|| format!("{} has no commit {name:?}", self.name))
    }

    /// Somebody pushes a commit with these files onto a branch; `None` deletes a file. Returns its hash.
    pub fn push_commit(&self, branch: &str, message: &str, files: &[(&str, Option<&str>)]) -> Result<String> {
        let files = bytes(files);
        self.shared.write().push_commit(&self.name, branch, message, &files, None)
    }

    /// Somebody rewrites a branch: it becomes a new commit with these files on the commit that `from` names.
    pub fn force_push(&self, branch: &str, from: &str, message: &str, files: &[(&str, Option<&str>)]) -> Result<String> {
        let files = bytes(files);
        self.shared.write().push_commit(&self.name, branch, message, &files, Some(from))
    }

    /// Somebody deletes a branch.
    pub fn delete_branch(&self, branch: &str) -> Result<()> {
        self.shared.write().delete_branch(&self.name, branch)
    }

    /// Somebody deletes the repository; pull requests from it have no source repository any more.
    pub fn delete(&self) -> Result<()> {
        self.shared.write().delete_repository(&self.name)
    }
}

impl Shared {
    fn unexpected(&self) -> Vec<LoggedRequest> {
        self.log.all().into_iter().filter(|request| !request.known).collect()
    }

    /// See [`Simulator::violations`].
    pub(crate) fn violations(&self) -> Vec<String> {
        let unexpected = self.unexpected();
        let unknown = unexpected.iter().map(|request| format!("no such route: {} {}", request.method, request.target()));
        #[cfg_attr(not(feature = "openapi"), allow(unused_mut, reason = "more is added with the feature"))]
        let mut violations: Vec<String> = unknown.collect();
        #[cfg(feature = "openapi")]
        {
            let exchanges = self.exchanges.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
            violations.extend(crate::openapi::check(&exchanges));
        }
        violations
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, World> {
        // A change that panicked is a failing test already; the others go on.
        self.world.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn date(world: &mut World, text: Option<&str>) -> Result<jiff::Timestamp> {
    match text {
        Some(text) => scenario::moment(text),
        None => Ok(world.tick()),
    }
}

fn bytes<'a>(files: &[(&'a str, Option<&'a str>)]) -> Vec<(&'a str, Option<&'a [u8]>)> {
    files.iter().map(|(path, text)| (*path, text.map(str::as_bytes))).collect()
}
