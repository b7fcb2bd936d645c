//! What comes out of git: commits, files, diffs, merge bases.

use std::process::Command;

use serde_json::{Value, json};

use super::page::Page;
use super::{Call, Result, error};
use crate::git;
use crate::http::{Answer, percent_encode};
use crate::world::{Inline, Repository, World};

/// The empty tree: what the first commit is compared with.
const NOTHING: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// A commit as `git log` tells it.
pub(crate) struct LoggedCommit {
    pub(crate) hash: String,
    pub(crate) parents: Vec<String>,
    pub(crate) author: String,
    pub(crate) email: String,
    pub(crate) date: String,
    pub(crate) message: String,
}

pub(super) fn commit(call: &Call<'_>, repository: &Repository, name: &str) -> Result<Answer> {
    call.needs("repository")?;
    let hash = resolve(call.world, repository, name)?;
    let commit = log_of(call.world, repository, &[&hash, "-1"]).pop().ok_or_else(|| not_found(name))?;
    Ok(call.json(call.world.commit_json(repository, &commit), &[]))
}

pub(super) fn merge_base(call: &Call<'_>, repository: &Repository, spec: &str) -> Result<Answer> {
    call.needs("repository")?;
    let (one, other) =
        spec.split_once("..").ok_or_else(|| error(400, &format!("Invalid revspec: {spec}")))?;
    let (one, other) = (resolve(call.world, repository, one)?, resolve(call.world, repository, other)?);
    let base = base(call.world, repository, &one, &other)?;
    commit(call, repository, &base)
}

