//! What happens to the state apart from what is said: votes, builds, pushes, merges.

use anyhow::{Context, Result, bail};
use jiff::Timestamp;

use super::{Participant, PullRequest, State, Status, Vote, World};
use crate::git;
use crate::scenario;

impl World {
    /// Sets or takes back a vote.
    pub(crate) fn vote(&mut self, repository: &str, id: u64, user: &str, vote: Option<Vote>) -> Result<()> {
        self.known(user)?;
        let now = self.tick();
        let pull_request = self.pull_request_mut(repository, id)?;
        pull_request.took_part(user, now);
        for participant in pull_request.participants.iter_mut().filter(|known| known.user == user) {
            participant.vote = vote;
        }
        pull_request.updated = now;
        Ok(())
    }

    /// Reports a build of a commit; one with the same key is replaced.
    pub(crate) fn set_status(
        &mut self,
        repository: &str,
        new: &scenario::Status,
        tip: &str,
        on: Timestamp,
    ) -> Result<()> {
        if !["SUCCESSFUL", "FAILED", "INPROGRESS", "STOPPED"].contains(&new.state.as_str()) {
            bail!("{:?} is no state of a build", new.state);
        }
        let repository = self.repository_mut(repository)?;
        let commit = match &new.at {
            Some(name) => repository.commit(name).with_context(|| format!("no commit {name:?}"))?,
            None => tip.to_owned(),
        };
        repository.statuses.retain(|known| known.commit != commit || known.key != new.key);
        repository.statuses.push(Status {
            commit,
            key: new.key.clone(),
            name: new.name.clone().unwrap_or_else(|| new.key.clone()),
            state: new.state.clone(),
            url: new.url.clone(),
            description: new.description.clone(),
            on,
        });
        self.now = self.now.max(on);
        Ok(())
    }

    /// Declines an open pull request.
    pub(crate) fn decline(&mut self, repository: &str, id: u64, by: &str) -> Result<()> {
        self.close(repository, id, by, State::Declined, None)
    }

    /// Merges an open pull request with a merge commit and returns its hash.
    pub(crate) fn merge(&mut self, repository: &str, id: u64, by: &str) -> Result<String> {
        let pull_request = self.pull_request(repository, id).context("no such pull request")?;
        if pull_request.state != State::Open {
            bail!("pull request {id} is not open");
        }
        let (source, destination) = (pull_request.source.clone(), pull_request.destination.clone());
        let message = format!("Merged in {} (pull request #{id})\n\n{}", source.branch, pull_request.title);
        let close = pull_request.close_source_branch;
        let folder = self.repository(&destination.repository).context("no repository")?.folder.clone();
        let from = self.repository(&source.repository).context("the fork is gone")?.folder.clone();
        if from != folder {
            let tip = format!("+{}:refs/simulator/{id}", source.commit);
            let config = ["-c", "uploadpack.allowAnySHA1InWant=true"];
            git::output(git::command(&folder).args(config).arg("fetch").arg("-q").arg(&from).arg(tip), None)?;
        }
        let pair = [destination.commit.as_str(), source.commit.as_str()];
        let tree = git::output(git::command(&folder).args(["merge-tree", "--write-tree"]).args(pair), None)?;
        let tree = String::from_utf8_lossy(&tree).trim().to_owned();
        let person = self.known(by)?.clone();
        let seconds = self.tick().as_second();
        let mut commit = git::command(&folder);
        for role in ["AUTHOR", "COMMITTER"] {
            commit
                .env(format!("GIT_{role}_NAME"), &person.name)
                .env(format!("GIT_{role}_EMAIL"), format!("{}@corner.test", person.id))
                .env(format!("GIT_{role}_DATE"), format!("{seconds} +0000"));
        }
        commit.args(["commit-tree", &tree, "-p", pair[0], "-p", pair[1], "-m", &message]);
        let hash = String::from_utf8_lossy(&git::output(&mut commit, None)?).trim().to_owned();
        let branch = format!("refs/heads/{}", destination.branch);
        git::output(git::command(&folder).args(["update-ref", &branch, &hash]), None)?;
        self.close(repository, id, by, State::Merged, Some(hash.clone()))?;
        if close {
            let branch = format!("refs/heads/{}", source.branch);
            git::output(git::command(&from).args(["update-ref", "-d", &branch]), None)?;
        }
        self.refresh()?;
        Ok(hash)
    }

