//! Everything that the session can want done: the closed enum that comes out of it.
//!
//! The worker performs effects and sends their outcome back as events.
//! Effects carry plain data: no LSP types, no handles.

use crate::answer::{Diagnostic, LineEdit};
use crate::event::{CheckedOut, Question, RepositoryId, SignInId, Timer};
use crate::writing::{About, Anchoring, Change, DraftName, WriteId};
use pull_request::model::{Anchor, CommentId, End, PullRequestId, RepositoryName};
use pull_request::text::Text;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How a message is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// `window/showMessage`, Info.
    Info,
    /// `window/showMessage`, Warning.
    Warning,
    /// `window/logMessage` only.
    Log,
}

/// A thread to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToPlace {
    /// Its root comment.
    pub thread: CommentId,
    /// Where Bitbucket says it is.
    pub anchor: Anchor,
}

/// An open document's text.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Path in the work tree.
    pub path: String,
    /// Names this text among all texts of the session.
    pub revision: u64,
    /// Text.
    pub text: Text,
}

/// Everything that placing needs to know.
#[derive(Clone, Debug)]
pub struct Placing {
    /// Which repository.
    pub repository: RepositoryId,
    /// Tells this placing from older ones.
    pub generation: u64,
    /// The repository on Bitbucket, for texts that git lacks.
    pub name: RepositoryName,
    /// The source's end of the pull request.
    pub source: End,
    /// The destination's end.
    pub destination: End,
    /// HEAD.
    pub head: Option<String>,
    /// The threads.
    pub threads: Arc<Vec<ToPlace>>,
    /// Open documents of the repository.
    pub documents: Vec<Snapshot>,
    /// Whether texts may be fetched from Bitbucket.
    pub online: bool,
    /// Which texts that Bitbucket did not give before are asked for again.
    pub again: Again,
}

/// Which texts are asked for again; what was fetched once never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// None: somebody types.
    Never,
    /// Those for which Bitbucket could not be reached.
    Failed,
    /// Those too that Bitbucket said it has not: the user asked.
    All,
}

/// How to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// By OAuth.
    Browser,
    /// By a token that the user types into a page of ours; a repository that it may be for.
    Token(Option<RepositoryId>),
}

/// What progress is shown of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Work {
    /// Reading a repository's pull request.
    Repository(RepositoryId),
    /// Signing in, which can be cancelled.
    SignIn(SignInId),
}

/// Progress of work that takes longer than half a second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgressStep {
    /// Begins, with a title.
    Begin(String),
    /// Is over.
    End,
}

/// A text to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sending {
    /// Names it.
    pub id: WriteId,
    /// By which repository's account.
    pub repository: RepositoryId,
    /// What it is about.
    pub about: About,
    /// The draft that it is; `None`: it is to become one first.
    pub draft: Option<DraftName>,
    /// The draft's whole text.
    pub text: String,
    /// The user said that Bitbucket does not have it, after it was unknown.
    pub again: bool,
}

