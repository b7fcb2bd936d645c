//! The session as a machine: events in, effects out; no server, no git, no network.

use super::*;
use crate::effect::{Effect, ToPlace};
use crate::event::{
    CheckedOut, Discovery, Found, Fresh, Loaded, Located, Login, LoginWay, Problem, Question, RemoteVerdict,
    SignInId, SignInStep, Trouble,
};
use crate::protocol::{Call, Command, Target};
use pull_request::model::*;
use pull_request::place::{Placed, Placement, Provenance};
use pull_request::text::{Encoding, Position};
use serde_json::{Value, json};
use tokio::sync::oneshot;

const NOW: Timestamp = Timestamp(1_000_000);
const REPOSITORY: RepositoryId = RepositoryId(0);

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
        };
        case.send(Event::Started(profile, vec!["/work/till".into()], Value::Null));
        case
    }

    /// A pull request with these comments, loaded and placed on their own lines.
    fn with_review(comments: Vec<Comment>) -> Self {
        let mut case = Self::new();
        case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(discovery("discounts"))))));
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

    fn answer_find(&mut self, pull_requests: Vec<PullRequest>) {
        let generation = self.find().expect("a search");
        let pull_requests = pull_requests.into_iter().map(|one| (name(), one)).collect();
        let found = Found { pull_requests, ended: None, explanation: Vec::new() };
        self.send(Event::Found(REPOSITORY, generation, Ok(found)));
    }

    fn answer_load(&mut self, comments: Vec<Comment>) {
        let generation = self.load().expect("a load");
        let loaded = Loaded {
            pull_request: pull_request(4),
            comments,
            tasks: Vec::new(),
            statuses: Vec::new(),
            unreadable: 0,
            incomplete: Vec::new(),
            at: NOW,
        };
        self.send(Event::Loaded(REPOSITORY, generation, Ok(Box::new(loaded))));
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
        let file = PathBuf::from("/work/till").join(path);
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
                let path = path.strip_prefix("/work/till").unwrap().display().to_string();
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
    format!("file:///work/till/{path}")
}

fn discovery(branch: &str) -> Discovery {
    Discovery {
        root: "/work/till".into(),
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

const CODE: &str = "one\ntwo\nthree\nfour\nfive\n";

#[test]
fn from_a_folder_to_a_diagnostic_over_the_whole_workspace() {
    let case = Case::with_review(vec![comment(1, "cart.py", 2), comment(2, "receipt.py", 0)]);
    let expected = [("cart.py".to_owned(), None, vec![2]), ("receipt.py".to_owned(), None, vec![0])];
    assert_eq!(case.published(), expected);
}

#[test]
fn typing_above_moves_a_comment_at_once_and_typing_elsewhere_publishes_nothing() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.open("cart.py", CODE);
    case.edit("cart.py", 2, (0, 0), (0, 0), "zero\n");
    assert_eq!(case.published(), [("cart.py".to_owned(), Some(2), vec![3])]);
    case.edit("cart.py", 3, (5, 4), (5, 4), "!");
    assert_eq!(case.published(), []);
    assert!(!case.effects.iter().any(|effect| matches!(effect, Effect::RefreshLenses)));
}

#[test]
fn a_commented_line_that_grows_is_marked_to_its_end_once_typing_pauses() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 1)]);
    case.open("cart.py", CODE);
    let length = u32::try_from(CODE.lines().nth(1).unwrap().len()).unwrap();
    let end = |case: &Case| {
        case.effects.iter().find_map(|effect| match effect {
            Effect::Publish { diagnostics, .. } => Some(diagnostics[0].end),
            _ => None,
        })
    };
    case.edit("cart.py", 2, (1, 0), (1, 0), "  ");
    let at_once = end(&case);
    case.send(Event::Timer(Timer::TypingPaused(uri("cart.py"), 2)));
    assert_eq!(end(&case).or(at_once), Some((1, length + 2)));
}

#[test]
fn a_document_of_ours_that_an_editor_reloads_keeps_its_lenses() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.command(Command::ShowPullRequest, Target::default());
    let shown = case.effects.iter().find_map(|effect| match effect {
        Effect::ShowText { name, text, .. } => Some((name.clone(), text.clone())),
        _ => None,
    });
    let (name, text) = shown.expect("a document");
    let path = PathBuf::from("/cache").join(&name);
    case.send(Event::Written(name, path.clone()));
    for _ in 0..2 {
        let uri = "file:///cache/document.md".to_owned();
        case.send(Event::Opened {
            uri: uri.clone(),
            path: Some(path.clone()),
            version: 1,
            text: text.clone(),
        });
        let (reply, mut lenses) = oneshot::channel();
        case.send(Event::Lenses(uri.clone(), reply));
        assert_eq!(lenses.try_recv().unwrap().len(), 1);
        // An editor closes and opens what it reloads.
        case.send(Event::Closed(uri));
    }
}

