//! The clock: when Bitbucket is asked for news, and what the answer leads to.
//!
//! It must not know how a review is read.

use super::Session;
use super::review::{Busy, Cause};
use crate::effect::Effect;
use crate::event::{Fresh, Problem, RepositoryId, Timer, Trouble};
use pull_request::model::Timestamp;
use std::time::Duration;

/// After so many probes without a difference everything is loaded once: a probe cannot see a deleted comment.
pub(super) const PROBES_BEFORE_LOAD: u32 = 5;
/// What the wait grows from while there is nothing to show yet, in seconds.
const FIRST_WAIT: u64 = 10;
/// A branch without a pull request is asked for so many times more seldom.
const WITHOUT_PULL_REQUEST: u64 = 5;
/// The longest wait between two tries while Bitbucket cannot be reached.
const LONGEST_WAIT: u64 = 600;

impl Session {
    /// Sets the clock for the next question; an older clock of this repository no longer counts.
    pub(super) fn schedule_poll(
        &mut self,
        id: RepositoryId,
        retry_after: Option<u64>,
        out: &mut Vec<Effect>,
    ) {
        let interval = self.settings.refresh_interval;
        // The request budget is the user's, whatever the number of repositories.
        let mut spread = interval * self.repositories.len().max(1) as u64;
        let Some(state) = self.repositories.get_mut(&id) else { return };
        let is_unreachable = state
            .problem
            .as_ref()
            .is_some_and(|problem| matches!(problem.trouble, Trouble::Unreachable | Trouble::NoToken));
        if is_unreachable && state.review.is_none() && state.failures <= 4 {
            // Somebody waits for the first sight of it, and perhaps only for the network to come up.
            spread = spread.min(FIRST_WAIT);
        }
        if state.review.is_none() && state.searched && state.problem.is_none() {
            // A branch without a pull request seldom gets one behind the user's back; git tells of pushes.
            spread *= WITHOUT_PULL_REQUEST;
        }
        state.poll_clock += 1;
        if interval == 0 {
            return;
        }
        let backed_off = spread << state.failures.min(4);
        let longest = LONGEST_WAIT.max(spread);
        let wait = backed_off.min(longest).max(retry_after.unwrap_or(0));
        out.push(Effect::After(Duration::from_secs(wait), Timer::Poll(id, state.poll_clock)));
    }

    pub(super) fn poll(&mut self, id: RepositoryId, clock: u64, out: &mut Vec<Effect>) {
        let Some(state) = self.repositories.get_mut(&id).filter(|state| state.poll_clock == clock) else {
            return;
        };
        let Some(review) = &state.review else { return self.refresh(id, Cause::Timer, out) };
        let refused = state.problem.as_ref().is_some_and(|problem| problem.trouble.waits_for_user());
        if refused || state.busy.is_some() || state.discovery.login.is_err() {
            return;
        }
        let (name, pull_request) = (review.name.clone(), review.pull_request.id);
        state.polls_since_load += 1;
        state.generation += 1;
        state.busy = Some(Busy { generation: state.generation, cause: Cause::Timer, shown: false });
        out.push(Effect::Probe { repository: id, generation: state.generation, name, id: pull_request });
    }

    pub(super) fn probed(
        &mut self,
        id: RepositoryId,
        generation: u64,
        outcome: Result<Fresh, Problem>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if !self.is_current(id, generation) {
            return;
        }
        let Some(state) = self.repositories.get_mut(&id) else { return };
        let fresh = match outcome {
            Ok(fresh) => fresh,
            Err(problem) => {
                if problem.trouble == Trouble::NotFound {
                    // Moved, or taken away: look what the branch has now.
                    state.again = state.again.max(Some(Cause::Git));
                }
                return self.finish(id, Some(problem), now, out);
            }
        };
        let Some(review) = &mut state.review else { return self.finish(id, None, now, out) };
        if !fresh.open {
            // Merged or declined meanwhile: look what the branch has now.
            state.again = state.again.max(Some(Cause::Git));
            return self.finish(id, None, now, out);
        }
        if fresh == review.fresh() && state.polls_since_load < PROBES_BEFORE_LOAD {
            review.as_of = now;
            if review.stale.take().is_some() {
                self.lenses_dirty = true;
            }
            return self.finish(id, None, now, out);
        }
        out.push(Effect::Load {
            repository: id,
            generation,
            name: review.name.clone(),
            id: review.pull_request.id,
            known: None,
            builds: self.settings.builds_enabled,
        });
    }
}
