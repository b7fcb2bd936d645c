//! Files at commits, merge bases, renames and branches.

use git::{Blob, Error};

use crate::place::Place;

fn text(lines: std::ops::Range<u32>) -> String {
    lines.map(|line| format!("line {line} of a file that is long enough to be told from others\n")).collect()
}

#[test]
fn abbreviated_hashes_resolve_to_commits() {
    let place = Place::with_repository();
    let commit = place.git("repo", &["rev-parse", "HEAD"]);
    let tree = place.git("repo", &["rev-parse", "HEAD^{tree}"]);
    let repository = place.open("repo");
    for digits in [7, 12, 40] {
        assert_eq!(repository.resolve(&commit[..digits]).as_deref(), Some(commit.as_str()), "{digits}");
        assert_eq!(repository.resolve(&commit[..digits].to_uppercase()).as_deref(), Some(commit.as_str()));
        assert_eq!(repository.resolve(&tree[..digits]), None, "a tree is no commit");
    }
    let long = "a".repeat(1000);
    for odd in ["", "a", "abc", "HEAD", "main", "zzzzzzzzzzzz", "--all", "é".repeat(6).as_str(), &long] {
        assert_eq!(repository.resolve(odd), None, "{odd:?}");
    }
    assert_eq!(repository.resolve("000000000000"), None);
    assert_eq!(repository.resolve(&"0".repeat(40)), None);
}

#[test]
fn the_commit_is_meant_where_other_objects_begin_so_too() {
    let place = Place::with_repository();
    let commit = place.git("repo", &["rev-parse", "HEAD"]);
    let repository = place.open("repo");
    let hash = |text: &str| {
        let kind = gix::objs::Kind::Blob;
        gix::objs::compute_hash(gix::hash::Kind::Sha1, kind, text.as_bytes()).unwrap().to_string()
    };
    let namesake =
        (0..).map(|number| format!("{number}")).find(|text| hash(text)[..4] == commit[..4]).unwrap();
    place.write("namesake", &namesake);
    let id = place.git("repo", &["hash-object", "-w", "../namesake"]);
    assert_eq!((&id[..4], id.as_str()), (&commit[..4], hash(&namesake).as_str()));
    assert_eq!(repository.resolve(&id), None);
    assert_eq!(repository.resolve(&commit[..4]), Some(commit));
}

#[test]
fn files_at_commits_with_odd_names() {
    let place = Place::with_repository();
    let names = [
        "with space/a b.txt",
        "ünïcödé/日本語.txt",
        "emoji 🦀.rs",
        "-dash",
        "a\"quote'.txt",
        "deep/er/est/x",
    ];
    for name in names {
        place.commit("repo", name, &format!("content of {name}"));
    }
    let repository = place.open("repo");
    let head = repository.head().unwrap().commit.unwrap();
    for name in names {
        let blob = repository.file_at(&head[..12], name, 1000).unwrap().unwrap();
        assert_eq!(String::from_utf8(blob.data).unwrap(), format!("content of {name}"));
        let id = place.git("repo", &["rev-parse", &format!("HEAD:{name}")]);
        assert_eq!(
            (Some(blob.id), Some(id.clone())),
            (repository.blob_id_at(&head, name).unwrap(), Some(id))
        );
    }
    let not_files = [
        "",
        "/",
        ".",
        "..",
        "../file.txt",
        "/file.txt",
        "file.txt/",
        "./file.txt",
        "deep",
        "deep/er",
        "deep//er/est/x",
        "none.txt",
        "file.txt/below",
        "FILE.TXT",
        "a\0b",
        ".git/config",
        "*",
    ];
    for name in not_files {
        assert_eq!(repository.file_at(&head, name, 1000), Ok(None), "{name:?}");
    }
    // Without unicode normalisation, as git stores it.
    assert_eq!(repository.blob_id_at(&head, "u\u{308}ni\u{308}co\u{308}de\u{301}/日本語.txt"), Ok(None));
}

#[test]
fn the_bytes_are_those_that_were_stored() {
    let place = Place::with_repository();
    let data = b"crlf\r\nlf\nno end \xff\x00\xfe";
    std::fs::write(place.path("repo/data.bin"), data).unwrap();
    place.git("repo", &["add", "data.bin"]);
    let commit = place.commit_staged("repo");
    let repository = place.open("repo");
    let id = place.git("repo", &["rev-parse", "HEAD:data.bin"]);
    assert_eq!(repository.file_at(&commit, "data.bin", 1000), Ok(Some(Blob { id, data: data.to_vec() })));
}

