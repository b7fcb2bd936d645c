//! Show Status: a document that explains what the server found and why.

use super::Session;
use super::own_documents::{OwnDocument, OwnKind};
use super::review::RepositoryState;
use crate::effect::Effect;
use crate::event::CheckedOut;
use pull_request::model::{PullRequestState, Timestamp, User};
use pull_request::view::markdown::{self, plain};
use pull_request::view::{self, document::Document};
use std::collections::HashMap;
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
        let mut text = String::from("# Bitbucket: status\n\n");
        let attention = self.attention();
        if !attention.is_empty() {
            text.push_str("## Needs your attention\n\n");
            for sentence in &attention {
                bullet(&mut text, sentence);
            }
            text.push('\n');
        }
        text.push_str("## Account\n\n");
        for line in account {
            bullet(&mut text, line);
        }
        if let Some(page) = self.waiting_page() {
            // Where no browser opened.
            let _ = writeln!(text, "- A sign-in is waiting for the browser: <{page}>");
        }
        if !self.comments_shown || !self.settings.comments_enabled {
            bullet(&mut text, "Comments in code are hidden now.");
        }
        for state in self.repositories.values() {
            repository(&mut text, state, &self.people, now);
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
        if !self.errors.is_empty() {
            text.push_str("\n## Latest problems\n\n");
            for (when, sentence) in self.errors.iter().rev() {
                bullet(&mut text, &format!("{}: {sentence}", view::status::age(now, *when)));
            }
        }
        text
    }

    /// What a person should do something about: somebody is signed out, something failed, nothing was found.
    pub(crate) fn attention(&self) -> Vec<String> {
        let mut sentences: Vec<String> = self.undiscovered.values().cloned().collect();
        for state in self.repositories.values() {
            let discovery = &state.discovery;
            let problem = state.problem.as_ref().map(|problem| problem.sentence.clone());
            sentences.extend(match (&discovery.login, problem) {
                _ if !discovery.trusted => Some(discovery.remarks.join(" ")),
                _ if discovery.candidates.is_empty() => {
                    Some(format!("No remote of {} is on Bitbucket.", discovery.root.display()))
                }
                (Err(sentence), _) => Some(sentence.clone()),
                (Ok(_), problem) => problem,
            });
        }
        sentences.sort();
        sentences.dedup();
        sentences
    }

    /// Whether nothing is being looked for.
    pub(crate) fn is_quiet(&self) -> bool {
        self.repositories.values().all(|state| state.busy.is_none())
    }
}

fn repository(text: &mut String, state: &RepositoryState, people: &HashMap<String, User>, now: Timestamp) {
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
    if !discovery.candidates.is_empty() {
        match &discovery.login {
            Ok(login) => {
                let person = people.get(&login.id).map(|person| plain(&person.display_name, 80));
                let name = plain(&login.name, 80);
                let who = match person {
                    Some(person) if person != name => format!("{person} ({name})"),
                    _ => name,
                };
                bullet(text, &format!("Signed in as {who}, {}.", plain(&login.reason, 300)));
            }
            // It is said above, where the user's attention is asked for.
            Err(_) => bullet(text, "Nobody is signed in for it."),
        }
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
}

fn bullet(text: &mut String, sentence: &str) {
    let _ = writeln!(text, "- {}", markdown::text(sentence, 2_000));
}
