//! Answers to writes that were recorded from the real Bitbucket, served again.
//!
//! They lie beside the repository, in `../shared/payloads` or where `BITBUCKET_PAYLOADS` points; without them the
//! test says that it was left out, and with `CI=true` that is a failure.
#![expect(clippy::print_stderr, reason = "says what was checked, or that nothing was")]

use std::path::{Path, PathBuf};

use bitbucket::WriteError::Refused;
use bitbucket::{Client, Error};
use pull_request::model::{CommentId, PullRequestId, Subject, TaskId};
use serde_json::Value;

use crate::repository;
use crate::support::{Server, json, options};

#[tokio::test]
async fn recorded_answers_to_writes_are_understood() {
    let folder = match std::env::var_os("BITBUCKET_PAYLOADS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/payloads"),
    };
    let Ok(manifest) = std::fs::read_to_string(folder.join("manifest.jsonl")) else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no recorded answers in {}", folder.display());
        eprintln!("left out: no recorded answers in {}", folder.display());
        return;
    };
    let mut checked = 0;
    for line in manifest.lines().filter(|line| !line.trim().is_empty()) {
        let entry: Value = serde_json::from_str(line).expect("a line of the manifest");
        if entry["kind"] != "body" || entry["method"] == "GET" {
            continue;
        }
        let (Some(method), Some(path), Some(status)) =
            (entry["method"].as_str(), entry["path"].as_str(), entry["status"].as_u64())
        else {
            continue;
        };
        let file = entry["file"].as_str().expect("a file's name");
        let body =
            std::fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let Ok(recorded) = serde_json::from_str::<Value>(&body) else { continue };
        let status = u16::try_from(status).unwrap();
        let server = Server::start(move |_, _| json(status, &body)).await;
        let client = server.client(options());
        checked += u32::from(check(&client, method, path, status, &recorded).await);
    }
    eprintln!("{checked} recorded answers to writes");
    assert!(checked >= 9, "{checked}");
}

/// Whether it is an answer to one of our writes; then it must come to what it says.
async fn check(client: &Client, method: &str, path: &str, status: u16, json: &Value) -> bool {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let ["repositories", _, _, "pullrequests", _, rest @ ..] = parts.as_slice() else {
        return false;
    };
    let (repository, id) = (repository(), PullRequestId(1));
    let number = |text: &str| text.parse::<u64>().unwrap();
    match (method, rest, status) {
        ("POST", ["comments"], 201) => {
            let made =
                client.create_comment(&repository, id, &Subject::PullRequest, "x").await.expect("a comment");
            assert_eq!(Some(made.id.0), json["id"].as_u64());
            assert_eq!(Some(made.raw.as_str()), json["content"]["raw"].as_str());
            assert_eq!(made.anchor.is_some(), json["inline"].is_object());
            assert!(!made.unreadable);
        }
        ("POST", ["tasks"], 201) => {
            let made = client.create_task(&repository, id, None, "x").await.expect("a task");
            assert_eq!(Some(made.id.0), json["id"].as_u64());
            assert_eq!(made.comment.map(|id| id.0), json["comment"]["id"].as_u64());
        }
        ("PUT", ["tasks", task], 200) => {
            let made =
                client.edit_task(&repository, id, TaskId(number(task)), "x", true).await.expect("a task");
            assert_eq!(made.resolved, json["state"] == "RESOLVED");
        }
        ("POST", ["comments", comment, "resolve"], _) => {
            let found = client.resolve(&repository, id, CommentId(number(comment))).await;
            match status {
                200 => {
                    let user = found.expect("a resolution").user.expect("a user");
                    assert_eq!(Some(user.display_name.as_str()), json["user"]["display_name"].as_str());
                }
                403 => assert_eq!(found, Err(Refused(Error::Forbidden))),
                409 => assert_eq!(found, Err(Refused(Error::Conflict))),
                other => panic!("{other}"),
            }
        }
        _ => return false,
    }
    true
}
