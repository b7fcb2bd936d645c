//! Gathers the texts that placing needs (git first, Bitbucket where git lacks them) and lets the core place.
//!
//! commented text → text at HEAD → text on screen, or on disk where the file is not open.

use super::files::{Absent, MOST_BYTES, blurred, decode, on_disk};
use super::memo::{Commented, Memo, TextKey};
use crate::effect::{Placing, Snapshot, ToPlace};
use crate::event::{Event, Located};
use bitbucket::{Client, Error};
use futures_util::StreamExt;
use pull_request::content::Excerpt;
use pull_request::content::lines::Lines;
use pull_request::diff::LineDiff;
use pull_request::model::{Anchor, CommentId, CommitHash, RepositoryName, Side, Spot};
use pull_request::place::{self, Journey, Placed, Placement, Provenance};
use pull_request::text::Text;
use std::collections::HashMap;
use std::sync::Arc;

/// Texts fetched for one placing at most, and side by side.
const MOST_FETCHES: usize = 60;
const SIDE_BY_SIDE: usize = 6;

/// Places threads; the event says for which texts of the open documents.
pub(super) async fn place(
    git: git::Repository,
    bitbucket: Client,
    memo: Arc<Memo>,
    placing: Placing,
) -> Event {
    let (repository, generation) = (placing.repository, placing.generation);
    let texts = placing.documents.iter().map(|document| (document.path.clone(), document.revision)).collect();
    let places = locate(git, &bitbucket, memo, Arc::new(placing)).await;
    Event::Placed(repository, generation, texts, places)
}

/// Where each thread is.
pub(super) async fn locate(
    git: git::Repository,
    bitbucket: &Client,
    memo: Arc<Memo>,
    placing: Arc<Placing>,
) -> Vec<(CommentId, Located)> {
    let (first_git, first_placing, first_memo) = (git.clone(), placing.clone(), memo.clone());
    let local = tokio::task::spawn_blocking(move || from_git(&first_git, &first_memo, &first_placing));
    let Ok((mut sources, missing)) = local.await else { return Vec::new() };
    if placing.online {
        fetch(bitbucket, &memo, &placing, missing, &mut sources).await;
    }
    let work = tokio::task::spawn_blocking(move || settle(&git, &memo, &placing, &sources));
    work.await.unwrap_or_default()
}

/// What names the text of one side of one file at one pair of commits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Source {
    path: String,
    side: Side,
    source: Option<CommitHash>,
    destination: Option<CommitHash>,
}

impl Source {
    /// Where Bitbucket did not say on which commits a comment was written, those of today are the best guess.
    fn of(anchor: &Anchor, placing: &Placing) -> Self {
        let side = match anchor.spot {
            Spot::Lines(side, _) => side,
            Spot::File => Side::To,
        };
        Self {
            path: anchor.path.clone(),
            side,
            source: anchor.source_commit.clone().or_else(|| placing.source.commit.clone()),
            destination: anchor.destination_commit.clone().or_else(|| placing.destination.commit.clone()),
        }
    }
}

/// The commented text, the commit that it is of if that is in git, and its path there.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) commented: Commented,
    commit: Option<String>,
    path: String,
}

type Sources = HashMap<Source, Known>;

/// What the object database has; and those sources that it lacks.
fn from_git(git: &git::Repository, memo: &Memo, placing: &Placing) -> (Sources, Vec<Source>) {
    let mut sources = Sources::new();
    let mut missing = Vec::new();
    memo.ask_again(placing.again);
    for thread in placing.threads.iter() {
        let source = Source::of(&thread.anchor, placing);
        if sources.contains_key(&source) {
            continue;
        }
        let known = text_in_git(git, &source).or_else(|| memo.fetched(&source));
        let known = known.unwrap_or_else(|| {
            if !missing.contains(&source) {
                missing.push(source.clone());
            }
            Known { commented: Commented::Nothing, commit: None, path: source.path.clone() }
        });
        sources.insert(source, known);
    }
    (sources, missing)
}

fn text_in_git(git: &git::Repository, source: &Source) -> Option<Known> {
    let new = git.resolve(source.source.as_ref()?.as_str())?;
    let (commit, path) = match source.side {
        Side::To => (new, source.path.clone()),
        Side::From => {
            let destination = git.resolve(source.destination.as_ref()?.as_str())?;
            let base = git.merge_base(&new, &destination)?;
            // Bitbucket names the file by its new path, on both sides.
            let old_path = git.renamed_from(&base, &new, &source.path).unwrap_or_else(|| source.path.clone());
            (base, old_path)
        }
    };
    let commented = match git.file_at(&commit, &path, MOST_BYTES) {
        Ok(blob) => blob.map(|blob| Commented::Text(TextKey::Blob(blob.id), lines(&blob.data)))?,
        Err(git::Error::TooLarge { .. }) => Commented::TooLarge,
        Err(_) => return None,
    };
    Some(Known { commented, commit: Some(commit), path })
}

