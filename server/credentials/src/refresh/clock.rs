//! The clocks, so that tests can turn them.
//!
//! It must not know what is timed.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What time it is, by two clocks.
pub trait Clock: Send + Sync {
    /// Seconds since 1970. It can be wrong, and jump.
    fn wall(&self) -> u64;
    /// Time since some moment in this process. It never jumps, and may stand still while the machine sleeps.
    fn monotonic(&self) -> Duration;
    /// Waits.
    fn sleep(&self, time: Duration);
}

/// The system's clocks.
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
