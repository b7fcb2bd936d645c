//! The running simulator: what tests hold in their hands.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::faults::Faults;
use crate::git;
use crate::handles::{PullRequestHandle, RepositoryHandle};
use crate::log::{Log, LoggedRequest};
use crate::oauth::OauthHandle;
use crate::scenario::{self, Scenario};
use crate::server;
use crate::world::World;

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
        match made.await.map_err(anyhow::Error::from).and_then(|made| made) {
            Ok((shared, web, root)) => {
                Ok(Self { shared, runtime: Some(runtime), web, strict: false, _root: root })
            }
            Err(error) => {
                // A runtime must not be dropped where others run.
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
        let world = self.shared.world.read().unwrap_or_else(PoisonError::into_inner);
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
        let mut environment =
            vec![pair("BITBUCKET_API_URL", &self.api_url()), pair("BITBUCKET_WEB_URL", &self.web_url())];
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

    /// The OAuth server.
    pub fn oauth(&self) -> OauthHandle<'_> {
        OauthHandle { shared: &self.shared }
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

impl Shared {
    fn unexpected(&self) -> Vec<LoggedRequest> {
        self.log.all().into_iter().filter(|request| !request.known).collect()
    }

    /// See [`Simulator::violations`].
    pub(crate) fn violations(&self) -> Vec<String> {
        let unexpected = self.unexpected();
        let unknown = unexpected
            .iter()
            .map(|request| format!("no such route: {} {}", request.method, request.target()));
        #[cfg_attr(not(feature = "openapi"), allow(unused_mut, reason = "more is added with the feature"))]
        let mut violations: Vec<String> = unknown.collect();
        #[cfg(feature = "openapi")]
        {
            let exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone();
            violations.extend(crate::openapi::check(&exchanges));
        }
        violations
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, World> {
        // A change that panicked is a failing test already; the others go on.
        self.world.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, World> {
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }
}
