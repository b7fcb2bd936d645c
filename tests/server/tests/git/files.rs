//! Files that are not plain text with plain line ends, are huge, or are not there at all.

use journeys::editor::{Seen, uri};
use journeys::world::{World, picnic};
use serde_json::json;
use simulator::{Comment, Scenario};

/// A pull request that adds one file, with comments on lines of it: text and first and last line, from 1.
fn one_file(path: &str, bytes: &[u8], comments: &[(&str, [u32; 2])]) -> Scenario {
    let mut scenario = picnic();
    scenario.repositories[0].commits[2].write_base64.insert(path.into(), base64(bytes));
    scenario.pull_requests[0].comments = comments
        .iter()
        .map(|(text, lines)| Comment {
            author: "ben".into(),
            text: (*text).into(),
            file: Some(path.into()),
            lines: (*lines != [0, 0]).then_some(*lines),
            ..Comment::default()
        })
        .collect();
    scenario
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * at) & 63) as usize] as char;
            text.push(if at <= chunk.len() { letter } else { '=' });
        }
    }
    text
}

/// The only diagnostic of a file that has `text` in it: its first line, from 1, and its message.
fn one(seen: &Seen, path: &std::path::Path, text: &str) -> Option<String> {
    seen.drawn(&uri(path)).into_iter().find(|line| line.contains(text))
}

#[tokio::test]
async fn a_work_tree_with_crlf_has_comments_on_the_same_lines() {
    let world = World::start("crlf", picnic()).await;
    let url = world.simulator.remote_url("club/picnic");
    let folder = world.folder();
    world
        .simulator
        .git(&folder, &["-c", "core.autocrlf=true", "clone", "-q", "-b", "work", &url, "clone"])
        .unwrap();
    world.git(&["config", "core.autocrlf", "true"]);
    let list = world.file("list.txt");
    assert!(std::fs::read_to_string(&list).unwrap().contains("\r\n"));
    let mut editor = world.editor().await;
    editor.until_drawn(&list, &super::LIST).await;
    let of_list = editor.seen.drawn(&uri(&list));
    assert!(!of_list.iter().any(|line| line.contains("changed")), "{of_list:?}");
    editor.open(&list).await;
    editor.edit(&list, (0, 0), (0, 0), "one\r\n").await;
    editor.until_drawn(&list, &["10: Ben", "14: Ben", "16: Ben"]).await;
    editor.until_quiet().await;
    editor.until_drawn(&list, &["10: Ben", "14: Ben", "16: Ben"]).await;
    editor.stop().await;
}

#[tokio::test]
async fn lone_carriage_returns_are_lines_to_the_editor_but_not_to_bitbucket() {
    // git and Bitbucket: three lines. The editor: five.
    let text = b"one\rtwo\rthree\nfour here\nfive here\n";
    let world = World::with(
        "lone-returns",
        one_file("old-mac.txt", text, &[("Four?", [2, 2]), ("Three in one.", [1, 1])]),
    )
    .await;
    let file = world.file("old-mac.txt");
    let mut editor = world.editor().await;
    editor.until_drawn(&file, &["1: Ben Okafor: Three in one", "4: Ben Okafor: Four?"]).await;
    editor.open(&file).await;
    editor.edit(&file, (1, 0), (1, 0), "and a half\r").await;
    editor.until_drawn(&file, &["1: Ben Okafor: Three in one", "5: Ben Okafor: Four?"]).await;
    editor.until_quiet().await;
    editor.until_drawn(&file, &["1: Ben Okafor: Three in one", "5: Ben Okafor: Four?"]).await;
    editor.stop().await;
}

#[tokio::test]
async fn a_file_that_is_not_utf_8_has_its_comments_on_their_lines() {
    let text = b"caf\xe9 one\nplain two\ncr\xe8me three\nplain four\n";
    let comments = [("On the accent.", [3, 3]), ("On plain text.", [4, 4])];
    let world = World::with("latin-1", one_file("menu.txt", text, &comments)).await;
    let file = world.file("menu.txt");
    let expected = ["3: Ben Okafor: On the accent", "4: Ben Okafor: On plain text"];
    let mut editor = world.editor().await;
    editor.until_drawn(&file, &expected).await;
    // An editor that guessed the encoding has letters where one that did not has replacement characters.
    for text in [
        "caf\u{e9} one\nplain two\ncr\u{e8}me three\nplain four\n",
        "caf\u{fffd} one\nplain two\ncr\u{fffd}me three\nplain four\n",
    ] {
        editor.open_with(&file, text).await;
        editor.edit(&file, (0, 0), (0, 0), "first\n").await;
        editor.until_drawn(&file, &["4: Ben Okafor: On the accent", "5: Ben Okafor: On plain text"]).await;
        editor.until_quiet().await;
        let drawn = editor.seen.drawn(&uri(&file));
        assert!(!drawn.iter().any(|line| line.contains("changed since")), "{text:?}: {drawn:?}");
        editor.close(&file).await;
        editor.until_drawn(&file, &expected).await;
    }
    editor.stop().await;
}

