//! Finding and opening a repository, and the handle to it that is cheap to clone and safe to share.
//!
//! It must not know what its readers look for; they take a handle from [`Repository::handle`] for one call.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use gix::open::permissions;
use gix::sec::trust::DefaultForLevel;

use crate::error::Error;
use crate::renames::RenameCache;
use crate::watch::Stamp;

/// Bytes of objects that one handle keeps while it walks trees and commits.
const OBJECT_CACHE: usize = 4 * 1024 * 1024;

/// Finds the repository that `path` belongs to and opens it, in the surroundings of this process.
///
/// `path` may be a file, a folder, or something that does not exist yet: then the nearest folder above counts.
/// Worktrees, submodules, `.git` files, bare repositories and the inside of `.git` are all found.
///
/// # Errors
/// [`Error::NotARepository`] if there is none, [`Error::Unreadable`] if there is one that cannot be opened.
pub fn discover(path: &Path) -> Result<Repository, Error> {
    discover_within(path, &Surroundings::of_process())
}

/// As [`discover`], with the home folder and the git configuration that the caller names.
///
/// # Errors
/// As [`discover`].
pub fn discover_within(path: &Path, surroundings: &Surroundings) -> Result<Repository, Error> {
    let start = nearest_folder(path)?;
    let opened = Opened::at(&start, path, surroundings)?;
    let handle = &opened.repository;
    let git_dir = handle.git_dir().to_owned();
    let common_dir = handle.common_dir.clone().unwrap_or_else(|| git_dir.clone());
    Ok(Repository {
        shared: Arc::new(Shared {
            work_dir: handle.work_dir().map(Path::to_owned),
            common_dir: gix::path::normalize(common_dir.as_path().into(), &start)
                .map_or_else(|| common_dir.clone(), |path| path.into_owned()),
            git_dir,
            start,
            surroundings: surroundings.clone(),
            opened: RwLock::new(opened),
            renames: Mutex::default(),
        }),
    })
}

/// What the process around a repository contributes to reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// The user's home folder, for `~/.ssh/config`; without it, ssh aliases are not resolved.
    pub home: Option<PathBuf>,
    /// Which git configuration applies besides the repository's own.
    pub git_config: GitConfig,
}

/// Which git configuration applies besides the repository's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GitConfig {
    /// The system's and the user's, found as git finds them.
    OfUser,
    /// This file alone, or none at all; the environment is not looked at either.
    Only(Option<PathBuf>),
}

impl Surroundings {
    /// The home folder of the user and the usual configuration.
    pub fn of_process() -> Self {
        let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
        Self { home: home.filter(|home| !home.is_empty()).map(PathBuf::from), git_config: GitConfig::OfUser }
    }
}

/// Who owns the repository, as git's `safe.directory` sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trust {
    /// This user, or one whom `safe.directory` names.
    Full,
    /// Somebody else.
    /// The repository can be read, but its configuration must not decide anything: no network, no tokens.
    Reduced,
}

/// A git repository on disk: `Send`, `Sync`, and cheap to clone.
///
/// Each call reads what is on disk now; changed configuration is noticed and read again.
#[derive(Clone)]
pub struct Repository {
    shared: Arc<Shared>,
}

struct Shared {
    start: PathBuf,
    work_dir: Option<PathBuf>,
    git_dir: PathBuf,
    common_dir: PathBuf,
    surroundings: Surroundings,
    opened: RwLock<Opened>,
    renames: Mutex<RenameCache>,
}

impl Repository {
    /// The folder with the checked-out files, absolute; `None` for a bare repository.
    pub fn work_dir(&self) -> Option<&Path> {
        self.shared.work_dir.as_deref()
    }

    /// The folder with this work tree's `HEAD`; of a linked worktree it is below `.git/worktrees`.
    pub fn git_dir(&self) -> &Path {
        &self.shared.git_dir
    }

    /// The folder with refs, objects and configuration that all worktrees share; often the same as the git folder.
    pub fn common_dir(&self) -> &Path {
        &self.shared.common_dir
    }

    /// Whether the repository belongs to this user.
    pub fn trust(&self) -> Trust {
        match self.handle().git_dir_trust() {
            gix::sec::Trust::Full => Trust::Full,
            gix::sec::Trust::Reduced => Trust::Reduced,
        }
    }

    /// One sentence for the user if trust is reduced: what does not work, and how to change that.
    pub fn trust_sentence(&self) -> Option<String> {
        let folder = self.work_dir().unwrap_or(self.git_dir()).display();
        (self.trust() == Trust::Reduced).then(|| {
            format!(
                "The repository at {folder} belongs to another user, so it is read but not connected to: \
                 if you trust it, run `git config --global --add safe.directory \"{folder}\"`."
            )
        })
    }

    /// Whether history was cut off on cloning (`git clone --depth`).
    pub fn is_shallow(&self) -> bool {
        self.handle().is_shallow().unwrap_or(false)
    }

    /// Whether there is no work tree.
    pub fn is_bare(&self) -> bool {
        self.work_dir().is_none()
    }

    pub(crate) fn surroundings(&self) -> &Surroundings {
        &self.shared.surroundings
    }

    pub(crate) fn renames(&self) -> &Mutex<RenameCache> {
        &self.shared.renames
    }

    /// The files whose content makes up the configuration in force.
    pub(crate) fn config_files(&self) -> Vec<PathBuf> {
        let opened = self.shared.opened.read().unwrap_or_else(PoisonError::into_inner);
        opened.config.iter().map(|(path, _)| path.clone()).collect()
    }

