//! Drafts and a Bitbucket of a few lines.

mod cloud;
mod crashes;
mod sending;
mod texts;

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{DraftId, Drafts};

/// A folder in memory where there is one: nothing here outlives the machine.
fn folder() -> TempDir {
    let memory = PathBuf::from("/dev/shm");
    match memory.is_dir() {
        true => tempfile::tempdir_in(memory).unwrap(),
        false => tempfile::tempdir().unwrap(),
    }
}

fn drafts(folder: &TempDir) -> Drafts {
    Drafts::new(folder.path().join("drafts"))
}

/// What a draft for a place is about.
fn about(place: u8) -> Value {
    json!({ "place": place })
}

fn key(place: u8) -> String {
    format!("team/app 1 comment {place}")
}

fn made(drafts: &Drafts, text: &str) -> DraftId {
    drafts.create("reply", &about(1), &key(1), "ana", text).unwrap()
}

/// The contents of all files in the folder for discarded drafts that have no record in them.
fn discarded(folder: &TempDir) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder.path().join("drafts/discarded")) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let texts = paths.filter(|path| path.extension().is_some_and(|end| end != "json" && end != "unfinished"));
    texts.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}
