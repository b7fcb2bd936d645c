//! A day with an OAuth login in the real process: sign-ins that go wrong, one that does not, renewals, the end of the
//! login, another one, and signing out. Then the tokens and the secrets of each step are looked for everywhere.

use super::search::{Search, found, random};
use super::secrets::talkative;
use super::{until_shown, uri};
use journeys::editor::{Editor, able};
use journeys::process::{Process, command};
use journeys::world::World;
use serde_json::{Value, json};
use simulator::{Consumer, Fault, LoggedRequest, MARKER, Scenario};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const KEY: &str = "editor-key";
const TOKENS: &str = "/site/oauth2/access_token";
/// How long tokens are good that are to be renewed soon, in seconds: the shortest time for which the server, which
/// renews when a third of it is left, never uses one up to the last moment.
const SOON: u64 = 6;
const PATIENCE: Duration = Duration::from_secs(20);

/// The sample, with a consumer of the user's own.
async fn world(name: &str) -> World {
    let consumer = Consumer {
        key: KEY.into(),
        secret: format!("consumer-{MARKER}-secret"),
        callback: Some("http://127.0.0.1/callback".into()),
        any_port: true,
        expires_in: Some(SOON),
        ..Consumer::default()
    };
    let config = format!(
        "store = \"file\"\n\n[oauth]\nkey = \"{KEY}\"\nsecret = \"{}\"\nports = [0]\n",
        consumer.secret
    );
    let world = World::with(name, Scenario { consumers: vec![consumer], ..Scenario::demo() }).await;
    std::fs::create_dir(world.folder().join("config")).expect("a folder");
    std::fs::write(world.folder().join("config/config.toml"), config).expect("a file");
    world
}

/// The real process with nobody signed in, that asks nothing of Bitbucket by itself.
async fn signed_out(name: &str, world: &World) -> Editor {
    let process = Process::start(&talkative(world.signed_out_variables()));
    let mut editor = Editor::of(name, process, json!({ "refreshInterval": 0 }));
    editor.initialize(&[&world.clone], able(), json!({ "trace": "verbose" })).await;
    editor.notify("initialized", json!({})).await;
    editor.open(&world.file("till/cart.py")).await;
    editor
}

async fn until_told(editor: &mut Editor, before: usize, part: &str) {
    editor
        .until(part, |seen| {
            let told = &seen.messages[before..];
            if told.iter().any(|text| text.contains(part)) { Ok(()) } else { Err(format!("{told:?}")) }
        })
        .await;
}

/// All that a browser was told by the server, and the pages that it was to show.
#[derive(Default)]
struct Browser {
    told: Vec<u8>,
    pages: Vec<String>,
}

impl Browser {
    /// Waits for the next page that the editor is to show in the browser.
    async fn page(&mut self, editor: &mut Editor) -> String {
        let number = self.pages.len();
        let page = editor
            .until("a page for the browser", |seen| {
                let pages = seen.shown.iter().filter(|shown| shown["external"] == true);
                let page = pages.filter_map(|shown| shown["uri"].as_str()).nth(number);
                page.map(str::to_owned).ok_or_else(|| format!("{:?}", seen.messages))
            })
            .await;
        self.pages.push(page.clone());
        page
    }

    /// Goes to an address of this computer, and on to where that leads.
    async fn visit(&mut self, address: &str) -> String {
        let mut answer = self.fetch(address).await;
        if let Some(path) = answer.lines().find_map(|line| line.strip_prefix("Location: ")) {
            let origin = address.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
            let result = format!("{origin}{}", path.trim());
            answer = self.fetch(&result).await;
        }
        answer
    }

