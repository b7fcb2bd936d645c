//! What a user sees, in editor words: plain structs and texts, 0-based lines, no LSP types.
//!
//! Every text that comes from Bitbucket or from a repository goes through [`markdown`] on its way out, without exception.
//! Nothing here decides where a comment is; it is handed threads that are placed already.

pub mod action;
pub mod diagnostic;
pub mod document;
pub mod hover;
pub mod inlay;
pub(crate) mod invisible;
pub mod lens;
pub mod markdown;
mod plain_text;
pub mod status;
pub mod terminal;
#[cfg(test)]
mod tests;
pub(crate) mod words;

pub use self::plain_text::plain_text;

use std::collections::HashSet;
use std::sync::OnceLock;

use self::markdown::{Names, Surroundings, gist, plain};
use crate::model::{Comment, CommentId, LineRange, Side, Spot, Timestamp, User};
use crate::place::{Placed, Placement};
use crate::thread::Thread;

/// A thread and where it is now.
#[derive(Clone, Copy, Debug)]
pub struct PlacedThread<'a> {
    /// The thread; one with an anchor.
    pub thread: &'a Thread,
    /// Where it is, in lines of the document on screen.
    pub placed: &'a Placed,
    /// Whether its anchor's commits are not the pull request's present ones.
    pub written_on_older_version: bool,
}

impl PlacedThread<'_> {
    /// Whether what was commented is no longer there to be discussed.
    ///
    /// So it is if Bitbucket says so, if the commented text or its file is gone,
    /// or if the pull request went on and the text was changed since.
    /// A comment on a removed line is not outdated for its line being gone.
    pub fn outdated(&self) -> bool {
        let anchor = self.thread.anchor.as_ref();
        let is_new_side = !anchor.is_some_and(|anchor| matches!(anchor.spot, Spot::Lines(Side::From, _)));
        anchor.is_some_and(|anchor| anchor.outdated == Some(true))
            || match self.placed.placement {
                Placement::Gone { .. } => is_new_side,
                Placement::FileGone => true,
                Placement::Changed { .. } => self.written_on_older_version,
                Placement::Exact(_) | Placement::Moved(_) => false,
            }
    }

    /// The lines to show it on; `None` if its file is gone or it is not about a file.
    pub fn lines(&self) -> Option<LineRange> {
        self.thread.anchor.as_ref().and_then(|_| self.placed.placement.lines())
    }

    /// Whether the user wants to see it in the code.
    pub fn is_wanted(&self, options: &Options, reader: &Reader<'_>) -> bool {
        (options.show_resolved || !self.thread.is_resolved())
            && (options.show_outdated || !self.outdated())
            && !options.ignores(self.thread, reader)
    }
}

/// How loud a diagnostic is; LSP's levels, the loudest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Severity {
    /// An error.
    Error,
    /// A warning.
    Warning,
    /// For information.
    #[default]
    Information,
    /// A hint.
    Hint,
}

/// What the user wants to see of the threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Also the resolved ones.
    pub show_resolved: bool,
    /// Also the outdated ones.
    pub show_outdated: bool,
    /// Threads in which nobody but these wrote are left out:
    /// display names, nicknames, account ids or uuids in either case, or `@me`.
    pub ignore_authors: Vec<String>,
    /// How loud an open thread is.
    pub severity: Severity,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            show_resolved: false,
            show_outdated: true,
            ignore_authors: Vec::new(),
            severity: Severity::Information,
        }
    }
}

impl Options {
    /// Whether nobody but ignored authors wrote in the thread.
    pub fn ignores(&self, thread: &Thread, reader: &Reader<'_>) -> bool {
        let mut authors = thread.comments.iter().filter(|reply| !reply.comment.deleted).peekable();
        !self.ignore_authors.is_empty()
            && authors.peek().is_some()
            && authors
                .all(|reply| reply.comment.author.as_ref().is_some_and(|it| self.ignores_author(it, reader)))
    }

    fn ignores_author(&self, author: &User, reader: &Reader<'_>) -> bool {
        let names = [
            Some(&author.display_name),
            author.nickname.as_ref(),
            author.account_id.as_ref(),
            author.uuid.as_ref(),
        ];
        self.ignore_authors.iter().map(|ignored| ignored.trim()).any(|ignored| {
            let is_named = |name: &&String| !name.is_empty() && name.to_lowercase() == ignored.to_lowercase();
            ignored == "@me" && reader.is_me(author) || names.iter().flatten().any(is_named)
        })
    }
}

/// Who reads, when, and whom of the others we know by name.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// The signed-in user, who is called "You".
    pub me: Option<&'a User>,
    /// Names for mentions.
    pub names: &'a Names,
    /// Now.
    pub now: Timestamp,
    /// Comments on their way to Bitbucket: new ones, edited ones, and the roots of threads that are being resolved or reopened.
    pub sending: &'a HashSet<CommentId>,
}

/// For a [`Reader`] of a discussion from which nothing is on its way.
pub fn nothing_is_sent() -> &'static HashSet<CommentId> {
    static NOTHING: OnceLock<HashSet<CommentId>> = OnceLock::new();
    NOTHING.get_or_init(HashSet::new)
}

impl Reader<'_> {
    /// Whether a comment, or what was done to the thread that it begins, is on its way to Bitbucket.
    pub fn is_sending(&self, comment: CommentId) -> bool {
        self.sending.contains(&comment)
    }

    /// Whether anything of a thread is on its way to Bitbucket.
    pub fn is_sending_any(&self, thread: &Thread) -> bool {
        !self.sending.is_empty() && thread.comments.iter().any(|reply| self.is_sending(reply.comment.id))
    }

    /// Whether the user is the one who reads.
    pub fn is_me(&self, user: &User) -> bool {
        self.me.is_some_and(|me| me.is(user))
    }

    /// What somebody is called: one line, safe where no markup is read.
    pub fn name(&self, user: Option<&User>) -> String {
        let Some(user) = user else {
            return "Deleted account".into();
        };
        if self.is_me(user) {
            return "You".into();
        }
        let names = [Some(&user.display_name), user.nickname.as_ref()];
        let mut known =
            names.into_iter().flatten().map(|name| plain(name, 60)).filter(|name| !name.is_empty());
        known.next().unwrap_or_else(|| "Someone".into())
    }

    /// The first words of a comment: one line, safe where no markup is read.
    fn gist(&self, comment: &Comment, max_characters: usize) -> String {
        let words = gist(&comment.raw, &self.surroundings(comment, None), max_characters);
        match (comment.deleted, comment.unreadable, words.is_empty()) {
            (true, _, _) => "deleted comment".into(),
            (_, true, true) => "a comment that could not be read".into(),
            (_, false, true) => "(no text)".into(),
            _ => words,
        }
    }

    fn surroundings<'b>(&'b self, comment: &'b Comment, commented: Option<&'b str>) -> Surroundings<'b> {
        Surroundings {
            mentions: &comment.mentions,
            names: Some(self.names),
            commented,
            page: page_of(comment),
        }
    }
}

/// A comment's page on the web; one that is still on its way there has none.
fn page_of(comment: &Comment) -> Option<&str> {
    comment.html_url.as_deref().filter(|_| !comment.id.is_local())
}
