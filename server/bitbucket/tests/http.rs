//! The client against answers of all kinds, over real sockets on loopback.

mod support;

use std::io::Write as _;
use std::time::Duration;

use bitbucket::{Client, Error, Options, Origin, Outage};
use pull_request::model::{CommitHash, PullRequestId, RepositoryName};
use support::{Log, Reply, Server, answer, json, message, options};

const USER: &str = r#"{"type":"user","uuid":"{u}","display_name":"Ana"}"#;

fn repository() -> RepositoryName {
    RepositoryName::new("team", "app").unwrap()
}

fn commit() -> CommitHash {
    CommitHash::parse("a31d1b70c972").unwrap()
}

/// What `GET /user` comes to when the server answers everything alike.
async fn outcome(
    reply: impl Fn() -> Reply + Send + Sync + 'static,
    options: Options,
) -> (Result<String, Error>, usize) {
    let server = Server::start(move |_, _| reply()).await;
    let user = server.client(options).current_user().await;
    (user.map(|user| user.display_name), server.seen().len())
}

#[tokio::test]
async fn a_request_says_who_it_is_for_and_nothing_else() {
    let server = Server::start(|_, _| json(200, USER)).await;
    let user = server.client(options()).current_user().await.unwrap();
    assert_eq!(user.display_name, "Ana");
    let seen = &server.seen()[0];
    assert_eq!(seen.target, "/2.0/user");
    let version = env!("CARGO_PKG_VERSION");
    assert!(seen.head.contains(&format!("\r\nauthorization: bearer {}\r\n", support::TOKEN)));
    assert!(seen.head.contains(&format!("\r\nuser-agent: bitbucket-lsp/{version}\r\n")));
    assert!(seen.head.contains("\r\naccept: application/json\r\n"));
    assert!(seen.head.contains("\r\naccept-encoding: gzip\r\n"));
    assert!(!seen.head.contains("cookie") && !seen.head.contains("referer"));
}

#[tokio::test]
async fn signed_out_sends_nothing() {
    let server = Server::start(|_, _| json(200, USER)).await;
    let origin = Origin::new(Some(&server.base()), None).unwrap();
    let client = Client::new(origin, None, options());
    assert_eq!(client.current_user().await, Err(Error::SignedOut));
    assert_eq!(client.comments(&repository(), PullRequestId(1), None).await, Err(Error::SignedOut));
    assert!(server.seen().is_empty());
    assert_eq!(client.budget().spent_last_hour, 0);
}

#[tokio::test]
async fn statuses_become_errors_and_only_what_may_pass_is_asked_again() {
    let cases: &[(u16, Error, usize)] = &[
        (400, Error::Unexpected { status: 400, what: "No".into() }, 1),
        (401, Error::Unauthorized { basic: false }, 1),
        (403, Error::Forbidden, 1),
        (404, Error::NotFound, 1),
        (410, Error::Gone, 1),
        (418, Error::Unexpected { status: 418, what: "No".into() }, 1),
        (500, Error::Server { status: 500 }, 3),
        (503, Error::Server { status: 503 }, 3),
        (555, Error::Server { status: 555 }, 1),
    ];
    for (status, expected, requests) in cases {
        let status = *status;
        let body = r#"{"type":"error","error":{"message":"No"}}"#;
        let (found, sent) = outcome(move || json(status, body), options()).await;
        assert_eq!((found, sent), (Err(expected.clone()), *requests), "{status}");
    }
    // A missing pull request is answered in plain text.
    let text = || answer(404, &[("Content-Type", "text/plain")], b"Not Found");
    assert_eq!(outcome(text, options()).await, (Err(Error::NotFound), 1));
}

#[tokio::test]
async fn a_missing_scope_is_named_by_body_or_headers() {
    let body = || {
        json(
            403,
            r#"{"type":"error","error":{"message":"x","detail":{"required":["pullrequest"],"granted":["account"]}}}"#,
        )
    };
    let headers = || {
        let scopes = [("x-oauth-scopes", "account"), ("x-accepted-oauth-scopes", "pullrequest")];
        answer(403, &scopes, b"Forbidden")
    };
    let expected =
        Error::MissingScope { required: vec!["pullrequest".into()], granted: vec!["account".into()] };
    assert_eq!(outcome(body, options()).await.0, Err(expected.clone()));
    assert_eq!(outcome(headers, options()).await.0, Err(expected));
}

