//! Which repository a path belongs to, and what kind it is.

use git::{Error, Repository, Trust};

use crate::place::Place;

#[test]
fn files_folders_and_paths_that_do_not_exist_yet_are_found() {
    let place = Place::with_repository();
    place.write("repo/a/b/c.txt", "c");
    let below = [".", "a", "a/b", "a/b/c.txt", "file.txt", "not/yet/there.txt", "a/b/c.txt/below-a-file"];
    for path in below {
        let repository = place.open(&format!("repo/{path}"));
        assert_eq!(repository.work_dir(), Some(place.path("repo").as_path()), "{path}");
        assert_eq!(repository.git_dir(), place.path("repo/.git"), "{path}");
        assert_eq!(repository.common_dir(), repository.git_dir(), "{path}");
        assert!(!repository.is_bare() && !repository.is_shallow(), "{path}");
        assert_eq!((repository.trust(), repository.trust_sentence()), (Trust::Full, None), "{path}");
    }
}

#[test]
fn inside_the_git_folder_is_the_same_repository() {
    let place = Place::with_repository();
    for path in ["repo/.git", "repo/.git/refs/heads", "repo/.git/config"] {
        assert_eq!(place.open(path).git_dir(), place.path("repo/.git"), "{path}");
    }
}

#[test]
fn no_repository_is_an_error_that_names_the_path() {
    let place = Place::new();
    for path in ["home", "home/none.txt", "gitconfig"] {
        let path = place.path(path);
        let error = place.try_open(&path).unwrap_err();
        assert_eq!(error, Error::NotARepository { path: path.clone() });
        assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
    }
}

#[test]
fn a_linked_worktree_has_its_own_head_and_shares_the_rest() {
    let place = Place::with_repository();
    place.git("repo", &["worktree", "add", "-q", "-b", "side", "../linked"]);
    let repository = place.open("linked/file.txt");
    assert_eq!(repository.work_dir(), Some(place.path("linked").as_path()));
    assert_eq!(repository.git_dir(), place.path("repo/.git/worktrees/linked"));
    assert_eq!(repository.common_dir(), place.path("repo/.git"));
    assert!(!repository.is_bare());
    assert_ne!(repository, place.open("repo"));
}

#[test]
fn a_worktree_of_a_bare_repository_is_not_bare() {
    let place = Place::with_server();
    place.git("server", &["worktree", "add", "-q", "../linked", "main"]);
    assert!(place.open("server").is_bare());
    let linked = place.open("linked");
    assert_eq!((linked.is_bare(), linked.common_dir()), (false, place.path("server").as_path()));
}

#[test]
fn a_submodule_is_a_repository_of_its_own() {
    let place = Place::with_server();
    place.git("repo", &["submodule", "add", "-q", &place.file_url("server"), "parts/inner"]);
    let inner = place.open("repo/parts/inner/file.txt");
    assert_eq!(inner.work_dir(), Some(place.path("repo/parts/inner").as_path()));
    assert_eq!(inner.git_dir(), place.path("repo/.git/modules/parts/inner"));
    assert_eq!(place.open("repo/parts").git_dir(), place.path("repo/.git"));
}

#[test]
fn a_git_file_leads_to_the_git_folder() {
    let place = Place::new();
    place.git(".", &["init", "-q", "--separate-git-dir", "elsewhere", "repo"]);
    assert!(place.path("repo/.git").is_file());
    let repository = place.open("repo");
    assert_eq!(repository.work_dir(), Some(place.path("repo").as_path()));
    assert_eq!(repository.git_dir(), place.path("elsewhere"));
}

#[test]
fn bare_repositories_have_no_work_tree() {
    let place = Place::with_server();
    let repository = place.open("server/refs");
    assert!(repository.is_bare());
    assert_eq!((repository.work_dir(), repository.git_dir()), (None, place.path("server").as_path()));
    assert_eq!(repository.work_path("file.txt"), None);
}

