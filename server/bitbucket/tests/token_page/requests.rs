//! More than a hundred ways to get a request wrong: none submits anything, and the right one still does.

use std::future::pending;
use std::time::Duration;

use bitbucket::token_page::TokenPage;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::browser::Reply;
use crate::{FILLED, Tab, open, open_with, right_one, seen, send, short};

/// All the wrong requests, each with its name.
fn wrong(tab: &Tab) -> Vec<(String, Vec<u8>)> {
    let Tab { port, path } = tab;
    let right = tab.request(FILLED);
    let mut cases: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |from: &str, to: &str| {
        assert!(right.contains(from), "{from:?}");
        let wrong = right.replacen(from, to, 1);
        assert_ne!(wrong, right, "{to:?} changes nothing");
        cases.push((format!("{from:?} becomes {to:.80?}"), wrong.into_bytes()));
    };
    for method in [
        "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post", "Post", "POSTS", "", " POST",
        "P\0ST",
    ] {
        add("POST", method);
    }
    let (start, end) = (&path[..path.len() - 1], &path[2..]);
    for other in [
        "/".to_owned(),
        String::new(),
        "*".into(),
        "/favicon.ico".into(),
        "/token".into(),
        "/result/".into(),
        format!("{path}/"),
        format!("{path}?"),
        format!("{path}?x=1"),
        format!("{path}#"),
        format!("{path}%20"),
        format!("{path}\0"),
        format!("{path}\\"),
        format!("{path}x"),
        format!("/{path}"),
        format!("/.{path}"),
        format!("/x/..{path}"),
        format!("/%2F{end}"),
        start.into(),
        format!("/{end}"),
        path.to_uppercase(),
        path.to_lowercase(),
        path[1..].into(),
        format!("/{}", "A".repeat(43)),
        format!("/result{path}"),
        format!("http://127.0.0.1:{port}{path}"),
        format!("http://evil.test{path}"),
        format!("//127.0.0.1:{port}{path}"),
    ] {
        add(&format!("{path} HTTP"), &format!("{other} HTTP"));
    }
    let host = format!("127.0.0.1:{port}");
    for other in [
        "".into(),
        "127.0.0.1".into(),
        format!("localhost:{port}"),
        format!("127.0.0.1:{}", port ^ 1),
        format!("127.0.0.1:0{port}"),
        format!("127.1:{port}"),
        format!("0.0.0.0:{port}"),
        format!("[::1]:{port}"),
        format!("2130706433:{port}"),
        format!("evil.test:{port}"),
        format!("{host}.evil.test"),
        format!("evil@{host}"),
        format!("{host}, evil.test"),
        format!("{host}\r\nHost: {host}"),
        format!("{host}\r\nHost: evil.test"),
    ] {
        add(&format!("Host: {host}"), &format!("Host: {other}"));
    }
    add(&format!("Host: {host}\r\n"), "");
    for other in [
        "".into(),
        "null".into(),
        "http://evil.test".into(),
        "http://127.0.0.1".into(),
        format!("https://{host}"),
        format!("http://{host}/"),
        format!("http://{host}.evil.test"),
        format!("http://localhost:{port}"),
        format!("HTTP://{host}"),
        host.clone(),
        format!("http://127.0.0.1:{}", port ^ 1),
        format!("http://{host} http://evil.test"),
        format!("http://{host}\r\nOrigin: http://{host}"),
        format!("http://{host}\r\nOrigin: http://evil.test"),
        "vscode-webview://x".into(),
    ] {
        add(&format!("Origin: http://{host}"), &format!("Origin: {other}"));
    }
    for other in [
        "",
        "none",
        "cross-site",
        "same-site",
        "Same-Origin",
        "same-origin, none",
        "same-origin\r\nSec-Fetch-Site: none",
    ] {
        add("Site: same-origin", &format!("Site: {other}"));
    }
    let form = "application/x-www-form-urlencoded";
    for other in [
        "",
        "text/plain",
        "application/json",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded; charset=utf-7",
        "application/x-www-form-urlencoded, text/plain",
        "application/x-www-form-urlencodedx",
        "application/x-www-form-urlencoded\r\nContent-Type: text/plain",
    ] {
        add(form, other);
    }
    add(&format!("Content-Type: {form}\r\n"), "");
    let length = format!("Length: {}", FILLED.len());
    for other in [
        "".into(),
        "0".into(),
        "-1".into(),
        format!("+{}", FILLED.len()),
        format!("0x{:x}", FILLED.len()),
        format!("{}.0", FILLED.len()),
        format!("{0}, {0}", FILLED.len()),
        format!("{0}\r\nContent-Length: {0}", FILLED.len()),
        format!("{}\r\nContent-Length: 0", FILLED.len()),
        format!("{}", FILLED.len() - 8),
        format!("{}", FILLED.len() + 1),
        "16385".into(),
        "4294967296".into(),
        "18446744073709551616".into(),
        "9".repeat(400),
        format!("{}\r\nTransfer-Encoding: chunked", FILLED.len()),
        format!("{}\r\nTransfer-Encoding: identity", FILLED.len()),
        format!("{}\r\n folded", FILLED.len()),
        format!("{}\r\nno colon", FILLED.len()),
        format!("{}\r\nA B: c", FILLED.len()),
        format!("{}\r\nX: \0", FILLED.len()),
        format!("{}\nX: y", FILLED.len()),
        format!("{}\rX: y", FILLED.len()),
        format!("{}\r\nX: {}", FILLED.len(), "y".repeat(8 << 10)),
        format!("{}\r\n{}X: y", FILLED.len(), "X: y\r\n".repeat(3_000)),
    ] {
        add(&length, &format!("Length: {other}"));
    }
    add(&format!("Content-{length}\r\n"), "");
    add(&format!("Content-{length}\r\n"), "Transfer-Encoding: chunked\r\n");
    for version in ["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "http/1.1", "HTTP/1.1 ", ""] {
        add("HTTP/1.1", version);
    }
    for body in [
        "",
        "&",
        "token",
        "token=",
        "token=c4nary",
        "email=",
        "email=&token",
        "email=&token=",
        "email=&token=+%0A",
        "email=&token=c4%nary",
        "email=&token=c4nary%",
        "email=&token=c4nary%2",
        "email=&token=c4nary%ff",
        "email=&token=c4+nary",
        "email=&token=c4nary%00",
        "email=&token=c4nary%0D%0AX:+y",
        "email=&token=%C3%A9",
        "email=&token=c4nary&token=c4nary",
        "email=&email=&token=c4nary",
        "email=&token=c4nary&x=y",
        "email=&token=c4nary&",
        "email=%00&token=c4nary",
        "email=a%3Ab&token=c4nary",
        "email=a%0D%0Ab&token=c4nary",
        "Email=&Token=c4nary",
        "email=;token=c4nary",
        "email[]=&token[]=c4nary",
        "{\"email\":\"\",\"token\":\"c4nary\"}",
        "--x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nc4nary\r\n--x--\r\n",
    ] {
        cases.push((format!("body {body:?}"), tab.request(body).into_bytes()));
    }
    let long = format!("email=&token={}", "c4nary".repeat(2_000));
    cases.push(("a token that is too long".into(), tab.request(&long).into_bytes()));
    let long = format!("email={}&token=c4nary", "a".repeat(255));
    cases.push(("an address that is too long".into(), tab.request(&long).into_bytes()));
    let long = format!("email=&token={}", "c4nary".repeat(3_000));
    cases.push(("a body that is too long".into(), tab.request(&long).into_bytes()));
    for rest in ["x", "\r\n", &right] {
        cases.push((format!("{} bytes after the body", rest.len()), format!("{right}{rest}").into_bytes()));
    }
    for cut in [
        0,
        1,
        4,
        5,
        40,
        right.len() / 2,
        right.len() - FILLED.len() - 1,
        right.len() - FILLED.len(),
        right.len() - 1,
    ] {
        cases.push((format!("closed after {cut} bytes"), right.as_bytes()[..cut].to_vec()));
    }
    for (name, bytes) in [
        ("line feeds only", right.replace('\r', "").into_bytes()),
        ("an empty line first", format!("\r\n{right}").into_bytes()),
        ("a mark first", format!("\u{feff}{right}").into_bytes()),
        ("UTF-16", right.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("TLS", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n".to_vec()),
        ("no end", vec![b'P'; 64 << 10]),
        (
            "the form in the address",
            format!("GET {path}?{FILLED} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes(),
        ),
        ("a GET with a body", right.replacen("POST", "GET", 1).into_bytes()),
    ] {
        cases.push((name.to_owned(), bytes));
    }
    cases
}

/// Whatever came before.
async fn the_right_one_is_taken(page: &TokenPage, tab: &Tab) {
    let posted = tab.posting(FILLED);
    tokio::time::timeout(Duration::from_secs(10), right_one(page)).await.ok().unwrap();
    page.again("No.");
    assert_eq!(posted.await.unwrap().status(), 303);
}

/// Nothing that is said to a wrong request is of use to who sends it.
fn judge(name: &str, tab: &Tab, reply: &Reply) {
    let reply = seen(Reply(reply.0.clone()));
    if reply.0.is_empty() {
        return;
    }
    match reply.status() {
        // Our form with a mistake in it, shown again.
        303 => assert_eq!(reply.header("location"), Some(tab.path.as_str()), "{name}"),
        404 | 405 | 413 => {
            assert!(!reply.0.contains(&tab.path) && !reply.0.contains("<form"), "{name}: {}", reply.0)
        }
        status => panic!("{name}: {status}: {}", reply.0),
    }
    assert_eq!(reply.header("connection"), Some("close"), "{name}");
    for header in ["set-cookie", "access-control-allow-origin", "server", "x"] {
        assert!(reply.header(header).is_none(), "{name}: {header}");
    }
}

#[tokio::test]
async fn nothing_but_the_right_one_submits_anything() {
    let page = open_with(short(60_000, 500, 5_000)).await;
    let tab = Tab::of(&page);
    let cases = wrong(&tab);
    assert!(cases.len() >= 100, "{}", cases.len());
    let mut statuses = std::collections::BTreeMap::new();
    let attack = async {
        for (name, bytes) in &cases {
            let reply = send(tab.port, bytes).await;
            judge(name, &tab, &reply);
            *statuses.entry(reply.status()).or_insert(0) += 1;
        }
    };
    tokio::select! {
        _ = page.wait(pending()) => panic!("something was submitted"),
        () = attack => {}
    }
    // Not captured: the count is what the test is run for.
    let counts =
        format!("{} wrong requests, none submitted anything; by status: {statuses:?}\n", cases.len());
    std::io::Write::write_all(&mut std::io::stderr(), counts.as_bytes()).unwrap();
    the_right_one_is_taken(&page, &tab).await;
}

#[tokio::test]
async fn all_of_them_at_once_do_not_keep_the_right_one_out() {
    let page = open_with(short(60_000, 500, 20_000)).await;
    let tab = Tab::of(&page);
    let mut attack = tokio::task::JoinSet::new();
    for (name, bytes) in wrong(&tab) {
        let port = tab.port;
        attack.spawn(async move { (name, send(port, &bytes).await) });
    }
    while let Some(done) = attack.join_next().await {
        let (name, reply) = done.unwrap();
        judge(&name, &tab, &reply);
    }
    the_right_one_is_taken(&page, &tab).await;
}

#[tokio::test]
async fn what_fits_is_said() {
    let page = open().await;
    let tab = Tab::of(&page);
    let head = |from: &str, to: &str| tab.request("").replacen(from, to, 1);
    let other = send(tab.port, head("POST", "PUT").as_bytes()).await;
    assert_eq!((other.status(), other.header("allow")), (405, Some("GET, POST")));
    assert_eq!(send(tab.port, head("Length: 0", "Length: 16385").as_bytes()).await.status(), 413);
    assert_eq!(
        send(tab.port, head("Length: 0", "Transfer-Encoding: chunked").as_bytes()).await.status(),
        404
    );
    assert_eq!(
        send(tab.port, head(&tab.path, "/x").replacen("POST", "PUT", 1).as_bytes()).await.status(),
        404
    );
    // Programs other than browsers do not say where they come from; editors open the form from anywhere.
    let mut plain = tab.request(FILLED);
    for line in ["Origin: ", "Referer: ", "Sec-Fetch-Site: ", "Sec-Fetch-Mode: "] {
        let start = plain.find(line).unwrap();
        let end = start + plain[start..].find("\r\n").unwrap() + 2;
        plain.replace_range(start..end, "");
    }
    for site in ["none", "same-origin", "cross-site", "same-site"] {
        let get = format!(
            "GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nSec-Fetch-Site: {site}\r\n\r\n",
            tab.path, tab.port
        );
        assert_eq!(send(tab.port, get.as_bytes()).await.status(), 200, "{site}");
    }
    let port = tab.port;
    let posted = tokio::spawn(async move { send(port, plain.as_bytes()).await });
    right_one(&page).await;
    page.again("No.");
    assert_eq!(posted.await.unwrap().status(), 303);
}

#[tokio::test]
async fn who_is_slow_is_let_go() {
    let page = open_with(short(60_000, 200, 5_000)).await;
    let tab = Tab::of(&page);
    let right = tab.request(FILLED);
    for at in [0, 10, right.len() - FILLED.len(), right.len() - 1] {
        let mut stream = TcpStream::connect(("127.0.0.1", tab.port)).await.unwrap();
        stream.write_all(&right.as_bytes()[..at]).await.unwrap();
        let mut reply = Vec::new();
        let end = tokio::time::timeout(Duration::from_secs(1), stream.read_to_end(&mut reply)).await;
        assert!(end.is_ok() && reply.is_empty(), "{at}");
    }
    // A byte now and then does not gain time.
    let mut stream = TcpStream::connect(("127.0.0.1", tab.port)).await.unwrap();
    let mut reply = Vec::new();
    let trickle = async {
        for byte in right.as_bytes() {
            if stream.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let _ = stream.read_to_end(&mut reply).await;
    };
    let waited = tokio::time::timeout(Duration::from_secs(5), trickle).await;
    assert!(waited.is_ok() && reply.is_empty());
    let nothing = tokio::time::timeout(Duration::from_millis(50), page.wait(pending())).await;
    assert!(nothing.is_err());
}

#[tokio::test]
async fn forty_who_say_nothing_give_way_to_the_right_one() {
    let page = open_with(short(60_000, 200, 5_000)).await;
    let tab = Tab::of(&page);
    let mut idle = Vec::new();
    for at in 0..40 {
        let mut stream = TcpStream::connect(("127.0.0.1", tab.port)).await.unwrap();
        stream.write_all(&tab.request(FILLED).as_bytes()[..at]).await.unwrap();
        idle.push(stream);
    }
    the_right_one_is_taken(&page, &tab).await;
}

#[tokio::test]
async fn thirty_two_are_served_at_once_and_the_next_one_waits() {
    let page = open().await;
    let tab = Tab::of(&page);
    let mut idle = Vec::new();
    for _ in 0..32 {
        idle.push(TcpStream::connect(("127.0.0.1", tab.port)).await.unwrap());
    }
    let mut posted = tab.posting(FILLED);
    assert!(crate::is_held(&mut posted).await);
    let early = tokio::time::timeout(Duration::from_millis(50), page.wait(pending())).await;
    assert!(early.is_err());
    idle.pop();
    right_one(&page).await;
    page.again("No.");
    assert_eq!(posted.await.unwrap().status(), 303);
}
