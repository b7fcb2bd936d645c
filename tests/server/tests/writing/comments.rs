//! New comments: on lines, ranges, removed lines, files and the pull request; from text that is not saved or not pushed.

use super::{bitbucket, draft, latest, reviewing, told, until_gone, until_written, written};
use journeys::editor::uri;
use journeys::world::World;
use serde_json::json;
use simulator::WrittenInline;

const CART: &str = "till/cart.py";

/// Where a comment stands, as `path side first-last`.
fn place(inline: Option<&WrittenInline>) -> String {
    let Some(inline) = inline else { return "the pull request".into() };
    let (side, start, end) = match (inline.from, inline.to) {
        (Some(from), None) => ("old", inline.start_from, from),
        (None, Some(to)) => ("new", inline.start_to, to),
        (None, None) => return inline.path.clone(),
        both => panic!("{both:?}"),
    };
    format!("{} {side} {}-{end}", inline.path, start.unwrap_or(end))
}

#[tokio::test]
async fn lines_are_carried_back_through_what_is_not_saved_and_not_pushed() {
    let world = World::sample("comment-on-lines").await;
    let before = latest(&world);
    let line = world.line_of(CART, "def subtotal(self)");
    // A commit that is not pushed moves the lines by two, and typing by one more.
    let text = std::fs::read_to_string(world.file(CART)).unwrap();
    std::fs::write(world.file(CART), format!("# one\n# two\n{text}")).unwrap();
    world.git(&["commit", "-qam", "Not pushed"]);
    let (mut editor, cart) = reviewing(&world, CART).await;
    editor.edit(&cart, (0, 0), (0, 0), "# three\n").await;
    let target =
        json!({ "uri": uri(&cart), "line": line + 3, "endLine": line + 4, "text": "Why two steps?" });
    editor.command("bitbucket.addComment", target).await;
    let sent = until_written(&mut editor, &world, before, 1).await;
    assert_eq!(place(sent[0].inline.as_ref()), format!("till/cart.py new {}-{}", line + 1, line + 2));
    assert_eq!(sent[0].raw, "Why two steps?");
    // It is drawn where it was asked for.
    let uri = uri(&cart);
    editor
        .until("the new comment on its line", |seen| {
            let drawn = seen.drawn(&uri);
            let wanted = format!("{}: You: Why two steps?", line + 4);
            if drawn.iter().any(|one| one.starts_with(&wanted)) { Ok(()) } else { Err(format!("{drawn:?}")) }
        })
        .await;
    editor.stop().await;
}

#[tokio::test]
async fn a_line_that_exists_only_here_is_explained_and_quoted() {
    let world = World::sample("comment-on-a-local-line").await;
    let before = latest(&world);
    let (mut editor, cart) = reviewing(&world, CART).await;
    let line = world.line_of(CART, "def subtotal(self)");
    editor.edit(&cart, (line, 0), (line, 0), "    LIMIT = 3\n").await;
    let target = json!({ "uri": uri(&cart), "line": line });
    let (path, text, at) = draft(&mut editor, "bitbucket.addComment", target).await;
    assert!(
        text.contains("not in the pull request as they are here")
            || text.contains("is not in the pull request"),
        "{text}"
    );
    assert!(text.contains("LIMIT = 3"), "the code is quoted\n{text}");
    editor.edit(&path, at, at, "Should this be a setting?").await;
    editor.command("bitbucket.sendDraft", json!({ "uri": uri(&path) })).await;
    let sent = until_written(&mut editor, &world, before, 1).await;
    assert!(
        sent[0].raw.contains("Should this be a setting?")
            && sent[0].raw.contains("```py\n    LIMIT = 3\n```"),
        "{}",
        sent[0].raw
    );
    assert!(place(sent[0].inline.as_ref()).starts_with("till/cart.py new "), "{:?}", sent[0].inline);
    until_gone(&mut editor, &path).await;

    // Given as text it is not sent at once: it would go elsewhere than was meant.
    let shown = editor.seen.shown.len();
    let before = latest(&world);
    let target = json!({ "uri": uri(&cart), "line": line, "text": "And this?" });
    editor.command("bitbucket.addComment", target).await;
    let (_, text, _) = super::shown_draft(&mut editor, shown).await;
    assert!(text.contains("And this?"), "{text}");
    assert_eq!(written(&world, before).len(), 0);
    editor.stop().await;
}

