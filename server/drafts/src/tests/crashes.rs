//! Deaths at any step of anything, in any order, against a model of what the user means.
//!
//! The user is honest: of a draft whose fate is not known they say what is true. Then nothing that was acknowledged is
//! ever lost, each draft is posted once, and as what came from it, even where twins are sent side by side.

use std::any::Any;
use std::collections::BTreeSet;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Mutex;
use std::task::{Context, Poll};
use std::time::Duration;

use private_files::failpoint::{Died, die_after};
use proptest::prelude::*;

use super::cloud::{Caller, Cloud, Post, waits};
use super::{about, discarded, drafts, folder, key};
use crate::service::system_now;
use crate::{DraftId, Drafts, Ended, State, reconcile, send};

const PLACES: u8 = 2;
const BODIES: [&str; 2] = ["body", "other body"];

#[derive(Clone, Debug)]
enum Step {
    Create {
        place: u8,
        body: usize,
        dies: u32,
    },
    Keep {
        draft: usize,
        dies: u32,
    },
    Save {
        draft: usize,
        dies: u32,
    },
    Restore {
        draft: usize,
        dies: u32,
    },
    Discard {
        draft: usize,
        dies: u32,
    },
    Send(Vec<Sending>),
    Reconcile {
        draft: usize,
        blind: u32,
        dies: u32,
    },
    /// The user looks, and says what is true.
    Say {
        draft: usize,
        dies: u32,
    },
    Sweep {
        dies: u32,
    },
    Pass {
        seconds: u64,
    },
}

/// One of some processes that send at the same time.
#[derive(Clone, Debug)]
struct Sending {
    draft: usize,
    post: Post,
    blind: u32,
    way: u64,
    /// At which step it dies; 0: not.
    dies: u32,
}

fn dies() -> impl Strategy<Value = u32> {
    prop_oneof![1 => Just(0), 1 => 1..12_u32, 1 => 1..30_u32]
}

