//! The token, looked for in everything that a process leaves behind. It must be nowhere but in its own environment.

use super::search::Search;
use super::{started_with, until_shown};
use journeys::editor::Editor;
use journeys::process::command;
use journeys::world::World;
use serde_json::{Value, json};
use simulator::{Account, Fault, MARKER, Scenario};
use std::path::Path;
use std::time::Duration;

/// Characters that every encoding spells differently.
pub(super) const TOKEN: &str = "ATCT+c4n4ryT0k3n/3xFfGN\"0=T&o<k>e%n~7\\Q";
const EMAIL: &str = "ana.canary@corner.test";
/// What the user info of the remote has. It has the marker as well.
const IN_REMOTE: &str = "hunter2-c4n4ryT0k3n";

/// The sample with a token of ours.
pub(super) fn scenario(email: Option<&str>) -> Scenario {
    let email = email.map(str::to_owned);
    let account = Account { user: "ana".into(), token: TOKEN.into(), email, ..Account::default() };
    let mut scenario = Scenario { accounts: vec![account], ..Scenario::demo() };
    scenario.pull_requests[0].title = "A title".into();
    scenario
}

/// The real process as talkative as it can be.
pub(super) fn talkative(mut variables: Vec<(String, String)>) -> Vec<(String, String)> {
    variables.push(("BITBUCKET_LSP_LOG".into(), "trace".into()));
    variables.push(("RUST_BACKTRACE".into(), "full".into()));
    variables
}

/// Puts user info into the remote, as some clones have it.
fn put_into_remote(world: &World) {
    let user = world.simulator.web_url().replace("http://", &format!("http://x-token-auth:{IN_REMOTE}@"));
    world.git(&["remote", "set-url", "origin", &format!("{user}/corner-shop/till.git")]);
}

/// Looks through all that a server said and wrote, when it has ended.
async fn assert_nowhere(editor: &mut Editor, world: &World, there: &[&str]) {
    let said = editor.process().said().await;
    assert!(String::from_utf8_lossy(&said).contains(" TRACE "), "the log tells all");
    assert!(editor.heard.len() > 1_000, "{} bytes", editor.heard.len());
    let search = Search { secrets: &[MARKER, TOKEN], without: Vec::new() };
    search.bytes("the log", &said);
    search.bytes("what the editor is told", &editor.heard);
    Search::world(world, there);
    // The remote is the user's own doing.
    Search { secrets: &[TOKEN], without: Vec::new() }.folder(&world.clone);
}

