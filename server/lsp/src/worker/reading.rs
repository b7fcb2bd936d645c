//! From a repository's name and branch to a whole pull request: which requests, in which order, side by side where they can be.

use super::accounts::{Accounts, Known, Who};
use super::{problem, sentence};
use crate::event::{CheckedOut, Found, Fresh, Loaded, Problem, Trouble};
use crate::main_loop::now;
use bitbucket::{Client, Error, Listing};
use pull_request::model::{End, PullRequest, PullRequestId, PullRequestState, RepositoryName, User};
use pull_request::view::markdown::plain;
use std::collections::HashMap;

pub(super) async fn identify(bitbucket: &Client) -> Result<User, Problem> {
    bitbucket.current_user().await.map_err(|error| problem(&error))
}

/// Sentences about the program, the accounts, the hosts that were spoken to and the request budgets.
pub(super) fn describe(
    accounts: &Accounts,
    known: &Known,
    clients: &HashMap<Option<Who>, Client>,
) -> Vec<String> {
    let environment = accounts.environment();
    let mut lines = vec![format!("This is bitbucket-lsp {}.", env!("CARGO_PKG_VERSION"))];
    lines.extend(environment.config.as_ref().ok().cloned());
    lines.extend(accounts.describe(known));
    let contacts = environment.limits.contacts.list();
    lines.push(match contacts.as_slice() {
        [] => "Nothing was sent to any host so far.".into(),
        contacts => {
            let hosts: Vec<String> =
                contacts.iter().map(|(host, count)| format!("{host} ({count})")).collect();
            format!("Hosts that were spoken to, with the number of requests: {}.", hosts.join(", "))
        }
    });
    let mut budgets: Vec<(String, bitbucket::Budget)> = clients
        .iter()
        .filter_map(|(who, client)| {
            let of = match who.as_ref()? {
                Who::Environment => String::new(),
                Who::Stored(key) => {
                    let account = known.accounts.get(key);
                    format!(" for {}", account.map_or("an account", |account| &account.display_name))
                }
            };
            Some((of, client.budget()))
        })
        .collect();
    budgets.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (of, budget) in budgets {
        let waiting = budget
            .waiting
            .map_or(String::new(), |wait| format!("; the next leaves in {} s", wait.as_secs().max(1)));
        lines.push(format!(
            "{} of the {} requests that Bitbucket grants each hour were sent by this server{of} in the last hour{waiting}.",
            budget.spent_last_hour, budget.limit
        ));
    }
    lines
}

/// The pull requests of what is checked out, in the first of the candidates that has some.
/// `explaining`: where none is open, which one was the last is asked for too.
pub(super) async fn find(
    bitbucket: &Client,
    candidates: &[RepositoryName],
    checked_out: &CheckedOut,
    head: Option<&str>,
    explaining: bool,
) -> Result<Found, Problem> {
    let mut found = Found { pull_requests: Vec::new(), ended: None, explanation: Vec::new() };
    let mut refused: Option<Problem> = None;
    let mut answered = false;
    for candidate in candidates {
        let outcome = match checked_out {
            CheckedOut::Branch { remote, pushed_to, .. } => {
                of_branch(bitbucket, candidate, remote, pushed_to.as_ref(), candidates).await
            }
            CheckedOut::Detached { branches } => of_commit(bitbucket, candidate, branches, head).await,
            CheckedOut::Unborn { local } => {
                found.explanation.push(format!("The branch {local} has no commit yet, so no pull request."));
                return Ok(found);
            }
        };
        let listing = match outcome {
            Ok(listing) => listing,
            // Another remote may still be visible to this account.
            Err(error @ (Error::NotFound | Error::Forbidden)) => {
                let mut problem = problem(&error);
                problem.sentence = format!("{candidate}: {}", problem.sentence);
                found.explanation.push(problem.sentence.clone());
                refused.get_or_insert(problem);
                continue;
            }
            Err(error) => return Err(problem(&error)),
        };
        if let Some(problem) = unknown(candidate, checked_out, &listing) {
            return Err(problem);
        }
        answered = true;
        found.explanation.push(explain(candidate, checked_out, &listing));
        if !listing.items.is_empty() {
            found.pull_requests = listing.items.into_iter().map(|item| (candidate.clone(), item)).collect();
            found.pull_requests.sort_by_key(|(_, item)| std::cmp::Reverse((item.created_on, item.id)));
            return Ok(found);
        }
    }
    match (answered, refused) {
        (false, Some(problem)) => return Err(problem),
        (true, _) if explaining => {
            if let (CheckedOut::Branch { remote, pushed_to, .. }, Some(first)) =
                (checked_out, candidates.first())
            {
                // Only to explain; without it there is just less to say.
                let sources = pushed_to.as_ref().map_or(candidates, std::slice::from_ref);
                let recent = bitbucket.recent_pull_requests_of_branch(first, remote, sources).await;
                let is_ended = |item: &PullRequest| item.state != PullRequestState::Open;
                found.ended = recent.ok().map(|listing| listing.items.into_iter().filter(is_ended).collect());
            }
        }
        (true, _) | (false, None) => {}
    }
    Ok(found)
}

