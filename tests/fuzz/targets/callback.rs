//! Requests at the loopback port of a sign-in: whatever the bytes, an answer is found only in the browser's way back.
//!
//! The port is real and so is the state, which nobody can guess: the input's `127.0.0.1:28727` stands for the port's
//! address and its `=state` for the state. The oracles are httparse and the WHATWG's reading of URLs and forms.
//! The input is tried at the pure parser and as a pasted address as well.

#![no_main]

use std::cell::RefCell;
use std::future::{Future as _, pending};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bitbucket::Origin;
use bitbucket::oauth::{Consumer, Login, LoginError, LoginOptions, fuzzing};
use credentials::Secret;
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use url::{Url, form_urlencoded};

const END: &[u8] = b"\r\n\r\n";
/// Longer requests are refused.
const HEAD_LIMIT: usize = 8 << 10;

/// What the browser came back with.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// Which code cannot be seen from outside.
    Code,
    Denied,
    Refused(String),
}

thread_local! {
    static SIGN_IN: RefCell<SignIn> = RefCell::new(SignIn::begin());
}

fuzz_target!(|bytes: &[u8]| {
    fuzzing::callback(bytes);
    SIGN_IN.with_borrow_mut(|sign_in| {
        sign_in.check_request(bytes);
        sign_in.check_pasted(bytes);
    });
});

/// A sign-in that waits for the browser, and is begun anew when it is over.
struct SignIn {
    runtime: Runtime,
    login: Option<Login>,
    state: String,
}

impl SignIn {
    fn begin() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut sign_in = Self { runtime, login: None, state: String::new() };
        sign_in.begin_anew();
        sign_in
    }

    fn begin_anew(&mut self) {
        let old = self.login.take();
        let login = self.runtime.block_on(async {
            if let Some(old) = old {
                old.cancel().await;
            }
            let consumer = Consumer::new("key", Secret::new("secret".into()), &[0]).ok().unwrap();
            let day = Duration::from_secs(86_400);
            let options = LoginOptions { timeout: day, ..LoginOptions::default() };
            Login::begin(consumer, Origin::default(), options).await.ok().unwrap()
        });
        let mut pairs = login.authorize_url().query_pairs();
        self.state = pairs.find(|(name, _)| name == "state").unwrap().1.into_owned();
        self.login = Some(login);
    }

    fn login(&self) -> &Login {
        self.login.as_ref().unwrap()
    }

    fn host(&self) -> String {
        format!("127.0.0.1:{}", self.login().port())
    }

    /// The input, made for this sign-in.
    fn personal(&self, bytes: &[u8]) -> Vec<u8> {
        let escaped = format!("=%{:02x}{}", self.state.as_bytes()[0], &self.state[1..]);
        let plain = format!("={}", self.state);
        let bytes = replaced(bytes, b"127.0.0.1:28727", self.host().as_bytes());
        replaced(&replaced(&bytes, b"=%73tate", escaped.as_bytes()), b"=state", plain.as_bytes())
    }

    fn check_request(&mut self, bytes: &[u8]) {
        let request = self.personal(bytes);
        let end = request.windows(END.len()).position(|window| window == END).map(|at| at + END.len());
        if end.is_none() && request.len() <= HEAD_LIMIT {
            // The listener waits for more, and says nothing.
            return;
        }
        let (found, response) = self.send(&request);
        // Bytes behind the head may come too late to be seen; nothing else may differ.
        let head = &request[..end.unwrap_or(0)];
        let seen = seen(head, &self.host(), &self.state);
        if found.is_some() {
            assert_eq!(found, seen, "{}", head.escape_ascii());
        } else if head.len() == request.len() {
            assert!(!(seen.is_some() && is_plain(head)), "{}", head.escape_ascii());
        }
        let whole = head.len() == request.len() && request.len() <= HEAD_LIMIT;
        match &found {
            None if whole => assert!(response.starts_with("HTTP/1.1 404 Not Found\r\n"), "{response}"),
            None => assert!(response.is_empty() || response.starts_with("HTTP/1.1 404"), "{response}"),
            Some(_) => {
                let start = "HTTP/1.1 302 Found\r\nLocation: /result/";
                assert!(response.starts_with(start) && response.contains("no-referrer"), "{response}");
                assert!(!response.contains(&self.state), "{response}");
                assert!(!response.contains("c0de-c4n4ry"), "{response}");
                // It is good for once.
                let (again, response) = self.send(&request);
                assert!(again.is_none() && !response.starts_with("HTTP/1.1 302"), "{response}");
                self.begin_anew();
            }
        }
    }

    /// What the listener takes for an answer, and what it says to the browser.
    fn send(&self, request: &[u8]) -> (Option<Answer>, String) {
        self.runtime.block_on(async {
            let mut stream = TcpStream::connect(self.host()).await.unwrap();
            // Nothing stays behind in the system, where ports would run out.
            stream.set_zero_linger().unwrap();
            // A listener that has seen enough breaks the connection, which is its right.
            let _ = stream.write_all(request).await;
            let mut response = Vec::new();
            let _ = stream.read_to_end(&mut response).await;
            let waiting = pin!(self.login().wait(pending()));
            let found = match waiting.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(said) => answer(said),
                Poll::Pending => None,
            };
            (found, String::from_utf8_lossy(&response).into_owned())
        })
    }

    fn check_pasted(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(&self.personal(bytes)).into_owned();
        let Some(found) = answer(self.login().paste(&text)) else {
            return;
        };
        let address = text.trim().trim_matches(['<', '>', '"', '\'', '`']);
        let address = format!("http://{}", address.strip_prefix("http://").unwrap_or(address));
        let url = Url::parse(&address).unwrap();
        assert_eq!(url.host_str(), Some("127.0.0.1"), "{address}");
        assert_eq!((url.port(), url.path()), (Some(self.login().port()), "/callback"), "{address}");
        assert_eq!(Some(found), seen_in(url.query().unwrap(), &self.state), "{address}");
        assert!(matches!(self.login().paste(&text), Err(LoginError::Used)), "it is good for once");
        self.begin_anew();
    }
}

