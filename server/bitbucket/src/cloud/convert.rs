//! From Bitbucket's spelling to plain data.
//!
//! Here 1-based lines become 0-based, texts become states, links become hashes.
//! It must not fail: what is missing is `None`, empty or `Unknown`; only an object without the id that
//! names it comes to nothing.

use pull_request::model::{
    BuildState, BuildStatus, Comment, CommentId, CommitHash, End, Participant, PullRequest, PullRequestId,
    PullRequestState, RepositoryName, Resolution, Role, Task, TaskId, Timestamp, User, Vote,
};
use serde::de::DeserializeOwned;

use super::{anchor, mention, wire};

/// Something that [`super::read`] makes of JSON.
pub trait Readable: Sized {
    /// How the API spells it.
    type Wire: DeserializeOwned;

    /// `flawed`: a part of it was damaged and left out.
    /// `None` if it lacks what names it.
    fn from_wire(wire: Self::Wire, flawed: bool) -> Option<Self>;

    /// What it is told apart by within a list; `None` if by nothing.
    fn id(&self) -> Option<Id>;

    /// Whether it counts as not read in full.
    fn is_unreadable(&self, flawed: bool) -> bool {
        flawed
    }
}

/// What items of a list are told apart by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Id {
    /// Bitbucket's number.
    Number(u64),
    /// Anything else that is unique.
    Text(String),
}

impl Readable for PullRequest {
    type Wire = wire::PullRequest;

    fn from_wire(wire: wire::PullRequest, _: bool) -> Option<Self> {
        Some(Self {
            id: PullRequestId(wire.id?.id()?),
            title: wire.title.unwrap_or_default(),
            description: wire.description.or(wire.summary.and_then(|it| it.raw)).unwrap_or_default(),
            state: state(wire.state.as_deref()),
            draft: wire.draft.unwrap_or(false),
            author: wire.author.map(user),
            source: end(wire.source),
            destination: end(wire.destination),
            participants: participants(wire.participants, wire.reviewers),
            comment_count: wire.comment_count.map(wire::Number::count),
            task_count: wire.task_count.map(wire::Number::count),
            created_on: time(wire.created_on.as_deref()),
            updated_on: time(wire.updated_on.as_deref()),
            html_url: html_url(wire.links),
        })
    }

    fn id(&self) -> Option<Id> {
        Some(Id::Number(self.id.0))
    }
}

impl Readable for Comment {
    type Wire = wire::Comment;

    fn from_wire(wire: wire::Comment, flawed: bool) -> Option<Self> {
        let id = CommentId(wire.id?.id()?);
        let deleted = wire.deleted.unwrap_or(false);
        let content = wire.content.unwrap_or_default();
        let no_text = content.raw.is_none() && !deleted;
        let raw = content.raw.unwrap_or_default();
        let mentions = content.html.map(|html| mention::names(&raw, &html)).unwrap_or_default();
        let (html, code) = wire.links.map(|it| (it.html, it.code)).unwrap_or_default();
        let code = code.and_then(|link| link.href);
        let is_inline = wire.inline.is_some();
        let anchor = wire.inline.and_then(|inline| anchor::of(inline, code.as_deref()));
        // A comment on code whose file is not named would otherwise pass for a general one.
        let lost = is_inline && anchor.is_none();
        Some(Self {
            id,
            parent: wire.parent.and_then(|it| it.id?.id()).map(CommentId),
            author: wire.user.map(user),
            raw,
            mentions,
            created_on: time(wire.created_on.as_deref()),
            updated_on: time(wire.updated_on.as_deref()),
            deleted,
            pending: wire.pending.unwrap_or(false),
            anchor,
            resolution: wire.resolution.map(resolution),
            html_url: html.and_then(|link| link.href),
            unreadable: flawed || no_text || lost,
        })
    }

    fn id(&self) -> Option<Id> {
        Some(Id::Number(self.id.0))
    }

    fn is_unreadable(&self, _: bool) -> bool {
        self.unreadable
    }
}

impl Readable for Task {
    type Wire = wire::Task;

