//! What a user sees while writing: new drafts, the list of drafts, completions.

use super::scene::{NOW, Scene};
use super::{Kind, Shown};
use crate::draft::{self, Code, Completion, CompletionKind, END, Intent, Page, People};
use crate::model::{CommentId, LineRange, PullRequestId, Side, Spot, Subject, TaskId, User};
use crate::view::Reader;
use crate::view::document::{self, DraftRow, DraftState};

impl Shown {
    /// What stands below the marker of new drafts, and the list of drafts.
    pub(super) fn drafts(&mut self, scene: &Scene, reader: &Reader<'_>) {
        let Some(thread) = scene.discussion.threads.iter().find(|thread| !thread.is_general()) else {
            return;
        };
        let comment = thread.first();
        let path = thread.anchor.as_ref().map(|anchor| anchor.path.clone()).unwrap_or_default();
        let (lines, side) = (LineRange::new(41, 42), Side::To);
        let intents = [
            Intent::Comment(Subject::Comment(CommentId(1))),
            Intent::Comment(Subject::Code { path: path.clone(), spot: Spot::Lines(side, lines) }),
            Intent::Comment(Subject::Code { path: path.clone(), spot: Spot::File }),
            Intent::Edit { comment: CommentId(1), before: comment.raw.clone() },
            Intent::EditTask { task: TaskId(1), before: comment.raw.clone() },
        ];
        let code = scene.placed_threads().first().and_then(|it| it.placed.commented.clone());
        let text: Vec<String> = code.unwrap_or_default().split('\n').map(str::to_owned).collect();
        for intent in &intents {
            let written = draft::write(&Page {
                intent,
                pull_request: (scene.pull_request.id, &scene.pull_request.title),
                quoted: Some((reader.name(comment.author.as_ref()), comment.raw.clone())),
                names: Some(reader.names),
                code: Some(Code { path: path.clone(), lines, side, text: text.clone(), language: None }),
                body: comment.raw.clone(),
                remarks: vec![scene.sentence.clone()],
            });
            // What is above the marker is the user's own text, as it is.
            let below = written.text.rsplit_once(&format!("\n{END}\n\n")).map_or("", |(_, below)| below);
            self.markdown("what is below a draft's marker", below.to_owned());
        }
        let sentence = || scene.sentence.clone();
        let states = [DraftState::Draft, DraftState::Rejected(sentence()), DraftState::Unknown(sentence())];
        let rows = states.map(|state| DraftRow {
            id: "a".into(),
            title: format!("Reply to {}", reader.name(comment.author.as_ref())),
            state,
            changed: NOW,
            first_words: comment.raw.clone(),
        });
        self.document("the list of drafts", document::drafts(&rows, reader).document);
    }

    /// What can be chosen behind `@`, behind `#`, and at the start.
    pub(super) fn completions(&mut self, scene: &Scene) {
        let participants: Vec<User> =
            scene.pull_request.participants.iter().filter_map(|it| it.user.clone()).collect();
        let authors = scene.discussion.threads.iter().filter_map(|thread| thread.first().author.clone());
        let members: Vec<User> = authors.chain([scene.member.clone()]).collect();
        let people = People { participants: &participants, members: &members };
        let pull_requests: Vec<(PullRequestId, String)> =
            vec![(scene.pull_request.id, scene.pull_request.title.clone())];
        let commented: Vec<String> = scene
            .placed_threads()
            .iter()
            .take(1)
            .filter_map(|it| it.placed.commented.as_ref())
            .flat_map(|text| text.split('\n').map(str::to_owned))
            .collect();
        for typed in ["@", "#", ""] {
            let at = (0, typed.len() as u32);
            for it in draft::completions(typed, at, &people, &pull_requests, Some(&commented)) {
                self.completion(it);
            }
        }
    }

    fn completion(&mut self, completion: Completion) {
        let Completion { label, detail, insert, kind, .. } = completion;
        self.add("a completion's label", Kind::Line, label);
        self.add("a completion's detail", Kind::Line, detail);
        // A suggestion begins with the commented lines as they are.
        if kind != CompletionKind::Suggestion {
            self.add("what a completion inserts", Kind::Line, insert.trim_end());
        }
    }
}
