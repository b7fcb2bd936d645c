//! Code actions: everything that can be done at a place, as a menu. What a lens offers is an action too, for editors
//! without lenses.

use super::Session;
use super::commands::own_thread_at;
use super::own_documents::{OwnDocument, OwnKind};
use super::review::Review;
use super::showing::{GO_TO_CODE, call};
use crate::answer::Action;
use crate::event::Selected;
use crate::protocol::{Command, Target, TargetSide};
use pull_request::model::{LineRange, Task, Timestamp};
use pull_request::view::action::{CommentAction, TaskAction, ThreadAction};
use pull_request::view::{Reader, document};

/// Threads of one selection that get actions.
const MOST_THREADS_ACTED_ON: usize = 10;
/// Tasks of one thread that get actions.
const MOST_TASKS_ACTED_ON: usize = 5;

impl Session {
    pub(super) fn actions(&self, uri: &str, selected: Selected, now: Timestamp) -> Vec<Action> {
        if let Some(actions) = self.draft_actions(uri) {
            return actions;
        }
        if let Some(own) = self.own_document(uri) {
            if own.kind == OwnKind::Drafts {
                return self.list_actions(uri, selected.first);
            }
            let offered = self.sign_in_calls(own.kind);
            if !offered.is_empty() {
                let action =
                    |(title, call)| Action { title: format!("Bitbucket: {title}"), call, is_fix: false };
                return offered.into_iter().map(action).collect();
            }
            return self
                .own_map(uri)
                .map_or_else(Vec::new, |(own, map)| self.own_actions(own, map, selected.first, now));
        }
        let Some((_, state, review, _, path)) = self.review_in(uri) else { return Vec::new() };
        let Selected { first, last, asked } = selected;
        let mut actions = Vec::new();
        let touches = |lines: LineRange| lines.first <= last && first <= lines.last;
        let threads: Vec<usize> = self
            .shown_in(review, path)
            .filter(|spot| spot.lines().is_some_and(touches))
            .map(|spot| spot.thread)
            .take(MOST_THREADS_ACTED_ON)
            .collect();
        for thread in &threads {
            self.thread_actions(review, *thread, threads.len() == 1, now, &mut actions);
        }
        let several = |index: &usize| !self.suggestions(review, *index).is_empty();
        let offering = self.shown_in(review, path).map(|spot| spot.thread).filter(several).take(2).count();
        if offering > 1 && threads.iter().any(several) {
            let target = Target { uri: Some(uri.to_owned()), ..Target::default() };
            let title = "Bitbucket: Apply all suggestions in this file";
            actions.push(Action { is_fix: true, ..action(title, Command::ApplyAllSuggestions, target) });
        }
        let here = || Target {
            uri: Some(uri.to_owned()),
            line: Some(first),
            end_line: (last > first).then_some(last),
            ..Target::default()
        };
        // A cursor that only rests somewhere is not asked whether it wants to comment.
        if asked {
            let removed = Target { side: Some(TargetSide::From), ..here() };
            let (comment, suggest) = match last > first {
                true => ("Bitbucket: Comment on these lines", "Bitbucket: Suggest a change of these lines"),
                false => ("Bitbucket: Comment on this line", "Bitbucket: Suggest a change of this line"),
            };
            actions.push(action(comment, Command::AddComment, here()));
            actions.push(action(suggest, Command::SuggestChange, here()));
            actions.push(action("Bitbucket: Comment on lines removed here", Command::AddComment, removed));
        }
        // What the lens on the first line offers; elsewhere only beside a thread, to keep the menu of others short.
        if first == 0 || !threads.is_empty() {
            let title = format!("Bitbucket: Show pull request {}", review.pull_request.id);
            actions.push(action(&title, Command::ShowPullRequest, here()));
            if state.choices.len() > 1 {
                actions.push(action(
                    "Bitbucket: Switch to another pull request",
                    Command::SwitchPullRequest,
                    here(),
                ));
            }
        }
        if first == 0 && asked {
            let file = Target { uri: Some(uri.to_owned()), ..Target::default() };
            actions.push(action("Bitbucket: Comment on this file", Command::AddComment, file));
            actions.extend(on_pull_request());
        }
        actions
    }

