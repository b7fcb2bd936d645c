//! Suggestions: shown, applied, refused where the code reads otherwise; suggested from a selection.

use super::{bitbucket, draft, latest, reviewing, told, until_written};
use journeys::editor::{Editor, uri};
use journeys::world::World;
use serde_json::{Value, json};

const DISCOUNTS: &str = "till/discounts.py";

/// What the editor's text would be after the latest edit that it was sent, which has to be for this version.
fn applied(editor: &Editor, text: &str) -> String {
    let edit = editor.seen.edits.last().expect("an edit");
    let changes = edit["edit"]["documentChanges"][0]["edits"].as_array().expect("edits").clone();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let offset = |position: &Value| {
        let line = number(&position["line"]);
        lines[..line].iter().map(|line| line.len()).sum::<usize>() + number(&position["character"])
    };
    let mut result = text.to_owned();
    // Bottom up, as they are sent.
    let starts: Vec<usize> = changes.iter().map(|change| offset(&change["range"]["start"])).collect();
    assert!(starts.windows(2).all(|pair| pair[0] > pair[1]), "the lowest first");
    for change in &changes {
        let range = offset(&change["range"]["start"])..offset(&change["range"]["end"]);
        result.replace_range(range, change["newText"].as_str().unwrap());
    }
    result
}

async fn until_edit(editor: &mut Editor, before: usize) {
    editor
        .until(
            "an edit",
            |seen| if seen.edits.len() > before { Ok(()) } else { Err("there was none".into()) },
        )
        .await;
}

#[tokio::test]
async fn a_suggestion_is_a_quick_fix_and_then_the_reviewer_can_be_told() {
    let world = World::sample("apply-suggestion").await;
    let before = latest(&world);
    let (mut editor, discounts) = reviewing(&world, DISCOUNTS).await;
    let text = std::fs::read_to_string(&discounts).unwrap();
    let line = world.line_of(DISCOUNTS, "return Money(total.cents");
    let at = json!({ "line": line, "character": 0 });
    let range = json!({ "start": at, "end": at });
    let fixes =
        editor.actions_in(&discounts, range, json!({ "diagnostics": [], "only": ["quickfix"] })).await;
    let titles: Vec<&str> = fixes.iter().map(|(title, _)| title.as_str()).collect();
    assert_eq!(titles, ["Bitbucket: Apply suggestion"]);
    editor.pick = Some("Reply \"Applied.\" and resolve".into());
    editor.act(&discounts, line, "Bitbucket: Apply suggestion").await;
    until_edit(&mut editor, 0).await;
    let expected =
        text.replace("total.cents * self.percent // 100", "(total.cents * self.percent + 50) // 100");
    assert_ne!(expected, text);
    assert_eq!(applied(&editor, &text), expected);
    assert_eq!(editor.seen.edits[0]["edit"]["documentChanges"][0]["textDocument"]["version"], 1);

    let sent = until_written(&mut editor, &world, before, 1).await;
    assert_eq!(sent[0].raw, "Applied.");
    let rounding = bitbucket(&world).comment_id("rounding").unwrap();
    editor
        .until("the thread to be resolved", |_| {
            let comments = bitbucket(&world).comments().unwrap();
            let thread = comments.into_iter().find(|one| one.id == rounding).unwrap();
            if thread.resolved_by.is_some() { Ok(()) } else { Err("it is open".into()) }
        })
        .await;
    editor.stop().await;
}

#[tokio::test]
async fn line_ends_are_kept_and_changed_lines_are_left_alone() {
    let world = World::sample("apply-to-crlf").await;
    let mut editor = world.editor().await;
    let discounts = world.file(DISCOUNTS);
    super::drawn(&mut editor, &discounts).await;
    let text = std::fs::read_to_string(&discounts).unwrap().replace('\n', "\r\n");
    editor.open_with(&discounts, &text).await;
    let line = world.line_of(DISCOUNTS, "return Money(total.cents");
    editor.until_hover(&discounts, line, |hover| hover.contains("rounds down")).await;
    editor.command("bitbucket.applySuggestion", json!({ "uri": uri(&discounts), "line": line })).await;
    until_edit(&mut editor, 0).await;
    let expected =
        text.replace("total.cents * self.percent // 100", "(total.cents * self.percent + 50) // 100");
    assert_eq!(applied(&editor, &text), expected);

    editor.edit(&discounts, (line, 0), (line, 4), "\t").await;
    editor.command("bitbucket.applySuggestion", json!({ "uri": uri(&discounts), "line": line })).await;
    told(&mut editor, "the lines were changed since it was made").await;
    assert_eq!(editor.seen.edits.len(), 1);
    editor.stop().await;
}