/// What the sign-in says, as far as it can be seen; `None` if it goes on.
fn answer<T>(said: Result<T, LoginError>) -> Option<Answer> {
    match said {
        Ok(_) => Some(Answer::Code),
        Err(LoginError::Denied) => Some(Answer::Denied),
        Err(LoginError::Refused { code }) => Some(Answer::Refused(code)),
        Err(LoginError::NotTheAddress { .. } | LoginError::OtherLogin) => None,
        Err(other) => panic!("the sign-in is over: {other:?}"),
    }
}

/// The answer that others see in the head of a request, who are not strict.
fn seen(head: &[u8], host: &str, state: &str) -> Option<Answer> {
    let mut headers = vec![httparse::EMPTY_HEADER; 1 + head.len() / 4];
    let mut request = httparse::Request::new(&mut headers);
    let whole = request.parse(head).is_ok_and(|status| status == httparse::Status::Complete(head.len()));
    // Some take other ends of lines too, which is how requests are smuggled.
    let bare = replaced(head, b"\r\n", b"").iter().any(|byte| matches!(byte, b'\r' | b'\n'));
    if !whole || bare || (request.method, request.version) != (Some("GET"), Some(1)) {
        return None;
    }
    let mut hosts = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("host"));
    let (first, second) = (hosts.next()?, hosts.next());
    if second.is_some() || first.value != host.as_bytes() {
        return None;
    }
    let body = ["content-length", "transfer-encoding"];
    let mut bodies =
        request.headers.iter().filter(|header| body.contains(&&*header.name.to_ascii_lowercase()));
    if bodies.any(|header| header.value != b"0") {
        return None;
    }
    let query = request.path?.strip_prefix("/callback")?;
    seen_in(query.strip_prefix('?')?, state)
}

/// The same, of a query: the state is right, and one thing is said.
fn seen_in(query: &str, state: &str) -> Option<Answer> {
    let all = |wanted: &str| -> Vec<String> {
        let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == wanted);
        pairs.map(|(_, value)| value.into_owned()).collect()
    };
    if all("state") != [state] {
        return None;
    }
    match (&all("code")[..], &all("error")[..]) {
        ([code], []) => {
            let good = code.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
            (good && (1..=4096).contains(&code.len())).then_some(Answer::Code)
        }
        ([], [error]) if error == "access_denied" => Some(Answer::Denied),
        ([], [error]) => {
            let good = error.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-.".contains(letter));
            (good && (1..=60).contains(&error.len())).then(|| Answer::Refused(error.clone()))
        }
        _ => None,
    }
}

/// Whether a request is spelled as browsers do, so that there is no reason to refuse it but what it says.
fn is_plain(request: &[u8]) -> bool {
    let Some(text) = std::str::from_utf8(request).ok().and_then(|text| text.strip_suffix("\r\n\r\n")) else {
        return false;
    };
    let mut lines = text.split("\r\n");
    let letters = |text: &str, more: &str| {
        text.chars().all(|letter| letter.is_ascii_alphanumeric() || more.contains(letter))
    };
    request.len() <= HEAD_LIMIT
        && lines.next().is_some_and(|line| letters(line, "/?&=._~-:, "))
        && lines.all(|line| {
            line.split_once(": ").is_some_and(|(name, value)| {
                !name.is_empty() && letters(name, "-") && letters(value, "/?&=._~-:,;*+()\" ")
            })
        })
}

fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(old.len()).position(|window| window == old) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(new);
        rest = &rest[at + old.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}
