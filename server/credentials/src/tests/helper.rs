//! A helper process: this test binary, running one test that does what the parent says on standard input.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use crate::account::{AccountId, AccountKey, Origin};
use crate::lock::Lock;
use crate::refresh::{Clock, ExchangeError, Outcome, Refresher, TokenReply};
use crate::secret::{Authorization, Secret};
use crate::store::{FileStore, Store};
use crate::vault::{self, Grant, Owner, Secrets};

/// The moment at which all of these worlds begin.
pub(super) const START: u64 = 1_000_000;

pub(super) fn origin() -> Origin {
    Origin::of("https://api.bitbucket.org").unwrap()
}

pub(super) fn key() -> AccountKey {
    AccountKey { origin: origin(), id: AccountId::User("ana".into()) }
}

pub(super) fn owner() -> Owner {
    Owner::Account(key())
}

pub(super) fn store(world: &Path) -> Arc<dyn Store> {
    Arc::new(FileStore::new(world.join("secrets")))
}

/// Access tokens are padded to the length of real ones.
pub(super) fn padded(token: &str) -> Secret {
    Secret::new(format!("{token}{}", "~".repeat(3_000 - token.len())))
}

/// Writes a record, in this process.
pub(super) fn put(world: &Path, secrets: &Secrets) {
    let store = store(world);
    let lock = Lock::take(&world.join("state"), &owner(), &store, Duration::from_secs(60)).unwrap();
    vault::write(&*store, &owner(), secrets, &lock).unwrap();
}

/// A grant with these tokens, good for two hours from the start.
pub(super) fn grant(access: &str, refresh: &str) -> Secrets {
    grant_at(START, access, refresh)
}

/// A grant with these tokens, good for two hours from `wall`.
pub(super) fn grant_at(wall: u64, access: &str, refresh: &str) -> Secrets {
    Secrets::OAuth(Grant {
        access: padded(access),
        refresh: Some(Secret::new(refresh.into())),
        granted_at: wall,
        lifetime: Some(7200),
        scopes: vec![],
        stale: false,
    })
}

/// A helper that was started.
pub(super) struct Helper {
    child: Child,
    input: Option<ChildStdin>,
    answers: Receiver<String>,
}

impl Helper {
    /// `die_at` is a failpoint and how often it is passed before, as in `file.written:3`.
    pub(super) fn start(world: &Path, port: u16, die_at: Option<&str>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "tests::helper::helps_when_it_is_told_to", "--test-threads=1"])
            .env("CREDENTIALS_HELPER", world)
            .env("CREDENTIALS_PORT", port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        match die_at {
            Some(place) => command.env("DIE_AT", place),
            None => command.env_remove("DIE_AT"),
        };
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, answers) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The test harness prints lines of its own.
                if let Some((_, answer)) = line.split_once("@@ ") {
                    let _ = send.send(answer.to_owned());
                }
            }
        });
        Self { input: child.stdin.take(), child, answers }
    }

    /// Says something; whether it is still alive shows in the answer.
    pub(super) fn say(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        let _ = input.write_all(format!("{line}\n").as_bytes());
        let _ = input.flush();
    }

    /// The next answer; nothing if it died.
    pub(super) fn answer(&self) -> Option<String> {
        self.answers.recv_timeout(Duration::from_secs(120)).ok()
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// A clock that the parent turns, never back. Both clocks go together; waiting takes no time.
struct Turned(AtomicU64);

impl Clock for Turned {
    fn wall(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.wall() - START)
    }
    fn sleep(&self, time: Duration) {
        self.0.fetch_add(time.as_secs(), Ordering::Relaxed);
    }
}

/// Does nothing in an ordinary run. In a helper process it is the helper:
/// `write TEXT` writes a record; `tokens WALL` and `rejected WALL` ask for a token at that time.
#[test]
fn helps_when_it_is_told_to() {
    let Some(world) = std::env::var_os("CREDENTIALS_HELPER").map(PathBuf::from) else {
        return;
    };
    let port: u16 = std::env::var("CREDENTIALS_PORT").unwrap().parse().unwrap();
    let clock = Arc::new(Turned(AtomicU64::new(START)));
    let refresher = Refresher::with_clock(store(&world), world.join("state"), clock.clone());
    let mut last: Option<Authorization> = None;
    let say = |text: &str| std::io::stdout().write_all(format!("\n@@ {text}\n").as_bytes()).unwrap();
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let (word, rest) = line.split_once(' ').unwrap();
        if word == "write" {
            put(&world, &grant(rest, rest));
            say("written");
            continue;
        }
        clock.0.store(rest.parse().unwrap(), Ordering::Relaxed);
        let mut exchange = |refresh: &Secret| exchange(port, refresh);
        let outcome = match (word, &last) {
            ("rejected", Some(last)) => refresher.rejected(&key(), last, &mut exchange),
            _ => refresher.tokens(&key(), &mut exchange),
        };
        match outcome {
            Outcome::Fresh(tokens) => {
                let authorization = tokens.authorization(&origin()).unwrap().clone();
                let unsaved = tokens.unsaved.unwrap_or_default();
                say(&format!("fresh {} {unsaved}", authorization.secret().expose().trim_end_matches('~')));
                last = Some(authorization);
            }
            Outcome::NeedsLogin(sentence) => say(&format!("login {sentence}")),
            Outcome::KeepAndRetry { sentence, .. } => say(&format!("retry {sentence}")),
        }
    }
}

fn exchange(port: u16, refresh: &Secret) -> Result<TokenReply, ExchangeError> {
    let passing = |error: std::io::Error| ExchangeError::Passing(error.to_string());
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(passing)?;
    stream.write_all(format!("{}\n", refresh.expose()).as_bytes()).map_err(passing)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).map_err(passing)?;
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["ok", access, refresh] => Ok(TokenReply {
            access: padded(access),
            refresh: Some(Secret::new(refresh.to_owned())),
            expires_in: Some(7200),
            scopes: vec![],
        }),
        ["invalid_grant"] => Err(ExchangeError::InvalidGrant),
        _ => Err(ExchangeError::Unexpected("an answer that makes no sense".to_owned())),
    }
}
