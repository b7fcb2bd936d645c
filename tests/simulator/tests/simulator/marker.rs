//! The word in all secrets: a search for it is worth only as much as it is true that it is in them.

use std::path::{Path, PathBuf};

use simulator::{MARKER, Scenario, Simulator};

/// The scenario files that tests of all languages share.
fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect()
}

#[test]
fn it_looks_the_same_in_json_in_addresses_and_in_headers() {
    assert!(MARKER.len() >= 10 && MARKER.bytes().all(|byte| byte.is_ascii_alphanumeric()));
}

#[tokio::test]
async fn the_secrets_of_the_fixtures_have_it() {
    assert!(fixtures().len() >= 2, "{:?}", fixtures());
    for file in fixtures() {
        let scenario = Scenario::load(&file).unwrap();
        for consumer in &scenario.consumers {
            assert!(consumer.secret.contains(MARKER), "{}: the secret of {}", file.display(), consumer.key);
        }
        let simulator = Simulator::start(scenario).await.unwrap();
        for account in simulator.accounts() {
            assert!(account.token.contains(MARKER), "{}: a token of {}", file.display(), account.user);
        }
    }
}

/// Contents of files and comments are shown in editors and logged with all their messages.
#[test]
fn nothing_else_in_the_fixtures_has_it() {
    for file in fixtures() {
        let text = std::fs::read_to_string(&file).unwrap();
        for line in text.lines().filter(|line| line.contains(MARKER)) {
            let is_secret = ["token = ", "secret = "].iter().any(|start| line.starts_with(start));
            assert!(is_secret, "{}: {line}", file.display());
        }
    }
}
