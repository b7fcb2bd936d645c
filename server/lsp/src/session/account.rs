//! Accounts and signing in, as the user sees them: which account a repository is asked for with, and the steps of a
//! sign-in.
//!
//! It must not know how tokens are got or kept, and no secret comes here.

use super::Session;
use super::own_documents::{OwnDocument, OwnKind};
use super::review::Cause;
use crate::effect::{Effect, MessageKind, ProgressStep, Way, Work};
use crate::event::{
    Login, LoginWay, Problem, Question, RepositoryId, SignInId, SignInStep, ToRegister, Trouble,
};
use crate::protocol::{Call, Command, Target};
use pull_request::model::Timestamp;
use pull_request::view::document::Document;
use pull_request::view::markdown::plain;
use std::fmt::Write;

/// The document that explains how to sign in where there is no OAuth consumer.
const GUIDE: &str = "sign-in.md";
/// The document that the address of the browser is pasted into.
const PASTE: &str = "finish-sign-in.md";
const SIGN_IN: &str = "Sign In";
const ADD_TOKEN: &str = "Add Token";

/// The sign-in under way.
pub(super) struct SignIn {
    id: SignInId,
    /// The page for the browser, once there is one.
    page: Option<String>,
    /// What the address begins with that may be pasted.
    redirect: Option<String>,
    /// Whether progress is shown.
    progress: bool,
}

/// Where API tokens are made.
const TOKEN_PAGE: &str = "https://id.atlassian.com/manage-profile/security/api-tokens";

impl Session {
    pub(super) fn sign_in(&mut self, way: Way, out: &mut Vec<Effect>) {
        self.end_sign_in(out);
        self.sign_ins += 1;
        let id = SignInId(self.sign_ins);
        let progress = self.profile.progress;
        if progress {
            out.push(Effect::Progress(
                Work::SignIn(id),
                ProgressStep::Begin("Bitbucket: waiting for the browser".into()),
            ));
        }
        self.sign_in = Some(SignIn { id, page: None, redirect: None, progress });
        out.push(Effect::SignIn(id, way));
    }

    /// Takes the progress of a sign-in away.
    fn end_sign_in(&mut self, out: &mut Vec<Effect>) {
        if let Some(SignIn { id, progress: true, .. }) = self.sign_in.take() {
            out.push(Effect::Progress(Work::SignIn(id), ProgressStep::End));
        }
    }

    /// The page that a sign-in waits for.
    pub(super) fn waiting_page(&self) -> Option<&str> {
        self.sign_in.as_ref()?.page.as_deref()
    }

    pub(super) fn cancel_sign_in(&mut self, out: &mut Vec<Effect>) {
        match &self.sign_in {
            Some(_) => out.push(Effect::CancelSignIn),
            None => inform("No sign-in is waiting for the browser.", out),
        }
    }

    pub(super) fn cancelled_by_progress(&self, id: SignInId, out: &mut Vec<Effect>) {
        if self.sign_in.as_ref().is_some_and(|sign_in| sign_in.id == id) {
            out.push(Effect::CancelSignIn);
        }
    }

    /// Takes the address that the browser ended at, or opens a document to paste it into.
    pub(super) fn finish_sign_in(&mut self, target: &Target, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(SignIn { page: Some(page), redirect, .. }) = &self.sign_in else {
            return warn(
                "No sign-in is waiting for an address; run \"Bitbucket: Generate Token\" first.",
                out,
            );
        };
        let Some(redirect) = redirect else {
            // Nothing is pasted here; but the page may not have been opened.
            return inform(&format!("Open {page}"), out);
        };
        match &target.address {
            Some(address) => out.push(Effect::PasteAddress(address.clone())),
            None => {
                let text = format!(
                    "# Bitbucket: finish the sign-in\n\n\
                     1. Open [Bitbucket's page](<{page}>) in a browser on any computer, and press *Grant access*.\n\
                     2. The browser then goes to a page that may not open. Copy its whole address, which begins with \
                     `{redirect}`.\n\
                     3. Paste it below this line. It is taken at once; nothing needs to be saved.\n\n"
                );
                self.show_page(PASTE, OwnKind::Paste, text, now, out);
            }
        }
    }

