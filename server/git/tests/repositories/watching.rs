//! What changes a fingerprint, and what does not.

use crate::place::Place;

/// Whether doing this changes the fingerprint of the repository in `folder`.
fn changes(place: &Place, folder: &str, action: impl FnOnce()) -> bool {
    let repository = place.open(folder);
    let before = repository.fingerprint();
    assert_eq!(before, repository.fingerprint(), "it stands still by itself");
    action();
    before != repository.fingerprint()
}

/// Commits on the server's `main` from another clone.
fn others_push(place: &Place) {
    if !place.path("other").exists() {
        place.git(".", &["clone", "-q", &place.file_url("server"), "other"]);
    }
    place.git("other", &["pull", "-q"]);
    place.commit("other", "theirs.txt", &place.git("other", &["rev-parse", "HEAD"]));
    place.git("other", &["push", "-q", "origin", "main"]);
}

fn check_journey(place: &Place, folder: &str) {
    let git = |arguments: &[&str]| drop(place.git(folder, arguments));
    let check = |what: &str, action: &dyn Fn()| {
        assert!(changes(place, folder, action), "{what} in {folder}");
    };
    check("commit", &|| drop(place.commit(folder, "mine.txt", "mine")));
    check("amend", &|| git(&["commit", "-q", "--amend", "-m", "other"]));
    check("a new branch", &|| git(&["switch", "-q", "-c", "topic/one"]));
    check("a branch at the same commit", &|| git(&["switch", "-q", "-c", "topic/two"]));
    check("back", &|| git(&["switch", "-q", "topic/one"]));
    check("detach", &|| git(&["checkout", "-q", "--detach"]));
    check("attach", &|| git(&["switch", "-q", "topic/two"]));
    check("a commit on a packed branch", &|| {
        git(&["pack-refs", "--all"]);
        drop(place.commit(folder, "packed.txt", "packed"));
    });
    others_push(place);
    check("fetch", &|| git(&["fetch", "-q", "origin"]));
    check("fetch without news", &|| git(&["fetch", "-q", "origin"]));
    others_push(place);
    check("pull", &|| git(&["pull", "-q", "--no-rebase", "--no-edit", "origin", "main"]));
    others_push(place);
    check("rebase", &|| git(&["pull", "-q", "--rebase", "origin", "main"]));
    check("push", &|| git(&["push", "-q", "origin", "HEAD:refs/heads/pushed"]));
    check("reset", &|| git(&["reset", "-q", "--hard", "HEAD^"]));
    check("an upstream", &|| git(&["branch", "-q", "--set-upstream-to=origin/main"]));
    check("a remote", &|| git(&["remote", "add", "another", "git@bitbucket.org:ws/repo.git"]));
    git(&["remote", "remove", "another"]);
}

#[test]
fn everything_that_moves_a_repository_changes_it() {
    let place = Place::with_server();
    check_journey(&place, "repo");
}

#[test]
fn in_a_linked_worktree_too() {
    let place = Place::with_server();
    place.git("repo", &["worktree", "add", "-q", "-b", "side", "../linked"]);
    check_journey(&place, "linked");
}

#[test]
fn a_fetch_in_one_worktree_is_seen_in_the_other() {
    let place = Place::with_server();
    place.git("repo", &["worktree", "add", "-q", "-b", "side", "../linked"]);
    others_push(&place);
    assert!(changes(&place, "linked", || drop(place.git("repo", &["fetch", "-q", "origin"]))));
    others_push(&place);
    assert!(changes(&place, "repo", || drop(place.git("linked", &["fetch", "-q", "origin"]))));
}

#[test]
fn a_commit_in_one_worktree_is_not_the_others() {
    let place = Place::with_server();
    place.git("repo", &["worktree", "add", "-q", "-b", "side", "../linked"]);
    assert!(!changes(&place, "repo", || drop(place.commit("linked", "x.txt", "x"))));
}

#[test]
fn stopped_merges_and_rebases_change_it() {
    let place = Place::with_repository();
    place.git("repo", &["switch", "-q", "-c", "topic"]);
    place.commit("repo", "file.txt", "mine\n");
    place.git("repo", &["switch", "-q", "main"]);
    place.commit("repo", "file.txt", "theirs\n");
    assert!(changes(&place, "repo", || assert!(!place.try_git("repo", &["merge", "topic"]).0)));
    assert!(changes(&place, "repo", || drop(place.git("repo", &["merge", "--abort"]))));
    place.git("repo", &["switch", "-q", "topic"]);
    assert!(changes(&place, "repo", || assert!(!place.try_git("repo", &["rebase", "main"]).0)));
    assert!(changes(&place, "repo", || drop(place.git("repo", &["rebase", "--abort"]))));
}

#[test]
fn work_on_files_does_not_change_it() {
    let place = Place::with_server();
    place.git("repo", &["worktree", "add", "-q", "-b", "side", "../linked"]);
    for folder in ["repo", "linked"] {
        let git = |arguments: &[&str]| drop(place.git(folder, arguments));
        let check = |what: &str, action: &dyn Fn()| {
            assert!(!changes(&place, folder, action), "{what} in {folder}");
        };
        check("an edit", &|| place.write(&format!("{folder}/file.txt"), "edited\n"));
        check("a new file", &|| place.write(&format!("{folder}/sub/new.txt"), "new\n"));
        check("git status", &|| git(&["status"]));
        check("git add", &|| git(&["add", "-A"]));
        check("git mv", &|| git(&["mv", "sub/new.txt", "sub/newer.txt"]));
        check("git restore", &|| git(&["restore", "--staged", "."]));
        check("git diff and log", &|| {
            git(&["diff"]);
            git(&["log", "-1"]);
        });
        check("reading by us", &|| {
            let repository = place.open(folder);
            repository.head().unwrap();
            repository.remotes();
        });
    }
}

#[test]
fn a_repository_without_commits_or_files_has_one_too() {
    let place = Place::new();
    place.git(".", &["init", "-q", "-b", "main", "repo"]);
    assert!(changes(&place, "repo", || drop(place.commit("repo", "first.txt", "first"))));
    place.git(".", &["clone", "-q", "--bare", "repo", "server"]);
    assert!(changes(&place, "server", || drop(
        place.git("server", &["symbolic-ref", "HEAD", "refs/heads/x"])
    )));
}

#[test]
fn hostile_heads_and_branch_names_stay_inside() {
    let place = Place::with_repository();
    place.write("secret", "ref: refs/heads/main\n");
    place.write("repo/.git/HEAD", "ref: refs/heads/../../../../secret\n");
    let repository = place.open("repo");
    let before = repository.fingerprint();
    place.write("secret", "changed");
    assert_eq!(before, repository.fingerprint(), "what lies outside is not looked at");

    place.write("repo/.git/HEAD", "ref: refs/heads/main\n");
    let repository = place.open("repo");
    place.git("repo", &["symbolic-ref", "refs/heads/main", "refs/heads/loop"]);
    place.git("repo", &["symbolic-ref", "refs/heads/loop", "refs/heads/main"]);
    assert_eq!(repository.fingerprint(), repository.fingerprint());
    assert!(repository.head().is_err() || repository.head().unwrap().commit.is_none());
}