    fn from_wire(wire: wire::Task, _: bool) -> Option<Self> {
        Some(Self {
            id: TaskId(wire.id?.id()?),
            comment: wire.comment.and_then(|it| it.id?.id()).map(CommentId),
            raw: wire.content.and_then(|it| it.raw).unwrap_or_default(),
            creator: wire.creator.map(user),
            resolved: wire.state.as_deref() == Some("RESOLVED"),
            created_on: time(wire.created_on.as_deref()),
        })
    }

    fn id(&self) -> Option<Id> {
        Some(Id::Number(self.id.0))
    }
}

impl Readable for BuildStatus {
    type Wire = wire::BuildStatus;

    fn from_wire(wire: wire::BuildStatus, _: bool) -> Option<Self> {
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        let (key, name) = (filled(wire.key), filled(wire.name));
        let key = key.or_else(|| name.clone()).or_else(|| wire.url.clone())?;
        Some(Self {
            name: name.unwrap_or_else(|| key.clone()),
            key,
            state: match wire.state.as_deref() {
                Some("SUCCESSFUL") => BuildState::Successful,
                Some("FAILED") => BuildState::Failed,
                Some("INPROGRESS") => BuildState::InProgress,
                Some("STOPPED") => BuildState::Stopped,
                _ => BuildState::Unknown,
            },
            url: filled(wire.url),
            description: filled(wire.description),
            updated_on: time(wire.updated_on.or(wire.created_on).as_deref()),
        })
    }

    fn id(&self) -> Option<Id> {
        // Keys are unique within a commit only.
        let url = self.url.as_deref().unwrap_or_default();
        Some(Id::Text(format!("{}\n{url}\n{:?}", self.key, self.updated_on)))
    }
}

impl Readable for User {
    type Wire = wire::User;

    fn from_wire(wire: wire::User, _: bool) -> Option<Self> {
        let user = user(wire);
        let is_known = user.uuid.is_some() || user.account_id.is_some() || !user.display_name.is_empty();
        is_known.then_some(user)
    }

    fn id(&self) -> Option<Id> {
        self.uuid.as_ref().or(self.account_id.as_ref()).cloned().map(Id::Text)
    }
}

/// A user as a member of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member(pub(crate) User);

impl Readable for Member {
    type Wire = wire::Member;

    fn from_wire(wire: wire::Member, flawed: bool) -> Option<Self> {
        User::from_wire(wire.user?, flawed).map(Self)
    }

    fn id(&self) -> Option<Id> {
        self.0.id()
    }
}

/// `{}` too means resolved.
impl Readable for Resolution {
    type Wire = wire::Resolution;

    fn from_wire(wire: wire::Resolution, _: bool) -> Option<Self> {
        Some(resolution(wire))
    }

    fn id(&self) -> Option<Id> {
        None
    }
}

impl Readable for Participant {
    type Wire = wire::Participant;

    fn from_wire(wire: wire::Participant, _: bool) -> Option<Self> {
        Some(participant(wire))
    }

    fn id(&self) -> Option<Id> {
        self.user.as_ref().and_then(Readable::id)
    }
}

impl Readable for CommitHash {
    type Wire = wire::Commit;

    fn from_wire(wire: wire::Commit, _: bool) -> Option<Self> {
        Self::parse(&wire.hash?)
    }

    fn id(&self) -> Option<Id> {
        Some(Id::Text(self.as_str().to_owned()))
    }
}

fn state(text: Option<&str>) -> PullRequestState {
    match text {
        Some("OPEN") => PullRequestState::Open,
        Some("MERGED") => PullRequestState::Merged,
        Some("DECLINED") => PullRequestState::Declined,
        Some("SUPERSEDED") => PullRequestState::Superseded,
        _ => PullRequestState::Unknown,
    }
}

fn user(wire: wire::User) -> User {
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let name = filled(wire.display_name).or_else(|| filled(wire.nickname.clone())).or(wire.username);
    User {
        uuid: filled(wire.uuid),
        account_id: filled(wire.account_id),
        display_name: name.unwrap_or_default(),
        nickname: filled(wire.nickname),
    }
}

