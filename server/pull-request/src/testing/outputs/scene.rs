//! A pull request with some of everything, and a stranger's text in one of its fields.

use super::Field;
use crate::content::Confidence;
use crate::model::*;
use crate::place::{Placed, Placement, Provenance};
use crate::thread::{Discussion, fold};
use crate::view::PlacedThread;
use crate::view::markdown::Names;

/// When it is looked at.
pub(super) const NOW: Timestamp = Timestamp(1_800_000_000);

const MENTIONED: &str = "557058:cem";
const MEMBER: &str = "557058:dee";

/// A pull request and what is said on it.
pub(super) struct Scene {
    pub(super) pull_request: PullRequest,
    pub(super) discussion: Discussion,
    pub(super) statuses: Vec<BuildStatus>,
    pub(super) sentence: String,
    placed: Vec<(CommentId, Placed)>,
    pub(super) member: User,
}

impl Scene {
    /// One with the text in the field.
    pub(super) fn with(field: Field, text: &str) -> Self {
        let pen = Pen { field, text };
        let commented = pen.write(Field::Code, "    charge();\n    charge();");
        let placed = |placement, provenance| {
            let commented = Some(commented.clone());
            Placed { placement, provenance, commented }
        };
        let near = LineRange::new(41, 42);
        Self {
            pull_request: pen.pull_request(),
            discussion: fold(pen.comments(), pen.tasks()),
            statuses: pen.builds(),
            sentence: pen.write(Field::Sentence, "Rate limit reached"),
            placed: vec![
                (CommentId(1), placed(Placement::Changed { near }, Provenance::Diff)),
                (
                    CommentId(10),
                    placed(Placement::Gone { near: 7 }, Provenance::Content(Confidence::of(0.7))),
                ),
                (CommentId(20), placed(Placement::Exact(LineRange::line(0)), Provenance::LineNumber)),
                (CommentId(21), placed(Placement::FileGone, Provenance::Diff)),
            ],
            member: User {
                account_id: Some(MEMBER.into()),
                display_name: pen.write(Field::Member, "Dee"),
                ..User::default()
            },
        }
    }

    /// The names that are known.
    pub(super) fn names(&self) -> Names {
        Names::of([&self.member])
    }

    /// Its threads on code, with where they are.
    pub(super) fn placed_threads(&self) -> Vec<PlacedThread<'_>> {
        let mut placed_threads = Vec::new();
        for (root, placed) in &self.placed {
            let thread = self.discussion.threads.iter().find(|thread| thread.root == *root);
            let written_on_older_version = true;
            placed_threads.extend(thread.map(|thread| PlacedThread {
                thread,
                placed,
                written_on_older_version,
            }));
        }
        placed_threads
    }
}

/// Writes the stranger's text into its field, and honest texts into all others.
struct Pen<'a> {
    field: Field,
    text: &'a str,
}

