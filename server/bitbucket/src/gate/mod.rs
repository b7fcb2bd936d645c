//! Holds requests back: after a 429, after failures in a row; and counts what was spent.
//!
//! It must not know what is requested nor how. Time is tokio's, so that tests can hold it.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::error::{Error, Outage};
use crate::http::Options;

/// What the account's requests of the last hour come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Requests that this process sent to the API in the last 60 minutes, repeated ones included.
    pub spent_last_hour: u32,
    /// What Bitbucket grants per hour to all tools of the user together: 1,000, or what its answers said.
    pub limit: u32,
    /// No request leaves before this time has passed; `None` when requests may leave now.
    pub waiting: Option<Duration>,
}

/// One for each client. Requests enter, and say how they fared.
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Notify,
    rules: Rules,
}

struct Rules {
    retry_after: (Duration, Duration),
    first_wait: Duration,
    patience: u32,
    first_rest: Duration,
}

#[derive(Default)]
struct State {
    closed: Option<Closed>,
    /// Counts the closings, so that the answers of requests from before one are told apart.
    epoch: u64,
    /// 429s in a row.
    strikes: u32,
    /// Failures in a row.
    failures: u32,
    /// Breaks in a row.
    rests: u32,
    /// Requests by minute.
    spent: VecDeque<(Instant, u32)>,
    limit: Option<u32>,
}

struct Closed {
    until: Instant,
    why: Why,
    /// One request is out to see whether the gate may open.
    probing: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Why {
    Limit,
    Failures,
}

const LIMIT: u32 = 1000;
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

impl Gate {
    pub(crate) fn new(options: &Options) -> Self {
        let rules = Rules {
            retry_after: options.retry_after,
            first_wait: options.first_wait,
            patience: options.failures_in_a_row,
            first_rest: options.first_rest,
        };
        Self { state: Mutex::default(), changed: Notify::new(), rules }
    }