fn end(wire: Option<wire::Endpoint>) -> End {
    let wire = wire.unwrap_or_default();
    let full_name = wire.repository.and_then(|it| it.full_name);
    End {
        branch: wire.branch.and_then(|it| it.name),
        commit: wire.commit.and_then(|it| CommitHash::parse(&it.hash?)),
        repository: full_name.and_then(|name| RepositoryName::parse(&name)),
    }
}

fn participant(wire: wire::Participant) -> Participant {
    Participant {
        user: wire.user.map(user),
        role: match wire.role.as_deref() {
            Some("REVIEWER") => Role::Reviewer,
            _ => Role::Participant,
        },
        vote: match (wire.state.as_deref(), wire.approved) {
            (Some("approved"), _) | (None, Some(true)) => Some(Vote::Approved),
            (Some("changes_requested"), _) => Some(Vote::ChangesRequested),
            _ => None,
        },
    }
}

/// The participants, and the reviewers that are not among them.
fn participants(
    participants: Option<Vec<wire::Participant>>,
    reviewers: Option<Vec<wire::User>>,
) -> Vec<Participant> {
    let mut all: Vec<Participant> = participants.unwrap_or_default().into_iter().map(participant).collect();
    for reviewer in reviewers.unwrap_or_default().into_iter().map(user) {
        let known = all.iter_mut().find(|it| it.user.as_ref().is_some_and(|user| user.is(&reviewer)));
        match known {
            Some(known) => known.role = Role::Reviewer,
            None => all.push(Participant { user: Some(reviewer), role: Role::Reviewer, vote: None }),
        }
    }
    all
}

fn resolution(wire: wire::Resolution) -> Resolution {
    Resolution { user: wire.user.map(user), on: time(wire.created_on.as_deref()) }
}

fn html_url(links: Option<wire::Links>) -> Option<String> {
    links?.html?.href
}

/// Seconds since 1970. Bitbucket writes offsets with a colon; other forms have been seen elsewhere.
fn time(text: Option<&str>) -> Option<Timestamp> {
    let text = text?.trim();
    let whole = text.parse::<jiff::Timestamp>().ok();
    // No offset at all: UTC, as everywhere in this API.
    let without_offset = || {
        let local = text.parse::<jiff::civil::DateTime>().ok()?;
        local.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    };
    whole.or_else(without_offset).map(|time| Timestamp(time.as_second()))
}

#[cfg(test)]
mod tests {
    use pull_request::model::{LineRange, Side, Spot};

    use super::*;
    use crate::cloud::read;

    fn comment(json: &str) -> Comment {
        read(json.as_bytes()).unwrap().value
    }

