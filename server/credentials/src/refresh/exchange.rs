//! The exchange of a refresh token for the next, under the lock, and what becomes of the answer.
//!
//! It must not decide when it is time for one.

use std::time::Duration;

use super::account::{Account, Failed, Known, STORE_PAUSE, Step, Surroundings, Unsaved, ended, retry};
use super::{Exchange, ExchangeError};
use crate::lock::Lock;
use crate::vault::{self, Generation, Grant, Secrets, VaultError};

/// The pauses after failures in a row: doubling from the first to the last. The last one is well within the minutes
/// in which Bitbucket takes a refresh token once more whose answer was lost.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(120);
/// The pause after an answer that makes no sense.
const LONG_PAUSE: Duration = Duration::from_secs(300);
/// The pause before a refresh token that was refused is tried once more.
const SECOND_TRY: Duration = Duration::from_secs(2);

impl Account {
    /// Exchanges the refresh token of `grant`, which is the store's generation `from`, and leaves the new one known.
    pub(super) fn exchange(
        &mut self,
        surroundings: &Surroundings,
        mut from: Generation,
        grant: &Grant,
        lock: &Lock,
        exchange: &mut Exchange<'_>,
    ) -> Step<()> {
        let mut grant = grant.clone();
        let mut tries = 0;
        loop {
            let Some(refresh) = grant.refresh.clone() else {
                return Err(ended());
            };
            let owner = self.owner.clone();
            let write = vault::begin(&*surroundings.store, &owner, lock)
                .map_err(|error| retry(error.to_string(), STORE_PAUSE))?;
            private_files::failpoint::at("refresh.begun");
            let reply = exchange(&refresh);
            private_files::failpoint::at("refresh.exchanged");
            match reply {
                Ok(reply) => {
                    let secrets = match Grant::of(reply, surroundings.clock.wall(), Some(&grant)) {
                        Ok(new) => Secrets::OAuth(new),
                        Err(what) => {
                            write.cancel();
                            let sentence = format!(
                                "Bitbucket's answer makes no sense: {what}. Trying again in 5 minutes."
                            );
                            return Err(retry(sentence, LONG_PAUSE));
                        }
                    };
                    let written = write.commit(&secrets);
                    private_files::failpoint::at("refresh.written");
                    self.keep(surroundings, secrets, from, written);
                    return Ok(());
                }
                Err(ExchangeError::Passing(sentence)) => {
                    write.cancel();
                    return Err(retry(sentence, self.next_pause()));
                }
                Err(ExchangeError::Unreachable(sentence)) => {
                    write.cancel();
                    let after = self.next_pause();
                    return Err(Failed::KeepAndRetry { sentence, after, unreachable: true });
                }
                Err(ExchangeError::Unexpected(sentence)) => {
                    write.cancel();
                    return Err(retry(sentence, LONG_PAUSE));
                }
                Err(ExchangeError::InvalidGrant) => write.cancel(),
            }
            // Somebody who does not take the lock may have been faster: the store tells.
            tries += 1;
            let mut held = self.look(surroundings)?;
            if tries == 1 && held.generation == from {
                surroundings.clock.sleep(SECOND_TRY);
                held = self.look(surroundings)?;
            }
            let changed = held.generation != from;
            if changed && self.is_good(surroundings, None) {
                return Ok(());
            }
            if tries > 1 && (!changed || tries > 3) {
                self.dead = Some(held.generation);
                return Err(ended());
            }
            let Secrets::OAuth(newer) = held.secrets else {
                return Err(ended());
            };
            (grant, from) = (newer, held.generation);
        }
    }

    /// The pause after one more failure in a row.
    fn next_pause(&mut self) -> Duration {
        let doublings = self.failures_in_a_row.min(8);
        self.failures_in_a_row += 1;
        LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.pow(doublings))
    }

    /// Takes a new grant over, whether it could be written or not.
    fn keep(
        &mut self,
        surroundings: &Surroundings,
        secrets: Secrets,
        from: Generation,
        written: Result<Generation, VaultError>,
    ) {
        let seen = surroundings.now();
        let generation = match written {
            Ok(generation) => {
                self.unsaved = None;
                Some(generation)
            }
            Err(error) => {
                self.unsaved = Some(Unsaved {
                    secrets: secrets.clone(),
                    instead_of: from,
                    sentence: error.to_string(),
                    try_again: seen.monotonic + STORE_PAUSE,
                });
                None
            }
        };
        self.dead = None;
        self.known = Some(Known { secrets, generation, seen, looked: seen });
    }

    /// Saves what could not be saved before, unless the store has something newer.
    pub(super) fn save_now(&mut self, surroundings: &Surroundings, lock: &Lock) {
        let Some(unsaved) = &mut self.unsaved else { return };
        let store = &*surroundings.store;
        let outcome = vault::read(store, &self.owner).and_then(|held| match held {
            Some(held) if held.generation == unsaved.instead_of => {
                vault::write(store, &self.owner, &unsaved.secrets, lock).map(Some)
            }
            // It was written after all, or somebody else's counts now, or the user signed out.
            Some(_) | None => Ok(None),
        });
        match outcome {
            Ok(written) => {
                if let (Some(known), Some(generation)) = (&mut self.known, written) {
                    known.generation = Some(generation);
                }
                self.unsaved = None;
            }
            Err(error) => {
                unsaved.sentence = error.to_string();
                unsaved.try_again = surroundings.now().monotonic + STORE_PAUSE;
            }
        }
    }
}
