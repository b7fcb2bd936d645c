//! Credential helpers in the configuration: what we write, git runs; what we tell, git does.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use git::credential_config::{
    Error, Helper, Target, helpers_for, install, on_command_line, uninstall, use_http_path,
};
use proptest::prelude::*;

use crate::place::Place;

const HOST: &str = "https://bitbucket.org";

/// What a process of this place has in its environment, and nothing else.
fn variable(place: &Place, name: &str) -> Option<String> {
    let path = |relative| place.path(relative).to_str().unwrap().to_owned();
    match name {
        "HOME" => Some(path("home")),
        "GIT_CONFIG_SYSTEM" => Some(path("system")),
        "PATH" => std::env::var("PATH").ok(),
        _ => None,
    }
}

/// Git in that environment; returns what it prints, successful or not.
fn git(place: &Place, folder: &str, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new("git");
    let variables = ["HOME", "GIT_CONFIG_SYSTEM", "PATH"].map(|name| (name, variable(place, name).unwrap()));
    command.env_clear().envs(variables).envs([("GIT_TERMINAL_PROMPT", "0"), ("GIT_ASKPASS", "")]);
    command.env("LOG", place.path("log")).current_dir(place.path(folder)).args(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

/// What the helpers wrote into their log since the last time.
fn log(place: &Place) -> String {
    let text = fs::read_to_string(place.path("log")).unwrap_or_default();
    let _ = fs::remove_file(place.path("log"));
    text
}

/// A helper program in a folder whose name the shell must not take apart.
#[cfg(unix)]
fn fake_helper(place: &Place) -> std::path::PathBuf {
    let name = "ana's \"tools\" $(x) \\ ü/bitbucket-lsp";
    let script = "#!/bin/sh\necho \"ours $*\" >>\"$LOG\"\nsed 's/^/asked /' >>\"$LOG\"\n\
                  [ \"$2\" = get ] && printf 'username=ana\\npassword=word\\n'\n";
    place.write(name, script);
    let program = place.path(name);
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    program
}

#[test]
#[cfg(unix)]
fn git_runs_the_helper_and_no_other_one_for_that_host() {
    let place = Place::new();
    let others = "[credential]\n\thelper = store\n\thelper = \"!echo other $1 >>\\\"$LOG\\\"; :\"";
    place.write("home/.gitconfig", others);
    place.write("home/.git-credentials", "https://stored:stored@bitbucket.org\nhttps://x:y@example.org\n");
    let program = fake_helper(&place);
    let environment = |name: &str| variable(&place, name);
    let target = Target::User(&environment);
    let input = "protocol=https\nhost=bitbucket.org\npath=x/y.git\n\n";

    assert!(git(&place, ".", &["credential", "fill"], input).contains("username=stored"));
    assert_eq!(log(&place), "");

    let helper = Helper { url: HOST, program: &program, use_http_path: false };
    let installed = install(target, &helper).unwrap();
    assert_eq!(installed.file, place.path("home/.gitconfig"));
    let matched =
        git(&place, ".", &["config", "--get-urlmatch", "credential.helper", &format!("{HOST}/x/y.git")], "");
    assert!(matched.starts_with("!'/") && matched.ends_with("/bitbucket-lsp' credential\n"), "{matched}");
    let filled = git(&place, ".", &["credential", "fill"], input);
    assert!(filled.contains("username=ana\npassword=word\n"), "{filled}");
    let asked = log(&place);
    assert!(
        asked.starts_with("ours credential get\n") && asked.contains("asked host=bitbucket.org\n"),
        "{asked}"
    );
    assert!(!asked.contains("other") && !asked.contains("path="), "{asked}");
    let right = format!("username=ana\npassword=word\n{input}");
    git(&place, ".", &["credential", "approve"], &right);
    let approved = log(&place);
    assert!(approved.starts_with("ours credential store\n") && !approved.contains("other"), "{approved}");
    assert!(!fs::read_to_string(place.path("home/.git-credentials")).unwrap().contains("word"));
    assert_eq!(helpers_for(HOST, None, &environment), [matched.trim()]);
    assert!(!use_http_path(HOST, None, &environment));

    let elsewhere = git(&place, ".", &["credential", "fill"], "protocol=https\nhost=example.org\n\n");
    assert!(elsewhere.contains("username=x") && log(&place).is_empty(), "{elsewhere}");

    install(target, &Helper { use_http_path: true, ..helper }).unwrap();
    git(&place, ".", &["credential", "fill"], input);
    assert!(log(&place).contains("asked path=x/y.git\n"));
    assert!(use_http_path(HOST, None, &environment));
    assert_eq!(helpers_for(HOST, None, &environment).len(), 1);

    assert_eq!(uninstall(target), Ok(Some(installed.file)));
    assert_eq!(fs::read_to_string(place.path("home/.gitconfig")).unwrap(), others);
    assert_eq!(uninstall(target), Ok(None));
    assert!(git(&place, ".", &["credential", "fill"], input).contains("username=stored"));
}

#[test]
fn files_of_every_kind_are_read_by_git_and_come_back_byte_for_byte() {
    let place = Place::new();
    let environment = |name: &str| variable(&place, name);
    let target = Target::User(&environment);
    let program = place.path("bitbucket-lsp");
    let helper = Helper { url: "https://bitbucket.org:8443", program: &program, use_http_path: true };
    let key = "credential.https://bitbucket.org:8443.usehttppath";
    let texts: [(&[u8], &str); 14] = [
        (b"", ""),
        (b"\n\n", ""),
        (b"# nothing", ""),
        (b"[a]\n\tb = c", "c"),
        (b"[a]\n\tb = c\n", "c"),
        (b"[a]\r\n\tb = c\r\n", "c"),
        (b"[a]\r\n\tb = c", "c"),
        (b"\xef\xbb\xbf[a]\n\tb = c\n", "c"),
        (b"\xef\xbb\xbf", ""),
        (b"[a]\n\tb = c\\\n", "c"),
        (b"[a]\n\tb = c\\\r\n", "c"),
        (b"[a]\n\tb = c\\", "c"),
        (b"[a]\n\tb = c ; \\", "c"),
        (b"[a]\n\tb = \"c\\\\\"", "c\\"),
    ];
    for (text, value) in texts {
        let shown = String::from_utf8_lossy(text);
        fs::write(place.path("home/.gitconfig"), text).unwrap();
        assert_eq!(git(&place, ".", &["config", "--global", "a.b"], "").trim(), value, "{shown:?}");
        install(target, &helper).unwrap_or_else(|error| panic!("{shown:?}: {error}"));
        assert_eq!(git(&place, ".", &["config", "--global", "a.b"], "").trim(), value, "{shown:?}");
        assert_eq!(git(&place, ".", &["config", "--global", key], ""), "true\n", "{shown:?}");
        let again = fs::read(place.path("home/.gitconfig")).unwrap();
        install(target, &helper).unwrap();
        assert_eq!(fs::read(place.path("home/.gitconfig")).unwrap(), again, "{shown:?}");
        uninstall(target).unwrap().unwrap();
        assert_eq!(fs::read(place.path("home/.gitconfig")).unwrap(), text, "{shown:?}");
    }
}

#[test]
fn what_git_cannot_read_is_left_alone() {
    let place = Place::new();
    let environment = |name: &str| variable(&place, name);
    let target = Target::User(&environment);
    let program = place.path("bitbucket-lsp");
    let helper = Helper { url: HOST, program: &program, use_http_path: false };
    for text in ["[a]\n\tb = \"c", "[a]\n\tb = \"c\\", "[a", "[a]\n\tb = \\x\n"] {
        place.write("home/.gitconfig", text);
        let error = install(target, &helper);
        assert_eq!(error, Err(Error::Damaged { file: place.path("home/.gitconfig") }), "{text:?}");
        assert_eq!(fs::read_to_string(place.path("home/.gitconfig")).unwrap(), text);
        let from_git = git(&place, ".", &["config", "--global", "--list"], "");
        assert!(from_git.contains("bad config"), "{text:?}: {from_git}");
    }
    assert!(!place.path("home/.gitconfig.lock").exists());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_git_reads_it_reads_as_before(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..14)) {
        let place = Place::new();
        let environment = |name: &str| variable(&place, name);
        let (target, program) = (Target::User(&environment), place.path("bitbucket-lsp"));
        let text = pieces.concat();
        place.write("home/.gitconfig", &text);
        let list = || git(&place, ".", &["config", "--global", "--list"], "");
        let before = list();
        prop_assume!(!before.contains("fatal: "));
        let installed = install(target, &Helper { url: HOST, program: &program, use_http_path: true });
        prop_assert!(installed.is_ok(), "{installed:?}");
        let section = "credential.https://bitbucket.org";
        let ours = format!(
            "{section}.helper=\n{section}.helper={} credential\n{section}.usehttppath=true\n", program.display()
        );
        prop_assert_eq!(list(), before + &ours);
        prop_assert!(uninstall(target).unwrap().is_some());
        prop_assert_eq!(fs::read_to_string(place.path("home/.gitconfig")).unwrap(), text);
    }
}

/// Of these, more often than not, git can read what comes of putting some together.
const PIECES: &[&str] = &[
    "\n",
    "\n",
    "\r\n",
    "\n[a]\n",
    "[b \"c\"]",
    "\nx = y",
    "\nz=\"q\"",
    " # note",
    " ; note \\",
    "\\\n",
    "\\\\",
    "\\\"",
    "\\",
    "\t",
    " ",
    "\nlast = \\",
];

#[test]
fn settings_that_git_writes_meanwhile_stay() {
    let place = Place::new();
    let environment = |name: &str| variable(&place, name);
    let target = Target::User(&environment);
    let program = place.path("bitbucket-lsp");
    place.write("home/.gitconfig", "[user]\n\tname = Ana");
    install(target, &Helper { url: HOST, program: &program, use_http_path: false }).unwrap();
    for (key, value) in [
        ("user.email", "ana@example.org"),
        ("alias.st", "status"),
        ("credential.https://bitbucket.org.username", "ana"),
        ("credential.helper", "cache"),
    ] {
        git(&place, ".", &["config", "--global", key, value], "");
    }
    assert_eq!(helpers_for(HOST, None, &environment).last().map(String::as_str), Some("cache"));
    uninstall(target).unwrap().unwrap();
    let text = fs::read_to_string(place.path("home/.gitconfig")).unwrap();
    assert!(!text.contains("bitbucket-lsp"), "{text}");
    let listed = git(&place, ".", &["config", "--global", "--list"], "");
    let expected = "user.name=Ana\nuser.email=ana@example.org\ncredential.https://bitbucket.org.username=ana\n\
                    alias.st=status\ncredential.helper=cache\n";
    assert_eq!(listed, expected, "{text}");
}

#[test]
fn a_section_that_git_removed_leaves_nothing_behind() {
    let place = Place::new();
    let environment = |name: &str| variable(&place, name);
    let target = Target::User(&environment);
    let program = place.path("bitbucket-lsp");
    place.write("home/.gitconfig", "[user]\n\tname = Ana\n");
    install(target, &Helper { url: HOST, program: &program, use_http_path: true }).unwrap();
    git(&place, ".", &["config", "--global", "--remove-section", "credential.https://bitbucket.org"], "");
    uninstall(target).unwrap();
    assert_eq!(fs::read_to_string(place.path("home/.gitconfig")).unwrap(), "[user]\n\tname = Ana\n");
}

#[test]
fn a_file_that_was_made_is_removed_unless_something_else_is_in_it() {
    let place = Place::new();
    let environment = |name: &str| variable(&place, name);
    let target = Target::User(&environment);
    let program = place.path("bitbucket-lsp");
    let helper = Helper { url: HOST, program: &program, use_http_path: false };
    let file = place.path("home/.gitconfig");
    assert_eq!(uninstall(target), Ok(None));
    install(target, &helper).unwrap();
    install(target, &Helper { use_http_path: true, ..helper }).unwrap();
    uninstall(target).unwrap().unwrap();
    assert!(!file.exists());
    install(target, &helper).unwrap();
    git(&place, ".", &["config", "--global", "a.b", "c"], "");
    uninstall(target).unwrap().unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "[a]\n\tb = c\n");
    fs::write(&file, "").unwrap();
    install(target, &helper).unwrap();
    uninstall(target).unwrap().unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "", "an empty file that was there stays");
    assert_eq!(fs::read_dir(place.path("home")).unwrap().count(), 1, "no lock is left");
}

