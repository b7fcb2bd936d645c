//! The processes that a process starts, seen from outside: what is in their arguments and environments.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a program may run and yet be missed.
const INTERVAL: Duration = Duration::from_millis(1);

/// A program that was seen in a process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Program {
    /// Its file.
    pub file: PathBuf,
    /// Its arguments, each with a NUL behind it.
    pub arguments: Vec<u8>,
    /// Its environment, each variable with a NUL behind it.
    pub environment: Vec<u8>,
}

/// Looks all the time at what descends from a process.
pub struct Watch {
    over: Arc<AtomicBool>,
    thread: JoinHandle<BTreeSet<Program>>,
}

impl Watch {
    /// Begins to look, at least once before it returns.
    pub fn begin(process: u32) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let is_over = over.clone();
        let (looked, first) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !is_over.load(Ordering::Relaxed) {
                look(process, &mut seen);
                // Whoever waited for the first look has had it.
                let _ = looked.send(());
                std::thread::sleep(INTERVAL);
            }
            seen
        });
        first.recv().expect("the first look");
        Self { over, thread }
    }

    /// Ends it; all programs that were seen. A process that runs one program after the other has several.
    pub fn end(self) -> BTreeSet<Program> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().expect("nothing went wrong while looking")
    }
}

/// The processes that any thread of a process has started and not yet waited for. None if it is gone.
pub fn children(process: u32) -> Vec<u32> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
    let list = |thread: std::io::Result<std::fs::DirEntry>| {
        // A thread may end meanwhile.
        std::fs::read_to_string(thread.ok()?.path().join("children")).ok()
    };
    let lists: Vec<String> = threads.filter_map(list).collect();
    lists.iter().flat_map(|list| list.split_whitespace()).filter_map(|id| id.parse().ok()).collect()
}

fn look(process: u32, seen: &mut BTreeSet<Program>) {
    let mut waiting = vec![process];
    let mut known = HashSet::from([process]);
    while let Some(parent) = waiting.pop() {
        let own = runs(parent);
        for id in children(parent).into_iter().filter(|id| known.insert(*id)) {
            // A process that was started a moment ago is a copy of its parent until it runs a program of its own.
            let program = runs(id).filter(|runs| Some(runs) != own.as_ref());
            seen.extend(program.and_then(|(file, arguments)| {
                let environment = std::fs::read(format!("/proc/{id}/environ")).ok()?;
                Some(Program { file, arguments, environment })
            }));
            waiting.push(id);
        }
    }
}

/// The program of a process, and its arguments. None of one that is just being started, or has ended, or that this user
/// may not look into.
fn runs(process: u32) -> Option<(PathBuf, Vec<u8>)> {
    let file = std::fs::read_link(format!("/proc/{process}/exe")).ok()?;
    let arguments = std::fs::read(format!("/proc/{process}/cmdline")).ok()?;
    (!arguments.is_empty()).then_some((file, arguments))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// A watch that sees nothing would make every test that counts on it worthless.
    #[test]
    fn children_of_all_threads_and_their_children_are_seen() {
        let watch = Watch::begin(std::process::id());
        let run = |script: &str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", script]).env("CANARY", "sings");
            assert!(shell.status().expect("a shell").success());
        };
        // One program after the other in one process, and a grandchild.
        let thread = std::thread::spawn(move || run("sleep 0.11; exec sleep 0.12"));
        run("sh -c 'sleep 0.13; true'; true");
        thread.join().expect("it ends");
        let seen = watch.end();
        for time in ["0.11", "0.12", "0.13"] {
            let arguments = format!("sleep\0{time}\0").into_bytes();
            let program = seen.iter().find(|program| program.arguments == arguments);
            let program = program.unwrap_or_else(|| panic!("{time}: {seen:?}"));
            let mut variables = program.environment.split(|byte| *byte == 0);
            assert!(variables.any(|variable| variable == b"CANARY=sings"), "{program:?}");
        }
    }
}
