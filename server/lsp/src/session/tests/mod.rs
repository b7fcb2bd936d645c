//! The session as a machine: events in, effects out; no server, no git, no network.

mod accounts;
mod drafts;
mod folders;
mod own_documents;
mod placing;
mod reading;
mod showing;
mod trouble;

use super::*;
use crate::effect::{Effect, ToPlace};
use crate::event::{
    Change, CheckedOut, Discovery, Found, Fresh, Loaded, Located, Location, Login, LoginWay, Problem,
    Question, RemoteVerdict, SignInId, SignInStep, Trouble,
};
use crate::protocol::{Call, Command, Target};
use pull_request::model::*;
use pull_request::place::{Placed, Placement, Provenance};
use pull_request::text::{Encoding, Position};
use serde_json::{Value, json};
use tokio::sync::oneshot;

const NOW: Timestamp = Timestamp(1_000_000);
const REPOSITORY: RepositoryId = RepositoryId(0);
const CODE: &str = "one\ntwo\nthree\nfour\nfive\n";
const ROOT: &str = "/repositories/till";

/// A session in a drawn situation, with what it last wanted done.
struct Case {
    session: Session,
    effects: Vec<Effect>,
}

impl Case {
    fn new() -> Self {
        let mut case = Self { session: Session::new(), effects: Vec::new() };
        let profile = ClientProfile {
            encoding: Encoding::Utf16,
            configuration: true,
            settings_registration: true,
            markdown: true,
            lens_refresh: true,
            inlay_refresh: true,
            progress: true,
            show_document: true,
            apply_edit: true,
            draft_closed: true,
        };
        case.send(Event::Started(profile, vec![ROOT.into()], Value::Null));
        case
    }

    /// A pull request with these comments, loaded and placed on their own lines.
    fn with_review(comments: Vec<Comment>) -> Self {
        let mut case = Self::new();
        case.send(discovered(discovery("discounts")));
        case.answer_find(vec![pull_request(4)]);
        case.answer_load(comments);
        case.place();
        case
    }

    /// Handles one event and what follows when no more are ready.
    fn send(&mut self, event: Event) -> &mut Self {
        self.effects = self.session.handle(event, NOW);
        self.effects.extend(self.session.settle(NOW));
        self
    }

    fn find(&self) -> Option<u64> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Find { generation, .. } => Some(*generation),
            _ => None,
        })
    }

    /// Whether the last wish to find asks which pull request was the last, too.
    fn explains(&self) -> Option<bool> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Find { explain, .. } => Some(*explain),
            _ => None,
        })
    }

    fn load(&self) -> Option<u64> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Load { generation, .. } => Some(*generation),
            _ => None,
        })
    }

    fn probe(&self) -> Option<u64> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Probe { generation, .. } => Some(*generation),
            _ => None,
        })
    }

    /// The clock of the repository has come round.
    fn poll(&mut self) {
        let clock = self.session.repositories[&REPOSITORY].poll_clock;
        self.send(Event::Timer(Timer::Poll(REPOSITORY, clock)));
    }

    fn answer_find(&mut self, pull_requests: Vec<PullRequest>) {
        let generation = self.find().expect("a search");
        let pull_requests = pull_requests.into_iter().map(|one| (name(), one)).collect();
        let found = Found { pull_requests, ended: None, explanation: Vec::new() };
        self.send(Event::Found(REPOSITORY, generation, Ok(found)));
    }

    fn answer_load(&mut self, comments: Vec<Comment>) {
        let generation = self.load().expect("a load");
        self.send(Event::Loaded(REPOSITORY, generation, Ok(Box::new(loaded(comments)))));
    }

    fn placing(&self) -> crate::effect::Placing {
        let placing = self.effects.iter().find_map(|effect| match effect {
            Effect::Place(placing) => Some(placing.as_ref().clone()),
            _ => None,
        });
        placing.expect("a wish to place")
    }

    /// Answers a wish to place: every thread is where its anchor says.
    fn place(&mut self) {
        let placing = self.placing();
        self.answer_place(&placing);
    }

    fn answer_place(&mut self, placing: &crate::effect::Placing) {
        let texts =
            placing.documents.iter().map(|document| (document.path.clone(), document.revision)).collect();
        let places = placing.threads.iter().map(|thread| (thread.thread, on_its_line(thread))).collect();
        self.send(Event::Placed(REPOSITORY, placing.generation, texts, places));
    }

    fn open(&mut self, path: &str, text: &str) {
        let file = PathBuf::from(ROOT).join(path);
        self.send(Event::Opened { uri: uri(path), path: Some(file), version: 1, text: text.into() });
        let location = Location { repository: REPOSITORY, path: path.into(), is_new: false };
        self.send(Event::Belongs(uri(path), Some(location)));
        let published = self.published();
        self.place();
        assert_eq!(self.published(), [], "it was published when its place was known: {published:?}");
    }

    fn edit(&mut self, path: &str, version: i32, start: (u32, u32), end: (u32, u32), text: &str) {
        let position = |(line, character)| Position { line, character };
        let change = Change { range: Some((position(start), position(end))), text: text.into() };
        self.send(Event::Changed(uri(path), version, vec![change]));
    }

    /// What was published by the last event: path, version, and the lines of the diagnostics.
    fn published(&self) -> Vec<(String, Option<i32>, Vec<u32>)> {
        let publish = |effect: &Effect| match effect {
            Effect::Publish { path, version, diagnostics, .. } => {
                let path = path.strip_prefix(ROOT).unwrap().display().to_string();
                Some((path, *version, diagnostics.iter().map(|one| one.start.0).collect()))
            }
            _ => None,
        };
        self.effects.iter().filter_map(publish).collect()
    }

    fn messages(&self) -> Vec<&str> {
        let mut texts = Vec::new();
        for effect in &self.effects {
            if let Effect::Message(MessageKind::Info | MessageKind::Warning, text) = effect {
                texts.push(text.as_str());
            }
        }
        texts
    }

    fn command(&mut self, command: Command, target: Target) -> Value {
        let (reply, mut answer) = oneshot::channel();
        self.send(Event::Command(Call { command, target }, reply));
        answer.try_recv().expect("commands are answered at once")
    }

    fn polls(&self) -> Vec<(u64, Timer)> {
        let poll = |effect: &Effect| match effect {
            Effect::After(delay, timer @ Timer::Poll(..)) => Some((delay.as_secs(), timer.clone())),
            _ => None,
        };
        self.effects.iter().filter_map(poll).collect()
    }
}

