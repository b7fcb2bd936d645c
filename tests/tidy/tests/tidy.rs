//! The tree keeps its own rules.

use std::collections::BTreeSet;
use tidy::{code_lines, files, root};

/// Each line of code in `folder` that has one of `words`, outside of the files that `allowed` begins.
fn offences(folder: &str, words: &[&str], allowed: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in files(folder, "rs") {
        if allowed.iter().any(|start| path.starts_with(start))
            || path.contains("/tests/")
            || path.ends_with("/tests.rs")
        {
            continue;
        }
        for (at, line) in code_lines(&text) {
            if words.iter().any(|word| names(line, word)) {
                found.push(format!("{path}:{at}: {}", line.trim()));
            }
        }
    }
    found
}

/// Whether `line` has `word`, not as a part of a longer name.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let goes_on = |letter: char| letter.is_alphanumeric() || letter == '_';
        let ends_open = word.ends_with(|letter: char| !goes_on(letter));
        !before.is_some_and(|letter| goes_on(letter) || letter == ':')
            && (ends_open || !after.is_some_and(goes_on))
    })
}

#[test]
fn the_check_itself_finds_what_it_looks_for() {
    assert!(names("use git::Repository;", "git::"));
    assert!(!names("use crate::git::Repository;", "git::"));
    assert!(!names("let legit::x", "git::"));
    assert!(!names("tower_lsp_server", "tower_lsp"));
    assert!(!offences("server/lsp/src/worker", &["bitbucket::"], &[]).is_empty());
}

#[test]
fn only_the_worker_names_the_edge_crates() {
    let allowed = ["server/lsp/src/worker", "server/lsp/src/main.rs"];
    let found = offences(
        "server/lsp/src",
        &["bitbucket::", "git::", "credentials::", "drafts::", "reqwest::", "gix::"],
        &allowed,
    );
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn lsp_types_stay_behind_the_conversion() {
    let allowed = [
        "server/lsp/src/to_lsp.rs",
        "server/lsp/src/frontend.rs",
        "server/lsp/src/worker/client.rs",
        "server/lsp/src/transport",
    ];
    let found = offences("server", &["lsp_types", "tower_lsp"], &allowed);
    let found: Vec<String> = found.into_iter().filter(|line| !is_plumbing(line)).collect();
    assert_eq!(found, Vec::<String>::new());
}

/// The client's handle on its way to the worker, and the service on its way to the transport.
fn is_plumbing(offence: &str) -> bool {
    (offence.starts_with("server/lsp/src/worker/mod.rs") && offence.contains("tower_lsp::Client"))
        || (offence.starts_with("server/lsp/src/server.rs") && offence.contains("tower_lsp::LspService"))
}

#[test]
fn secrets_have_one_way_out() {
    let allowed = ["server/credentials/src", "server/bitbucket/src/http"];
    assert_eq!(offences("server", &[".expose()"], &allowed), Vec::<String>::new());
    assert!(!offences("server", &[".expose()"], &[]).is_empty(), "the check must see the allowed ones");
}

#[test]
fn no_process_is_started_and_no_state_is_shared() {
    assert_eq!(offences("server", &["Command::new"], &[]), Vec::<String>::new());
    let found = offences(
        "server/lsp/src",
        &["Mutex", "RwLock"],
        &["server/lsp/src/worker/memo.rs", "server/lsp/src/transport"],
    );
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn crates_depend_only_downward() {
    let ours =
        ["bitbucket", "bitbucket-lsp", "credentials", "drafts", "git", "private-files", "pull-request"];
    let allowed = [
        ("pull-request", vec![]),
        ("git", vec![]),
        ("private-files", vec![]),
        ("credentials", vec!["private-files"]),
        ("drafts", vec!["private-files"]),
        ("bitbucket", vec!["credentials", "pull-request"]),
        ("lsp", vec!["bitbucket", "credentials", "drafts", "git", "pull-request"]),
    ];
    for (folder, may) in allowed {
        let manifest = std::fs::read_to_string(root().join(format!("server/{folder}/Cargo.toml"))).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        let names: BTreeSet<&str> = dependencies
            .lines()
            .filter_map(|line| line.split(['.', ' ', '=']).next())
            .filter(|name| ours.contains(name))
            .collect();
        assert_eq!(names, may.into_iter().collect::<BTreeSet<&str>>(), "server/{folder}");
    }
}

#[test]
fn every_file_says_what_it_is() {
    for folder in ["server", "tests"] {
        for (path, text) in files(folder, "rs") {
            assert!(
                text.starts_with("//!") || text.starts_with("#!["),
                "{path} does not open with what it is"
            );
        }
    }
}

#[test]
fn nothing_is_left_unfinished() {
    let marks = ["TODO", "FIXME", "XXX", "#[ignore"].map(str::to_owned);
    for folder in ["server", "tests", "editors"] {
        for extension in ["rs", "lua", "ts"] {
            for (path, text) in files(folder, extension) {
                if path.starts_with("tests/tidy") {
                    continue;
                }
                for (at, line) in text.lines().enumerate() {
                    assert!(!marks.iter().any(|mark| line.contains(mark)), "{path}:{}: {line}", at + 1);
                }
            }
        }
    }
}

/// Compares a generated document with the one in docs; `UPDATE_DOCS=1` writes it.
fn fresh(name: &str, text: &str) {
    let path = root().join("docs").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "docs/{name} is stale; write it anew by UPDATE_DOCS=1 cargo test -p tidy");
}

#[test]
fn the_generated_documents_are_fresh() {
    fresh("COMMANDS.md", &bitbucket_lsp::protocol::commands_markdown());
    fresh("SETTINGS.md", &bitbucket_lsp::config::settings_markdown());
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut documents = files("docs", "md");
    documents.extend(files("editors", "md"));
    let readme = root().join("README.md");
    documents.push(("README.md".into(), std::fs::read_to_string(readme).unwrap()));
    let mut links = 0;
    for (path, text) in documents {
        let folder = root().join(&path).parent().unwrap().to_owned();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
                continue;
            }
            links += 1;
            assert!(folder.join(file).exists(), "{path} links to {target}, which is not there");
        }
    }
    assert!(links > 0);
}

#[test]
fn one_version_for_all() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let version = manifest.split("version = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let changelog = std::fs::read_to_string(root().join("docs/CHANGELOG.md")).unwrap();
    assert!(changelog.contains(&format!("## {version}")), "docs/CHANGELOG.md has no section for {version}");
}
