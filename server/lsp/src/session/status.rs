//! Show Status: a document that explains what the server found and why.

use super::review::RepositoryState;
use super::{AccountState, OwnDocument, OwnKind, Session};
use crate::effect::Effect;
use crate::event::CheckedOut;
use pull_request::model::{PullRequestState, Timestamp};
use pull_request::view::markdown::{self, plain};
use pull_request::view::{self, document::Document};
use std::fmt::Write;

/// The word for a state, in a sentence.
pub(super) fn state_word(state: PullRequestState) -> &'static str {
    match state {
        PullRequestState::Open => "open",
        PullRequestState::Merged => "merged",
        PullRequestState::Declined => "declined",
        PullRequestState::Superseded => "superseded",
        PullRequestState::Unknown => "in a state that this version does not know",
    }
}

impl Session {
    pub(super) fn show_status(&mut self, account: &[String], now: Timestamp, out: &mut Vec<Effect>) {
        let text = self.status(account, now);
        let document = Document { text, ..Document::default() };
        self.keep_own("status.md".into(), OwnDocument::new(None, OwnKind::Status, document, now), true, out);
    }

    /// The status as Markdown.
    pub(super) fn status(&self, account: &[String], now: Timestamp) -> String {
        let mut text = String::from("# Bitbucket: status\n\n## Account\n\n");
        match (&self.account, &self.me) {
            (AccountState::SignedOut(sentence), _) => bullet(&mut text, sentence),
            (AccountState::SignedIn, Some(me)) => {
                bullet(&mut text, &format!("Signed in as {}.", plain(&me.display_name, 80)));
            }
            (AccountState::SignedIn, None) => {
                bullet(
                    &mut text,
                    "Signed in; Bitbucket has not said yet as whom (access tokens of a repository have no user).",
                );
            }
        }
        for line in account {
            bullet(&mut text, line);
        }
        if !self.comments_shown || !self.settings.comments_enabled {
            bullet(&mut text, "Comments in code are hidden now.");
        }
        for state in self.repositories.values() {
            repository(&mut text, state, now);
        }
        if !self.undiscovered.is_empty() {
            text.push_str("\n## Folders without a repository\n\n");
            for why in self.undiscovered.values() {
                bullet(&mut text, why);
            }
        }
        if self.repositories.is_empty() && self.undiscovered.is_empty() {
            text.push_str("\n## Repositories\n\n");
            bullet(&mut text, "No folder is open, and no file of a git repository.");
        }
        text
    }
}

fn repository(text: &mut String, state: &RepositoryState, now: Timestamp) {
    let discovery = &state.discovery;
    let _ = write!(text, "\n## {}\n\n", markdown::text(&discovery.root.display().to_string(), 200));
    let head = discovery.head.as_deref().map_or("no commit yet", |head| &head[..head.len().min(12)]);
    bullet(
        text,
        &match &discovery.checked_out {
            CheckedOut::Branch { local, remote, .. } if local == remote => {
                format!("Checked out: branch {}, at {head}.", plain(local, 120))
            }
            CheckedOut::Branch { local, remote, .. } => {
                format!(
                    "Checked out: branch {}, which is {} on the remote, at {head}.",
                    plain(local, 120),
                    plain(remote, 120)
                )
            }
            CheckedOut::Detached { branches } if branches.is_empty() => {
                format!("Checked out: the commit {head}, which no known branch of a remote contains.")
            }
            CheckedOut::Detached { branches } => {
                let names: Vec<String> = branches.iter().take(5).map(|name| plain(name, 60)).collect();
                format!("Checked out: the commit {head}, contained in {}.", names.join(", "))
            }
            CheckedOut::Unborn { local } => {
                format!("Checked out: branch {}, without a commit yet.", plain(local, 120))
            }
        },
    );
    for remark in &discovery.remarks {
        bullet(text, remark);
    }
    for remote in &discovery.remotes {
        let name = plain(&remote.name, 60);
        let url = plain(&remote.url, 200);
        let written = remote.written.as_ref().map_or(String::new(), |written| {
            format!(" (written as {}, changed by url.*.insteadOf)", plain(written, 200))
        });
        match &remote.repository {
            Ok(repository) => {
                let place = discovery.candidates.iter().position(|candidate| candidate.same_as(repository));
                let rank = match place {
                    Some(0) => "asked first".to_owned(),
                    Some(place) => format!("asked as number {}", place + 1),
                    None => "not asked".to_owned(),
                };
                bullet(text, &format!("Remote {name}, {url}{written}: {repository} on Bitbucket, {rank}."));
            }
            Err(why) => bullet(
                text,
                &format!("Remote {name}, {url}{written}: not used, {}.", why.trim_end_matches('.')),
            ),
        }
    }
    if discovery.remotes.is_empty() {
        bullet(text, "It has no remotes.");
    }
    for line in &state.explanation {
        bullet(text, line);
    }
    if let Some(review) = &state.review {
        let pull_request = &review.pull_request;
        bullet(
            text,
            &format!(
                "Shown: pull request {} of {}, {}.",
                pull_request.id,
                review.name,
                plain(&pull_request.title, 120)
            ),
        );
        if state.choices.len() > 1 {
            let why = if state.chosen == Some(pull_request.id) { "chosen by you" } else { "the newest" };
            let others: Vec<String> = state
                .choices
                .iter()
                .filter(|(_, choice)| choice.id != pull_request.id)
                .map(|(_, choice)| choice.id.to_string())
                .collect();
            bullet(
                text,
                &format!(
                    "The branch has {} open pull requests; this one is {why}. The others: {}. Bitbucket: Switch Pull Request changes that.",
                    state.choices.len(),
                    others.join(", ")
                ),
            );
        }
        bullet(text, &format!("Shown {}.", view::status::as_of(now, review.as_of, review.is_offline())));
        let spots: Vec<_> = review.files.values().flatten().collect();
        let gone = spots.iter().filter(|spot| spot.lines().is_none()).count();
        let general = review.discussion.threads.iter().filter(|thread| thread.anchor.is_none()).count();
        bullet(
            text,
            &format!(
                "{} threads: {} in code, {gone} in files that are not here, {general} general.",
                review.discussion.threads.len(),
                spots.len() - gone,
            ),
        );
        if review.unreadable > 0 {
            bullet(text, &format!("{} comments or tasks could not be read in full.", review.unreadable));
        }
        for line in &review.incomplete {
            bullet(text, line);
        }
        let remarks: std::collections::BTreeSet<&String> =
            spots.iter().filter_map(|spot| spot.remark.as_ref()).collect();
        for remark in remarks.into_iter().take(20) {
            bullet(text, remark);
        }
    } else if state.searched {
        match state.ended.first() {
            Some(ended) => bullet(
                text,
                &format!(
                    "The branch has no open pull request; the last one was {} ({}), {}.",
                    ended.id,
                    plain(&ended.title, 120),
                    state_word(ended.state)
                ),
            ),
            None => bullet(text, "The branch has no pull request."),
        }
    }
    if let Some(problem) = &state.problem {
        bullet(text, &problem.sentence);
    }
}

fn bullet(text: &mut String, sentence: &str) {
    let _ = writeln!(text, "- {}", markdown::text(sentence, 2_000));
}
