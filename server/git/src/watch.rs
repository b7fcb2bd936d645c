//! One cheap value that differs when a repository has moved on.
//!
//! It must not know who polls it, nor how often.
//! Small files are compared by content and large ones by their stamp, so two changes within one tick of the
//! file system's clock are told apart where it matters.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::repository::Repository;

/// Bytes of a ref file that are compared; a hash or a branch name is far shorter.
const REF_FILE: u64 = 4096;
/// Folders of remote-tracking branches that are looked at.
const REF_FOLDERS: usize = 256;
/// Longer than a tick of a file system's clock.
const CLOCK_TICK: Duration = Duration::from_millis(50);
/// How deep the work tree's ref may point on to another ref.
const REF_HOPS: usize = 5;

/// What a repository looked like at one moment; compare two with `==`.
///
/// It differs after a commit, a switch, a reset, a fetch, a pull, a push, a rebase step, a merge that stopped, and a
/// change of the configuration, in the main work tree and in linked ones.
/// It does not differ after edits of files, `git add` or `git status`: the index is not part of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    head: Vec<Option<Vec<u8>>>,
    states: Vec<Option<Vec<u8>>>,
    refs: Vec<(PathBuf, Stamp)>,
    tracked: Vec<(PathBuf, Option<Vec<u8>>)>,
    config: Vec<(PathBuf, Stamp)>,
}

impl Repository {
    /// The repository as it is now, by some file stamps and a few small files; objects are not read.
    pub fn fingerprint(&self) -> Fingerprint {
        let (own, common) = (self.git_dir(), self.common_dir());
        let mut head = Vec::new();
        let mut next = Some(own.join("HEAD"));
        let mut branch = None;
        while let (Some(file), true) = (next.take(), head.len() < REF_HOPS) {
            let content = content_of(&file);
            let target = content.as_deref().and_then(ref_target);
            branch = branch.or_else(|| target.as_deref()?.strip_prefix("refs/heads/").map(str::to_owned));
            next = target.map(|target| common.join(target));
            head.push(content);
        }
        let states = ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge/head-name"];
        let states = states.iter().chain(&["rebase-apply/head-name"]);
        let states = states.map(|name| content_of(&own.join(name))).collect();

        let mut refs: Vec<PathBuf> =
            ["packed-refs", "FETCH_HEAD", "shallow"].iter().map(|name| common.join(name)).collect();
        if own != common {
            refs.push(own.join("FETCH_HEAD"));
        }
        let remotes = common.join("refs/remotes");
        let handle = self.handle();
        let names = branch.iter().flat_map(|branch| tracking_names(&handle, branch));
        let tracked = names.map(|name| remotes.join(name)).map(|file| (content_of(&file), file));
        let tracked = tracked.map(|(content, file)| (file, content)).collect();
        refs.extend(folders(&remotes));
        // `HEAD` is among them because it can switch configuration on and off; it is compared above.
        let config = self.config_files().into_iter().filter(|file| !file.ends_with("HEAD"));
        Fingerprint {
            head,
            states,
            refs: refs.into_iter().map(Stamp::with_path).collect(),
            tracked,
            config: config.map(Stamp::with_path).collect(),
        }
    }
}

/// The names below `refs/remotes` that a branch may be tracked under.
fn tracking_names(handle: &gix::Repository, branch: &str) -> Vec<String> {
    let snapshot = handle.config_snapshot();
    let value = |key: String| snapshot.string(key.as_str()).map(|value| value.to_string());
    let merge = value(format!("branch.{branch}.merge"));
    let merge = merge.as_deref().map(|merge| merge.strip_prefix("refs/heads/").unwrap_or(merge));
    let remotes = [
        Some("origin".to_owned()),
        value(format!("branch.{branch}.remote")),
        value(format!("branch.{branch}.pushRemote")),
        value("remote.pushDefault".to_owned()),
    ];
    let mut names = Vec::new();
    // An address in place of a name has no tracking branches, and may hold a password.
    let is_name = |remote: &String| !remote.contains([':', '@']);
    for remote in remotes.into_iter().flatten().filter(is_name) {
        for branch in [Some(branch), merge].into_iter().flatten() {
            let name = format!("{remote}/{branch}");
            if is_plain(&name) && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// What the file system says of a file without reading it; all zero for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Stamp {
    changed: Option<SystemTime>,
    length: u64,
    inode: u64,
}

impl Stamp {
    pub(crate) fn of(path: &Path) -> Self {
        let Ok(metadata) = fs::metadata(path) else {
            return Self::default();
        };
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let inode = 0;
        // A folder's length says nothing about its entries.
        let length = if metadata.is_dir() { 0 } else { metadata.len() };
        Self { changed: metadata.modified().ok(), length, inode }
    }

    pub(crate) fn with_path(path: PathBuf) -> (PathBuf, Self) {
        let stamp = Self::of(&path);
        (path, stamp)
    }

    /// Whether the file changed so close to a moment that another change might leave the same stamp.
    pub(crate) fn is_around(&self, moment: SystemTime) -> bool {
        let apart = |changed: SystemTime| match changed.duration_since(moment) {
            Ok(after) => after,
            Err(before) => before.duration(),
        };
        self.changed.is_some_and(|changed| apart(changed) < CLOCK_TICK)
    }
}

fn content_of(file: &Path) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    fs::File::open(file).ok()?.take(REF_FILE).read_to_end(&mut content).ok()?;
    Some(content)
}

/// The ref that `ref: refs/…` points to, if it stays below the git folder.
fn ref_target(content: &[u8]) -> Option<String> {
    let target = std::str::from_utf8(content).ok()?.strip_prefix("ref:")?.trim();
    (target.starts_with("refs/") && is_plain(target)).then(|| target.to_owned())
}

/// Whether a ref name stays below the folder that it is joined to.
fn is_plain(name: &str) -> bool {
    !name.contains('\0') && !name.split('/').any(|part| part.is_empty() || part == "..")
}

/// The folders of remote-tracking branches, the top one included; breadth first, bounded.
///
/// Git renames a new ref over an old one, so a folder's time changes with each ref in it.
fn folders(top: &Path) -> Vec<PathBuf> {
    let mut folders = vec![top.to_owned()];
    let mut seen = 0;
    while seen < folders.len() && folders.len() < REF_FOLDERS {
        let entries = fs::read_dir(&folders[seen]).into_iter().flatten().flatten();
        let below = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let mut below: Vec<PathBuf> = below.map(|entry| entry.path()).collect();
        below.sort();
        folders.extend(below);
        seen += 1;
    }
    folders.truncate(REF_FOLDERS);
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_just_changed_is_not_at_rest() {
        let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let at = |changed| Stamp { changed: Some(changed), ..Stamp::default() };
        assert!(at(moment).is_around(moment));
        assert!(at(moment - Duration::from_millis(4)).is_around(moment));
        assert!(at(moment + Duration::from_millis(4)).is_around(moment));
        // A clock that is off must not make every file look changed for ever.
        assert!(!at(moment + Duration::from_secs(3600)).is_around(moment));
        assert!(!at(moment - Duration::from_secs(1)).is_around(moment));
        assert!(!Stamp::default().is_around(moment), "no file");
    }
}
