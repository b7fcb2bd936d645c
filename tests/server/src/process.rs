//! The real binary as a process: found, built once, started with an environment of the test's own, looked into by /proc.

use crate::logs;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

/// The binary, built with the profile of the running test into the same target folder.
///
/// `CARGO_BIN_EXE_…` exists for tests of the binary's own package only, so cargo is asked to build it, once a process.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let test = std::env::current_exe().expect("a running test");
        // target/PROFILE/deps/TEST
        let profile = test.ancestors().nth(2).expect("a folder of the profile");
        let mut cargo =
            std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet", "--locked", "--package", "bitbucket-lsp", "--target-dir"]);
        cargo.arg(profile.parent().expect("a target folder")).current_dir(env!("CARGO_MANIFEST_DIR"));
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().expect("cargo runs").success(), "the binary could not be built");
        profile.join(format!("bitbucket-lsp{}", std::env::consts::EXE_SUFFIX))
    })
}

/// A command for the binary with nothing of this process's environment but `PATH`, unless it is given another one.
pub fn command(environment: &[(String, String)]) -> Command {
    let mut command = bare(binary(), environment);
    // A server's environment is its own, its arguments are not: they tell for whom it works, see `marked`.
    #[cfg(unix)]
    if let Some((_, folder)) = environment.iter().find(|(name, _)| name == "BITBUCKET_LSP_CACHE") {
        command.arg0(Path::new(folder).join("bitbucket-lsp"));
    }
    command
}

/// The same for another program, which is to become the server.
pub fn bare(program: impl AsRef<OsStr>, environment: &[(String, String)]) -> Command {
    let mut command = Command::new(program);
    command.env_clear().kill_on_drop(true);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.envs(environment.iter().cloned());
    command
}

/// A running server. Killed when dropped.
pub struct Process {
    child: Child,
    streams: Option<(ChildStdout, ChildStdin)>,
    said: Arc<Mutex<Said>>,
    listener: JoinHandle<()>,
}

/// What a process said on standard error.
#[derive(Default)]
struct Said {
    bytes: Vec<u8>,
    /// Where it is written down as well.
    log: Option<File>,
}

impl Process {
    /// Starts it with pipes for everything; what it says on standard error is kept.
    pub fn start(environment: &[(String, String)]) -> Self {
        Self::of(command(environment))
    }

    /// Starts a command of the test's own in the same way.
    pub fn of(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let streams = Some((child.stdout.take().expect("a pipe"), child.stdin.take().expect("a pipe")));
        let mut errors = child.stderr.take().expect("a pipe");
        let said: Arc<Mutex<Said>> = Arc::default();
        let hearing = said.clone();
        let listener = tokio::spawn(async move {
            let mut piece = [0; 8192];
            while let Ok(count @ 1..) = errors.read(&mut piece).await {
                hearing.lock().unwrap_or_else(PoisonError::into_inner).hear(&piece[..count]);
            }
        });
        Self { child, streams, said, listener }
    }

    pub(crate) fn streams(&mut self) -> (ChildStdout, ChildStdin) {
        self.streams.take().expect("nobody else took them")
    }

    /// Writes what it said and will say on standard error to the logs of the journeys, if those are wanted.
    pub(crate) fn log_as(&self, name: &str) {
        if let Some(place) = logs::place("", name, ".stderr") {
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            let mut log = File::create(place).expect("a log");
            log.write_all(&said.bytes).expect("the log is written");
            said.log = Some(log);
        }
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id().expect("a process that still runs")
    }

    /// Ends it at once, without a chance to clean up.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("it can be killed");
    }

    /// Waits for its end; panics if that takes longer.
    pub async fn end(&mut self, within: Duration) -> ExitStatus {
        let ended = tokio::time::timeout(within, self.child.wait()).await;
        ended.unwrap_or_else(|_| panic!("the server still runs after {within:?}")).expect("a status")
    }

    /// All that it said on standard error, to the end of the stream: for after its end.
    pub async fn said(&mut self) -> Vec<u8> {
        if !self.listener.is_finished() {
            (&mut self.listener).await.expect("standard error is read");
        }
        self.said.lock().unwrap_or_else(PoisonError::into_inner).bytes.clone()
    }

    /// Its most memory so far, in bytes (`VmHWM`).
    #[cfg(target_os = "linux")]
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
        kib * 1024
    }

    /// How many TCP sockets it listens on.
    #[cfg(target_os = "linux")]
    pub fn listening(&self) -> usize {
        listening(self.id())
    }
}

impl Said {
    fn hear(&mut self, piece: &[u8]) {
        self.bytes.extend_from_slice(piece);
        if let Some(log) = &mut self.log {
            log.write_all(piece).expect("the log is written");
        }
    }
}

/// How many TCP sockets a process listens on: its descriptors, looked up in the system's table.
#[cfg(target_os = "linux")]
pub fn listening(process: u32) -> usize {
    let descriptors = std::fs::read_dir(format!("/proc/{process}/fd")).expect("a process of ours");
    let own: std::collections::HashSet<String> = descriptors
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|target| Some(target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let tables = ["tcp", "tcp6"].map(|name| std::fs::read_to_string(format!("/proc/{process}/net/{name}")));
    tables
        .iter()
        .flatten()
        .flat_map(|table| table.lines().skip(1))
        .filter(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            // The fourth column is the state, 0A is LISTEN; the tenth is the inode.
            columns.get(3) == Some(&"0A") && columns.get(9).is_some_and(|inode| own.contains(*inode))
        })
        .count()
}

/// The processes that have this text in their environment or their arguments, and so are a test's own or their
/// descendants. The server keeps its environment from everybody but root.
#[cfg(target_os = "linux")]
pub fn marked(text: &str) -> Vec<u32> {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let is_marked = |id: &u32| {
        // A zombie has neither.
        ["environ", "cmdline"].iter().any(|file| {
            let content = std::fs::read(format!("/proc/{id}/{file}")).unwrap_or_default();
            String::from_utf8_lossy(&content).contains(text)
        })
    };
    processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).filter(is_marked).collect()
}
