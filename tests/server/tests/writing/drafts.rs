//! Drafts as documents: what helps to write them, the list, and that they outlive everything.

use super::{
    bitbucket, draft, drafts_of, latest, reviewing, shown_draft, told, until_gone, until_written, written,
};
use journeys::editor::{Editor, able, uri};
use journeys::world::World;
use serde_json::{Value, json};
use std::path::Path;

const DISCOUNTS: &str = "till/discounts.py";

/// A draft of a reply to the thread about rounding.
async fn reply(editor: &mut Editor, world: &World) -> std::path::PathBuf {
    let thread = bitbucket(world).comment_id("rounding").unwrap();
    draft(editor, "bitbucket.reply", json!({ "thread": thread })).await.0
}

/// Waits until a draft has a problem with this in it; gives its severity.
async fn problem(editor: &mut Editor, path: &Path, words: &str) -> Value {
    let uri = uri(path);
    editor
        .until(&format!("the problem {words:?}"), |seen| {
            let problems = seen.diagnostics.get(&uri).cloned().unwrap_or_default();
            let found =
                problems.iter().find(|one| one["message"].as_str().unwrap_or_default().contains(words));
            found.map(|one| one["severity"].clone()).ok_or_else(|| format!("{problems:#?}"))
        })
        .await
}

/// What is offered after this was typed into an empty draft.
async fn offered(editor: &mut Editor, path: &Path, typed: &str) -> Vec<String> {
    let at = u32::try_from(typed.chars().count()).unwrap();
    editor.edit(path, (0, 0), (0, 0), typed).await;
    let offered = editor.completions(path, 0, at).await;
    editor.edit(path, (0, 0), (0, at), "").await;
    offered
}

