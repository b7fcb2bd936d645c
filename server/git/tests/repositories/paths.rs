//! Repository paths from strangers, and work tree paths from the editor.

use crate::place::Place;

/// What must never become a path on disk.
const REFUSED: &[&str] = &[
    // empty, absolute, dotted
    "",
    "/",
    "//",
    "/etc/passwd",
    "//server/share",
    "a//b",
    "a/",
    "/a",
    "./a",
    "a/./b",
    "a/.",
    ".",
    "..",
    "../",
    "../a",
    "a/..",
    "a/../b",
    "a/../../b",
    "../../../../etc/passwd",
    "a/b/../../../c",
    "....//..",
    "../.git/config",
    // the git folder in every spelling
    ".git",
    ".git/",
    ".git/config",
    ".git/hooks/pre-commit",
    "a/.git",
    "a/.git/config",
    ".GIT",
    ".GIT/config",
    ".Git/x",
    ".gIt/x",
    "a/.giT/hooks/x",
    ".git./config",
    ".git ./config",
    ".git /config",
    ".git.../x",
    ".git . /x",
    "git~1",
    "git~1/config",
    "GIT~1/config",
    "Git~1",
    "a/gIT~1/x",
    "git~2",
    "git~1.",
    "git~1 /x",
    "git~12/x",
    ".g\u{200c}it/config",
    ".gi\u{200d}t/x",
    "\u{feff}.git/x",
    ".\u{200b}git/x\u{0}",
    ".g\u{202e}it/x",
    ".git\u{200e}/x",
    "a/.\u{206a}git/x",
    ".git:x",
    ".git::$INDEX_ALLOCATION/config",
    ".git:$I30:$INDEX_ALLOCATION/x",
    // Windows: drives, streams, shares, separators
    "C:",
    "C:/",
    "C:/Windows",
    "C:\\Windows",
    "c:a",
    "C:..\\a",
    "a:b",
    "a/b:c",
    "file.txt:stream",
    "file.txt::$DATA",
    "\\",
    "\\\\server\\share",
    "\\\\?\\C:\\x",
    "\\\\.\\pipe\\x",
    "//?/C:/x",
    "a\\b",
    "..\\a",
    "a\\..\\b",
    ".git\\config",
    "a/b\\..\\..\\c",
    "\\??\\C:\\x",
    "%SystemRoot%:x",
    "..\\",
    "a\\",
    "\\a",
    "con:",
    "nul:",
    "/dev/null",
    "/proc/self/mem",
    // addresses
    "file:///etc/passwd",
    "https://example.org/x",
    "javascript:alert(1)",
    "vscode://x",
    "mailto:x@example.org",
    // control characters
    "\0",
    "a\0b",
    "a\0/../b",
    "file.txt\0.png",
    "a\nb",
    "a\r",
    "\t",
    "a\u{1b}[31m",
    "a\u{7f}",
    "a\u{85}b",
    "\u{1}",
    "a/\u{0}/b",
    "\n/../x",
];

/// What is odd but plain.
const TAKEN: &[&str] = &[
    "file.txt",
    "a/b/c.rs",
    "with space/a b",
    " leading",
    "ünïcödé/日本語.txt",
    "emoji 🦀.rs",
    ".gitignore",
    ".gitattributes",
    ".gitmodules",
    ".github/workflows/x.yml",
    "a/.gitkeep",
    ".gitx/y",
    "git",
    "git/config",
    "x.git",
    "a.git/config",
    "git~",
    "git~x",
    "legit~1",
    "...",
    "..a",
    "a..",
    "a...b/c",
    ".a",
    "-dash",
    "--upload-pack=x",
    "~",
    "~root/x",
    "$HOME/x",
    "%2e%2e/x",
    "%00",
    "*",
    "a?b",
    "a|b",
    "<a>",
    "'quote\"",
    "a;b",
    "`x`",
    "$(x)",
    "#x",
    "@x",
    "aux.c",
    "a@b",
    "CON/x",
];

