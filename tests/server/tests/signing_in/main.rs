//! Journeys of signing in and out: by the browser, by an address that is pasted, by a token; accounts, and logins that
//! end.

mod accounts;
mod browser;
mod command_line;
mod renewing;
mod stores;
mod token_page;

use bitbucket_lsp::worker::accounts::Oauth;
use bitbucket_lsp::worker::{Environment, Secret};
use journeys::editor::{Editor, Seen, able};
use journeys::world::World;
use serde_json::{Value, json};
use simulator::{Account, Consumer, MARKER, Scenario};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The comments of `till/cart.py` in the sample, as diagnostics begin.
const CART: [&str; 1] = ["35: Ben Okafor: Does the order matter?"];
const SIGNED_OUT: &str = "You are not signed in to Bitbucket; run \"Bitbucket: Generate Token\"";
const PATIENCE: Duration = Duration::from_secs(20);

/// The sample, with a consumer that takes each port of this computer.
fn scenario() -> Scenario {
    let consumer = Consumer {
        key: "editor-key".into(),
        secret: format!("consumer-{MARKER}"),
        callback: Some("http://127.0.0.1/callback".into()),
        any_port: true,
        ..Consumer::default()
    };
    Scenario { consumers: vec![consumer], ..Scenario::demo() }
}

/// All that an API token may be made with.
fn api_scopes() -> Vec<String> {
    let scopes =
        ["read:user", "read:repository", "write:repository", "read:pullrequest", "write:pullrequest"];
    scopes.iter().map(|scope| format!("{scope}:bitbucket")).collect()
}

/// What a user has who made a consumer and is signed out.
fn environment(world: &World) -> Environment {
    let oauth = Oauth {
        key: Some("editor-key".into()),
        secret: Some(Secret::new(format!("consumer-{MARKER}"))),
        ports: vec![0],
        ..Oauth::default()
    };
    Environment { oauth, ..world.signed_out() }
}

async fn editor_as(name: &str, world: &World, environment: Environment) -> Editor {
    Editor::start(name, environment, &[&world.clone], able(), json!({})).await
}

/// Waits until a message to the user holds `part`, and gives it.
async fn until_told(editor: &mut Editor, part: &str) -> String {
    let found = |seen: &Seen| seen.messages.iter().find(|text| text.contains(part)).cloned();
    editor.until(part, |seen| found(seen).ok_or_else(|| format!("{:?}", seen.messages))).await
}

/// Runs Generate Token, and gives the page that the browser is to show.
async fn begin(editor: &mut Editor) -> String {
    let pages = |seen: &Seen| external(seen).len();
    let before = pages(&editor.seen);
    editor.command("bitbucket.generateToken", json!({})).await;
    editor
        .until("a page in the browser", |seen| match external(seen).get(before) {
            Some(page) => Ok(page.clone()),
            None => Err(format!("{:?}", seen.messages)),
        })
        .await
}

/// The pages that the browser was to show.
fn external(seen: &Seen) -> Vec<String> {
    let is_external = |shown: &&Value| shown["external"] == true;
    let uri = |shown: &Value| shown["uri"].as_str().unwrap_or_default().to_owned();
    seen.shown.iter().filter(is_external).map(uri).collect()
}

/// What a browser does at an address of this computer: gives the answer, head included. It follows one redirect.
async fn visit(address: &str) -> String {
    let answer = fetch(address).await;
    let place = answer.lines().find_map(|line| line.strip_prefix("Location: "));
    match place {
        Some(path) => {
            let origin = address.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
            fetch(&format!("{origin}{}", path.trim())).await
        }
        None => answer,
    }
}

async fn fetch(address: &str) -> String {
    request(address, "GET", "").await
}

/// One request; the answer as text, or nothing where nobody listens.
async fn request(address: &str, method: &str, body: &str) -> String {
    let rest = address.strip_prefix("http://").expect("an address of this computer");
    let (host, path) = rest.split_once('/').expect("a path");
    let Ok(mut stream) = TcpStream::connect(host).await else { return String::new() };
    let form = match body {
        "" => String::new(),
        body => format!(
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nOrigin: http://{host}\r\n",
            body.len()
        ),
    };
    let text = format!("{method} /{path} HTTP/1.1\r\nHost: {host}\r\n{form}\r\n{body}");
    let mut answer = String::new();
    if stream.write_all(text.as_bytes()).await.is_ok() {
        let _ = stream.read_to_string(&mut answer).await;
    }
    answer
}

/// Signs in with the browser; gives the page that it ends at.
async fn sign_in(editor: &mut Editor, world: &World) -> String {
    let page = begin(editor).await;
    let back = world.simulator.oauth().press(&page, true).expect("a page with buttons");
    visit(&back).await
}

/// Whether nobody listens on the port of an address any more; waits for at most a second.
async fn is_closed(address: &str) -> bool {
    let rest = address.strip_prefix("http://").expect("an address of this computer");
    let host = rest.split('/').next().expect("a host");
    for _ in 0..100 {
        if TcpStream::connect(host).await.is_err() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

/// The address that Bitbucket sends the browser back to, from the page that it shows.
fn redirect_of(page: &str) -> String {
    let encoded =
        page.split("redirect_uri=").nth(1).and_then(|rest| rest.split('&').next()).expect("an address");
    encoded.replace("%3A", ":").replace("%2F", "/")
}
