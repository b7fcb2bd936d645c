//! The loop: takes all ready events, lets the session handle them, performs the effects. Nothing else.

use crate::effect::Effect;
use crate::event::Event;
use crate::session::Session;
use crate::worker::Worker;
use pull_request::model::Timestamp;
use std::time::SystemTime;
use tokio::sync::mpsc;

/// Handled in one turn at most, so that effects are not kept waiting by an endless stream of events.
const TURN: usize = 256;

/// Runs until both senders of events are gone.
pub async fn run(mut session: Session, mut worker: Worker, mut events: mpsc::UnboundedReceiver<Event>) {
    let mut outcomes = worker.take_outcomes();
    for event in worker.first_events() {
        session.handle(event, now());
    }
    loop {
        let mut ready: Vec<Event> = Vec::new();
        tokio::select! {
            biased;
            event = events.recv() => match event {
                Some(event) => ready.push(event),
                None => return,
            },
            Some(outcome) = outcomes.recv() => ready.extend(worker.absorb(outcome)),
        }
        while ready.len() < TURN {
            if let Ok(event) = events.try_recv() {
                ready.push(event);
            } else if let Ok(outcome) = outcomes.try_recv() {
                ready.extend(worker.absorb(outcome));
            } else {
                break;
            }
        }
        let now = now();
        let mut effects: Vec<Effect> = Vec::new();
        for event in ready {
            effects.extend(surviving(|| session.handle(event, now)).unwrap_or_default());
        }
        effects.extend(surviving(|| session.settle(now)).unwrap_or_default());
        for effect in effects {
            worker.perform(effect);
        }
    }
}

/// A fault in handling one event must not end the server: the state is plain data, and the editor goes on with the rest.
/// (The panic hook has logged where it was.)
fn surviving<T>(work: impl FnOnce() -> T) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).ok()
}

/// The wall clock, for ages on screen only: nothing is decided by it.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp(since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_survived() {
        assert_eq!(surviving(|| -> u32 { panic!("a fault") }), None);
        assert_eq!(surviving(|| 1), Some(1));
    }
}
