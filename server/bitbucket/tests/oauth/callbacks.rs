//! Two hundred ways to get a callback wrong: none ends the sign-in, and the right one still does.

use std::future::pending;
use std::time::Duration;

use crate::begin;
use crate::browser::{get, granted, request, send, state};

/// What is replaced in a request that is right otherwise.
struct Parts {
    method: String,
    path: String,
    query: String,
    version: String,
    /// All header lines, each with its end.
    headers: String,
    /// After the empty line.
    rest: Vec<u8>,
}

impl Parts {
    fn right(port: u16, state: &str) -> Self {
        Self {
            method: "GET".into(),
            path: "/callback".into(),
            query: format!("?state={state}&code=c1"),
            version: "HTTP/1.1".into(),
            headers: format!("Host: 127.0.0.1:{port}\r\nAccept: */*\r\n"),
            rest: Vec::new(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let head =
            format!("{} {}{} {}\r\n{}\r\n", self.method, self.path, self.query, self.version, self.headers);
        [head.as_bytes(), &self.rest].concat()
    }
}

/// All the wrong requests, each with its name.
fn wrong(port: u16, state: &str) -> Vec<(String, Vec<u8>)> {
    let mut cases: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: String, change: &dyn Fn(&mut Parts)| {
        let mut parts = Parts::right(port, state);
        change(&mut parts);
        assert_ne!(parts.bytes(), Parts::right(port, state).bytes(), "{name} changes nothing");
        cases.push((name, parts.bytes()));
    };

    for method in [
        "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "PRI", "get", "Get", "GETS",
        "", "GET ", " GET", "GET\t", "G\0ET", "BREW", "*",
    ] {
        add(format!("method {method:?}"), &|parts| parts.method = method.into());
    }
    for path in [
        "/",
        "",
        "//callback",
        "/callback/",
        "/callback/x",
        "/Callback",
        "/CALLBACK",
        "/./callback",
        "/x/../callback",
        "/callback/..",
        "/%63allback",
        "/callback%00",
        "/callback%20",
        "/callback;x=1",
        "/callback\\",
        "\\callback",
        "/call back",
        "/callback\t",
        "/callback\u{e9}",
        "/callback#",
        "/callback?x#f",
        "/callbac",
        "/callbackx",
        "callback",
        "*",
        "/favicon.ico",
        "/robots.txt",
        "/.well-known/x",
        "/result",
        "/result/",
        "/result/x",
        "/login",
        "/%2fcallback",
        "/callback%3fx=1",
        "/callback\u{0}",
        "/callback&x=1",
    ] {
        add(format!("path {path:?}"), &|parts| parts.path = path.into());
    }
    for origin in [
        format!("http://127.0.0.1:{port}"),
        format!("HTTP://127.0.0.1:{port}"),
        format!("https://127.0.0.1:{port}"),
        format!("//127.0.0.1:{port}"),
        format!("127.0.0.1:{port}"),
        "http://evil.test".into(),
        format!("http://evil.test@127.0.0.1:{port}"),
        "file://".into(),
    ] {
        add(format!("target at {origin}"), &|parts| parts.path = format!("{origin}/callback"));
    }
    for host in [
        "".into(),
        "127.0.0.1".into(),
        format!("localhost:{port}"),
        format!("LOCALHOST:{port}"),
        format!("127.0.0.1:{}", port ^ 1),
        format!("127.0.0.1:0{port}"),
        format!("127.0.0.1:{port}0"),
        format!("127.0.0.1.:{port}"),
        format!("127.1:{port}"),
        format!("127.0.0.2:{port}"),
        format!("0.0.0.0:{port}"),
        format!("[::1]:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("2130706433:{port}"),
        format!("0x7f000001:{port}"),
        "evil.test".into(),
        format!("evil.test:{port}"),
        format!("127.0.0.1.evil.test:{port}"),
        format!("evil@127.0.0.1:{port}"),
        format!("127.0.0.1:{port}@evil.test"),
        format!("127.0.0.1:{port}, evil.test"),
        format!("127.0.0.1:{port} evil.test"),
        format!("127.0.0.1:{port}/"),
        format!("127.0.0.1:{port}\0"),
        format!("http://127.0.0.1:{port}"),
        format!("127.0.0.1 :{port}"),
    ] {
        add(format!("host {host:?}"), &|parts| parts.headers = format!("Host: {host}\r\n"));
    }
    let host = format!("127.0.0.1:{port}");
    for headers in [
        String::new(),
        "Accept: */*\r\n".into(),
        format!("X-Forwarded-Host: {host}\r\n"),
        format!("Host: {host}\r\nHost: {host}\r\n"),
        format!("Host: {host}\r\nhost: evil.test\r\n"),
        format!("Host: evil.test\r\nHost: {host}\r\n"),
        format!("Host:\r\n {host}\r\n"),
        format!("Host : {host}\r\n"),
        format!(" Host: {host}\r\n"),
        format!("Host: {host}\r\n folded\r\n"),
        format!("Host: {host}\nAccept: x\r\n"),
        format!("Host: {host}\rAccept: x\r\n"),
        format!("Host: {host}\r\nNo colon\r\n"),
        format!("Host: {host}\r\n: no name\r\n"),
        format!("Host: {host}\r\nA B: c\r\n"),
        format!("Host: {host}\r\nA(B): c\r\n"),
        format!("Host: {host}\r\nA: \u{1b}[31m\r\n"),
        format!("Host: {host}\r\nA: b\0c\r\n"),
        format!("Host: {host}\r\nA\u{e9}: b\r\n"),
        format!("Host: {host}\r\nTransfer-Encoding: chunked\r\n"),
        format!("Host: {host}\r\nTransfer-Encoding: identity\r\n"),
        format!("Host: {host}\r\nContent-Length: 5\r\n"),
        format!("Host: {host}\r\nContent-Length: -1\r\n"),
        format!("Host: {host}\r\nContent-Length: 0\r\nContent-Length: 4\r\n"),
        format!("Host: {host}\r\nContent-Length: 0x0\r\n"),
        format!("Host: {host}\r\nX: {}\r\n", "y".repeat(8 << 10)),
        format!("Host: {host}\r\n{}", "X: y\r\n".repeat(2000)),
        format!("Host: {host}\r\nX: {}\r\n", "y".repeat(1 << 20)),
    ] {
        let name: String = headers.chars().take(60).collect();
        add(format!("headers {name:?}"), &|parts| parts.headers.clone_from(&headers));
    }
    for version in [
        "HTTP/1.0",
        "HTTP/0.9",
        "HTTP/1.2",
        "HTTP/2.0",
        "HTTP/3",
        "HTTP/1.1 ",
        "HTTP/1.1 x",
        "http/1.1",
        "HTTP/1,1",
        "HTTP/01.1",
        "ICAP/1.0",
        "",
        "HTTP/1.1\0",
    ] {
        add(format!("version {version:?}"), &|parts| parts.version = version.into());
    }
    let flipped: String = state
        .chars()
        .map(|c| if c.is_ascii_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() })
        .collect();
    let reversed: String = state.chars().rev().collect();
    let (start, end) = (&state[..state.len() - 1], &state[1..]);
    for query in [
        String::new(),
        "?".into(),
        "?code=c1".into(),
        "?code=c1&state=".into(),
        "?code=c1&state".into(),
        "?code=c1&state=null".into(),
        "?code=c1&state=*".into(),
        format!("?code=c1&state={start}"),
        format!("?code=c1&state={end}"),
        format!("?code=c1&state={state}A"),
        format!("?code=c1&state={state}{state}"),
        format!("?code=c1&state={flipped}"),
        format!("?code=c1&state={reversed}"),
        format!("?code=c1&state={}", "A".repeat(state.len())),
        format!("?code=c1&state={}", "A".repeat(4000)),
        format!("?code=c1&state={state}&state={state}"),
        format!("?code=c1&state=x&state={state}"),
        format!("?code=c1&state={state}&state=x"),
        format!("?code=c1&state={state}&%73tate=x"),
        format!("?code=c1&state={state}&state"),
        format!("?code=c1&State={state}"),
        format!("?code=c1&STATE={state}"),
        format!("?code=c1&state[]={state}"),
        format!("?code=c1&state%00={state}"),
        format!("?code=c1&+state={state}"),
        format!("?code=c1& state={state}"),
        format!("?code=c1&state=%20{state}"),
        format!("?code=c1&state={state}+"),
        format!("?code=c1&state={state}%00"),
        format!("?code=c1&state={state}%0d%0a"),
        format!("?code=c1&state={state}%0D%0ASet-Cookie:%20a=b"),
        format!("?code=c1&state={state}\r\nX-Injected: 1"),
        format!("?code=c1&state={state}\r\n\r\n<script>"),
        format!("?code=c1&state={state}%"),
        format!("?code=c1&state={state}%2"),
        format!("?code=c1&state={state}%zz"),
        format!("?code=c1&state=%{:x}{end}", state.as_bytes()[0]).replace("state=%", "state=%25"),
        format!("?code=c1&state={state}%c0%80"),
        format!("?code=c1&state={state}%ff"),
        format!("?code=c1&state=\"{state}\""),
        format!("?code=c1&state='{state}'"),
        format!("?code=c1&state=<{state}>"),
        format!("?code=c1;state={state}"),
        format!("??code=c1&state={state}x"),
        format!("?code=c1&amp;state={state}"),
        format!("?code=c1#state={state}"),
        format!("#code=c1&state={state}"),
        format!("?{state}"),
        // The right state, and nothing that could be done with it.
        format!("?state={state}"),
        format!("?state={state}&code"),
        format!("?state={state}&code="),
        format!("?state={state}&code=c1&code=c1"),
        format!("?state={state}&code=c1&code=c2"),
        format!("?state={state}&code=c1&%63ode=c2"),
        format!("?state={state}&code=c1&code="),
        format!("?state={state}&code=c1&error=access_denied"),
        format!("?state={state}&code=c1&error="),
        format!("?state={state}&code=a%20b"),
        format!("?state={state}&code=a+b"),
        format!("?state={state}&code=a%0d%0aX:%20y"),
        format!("?state={state}&code=a%00"),
        format!("?state={state}&code=%C3%A9"),
        format!("?state={state}&code=%e2%80%ae"),
        format!("?state={state}&code=%"),
        format!("?state={state}&code={}", "c".repeat(4097)),
        format!("?state={state}&code={}", "c".repeat(9000)),
        format!("?state={state}&Code=c1"),
        format!("?state={state}&token=c1"),
        format!("?state={state}&access_token=c1"),
        format!("?state={state}&error="),
        format!("?state={state}&error"),
        format!("?state={state}&error=a%20b"),
        format!("?state={state}&error=<script>"),
        format!("?state={state}&error=%3Cscript%3E"),
        format!("?state={state}&error={}", "e".repeat(61)),
        format!("?state={state}&error=access_denied&error=access_denied"),
        "?error=access_denied".into(),
        "?error=access_denied&state=".into(),
        format!("?error=access_denied&state={start}"),
        format!("?error=server_error&state={flipped}"),
        format!("?error_description=denied&state={state}"),
    ] {
        let name: String = query.chars().take(80).collect();
        add(format!("query {name:?}"), &|parts| parts.query.clone_from(&query));
    }
    for rest in [&b"x"[..], b"\r\n", b"GET /callback HTTP/1.1\r\n\r\n", b"\0", &[b'x'; 9000]] {
        add(format!("{} bytes after the head", rest.len()), &|parts| parts.rest = rest.to_vec());
    }

    let right = Parts::right(port, state).bytes();
    for cut in [1, 3, 4, 10, 14, 40, right.len() / 2, right.len() - 4, right.len() - 2, right.len() - 1] {
        cases.push((format!("closed after {cut} bytes"), right[..cut].to_vec()));
    }
    let text = String::from_utf8(right).unwrap();
    let target = format!("/callback?state={state}&code=c1");
    for (name, bytes) in [
        ("nothing", Vec::new()),
        ("line feeds only", text.replace('\r', "").into_bytes()),
        ("carriage returns only", text.replace('\n', "").into_bytes()),
        ("an empty line first", format!("\r\n{text}").into_bytes()),
        ("a space first", format!(" {text}").into_bytes()),
        ("a mark first", format!("\u{feff}{text}").into_bytes()),
        ("HTTP/0.9", format!("GET {target}\r\n").into_bytes()),
        ("HTTP/0.9 with an empty line", format!("GET {target}\r\n\r\n").into_bytes()),
        ("tabs for spaces", text.replacen(' ', "\t", 2).into_bytes()),
        ("two spaces", text.replacen(' ', "  ", 2).into_bytes()),
        ("UTF-16", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec()),
        ("TLS", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n".to_vec()),
        ("SOCKS", b"\x05\x01\0".to_vec()),
        ("zeros", vec![0; 4096]),
        ("ends only", b"\r\n\r\n\r\n\r\n".to_vec()),
        ("no end", vec![b'G'; 64 << 10]),
    ] {
        cases.push((name.to_owned(), bytes));
    }
    cases
}

#[tokio::test]
async fn nothing_but_the_right_one_ends_the_sign_in() {
    let login = begin().await;
    let (port, state) = (login.port(), state(&login));
    let cases = wrong(port, &state);
    assert!(cases.len() >= 200, "{}", cases.len());
    let mut refused = 0;
    let attack = async {
        for (name, bytes) in &cases {
            let reply = send(port, bytes).await;
            let closed = reply.0.is_empty();
            assert!(closed || reply.status() == 404, "{name}: {}", reply.0);
            assert!(!reply.0.contains(&state) && !reply.0.contains("Injected"), "{name}: {}", reply.0);
            if !closed {
                assert_eq!(reply.header("connection"), Some("close"), "{name}");
                assert!(reply.header("location").is_none() && reply.header("set-cookie").is_none(), "{name}");
            }
            refused += 1;
        }
    };
    let wait = login.wait(pending());
    tokio::pin!(wait);
    tokio::select! {
        _ = &mut wait => panic!("the sign-in ended"),
        () = attack => {}
    }
    assert_eq!(refused, cases.len());
    // Not captured: the count is what the test is run for.
    let counts = format!("{refused} adversarial callbacks, all refused\n");
    std::io::Write::write_all(&mut std::io::stderr(), counts.as_bytes()).unwrap();
    let right = get(port, &granted(&login, "c1")).await;
    assert_eq!(right.status(), 302);
    assert!(wait.await.is_ok());
}

#[tokio::test]
async fn each_wrong_one_is_refused_at_the_same_time_as_the_right_one() {
    let login = begin().await;
    let port = login.port();
    let cases = wrong(port, &state(&login));
    let mut attack = tokio::task::JoinSet::new();
    for (name, bytes) in cases {
        attack.spawn(async move { (name, send(port, &bytes).await) });
    }
    let right = get(port, &granted(&login, "c1")).await;
    assert_eq!(right.status(), 302);
    assert!(login.wait(pending()).await.is_ok());
    while let Some(done) = attack.join_next().await {
        let (name, reply) = done.unwrap();
        assert!(reply.0.is_empty() || reply.status() == 404, "{name}: {}", reply.0);
    }
}

#[tokio::test]
async fn ten_thousand_requests_neither_end_it_nor_keep_the_right_one_out() {
    let login = begin().await;
    let port = login.port();
    let wait = login.wait(pending());
    tokio::pin!(wait);
    let flood = async {
        let mut attackers = tokio::task::JoinSet::new();
        for attacker in 0..50 {
            attackers.spawn(async move {
                for attempt in 0..200 {
                    let target = format!("/callback?state={attacker}-{attempt}&code=c1");
                    let reply = get(port, &target).await;
                    assert_eq!(reply.status(), 404, "{}", reply.0);
                }
            });
        }
        attackers.join_all().await;
    };
    tokio::select! {
        _ = &mut wait => panic!("the sign-in ended"),
        () = flood => {}
    }
    assert_eq!(get(port, &granted(&login, "c1")).await.status(), 302);
    assert!(wait.await.is_ok());
}

#[tokio::test]
async fn who_says_nothing_gives_way_to_the_right_one() {
    let options = bitbucket::oauth::LoginOptions { read: Duration::from_millis(200), ..Default::default() };
    let login = crate::begin_with(options).await;
    let port = login.port();
    // More than are served at once: some say nothing, some stop in the middle, some trickle.
    let mut idle = Vec::new();
    for at in 0..100 {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let part = &request(port, "/callback")[..at % 40];
        tokio::io::AsyncWriteExt::write_all(&mut stream, part.as_bytes()).await.unwrap();
        idle.push(stream);
    }
    let right = tokio::time::timeout(Duration::from_secs(10), get(port, &granted(&login, "c1"))).await;
    assert_eq!(right.unwrap().status(), 302);
    assert!(login.wait(pending()).await.is_ok());
}

#[tokio::test]
async fn thirty_two_are_served_at_once_and_the_next_one_waits() {
    let login = begin().await;
    let port = login.port();
    let mut idle = Vec::new();
    for _ in 0..32 {
        idle.push(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    let target = granted(&login, "c1");
    let right = get(port, &target);
    tokio::pin!(right);
    let early = tokio::time::timeout(Duration::from_millis(200), &mut right).await;
    assert!(early.is_err(), "{early:?}");
    idle.pop();
    assert_eq!(right.await.status(), 302);
    assert!(login.wait(pending()).await.is_ok());
}

#[tokio::test]
async fn the_right_one_is_good_once() {
    let login = begin().await;
    let port = login.port();
    let target = granted(&login, "c1");
    let first = get(port, &target).await;
    // Replayed, in another tab with another code, denied afterwards.
    for again in [target.clone(), granted(&login, "c2"), target.replace("code=c1", "error=access_denied")] {
        assert_eq!(get(port, &again).await.status(), 404);
    }
    assert_eq!(first.status(), 302);
    assert!(login.wait(pending()).await.is_ok());
}

#[tokio::test]
async fn two_tabs_at_once_give_one_code() {
    for _ in 0..20 {
        let login = begin().await;
        let port = login.port();
        let (one, other) = (granted(&login, "c1"), granted(&login, "c2"));
        let (one, other) = tokio::join!(get(port, &one), get(port, &other));
        let mut statuses = [one.status(), other.status()];
        statuses.sort_unstable();
        assert_eq!(statuses, [302, 404]);
        assert!(login.wait(pending()).await.is_ok());
    }
}
