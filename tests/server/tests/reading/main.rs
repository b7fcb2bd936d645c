//! Journeys of a reader: open a repository, see the comments on their lines, follow them while typing, walk, look closer.

use journeys::editor::{Editor, able, uri};
use journeys::world::World;
use serde_json::json;
use simulator::Fault;
use std::time::Duration;

/// The threads of `till/discounts.py` in the sample, as diagnostics begin.
const DISCOUNTS: [&str; 4] = [
    "1: Ben Okafor: Would vouchers.py be",
    "13: Cleo Lindqvist: Nothing keeps this",
    "15: Ben Okafor: This rounds down",
    "24: Cleo Lindqvist: A voucher that is worth more",
];

#[tokio::test]
async fn comments_are_on_their_lines_in_files_that_are_not_even_open() {
    let world = World::sample("comments-on-their-lines").await;
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("till/discounts.py"), &DISCOUNTS).await;
    editor.until_drawn(&world.file("till/cart.py"), &["35: Ben Okafor: Does the order matter?"]).await;
    editor.until_drawn(&world.file("till/receipt.py"), &["18: Cleo Lindqvist: The accountants"]).await;
    editor.until_drawn(&world.file("tests/test_cart.py"), &["16: Ben Okafor: Good. One more"]).await;

    let of_discounts = editor.seen.diagnostics[&uri(&world.file("till/discounts.py"))].clone();
    let outdated =
        of_discounts.iter().find(|one| one["message"].as_str().unwrap().contains("worth more")).unwrap();
    assert_eq!(
        (&outdated["severity"], &outdated["tags"]),
        (&json!(4), &json!([1])),
        "outdated ones are faded hints"
    );
    let multi_line =
        of_discounts.iter().find(|one| one["message"].as_str().unwrap().contains("rounds down")).unwrap();
    assert_eq!(multi_line["severity"], json!(3));
    assert_eq!(multi_line["source"], "bitbucket");
    assert!(multi_line["codeDescription"]["href"].as_str().unwrap().contains("#comment-"));
    let of_tests = &editor.seen.diagnostics[&uri(&world.file("tests/test_cart.py"))];
    assert_eq!(of_tests[0]["severity"], json!(2), "an open task makes a warning");
    assert_eq!(editor.seen.messages, Vec::<String>::new());
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn comments_follow_the_code_while_it_is_typed() {
    let world = World::sample("comments-follow-typing").await;
    let mut editor = world.editor().await;
    let cart = world.file("till/cart.py");
    editor.until_drawn(&cart, &["35: Ben"]).await;
    editor.open(&cart).await;
    editor.edit(&cart, (0, 0), (0, 0), "# one more line\n").await;
    editor.until_drawn(&cart, &["36: Ben"]).await;
    editor.edit(&cart, (2, 0), (5, 0), "").await;
    editor.until_drawn(&cart, &["33: Ben"]).await;
    // After typing has paused, the full diff says the same.
    editor.until_quiet().await;
    editor.until_drawn(&cart, &["33: Ben"]).await;
    // Closed without saving: what is on disk counts again.
    editor.close(&cart).await;
    editor.until_drawn(&cart, &["35: Ben"]).await;
    editor.stop().await;
}

#[tokio::test]
async fn a_changed_line_says_so_and_its_text_is_in_the_hover() {
    let world = World::sample("changed-line").await;
    let mut editor = world.editor().await;
    let discounts = world.file("till/discounts.py");
    editor.until_drawn(&discounts, &DISCOUNTS).await;
    editor.open(&discounts).await;
    let line = world.line_of("till/discounts.py", "percent: int");
    editor.edit(&discounts, (line, 4), (line, 16), "percent: float").await;
    let uri = uri(&discounts);
    editor
        .until("the comment to say that its line was changed", |seen| {
            let drawn = seen.drawn(&uri);
            let said =
                drawn.iter().any(|line| line.starts_with("13: Cleo") && line.contains("changed since"));
            if said { Ok(()) } else { Err(format!("{drawn:#?}")) }
        })
        .await;
    let hover = editor.hover(&discounts, line).await;
    assert!(hover.contains("percent: int"), "the text as it was commented is not in\n{hover}");
    editor.stop().await;
}