#[test]
#[cfg(unix)]
fn links_stay_and_permissions_too() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let place = Place::new();
    let environment = |name: &str| variable(&place, name);
    let target = Target::User(&environment);
    let program = place.path("bitbucket-lsp");
    let helper = Helper { url: HOST, program: &program, use_http_path: false };
    place.write("dotfiles/gitconfig", "[a]\n\tb = c\n");
    fs::set_permissions(place.path("dotfiles/gitconfig"), PermissionsExt::from_mode(0o640)).unwrap();
    symlink("../dotfiles/gitconfig", place.path("home/link")).unwrap();
    symlink("link", place.path("home/.gitconfig")).unwrap();
    let installed = install(target, &helper).unwrap();
    assert_eq!(installed.file, place.path("home/.gitconfig"));
    let mode = || fs::metadata(place.path("dotfiles/gitconfig")).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(), 0o640);
    assert!(fs::read_to_string(place.path("dotfiles/gitconfig")).unwrap().contains("bitbucket-lsp"));
    uninstall(target).unwrap().unwrap();
    assert_eq!(fs::read_to_string(place.path("dotfiles/gitconfig")).unwrap(), "[a]\n\tb = c\n");
    assert_eq!(mode(), 0o640);
    for link in ["home/.gitconfig", "home/link"] {
        assert!(fs::symlink_metadata(place.path(link)).unwrap().is_symlink(), "{link}");
    }
    fs::remove_file(place.path("dotfiles/gitconfig")).unwrap();
    install(target, &helper).unwrap();
    assert!(place.path("dotfiles/gitconfig").exists(), "a link that leads nowhere yet is followed too");
    uninstall(target).unwrap().unwrap();
    assert!(!place.path("dotfiles/gitconfig").exists());
    assert!(fs::symlink_metadata(place.path("home/.gitconfig")).unwrap().is_symlink());
}