    /// What can be done on a line of a document of ours.
    fn own_actions(
        &self,
        own: &OwnDocument,
        map: &document::Document,
        line: u32,
        now: Timestamp,
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        let review = own.repository.and_then(|id| self.repositories.get(&id)?.review.as_ref());
        let thread = own_thread_at(own, map, line);
        if let (Some(review), Some(comment)) = (review, thread)
            && let Some(thread) = review.thread_of(comment)
        {
            if self.is_in_code(comment) {
                let target = Target { thread: Some(comment.0), ..Target::default() };
                actions.push(action(&format!("Bitbucket: {GO_TO_CODE}"), Command::GoToThread, target));
            }
            self.thread_actions(review, thread, true, now, &mut actions);
        }
        if review.is_some() && own.kind == OwnKind::PullRequest {
            actions.extend(on_pull_request());
        }
        actions
    }

    /// `is_alone`: no other thread can be meant, so that the titles need not say which.
    fn thread_actions(
        &self,
        review: &Review,
        index: usize,
        is_alone: bool,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let (thread, reader) = (review.thread(index), self.reader(review, now));
        let target = || Target { thread: Some(thread.root.0), ..Target::default() };
        let titled = |kind: ThreadAction| match is_alone {
            true => kind.short_title().to_owned(),
            false => kind.title(thread, &reader),
        };
        if thread.root.is_local() {
            return actions.push(action(&titled(ThreadAction::Show), Command::ShowThread, target()));
        }
        for offered in self.suggestions(review, index) {
            let kind = CommentAction::ApplySuggestion { number: offered.index + 1, of: offered.of };
            let title = if is_alone { kind.short_title() } else { kind.title(offered.text, &reader) };
            let suggestion = u32::try_from(offered.index).ok();
            let target = Target { comment: Some(offered.comment.0), suggestion, ..Target::default() };
            actions.push(Action { is_fix: true, ..action(&title, Command::ApplySuggestion, target) });
        }
        let resolving = match thread.is_resolved() {
            true => vec![(ThreadAction::Reopen, Command::ReopenThread)],
            false => vec![
                (ThreadAction::Resolve, Command::ResolveThread),
                (ThreadAction::ResolveAndNext, Command::ResolveAndNext),
            ],
        };
        let mut kinds = vec![(ThreadAction::Reply, Command::Reply)];
        kinds.extend(resolving);
        kinds.push((ThreadAction::AddTask, Command::AddTask));
        let kinds = kinds.into_iter();
        actions.extend(kinds.map(|(kind, command)| action(&titled(kind), command, target())));
        for task in thread.tasks.iter().take(MOST_TASKS_ACTED_ON) {
            self.task_actions(task, thread.tasks.len() == 1 && is_alone, &reader, actions);
        }
        if let Some((_, _, _, own)) = self.own_comment(&target()) {
            for (kind, command) in
                [(CommentAction::Edit, Command::EditComment), (CommentAction::Delete, Command::DeleteComment)]
            {
                let title = if is_alone { kind.short_title() } else { kind.title(own, &reader) };
                let target = Target { comment: Some(own.id.0), ..Target::default() };
                actions.push(action(&title, command, target));
            }
        }
        for (kind, command) in [
            (ThreadAction::Show, Command::ShowThread),
            (ThreadAction::OpenInBrowser, Command::OpenInBrowser),
            (ThreadAction::CopyLink, Command::CopyLink),
        ] {
            actions.push(action(&titled(kind), command, target()));
        }
    }

    fn task_actions(&self, task: &Task, is_alone: bool, reader: &Reader<'_>, actions: &mut Vec<Action>) {
        let state = match task.resolved {
            true => (TaskAction::Reopen, Command::ReopenTask),
            false => (TaskAction::Complete, Command::CompleteTask),
        };
        let kinds = [state, (TaskAction::Edit, Command::EditTask), (TaskAction::Delete, Command::DeleteTask)];
        actions.extend(kinds.into_iter().map(|(kind, command)| {
            let title = if is_alone { kind.short_title().to_owned() } else { kind.title(task, reader) };
            action(&title, command, Target { task: Some(task.id.0), ..Target::default() })
        }));
    }
}

/// What can be said of a pull request as a whole.
fn on_pull_request() -> [Action; 2] {
    [
        action("Bitbucket: Comment on the pull request", Command::AddComment, Target::default()),
        action("Bitbucket: Add a task to the pull request", Command::AddTask, Target::default()),
    ]
}

pub(super) fn action(title: &str, command: Command, target: Target) -> Action {
    Action { title: title.to_owned(), call: call(command, target), is_fix: false }
}
