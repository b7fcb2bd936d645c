//! The process that started us: when it is gone, so are we.
//!
//! The end of standard input says the same, and sooner.
//! But a sibling process may have inherited the other end of the pipe and hold it open.
//! LSP: `InitializeParams.processId`.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

/// Watches one process, once it is known which.
pub(super) struct Parent {
    watched: Option<(i64, Interval)>,
}

impl Parent {
    pub(super) fn unknown() -> Self {
        Self { watched: None }
    }

    /// Looks at this process at once and then regularly.
    pub(super) fn watch(&mut self, process: i64, every: Duration) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.watched = Some((process, ticks));
    }

    /// Ends when the process is gone, so never if none is watched; cancel safe.
    pub(super) async fn gone(&mut self) {
        let Some((process, ticks)) = &mut self.watched else {
            return std::future::pending().await;
        };
        loop {
            ticks.tick().await;
            if !is_alive(*process) {
                return;
            }
        }
    }
}

/// Whether a process of this id exists, whoever owns it.
/// An id that no process can have is of no process that could be gone.
#[cfg(unix)]
fn is_alive(process: i64) -> bool {
    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};

    let id = i32::try_from(process).ok().filter(|id| *id > 0).and_then(Pid::from_raw);
    id.is_none_or(|id| test_kill_process(id) != Err(Errno::SRCH))
}

/// Asking for a process needs unsafe code here, so the end of standard input has to tell.
#[cfg(not(unix))]
fn is_alive(_process: i64) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn tells_the_living_from_the_dead() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let id = i64::from(child.id());
        assert!(is_alive(id));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_alive(id));
        assert!(is_alive(1), "a process of somebody else");
        for nobody in [0, -1, i64::MAX] {
            assert!(is_alive(nobody));
        }
    }
}
