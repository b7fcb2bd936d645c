//! What is checked out, and where it would be pulled from and pushed to.

use git::{HeadKind, Upstream, UpstreamRemote};

use crate::place::Place;

fn branch(place: &Place) -> (String, Option<Upstream>, Option<Upstream>) {
    match place.open("repo").head().unwrap().kind {
        HeadKind::Branch { name, upstream, push } => (name, upstream, push),
        other => panic!("{other:?}"),
    }
}

fn named(remote: &str, branch: &str) -> Option<Upstream> {
    Some(Upstream { remote: UpstreamRemote::Named(remote.into()), branch: branch.into() })
}

#[test]
fn a_branch_without_upstream() {
    let place = Place::with_repository();
    place.git("repo", &["switch", "-q", "-c", "feature/α β".replace(' ', "-").as_str()]);
    assert_eq!(branch(&place), ("feature/α-β".into(), None, None));
    let head = place.open("repo").head().unwrap();
    assert_eq!(head.commit, Some(place.git("repo", &["rev-parse", "HEAD"])));
    assert_eq!(head.rebasing, None);
}

#[test]
fn the_upstream_may_have_another_name() {
    let place = Place::with_server();
    assert_eq!(branch(&place), ("main".into(), named("origin", "main"), named("origin", "main")));
    place.git("repo", &["switch", "-q", "-c", "mine"]);
    place.git("repo", &["config", "branch.mine.remote", "origin"]);
    place.git("repo", &["config", "branch.mine.merge", "refs/heads/feature/theirs"]);
    // `push.default = simple` refuses to push under another name.
    assert_eq!(branch(&place), ("mine".into(), named("origin", "feature/theirs"), None));
    place.git("repo", &["config", "push.default", "upstream"]);
    assert_eq!(branch(&place).2, named("origin", "feature/theirs"));
}

#[test]
fn a_fork_is_pushed_to_while_upstream_is_pulled_from() {
    let place = Place::with_server();
    place.git("repo", &["remote", "rename", "origin", "upstream"]);
    place.git("repo", &["remote", "add", "team/fork", "git@bitbucket.org:me/repo.git"]);
    place.git("repo", &["switch", "-q", "-c", "topic", "upstream/main"]);
    place.git("repo", &["config", "remote.pushDefault", "team/fork"]);
    assert_eq!(branch(&place), ("topic".into(), named("upstream", "main"), named("team/fork", "topic")));
    place.git("repo", &["config", "branch.topic.pushRemote", "upstream"]);
    assert_eq!(branch(&place).2, None, "simple again: same remote, other name");
    place.git("repo", &["config", "remote.upstream.push", "refs/heads/topic:refs/heads/review/topic"]);
    assert_eq!(branch(&place).2, named("upstream", "review/topic"));
}

#[test]
fn the_remote_of_a_branch_may_be_an_address_or_this_repository() {
    let place = Place::with_repository();
    place.git("repo", &["config", "branch.main.remote", "https://me:SECRET@bitbucket.org/ws/repo.git"]);
    place.git("repo", &["config", "branch.main.merge", "refs/heads/main"]);
    let url = UpstreamRemote::Url("https://bitbucket.org/ws/repo.git".into());
    assert_eq!(branch(&place).1, Some(Upstream { remote: url, branch: "main".into() }));
    assert!(!format!("{:?}", place.open("repo").head()).contains("SECRET"));

    place.git("repo", &["config", "branch.main.remote", "."]);
    let here = Some(Upstream { remote: UpstreamRemote::Here, branch: "main".into() });
    assert_eq!(branch(&place).1, here);
}

#[test]
fn odd_configuration_of_a_branch_is_no_upstream() {
    let place = Place::with_repository();
    place.git("repo", &["config", "branch.main.remote", "origin"]);
    for merge in ["refs/heads/..", "refs/heads/a b", ""] {
        place.git("repo", &["config", "branch.main.merge", merge]);
        assert_eq!(branch(&place).1, None, "{merge:?}");
    }
}

#[test]
fn unborn_and_detached() {
    let place = Place::with_repository();
    let commit = place.git("repo", &["rev-parse", "HEAD"]);
    place.git("repo", &["checkout", "-q", "--detach"]);
    let head = place.open("repo").head().unwrap();
    assert_eq!((head.kind, head.commit), (HeadKind::Detached, Some(commit)));

    place.git(".", &["init", "-q", "-b", "first", "empty"]);
    let repository = place.open("empty");
    let head = repository.head().unwrap();
    assert_eq!((head.kind, head.commit), (HeadKind::Unborn { name: "first".into() }, None));
    assert_eq!(repository.staged_as("file.txt"), None);
    assert_eq!(repository.branches_containing("0000000"), []);
}

#[test]
fn a_rebase_under_way_tells_its_branch() {
    let place = Place::with_repository();
    place.git("repo", &["switch", "-q", "-c", "topic"]);
    place.commit("repo", "file.txt", "mine\n");
    place.git("repo", &["switch", "-q", "main"]);
    place.commit("repo", "file.txt", "theirs\n");
    place.git("repo", &["switch", "-q", "topic"]);
    assert!(!place.try_git("repo", &["rebase", "main"]).0, "a conflict stops it");
    let head = place.open("repo").head().unwrap();
    assert_eq!((head.kind, head.rebasing.as_deref()), (HeadKind::Detached, Some("topic")));
    place.git("repo", &["rebase", "--abort"]);
    assert_eq!(branch(&place).0, "topic");
}

#[test]
fn a_worktree_has_its_own_head() {
    let place = Place::with_repository();
    place.git("repo", &["worktree", "add", "-q", "-b", "side", "../linked"]);
    let name = |folder: &str| match place.open(folder).head().unwrap().kind {
        HeadKind::Branch { name, .. } => name,
        other => panic!("{other:?}"),
    };
    assert_eq!((name("repo"), name("linked")), ("main".into(), "side".into()));
}
