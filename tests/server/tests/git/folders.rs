//! Where a repository is: worktrees, submodules, folders below the root, files outside of every folder.

use super::LIST;
use journeys::world::{World, git, picnic};
use serde_json::json;

#[tokio::test]
async fn a_linked_worktree_has_its_own_branch() {
    let world = World::checkout("linked-worktree", picnic(), "club/picnic", "main").await;
    let tree = world.folder().join("tree");
    world.git(&["worktree", "add", "-q", "-b", "work", tree.to_str().unwrap(), "origin/work"]);
    let mut editor = world.editor_in(&[&world.clone, &tree]).await;
    editor.until_drawn(&tree.join("list.txt"), &LIST).await;
    editor.until_status("The branch has no pull request.").await;
    assert_eq!(editor.seen.drawn(&journeys::editor::uri(&world.file("list.txt"))), Vec::<String>::new());
    // A commit in the worktree is noticed there, though its HEAD and its branch are in two folders.
    std::fs::write(
        tree.join("list.txt"),
        "a new first line\n".to_owned() + &std::fs::read_to_string(tree.join("list.txt")).unwrap(),
    )
    .unwrap();
    git(&tree, &["commit", "-qam", "One line more"]);
    editor.until_drawn(&tree.join("list.txt"), &["10: Ben", "14: Ben", "16: Ben"]).await;
    assert_eq!(editor.stop().await, 0);
}

#[tokio::test]
async fn a_submodule_is_a_repository_of_its_own() {
    let world = World::start("submodule", picnic()).await;
    let whole = world.folder().join("whole");
    std::fs::create_dir(&whole).unwrap();
    git(&whole, &["init", "-q"]);
    let url = world.simulator.remote_url("club/picnic");
    let add = ["submodule", "--quiet", "add", "-b", "work", &url, "parts/picnic"];
    world.simulator.git(&whole, &add).unwrap();
    git(&whole, &["commit", "-qm", "A part"]);
    let part = whole.join("parts/picnic");
    assert!(part.join(".git").is_file(), "git keeps a file there that points to the folder");

    let mut editor = world.editor_in(&[&whole]).await;
    let status = editor.until_status("It has no remotes.").await;
    assert!(!status.contains("club/picnic on Bitbucket"), "the whole is not the part: {status}");
    editor.open(&part.join("list.txt")).await;
    editor.until_drawn(&part.join("list.txt"), &LIST).await;
    // `git submodule update` leaves a commit checked out and no branch.
    git(&part, &["checkout", "-q", "--detach"]);
    git(&part, &["branch", "-qD", "work"]);
    editor.until_status("contained in work").await;
    editor.until_drawn(&part.join("list.txt"), &LIST).await;
    editor.stop().await;
}

#[tokio::test]
async fn a_folder_below_the_root_opens_the_repository() {
    let world = World::picnic("below-the-root").await;
    let mut editor = world.editor_in(&[&world.file("docs")]).await;
    editor.until_drawn(&world.file("docs/way.txt"), &["1: Ben Okafor: Is there a ferry"]).await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    editor.stop().await;
}

#[tokio::test]
async fn two_folders_of_one_repository_are_one_repository() {
    let world = World::picnic("two-folders").await;
    let mut editor = world.editor_in(&[&world.clone, &world.file("docs")]).await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    assert_eq!(editor.status().await.matches("Shown: pull request").count(), 1);
    assert_eq!(world.requests_to("/comments"), 1);
    // It stays as long as one of them does.
    editor.change_folders(&[], &[&world.clone]).await;
    editor.status().await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    editor.change_folders(&[], &[&world.file("docs")]).await;
    editor.until_nothing_is_drawn().await;
    editor.stop().await;
}

#[tokio::test]
async fn a_file_outside_of_every_folder_brings_its_repository() {
    let world = World::picnic("file-outside").await;
    let elsewhere = world.folder().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let mut editor = world.editor_in(&[&elsewhere]).await;
    editor.open(&world.file("list.txt")).await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    editor.until_drawn(&world.file("docs/way.txt"), &["1: Ben Okafor"]).await;
    // With its last file goes the repository, and what it showed.
    editor.close(&world.file("list.txt")).await;
    editor.until_nothing_is_drawn().await;
    let status = editor.status().await;
    assert!(!status.contains("club/picnic on Bitbucket"), "{status}");
    assert_eq!(editor.seen.messages, Vec::<String>::new());
    editor.stop().await;
}