/// A damaged answer does not mean that there is no pull request: what is shown must not go for it.
fn unknown(
    candidate: &RepositoryName,
    checked_out: &CheckedOut,
    listing: &Listing<PullRequest>,
) -> Option<Problem> {
    let is_damaged = listing.unreadable > 0 || listing.more.is_some();
    if !is_damaged || !listing.items.is_empty() || !matches!(checked_out, CheckedOut::Branch { .. }) {
        return None;
    }
    let sentence = format!(
        "{candidate}: Bitbucket's list of the branch's pull requests could not be read; refresh, and report it if it happens again."
    );
    Some(Problem { trouble: Trouble::Other, sentence, retry_after: None })
}

/// Where it is not known to which repository the branch is pushed, it may be any of ours: first the candidate itself.
/// Strangers' forks have branches of the same name: they are never meant.
/// Bitbucket gives the branches of all of them in one list.
async fn of_branch(
    bitbucket: &Client,
    candidate: &RepositoryName,
    branch: &str,
    pushed_to: Option<&RepositoryName>,
    ours: &[RepositoryName],
) -> Result<Listing<PullRequest>, Error> {
    if let Some(source) = pushed_to {
        return bitbucket.pull_requests_of_branch(candidate, branch, std::slice::from_ref(source)).await;
    }
    let mut listing = bitbucket.pull_requests_of_branch(candidate, branch, ours).await?;
    let is_of =
        |item: &PullRequest, source| item.source.repository.as_ref().is_some_and(|from| from.same_as(source));
    let source = std::iter::once(candidate)
        .chain(ours)
        .find(|source| listing.items.iter().any(|item| is_of(item, source)));
    if let Some(source) = source {
        listing.items.retain(|item| is_of(item, source));
    }
    Ok(listing)
}

/// A detached HEAD: pull requests whose source is this commit, or a branch whose tip contains it.
/// Where the destination contains it too, it is no part of the pull request.
async fn of_commit(
    bitbucket: &Client,
    candidate: &RepositoryName,
    branches: &[String],
    head: Option<&str>,
) -> Result<Listing<PullRequest>, Error> {
    let head = head.and_then(pull_request::model::CommitHash::parse);
    let mut listing = bitbucket.open_pull_requests(candidate).await?;
    listing.items.retain(|item| {
        let is_head = match (&item.source.commit, &head) {
            (Some(commit), Some(head)) => commit.matches(head),
            _ => false,
        };
        let contained = |end: &End| end.branch.as_ref().is_some_and(|branch| branches.contains(branch));
        is_head || contained(&item.source) && !contained(&item.destination)
    });
    Ok(listing)
}

