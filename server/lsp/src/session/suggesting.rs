//! Suggestions put into the code: only where it still reads as the reviewer saw it, and only within the commented lines.
//!
//! What a suggestion does to a text is the core's to say (`pull_request::suggestion`).

use super::Session;
use super::commands::{NO_THREAD, warn};
use super::documents::Document;
use super::review::Review;
use super::writing::Pending;
use crate::answer::LineEdit;
use crate::effect::{Effect, MessageKind};
use crate::event::Question;
use crate::protocol::Target;
use pull_request::model::{Anchor, Comment, CommentId, Side, Spot, Timestamp};
use pull_request::suggestion::{self, All, Replacement, Wanted};

const NO_SUGGESTION: &str = "There is no suggestion in this thread.";
const APPLIED: &str = "Applied.";

/// A suggestion and where it would go.
pub(super) struct Offered<'a> {
    /// The comment that it is in.
    pub(super) comment: CommentId,
    /// Its index among that comment's suggestions.
    pub(super) index: usize,
    /// How many that comment has.
    pub(super) of: usize,
    /// The comment's text.
    pub(super) text: &'a Comment,
    wanted: Wanted,
    first_line: u32,
}

impl Session {
    /// The suggestions of a thread on the new side, oldest first.
    pub(super) fn suggestions<'a>(&self, review: &'a Review, index: usize) -> Vec<Offered<'a>> {
        let thread = review.thread(index);
        let on_new_side = |anchor: &&Anchor| matches!(anchor.spot, Spot::Lines(Side::To, _));
        let Some(anchor) = thread.anchor.as_ref().filter(on_new_side) else { return Vec::new() };
        let Some((_, spot)) = review.spot_of(index) else { return Vec::new() };
        let Some(lines) = spot.lines() else { return Vec::new() };
        let reviewed = spot.placed.reviewed(anchor);
        let comments = thread.comments.iter().map(|reply| &reply.comment);
        let comments = comments.filter(|comment| !comment.deleted && !comment.id.is_local());
        let offered = comments.flat_map(|comment| {
            let found = suggestion::find(&comment.raw);
            let (of, reviewed) = (found.len(), &reviewed);
            found.into_iter().enumerate().map(move |(index, suggestion)| Offered {
                comment: comment.id,
                index,
                of,
                text: comment,
                wanted: Wanted { placement: spot.placed.placement, reviewed: reviewed.clone(), suggestion },
                first_line: lines.first,
            })
        });
        offered.collect()
    }

    pub(super) fn apply_suggestion(&mut self, target: &Target, out: &mut Vec<Effect>) {
        let by_comment = Target { thread: target.comment.or(target.thread), ..target.clone() };
        let Some((id, review, index)) = self.thread_of(&by_comment) else { return warn(NO_THREAD, out) };
        let wanted = |offered: &Offered<'_>| {
            target.comment.is_none_or(|comment| offered.comment.0 == comment)
                && target.suggestion.is_none_or(|index| offered.index == index as usize)
        };
        let offered = self.suggestions(review, index).into_iter().rfind(wanted);
        let Some(offered) = offered else { return warn(NO_SUGGESTION, out) };
        let Some((path, _)) = review.spot_of(index) else { return warn(NO_SUGGESTION, out) };
        let (path, line, root) = (path.to_owned(), offered.first_line, review.thread(index).root);
        let Some(uri) = self.uri_of(id, &path) else {
            self.show_file(id, &path, line, out);
            let sentence =
                "The file of this suggestion was not open; look at it, and apply the suggestion there.";
            return out.push(Effect::Message(MessageKind::Info, sentence.into()));
        };
        let Some(document) = self.documents.get(&uri) else { return };
        match suggestion::apply(&document.text, &offered.wanted) {
            Ok(replacement) => {
                let edit = self.line_edit(document, replacement);
                self.edit(uri, vec![edit], vec![root], out);
            }
            Err(why) => warn(&why.to_string(), out),
        }
    }

    pub(super) fn apply_all_suggestions(&mut self, target: &Target, out: &mut Vec<Effect>) {
        let uri = target.uri.as_ref().or(self.focus.as_ref()).cloned();
        let Some((_, _, review, document, path)) = uri.as_ref().and_then(|uri| self.review_in(uri)) else {
            return warn("There is no file of a pull request here to apply suggestions to.", out);
        };
        let open = self.shown_in(review, path).map(|spot| spot.thread);
        let open = open.filter(|index| !review.thread(*index).is_resolved());
        let (roots, wanted): (Vec<CommentId>, Vec<Offered<'_>>) = open
            .filter_map(|index| Some((review.thread(index).root, self.suggestions(review, index).pop()?)))
            .unzip();
        let lines: Vec<u32> = wanted.iter().map(|offered| offered.first_line).collect();
        let wanted: Vec<Wanted> = wanted.into_iter().map(|offered| offered.wanted).collect();
        let All { replacements, applied, refused } = suggestion::apply_all(&document.text, &wanted);
        let edits: Vec<LineEdit> =
            replacements.into_iter().map(|replacement| self.line_edit(document, replacement)).collect();
        let threads: Vec<CommentId> = applied.iter().map(|at| roots[*at]).collect();
        for (at, why) in refused {
            warn(&format!("Line {}: {why}", lines[at] + 1), out);
        }
        match uri.filter(|_| !edits.is_empty()) {
            Some(uri) => self.edit(uri, edits, threads, out),
            None if roots.is_empty() => {
                let sentence = "No open thread of this file has a suggestion.";
                out.push(Effect::Message(MessageKind::Info, sentence.into()));
            }
            None => {}
        }
    }

    fn line_edit(&self, document: &Document, replacement: Replacement) -> LineEdit {
        let (start, end) = replacement.range(&document.text, self.profile.encoding);
        LineEdit {
            start: (start.line, start.character),
            end: (end.line, end.character),
            text: replacement.new_text,
        }
    }

    fn edit(&mut self, uri: String, edits: Vec<LineEdit>, threads: Vec<CommentId>, out: &mut Vec<Effect>) {
        if !self.profile.apply_edit {
            return warn(
                "Your editor does not let a language server edit files; copy the suggestion from the hover.",
                out,
            );
        }
        let Some(version) = self.documents.get(&uri).map(|document| document.version) else { return };
        let id = self.next_write();
        self.writes.insert(id, Pending::Edit { threads });
        let title = "Apply suggestion".to_owned();
        out.push(Effect::Edit { id, uri, version, title, edits });
    }

    pub(super) fn edit_taken(&mut self, id: crate::writing::WriteId, taken: bool, out: &mut Vec<Effect>) {
        let Some(Pending::Edit { threads }) = self.writes.remove(&id) else { return };
        if !taken {
            return warn(
                "Your editor did not take the edit: the text has changed meanwhile; try again.",
                out,
            );
        }
        match threads.as_slice() {
            [root] => out.push(Effect::Ask {
                question: Question::Applied(*root),
                text: "The suggestion is applied. Tell the reviewer?".into(),
                choices: vec![
                    "Reply \"Applied.\" and resolve".into(),
                    "Reply only".into(),
                    "Resolve only".into(),
                ],
            }),
            many => out.push(Effect::Message(
                MessageKind::Info,
                format!("{} suggestions are applied; their threads are still open.", many.len()),
            )),
        }
    }

    pub(super) fn answered_applied(
        &mut self,
        root: CommentId,
        choice: usize,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let target = Target { thread: Some(root.0), ..Target::default() };
        if choice < 2 {
            let text = Some(APPLIED.to_owned());
            self.reply(&Target { text, ..target.clone() }, now, out);
        }
        if choice == 0 || choice == 2 {
            self.set_resolved(&target, true, now, out);
        }
    }
}
