//! Answering threads: replies by draft and at once, edits, deletion, resolutions.

use super::{bitbucket, draft, drafts_of, latest, reviewing, shown_draft, told, until_gone, until_written};
use journeys::editor::uri;
use journeys::world::World;
use serde_json::json;

const DISCOUNTS: &str = "till/discounts.py";

#[tokio::test]
async fn a_reply_is_typed_in_a_draft_and_sent_as_it_stands() {
    let world = World::sample("reply-by-draft").await;
    let before = latest(&world);
    let (mut editor, discounts) = reviewing(&world, DISCOUNTS).await;
    let line = world.line_of(DISCOUNTS, "return Money(total.cents");
    let target = json!({ "uri": uri(&discounts), "line": line });
    let (path, text, at) = draft(&mut editor, "bitbucket.reply", target).await;
    assert_eq!(at, (0, 0), "the cursor is where one types");
    assert!(text.contains("Reply to Ben Okafor in pull request #4"), "{text}");
    assert!(text.contains("> This rounds down"), "what is answered is quoted\n{text}");

    editor.edit(&path, (0, 0), (0, 0), "You are right.\nI will *round*.").await;
    editor.saved(&path).await;
    let lenses = editor.lenses(&path).await;
    assert_eq!(lenses, ["1: Send reply", "1: Discard"]);
    assert_eq!(super::written(&world, before).len(), 0, "saving sends nothing");
    editor.act(&path, 0, "Bitbucket: Send reply").await;

    let sent = until_written(&mut editor, &world, before, 1).await;
    assert_eq!(sent[0].raw, "You are right.\nI will *round*.");
    assert_eq!(sent[0].parent, Some(bitbucket(&world).comment_id("rounding").unwrap()));
    assert_eq!(sent[0].author, "ana");
    told(&mut editor, "Your reply is on Bitbucket.").await;
    until_gone(&mut editor, &path).await;
    editor.until_hover(&discounts, line, |hover| hover.contains("You are right.")).await;
    editor.stop().await;
}

#[tokio::test]
async fn a_reply_given_as_text_is_on_screen_at_once_and_needs_no_draft() {
    let world = World::sample("reply-at-once").await;
    let before = latest(&world);
    let (mut editor, discounts) = reviewing(&world, DISCOUNTS).await;
    let line = world.line_of(DISCOUNTS, "return Money(total.cents");
    world.simulator.faults().set(simulator::Fault::Hold.on("/2.0/repositories/*/*/pullrequests/*/comments"));
    let thread = bitbucket(&world).comment_id("rounding").unwrap();
    editor.command("bitbucket.reply", json!({ "thread": thread, "text": "Done." })).await;
    // Bitbucket has not answered yet.
    let hover = editor.hover(&discounts, line).await;
    assert!(hover.contains("Done.") && hover.contains("being sent"), "{hover}");
    world.simulator.faults().clear_all();
    until_written(&mut editor, &world, before, 1).await;
    editor
        .until_hover(&discounts, line, |hover| hover.contains("Done.") && !hover.contains("being sent"))
        .await;
    assert!(drafts_of(&world).is_empty());
    assert_eq!(editor.seen.messages, Vec::<String>::new());
    editor.stop().await;
}

