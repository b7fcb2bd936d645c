//! Files, blob ids, merge bases and staged renames, by commit and path.
//!
//! Paths are the repository's: relative, with `/`, UTF-8.
//! A path may come from anywhere: it is only looked up in trees, never on disk.

use std::collections::HashSet;

use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice};
use gix::objs::tree::EntryKind;

use crate::error::Error;
use crate::repository::Repository;

/// Hex digits of the shortest abbreviation that is looked up; git's own limit.
const SHORTEST: usize = 4;

/// A file's content at a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// The blob's hash, 40 lower-case hex digits: equal ids mean equal content.
    pub id: String,
    /// The bytes as stored, without any conversion of line ends.
    pub data: Vec<u8>,
}

impl Repository {
    /// The full hash of the one commit in the object database that begins so; 4 to 40 hex digits in either case.
    ///
    /// `None` if there is none, if there are several, and if the text is not hexadecimal.
    pub fn resolve(&self, abbreviated: &str) -> Option<String> {
        commit_id(&self.handle(), abbreviated).map(|id| id.to_string())
    }

    /// The file at `path` in `commit` (full or abbreviated), at most `cap` bytes; `None` if there is no file there.
    ///
    /// Symbolic links, submodules and folders are not files.
    ///
    /// # Errors
    /// [`Error::CommitMissing`] and [`Error::ContentMissing`] if the clone lacks them, [`Error::TooLarge`] beyond
    /// `cap`, [`Error::Unreadable`] for a damaged repository.
    pub fn file_at(&self, commit: &str, path: &str, cap: u64) -> Result<Option<Blob>, Error> {
        let handle = self.handle();
        let Some(id) = self.file_id(&handle, commit, path)? else {
            return Ok(None);
        };
        let missing = || Error::ContentMissing { path: path.to_owned() };
        let failed = |error: gix::Error| Error::unreadable(self.git_dir(), "reading an object", &error);
        let size = handle.try_find_header(id).map_err(failed)?.ok_or_else(missing)?.size();
        if size > cap {
            return Err(Error::TooLarge { path: path.to_owned(), size, cap });
        }
        let mut object = handle.try_find_object(id).map_err(failed)?.ok_or_else(missing)?;
        Ok(Some(Blob { id: id.to_string(), data: std::mem::take(&mut object.data) }))
    }

    /// The blob's hash of the file at `path` in `commit` without reading it; `None` if there is no file there.
    ///
    /// # Errors
    /// As [`file_at`](Self::file_at), but for the content's.
    pub fn blob_id_at(&self, commit: &str, path: &str) -> Result<Option<String>, Error> {
        let id = self.file_id(&self.handle(), commit, path)?;
        Ok(id.map(|id| id.to_string()))
    }

    /// The best common ancestor of two commits; `None` if they have none, or the clone lacks the history to know.
    pub fn merge_base(&self, one: &str, other: &str) -> Option<String> {
        let handle = self.handle();
        let base = handle.merge_base(commit_id(&handle, one)?, commit_id(&handle, other)?).ok()??;
        Some(base.to_string())
    }

    /// The new path of a file that `git mv` renamed and nobody has committed yet.
    ///
    /// Asked with the path at `HEAD`; `None` if it is still staged there, or nothing new in the index has its content.
    /// Of several, one with the same file name is taken, then the first by path.
    pub fn staged_as(&self, path_at_head: &str) -> Option<String> {
        let handle = self.handle();
        let head = handle.head_id().ok()?.to_string();
        let id = self.file_id(&handle, &head, path_at_head).ok()??;
        let index = handle.try_index().ok()??;
        if index.entry_by_path(path_at_head.into()).is_some() {
            return None;
        }
        let tree = handle.head_tree().ok()?;
        let is_new = |path: &BStr| entry_at(&tree, path).is_ok_and(|entry| entry.is_none());
        let same = index.entries().iter().filter(|entry| entry.id == id).map(|entry| entry.path(&index));
        let candidates: Vec<&BStr> = same.filter(|path| is_new(path)).collect();
        let name = |path: &[u8]| path.rsplit(|byte| *byte == b'/').next().map(<[u8]>::to_vec);
        let namesake = candidates.iter().find(|path| name(path) == name(path_at_head.as_bytes()));
        let chosen = namesake.or(candidates.first())?;
        chosen.to_str().ok().map(str::to_owned)
    }

    fn file_id(&self, handle: &gix::Repository, commit: &str, path: &str) -> Result<Option<ObjectId>, Error> {
        let missing = || Error::CommitMissing { commit: commit.chars().take(64).collect() };
        let commit = commit_id(handle, commit).ok_or_else(missing)?;
        let failed = |error: gix::Error| Error::unreadable(self.git_dir(), "reading a tree", &error);
        let tree = handle.find_commit(commit).map_err(failed)?.tree().map_err(failed)?;
        let entry = entry_at(&tree, path.into()).map_err(failed)?;
        let is_file = |kind| matches!(kind, EntryKind::Blob | EntryKind::BlobExecutable);
        Ok(entry.filter(|(kind, _)| is_file(*kind)).map(|(_, id)| id))
    }
}

/// The one commit that begins with these hex digits.
pub(crate) fn commit_id(handle: &gix::Repository, hex: &str) -> Option<ObjectId> {
    let is_commit =
        |id: &ObjectId| handle.find_header(*id).is_ok_and(|header| header.kind() == gix::objs::Kind::Commit);
    if hex.len() < SHORTEST || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    if let Ok(id) = ObjectId::from_hex(hex.to_ascii_lowercase().as_bytes()) {
        return Some(id).filter(is_commit);
    }
    let prefix = gix::hash::Prefix::from_hex(&hex.to_ascii_lowercase()).ok()?;
    match handle.objects.lookup_prefix(prefix, None).ok()?? {
        Ok(id) => Some(id).filter(is_commit),
        Err(()) => {
            // Other objects may begin so too; the commit is meant.
            let mut candidates = HashSet::default();
            handle.objects.lookup_prefix(prefix, Some(&mut candidates)).ok()?;
            let mut commits = candidates.into_iter().filter(is_commit);
            let first = commits.next()?;
            commits.next().is_none().then_some(first)
        }
    }
}

/// What stands at `path` below `tree`.
fn entry_at(tree: &gix::Tree<'_>, path: &BStr) -> Result<Option<(EntryKind, ObjectId)>, gix::Error> {
    let entry = tree.lookup_entry(path.split_str("/"))?;
    Ok(entry.map(|entry| (entry.mode().kind(), entry.object_id())))
}
