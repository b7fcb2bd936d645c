//! The token, looked for in everything that a process leaves behind. It must be nowhere but in its own environment.

use super::{started_with, until_shown};
use journeys::process::command;
use journeys::world::World;
use serde_json::json;
use simulator::{Account, Fault, Scenario};
use std::path::Path;

/// Characters that every encoding spells differently.
const TOKEN: &str = "ATCT+c4n4ryT0k3n/3xFfGN\"0=T&o<k>e%n~7\\Q";
const EMAIL: &str = "ana.canary@corner.test";

/// The ways in which a secret may be written down.
fn spellings(secret: &str) -> Vec<(&'static str, String)> {
    let json = serde_json::to_string(secret).expect("JSON");
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent = |keep: fn(u8) -> bool| -> String {
        secret
            .bytes()
            .map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect()
    };
    let mut all = vec![
        ("as it is", secret.to_owned()),
        ("escaped as JSON", json[1..json.len() - 1].to_owned()),
        ("escaped twice", json[1..json.len() - 1].replace('\\', "\\\\").replace('"', "\\\"")),
        ("percent-encoded", percent(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))),
        (
            "percent-encoded, a little",
            percent(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=&".contains(&byte)),
        ),
        ("as a list of numbers", secret.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ")),
        ("in hexadecimal", hex.clone()),
        ("in upper hexadecimal", hex.to_uppercase()),
    ];
    // Base64 of a text that holds it depends on where in there it begins; what is sure is the middle.
    for (alphabet, last) in [("base64", b"+/"), ("base64 for addresses", b"-_")] {
        for before in 0..3 {
            let text = base64(&[&b"abc"[..before], secret.as_bytes()].concat(), last);
            let first = (before * 8).div_ceil(6);
            let whole = (before + secret.len()) * 8 / 6;
            all.push((alphabet, text[first..whole].to_owned()));
        }
    }
    all
}

fn base64(bytes: &[u8], last: &[u8; 2]) -> String {
    let digit = |value: u32| match value {
        0..=25 => char::from(b'A' + value as u8),
        26..=51 => char::from(b'a' + (value - 26) as u8),
        52..=61 => char::from(b'0' + (value - 52) as u8),
        value => char::from(last[value as usize - 62]),
    };
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let value = (0..3).fold(0, |value, at| value << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        text.extend((0..=chunk.len()).map(|at| digit(value >> (18 - 6 * at) & 63)));
    }
    text
}

/// Where the secret is in some bytes, by the name of its spelling.
fn found(bytes: &[u8], secret: &str) -> Vec<&'static str> {
    let is_in = |spelling: &str| bytes.windows(spelling.len()).any(|window| window == spelling.as_bytes());
    spellings(secret).into_iter().filter(|(_, spelling)| is_in(spelling)).map(|(name, _)| name).collect()
}

fn assert_clean(what: &str, bytes: &[u8]) {
    for secret in [TOKEN, &format!("{EMAIL}:{TOKEN}")] {
        assert_eq!(found(bytes, secret), Vec::<&str>::new(), "the token is in {what}");
    }
}

/// Everything below a folder, with its name.
fn assert_clean_folder(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let mut count = 0;
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        assert_clean("the name of a file", path.as_os_str().as_encoded_bytes());
        if path.is_symlink() {
            continue;
        }
        count += match path.is_dir() {
            true => assert_clean_folder(&path),
            false => {
                assert_clean(&path.display().to_string(), &std::fs::read(&path).expect("a file"));
                1
            }
        };
    }
    count
}

fn scenario(email: Option<&str>) -> Scenario {
    let email = email.map(str::to_owned);
    let account = Account { user: "ana".into(), token: TOKEN.into(), email, ..Account::default() };
    let mut scenario = Scenario { accounts: vec![account], ..Scenario::demo() };
    scenario.pull_requests[0].title = "A title".into();
    scenario
}

/// A whole day of a server that logs all it can, bad moments included; then everything it left is looked through.
async fn a_day(name: &str, email: Option<&str>) {
    let world = World::with(name, scenario(email)).await;
    let mut variables = world.variables();
    variables.push(("BITBUCKET_LSP_LOG".into(), "trace".into()));
    variables.push(("RUST_BACKTRACE".into(), "full".into()));
    // The remote has user info, as some clones have.
    let user = world.simulator.web_url().replace("http://", "http://x-token-auth:hunter2-c4n4ryT0k3n@");
    world.git(&["remote", "set-url", "origin", &format!("{user}/corner-shop/till.git")]);
    let mut editor = started_with(name, &world, &variables, json!({ "trace": "verbose" })).await;
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
    #[cfg(target_os = "linux")]
    {
        let id = editor.process().id();
        assert_clean("its arguments", &std::fs::read(format!("/proc/{id}/cmdline")).expect("a process"));
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        assert_eq!(children.trim(), "", "no child could have been told");
    }
    editor.request("shutdown", serde_json::Value::Null).await;
    editor.notify("exit", serde_json::Value::Null).await;
    editor.process().end(std::time::Duration::from_secs(10)).await;
    let heard = editor.heard.clone();
    let said = editor.process().said().await;
    assert!(
        said.len() > 1_000 && String::from_utf8_lossy(&said).contains("/2.0/"),
        "the log tells what was asked"
    );
    assert!(heard.len() > 10_000, "{} bytes", heard.len());
    assert_clean("the log", &said);
    assert_clean("what the editor is told", &heard);
    for bytes in [&said, &heard] {
        assert!(
            !String::from_utf8_lossy(bytes).contains("hunter2-c4n4ryT0k3n"),
            "the remote's user info is told"
        );
    }
    assert!(assert_clean_folder(&world.folder().join("cache")) >= 2, "documents were written");
    assert_clean_folder(&world.folder().join("home"));
    assert_clean_folder(&world.folder().join("config"));
    assert_clean_folder(&world.clone);

    for arguments in [&["comments"][..], &["doctor"][..], &["--help"][..], &["comments", "--no-such"][..]] {
        let output =
            command(&variables).args(arguments).current_dir(&world.clone).output().await.expect("it runs");
        assert_clean("what a command prints", &output.stdout);
        assert_clean("what a command logs", &output.stderr);
    }
}

#[tokio::test]
async fn an_access_token_is_nowhere() {
    a_day("secrets-bearer", None).await;
}

#[tokio::test]
async fn an_api_token_is_nowhere() {
    a_day("secrets-basic", Some(EMAIL)).await;
}

/// A search that finds nothing where something is would be worth nothing.
#[test]
fn the_search_finds_each_spelling() {
    for (name, spelling) in spellings(TOKEN) {
        for text in
            [spelling.clone(), format!("GET /x \u{1}{spelling}\n more"), format!("{{\"a\":\"{spelling}\"}}")]
        {
            assert!(found(text.as_bytes(), TOKEN).contains(&name), "{name}: {text}");
        }
    }
    // As a real header has it, whatever stands before the token.
    for user in ["", "a", EMAIL, "x-token-auth"] {
        let header = format!("Authorization: Basic {}", base64(format!("{user}:{TOKEN}").as_bytes(), b"+/"));
        assert!(found(header.as_bytes(), TOKEN).contains(&"base64"), "{header}");
    }
    assert_eq!(found(b"nothing of the kind", TOKEN), Vec::<&str>::new());
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("deep")).expect("a folder");
    std::fs::write(folder.path().join("deep/file.md"), format!("x{TOKEN}x")).expect("a file");
    let caught = std::panic::catch_unwind(|| assert_clean_folder(folder.path()));
    assert!(caught.is_err(), "a planted token is found");
}
