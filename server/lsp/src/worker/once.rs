//! A review read once, without a session: for the command line.

use super::accounts::Accounts;
use super::memo::Memo;
use super::{Environment, discover, files, placing, reading};
use crate::effect::{Placing, ToPlace};
use crate::event::{CheckedOut, Discovery, Found, Loaded, Located, Login, Problem};
use pull_request::model::{CommentId, PullRequest, PullRequestId, RepositoryName, User};
use pull_request::text::Text;
use pull_request::thread::{Discussion, fold};
use std::path::Path;
use std::sync::Arc;

/// A repository with the handle that reads it.
pub struct Repository {
    git: git::Repository,
    bitbucket: bitbucket::Client,
    /// What was found.
    pub discovery: Discovery,
}

/// A pull request with its threads placed on the files on disk.
pub struct Review {
    /// Where it is.
    pub name: RepositoryName,
    /// All but the discussion.
    pub loaded: Loaded,
    /// The threads.
    pub discussion: Discussion,
    /// Where they are.
    pub places: Vec<(CommentId, Located)>,
    git: git::Repository,
}

impl Review {
    /// The text of a file of the work tree by its path there; `None` if it is no plain file inside, or too large to be drawn.
    pub fn text_of(&self, path: &str) -> Option<Text> {
        files::on_disk(&self.git, path).ok().map(|text| Text::new(&text))
    }
}

/// The repository that a folder is in, or a sentence about why there is none.
pub fn discover(path: &Path, environment: &Environment) -> Result<Repository, String> {
    let preferred = crate::config::Settings::default().preferred_remotes;
    // Sentences name the folder, and `.` is no name.
    let path = &std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let found = discover::repository(path, &preferred, &environment.origin.web_host(), 0)?;
    let accounts = Accounts::new(environment.clone());
    let mut discovery = found.discovery;
    let chosen = accounts.choose(&accounts.load(), &discovery);
    let bitbucket = accounts.client(chosen.as_ref().ok().map(|(who, _)| who));
    discovery.login = chosen.map(|(_, login)| login);
    Ok(Repository { git: found.repository, bitbucket, discovery })
}

/// Who asks Bitbucket for the repository.
pub async fn identify(repository: &Repository) -> Result<User, Problem> {
    match &repository.discovery.login {
        Ok(Login { me: Some(me), .. }) => Ok(me.clone()),
        _ => reading::identify(&repository.bitbucket).await,
    }
}

/// The pull requests of what is checked out.
pub async fn find(repository: &Repository) -> Result<Found, Problem> {
    let Discovery { candidates, checked_out, head, .. } = &repository.discovery;
    reading::find(&repository.bitbucket, candidates, checked_out, head.as_deref(), true).await
}

/// The review of what is checked out: of the newest open pull request, or of the one named.
pub async fn review(repository: Repository, number: Option<PullRequestId>) -> Result<Review, String> {
    if !repository.discovery.trusted {
        return Err(repository.discovery.remarks.join(" "));
    }
    if repository.discovery.candidates.is_empty() {
        return Err(
            "No remote of this repository is on Bitbucket; run bitbucket-lsp doctor to see each and why."
                .into(),
        );
    }
    if let Err(sentence) = &repository.discovery.login {
        return Err(sentence.clone());
    }
    let bitbucket = repository.bitbucket.clone();
    let sentence = |problem: Problem| problem.sentence;
    let (name, known) = match number {
        Some(number) => (repository.discovery.candidates[0].clone(), Err(number)),
        None => {
            let found = find(&repository).await.map_err(sentence)?;
            let first = found
                .pull_requests
                .into_iter()
                .next()
                .ok_or_else(|| none_open(&repository, &found.ended.unwrap_or_default()))?;
            (first.0, Ok(first.1))
        }
    };
    let (id, known) = match known {
        Ok(known) => (known.id, Some(known)),
        Err(number) => (number, None),
    };
    let mut loaded = reading::load(&bitbucket, &name, id, known, true).await.map_err(sentence)?;
    let discussion = fold(std::mem::take(&mut loaded.comments), std::mem::take(&mut loaded.tasks));
    let threads = discussion.threads.iter().filter_map(|thread| {
        let anchor = thread.anchor.clone()?;
        Some(ToPlace { thread: thread.root, anchor })
    });
    let placing = Placing {
        repository: crate::event::RepositoryId(0),
        generation: 0,
        name: name.clone(),
        source: loaded.pull_request.source.clone(),
        destination: loaded.pull_request.destination.clone(),
        head: repository.discovery.head.clone(),
        threads: Arc::new(threads.collect()),
        documents: Vec::new(),
        online: true,
        again: crate::effect::Again::Failed,
    };
    let places =
        placing::locate(repository.git.clone(), &bitbucket, Arc::new(Memo::default()), Arc::new(placing))
            .await;
    Ok(Review { name, loaded, discussion, places, git: repository.git })
}

fn none_open(repository: &Repository, ended: &[PullRequest]) -> String {
    let what = match &repository.discovery.checked_out {
        CheckedOut::Branch { remote, .. } => format!("The branch {remote}"),
        CheckedOut::Unborn { local } => format!("The branch {local}"),
        CheckedOut::Detached { .. } => "The commit checked out".to_owned(),
    };
    match ended.first() {
        Some(ended) => {
            format!("{what} has no open pull request; the last one was {} and is closed.", ended.id)
        }
        None => format!("{what} has no open pull request on Bitbucket."),
    }
}
