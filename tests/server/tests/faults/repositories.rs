//! Folders and repositories in which there is nothing to read, or that were made to mislead.

use super::{CART, goes_on, status, until_said, until_status};
use journeys::canary::Canary;
use journeys::world::World;
use serde_json::json;

#[tokio::test]
async fn a_folder_without_a_repository_says_so_and_the_next_folder_works() {
    let world = World::sample("no-repository").await;
    let plain = world.folder().join("plain");
    std::fs::create_dir(&plain).expect("a folder");
    std::fs::write(plain.join("notes.txt"), "nothing\n").expect("a file");
    let mut editor = world.editor_in(&[&plain]).await;
    editor.open(&plain.join("notes.txt")).await;
    let sentence = until_said(&mut editor, "not in a git repository").await;
    assert!(sentence.ends_with('.'), "{sentence}");
    assert_eq!(editor.hover(&plain.join("notes.txt"), 0).await, "");
    let text = status(&mut editor).await;
    assert!(text.contains("Folders without a repository"), "{text}");
    let requests = world.requests_to(super::API);
    assert_eq!(requests, 0);
    let added = json!([{ "uri": journeys::editor::uri(&world.clone), "name": "clone" }]);
    let event = json!({ "event": { "added": added, "removed": [] } });
    editor.notify("workspace/didChangeWorkspaceFolders", event).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(editor.seen.messages, Vec::<String>::new());
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_repository_without_a_bitbucket_remote_says_which_it_has_and_why_not() {
    let world = World::sample("no-bitbucket-remote").await;
    world.git(&["remote", "set-url", "origin", "https://ana:hunter2@code.example.com/corner-shop/till.git"]);
    let mut editor = world.editor().await;
    editor.open(&world.file("till/cart.py")).await;
    until_said(&mut editor, "remote origin is not used").await;
    let text = until_status(&mut editor, "Remote origin").await;
    assert!(text.contains("code.example.com") && text.contains("not used"), "{text}");
    assert!(!text.contains("hunter2") && !format!("{:?}", editor.seen.log).contains("hunter2"));
    goes_on(&mut editor, &world).await;
    assert_eq!(world.requests_to(super::API), 0);
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn hostile_remotes_lead_nowhere_and_the_good_one_is_found() {
    let world = World::sample("hostile-remotes").await;
    let canary = Canary::start().await;
    let evil = canary.url().replace("http://", "");
    let own = world.simulator.web_url().replace("http://", "");
    let trip = world.folder().join("tripped");
    let touch = format!("touch% {}", trip.display());
    let urls = [
        format!("http://ana:hunter2@{evil}/corner-shop/till.git"),
        format!("http://{own}@{evil}/corner-shop/till.git"),
        format!("http://{evil}/{own}/corner-shop/till.git"),
        format!("http://{own}.{evil}/corner-shop/till.git"),
        format!("http://{own}/../../{evil}/till.git"),
        format!("http://{own}/corner-shop/till.git/../../../2.0/user"),
        format!("http://{own}/corner-shop%2ftill/x%0d%0aHost:%20{evil}.git"),
        format!("http://{own}/corner-shop/till?next=http://{evil}/"),
        format!("http://{own}\\@{evil}/corner-shop/till.git"),
        format!("ext::sh -c {touch}"),
        format!("-oProxyCommand={touch}"),
        format!("ssh://-oProxyCommand={touch}/corner-shop/till"),
        "file:///etc/passwd".into(),
        "javascript:alert(1)".into(),
        "http://[::1/corner-shop/till".into(),
        "\u{1b}]52;c;aGk=\u{7}".into(),
        "https://bitbucket.org\u{202e}/corner-shop/till".into(),
        "[click](command:workbench.action.quit)".into(),
        "<img src=x onerror=alert(1)>".into(),
        String::new(),
        "x".repeat(100_000),
    ];
    for (number, url) in urls.iter().enumerate() {
        world.git(&["config", &format!("remote.evil{number}.url"), url]);
    }
    world.git(&["config", "remote.[click](command:quit).url", &format!("http://{evil}/a/b.git")]);
    // Before the good one, if names decided.
    let settings = json!({ "preferredRemotes": ["evil0", "evil1", "evil8", "[click](command:quit)"] });
    let mut editor = world.editor_with(settings).await;
    editor.open(&world.file("till/cart.py")).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    let text = status(&mut editor).await;
    for (number, url) in urls.iter().enumerate() {
        assert!(text.contains(&format!("Remote evil{number}")) || url.is_empty(), "evil{number}: {text}");
    }
    super::hostile::assert_harmless_markdown("the status", &text);
    for line in editor.seen.log.iter().chain(&editor.seen.messages) {
        super::hostile::assert_harmless_message("the log", line);
        assert!(!line.contains("hunter2"), "{line}");
    }
    assert!(!text.contains("hunter2"));
    assert_eq!(canary.heard(), Vec::<String>::new());
    assert!(!trip.exists(), "a remote ran a command");
    assert!(world.simulator.requests().iter().all(|one| one.host == own), "{:?}", world.simulator.requests());
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn two_hundred_remotes_cost_a_few_requests() {
    let world = World::sample("two-hundred-remotes").await;
    let web = world.simulator.web_url();
    let config = world.clone.join(".git/config");
    let mut text = std::fs::read_to_string(&config).expect("a configuration");
    for number in 0..200 {
        text.push_str(&format!("[remote \"fork{number}\"]\n\turl = {web}/fork{number}/till.git\n"));
    }
    std::fs::write(&config, text).expect("the configuration is written");
    let mut editor = world.editor().await;
    editor.open(&world.file("till/cart.py")).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    let requests = world.requests_to(super::API);
    assert!(requests < 20, "{requests} requests");
    assert_eq!(editor.stop().await, 0);
}