#[test]
fn hostile_paths_are_refused() {
    let place = Place::with_repository();
    let repository = place.open("repo");
    for path in REFUSED {
        assert_eq!(repository.work_path(path), None, "{path:?}");
    }
    assert_eq!(repository.work_path(&"a/".repeat(5000)), None);
    assert_eq!(repository.work_path(&"a".repeat(5000)), None);
}

#[test]
fn odd_but_plain_paths_go_there_and_back() {
    let place = Place::with_repository();
    let repository = place.open("repo");
    for path in TAKEN {
        let on_disk = repository.work_path(path).unwrap_or_else(|| panic!("{path:?} was refused"));
        assert_eq!(on_disk, place.path("repo").join(path));
        assert_eq!(repository.repository_path(&on_disk).as_deref(), Some(*path));
    }
}

#[test]
fn combinations_never_leave_the_work_tree() {
    let place = Place::with_repository();
    let repository = place.open("repo");
    let root = place.path("repo");
    let parts = ["..", ".", "a", ".git", "", "/", "\\", "C:", "file.txt", " ", "git~1", "..."];
    for a in parts {
        for b in parts {
            for c in parts {
                for path in [format!("{a}/{b}/{c}"), format!("{a}{b}{c}"), format!("{a}/{b}{c}")] {
                    let Some(taken) = repository.work_path(&path) else {
                        continue;
                    };
                    let inside = taken.strip_prefix(&root).unwrap();
                    let plain = |part| matches!(part, std::path::Component::Normal(name) if name != ".git");
                    assert!(inside.components().all(plain) && inside != std::path::Path::new(""), "{path:?}");
                }
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn symbolic_links_lead_nowhere_outside() {
    use std::os::unix::fs::symlink;
    let place = Place::with_repository();
    place.write("outside/secret.txt", "secret");
    place.write("repo/inside/x.txt", "x");
    let links = [
        ("../outside", "out"),
        ("/etc", "etc"),
        ("../outside/secret.txt", "secret.txt"),
        (".git", "gitlink"),
        ("out", "twice"),
        ("dangling", "nowhere"),
        ("loop", "loop"),
        ("inside", "within"),
        ("../repo/inside", "around"),
    ];
    for (target, link) in links {
        symlink(target, place.path("repo").join(link)).unwrap();
    }
    symlink("../../outside", place.path("repo/inside/deep")).unwrap();
    let repository = place.open("repo");
    let refused = [
        "out",
        "out/secret.txt",
        "out/new.txt",
        "etc/passwd",
        "secret.txt",
        "gitlink/config",
        "gitlink",
        "twice/secret.txt",
        "nowhere",
        "nowhere/x",
        "loop",
        "loop/x",
        "inside/deep/secret.txt",
        "within/deep/secret.txt",
    ];
    for path in refused {
        assert_eq!(repository.work_path(path), None, "{path}");
    }
    for path in ["within/x.txt", "around/x.txt", "inside/x.txt", "inside/new/file.txt", "file.txt/below"] {
        assert!(repository.work_path(path).is_some(), "{path}");
    }
}

#[test]
fn what_is_not_in_the_work_tree_has_no_repository_path() {
    let place = Place::with_repository();
    place.write("repo-sibling/x.txt", "x");
    let repository = place.open("repo");
    for path in
        ["repo", "repo/", "home/x", "repo-sibling/x.txt", "repo/.git/config", "repo/../home/x", "repo/.GIT/x"]
    {
        assert_eq!(repository.repository_path(&place.path(path)), None, "{path}");
    }
    let new = repository.repository_path(&place.path("repo/not/yet.txt"));
    assert_eq!(new.as_deref(), Some("not/yet.txt"));
    assert_eq!(
        place.open("repo/.git").repository_path(&place.path("repo/file.txt")).as_deref(),
        Some("file.txt")
    );
}