#[test]
fn large_files_are_refused_before_they_are_read() {
    let place = Place::with_repository();
    let commit = place.commit("repo", "large.txt", &"x".repeat(1001));
    let repository = place.open("repo");
    let too_large = Error::TooLarge { path: "large.txt".into(), size: 1001, cap: 1000 };
    assert_eq!(repository.file_at(&commit, "large.txt", 1000), Err(too_large));
    assert_eq!(repository.file_at(&commit, "large.txt", 1001).unwrap().unwrap().data.len(), 1001);
    place.git("repo", &["gc", "-q"]);
    assert!(
        matches!(repository.file_at(&commit, "large.txt", 1000), Err(Error::TooLarge { .. })),
        "in a pack"
    );
}

#[cfg(unix)]
#[test]
fn links_and_submodules_are_not_files() {
    let place = Place::with_server();
    std::os::unix::fs::symlink("file.txt", place.path("repo/link")).unwrap();
    place.git("repo", &["submodule", "add", "-q", &place.file_url("server"), "inner"]);
    place.git("repo", &["add", "link"]);
    let commit = place.commit_staged("repo");
    let repository = place.open("repo");
    for path in ["link", "inner", "inner/file.txt"] {
        assert_eq!(repository.file_at(&commit, path, 1000), Ok(None), "{path}");
    }
}

#[test]
fn content_that_a_clone_lacks_is_an_error_of_its_own() {
    let place = Place::with_repository();
    let commit = place.git("repo", &["rev-parse", "HEAD"]);
    let id = place.git("repo", &["rev-parse", "HEAD:file.txt"]);
    std::fs::remove_file(place.path(&format!("repo/.git/objects/{}/{}", &id[..2], &id[2..]))).unwrap();
    let repository = place.open("repo");
    assert_eq!(
        repository.file_at(&commit, "file.txt", 1000),
        Err(Error::ContentMissing { path: "file.txt".into() })
    );
    assert_eq!(repository.blob_id_at(&commit, "file.txt"), Ok(Some(id)));
    let unknown = Error::CommitMissing { commit: "feedfacefeed".into() };
    assert_eq!(repository.file_at("feedfacefeed", "file.txt", 1000), Err(unknown));
}

#[test]
fn objects_that_come_later_are_seen() {
    let place = Place::with_server();
    place.git(".", &["clone", "-q", &place.file_url("server"), "other"]);
    let repository = place.open("repo");
    assert!(repository.head().is_ok());
    let commit = place.commit("other", "file.txt", "from elsewhere\n");
    place.git("other", &["push", "-q", "origin", "main"]);
    assert_eq!(repository.resolve(&commit[..12]), None);
    place.git("repo", &["fetch", "-q"]);
    place.git("repo", &["repack", "-adq"]);
    assert_eq!(repository.resolve(&commit[..12]), Some(commit));
}

#[test]
fn merge_bases_are_those_of_git() {
    let place = Place::with_repository();
    let base = place.commit("repo", "base.txt", "base");
    place.git("repo", &["switch", "-q", "-c", "side"]);
    let side = place.commit("repo", "side.txt", "side");
    place.git("repo", &["switch", "-q", "main"]);
    let main = place.commit("repo", "main.txt", "main");
    place.git("repo", &["switch", "-q", "--orphan", "alone"]);
    let alone = place.commit("repo", "alone.txt", "alone");
    let repository = place.open("repo");
    assert_eq!(repository.merge_base(&main[..12], &side[..12]), Some(base.clone()));
    assert_eq!(repository.merge_base(&base, &side), Some(base));
    assert_eq!(repository.merge_base(&main, &alone), None);
    assert_eq!(repository.merge_base(&main, "feedfacefeed"), None);
}

#[test]
fn renames_are_followed_both_ways_and_over_chains() {
    let place = Place::with_repository();
    let first = place.commit("repo", "src/old.rs", &text(0..40));
    place.git("repo", &["mv", "src/old.rs", "src/middle.rs"]);
    place.commit("repo", "src/middle.rs", &text(0..44));
    std::fs::create_dir(place.path("repo/lib")).unwrap();
    place.git("repo", &["mv", "src/middle.rs", "lib/new.rs"]);
    let last = place.commit("repo", "lib/new.rs", &text(3..48));
    let repository = place.open("repo");
    assert_eq!(repository.renamed_to(&first, &last, "src/old.rs").as_deref(), Some("lib/new.rs"));
    assert_eq!(repository.renamed_from(&first, &last, "lib/new.rs").as_deref(), Some("src/old.rs"));
    assert_eq!(repository.renamed_to(&last, &first, "lib/new.rs").as_deref(), Some("src/old.rs"));
    assert_eq!(repository.renamed_to(&first[..12], &last[..12], "file.txt"), None, "it stayed");
    assert_eq!(repository.renamed_to(&first, &last, "never.rs"), None);
    assert_eq!(repository.renamed_to(&first, "feedfacefeed", "src/old.rs"), None);
}

