//! When it goes wrong: nothing is lost, nothing is there twice, and one sentence says what to do.

use super::{bitbucket, draft, drafts_of, latest, reviewing, told, until_gone, until_written, written};
use journeys::editor::{Editor, uri};
use journeys::world::World;
use serde_json::json;
use simulator::{Fault, Loss};
use std::path::PathBuf;

const DISCOUNTS: &str = "till/discounts.py";
const COMMENTS: &str = "/2.0/repositories/*/*/pullrequests/*/comments";

/// A draft of a reply to the thread about rounding, with a text in it.
async fn typed(editor: &mut Editor, world: &World, text: &str) -> PathBuf {
    let thread = bitbucket(world).comment_id("rounding").unwrap();
    let (path, ..) = draft(editor, "bitbucket.reply", json!({ "thread": thread })).await;
    editor.edit(&path, (0, 0), (0, 0), text).await;
    path
}

async fn send(editor: &mut Editor, path: &std::path::Path) {
    editor.command("bitbucket.sendDraft", json!({ "uri": uri(path) })).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_is_looked_for_and_nothing_is_sent_twice() {
    for (name, loss) in [("reset", Loss::Reset), ("500", Loss::Status(500)), ("cut", Loss::Cut)] {
        let world = World::sample(&format!("lost-reply-{name}")).await;
        let before = latest(&world);
        let (mut editor, _) = reviewing(&world, DISCOUNTS).await;
        let path = typed(&mut editor, &world, "Only once.").await;
        world.simulator.faults().set(Fault::LostReply(loss).on(COMMENTS).method("POST").once());
        send(&mut editor, &path).await;
        told(&mut editor, "Your reply is on Bitbucket.").await;
        assert_eq!(written(&world, before).len(), 1, "{name}");
        assert!(editor.seen.asked.is_empty(), "{name}: {:?}", editor.seen.asked);
        until_gone(&mut editor, &path).await;
        editor.stop().await;
    }
}

#[tokio::test]
async fn what_may_have_been_sent_and_is_not_found_is_asked_about() {
    let world = World::sample("unknown-and-asked").await;
    let before = latest(&world);
    let (mut editor, _) = reviewing(&world, DISCOUNTS).await;
    let path = typed(&mut editor, &world, "Was I heard?").await;
    world.simulator.faults().set(Fault::Status(500).on(COMMENTS).method("POST").once());
    editor.pick = Some("Keep the draft".into());
    send(&mut editor, &path).await;
    editor
        .until("the question", |seen| match seen.asked.last() {
            Some(asked)
                if asked["message"].as_str().unwrap().contains("It is not known whether your reply") =>
            {
                Ok(())
            }
            other => Err(format!("{other:?}")),
        })
        .await;
    assert!(path.exists());
    assert_eq!(written(&world, before).len(), 0);
    // Later, by the user's word: it is looked for first, then asked again, and sent once.
    editor.pick = Some("Send it again".into());
    send(&mut editor, &path).await;
    let sent = until_written(&mut editor, &world, before, 1).await;
    assert_eq!(sent[0].raw, "Was I heard?");
    assert_eq!(editor.seen.asked.len(), 2);
    until_gone(&mut editor, &path).await;
    editor.stop().await;
}

#[tokio::test]
async fn offline_a_draft_waits_and_is_sent_by_the_users_word_only() {
    let world = World::sample("offline-draft").await;
    let before = latest(&world);
    let (mut editor, discounts) = reviewing(&world, DISCOUNTS).await;
    let path = typed(&mut editor, &world, "Later, then.").await;
    world.simulator.faults().set(Fault::Forbidden.on(COMMENTS).method("POST").once());
    send(&mut editor, &path).await;
    let message = told(&mut editor, "Your reply was not sent.").await;
    assert!(message.contains("403") && message.contains("kept in the draft"), "{message}");
    let uri_of = uri(&path);
    editor
        .until("the draft to say so", |seen| {
            let problems = seen.drawn(&uri_of);
            if problems.iter().any(|one| one.contains("403")) { Ok(()) } else { Err(format!("{problems:?}")) }
        })
        .await;
    // It is not shown as if it were there.
    let line = world.line_of(DISCOUNTS, "return Money(total.cents");
    editor.until_hover(&discounts, line, |hover| !hover.contains("Later, then.")).await;
    editor.command("bitbucket.refresh", json!({})).await;
    editor.until_hover(&discounts, line, |hover| hover.contains("rounds down")).await;
    assert_eq!(written(&world, before).len(), 0, "nothing is sent by itself");
    assert_eq!(editor.lenses(&path).await, ["1: Send again", "1: Discard"]);
    send(&mut editor, &path).await;
    assert_eq!(until_written(&mut editor, &world, before, 1).await[0].raw, "Later, then.");
    editor.stop().await;
}

#[tokio::test]
async fn a_text_given_at_once_that_is_refused_is_in_a_draft() {
    for (name, retry_after, words) in [
        ("refused-text", None, "send it again in"),
        ("refused-text-for-long", Some("120".to_owned()), "send it again in 2 minutes"),
    ] {
        let world = World::sample(name).await;
        let before = latest(&world);
        let (mut editor, _) = reviewing(&world, DISCOUNTS).await;
        world.simulator.faults().set(Fault::RateLimited(retry_after).on(COMMENTS).method("POST").once());
        let thread = bitbucket(&world).comment_id("rounding").unwrap();
        let shown = editor.seen.shown.len();
        editor.command("bitbucket.reply", json!({ "thread": thread, "text": "Precious words" })).await;
        let (path, text, _) = super::shown_draft(&mut editor, shown).await;
        assert!(text.starts_with("Precious words"), "{text}");
        let message = told(&mut editor, "Your reply was not sent.").await;
        assert!(message.contains(words) && message.contains("429"), "{message}");
        assert_eq!(written(&world, before).len(), 0);
        assert!(path.exists());
        editor.stop().await;
    }
}

#[tokio::test]
async fn what_others_did_in_between_is_said_and_shown() {
    let world = World::sample("meanwhile").await;
    let before = latest(&world);
    let (mut editor, discounts) = reviewing(&world, DISCOUNTS).await;
    let handle = bitbucket(&world);
    // Resolved by somebody else.
    let limits = handle.comment_id("limits").unwrap();
    handle.resolve(limits, "cleo").unwrap();
    editor.command("bitbucket.resolveThread", json!({ "thread": limits })).await;
    let message = told(&mut editor, "The thread was not resolved.").await;
    assert!(message.contains("409") || message.contains("already"), "{message}");
    let line = world.line_of(DISCOUNTS, "percent: int");
    editor.until_hover(&discounts, line, |hover| !hover.contains("Nothing keeps")).await;

    // Edited elsewhere since the edit was begun.
    let own =
        handle.comments().unwrap().into_iter().find(|one| one.raw.starts_with("No! It stops")).unwrap().id;
    let (path, ..) = draft(&mut editor, "bitbucket.editComment", json!({ "comment": own })).await;
    editor.edit(&path, (0, 0), (0, 3), "Never!").await;
    handle.edit_comment(own, "No! It stops at one.").unwrap();
    send(&mut editor, &path).await;
    told(&mut editor, "It was changed by somebody, or elsewhere").await;
    let now = handle.comments().unwrap().into_iter().find(|one| one.id == own).unwrap().raw;
    assert_eq!(now, "No! It stops at one.");
    assert!(path.exists());

    // Deleted: there is nothing to answer any more.
    let rounding = handle.comment_id("rounding").unwrap();
    let path = typed(&mut editor, &world, "To nobody").await;
    handle.delete_comment(rounding).unwrap();
    send(&mut editor, &path).await;
    editor
        .until("the outcome", |seen| {
            let sent = written(&world, before).len() == 1;
            let refused = seen.messages.iter().any(|message| message.contains("Your reply was not sent."));
            if sent != refused { Ok(()) } else { Err("neither sent nor refused".into()) }
        })
        .await;
    editor.stop().await;
}

#[tokio::test]
async fn a_pull_request_that_is_declined_meanwhile_keeps_the_text() {
    let world = World::sample("declined-meanwhile").await;
    let before = latest(&world);
    let (mut editor, _) = reviewing(&world, DISCOUNTS).await;
    let path = typed(&mut editor, &world, "Too late?").await;
    let handle = bitbucket(&world);
    handle.decline("ana").unwrap();
    handle.lock(true).unwrap();
    send(&mut editor, &path).await;
    told(&mut editor, "Your reply was not sent.").await;
    assert!(path.exists());
    assert_eq!(written(&world, before).len(), 0);
    handle.lock(false).unwrap();
    send(&mut editor, &path).await;
    until_written(&mut editor, &world, before, 1).await;
    editor.stop().await;
}

#[tokio::test]
async fn a_disk_that_takes_nothing_is_told_before_anything_is_sent() {
    let world = World::sample("no-disk").await;
    let before = latest(&world);
    let (mut editor, _) = reviewing(&world, DISCOUNTS).await;
    // Nothing can be made below a file, whoever tries.
    let folder = world.folder().join("state/drafts");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    let thread = bitbucket(&world).comment_id("rounding").unwrap();
    let posts = || world.simulator.requests().iter().filter(|request| request.method == "POST").count();
    let sent = posts();
    editor.command("bitbucket.reply", json!({ "thread": thread, "text": "Precious words" })).await;
    let message = told(&mut editor, "Nothing was sent.").await;
    assert!(message.contains("Precious words"), "the text is in the message\n{message}");
    editor.command("bitbucket.reply", json!({ "thread": thread })).await;
    editor
        .until("a second sentence", |seen| {
            if seen.messages.len() == 2 { Ok(()) } else { Err(format!("{:?}", seen.messages)) }
        })
        .await;
    assert_eq!((posts(), written(&world, before).len()), (sent, 0));
    editor.stop().await;
}

#[tokio::test]
async fn two_servers_do_not_send_one_draft_twice() {
    let world = World::sample("two-windows").await;
    let before = latest(&world);
    let (mut one, _) = reviewing(&world, DISCOUNTS).await;
    let path = typed(&mut one, &world, "From two windows.").await;
    let (mut other, _) = reviewing(&world, DISCOUNTS).await;
    // The other window opens the same draft.
    other.open_with(&path, &format!("From two windows.{}", std::fs::read_to_string(&path).unwrap())).await;
    other
        .until("the draft to be known", |seen| {
            if seen.diagnostics.contains_key(&uri(&path)) { Ok(()) } else { Err("it is not".into()) }
        })
        .await;
    world.simulator.faults().set(Fault::Hold.on(COMMENTS).method("POST").once());
    send(&mut one, &path).await;
    one.until("the first to be on its way", |_| {
        let posts = world.simulator.requests().into_iter();
        let posts = posts.filter(|request| request.method == "POST" && request.path.ends_with("/comments"));
        let posts = posts.count();
        if posts == 1 { Ok(()) } else { Err(format!("{posts} have come")) }
    })
    .await;
    send(&mut other, &path).await;
    told(&mut other, "being sent").await;
    world.simulator.faults().clear_all();
    told(&mut one, "Your reply is on Bitbucket.").await;
    assert_eq!(written(&world, before).len(), 1);
    one.stop().await;
    other.stop().await;
    assert!(drafts_of(&world).is_empty());
}
