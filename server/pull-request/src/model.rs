//! A pull request under discussion, as plain data in Bitbucket's words.
//!
//! Everything here is public data without behaviour beyond comparing and parsing.
//! It must not know how it came here (REST, JSON) nor where it is shown (LSP, Markdown).
//! Lines are 0-based in this crate; Bitbucket's 1-based lines end at the REST edge.

use std::fmt;

/// Seconds since the Unix epoch, UTC. The core has no clock: "now" is always handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// The number of a pull request within its repository (`id` in the API).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PullRequestId(pub u64);

/// The id of a comment, unique within Bitbucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommentId(pub u64);

/// The id of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub u64);

impl CommentId {
    /// How many ids at the top of the range are ours, for comments that have none from Bitbucket yet.
    const LOCAL: u64 = u64::MAX - u32::MAX as u64;

    /// The id of a comment that is still on its way to Bitbucket: the `n`th of this session.
    pub fn local(n: u32) -> Self {
        Self(Self::LOCAL + u64::from(n))
    }

    /// Whether Bitbucket knows no such comment, since it is still on its way there.
    pub fn is_local(self) -> bool {
        self.0 >= Self::LOCAL
    }
}

impl fmt::Display for PullRequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// A commit hash, whole or abbreviated: 7 to 64 lower-case hex digits.
///
/// Bitbucket abbreviates to 12 digits in pull requests and links, so two hashes are compared with
/// [`CommitHash::matches`], never with `==` across sources.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitHash(String);

impl CommitHash {
    /// Takes 7 to 64 hex digits, in either case; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| Self(text.to_ascii_lowercase()))
    }

    /// The hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 digits, as Bitbucket abbreviates.
    pub fn short(&self) -> &str {
        &self.0[..self.0.len().min(12)]
    }

    /// Whether one is an abbreviation of the other.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0) || other.0.starts_with(&self.0)
    }
}

impl fmt::Display for CommitHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `workspace/slug`, both checked: what may stand in an API path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName {
    workspace: String,
    slug: String,
}

impl RepositoryName {
    /// Takes slugs of `[A-Za-z0-9_.-]`, at most 128 long, neither `.` nor `..`, not starting with `-`; `None` otherwise.
    pub fn new(workspace: &str, slug: &str) -> Option<Self> {
        (is_slug(workspace) && is_slug(slug)).then(|| Self { workspace: workspace.into(), slug: slug.into() })
    }

    /// Takes `workspace/slug`.
    pub fn parse(full_name: &str) -> Option<Self> {
        let (workspace, slug) = full_name.split_once('/')?;
        Self::new(workspace, slug)
    }

    /// The workspace's slug.
    pub fn workspace(&self) -> &str {
        &self.workspace
    }

    /// The repository's slug.
    pub fn slug(&self) -> &str {
        &self.slug
    }

    /// Bitbucket compares slugs without case.
    pub fn same_as(&self, other: &Self) -> bool {
        self.workspace.eq_ignore_ascii_case(&other.workspace) && self.slug.eq_ignore_ascii_case(&other.slug)
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.workspace, self.slug)
    }
}

fn is_slug(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=128).contains(&text.len())
        && text.bytes().all(plain)
        && !text.starts_with('-')
        && text != "."
        && text != ".."
}

/// A person or a bot on Bitbucket. `nickname` and names are not unique; `uuid` and `account_id` are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct User {
    /// With braces, as Bitbucket writes it.
    pub uuid: Option<String>,
    /// The Atlassian account id, as in mentions `@{account_id}`.
    pub account_id: Option<String>,
    /// What is shown; chosen by the user, so hostile until made safe.
    pub display_name: String,
    /// The nickname.
    pub nickname: Option<String>,
}

impl User {
    /// Whether both are the same account; two users without ids are never the same.
    pub fn is(&self, other: &Self) -> bool {
        let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        same(&self.uuid, &other.uuid) || same(&self.account_id, &other.account_id)
    }
}

/// `state` of a pull request. A draft is open with [`PullRequest::draft`] set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PullRequestState {
    /// `OPEN`
    Open,
    /// `MERGED`
    Merged,
    /// `DECLINED`
    Declined,
    /// `SUPERSEDED`
    Superseded,
    /// A state that this version does not know.
    Unknown,
}

/// One end of a pull request: `source` or `destination`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct End {
    /// Branch name; `None` if Bitbucket did not say.
    pub branch: Option<String>,
    /// Usually 12 digits.
    pub commit: Option<CommitHash>,
    /// `None` where the fork was deleted or is not visible to the user.
    pub repository: Option<RepositoryName>,
}

/// `role` of a participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Asked to review.
    Reviewer,
    /// Took part.
    Participant,
}

/// A participant's vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Vote {
    /// `approved`
    Approved,
    /// `changes_requested`
    ChangesRequested,
}

/// A user on a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// Who; `None` for a deleted account.
    pub user: Option<User>,
    /// Role.
    pub role: Role,
    /// Vote, if any.
    pub vote: Option<Vote>,
}

/// A pull request as the list and the single request give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// Number.
    pub id: PullRequestId,
    /// Title, as typed.
    pub title: String,
    /// Description, raw Markdown.
    pub description: String,
    /// State.
    pub state: PullRequestState,
    /// Still a draft.
    pub draft: bool,
    /// `None` for a deleted account.
    pub author: Option<User>,
    /// Where the changes come from.
    pub source: End,
    /// Where they go.
    pub destination: End,
    /// Reviewers and others; empty where the answer left them out.
    pub participants: Vec<Participant>,
    /// Bitbucket's count of comments; may leave out deleted ones.
    pub comment_count: Option<u32>,
    /// Bitbucket's count of tasks.
    pub task_count: Option<u32>,
    /// Creation.
    pub created_on: Option<Timestamp>,
    /// Last update; not touched by a comment's deletion.
    pub updated_on: Option<Timestamp>,
    /// The page on the web.
    pub html_url: Option<String>,
}

