//! Comments, names, titles and branches that were written to do harm, seen through everything that the server shows.

use super::{editor, until_status};
use journeys::world::World;
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::{Value, json};
use simulator::{Comment, Scenario, Status, Task};

/// Characters that change how other text looks: direction, zero width, terminal controls.
fn is_hostile(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}' | '\u{feff}' | '\u{7f}'..='\u{9f}')
        || (letter.is_control() && !matches!(letter, '\n' | '\t' | '\r'))
}

/// A message: a line that no editor would find a link in. (VS Code reads `[…](…)` in messages, nowhere else in plain text.)
pub(crate) fn assert_harmless_message(what: &str, line: &str) {
    assert_harmless_line(what, line);
    assert!(!line.contains("]("), "a link in {what}: {line:?}");
}

/// One line of plain text, without hidden characters.
fn assert_harmless_line(what: &str, line: &str) {
    assert!(!line.contains(is_hostile), "hidden characters in {what}: {line:?}");
    assert!(line.chars().count() <= 2_000, "{what} is {} characters long", line.chars().count());
}

/// Markdown: nothing but text, code and links to web pages comes out of it.
pub(crate) fn assert_harmless_markdown(what: &str, markdown: &str) {
    let hidden = markdown.chars().find(|letter| is_hostile(*letter));
    assert_eq!(hidden, None, "hidden characters in {what}:\n{markdown}");
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => panic!("HTML in {what}: {html}\n{markdown}"),
            Event::Start(Tag::Image { dest_url, .. }) => panic!("an image in {what}: {dest_url}\n{markdown}"),
            Event::Start(Tag::Link { dest_url, .. }) => {
                let is_web =
                    ["https://", "http://", "mailto:"].iter().any(|scheme| dest_url.starts_with(scheme));
                assert!(is_web, "a link to {dest_url} in {what}:\n{markdown}");
            }
            _ => {}
        }
    }
}

const EVIL: &str = "[click](command:workbench.action.quit) <img src=x onerror=alert(1)> \u{202e}gnp.exe\u{202c} \
    \u{1b}]8;;http://evil.example\u{7}link\u{1b}]8;;\u{7} \u{1b}[2J a\u{200b}b ![p](https://evil.example/p.png)";

/// The sample, with harm wherever a stranger can write something.
fn hostile() -> Scenario {
    let mut scenario = Scenario::demo();
    for user in &mut scenario.users {
        user.name = format!("{} {EVIL}", user.name);
        user.nickname = Some(format!("{}[x](command:quit)\u{202e}", user.id));
    }
    let branch = "feature/<img/src=x>\u{202e}(command)`$(id)`";
    for commit in scenario.repositories[0].commits.iter_mut().filter(|commit| commit.branch == "discounts") {
        commit.branch = branch.into();
        commit.message = EVIL.into();
    }
    let pull_request = &mut scenario.pull_requests[0];
    pull_request.source = branch.into();
    pull_request.title = format!("Title {EVIL}");
    pull_request.description =
        format!("# Description\n\n{EVIL}\n\n<script>alert(1)</script>\n\n[r]: command:quit\n\n[r]");
    let texts = [
        EVIL.to_owned(),
        format!("```suggestion\n{EVIL}\n```"),
        format!("````\n```\n{EVIL}"),
        format!("> {EVIL}\n>\n> - {EVIL}\n\n| a | b |\n|---|---|\n| {EVIL} | x |"),
        "[a](javascript:alert(1)) [b](file:///etc/passwd) [c](vscode:extension/x) [d](data:text/html,x) <command:quit>".into(),
        "[a]\n\n[a]: command:workbench.action.quit \"title\"\n\n<a href=\"command:quit\">x</a> <!-- x -->".into(),
        "[x](<command:quit>) [y](COMMAND:quit) [z](com&#109;and:quit) [w](command&colon;quit) [v](\\command:quit)".into(),
        format!("{}deep{}", "> ".repeat(500), " *".repeat(500)),
        "[".repeat(5_000) + &"](x)".repeat(1_000),
        "@{557058:[x](command:quit)} @{<script>}".into(),
    ];
    for (number, text) in texts.iter().enumerate() {
        let place = Comment { author: "cleo".into(), text: text.clone(), ..Comment::default() };
        let line = u32::try_from(number).expect("few") + 1;
        let on_code =
            Comment { file: Some("till/cart.py".into()), lines: Some([line, line]), ..place.clone() };
        pull_request.comments.extend([place, on_code]);
    }
    pull_request.tasks.push(Task { text: EVIL.into(), author: "ben".into(), ..Task::default() });
    pull_request.statuses.push(Status {
        key: "evil".into(),
        name: Some(format!("Build {EVIL}")),
        state: "FAILED".into(),
        url: Some("command:workbench.action.quit".into()),
        description: EVIL.into(),
        ..Status::default()
    });
    scenario
}