#[test]
fn a_moved_folder_takes_its_files_along() {
    let place = Place::with_repository();
    for number in 0..30 {
        place.write(&format!("repo/before/deep/mod{number}/mod.rs"), &text(number * 50..number * 50 + 30));
    }
    // Equal files are told apart by their names.
    place.write("repo/before/copy-a.rs", &text(9000..9010));
    place.write("repo/before/copy-b.rs", &text(9000..9010));
    place.git("repo", &["add", "-A"]);
    let first = place.commit_staged("repo");
    place.git("repo", &["mv", "before", "after"]);
    for number in 0..30 {
        place.write(&format!("repo/after/deep/mod{number}/mod.rs"), &text(number * 50 + 5..number * 50 + 30));
    }
    place.git("repo", &["add", "-A"]);
    let last = place.commit_staged("repo");
    let repository = place.open("repo");
    let names = (0..30).map(|number| format!("deep/mod{number}/mod.rs"));
    for name in names.chain(["copy-a.rs".into(), "copy-b.rs".into()]) {
        let (before, after) = (format!("before/{name}"), format!("after/{name}"));
        assert_eq!(repository.renamed_to(&first, &last, &before), Some(after));
    }
}

#[test]
fn unlike_and_empty_and_binary_files_are_no_renames() {
    let place = Place::with_repository();
    place.write("repo/unlike.txt", &text(0..40));
    place.write("repo/half.txt", &text(100..200));
    place.write("repo/empty.txt", "");
    place.write("repo/binary.bin", "\0one");
    place.write("repo/same.bin", "\0the same binary");
    place.git("repo", &["add", "-A"]);
    let first = place.commit_staged("repo");
    place.git("repo", &["rm", "-q", "unlike.txt", "half.txt", "empty.txt", "binary.bin"]);
    place.write("repo/unlike2.txt", &text(500..540));
    place.write("repo/half2.txt", &(text(100..140) + &text(300..360)));
    place.write("repo/empty2.txt", "");
    place.write("repo/binary2.bin", "\0two");
    place.git("repo", &["mv", "same.bin", "moved.bin"]);
    place.git("repo", &["add", "-A"]);
    let last = place.commit_staged("repo");
    let repository = place.open("repo");
    for path in ["unlike.txt", "half.txt", "empty.txt", "binary.bin"] {
        assert_eq!(repository.renamed_to(&first, &last, path), None, "{path}");
    }
    assert_eq!(repository.renamed_to(&first, &last, "same.bin").as_deref(), Some("moved.bin"));
}

#[test]
fn a_reorganised_repository_stays_within_bounds() {
    let place = Place::with_repository();
    for number in 0..1500 {
        place.write(&format!("repo/a/{number}.txt"), &text(number * 5..number * 5 + 5));
    }
    place.git("repo", &["add", "-A"]);
    let first = place.commit_staged("repo");
    place.git("repo", &["rm", "-rq", "a"]);
    for number in 0..1500 {
        place.write(&format!("repo/b/{number}.txt"), &text(number * 5 + 1..number * 5 + 5));
    }
    place.git("repo", &["add", "-A"]);
    let last = place.commit_staged("repo");
    let repository = place.open("repo");
    // All pairs would be two million comparisons; the same names are enough here.
    assert_eq!(repository.renamed_to(&first, &last, "a/1499.txt").as_deref(), Some("b/1499.txt"));
}

#[test]
fn a_tree_of_billions_of_files_is_not_walked() {
    let place = Place::with_repository();
    let first = place.git("repo", &["rev-parse", "HEAD"]);
    let mut entry = format!("100644 blob {}", place.git("repo", &["rev-parse", "HEAD:file.txt"]));
    for _ in 0..10 {
        // Each tree holds the one before ten times.
        let entries: String = (0..10).map(|number| format!("{entry}\t{number}\n")).collect();
        place.write("entries", &entries);
        let make = format!("git mktree < {}", place.path("entries").display());
        entry = format!("040000 tree {}", place.git("repo", &["-c", &format!("alias.make=!{make}"), "make"]));
    }
    let tree = entry.strip_prefix("040000 tree ").unwrap();
    let last = place.git("repo", &["commit-tree", "-p", &first, "-m", "many", tree]);
    let repository = place.open("repo");
    assert_eq!(repository.renamed_to(&first, &last, "file.txt"), None);
    assert!(repository.blob_id_at(&last, "0/1/2/3/4/5/6/7/8/9").unwrap().is_some());
}