    /// A handle for this thread and one call, about a microsecond; reads the configuration again if it changed.
    ///
    /// Where the changed configuration cannot be read (perhaps it is just being written), the last good one stays.
    pub(crate) fn handle(&self) -> gix::Repository {
        let shared = &self.shared;
        {
            let opened = shared.opened.read().unwrap_or_else(PoisonError::into_inner);
            if opened.is_current() {
                return opened.thread_local();
            }
        }
        let again = Opened::at(&shared.start, &shared.start, &shared.surroundings);
        let mut opened = shared.opened.write().unwrap_or_else(PoisonError::into_inner);
        if let Ok(again) = again
            && again.repository.git_dir() == shared.git_dir
        {
            *opened = again;
        }
        opened.thread_local()
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository").field("git_dir", &self.shared.git_dir).finish_non_exhaustive()
    }
}

/// Two handles are equal when they are of the same work tree.
impl PartialEq for Repository {
    fn eq(&self, other: &Self) -> bool {
        self.shared.git_dir == other.shared.git_dir && self.shared.work_dir == other.shared.work_dir
    }
}

impl Eq for Repository {}

/// An opened repository and the stamps of the files that its configuration came from.
struct Opened {
    repository: gix::ThreadSafeRepository,
    config: Vec<(PathBuf, Stamp)>,
    /// Whether the files were at rest when they were read.
    /// If not, one may change again without a change of its stamp, so it is read again on the next call.
    settled: bool,
}

impl Opened {
    fn at(start: &Path, asked: &Path, surroundings: &Surroundings) -> Result<Self, Error> {
        let began = SystemTime::now();
        let (options, trusts) = (gix::discover::upwards::Options::default(), options(surroundings));
        let repository =
            gix::ThreadSafeRepository::discover_opts(start, options, trusts).map_err(|error| {
                use gix::discover::upwards::Error as Found;
                match error.downcast_any_ref::<Found>() {
                    Some(Found::NoTrustedGitRepository { candidate, .. }) => Error::Unreadable {
                        path: candidate.clone(),
                        why: "it belongs to another user".into(),
                    },
                    Some(_) => Error::NotARepository { path: asked.to_owned() },
                    None => Error::unreadable(start, "opening it", &error),
                }
            })?;
        let config: Vec<_> =
            config_files(&repository, surroundings).into_iter().map(Stamp::with_path).collect();
        let settled = !config.iter().any(|(_, stamp)| stamp.is_around(began));
        Ok(Self { repository, config, settled })
    }

    fn is_current(&self) -> bool {
        self.settled && self.config.iter().all(|(path, stamp)| Stamp::of(path) == *stamp)
    }

    fn thread_local(&self) -> gix::Repository {
        let mut repository = self.repository.to_thread_local();
        repository.object_cache_size_if_unset(OBJECT_CACHE);
        repository
    }
}

/// The files that the configuration came from, and those that would be read if they were made.
fn config_files(repository: &gix::ThreadSafeRepository, surroundings: &Surroundings) -> Vec<PathBuf> {
    let handle = repository.to_thread_local();
    let mut files = vec![
        handle.common_dir().join("config"),
        handle.git_dir().join("config.worktree"),
        // A branch can switch configuration on and off (`includeIf "onbranch:…"`).
        handle.git_dir().join("HEAD"),
    ];
    match &surroundings.git_config {
        GitConfig::OfUser => files.extend(surroundings.home.iter().map(|home| home.join(".gitconfig"))),
        GitConfig::Only(file) => files.extend(file.clone()),
    }
    let snapshot = handle.config_snapshot();
    files.extend(snapshot.plumbing().sections().filter_map(|section| section.meta().path.clone()));
    files.sort();
    files.dedup();
    files
}

/// Options for either level of trust.
fn options(surroundings: &Surroundings) -> gix::sec::trust::Mapping<gix::open::Options> {
    let permissions = permissions(&surroundings.git_config);
    let at = |trust| {
        let options = gix::open::Options::default_for_level(trust).permissions(permissions);
        match &surroundings.git_config {
            GitConfig::Only(Some(file)) => options.system_config_path(file),
            _ => options,
        }
    };
    gix::sec::trust::Mapping { full: at(gix::sec::Trust::Full), reduced: at(gix::sec::Trust::Reduced) }
}

fn permissions(git_config: &GitConfig) -> gix::open::Permissions {
    let (config, env) = match git_config {
        GitConfig::OfUser => {
            let mut env = permissions::Environment::all();
            env.objects = gix::sec::Permission::Deny;
            // Git exports these to hooks, and an editor started by a hook hands them on.
            // They speak of one repository, but would be applied to all.
            let of_one_repository = ["GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_SHALLOW_FILE"];
            if of_one_repository.iter().any(|name| std::env::var_os(name).is_some()) {
                env.git_prefix = gix::sec::Permission::Deny;
            }
            (permissions::Config::all(), env)
        }
        GitConfig::Only(file) => {
            let config = permissions::Config {
                system: file.is_some(),
                includes: true,
                ..permissions::Config::isolated()
            };
            (config, permissions::Environment::isolated())
        }
    };
    gix::open::Permissions { env, config, attributes: permissions::Attributes::isolated() }
}

/// The nearest existing folder at or above `path`, absolute.
fn nearest_folder(path: &Path) -> Result<PathBuf, Error> {
    let absolute = std::path::absolute(path).map_err(|_| Error::NotARepository { path: path.to_owned() })?;
    let folder = absolute.ancestors().find(|folder| folder.is_dir());
    folder.map(Path::to_owned).ok_or_else(|| Error::NotARepository { path: path.to_owned() })
}
