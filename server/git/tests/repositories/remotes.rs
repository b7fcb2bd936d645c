//! Remotes with their real addresses and no secrets.

use git::Remote;

use crate::place::Place;

fn remote(name: &str, url: &str) -> Remote {
    let (name, url) = (name.into(), url.into());
    Remote { name, url, written: None, user: None, host_alias_of: None, problem: None }
}

#[test]
fn plain_remotes_in_the_order_of_the_configuration() {
    let place = Place::with_repository();
    place.git("repo", &["remote", "add", "upstream", "git@bitbucket.org:ws/repo.git"]);
    place.git("repo", &["remote", "add", "origin", "https://bitbucket.org/me/repo.git"]);
    let expected = [
        remote("upstream", "git@bitbucket.org:ws/repo.git"),
        remote("origin", "https://bitbucket.org/me/repo.git"),
    ];
    let repository = place.open("repo");
    assert_eq!(repository.remotes(), expected);
    place.git("repo", &["remote", "remove", "upstream"]);
    assert_eq!(repository.remotes(), expected[1..], "a change is seen without opening again");
}

#[test]
fn instead_of_is_applied_as_git_applies_it() {
    let place = Place::with_repository();
    let user = "[url \"git@bitbucket.org:\"]\n\tinsteadOf = bb:\n\tinsteadOf = https://bitbucket.org/\n\
                [url \"https://me:SECRET@bitbucket.org/team/\"]\n\tinsteadOf = bb:team/\n";
    place.user_config(user);
    let urls = [
        ("short", "bb:ws/repo.git", "git@bitbucket.org:ws/repo.git"),
        ("https", "https://bitbucket.org/ws/repo.git", "git@bitbucket.org:ws/repo.git"),
        ("longer", "bb:team/repo", "https://bitbucket.org/team/repo"),
        ("other", "https://example.org/x", "https://example.org/x"),
    ];
    for (name, url, _) in urls {
        place.git("repo", &["remote", "add", name, url]);
    }
    let remotes = place.open("repo").remotes();
    for ((name, written, effective), remote) in urls.into_iter().zip(&remotes) {
        assert_eq!((remote.name.as_str(), remote.url.as_str()), (name, effective));
        assert_eq!(remote.written.as_deref(), (written != effective).then_some(written), "{name}");
        // Git itself is the oracle, but for the password that it shows.
        let config = format!("include.path={}", place.path("gitconfig").display());
        let from_git = place.git("repo", &["-c", &config, "remote", "get-url", name]);
        assert_eq!(from_git.replace("me:SECRET@", ""), remote.url, "{name}");
    }
    assert!(!format!("{remotes:?}").contains("SECRET"));
}

#[test]
fn secrets_never_leave() {
    let place = Place::with_repository();
    let urls = [
        "https://x-token-auth:SECRET@bitbucket.org/ws/repo.git",
        "https://ATBBSECRET@bitbucket.org/ws/repo.git",
        "ssh://SECRET:SECRET@bitbucket.org/ws/repo.git",
        "SECRET@bitbucket.org:ws/repo.git",
        "https://me:SEC/SECRET@bitbucket.org/ws/repo.git",
        "https://bitbucket.org/ws/repo.git?access_token=SECRET",
        "https://me:SECRET@bitbucket.org:nonsense/ws/repo.git",
    ];
    for (number, url) in urls.iter().enumerate() {
        place.git("repo", &["config", &format!("remote.r{number}.url"), url]);
    }
    place.git("repo", &["config", "remote.https://me:SECRET@bitbucket.org/x.url", "x"]);
    place.git("repo", &["config", "branch.main.remote", "me:SECRET@bitbucket.org:x"]);
    place.git("repo", &["config", "branch.main.merge", "refs/heads/main"]);
    let repository = place.open("repo");
    let (remotes, head, moment) =
        (repository.remotes(), repository.head().unwrap(), repository.fingerprint());
    assert_eq!(remotes.len(), urls.len() + 1);
    let everything = format!("{remotes:?} {repository:?} {head:?} {moment:?}");
    assert!(!everything.contains("SECRET"), "{everything}");
    assert!(repository.remotes()[..4].iter().all(|remote| remote.problem.is_none()), "{everything}");
}

#[test]
fn the_user_is_that_of_the_address_which_git_uses() {
    let place = Place::with_repository();
    place.user_config(
        "[url \"https://ben:SECRET@bitbucket.org/team/\"]\n\tinsteadOf = https://ana@bitbucket.org/team/\n\
         [url \"git@bitbucket.org:\"]\n\tinsteadOf = https://carl@bitbucket.org/\n",
    );
    let urls = [
        ("https://ana@bitbucket.org/app/app.git", Some("ana")),
        ("https://ana@bitbucket.org/team/app.git", Some("ben")),
        ("https://carl@bitbucket.org/team/app.git", None),
        ("https://bitbucket.org/team/app.git", None),
        ("https://ana@bitbucket.org/team/app.git?x", None),
    ];
    for (number, (url, _)) in urls.iter().enumerate() {
        place.git("repo", &["remote", "add", &format!("r{number}"), url]);
    }
    let remotes = place.open("repo").remotes();
    for ((url, user), remote) in urls.iter().zip(&remotes) {
        assert_eq!(remote.user.as_deref(), *user, "{url}");
        assert!(!remote.url.contains("https") || !remote.url.contains('@') || remote.problem.is_some());
    }
    assert!(!format!("{remotes:?}").contains("SECRET"));
}