/// Commits, newest first; `next` names the commit to go on with, not a number.
pub(super) fn commits(call: &Call<'_>, repository: &Repository, from: Option<&str>) -> Result<Answer> {
    call.needs("repository")?;
    let length = Page::asked_length(call)?;
    let mut tips = call.request.all("include");
    tips.extend(from.map(str::to_owned));
    if tips.is_empty() {
        tips.extend(repository.heads.keys().cloned());
    }
    let mut arguments = Vec::new();
    for tip in &tips {
        arguments.push(resolve(call.world, repository, tip)?);
    }
    arguments.push("--not".to_owned());
    for tip in call.request.all("exclude") {
        arguments.push(resolve(call.world, repository, &tip)?);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let all = log_of(call.world, repository, &arguments);
    let start = match call.request.parameter("page") {
        None => 0,
        Some(after) => {
            1 + all
                .iter()
                .position(|commit| commit.hash == after)
                .ok_or_else(|| error(404, "Invalid page"))?
        }
    };
    let shown = &all[start.min(all.len())..(start + length).min(all.len())];
    let values: Vec<Value> = shown.iter().map(|commit| call.world.commit_json(repository, commit)).collect();
    let mut page = json!({"values": values, "pagelen": length});
    if let Some(last) = shown.last().filter(|_| start + length < all.len()) {
        let mut link = format!("{}{}?", call.world.web, call.request.path);
        for (name, value) in call.request.parameters().iter().filter(|(name, _)| name != "page") {
            link.push_str(&format!("{}={}&", percent_encode(name), percent_encode(value)));
        }
        page["next"] = format!("{link}page={}", last.hash).into();
    }
    Ok(call.json(page, &[]))
}

/// A file's bytes, a folder's entries, or with `format=meta` what is known of either.
pub(super) fn file(call: &Call<'_>, repository: &Repository, commit: &str, path: &str) -> Result<Answer> {
    call.needs("repository")?;
    let hash = resolve(call.world, repository, commit)?;
    let path = path.trim_matches('/');
    let object = format!("{hash}:{path}");
    let git = |arguments: &[&str]| git::output(shared(call.world, repository).args(arguments), None).ok();
    let missing = || error(404, &format!("No such file or directory: {path}"));
    let kind = git(&["cat-file", "-t", &object]).ok_or_else(missing)?;
    let is_file = kind.starts_with(b"blob");
    let own = format!("{}/repositories/{}/src/{hash}", call.world.api(), repository.name);
    let entry = |path: &str, is_file: bool, size: Option<u64>| {
        json!({
            "path": path,
            "type": if is_file { "commit_file" } else { "commit_directory" },
            "size": size,
            "commit": {"type": "commit", "hash": hash},
            "links": {"self": {"href": format!("{own}/{path}")}},
        })
    };
    if call.request.parameter("format").as_deref() == Some("meta") {
        let size = git(&["cat-file", "-s", &object])
            .and_then(|text| String::from_utf8(text).ok()?.trim().parse().ok());
        return Ok(call.json(entry(path, is_file, size.filter(|_| is_file)), &[]));
    }
    if is_file {
        let bytes = git(&["cat-file", "blob", &object]).ok_or_else(missing)?;
        let is_text = std::str::from_utf8(&bytes).is_ok_and(|text| !text.contains('\0'));
        let kind = if is_text { "text/plain" } else { "application/octet-stream" };
        return Ok(Answer::new(200, kind, bytes));
    }
    let listing = git(&["ls-tree", "-z", &object]).ok_or_else(missing)?;
    let listing = String::from_utf8_lossy(&listing).into_owned();
    let entries: Vec<(&str, &str)> = listing.split('\0').filter_map(|line| line.split_once('\t')).collect();
    let shape = |(about, name): &(&str, &str)| {
        let whole = if path.is_empty() { (*name).to_owned() } else { format!("{path}/{name}") };
        entry(&whole, about.contains(" blob "), None)
    };
    let page = Page::asked(call.request, 100)?;
    Ok(call.json(page.of(call.world, call.request, &entries, shape)?, &[]))
}

pub(super) fn diff(call: &Call<'_>, repository: &Repository, spec: &str) -> Result<Answer> {
    call.needs("repository")?;
    let (old, new) = ends(call, repository, spec)?;
    let mut git = shared(call.world, repository);
    let context = call.request.parameter("context").and_then(|text| text.parse::<u32>().ok()).unwrap_or(3);
    git.args(["diff", "--no-color", "--no-ext-diff", "--no-textconv", &format!("-U{context}")]);
    compare(call, &mut git, &old, &new);
    let bytes = git::output(&mut git, None).map_err(|_| error(500, "The diff could not be made"))?;
    Ok(Answer::new(200, "text/plain", bytes))
}

pub(super) fn diffstat(call: &Call<'_>, repository: &Repository, spec: &str) -> Result<Answer> {
    call.needs("repository")?;
    let page = Page::asked(call.request, 500)?;
    let (old, new) = ends(call, repository, spec)?;
    let run = |format: &str| {
        let mut git = shared(call.world, repository);
        git.args(["diff", "--no-color", "--no-ext-diff", "-z", format]);
        compare(call, &mut git, &old, &new);
        let bytes = git::output(&mut git, None).map_err(|_| error(500, "The diff could not be made"))?;
        Ok::<_, Answer>(String::from_utf8_lossy(&bytes).into_owned())
    };
    let own = format!("{}/repositories/{}/src", call.world.api(), repository.name);
    let side = |commit: &str, path: &str| {
        let encoded = path.split('/').map(percent_encode).collect::<Vec<_>>().join("/");
        let link = format!("{own}/{commit}/{encoded}");
        json!({"path": path, "type": "commit_file", "escaped_path": encoded, "links": {"self": {"href": link}}})
    };
    let (names, numbers) = (run("--name-status")?, run("--numstat")?);
    let mut counts = numbers.split('\0');
    let mut names = names.split('\0');
    let mut values = Vec::new();
    while let (Some(status), Some(first)) = (names.next().filter(|status| !status.is_empty()), names.next()) {
        let renamed = status.starts_with(['R', 'C']);
        let second = if renamed { names.next().unwrap_or(first) } else { first };
        let count = counts.next().unwrap_or_default();
        if renamed {
            // A rename's two paths follow its counts as fields of their own.
            counts.next();
            counts.next();
        }
        let mut count = count.split('\t').map(|number| number.parse::<u64>().unwrap_or(0));
        values.push(json!({
            "type": "diffstat",
            "lines_added": count.next(),
            "lines_removed": count.next(),
            "status": match status.chars().next() {
                Some('A') => "added",
                Some('D') => "removed",
                Some('R' | 'C') => "renamed",
                _ => "modified",
            },
            "old": (!status.starts_with('A')).then(|| side(&old, first)),
            "new": (!status.starts_with('D')).then(|| side(&new, second)),
        }));
    }
    Ok(call.json(page.of(call.world, call.request, &values, Value::clone)?, &[]))
}

/// Commits as `git log` with these arguments gives them; none if it fails.
pub(crate) fn log(repository: &Repository, arguments: &[&str]) -> Vec<LoggedCommit> {
    read_log(git::command(&repository.folder), arguments)
}

fn log_of(world: &World, repository: &Repository, arguments: &[&str]) -> Vec<LoggedCommit> {
    read_log(shared(world, repository), arguments)
}

fn read_log(mut git: Command, arguments: &[&str]) -> Vec<LoggedCommit> {
    git.args(["log", "-z", "--format=%H%n%P%n%an%n%ae%n%aI%n%B"]).args(arguments);
    let text = git::output(&mut git, None).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    text.split('\0')
        .filter_map(|record| {
            let mut lines = record.splitn(6, '\n');
            Some(LoggedCommit {
                hash: lines.next().filter(|hash| !hash.is_empty())?.to_owned(),
                parents: lines.next()?.split_whitespace().map(str::to_owned).collect(),
                author: lines.next()?.to_owned(),
                email: lines.next()?.to_owned(),
                date: lines.next()?.replace('Z', "+00:00"),
                message: lines.next()?.to_owned(),
            })
        })
        .collect()
}

/// Old and new commit of a spec. `NEW..OLD` is the other way round than in git; a carriage return may stand for the
/// dots, and `workspace/slug:` in front says in which fork the new commit is. A single commit is compared with its
/// first parent. With `topic` (the default) the old side is the merge base.
fn ends(call: &Call<'_>, repository: &Repository, spec: &str) -> Result<(String, String)> {
    let commits = spec.rsplit_once(':').map_or(spec, |(_, commits)| commits);
    let pair = commits.split_once("..").or_else(|| commits.split_once('\r'));
    let Some((new, old)) = pair else {
        let new = resolve(call.world, repository, commits)?;
        let logged = log_of(call.world, repository, &[&new, "-1"]).pop().ok_or_else(|| not_found(commits))?;
        return Ok((logged.parents.first().map_or(NOTHING, String::as_str).to_owned(), new));
    };
    let (new, old) = (resolve(call.world, repository, new)?, resolve(call.world, repository, old)?);
    if call.request.parameter("topic").as_deref() == Some("false") {
        return Ok((old, new));
    }
    Ok((base(call.world, repository, &new, &old)?, new))
}

fn compare(call: &Call<'_>, git: &mut Command, old: &str, new: &str) {
    let is = |name: &str, value: &str| call.request.parameter(name).as_deref() == Some(value);
    git.arg(if is("renames", "false") { "--no-renames" } else { "--find-renames" });
    if is("ignore_whitespace", "true") {
        git.arg("--ignore-all-space");
    }
    git.args([old, new, "--"]).args(call.request.all("path"));
}

/// `git` in a repository that also sees the objects of its forks, as Bitbucket's diffs do.
fn shared(world: &World, repository: &Repository) -> Command {
    let mut git = git::command(&repository.folder);
    let others = world.related(&repository.name).into_iter().filter(|folder| *folder != repository.folder);
    let objects: Vec<_> = others.map(|folder| folder.join("objects")).collect();
    // Our own folders have no separator in their names, so joining them cannot fail.
    git.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", std::env::join_paths(objects).unwrap_or_default());
    git.env("GIT_LITERAL_PATHSPECS", "1");
    git
}

/// The text of a file at a commit of the repository or its forks; `None` if it is no file there.
pub(super) fn text(world: &World, repository: &Repository, commit: &str, path: &str) -> Option<String> {
    let object = format!("{commit}:{path}");
    let bytes = git::output(shared(world, repository).args(["cat-file", "blob", &object]), None).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// What a file was called at the merge base, if it was renamed since.
pub(super) fn path_before(
    world: &World,
    repository: &Repository,
    base: &str,
    inline: &Inline,
) -> Option<String> {
    let mut git = shared(world, repository);
    git.args(["diff", "-M", "-z", "--name-status", "--diff-filter=R", base, &inline.source]);
    let told = String::from_utf8(git::output(&mut git, None).ok()?).ok()?;
    // Each rename is three parts: how alike, the old path, the new one.
    let parts: Vec<&str> = told.split('\0').collect();
    let rename = parts.chunks(3).find(|rename| rename.get(2) == Some(&inline.path.as_str()))?;
    Some(rename[1].to_owned())
}

pub(super) fn base(world: &World, repository: &Repository, one: &str, other: &str) -> Result<String> {
    let found = git::output(shared(world, repository).args(["merge-base", one, other]), None);
    let found = found.map_err(|_| error(404, "No common ancestor"))?;
    Ok(String::from_utf8_lossy(&found).trim().to_owned())
}

/// A whole hash for a hash, an abbreviation or a branch, in the repository or its forks.
fn resolve(world: &World, repository: &Repository, name: &str) -> Result<String> {
    let here = repository.heads.get(name).cloned().or_else(|| git::commit(&repository.folder, name));
    let elsewhere =
        || world.related(&repository.name).into_iter().find_map(|folder| git::commit(folder, name));
    here.or_else(elsewhere).ok_or_else(|| not_found(name))
}

fn not_found(name: &str) -> Answer {
    error(404, &format!("Commit not found: {name}"))
}

impl Page {
    fn asked_length(call: &Call<'_>) -> Result<usize> {
        match call.request.parameter("pagelen") {
            None => Ok(30),
            Some(text) => match text.parse() {
                Ok(length) if (1..=100).contains(&length) => Ok(length),
                _ => Err(error(400, "Invalid pagelen")),
            },
        }
    }
}