impl Pen<'_> {
    fn is_at(&self, field: Field) -> bool {
        self.field == field || self.field == Field::Everything
    }

    fn write(&self, field: Field, honest: &str) -> String {
        if self.is_at(field) { self.text.to_owned() } else { honest.to_owned() }
    }

    fn address(&self, whole: Field, path: Field, honest: &str) -> String {
        match self.is_at(path) {
            true => format!("https://x.org/{}", self.text),
            false => self.write(whole, honest),
        }
    }

    fn user(&self, field: Field, honest: &str) -> User {
        let display_name = self.write(field, honest);
        User { account_id: Some(format!("557058:{honest}")), display_name, ..User::default() }
    }

    fn pull_request(&self) -> PullRequest {
        let end = |field, branch: &str, repository: &str| End {
            branch: Some(self.write(field, branch)),
            commit: CommitHash::parse("298e9b999046"),
            repository: RepositoryName::parse(repository),
        };
        let participant =
            |role, vote| Participant { user: Some(self.user(Field::Participant, "Ana")), role, vote };
        PullRequest {
            id: PullRequestId(12),
            title: self.write(Field::Title, "Add totals"),
            description: self.write(Field::Description, "Adds totals."),
            state: PullRequestState::Open,
            draft: false,
            author: Some(self.user(Field::PullRequestAuthor, "Bob")),
            source: end(Field::Source, "feature/totals", "bob/till"),
            destination: end(Field::Destination, "main", "shop/till"),
            participants: vec![
                participant(Role::Reviewer, Some(Vote::Approved)),
                participant(Role::Participant, Some(Vote::ChangesRequested)),
                participant(Role::Reviewer, None),
            ],
            comment_count: Some(9),
            task_count: Some(2),
            created_on: Some(Timestamp(NOW.0 - 90_000)),
            updated_on: Some(NOW),
            html_url: Some(self.address(
                Field::Page,
                Field::PagePath,
                "https://bitbucket.org/shop/till/pull-requests/12",
            )),
        }
    }

    fn comment(&self, id: u64, parent: u64, raw: &str) -> Comment {
        let mut author = self.user(Field::Author, "Ana");
        if self.field == Field::Nickname {
            author.display_name.clear();
        }
        author.nickname = Some(self.write(Field::Nickname, "ana"));
        if self.is_at(Field::AccountId) {
            author.account_id = Some(self.text.to_owned());
            author.uuid = Some(self.text.to_owned());
        }
        Comment {
            id: CommentId(id),
            parent: (parent != 0).then_some(CommentId(parent)),
            author: Some(author),
            raw: raw.to_owned(),
            mentions: vec![(MENTIONED.into(), self.write(Field::Mention, "Cem"))],
            created_on: Some(Timestamp(NOW.0 - 9_000 + id as i64)),
            updated_on: Some(NOW),
            deleted: false,
            pending: false,
            anchor: None,
            resolution: None,
            html_url: Some(self.address(
                Field::CommentUrl,
                Field::CommentUrlPath,
                "https://bitbucket.org/c/1",
            )),
            unreadable: false,
        }
    }

    fn comments(&self) -> Vec<Comment> {
        let anchor = |spot| Anchor {
            path: self.write(Field::Path, "src/pay.rs"),
            spot,
            source_commit: CommitHash::parse("298e9b999046"),
            destination_commit: None,
            outdated: None,
        };
        let lines = |side| Some(anchor(Spot::Lines(side, LineRange::new(41, 42))));
        let resolution = Resolution { user: Some(self.user(Field::Resolver, "Bob")), on: Some(NOW) };
        let said = self.write(Field::Comment, "Why twice?");
        let mentions = format!(
            "@{{{MENTIONED}}} @{{{MEMBER}}} [x](account_id:{MENTIONED}) **@{{{MEMBER}}}**\n# @{{{MENTIONED}}}"
        );
        let suggestion =
            format!("So:\n````suggestion\n{}\n````", self.write(Field::Suggestion, "    charge_once();"));
        let inside = self.write(Field::CommentInside, "may fail");
        let inside = format!(
            "> - {inside}\n\n{inside} `{inside}` **{inside}** [{inside}](https://x.org/)\n```\n{inside}\n```\n{inside}"
        );
        vec![
            Comment { anchor: lines(Side::To), ..self.comment(1, 0, &said) },
            self.comment(2, 1, &mentions),
            self.comment(3, 2, &suggestion),
            Comment { pending: true, ..self.comment(4, 3, &inside) },
            Comment { deleted: true, raw: String::new(), ..self.comment(5, 4, "") },
            Comment { unreadable: true, ..self.comment(6, 5, &said) },
            Comment { anchor: lines(Side::From), resolution: Some(resolution), ..self.comment(10, 0, &said) },
            Comment { anchor: Some(anchor(Spot::File)), ..self.comment(20, 0, &mentions) },
            Comment { anchor: lines(Side::To), ..self.comment(21, 0, &suggestion) },
            self.comment(30, 0, &said),
            self.comment(31, 30, &inside),
        ]
    }

    fn tasks(&self) -> Vec<Task> {
        let task = |id, comment: Option<u64>, resolved| Task {
            id: TaskId(id),
            comment: comment.map(CommentId),
            raw: self.write(Field::Task, "Test it"),
            creator: Some(self.user(Field::TaskCreator, "Bob")),
            resolved,
            created_on: Some(NOW),
        };
        vec![task(1, Some(1), false), task(2, None, true)]
    }

    fn builds(&self) -> Vec<BuildStatus> {
        let url = self.address(Field::BuildUrl, Field::BuildUrlPath, "https://ci.example/1");
        let named = BuildStatus {
            key: "unit".into(),
            name: self.write(Field::BuildName, "Unit tests"),
            state: BuildState::Failed,
            url: Some(url),
            description: Some(self.write(Field::BuildDescription, "2 of 12 failed")),
            updated_on: Some(NOW),
        };
        let keyed =
            BuildStatus { key: self.write(Field::BuildKey, "lint"), name: String::new(), ..named.clone() };
        vec![named, keyed]
    }
}
