//! Reviews that are far too large, or dated by a clock that is wrong.

use super::{CART, editor, until_status};
use journeys::editor::{Editor, able};
use journeys::process::Process;
use journeys::world::World;
use serde_json::json;
use simulator::{Comment, Fault, Scenario};
use std::time::Duration;
use tokio::time::Instant;

const MIB: u64 = 1 << 20;

/// The real process on the sample's clone.
async fn started(name: &str, world: &World) -> Editor {
    let mut editor = Editor::of(name, Process::start(&world.variables()), json!({}));
    editor.initialize(&[&world.clone], able(), json!({})).await;
    editor.notify("initialized", json!({})).await;
    editor.open(&world.file("till/cart.py")).await;
    editor
}

/// A comment on the first line of `till/money.py`, with a text of so many bytes.
fn huge(bytes: usize) -> Comment {
    Comment {
        author: "ben".into(),
        text: "A long story. ".repeat(bytes / 14),
        file: Some("till/money.py".into()),
        lines: Some([1, 1]),
        ..Comment::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comment_of_50_mb_is_left_out_and_all_others_are_shown() {
    let world = World::sample("comment-of-50-mb").await;
    // The first comment: met in the whole page, in the first tenth of it, and by itself.
    world.simulator.faults().set(Fault::HugeComment(50_000_000).on(super::COMMENTS).times(3));
    let mut editor = started("comment-of-50-mb", &world).await;
    editor.until_drawn(&world.file("till/discounts.py"), &["1:", "13:", "15:", "24:"]).await;
    let status = until_status(&mut editor, "One is larger than 32 MiB and left out; look at").await;
    assert!(status.contains("1 general"), "{status}");
    let pages: Vec<String> = world
        .simulator
        .requests()
        .iter()
        .filter(|one| one.path.ends_with("/comments"))
        .map(|one| one.target())
        .collect();
    assert!(pages.len() <= 21, "{pages:#?}");
    let peak = editor.process().peak_memory();
    assert!(peak < 256 * MIB, "{} MiB", peak / MIB);
    assert_eq!(editor.seen.messages, Vec::<String>::new());
    // Its answers are there, if not what they answer.
    let (_, document) = editor.document("bitbucket.showPullRequest", json!({ "line": 0 })).await;
    assert!(document.contains("It does. They are taken off"), "{document}");
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comment_of_10_mb_is_shown_in_part() {
    let world = World::sample("comment-of-10-mb").await;
    let pull_request = world.simulator.pull_request("corner-shop/till", 4);
    pull_request.add_comment(&huge(10_000_000)).expect("a comment");
    let mut editor = started("comment-of-10-mb", &world).await;
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    let money = world.file("till/money.py");
    editor.until_drawn(&money, &["1: Ben Okafor: A long story."]).await;
    editor.open(&money).await;
    let hover = editor.until_hover(&money, 0, |hover| hover.contains("A long story.")).await;
    assert!(hover.len() < 100_000 && hover.contains("see it on Bitbucket"), "{} bytes", hover.len());
    let peak = editor.process().peak_memory();
    assert!(peak < 256 * MIB, "{} MiB", peak / MIB);
    assert_eq!(editor.stop().await, 0);
}

/// The sample with 2,000 threads of ten comments each, over its files.
fn twenty_thousand() -> Scenario {
    let mut scenario = Scenario::demo();
    let comments = &mut scenario.pull_requests[0].comments;
    comments.clear();
    scenario.pull_requests[0].tasks.clear();
    let comments = &mut scenario.pull_requests[0].comments;
    let files = ["till/cart.py", "till/money.py", "till/receipt.py", "till/discounts.py"];
    for thread in 0..2_000_u32 {
        let name = format!("thread-{thread}");
        let line = thread / 4 % 12 + 1;
        comments.push(Comment {
            id: Some(name.clone()),
            author: "ben".into(),
            text: format!("Thread {thread} begins."),
            file: Some(files[thread as usize % 4].into()),
            lines: Some([line, line]),
            ..Comment::default()
        });
        comments.extend((1..10).map(|reply| Comment {
            author: "ana".into(),
            text: format!("Reply {reply} of thread {thread}."),
            reply_to: Some(name.clone()),
            ..Comment::default()
        }));
    }
    scenario
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_comments_are_all_there_and_nobody_waits() {
    let world = World::with("twenty-thousand", twenty_thousand()).await;
    let mut editor = started("twenty-thousand", &world).await;
    let file = world.file("till/cart.py");
    let uri = journeys::editor::uri(&file);
    let mut waits = Vec::new();
    let start = Instant::now();
    // The editor asks all the time while the review comes in.
    while editor.seen.diagnostics.get(&uri).map_or(0, Vec::len) < 500 {
        let asked = Instant::now();
        editor.hover(&file, 0).await;
        waits.push(asked.elapsed());
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "{} comments",
            editor.seen.diagnostics.get(&uri).map_or(0, Vec::len)
        );
    }
    let peak = editor.process().peak_memory();
    waits.sort();
    // A hover that is not answered within the server's own deadline of two seconds fails; under load on the test
    // machine it may well take a good part of that.
    let slowest = waits[waits.len() - 1];
    assert!(slowest < Duration::from_secs(10), "a hover took {slowest:?}");
    assert!(peak < 256 * MIB, "{} MiB", peak / MIB);
    let status = until_status(&mut editor, "2000 threads").await;
    assert!(!status.contains("Comments: "), "none is missing: {status}");
    let hover = editor.hover(&file, 0).await;
    assert!(hover.contains("Thread 0 begins.") && hover.contains("Reply 9 of thread 0."), "{hover}");
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn comments_from_the_future_are_new() {
    let world = World::sample("clock-skew").await;
    let later = Comment {
        author: "ben".into(),
        text: "Greetings from the future.".into(),
        date: Some("2099-01-01 00:00".into()),
        file: Some("till/money.py".into()),
        lines: Some([1, 1]),
        ..Comment::default()
    };
    world.simulator.pull_request("corner-shop/till", 4).add_comment(&later).expect("a comment");
    let mut editor = editor("clock-skew", &world).await;
    let money = world.file("till/money.py");
    editor.until_drawn(&money, &["1: Ben Okafor: Greetings from the future."]).await;
    editor.open(&money).await;
    let hover = editor.until_hover(&money, 0, |hover| hover.contains("Greetings")).await;
    assert!(hover.contains("just now"), "{hover}");
    editor.until_drawn(&world.file("till/cart.py"), &CART).await;
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn comments_on_impossible_places_cost_nobody_else() {
    let mut scenario = Scenario::demo();
    let at = |file: &str, line: u32| Comment {
        author: "ben".into(),
        text: format!("On line {line} of that."),
        file: Some(file.into()),
        lines: Some([line, line]),
        ..Comment::default()
    };
    let places = [
        ("till/cart.py", 4_000_000_000),
        ("no/such/file.py", 3),
        ("../../outside.txt", 1),
        ("/etc/passwd", 1),
        (".git/config", 1),
        ("till/cart.py/x", 1),
        ("C:\\windows\\x", 1),
        ("a\u{202e}b\u{1b}[2J.py", 1),
        ("", 1),
    ];
    let comments = places.iter().filter(|(file, _)| !file.is_empty()).map(|(file, line)| at(file, *line));
    scenario.pull_requests[0].comments.extend(comments);
    let world = World::with("impossible-places", scenario).await;
    let outside = world.folder().join("outside.txt");
    std::fs::write(&outside, "secret\n").expect("a file");
    let mut editor = editor("impossible-places", &world).await;
    editor.until_drawn(&world.file("till/discounts.py"), &["1:", "13:", "15:", "24:"]).await;
    let root = journeys::editor::uri(&world.clone);
    for uri in editor.seen.diagnostics.keys() {
        assert!(uri.starts_with(&root) && !uri.contains("..") && !uri.contains("/.git/"), "{uri}");
    }
    let (_, document) = editor.document("bitbucket.showPullRequest", json!({ "line": 0 })).await;
    assert!(
        document.contains("On line 3 of that."),
        "what has no place in code is in the document: {document}"
    );
    super::hostile::assert_harmless_markdown("the pull request", &document);
    assert_eq!(editor.seen.messages, Vec::<String>::new());
    assert_eq!(editor.stop().await, 0);
}
