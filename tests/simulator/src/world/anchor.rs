//! From the text that a comment stands on to the line numbers that Bitbucket would give it.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};

use super::{Inline, PullRequest, World};
use crate::git;
use crate::scenario::{Comment, Side};

/// Remembers what git said, which never changes for a commit, so that thousands of comments cost few calls of it.
#[derive(Default)]
pub(crate) struct Texts {
    /// By commit and path.
    files: HashMap<(String, String), String>,
    /// Merge bases, by the ends of a pull request.
    pub(crate) bases: HashMap<(String, String), String>,
    /// Numbers of lines, by commit and path; `None` where there is no such file.
    pub(crate) lengths: HashMap<(String, String), Option<u32>>,
}

/// Where a comment stands; `None` for a general one.
pub(super) fn place(world: &World, pull_request: &PullRequest, comment: &Comment) -> Result<Option<Inline>> {
    let Some(path) = comment.file.clone() else {
        if comment.on.is_some() || comment.lines.is_some() {
            bail!("`on` and `lines` need a `file`");
        }
        return Ok(None);
    };
    let source =
        commit(world, &pull_request.source.repository, comment.at.as_deref(), &pull_request.source.commit)?;
    let at = comment.destination_at.as_deref();
    let destination = commit(world, &pull_request.repository, at, &pull_request.destination.commit)?;
    let mut inline =
        Inline { path, from: None, to: None, start_from: None, start_to: None, source, destination };
    let side = comment.side.unwrap_or(Side::New);
    if matches!(side, Side::New | Side::Both) {
        let lines = lines(world, pull_request, comment, &inline, false)?;
        inline.to = lines.map(|[_, last]| last);
        inline.start_to = lines.filter(|[first, last]| first < last).map(|[first, _]| first);
    }
    if matches!(side, Side::Old | Side::Both) {
        let lines = lines(world, pull_request, comment, &inline, true)?;
        inline.from = lines.map(|[_, last]| last);
        inline.start_from = lines.filter(|[first, last]| first < last).map(|[first, _]| first);
    }
    Ok(Some(inline))
}

fn commit(world: &World, repository: &str, name: Option<&str>, tip: &str) -> Result<String> {
    let Some(name) = name else {
        return Ok(tip.to_owned());
    };
    let found = world.repository(repository).and_then(|repository| repository.commit(name));
    found.with_context(|| format!("{repository} has no commit {name:?}"))
}

fn lines(
    world: &World,
    pull_request: &PullRequest,
    comment: &Comment,
    inline: &Inline,
    old: bool,
) -> Result<Option<[u32; 2]>> {
    if comment.lines.is_some() {
        return Ok(comment.lines);
    }
    let Some(quote) = &comment.on else { return Ok(None) };
    let repository =
        world.repository(&pull_request.source.repository).context("the source's repository is missing")?;
    let mut texts = world.texts();
    let commit = if old {
        let pair = (inline.source.clone(), inline.destination.clone());
        let found = || git::merge_base(&repository.folder, &inline.source, &inline.destination);
        match texts.bases.get(&pair).cloned().or_else(found) {
            Some(base) => {
                texts.bases.insert(pair, base.clone());
                base
            }
            None => bail!("the two ends have no common ancestor"),
        }
    } else {
        inline.source.clone()
    };
    let key = (commit.clone(), inline.path.clone());
    if !texts.files.contains_key(&key) {
        let text = repository.text(&commit, &inline.path);
        let text = text.with_context(|| format!("there is no {} at {commit}", inline.path))?;
        texts.files.insert(key.clone(), text);
    }
    find(&texts.files[&key], quote, comment.nth)
        .with_context(|| format!("{} at {}", inline.path, &commit[..12]))
        .map(Some)
}

/// First and last line, from 1, of the quoted lines.
fn find(text: &str, quote: &str, nth: Option<usize>) -> Result<[u32; 2]> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let quoted: Vec<&str> = quote.trim_matches('\n').lines().map(str::trim).collect();
    if quoted.is_empty() {
        bail!("`on` is empty");
    }
    let mut found: Vec<usize> = (0..lines.len()).filter(|at| lines[*at..].starts_with(&quoted)).collect();
    if found.is_empty() && quoted.len() == 1 {
        found = (0..lines.len()).filter(|at| lines[*at].contains(quoted[0])).collect();
    }
    let first = match (nth, found.as_slice()) {
        (None, [only]) => *only,
        (Some(nth), all) if (1..=all.len()).contains(&nth) => all[nth - 1],
        (_, all) => bail!("{quote:?} stands there {} times; `nth` says which is meant", all.len()),
    };
    let line = |index: usize| u32::try_from(index + 1).context("too many lines");
    Ok([line(first)?, line(first + quoted.len() - 1)?])
}

#[cfg(test)]
mod tests {
    use super::find;

    const TEXT: &str = "fn a() {\n    go();\n}\nfn b() {\n    go();\n    stop(1);\n}\n";

    #[test]
    fn lines_are_found_by_their_text() {
        assert_eq!(find(TEXT, "fn a() {", None).unwrap(), [1, 1]);
        assert_eq!(find(TEXT, "go();\nstop(1);\n", None).unwrap(), [5, 6]);
        assert_eq!(find(TEXT, "go();", Some(2)).unwrap(), [5, 5]);
        assert_eq!(find(TEXT, "stop", None).unwrap(), [6, 6]);
    }

    #[test]
    fn what_is_not_clear_is_an_error() {
        for (quote, nth) in
            [("go();", None), ("go();", Some(3)), ("absent", None), ("", None), ("}\nfn c", None)]
        {
            assert!(find(TEXT, quote, nth).is_err(), "{quote:?}");
        }
    }
}
