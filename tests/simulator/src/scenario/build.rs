//! From a scenario to the simulator's state, over real git repositories.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::{Context, Result, bail};
use jiff::{SignedDuration, Timestamp};

use super::history::History;
use super::{PullRequest, Scenario, User, moment};
use crate::marker::MARKER;
use crate::oauth::authority::{Authority, app_user};
use crate::world::{self, Account, End, Participant, Person, State, Vote, World};

/// Ids of comments and tasks start above this.
const FIRST_ID: u64 = 700_000_000;

/// Makes the repositories below `root` and the state over them.
pub(crate) fn build(scenario: &Scenario, root: &Path, web: &str) -> Result<World> {
    let first = scenario.users.first().context("a scenario needs at least one [[user]]")?;
    let mut world = World {
        web: web.to_owned(),
        root: root.to_owned(),
        anonymous: scenario.anonymous,
        people: scenario.users.iter().map(person).collect(),
        accounts: scenario.accounts.iter().map(account).collect(),
        authority: Authority::new(
            scenario.consumers.clone(),
            scenario.signed_in.clone().unwrap_or_else(|| first.id.clone()),
        ),
        repositories: Vec::new(),
        pull_requests: Vec::new(),
        now: moment("2026-11-02 09:00")?,
        next_id: FIRST_ID,
        texts: Default::default(),
    };
    world
        .person(&world.authority.signed_in)
        .with_context(|| format!("{:?} is signed in and no user", world.authority.signed_in))?;
    for consumer in scenario.consumers.iter().filter(|consumer| consumer.private) {
        let name = consumer.name.clone().unwrap_or_else(|| consumer.key.clone());
        let user = User { id: app_user(&consumer.key), name, outside: true, ..User::default() };
        world.people.push(person(&user));
    }
    for account in &world.accounts {
        world
            .person(&account.user)
            .with_context(|| format!("a token belongs to {:?}, who is no user", account.user))?;
    }
    if world.accounts.is_empty() {
        let token = format!("simulated-token-{MARKER}-of-{}", first.id);
        let scopes = vec!["account".to_owned(), "pullrequest".to_owned()];
        world.accounts.push(Account { user: first.id.clone(), token, email: None, scopes, expired: false });
    }
    let mut histories: HashMap<String, History> = HashMap::new();
    for repository in &scenario.repositories {
        let origin = match &repository.fork_of {
            Some(name) => {
                Some(histories.get(name).with_context(|| format!("{name} must stand before its fork"))?)
            }
            None => None,
        };
        let folder = root.join(format!("{}.git", checked_name(&repository.name)?));
        let history = History::make(scenario, repository, origin, &folder)?;
        world.repositories.push(world::Repository {
            name: repository.name.clone(),
            uuid: uuid(&repository.name),
            main: repository.main.clone().unwrap_or_else(|| "main".to_owned()),
            public: repository.public,
            visible_to: repository.visible_to.clone(),
            fork_of: repository.fork_of.clone(),
            gone: repository.gone,
            folder,
            created: world.now,
            heads: Default::default(),
            names: history.names().map(|(name, hash)| (name.to_owned(), hash.to_owned())).collect(),
            statuses: Vec::new(),
        });
        histories.insert(repository.name.clone(), history);
    }
    world.refresh()?;
    for pull_request in &scenario.pull_requests {
        let said = || format!("pull request {:?}", pull_request.title);
        add(&mut world, scenario, &histories, pull_request).with_context(said)?;
    }
    Ok(world)
}

fn add(
    world: &mut World,
    scenario: &Scenario,
    histories: &HashMap<String, History>,
    new: &PullRequest,
) -> Result<()> {
    let repository = match (&new.repository, scenario.repositories.as_slice()) {
        (Some(name), _) => name.clone(),
        (None, [only]) => only.name.clone(),
        (None, _) => bail!("say which `repository` it goes to"),
    };
    let main =
        world.repository(&repository).with_context(|| format!("there is no repository {repository}"))?;
    let destination_branch = new.destination.clone().unwrap_or_else(|| main.main.clone());
    let source_repository = new.source_repository.clone().unwrap_or_else(|| repository.clone());
    let taken: HashSet<u64> =
        world.pull_requests.iter().filter(|one| one.repository == repository).map(|one| one.id).collect();
    let id = new.id.unwrap_or_else(|| taken.iter().max().map_or(1, |last| last + 1));
    if taken.contains(&id) {
        bail!("{repository} has two pull requests {id}");
    }
    let end = |repository: &str, branch: &str, commit: Option<&String>| -> Result<End> {
        let name = commit.map_or(branch, String::as_str);
        let hash = histories.get(repository).and_then(|history| history.hash(name));
        let commit =
            hash.with_context(|| format!("{repository} has no branch or commit {name:?}"))?.to_owned();
        Ok(End { repository: repository.to_owned(), branch: branch.to_owned(), commit })
    };
    let source = end(&source_repository, &new.source, new.source_commit.as_ref())?;
    let destination = end(&repository, &destination_branch, new.destination_commit.as_ref())?;
    let merge_commit = match &new.merge_commit {
        Some(name) => Some(end(&repository, &destination_branch, Some(name))?.commit),
        None => None,
    };
    let state = new.state.as_deref().unwrap_or("OPEN");
    let state = State::parse(state).with_context(|| format!("{state:?} is no state of a pull request"))?;
    let created = match &new.created {
        Some(text) => moment(text)?,
        None => world.now + SignedDuration::from_mins(10),
    };
    for user in [&new.author].into_iter().chain(&new.reviewers).chain(new.votes.keys()) {
        world.person(user).with_context(|| format!("there is no user {user:?}"))?;
    }
    world.now = world.now.max(created);
    world.pull_requests.push(world::PullRequest {
        id,
        repository: repository.clone(),
        title: new.title.clone(),
        description: new.description.clone(),
        author: new.author.clone(),
        state,
        draft: new.draft,
        close_source_branch: new.close_source_branch,
        updates: vec![(created, source.commit.clone())],
        source,
        destination,
        merge_commit,
        closed_by: (state != State::Open).then(|| new.author.clone()),
        participants: participants(new, created)?,
        locked: false,
        comments: Vec::new(),
        tasks: Vec::new(),
        created,
        updated: created,
    });
    discuss(world, &repository, id, new, created)
}

