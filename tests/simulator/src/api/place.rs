//! Where a new comment stands: the `inline` of a request, held against the files.
//!
//! The new side is the source's head, the old one the merge base; there is no way to name another commit.

use serde_json::Value;

use super::body::invalid;
use super::{Result, source};
use crate::world::{Inline, PullRequest, Repository, World};

/// Most lines that a comment may stand on.
const LONGEST: u32 = 30;

/// The place of a new comment on the present heads.
pub(super) fn of_new(
    world: &World,
    repository: &Repository,
    pull_request: &PullRequest,
    inline: &Value,
) -> Result<Inline> {
    let Some(path) = inline.get("path").and_then(Value::as_str) else {
        return Err(invalid("inline.path", "required key not provided"));
    };
    let line = |name: &str| line(inline, name);
    let inline = Inline {
        path: path.to_owned(),
        from: line("from")?,
        to: line("to")?,
        start_from: line("start_from")?,
        start_to: line("start_to")?,
        source: pull_request.source.commit.clone(),
        destination: pull_request.destination.commit.clone(),
    };
    range("from", inline.start_from, inline.from)?;
    range("to", inline.start_to, inline.to)?;
    let files = Files { world, repository };
    let base = || files.base(&inline.source, &inline.destination);
    let new = files.length(&inline.source, path);
    match (inline.from, inline.to) {
        (None, None) => {
            new.or_else(|| files.length_before(&base()?, &inline)).ok_or_else(|| not_in_diff(path))?;
        }
        (from, to) => {
            let fits = |last: Option<u32>, length: Option<u32>| last.is_none_or(|last| Some(last) <= length);
            if !fits(to, new) {
                return Err(invalid("inline.to", "the line is not in the file"));
            }
            if from.is_some() && !fits(from, base().and_then(|base| files.length_before(&base, &inline))) {
                return Err(invalid("inline.from", "the line is not in the file"));
            }
        }
    }
    Ok(inline)
}

/// Whether the `inline` of an edit says nothing but what is so already.
pub(super) fn is_same(inline: &Value, known: Option<&Inline>) -> bool {
    let (Some(members), Some(known)) = (inline.as_object(), known) else {
        return false;
    };
    members.iter().all(|(name, value)| match name.as_str() {
        "path" => value.as_str() == Some(&known.path),
        "from" => *value == Value::from(known.from),
        "to" => *value == Value::from(known.to),
        "start_from" => *value == Value::from(known.start_from),
        "start_to" => *value == Value::from(known.start_to),
        _ => true,
    })
}

fn line(inline: &Value, name: &str) -> Result<Option<u32>> {
    match inline.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().and_then(|line| u32::try_from(line).ok()) {
            Some(line) if line > 0 => Ok(Some(line)),
            _ => Err(invalid(&format!("inline.{name}"), "expected a line, from 1")),
        },
    }
}

fn range(name: &str, first: Option<u32>, last: Option<u32>) -> Result<()> {
    let field = format!("inline.start_{name}");
    match (first, last) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(invalid(&field, &format!("\"{name}\" is missing"))),
        (Some(first), Some(last)) if first > last => {
            Err(invalid(&field, &format!("\"start_{name}\" must be less than or equal to \"{name}\"")))
        }
        (Some(first), Some(last)) if last - first >= LONGEST => {
            Err(invalid(&field, &format!("a comment may stand on {LONGEST} lines at most")))
        }
        _ => Ok(()),
    }
}

fn not_in_diff(path: &str) -> crate::http::Answer {
    invalid("inline.path", &format!("there is no file {path}"))
}

/// Files at commits, asked of git once.
struct Files<'a> {
    world: &'a World,
    repository: &'a Repository,
}

impl Files<'_> {
    fn base(&self, source: &str, destination: &str) -> Option<String> {
        let ends = (source.to_owned(), destination.to_owned());
        let mut texts = self.world.texts();
        if let Some(known) = texts.bases.get(&ends) {
            return Some(known.clone());
        }
        let base = source::base(self.world, self.repository, source, destination).ok()?;
        texts.bases.insert(ends, base.clone());
        Some(base)
    }

    /// Number of lines of a file; `None` if there is none.
    fn length(&self, commit: &str, path: &str) -> Option<u32> {
        self.remembered(commit, path, || source::text(self.world, self.repository, commit, path))
    }

    /// The same at the merge base, where the file may have had another name.
    fn length_before(&self, base: &str, inline: &Inline) -> Option<u32> {
        self.remembered(base, &inline.path, || {
            source::text(self.world, self.repository, base, &inline.path).or_else(|| {
                let path = source::path_before(self.world, self.repository, base, inline)?;
                source::text(self.world, self.repository, base, &path)
            })
        })
    }

    fn remembered(&self, commit: &str, path: &str, text: impl FnOnce() -> Option<String>) -> Option<u32> {
        let key = (commit.to_owned(), path.to_owned());
        let mut texts = self.world.texts();
        *texts.lengths.entry(key).or_insert_with(|| u32::try_from(text()?.lines().count()).ok())
    }
}