#[test]
fn shallow_clones_say_so() {
    let place = Place::with_server();
    place.commit("repo", "file.txt", "more");
    place.git("repo", &["push", "-q", "origin", "main"]);
    place.git(".", &["clone", "-q", "--depth", "1", &place.file_url("server"), "shallow"]);
    let repository = place.open("shallow");
    assert!(repository.is_shallow());
    let parent = place.git("repo", &["rev-parse", "HEAD^"]);
    assert_eq!(
        repository.file_at(&parent, "file.txt", 100),
        Err(Error::CommitMissing { commit: parent.clone() })
    );
    assert!(repository.file_at("HEAD", "file.txt", 100).is_err());
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_into_the_work_tree_leads_to_its_repository() {
    let place = Place::with_repository();
    place.write("repo/folder/inner.txt", "text");
    std::os::unix::fs::symlink(place.path("repo/folder"), place.path("link")).unwrap();
    let repository = place.open("link/inner.txt");
    assert_eq!(repository.git_dir(), place.path("repo/.git"));
    let path = repository.repository_path(&place.path("link/inner.txt"));
    assert_eq!(path.as_deref(), Some("folder/inner.txt"));
}

#[test]
fn a_broken_repository_is_an_error_and_not_a_panic() {
    let place = Place::with_repository();
    place.write("repo/.git/config", "[core\nthis is = not [configuration");
    let error = place.try_open(&place.path("repo")).unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");

    place.write("repo/.git/config", "[core]\n\tbare = false\n");
    place.write("repo/.git/HEAD", "ref: refs/heads/\u{0}\n");
    let read = place.try_open(&place.path("repo")).and_then(|repository| repository.head());
    assert!(matches!(read, Err(Error::Unreadable { .. })), "{read:?}");
}

#[cfg(unix)]
#[test]
fn a_repository_of_another_user_is_read_with_reduced_trust() {
    use std::os::unix::fs::{MetadataExt, chown};
    let place = Place::with_repository();
    place.git("repo", &["remote", "add", "origin", "git@bitbucket.org:ws/repo.git"]);
    if place.path("repo").metadata().unwrap().uid() != 0 {
        // Only root can give a folder away.
        return;
    }
    for path in ["repo", "repo/.git", "repo/.git/config"] {
        chown(place.path(path), Some(65534), Some(65534)).unwrap();
    }
    let repository = place.open("repo/file.txt");
    assert_eq!(repository.trust(), Trust::Reduced);
    let sentence = repository.trust_sentence().unwrap();
    assert!(sentence.contains("safe.directory") && sentence.contains("/repo"), "{sentence}");
    let commit = repository.head().unwrap().commit.unwrap();
    assert!(repository.file_at(&commit, "file.txt", 100).unwrap().is_some());
    let remotes = repository.remotes();
    assert_eq!(remotes[0].url, "git@bitbucket.org:ws/repo.git");
    assert!(remotes[0].problem.as_deref().unwrap().contains("another user"), "{remotes:?}");

    place.user_config(&format!("[safe]\n\tdirectory = {}\n", place.path("repo").display()));
    assert_eq!(repository.trust(), Trust::Full, "safe.directory is respected, without opening again");
    assert_eq!(repository.remotes()[0].problem, None);
}

#[cfg(unix)]
#[test]
fn a_repository_cannot_trust_itself() {
    use std::os::unix::fs::{MetadataExt, chown};
    let place = Place::with_repository();
    place.git("repo", &["config", "safe.directory", "*"]);
    place.git("repo", &["config", "remote.origin.url", "https://example.org/ws/repo"]);
    place.git("repo", &["config", "url.https://bitbucket.org/.insteadOf", "https://example.org/"]);
    if place.path("repo").metadata().unwrap().uid() != 0 {
        return;
    }
    for path in ["repo", "repo/.git", "repo/.git/config"] {
        chown(place.path(path), Some(65534), Some(65534)).unwrap();
    }
    let repository = place.open("repo");
    assert_eq!(repository.trust(), Trust::Reduced);
    assert_eq!(repository.remotes()[0].url, "https://example.org/ws/repo", "its own rules do not apply");
}

#[test]
fn handles_are_shared_between_threads_and_cheap_to_clone() {
    fn shareable<T: Send + Sync + Clone + 'static>(value: T) -> T {
        value
    }
    let place = Place::with_repository();
    let repository: Repository = shareable(place.open("repo"));
    let commit = repository.head().unwrap().commit.unwrap();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (repository, commit) = (repository.clone(), commit.clone());
            std::thread::spawn(move || repository.file_at(&commit, "file.txt", 100).unwrap().unwrap().data)
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), b"one\ntwo\nthree\n");
    }
    assert!(!format!("{repository:?}").is_empty());
}