#[test]
fn while_git_holds_the_lock_nothing_is_changed() {
    let place = Place::new();
    let environment = |name: &str| variable(&place, name);
    let target = Target::User(&environment);
    let program = place.path("bitbucket-lsp");
    let helper = Helper { url: HOST, program: &program, use_http_path: false };
    install(target, &helper).unwrap();
    place.write("home/.gitconfig.lock", "git's");
    let before = fs::read(place.path("home/.gitconfig")).unwrap();
    let locked =
        Error::Locked { file: place.path("home/.gitconfig"), lock: place.path("home/.gitconfig.lock") };
    assert_eq!(install(target, &helper), Err(locked.clone()));
    assert_eq!(uninstall(target), Err(locked));
    assert_eq!(fs::read(place.path("home/.gitconfig")).unwrap(), before);
    assert_eq!(fs::read_to_string(place.path("home/.gitconfig.lock")).unwrap(), "git's");
}

#[test]
fn one_repository_alone_with_its_worktrees() {
    let place = Place::with_repository();
    place.git("repo", &["worktree", "add", "-q", "-b", "side", "../linked"]);
    place.user_config("[credential]\n\thelper = store\n");
    let before = fs::read(place.path("repo/.git/config")).unwrap();
    let (repository, environment) = (place.open("linked"), |_: &str| None);
    let program = place.path("bitbucket-lsp");
    let helpers = || helpers_for("https://bitbucket.org/team/app", Some(&repository), &environment);
    assert_eq!(helpers(), ["store"]);
    let helper = Helper { url: HOST, program: &program, use_http_path: true };
    let installed = install(Target::Repository(&repository), &helper).unwrap();
    assert_eq!(installed.file, place.path("repo/.git/config"));
    let ours = format!("{} credential", program.display());
    assert_eq!(helpers(), [ours.as_str()]);
    assert!(use_http_path(HOST, Some(&repository), &environment));
    assert_eq!(place.git("linked", &["config", "--get-urlmatch", "credential.helper", HOST]), ours);
    assert_eq!(helpers_for("https://example.org", Some(&repository), &environment), ["store"]);
    uninstall(Target::Repository(&repository)).unwrap().unwrap();
    assert_eq!(fs::read(place.path("repo/.git/config")).unwrap(), before);
    assert_eq!(helpers(), ["store"]);
}