    /// Whether the text of the document for pasting holds an address that can be taken.
    pub(super) fn take_pasted(&mut self, uri: &str, out: &mut Vec<Effect>) {
        if self.own_document(uri).is_none_or(|own| own.kind != OwnKind::Paste) {
            return;
        }
        let Some(redirect) = self.sign_in.as_ref().and_then(|sign_in| sign_in.redirect.as_deref()) else {
            return;
        };
        let begins = format!("{redirect}?");
        let text = self.documents.get(uri).map_or_else(String::new, |document| document.text.to_string());
        let pasted = text.lines().map(str::trim).rfind(|line| line.starts_with(&begins));
        if let Some(address) = pasted {
            out.push(Effect::PasteAddress(address.to_owned()));
        }
    }

    pub(super) fn signed_in_step(
        &mut self,
        id: SignInId,
        step: SignInStep,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if let SignInStep::Done(sentence) = step {
            // Whoever is signed in is told so, also where a later sign-in has begun in the meantime.
            if self.sign_in.as_ref().is_some_and(|sign_in| sign_in.id == id) {
                self.end_sign_in(out);
            }
            // What was true before need not be true any more, and may be said again.
            self.said.clear();
            return inform(&sentence, out);
        }
        let Some(sign_in) = self.sign_in.as_mut().filter(|sign_in| sign_in.id == id) else { return };
        match step {
            SignInStep::Done(_) => {}
            SignInStep::Waiting { page, redirect } => {
                let hint = match &redirect {
                    Some(_) => {
                        "Press Grant access in the browser; if it ends at a page that does not open, run Bitbucket: \
                         Finish Sign-In."
                    }
                    None => {
                        "Type the token into the page in the browser; without one, run bitbucket-lsp auth token at a \
                         terminal."
                    }
                };
                (sign_in.page, sign_in.redirect) = (Some(page.clone()), redirect);
                inform(hint, out);
                out.push(Effect::OpenPage(page));
            }
            SignInStep::NotTaken(sentence) => warn(&sentence, out),
            SignInStep::NoConsumer(ToRegister { callback_url, scopes, token_scopes }) => {
                self.end_sign_in(out);
                let text = guide(&callback_url, &scopes, &token_scopes);
                self.show_page(GUIDE, OwnKind::Guide, text, now, out);
                out.push(Effect::Ask {
                    question: Question::AddToken,
                    text: "Generate Token needs an OAuth consumer of your own, which is made once (the document says \
                           how). An API token needs none."
                        .into(),
                    choices: vec![ADD_TOKEN.into()],
                });
            }
            SignInStep::Cancelled => {
                self.end_sign_in(out);
                inform("The sign-in was given up; nothing was stored.", out);
            }
            SignInStep::Failed(sentence) => {
                self.end_sign_in(out);
                warn(&sentence, out);
            }
        }
    }

    fn show_page(&mut self, name: &str, kind: OwnKind, text: String, now: Timestamp, out: &mut Vec<Effect>) {
        let document = Document { text, ..Document::default() };
        self.keep_own(name.to_owned(), OwnDocument::new(None, kind, document, now), true, out);
    }