#[test]
fn a_document_of_ours_that_was_outrun_while_it_was_opened_is_written_anew() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.open("cart.py", CODE);
    case.command(Command::ShowPullRequest, Target::default());
    let written = |case: &Case| {
        case.effects.iter().find_map(|effect| match effect {
            Effect::ShowText { name, text, show, .. } => Some((name.clone(), text.clone(), *show)),
            _ => None,
        })
    };
    let (name, text, _) = written(&case).expect("a document");
    let path = PathBuf::from("/cache").join(&name);
    case.send(Event::Written(name, path.clone()));
    case.edit("cart.py", 2, (0, 0), (0, 0), "new\n");
    assert_eq!(written(&case), None, "nobody has it open");
    case.send(Event::Opened {
        uri: "file:///cache/4.md".into(),
        path: Some(path),
        version: 1,
        text: text.clone(),
    });
    let (_, anew, show) = written(&case).expect("the document anew");
    assert!(text.contains("line 3 ") && anew.contains("line 4 ") && !show, "{text} {anew}");
}

#[test]
fn a_burst_of_edits_is_published_once() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.open("cart.py", CODE);
    let at = |line| Position { line, character: 0 };
    for version in 2..10 {
        let change = Change { range: Some((at(0), at(0))), text: "new\n".into() };
        let effects = case.session.handle(Event::Changed(uri("cart.py"), version, vec![change]), NOW);
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Publish { .. })));
    }
    case.effects = case.session.settle(NOW);
    assert_eq!(case.published(), [("cart.py".to_owned(), Some(9), vec![10])]);
}

#[test]
fn a_placing_that_typing_outran_does_not_put_comments_back() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.open("cart.py", CODE);
    let saved = case.session.handle(Event::Saved(uri("cart.py")), NOW);
    let Some(Effect::Place(placing)) = saved.into_iter().find(|effect| matches!(effect, Effect::Place(_)))
    else {
        panic!("saving places anew");
    };
    case.edit("cart.py", 2, (0, 0), (0, 0), "zero\n");
    let places = placing.threads.iter().map(|thread| (thread.thread, on_its_line(thread))).collect();
    case.send(Event::Placed(REPOSITORY, placing.generation, vec![("cart.py".into(), 1)], places));
    assert_eq!(case.published(), []);
    let (reply, mut lenses) = oneshot::channel();
    case.send(Event::Lenses(uri("cart.py"), reply));
    let lines: Vec<u32> = lenses.try_recv().unwrap().iter().map(|lens| lens.line).collect();
    assert_eq!(lines, [0, 3]);
}

#[test]
fn a_thread_that_typing_outran_is_placed_after_a_pause() {
    let mut case = Case::new();
    case.send(Event::Opened { uri: uri("cart.py"), path: None, version: 1, text: CODE.into() });
    case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(discovery("discounts"))))));
    let generation = case.find().expect("a search");
    let location = Location { repository: REPOSITORY, path: "cart.py".into(), is_new: false };
    case.send(Event::Belongs(uri("cart.py"), Some(location)));
    let pull_requests = vec![(name(), pull_request(4))];
    let found = Found { pull_requests, ended: None, explanation: Vec::new() };
    case.send(Event::Found(REPOSITORY, generation, Ok(found)));
    case.answer_load(vec![comment(1, "cart.py", 2)]);
    let placing = case.placing();
    case.edit("cart.py", 2, (0, 0), (0, 0), "zero\n");
    case.answer_place(&placing);
    assert_eq!(case.published(), [], "its line is not known for this text");
    let again = case.effects.iter().find_map(|effect| match effect {
        Effect::After(_, timer @ Timer::PlaceAgain(..)) => Some(timer.clone()),
        _ => None,
    });
    case.send(Event::Timer(again.expect("another try")));
    case.place();
    assert_eq!(case.published(), [("cart.py".to_owned(), Some(2), vec![2])]);
}

#[test]
fn a_placing_on_unsaved_text_that_is_closed_meanwhile_does_not_count() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.open("cart.py", CODE);
    case.edit("cart.py", 2, (0, 0), (0, 0), "zero\n");
    case.send(Event::Saved(uri("cart.py")));
    let mut unsaved = case.placing();
    case.send(Event::Closed(uri("cart.py")));
    case.place();
    let on_disk = case.published();
    // Its outcome, line 40, comes last; and also after the file was opened again, with versions from 1.
    let Spot::Lines(side, _) = unsaved.threads[0].anchor.spot else { panic!("lines") };
    let mut threads = unsaved.threads.as_ref().clone();
    threads[0].anchor.spot = Spot::Lines(side, LineRange::line(40));
    unsaved.threads = std::sync::Arc::new(threads);
    case.answer_place(&unsaved);
    assert_eq!(case.published(), []);
    case.open("cart.py", CODE);
    case.edit("cart.py", 2, (4, 0), (4, 0), "x");
    case.answer_place(&unsaved);
    assert_eq!(case.published(), []);
    assert_eq!(on_disk, [("cart.py".to_owned(), None, vec![2])]);
}

