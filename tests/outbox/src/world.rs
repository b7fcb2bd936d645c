//! A simulated Bitbucket, folders for drafts, and the program as a process.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use simulator::{Fault, LoggedRequest, Loss, Rule, Scenario, Simulator};
use tempfile::TempDir;

use crate::courier::{PULL_REQUEST, REPOSITORY};
use crate::dice::Dice;
use crate::orders::{Orders, Said, Work};

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is posted to.
const ROUTE: &str = "/2.0/repositories/*/*/pullrequests/*/comments";

/// The faults after which nobody can say what became of a post.
const UNCLEAR: [&str; 3] = ["lost_reply", "reset", "status"];

/// Bitbucket, and a folder for folders of drafts.
pub struct World {
    simulator: Arc<Simulator>,
    folder: TempDir,
}

impl World {
    /// One pull request without comments, made now by Bitbucket's clock.
    pub async fn start() -> Self {
        let mut scenario = Scenario::parse(include_str!("../../fixtures/picnic.toml")).expect("a scenario");
        for pull_request in &mut scenario.pull_requests {
            pull_request.comments.clear();
            pull_request.tasks.clear();
            pull_request.created = Some(jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        }
        let simulator = Arc::new(Simulator::start(scenario).await.expect("a simulator"));
        let folder = tempfile::Builder::new().prefix("outbox-").tempdir().expect("a folder");
        Self { simulator, folder }
    }

    /// A folder for drafts, which is not there yet.
    #[must_use]
    pub fn drafts(&self, name: &str) -> PathBuf {
        self.folder.path().join(name).join("drafts")
    }

    /// The ids and texts of all comments whose texts start so.
    #[must_use]
    pub fn comments(&self, start: &str) -> Vec<(u64, String)> {
        let comments =
            self.simulator.pull_request(REPOSITORY, PULL_REQUEST).comments().expect("a pull request");
        let comments = comments.into_iter().filter(|comment| comment.raw.starts_with(start));
        comments.map(|comment| (comment.id, comment.raw)).collect()
    }

    /// How many requests have come that would change something.
    #[must_use]
    pub fn posts(&self) -> usize {
        posts(&self.simulator.requests())
    }

    /// How many posts took effect or not without a clear answer.
    #[must_use]
    pub fn lost_answers(&self) -> usize {
        let requests = self.simulator.requests();
        requests.iter().filter(|request| request.faults.iter().any(|fault| UNCLEAR.contains(fault))).count()
    }

    /// From now on a few posts meet faults.
    pub fn lose_answers(&self, dice: &mut Dice) {
        for _ in 0..1 + dice.of(3) {
            self.simulator.faults().set(fault(dice).once());
        }
    }

    /// The next post is refused.
    pub fn refuse_one(&self) {
        self.simulator.faults().set(Fault::Forbidden.on(ROUTE).method("POST").once());
    }

    /// From now on there are no faults.
    pub fn answer_all(&self) {
        self.simulator.faults().clear_all();
    }

    /// Loses most answers to posts, each in another way, until it is told to stop.
    #[must_use]
    pub fn keep_losing_answers(&self, seed: u64) -> Losing {
        let simulator = self.simulator.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let mut dice = Dice(seed);
            while !stopped.load(Ordering::SeqCst) {
                let before = posts(&simulator.requests());
                if dice.percent(70) {
                    simulator.faults().set(fault(&mut dice).once());
                }
                let come = |requests: &[LoggedRequest]| posts(requests) > before;
                let wait = || runtime.block_on(simulator.until(come, Duration::from_millis(200)));
                while !stopped.load(Ordering::SeqCst) && !wait() {}
            }
        });
        Losing { stop, thread }
    }

    /// The program at work. `program` starts it: its own path, or a command that ends in it.
    #[must_use]
    pub fn run(
        &self,
        program: &[&str],
        drafts: &std::path::Path,
        work: Work,
        die_at: Option<&str>,
    ) -> Process {
        let (program, arguments) = program.split_first().expect("a program");
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(self.simulator.environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        match die_at {
            Some(place) => command.env("DIE_AT", place),
            None => command.env_remove("DIE_AT"),
        };
        let mut child = command.spawn().expect("a process");
        let orders = Orders { folder: drafts.to_string_lossy().into_owned(), work };
        let line = serde_json::to_string(&orders).expect("plain data");
        let mut input = child.stdin.take().expect("a pipe");
        // It may be dead already.
        let _ = writeln!(input, "{line}");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (tell, said) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The last line of a process that was killed may be cut.
                let Ok(said) = serde_json::from_str(&line) else { break };
                if tell.send(said).is_err() {
                    break;
                }
            }
        });
        Process { child, said }
    }
}

fn posts(requests: &[LoggedRequest]) -> usize {
    requests.iter().filter(|request| request.method == "POST").count()
}

/// A fault that a post can meet: mostly, that it takes effect and its answer is lost.
fn fault(dice: &mut Dice) -> Rule {
    let statuses = [500, 502, 503, 504];
    let fault = match dice.of(16) {
        0..3 => Fault::LostReply(Loss::Reset),
        3..6 => Fault::LostReply(Loss::Cut),
        6..8 => Fault::LostReply(Loss::Timeout),
        8..11 => Fault::LostReply(Loss::Status(*dice.pick(&statuses))),
        11 => Fault::LateReply(Some(Duration::from_millis(20 + dice.of(800)))),
        12 => Fault::Reset,
        13 => Fault::Status(*dice.pick(&statuses)),
        14 => Fault::RateLimited(None),
        _ => Fault::Forbidden,
    };
    fault.on(ROUTE).method("POST")
}

/// Somebody who loses answers.
pub struct Losing {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Losing {
    /// Stops it.
    pub fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().expect("it loses answers until it is told to stop");
    }
}

/// A process at work. Killed when dropped.
pub struct Process {
    child: Child,
    said: Receiver<Said>,
}

impl Process {
    /// All that it says until it ends; and whether it came to its end.
    #[must_use]
    pub fn to_the_end(mut self) -> (Vec<Said>, bool) {
        let said = self.listen(Instant::now() + PATIENCE).expect("it ends in time");
        (said, self.child.wait().is_ok_and(|status| status.success()))
    }

    /// All that it says until it is killed after a while; and whether it came to its end before that.
    #[must_use]
    pub fn killed_after(mut self, while_: Duration) -> (Vec<Said>, bool) {
        let mut said = Vec::new();
        let begin = Instant::now();
        while let Ok(line) = self.said.recv_timeout(while_.saturating_sub(begin.elapsed())) {
            said.push(line);
        }
        let _ = self.child.kill();
        // What it had said before.
        said.extend(self.listen(Instant::now() + PATIENCE).expect("a killed process ends"));
        (said, self.child.wait().is_ok_and(|status| status.success()))
    }

    fn listen(&self, until: Instant) -> Option<Vec<Said>> {
        let mut said = Vec::new();
        loop {
            match self.said.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => said.push(line),
                Err(RecvTimeoutError::Disconnected) => return Some(said),
                Err(RecvTimeoutError::Timeout) => return None,
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
