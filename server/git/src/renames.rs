//! Which files were renamed between two commits.
//!
//! It compares the two end trees, so a chain of renames over several commits is one rename here.
//! It must not read the work tree, attributes or filters; blobs are compared as stored.
//! Equal blobs are paired first, then similar ones as git does it (half of the larger file's bytes are in common),
//! by bags of lines, within fixed bounds of files and bytes.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError};

use gix::ObjectId;
use gix::bstr::{BStr, BString};
use gix::diff::tree::recorder::Change;
use gix::diff::tree::{Recorder, Visit};
use gix::objs::TreeRefIter;
use gix::objs::tree::EntryMode;

use crate::content::commit_id;
use crate::repository::Repository;

/// Pairs of commits whose renames are remembered.
const REMEMBERED: usize = 16;
/// Bytes of the largest file that is compared by its lines.
const LARGEST: u64 = 1024 * 1024;
/// Bytes that are read in one comparison of two commits.
const BYTES: u64 = 48 * 1024 * 1024;
/// Pairs of files that are compared by their lines.
const PAIRS: usize = 60_000;
/// Files of one name that one file is compared with.
const NAMESAKES: usize = 40;
/// Changed files between two commits beyond which no renames are looked for; trees can be made to hold billions.
const CHANGES: usize = 200_000;

/// The last comparisons, newest last.
#[derive(Default)]
pub(crate) struct RenameCache {
    known: Vec<((ObjectId, ObjectId), Arc<Renames>)>,
}

#[derive(Debug, Default)]
pub(crate) struct Renames {
    to: HashMap<String, String>,
    from: HashMap<String, String>,
}

impl Repository {
    /// Where the file at `path` in `from_commit` went by `to_commit`; either may be the older one.
    ///
    /// `None` if it stayed, is gone, or a commit is not in this clone.
    /// The whole comparison is remembered: asking for each file of a pull request costs one.
    pub fn renamed_to(&self, from_commit: &str, to_commit: &str, path: &str) -> Option<String> {
        self.renames_between(from_commit, to_commit)?.to.get(path).cloned()
    }

    /// Where the file at `path` in `to_commit` was in `from_commit`: the opposite of [`renamed_to`](Self::renamed_to).
    pub fn renamed_from(&self, from_commit: &str, to_commit: &str, path: &str) -> Option<String> {
        self.renames_between(from_commit, to_commit)?.from.get(path).cloned()
    }

    fn renames_between(&self, from_commit: &str, to_commit: &str) -> Option<Arc<Renames>> {
        let handle = self.handle();
        let key = (commit_id(&handle, from_commit)?, commit_id(&handle, to_commit)?);
        let cache = || self.renames().lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = cache().known.iter().find(|(known, _)| *known == key) {
            return Some(known.clone());
        }
        let renames = Arc::new(between(&handle, key.0, key.1).ok()?);
        let mut cache = cache();
        if cache.known.len() >= REMEMBERED {
            cache.known.remove(0);
        }
        cache.known.push((key, renames.clone()));
        Some(renames)
    }
}