#[test]
fn a_repository_whose_folder_was_closed_while_it_was_looked_at_is_let_go() {
    let mut case = Case::new();
    case.send(Event::Folders(Vec::new(), vec!["/work/till".into()]));
    case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(discovery("discounts"))))));
    assert!(matches!(case.effects[..], [Effect::Forget(REPOSITORY)]), "{:?}", case.effects);
}

#[test]
fn a_client_that_spells_a_uri_otherwise_keeps_nothing_under_the_other_spelling() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let spelled = "file:///Work/till/cart.py".to_owned();
    let file = Some("/work/till/cart.py".into());
    case.send(Event::Opened { uri: spelled.clone(), path: file, version: 1, text: CODE.into() });
    let location = Location { repository: REPOSITORY, path: "cart.py".into(), is_new: false };
    case.send(Event::Belongs(spelled.clone(), Some(location)));
    let by_uri = |case: &Case| -> Vec<(String, usize)> {
        let published = |effect: &Effect| match effect {
            Effect::Publish { uri, diagnostics, .. } => Some((uri.clone().unwrap(), diagnostics.len())),
            _ => None,
        };
        case.effects.iter().filter_map(published).collect()
    };
    assert_eq!(by_uri(&case), [(uri("cart.py"), 0), (spelled.clone(), 1)]);
    case.send(Event::Closed(spelled.clone()));
    assert_eq!(by_uri(&case), [(spelled, 0), (uri("cart.py"), 1)]);
}

#[test]
fn a_file_that_is_not_in_the_commit_may_be_a_commented_one_that_was_moved() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let file = Some("/work/till/basket.py".into());
    case.send(Event::Opened { uri: uri("basket.py"), path: file, version: 1, text: CODE.into() });
    let location = Location { repository: REPOSITORY, path: "basket.py".into(), is_new: true };
    case.send(Event::Belongs(uri("basket.py"), Some(location)));
    assert_eq!(case.placing().threads.len(), 1);
}

#[test]
fn closing_without_saving_goes_back_to_the_file_on_disk() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.open("cart.py", CODE);
    case.edit("cart.py", 2, (0, 0), (0, 0), "zero\n");
    case.send(Event::Closed(uri("cart.py")));
    case.place();
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![2])]);
}

#[test]
fn one_refresh_is_in_flight_and_the_others_wait_as_one() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let mut searches = 0;
    for _ in 0..20 {
        case.command(Command::Refresh, Target::default());
        searches += usize::from(case.find().is_some());
    }
    assert_eq!(searches, 1);
    let generation = case.session.repositories[&REPOSITORY].generation;
    case.send(Event::Found(REPOSITORY, generation, Err(unreachable())));
    assert!(case.find().is_some(), "the one that waited begins");
    let generation = case.find().unwrap();
    case.send(Event::Found(REPOSITORY, generation, Err(unreachable())));
    assert_eq!(case.find(), None);
}

#[test]
fn a_probe_without_a_difference_loads_nothing_until_the_fifth() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let fresh = |comment_count| Fresh {
        updated_on: Some(NOW),
        comment_count: Some(comment_count),
        task_count: Some(0),
        commits: (Some("a".repeat(12)), None),
        open: true,
    };
    let poll = |case: &mut Case| {
        let clock = case.session.repositories[&REPOSITORY].poll_clock;
        case.send(Event::Timer(Timer::Poll(REPOSITORY, clock)));
        case.probe().expect("a probe")
    };
    for _ in 0..4 {
        let generation = poll(&mut case);
        case.send(Event::Probed(REPOSITORY, generation, Ok(fresh(1))));
        assert_eq!(case.load(), None);
    }
    let generation = poll(&mut case);
    case.send(Event::Probed(REPOSITORY, generation, Ok(fresh(1))));
    assert!(case.load().is_some(), "a deletion is seen by loading only");
    case.answer_load(vec![]);
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![])], "deleted comments vanish");

    let generation = poll(&mut case);
    case.send(Event::Probed(REPOSITORY, generation, Ok(fresh(2))));
    assert!(case.load().is_some(), "a new comment is loaded at once");
}

#[test]
fn an_older_clock_does_not_count() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let clock = case.session.repositories[&REPOSITORY].poll_clock;
    case.command(Command::Refresh, Target::default());
    case.answer_find(vec![pull_request(4)]);
    case.answer_load(vec![]);
    case.send(Event::Timer(Timer::Poll(REPOSITORY, clock)));
    assert_eq!((case.probe(), case.find()), (None, None));
}

