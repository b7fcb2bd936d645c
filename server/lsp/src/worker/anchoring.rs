//! Finds the place of a new comment: from lines on screen back to the pull request's version of the file.
//!
//! The texts come from git, or from Bitbucket where git lacks them; where the lines are is the core's to say.

use super::files::{MOST_BYTES, on_disk};
use super::placing::{Version, text_at};
use crate::writing::{About, Anchored, Anchoring, Base};
use bitbucket::{Client, Error};
use pull_request::content::lines::Lines;
use pull_request::diff::{Carried, LineDiff};
use pull_request::draft::Intent;
use pull_request::model::{CommitHash, End, LineRange, PullRequest, RepositoryName, Side, Spot, Subject};
use pull_request::place::{self, Back};
use pull_request::text::Text;
use pull_request::view::markdown::plain;

/// The two ends of a pull request, and the repository that it is in.
struct Ends<'a> {
    name: &'a RepositoryName,
    source: &'a End,
    destination: &'a End,
}

impl Ends<'_> {
    fn version<'a>(&'a self, path: &'a str, side: Side, source: &CommitHash) -> Version<'a> {
        Version {
            name: self.name,
            fork: self.source.repository.as_ref(),
            path,
            side,
            source: source.clone(),
            destination: self.destination.commit.clone(),
        }
    }
}

/// Where a comment on these lines can be placed; an error is a sentence.
pub(super) async fn anchor(
    git: git::Repository,
    bitbucket: Client,
    wanted: Anchoring,
) -> Result<Box<Anchored>, String> {
    let Some(head) = wanted.source.commit.clone() else {
        return Err(
            "Bitbucket does not say which commit the pull request is at; comment on its page in the browser."
                .into(),
        );
    };
    let path = path_there(&git, &wanted, &head);
    let ends = Ends { name: &wanted.name, source: &wanted.source, destination: &wanted.destination };
    let document = match &wanted.text {
        Some(text) => text.to_string(),
        None => on_disk(&git, &wanted.path).map_err(|_| gone(&wanted.path))?,
    };
    if document.len() as u64 > MOST_BYTES {
        return Err(format!(
            "{} is too large to be compared; comment on its page in the browser.",
            wanted.path
        ));
    }
    let base = |lines: Vec<String>| Base {
        source: head.clone(),
        destination: wanted.destination.commit.clone(),
        lines,
    };
    let there = text_at(&git, &bitbucket, ends.version(&path, wanted.side, &head)).await;
    let there = match there {
        Ok(there) => there,
        Err(error) => return Err(unread(&path, &error)),
    };
    let chosen = wanted.lines.map(|lines| Text::new(&document).git_lines(lines));
    let Some(there) = there else {
        return Ok(Box::new(on_pull_request(&wanted.path, &document, chosen)));
    };
    let Some(chosen) = chosen else {
        let subject = Subject::Code { path, spot: Spot::File };
        return Ok(Box::new(Anchored {
            subject,
            base: Some(base(Vec::new())),
            local: Vec::new(),
            remarks: Vec::new(),
        }));
    };
    let place = tokio::task::spawn_blocking(move || match wanted.side {
        Side::From => removed(&there, &document, chosen),
        Side::To => Ok(present(&there, &document, chosen)),
    });
    let place = place.await.map_err(|_| super::fault())?;
    let Place { lines, text, local, remarks } = place?;
    let spot = lines.map_or(Spot::File, |lines| Spot::Lines(wanted.side, lines));
    let subject = Subject::Code { path, spot };
    Ok(Box::new(Anchored { subject, base: Some(base(text)), local, remarks }))
}

/// Where a text goes after the pull request got new commits.
pub(super) enum Follow {
    /// To the same lines, which may have other numbers now.
    Same(About),
    /// The lines were changed: the nearest ones, and a sentence that asks.
    Changed(About, String),
    /// Nowhere; a sentence.
    Nowhere(String),
    /// It could not be found out.
    Failed(Error),
}

/// Carries a comment on code over to the pull request as it is now.
pub(super) async fn follow(
    git: &git::Repository,
    bitbucket: &Client,
    about: &About,
    now: &PullRequest,
) -> Follow {
    let (Intent::Comment(Subject::Code { path, spot }), Some(base)) = (&about.intent, &about.base) else {
        return Follow::Same(about.clone());
    };
    let Some(head) = &now.source.commit else { return Follow::Same(about.clone()) };
    if head.matches(&base.source) {
        return Follow::Same(about.clone());
    }
    let moved = |spot: Spot, lines: Vec<String>| About {
        intent: Intent::Comment(Subject::Code { path: path.clone(), spot }),
        base: Some(Base { source: head.clone(), destination: now.destination.commit.clone(), lines }),
        ..about.clone()
    };
    let ends = Ends { name: &about.repository, source: &now.source, destination: &now.destination };
    let side = match spot {
        Spot::Lines(side, _) => *side,
        Spot::File => Side::To,
    };
    let there = match text_at(git, bitbucket, ends.version(path, side, head)).await {
        Ok(Some(there)) => there,
        Ok(None) => {
            return Follow::Nowhere(format!(
                "New commits took {} out of the pull request.",
                plain(path, 200)
            ));
        }
        Err(error) => return Follow::Failed(error),
    };
    let Spot::Lines(_, at) = *spot else { return Follow::Same(moved(Spot::File, Vec::new())) };
    let old = End { commit: Some(base.source.clone()), ..now.source.clone() };
    let old_destination = End { commit: base.destination.clone(), ..now.destination.clone() };
    let before = Ends { name: &about.repository, source: &old, destination: &old_destination };
    let before = text_at(git, bitbucket, before.version(path, side, &base.source)).await.ok().flatten();
    let carried = match &before {
        Some(before) => LineDiff::between(before.text(), there.text()).carry(at),
        // The former version is lost: the lines count where they still say the same.
        None if cut(&there, at) == base.lines => Carried::Intact(at),
        None => Carried::Gone { near: at.first.min(there.count().saturating_sub(1)) },
    };
    let asked = |near: LineRange| {
        let text = cut(&there, near);
        let sentence = format!(
            "New commits changed the lines that this comment is about; nothing was sent. It could go to line {} now: {}",
            near.first + 1,
            plain(text.first().map_or("", String::as_str), 120)
        );
        Follow::Changed(moved(Spot::Lines(side, near), text), sentence)
    };
    match carried {
        Carried::Intact(lines) => Follow::Same(moved(Spot::Lines(side, lines), cut(&there, lines))),
        Carried::Changed { near } => asked(near),
        Carried::Gone { near } => asked(LineRange::line(near)),
    }
}

