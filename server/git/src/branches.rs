//! Which branches contain a commit: what a detached head may belong to.
//!
//! One bounded walk from all branch tips back to the commit's time; it must not know what the branches are for.

use std::collections::{HashMap, HashSet};

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::revision::walk::Sorting;
use gix::traverse::commit::simple::CommitTimeOrder;

use crate::content::commit_id;
use crate::remote;
use crate::repository::Repository;

/// Commits that one walk looks at.
const COMMITS: usize = 50_000;
/// Branches that one walk starts from.
const TIPS: usize = 5_000;
/// Seconds by which clocks of committers may disagree.
const CLOCK_SKEW: i64 = 24 * 60 * 60;

/// A branch whose tip is a given commit or descends from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchTip {
    /// The remote of a remote-tracking branch; `None` for a local branch.
    pub remote: Option<String>,
    /// The branch's short name, without the remote.
    pub branch: String,
    /// The tip, 40 lower-case hex digits.
    pub commit: String,
    /// Whether the tip is the commit itself.
    pub is_tip: bool,
}

impl Repository {
    /// The branches whose tip is `commit` or descends from it.
    ///
    /// Those whose tip it is come first; remote-tracking ones before local ones; then by name.
    /// The walk is bounded, so in a very large history a branch far ahead of the commit may be left out.
    pub fn branches_containing(&self, commit: &str) -> Vec<BranchTip> {
        let handle = self.handle();
        let Some(commit) = commit_id(&handle, commit) else {
            return Vec::new();
        };
        let tips = tips(&handle);
        let containing = descendants(&handle, commit, tips.iter().map(|(_, _, id)| *id)).unwrap_or_default();
        let mut branches: Vec<BranchTip> = tips
            .into_iter()
            .filter(|(_, _, id)| *id == commit || containing.contains(id))
            .map(|(remote, branch, id)| BranchTip {
                remote,
                branch,
                commit: id.to_string(),
                is_tip: id == commit,
            })
            .collect();
        branches.sort_by(|a, b| {
            let key = |tip: &BranchTip| (!tip.is_tip, tip.remote.is_none());
            key(a).cmp(&key(b)).then_with(|| (&a.remote, &a.branch).cmp(&(&b.remote, &b.branch)))
        });
        branches
    }
}

/// All branches as (remote, short name, tip); symbolic ones such as `origin/HEAD` are left out.
fn tips(handle: &gix::Repository) -> Vec<(Option<String>, String, ObjectId)> {
    let Ok(references) = handle.references() else {
        return Vec::new();
    };
    let remotes = remote::names(handle);
    let mut tips = Vec::new();
    let prefixes = [references.remote_branches(), references.local_branches()];
    for reference in prefixes.into_iter().flatten().flatten().flatten().take(TIPS) {
        let Some(id) = reference.target().try_id().map(ToOwned::to_owned) else {
            continue;
        };
        let name = reference.name().as_bstr().to_str_lossy().into_owned();
        if let Some(branch) = name.strip_prefix("refs/heads/") {
            tips.push((None, branch.to_owned(), id));
        } else if let Some((remote, branch)) =
            name.strip_prefix("refs/remotes/").and_then(|rest| split_remote(rest, &remotes))
        {
            tips.push((Some(remote), branch, id));
        }
    }
    tips
}

/// `origin/feature/x` as remote and branch; a remote's name may hold slashes, so the longest that fits wins.
fn split_remote(name: &str, remotes: &[String]) -> Option<(String, String)> {
    let fits =
        |remote: &&String| name.strip_prefix(remote.as_str()).is_some_and(|rest| rest.starts_with('/'));
    let known = remotes.iter().filter(fits).max_by_key(|remote| remote.len()).map(|remote| remote.len());
    let slash = known.or_else(|| name.find('/'))?;
    Some((remote::shown_name(&name[..slash]), name[slash + 1..].to_owned()))
}

/// The commits between `commit` and the tips that descend from it.
fn descendants(
    handle: &gix::Repository,
    commit: ObjectId,
    tips: impl Iterator<Item = ObjectId>,
) -> Result<HashSet<ObjectId>, gix::Error> {
    let since = handle.find_commit(commit)?.time()?.seconds.saturating_sub(CLOCK_SKEW);
    let tips: HashSet<ObjectId> = tips.filter(|tip| *tip != commit && is_commit(handle, *tip)).collect();
    let newest_first = Sorting::ByCommitTimeCutoff { order: CommitTimeOrder::NewestFirst, seconds: since };
    let mut children: HashMap<ObjectId, Vec<ObjectId>> = HashMap::new();
    for info in handle.rev_walk(tips).sorting(newest_first).all()?.take(COMMITS) {
        // A commit that cannot be read ends its own line of history only.
        let Ok(info) = info else { continue };
        for parent in info.parent_ids.iter() {
            children.entry(*parent).or_default().push(info.id);
        }
    }
    let mut found = HashSet::new();
    let mut next = vec![commit];
    while let Some(parent) = next.pop() {
        let of_parent = children.get(&parent).into_iter().flatten();
        next.extend(of_parent.filter(|child| found.insert(**child)));
    }
    Ok(found)
}

fn is_commit(handle: &gix::Repository, id: ObjectId) -> bool {
    handle.find_header(id).is_ok_and(|header| header.kind() == gix::objs::Kind::Commit)
}
