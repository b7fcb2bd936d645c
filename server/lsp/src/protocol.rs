//! The commands of the server, typed in one place, with their arguments: one JSON object of ids.
//!
//! docs/COMMANDS.md is written from this file, and `tests/tidy` holds it to that.
//! It must not know what a command does.

use serde::{Deserialize, Serialize};

/// The argument object of every command; each command reads the members that it names in [`COMMANDS`].
///
/// A command without an argument finds its target itself: the pull request of the file that was looked at last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Target {
    /// The document of the cursor, as the client spells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// The cursor's line, 0-based.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// A thread, by the id of its first comment (or of any other comment in it).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
    /// A pull request, by its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<u64>,
    /// An account, by its id or one of its names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The address that the browser ended at when somebody signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The last line of a selection, 0-based, included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_line: Option<u32>,
    /// Which side of the diff is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<TargetSide>,
    /// A single comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<u64>,
    /// A task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<u64>,
    /// One of a comment's suggestions, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<u32>,
    /// A draft, by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<String>,
    /// What to write: the command acts at once, without a draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A side of a diff, as Bitbucket calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetSide {
    /// The lines that were removed there.
    From,
    /// The lines as they are.
    To,
}

impl Target {
    /// From a client's argument; `None` unless it is an object whose known members have their types.
    pub fn read(argument: &serde_json::Value) -> Option<Self> {
        argument.as_object()?;
        Self::deserialize(argument).ok()
    }
}

/// One command, as the documentation shows it.
#[derive(Clone, Copy, Debug)]
pub struct CommandSpec {
    /// Which one.
    pub command: Command,
    /// `workspace/executeCommand` id.
    pub id: &'static str,
    /// The title in menus and palettes.
    pub title: &'static str,
    /// The members of [`Target`] that it reads.
    pub reads: &'static [&'static str],
    /// What it does, in a sentence or two.
    pub about: &'static str,
}

/// Everything that a client can ask by `workspace/executeCommand`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// See [`COMMANDS`].
    ShowPullRequest,
    /// See [`COMMANDS`].
    ShowThread,
    /// See [`COMMANDS`].
    GoToThread,
    /// See [`COMMANDS`].
    NextComment,
    /// See [`COMMANDS`].
    PreviousComment,
    /// See [`COMMANDS`].
    ToggleComments,
    /// See [`COMMANDS`].
    Reply,
    /// See [`COMMANDS`].
    AddComment,
    /// See [`COMMANDS`].
    SuggestChange,
    /// See [`COMMANDS`].
    EditComment,
    /// See [`COMMANDS`].
    DeleteComment,
    /// See [`COMMANDS`].
    ResolveThread,
    /// See [`COMMANDS`].
    ReopenThread,
    /// See [`COMMANDS`].
    ResolveAndNext,
    /// See [`COMMANDS`].
    ApplySuggestion,
    /// See [`COMMANDS`].
    ApplyAllSuggestions,
    /// See [`COMMANDS`].
    AddTask,
    /// See [`COMMANDS`].
    CompleteTask,
    /// See [`COMMANDS`].
    ReopenTask,
    /// See [`COMMANDS`].
    EditTask,
    /// See [`COMMANDS`].
    DeleteTask,
    /// See [`COMMANDS`].
    SendDraft,
    /// See [`COMMANDS`].
    DiscardDraft,
    /// See [`COMMANDS`].
    ShowDrafts,
    /// See [`COMMANDS`].
    Refresh,
    /// See [`COMMANDS`].
    SwitchPullRequest,
    /// See [`COMMANDS`].
    OpenInBrowser,
    /// See [`COMMANDS`].
    CopyLink,
    /// See [`COMMANDS`].
    ShowStatus,
    /// See [`COMMANDS`].
    GenerateToken,
    /// See [`COMMANDS`].
    FinishSignIn,
    /// See [`COMMANDS`].
    CancelSignIn,
    /// See [`COMMANDS`].
    AddToken,
    /// See [`COMMANDS`].
    SwitchAccount,
    /// See [`COMMANDS`].
    SignOut,
}