#[test]
fn ssh_aliases_are_resolved() {
    let place = Place::with_repository();
    place.write(
        "home/.ssh/config",
        "Include work.conf\nHost bitbucket.org\n  HostName bitbucket.org\n\
         Host bb443\n  HostName altssh.bitbucket.org\n  Port 443\n",
    );
    place.write("home/.ssh/work.conf", "Host bitbucket.org-*\n  HostName bitbucket.org\n");
    let urls = [
        ("git@bitbucket.org-work:ws/repo.git", Some("bitbucket.org")),
        ("ssh://git@bitbucket.org-home/ws/repo.git", Some("bitbucket.org")),
        ("bb443:ws/repo.git", Some("altssh.bitbucket.org")),
        ("git@bitbucket.org:ws/repo.git", None),
        ("git@unknown:ws/repo.git", None),
        ("https://bitbucket.org-work/ws/repo.git", None),
    ];
    for (number, (url, _)) in urls.iter().enumerate() {
        place.git("repo", &["remote", "add", &format!("r{number}"), url]);
    }
    for ((url, alias), remote) in urls.iter().zip(place.open("repo").remotes()) {
        assert_eq!(remote.host_alias_of.as_deref(), *alias, "{url}");
    }
}

#[test]
fn a_broken_remote_does_not_hide_the_others() {
    let place = Place::with_repository();
    let hostile = [
        "ext::sh -c touch% /tmp/never",
        "--upload-pack=touch /tmp/never",
        "ssh://-oProxyCommand=never/x",
        "https://bitbucket.org\n.example.org/ws/repo",
        "https://bitbucket.org%0a/ws/repo",
        "https://[::1/ws/repo",
        "https://bitbucket.org:99999999/ws/repo",
    ];
    for (number, url) in hostile.iter().enumerate() {
        place.git("repo", &["config", &format!("remote.bad{number}.url"), url]);
    }
    place.git("repo", &["config", "remote.without.fetch", "+refs/heads/*:refs/remotes/x/*"]);
    place.git("repo", &["config", "remote.oddspec.url", "git@bitbucket.org:ws/odd.git"]);
    place.git("repo", &["config", "remote.oddspec.fetch", "::not a refspec::"]);
    place.git("repo", &["config", "remote.origin.url", "git@bitbucket.org:ws/repo.git"]);
    let remotes = place.open("repo").remotes();
    assert_eq!(remotes.len(), hostile.len() + 3);
    for bad in &remotes[..hostile.len()] {
        assert!(bad.problem.is_some() && !bad.url.contains('\n'), "{bad:?}");
    }
    assert_eq!(remotes[hostile.len()].problem.as_deref(), Some("it has no address"));
    assert_eq!(remotes[hostile.len() + 1], remote("oddspec", "git@bitbucket.org:ws/odd.git"));
    assert_eq!(remotes[hostile.len() + 2], remote("origin", "git@bitbucket.org:ws/repo.git"));
}

#[test]
fn bytes_that_are_no_text_are_a_problem_and_not_a_panic() {
    let place = Place::with_repository();
    let mut config = std::fs::read(place.path("repo/.git/config")).unwrap();
    config.extend(b"[remote \"bad\xff\"]\n\turl = https://bitbucket.org/\xff\xfe/repo\n");
    std::fs::write(place.path("repo/.git/config"), config).unwrap();
    let remotes = place.open("repo").remotes();
    assert!(remotes.len() == 1 && remotes[0].problem.is_some(), "{remotes:?}");
}

#[test]
fn an_empty_address_takes_back_those_before_it() {
    let place = Place::with_repository();
    for url in
        ["https://example.org/first", "", "git@bitbucket.org:ws/repo.git", "https://example.org/mirror"]
    {
        place.git("repo", &["config", "--add", "remote.origin.url", url]);
    }
    assert_eq!(place.open("repo").remotes(), [remote("origin", "git@bitbucket.org:ws/repo.git")]);
}

#[test]
fn two_hundred_remotes() {
    let place = Place::with_repository();
    let mut config = std::fs::read_to_string(place.path("repo/.git/config")).unwrap();
    for number in 0..200 {
        let url = format!("git@host{number}:ws/repo{number}.git");
        config += &format!(
            "[remote \"r{number}\"]\n\turl = {url}\n\tfetch = +refs/heads/*:refs/remotes/r{number}/*\n"
        );
    }
    place.write("repo/.git/config", &config);
    place.write("home/.ssh/config", "Host host199\nHostName bitbucket.org\n");
    let remotes = place.open("repo").remotes();
    assert_eq!(remotes.len(), 200);
    assert!(remotes.iter().all(|remote| remote.problem.is_none()));
    assert_eq!(remotes[199].host_alias_of.as_deref(), Some("bitbucket.org"));
}