/// A whole day of a server that logs all it can, bad moments included; then everything it left is looked through.
async fn a_day(name: &str, email: Option<&str>) {
    let world = World::with(name, scenario(email)).await;
    let variables = talkative(world.variables());
    put_into_remote(&world);
    let mut editor = started_with(name, &world, &variables, json!({ "trace": "verbose" })).await;
    #[cfg(target_os = "linux")]
    let watch = journeys::children::Watch::begin(editor.process().id());
    until_shown(&mut editor, &world).await;
    let faults = [
        Fault::Unauthorized,
        Fault::MissingScope("pullrequest".into()),
        Fault::Status(500),
        Fault::Reset,
        Fault::RedirectElsewhere("https://evil.example/".into()),
        Fault::HtmlPortal,
        Fault::TruncatedJson,
        Fault::WrongTypes,
    ];
    for fault in faults {
        world.simulator.faults().set(fault.on("/2.0"));
        let before = editor.seen.messages.len();
        editor.command("bitbucket.refresh", json!({})).await;
        editor
            .until("word of the fault", |seen| match seen.messages.len() > before {
                true => Ok(()),
                false => Err("there is none".into()),
            })
            .await;
        editor.document("bitbucket.showStatus", json!({})).await;
        editor.hover(&world.file("till/cart.py"), super::LINE).await;
        world.simulator.faults().clear_all();
    }
    editor.write_message(b"{\"jsonrpc\":").await;
    editor.write_message(br#"{"jsonrpc":"2.0","method":"textDocument/didOpen","params":7}"#).await;
    editor.document("bitbucket.showPullRequest", json!({ "line": 0 })).await;
    editor.command("bitbucket.openInBrowser", json!({ "line": 0 })).await;
    #[cfg(target_os = "linux")]
    {
        let arguments = std::fs::read(format!("/proc/{}/cmdline", editor.process().id()));
        Search { secrets: &[MARKER, TOKEN], without: Vec::new() }
            .bytes("its arguments", &arguments.expect("a process"));
        assert_eq!(watch.end(), Default::default(), "no child could have been told");
    }
    editor.request("shutdown", Value::Null).await;
    editor.notify("exit", Value::Null).await;
    editor.process().end(Duration::from_secs(10)).await;
    let log = String::from_utf8_lossy(&editor.process().said().await).into_owned();
    assert!(
        log.contains("/2.0/") && log.contains("401"),
        "the log tells what was asked, and what became of it"
    );
    assert_nowhere(&mut editor, &world, &["cache"]).await;

    for arguments in [
        &["comments"][..],
        &["doctor"][..],
        &["auth", "status"][..],
        &["--help"][..],
        &["comments", "--no-such"][..],
    ] {
        let output =
            command(&variables).args(arguments).current_dir(&world.clone).output().await.expect("it runs");
        let search = Search { secrets: &[MARKER, TOKEN], without: Vec::new() };
        assert!(output.stdout.len() + output.stderr.len() > 40, "{arguments:?}");
        search.bytes("what a command prints", &output.stdout);
        search.bytes("what a command logs", &output.stderr);
    }
    Search::world(&world, &["cache"]);
}

#[tokio::test]
async fn an_access_token_is_nowhere() {
    a_day("secrets-bearer", None).await;
}

#[tokio::test]
async fn an_api_token_is_nowhere() {
    a_day("secrets-basic", Some(EMAIL)).await;
}

/// Whatever a server is about when it is killed, it has left no token behind; and the next one works.
#[tokio::test]
async fn a_killed_server_leaves_no_token() {
    let world = World::with("secrets-killed", scenario(None)).await;
    let variables = talkative(world.variables());
    put_into_remote(&world);
    let moments = [
        (Fault::Hold, "/2.0"),
        (Fault::Hold, "/2.0/repositories/*/*/pullrequests"),
        (Fault::SlowBody(64), "/2.0/repositories/*/*/pullrequests/*/comments"),
        (Fault::Hold, "/2.0/repositories/*/*/pullrequests/*/comments"),
    ];
    for (fault, route) in moments {
        world.simulator.faults().set(fault.on(route));
        let before = world.simulator.requests().len();
        let mut editor = started_with("secrets-killed", &world, &variables, json!({})).await;
        editor.document("bitbucket.showStatus", json!({})).await;
        let asked = |log: &[simulator::LoggedRequest]| {
            log.iter().skip(before).any(|one| !one.faults.is_empty() && one.finished.is_none())
        };
        assert!(
            world.simulator.until(asked, Duration::from_secs(10)).await,
            "a request is under way: {route}"
        );
        editor.process().kill().await;
        world.simulator.faults().clear_all();
        assert_nowhere(&mut editor, &world, &["cache"]).await;
    }
    let mut editor = started_with("secrets-killed", &world, &variables, json!({})).await;
    until_shown(&mut editor, &world).await;
    editor.document("bitbucket.showPullRequest", json!({ "line": 0 })).await;
    editor.process().kill().await;
    assert_nowhere(&mut editor, &world, &["cache"]).await;
}

/// A program that takes a page, writes down what it was given, and ends after a moment.
#[cfg(target_os = "linux")]
fn write_browser(program: &Path, seen: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let script = format!(
        "#!/bin/sh\ncat /proc/$$/cmdline > '{seen}/arguments'\ncat /proc/$$/environ > '{seen}/environment'\nsleep 0.2\n\
         : > '{seen}/done'\n",
        seen = seen.display()
    );
    std::fs::create_dir_all(program.parent().expect("a folder")).expect("a folder");
    std::fs::create_dir_all(seen).expect("a folder");
    std::fs::write(program, script).expect("a program");
    std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o700)).expect("a program");
}

