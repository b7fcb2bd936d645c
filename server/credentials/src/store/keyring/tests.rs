//! The thread, its time limits and its connection, over a keyring whose every move the test decides.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::store::worker::{Keyring, Trouble};

/// What the scripted keyring does next; it waits until it is told.
enum Move {
    Answer(Option<&'static str>),
    Locked,
    Unlocked,
    Dead,
    Panic,
}

struct Scripted {
    moves: Arc<Mutex<Receiver<Move>>>,
    log: Sender<&'static str>,
}

impl Scripted {
    fn next(&mut self) -> Result<Option<Secret>, Trouble> {
        let next = self.moves.lock().unwrap().recv().unwrap();
        match next {
            Move::Answer(text) => Ok(text.map(|text| Secret::new(text.into()))),
            Move::Dead => Err(Trouble::Connection(failed())),
            Move::Panic => panic!("a library panics"),
            Move::Locked | Move::Unlocked => unreachable!("asked for an item"),
        }
    }
}

impl Keyring for Scripted {
    fn is_locked(&mut self) -> Result<bool, Trouble> {
        match self.moves.lock().unwrap().recv().unwrap() {
            Move::Locked => Ok(true),
            Move::Unlocked => Ok(false),
            Move::Dead => Err(Trouble::Connection(failed())),
            _ => unreachable!("asked whether it is locked"),
        }
    }

    fn unlock(&mut self) -> Result<(), Trouble> {
        self.log.send("unlock").unwrap();
        Ok(())
    }

    fn get(&mut self, _: &str) -> Result<Option<Secret>, Trouble> {
        self.log.send("get").unwrap();
        self.next()
    }

    fn set(&mut self, _: &str, _: &Secret) -> Result<(), Trouble> {
        self.log.send("set").unwrap();
        self.next().map(drop)
    }

    fn delete(&mut self, _: &str) -> Result<(), Trouble> {
        self.log.send("delete").unwrap();
        self.next().map(drop)
    }
}

fn failed() -> StoreError {
    StoreError::Failed { store: "The keyring".into(), detail: "gone".into() }
}

struct World {
    store: KeyringStore,
    moves: Sender<Move>,
    log: Receiver<&'static str>,
}

impl World {
    /// `connections` are the outcomes of connecting, one after the other; after the last it always works.
    fn new(limit: Duration, connections: Vec<Result<(), StoreError>>) -> Self {
        let (moves, received) = mpsc::channel();
        let (log, logged) = mpsc::channel();
        let received = Arc::new(Mutex::new(received));
        let mut connections = connections.into_iter();
        let connect: Connect = Box::new(move || {
            log.send("connect").unwrap();
            connections.next().unwrap_or(Ok(()))?;
            let (moves, log) = (received.clone(), log.clone());
            Ok(Box::new(Scripted { moves, log }))
        });
        let limits = Limits { background: limit, interactive: Duration::from_secs(60) };
        Self { store: KeyringStore::over("the keyring", connect, limits), moves, log: logged }
    }

    fn play(&self, moves: impl IntoIterator<Item = Move>) -> &Self {
        for next in moves {
            self.moves.send(next).unwrap();
        }
        self
    }

    fn logged(&self) -> Vec<&'static str> {
        self.log.try_iter().collect()
    }
}

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(30);

fn got(outcome: Result<Option<Secret>, StoreError>) -> Result<Option<String>, StoreError> {
    outcome.map(|secret| secret.map(|secret| secret.expose().to_owned()))
}

#[test]
fn nothing_is_connected_before_the_first_call_and_then_once() {
    let world = World::new(LONG, vec![]);
    assert!(world.logged().is_empty());
    world.play([Move::Unlocked, Move::Answer(Some("x")), Move::Unlocked, Move::Answer(None)]);
    assert_eq!(got(world.store.get("a")), Ok(Some("x".into())));
    assert_eq!(got(world.store.get("a")), Ok(None));
    assert_eq!(world.logged(), ["connect", "get", "get"]);
}

