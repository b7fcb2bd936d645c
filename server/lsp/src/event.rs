//! Everything that can happen: the closed enum that goes into the session.
//!
//! Events come from the editor (translated by `frontend`) and from the worker (outcomes of effects).
//! They carry plain data: no LSP types, no handles.

use crate::answer::{Action, Completion, HoverAnswer, Inlay, Lens, Link};
use crate::protocol::{Call, Command, Target};
use crate::writing::{About, Anchored, Change as Wish, Changed, DraftFile, DraftName, Sent, WriteId};
use pull_request::model::{
    BuildStatus, Comment, CommentId, PullRequest, PullRequestId, RepositoryName, Task, TaskId, Timestamp,
    User,
};
use pull_request::place::Placed;
use pull_request::text::{Encoding, Position};
use pull_request::view::document::Symbol;
use serde_json::Value;
use std::path::PathBuf;
use tokio::sync::oneshot;

/// Where an answer goes; the editor may have given up waiting, so sending may fail and that is fine.
pub type Reply<T> = oneshot::Sender<T>;

/// A repository that the session knows, by a number of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryId(pub u32);

/// What the client said that it can do (LSP `initialize`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientProfile {
    /// Negotiated position encoding.
    pub encoding: Encoding,
    /// `workspace.configuration`
    pub configuration: bool,
    /// `workspace.didChangeConfiguration.dynamicRegistration`
    pub settings_registration: bool,
    /// `textDocument.hover.contentFormat` has Markdown, or says nothing.
    pub markdown: bool,
    /// `workspace.codeLens.refreshSupport`
    pub lens_refresh: bool,
    /// `workspace.inlayHint.refreshSupport`
    pub inlay_refresh: bool,
    /// `window.workDoneProgress`
    pub progress: bool,
    /// `window.showDocument.support`
    pub show_document: bool,
    /// `workspace.applyEdit`
    pub apply_edit: bool,
    /// `initializationOptions.draftClosed`: a wrapper that closes drafts that are gone.
    pub draft_closed: bool,
}

impl Default for ClientProfile {
    fn default() -> Self {
        Self {
            encoding: Encoding::Utf16,
            configuration: false,
            settings_registration: false,
            markdown: true,
            lens_refresh: false,
            inlay_refresh: false,
            progress: false,
            show_document: false,
            apply_edit: false,
            draft_closed: false,
        }
    }
}

/// One change of a document (LSP `TextDocumentContentChangeEvent`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `None` replaces the whole text.
    pub range: Option<(Position, Position)>,
    /// The new text.
    pub text: String,
}

/// What a timer is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// Look whether git, or a commented file on disk, changed.
    Watch,
    /// Ask Bitbucket whether the pull request changed; the number tells a newer clock from an older one.
    Poll(RepositoryId, u64),
    /// Typing in a document has paused since this version of it.
    TypingPaused(String, i32),
    /// A refresh has taken half a second.
    StillBusy(RepositoryId, u64),
    /// Threads could not be placed, because a document was edited meanwhile; the number is that of the placing.
    PlaceAgain(RepositoryId, u64),
    /// Typing in a draft has paused since this version of it.
    DraftPaused(String, i32),
}

/// A remote that was tried, and why it won or lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteVerdict {
    /// git's name of it.
    pub name: String,
    /// Without user info.
    pub url: String,
    /// The URL as written, where `url.*.insteadOf` changed it.
    pub written: Option<String>,
    /// The user name in the URL, which says which account is meant.
    pub user: Option<String>,
    /// The repository on Bitbucket, or why it is none.
    pub repository: Result<RepositoryName, String>,
}

/// What is checked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckedOut {
    /// A branch.
    Branch {
        /// The local name.
        local: String,
        /// Its name on the remote, which may differ.
        remote: String,
        /// The repository that it is pushed to, if that is a Bitbucket repository.
        pushed_to: Option<RepositoryName>,
    },
    /// A commit, with the names of the branches on remotes whose tips contain it.
    Detached {
        /// Branch names without the remote.
        branches: Vec<String>,
    },
    /// A branch without a commit yet.
    Unborn {
        /// Its name.
        local: String,
    },
}