#[tokio::test]
async fn all_suggestions_of_a_file_come_in_one_edit() {
    let world = World::sample("apply-all").await;
    let (mut editor, discounts) = reviewing(&world, DISCOUNTS).await;
    let handle = bitbucket(&world);
    handle
        .add_comment(&simulator::Comment {
            author: "cleo".into(),
            text: "```suggestion\n    percent: float\n```".into(),
            file: Some(DISCOUNTS.into()),
            on: Some("percent: int".into()),
            ..simulator::Comment::default()
        })
        .unwrap();
    editor.command("bitbucket.refresh", json!({})).await;
    let line = world.line_of(DISCOUNTS, "percent: int");
    editor.until_hover(&discounts, line, |hover| hover.contains("percent: float")).await;
    let text = std::fs::read_to_string(&discounts).unwrap();
    editor.act(&discounts, line, "Bitbucket: Apply all suggestions in this file").await;
    until_edit(&mut editor, 0).await;
    let expected = text
        .replace("total.cents * self.percent // 100", "(total.cents * self.percent + 50) // 100")
        .replace("percent: int", "percent: float");
    assert_eq!(applied(&editor, &text), expected);
    told(&mut editor, "2 suggestions are applied").await;
    editor.stop().await;
}

#[tokio::test]
async fn a_change_is_suggested_from_a_selection() {
    let world = World::sample("suggest-a-change").await;
    let before = latest(&world);
    let (mut editor, discounts) = reviewing(&world, DISCOUNTS).await;
    let line = world.line_of(DISCOUNTS, "percent: int");
    let range = json!({
        "start": { "line": line, "character": 0 }, "end": { "line": line + 1, "character": 0 }
    });
    let actions = editor.actions_in(&discounts, range, json!({ "diagnostics": [] })).await;
    let titles: Vec<&str> = actions.iter().map(|(title, _)| title.as_str()).collect();
    assert!(titles.contains(&"Bitbucket: Suggest a change of this line"), "{titles:#?}");
    let target = json!({ "uri": uri(&discounts), "line": line });
    let (path, text, at) = draft(&mut editor, "bitbucket.suggestChange", target).await;
    assert!(text.starts_with("```suggestion\n    percent: int\n```\n"), "{text}");
    assert_eq!(at, (1, 4), "the cursor is in the block");
    editor.edit(&path, (1, 13), (1, 16), "float").await;
    editor.command("bitbucket.sendDraft", json!({ "uri": uri(&path) })).await;
    let sent = until_written(&mut editor, &world, before, 1).await;
    assert_eq!(sent[0].raw, "```suggestion\n    percent: float\n```");
    assert_eq!(sent[0].inline.as_ref().unwrap().to, Some(line + 1));
    editor
        .until_hover(&discounts, line, |hover| {
            hover.contains("```diff") && hover.contains("+    percent: float")
        })
        .await;
    editor.stop().await;
}

#[tokio::test]
async fn an_editor_that_does_not_take_the_edit_is_told() {
    let world = World::sample("edit-refused").await;
    let (mut editor, discounts) = reviewing(&world, DISCOUNTS).await;
    let line = world.line_of(DISCOUNTS, "return Money(total.cents");
    editor.takes_edits = false;
    editor.command("bitbucket.applySuggestion", json!({ "uri": uri(&discounts), "line": line })).await;
    told(&mut editor, "did not take the edit").await;
    assert!(editor.seen.asked.is_empty());
    editor.stop().await;
}