#[tokio::test]
async fn a_draft_that_was_begun_is_opened_again() {
    let world = World::sample("reply-begun-before").await;
    let (mut editor, discounts) = reviewing(&world, DISCOUNTS).await;
    let thread = bitbucket(&world).comment_id("rounding").unwrap();
    let (path, ..) = draft(&mut editor, "bitbucket.reply", json!({ "thread": thread })).await;
    editor.edit(&path, (0, 0), (0, 0), "Half a thought").await;
    // What is typed is kept without being saved.
    let typed = path.with_extension("typed");
    editor
        .until("what is typed to be kept", |_| match std::fs::read_to_string(&typed) {
            Ok(text) if text.contains("Half a thought") => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    editor.close(&path).await;
    let before = editor.seen.shown.len();
    editor.act(&discounts, world.line_of(DISCOUNTS, "return Money(total.cents"), "Bitbucket: Reply").await;
    let (again, text, at) = shown_draft(&mut editor, before).await;
    assert_eq!(again, path);
    assert!(text.starts_with("Half a thought"), "{text}");
    assert_eq!(at, (0, 14), "the cursor is at the end of what is there");
    editor.stop().await;
}

#[tokio::test]
async fn own_comments_are_edited_and_deleted_others_are_not() {
    let world = World::sample("edit-and-delete").await;
    let (mut editor, cart) = reviewing(&world, "till/cart.py").await;
    let line = world.line_of("till/cart.py", "for discount in self.discounts");
    let mut comments = bitbucket(&world).comments().unwrap().into_iter();
    let own =
        comments.find(|comment| comment.author == "ana" && comment.raw.starts_with("It does.")).unwrap().id;
    let (path, text, _) =
        draft(&mut editor, "bitbucket.editComment", json!({ "uri": uri(&cart), "line": line })).await;
    assert!(text.starts_with("It does."), "{text}");
    editor.edit(&path, (0, 0), (0, 8), "It does matter.").await;
    editor.command("bitbucket.sendDraft", json!({ "uri": uri(&path) })).await;
    until_gone(&mut editor, &path).await;
    let now =
        |world: &World| bitbucket(world).comments().unwrap().into_iter().find(|one| one.id == own).unwrap();
    assert!(now(&world).raw.starts_with("It does matter. They are taken off"), "{}", now(&world).raw);
    editor.until_hover(&cart, line, |hover| hover.contains("It does matter.")).await;

    editor.pick = Some("Delete".into());
    editor.command("bitbucket.deleteComment", json!({ "comment": own })).await;
    editor
        .until("the comment to be deleted", |_| {
            if now(&world).deleted { Ok(()) } else { Err("it is there".into()) }
        })
        .await;
    assert!(
        editor
            .seen
            .asked
            .iter()
            .any(|asked| asked["message"].as_str().unwrap().contains("Delete your comment"))
    );

    let others = bitbucket(&world).comment_id("order").unwrap();
    editor.command("bitbucket.deleteComment", json!({ "comment": others })).await;
    told(&mut editor, "only your own comments").await;
    editor.stop().await;
}

#[tokio::test]
async fn threads_are_resolved_and_reopened_and_the_walk_goes_on() {
    let world = World::sample("resolve").await;
    let (mut editor, discounts) = reviewing(&world, DISCOUNTS).await;
    let line = world.line_of(DISCOUNTS, "percent: int");
    let limits = bitbucket(&world).comment_id("limits").unwrap();
    let resolved = |world: &World| {
        let comments = bitbucket(world).comments().unwrap();
        comments.into_iter().find(|one| one.id == limits).unwrap().resolved_by
    };
    editor.act(&discounts, line, "Bitbucket: Resolve thread and go to next").await;
    editor
        .until("the next thread", |seen| match seen.shown.last() {
            Some(shown) if shown["selection"]["start"]["line"] == json!(line + 2) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    editor
        .until("the thread to be resolved", |_| match resolved(&world) {
            Some(by) if by == "ana" => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    let uri_of = uri(&discounts);
    editor
        .until("the resolved thread to go from the code", |seen| {
            let drawn = seen.drawn(&uri_of);
            if drawn.iter().any(|one| one.contains("Nothing keeps")) {
                Err(format!("{drawn:?}"))
            } else {
                Ok(())
            }
        })
        .await;
    editor.command("bitbucket.reopenThread", json!({ "thread": limits })).await;
    editor
        .until("the thread to be open", |_| match resolved(&world) {
            None => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    editor
        .until("the thread in the code again", |seen| {
            let drawn = seen.drawn(&uri_of);
            if drawn.iter().any(|one| one.contains("Nothing keeps")) {
                Ok(())
            } else {
                Err(format!("{drawn:?}"))
            }
        })
        .await;
    editor.stop().await;
}