/// Who asks Bitbucket for a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Tells accounts apart.
    pub id: String,
    /// The name to show; hostile until made safe.
    pub name: String,
    /// Why this account, as the end of a sentence.
    pub reason: String,
    /// Who it is, where that is known without asking.
    pub me: Option<User>,
    /// How somebody signs in with it again, once its login has ended.
    pub way: LoginWay,
}

/// How an account signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginWay {
    /// By OAuth, in the browser.
    OAuth,
    /// By a token that a person brings.
    Token,
    /// By variables of the environment.
    Environment,
}

/// A sign-in under way; a later one has a higher number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignInId(pub u64);

/// What it takes to sign in where there is no OAuth consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToRegister {
    /// The callback URL to register.
    pub callback_url: String,
    /// The scopes to tick.
    pub scopes: Vec<&'static str>,
    /// The scopes of an API token.
    pub token_scopes: Vec<&'static str>,
}

/// What a sign-in has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInStep {
    /// The browser is to show this page.
    Waiting {
        /// The page.
        page: String,
        /// What the address that the browser ends at begins with, where it can be pasted.
        redirect: Option<String>,
    },
    /// What was pasted is of no use, in a sentence; the sign-in goes on.
    NotTaken(String),
    /// Somebody is signed in; a sentence says who.
    Done(String),
    /// There is no OAuth consumer to sign in with.
    NoConsumer(ToRegister),
    /// The user gave it up.
    Cancelled,
    /// It failed, in a sentence.
    Failed(String),
}

/// A question with choices, and what it takes to act on the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Which pull request of the branch: the number of each choice.
    PullRequest(RepositoryId, Vec<PullRequestId>),
    /// Whether to sign in again, and how.
    SignInAgain(LoginWay),
    /// How to sign in where there is no OAuth consumer: by a token.
    AddToken,
    /// Whom to sign out: the id of each choice.
    SignOut(Vec<String>),
    /// Which account to use: the id of each choice, for a repository's workspace or as the default.
    SwitchAccount(Vec<String>, Option<RepositoryId>),
    /// Whether to make this change, which cannot be taken back.
    Change(RepositoryId, Wish),
    /// Which task: what is to be done, and the id of each choice.
    Task(Command, Box<Target>, Vec<TaskId>),
    /// Bitbucket may have this draft, as it was at that time: send it again, count it as sent, or leave it.
    Unknown(DraftName, Timestamp),
    /// New commits changed the lines of this draft: whether to send it as it is about now.
    Moved(DraftName, Box<About>),
    /// A suggestion of this thread was applied: whether to answer and to resolve.
    Applied(CommentId),
}

/// What discovery learned of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// The work tree.
    pub root: PathBuf,
    /// Every remote, best first.
    pub remotes: Vec<RemoteVerdict>,
    /// The repositories to look for pull requests in, best first, each once.
    pub candidates: Vec<RepositoryName>,
    /// What is checked out.
    pub checked_out: CheckedOut,
    /// The commit of HEAD, 40 digits.
    pub head: Option<String>,
    /// Sentences for the status: reduced trust, shallow, and the like.
    pub remarks: Vec<String>,
    /// Whether a network may be used for it (a repository owned by somebody else: no).
    pub trusted: bool,
    /// git's setting `bitbucket.account`.
    pub account: Option<String>,
    /// Who asks Bitbucket for it, or a sentence about why nobody does.
    pub login: Result<Login, String>,
}

