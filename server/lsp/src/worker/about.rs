//! What a draft is about, as JSON beside its text. What cannot be read back whole is not guessed.

use crate::writing::{About, Base};
use pull_request::draft::Intent;
use pull_request::model::{
    CommentId, CommitHash, LineRange, PullRequestId, RepositoryName, Side, Spot, Subject, TaskId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;

/// On disk; lines are 0-based, both ends included.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    repository: String,
    pull_request: u64,
    title: String,
    account: String,
    root: PathBuf,
    intent: Written,
    base: Option<Version>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
enum Written {
    OnPullRequest,
    Reply { comment: u64 },
    OnFile { path: String },
    OnLines { path: String, old: bool, first: u32, last: u32 },
    Edit { comment: u64, before: String },
    Task { comment: Option<u64> },
    EditTask { task: u64, before: String },
}

#[derive(Serialize, Deserialize)]
struct Version {
    source: String,
    destination: Option<String>,
    lines: Vec<String>,
}

/// As JSON.
pub(super) fn to_value(about: &About) -> Value {
    let base = about.base.as_ref().map(|base| Version {
        source: base.source.as_str().to_owned(),
        destination: base.destination.as_ref().map(|commit| commit.as_str().to_owned()),
        lines: base.lines.clone(),
    });
    let record = Record {
        repository: about.repository.to_string(),
        pull_request: about.pull_request.0,
        title: about.title.clone(),
        account: about.account.clone(),
        root: about.root.clone(),
        intent: written(&about.intent),
        base,
    };
    serde_json::to_value(record).unwrap_or_default()
}

/// From JSON; `None` if it is not whole.
pub(super) fn from_value(value: &Value) -> Option<About> {
    let record = Record::deserialize(value).ok()?;
    let base = match record.base {
        None => None,
        Some(version) => Some(Base {
            source: CommitHash::parse(&version.source)?,
            destination: match version.destination {
                Some(commit) => Some(CommitHash::parse(&commit)?),
                None => None,
            },
            lines: version.lines,
        }),
    };
    Some(About {
        repository: RepositoryName::parse(&record.repository)?,
        pull_request: PullRequestId(record.pull_request),
        title: record.title,
        account: record.account,
        root: record.root,
        intent: intent(record.intent),
        base,
    })
}

/// What a text is and where it goes: texts with the same key and the same words could be taken for each other.
pub(super) fn key(about: &About) -> String {
    let what = match &about.intent {
        Intent::Comment(Subject::PullRequest) => "comment".to_owned(),
        Intent::Comment(Subject::Comment(comment)) => format!("reply {}", comment.0),
        // Not the lines: they move with new commits, and only texts that are the same are compared.
        Intent::Comment(Subject::Code { path, .. }) => format!("comment {path}"),
        Intent::Edit { comment, .. } => format!("edit {}", comment.0),
        Intent::Task { comment } => format!("task {}", comment.map_or(0, |comment| comment.0)),
        Intent::EditTask { task, .. } => format!("edit task {}", task.0),
    };
    format!("{} {} {what}", about.repository, about.pull_request.0)
}

fn written(intent: &Intent) -> Written {
    match intent {
        Intent::Comment(Subject::PullRequest) => Written::OnPullRequest,
        Intent::Comment(Subject::Comment(comment)) => Written::Reply { comment: comment.0 },
        Intent::Comment(Subject::Code { path, spot: Spot::File }) => Written::OnFile { path: path.clone() },
        Intent::Comment(Subject::Code { path, spot: Spot::Lines(side, lines) }) => Written::OnLines {
            path: path.clone(),
            old: *side == Side::From,
            first: lines.first,
            last: lines.last,
        },
        Intent::Edit { comment, before } => Written::Edit { comment: comment.0, before: before.clone() },
        Intent::Task { comment } => Written::Task { comment: comment.map(|comment| comment.0) },
        Intent::EditTask { task, before } => Written::EditTask { task: task.0, before: before.clone() },
    }
}

fn intent(written: Written) -> Intent {
    match written {
        Written::OnPullRequest => Intent::Comment(Subject::PullRequest),
        Written::Reply { comment } => Intent::Comment(Subject::Comment(CommentId(comment))),
        Written::OnFile { path } => Intent::Comment(Subject::Code { path, spot: Spot::File }),
        Written::OnLines { path, old, first, last } => {
            let side = if old { Side::From } else { Side::To };
            Intent::Comment(Subject::Code { path, spot: Spot::Lines(side, LineRange::new(first, last)) })
        }
        Written::Edit { comment, before } => Intent::Edit { comment: CommentId(comment), before },
        Written::Task { comment } => Intent::Task { comment: comment.map(CommentId) },
        Written::EditTask { task, before } => Intent::EditTask { task: TaskId(task), before },
    }
}

/// A word for the name of a draft's file.
pub(super) fn hint(intent: &Intent) -> &'static str {
    match intent {
        Intent::Comment(Subject::Comment(_)) => "reply",
        Intent::Comment(_) => "comment",
        Intent::Edit { .. } => "edit",
        Intent::Task { .. } => "task",
        Intent::EditTask { .. } => "edit-task",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(intent: Intent, base: Option<Base>) -> About {
        About {
            repository: RepositoryName::parse("corner/till").unwrap(),
            pull_request: PullRequestId(12),
            title: "Charge once".into(),
            account: "{ana}".into(),
            root: "/repositories/till".into(),
            intent,
            base,
        }
    }

    #[test]
    fn everything_is_read_back() {
        let path = "src/pay.rs".to_owned();
        let lines = Spot::Lines(Side::From, LineRange::new(3, 5));
        let base = Base {
            source: CommitHash::parse("298e9b999046").unwrap(),
            destination: CommitHash::parse("0123456789ab"),
            lines: vec!["let a;".into()],
        };
        for (intent, base) in [
            (Intent::Comment(Subject::PullRequest), None),
            (Intent::Comment(Subject::Comment(CommentId(7))), None),
            (Intent::Comment(Subject::Code { path: path.clone(), spot: Spot::File }), Some(base.clone())),
            (Intent::Comment(Subject::Code { path, spot: lines }), Some(base)),
            (Intent::Edit { comment: CommentId(7), before: "a\nb".into() }, None),
            (Intent::Task { comment: None }, None),
            (Intent::Task { comment: Some(CommentId(7)) }, None),
            (Intent::EditTask { task: TaskId(3), before: String::new() }, None),
        ] {
            let about = about(intent, base);
            assert_eq!(from_value(&to_value(&about)), Some(about));
        }
    }

    #[test]
    fn what_is_not_whole_is_not_guessed() {
        let whole = to_value(&about(Intent::Comment(Subject::PullRequest), None));
        for (member, value) in [
            ("repository", "../x/y".into()),
            ("pullRequest", (-1).into()),
            ("intent", serde_json::json!({ "kind": "else" })),
            ("base", serde_json::json!({ "source": "main", "lines": [] })),
        ] {
            let mut broken = whole.clone();
            broken[member] = value;
            assert_eq!(from_value(&broken), None, "{member}");
        }
        assert_eq!(from_value(&Value::Null), None);
    }
}
