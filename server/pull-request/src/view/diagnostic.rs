//! A thread as a diagnostic.

use super::markdown::web_url;
use super::{Options, PlacedThread, Reader, Severity, page_of, words};
use crate::model::{CommentId, LineRange};

/// How many characters of a comment a message quotes.
const WORDS: usize = 160;

/// How many replies are told as related information.
const RELATED: usize = 50;

/// What an editor marks in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The thread that it stands for.
    pub thread: CommentId,
    /// The lines to mark.
    pub lines: LineRange,
    /// How loud.
    pub severity: Severity,
    /// Whether to show it faded (LSP's tag Unnecessary): outdated.
    pub unnecessary: bool,
    /// One line of plain text.
    pub message: String,
    /// The id of the thread's first comment, as text; `being sent` while Bitbucket has given it none.
    pub code: String,
    /// Where that comment is on the web.
    pub code_link: Option<String>,
    /// The live replies, at most 50.
    pub related: Vec<Related>,
}

/// A reply, told with a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// Who wrote it; one line of plain text.
    pub author: String,
    /// Its first words; one line of plain text.
    pub text: String,
}

/// The diagnostic of a thread; `None` if the user does not want to see it, or if it has no place in a file.
///
/// A thread with open tasks is a warning, also when it is outdated: a task may hold up the merge.
/// Resolved and other outdated threads are hints, outdated ones faded.
pub fn diagnostic(thread: &PlacedThread<'_>, options: &Options, reader: &Reader<'_>) -> Option<Diagnostic> {
    let lines = thread.lines().filter(|_| thread.is_wanted(options, reader))?;
    let PlacedThread { thread: it, .. } = *thread;

    let mut message = words::headline(it, reader, WORDS);
    if words::n_others(it) > 0 {
        message.push_str(&format!(" (+{})", words::count(words::n_others(it), "reply", "replies")));
    }
    for word in words::state(it, reader).into_iter().chain(words::whereabouts(thread)) {
        message.push_str(" · ");
        message.push_str(&word);
    }

    let speaker = words::speaker(it).id;
    let replies = it.comments.iter().map(|reply| &reply.comment);
    let related =
        replies.filter(|comment| !comment.deleted && comment.id != speaker).take(RELATED).map(|comment| {
            Related { author: reader.name(comment.author.as_ref()), text: reader.gist(comment, WORDS) }
        });
    let severity = match (it.is_resolved(), it.open_tasks() > 0, thread.outdated()) {
        (true, ..) => Severity::Hint,
        (_, true, true) => Severity::Warning,
        (_, true, false) => Severity::Warning.min(options.severity),
        (_, _, true) => Severity::Hint,
        _ => options.severity,
    };
    Some(Diagnostic {
        thread: it.root,
        lines,
        severity,
        unnecessary: thread.outdated(),
        message,
        code: if it.root.is_local() { words::SENDING.into() } else { it.root.0.to_string() },
        code_link: page_of(it.first()).and_then(web_url),
        related: related.collect(),
    })
}
