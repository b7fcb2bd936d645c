//! From a scenario's commits to real bare repositories.
//!
//! The trees are worked out in memory and handed to `git fast-import`, so a history of hundreds of commits
//! costs one subprocess, and the hashes are the same on each machine.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;

use super::{Commit, Repository, Scenario, moment};
use crate::git;
use crate::http::base64_decode;

type Tree = BTreeMap<String, Arc<[u8]>>;

/// The commits of one repository as planned; a fork's plan starts with all that its origin had.
#[derive(Clone, Default)]
pub(super) struct History {
    commits: Vec<Planned>,
    names: HashMap<String, usize>,
    /// Branch to commit, also of branches that are deleted in the end.
    branches: BTreeMap<String, usize>,
    hashes: Vec<String>,
}

#[derive(Clone)]
struct Planned {
    branch: String,
    parents: Vec<usize>,
    tree: Tree,
    author: String,
    date: Timestamp,
    message: String,
}

impl History {
    /// Plans a repository's commits and writes them into an empty bare repository.
    pub(super) fn make(
        scenario: &Scenario,
        repository: &Repository,
        origin: Option<&Self>,
        folder: &Path,
    ) -> Result<Self> {
        let mut history = origin.cloned().unwrap_or_default();
        let mut date = history.commits.last().map_or(moment("2026-11-02 09:00")?, |last| last.date);
        for commit in &repository.commits {
            date = match &commit.date {
                Some(text) => moment(text)?,
                None => date + jiff::SignedDuration::from_mins(10),
            };
            let said = || format!("commit {:?} of {}", commit.message, repository.name);
            let planned = history.plan(scenario, commit, date).with_context(said)?;
            history.add(commit, planned)?;
        }
        git::init_bare(folder, repository.main.as_deref().unwrap_or("main"))?;
        if !history.commits.is_empty() {
            history.hashes = git::fast_import(folder, &history.stream())?;
        }
        for branch in &repository.deleted_branches {
            let name = format!("refs/heads/{branch}");
            git::output(git::command(folder).args(["update-ref", "-d", &name]), None)?;
        }
        Ok(history)
    }

    /// The hash of a commit by its `id`, or of a branch's tip, also of a deleted branch.
    pub(super) fn hash(&self, name: &str) -> Option<&str> {
        let index = self.names.get(name).or_else(|| self.branches.get(name))?;
        self.hashes.get(*index).map(String::as_str)
    }