#[tokio::test]
async fn folders_come_and_go_while_the_server_runs() {
    let world = World::picnic("folders-come-and-go").await;
    let mut editor = world.editor_in(&[]).await;
    let status = editor.status().await;
    assert!(status.contains("No folder is open"), "{status}");
    for _ in 0..2 {
        editor.change_folders(&[&world.clone], &[]).await;
        editor.until_drawn(&world.file("list.txt"), &LIST).await;
        editor.change_folders(&[], &[&world.clone]).await;
        editor.until_nothing_is_drawn().await;
    }
    // Gone before it was even looked at: nothing of it may appear later.
    editor.change_folders(&[&world.clone], &[]).await;
    editor.change_folders(&[], &[&world.clone]).await;
    editor.until_status("No folder is open").await;
    editor.until_nothing_is_drawn().await;
    editor.stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_opened_through_a_link_is_drawn_once() {
    let world = World::picnic("through-a-link").await;
    let link = world.folder().join("link");
    std::os::unix::fs::symlink(&world.clone, &link).unwrap();
    let (real, linked) = (world.file("list.txt"), link.join("list.txt"));
    let mut editor = world.editor().await;
    editor.until_drawn(&real, &LIST).await;
    editor.open(&linked).await;
    editor.until_drawn(&linked, &LIST).await;
    editor.until_drawn(&real, &[]).await;
    editor.close(&linked).await;
    editor.until_drawn(&real, &LIST).await;
    editor.until_drawn(&linked, &[]).await;
    editor.stop().await;
}

#[tokio::test]
async fn two_repositories_show_their_own_comments() {
    let mut scenario = picnic();
    let mut other = scenario.repositories[0].clone();
    other.name = "club/camping".into();
    scenario.repositories.push(other);
    for pull_request in &mut scenario.pull_requests {
        pull_request.repository = Some("club/picnic".into());
    }
    let mut twin = scenario.pull_requests[0].clone();
    twin.repository = Some("club/camping".into());
    twin.comments.truncate(1);
    twin.comments[0].text = "The other one.".into();
    scenario.pull_requests.push(twin);
    let world = World::checkout("two-repositories", scenario, "club/picnic", "work").await;
    let camping = world.clone_as("camping", "club/camping", "work");
    let mut editor = world.editor_in(&[&world.clone, &camping]).await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    editor.until_drawn(&camping.join("list.txt"), &["9: Ben Okafor: The other one"]).await;
    // A command goes to the repository of the document that it names.
    editor.open(&camping.join("list.txt")).await;
    editor.open(&world.file("list.txt")).await;
    for (file, text) in [(camping.join("list.txt"), "The other one"), (world.file("list.txt"), "Green ones")]
    {
        let target = json!({ "uri": journeys::editor::uri(&file) });
        editor.until_hover(&file, 8, |hover| hover.contains(text)).await;
        let (_, page) = editor.document("bitbucket.showPullRequest", target).await;
        assert!(page.contains(text), "{page}");
    }
    editor.change_folders(&[], &[&camping]).await;
    editor.close(&camping.join("list.txt")).await;
    editor.until_drawn(&camping.join("list.txt"), &[]).await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    editor.stop().await;
}

#[tokio::test]
async fn folders_without_anything_to_show_say_why() {
    let world = World::picnic("nothing-to-show").await;
    let plain = world.folder().join("plain");
    let fresh = world.folder().join("fresh");
    let bare = world.folder().join("bare.git");
    std::fs::create_dir(&plain).unwrap();
    std::fs::create_dir(&fresh).unwrap();
    git(&fresh, &["init", "-q"]);
    git(&fresh, &["remote", "add", "origin", &world.simulator.remote_url("club/picnic")]);
    git(&world.folder(), &["clone", "-q", "--bare", world.clone.to_str().unwrap(), bare.to_str().unwrap()]);
    git(&bare, &["remote", "set-url", "origin", &world.simulator.remote_url("club/picnic")]);
    let mut editor = world.editor_in(&[&plain, &fresh, &bare]).await;
    let status = editor.until_status("The branch main has no commit yet, so no pull request.").await;
    assert!(status.contains("branch main, without a commit yet"), "{status}");
    editor.until_status("The repository is bare: it has no files to show comments in.").await;
    let status = editor.until_status("## Folders without a repository").await;
    let of_plain = status.lines().find(|line| line.contains("/plain")).unwrap_or_else(|| panic!("{status}"));
    assert!(
        of_plain.contains("not in a git repository") || of_plain.contains("no git repository"),
        "{of_plain}"
    );
    editor.until_status("in files that are not here").await;
    editor.until_nothing_is_drawn().await;
    assert_eq!(editor.seen.messages, Vec::<String>::new(), "none of this is worth a pop-up");

    // A first commit and a branch of the pull request: now there is something.
    world.simulator.git(&fresh, &["fetch", "-q", "origin"]).unwrap();
    git(&fresh, &["switch", "-q", "work"]);
    editor.until_drawn(&fresh.join("list.txt"), &LIST).await;
    // And a folder that becomes a repository is found by a refresh.
    std::fs::rename(world.file(".git"), plain.join(".git")).unwrap();
    git(&plain, &["checkout", "-q", "."]);
    editor.command("bitbucket.refresh", json!({})).await;
    editor.until_drawn(&plain.join("list.txt"), &LIST).await;
    editor.stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_repository_of_another_user_is_not_connected_to() {
    let world = World::picnic("another-user").await;
    if std::os::unix::fs::chown(world.file(".git"), Some(65534), Some(65534)).is_err() {
        // Only root can give a folder away; what the session makes of it is among its own tests.
        return;
    }
    std::os::unix::fs::chown(&world.clone, Some(65534), Some(65534)).unwrap();
    let mut editor = world.editor().await;
    editor.open(&world.file("list.txt")).await;
    let status = editor.until_status("belongs to another user").await;
    assert!(status.contains("safe.directory"), "it says what to do: {status}");
    editor.command("bitbucket.refresh", json!({})).await;
    editor.command("bitbucket.showPullRequest", json!({})).await;
    let messages = editor.until("a message", |seen| match seen.messages.is_empty() {
        true => Err("there is none".to_owned()),
        false => Ok(seen.messages.clone()),
    });
    let messages = messages.await;
    assert!(messages[0].contains("another user"), "{messages:?}");
    assert_eq!(
        world.simulator.requests().iter().filter(|request| request.path.starts_with("/2.0")).count(),
        0
    );
    // Given back, a refresh finds it.
    for path in [world.clone.clone(), world.file(".git")] {
        std::os::unix::fs::chown(path, Some(current_user()), None).unwrap();
    }
    editor.command("bitbucket.refresh", json!({})).await;
    editor.until_drawn(&world.file("list.txt"), &LIST).await;
    editor.stop().await;
}

#[cfg(unix)]
fn current_user() -> u32 {
    use std::os::unix::fs::MetadataExt;
    tempfile::NamedTempFile::new().unwrap().as_file().metadata().unwrap().uid()
}