#[test]
#[cfg(unix)]
fn the_helpers_that_are_told_are_those_that_git_runs() {
    let place = Place::with_repository();
    let environment = |name: &str| variable(&place, name);
    // Each pattern gets a helper of its own that writes its number into the log.
    let patterns = [
        "",
        " \"https://bitbucket.org\"",
        " \"https://BitBucket.org:443/\"",
        " \"https://bitbucket.org/team\"",
        " \"https://bitbucket.org/team/app.git\"",
        " \"https://bitbucket.org/tea\"",
        " \"https://ana@bitbucket.org\"",
        " \"https://*.org\"",
        " \"https://*\"",
        " \"http://bitbucket.org\"",
        " \"https://bitbucket.org:8443\"",
        " \"bitbucket.org\"",
        " \"BitBucket.org\"",
        " \"bitbucket.org:8443\"",
        " \"ana@bitbucket.org\"",
        " \"bitbucket.org/team/app.git\"",
        " \"bitbucket.org/team\"",
        " \"https://\"",
        " \"https://bitbucket.org/te%61m\"",
        " \"https://example.org\"",
        " \"\"",
    ];
    let section = |(number, pattern): (usize, &&str)| {
        format!("[credential{pattern}]\n\thelper = \"!echo {number} >>\\\"$LOG\\\"; :\"\n")
    };
    let (system, user) = patterns.split_at(6);
    place.write("system", &system.iter().enumerate().map(section).collect::<String>());
    let included =
        "[include]\n\tpath = ~/more\n\tpath = none\n[includeIf \"gitdir:none/\"]\n\tpath = never\n";
    let user = user.iter().enumerate().map(|(number, pattern)| section((number + 6, pattern)));
    place.write("home/.gitconfig", &format!("{included}{}", user.collect::<String>()));
    place.write("home/more", "[credential]\n\thelper = \"!echo more >>\\\"$LOG\\\"; :\"\n");
    place.write("home/never", "[credential]\n\thelper = \"!echo never >>\\\"$LOG\\\"; :\"\n");
    let urls = [
        "https://bitbucket.org",
        "https://bitbucket.org/team/app.git",
        "https://bitbucket.org/team/other.git",
        "https://ana@bitbucket.org/team/app.git",
        "https://ben@bitbucket.org/x",
        "https://bitbucket.org:8443/team/app.git",
        "https://bitbucket.org:443/team",
        "https://BitBucket.org/team",
        "http://bitbucket.org/team/app.git",
        "https://api.bitbucket.org/x",
        "https://example.org/x",
    ];
    let numbers = |url: &str| -> String {
        let helpers = helpers_for(url, None, &environment);
        helpers.iter().map(|helper| helper.split(' ').nth(1).unwrap().to_owned() + "\n").collect()
    };
    let mut run = 0;
    for reset in [false, true] {
        if reset {
            let text = fs::read_to_string(place.path("home/.gitconfig")).unwrap();
            place.write(
                "home/.gitconfig",
                &format!("{text}[credential \"https://bitbucket.org/team\"]\n\thelper =\n"),
            );
        }
        for url in urls {
            git(&place, "home", &["credential", "fill"], &format!("url={url}\n\n"));
            let from_git = log(&place);
            assert_eq!(numbers(url), from_git, "{url}, reset: {reset}");
            run += from_git.lines().count();
        }
    }
    assert!(run > 60, "{run}");
}