fn explain(candidate: &RepositoryName, checked_out: &CheckedOut, listing: &Listing<PullRequest>) -> String {
    let what = match checked_out {
        CheckedOut::Branch { remote, pushed_to: Some(source), .. } if !source.same_as(candidate) => {
            format!("from the branch {remote} of {source}")
        }
        CheckedOut::Branch { remote, .. } => format!("from the branch {remote}"),
        CheckedOut::Detached { .. } | CheckedOut::Unborn { .. } => {
            "that contain the commit checked out".to_owned()
        }
    };
    let count = match listing.items.len() {
        0 => "none".to_owned(),
        count => count.to_string(),
    };
    let unreadable = match listing.unreadable {
        0 => String::new(),
        count => format!(", {count} more could not be read"),
    };
    let rest = listing.more.as_ref().map_or(String::new(), |more| format!(" ({more})"));
    format!("Open pull requests of {candidate} {what}: {count}{unreadable}{rest}.")
}

/// A pull request with all comments, tasks and builds; the comments are what it fails for.
pub(super) async fn load(
    bitbucket: &Client,
    name: &RepositoryName,
    id: PullRequestId,
    known: Option<PullRequest>,
    builds: bool,
) -> Result<Loaded, Problem> {
    let expected = known.as_ref().map(|known| (known.comment_count, known.task_count));
    let (n_comments, n_tasks) = expected.unwrap_or_default();
    let pull_request = async {
        match known {
            Some(known) => Ok(known),
            None => bitbucket.pull_request(name, id).await,
        }
    };
    let statuses = async {
        match builds {
            true => Some(bitbucket.statuses(name, id).await),
            false => None,
        }
    };
    let (pull_request, comments, tasks, statuses) = tokio::join!(
        pull_request,
        bitbucket.comments(name, id, n_comments),
        bitbucket.tasks(name, id, n_tasks),
        statuses,
    );
    let failed = |error: Error| {
        let mut problem = problem(&error);
        if problem.trouble == Trouble::NotFound {
            problem.sentence = format!("Pull request {id} of {name}: {}", problem.sentence);
        }
        problem
    };
    let pull_request = pull_request.map_err(failed)?;
    let comments = comments.map_err(failed)?;
    let mut loaded = Loaded {
        pull_request,
        comments: Vec::new(),
        tasks: Vec::new(),
        statuses: Vec::new(),
        unreadable: 0,
        incomplete: Vec::new(),
        at: now(),
    };
    loaded.comments = take(&mut loaded, comments, "Comments");
    loaded.tasks = take_or_say(&mut loaded, tasks, "tasks");
    if let Some(statuses) = statuses {
        loaded.statuses = take_or_say(&mut loaded, statuses, "builds");
    }
    Ok(loaded)
}

fn take<T>(loaded: &mut Loaded, listing: Listing<T>, what: &str) -> Vec<T> {
    loaded.unreadable += listing.unreadable;
    loaded.incomplete.extend(listing.more.map(|more| plain(&format!("{what}: {more}"), 600)));
    listing.items
}

fn take_or_say<T>(loaded: &mut Loaded, outcome: Result<Listing<T>, Error>, what: &str) -> Vec<T> {
    match outcome {
        Ok(listing) => take(loaded, listing, what),
        Err(error) => {
            loaded.incomplete.push(format!("The {what} could not be read. {}", sentence(&error)));
            Vec::new()
        }
    }
}

/// Whether it changed, in one small answer.
pub(super) async fn probe(
    bitbucket: &Client,
    name: &RepositoryName,
    id: PullRequestId,
) -> Result<Fresh, Problem> {
    let probe = bitbucket.probe(name, id).await.map_err(|error| problem(&error))?;
    let short =
        |commit: Option<pull_request::model::CommitHash>| commit.map(|commit| commit.short().to_owned());
    Ok(Fresh {
        updated_on: probe.updated_on,
        comment_count: probe.comment_count,
        task_count: probe.task_count,
        commits: (short(probe.source_commit), short(probe.destination_commit)),
        open: probe.state == PullRequestState::Open,
    })
}