#[test]
fn which_pull_request_was_the_last_is_asked_once_and_not_by_the_clock() {
    let mut case = Case::new();
    case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(discovery("discounts"))))));
    assert_eq!(case.explains(), Some(true));
    let merged = PullRequest { state: PullRequestState::Merged, ..pull_request(3) };
    let found = Found { pull_requests: Vec::new(), ended: Some(vec![merged]), explanation: Vec::new() };
    let generation = case.find().unwrap();
    case.send(Event::Found(REPOSITORY, generation, Ok(found)));
    let clock = case.session.repositories[&REPOSITORY].poll_clock;
    case.send(Event::Timer(Timer::Poll(REPOSITORY, clock)));
    assert_eq!(case.explains(), Some(false));
    case.answer_find(vec![]);
    assert_eq!(case.session.repositories[&REPOSITORY].ended.len(), 1, "it is known still");
    case.command(Command::Refresh, Target::default());
    assert_eq!(case.explains(), Some(true));
    case.answer_find(vec![pull_request(4)]);
    assert_eq!(case.session.repositories[&REPOSITORY].ended, [], "it is not the last any more");
}

#[test]
fn while_offline_comments_stay_quietly_and_the_wait_grows() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.open("cart.py", CODE);
    let mut waits = Vec::new();
    for _ in 0..6 {
        let clock = case.session.repositories[&REPOSITORY].poll_clock;
        case.send(Event::Timer(Timer::Poll(REPOSITORY, clock)));
        let generation = case.probe().unwrap();
        case.send(Event::Probed(REPOSITORY, generation, Err(unreachable())));
        assert_eq!((case.messages(), case.published()), (vec![], vec![]));
        waits.push(case.polls()[0].0);
    }
    assert_eq!(waits, [120, 240, 480, 600, 600, 600]);
    let (reply, mut hover) = oneshot::channel();
    case.send(Event::Hover(uri("cart.py"), Position { line: 2, character: 0 }, reply));
    let hover = hover.try_recv().unwrap().expect("still there").markdown;
    assert!(hover.contains("comment 1") && hover.contains("offline"), "{hover}");
}

#[test]
fn while_there_is_nothing_to_show_yet_the_next_try_is_soon() {
    let mut case = Case::new();
    case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(discovery("discounts"))))));
    let mut waits = Vec::new();
    for _ in 0..5 {
        let generation = case.find().expect("a try");
        case.send(Event::Found(REPOSITORY, generation, Err(unreachable())));
        assert_eq!(case.messages(), Vec::<&str>::new());
        let (wait, timer) = case.polls().pop().expect("another try");
        waits.push(wait);
        case.send(Event::Timer(timer));
    }
    assert_eq!(waits, [20, 40, 80, 160, 600]);
}

#[test]
fn a_request_to_wait_is_obeyed() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let clock = case.session.repositories[&REPOSITORY].poll_clock;
    case.send(Event::Timer(Timer::Poll(REPOSITORY, clock)));
    let generation = case.probe().unwrap();
    let problem = Problem { retry_after: Some(5_000), ..unreachable() };
    case.send(Event::Probed(REPOSITORY, generation, Err(problem)));
    assert_eq!(case.polls()[0].0, 5_000);
}

#[test]
fn refused_credentials_are_said_once_and_not_tried_by_the_clock() {
    let mut case = Case::new();
    case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(discovery("discounts"))))));
    let refused =
        Problem { trouble: Trouble::Refused, sentence: "Your token is wrong.".into(), retry_after: None };
    let generation = case.find().unwrap();
    case.send(Event::Found(REPOSITORY, generation, Err(refused.clone())));
    assert_eq!(case.messages(), ["Your token is wrong."]);
    let clock = case.session.repositories[&REPOSITORY].poll_clock;
    case.send(Event::Timer(Timer::Poll(REPOSITORY, clock)));
    assert_eq!(case.find(), None);
    case.command(Command::Refresh, Target::default());
    let generation = case.find().expect("a command does try");
    case.send(Event::Found(REPOSITORY, generation, Err(refused)));
    assert_eq!(case.messages(), ["Your token is wrong."]);
}

#[test]
fn signed_out_is_a_state_and_asks_nothing_of_the_network() {
    let mut case = Case::new();
    let discovery = Discovery { login: Err("Sign in.".into()), ..discovery("discounts") };
    case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(discovery)))));
    assert_eq!((case.find(), case.messages()), (None, vec!["Sign in."]));
    case.command(Command::Refresh, Target::default());
    assert_eq!(case.find(), None);
    case.command(Command::ShowPullRequest, Target::default());
    assert_eq!(case.messages(), ["Sign in."]);
}

#[test]
fn a_repository_of_somebody_else_gets_no_network() {
    let mut case = Case::new();
    let discovery =
        Discovery { trusted: false, remarks: vec!["It is not yours.".into()], ..discovery("discounts") };
    case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(discovery)))));
    assert_eq!(case.find(), None);
}

#[test]
fn another_branch_takes_the_comments_away_and_looks_for_its_own() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(discovery("main"))))));
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![])]);
    assert!(case.find().is_some());
    case.answer_find(vec![]);
    case.command(Command::ShowPullRequest, Target::default());
    assert_eq!(case.messages(), ["This branch has no pull request on Bitbucket yet."]);
}