/// A server that opens a page by itself, since its editor cannot; then its child is looked into, by itself and from
/// outside.
#[cfg(target_os = "linux")]
async fn a_page_is_opened(name: &str, world: &World, variables: Vec<(String, String)>, seen: &Path) {
    let mut variables = talkative(variables);
    variables.push(("BITBUCKET_LSP_OAUTH_KEY".into(), "a-key".into()));
    variables.push(("BITBUCKET_LSP_OAUTH_SECRET".into(), format!("consumer-{MARKER}")));
    let mut editor = Editor::of(name, journeys::process::Process::start(&variables), json!({}));
    let mut unable = journeys::editor::able();
    unable["window"].as_object_mut().expect("an object").remove("showDocument");
    editor.initialize(&[&world.clone], unable, json!({})).await;
    editor.notify("initialized", json!({})).await;
    editor.open(&world.file("till/cart.py")).await;
    until_shown(&mut editor, world).await;
    let watch = journeys::children::Watch::begin(editor.process().id());
    editor.command("bitbucket.openInBrowser", json!({ "line": 0 })).await;
    let begin = std::time::Instant::now();
    while !seen.join("done").exists() {
        assert!(begin.elapsed() < Duration::from_secs(20), "no page was opened: {}", editor.said());
        // Nothing tells when another program has written a file.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let programs = watch.end();
    let has = |bytes: &[u8], text: &str| String::from_utf8_lossy(bytes).contains(text);
    let page = format!("{}/corner-shop/till/pull-requests/4\0", world.simulator.web_url());
    let home = format!("HOME={}\0", world.folder().join("home").display());
    let read = |name: &str| std::fs::read(seen.join(name)).expect("the program has written it");
    let (arguments, environment) = (read("arguments"), read("environment"));
    assert!(has(&arguments, &page) && has(&environment, &home), "it is the server's child");
    let is_seen = programs.iter().any(|program| has(&program.arguments, &page));
    assert!(is_seen, "the watch has seen it: {programs:?}");
    let variables = ["BITBUCKET_TOKEN=", "BITBUCKET_API_TOKEN=", "BITBUCKET_LSP_OAUTH_SECRET="];
    let search = Search { secrets: &[&[MARKER, TOKEN, EMAIL], &variables[..]].concat(), without: Vec::new() };
    search.bytes("the arguments of the browser", &arguments);
    search.bytes("the environment of the browser", &environment);
    for program in &programs {
        search.bytes("the arguments of a child", &program.arguments);
        search.bytes("the environment of a child", &program.environment);
    }
    editor.process().kill().await;
    assert_nowhere(&mut editor, world, &[]).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_users_browser_is_told_no_token() {
    let world = World::with("secrets-browser", scenario(None)).await;
    let (program, seen) = (world.folder().join("browser"), world.folder().join("seen"));
    write_browser(&program, &seen);
    std::fs::create_dir(world.folder().join("config")).expect("a folder");
    let config = format!("browser = {:?}\n", program.display().to_string());
    std::fs::write(world.folder().join("config/config.toml"), config).expect("a file");
    a_page_is_opened("secrets-browser", &world, world.variables(), &seen).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_systems_browser_is_told_no_token() {
    let world = World::with("secrets-system-browser", scenario(Some(EMAIL))).await;
    let (programs, seen) = (world.folder().join("programs"), world.folder().join("seen"));
    write_browser(&programs.join("xdg-open"), &seen);
    let mut variables = world.variables();
    let path = std::env::var("PATH").expect("a path");
    variables.push(("PATH".into(), format!("{}:{path}", programs.display())));
    a_page_is_opened("secrets-system-browser", &world, variables, &seen).await;
}
