//! Checks of the tree itself: layers hold, docs are fresh, secrets have one way out.
//!
//! Everything is in `tests/`; this library only finds and reads files.

use std::path::{Path, PathBuf};

/// The root of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the checkout is there")
}

/// Files below `folder` (relative to the root) that end in `.extension`, with their paths relative to the root and their
/// text, sorted. Folders that are built or fetched are passed over.
pub fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the checkout") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["target", "node_modules", ".git", ".editors"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|found| found == extension) {
                let relative =
                    path.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned();
                found.push((relative, std::fs::read_to_string(&path).expect("UTF-8 text")));
            }
        }
    }
    found.sort();
    found
}

/// Lines of Rust that are code: without comments, and without the unit tests at the end of a file.
pub fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !(line.starts_with("#[cfg(") && line.contains("test")))
        .map(|(at, line)| (at + 1, line.split("//").next().unwrap_or_default()))
        .filter(|(_, line)| !line.trim().is_empty())
}
