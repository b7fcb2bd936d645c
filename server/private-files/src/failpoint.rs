//! Places where tests let a process die as if by `kill -9`.
//!
//! Only with the feature `failpoints`, which is for tests, and never in a release build; else [`at`] does nothing.

/// Dies here if the process was told to: `DIE_AT=name:n` means at the nth passing (from 1) of `name`.
#[cfg(all(feature = "failpoints", debug_assertions, unix))]
pub fn at(name: &str) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static PASSED: AtomicU32 = AtomicU32::new(0);
    let Ok(order) = std::env::var("DIE_AT") else {
        return;
    };
    let Some((wanted, count)) = order.split_once(':') else {
        return;
    };
    if wanted == name && (PASSED.fetch_add(1, Ordering::Relaxed) + 1).to_string() == count {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        // The signal may take a moment to arrive, and nothing may happen after it.
        loop {
            std::thread::park();
        }
    }
}

/// Nothing.
#[cfg(not(all(feature = "failpoints", debug_assertions, unix)))]
pub fn at(_: &str) {}