#[tokio::test]
async fn a_binary_file_has_its_comment_at_the_top() {
    let bytes: Vec<u8> = (0..=255).cycle().take(4096).collect();
    let world = World::with(
        "binary",
        one_file("photo.png", &bytes, &[("Nice picture.", [0, 0]), ("A line?", [40, 40])]),
    )
    .await;
    let file = world.file("photo.png");
    let mut editor = world.editor().await;
    editor
        .until("both comments", |seen| {
            match (one(seen, &file, "Nice picture"), one(seen, &file, "A line?")) {
                (Some(whole), Some(_)) if whole.starts_with("1: ") => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    editor.stop().await;
}

#[tokio::test]
async fn a_huge_file_is_not_compared_and_says_so() {
    let text = "seventeen letters\n".repeat(1_000_000);
    let world =
        World::with("huge", one_file("huge.txt", text.as_bytes(), &[("Long.", [500_000, 500_000])])).await;
    let file = world.file("huge.txt");
    let mut editor = world.editor().await;
    editor.until_drawn(&file, &["500000: Ben Okafor: Long."]).await;
    editor
        .until_status("huge.txt is too large to compare; its comments are shown by their line numbers.")
        .await;
    // Opening it changes nothing: neither is it compared, nor is its text fetched over the network.
    editor.open_with(&file, &text).await;
    editor.until_hover(&file, 499_999, |hover| hover.contains("Long.")).await;
    editor.until_drawn(&file, &["500000: Ben Okafor: Long."]).await;
    let drawn = editor.seen.drawn(&uri(&file));
    assert!(drawn[0].contains("guess: by the line number alone"), "{drawn:?}");
    assert_eq!(world.requests_to("/src/") + world.requests_to("/diff/"), 0);
    editor.stop().await;
}

#[tokio::test]
async fn lines_that_never_were_are_at_the_end() {
    let comments = [("Past the end.", [900, 900]), ("Half past.", [2, 70]), ("Empty?", [1, 1])];
    let mut scenario = one_file("short.txt", b"one\ntwo\nthree\n", &comments[..2]);
    scenario.repositories[0].commits[2].write.insert("empty.txt".into(), String::new());
    scenario.pull_requests[0].comments.push(Comment {
        author: "ben".into(),
        text: comments[2].0.into(),
        file: Some("empty.txt".into()),
        lines: Some(comments[2].1),
        ..Comment::default()
    });
    let world = World::with("past-the-end", scenario).await;
    let short = world.file("short.txt");
    let mut editor = world.editor().await;
    editor.open(&short).await;
    let expected = |seen: &Seen| match (one(seen, &short, "Past the end"), one(seen, &short, "Half past")) {
        (Some(past), Some(half)) if past.contains("outdated") && half.starts_with("2: ") => {
            let line: u32 = past.split(':').next().unwrap().parse().unwrap();
            if (3..=4).contains(&line) { Ok(()) } else { Err(past) }
        }
        other => Err(format!("{other:?}")),
    };
    editor.until("both comments inside the file", expected).await;
    editor
        .until("the comment on the empty file", |seen| {
            one(seen, &world.file("empty.txt"), "Empty?").ok_or("none".to_owned())
        })
        .await;
    for one in &editor.seen.diagnostics[&uri(&short)] {
        assert!(one["range"]["end"]["line"].as_u64().unwrap() <= 3, "{one}");
    }
    editor.stop().await;
}

#[tokio::test]
async fn a_path_that_leads_outside_is_never_opened_or_published() {
    let mut scenario = picnic();
    let paths = ["../secret.txt", "docs/../../secret.txt", "/etc/passwd", ".git/config", "link/secret.txt"];
    for path in paths {
        scenario.pull_requests[0].comments.push(Comment {
            author: "ben".into(),
            text: format!("See {path}"),
            file: Some(path.into()),
            lines: Some([1, 1]),
            ..Comment::default()
        });
    }
    let world = World::with("paths-outside", scenario).await;
    std::fs::write(world.folder().join("secret.txt"), "between us\n").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(world.folder(), world.file("link")).unwrap();
    let mut editor = world.editor().await;
    editor.until_drawn(&world.file("list.txt"), &super::LIST).await;
    editor.until_status("A comment names a path outside of the work tree; it is not shown in code.").await;
    editor.open(&world.folder().join("secret.txt")).await;
    let before = editor.seen.shown.len();
    for direction in ["bitbucket.nextComment", "bitbucket.previousComment"] {
        for _ in 0..8 {
            editor.command(direction, json!({})).await;
        }
    }
    // Of all threads only four are in code, so each step shows one of those.
    editor
        .until("sixteen steps", |seen| {
            if seen.shown.len() == before + 16 { Ok(()) } else { Err(format!("{}", seen.shown.len())) }
        })
        .await;
    let root = format!("{}/", uri(&world.clone));
    let inside = |uri: &str| uri.starts_with(&root);
    let cache = uri(&world.folder().join("cache"));
    let published: Vec<&String> =
        editor.seen.diagnostics.keys().filter(|uri| !inside(uri) || uri.contains("..")).collect();
    assert_eq!(published, Vec::<&String>::new());
    assert!(!editor.seen.diagnostics.keys().any(|uri| uri.contains("/.git/") || uri.contains("/link/")));
    for shown in &editor.seen.shown {
        let shown = shown["uri"].as_str().unwrap();
        assert!(inside(shown) || shown.starts_with(&cache), "{shown}");
    }
    // They are told in the document, where nothing is opened.
    let (_, page) = editor.document("bitbucket.showPullRequest", json!({})).await;
    assert!(page.contains("secret.txt") && !page.contains("between us"), "{page}");
    editor.stop().await;
}
