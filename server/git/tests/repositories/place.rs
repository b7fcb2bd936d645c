//! A temporary folder with repositories in it, made by `git` without the tester's own configuration.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};

use git::{GitConfig, Repository, Surroundings, discover_within};
use tempfile::TempDir;

/// Removed with everything in it when dropped.
pub(crate) struct Place {
    folder: TempDir,
    clock: AtomicI64,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("git-test-").tempdir().unwrap();
        std::fs::create_dir(folder.path().join("home")).unwrap();
        std::fs::write(folder.path().join("gitconfig"), "").unwrap();
        Self { folder, clock: AtomicI64::new(1_700_000_000) }
    }

    /// With a repository `repo` on `main` that has one commit of `file.txt`.
    pub(crate) fn with_repository() -> Self {
        let place = Self::new();
        place.git(".", &["init", "-q", "-b", "main", "repo"]);
        place.commit("repo", "file.txt", "one\ntwo\nthree\n");
        place
    }

    /// As above, with a bare repository `server` as `origin`, and `main` following its `main`.
    pub(crate) fn with_server() -> Self {
        let place = Self::with_repository();
        place.git(".", &["clone", "-q", "--bare", "repo", "server"]);
        place.git("repo", &["remote", "add", "origin", &place.file_url("server")]);
        place.git("repo", &["fetch", "-q", "origin"]);
        place.git("repo", &["branch", "-q", "--set-upstream-to=origin/main"]);
        place
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        let path = self.folder.path();
        if relative == "." { path.to_owned() } else { path.join(relative) }
    }

    pub(crate) fn file_url(&self, relative: &str) -> String {
        format!("file://{}", self.path(relative).display())
    }

    /// Runs git in a folder, panics if it fails, and returns what it prints, trimmed.
    pub(crate) fn git(&self, folder: &str, arguments: &[&str]) -> String {
        let (succeeded, out, err) = self.try_git(folder, arguments);
        assert!(succeeded, "git {arguments:?} in {folder}: {out}{err}");
        out.trim().to_owned()
    }

    pub(crate) fn try_git(&self, folder: &str, arguments: &[&str]) -> (bool, String, String) {
        // Each commit is a minute later than the one before, so that their order is certain.
        let now = format!("{} +0000", self.clock.fetch_add(60, Ordering::Relaxed));
        let mut command = Command::new("git");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GIT_") {
                command.env_remove(name);
            }
        }
        let output = command
            .current_dir(self.path(folder))
            .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")])
            .envs([("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@example.org")])
            .envs([("GIT_COMMITTER_NAME", "Ada"), ("GIT_COMMITTER_EMAIL", "ada@example.org")])
            .envs([("GIT_AUTHOR_DATE", now.as_str()), ("GIT_COMMITTER_DATE", now.as_str())])
            .env("HOME", self.path("home"))
            .env("GIT_EDITOR", "true")
            .args(["-c", "protocol.file.allow=always", "-c", "gc.auto=0", "-c", "core.quotePath=false"])
            .args(arguments)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (output.status.success(), text(output.stdout), text(output.stderr))
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn write(&self, relative: &str, text: &str) {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Writes and commits a file; returns the commit's hash.
    pub(crate) fn commit(&self, folder: &str, file: &str, text: &str) -> String {
        self.write(&format!("{folder}/{file}"), text);
        self.git(folder, &["add", "--", file]);
        self.commit_staged(folder)
    }

    pub(crate) fn commit_staged(&self, folder: &str) -> String {
        self.git(folder, &["commit", "-q", "--allow-empty", "-m", "change"]);
        self.git(folder, &["rev-parse", "HEAD"])
    }

    /// The user's git configuration for the crate under test.
    pub(crate) fn user_config(&self, text: &str) {
        self.write("gitconfig", text);
    }

    pub(crate) fn surroundings(&self) -> Surroundings {
        Surroundings {
            home: Some(self.path("home")),
            git_config: GitConfig::Only(Some(self.path("gitconfig"))),
        }
    }

    pub(crate) fn try_open(&self, path: &Path) -> Result<Repository, git::Error> {
        discover_within(path, &self.surroundings())
    }

    pub(crate) fn open(&self, relative: &str) -> Repository {
        self.try_open(&self.path(relative)).unwrap()
    }
}
