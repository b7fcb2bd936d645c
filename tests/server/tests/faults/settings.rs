//! Settings and files that would decide where a token goes, and files with mistakes.

use super::{CART, said};
use journeys::canary::Canary;
use journeys::editor::{Editor, able};
use journeys::process::{Process, command};
use journeys::world::World;
use serde_json::{Value, json};

/// Everything that a workspace may try.
fn redirecting(url: &str) -> Value {
    json!({
        "apiUrl": format!("{url}/2.0"), "webUrl": url, "proxy": url, "caFile": "/tmp/ca.pem",
        "token": "stolen", "email": "eve@evil.example", "apiToken": "stolen",
        "oauth": { "key": "k", "secret": "s", "host": url }, "browser": "/tmp/evil", "gitPath": "/tmp/evil",
        "logFile": "/tmp/evil.log"
    })
}

#[tokio::test]
async fn settings_from_a_workspace_cannot_redirect_the_token() {
    let world = World::sample("settings-redirect").await;
    let canary = Canary::start().await;
    let evil = redirecting(&canary.url());
    // Where other tools look for settings.
    let settings = json!({ "bitbucket": evil }).to_string();
    for (path, text) in [
        (".vscode/settings.json", settings.clone()),
        (
            ".helix/languages.toml",
            format!("[language-server.bitbucket-lsp.config]\napiUrl = \"{}\"\n", canary.url()),
        ),
        (".nvim.lua", format!("vim.env.BITBUCKET_API_URL = \"{}\"\n", canary.url())),
        (".env", format!("BITBUCKET_API_URL={}\nHTTP_PROXY={}\n", canary.url(), canary.url())),
        ("config.toml", format!("api_url = \"{}\"\n", canary.url())),
        (".config/bitbucket-lsp/config.toml", format!("api_url = \"{}\"\n", canary.url())),
    ] {
        let file = world.file(path);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, text).expect("a file");
    }
    world.git(&["config", "http.proxy", &canary.url()]);
    world.git(&["config", &format!("url.{}/.insteadOf", canary.url()), "https://api.bitbucket.org/"]);

    let process = Process::start(&world.variables());
    let mut editor = Editor::of("settings-redirect", process, evil.clone());
    let options = json!({ "initializationOptions": { "bitbucket": evil } });
    editor.initialize(&[&world.clone], able(), options).await;
    editor.notify("initialized", json!({})).await;
    editor.open(&world.file("till/cart.py")).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    editor.notify("workspace/didChangeConfiguration", json!({ "settings": { "bitbucket": evil } })).await;
    // The status comes after the settings were pulled once more; a refresh sends the token somewhere again.
    let answers = editor.seen.configurations;
    editor
        .until("a look at the changed settings", |seen| match seen.configurations > answers {
            true => Ok(()),
            false => Err("there was none".into()),
        })
        .await;
    editor.document("bitbucket.showStatus", json!({})).await;
    let warnings = said(&editor.seen, "not taken from the editor");
    assert_eq!(warnings.len(), 1, "{:#?}", editor.seen.messages);
    for key in evil.as_object().expect("an object").keys() {
        assert!(warnings[0].contains(&format!("bitbucket.{key}")), "{key}: {}", warnings[0]);
    }
    editor.command("bitbucket.refresh", json!({})).await;
    editor.document("bitbucket.showStatus", json!({})).await;
    assert_eq!(editor.stop().await, 0);
    assert_eq!(canary.heard(), Vec::<String>::new());
}

#[tokio::test]
async fn a_client_that_pushes_settings_cannot_redirect_either() {
    let world = World::sample("settings-pushed").await;
    let canary = Canary::start().await;
    let mut capabilities = able();
    capabilities["workspace"]["configuration"] = json!(false);
    let mut editor =
        Editor::start("settings-pushed", world.environment(), &[&world.clone], capabilities, json!({})).await;
    let evil = redirecting(&canary.url());
    editor.notify("workspace/didChangeConfiguration", json!({ "settings": { "bitbucket": evil } })).await;
    editor.notify("workspace/didChangeConfiguration", json!({ "settings": { "bitbucket": evil } })).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    editor.document("bitbucket.showStatus", json!({})).await;
    assert_eq!(said(&editor.seen, "not taken from the editor").len(), 1);
    assert_eq!(editor.stop().await, 0);
    assert_eq!(canary.heard(), Vec::<String>::new());
}

#[tokio::test]
async fn a_typo_in_the_users_file_is_told_with_its_place_and_no_token_is_sent() {
    let world = World::sample("config-typo").await;
    let variables = world.variables();
    let folder = world.folder().join("config");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("config.toml"), "log = \"info\"\n  web_ulr = \"https://x.example\"\n")
        .expect("a file");
    let place = "config.toml line 2, column 3: unknown field `web_ulr`";
    let asked = world.requests_to(super::API);

    let mut editor = Editor::of("config-typo", Process::start(&variables), json!({}));
    editor.initialize(&[&world.clone], able(), json!({})).await;
    editor.notify("initialized", json!({})).await;
    let file = world.file("till/cart.py");
    editor.open(&file).await;
    super::until_said(&mut editor, place).await;
    let status = super::until_status(&mut editor, "Remote origin").await;
    assert!(status.replace('\\', "").contains(place), "{status}");
    super::goes_on(&mut editor, &world).await;
    assert_eq!(said(&editor.seen, place).len(), 1);
    assert_eq!(editor.stop().await, 0);

    let doctor = command(&variables).args(["doctor"]).arg(&world.clone).output().await.expect("doctor runs");
    let report = String::from_utf8(doctor.stdout).expect("text");
    assert_eq!(report.matches(place).count(), 1, "{report}");
    assert_eq!(doctor.status.code(), Some(1));
    let comments =
        command(&variables).args(["comments"]).arg(&world.clone).output().await.expect("comments runs");
    assert_eq!(comments.status.code(), Some(1));
    let said = String::from_utf8(comments.stderr).expect("text");
    assert!(said.contains(place), "{said}");
    assert_eq!(world.requests_to(super::API), asked, "no token goes anywhere on a guess");
}
