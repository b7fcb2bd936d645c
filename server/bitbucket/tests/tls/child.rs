//! This test again, in a process of its own whose environment is another one.
//!
//! The environment belongs to all of a process, so no test changes its own. What crates log goes to one logger of
//! the process, so it is read here as well.
#![allow(clippy::print_stdout, reason = "a parent reads it")]

use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use bitbucket::{Certificates, Options, Proxy};

use crate::support::{self, Log};
use crate::{client, token, user};

/// What a child is told, each by a variable of the environment.
const TOLD: &str = "TLS_TEST_BASE";
const CERTIFICATES: &str = "TLS_TEST_CERTIFICATES";
const PROXY: &str = "TLS_TEST_PROXY";

/// What shapes the connections of a process, and is not handed on.
const SURROUNDINGS: [&str; 11] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "REQUEST_METHOD",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Where a child sends its two requests, and what with.
pub(crate) struct Child<'a> {
    pub(crate) base: &'a str,
    /// PEM for [`Options::certificates`].
    pub(crate) certificates: Option<&'a str>,
    /// For [`Options::proxy`].
    pub(crate) proxy: Option<&'a str>,
    pub(crate) environment: &'a [(&'a str, &'a str)],
}

/// What a child found.
#[derive(Debug)]
pub(crate) struct Found {
    /// `ok`, or the error as a sentence.
    pub(crate) user: String,
    /// Likewise for the refresh.
    pub(crate) token: String,
    /// All that it said and logged.
    pub(crate) all: String,
}

impl Found {
    pub(crate) fn assert_both(&self, expected: &str) {
        assert_eq!((self.user.as_str(), self.token.as_str()), (expected, expected), "{}", self.all);
    }
}

impl Child<'_> {
    /// Waits for it without holding up the servers of this test.
    pub(crate) async fn run(&self) -> Found {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child::asks_when_it_is_told_to", "--nocapture", "--test-threads=1"]);
        for name in SURROUNDINGS {
            command.env_remove(name);
        }
        command.env("RUST_BACKTRACE", "0").env(TOLD, self.base);
        command.envs(self.environment.iter().copied());
        for (name, value) in [(CERTIFICATES, self.certificates), (PROXY, self.proxy)] {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let all = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{all}");
        let line = |name: &str| {
            let line = all.lines().find_map(|line| line.split_once(name));
            line.unwrap_or_else(|| panic!("no {name} in {all}")).1.to_owned()
        };
        Found { user: line("@@ user "), token: line("@@ token "), all }
    }
}

/// The child.
#[tokio::test]
async fn asks_when_it_is_told_to() {
    let Ok(base) = std::env::var(TOLD) else {
        return;
    };
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing::Level::TRACE);
    let guard = tracing::subscriber::set_default(subscriber.with_writer(log.clone()).finish());
    log::set_boxed_logger(Box::new(log.clone())).unwrap();
    log::set_max_level(log::LevelFilter::Trace);

    let certificates = std::env::var(CERTIFICATES).ok();
    let proxy = std::env::var(PROXY).ok();
    let options = Options {
        connect: Duration::from_secs(3),
        total: Duration::from_secs(10),
        certificates: certificates.map(|pem| Certificates::of(pem.as_bytes()).unwrap()),
        proxy: proxy.map(|url| Proxy::of(&url).unwrap()),
        ..support::options()
    };
    let both = async { (user(&base, &options).await, token(&base, &options).await) };
    let (user, token) = tokio::time::timeout(Duration::from_secs(40), both).await.unwrap();
    // Each in all the ways that it can be shown.
    println!("\n@@ user {}", user.as_ref().map_or_else(bitbucket::Error::sentence, |_| "ok".into()));
    println!(
        "@@ token {}",
        token.as_ref().map_or_else(bitbucket::oauth::TokenError::sentence, |_| "ok".into())
    );
    println!("{user:?} {:?} {:?} {options:?}", token.err(), client(&base, &options));
    drop(guard);
    let log = log.0.lock().unwrap();
    println!("{log}");
    assert!(log.contains("method=\"GET\""), "nothing was logged");
    assert!(log.contains("DEBUG reqwest::connect") || !log.contains("POST"), "what others log is left out");
}

/// What is logged by `log` goes where what is logged by `tracing` goes.
impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut log = self.0.lock().unwrap();
        let _ = writeln!(log, "{} {} {}", record.level(), record.target(), record.args());
    }

    fn flush(&self) {}
}