    fn close(
        &mut self,
        repository: &str,
        id: u64,
        by: &str,
        state: State,
        merge: Option<String>,
    ) -> Result<()> {
        self.known(by)?;
        let now = self.tick();
        let pull_request = self.pull_request_mut(repository, id)?;
        if pull_request.state != State::Open {
            bail!("pull request {id} is not open");
        }
        pull_request.state = state;
        pull_request.merge_commit = merge;
        pull_request.closed_by = Some(by.to_owned());
        pull_request.updated = now;
        Ok(())
    }

    /// Makes a commit on a branch and returns its hash. `None` as content deletes the file.
    ///
    /// `from` is the parent; without it the branch's tip is. A parent elsewhere makes it a force-push.
    pub(crate) fn push_commit(
        &mut self,
        repository: &str,
        branch: &str,
        message: &str,
        files: &[(&str, Option<&[u8]>)],
        from: Option<&str>,
    ) -> Result<String> {
        let seconds = self.tick().as_second();
        let person = self.people.first().context("nobody is there to push")?;
        let who = format!("{} {seconds} +0000", git::person(&person.name, &person.id));
        let repository = self.repository(repository).context("no such repository")?;
        let parent = match from {
            Some(name) => Some(repository.commit(name).with_context(|| format!("no commit {name:?}"))?),
            None => repository.heads.get(branch).cloned(),
        };
        let mut stream =
            format!("commit refs/heads/{branch}\nmark :1\nauthor {who}\ncommitter {who}\n").into_bytes();
        stream.extend_from_slice(format!("data {}\n{message}\n\n", message.len() + 1).as_bytes());
        if let Some(parent) = parent {
            stream.extend_from_slice(format!("from {parent}\n").as_bytes());
        }
        for (path, content) in files {
            match content {
                Some(content) => scenario::file_change(&mut stream, path, content),
                None => stream.extend_from_slice(format!("D {}\n", scenario::quoted(path)).as_bytes()),
            }
        }
        let hashes = git::fast_import(&repository.folder, &stream)?;
        self.refresh()?;
        hashes.into_iter().next().context("git made no commit")
    }

    /// Deletes a branch.
    pub(crate) fn delete_branch(&mut self, repository: &str, branch: &str) -> Result<()> {
        let folder = &self.repository(repository).context("no such repository")?.folder;
        let name = format!("refs/heads/{branch}");
        git::output(git::command(folder).args(["update-ref", "-d", &name]), None)?;
        self.refresh()
    }

    /// Deletes a repository: it is found nowhere, and pull requests from it have no source repository.
    pub(crate) fn delete_repository(&mut self, repository: &str) -> Result<()> {
        self.repository_mut(repository)?.gone = true;
        Ok(())
    }

    /// Reads the branches anew and moves the ends of open pull requests along with them.
    pub(crate) fn refresh(&mut self) -> Result<()> {
        for repository in &mut self.repositories {
            repository.heads = git::heads(&repository.folder)?.into_iter().collect();
        }
        let now = self.now;
        let heads = |name: &str, branch: &str| {
            let repository = self.repositories.iter().find(|known| known.name == name)?;
            repository.heads.get(branch).cloned()
        };
        for pull_request in self.pull_requests.iter_mut().filter(|one| one.state == State::Open) {
            if let Some(tip) = heads(&pull_request.destination.repository, &pull_request.destination.branch) {
                pull_request.destination.commit = tip;
            }
            let tip = heads(&pull_request.source.repository, &pull_request.source.branch);
            if let Some(tip) = tip.filter(|tip| *tip != pull_request.source.commit) {
                pull_request.source.commit = tip.clone();
                pull_request.updates.push((now, tip));
                pull_request.updated = now;
            }
        }
        Ok(())
    }
}

impl PullRequest {
    pub(super) fn took_part(&mut self, user: &str, on: Timestamp) {
        match self.participants.iter_mut().find(|known| known.user == user) {
            Some(known) => known.on = Some(on),
            None => {
                let user = user.to_owned();
                self.participants.push(Participant { user, reviewer: false, vote: None, on: Some(on) });
            }
        }
    }
}