fn between(handle: &gix::Repository, from: ObjectId, to: ObjectId) -> Result<Renames, gix::Error> {
    let (old, new) = (handle.find_commit(from)?.tree()?, handle.find_commit(to)?.tree()?);
    let tree = |tree: &gix::Tree<'_>| tree.data.clone();
    let (old_data, new_data) = (tree(&old), tree(&new));
    let kind = handle.object_hash();
    let mut changes = BoundedRecorder::default();
    let walked = gix::diff::tree(
        TreeRefIter::from_bytes(&old_data, kind),
        TreeRefIter::from_bytes(&new_data, kind),
        gix::diff::tree::State::default(),
        &handle.objects,
        &mut changes,
    );
    match walked {
        Err(gix::diff::tree::Error::Cancelled) => return Ok(Renames::default()),
        walked => walked.map_err(gix::Error::from_error)?,
    }

    let (mut gone, mut come) = (Vec::new(), Vec::new());
    let file = |mode: EntryMode, id: ObjectId, path: BString| {
        let path = String::from_utf8(path.into()).ok()?;
        (mode.is_blob() && id != ObjectId::empty_blob(kind)).then_some(File { path, id })
    };
    for change in changes.0.records {
        match change {
            Change::Addition { entry_mode, oid, path, .. } => come.extend(file(entry_mode, oid, path)),
            Change::Deletion { entry_mode, oid, path, .. } => gone.extend(file(entry_mode, oid, path)),
            Change::Modification { .. } => {}
        }
    }
    let mut pairing = Pairing { gone, come, ..Pairing::default() };
    pairing.pair_equal();
    pairing.pair_similar(&mut Bags { handle, left: BYTES, known: HashMap::new() });
    Ok(pairing.renames())
}

/// Records changes up to the bound, then stops the walk.
#[derive(Default)]
struct BoundedRecorder(Recorder);

impl Visit for BoundedRecorder {
    fn pop_front_tracked_path_and_set_current(&mut self) {
        self.0.pop_front_tracked_path_and_set_current();
    }

    fn push_back_tracked_path_component(&mut self, component: &BStr) {
        self.0.push_back_tracked_path_component(component);
    }

    fn push_path_component(&mut self, component: &BStr) {
        self.0.push_path_component(component);
    }

    fn pop_path_component(&mut self) {
        self.0.pop_path_component();
    }

    fn visit(&mut self, change: gix::diff::tree::visit::Change) -> ControlFlow<()> {
        if self.0.records.len() >= CHANGES { ControlFlow::Break(()) } else { self.0.visit(change) }
    }
}

struct File {
    path: String,
    id: ObjectId,
}

impl File {
    /// The last components of the path: one is the file's name.
    fn last(&self, components: usize) -> &str {
        let start = self.path.rmatch_indices('/').nth(components - 1).map_or(0, |(slash, _)| slash + 1);
        &self.path[start..]
    }
}

/// Files that are gone and files that have come, each in at most one pair.
#[derive(Default)]
struct Pairing {
    gone: Vec<File>,
    come: Vec<File>,
    pairs: HashMap<usize, usize>,
    taken: HashSet<usize>,
}

impl Pairing {
    fn pair(&mut self, gone: usize, come: usize) {
        if !self.pairs.contains_key(&gone) && self.taken.insert(come) {
            self.pairs.insert(gone, come);
        }
    }

    /// Pairs equal blobs, those of the same file name first.
    fn pair_equal(&mut self) {
        let mut by_id: HashMap<ObjectId, Vec<usize>> = HashMap::new();
        for (at, file) in self.come.iter().enumerate() {
            by_id.entry(file.id).or_default().push(at);
        }
        for same_name in [true, false] {
            for gone in 0..self.gone.len() {
                let candidates = by_id.get(&self.gone[gone].id).into_iter().flatten();
                let free = |come: &&usize| {
                    !self.taken.contains(*come)
                        && (!same_name || self.come[**come].last(1) == self.gone[gone].last(1))
                };
                if !self.pairs.contains_key(&gone)
                    && let Some(come) = candidates.copied().find(|come| free(&come))
                {
                    self.pair(gone, come);
                }
            }
        }
    }

    /// Pairs files with enough lines in common, the most similar first.
    fn pair_similar(&mut self, bags: &mut Bags<'_>) {
        let mut scored: Vec<(u64, usize, usize, usize)> = Vec::new();
        for (tier, gone, come) in self.candidates() {
            let score = bags.similarity(self.gone[gone].id, self.come[come].id);
            scored.extend(score.filter(|score| *score >= 50).map(|score| (100 - score, tier, gone, come)));
        }
        scored.sort_unstable();
        for (_, _, gone, come) in scored {
            self.pair(gone, come);
        }
    }