#[tokio::test]
async fn removed_lines_files_and_the_pull_request_can_be_commented_on() {
    let world = World::sample("comment-elsewhere").await;
    let before = latest(&world);
    let receipt = "till/receipt.py";
    let (mut editor, path) = reviewing(&world, receipt).await;
    let line = world.line_of(receipt, "To pay");
    let target = json!({ "uri": uri(&path), "line": line, "side": "from", "text": "The old word." });
    editor.command("bitbucket.addComment", target).await;
    let sent = until_written(&mut editor, &world, before, 1).await;
    assert!(place(sent[0].inline.as_ref()).starts_with("till/receipt.py old "), "{:?}", sent[0].inline);

    editor.command("bitbucket.addComment", json!({ "uri": uri(&path), "text": "About this file." })).await;
    let sent = until_written(&mut editor, &world, before, 2).await;
    assert_eq!(place(sent[1].inline.as_ref()), receipt);

    editor.command("bitbucket.addComment", json!({ "text": "About all of it." })).await;
    let sent = until_written(&mut editor, &world, before, 3).await;
    assert_eq!((place(sent[2].inline.as_ref()).as_str(), sent[2].parent), ("the pull request", None));

    editor.command("bitbucket.addComment", json!({ "uri": uri(&path), "line": 0, "side": "from" })).await;
    told(&mut editor, "Nothing was removed at this line").await;
    editor.stop().await;
}

#[tokio::test]
async fn more_than_thirty_lines_are_cut_and_a_new_file_is_explained() {
    let world = World::sample("comment-too-many-lines").await;
    let (mut editor, cart) = reviewing(&world, CART).await;
    let count = u32::try_from(std::fs::read_to_string(&cart).unwrap().lines().count()).unwrap();
    let target = json!({ "uri": uri(&cart), "line": 0, "endLine": count - 1 });
    let (_, text, _) = draft(&mut editor, "bitbucket.addComment", target).await;
    assert!(text.contains("30 lines at most"), "{text}");

    let new = world.file("till/new.py");
    std::fs::write(&new, "x = 1\n").unwrap();
    editor.open(&new).await;
    let actions = loop {
        // A document is found in its repository a moment after it was opened.
        let actions = editor.actions(&new, 0).await;
        if !actions.is_empty() {
            break actions;
        }
    };
    assert!(actions.iter().any(|(title, _)| title == "Bitbucket: Comment on this line"), "{actions:#?}");
    let target = json!({ "uri": uri(&new), "line": 0 });
    let (_, text, _) = draft(&mut editor, "bitbucket.addComment", target).await;
    assert!(text.contains("comment on the pull request as a whole") && text.contains("x = 1"), "{text}");
    editor.stop().await;
}

#[tokio::test]
async fn new_commits_between_are_followed_and_where_the_lines_changed_the_user_is_asked() {
    let world = World::sample("comment-after-a-push").await;
    let before = latest(&world);
    let (mut editor, cart) = reviewing(&world, CART).await;
    let line = world.line_of(CART, "def subtotal(self)");
    let text = std::fs::read_to_string(&cart).unwrap();
    let (path, _, at) =
        draft(&mut editor, "bitbucket.addComment", json!({ "uri": uri(&cart), "line": line })).await;
    editor.edit(&path, at, at, "A good name?").await;
    let repository = world.simulator.repository("corner-shop/till");
    repository.push_commit("discounts", "Above", &[(CART, Some(&format!("# new\n{text}")))]).unwrap();
    editor.command("bitbucket.sendDraft", json!({ "uri": uri(&path) })).await;
    let sent = until_written(&mut editor, &world, before, 1).await;
    assert_eq!(
        place(sent[0].inline.as_ref()),
        format!("till/cart.py new {0}-{0}", line + 2),
        "the line moved"
    );
    until_gone(&mut editor, &path).await;

    let before = latest(&world);
    let (path, _, at) =
        draft(&mut editor, "bitbucket.addComment", json!({ "uri": uri(&cart), "line": line })).await;
    editor.edit(&path, at, at, "Another thought.").await;
    let changed = text.replace("def subtotal(self)", "def sum_of_items(self)");
    repository.push_commit("discounts", "Renamed", &[(CART, Some(&changed))]).unwrap();
    editor.pick = Some("Send it there".into());
    editor.command("bitbucket.sendDraft", json!({ "uri": uri(&path) })).await;
    let sent = until_written(&mut editor, &world, before, 1).await;
    assert_eq!(place(sent[0].inline.as_ref()), format!("till/cart.py new {0}-{0}", line + 1));
    let asked = editor.seen.asked.last().unwrap()["message"].as_str().unwrap().to_owned();
    assert!(asked.contains("New commits changed") && asked.contains("sum_of_items"), "{asked}");
    assert_eq!(bitbucket(&world).comments_after(before).unwrap().len(), 1);
    editor.stop().await;
}