/// All commands, in the order of the documentation.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec {
        command: Command::ShowPullRequest,
        id: "bitbucket.showPullRequest",
        title: "Bitbucket: Show Pull Request",
        reads: &["uri"],
        about: "Opens the pull request as a read-only document: description, votes, builds, tasks, general comments and the list of all threads.",
    },
    CommandSpec {
        command: Command::ShowThread,
        id: "bitbucket.showThread",
        title: "Bitbucket: Show Thread",
        reads: &["thread", "uri", "line"],
        about: "Opens one thread as a read-only document; without `thread`, the one on the line.",
    },
    CommandSpec {
        command: Command::GoToThread,
        id: "bitbucket.goToThread",
        title: "Bitbucket: Go to Thread",
        reads: &["thread", "uri", "line"],
        about: "Opens the code that a thread is about; in a document of the server, without `thread`, the one on the line.",
    },
    CommandSpec {
        command: Command::NextComment,
        id: "bitbucket.nextComment",
        title: "Bitbucket: Next Comment",
        reads: &["uri", "line"],
        about: "Goes to the next thread after the line, over all files of the pull request, and round again.",
    },
    CommandSpec {
        command: Command::PreviousComment,
        id: "bitbucket.previousComment",
        title: "Bitbucket: Previous Comment",
        reads: &["uri", "line"],
        about: "Goes to the thread before the line, over all files of the pull request, and round again.",
    },
    CommandSpec {
        command: Command::Reply,
        id: "bitbucket.reply",
        title: "Bitbucket: Reply",
        reads: &["thread", "uri", "line", "text"],
        about: "Answers a thread; without `text` it opens a draft, as all commands do that need one.",
    },
    CommandSpec {
        command: Command::AddComment,
        id: "bitbucket.addComment",
        title: "Bitbucket: Add Comment",
        reads: &["uri", "line", "endLine", "side", "text"],
        about: "Comments on the lines; without `line` on the file, without `uri` on the pull request. With `side` `from`: on the lines that the pull request removed there.",
    },
    CommandSpec {
        command: Command::SuggestChange,
        id: "bitbucket.suggestChange",
        title: "Bitbucket: Suggest Change",
        reads: &["uri", "line", "endLine", "text"],
        about: "Opens a draft that holds the lines in a `suggestion` block, ready to be edited.",
    },
    CommandSpec {
        command: Command::EditComment,
        id: "bitbucket.editComment",
        title: "Bitbucket: Edit Comment",
        reads: &["comment", "thread", "uri", "line", "text"],
        about: "Edits a comment of yours; without `comment`, your last one in the thread.",
    },
    CommandSpec {
        command: Command::DeleteComment,
        id: "bitbucket.deleteComment",
        title: "Bitbucket: Delete Comment",
        reads: &["comment", "thread", "uri", "line"],
        about: "Deletes a comment of yours, after asking; without `comment`, your last one in the thread.",
    },
    CommandSpec {
        command: Command::ResolveThread,
        id: "bitbucket.resolveThread",
        title: "Bitbucket: Resolve Thread",
        reads: &["thread", "uri", "line"],
        about: "Resolves a thread.",
    },
    CommandSpec {
        command: Command::ReopenThread,
        id: "bitbucket.reopenThread",
        title: "Bitbucket: Reopen Thread",
        reads: &["thread", "uri", "line"],
        about: "Takes a thread's resolution back.",
    },
    CommandSpec {
        command: Command::ResolveAndNext,
        id: "bitbucket.resolveAndNext",
        title: "Bitbucket: Resolve and Go to Next",
        reads: &["thread", "uri", "line"],
        about: "Resolves a thread and goes to the next one.",
    },
    CommandSpec {
        command: Command::ApplySuggestion,
        id: "bitbucket.applySuggestion",
        title: "Bitbucket: Apply Suggestion",
        reads: &["comment", "suggestion", "thread", "uri", "line"],
        about: "Puts a suggestion in place of the commented lines, if they still read as the reviewer saw them; then offers to answer and to resolve. Without `comment`, the last suggestion of the thread.",
    },
    CommandSpec {
        command: Command::ApplyAllSuggestions,
        id: "bitbucket.applyAllSuggestions",
        title: "Bitbucket: Apply All Suggestions",
        reads: &["uri"],
        about: "Applies the last suggestion of each open thread in the file, in one edit.",
    },
    CommandSpec {
        command: Command::AddTask,
        id: "bitbucket.addTask",
        title: "Bitbucket: Add Task",
        reads: &["thread", "uri", "line", "text"],
        about: "Adds a task to a thread; without one, to the pull request.",
    },
    CommandSpec {
        command: Command::CompleteTask,
        id: "bitbucket.completeTask",
        title: "Bitbucket: Complete Task",
        reads: &["task", "thread", "uri", "line"],
        about: "Marks a task as done; of several it asks which.",
    },
    CommandSpec {
        command: Command::ReopenTask,
        id: "bitbucket.reopenTask",
        title: "Bitbucket: Reopen Task",
        reads: &["task", "thread", "uri", "line"],
        about: "Opens a task again; of several it asks which.",
    },
    CommandSpec {
        command: Command::EditTask,
        id: "bitbucket.editTask",
        title: "Bitbucket: Edit Task",
        reads: &["task", "thread", "uri", "line", "text"],
        about: "Edits a task; of several it asks which.",
    },
    CommandSpec {
        command: Command::DeleteTask,
        id: "bitbucket.deleteTask",
        title: "Bitbucket: Delete Task",
        reads: &["task", "thread", "uri", "line"],
        about: "Deletes a task, after asking; of several it asks which.",
    },
    CommandSpec {
        command: Command::SendDraft,
        id: "bitbucket.sendDraft",
        title: "Bitbucket: Send Draft",
        reads: &["draft", "uri"],
        about: "Sends a draft as it stands in the editor, saved or not. If Bitbucket may have it already, that is found out first.",
    },
    CommandSpec {
        command: Command::DiscardDraft,
        id: "bitbucket.discardDraft",
        title: "Bitbucket: Discard Draft",
        reads: &["draft", "uri"],
        about: "Takes a draft away; it is kept for 30 days beside the drafts.",
    },
    CommandSpec {
        command: Command::ShowDrafts,
        id: "bitbucket.showDrafts",
        title: "Bitbucket: Show Drafts",
        reads: &["draft"],
        about: "Lists everything that was written and not sent, with its state; with `draft`, opens that one.",
    },
    CommandSpec {
        command: Command::ToggleComments,
        id: "bitbucket.toggleComments",
        title: "Bitbucket: Show or Hide Comments",
        reads: &[],
        about: "Hides all comments in code, or shows them again, until the editor is closed.",
    },
    CommandSpec {
        command: Command::Refresh,
        id: "bitbucket.refresh",
        title: "Bitbucket: Refresh",
        reads: &[],
        about: "Reads the repositories and their pull requests anew.",
    },
    CommandSpec {
        command: Command::SwitchPullRequest,
        id: "bitbucket.switchPullRequest",
        title: "Bitbucket: Switch Pull Request",
        reads: &["uri", "pullRequest"],
        about: "Where a branch has several pull requests: shows the comments of another one; without `pullRequest` it asks which.",
    },
    CommandSpec {
        command: Command::OpenInBrowser,
        id: "bitbucket.openInBrowser",
        title: "Bitbucket: Open in Browser",
        reads: &["thread", "uri", "line"],
        about: "Opens the thread on Bitbucket; without one on the line, the pull request.",
    },
    CommandSpec {
        command: Command::CopyLink,
        id: "bitbucket.copyLink",
        title: "Bitbucket: Copy Link",
        reads: &["thread", "uri", "line"],
        about: "Answers `{ \"text\": link }` to the thread on Bitbucket, or else to the pull request, and shows it in a message; a wrapper puts it on the clipboard.",
    },
    CommandSpec {
        command: Command::ShowStatus,
        id: "bitbucket.showStatus",
        title: "Bitbucket: Show Status",
        reads: &[],
        about: "Opens a document that explains what the server found: accounts, keyring, repositories, each remote and why it won or lost, the pull request, hosts, the request budget, problems.",
    },
    CommandSpec {
        command: Command::GenerateToken,
        id: "bitbucket.generateToken",
        title: "Bitbucket: Generate Token",
        reads: &[],
        about: "Signs in by OAuth: opens Bitbucket in the browser, waits for its answer on this computer, and keeps the token in the keyring. Gives up an earlier sign-in that still waits.",
    },
    CommandSpec {
        command: Command::FinishSignIn,
        id: "bitbucket.finishSignIn",
        title: "Bitbucket: Finish Sign-In",
        reads: &["address"],
        about: "Where the browser runs on another computer: takes the `address` that it ended at; without it, opens a document to paste it into.",
    },
    CommandSpec {
        command: Command::CancelSignIn,
        id: "bitbucket.cancelSignIn",
        title: "Bitbucket: Cancel Sign-In",
        reads: &[],
        about: "Gives up the sign-in that waits for the browser.",
    },
    CommandSpec {
        command: Command::AddToken,
        id: "bitbucket.addToken",
        title: "Bitbucket: Add Token",
        reads: &["uri"],
        about: "Signs in by an API token, or by the access token of a repository: opens a page on this computer to type it into. The token never passes through the editor. At a terminal: `bitbucket-lsp auth token`.",
    },
    CommandSpec {
        command: Command::SwitchAccount,
        id: "bitbucket.switchAccount",
        title: "Bitbucket: Switch Account",
        reads: &["uri", "account"],
        about: "Chooses the account for the workspace of the repository; without `account` it asks which.",
    },
    CommandSpec {
        command: Command::SignOut,
        id: "bitbucket.signOut",
        title: "Bitbucket: Sign Out",
        reads: &["account"],
        about: "Removes an account's tokens from this computer, and says where access itself is revoked; without `account` it asks which.",
    },
];