fn discuss(
    world: &mut World,
    repository: &str,
    id: u64,
    new: &PullRequest,
    created: Timestamp,
) -> Result<()> {
    let mut date = created;
    let mut next = |text: &Option<String>| -> Result<Timestamp> {
        date = match text {
            Some(text) => moment(text)?,
            None => date + SignedDuration::from_mins(10),
        };
        Ok(date)
    };
    for comment in &new.comments {
        let on = next(&comment.date)?;
        let said = || format!("comment {:?}", comment.text.lines().next().unwrap_or_default());
        let made = world.add_comment(repository, id, comment, on).with_context(said)?;
        if comment.deleted {
            world.delete_comment(repository, id, made)?;
        }
    }
    for task in &new.tasks {
        let on = next(&task.date)?;
        world.add_task(repository, id, task, on).with_context(|| format!("task {:?}", task.text))?;
    }
    let source = world.pull_request(repository, id).map(|one| one.source.clone()).context("just made")?;
    for status in &new.statuses {
        let on = next(&status.date)?;
        world
            .set_status(&source.repository, status, &source.commit, on)
            .with_context(|| format!("status {:?}", status.key))?;
    }
    Ok(())
}

fn participants(new: &PullRequest, on: Timestamp) -> Result<Vec<Participant>> {
    let reviewer = |user: &String| Participant { user: user.clone(), reviewer: true, vote: None, on: None };
    let mut participants: Vec<Participant> = new.reviewers.iter().map(reviewer).collect();
    for (user, word) in &new.votes {
        let vote = [Vote::Approved, Vote::ChangesRequested].into_iter().find(|vote| vote.word() == word);
        let vote = vote.with_context(|| format!("{word:?} is no vote"))?;
        if !participants.iter().any(|known| known.user == *user) {
            participants.push(Participant { user: user.clone(), reviewer: false, vote: None, on: None });
        }
        for participant in participants.iter_mut().filter(|known| known.user == *user) {
            participant.vote = Some(vote);
            participant.on = Some(on);
        }
    }
    Ok(participants)
}

fn person(user: &User) -> Person {
    let uuid = user.uuid.clone().unwrap_or_else(|| uuid(&user.id));
    let account_id =
        user.account_id.clone().unwrap_or_else(|| format!("557058:{}", uuid.trim_matches(['{', '}'])));
    let nickname = user.nickname.clone().unwrap_or_else(|| user.id.clone());
    Person { id: user.id.clone(), name: user.name.clone(), nickname, account_id, uuid, member: !user.outside }
}

fn account(account: &super::Account) -> Account {
    let scopes: &[&str] = match account.email {
        Some(_) => &["read:user:bitbucket", "read:repository:bitbucket", "read:pullrequest:bitbucket"],
        None => &["account", "pullrequest"],
    };
    Account {
        user: account.user.clone(),
        token: account.token.clone(),
        email: account.email.clone(),
        scopes: account
            .scopes
            .clone()
            .unwrap_or_else(|| scopes.iter().map(|&scope| scope.to_owned()).collect()),
        expired: account.expired,
    }
}

fn checked_name(name: &str) -> Result<&str> {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    match name.split_once('/') {
        Some((workspace, slug)) if plain(workspace) && plain(slug) => Ok(name),
        _ => bail!("{name:?} is no workspace/slug"),
    }
}

/// A uuid, with braces, that is always the same for the same text (FNV-1a, twice).
fn uuid(text: &str) -> String {
    let hash = |seed: u64| {
        text.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    let digits = format!("{:016x}{:016x}", hash(0xcbf2_9ce4_8422_2325), hash(0x9e37_79b9_7f4a_7c15));
    let [a, b, c, d, e] = [&digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..]];
    format!("{{{a}-{b}-4{c}-8{d}-{e}}}")
}
