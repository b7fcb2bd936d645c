//! A tiny token server with rotation: each refresh token can be exchanged once, and once more within the grace.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the server has seen.
#[derive(Clone, Default, Debug)]
pub(super) struct Seen {
    /// Exchanges that gave new tokens.
    pub exchanges: usize,
    /// Refresh tokens that came again after they were exchanged.
    pub reused: usize,
    /// Answers `invalid_grant`.
    pub refused: usize,
    /// The access tokens of the last exchange.
    pub access: String,
}

#[derive(Default)]
struct State {
    seen: Seen,
    live: BTreeSet<String>,
    spent: BTreeSet<String>,
    grace: bool,
    issued: usize,
}

/// Stops with the process.
pub(super) struct Server {
    pub(super) port: u16,
    state: Arc<Mutex<State>>,
}

impl Server {
    /// It knows the refresh token `first`.
    pub(super) fn start(first: &str, grace: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { grace, ..State::default() }));
        state.lock().unwrap().live.insert(first.to_owned());
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = shared.clone();
                thread::spawn(move || answer(stream, &state));
            }
        });
        Self { port, state }
    }

    pub(super) fn seen(&self) -> Seen {
        self.state.lock().unwrap().seen.clone()
    }
}

/// One line with the refresh token; one line back.
fn answer(mut stream: TcpStream, state: &Mutex<State>) {
    let mut line = String::new();
    if BufReader::new(&stream).read_line(&mut line).is_err() {
        return;
    }
    let reply = state.lock().unwrap().exchange(line.trim());
    let _ = stream.write_all(reply.as_bytes());
}

impl State {
    fn exchange(&mut self, refresh: &str) -> String {
        if self.spent.contains(refresh) {
            self.seen.reused += 1;
            if !self.grace {
                // A late reuse ends the whole family.
                self.live.clear();
            }
        }
        let known = self.live.contains(refresh) || (self.grace && self.spent.contains(refresh));
        if !known {
            self.seen.refused += 1;
            return "invalid_grant\n".to_owned();
        }
        self.live.remove(refresh);
        self.spent.insert(refresh.to_owned());
        self.issued += 1;
        let (access, next) = (format!("access-{}", self.issued), format!("refresh-{}", self.issued));
        self.live.insert(next.clone());
        self.seen.exchanges += 1;
        self.seen.access.clone_from(&access);
        format!("ok {access} {next}\n")
    }
}