    #[test]
    fn resolution_in_its_four_forms() {
        let resolved =
            |member: &str| comment(&format!(r#"{{"id":1,"content":{{"raw":"x"}}{member}}}"#)).resolution;
        assert_eq!(resolved(""), None);
        assert_eq!(resolved(r#","resolution":null"#), None);
        assert_eq!(resolved(r#","resolution":{}"#), Some(Resolution::default()));
        let full = resolved(
            r#","resolution":{"type":"comment_resolution","user":{"uuid":"{u}"},"created_on":"1970-01-01T00:01:00+00:00"}"#,
        );
        let full = full.unwrap();
        assert_eq!((full.user.unwrap().uuid.as_deref(), full.on), (Some("{u}"), Some(Timestamp(60))));
    }

    #[test]
    fn a_damaged_comment_keeps_what_is_good() {
        let json =
            r#"{"id":9,"content":{"raw":7},"inline":{"path":"a","to":5},"user":{"display_name":"Ana"}}"#;
        let comment = comment(json);
        assert!(comment.unreadable);
        assert_eq!(comment.id, CommentId(9));
        assert_eq!(comment.author.unwrap().display_name, "Ana");
        assert_eq!(comment.anchor.unwrap().spot, Spot::Lines(Side::To, LineRange::line(4)));
        for placeholder in
            [r#"{"id":9}"#, r#"{"id":9,"inline":{"to":5},"content":{"raw":"x"}}"#, r#"{"id":9"#]
        {
            assert!(read::<Comment>(placeholder.as_bytes()).unwrap().value.unreadable, "{placeholder}");
        }
        for nothing in
            [r#"{"content":{"raw":"x"}}"#, r#"{"id":-1}"#, r#"{"id":18446744073709551616}"#, "[]", "7"]
        {
            assert_eq!(read::<Comment>(nothing.as_bytes()), None, "{nothing}");
        }
        let largest = read::<Comment>(br#"{"id":18446744073709551615}"#).unwrap().value;
        assert_eq!(largest.id, CommentId(u64::MAX));
        let deleted = read::<Comment>(br#"{"id":9,"deleted":true}"#).unwrap().value;
        assert!(deleted.deleted && !deleted.unreadable);
    }

    #[test]
    fn times_in_odd_forms() {
        let seconds = |text: &str| time(Some(text)).map(|time| time.0);
        for text in [
            "2019-06-11T21:00:24.444899+00:00",
            "2019-06-11T21:00:24Z",
            "2019-06-11T21:00:24.9z",
            "2019-06-11T23:00:24+02:00",
            "2019-06-11T23:00:24+0200",
            "2019-06-12T02:45:24+05:45",
            "2019-06-11T12:30:24-08:30",
            "2019-06-11 21:00:24+00:00",
            "2019-06-11T21:00:24",
            " 2019-06-11T21:00:24Z ",
        ] {
            assert_eq!(seconds(text), Some(1_560_286_824), "{text}");
        }
        for text in ["", "yesterday", "2019-13-01T00:00:00Z", "1560286824", "9999-99-99"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn a_pull_request_with_gaps() {
        let json = r#"{"id":3,"title":"T","summary":{"raw":"S"},"state":"QUEUED","author":null,
            "source":{"branch":{"name":"f"},"commit":{"hash":"298e9b999046"},"repository":null},
            "destination":{"branch":{"name":"main"},"commit":null,"repository":{"full_name":"team/app"}},
            "participants":[{"user":null,"role":"REVIEWER","approved":true,"state":"approved"},
                {"user":{"uuid":"{b}"},"role":"PARTICIPANT","approved":false,"state":"changes_requested"},
                {"user":{"uuid":"{c}"},"role":"PARTICIPANT","approved":true}],
            "reviewers":[{"uuid":"{c}"},{"uuid":"{d}"}],"comment_count":-1,"task_count":2}"#;
        let request: PullRequest = read(json.as_bytes()).unwrap().value;
        assert_eq!((request.title.as_str(), request.description.as_str()), ("T", "S"));
        assert_eq!(request.state, PullRequestState::Unknown);
        assert_eq!(request.source.commit, CommitHash::parse("298e9b999046"));
        assert_eq!((request.source.repository, request.destination.commit), (None, None));
        assert_eq!(request.destination.repository, RepositoryName::new("team", "app"));
        let seen: Vec<_> = request.participants.iter().map(|it| (it.role, it.vote)).collect();
        assert_eq!(
            seen,
            [
                (Role::Reviewer, Some(Vote::Approved)),
                (Role::Participant, Some(Vote::ChangesRequested)),
                (Role::Reviewer, Some(Vote::Approved)),
                (Role::Reviewer, None),
            ]
        );
        assert_eq!((request.comment_count, request.task_count), (Some(0), Some(2)));
    }

    #[test]
    fn a_build_without_a_name_has_its_key() {
        let status = |json: &str| read::<BuildStatus>(json.as_bytes()).map(|read| read.value);
        let build = status(r#"{"key":"ci","name":"","state":"NEW","url":"","description":null}"#).unwrap();
        assert_eq!((build.name.as_str(), build.state, build.url), ("ci", BuildState::Unknown, None));
        assert_eq!(status("{}"), None);
    }

    #[test]
    fn people_without_a_name_have_their_nickname() {
        let name = |json: &str| read::<User>(json.as_bytes()).map(|read| read.value.display_name);
        assert_eq!(name(r#"{"display_name":"","nickname":"ana"}"#).as_deref(), Some("ana"));
        assert_eq!(name(r#"{"username":"team"}"#).as_deref(), Some("team"));
        assert_eq!(name(r#"{"uuid":"{u}"}"#).as_deref(), Some(""));
        assert_eq!(name("{}"), None);
    }
}
