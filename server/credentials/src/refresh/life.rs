//! How long a token is still good for.
//!
//! It must not read clocks: both times are handed in.

use std::time::Duration;

use crate::vault::Grant;

/// A moment by both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    /// Seconds since 1970.
    pub(super) wall: u64,
    pub(super) monotonic: Duration,
}

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// It can be used.
    Good,
    /// It can still be used, and it is time for the next one.
    Due,
    /// It cannot be used.
    Over,
}

/// A wall clock that moved by so many seconds more or less than the monotonic one has jumped, or the machine slept.
const JUMP: u64 = 60;

/// When a token is renewed: that many seconds before its end, or after two thirds of a short life.
const MARGIN: u64 = 300;

impl Now {
    /// Whether the wall clock jumped since `earlier`.
    pub(super) fn jumped_since(self, earlier: Self) -> bool {
        let passed = self.monotonic.saturating_sub(earlier.monotonic).as_secs();
        self.wall.abs_diff(earlier.wall.saturating_add(passed)) > JUMP
    }
}

/// The margin in seconds for a token of this lifetime. `spread`, 0 to 255, moves it by up to a fifth either way, so
/// that several processes do not all renew in the same second.
pub(super) fn margin(lifetime: u64, spread: u8) -> u64 {
    let margin = MARGIN.min(lifetime / 3);
    margin * (800 + u64::from(spread) * 400 / 255) / 1000
}

/// The life of a grant that was first seen at `seen`: by the wall clock or by the time that has passed since, whichever
/// ends it earlier.
pub(super) fn life(grant: &Grant, seen: Now, now: Now, spread: u8) -> Life {
    if grant.stale {
        return Life::Over;
    }
    let Some(lifetime) = grant.lifetime else {
        return Life::Good;
    };
    let left_at = |wall: u64| grant.granted_at.saturating_add(lifetime).saturating_sub(wall).min(lifetime);
    let passed = now.monotonic.saturating_sub(seen.monotonic).as_secs();
    let left = left_at(now.wall).min(left_at(seen.wall).saturating_sub(passed));
    // Granted in the future: the clock was set back, so what it says of the token's age is worth nothing.
    let unbelievable = now.wall.saturating_add(JUMP) < grant.granted_at;
    match left {
        0 => Life::Over,
        _ if unbelievable || left <= margin(lifetime, spread) => Life::Due,
        _ => Life::Good,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn grant(lifetime: Option<u64>) -> Grant {
        Grant {
            access: Secret::new("a".into()),
            refresh: None,
            granted_at: 1_000_000,
            lifetime,
            scopes: vec![],
            stale: false,
        }
    }

    fn now(wall: u64, monotonic: u64) -> Now {
        Now { wall, monotonic: Duration::from_secs(monotonic) }
    }

    #[test]
    fn margins_are_five_minutes_give_or_take_one() {
        assert_eq!((margin(7200, 0), margin(7200, 255)), (240, 360));
        assert!((295..=305).contains(&margin(7200, 128)));
        assert!(margin(300, 255) <= 120, "a short life is not renewed all the time");
    }

    #[test]
    fn the_earlier_clock_ends_it() {
        let two_hours = grant(Some(7200));
        let seen = now(1_000_000, 0);
        let at = |wall, monotonic| life(&two_hours, seen, now(wall, monotonic), 0);
        assert_eq!(at(1_000_000, 0), Life::Good);
        assert_eq!(at(1_000_000 + 6959, 6959), Life::Good);
        assert_eq!(at(1_000_000 + 6960, 6960), Life::Due);
        assert_eq!(at(1_000_000 + 7199, 7199), Life::Due);
        assert_eq!(at(1_000_000 + 7200, 7200), Life::Over);
        assert_eq!(at(1_000_000 + 7200, 0), Life::Over, "the machine slept");
        assert_eq!(at(1_000_000, 7200), Life::Over, "the clock was set back by two hours");
        assert_eq!(at(1_000_000 + 86_400, 5), Life::Over, "the clock was set forward by a day");
    }

    #[test]
    fn a_clock_that_was_set_back_by_a_day_is_not_believed() {
        let back = now(1_000_000 - 86_400, 0);
        assert_eq!(life(&grant(Some(7200)), back, back, 0), Life::Due);
        let a_little = now(1_000_000 - 30, 0);
        assert_eq!(life(&grant(Some(7200)), a_little, a_little, 0), Life::Good);
    }

    #[test]
    fn without_a_lifetime_only_a_refusal_ends_it() {
        let unsaid = grant(None);
        assert_eq!(life(&unsaid, now(0, 0), now(u64::MAX, u64::MAX), 0), Life::Good);
        let stale = Grant { stale: true, ..unsaid };
        assert_eq!(life(&stale, now(0, 0), now(0, 0), 0), Life::Over);
    }

    #[test]
    fn numbers_of_any_size_are_taken() {
        for lifetime in [0, 1, u64::MAX] {
            for wall in [0, u64::MAX] {
                life(&grant(Some(lifetime)), now(wall, 0), now(u64::MAX, u64::MAX), 255);
            }
        }
        assert_eq!(life(&grant(Some(0)), now(1_000_000, 0), now(1_000_000, 0), 0), Life::Over);
    }

    #[test]
    fn jumps_are_seen() {
        assert!(!now(1060, 60).jumped_since(now(1000, 0)));
        assert!(!now(1120, 60).jumped_since(now(1000, 0)));
        assert!(now(1121, 60).jumped_since(now(1000, 0)));
        assert!(now(999, 60).jumped_since(now(1000, 0)));
    }
}