/// What kind of trouble a problem is: what the session does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No credentials.
    SignedOut,
    /// Credentials refused, or lacking a scope: asking again does not help until the user did something.
    Refused,
    /// The login has ended: only signing in again helps.
    NeedsLogin,
    /// The token cannot be had now: a locked keyring, mostly. It is tried again.
    NoToken,
    /// Not there, or not visible to this user.
    NotFound,
    /// Bitbucket cannot be reached, or cannot answer now: what is shown stays, and it is tried again.
    Unreachable,
    /// Anything else.
    Other,
}

impl Trouble {
    /// Whether another account, or the same signed in again, may end it.
    pub fn is_of_account(self) -> bool {
        match self {
            Self::SignedOut | Self::Refused | Self::NeedsLogin | Self::NoToken | Self::NotFound => true,
            Self::Unreachable | Self::Other => false,
        }
    }

    /// Whether it is no use to ask again before the user did something.
    pub fn waits_for_user(self) -> bool {
        matches!(self, Self::SignedOut | Self::Refused | Self::NeedsLogin)
    }
}

/// A failed effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The kind.
    pub trouble: Trouble,
    /// One sentence: what happened and what to do next.
    pub sentence: String,
    /// Do not ask again before that many seconds.
    pub retry_after: Option<u64>,
}

/// What a probe compares, and a loaded pull request too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// Last update.
    pub updated_on: Option<Timestamp>,
    /// Bitbucket's count.
    pub comment_count: Option<u32>,
    /// Bitbucket's count.
    pub task_count: Option<u32>,
    /// Source and destination heads.
    pub commits: (Option<String>, Option<String>),
    /// Still open.
    pub open: bool,
}

/// The pull requests of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where they were found (the destination), newest first.
    pub pull_requests: Vec<(RepositoryName, PullRequest)>,
    /// Merged or declined ones of the branch, newest first, where none is open; `None`: not asked for.
    pub ended: Option<Vec<PullRequest>>,
    /// How it was searched, for the status.
    pub explanation: Vec<String>,
}

/// Everything about one pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The pull request.
    pub pull_request: PullRequest,
    /// All comments.
    pub comments: Vec<Comment>,
    /// All tasks.
    pub tasks: Vec<Task>,
    /// Builds; empty where they are switched off.
    pub statuses: Vec<BuildStatus>,
    /// Objects that could not be read.
    pub unreadable: u32,
    /// Sentences about what is missing: a cap, a page that failed.
    pub incomplete: Vec<String>,
    /// When.
    pub at: Timestamp,
}

/// Where a thread's code is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Path in the work tree, with `/`; after renames.
    pub path: String,
    /// Placement in LSP lines.
    pub placed: Placed,
    /// Its file was renamed since: the path as Bitbucket says it.
    pub renamed_from: Option<String>,
    /// Why it could not be placed better, for the log and the status.
    pub remark: Option<String>,
}

/// A document's place in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Which repository.
    pub repository: RepositoryId,
    /// Path in the work tree, with `/`.
    pub path: String,
    /// Not in the commit of HEAD.
    pub is_new: bool,
}

/// What can be named in a text: what could not be read is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// The members of the workspace; `None` where the account may not see them.
    pub members: Option<Vec<User>>,
    /// The open pull requests: number and title.
    pub pull_requests: Vec<(PullRequestId, String)>,
}

/// What actions are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selected {
    /// First line.
    pub first: u32,
    /// Last line.
    pub last: u32,
    /// Something is selected, or the user opened the menu: not only a cursor that rests on a line.
    pub asked: bool,
}