impl Command {
    /// By its `workspace/executeCommand` id.
    pub fn by_id(id: &str) -> Option<Self> {
        COMMANDS.iter().find(|spec| spec.id == id).map(|spec| spec.command)
    }

    /// Whether it can be given what to write.
    pub fn takes_text(self) -> bool {
        self.spec().reads.contains(&"text")
    }

    /// Its row in [`COMMANDS`].
    pub fn spec(self) -> &'static CommandSpec {
        COMMANDS.iter().find(|spec| spec.command == self).unwrap_or(&COMMANDS[0])
    }
}

/// A command with its argument, as lenses and actions carry it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which.
    pub command: Command,
    /// On what.
    pub target: Target,
}

/// docs/COMMANDS.md, whole.
pub fn commands_markdown() -> String {
    let mut text = String::from(
        "# Commands\n\n\
         <!-- Written from server/lsp/src/protocol.rs; `tests/tidy` checks it. To write it anew: `UPDATE_DOCS=1 cargo test -p tidy`. -->\n\n\
         Every command works from a bare LSP client, by `workspace/executeCommand`.\n\
         It takes one JSON object, or nothing: then it finds its target itself.\n\
         It is answered at once, with `null` unless a line below says otherwise; what comes of it follows by messages, progress and documents.\n\n\
         | id | title | reads | what it does |\n|---|---|---|---|\n",
    );
    for spec in COMMANDS {
        let reads: Vec<String> = spec.reads.iter().map(|name| format!("`{name}`")).collect();
        text.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            spec.id,
            spec.title,
            reads.join(", "),
            spec.about
        ));
    }
    text.push_str(
        "\n## The argument object\n\n\
         | member | type | meaning |\n|---|---|---|\n\
         | `uri` | string | the document of the cursor, as the client spells it |\n\
         | `line` | integer | the cursor's line, 0-based |\n\
         | `thread` | integer | a thread, by the id of any comment in it |\n\
         | `pullRequest` | integer | a pull request, by its number |\n\
         | `account` | string | an account, by its id or one of its names |\n\
         | `address` | string | the address that the browser ended at when somebody signed in |\n\
         | `endLine` | integer | the last line of a selection, 0-based, included |\n\
         | `side` | `\"from\"` or `\"to\"` | the lines that were removed there, or the lines as they are |\n\
         | `comment` | integer | a single comment |\n\
         | `task` | integer | a task |\n\
         | `suggestion` | integer | one of a comment's suggestions, from 0 |\n\
         | `draft` | string | a draft, by its id |\n\
         | `text` | string | what to write: the command acts at once, and only if sending fails the text is in a draft |\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_found_by_its_id_and_has_its_own_row() {
        for spec in COMMANDS {
            assert_eq!(Command::by_id(spec.id), Some(spec.command));
            assert_eq!(spec.command.spec().id, spec.id);
            assert!(spec.title.starts_with("Bitbucket: "));
        }
    }

    #[test]
    fn an_argument_is_ids_in_camel_case() {
        let target: Target = serde_json::from_str(r#"{"pullRequest": 7, "uri": "file:///a"}"#).unwrap();
        assert_eq!(
            target,
            Target { pull_request: Some(7), uri: Some("file:///a".into()), ..Target::default() }
        );
        assert_eq!(
            serde_json::to_string(&Target { thread: Some(1), ..Target::default() }).unwrap(),
            r#"{"thread":1}"#
        );
    }
}