#[test]
fn a_first_connection_that_failed_is_tried_again_by_the_next_call() {
    let absent = StoreError::Absent { detail: "no bus".into() };
    let world = World::new(LONG, vec![Err(absent.clone()), Err(absent.clone())]);
    assert_eq!(got(world.store.get("a")), Err(absent.clone()));
    assert_eq!(world.store.delete("a"), Err(absent));
    world.play([Move::Unlocked, Move::Answer(Some("x"))]);
    assert_eq!(got(world.store.get("a")), Ok(Some("x".into())));
    assert_eq!(world.logged(), ["connect", "connect", "connect", "get"]);
}

#[test]
fn a_connection_that_died_is_made_anew_once_for_a_call() {
    let world = World::new(LONG, vec![]);
    world.play([Move::Unlocked, Move::Answer(None)]);
    assert_eq!(world.store.set("a", &Secret::new("x".into())), Ok(()));
    world.play([Move::Unlocked, Move::Dead, Move::Unlocked, Move::Answer(None)]);
    assert_eq!(world.store.set("a", &Secret::new("x".into())), Ok(()));
    assert_eq!(world.logged(), ["connect", "set", "set", "connect", "set"]);
    world.play([Move::Unlocked, Move::Dead, Move::Dead]);
    assert_eq!(world.store.set("a", &Secret::new("x".into())), Err(failed()));
    world.play([Move::Unlocked, Move::Answer(None)]);
    assert_eq!(world.store.delete("a"), Ok(()));
}

#[test]
fn locked_is_never_absent_and_only_a_waiting_person_is_asked() {
    let world = World::new(LONG, vec![]);
    world.play([Move::Locked]);
    let locked = world.store.get("a").err().unwrap();
    assert_eq!(locked.to_string(), "The keyring is locked. Unlock it and try again; nothing was lost.");
    assert_eq!(world.logged(), ["connect"]);
    world.play([Move::Locked, Move::Answer(Some("x"))]);
    assert_eq!(got(world.store.interactive().get("a")), Ok(Some("x".into())));
    assert_eq!(world.logged(), ["unlock", "get"]);
}

#[test]
fn a_slow_call_is_given_up_and_is_then_never_made() {
    let world = World::new(SHORT, vec![]);
    let patient = world.store.interactive();
    let under_way = std::thread::spawn(move || got(patient.get("a")));
    assert_eq!(world.log.recv(), Ok("connect"));
    // The thread is busy with the first call; this one gives up while it waits for its turn.
    let slow = world.store.set("b", &Secret::new("x".into())).err().unwrap();
    assert!(matches!(&slow, StoreError::Slow { .. }), "{slow}");
    assert!(slow.to_string().starts_with("The keyring did not answer within"), "{slow}");
    let (guard, dropped) = mpsc::channel::<()>();
    world.store.when_idle(Box::new(guard));
    assert_eq!(dropped.try_recv(), Err(mpsc::TryRecvError::Empty), "the first call is still under way");
    world.play([Move::Unlocked, Move::Answer(Some("x"))]);
    assert_eq!(under_way.join().unwrap(), Ok(Some("x".into())));
    assert_eq!(dropped.recv(), Err(mpsc::RecvError), "it ended, and the guard was dropped");
    assert_eq!(world.logged(), ["get"]);
}

#[test]
fn a_panic_in_a_library_ends_one_call_only() {
    let world = World::new(LONG, vec![]);
    world.play([Move::Unlocked, Move::Panic]);
    assert!(matches!(world.store.get("a"), Err(StoreError::Failed { .. })));
    world.play([Move::Unlocked, Move::Answer(Some("x"))]);
    assert_eq!(got(world.store.get("a")), Ok(Some("x".into())));
    assert_eq!(world.logged(), ["connect", "get", "connect", "get"]);
}

#[test]
fn an_idle_store_lets_go_at_once() {
    let world = World::new(LONG, vec![]);
    let (guard, dropped) = mpsc::channel::<()>();
    world.store.when_idle(Box::new(guard));
    assert_eq!(dropped.recv(), Err(mpsc::RecvError));
}
