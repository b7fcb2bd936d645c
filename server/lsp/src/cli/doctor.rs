//! `bitbucket-lsp doctor`: what Show Status says of a folder, at a terminal.
//!
//! It must not find out anything by itself: a session does, with a worker that has no client, so that both say the same.

use crate::effect::Effect;
use crate::event::{ClientProfile, Event};
use crate::main_loop::now;
use crate::protocol::{Call, Command, Target};
use crate::session::Session;
use crate::worker::{Environment, Worker};
use pull_request::view::plain_text;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// What was found, and whether a person should do something about it.
pub struct Report {
    /// Plain text.
    pub text: String,
    /// Whether all is well.
    pub well: bool,
}

/// How long it may take; Bitbucket itself has half a minute for an answer.
const PATIENCE: Duration = Duration::from_secs(90);

/// Looks at a folder as an editor's server would.
pub async fn examine(folder: &Path, environment: Environment) -> Report {
    let config = environment.config.clone();
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let mut worker = Worker::without_client(environment);
    let mut outcomes = worker.take_outcomes();
    let mut session = Session::new();
    for event in worker.first_events() {
        session.handle(event, now());
    }
    let settings = json!({ "refreshInterval": 0 });
    let mut events = vec![Event::Started(ClientProfile::default(), vec![folder], settings)];
    let look = async {
        loop {
            for event in std::mem::take(&mut events) {
                for effect in session.handle(event, now()) {
                    perform(&mut worker, effect);
                }
            }
            for effect in session.settle(now()) {
                perform(&mut worker, effect);
            }
            // An outcome is in the channel before its task lets go.
            let idle = worker.is_idle() && session.is_quiet();
            match outcomes.try_recv() {
                Ok(outcome) => events = worker.absorb(outcome),
                Err(_) if idle => return,
                Err(_) => {
                    if let Ok(Some(outcome)) = tokio::time::timeout(BETWEEN_LOOKS, outcomes.recv()).await {
                        events = worker.absorb(outcome);
                    }
                }
            }
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, look).await.is_ok();
    let well = in_time && config.is_ok() && session.attention().is_empty();
    let mut text = status(&mut session, &mut worker, &mut outcomes).await;
    if !in_time {
        text.push_str("\nNot everything could be looked at in a minute and a half.\n");
    }
    let mut text = format!("{}\n", plain_text(&text).trim_end());
    // Without a repository nobody was asked for, and nobody has said it.
    if let Err(sentence) = config
        && !text.contains(&sentence)
    {
        text = format!("{sentence}\n\n{text}");
    }
    Report { text, well }
}

/// A task may end without an outcome.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// A doctor looks once: clocks are not set, and nothing is shown before the end.
fn perform(worker: &mut Worker, effect: Effect) {
    if !matches!(effect, Effect::After(..)) {
        worker.perform(effect);
    }
}

/// The text that Show Status would show.
async fn status(
    session: &mut Session,
    worker: &mut Worker,
    outcomes: &mut tokio::sync::mpsc::UnboundedReceiver<crate::worker::Outcome>,
) -> String {
    let (reply, _) = tokio::sync::oneshot::channel();
    let call = Call { command: Command::ShowStatus, target: Target::default() };
    for effect in session.handle(Event::Command(call, reply), now()) {
        perform(worker, effect);
    }
    while let Some(outcome) = outcomes.recv().await {
        for event in worker.absorb(outcome) {
            for effect in session.handle(event, now()) {
                if let Effect::ShowText { text, .. } = effect {
                    return text;
                }
            }
        }
    }
    String::new()
}