#[test]
fn what_was_in_flight_for_the_old_branch_is_not_shown_on_the_new_one() {
    let mut case = Case::new();
    case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(discovery("discounts"))))));
    case.answer_find(vec![pull_request(4)]);
    let old = case.load().unwrap();
    case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(discovery("main"))))));
    let new = case.find().expect("the new branch does not wait for the old one");
    assert_ne!(old, new);
    let loaded = Loaded {
        pull_request: pull_request(4),
        comments: vec![comment(1, "cart.py", 2)],
        tasks: Vec::new(),
        statuses: Vec::new(),
        unreadable: 0,
        incomplete: Vec::new(),
        at: NOW,
    };
    case.send(Event::Loaded(REPOSITORY, old, Ok(Box::new(loaded))));
    assert!(case.session.repositories[&REPOSITORY].review.is_none());
}

#[test]
fn a_commit_without_news_on_bitbucket_places_anew_and_loads_nothing() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let discovery = Discovery { head: Some("b".repeat(40)), ..discovery("discounts") };
    case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(discovery)))));
    assert!(case.effects.iter().any(|effect| matches!(effect, Effect::Place(_))));
    case.answer_find(vec![pull_request(4)]);
    assert_eq!(case.load(), None);
}

#[test]
fn a_fetch_asks_once_whether_there_is_news() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.send(Event::GitChanged(REPOSITORY));
    assert!(case.effects.iter().any(|effect| matches!(effect, Effect::Discover { .. })));
    case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(discovery("discounts"))))));
    assert!(case.find().is_some());
    case.answer_find(vec![pull_request(4)]);
    assert_eq!(case.load(), None, "there was none");
    case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(discovery("discounts"))))));
    assert_eq!(case.find(), None);
}

#[test]
fn settings_count_at_once() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.send(Event::Settings(json!({ "comments": { "enabled": false } })));
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![])]);
    case.send(Event::Settings(json!({})));
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![2])]);
    case.send(Event::Settings(json!({ "comments": { "ignoreAuthors": ["ana"] } })));
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![])]);
    case.send(Event::Settings(json!({ "token": "x" })));
    assert!(case.messages()[0].contains("not taken from the editor"));
    case.send(Event::Settings(json!({ "token": "x", "refreshInterval": 0 })));
    assert_eq!((case.messages(), case.polls()), (vec![], vec![]), "said once; and no clock");
}

#[test]
fn a_refresh_by_command_begins_anew_with_the_network() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let reconnects = |case: &Case| matches!(case.effects[0], Effect::Reconnect);
    case.command(Command::Refresh, Target::default());
    assert!(reconnects(&case), "before it asks");
    case.command(Command::ToggleComments, Target::default());
    assert!(!reconnects(&case));
}

#[test]
fn what_is_switched_off_is_asked_for_a_last_time() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let mut refreshes = |settings: Value| {
        case.send(Event::Settings(settings));
        let counts = |effect: &&Effect| matches!(effect, Effect::RefreshLenses | Effect::RefreshInlays);
        case.effects.iter().filter(counts).count()
    };
    assert_eq!(refreshes(json!({ "inlayHints": { "enabled": true } })), 2, "both");
    assert_eq!(
        refreshes(json!({ "inlayHints": { "enabled": false } })),
        2,
        "both: one of them for the last time"
    );
    assert_eq!(refreshes(json!({ "codeLens": { "enabled": false } })), 1, "the lenses on screen go");
    assert_eq!(refreshes(json!({ "codeLens": { "enabled": false }, "comments": { "enabled": false } })), 0);
}

#[test]
fn toggling_hides_and_shows() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.command(Command::ToggleComments, Target::default());
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![])]);
    case.command(Command::ToggleComments, Target::default());
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![2])]);
}

#[test]
fn next_and_previous_walk_over_files_and_round_again() {
    let comments = vec![comment(1, "cart.py", 1), comment(2, "cart.py", 3), comment(3, "receipt.py", 0)];
    let mut case = Case::with_review(comments);
    case.open("cart.py", CODE);
    let mut go = |command, line| {
        let target = Target { uri: Some(uri("cart.py")), line: Some(line), ..Target::default() };
        case.command(command, target);
        case.effects.iter().find_map(|effect| match effect {
            Effect::ShowFile { path, line, .. } => {
                Some(format!("{}:{line}", path.file_name()?.to_string_lossy()))
            }
            _ => None,
        })
    };
    assert_eq!(go(Command::NextComment, 0).as_deref(), Some("cart.py:1"));
    assert_eq!(go(Command::NextComment, 1).as_deref(), Some("cart.py:3"));
    assert_eq!(go(Command::NextComment, 3).as_deref(), Some("receipt.py:0"));
    assert_eq!(go(Command::PreviousComment, 1).as_deref(), Some("receipt.py:0"));
    assert_eq!(go(Command::PreviousComment, 3).as_deref(), Some("cart.py:1"));
}

