//! Drafts in the editor: what is said of them, and of commands that find none.

use super::*;
use crate::writing::{About, DraftFile, DraftName, DraftState, Ending, Sent};
use pull_request::draft::{END, Intent};

const URI: &str = "file:///state/drafts/comment-1.md";

fn draft(state: DraftState) -> DraftFile {
    DraftFile {
        name: DraftName("comment-1".into()),
        path: "/state/drafts/comment-1.md".into(),
        about: Some(About {
            repository: name(),
            pull_request: PullRequestId(4),
            title: "Discounts".into(),
            account: "1:ana".into(),
            root: ROOT.into(),
            intent: Intent::Comment(Subject::PullRequest),
            base: None,
        }),
        state,
        changed: NOW,
        text: format!("Nice.\n\n{END}\n"),
    }
}

/// What is said in the draft's document, if it was said anew.
fn said(case: &Case) -> Option<Vec<String>> {
    case.effects.iter().rev().find_map(|effect| match effect {
        Effect::Publish { uri: Some(uri), diagnostics, .. } if uri == URI => {
            Some(diagnostics.iter().map(|one| one.message.clone()).collect())
        }
        _ => None,
    })
}

fn messages(case: &Case) -> Vec<String> {
    let message = |effect: &'_ Effect| match effect {
        Effect::Message(_, text) => Some(text.clone()),
        _ => None,
    };
    case.effects.iter().filter_map(message).collect()
}

#[test]
fn a_draft_that_was_not_sent_says_why_while_it_is_open() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.send(Event::Drafts(vec![draft(DraftState::Draft)]));
    let text = draft(DraftState::Draft).text;
    let path = draft(DraftState::Draft).path;
    case.send(Event::Opened { uri: URI.into(), path: Some(path), version: 1, text });
    case.command(Command::SendDraft, Target { uri: Some(URI.into()), ..Target::default() });
    let id = case.effects.iter().find_map(|effect| match effect {
        Effect::Send(sending) => Some(sending.id),
        _ => None,
    });
    let sentence = "The connection broke off.".to_owned();
    let ending = Ending::Unknown { sentence: sentence.clone(), looked: false };
    let sent = Sent { draft: Some(draft(DraftState::Unknown(sentence.clone()))), remark: None, ending };
    case.send(Event::Sent(id.expect("it is sent"), Box::new(sent)));
    assert_eq!(said(&case), Some(vec![sentence]));
}

#[test]
fn where_there_is_no_draft_sending_says_so() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.open("cart.py", CODE);
    case.command(Command::SendDraft, Target::default());
    assert_eq!(messages(&case), ["There is no such draft; Bitbucket: Show Drafts lists them."]);
}

#[test]
fn a_draft_of_another_account_is_not_sent_by_this_one() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let mut other = draft(DraftState::Draft);
    other.about.as_mut().unwrap().account = "another".into();
    case.send(Event::Drafts(vec![other]));
    case.command(Command::SendDraft, Target { draft: Some("comment-1".into()), ..Target::default() });
    assert!(!case.effects.iter().any(|effect| matches!(effect, Effect::Send(_))));
    let told = case.effects.iter().any(
        |effect| matches!(effect, Effect::Message(_, text) if text.contains("begun with another account")),
    );
    assert!(told, "{:?}", case.effects);
}