/// All strings in a value, with where they are.
fn strings(at: &str, value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((at.to_owned(), text.clone())),
        Value::Array(list) => list.iter().for_each(|one| strings(at, one, found)),
        Value::Object(members) => {
            members.iter().for_each(|(key, one)| strings(&format!("{at}.{key}"), one, found))
        }
        _ => {}
    }
}

#[tokio::test]
async fn nothing_that_strangers_write_does_harm() {
    let world = World::with("hostile", hostile()).await;
    let mut editor = editor("hostile", &world).await;
    let file = world.file("till/cart.py");
    editor.open(&file).await;
    editor
        .until("many diagnostics", |seen| {
            match seen.diagnostics.get(&journeys::editor::uri(&file)).map_or(0, Vec::len) {
                11.. => Ok(()),
                count => Err(format!("there are {count}")),
            }
        })
        .await;

    let mut lines: Vec<(String, String)> = Vec::new();
    for diagnostics in editor.seen.diagnostics.values() {
        strings("diagnostics", &json!(diagnostics), &mut lines);
    }
    let document = json!({ "textDocument": { "uri": journeys::editor::uri(&file) } });
    let lenses = editor.request("textDocument/codeLens", document.clone()).await;
    strings("lenses", &lenses, &mut lines);
    let mut pages = Vec::new();
    for line in 0..40 {
        let hover = editor.hover(&file, line).await;
        pages.push((format!("the hover on line {line}"), hover));
        for (title, command) in editor.actions(&file, line).await {
            lines.push(("an action".into(), title));
            strings("a command", &command, &mut lines);
        }
    }
    assert!(pages.iter().filter(|(_, text)| !text.is_empty()).count() > 10);
    let (_, text) = editor.document("bitbucket.showPullRequest", json!({ "line": 0 })).await;
    pages.push(("the pull request".into(), text));
    let threads: Vec<Value> = lenses
        .as_array()
        .into_iter()
        .flatten()
        .filter(|lens| lens["command"]["command"] == "bitbucket.showThread")
        .map(|lens| lens["command"]["arguments"][0].clone())
        .collect();
    assert!(threads.len() > 10, "{lenses:#}");
    for thread in threads {
        let (path, text) = editor.document("bitbucket.showThread", thread).await;
        editor.open(&path).await;
        let own = json!({ "textDocument": { "uri": journeys::editor::uri(&path) } });
        for method in ["textDocument/documentSymbol", "textDocument/documentLink", "textDocument/codeLens"] {
            let answer = editor.request(method, own.clone()).await;
            strings(method, &answer, &mut lines);
        }
        editor.close(&path).await;
        pages.push(("a thread".into(), text));
    }
    pages.push(("the status".into(), until_status(&mut editor, "Shown: pull request").await));
    // A failure whose reason Bitbucket words.
    world.simulator.faults().set(simulator::Fault::MissingScope(format!("{EVIL}{EVIL}")).on(super::API));
    editor.command("bitbucket.refresh", json!({})).await;
    super::until_said(&mut editor, "Your token lacks the scope").await;
    pages.push(("the status after a failure".into(), until_status(&mut editor, "lacks the scope").await));
    pages.push(("the hover after a failure".into(), editor.hover(&file, 0).await));
    for shown in &editor.seen.shown {
        strings("showDocument", shown, &mut lines);
    }
    for message in editor.seen.messages.iter().chain(&editor.seen.log) {
        assert_harmless_message("a message", message);
    }

    for (what, text) in &pages {
        assert_harmless_markdown(what, text);
    }
    for (what, text) in &lines {
        // A diagnostic may have several lines, and an address or an id is no text.
        text.lines().for_each(|line| assert_harmless_line(what, line));
        let is_address = what.ends_with(".href") || what.ends_with(".target") || what.ends_with(".uri");
        if is_address {
            assert!(
                ["https://", "http://", "file:///"].iter().any(|start| text.starts_with(start)),
                "{what}: {text}"
            );
        }
    }
    assert_eq!(editor.stop().await, 0);
}

#[test]
fn the_check_finds_what_it_looks_for() {
    let caught = |markdown: &'static str| {
        std::panic::catch_unwind(|| assert_harmless_markdown("x", markdown)).is_err()
    };
    for bad in [
        "[x](command:quit)",
        "<b>x</b>",
        "![x](https://a.example/p.png)",
        "a\u{202e}b",
        "\u{1b}[2J",
        "[x](x.md)",
    ] {
        assert!(caught(bad), "{bad:?}");
    }
    assert!(!caught("\\<b> `<b>` [x](https://a.example) \\[x](command:quit)"));
}