    /// Waits until a request may leave.
    ///
    /// # Errors
    /// [`Error::RateLimited`] if that is after `deadline`; [`Error::Offline`] at once while the client
    /// rests after failures.
    pub(crate) async fn enter(&self, deadline: Instant) -> Result<Pass<'_>, Error> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let now = Instant::now();
            let wait_until = {
                let mut state = self.state();
                let epoch = state.epoch;
                match &mut state.closed {
                    None => {
                        return Ok(Pass { gate: self, epoch, probe: false, told: false });
                    }
                    Some(closed) if closed.until <= now && !closed.probing => {
                        closed.probing = true;
                        return Ok(Pass { gate: self, epoch, probe: true, told: false });
                    }
                    Some(closed) if closed.until <= now => None,
                    Some(Closed { until, why: Why::Limit, .. }) if *until < deadline => Some(*until),
                    Some(Closed { until, why, .. }) => return Err(why.error(*until - now)),
                }
            };
            match wait_until {
                // The gate may change while waiting, so look again whenever it does.
                Some(until) => {
                    tokio::select! { () = sleep_until(until) => {}, () = changed => {} }
                }
                None => timeout_at(deadline, changed).await.map_err(|_| Error::Timeout)?,
            }
        }
    }

    /// Likewise for one who does not wait for long.
    ///
    /// # Errors
    /// [`Error::RateLimited`] or [`Error::Offline`] if no request may leave within `patience`.
    pub(crate) async fn enter_within(&self, patience: Duration) -> Result<Pass<'_>, Error> {
        match self.enter(Instant::now() + patience).await {
            // Another request is out to see whether the gate may open, and takes its time.
            Err(Error::Timeout) => {
                let why = self.state().closed.as_ref().map_or(Why::Failures, |closed| closed.why);
                Err(why.error(Duration::ZERO))
            }
            entered => entered,
        }
    }

    /// Counts a request to the API.
    pub(crate) fn spend(&self) {
        let now = Instant::now();
        let mut state = self.state();
        match state.spent.back_mut() {
            Some((minute, count)) if now.duration_since(*minute) < MINUTE => *count += 1,
            _ => state.spent.push_back((now, 1)),
        }
        forget_old(&mut state.spent, now);
    }

    /// What Bitbucket said that the limit per hour is.
    pub(crate) fn learn_limit(&self, limit: u32) {
        self.state().limit = Some(limit);
    }

    /// For [`crate::Client::budget`].
    pub(crate) fn budget(&self) -> Budget {
        let now = Instant::now();
        let mut state = self.state();
        forget_old(&mut state.spent, now);
        let waiting = state.closed.as_ref().map(|closed| closed.until.saturating_duration_since(now));
        Budget {
            spent_last_hour: state.spent.iter().map(|(_, count)| count).sum(),
            limit: state.limit.unwrap_or(LIMIT),
            waiting: waiting.filter(|wait| !wait.is_zero()),
        }
    }

    /// Ends a rest after failures: the network may have come back. A 429 is still waited for.
    pub(crate) fn wake(&self) {
        let mut state = self.state();
        if matches!(state.closed, Some(Closed { why: Why::Failures, .. })) {
            state.closed = None;
            state.epoch += 1;
        }
        state.failures = 0;
        state.rests = 0;
        drop(state);
        self.changed.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is locked; if something did, the counters are still good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave to send one request. Its bearer says how that went; if it is dropped before (the caller gave
/// up), the next in line gets its turn.
pub(crate) struct Pass<'a> {
    gate: &'a Gate,
    epoch: u64,
    probe: bool,
    told: bool,
}

impl Pass<'_> {
    /// Bitbucket answered, if only with a refusal.
    pub(crate) fn answered(mut self) {
        self.tell(|state, current, _| {
            state.failures = 0;
            if current {
                state.closed = None;
                state.strikes = 0;
                state.rests = 0;
            }
        });
    }

    /// 429. `told` is what `Retry-After` said.
    pub(crate) fn limited(mut self, told: Option<Duration>) {
        self.tell(|state, current, rules| {
            let (least, most) = rules.retry_after;
            if current {
                state.strikes += 1;
                state.epoch += 1;
            }
            let own = || jittered(doubled(rules.first_wait, state.strikes, most));
            let until = Instant::now() + told.unwrap_or_else(own).clamp(least, most);
            let until = match &state.closed {
                Some(closed) if !current && closed.why == Why::Limit => closed.until.max(until),
                _ => until,
            };
            state.closed = Some(Closed { until, why: Why::Limit, probing: false });
        });
    }

    /// No answer, or a 5xx.
    pub(crate) fn failed(mut self) {
        let probe = self.probe;
        self.tell(|state, current, rules| {
            state.failures += 1;
            if current && (probe || state.failures >= rules.patience) {
                state.rests += 1;
                state.epoch += 1;
                let rest = jittered(doubled(rules.first_rest, state.rests, rules.retry_after.1));
                let until = Instant::now() + rest;
                state.closed = Some(Closed { until, why: Why::Failures, probing: false });
            }
        });
    }

    fn tell(&mut self, change: impl FnOnce(&mut State, bool, &Rules)) {
        self.told = true;
        let mut state = self.gate.state();
        let current = state.epoch == self.epoch;
        change(&mut state, current, &self.gate.rules);
        drop(state);
        self.gate.changed.notify_waiters();
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if !self.told && self.probe {
            self.tell(|state, current, _| {
                if let (true, Some(closed)) = (current, &mut state.closed) {
                    closed.probing = false;
                }
            });
        }
    }
}

impl Why {
    fn error(self, wait: Duration) -> Error {
        match self {
            Self::Limit => Error::RateLimited { retry_after: wait },
            Self::Failures => Error::Offline { outage: Outage::Resting, retry_after: Some(wait) },
        }
    }
}

fn forget_old(spent: &mut VecDeque<(Instant, u32)>, now: Instant) {
    while spent.front().is_some_and(|(minute, _)| now.duration_since(*minute) >= HOUR) {
        spent.pop_front();
    }
}

/// `first` at the first turn, twice that at the second, and so on, up to `most`.
pub(crate) fn doubled(first: Duration, turn: u32, most: Duration) -> Duration {
    first.saturating_mul(1 << turn.saturating_sub(1).min(16)).min(most)
}

/// Between half of it and all of it, so that several clients do not march in step.
pub(crate) fn jittered(wait: Duration) -> Duration {
    let random = RandomState::new().hash_one(0) % 1024;
    wait.mul_f64(0.5 + random as f64 / 2048.0)
}

#[cfg(test)]
mod tests;