/// Everything that can happen.
#[derive(Debug)]
pub enum Event {
    /// LSP `initialized`: what the client can do, its folders, and `initializationOptions`.
    Started(ClientProfile, Vec<PathBuf>, Value),
    /// Folders added and removed.
    Folders(Vec<PathBuf>, Vec<PathBuf>),
    /// Settings, from a pull or a push.
    Settings(Value),
    /// `workspace/didChangeConfiguration` without settings in it: to be pulled.
    SettingsChanged,
    /// LSP `didOpen`; `path` for file URIs.
    Opened {
        /// The client's URI.
        uri: String,
        /// The file, for `file:` URIs.
        path: Option<PathBuf>,
        /// Version.
        version: i32,
        /// Text.
        text: String,
    },
    /// LSP `didChange`.
    Changed(String, i32, Vec<Change>),
    /// LSP `didSave`.
    Saved(String),
    /// LSP `didClose`.
    Closed(String),
    /// LSP `hover`.
    Hover(String, Position, Reply<Option<HoverAnswer>>),
    /// LSP `codeLens`.
    Lenses(String, Reply<Vec<Lens>>),
    /// LSP `codeAction`: the range, and whether the user asked for it.
    Actions(String, Selected, Reply<Vec<Action>>),
    /// LSP `completion`.
    Complete(String, Position, Reply<Vec<Completion>>),
    /// LSP `inlayHint`: first and last line of the range.
    Inlays(String, u32, u32, Reply<Vec<Inlay>>),
    /// LSP `documentSymbol`.
    Symbols(String, Reply<Vec<Symbol>>),
    /// LSP `documentLink`.
    Links(String, Reply<Vec<Link>>),
    /// LSP `executeCommand`.
    Command(Call, Reply<Value>),

    /// A folder or a file was looked at: the repository, or why there is none.
    Discovered(PathBuf, Result<(RepositoryId, Box<Discovery>), String>),
    /// Where a document belongs; `None`: to no repository.
    Belongs(String, Option<Location>),
    /// The user behind the account with this id, if it could be told.
    Identified(String, Result<User, Problem>),
    /// The accounts (id and name of each), and who asks for each repository: read anew because something changed.
    Accounts(Vec<(String, String)>, Vec<(RepositoryId, Result<Login, String>)>),
    /// A sign-in has something to say.
    SignIn(SignInId, SignInStep),
    /// The user gave a sign-in up by its progress.
    CancelSignIn(SignInId),
    /// Something was done to an account: a sentence, or why not.
    AccountChanged(Result<String, String>),
    /// The pull requests of the branch were looked for.
    Found(RepositoryId, u64, Result<Found, Problem>),
    /// A pull request was loaded.
    Loaded(RepositoryId, u64, Result<Box<Loaded>, Problem>),
    /// A probe came back.
    Probed(RepositoryId, u64, Result<Fresh, Problem>),
    /// Threads were placed, for these texts of the open documents: paths and revisions.
    Placed(RepositoryId, u64, Vec<(String, u64)>, Vec<(CommentId, Located)>),
    /// git changed in this repository.
    GitChanged(RepositoryId),
    /// These files of its work tree changed on disk.
    FilesChanged(RepositoryId, Vec<String>),
    /// The user answered a question by the number of a choice; `None`: closed it.
    Answered(Question, Option<usize>),
    /// A read-only document was written: its name, and the file.
    Written(String, PathBuf),
    /// The folder of drafts is not as it was: this server or another one changed it.
    DraftsMoved,
    /// All drafts, read anew.
    Drafts(Vec<DraftFile>),
    /// A draft was made, or not: a sentence.
    DraftMade(WriteId, Result<Box<DraftFile>, String>),
    /// A place for a new comment was found, or not: a sentence.
    Anchored(WriteId, Result<Box<Anchored>, String>),
    /// A text was sent, or not.
    Sent(WriteId, Box<Sent>),
    /// A change was made, or not.
    ChangeMade(WriteId, Changed),
    /// A draft was taken away; a sentence if not.
    Discarded(DraftName, Result<(), String>),
    /// The client took an edit, or not.
    EditTaken(WriteId, bool),
    /// The members of a workspace, and the open pull requests of a repository: for completion.
    Candidates(RepositoryName, Candidates),
    /// Sentences about the account and the request budget, for the status.
    Account(Vec<String>),
    /// A timer fired.
    Timer(Timer),
}
