//! Tasks: added, completed, opened again, edited and deleted; open ones are warnings and counted.

use super::{bitbucket, draft, reviewing, until_gone};
use journeys::editor::{Editor, uri};
use journeys::world::World;
use serde_json::json;
use simulator::WrittenTask;

const TESTS: &str = "tests/test_cart.py";

async fn until_tasks(
    editor: &mut Editor,
    world: &World,
    what: &str,
    wanted: impl Fn(&[WrittenTask]) -> bool,
) {
    editor
        .until(what, |_| {
            let tasks = bitbucket(world).tasks().unwrap();
            if wanted(&tasks) { Ok(()) } else { Err(format!("{tasks:#?}")) }
        })
        .await;
}

#[tokio::test]
async fn a_task_is_added_to_a_thread_and_makes_it_a_warning() {
    let world = World::sample("add-task").await;
    let (mut editor, cart) = reviewing(&world, "till/cart.py").await;
    let line = world.line_of("till/cart.py", "for discount in self.discounts");
    let (path, text, _) =
        draft(&mut editor, "bitbucket.addTask", json!({ "uri": uri(&cart), "line": line })).await;
    assert!(text.contains("Task on Ben Okafor"), "{text}");
    editor.edit(&path, (0, 0), (0, 0), "Write the order down").await;
    editor.act(&path, 0, "Bitbucket: Send task").await;
    until_gone(&mut editor, &path).await;
    let order = bitbucket(&world).comment_id("order").unwrap();
    let tasks = bitbucket(&world).tasks().unwrap();
    let new = tasks.iter().find(|task| task.raw == "Write the order down").expect("the task");
    assert_eq!((new.comment, new.resolved_by.is_some()), (Some(order), false));
    let uri = uri(&cart);
    editor
        .until("a warning", |seen| {
            let severity = &seen.diagnostics[&uri][0]["severity"];
            if *severity == json!(2) { Ok(()) } else { Err(format!("it is {severity}")) }
        })
        .await;
    let lenses = editor.lenses(&cart).await;
    assert!(lenses[0].contains("2 open tasks"), "{lenses:?}");
    editor.stop().await;
}

#[tokio::test]
async fn tasks_are_completed_opened_edited_and_deleted() {
    let world = World::sample("task-life").await;
    let (mut editor, tests) = reviewing(&world, TESTS).await;
    let line = world.line_of(TESTS, "def test_discounts_follow_each_other");
    let is = |raw: &'static str, resolved: bool| {
        move |tasks: &[WrittenTask]| {
            tasks.iter().any(|task| task.raw == raw && task.resolved_by.is_some() == resolved)
        }
    };
    let text = "Test a voucher that is larger than the total";
    editor.act(&tests, line, "Bitbucket: Complete task").await;
    until_tasks(&mut editor, &world, "the task to be done", is(text, true)).await;
    let uri_of = uri(&tests);
    editor
        .until("no warning", |seen| {
            let severity = &seen.diagnostics[&uri_of][0]["severity"];
            if *severity == json!(3) { Ok(()) } else { Err(format!("it is {severity}")) }
        })
        .await;
    editor.act(&tests, line, "Bitbucket: Reopen task").await;
    until_tasks(&mut editor, &world, "the task to be open", is(text, false)).await;
    let target = json!({ "uri": uri_of, "line": line, "text": "Test a large voucher" });
    editor.command("bitbucket.editTask", target).await;
    until_tasks(&mut editor, &world, "another text", is("Test a large voucher", false)).await;
    editor.pick = Some("Delete".into());
    editor.act(&tests, line, "Bitbucket: Delete task").await;
    until_tasks(&mut editor, &world, "no such task", |tasks| {
        !tasks.iter().any(|task| task.raw.contains("voucher that") || task.raw.contains("large voucher"))
    })
    .await;
    editor.stop().await;
}

#[tokio::test]
async fn of_several_tasks_it_is_asked_which() {
    let world = World::sample("which-task").await;
    let (mut editor, tests) = reviewing(&world, TESTS).await;
    let line = world.line_of(TESTS, "def test_discounts_follow_each_other");
    let thread = bitbucket(&world).comment_id("tests").unwrap();
    editor
        .command("bitbucket.addTask", json!({ "thread": thread, "text": "And one without a voucher" }))
        .await;
    until_tasks(&mut editor, &world, "two tasks", |tasks| {
        tasks.iter().filter(|task| task.comment == Some(thread)).count() == 2
    })
    .await;
    editor.pick = Some("2. And one without a voucher".into());
    editor.command("bitbucket.completeTask", json!({ "uri": uri(&tests), "line": line })).await;
    until_tasks(&mut editor, &world, "the second to be done", |tasks| {
        tasks.iter().any(|task| task.raw.starts_with("And one") && task.resolved_by.is_some())
    })
    .await;
    // The pull request's own tasks, without a thread.
    editor.command("bitbucket.addTask", json!({ "text": "Tell the cashiers" })).await;
    until_tasks(&mut editor, &world, "a task of the pull request", |tasks| {
        tasks.iter().any(|task| task.raw == "Tell the cashiers" && task.comment.is_none())
    })
    .await;
    editor.stop().await;
}