#[tokio::test]
async fn what_passes_is_waited_out() {
    for failing in [500, 502, 503] {
        let server = Server::start(move |_, index| json(if index < 2 { failing } else { 200 }, USER)).await;
        assert!(server.client(options()).current_user().await.is_ok());
        assert_eq!(server.seen().len(), 3);
    }
    let server = Server::start(|_, index| if index < 2 { Reply::Close } else { json(200, USER) }).await;
    assert!(server.client(options()).current_user().await.is_ok());
    // An answer that broke off in its body.
    let server = Server::start(|_, index| match index {
        0 => Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"uuid\":".to_vec()),
        _ => json(200, USER),
    })
    .await;
    assert!(server.client(options()).current_user().await.is_ok());
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn what_does_not_pass_is_said() {
    let (found, sent) = outcome(|| Reply::Close, options()).await;
    assert_eq!(found, Err(Error::Offline { outage: Outage::BrokenOff, retry_after: None }));
    assert_eq!(sent, 3);
    // The words of the URL do not count as words of the error.
    let server = Server::start(|_, _| Reply::Close).await;
    let odd = RepositoryName::new("team", "tls-certificate-expired-proxy-dns").unwrap();
    let found = server.client(options()).open_pull_requests(&odd).await;
    assert_eq!(found, Err(Error::Offline { outage: Outage::BrokenOff, retry_after: None }));
    let cut = || Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{".to_vec());
    let (found, _) = outcome(cut, options()).await;
    assert_eq!(found, Err(Error::Offline { outage: Outage::BrokenOff, retry_after: None }));
    let garbage = || Reply::Bytes(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec());
    assert!(matches!(outcome(garbage, options()).await.0, Err(Error::Offline { .. })));
    // Nobody listens there any more.
    let server = Server::start(|_, _| json(200, USER)).await;
    let client = server.client(options());
    drop(server);
    tokio::task::yield_now().await;
    let found = client.current_user().await;
    let expected = [Outage::Connection, Outage::BrokenOff];
    assert!(matches!(&found, Err(Error::Offline { outage, .. }) if expected.contains(outage)), "{found:?}");
}

#[tokio::test]
async fn deadlines_hold() {
    let short = |change: fn(&mut Options)| {
        let mut options = options();
        change(&mut options);
        options
    };
    let header = short(|options| options.header = Duration::from_millis(60));
    assert_eq!(outcome(|| Reply::Silence, header).await, (Err(Error::Timeout), 1));
    let total = short(|options| options.total = Duration::from_millis(60));
    assert_eq!(outcome(|| Reply::Silence, total).await.0, Err(Error::Timeout));
    // A body that stalls.
    let idle = short(|options| options.idle = Duration::from_millis(60));
    let stalled = || {
        let whole = message(200, &[("Content-Type", "application/json")], USER.as_bytes());
        let (first, rest) = whole.split_at(whole.len() - 10);
        Reply::Pieces(vec![first.to_vec(), rest.to_vec()], Duration::from_millis(400))
    };
    let patient = Options { header: Duration::from_secs(10), ..idle };
    assert_eq!(outcome(stalled, patient).await.0, Err(Error::Timeout));
    // A body that trickles, each piece in time, but for ever.
    let trickle = || {
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n".to_vec();
        let pieces = std::iter::once(head).chain((0..1000).map(|_| b" ".to_vec()));
        Reply::Pieces(pieces.collect(), Duration::from_millis(5))
    };
    let total = short(|options| options.total = Duration::from_millis(120));
    assert_eq!(outcome(trickle, total).await.0, Err(Error::Timeout));
    // A slow body that comes in time is taken.
    let slow = || {
        let whole = message(200, &[("Content-Type", "application/json")], USER.as_bytes());
        Reply::Pieces(whole.chunks(20).map(<[u8]>::to_vec).collect(), Duration::from_millis(2))
    };
    assert_eq!(outcome(slow, options()).await.0, Ok("Ana".into()));
}

#[tokio::test]
async fn a_portal_is_recognised_and_nothing_of_it_is_read() {
    let page = b"<!DOCTYPE html><html><body>Sign in to the network</body></html>";
    let portals: [fn() -> Reply; 5] = [
        || answer(200, &[("Content-Type", "text/html; charset=utf-8")], b"<html>Sign in</html>"),
        || answer(200, &[], b"<html>Sign in</html>"),
        || answer(403, &[("Content-Type", "text/html")], b"<html>Blocked</html>"),
        || answer(511, &[("Content-Type", "text/html")], b"<html>Sign in</html>"),
        || answer(302, &[("Location", "http://login.example/?from=x")], b""),
    ];
    for portal in portals {
        assert_eq!(outcome(portal, options()).await, (Err(Error::Portal), 1));
    }
    let server = Server::start(|_, _| answer(200, &[("Content-Type", "text/html")], page)).await;
    let client = server.client(options());
    assert_eq!(client.file_at(&repository(), &commit(), "src/x.rs").await, Err(Error::Portal));
    assert_eq!(client.diff_of(&repository(), "a31d1b70c972", "").await, Err(Error::Portal));
    assert_eq!(client.file_at(&repository(), &commit(), "web/index.html").await, Ok(page.to_vec()));
}

#[tokio::test]
async fn redirects_keep_the_token_at_home() {
    for status in [301, 302, 303, 307, 308] {
        // The same origin, in three spellings: followed with the token.
        let server = Server::start(move |seen, _| match seen.target.as_str() {
            "/2.0/user" => answer(status, &[("Location", "/2.0/one")], b""),
            "/2.0/one" => answer(status, &[("Location", "two")], b""),
            "/2.0/two" => {
                let host = seen.head.split("\r\nhost: ").nth(1).and_then(|rest| rest.split('\r').next());
                let location = format!("http://{}/elsewhere", host.unwrap());
                answer(status, &[("Location", &location)], b"")
            }
            _ => json(200, USER),
        })
        .await;
        assert!(server.client(options()).current_user().await.is_ok(), "{status}");
        assert_eq!(server.seen().len(), 4);
        assert!(server.seen().iter().all(support::Seen::is_signed));
        assert_eq!(server.seen()[3].target, "/elsewhere");

        // Another port is another origin: not even connected to, for JSON, files or diffs.
        let other = Server::start(|_, _| json(200, USER)).await;
        let elsewhere = format!("{}/2.0/user", other.base());
        let server = Server::start(move |_, _| answer(status, &[("Location", &elsewhere)], b"")).await;
        let client = server.client(options());
        assert_eq!(client.current_user().await, Err(Error::Portal), "{status}");
        let file = client.file_at(&repository(), &commit(), "x").await;
        assert!(matches!(file, Err(Error::Unexpected { .. })), "{status}: {file:?}");
        let diff = client.diff_of(&repository(), "a31d1b70c972", "x").await;
        assert!(matches!(diff, Err(Error::Unexpected { .. })), "{status}: {diff:?}");
        assert!(other.seen().is_empty());
    }
}

#[tokio::test]
async fn redirects_come_to_an_end() {
    let server = Server::start(|_, index| answer(302, &[("Location", &format!("/2.0/{index}"))], b"")).await;
    let found = server.client(options()).current_user().await;
    assert!(matches!(found, Err(Error::Unexpected { .. })), "{found:?}");
    assert_eq!(server.seen().len(), 6);
    for location in ["", "http://", "https://user:pw@127.0.0.1/", "javascript:alert(1)", "//"] {
        let server = Server::start(move |_, _| answer(302, &[("Location", location)], b"")).await;
        assert!(server.client(options()).file_at(&repository(), &commit(), "x").await.is_err(), "{location}");
    }
    let (found, _) = outcome(|| answer(302, &[], b""), options()).await;
    assert!(matches!(found, Err(Error::Unexpected { .. })));
}

#[tokio::test]
async fn a_429_is_waited_out_and_closes_the_gate_for_all() {
    let server = Server::start(|_, index| match index {
        0 => answer(429, &[("Retry-After", "1")], b"Rate limit for this resource has been exceeded"),
        1 => answer(429, &[], b""),
        2 => answer(429, &[("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT")], b""),
        _ => json(200, USER),
    })
    .await;
    let client = server.client(options());
    assert!(client.current_user().await.is_ok());
    assert_eq!(server.seen().len(), 4);
    assert_eq!(client.budget().spent_last_hour, 4);

    // Longer than the deadline: said at once, and nobody else asks in the meantime.
    let server = Server::start(|_, _| answer(429, &[("Retry-After", "60")], b"")).await;
    let client = server.client(Options::default());
    for _ in 0..1000 {
        match client.current_user().await {
            Err(Error::RateLimited { retry_after }) => assert!(retry_after > Duration::from_secs(50)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(server.seen().len(), 1);
    assert!(client.budget().waiting.is_some());
}

#[tokio::test]
async fn a_storm_of_429_is_met_by_one_request_a_window() {
    let server = Server::start(|_, _| answer(429, &[("Retry-After", "1")], b"")).await;
    let window = Duration::from_millis(40);
    let client = server.client(Options {
        retry_after: (window, window),
        total: Duration::from_millis(400),
        ..options()
    });
    // The first one, before it is known that there is a limit.
    let calls = (0..100).map(|_| client.current_user());
    let start = tokio::time::Instant::now();
    let _ = client.current_user().await;
    for found in futures_util::future::join_all(calls).await {
        assert!(matches!(found, Err(Error::RateLimited { .. } | Error::Timeout)), "{found:?}");
    }
    let windows = start.elapsed().as_millis() / window.as_millis() + 1;
    assert!(server.seen().len() as u128 <= windows, "{} in {windows} windows", server.seen().len());
}

#[tokio::test]
async fn failures_in_a_row_make_it_rest_until_it_is_woken() {
    let server = Server::start(|_, index| json(if index < 5 { 503 } else { 200 }, USER)).await;
    let client = server.client(Options { first_rest: Duration::from_secs(100), ..options() });
    assert!(client.current_user().await.is_err());
    assert!(client.current_user().await.is_err());
    let sent = server.seen().len();
    assert_eq!(sent, 5);
    let resting = client.current_user().await;
    assert!(
        matches!(resting, Err(Error::Offline { outage: Outage::Resting, retry_after: Some(_) })),
        "{resting:?}"
    );
    assert_eq!(server.seen().len(), sent);
    client.reconnect();
    assert!(client.current_user().await.is_ok());
}

#[tokio::test]
async fn large_and_inflated_answers_are_not_read() {
    let limit = 1 << 16;
    let small = move || Options { body_limit: limit, ..options() };
    let large = move || json(200, &format!("{{\"display_name\":\"{}\"}}", "x".repeat(limit)));
    assert_eq!(outcome(large, small()).await, (Err(Error::TooLarge { limit }), 1));
    // 64 MiB of spaces in a few dozen KiB.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        encoder.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 100_000);
    let headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")];
    let whole = bomb.clone();
    let (found, _) = outcome(move || answer(200, &headers, &whole), options()).await;
    assert_eq!(found, Err(Error::TooLarge { limit: 32 << 20 }));
    let (found, _) = outcome(move || answer(200, &headers, &bomb[..bomb.len() / 2]), small()).await;
    assert!(matches!(found, Err(Error::TooLarge { .. })), "{found:?}");
    // A good one is unpacked, one that breaks off is noticed.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(USER.as_bytes()).unwrap();
    let good = encoder.finish().unwrap();
    let whole = good.clone();
    assert_eq!(outcome(move || answer(200, &headers, &whole), options()).await.0, Ok("Ana".into()));
    let (found, _) = outcome(move || answer(200, &headers, &good[..good.len() - 12]), options()).await;
    assert_eq!(found, Err(Error::Offline { outage: Outage::BrokenOff, retry_after: None }));
}

#[tokio::test]
async fn an_answer_that_is_not_the_object_is_said() {
    for body in ["[]", "[1]", "{}", "{\"type\":\"error\"}", "null", "\"x\"", "", "{"] {
        let (found, sent) = outcome(move || json(200, body), options()).await;
        assert!(
            matches!(found, Err(Error::Unexpected { status: 200, .. } | Error::Portal)),
            "{body}: {found:?}"
        );
        assert_eq!(sent, 1);
    }
    let marked = format!("\u{feff}{USER}");
    assert_eq!(outcome(move || json(200, &marked), options()).await.0, Ok("Ana".into()));
}

#[tokio::test]
async fn paths_and_queries_are_spelled_as_the_api_wants_them() {
    let hash = r#"{"type":"commit","hash":"b563d040b08e","values":[]}"#;
    let server = Server::start(move |_, _| json(200, hash)).await;
    let client = server.client(options());
    let hostile = r#"feature/a+b&c=d#e "q" OR state="MERGED"#;
    client.pull_requests_of_branch(&repository(), hostile, &[repository()]).await.unwrap();
    client.recent_pull_requests_of_branch(&repository(), "main", &[repository()]).await.unwrap();
    client.open_pull_requests(&repository()).await.unwrap();
    client.comments(&repository(), PullRequestId(7), None).await.unwrap();
    client.tasks(&repository(), PullRequestId(7), None).await.unwrap();
    client.statuses(&repository(), PullRequestId(7)).await.unwrap();
    let _ = client.probe(&repository(), PullRequestId(7)).await;
    let _ = client.pull_request(&repository(), PullRequestId(7)).await;
    client.file_at(&repository(), &commit(), "dir/a b%?#\u{e9}.rs").await.unwrap();
    client.diff_of(&repository(), "a31d1b70c972..b563d040b08e", "a b.rs").await.unwrap();
    let base = client.merge_base(&repository(), &commit(), &commit()).await.unwrap();
    assert_eq!(base.as_str(), "b563d040b08e");
    let seen = server.seen();
    let of_branch = &seen[0];
    assert_eq!(
        of_branch.parameter("q").unwrap(),
        r#"source.branch.name="feature/a+b&c=d#e \"q\" OR state=\"MERGED" AND state="OPEN""#
    );
    assert_eq!(of_branch.parameter("pagelen").as_deref(), Some("50"));
    assert_eq!(of_branch.parameter("fields").as_deref(), Some("+values.participants,+values.reviewers"));
    assert!(of_branch.target.contains("fields=%2Bvalues.participants"));
    assert!(seen[1].parameter("q").unwrap().contains("state=\"MERGED\""));
    assert_eq!(seen[2].parameter("q").as_deref(), Some("state=\"OPEN\""));
    let targets: Vec<&str> = seen.iter().map(|seen| seen.target.split('?').next().unwrap()).collect();
    let base = "/2.0/repositories/team/app";
    assert_eq!(
        targets,
        [
            format!("{base}/pullrequests"),
            format!("{base}/pullrequests"),
            format!("{base}/pullrequests"),
            format!("{base}/pullrequests/7/comments"),
            format!("{base}/pullrequests/7/tasks"),
            format!("{base}/pullrequests/7/statuses"),
            format!("{base}/pullrequests/7"),
            format!("{base}/pullrequests/7"),
            format!("{base}/src/a31d1b70c972/dir/a%20b%25%3F%23%C3%A9.rs"),
            format!("{base}/diff/a31d1b70c972..b563d040b08e"),
            format!("{base}/merge-base/a31d1b70c972..a31d1b70c972"),
        ]
    );
    assert_eq!(seen[3].parameter("pagelen").as_deref(), Some("100"));
    assert_eq!(seen[9].parameter("path").as_deref(), Some("a b.rs"));
    // Paths that no file has, and specs that are none, send nothing.
    for path in ["", "/etc/passwd", "../x", "a/../../b", "a//b", "./a", "a/.", "a\0b"] {
        assert_eq!(client.file_at(&repository(), &commit(), path).await, Err(Error::NotFound), "{path:?}");
    }
    for spec in
        ["", "main", "a31d1b70c972../../user", "..", "--x", "a31d1b70c972..", "a31d1b70c972..b563d040b08e/x"]
    {
        assert_eq!(client.diff_of(&repository(), spec, "").await, Err(Error::NotFound), "{spec:?}");
    }
    assert_eq!(server.seen().len(), seen.len());
}

#[tokio::test]
async fn pull_requests_of_other_repositories_branches_are_left_out() {
    let request = |id: u32, source: &str, created: &str| {
        format!(
            r#"{{"id":{id},"state":"OPEN","created_on":"{created}","source":{{"branch":{{"name":"main"}},"repository":{source}}}}}"#
        )
    };
    let page = format!(
        r#"{{"values":[{},{},{},{}]}}"#,
        request(1, r#"{"full_name":"team/app"}"#, "2026-01-01T00:00:00Z"),
        request(2, r#"{"full_name":"fork/app"}"#, "2026-01-02T00:00:00Z"),
        request(3, "null", "2026-01-03T00:00:00Z"),
        request(4, r#"{"full_name":"Team/App"}"#, "2026-01-04T00:00:00Z"),
    );
    let server = Server::start(move |_, _| json(200, &page)).await;
    let client = server.client(options());
    let ids = async |sources: &[RepositoryName]| {
        let found = client.pull_requests_of_branch(&repository(), "main", sources).await.unwrap();
        found.items.iter().map(|request| request.id.0).collect::<Vec<_>>()
    };
    assert_eq!(ids(&[repository()]).await, [4, 1]);
    let fork = RepositoryName::new("FORK", "app").unwrap();
    assert_eq!(ids(std::slice::from_ref(&fork)).await, [2]);
    let before = server.seen().len();
    assert_eq!(ids(&[repository(), fork]).await, [4, 2, 1]);
    assert_eq!(server.seen().len(), before + 1, "one list has them all");
    assert_eq!(ids(&[]).await, [0_u64; 0]);
    let all = client.open_pull_requests(&repository()).await.unwrap();
    assert_eq!(all.items.iter().map(|request| request.id.0).collect::<Vec<_>>(), [4, 3, 2, 1]);
}

#[tokio::test]
async fn a_probe_reads_the_little_that_it_asks_for() {
    let body = r#"{"id":7,"state":"MERGED","updated_on":"1970-01-01T00:00:09Z","comment_count":3,"task_count":0,
        "source":{"commit":{"hash":"a31d1b70c972"}},"destination":{"commit":{"hash":"b563d040b08e"}}}"#;
    let server = Server::start(move |_, _| json(200, body)).await;
    let probe = server.client(options()).probe(&repository(), PullRequestId(7)).await.unwrap();
    assert_eq!(probe.state, pull_request::model::PullRequestState::Merged);
    assert_eq!(probe.updated_on.map(|time| time.0), Some(9));
    assert_eq!((probe.comment_count, probe.task_count), (Some(3), Some(0)));
    assert_eq!(probe.source_commit, Some(commit()));
    assert!(server.seen()[0].parameter("fields").unwrap().contains("source.commit.hash"));
}

/// Everything that is logged, at the finest level, by all crates, while all kinds of things go wrong.
#[tokio::test]
async fn logs_hold_no_token_no_query_and_no_body() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone());
    let guard = tracing::subscriber::set_default(subscriber.finish());
    let server = Server::start(|seen, index| match index {
        0 => answer(302, &[("Location", "/2.0/user?secret-query")], b""),
        1 => json(
            401,
            &format!(r#"{{"error":{{"message":"secret-body {}"}}}}"#, seen.head.replace("\r\n", " ")),
        ),
        2 => Reply::Close,
        3 => json(500, "secret-body"),
        _ => json(200, USER),
    })
    .await;
    let client = server.client(options());
    let _ = client.current_user().await;
    let _ = client.current_user().await;
    let _ = client.pull_requests_of_branch(&repository(), "secret-query", &[repository()]).await;
    tracing::info!("{client:?}");
    drop(guard);
    let log = log.0.lock().unwrap();
    assert!(
        log.contains("path=\"/2.0/user\"") && log.contains("status=401") && log.contains("Client"),
        "{log}"
    );
    for secret in [support::TOKEN, "secret-query", "secret-body", "uthorization"] {
        assert!(!log.contains(secret), "{log}");
    }
}