/// One side of a file in a version of a pull request.
pub(super) struct Version<'a> {
    /// The repository that the pull request is in.
    pub(super) name: &'a RepositoryName,
    /// The repository that the source's commits are in.
    pub(super) fork: Option<&'a RepositoryName>,
    /// As the head of the source has it.
    pub(super) path: &'a str,
    /// Which side.
    pub(super) side: Side,
    /// Head of the source.
    pub(super) source: CommitHash,
    /// Head of the destination.
    pub(super) destination: Option<CommitHash>,
}

/// The text of a version, from git, else from Bitbucket; `None` if it has no such file.
pub(super) async fn text_at(
    git: &git::Repository,
    bitbucket: &Client,
    version: Version<'_>,
) -> Result<Option<Arc<Lines<'static>>>, Error> {
    let source = Source {
        path: version.path.to_owned(),
        side: version.side,
        source: Some(version.source.clone()),
        destination: version.destination.clone(),
    };
    let own = git.clone();
    let local = tokio::task::spawn_blocking(move || text_in_git(&own, &source)).await;
    match local.ok().flatten().map(|known| known.commented) {
        Some(Commented::Text(_, text)) => return Ok(Some(text)),
        Some(Commented::TooLarge) => {
            return Err(Error::TooLarge { limit: usize::try_from(MOST_BYTES).unwrap_or(usize::MAX) });
        }
        _ => {}
    }
    let fetched = match version.side {
        Side::To => {
            let of_source = version.fork.unwrap_or(version.name);
            fetch_file(bitbucket, of_source, &version.source, version.path).await
        }
        Side::From => match &version.destination {
            Some(destination) => {
                match bitbucket.merge_base(version.name, &version.source, destination).await {
                    Ok(base) => fetch_file(bitbucket, version.name, &base, version.path).await,
                    Err(error) => Err(error),
                }
            }
            None => Err(Error::NotFound),
        },
    };
    match fetched {
        Ok(Commented::Text(_, text)) => Ok(Some(text)),
        Ok(_) | Err(Error::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A file's lines.
fn lines(bytes: &[u8]) -> Arc<Lines<'static>> {
    Arc::new(Lines::of(decode(bytes)))
}

/// Asks Bitbucket for the texts that git lacks: the file at the commit, else the diff that the comment stands on.
async fn fetch(
    bitbucket: &Client,
    memo: &Memo,
    placing: &Placing,
    missing: Vec<Source>,
    sources: &mut Sources,
) {
    let mut wanted =
        futures_util::stream::iter(missing.into_iter().take(MOST_FETCHES).map(|source| async move {
            let text = fetch_text(bitbucket, placing, &source).await;
            (source, text)
        }))
        .buffer_unordered(SIDE_BY_SIDE);
    while let Some((source, outcome)) = wanted.next().await {
        let failed = outcome.is_err();
        let commented = outcome.unwrap_or_else(|error| {
            tracing::info!("a text that was commented was not read: {}", error.sentence());
            Commented::Nothing
        });
        let known = Known { commented, commit: None, path: source.path.clone() };
        memo.keep_fetched(source.clone(), known.clone(), failed);
        sources.insert(source, known);
    }
}

/// The text or the diff around it; [`Commented::Nothing`] if Bitbucket has neither, an error if that is not known.
async fn fetch_text(bitbucket: &Client, placing: &Placing, source: &Source) -> Result<Commented, Error> {
    let Some(new) = &source.source else { return Ok(Commented::Nothing) };
    let file = match (source.side, &source.destination) {
        (Side::To, _) => {
            // Commits of a fork are in the fork.
            let of_source = placing.source.repository.as_ref().unwrap_or(&placing.name);
            fetch_file(bitbucket, of_source, new, &source.path).await
        }
        (Side::From, Some(destination)) => {
            match bitbucket.merge_base(&placing.name, new, destination).await {
                Ok(base) => fetch_file(bitbucket, &placing.name, &base, &source.path).await,
                Err(error) => Err(error),
            }
        }
        (Side::From, None) => Err(Error::NotFound),
    };
    let error = match file {
        Ok(commented) => return Ok(commented),
        Err(Error::TooLarge { .. }) => return Ok(Commented::TooLarge),
        Err(error) => error,
    };
    let later = error.is_passing();
    let is_answered = !later || matches!(error, Error::Server { .. });
    if let (Some(old), true) = (&source.destination, is_answered) {
        // The diff between the two commits may outlive the commits themselves.
        let spec = format!("{}..{}", new.as_str(), old.as_str());
        match bitbucket.diff_of(&placing.name, &spec, &source.path).await {
            Ok(diff) => return Ok(Commented::Diff(String::from_utf8_lossy(&diff).into())),
            Err(error) if error.is_passing() => return Err(error),
            Err(_) => {}
        }
    }
    if later { Err(error) } else { Ok(Commented::Nothing) }
}

async fn fetch_file(
    bitbucket: &Client,
    name: &RepositoryName,
    commit: &CommitHash,
    path: &str,
) -> Result<Commented, Error> {
    let bytes = bitbucket.file_at(name, commit, path).await?;
    let key = TextKey::Fetched(commit.as_str().to_owned(), path.to_owned());
    Ok(Commented::Text(key, lines(&bytes)))
}

/// Places every thread, one file after the other.
fn settle(
    git: &git::Repository,
    memo: &Memo,
    placing: &Placing,
    sources: &Sources,
) -> Vec<(CommentId, Located)> {
    let mut files =
        Files { git, placing, now: HashMap::new(), heads: HashMap::new(), directs: HashMap::new() };
    let mut places = Vec::with_capacity(placing.threads.len());
    for thread in placing.threads.iter() {
        let source = Source::of(&thread.anchor, placing);
        if let Some(known) = sources.get(&source) {
            places.push((thread.thread, files.locate(memo, thread, known)));
        }
    }
    places
}

struct Files<'a> {
    git: &'a git::Repository,
    placing: &'a Placing,
    /// By path: the text now; `Err` says why there is none to compare with.
    now: HashMap<String, Arc<Result<OnScreen, Absent>>>,
    /// By path: the text at HEAD.
    heads: HashMap<String, Option<AtHead>>,
    /// From a commented text straight to the file now, by the text and the path.
    directs: HashMap<(TextKey, String), Arc<LineDiff>>,
}