#[test]
fn of_several_pull_requests_the_newest_is_shown_and_another_can_be_picked() {
    let mut case = Case::new();
    case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(discovery("discounts"))))));
    case.answer_find(vec![pull_request(9), pull_request(4)]);
    assert!(case.effects.iter().any(|effect| matches!(effect, Effect::Load { id: PullRequestId(9), .. })));
    case.command(Command::SwitchPullRequest, Target::default());
    let asked = case.effects.iter().find_map(|effect| match effect {
        Effect::Ask { choices, .. } => Some(choices.len()),
        _ => None,
    });
    assert_eq!(asked, Some(2));
    case.command(Command::SwitchPullRequest, Target { pull_request: Some(77), ..Target::default() });
    assert!(case.messages()[0].contains("#77"));
    let question = Question::PullRequest(REPOSITORY, vec![PullRequestId(7), PullRequestId(4)]);
    case.send(Event::Answered(question, Some(1)));
    case.answer_find(vec![pull_request(9), pull_request(4)]);
    assert!(case.effects.iter().any(|effect| matches!(effect, Effect::Load { id: PullRequestId(4), .. })));
}

#[test]
fn progress_is_shown_only_when_it_takes_long_and_never_by_the_clock() {
    let mut case = Case::new();
    case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(discovery("discounts"))))));
    let generation = case.find().unwrap();
    let steps =
        |case: &Case| case.effects.iter().filter(|effect| matches!(effect, Effect::Progress(..))).count();
    case.send(Event::Timer(Timer::StillBusy(REPOSITORY, generation)));
    assert_eq!(steps(&case), 1);
    let found = Found { pull_requests: Vec::new(), ended: None, explanation: Vec::new() };
    case.send(Event::Found(REPOSITORY, generation, Ok(found)));
    assert_eq!(steps(&case), 1, "it ends");
    case.send(Event::Timer(Timer::StillBusy(REPOSITORY, generation)));
    assert_eq!(steps(&case), 0);
}

#[test]
fn a_folder_that_is_closed_takes_its_diagnostics_along() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.send(Event::Folders(vec![], vec!["/work/till".into()]));
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![])]);
    assert!(case.effects.iter().any(|effect| matches!(effect, Effect::Forget(REPOSITORY))));
}

#[test]
fn copy_link_answers_with_the_thread_and_without_one_with_the_pull_request() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.open("cart.py", CODE);
    let at = |line| Target { uri: Some(uri("cart.py")), line: Some(line), ..Target::default() };
    let link = case.command(Command::CopyLink, at(2));
    assert_eq!(
        link,
        json!({ "text": "https://bitbucket.org/corner-shop/till/pull-requests/4/_/diff#comment-1" })
    );
    let link = case.command(Command::CopyLink, at(4));
    assert_eq!(link, json!({ "text": "https://bitbucket.org/corner-shop/till/pull-requests/4" }));
}

#[test]
fn a_search_that_ends_a_review_leaves_the_clock_running_and_what_waits_begins() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.command(Command::Refresh, Target::default());
    let generation = case.find().expect("a search");
    case.command(Command::Refresh, Target::default());
    let found = Found { pull_requests: Vec::new(), ended: None, explanation: Vec::new() };
    case.send(Event::Found(REPOSITORY, generation, Ok(found)));
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![])]);
    assert_eq!(case.polls().len(), 1, "the clock runs on");
    assert!(case.find().is_some(), "the one that waited begins");
}

#[test]
fn refused_while_a_review_is_shown_it_is_not_probed_for_ever() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let poll = |case: &mut Case| {
        let clock = case.session.repositories[&REPOSITORY].poll_clock;
        case.send(Event::Timer(Timer::Poll(REPOSITORY, clock)));
        case.probe()
    };
    let generation = poll(&mut case).expect("a probe");
    let refused = Problem { trouble: Trouble::Refused, sentence: "Revoked.".into(), retry_after: None };
    case.send(Event::Probed(REPOSITORY, generation, Err(refused)));
    assert_eq!(case.messages(), ["Revoked."]);
    assert_eq!(poll(&mut case), None);
}

#[test]
fn a_pull_request_that_is_no_longer_there_is_looked_for_anew() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let clock = case.session.repositories[&REPOSITORY].poll_clock;
    case.send(Event::Timer(Timer::Poll(REPOSITORY, clock)));
    let generation = case.probe().expect("a probe");
    let gone = Problem { trouble: Trouble::NotFound, sentence: "Not there.".into(), retry_after: None };
    case.send(Event::Probed(REPOSITORY, generation, Err(gone)));
    assert!(case.find().is_some());
}

#[test]
fn who_you_are_may_be_told_late_and_counts_at_once() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let me = User { uuid: Some("{1}".into()), display_name: "Ana".into(), ..User::default() };
    case.send(Event::Identified("1:ana".into(), Ok(me)));
    assert_eq!(case.published().len(), 1, "Ana is You now");
    let mut case = Case::new();
    case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(discovery("discounts"))))));
    case.send(Event::Identified("1:ana".into(), Err(unreachable())));
    let generation = case.session.repositories[&REPOSITORY].generation;
    case.send(Event::Found(REPOSITORY, generation, Err(unreachable())));
    case.command(Command::Refresh, Target::default());
    assert!(
        case.effects.iter().any(|effect| matches!(effect, Effect::Identify(_))),
        "asked again after an outage"
    );
}