/// A place in the pull request's version.
struct Place {
    /// `None`: the file as a whole.
    lines: Option<LineRange>,
    text: Vec<String>,
    local: Vec<String>,
    remarks: Vec<String>,
}

/// Lines of the document that may be in the pull request.
fn present(there: &Lines<'_>, document: &str, chosen: LineRange) -> Place {
    let diff = LineDiff::between(document, there.text());
    let (lines, local) = match place::back(&diff, there.count(), chosen) {
        Back::Exact(lines) => (Some(lines), None),
        Back::Near { lines, local } => (Some(lines), local),
        Back::Nowhere => (None, Some(chosen)),
    };
    let remark = match (lines, local) {
        (Some(lines), Some(local)) => {
            let what = match (local.first + 1, local.last + 1) {
                (first, last) if first == last => {
                    format!("Line {first} is not in the pull request as it is here")
                }
                (first, last) => {
                    format!("Lines {first} to {last} are not in the pull request as they are here")
                }
            };
            Some(format!(
                "{what}, so the comment goes to line {} of its version, with your code quoted.",
                lines.first + 1
            ))
        }
        (None, _) => {
            Some("The pull request's version of the file is empty, so the comment is on the file.".into())
        }
        (Some(lines), None) if lines.last - lines.first < chosen.last - chosen.first => Some(format!(
            "Bitbucket takes {} lines at most; these are the first of those that you chose.",
            place::MOST_LINES
        )),
        (Some(_), None) => None,
    };
    Place {
        lines,
        text: lines.map(|lines| cut(there, lines)).unwrap_or_default(),
        local: local.map(|_| cut(&Lines::of(document.to_owned()), chosen)).unwrap_or_default(),
        remarks: remark.into_iter().collect(),
    }
}

/// Lines that the pull request removed at a place of the document.
fn removed(there: &Lines<'_>, document: &str, chosen: LineRange) -> Result<Place, String> {
    let diff = LineDiff::between(there.text(), document);
    let lines = (chosen.first..=chosen.last).find_map(|line| place::removals(&diff, line));
    let Some(lines) = lines else {
        return Err("Nothing was removed at this line; put the cursor where lines are missing.".into());
    };
    Ok(Place { lines: Some(lines), text: cut(there, lines), local: Vec::new(), remarks: Vec::new() })
}

/// A file that the pull request does not have.
fn on_pull_request(path: &str, document: &str, chosen: Option<LineRange>) -> Anchored {
    let local = chosen.map(|lines| cut(&Lines::of(document.to_owned()), lines)).unwrap_or_default();
    Anchored {
        subject: Subject::PullRequest,
        base: None,
        local,
        remarks: vec![format!(
            "{} is not in the pull request's version, so this becomes a comment on the pull request as a whole.",
            plain(path, 200)
        )],
    }
}

fn cut(text: &Lines<'_>, lines: LineRange) -> Vec<String> {
    (lines.first..=lines.last).filter_map(|line| text.get(line)).map(str::to_owned).collect()
}

/// A file's path in the pull request: renames between its head and HEAD are followed back.
fn path_there(git: &git::Repository, wanted: &Anchoring, head: &CommitHash) -> String {
    let resolved = git.resolve(head.as_str());
    let from = resolved.zip(wanted.head.as_ref());
    from.and_then(|(there, here)| git.renamed_from(&there, here, &wanted.path))
        .unwrap_or_else(|| wanted.path.clone())
}

fn gone(path: &str) -> String {
    format!("{} is not on disk.", plain(path, 200))
}

fn unread(path: &str, error: &Error) -> String {
    format!(
        "The pull request's version of {} could not be read. {}",
        plain(path, 200),
        super::sentence(error)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_here_is_said_of_one_line_and_of_several() {
        let there = Lines::of("one\ntwo\n".to_owned());
        let remark =
            |last| present(&there, "new\nnewer\none\ntwo\n", LineRange::new(0, last)).remarks.concat();
        assert!(
            remark(0).starts_with("Line 1 is not in the pull request as it is here, so"),
            "{}",
            remark(0)
        );
        assert!(
            remark(1).starts_with("Lines 1 to 2 are not in the pull request as they are here, so"),
            "{}",
            remark(1)
        );
    }
}