    /// The pairs worth comparing as (tier, gone, come): first those whose path ends alike, then any, within bounds.
    fn candidates(&self) -> Vec<(usize, usize, usize)> {
        let gone: Vec<usize> = (0..self.gone.len()).filter(|at| !self.pairs.contains_key(at)).collect();
        let come: Vec<usize> = (0..self.come.len()).filter(|at| !self.taken.contains(at)).collect();
        let mut candidates = Vec::new();
        for (tier, names) in [(0, 2), (1, 1)] {
            let mut namesakes: HashMap<&str, Vec<usize>> = HashMap::new();
            for at in &come {
                namesakes.entry(self.come[*at].last(names)).or_default().push(*at);
            }
            for gone in &gone {
                let of_gone = namesakes.get(self.gone[*gone].last(names)).into_iter().flatten();
                let left = PAIRS.saturating_sub(candidates.len()).min(NAMESAKES);
                candidates.extend(of_gone.take(left).map(|come| (tier, *gone, *come)));
            }
        }
        if gone.len().saturating_mul(come.len()) <= PAIRS {
            candidates.extend(gone.iter().flat_map(|gone| come.iter().map(|come| (2, *gone, *come))));
        }
        candidates
    }

    fn renames(self) -> Renames {
        let mut renames = Renames::default();
        for (gone, come) in &self.pairs {
            let (gone, come) = (&self.gone[*gone].path, &self.come[*come].path);
            renames.to.insert(gone.clone(), come.clone());
            renames.from.insert(come.clone(), gone.clone());
        }
        renames
    }
}

/// A text as its lines' hashes with their bytes, sorted.
struct Bag {
    size: u64,
    lines: Vec<(u64, u64)>,
}

struct Bags<'a> {
    handle: &'a gix::Repository,
    left: u64,
    known: HashMap<ObjectId, Option<Arc<Bag>>>,
}

impl Bags<'_> {
    /// Bytes in common as a percentage of the larger file; `None` for what is not compared.
    fn similarity(&mut self, one: ObjectId, other: ObjectId) -> Option<u64> {
        let (one, other) = (self.bag(one)?, self.bag(other)?);
        let larger = one.size.max(other.size);
        if one.size.min(other.size) * 2 < larger {
            return None;
        }
        let (mut a, mut b, mut common) = (0, 0, 0);
        while a < one.lines.len() && b < other.lines.len() {
            match one.lines[a].cmp(&other.lines[b]) {
                std::cmp::Ordering::Less => a += 1,
                std::cmp::Ordering::Greater => b += 1,
                std::cmp::Ordering::Equal => {
                    common += one.lines[a].1;
                    (a, b) = (a + 1, b + 1);
                }
            }
        }
        Some(common * 100 / larger.max(1))
    }

    fn bag(&mut self, id: ObjectId) -> Option<Arc<Bag>> {
        if let Some(known) = self.known.get(&id) {
            return known.clone();
        }
        let bag = self.read(id).map(Arc::new);
        self.known.insert(id, bag.clone());
        bag
    }

    fn read(&mut self, id: ObjectId) -> Option<Bag> {
        let size = self.handle.find_header(id).ok()?.size();
        if size > LARGEST || size > self.left {
            return None;
        }
        self.left -= size;
        let object = self.handle.find_object(id).ok()?;
        // As git does it: a NUL near the start means binary.
        if object.data.iter().take(8000).any(|byte| *byte == 0) {
            return None;
        }
        let hashed = object.data.split_inclusive(|byte| *byte == b'\n').map(|line| {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let mut hasher = DefaultHasher::new();
            text.strip_suffix(b"\r").unwrap_or(text).hash(&mut hasher);
            (hasher.finish(), line.len() as u64)
        });
        let mut lines: Vec<(u64, u64)> = hashed.collect();
        lines.sort_unstable();
        Some(Bag { size, lines })
    }
}