#[test]
fn a_repository_that_is_let_go_of_takes_its_progress_along() {
    let mut case = Case::new();
    case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(discovery("discounts"))))));
    let generation = case.find().unwrap();
    case.send(Event::Timer(Timer::StillBusy(REPOSITORY, generation)));
    case.send(Event::Folders(vec![], vec!["/work/till".into()]));
    assert!(
        case.effects.iter().any(|effect| matches!(
            effect,
            Effect::Progress(Work::Repository(REPOSITORY), ProgressStep::End)
        ))
    );
}

#[test]
fn a_repository_that_was_deleted_takes_what_is_shown_along() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.send(Event::Discovered("/work/till".into(), Err("There is no repository any more.".into())));
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![])]);
    assert!(case.effects.iter().any(|effect| matches!(effect, Effect::Forget(REPOSITORY))));
}

#[test]
fn next_comment_without_a_cursor_goes_on_from_its_last_stop() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 1), comment(2, "cart.py", 3)]);
    let mut go = || {
        case.command(Command::NextComment, Target::default());
        case.effects.iter().find_map(|effect| match effect {
            Effect::ShowFile { line, .. } => Some(*line),
            _ => None,
        })
    };
    assert_eq!([go(), go(), go()], [Some(1), Some(3), Some(1)]);
}

#[test]
fn settings_that_come_before_the_repository_was_found_count_for_it() {
    let mut case = Case::new();
    case.send(Event::Settings(json!({ "preferredRemotes": ["fork"] })));
    let again = case.effects.iter().any(|effect| match effect {
        Effect::Discover { preferred_remotes, .. } => preferred_remotes == &["fork"],
        _ => false,
    });
    assert!(again, "the folder is looked at by the new order");
}

#[test]
fn a_branch_without_a_pull_request_is_asked_for_seldom() {
    let mut case = Case::new();
    case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(discovery("discounts"))))));
    case.answer_find(vec![]);
    assert_eq!(case.polls()[0].0, 300);
}

#[test]
fn a_document_of_ours_answers_for_the_text_that_is_on_screen() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.command(Command::ShowPullRequest, Target::default());
    let written = case.effects.iter().find_map(|effect| match effect {
        Effect::ShowText { name, text, .. } => Some((name.clone(), text.clone())),
        _ => None,
    });
    let (name, text) = written.expect("a document");
    let path = PathBuf::from("/cache").join(&name);
    case.send(Event::Written(name, path.clone()));
    let uri = "file:///cache/pull-request-4.md".to_owned();
    case.send(Event::Opened { uri: uri.clone(), path: Some(path), version: 1, text: text.clone() });
    let rows = |case: &mut Case| {
        let (reply, mut lenses) = oneshot::channel();
        case.send(Event::Lenses(uri.clone(), reply));
        lenses.try_recv().unwrap().iter().map(|lens| lens.line).collect::<Vec<u32>>()
    };
    let before = rows(&mut case);
    assert_eq!(before.len(), 1);
    // Another thread above it moves the rows of the text that is written now, but not of the one on screen.
    case.command(Command::Refresh, Target::default());
    case.answer_find(vec![pull_request(4)]);
    case.answer_load(vec![comment(1, "cart.py", 2), comment(2, "a.py", 0)]);
    case.place();
    assert_eq!(rows(&mut case), before);
    let at = |line| Position { line, character: 0 };
    let change = Change { range: Some((at(0), at(1))), text: "something else".into() };
    case.send(Event::Changed(uri.clone(), 2, vec![change]));
    assert_eq!(rows(&mut case), Vec::<u32>::new(), "of an unknown text nothing is said");
}

fn questions(case: &Case) -> Vec<(Question, String, Vec<String>)> {
    let question = |effect: &Effect| match effect {
        Effect::Ask { question, text, choices } => Some((question.clone(), text.clone(), choices.clone())),
        _ => None,
    };
    case.effects.iter().filter_map(question).collect()
}