    /// What a page about signing in offers.
    pub(super) fn sign_in_calls(&self, kind: OwnKind) -> Vec<(&'static str, Call)> {
        let call = |command| Call { command, target: Target::default() };
        match kind {
            OwnKind::Guide => {
                vec![("Generate Token", call(Command::GenerateToken)), (ADD_TOKEN, call(Command::AddToken))]
            }
            OwnKind::Paste if self.sign_in.is_some() => {
                vec![("Cancel the sign-in", call(Command::CancelSignIn))]
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn sign_out(&mut self, target: &Target, out: &mut Vec<Effect>) {
        if let Some(account) = &target.account {
            return out.push(Effect::SignOut(account.clone()));
        }
        match self.accounts.as_slice() {
            [] => inform(
                "No account is stored. Credentials of the environment are taken away where they are set.",
                out,
            ),
            accounts => {
                let (ids, names) = accounts.iter().cloned().unzip();
                out.push(Effect::Ask {
                    question: Question::SignOut(ids),
                    text: "Sign out whom? The tokens are removed from this computer.".into(),
                    choices: distinct(names),
                });
            }
        }
    }

    pub(super) fn switch_account(&mut self, target: &Target, out: &mut Vec<Effect>) {
        let id = self.repository_of(target);
        let candidate = id.and_then(|id| self.repositories.get(&id)?.discovery.candidates.first());
        let workspace = candidate.map(|name| name.workspace().to_owned());
        if let Some(account) = &target.account {
            return out.push(Effect::UseAccount(account.clone(), id));
        }
        match self.accounts.as_slice() {
            [] => inform("No account is stored; run \"Bitbucket: Generate Token\".", out),
            [(_, name)] => inform(
                &format!("{} is the only account; Generate Token adds another one.", plain(name, 80)),
                out,
            ),
            accounts => {
                let (ids, names) = accounts.iter().cloned().unzip();
                let text = match &workspace {
                    Some(workspace) => {
                        format!("Which account for the workspace {}?", plain(workspace, 80))
                    }
                    None => "Which account is the default?".into(),
                };
                out.push(Effect::Ask {
                    question: Question::SwitchAccount(ids, id),
                    text,
                    choices: distinct(names),
                });
            }
        }
    }

    pub(super) fn answered(
        &mut self,
        question: Question,
        choice: Option<usize>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(choice) = choice else { return };
        match question {
            Question::PullRequest(id, numbers) => self.picked(id, numbers.get(choice).copied(), out),
            Question::SignInAgain(LoginWay::OAuth) => self.sign_in(Way::Browser, out),
            Question::SignInAgain(_) => self.sign_in(Way::Token(self.repository_of(&Target::default())), out),
            Question::AddToken => self.sign_in(Way::Token(self.repository_of(&Target::default())), out),
            Question::SignOut(ids) => out.extend(ids.get(choice).cloned().map(Effect::SignOut)),
            Question::SwitchAccount(ids, repository) => {
                out.extend(ids.get(choice).cloned().map(|id| Effect::UseAccount(id, repository)));
            }
            Question::Change(id, change) => self.make_change(id, change, now, out),
            Question::Task(command, target, ids) => {
                let task = ids.get(choice).map(|task| task.0);
                self.with_task(command, &Target { task, ..*target }, now, out);
            }
            Question::Unknown(name, asked) => self.answered_unknown(&name, asked, choice, now, out),
            Question::Moved(name, about) => self.answered_moved(&name, *about, choice, now, out),
            Question::Applied(root) => self.answered_applied(root, choice, now, out),
        }
    }

    pub(super) fn account_changed(&mut self, outcome: Result<String, String>, out: &mut Vec<Effect>) {
        match outcome {
            Ok(sentence) => inform(&sentence, out),
            Err(sentence) => warn(&sentence, out),
        }
    }

    /// The list of accounts was read anew: somebody signed in or out, here or elsewhere.
    pub(super) fn take_accounts(
        &mut self,
        accounts: Vec<(String, String)>,
        logins: Vec<(RepositoryId, Result<Login, String>)>,
        out: &mut Vec<Effect>,
    ) {
        self.accounts = accounts;
        for (id, login) in logins {
            let Some(state) = self.repositories.get_mut(&id) else { continue };
            let before = std::mem::replace(&mut state.discovery.login, login);
            let id_of = |login: &Result<Login, String>| login.as_ref().ok().map(|login| login.id.clone());
            let is_same = id_of(&before) == id_of(&state.discovery.login);
            self.note_login(id);
            let Some(state) = self.repositories.get(&id) else { continue };
            let in_trouble = state.problem.as_ref().is_some_and(|problem| problem.trouble.is_of_account());
            match &state.discovery.login {
                Ok(_) if !is_same => {
                    self.leave_review(id, out);
                    self.refresh(id, Cause::Discovery, out);
                }
                // What is under way may still fail by the former token.
                Ok(_) if in_trouble || state.busy.is_some() => self.refresh(id, Cause::Discovery, out),
                Ok(_) => {}
                // The user knows; they just signed out.
                Err(sentence) if !is_same => {
                    let problem = Problem {
                        trouble: Trouble::SignedOut,
                        sentence: sentence.clone(),
                        retry_after: None,
                    };
                    self.leave_review(id, out);
                    if let Some(state) = self.repositories.get_mut(&id) {
                        state.problem = Some(problem);
                    }
                }
                Err(_) => {}
            }
        }
        self.lenses_dirty = true;
    }

    /// Keeps who somebody is, where the account says so.
    pub(super) fn note_login(&mut self, id: RepositoryId) {
        let login = self.repositories.get(&id).and_then(|state| state.discovery.login.as_ref().ok());
        if let Some(Login { id, me: Some(me), .. }) = login {
            self.people.insert(id.clone(), me.clone());
        }
    }

    /// A login has ended: said once for an account, with a button, however many repositories it is for.
    /// `asked`: the user wants to know, so it is said again.
    pub(super) fn login_ended(
        &mut self,
        id: RepositoryId,
        sentence: &str,
        asked: bool,
        out: &mut Vec<Effect>,
    ) {
        let login = self.repositories.get(&id).and_then(|state| state.discovery.login.as_ref().ok());
        let Some(login) = login else { return };
        let way = login.way;
        let text = match self.accounts.len() {
            0 | 1 => sentence.to_owned(),
            _ => format!("{}: {sentence}", plain(&login.name, 80)),
        };
        if self.said.insert(text.clone()) || asked {
            let button = match way {
                LoginWay::OAuth => SIGN_IN,
                LoginWay::Token | LoginWay::Environment => ADD_TOKEN,
            };
            out.push(Effect::Ask {
                question: Question::SignInAgain(way),
                text,
                choices: vec![button.into()],
            });
        }
    }
}

/// The same name twice would be one choice.
fn distinct(names: Vec<String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let name = plain(&name, 80);
        let same = distinct.iter().filter(|known| known.split(" (").next() == Some(&name)).count();
        distinct.push(if same == 0 { name } else { format!("{name} ({})", same + 1) });
    }
    distinct
}

/// How to sign in where there is no OAuth consumer, on one screen.
fn guide(callback_url: &str, scopes: &[&str], token_scopes: &[&str]) -> String {
    let code = |words: &[&str]| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let mut text = String::from("# Bitbucket: how to sign in\n\n");
    let _ = write!(
        text,
        "## With an API token (two minutes)\n\n\
         1. Make one at [id.atlassian.com]({TOKEN_PAGE}): *Create API token with scopes*, app Bitbucket.\n\
         2. Tick {}.\n\
         3. Run *Bitbucket: Add Token*, or `bitbucket-lsp auth token` at a terminal.\n\n\
         It lasts for a year at most, and you choose how long.\n\n",
        code(token_scopes)
    );
    let _ = write!(
        text,
        "## With Generate Token (OAuth, made once, lasts)\n\n\
         Bitbucket gives tokens to OAuth consumers only, and a program whose source is open cannot keep a consumer's \
         secret. So make one of your own:\n\n\
         1. On Bitbucket, in the settings of a workspace of yours: *OAuth consumers*, *Add consumer*.\n\
         2. Callback URL: `{}`. Leave *This is a private consumer* off.\n\
         3. Permissions: {}.\n\
         4. Run `bitbucket-lsp auth consumer` at a terminal and give it the key and the secret.\n\
         5. Run *Bitbucket: Generate Token* again.\n",
        callback_url,
        code(scopes)
    );
    text
}

fn inform(sentence: &str, out: &mut Vec<Effect>) {
    out.push(Effect::Message(MessageKind::Info, sentence.to_owned()));
}

fn warn(sentence: &str, out: &mut Vec<Effect>) {
    out.push(Effect::Message(MessageKind::Warning, sentence.to_owned()));
}
