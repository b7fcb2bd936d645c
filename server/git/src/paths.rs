//! Work tree paths and repository paths, both ways.
//!
//! A repository path may come from Bitbucket and so from an attacker; it becomes a path on disk only if it stays inside
//! the work tree and out of `.git`, symbolic links included.

use std::fs;
use std::path::{Component, Path, PathBuf};

use gix::validate::path as validate;

use crate::repository::Repository;

/// Bytes of the longest repository path; what Linux takes.
const LONGEST: usize = 4096;

impl Repository {
    /// The place on disk of a repository path; the file need not exist.
    ///
    /// `None` for a bare repository and for every path that is not plainly inside the work tree: absolute ones, empty or
    /// dotted components, control characters, `\`, `:`, any spelling of `.git` (case, short names, ignored characters),
    /// device names on Windows, and paths that a symbolic link leads outside or into the git folder.
    pub fn work_path(&self, repo_path: &str) -> Option<PathBuf> {
        let root = self.work_dir()?;
        if !is_plain(repo_path) {
            return None;
        }
        let path = root.join(repo_path);
        self.stays_inside(root, repo_path).then_some(path)
    }

    /// The repository path of a place on disk, with `/` between components; the file need not exist.
    ///
    /// `None` outside the work tree, for the work tree itself, inside `.git`, and where the path is not UTF-8.
    pub fn repository_path(&self, path: &Path) -> Option<String> {
        let root = self.work_dir()?;
        let path = std::path::absolute(path).ok()?;
        let inside = match path.strip_prefix(root) {
            Ok(inside) => inside.to_owned(),
            Err(_) => physical(&path)?.strip_prefix(fs::canonicalize(root).ok()?).ok()?.to_owned(),
        };
        let mut parts = Vec::new();
        for part in inside.components() {
            match part {
                Component::Normal(name) => parts.push(name.to_str()?),
                _ => return None,
            }
        }
        let is_git = parts.first().is_some_and(|first| first.eq_ignore_ascii_case(".git"));
        (!parts.is_empty() && !is_git).then(|| parts.join("/"))
    }

    /// Whether no symbolic link on the way leads out of the work tree or into the git folder.
    fn stays_inside(&self, root: &Path, repo_path: &str) -> bool {
        let mut place = root.to_owned();
        for part in repo_path.split('/') {
            place.push(part);
            match fs::symlink_metadata(&place) {
                Ok(metadata) if metadata.file_type().is_symlink() => {
                    let target = (fs::canonicalize(&place), fs::canonicalize(root));
                    let (Ok(target), Ok(root)) = target else {
                        return false;
                    };
                    let forbidden =
                        [self.git_dir(), self.common_dir()].map(|folder| fs::canonicalize(folder).ok());
                    if !target.starts_with(root)
                        || forbidden.iter().flatten().any(|git| target.starts_with(git))
                    {
                        return false;
                    }
                }
                Ok(_) => {}
                // What does not exist has no links below it.
                Err(error) => return error.kind() == std::io::ErrorKind::NotFound || is_below_file(&error),
            }
        }
        true
    }
}

/// Whether the path says only names, one below the other.
fn is_plain(repo_path: &str) -> bool {
    let protect = validate::component::Options {
        protect_windows: cfg!(windows),
        protect_hfs: true,
        protect_ntfs: true,
    };
    let is_plain_part =
        |part: &str| validate::component(part.into(), None, protect).is_ok() && !is_short_name(part);
    repo_path.len() <= LONGEST
        && !repo_path.chars().any(|letter| letter.is_control() || matches!(letter, '\\' | ':'))
        && repo_path.split('/').all(is_plain_part)
}

/// Windows' short names of `.git`: `git~1` and its numbered siblings.
fn is_short_name(part: &str) -> bool {
    let lower = part.trim_end_matches([' ', '.']).to_ascii_lowercase();
    let number = lower.strip_prefix("git~");
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_below_file(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::NotADirectory
}

/// The path with the links in its existing part resolved.
fn physical(path: &Path) -> Option<PathBuf> {
    for folder in path.ancestors().skip(1) {
        if let Ok(real) = fs::canonicalize(folder) {
            return Some(real.join(path.strip_prefix(folder).ok()?));
        }
    }
    None
}