#[test]
fn a_login_that_has_ended_is_one_question_whatever_the_number_of_repositories() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let ended = || Problem {
        trouble: Trouble::NeedsLogin,
        sentence: "Your login has ended.".into(),
        retry_after: None,
    };
    let clock = case.session.repositories[&REPOSITORY].poll_clock;
    case.send(Event::Timer(Timer::Poll(REPOSITORY, clock)));
    let generation = case.probe().expect("a probe");
    case.send(Event::Probed(REPOSITORY, generation, Err(ended())));
    let expected = (
        Question::SignInAgain(LoginWay::OAuth),
        "Your login has ended.".to_owned(),
        vec!["Sign In".to_owned()],
    );
    assert_eq!((questions(&case), case.messages()), (vec![expected.clone()], vec![]));
    assert!(case.session.repositories[&REPOSITORY].review.is_some(), "what was read stays");
    // The clock asks no more; git may, and is not told twice.
    let clock = case.session.repositories[&REPOSITORY].poll_clock;
    case.send(Event::Timer(Timer::Poll(REPOSITORY, clock)));
    assert_eq!((case.probe(), case.find()), (None, None));
    let moved = Discovery { head: Some("b".repeat(40)), ..discovery("discounts") };
    case.send(Event::Discovered("/work/till".into(), Ok((REPOSITORY, Box::new(moved)))));
    let generation = case.find().expect("a search");
    case.send(Event::Found(REPOSITORY, generation, Err(ended())));
    assert_eq!(questions(&case), vec![]);
    // The user's own question is answered each time; the answer begins a sign-in.
    case.command(Command::Refresh, Target::default());
    let generation = case.find().expect("a search");
    case.send(Event::Found(REPOSITORY, generation, Err(ended())));
    assert_eq!(questions(&case), vec![expected]);
    case.send(Event::Answered(Question::SignInAgain(LoginWay::OAuth), Some(0)));
    assert!(case.effects.iter().any(|effect| matches!(effect, Effect::SignIn(SignInId(1), _))));
    case.send(Event::Answered(Question::SignInAgain(LoginWay::OAuth), None));
    assert!(!case.effects.iter().any(|effect| matches!(effect, Effect::SignIn(..))));
}

#[test]
fn only_the_latest_sign_in_is_heard_and_its_progress_always_ends() {
    let mut case = Case::new();
    let progress = |case: &Case| -> Vec<(u64, bool)> {
        let step = |effect: &Effect| match effect {
            Effect::Progress(Work::SignIn(SignInId(id)), step) => {
                Some((*id, matches!(step, ProgressStep::Begin(_))))
            }
            _ => None,
        };
        case.effects.iter().filter_map(step).collect()
    };
    case.command(Command::GenerateToken, Target::default());
    assert_eq!(progress(&case), [(1, true)]);
    case.command(Command::GenerateToken, Target::default());
    assert_eq!(progress(&case), [(1, false), (2, true)]);
    let waiting = || SignInStep::Waiting { page: "https://p".into(), redirect: Some("http://r".into()) };
    case.send(Event::SignIn(SignInId(1), waiting()));
    assert!(case.effects.is_empty(), "{:?}", case.effects);
    case.send(Event::SignIn(SignInId(2), waiting()));
    assert!(
        matches!(&case.effects[..], [Effect::Message(..), Effect::OpenPage(page)] if page == "https://p")
    );
    case.send(Event::CancelSignIn(SignInId(1)));
    assert!(case.effects.is_empty());
    case.send(Event::CancelSignIn(SignInId(2)));
    assert!(matches!(&case.effects[..], [Effect::CancelSignIn]));
    case.send(Event::SignIn(SignInId(2), SignInStep::Cancelled));
    assert_eq!(progress(&case), [(2, false)]);
    // Who is signed in all the same is told so.
    case.send(Event::SignIn(SignInId(2), SignInStep::Done("late".into())));
    assert_eq!((progress(&case), case.messages()), (vec![], vec!["late"]));
}

#[test]
fn another_account_reads_anew_and_signing_out_takes_away_without_a_word() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let accounts = || vec![("1:ana".to_owned(), "Ana".to_owned())];
    case.send(Event::Accounts(accounts(), vec![(REPOSITORY, Ok(login("1:ana")))]));
    assert_eq!((case.find(), case.published()), (None, vec![]), "nothing has changed");
    case.send(Event::Accounts(accounts(), vec![(REPOSITORY, Ok(login("2:ben")))]));
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![])]);
    assert!(case.find().is_some());
    case.send(Event::Accounts(Vec::new(), vec![(REPOSITORY, Err("Sign in.".into()))]));
    assert_eq!((case.find(), case.messages()), (None, vec![]));
    case.command(Command::ShowPullRequest, Target::default());
    assert_eq!(case.messages(), ["Sign in."]);
    case.send(Event::Accounts(accounts(), vec![(REPOSITORY, Ok(login("1:ana")))]));
    assert!(case.find().is_some());
}

#[test]
fn accounts_with_one_name_are_told_apart_in_questions() {
    let mut case = Case::new();
    let accounts = ["1", "2", "3"].map(|id| (id.to_owned(), "Ana".to_owned())).to_vec();
    case.send(Event::Accounts(accounts, Vec::new()));
    case.command(Command::SignOut, Target::default());
    let (question, _, choices) = questions(&case).remove(0);
    assert_eq!(choices, ["Ana", "Ana (2)", "Ana (3)"]);
    case.send(Event::Answered(question, Some(2)));
    assert!(matches!(&case.effects[..], [Effect::SignOut(id)] if id == "3"));
}
