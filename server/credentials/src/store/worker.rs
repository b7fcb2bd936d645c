//! One thread that makes all calls to a keyring, one after the other, with a time limit for those who wait.
//!
//! It must not know which system's keyring it is: that is a [`Keyring`], made on the thread by [`Connect`].
//! A keyring may hang in a call, ask a person something, or not order calls of different threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::secret::Secret;
use crate::store::{StoreError, capitalized};

/// What a system's keyring does. Calls block as long as they like.
pub(crate) trait Keyring {
    /// Whether getting at items would ask the user to unlock. Asks nobody.
    fn is_locked(&mut self) -> Result<bool, Trouble>;
    /// Asks the user to unlock. That they did not want to is [`StoreError::Locked`].
    fn unlock(&mut self) -> Result<(), Trouble>;
    fn get(&mut self, key: &str) -> Result<Option<Secret>, Trouble>;
    fn set(&mut self, key: &str, text: &Secret) -> Result<(), Trouble>;
    fn delete(&mut self, key: &str) -> Result<(), Trouble>;
}

/// What went wrong in a keyring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// What the user is told.
    Told(StoreError),
    /// The connection may be dead: a new one is worth a try. What the user is told if that fails too.
    Connection(StoreError),
}

/// Connects; called on the thread.
pub(crate) type Connect = Box<dyn FnMut() -> Result<Box<dyn Keyring>, StoreError> + Send>;

type Job = Box<dyn FnOnce(&mut Desk) + Send>;

/// The way to the thread; it starts with the first call and ends when this is dropped.
pub(crate) struct Worker {
    name: String,
    state: Mutex<State>,
}

enum State {
    NotStarted(Connect),
    Started(Sender<Job>),
    Broken,
}

/// What the thread has before it. It never leaves the thread, so a keyring need not be fit for others.
struct Desk {
    connect: Connect,
    keyring: Option<Box<dyn Keyring>>,
}

impl Worker {
    pub(crate) fn new(name: String, connect: Connect) -> Self {
        Self { name, state: Mutex::new(State::NotStarted(connect)) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Does `call` on the thread and waits at most `limit`.
    ///
    /// A call that was given up before it began is not made at all.
    /// When the connection turns out to be dead, the call is made once more over a new one.
    /// Unless `may_ask`, a locked keyring is an error and nobody is asked to unlock it.
    pub(crate) fn call<T: Send + 'static>(
        &self,
        limit: Duration,
        may_ask: bool,
        mut call: impl FnMut(&mut dyn Keyring) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = mpsc::sync_channel(1);
        let given_up = Arc::new(AtomicBool::new(false));
        let job: Job = {
            let (given_up, locked) = (given_up.clone(), self.locked());
            Box::new(move |desk| {
                if given_up.load(Ordering::Acquire) {
                    return;
                }
                let outcome = desk.perform(|keyring| {
                    if keyring.is_locked()? {
                        match may_ask {
                            true => keyring.unlock()?,
                            false => return Err(Trouble::Told(locked.clone())),
                        }
                    }
                    call(keyring)
                });
                let _ = answer.send(outcome);
            })
        };
        self.send(job)?;
        match answered.recv_timeout(limit) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Timeout) => {
                given_up.store(true, Ordering::Release);
                Err(StoreError::Slow { store: capitalized(&self.name), seconds: limit.as_secs() })
            }
            Err(RecvTimeoutError::Disconnected) => Err(self.broken()),
        }
    }

    /// Drops `guard` behind everything that was sent before.
    pub(crate) fn when_idle(&self, guard: Box<dyn Send>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Started(jobs) = &mut *state {
            // If the thread is gone, the guard is dropped with the job that cannot be sent.
            let _ = jobs.send(Box::new(move |_| drop(guard)));
        }
    }

    fn send(&self, job: Job) -> Result<(), StoreError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let jobs = match std::mem::replace(&mut *state, State::Broken) {
            State::NotStarted(connect) => start(connect).ok_or_else(|| self.broken())?,
            State::Started(jobs) => jobs,
            State::Broken => return Err(self.broken()),
        };
        let sent = jobs.send(job);
        *state = State::Started(jobs);
        sent.map_err(|_| self.broken())
    }

    fn locked(&self) -> StoreError {
        StoreError::Locked { store: capitalized(&self.name) }
    }

    fn broken(&self) -> StoreError {
        StoreError::Failed {
            store: capitalized(&self.name),
            detail: "it broke down in the middle of a call".to_owned(),
        }
    }
}

fn start(connect: Connect) -> Option<Sender<Job>> {
    let (jobs, received) = mpsc::channel::<Job>();
    let work = move || {
        let mut desk = Desk { connect, keyring: None };
        for job in received {
            // A library that panics must not take the thread with it; what it was connected by is not used again.
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(&mut desk)));
            if done.is_err() {
                desk.keyring = None;
            }
        }
    };
    std::thread::Builder::new().name("keyring".into()).spawn(work).ok()?;
    Some(jobs)
}

impl Desk {
    fn perform<T>(
        &mut self,
        mut call: impl FnMut(&mut dyn Keyring) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        let fresh = self.keyring.is_none();
        match call(self.connected()?) {
            Ok(value) => Ok(value),
            Err(Trouble::Told(error)) => Err(error),
            Err(Trouble::Connection(error)) => {
                self.keyring = None;
                if fresh {
                    return Err(error);
                }
                call(self.connected()?).map_err(|trouble| match trouble {
                    Trouble::Told(error) => error,
                    Trouble::Connection(error) => {
                        self.keyring = None;
                        error
                    }
                })
            }
        }
    }

    fn connected(&mut self) -> Result<&mut dyn Keyring, StoreError> {
        let keyring = match self.keyring.take() {
            Some(keyring) => keyring,
            None => (self.connect)()?,
        };
        Ok(self.keyring.insert(keyring).as_mut())
    }
}