/// Everything that the session can want done.
#[derive(Debug)]
pub enum Effect {
    /// Pull the settings from the client.
    PullSettings,
    /// Register for `workspace/didChangeConfiguration`.
    RegisterForSettings,
    /// Find the repository of a folder; answers [`crate::event::Event::Discovered`].
    Discover {
        /// Folder or file.
        path: PathBuf,
        /// In force now.
        preferred_remotes: Vec<String>,
    },
    /// Find a document's repository and path; answers [`crate::event::Event::Belongs`], after a
    /// [`crate::event::Event::Discovered`] where the repository is new.
    Locate {
        /// The document.
        uri: String,
        /// Its file.
        path: PathBuf,
        /// In force now.
        preferred_remotes: Vec<String>,
    },
    /// Let go of a repository.
    Forget(RepositoryId),
    /// Compare git folders, and these files of the work trees, with the last look; answers
    /// [`crate::event::Event::GitChanged`] and [`crate::event::Event::FilesChanged`] for those that changed.
    Watch(Vec<(RepositoryId, String)>),
    /// Begin anew with the network, which may have come back: the user asks, so no rest after failures is kept.
    Reconnect,
    /// Who the account of a repository belongs to; answers [`crate::event::Event::Identified`].
    Identify(RepositoryId),
    /// Begin to sign in, and give up the one before; answers [`crate::event::Event::SignIn`].
    SignIn(SignInId, Way),
    /// The address that the browser ended at.
    PasteAddress(String),
    /// Give the sign-in up.
    CancelSignIn,
    /// Remove an account by its id; answers [`crate::event::Event::AccountChanged`].
    SignOut(String),
    /// Use an account by its id: for a repository's workspace, or as the default; answers
    /// [`crate::event::Event::AccountChanged`].
    UseAccount(String, Option<RepositoryId>),
    /// Describe account and budget; answers [`crate::event::Event::Account`].
    DescribeAccount,
    /// Look for the pull requests of what is checked out.
    Find {
        /// Which repository.
        repository: RepositoryId,
        /// Tells this search from older ones.
        generation: u64,
        /// Where to look, best first.
        candidates: Vec<RepositoryName>,
        /// What is checked out.
        checked_out: CheckedOut,
        /// The commit of HEAD.
        head: Option<String>,
        /// Where none is open, ask which one was the last: worth a request only now and then.
        explain: bool,
    },
    /// Load a pull request with all comments.
    Load {
        /// Which repository.
        repository: RepositoryId,
        /// Tells this load from older ones.
        generation: u64,
        /// On Bitbucket.
        name: RepositoryName,
        /// Which pull request.
        id: PullRequestId,
        /// A pull request just read by [`Effect::Find`] need not be read again.
        known: Option<Box<pull_request::model::PullRequest>>,
        /// Read builds too.
        builds: bool,
    },
    /// Ask only whether it changed.
    Probe {
        /// Which repository.
        repository: RepositoryId,
        /// Tells this probe from older ones.
        generation: u64,
        /// On Bitbucket.
        name: RepositoryName,
        /// Which pull request.
        id: PullRequestId,
    },
    /// Place threads.
    Place(Box<Placing>),
    /// `textDocument/publishDiagnostics`.
    Publish {
        /// The document; where it is not open: the file's URI is made from `path`.
        uri: Option<String>,
        /// The file.
        path: PathBuf,
        /// Version of an open document.
        version: Option<i32>,
        /// All of them.
        diagnostics: Vec<Diagnostic>,
    },
    /// `workspace/codeLens/refresh`.
    RefreshLenses,
    /// `workspace/inlayHint/refresh`.
    RefreshInlays,
    /// A message to the user or the log.
    Message(MessageKind, String),
    /// Write a read-only document into the cache and show it.
    ShowText {
        /// File name, below a folder for the repository.
        name: String,
        /// Markdown.
        text: String,
        /// 0-based line to show.
        line: Option<u32>,
        /// Show it; otherwise only write it anew.
        show: bool,
    },
    /// `window/showDocument` of a file, at a position.
    ShowFile {
        /// URI of the client's spelling, if it is open.
        uri: Option<String>,
        /// The file.
        path: PathBuf,
        /// 0-based.
        line: u32,
        /// Columns in the client's encoding.
        character: u32,
    },
    /// Read all drafts; answers [`crate::event::Event::Drafts`].
    ReadDrafts,
    /// Keep a new draft; answers [`crate::event::Event::DraftMade`].
    MakeDraft {
        /// Names the wish.
        id: WriteId,
        /// What it is about.
        about: Box<About>,
        /// The file's whole text.
        text: String,
    },
    /// Keep what is typed in a draft and not saved yet.
    KeepTyped(DraftName, String),
    /// Take a draft away; answers [`crate::event::Event::Discarded`].
    Discard(DraftName),
    /// Show a draft.
    OpenDraft {
        /// Which.
        name: DraftName,
        /// Bring its file up to what was typed last before: not under an editor that has it open.
        restore: bool,
        /// Where the cursor goes: line and columns in the client's encoding.
        at: (u32, u32),
    },
    /// Tell a wrapper that a draft's file is gone.
    DraftClosed(String),
    /// Find the place of a new comment; answers [`crate::event::Event::Anchored`].
    Anchor(Box<Anchoring>),
    /// Send a text, which is kept on disk before; answers [`crate::event::Event::Sent`].
    Send(Box<Sending>),
    /// Find out whether Bitbucket has a draft that may have been sent, without sending it; answers
    /// [`crate::event::Event::Sent`].
    Reconcile {
        /// Names it.
        id: WriteId,
        /// By which repository's account.
        repository: RepositoryId,
        /// Which draft.
        name: DraftName,
    },
    /// The user said that Bitbucket has this draft: count it as sent.
    CountAsSent(DraftName),
    /// Make a change; answers [`crate::event::Event::ChangeMade`].
    Change {
        /// Names it.
        id: WriteId,
        /// By which repository's account.
        repository: RepositoryId,
        /// On Bitbucket.
        name: RepositoryName,
        /// Which pull request.
        pull_request: PullRequestId,
        /// What.
        change: Change,
    },
    /// `workspace/applyEdit` of one document; answers [`crate::event::Event::EditTaken`].
    Edit {
        /// Names it.
        id: WriteId,
        /// The document, as the client spells it.
        uri: String,
        /// Its version.
        version: i32,
        /// Shown by clients that list edits.
        title: String,
        /// From the first line to the last.
        edits: Vec<LineEdit>,
    },
    /// Read what can be named in a text; answers [`crate::event::Event::Candidates`].
    ReadCandidates(RepositoryId, RepositoryName),
    /// Open a page in the browser: `window/showDocument` with `external`, else a message with the link.
    OpenPage(String),
    /// Ask the user; answers [`crate::event::Event::Answered`].
    Ask {
        /// What to do about the answer.
        question: Question,
        /// What is asked.
        text: String,
        /// The choices, which differ.
        choices: Vec<String>,
    },
    /// Whether the client has `window/showDocument`.
    CanShowDocuments(bool),
    /// `$/progress`, a token for each work.
    Progress(Work, ProgressStep),
    /// Send [`crate::event::Event::Timer`] after a while.
    After(Duration, Timer),
}