#[tokio::test]
async fn hover_lens_actions_and_hints_tell_the_same_thread() {
    let world = World::sample("hover-lens-actions").await;
    let mut editor = world.editor_with(json!({ "inlayHints": { "enabled": true } })).await;
    let discounts = world.file("till/discounts.py");
    editor.until_drawn(&discounts, &DISCOUNTS).await;
    editor.open(&discounts).await;
    let line = world.line_of("till/discounts.py", "return Money(total.cents");
    editor
        .until_hover(&discounts, line, |hover| hover.contains("rounds down") && hover.contains("```diff"))
        .await;

    let lenses = editor.lenses(&discounts).await;
    assert!(
        lenses[0].starts_with("1: Bitbucket #4 Discounts: percentages and vouchers · open"),
        "{lenses:#?}"
    );
    assert!(lenses.iter().any(|lens| lens.starts_with("15: Ben Okafor: This rounds down")), "{lenses:#?}");

    let actions = editor.actions(&discounts, line).await;
    let titles: Vec<&str> = actions.iter().map(|(title, _)| title.as_str()).collect();
    let expected = [
        "Apply suggestion",
        "Reply",
        "Resolve thread",
        "Resolve thread and go to next",
        "Add task",
        "Show thread",
        "Open in browser",
        "Copy link",
        "Comment on this line",
        "Suggest a change of this line",
        "Comment on lines removed here",
        "Show pull request #4",
    ];
    assert_eq!(titles, expected.map(|title| format!("Bitbucket: {title}")));
    // A cursor that only rests on a line without a comment is offered nothing.
    let at = json!({ "line": 8, "character": 0 });
    let resting = json!({ "diagnostics": [], "triggerKind": 2 });
    let offered = editor.actions_in(&discounts, json!({ "start": at, "end": at }), resting).await;
    assert_eq!(offered, vec![], "no action beside a line without a comment");

    let browser = actions.iter().find(|(title, _)| title == "Bitbucket: Open in browser").unwrap().1.clone();
    editor.command(browser["command"].as_str().unwrap(), browser["arguments"][0].clone()).await;
    let shown = editor.until("the browser", |seen| seen.shown.last().cloned().ok_or("nothing".into())).await;
    assert_eq!(shown["external"], json!(true));
    assert!(shown["uri"].as_str().unwrap().contains("/pull-requests/4/"), "{shown}");

    let hints = editor.request(
        "textDocument/inlayHint",
        json!({
            "textDocument": { "uri": uri(&discounts) },
            "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } }
        }),
    );
    let hints = hints.await;
    assert_eq!(hints.as_array().unwrap().len(), 4, "{hints}");
    editor.stop().await;
}

#[tokio::test]
async fn walking_over_all_files_and_round_again() {
    let world = World::sample("walking").await;
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("till/discounts.py"), &DISCOUNTS).await;
    let cart = world.file("till/cart.py");
    editor.open(&cart).await;
    editor.until_hover(&cart, 34, |hover| !hover.is_empty()).await;
    let mut stops = Vec::new();
    let (mut file, mut line) = (cart.clone(), 0_u64);
    for _ in 0..7 {
        let before = editor.seen.shown.len();
        editor.command("bitbucket.nextComment", json!({ "uri": uri(&file), "line": line })).await;
        let shown = editor
            .until("the next comment", |seen| seen.shown.get(before).cloned().ok_or("none".into()))
            .await;
        file = bitbucket_lsp::uri::file_path(shown["uri"].as_str().unwrap()).unwrap();
        line = shown["selection"]["start"]["line"].as_u64().unwrap();
        stops.push(format!("{}:{}", file.file_name().unwrap().to_string_lossy(), line + 1));
        editor.open(&file).await;
        editor.until_hover(&file, u32::try_from(line).unwrap(), |hover| !hover.is_empty()).await;
    }
    let expected = [
        "cart.py:35",
        "discounts.py:1",
        "discounts.py:13",
        "discounts.py:15",
        "discounts.py:24",
        "receipt.py:18",
        "test_cart.py:16",
    ];
    assert_eq!(stops, expected, "the sorted order of paths, and round again");
    editor.stop().await;
}