/// The side of a diff: `from` is the old file, `to` the new one. Never a range's start or end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The old file, at the merge base.
    From,
    /// The new file, at the source's head when the comment was written.
    To,
}

/// Whole lines, 0-based, both ends included; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineRange {
    /// First line.
    pub first: u32,
    /// Last line, `>= first`.
    pub last: u32,
}

impl LineRange {
    /// From two lines in either order.
    pub fn new(one: u32, other: u32) -> Self {
        Self { first: one.min(other), last: one.max(other) }
    }

    /// A single line.
    pub fn line(line: u32) -> Self {
        Self { first: line, last: line }
    }
}

/// What a comment that is still to be written is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The pull request as a whole.
    PullRequest,
    /// A comment that it answers.
    Comment(CommentId),
    /// A file, or lines of it.
    Code {
        /// Path in the repository with `/`, as the pull request's head has it.
        path: String,
        /// Lines of the head ([`Side::To`]) or of the merge base ([`Side::From`]), or the whole file.
        spot: Spot,
    },
}

/// Where in a file Bitbucket put a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spot {
    /// Lines of one side, 0-based.
    Lines(Side, LineRange),
    /// The file as a whole.
    File,
}

/// Where Bitbucket says that a comment is (`inline`), and on which commits it was written (`links.code`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Path in the repository with `/`, as Bitbucket sent it: hostile until checked against the work tree.
    pub path: String,
    /// Lines, or the whole file.
    pub spot: Spot,
    /// Head of the source when it was written: the text of [`Side::To`]. `None` if Bitbucket did not say.
    pub source_commit: Option<CommitHash>,
    /// Head of the destination when it was written; [`Side::From`] is the file at the merge base of the two.
    pub destination_commit: Option<CommitHash>,
    /// `inline.outdated`, where an answer carries it.
    pub outdated: Option<bool>,
}

/// Who resolved a thread and when; Bitbucket may leave out both (`resolution: {}`).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Resolution {
    /// Who.
    pub user: Option<User>,
    /// When.
    pub on: Option<Timestamp>,
}

/// One message of a discussion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Id.
    pub id: CommentId,
    /// What it answers.
    pub parent: Option<CommentId>,
    /// `None` for a deleted account.
    pub author: Option<User>,
    /// Raw Markdown as typed; empty when deleted. Hostile until made safe.
    pub raw: String,
    /// Names for the mentions in `raw`: (account id, display name), where the answer told them.
    pub mentions: Vec<(String, String)>,
    /// Creation.
    pub created_on: Option<Timestamp>,
    /// Last edit.
    pub updated_on: Option<Timestamp>,
    /// Deleted comments stay in lists while replies live.
    pub deleted: bool,
    /// Written but not yet published by its author.
    pub pending: bool,
    /// `None` for a general comment.
    pub anchor: Option<Anchor>,
    /// Set on resolved threads' roots.
    pub resolution: Option<Resolution>,
    /// The page on the web.
    pub html_url: Option<String>,
    /// What Bitbucket sent could not be read in full; this is a placeholder for it.
    pub unreadable: bool,
}

/// A checklist item of a pull request or of a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Id.
    pub id: TaskId,
    /// The comment that it hangs on, if any.
    pub comment: Option<CommentId>,
    /// Raw Markdown. Hostile until made safe.
    pub raw: String,
    /// Who made it.
    pub creator: Option<User>,
    /// `RESOLVED`.
    pub resolved: bool,
    /// Creation.
    pub created_on: Option<Timestamp>,
}

/// `state` of a build status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BuildState {
    /// `SUCCESSFUL`
    Successful,
    /// `FAILED`
    Failed,
    /// `INPROGRESS`
    InProgress,
    /// `STOPPED`
    Stopped,
    /// A state that this version does not know.
    Unknown,
}

/// A build status of the source's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildStatus {
    /// The key that tells builds of one commit apart.
    pub key: String,
    /// The name shown; falls back to the key.
    pub name: String,
    /// State.
    pub state: BuildState,
    /// The build's page; chosen by whoever reported it.
    pub url: Option<String>,
    /// One line about it.
    pub description: Option<String>,
    /// When it was reported last.
    pub updated_on: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_compare_by_prefix() {
        let short = CommitHash::parse("298E9b999046").unwrap();
        let long = CommitHash::parse("298e9b99904612345678901234567890abcdef12").unwrap();
        assert!(short.matches(&long) && long.matches(&short));
        assert!(!short.matches(&CommitHash::parse("298e9b999047").unwrap()));
        assert_eq!(CommitHash::parse("298e9b"), None);
        assert_eq!(CommitHash::parse("main-branch"), None);
    }

    #[test]
    fn only_slugs_make_a_repository_name() {
        assert!(RepositoryName::parse("team/repo.name_1").is_some());
        for hostile in
            ["team", "team/../x", "team/..", "a/b/c", "/repo", "team/", "te am/repo", "team/-x", "t%/r"]
        {
            assert_eq!(RepositoryName::parse(hostile), None, "{hostile}");
        }
    }

    #[test]
    fn users_without_ids_are_strangers() {
        let nobody = User { display_name: "Ana".into(), ..User::default() };
        assert!(!nobody.is(&nobody.clone()));
    }
}
