//! Places where tests let a process die as if by `kill -9`.
//!
//! Only with the feature `failpoints`, which is for tests, and never in a release build; else [`at`] does nothing.

/// Dies here if the process was told to: `DIE_AT=name:n` means at the nth passing (from 1) of `name`; or if the thread
/// was told to by [`die_after`].
#[cfg(all(feature = "failpoints", debug_assertions, unix))]
pub fn at(name: &str) {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};
    static ORDER: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("DIE_AT").ok());
    static PASSED: AtomicU32 = AtomicU32::new(0);
    thread::pass();
    let Some((wanted, count)) = ORDER.as_deref().and_then(|order| order.split_once(':')) else {
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

#[cfg(all(feature = "failpoints", debug_assertions, unix))]
pub use thread::{Died, die_after};

/// Threads that die in place of processes, so that a test can have many deaths.
#[cfg(all(feature = "failpoints", debug_assertions, unix))]
mod thread {
    use std::cell::Cell;

    thread_local! {
        static LEFT: Cell<u32> = const { Cell::new(0) };
    }

    /// What a thread that dies unwinds with.
    #[derive(Debug)]
    pub struct Died;

    /// Lets this thread unwind with [`Died`] at the nth passing (from 1) of any place; 0 means never. What was left of
    /// the last order.
    pub fn die_after(passings: u32) -> u32 {
        LEFT.replace(passings)
    }

    pub(super) fn pass() {
        let left = LEFT.get();
        LEFT.set(left.saturating_sub(1));
        if left == 1 {
            std::panic::resume_unwind(Box::new(Died));
        }
    }
}
