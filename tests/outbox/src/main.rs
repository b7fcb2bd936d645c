//! Writes and sends drafts as it is ordered on standard input, and says on standard output what is certain.

use std::io::{BufRead as _, Write as _};

use drafts::{DraftId, Drafts, Ended, Entry, Error, State, reconcile, send};
use futures_util::StreamExt as _;
use outbox::courier::{Courier, about, key, waits};
use outbox::orders::{Orders, Plan, Said, Work};

/// One thread, so that a failpoint is passed in the same order each time.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).expect("orders");
    let orders: Orders = serde_json::from_str(&line).expect("orders that make sense");
    let courier = Courier::from(&|name| std::env::var(name).ok()).await;
    let program = Program { drafts: Drafts::new(orders.folder.into()), courier };
    match orders.work {
        Work::Write(plans) => program.write(&plans).await,
        Work::Finish(known) => program.finish(&known).await,
        Work::Post(plans, side_by_side) => program.post(&plans, side_by_side).await,
        Work::TryDisk(plan) => program.try_disk(&plan).await,
    }
    say(&Said::Done);
}

fn say(said: &Said) {
    let line = serde_json::to_string(said).expect("plain data");
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("a listener");
}

fn kept(id: &DraftId, text: &str) {
    say(&Said::Kept { id: id.to_string(), text: text.to_owned() });
}

fn disk(id: Option<&DraftId>, error: &Error) {
    assert!(matches!(error, Error::Disk { .. }), "{error}");
    say(&Said::Disk { id: id.map(ToString::to_string), sentence: error.to_string() });
}

struct Program {
    drafts: Drafts,
    courier: Courier,
}

impl Program {
    /// A draft of the plan, changed as the plan says, half of the times by a save. Each step is told once it is done.
    fn written(&self, plan: &Plan) -> Result<(DraftId, u32), (Option<DraftId>, Error)> {
        let text = plan.text(0);
        let made = self.drafts.create("comment", &about(plan), &key(plan), "ana", &text);
        let id = made.map_err(|error| (None, error))?;
        kept(&id, &text);
        for change in 1..=plan.changes {
            let text = plan.text(change);
            let done = self.drafts.keep_typed(&id, &text).and_then(|()| match change % 2 {
                0 => self.drafts.write_text(&id, &text).and_then(|()| self.drafts.keep_typed(&id, &text)),
                _ => Ok(()),
            });
            done.map_err(|error| (Some(id.clone()), error))?;
            kept(&id, &text);
        }
        Ok((id, plan.changes))
    }

    async fn write(&self, plans: &[Plan]) {
        let mut sends = Vec::new();
        for plan in plans {
            match self.written(plan) {
                Ok((id, version)) => sends.push((plan, id, version)),
                Err((id, error)) => disk(id.as_ref(), &error),
            }
        }
        let sends = sends.iter().map(|(plan, id, version)| async move {
            self.sent(id, plan, &plan.text(*version)).await;
        });
        futures_util::future::join_all(sends).await;
    }

    async fn sent(&self, id: &DraftId, plan: &Plan, body: &str) -> Ended {
        let ended = send(&self.drafts, id, &about(plan), &key(plan), body, &self.courier, &waits()).await;
        tell(id, &ended);
        ended
    }

    async fn finish(&self, known: &[String]) {
        let known = known.iter().filter_map(|id| DraftId::parse(id)).map(|id| self.drafts.read(&id));
        let posted = known.filter_map(Result::ok).filter(|entry| matches!(entry.state, State::Posted { .. }));
        posted.for_each(|entry| found(&entry));
        let entries = self.drafts.list();
        entries.iter().for_each(found);
        let mut left: Vec<Entry> = Vec::new();
        for entry in entries {
            match entry.about.is_null() {
                true => self.drafts.discard(&entry.id).expect("a folder that works"),
                false => left.push(entry),
            }
        }
        while !left.is_empty() {
            let mut still = Vec::new();
            for entry in left {
                if !self.finished(&entry).await {
                    still.push(entry);
                }
            }
            left = still;
        }
        self.drafts.sweep(0);
    }

    /// Whether the draft has come to its end.
    async fn finished(&self, entry: &Entry) -> bool {
        let id = &entry.id;
        self.drafts.restore(id).or_else(ignore_posted).expect("a folder that works");
        // Some users look first, others send at once; that looks too.
        if matches!(entry.state, State::Unknown { .. })
            && id.as_str().ends_with(|digit: char| digit.is_ascii_digit())
            && let Ended::Unknown { looked: true, .. } =
                reconcile(&self.drafts, id, &self.courier, &waits()).await
        {
            // It was looked for and is not there: the user says so.
            self.drafts.again(id).expect("a folder that works");
        }
        let (key, about) = (&entry.key, &entry.about);
        let ended = send(&self.drafts, id, about, key, &entry.text, &self.courier, &waits()).await;
        tell(id, &ended);
        if let Ended::Unknown { looked: true, .. } = ended {
            self.drafts.again(id).expect("a folder that works");
        }
        matches!(ended, Ended::Posted { .. })
    }

    async fn post(&self, plans: &[Plan], side_by_side: usize) {
        futures_util::stream::iter(plans)
            .for_each_concurrent(side_by_side, |plan| async move {
                let (id, version) =
                    self.written(plan).map_err(|(_, error)| error).expect("a folder that works");
                loop {
                    match self.sent(&id, plan, &plan.text(version)).await {
                        Ended::Posted { .. } => break,
                        // It was looked for and is not there: the user says so.
                        Ended::Unknown { looked: true, .. } => {
                            self.drafts.again(&id).or_else(ignore_posted).expect("a folder that works");
                        }
                        _ => {}
                    }
                }
            })
            .await;
    }

    async fn try_disk(&self, plan: &Plan) {
        for entry in self.drafts.list() {
            found(&entry);
            if let Err(error) = self.drafts.keep_typed(&entry.id, "more") {
                disk(Some(&entry.id), &error);
            }
            self.sent(&entry.id, plan, &entry.text).await;
        }
        if let Err((id, error)) = self.written(plan) {
            disk(id.as_ref(), &error);
        }
    }
}

fn ignore_posted<T: Default>(error: Error) -> Result<T, Error> {
    match error {
        Error::Posted(_) | Error::Busy => Ok(T::default()),
        error => Err(error),
    }
}

fn found(entry: &Entry) {
    say(&Said::Found {
        id: entry.id.to_string(),
        text: entry.text.clone(),
        posted: match entry.state {
            State::Posted { id } => Some(id),
            _ => None,
        },
        known: !entry.about.is_null(),
        unknown: matches!(entry.state, State::Unknown { .. }),
    });
}

fn tell(id: &DraftId, ended: &Ended) {
    let id = id.to_string();
    match ended {
        Ended::Posted { id: number, .. } => say(&Said::Posted { id, number: *number }),
        Ended::Rejected(_) => say(&Said::Rejected { id }),
        Ended::Unknown { looked, .. } => say(&Said::Unknown { id, looked: *looked }),
        Ended::Disk(sentence) => say(&Said::Disk { id: Some(id), sentence: sentence.clone() }),
        // Another draft comes first.
        Ended::Twin { .. } | Ended::Busy => {}
        Ended::Gone => unreachable!("a draft that was told of is gone"),
    }
}