    async fn fetch(&mut self, address: &str) -> String {
        let rest = address.strip_prefix("http://").expect("an address of this computer");
        let (host, path) = rest.split_once('/').expect("a path");
        let mut stream = TcpStream::connect(host).await.expect("the server listens");
        let head = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("the server reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("the server answers");
        self.told.extend_from_slice(&answer);
        String::from_utf8(answer).expect("text")
    }

    /// Presses a button on Bitbucket's page, and goes where Bitbucket sends the browser to.
    async fn press(&mut self, world: &World, page: &str, grant: bool) -> String {
        let back = world.simulator.oauth().press(page, grant).expect("a page with buttons");
        assert!(!grant || back.contains(MARKER), "the code can be recognised");
        self.visit(&back).await
    }
}

/// Waits until the token server was asked so many times, and has answered; refreshes as a user does who is waiting.
async fn until_asked(editor: &mut Editor, world: &World, times: usize) {
    let begin = Instant::now();
    let asked = |log: &[LoggedRequest]| {
        log.iter().filter(|one| one.path == TOKENS && one.finished.is_some()).count() >= times
    };
    while !asked(&world.simulator.requests()) {
        assert!(begin.elapsed() < PATIENCE, "no token was asked for: {:#?}", editor.seen.messages);
        editor.command("bitbucket.refresh", json!({})).await;
        world.simulator.until(asked, Duration::from_millis(250)).await;
    }
}

/// The secrets that a server and Bitbucket share for one sign-in, as the page for the browser has them.
fn shared(pages: &[String]) -> BTreeSet<String> {
    pages.iter().flat_map(|page| random(page.as_bytes())).collect()
}

/// Looks through all that a server said and wrote, when it has ended.
async fn assert_nowhere(editor: &mut Editor, world: &World, browser: &Browser, there: &[&str]) {
    let log = editor.process().said().await;
    assert!(String::from_utf8_lossy(&log).contains(" TRACE "), "the log tells all");
    let search = Search { secrets: &[MARKER], without: Vec::new() };
    search.bytes("the log", &log);
    search.bytes("what the editor is told", &editor.heard);
    search.bytes("what the browser is told", &browser.told);
    Search::world(world, there);
    search.folder(&world.clone);
    // The state and PKCE's verifier are random, so that nobody knows them: whatever looks like that is one, unless the
    // page for the browser has it. There it must be; in no other place.
    let shared = shared(&browser.pages);
    assert_eq!(shared.len(), 2 * browser.pages.len(), "each page has a state and a challenge");
    assert_eq!(random(&log), Vec::<String>::new(), "the log");
    let told = String::from_utf8_lossy(&browser.told);
    // Where the browser goes on to has a random address, which nobody else knows, and each page a nonce for its style.
    let is_public = |line: &str| line.starts_with("Location: /result/") || line.contains("<style nonce=");
    let told: Vec<&str> = told.lines().filter(|line| !is_public(line)).collect();
    assert_eq!(random(told.join("\n").as_bytes()), Vec::<String>::new(), "what the browser is told");
    let heard: BTreeSet<String> = random(&editor.heard).into_iter().collect();
    assert_eq!(heard, shared, "what the editor is told");
    let shared: Vec<&str> = shared.iter().map(String::as_str).collect();
    Search { secrets: &shared, without: Vec::new() }.folder(&world.folder());
}

/// How many files the tokens are in. That they are, by the same search that finds none elsewhere, shows that it works.
fn kept(world: &World) -> usize {
    let Ok(entries) = std::fs::read_dir(world.folder().join("state/secrets")) else { return 0 };
    let files: Vec<Vec<u8>> =
        entries.map(|entry| std::fs::read(entry.expect("an entry").path()).expect("a file")).collect();
    assert!(files.is_empty() || files.iter().any(|file| !found(file, MARKER).is_empty()), "tokens are there");
    files.len()
}

#[tokio::test]
async fn its_tokens_are_nowhere() {
    let world = world("oauth-day").await;
    let oauth = world.simulator.oauth();
    let mut editor = signed_out("oauth-day", &world).await;
    let mut browser = Browser::default();
    #[cfg(target_os = "linux")]
    let watch = journeys::children::Watch::begin(editor.process().id());
    until_told(&mut editor, 0, "You are not signed in to Bitbucket").await;

    // What goes wrong at the token server, and after it, costs the sign-in only.
    let faults = [
        Fault::TruncatedJson.on(TOKENS),
        Fault::WrongTypes.on(TOKENS),
        Fault::HtmlPortal.on(TOKENS),
        Fault::Status(500).on(TOKENS),
        Fault::Unauthorized.on(TOKENS),
        Fault::Cut.on(TOKENS),
        Fault::Reset.on(TOKENS),
        Fault::Unauthorized.on("/2.0/user"),
        Fault::Status(500).on("/2.0/user"),
        Fault::WrongTypes.on("/2.0/user"),
    ];
    for fault in faults {
        world.simulator.faults().set(fault.clone());
        let before = editor.seen.messages.len();
        editor.command("bitbucket.generateToken", json!({})).await;
        let page = browser.page(&mut editor).await;
        until_told(&mut editor, before, "Press Grant access").await;
        let end = browser.press(&world, &page, true).await;
        assert!(end.contains("Not signed in"), "{fault:?}: {end}");
        // One message about the page, one about the end.
        editor
            .until("word of the fault", |seen| match seen.messages.len() > before + 1 {
                true => Ok(()),
                false => Err("there is none".into()),
            })
            .await;
        world.simulator.faults().clear_all();
    }
    for (button, told) in [(Some(false), "You denied access"), (None, "The sign-in was given up")] {
        let before = editor.seen.messages.len();
        editor.command("bitbucket.generateToken", json!({})).await;
        let page = browser.page(&mut editor).await;
        match button {
            Some(grant) => drop(browser.press(&world, &page, grant).await),
            None => drop(editor.command("bitbucket.cancelSignIn", json!({})).await),
        }
        until_told(&mut editor, before, told).await;
    }
    assert_eq!((kept(&world), oauth.counts().grants), (0, 10));

    // Signed in, and the comments are there.
    editor.command("bitbucket.generateToken", json!({})).await;
    let page = browser.page(&mut editor).await;
    let end = browser.press(&world, &page, true).await;
    assert!(end.contains("You are signed in as Ana Ruiz"), "{end}");
    until_told(&mut editor, 0, "Signed in to Bitbucket as Ana Ruiz; kept in the file store").await;
    until_shown(&mut editor, &world).await;
    assert!(kept(&world) > 0);
    let asked = || world.simulator.requests().iter().filter(|one| one.path == TOKENS).count();

    // It is time for another token: the first answer is damaged, so the same refresh token is exchanged once more.
    let before = asked();
    world.simulator.faults().set(Fault::TruncatedJson.on(TOKENS).once());
    until_asked(&mut editor, &world, before + 1).await;
    until_asked(&mut editor, &world, before + 2).await;
    let counts = oauth.counts();
    assert_eq!((counts.refreshes, counts.grace_uses, counts.late_reuses), (2, 1, 0));
    until_shown(&mut editor, &world).await;
    editor.document("bitbucket.showStatus", json!({})).await;
    editor.document("bitbucket.showPullRequest", json!({ "line": 0 })).await;

    // Access is taken back at Bitbucket. Until the token is over nothing may be refused, as a token that is refused so
    // soon is not exchanged for half a minute. Then the exchange is refused, twice, and the user is asked.
    world.simulator.faults().set(Fault::Status(500).on("/2.0"));
    oauth.revoke(Some("ana"));
    tokio::time::sleep(Duration::from_secs(SOON)).await;
    world.simulator.faults().clear_all();
    oauth.change(KEY, |consumer| consumer.expires_in = None).expect("a consumer");
    editor.pick = Some("Sign In".into());
    let before = asked();
    editor.command("bitbucket.refresh", json!({})).await;
    editor
        .until("a question", |seen| {
            let text = |asked: &Value| asked["message"].as_str().unwrap_or_default().to_owned();
            match seen.asked.iter().any(|asked| text(asked).contains("Your Bitbucket login has ended")) {
                true => Ok(()),
                false => Err(format!("{:?}", seen.asked)),
            }
        })
        .await;
    assert_eq!(asked(), before + 2);
    assert!(kept(&world) > 0, "nothing is removed because something failed");

    // The user says yes, and is signed in again.
    let before = editor.seen.messages.len();
    let page = browser.page(&mut editor).await;
    let end = browser.press(&world, &page, true).await;
    assert!(end.contains("You are signed in as Ana Ruiz"), "{end}");
    until_told(&mut editor, before, "Signed in to Bitbucket as Ana Ruiz").await;
    until_shown(&mut editor, &world).await;
    let git = git_asks(&world).await;
    assert!(found(&git, MARKER).contains(&"as it is"), "git is given a token");

    // And out.
    let before = editor.seen.messages.len();
    editor.pick = Some("Ana Ruiz".into());
    editor.command("bitbucket.signOut", json!({})).await;
    until_told(&mut editor, before, "Signed out Ana Ruiz: its tokens were removed here").await;
    assert_eq!(kept(&world), 0);
    #[cfg(target_os = "linux")]
    assert_eq!(watch.end(), Default::default(), "no child could have been told");
    editor.request("shutdown", Value::Null).await;
    editor.notify("exit", Value::Null).await;
    assert_eq!(editor.process().end(Duration::from_secs(10)).await.code(), Some(0));
    assert_nowhere(&mut editor, &world, &browser, &["cache", "state"]).await;
    assert!(found(&git_asks(&world).await, MARKER).is_empty(), "git is given nothing any more");
}

/// What git is answered when it asks for a credential. What is logged has no token in it.
async fn git_asks(world: &World) -> Vec<u8> {
    let variables = talkative(world.signed_out_variables());
    let host = world.simulator.web_url().replace("http://", "");
    let mut git = command(&variables);
    git.args(["credential", "get"]).current_dir(&world.clone);
    let (input, output, errors) =
        (std::process::Stdio::piped(), std::process::Stdio::piped(), std::process::Stdio::piped());
    let mut git = git.stdin(input).stdout(output).stderr(errors).spawn().expect("it starts");
    let mut input = git.stdin.take().expect("a pipe");
    let question = format!("protocol=http\nhost={host}\npath=corner-shop/till.git\n\n");
    input.write_all(question.as_bytes()).await.expect("it reads");
    drop(input);
    let output = git.wait_with_output().await.expect("it ends");
    Search { secrets: &[MARKER], without: Vec::new() }.bytes("the log of git's helper", &output.stderr);
    output.stdout
}

/// Whatever a server is about when it is killed, it has left no token behind but where tokens are kept.
#[tokio::test]
async fn a_killed_server_leaves_no_token() {
    let world = world("oauth-killed").await;
    world.simulator.oauth().change(KEY, |consumer| consumer.expires_in = None).expect("a consumer");
    for route in [TOKENS, "/2.0/user", "/2.0/repositories"] {
        let mut editor = signed_out("oauth-killed", &world).await;
        let mut browser = Browser::default();
        world.simulator.faults().set(Fault::Hold.on(route));
        editor.command("bitbucket.generateToken", json!({})).await;
        let page = browser.page(&mut editor).await;
        let back = world.simulator.oauth().press(&page, true).expect("a page with buttons");
        let mut visit = tokio::spawn(async move {
            // The server may be gone before it answers.
            let rest = back.strip_prefix("http://").expect("an address of this computer");
            let (host, path) = rest.split_once('/').expect("a path");
            let mut stream = TcpStream::connect(host).await.expect("the server listens");
            let head = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            answer
        });
        let hangs = |log: &[LoggedRequest]| {
            log.iter()
                .any(|one| one.path.starts_with(route) && !one.faults.is_empty() && one.finished.is_none())
        };
        assert!(world.simulator.until(hangs, PATIENCE).await, "a request hangs: {route}");
        editor.process().kill().await;
        world.simulator.faults().clear_all();
        browser.told = (&mut visit).await.expect("it ends");
        assert_nowhere(&mut editor, &world, &browser, &[]).await;
    }
    // What was stored before the last one was killed is good.
    let mut editor = signed_out("oauth-killed", &world).await;
    until_shown(&mut editor, &world).await;
    assert!(kept(&world) > 0);
    assert_eq!(editor.seen.asked, Vec::<Value>::new());
    let status = editor.request("textDocument/hover", json!({
        "textDocument": { "uri": uri(&world.file("till/cart.py")) }, "position": { "line": super::LINE, "character": 0 }
    }));
    assert!(status.await["contents"]["value"].as_str().is_some_and(|text| text.contains("order")));
    assert_eq!(editor.stop().await, 0);
}