/// A file at HEAD, under its blob's name.
type AtHead = Arc<(TextKey, Arc<Lines<'static>>)>;

struct OnScreen {
    text: Lines<'static>,
    /// Only where lone carriage returns make LSP's lines differ from git's.
    lsp: Option<Text>,
    /// From HEAD to here, where HEAD has the file.
    to_now: Option<LineDiff>,
    /// The editor could not read it all: older texts are compared as it would show them.
    is_blurred: bool,
}

impl Files<'_> {
    fn locate(&mut self, memo: &Memo, thread: &ToPlace, known: &Known) -> Located {
        let anchor = &thread.anchor;
        let path = self.path_now(known, anchor);
        let renamed_from = (path != anchor.path).then(|| anchor.path.clone());
        let now = self.now(&path);
        let mut remark = None;
        let seen = match (&known.commented, &*now) {
            (Commented::Text(key, text), Ok(now)) => {
                let (key, text) = as_seen((key, text), now.is_blurred);
                Commented::Text(key, text)
            }
            (commented, _) => commented.clone(),
        };
        let excerpt = match &seen {
            Commented::Diff(diff) => Excerpt::from_unified_diff(diff, anchor),
            Commented::Text(..) | Commented::TooLarge | Commented::Nothing => None,
        };
        let commented = match (&seen, &excerpt) {
            (Commented::Text(_, text), _) => place::Commented::Text(text),
            (_, Some(excerpt)) => place::Commented::Excerpt(excerpt),
            (_, None) => place::Commented::Nothing,
        };
        let placed = match &*now {
            Ok(now) => {
                let head = self.head(&path).map(|head| as_seen((&head.0, &head.1), now.is_blurred));
                let to_head = match (&seen, &head) {
                    (Commented::Text(key, text), Some(head)) => {
                        Some(memo.diff((key, text.text()), (&head.0, head.1.text())))
                    }
                    _ => None,
                };
                // Without the file at HEAD there is one step only: from the commented text to the screen.
                let direct = match (&seen, &head) {
                    (Commented::Text(key, text), None) => Some(self.direct(key, text, &path, now)),
                    _ => None,
                };
                let journey = Journey {
                    commented,
                    to_head: to_head.as_deref(),
                    to_buffer: direct.as_deref().or(now.to_now.as_ref()),
                    buffer: Some(&now.text),
                };
                if matches!(known.commented, Commented::TooLarge) {
                    remark = Some(too_large(&path));
                } else if matches!(journey.commented, place::Commented::Nothing) {
                    remark = Some(format!(
                        "The text that comments of {path} were written on could not be had from git or Bitbucket; they are shown by their line numbers."
                    ));
                }
                let mut placed = journey.place(anchor);
                if let Some(text) = &now.lsp {
                    placed.placement = placed.placement.in_lsp_lines(text);
                }
                placed
            }
            Err(Absent::TooLarge) => {
                remark = Some(too_large(&path));
                by_number(anchor)
            }
            Err(absent) => {
                if matches!(absent, Absent::Refused) {
                    remark = Some(
                        "A comment names a path outside of the work tree; it is not shown in code.".into(),
                    );
                }
                Journey { commented, to_head: None, to_buffer: None, buffer: None }.place(anchor)
            }
        };
        Located { path, placed, renamed_from, remark }
    }

    /// The path of the commented file in the work tree: renames followed to HEAD, and an uncommitted `git mv` after it.
    fn path_now(&self, known: &Known, anchor: &Anchor) -> String {
        let path = match (&known.commit, &self.placing.head) {
            (Some(commit), Some(head)) => self.git.renamed_to(commit, head, &known.path),
            _ => None,
        };
        let path = path.unwrap_or_else(|| anchor.path.clone());
        let open = self.placing.documents.iter().any(|document| document.path == path);
        let there = open || self.git.work_path(&path).is_some_and(|place| place.is_file());
        match there {
            true => path,
            false => self.git.staged_as(&path).unwrap_or(path),
        }
    }

    fn direct(&mut self, key: &TextKey, text: &Lines<'_>, path: &str, now: &OnScreen) -> Arc<LineDiff> {
        let made = || Arc::new(LineDiff::between(text.text(), now.text.text()));
        self.directs.entry((key.clone(), path.to_owned())).or_insert_with(made).clone()
    }

    fn head(&mut self, path: &str) -> Option<AtHead> {
        if let Some(known) = self.heads.get(path) {
            return known.clone();
        }
        let head = self.placing.head.as_ref().and_then(|head| {
            let blob = self.git.file_at(head, path, MOST_BYTES).ok()??;
            Some(Arc::new((TextKey::Blob(blob.id), lines(&blob.data))))
        });
        self.heads.insert(path.to_owned(), head.clone());
        head
    }

    fn now(&mut self, path: &str) -> Arc<Result<OnScreen, Absent>> {
        if let Some(known) = self.now.get(path) {
            return known.clone();
        }
        let document = self.placing.documents.iter().find(|document| document.path == path);
        let made = match document {
            Some(document) if document.text.len() as u64 > MOST_BYTES => Err(Absent::TooLarge),
            Some(document) => Ok((document.text.to_string(), Some(document))),
            None => on_disk(self.git, path).map(|text| (text, None)),
        };
        let made = made.map(|(text, document)| {
            let lsp = lone_returns(&text, document);
            let head = self.head(path);
            let is_blurred = text.contains(char::REPLACEMENT_CHARACTER)
                && head.as_ref().is_some_and(|head| !head.1.text().contains(char::REPLACEMENT_CHARACTER));
            let text = if is_blurred { blurred(&text) } else { text };
            let before = head.map(|head| as_seen((&head.0, &head.1), is_blurred).1);
            let to_now = before.map(|before| LineDiff::between(before.text(), &text));
            OnScreen { lsp, to_now, text: Lines::of(text), is_blurred }
        });
        let made = Arc::new(made);
        self.now.insert(path.to_owned(), made.clone());
        made
    }
}

fn as_seen(known: (&TextKey, &Arc<Lines<'static>>), is_blurred: bool) -> (TextKey, Arc<Lines<'static>>) {
    let (key, text) = known;
    match is_blurred {
        true => (TextKey::Blurred(Box::new(key.clone())), Arc::new(Lines::of(blurred(text.text())))),
        false => (key.clone(), text.clone()),
    }
}

/// git counts lines by `\n`, LSP by lone `\r` as well: the document, where that makes a difference.
fn lone_returns(text: &str, document: Option<&Snapshot>) -> Option<Text> {
    let bytes = text.as_bytes();
    let lone = bytes.iter().enumerate().any(|(at, byte)| *byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
    lone.then(|| document.map_or_else(|| Text::new(text), |document| document.text.clone()))
}

fn too_large(path: &str) -> String {
    format!("{path} is too large to compare; its comments are shown by their line numbers.")
}

fn by_number(anchor: &Anchor) -> Placed {
    let lines = match anchor.spot {
        Spot::Lines(_, lines) => lines,
        Spot::File => pull_request::model::LineRange::line(0),
    };
    Placed { placement: Placement::Exact(lines), provenance: Provenance::LineNumber, commented: None }
}