#[test]
fn the_path_is_told_where_git_tells_it() {
    let place = Place::new();
    let environment = |name: &str| variable(&place, name);
    let texts = [
        "",
        "[credential]\n\tuseHttpPath = 1\n",
        "[credential]\n\tuseHttpPath = yes\n[credential \"https://bitbucket.org\"]\n\tuseHttpPath = off\n",
        "[credential \"https://bitbucket.org\"]\n\tuseHttpPath = off\n[credential]\n\tuseHttpPath = on\n",
        "[credential \"https://bitbucket.org\"]\n\tusehttppath = true\n",
        "[credential \"bitbucket.org\"]\n\tuseHttpPath = true\n",
        "[credential \"bitbucket.com\"]\n\tuseHttpPath = true\n",
        "[credential]\n\tuseHttpPath = true\n\tuseHttpPath =\n",
    ];
    for text in texts {
        place.write(
            "home/.gitconfig",
            &format!("[credential]\n\thelper = \"!cat >>\\\"$LOG\\\"; :\"\n{text}"),
        );
        git(&place, ".", &["credential", "fill"], "url=https://bitbucket.org/x/y.git\n\n");
        assert_eq!(
            use_http_path("https://bitbucket.org/x/y.git", None, &environment),
            log(&place).contains("path="),
            "{text}"
        );
    }
}