#[tokio::test]
async fn the_pull_request_is_a_document_with_the_way_into_the_code() {
    let world = World::sample("pull-request-document").await;
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("till/discounts.py"), &DISCOUNTS).await;
    let (path, text) = editor.document("bitbucket.showPullRequest", json!({})).await;
    for part in [
        "# #4 Discounts: percentages and vouchers",
        "Unit tests",
        "Type check",
        "by **Friday**",
        "Tell the shops",
        "till/discounts.py",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    editor.open(&path).await;
    let symbols =
        editor.request("textDocument/documentSymbol", json!({ "textDocument": { "uri": uri(&path) } })).await;
    assert!(symbols[0]["children"].as_array().is_some_and(|children| children.len() > 3), "{symbols:#}");

    let row = text.lines().position(|line| line.contains("Nothing keeps this")).expect("the thread's row");
    let lenses = editor.lenses(&path).await;
    assert!(lenses.contains(&format!("{}: Go to code", row + 1)), "{lenses:#?}");
    let before = editor.seen.shown.len();
    editor.command("bitbucket.goToThread", json!({ "uri": uri(&path), "line": row })).await;
    let shown = editor.until("the code", |seen| seen.shown.get(before).cloned().ok_or("none".into())).await;
    assert!(shown["uri"].as_str().unwrap().ends_with("till/discounts.py"));
    assert_eq!(shown["selection"]["start"]["line"], json!(12));

    let links =
        editor.request("textDocument/documentLink", json!({ "textDocument": { "uri": uri(&path) } })).await;
    let targets: Vec<&str> =
        links.as_array().unwrap().iter().filter_map(|link| link["target"].as_str()).collect();
    assert!(targets.iter().any(|target| target.ends_with("till/discounts.py#L13")), "{targets:#?}");
    let lines: Vec<&str> = text.lines().collect();
    for link in links.as_array().unwrap() {
        let (line, start, end) = (
            link["range"]["start"]["line"].as_u64().unwrap() as usize,
            link["range"]["start"]["character"].as_u64().unwrap() as usize,
            link["range"]["end"]["character"].as_u64().unwrap() as usize,
        );
        assert!(start < end && end <= lines[line].encode_utf16().count(), "{link} in {}", lines[line]);
    }
    editor.stop().await;
}

#[tokio::test]
async fn one_thread_is_a_document_too_and_follows_what_happens_on_bitbucket() {
    let world = World::sample("thread-document").await;
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("till/discounts.py"), &DISCOUNTS).await;
    let pull_request = world.simulator.pull_request("corner-shop/till", 4);
    let thread = pull_request.comment_id("limits").unwrap();
    let (path, text) = editor.document("bitbucket.showThread", json!({ "thread": thread })).await;
    assert!(text.contains("Nothing keeps this") && text.contains("ValueError"), "{text}");
    editor.open(&path).await;
    pull_request.edit_comment(thread, "Something new: 250 is too much.").unwrap();
    editor.command("bitbucket.refresh", json!({})).await;
    editor
        .until("the document to follow", |_| {
            let text = std::fs::read_to_string(&path).unwrap();
            if text.contains("Something new") { Ok(()) } else { Err(text) }
        })
        .await;
    editor.stop().await;
}

#[tokio::test]
async fn settings_and_the_switch_for_all_comments_count_at_once() {
    let world = World::sample("settings").await;
    let mut editor = world.editor().await;
    let cart = world.file("till/cart.py");
    editor.until_drawn(&cart, &["35: Ben"]).await;
    editor.command("bitbucket.toggleComments", json!({})).await;
    editor.until_drawn(&cart, &[]).await;
    editor.command("bitbucket.toggleComments", json!({})).await;
    editor.until_drawn(&cart, &["35: Ben"]).await;
    editor.settings = json!({ "comments": { "showResolved": true, "severity": "warning" } });
    editor.notify("workspace/didChangeConfiguration", json!({ "settings": null })).await;
    editor.until_drawn(&cart, &["5: Ben Okafor: Nit", "35: Ben"]).await;
    let severities: Vec<_> =
        editor.seen.diagnostics[&uri(&cart)].iter().map(|one| one["severity"].clone()).collect();
    assert_eq!(severities, [json!(4), json!(2)]);
    editor.stop().await;
}

