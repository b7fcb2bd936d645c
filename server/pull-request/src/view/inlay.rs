//! Inlay hints: who said something about a line, at its end.

use super::{PlacedThread, Reader, words};

/// How many threads on one line are told by name.
const NAMED: usize = 3;

/// One label for all threads on one line: authors and how many replies; plain text, empty for no thread.
pub fn inlay(threads: &[PlacedThread<'_>], reader: &Reader<'_>) -> String {
    let mut labels: Vec<String> = threads.iter().take(NAMED).map(|thread| label(thread, reader)).collect();
    if threads.len() > NAMED {
        labels.push(format!("{} more", threads.len() - NAMED));
    }
    labels.join(", ")
}

fn label(thread: &PlacedThread<'_>, reader: &Reader<'_>) -> String {
    let speaker = words::speaker(thread.thread);
    let mut label = match speaker.deleted {
        true => "deleted comment".into(),
        false => reader.name(speaker.author.as_ref()),
    };
    let n_others = words::n_others(thread.thread);
    if n_others > 0 {
        label.push_str(&format!(" +{n_others}"));
    }
    if thread.thread.is_resolved() {
        label.push_str(" ✓");
    }
    label
}