#[tokio::test]
async fn people_emoji_pull_requests_and_suggestions_are_completed() {
    let world = World::sample("draft-completion").await;
    let before = latest(&world);
    let (mut editor, _) = reviewing(&world, DISCOUNTS).await;
    let path = reply(&mut editor, &world).await;
    let people = offered(&mut editor, &path, "Hello @ben").await;
    assert_eq!(people.len(), 1, "{people:?}");
    assert!(people[0].starts_with("Ben Okafor -> @{") && people[0].ends_with('}'), "{people:?}");
    let emoji = offered(&mut editor, &path, "Done :tada").await;
    assert!(emoji.iter().any(|one| one.ends_with("-> 🎉")), "{emoji:?}");
    let numbers = loop {
        // They are read when the draft is opened.
        let numbers = offered(&mut editor, &path, "As in #").await;
        if !numbers.is_empty() {
            break numbers;
        }
    };
    assert!(numbers.iter().any(|one| one.ends_with("-> #4")), "{numbers:?}");
    let blocks = offered(&mut editor, &path, "```").await;
    assert!(
        blocks.iter().any(|one| one.contains("suggestion\n    def off(self, total: Money)")),
        "{blocks:?}"
    );

    // What is inserted is what Bitbucket wants; on screen it has a name.
    let inserted = people[0].split(" -> ").nth(1).unwrap().to_owned();
    editor.edit(&path, (0, 0), (0, 0), &format!("{inserted} see above")).await;
    let hover = editor.hover(&path, 0).await;
    assert!(hover.contains("Ben Okafor"), "{hover}");
    editor.act(&path, 0, "Bitbucket: Send reply").await;
    let sent = until_written(&mut editor, &world, before, 1).await;
    assert_eq!(sent[0].raw, format!("{inserted} see above"));
    editor.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_draft_is_said_before_it_is_sent() {
    let world = World::sample("draft-problems").await;
    let before = latest(&world);
    let (mut editor, discounts) = reviewing(&world, DISCOUNTS).await;
    let path = reply(&mut editor, &world).await;
    let lenses = editor.lenses(&path).await;
    assert_eq!(lenses.len(), 2, "it is known");
    assert!(!editor.seen.diagnostics.values().flatten().any(|one| one["code"] == "draft"), "it is new");
    editor.edit(&path, (0, 0), (0, 0), " ").await;
    assert_eq!(problem(&mut editor, &path, "no text yet").await, json!(3));
    editor.edit(&path, (0, 0), (0, 1), "").await;
    editor.act(&path, 0, "Bitbucket: Send reply").await;
    told(&mut editor, "no text yet").await;

    editor.edit(&path, (0, 0), (0, 0), "@{nobody:at-all} hello").await;
    problem(&mut editor, &path, "Nobody here has this account").await;
    editor.edit(&path, (0, 0), (0, 22), &"x".repeat(40_000)).await;
    assert_eq!(problem(&mut editor, &path, "long").await, json!(1));
    editor.edit(&path, (0, 0), (0, 40_000), "a\0b").await;
    editor.command("bitbucket.sendDraft", json!({ "uri": uri(&path) })).await;
    told(&mut editor, "NUL").await;
    editor.edit(&path, (0, 0), (0, 3), "```suggestion\n    def off(self) -> Money:\n```").await;
    let line = world.line_of(DISCOUNTS, "return Money(total.cents");
    editor.edit(&discounts, (line, 8), (line, 14), "raise").await;
    editor.edit(&path, (0, 0), (0, 0), "So:\n\n").await;
    problem(&mut editor, &path, "changed").await;

    // The line that ends the text is gone: nobody knows what was meant.
    let last = 60;
    editor.edit(&path, (0, 0), (last, 0), "All of it?").await;
    problem(&mut editor, &path, "where your text ends").await;
    editor.command("bitbucket.sendDraft", json!({ "uri": uri(&path) })).await;
    told(&mut editor, "where your text ends").await;
    assert_eq!(written(&world, before).len(), 0);
    editor.stop().await;
}

#[tokio::test]
async fn drafts_outlive_the_server_and_are_listed() {
    let world = World::sample("drafts-outlive").await;
    let (mut editor, _) = reviewing(&world, DISCOUNTS).await;
    let path = reply(&mut editor, &world).await;
    editor.edit(&path, (0, 0), (0, 0), "A long thought").await;
    let typed = path.with_extension("typed");
    editor
        .until("what is typed to be kept", |_| match std::fs::read_to_string(&typed) {
            Ok(text) if text.contains("A long thought") => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    // The editor is gone without a word; nothing was saved.
    drop(editor);
    let (mut editor, _) = reviewing(&world, DISCOUNTS).await;
    let (list, text) = editor.document("bitbucket.showDrafts", json!({})).await;
    assert!(text.contains("1 draft") || text.contains("A long thought"), "{text}");
    assert!(text.contains("A long thought") && text.contains("not sent"), "{text}");
    editor.open(&list).await;
    let row = u32::try_from(text.lines().position(|line| line.contains("A long thought")).unwrap()).unwrap();
    let lenses = editor.lenses(&list).await;
    let expected = ["Open", "Send reply", "Discard"].map(|title| format!("{}: {title}", row + 1));
    assert_eq!(lenses, expected);
    let before = editor.seen.shown.len();
    editor.act(&list, row, "Bitbucket: Open draft").await;
    let (again, text, _) = shown_draft(&mut editor, before).await;
    assert_eq!(again, path);
    assert!(text.starts_with("A long thought"), "{text}");

    editor.act(&list, row, "Bitbucket: Discard").await;
    until_gone(&mut editor, &path).await;
    told(&mut editor, "kept for 30 days").await;
    let kept = world.folder().join("state/drafts/discarded");
    let texts: Vec<String> = kept
        .read_dir()
        .unwrap()
        .filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok())
        .collect();
    assert!(texts.iter().any(|text| text.contains("A long thought")), "{texts:?}");
    editor
        .until("an empty list", |_| {
            let text = std::fs::read_to_string(&list).unwrap();
            if text.contains("There are no drafts") { Ok(()) } else { Err(text) }
        })
        .await;
    editor.stop().await;
}

#[tokio::test]
async fn a_file_that_is_edited_outside_or_deleted_loses_nothing() {
    let world = World::sample("draft-outside").await;
    let before = latest(&world);
    let (mut editor, _) = reviewing(&world, DISCOUNTS).await;
    let path = reply(&mut editor, &world).await;
    editor.close(&path).await;
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("By another program.{text}")).unwrap();
    editor.document("bitbucket.showDrafts", json!({})).await;
    let name = path.file_stem().unwrap().to_str().unwrap();
    editor.command("bitbucket.sendDraft", json!({ "draft": name })).await;
    let sent = until_written(&mut editor, &world, before, 1).await;
    assert_eq!(sent[0].raw, "By another program.");

    // Deleted on disk while it is open: what is in the editor is sent.
    let before = latest(&world);
    let path = reply(&mut editor, &world).await;
    editor.edit(&path, (0, 0), (0, 0), "Still here.").await;
    std::fs::remove_file(&path).unwrap();
    editor.command("bitbucket.sendDraft", json!({ "uri": uri(&path) })).await;
    let sent = until_written(&mut editor, &world, before, 1).await;
    assert_eq!(sent[0].raw, "Still here.");
    editor.stop().await;
}

#[tokio::test]
async fn an_editor_that_starts_a_server_for_the_draft_alone_can_send_it() {
    let world = World::sample("draft-alone").await;
    let before = latest(&world);
    let (mut editor, discounts) = reviewing(&world, DISCOUNTS).await;
    let path = reply(&mut editor, &world).await;
    // As eglot does: a server for each project, and the folder of drafts is one.
    let folder = path.parent().unwrap();
    let mut other =
        Editor::start("draft-alone-other", world.environment(), &[folder], able(), json!({})).await;
    other.open(&path).await;
    let offered = loop {
        // Its repository is looked for and read first.
        let offered = offered(&mut other, &path, "@cleo").await;
        if !offered.is_empty() {
            break offered;
        }
    };
    assert!(offered[0].starts_with("Cleo Lindqvist"), "{offered:?}");
    other.edit(&path, (0, 0), (0, 0), "From the other server.").await;
    other.act(&path, 0, "Bitbucket: Send reply").await;
    let sent = until_written(&mut other, &world, before, 1).await;
    assert_eq!(sent[0].raw, "From the other server.");
    told(&mut other, "Your reply is on Bitbucket.").await;
    // The first one sees that the draft went, and reads the answer.
    let line = world.line_of(DISCOUNTS, "return Money(total.cents");
    editor.until_hover(&discounts, line, |hover| hover.contains("From the other server.")).await;
    other.stop().await;
    editor.stop().await;
}

#[tokio::test]
async fn a_wrapper_is_told_which_draft_is_gone_and_a_bare_client_never() {
    let world = World::sample("draft-closed").await;
    let before = latest(&world);
    let mut editor = Editor::unstarted("draft-closed-wrapper", world.environment(), json!({})).await;
    editor
        .initialize(&[&world.clone], able(), json!({ "initializationOptions": { "draftClosed": true } }))
        .await;
    editor.notify("initialized", json!({})).await;
    super::drawn(&mut editor, &world.file(DISCOUNTS)).await;
    let path = reply(&mut editor, &world).await;
    editor.edit(&path, (0, 0), (0, 0), "Yes.").await;
    editor.command("bitbucket.sendDraft", json!({ "uri": uri(&path) })).await;
    until_written(&mut editor, &world, before, 1).await;
    let gone = uri(&path);
    editor
        .until("to hear that the draft is gone", |seen| {
            if seen.closed_drafts == [gone.clone()] {
                Ok(())
            } else {
                Err(format!("{:?}", seen.closed_drafts))
            }
        })
        .await;
    assert_eq!(editor.seen.messages, ["Your reply is on Bitbucket."]);
    assert!(drafts_of(&world).is_empty());
    editor.stop().await;

    let (mut editor, _) = reviewing(&world, DISCOUNTS).await;
    let path = reply(&mut editor, &world).await;
    editor.edit(&path, (0, 0), (0, 0), "Yes again.").await;
    editor.command("bitbucket.sendDraft", json!({ "uri": uri(&path) })).await;
    told(&mut editor, "Your reply is on Bitbucket.").await;
    assert!(editor.seen.closed_drafts.is_empty());
    editor.stop().await;
}