#[tokio::test]
async fn nothing_is_asked_of_the_network_before_the_first_answers_and_two_trips_bring_all_comments() {
    let world = World::sample("two-trips").await;
    world.simulator.faults().set(Fault::Latency(Duration::from_millis(150)));
    let folders = [world.clone.as_path()];
    let mut editor = Editor::connect("two-trips", world.environment(), &folders, able(), json!({})).await;
    let rest =
        |world: &World| world.simulator.requests().iter().filter(|one| one.path.starts_with("/2.0")).count();
    assert_eq!(rest(&world), 0, "initialize is answered first");
    editor.notify("initialized", json!({})).await;
    editor.until_drawn(&world.file("till/cart.py"), &["35: Ben"]).await;
    let requests = world.simulator.requests();
    let of_pull_requests = |target: &str| target.contains("/pullrequests");
    let reading: Vec<_> = requests.iter().filter(|request| of_pull_requests(&request.target())).collect();
    let (first, second) = reading.split_first().expect("requests");
    let first_ended = first.finished.expect("an answer");
    assert!(second.iter().all(|request| request.arrived >= first_ended));
    let second_begun = second.iter().map(|request| request.arrived).max().expect("a second wave");
    let second_ended = second.iter().filter_map(|request| request.finished).min().expect("answers");
    assert!(second_begun < second_ended, "the second wave is sent side by side: {reading:#?}");
    assert_eq!(reading.len(), 4, "pull request, comments, tasks, builds: {reading:#?}");
    editor.stop().await;
}

#[tokio::test]
async fn every_position_encoding_gives_the_same_places() {
    for encoding in ["utf-8", "utf-16", "utf-32"] {
        let world = World::sample(&format!("encoding-{encoding}")).await;
        let mut capabilities = able();
        capabilities["general"]["positionEncodings"] = json!([encoding]);
        let mut editor = Editor::start(
            &format!("encoding-{encoding}"),
            world.environment(),
            &[&world.clone],
            capabilities,
            json!({}),
        )
        .await;
        let cart = world.file("till/cart.py");
        editor.until_drawn(&cart, &["35: Ben"]).await;
        editor.open(&cart).await;
        // "𝄞ü" is 6 bytes, 3 UTF-16 units, 2 scalars.
        let width = [("utf-8", 6), ("utf-16", 3), ("utf-32", 2)]
            .into_iter()
            .find(|(name, _)| *name == encoding)
            .unwrap()
            .1;
        editor.edit(&cart, (34, 0), (34, 0), "𝄞ü").await;
        editor.edit(&cart, (34, width), (34, width), "\n").await;
        // The commented line is whole again, one line below.
        editor.until_drawn(&cart, &["36: Ben"]).await;
        editor.stop().await;
    }
}

#[tokio::test]
async fn a_client_that_can_do_nothing_still_gets_everything_by_messages() {
    let world = World::sample("bare-client").await;
    let mut editor =
        Editor::start("bare-client", world.environment(), &[&world.clone], json!({}), json!(null)).await;
    editor.until_drawn(&world.file("till/cart.py"), &["35: Ben"]).await;
    editor.command("bitbucket.showPullRequest", json!({})).await;
    let message =
        editor.until("the document's place", |seen| seen.messages.last().cloned().ok_or("none".into())).await;
    let path = message.strip_prefix("Open ").and_then(|rest| rest.split(".md").next()).expect("a path");
    assert!(std::fs::read_to_string(format!("{path}.md")).unwrap().contains("Discounts"));
    let link = editor.command("bitbucket.copyLink", json!({})).await;
    assert!(link["text"].as_str().unwrap().ends_with("/pull-requests/4"), "{link}");
    editor.stop().await;
}

#[tokio::test]
async fn what_other_programs_do_to_a_file_on_disk_is_seen() {
    let world = World::sample("changed-on-disk").await;
    let mut editor = world.editor().await;
    let cart = world.file("till/cart.py");
    editor.until_drawn(&cart, &["35: Ben"]).await;
    let text = std::fs::read_to_string(&cart).expect("the file");
    // The disk is looked at every two seconds, and a first look has nothing to compare with: so it is changed until
    // that is noticed, each time otherwise.
    let mut lines = 0;
    while editor.seen.drawn(&uri(&cart)).iter().any(|line| line.starts_with("35:")) {
        lines += 1;
        assert!(lines < 1_000, "no change was noticed");
        std::fs::write(&cart, format!("{}{text}", "# formatted\n".repeat(lines))).expect("a change");
        tokio::time::sleep(Duration::from_millis(50)).await;
        // Any answer brings along what was said before it.
        editor.lenses(&cart).await;
    }
    editor.until_drawn(&cart, &[&format!("{}: Ben", 35 + lines)]).await;
    std::fs::remove_file(&cart).expect("a removal");
    editor.until_drawn(&cart, &[]).await;
    editor.stop().await;
}