    /// All names with their hashes.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        let names = self.names.iter().map(|(name, index)| (name.as_str(), *index));
        names.filter_map(|(name, index)| Some((name, self.hashes.get(index)?.as_str())))
    }

    fn find(&self, name: &str) -> Result<usize> {
        let found = self.names.get(name).or_else(|| self.branches.get(name));
        found.copied().with_context(|| format!("there is no commit and no branch {name:?} before it"))
    }

    fn plan(&self, scenario: &Scenario, commit: &Commit, date: Timestamp) -> Result<Planned> {
        let mut parents = Vec::new();
        match &commit.from {
            Some(from) => parents.push(self.find(from)?),
            None => parents.extend(self.branches.get(&commit.branch)),
        }
        let mut tree = parents.first().map(|first| self.commits[*first].tree.clone()).unwrap_or_default();
        if let Some(merge) = &commit.merge {
            let other = self.find(merge)?;
            let first = *parents.first().context("a merge needs a first parent")?;
            tree = self.merged(first, other, &commit.write)?;
            parents.push(other);
        }
        for (old, new) in &commit.rename {
            let content = tree.remove(old).with_context(|| format!("there is no {old} to rename"))?;
            tree.insert(new.clone(), content);
        }
        for path in &commit.delete {
            tree.remove(path).with_context(|| format!("there is no {path} to delete"))?;
        }
        for (path, text) in &commit.write {
            tree.insert(path.clone(), text.as_bytes().into());
        }
        for (path, text) in &commit.write_base64 {
            let bytes = base64_decode(text).with_context(|| format!("{path} is not base64"))?;
            tree.insert(path.clone(), bytes.into());
        }
        for (path, edits) in &commit.edit {
            let content = tree.get(path).with_context(|| format!("there is no {path} to edit"))?;
            let mut text =
                String::from_utf8(content.to_vec()).with_context(|| format!("{path} is no text"))?;
            for [old, new] in edits {
                if text.matches(old.as_str()).count() != 1 {
                    bail!("{old:?} must stand exactly once in {path}");
                }
                text = text.replacen(old.as_str(), new, 1);
            }
            tree.insert(path.clone(), text.into_bytes().into());
        }
        let author = match &commit.author {
            Some(id) => scenario
                .users
                .iter()
                .find(|user| user.id == *id)
                .with_context(|| format!("no user {id:?}"))?,
            None => scenario.users.first().context("a scenario needs a [[user]]")?,
        };
        let author = git::person(&author.name, &author.id);
        let message = format!("{}\n", commit.message.trim_end());
        Ok(Planned { branch: commit.branch.clone(), parents, tree, author, date, message })
    }

    fn add(&mut self, commit: &Commit, planned: Planned) -> Result<()> {
        let index = self.commits.len();
        let on_branch = self.commits.iter().filter(|other| other.branch == planned.branch).count();
        let name = commit.id.clone().unwrap_or_else(|| format!("{}-{}", planned.branch, on_branch + 1));
        if self.names.insert(name.clone(), index).is_some() {
            bail!("two commits are called {name:?}");
        }
        self.branches.insert(planned.branch.clone(), index);
        self.commits.push(planned);
        Ok(())
    }

    /// A three-way merge of whole files.
    fn merged(&self, first: usize, second: usize, written: &BTreeMap<String, String>) -> Result<Tree> {
        let empty = Tree::new();
        let base = self.common_ancestor(first, second).map_or(&empty, |index| &self.commits[index].tree);
        let (ours, theirs) = (&self.commits[first].tree, &self.commits[second].tree);
        let mut merged = Tree::new();
        for path in ours.keys().chain(theirs.keys()).collect::<HashSet<_>>() {
            let (old, our, their) = (base.get(path), ours.get(path), theirs.get(path));
            let content = if our == their || their == old {
                our
            } else if our == old {
                their
            } else if written.contains_key(path) {
                None
            } else {
                bail!("both sides changed {path}: give the merged file in `write`");
            };
            if let Some(content) = content {
                merged.insert(path.clone(), Arc::clone(content));
            }
        }
        Ok(merged)
    }

    /// Commits stand after their parents, so the last of the common ancestors descends to no other one.
    fn common_ancestor(&self, one: usize, other: usize) -> Option<usize> {
        let (one, other) = (self.ancestors(one), self.ancestors(other));
        one.intersection(&other).max().copied()
    }

    fn ancestors(&self, from: usize) -> HashSet<usize> {
        let mut seen = HashSet::new();
        let mut open = vec![from];
        while let Some(index) = open.pop() {
            if seen.insert(index) {
                open.extend(&self.commits[index].parents);
            }
        }
        seen
    }

    /// The input for `git fast-import`.
    fn stream(&self) -> Vec<u8> {
        let mut stream = Vec::new();
        let nothing = Tree::new();
        for (index, commit) in self.commits.iter().enumerate() {
            let mut said = String::new();
            if commit.parents.is_empty() {
                said.push_str(&format!("reset refs/heads/{}\n\n", commit.branch));
            }
            let when = format!("{} {} +0000", commit.author, commit.date.as_second());
            said.push_str(&format!("commit refs/heads/{}\nmark :{}\n", commit.branch, index + 1));
            said.push_str(&format!("author {when}\ncommitter {when}\n"));
            said.push_str(&format!("data {}\n{}\n", commit.message.len(), commit.message));
            for (number, parent) in commit.parents.iter().enumerate() {
                said.push_str(&format!("{} :{}\n", if number == 0 { "from" } else { "merge" }, parent + 1));
            }
            stream.extend_from_slice(said.as_bytes());
            let before = commit.parents.first().map_or(&nothing, |parent| &self.commits[*parent].tree);
            for path in before.keys().filter(|path| !commit.tree.contains_key(*path)) {
                stream.extend_from_slice(format!("D {}\n", quoted(path)).as_bytes());
            }
            for (path, content) in &commit.tree {
                if before.get(path) != Some(content) {
                    file_change(&mut stream, path, content);
                }
            }
            stream.push(b'\n');
        }
        stream
    }
}

/// Adds a file to a commit in a `git fast-import` stream.
pub(crate) fn file_change(stream: &mut Vec<u8>, path: &str, content: &[u8]) {
    stream
        .extend_from_slice(format!("M 100644 inline {}\ndata {}\n", quoted(path), content.len()).as_bytes());
    stream.extend_from_slice(content);
    stream.push(b'\n');
}

/// A path as `git fast-import` takes it whatever is in it.
pub(crate) fn quoted(path: &str) -> String {
    let escaped = path.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}
