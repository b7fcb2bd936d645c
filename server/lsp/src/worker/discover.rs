//! From a path to a repository, what is checked out in it, and which remotes are on Bitbucket: by gix, without a network.

use crate::event::{CheckedOut, Discovery, RemoteVerdict};
use bitbucket::remote::{self, WebHost};
use git::{HeadKind, Trust, UpstreamRemote};
use pull_request::model::RepositoryName;
use std::path::{Path, PathBuf};

/// A repository, and what was learned of it.
pub struct Found {
    /// The number of the look: of two looks at one repository, the later one counts, whichever ends first.
    pub(super) look: u64,
    pub(super) repository: git::Repository,
    /// The git folder without symbolic links: the same repository may be opened through several of them.
    pub(super) place: PathBuf,
    /// Taken before anything was read: whatever changes afterwards is noticed.
    pub(super) fingerprint: git::Fingerprint,
    pub(super) discovery: Discovery,
}

/// A document's repository, and its path in there.
pub struct Located {
    pub(super) found: Found,
    pub(super) path: Option<String>,
    /// Not in the commit of HEAD.
    pub(super) is_new: bool,
}

/// The repository that a folder or file is in, or a sentence about why there is none.
pub(super) fn repository(
    path: &Path,
    preferred_remotes: &[String],
    web: &WebHost,
    look: u64,
) -> Result<Found, String> {
    let repository = git::discover(path).map_err(|error| error.to_string())?;
    let place = repository.git_dir().canonicalize().unwrap_or_else(|_| repository.git_dir().to_owned());
    let fingerprint = repository.fingerprint();
    let discovery = discovery(&repository, preferred_remotes, web)?;
    Ok(Found { look, repository, place, fingerprint, discovery })
}

/// Where a file is in the repository that was found from it.
pub(super) fn locate(found: Found, file: &Path) -> Located {
    let path = found.repository.repository_path(file);
    let head = found.discovery.head.as_deref();
    let at_head =
        path.as_deref().zip(head).and_then(|(path, head)| found.repository.blob_id_at(head, path).ok()?);
    Located { is_new: at_head.is_none(), found, path }
}

/// The work tree; of a bare repository, its folder.
pub(super) fn root(repository: &git::Repository) -> PathBuf {
    repository.work_dir().unwrap_or(repository.git_dir()).to_owned()
}

fn discovery(repository: &git::Repository, preferred: &[String], web: &WebHost) -> Result<Discovery, String> {
    let head = repository.head().map_err(|error| error.to_string())?;
    let remotes = verdicts(repository.remotes(), preferred, web);
    let candidates = candidates(&remotes);
    let mut remarks = Vec::new();
    remarks.extend(repository.trust_sentence());
    if repository.is_shallow() {
        remarks.push(
            "The clone is shallow: older commits are fetched from Bitbucket when a comment needs them."
                .into(),
        );
    }
    if repository.is_bare() {
        remarks.push("The repository is bare: it has no files to show comments in.".into());
    }
    if let Some(branch) = &head.rebasing {
        remarks.push(format!("The branch {branch} is being rebased."));
    }
    let on_bitbucket = |remote: &UpstreamRemote| match remote {
        UpstreamRemote::Named(name) => {
            let verdict = remotes.iter().find(|remote| remote.name == *name)?;
            verdict.repository.clone().ok()
        }
        UpstreamRemote::Url(url) => remote::parse(url, web, None).ok(),
        UpstreamRemote::Here => None,
    };
    let checked_out = match head.kind {
        HeadKind::Branch { name, upstream, push } => {
            // Where the branch is pushed to is where its pull request comes from.
            let far = [push, upstream]
                .into_iter()
                .flatten()
                .filter(|far| !matches!(far.remote, UpstreamRemote::Here))
                .find(|far| !is_base_of_another(&name, &far.branch));
            let remote = far.as_ref().map_or_else(|| name.clone(), |far| far.branch.clone());
            let pushed_to = far.and_then(|far| on_bitbucket(&far.remote));
            CheckedOut::Branch { local: name, remote, pushed_to }
        }
        HeadKind::Unborn { name } => CheckedOut::Unborn { local: name },
        HeadKind::Detached => match head.rebasing {
            Some(branch) => CheckedOut::Branch { local: branch.clone(), remote: branch, pushed_to: None },
            None => {
                let mut branches = Vec::new();
                for tip in head.commit.iter().flat_map(|commit| repository.branches_containing(commit)) {
                    if !branches.contains(&tip.branch) {
                        branches.push(tip.branch);
                    }
                }
                CheckedOut::Detached { branches }
            }
        },
    };
    Ok(Discovery {
        root: root(repository),
        remotes,
        candidates,
        checked_out,
        head: head.commit,
        remarks,
        trusted: repository.trust() == Trust::Full,
        account: repository.account(),
        // Who asks is not the repository's to say.
        login: Err(String::new()),
    })
}

/// A feature branch whose upstream is the main branch (`git switch -c feature origin/main`) is not called `main` there.
fn is_base_of_another(local: &str, upstream: &str) -> bool {
    const BASES: [&str; 6] = ["main", "master", "develop", "development", "trunk", "dev"];
    local != upstream && BASES.contains(&upstream)
}

/// Each remote with what it is on Bitbucket or why it is nothing there, the preferred ones first.
fn verdicts(remotes: Vec<git::Remote>, preferred: &[String], web: &WebHost) -> Vec<RemoteVerdict> {
    let mut verdicts: Vec<RemoteVerdict> = remotes
        .into_iter()
        .map(|remote| {
            let repository = match &remote.problem {
                Some(problem) => Err(problem.clone()),
                None => remote::parse(&remote.url, web, remote.host_alias_of.as_deref())
                    .map_err(|error| error.why),
            };
            RemoteVerdict {
                name: remote.name,
                url: remote.url,
                written: remote.written,
                user: remote.user,
                repository,
            }
        })
        .collect();
    let rank = |verdict: &RemoteVerdict| {
        preferred.iter().position(|name| *name == verdict.name).unwrap_or(usize::MAX)
    };
    verdicts.sort_by_key(rank);
    verdicts
}

/// Asking each of two hundred remotes would spend the hour's budget; the first few on Bitbucket are asked.
const MOST_CANDIDATES: usize = 4;

fn candidates(remotes: &[RemoteVerdict]) -> Vec<RepositoryName> {
    let mut candidates: Vec<RepositoryName> = Vec::new();
    for name in remotes.iter().filter_map(|remote| remote.repository.as_ref().ok()) {
        if candidates.len() < MOST_CANDIDATES && !candidates.iter().any(|known| known.same_as(name)) {
            candidates.push(name.clone());
        }
    }
    candidates
}