fn sending() -> impl Strategy<Value = Sending> {
    let post = prop_oneof![
        2 => Just(Post::Lost),
        1 => Just(Post::Clear),
        1 => Just(Post::Vanished),
        1 => Just(Post::Refused)
    ];
    (0..6_usize, post, 0..4_u32, 0..40_u64, dies()).prop_map(|(draft, post, blind, way, dies)| Sending {
        draft,
        post,
        blind,
        way,
        dies,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let draft = 0..6_usize;
    prop_oneof![
        4 => (0..PLACES, 0..BODIES.len(), dies()).prop_map(|(place, body, dies)| Step::Create { place, body, dies }),
        2 => (draft.clone(), dies()).prop_map(|(draft, dies)| Step::Keep { draft, dies }),
        1 => (draft.clone(), dies()).prop_map(|(draft, dies)| Step::Save { draft, dies }),
        1 => (draft.clone(), dies()).prop_map(|(draft, dies)| Step::Restore { draft, dies }),
        1 => (draft.clone(), dies()).prop_map(|(draft, dies)| Step::Discard { draft, dies }),
        6 => prop::collection::vec(sending(), 1..4).prop_map(Step::Send),
        2 => (draft.clone(), 0..4_u32, dies()).prop_map(|(draft, blind, dies)| Step::Reconcile { draft, blind, dies }),
        2 => (draft, dies()).prop_map(|(draft, dies)| Step::Say { draft, dies }),
        1 => dies().prop_map(|dies| Step::Sweep { dies }),
        1 => (0..400_u64).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

/// What the user knows of a draft.
struct Meant {
    id: DraftId,
    place: u8,
    body: usize,
    /// What the text can be now: one, or two if a process died while it was changed.
    texts: BTreeSet<String>,
    discarded: bool,
}

struct World {
    folder: tempfile::TempDir,
    drafts: Drafts,
    cloud: Cloud,
    meant: Vec<Meant>,
    words: u32,
    deaths: u32,
}

/// Does something as a process that dies at a step; nothing if it died.
fn mortal<T>(dies: u32, act: impl FnOnce() -> T) -> Option<T> {
    die_after(dies);
    let lived = catch_unwind(AssertUnwindSafe(act));
    die_after(0);
    lived.map_err(only_death).ok()
}

fn only_death(why: Box<dyn Any + Send>) {
    if !why.is::<Died>() {
        std::panic::resume_unwind(why);
    }
}

/// A future that dies at a step of its own, among others that live on.
struct Mortal<F> {
    dies: u32,
    inner: Option<Pin<Box<F>>>,
}

impl<F: Future> Future for Mortal<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(mut inner) = self.inner.take() else { return Poll::Ready(None) };
        die_after(self.dies);
        let polled = catch_unwind(AssertUnwindSafe(|| inner.as_mut().poll(context)));
        self.dies = die_after(0);
        match polled {
            Ok(Poll::Pending) => {
                self.inner = Some(inner);
                Poll::Pending
            }
            Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
            Err(why) => {
                only_death(why);
                Poll::Ready(None)
            }
        }
    }
}

impl World {
    fn new() -> Self {
        let folder = folder();
        Self {
            drafts: drafts(&folder),
            folder,
            cloud: Cloud::at(1_800_000_000),
            meant: Vec::new(),
            words: 0,
            deaths: 0,
        }
    }

    fn word(&mut self) -> String {
        self.words += 1;
        format!("text {}", self.words)
    }

    fn lived<T>(&mut self, dies: u32, act: impl FnOnce(&Drafts) -> T) -> Option<T> {
        let drafts = self.drafts.clone();
        let lived = mortal(dies, || act(&drafts));
        self.deaths += u32::from(lived.is_none());
        lived
    }

    fn is_live(&self, draft: usize) -> bool {
        self.meant.get(draft).is_some_and(|meant| !meant.discarded && !self.is_posted(&meant.id))
    }

    fn is_posted(&self, id: &DraftId) -> bool {
        matches!(self.drafts.read(id), Ok(entry) if matches!(entry.state, State::Posted { .. }))
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Create { place, body, dies } if self.meant.len() < 6 => {
                let text = self.word();
                let lived = self.lived(*dies, |drafts| {
                    drafts.create("reply", &about(*place), &key(*place), "ana", &text)
                });
                if let Some(id) = lived {
                    let (texts, id) = ([text].into(), id.unwrap());
                    self.meant.push(Meant { id, place: *place, body: *body, texts, discarded: false });
                }
            }
            Step::Keep { draft, dies } if self.is_live(*draft) => {
                self.write(*draft, *dies, |drafts, id, text| drafts.keep_typed(id, text));
            }
            Step::Save { draft, dies } if self.is_live(*draft) => {
                self.write(*draft, *dies, |drafts, id, text| drafts.write_text(id, text));
            }
            Step::Restore { draft, dies } if self.is_live(*draft) => {
                let id = self.meant[*draft].id.clone();
                self.lived(*dies, |drafts| drafts.restore(&id).unwrap());
            }
            Step::Discard { draft, dies } if self.is_live(*draft) => {
                let id = self.meant[*draft].id.clone();
                self.lived(*dies, |drafts| drafts.discard(&id).unwrap());
                self.meant[*draft].discarded = true;
            }
            Step::Send(sendings) => self.send(sendings).await,
            Step::Reconcile { draft, blind, dies } if *draft < self.meant.len() => {
                let caller = Caller {
                    blind: Mutex::new(*blind),
                    ..self.cloud.caller(&self.drafts, &self.meant[*draft].id, Post::Clear)
                };
                let waits = waits(&self.cloud);
                let looking = reconcile(&self.drafts, &self.meant[*draft].id, &caller, &waits);
                let ended = Mortal { dies: *dies, inner: Some(Box::pin(looking)) }.await;
                self.deaths += u32::from(ended.is_none());
            }
            Step::Say { draft, dies } if self.is_live(*draft) => self.say(*draft, *dies),
            Step::Sweep { dies } => {
                self.lived(*dies, |drafts| drafts.sweep(system_now()));
            }
            Step::Pass { seconds } => self.cloud.pass(*seconds),
            _ => {}
        }
    }

    fn write<E: std::fmt::Debug>(
        &mut self,
        draft: usize,
        dies: u32,
        write: impl FnOnce(&Drafts, &DraftId, &str) -> Result<(), E>,
    ) {
        let (text, id) = (self.word(), self.meant[draft].id.clone());
        let lived = self.lived(dies, |drafts| write(drafts, &id, &text).unwrap());
        let texts = &mut self.meant[draft].texts;
        if lived.is_some() {
            texts.clear();
        }
        texts.insert(text);
    }

    async fn send(&mut self, sendings: &[Sending]) {
        let waits = waits(&self.cloud);
        let about: Vec<_> = (0..PLACES).map(about).collect();
        let keys: Vec<_> = (0..PLACES).map(key).collect();
        let known = sendings.iter().filter(|sending| self.is_live(sending.draft));
        let pairs: Vec<_> = known.map(|sending| (sending, &self.meant[sending.draft])).collect();
        let callers = pairs.iter().map(|(sending, meant)| Caller {
            blind: Mutex::new(sending.blind),
            way: Duration::from_secs(sending.way),
            ..self.cloud.caller(&self.drafts, &meant.id, sending.post)
        });
        let callers: Vec<_> = callers.collect();
        let sends = pairs.iter().zip(&callers).map(|((sending, meant), caller)| {
            let place = usize::from(meant.place);
            let body = BODIES[meant.body];
            let inner = send(&self.drafts, &meant.id, &about[place], &keys[place], body, caller, &waits);
            Mortal { dies: sending.dies, inner: Some(Box::pin(inner)) }
        });
        let mut sends: Vec<_> = sends.map(Some).collect();
        let mut ends: Vec<Option<Ended>> = sends.iter().map(|_| None).collect();
        std::future::poll_fn(|context| {
            for (send, end) in sends.iter_mut().zip(&mut ends) {
                if let Some(Poll::Ready(ended)) = send.as_mut().map(|send| pin!(send).poll(context)) {
                    (*send, *end) = (None, ended);
                }
            }
            match sends.iter().all(Option::is_none) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
        let died = ends.iter().filter(|end| end.is_none()).count();
        for ((sending, meant), ended) in pairs.iter().zip(ends) {
            let there = self.cloud.from(&meant.id);
            match ended {
                Some(Ended::Posted { id, .. }) => assert_eq!(there, [id], "{sending:?}"),
                // Another one may have sent the same draft right afterwards.
                Some(Ended::Rejected(_)) if pairs.len() == 1 => assert_eq!(there, [0_u64; 0], "{sending:?}"),
                Some(Ended::Gone | Ended::Disk(_)) => panic!("{sending:?}: {ended:?}"),
                _ => {}
            }
        }
        self.deaths += u32::try_from(died).unwrap();
    }

    /// The user looks at Bitbucket, and says of a draft whose fate is not known what is true.
    fn say(&mut self, draft: usize, dies: u32) {
        let id = self.meant[draft].id.clone();
        let Ok(State::Unknown { .. }) = self.drafts.read(&id).map(|entry| entry.state) else { return };
        match self.cloud.from(&id).first() {
            Some(there) => self.lived(dies, |drafts| drafts.settle(&id, *there).unwrap()),
            None => self.lived(dies, |drafts| drafts.again(&id).unwrap()),
        };
    }

    fn check(&self) {
        let kept = discarded(&self.folder);
        let mut bound = BTreeSet::new();
        for meant in &self.meant {
            let there = self.cloud.from(&meant.id);
            assert!(there.len() <= 1, "{} was posted twice", meant.id);
            match self.drafts.read(&meant.id) {
                Ok(entry) if matches!(entry.state, State::Posted { .. }) => {
                    let State::Posted { id } = entry.state else { unreachable!() };
                    assert_eq!(there, [id], "{} is bound to what is not its own", meant.id);
                    assert!(bound.insert(id));
                }
                Ok(entry) if !meant.discarded => {
                    assert!(meant.texts.contains(&entry.text), "{}: {:?}", entry.text, meant.texts);
                    assert_eq!((&entry.about, entry.key), (&about(meant.place), key(meant.place)));
                    assert!(self.drafts.list().iter().any(|listed| listed.id == meant.id));
                }
                Ok(_) | Err(_) if meant.discarded => {
                    let live = self.drafts.read(&meant.id).map(|entry| entry.text).unwrap_or_default();
                    let somewhere =
                        |text: &String| live == *text || kept.iter().any(|file| file.contains(text));
                    assert!(meant.texts.iter().any(somewhere), "{:?}: {kept:?}", meant.texts);
                }
                lost => panic!("{} is lost: {lost:?}", meant.id),
            }
        }
    }

    /// With a Bitbucket that works, everything comes to its end.
    async fn finish(&mut self) {
        for draft in 0..self.meant.len() {
            let mut tries = 0;
            while self.is_live(draft) {
                tries += 1;
                assert!(tries < 4, "{} comes to no end", self.meant[draft].id);
                for other in 0..self.meant.len() {
                    // Also of one that is half discarded.
                    self.say(other, 0);
                }
                let (post, blind) = (Post::Clear, 0);
                self.send(&[Sending { draft, post, blind, way: 0, dies: 0 }]).await;
            }
        }
        self.check();
        let live = self.meant.iter().filter(|meant| !meant.discarded);
        assert!(live.clone().all(|meant| self.cloud.from(&meant.id).len() == 1));
        self.drafts.sweep(system_now());
        let orphans = self.drafts.list();
        assert!(
            orphans
                .iter()
                .all(|entry| self.meant.iter().all(|meant| meant.id != entry.id || meant.discarded))
        );
    }
}

/// How many cases: 300, or what `DRAFTS_CRASHES` says.
fn cases() -> u32 {
    std::env::var("DRAFTS_CRASHES").ok().and_then(|count| count.parse().ok()).unwrap_or(300)
}

#[test]
#[expect(clippy::print_stdout, reason = "the count that the bar asks for")]
fn nothing_is_lost_and_nothing_is_posted_twice_whenever_processes_die() {
    let (cases, deaths) = (cases(), std::cell::Cell::new(0));
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let steps = prop::collection::vec(step(), 1..25);
    let run = runner.run(&steps, |steps| {
        let mut world = World::new();
        runtime.block_on(async {
            for step in &steps {
                world.step(step).await;
                world.check();
            }
            world.finish().await;
        });
        deaths.set(deaths.get() + u64::from(world.deaths));
        Ok(())
    });
    if let Err(error) = run {
        panic!("{error}");
    }
    assert!(deaths.get() > u64::from(cases), "{} deaths", deaths.get());
    println!("{cases} histories, {} deaths: 0 texts lost, 0 posted twice", deaths.get());
}
