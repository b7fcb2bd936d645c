//! The worker's part in accounts: reading the list of them, and signing in and out as tasks of their own.
//!
//! It must not know how tokens are got or kept: `accounts` and `sign_in` do.

use super::accounts::{self, Known};
use super::{Outcome, Worker, sign_in};
use crate::effect::Way;
use crate::event::{Event, SignInId, SignInStep};
use std::time::Duration;
use tokio::sync::mpsc;

/// A sign-in under way.
pub(super) struct SigningIn {
    orders: mpsc::UnboundedSender<sign_in::Order>,
    /// Ends with it, its port closed.
    task: tokio::task::JoinHandle<()>,
}

impl Worker {
    /// The sentences that it has to say first, before anything has happened: the accounts.
    pub fn first_events(&self) -> Vec<Event> {
        vec![Event::Accounts(self.stored(), Vec::new())]
    }

    /// Id and name of each stored account.
    fn stored(&self) -> Vec<(String, String)> {
        let origin = self.accounts.origin().ok();
        let all = self.known.accounts.all().iter().filter(|account| Some(&account.key.origin) == origin);
        all.map(|account| (accounts::id_of(&account.key), account.display_name.clone())).collect()
    }

    pub(super) fn read_accounts(&self) {
        let (accounts, known) = (self.accounts.clone(), self.known.clone());
        let failed = Outcome::Accounts(known.clone(), None);
        let work = move || {
            let (known, stamp) = accounts.reload(&known);
            Outcome::Accounts(known, stamp)
        };
        self.blocking(work, failed);
    }

    /// Another list of accounts: who asks for each repository is looked at anew.
    pub(super) fn take_accounts(&mut self, known: Known, stamp: Option<accounts::Stamp>) -> Vec<Event> {
        (self.known, self.accounts_stamp) = (known, stamp);
        let mut logins = Vec::new();
        for (id, opened) in &mut self.repositories {
            let login = match self.accounts.choose(&self.known, &opened.discovery) {
                Ok((who, login)) => {
                    opened.who = Some(who);
                    Ok(login)
                }
                Err(sentence) => {
                    opened.who = None;
                    Err(sentence)
                }
            };
            opened.discovery.login = login.clone();
            logins.push((*id, login));
        }
        vec![Event::Accounts(self.stored(), logins)]
    }

    /// Begins to sign in, once the one before has let go of its port.
    pub(super) fn sign_in(&mut self, id: SignInId, way: Way) {
        let before = self.signing_in.take();
        let (orders, obeyed) = mpsc::unbounded_channel();
        let (accounts, outcomes) = (self.accounts.clone(), self.outcomes.clone());
        let known = self.known.clone();
        let trial = match way {
            Way::Browser => None,
            Way::Token(repository) => {
                let discovery = repository.and_then(|id| Some(&self.repositories.get(&id)?.discovery));
                Some(discovery.and_then(|discovery| discovery.candidates.first().cloned()))
            }
        };
        let (steps, mut said) = mpsc::unbounded_channel();
        let to_session = self.outcomes.clone();
        tokio::spawn(async move {
            while let Some(step) = said.recv().await {
                let _ = to_session.send(Outcome::Event(Box::new(Event::SignIn(id, of_step(step)))));
            }
        });
        let task = tokio::spawn(async move {
            if let Some(SigningIn { orders, mut task }) = before {
                let _ = orders.send(sign_in::Order::Cancel);
                if tokio::time::timeout(LET_GO, &mut task).await.is_err() {
                    // What it holds is let go of with it; a token that is being stored is stored all the same.
                    task.abort();
                }
            }
            let mut obeyed = obeyed;
            let end = match trial {
                None => sign_in::by_browser(&accounts, &mut obeyed, &steps).await,
                Some(repository) => sign_in::by_page(&accounts, &mut obeyed, repository, &steps).await,
            };
            if end.is_ok() {
                let read = tokio::task::spawn_blocking(move || accounts.reload(&known));
                if let Ok((known, stamp)) = read.await {
                    let _ = outcomes.send(Outcome::Accounts(known, stamp));
                }
            }
            let _ = outcomes.send(Outcome::Event(Box::new(Event::SignIn(id, of_end(end)))));
        });
        self.signing_in = Some(SigningIn { orders, task });
    }

    pub(super) fn order(&self, order: sign_in::Order) {
        if let Some(signing_in) = &self.signing_in {
            let _ = signing_in.orders.send(order);
        }
    }

    /// Changes something about an account; the list is read anew before the user hears of it.
    pub(super) fn change_account(
        &self,
        change: impl Future<Output = Result<String, String>> + Send + 'static,
    ) {
        let (accounts, outcomes, busy) = (self.accounts.clone(), self.outcomes.clone(), self.busy.clone());
        let known = self.known.clone();
        tokio::spawn(async move {
            let _busy = busy;
            let outcome = change.await;
            let read = tokio::task::spawn_blocking(move || accounts.reload(&known));
            if let Ok((known, stamp)) = read.await {
                let _ = outcomes.send(Outcome::Accounts(known, stamp));
            }
            let _ = outcomes.send(Outcome::Event(Box::new(Event::AccountChanged(outcome))));
        });
    }
}

/// How long a sign-in may take to let go of its port after it was given up.
const LET_GO: Duration = Duration::from_secs(2);

fn of_step(step: sign_in::Step) -> SignInStep {
    match step {
        sign_in::Step::Waiting { page, redirect } => SignInStep::Waiting { page, redirect },
        sign_in::Step::NotTaken(sentence) => SignInStep::NotTaken(sentence),
    }
}

fn of_end(end: Result<sign_in::Signed, sign_in::Failure>) -> SignInStep {
    match end {
        Ok(signed) => SignInStep::Done(signed.sentence()),
        Err(sign_in::Failure::NoConsumer(to_register)) => SignInStep::NoConsumer(to_register),
        Err(sign_in::Failure::Cancelled) => SignInStep::Cancelled,
        Err(sign_in::Failure::Other(sentence)) => SignInStep::Failed(sentence),
    }
}