#[test]
fn a_file_that_cannot_be_read_hides_no_other() {
    let place = Place::new();
    let environment = |name: &str| variable(&place, name);
    place.write("system", "[credential]\n\thelper = store\n");
    place.write("home/.gitconfig", "[broken");
    assert_eq!(helpers_for(HOST, None, &environment), ["store"]);
    assert_eq!(helpers_for("no address", None, &environment), ["store"]);
}

#[test]
#[cfg(unix)]
fn what_stands_on_the_command_line_of_git_counts_last() {
    let place = Place::with_repository();
    place.user_config("[credential]\n\thelper = store\n");
    let repository = place.open("repo");
    let said = |options: &[&str]| {
        let alias = ["-c", "alias.x=!printenv GIT_CONFIG_PARAMETERS", "x"];
        place.git("repo", &[options, alias.as_slice()].concat())
    };
    let helpers = |options: &[&str]| {
        let text = said(options);
        let environment = |name: &str| (name == "GIT_CONFIG_PARAMETERS").then(|| text.clone());
        helpers_for(HOST, Some(&repository), &environment)
    };
    assert_eq!(helpers(&[]), ["store"]);
    assert_eq!(helpers(&["-c", "credential.helper=cache"]), ["store", "cache"]);
    let more = ["-c", "credential.helper=", "-c", "Credential.https://bitbucket.org.Helper=!it's 'x' \\!"];
    assert_eq!(helpers(&more), ["!it's 'x' \\!"]);
    assert_eq!(helpers(&["-c", "credential.https://example.org.helper=cache"]), ["store"]);

    let text = said(&["-c", "bitbucket.account=Ana O'Neill", "-c", "other.account=ben"]);
    let environment = |name: &str| (name == "GIT_CONFIG_PARAMETERS").then(|| text.clone());
    assert_eq!(on_command_line("bitbucket.account", &environment).as_deref(), Some("Ana O'Neill"));
    assert_eq!(on_command_line("bitbucket.other", &environment), None);
}

#[test]
fn the_account_of_a_repository() {
    let place = Place::with_repository();
    let repository = place.open("repo");
    assert_eq!(repository.account(), None);
    place.user_config("[bitbucket]\n\taccount = ana\n");
    assert_eq!(place.open("repo").account().as_deref(), Some("ana"));
    place.git("repo", &["config", "bitbucket.account", " ben "]);
    assert_eq!(place.open("repo").account().as_deref(), Some("ben"));
    place.git("repo", &["config", "--add", "bitbucket.account", "carl@example.org"]);
    assert_eq!(
        repository.account().as_deref(),
        Some("carl@example.org"),
        "a change is seen without opening again"
    );
    place.git("repo", &["config", "--add", "bitbucket.account", "  "]);
    assert_eq!(repository.account(), None);
    place.git("repo", &["config", "--replace-all", "bitbucket.account", "a\u{202e}b"]);
    assert_eq!(repository.account(), None);
}