fn name() -> RepositoryName {
    RepositoryName::new("corner-shop", "till").unwrap()
}

fn uri(path: &str) -> String {
    format!("file://{ROOT}/{path}")
}

fn discovered(discovery: Discovery) -> Event {
    Event::Discovered(ROOT.into(), Ok((REPOSITORY, Box::new(discovery))))
}

fn discovery(branch: &str) -> Discovery {
    Discovery {
        root: ROOT.into(),
        remotes: vec![RemoteVerdict {
            name: "origin".into(),
            url: "https://bitbucket.org/corner-shop/till".into(),
            written: None,
            user: None,
            repository: Ok(name()),
        }],
        candidates: vec![name()],
        checked_out: CheckedOut::Branch { local: branch.into(), remote: branch.into(), pushed_to: None },
        head: Some("a".repeat(40)),
        remarks: Vec::new(),
        trusted: true,
        account: None,
        login: Ok(login("1:ana")),
    }
}

fn login(id: &str) -> Login {
    Login {
        id: id.into(),
        name: "Ana".into(),
        reason: "because it is the only account".into(),
        me: None,
        way: LoginWay::OAuth,
    }
}

fn pull_request(id: u64) -> PullRequest {
    PullRequest {
        id: PullRequestId(id),
        title: format!("Discounts {id}"),
        description: String::new(),
        state: PullRequestState::Open,
        draft: false,
        author: None,
        source: End {
            branch: Some("discounts".into()),
            commit: CommitHash::parse(&"a".repeat(12)),
            repository: Some(name()),
        },
        destination: End::default(),
        participants: Vec::new(),
        comment_count: Some(1),
        task_count: Some(0),
        created_on: Some(Timestamp(i64::try_from(id).unwrap())),
        updated_on: Some(NOW),
        html_url: Some(format!("https://bitbucket.org/corner-shop/till/pull-requests/{id}")),
    }
}

fn loaded(comments: Vec<Comment>) -> Loaded {
    Loaded {
        pull_request: pull_request(4),
        comments,
        tasks: Vec::new(),
        statuses: Vec::new(),
        unreadable: 0,
        incomplete: Vec::new(),
        at: NOW,
    }
}

fn comment(id: u64, path: &str, line: u32) -> Comment {
    let lines = LineRange::line(line);
    Comment {
        id: CommentId(id),
        parent: None,
        author: Some(User { uuid: Some(format!("{{{id}}}")), display_name: "Ana".into(), ..User::default() }),
        raw: format!("comment {id}"),
        mentions: Vec::new(),
        created_on: Some(NOW),
        updated_on: None,
        deleted: false,
        pending: false,
        anchor: Some(Anchor {
            path: path.into(),
            spot: Spot::Lines(Side::To, lines),
            source_commit: CommitHash::parse(&"a".repeat(12)),
            destination_commit: None,
            outdated: None,
        }),
        resolution: None,
        html_url: Some(format!("https://bitbucket.org/corner-shop/till/pull-requests/4/_/diff#comment-{id}")),
        unreadable: false,
    }
}

fn on_its_line(thread: &ToPlace) -> Located {
    let Spot::Lines(_, lines) = thread.anchor.spot else { panic!("an anchor with lines") };
    let placed = Placed { placement: Placement::Exact(lines), provenance: Provenance::Diff, commented: None };
    Located { path: thread.anchor.path.clone(), placed, renamed_from: None, remark: None }
}

fn unreachable() -> Problem {
    Problem {
        trouble: Trouble::Unreachable,
        sentence: "Bitbucket cannot be reached.".into(),
        retry_after: None,
    }
}