#[test]
fn a_staged_rename_is_found_by_its_content() {
    let place = Place::with_repository();
    place.commit("repo", "twin.txt", "one\ntwo\nthree\n");
    let repository = place.open("repo");
    assert_eq!(repository.staged_as("file.txt"), None);
    std::fs::create_dir(place.path("repo/sub dir")).unwrap();
    place.git("repo", &["mv", "file.txt", "sub dir/naïve.txt"]);
    assert_eq!(repository.staged_as("file.txt").as_deref(), Some("sub dir/naïve.txt"), "not its older twin");
    assert_eq!(repository.staged_as("twin.txt"), None);
    assert_eq!(repository.staged_as("none.txt"), None);
    place.git("repo", &["rm", "-q", "--cached", "sub dir/naïve.txt"]);
    assert_eq!(repository.staged_as("file.txt"), None);
}

#[test]
fn branches_that_contain_a_commit() {
    let place = Place::with_server();
    let start = place.git("repo", &["rev-parse", "HEAD"]);
    place.git("repo", &["switch", "-q", "-c", "feature/x"]);
    let commit = place.commit("repo", "x.txt", "x");
    place.git("repo", &["push", "-q", "origin", "HEAD:refs/heads/feature/x", "HEAD:refs/heads/twin"]);
    place.git("repo", &["switch", "-q", "-c", "later"]);
    place.commit("repo", "y.txt", "y");
    place.git("repo", &["switch", "-q", "main"]);
    place.commit("repo", "z.txt", "z");
    place.git("repo", &["merge", "-q", "--no-ff", "-m", "merge", "later"]);
    place.git("repo", &["switch", "-q", "-c", "aside", &start]);
    place.commit("repo", "aside.txt", "aside");
    place.git("repo", &["checkout", "-q", "--detach", &commit]);
    place.git("repo", &["remote", "set-head", "origin", "main"]);

    let repository = place.open("repo");
    let found = repository.branches_containing(&commit[..12]);
    let drawn: Vec<String> = found
        .iter()
        .map(|tip| {
            let remote = tip.remote.as_deref().map_or(String::new(), |remote| format!("{remote} "));
            format!("{remote}{}{}", tip.branch, if tip.is_tip { " =" } else { "" })
        })
        .collect();
    assert_eq!(drawn, ["origin feature/x =", "origin twin =", "feature/x =", "later", "main"]);
    let of_start = repository.branches_containing(&start);
    assert_eq!(of_start.len(), 7, "{of_start:?}");
    assert_eq!(repository.branches_containing("feedfacefeed"), []);
}

#[test]
fn branches_of_a_remote_whose_name_holds_a_slash() {
    let place = Place::with_server();
    place.git("repo", &["config", "remote.team.url", "git@bitbucket.org:team/repo.git"]);
    place.git("repo", &["remote", "rename", "origin", "team/fork"]);
    let repository = place.open("repo");
    let head = repository.head().unwrap().commit.unwrap();
    let remote = repository.branches_containing(&head).remove(0);
    assert_eq!((remote.remote.as_deref(), remote.branch.as_str()), (Some("team/fork"), "main"));
}

#[test]
fn shallow_history_is_no_reason_to_fail() {
    let place = Place::with_server();
    let parent = place.git("repo", &["rev-parse", "HEAD"]);
    let commit = place.commit("repo", "file.txt", "more");
    place.git("repo", &["push", "-q", "origin", "main"]);
    place.git(".", &["clone", "-q", "--depth", "1", &place.file_url("server"), "shallow"]);
    let repository = place.open("shallow");
    assert_eq!(repository.branches_containing(&commit).len(), 2);
    assert_eq!(repository.merge_base(&commit, &parent), None);
    assert_eq!(repository.merge_base(&commit, &commit), Some(commit));
}

#[test]
fn of_several_staged_copies_the_namesake_is_meant() {
    let place = Place::with_repository();
    for copy in ["a/other.txt", "b/file.txt", "c/another.txt"] {
        place.write(&format!("repo/{copy}"), "one\ntwo\nthree\n");
    }
    place.git("repo", &["rm", "-q", "file.txt"]);
    place.git("repo", &["add", "-A"]);
    assert_eq!(place.open("repo").staged_as("file.txt").as_deref(), Some("b/file.txt"));
}
