//! Logins: who is signed in, what changes with it, and ways in; not where tokens are kept.

use super::*;

#[test]
fn signed_out_is_a_state_and_asks_nothing_of_the_network() {
    let mut case = Case::new();
    let discovery = Discovery { login: Err("Sign in.".into()), ..discovery("discounts") };
    case.send(discovered(discovery));
    assert_eq!((case.find(), case.messages()), (None, vec!["Sign in."]));
    case.command(Command::Refresh, Target::default());
    assert_eq!(case.find(), None);
    case.command(Command::ShowPullRequest, Target::default());
    assert_eq!(case.messages(), ["Sign in."]);
}

#[test]
fn who_you_are_may_be_told_late_and_counts_at_once() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let me = User { uuid: Some("{1}".into()), display_name: "Ana".into(), ..User::default() };
    case.send(Event::Identified("1:ana".into(), Ok(me)));
    assert_eq!(case.published().len(), 1, "Ana is You now");
    let mut case = Case::new();
    case.send(discovered(discovery("discounts")));
    case.send(Event::Identified("1:ana".into(), Err(unreachable())));
    let generation = case.session.repositories[&REPOSITORY].generation;
    case.send(Event::Found(REPOSITORY, generation, Err(unreachable())));
    case.command(Command::Refresh, Target::default());
    assert!(
        case.effects.iter().any(|effect| matches!(effect, Effect::Identify(_))),
        "asked again after an outage"
    );
}

#[test]
fn another_account_reads_anew_and_signing_out_takes_away_without_a_word() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let accounts = || vec![("1:ana".to_owned(), "Ana".to_owned())];
    case.send(Event::Accounts(accounts(), vec![(REPOSITORY, Ok(login("1:ana")))]));
    assert_eq!((case.find(), case.published()), (None, vec![]), "nothing has changed");
    case.send(Event::Accounts(accounts(), vec![(REPOSITORY, Ok(login("2:ben")))]));
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![])]);
    assert!(case.find().is_some());
    case.send(Event::Accounts(Vec::new(), vec![(REPOSITORY, Err("Sign in.".into()))]));
    assert_eq!((case.find(), case.messages()), (None, vec![]));
    case.command(Command::ShowPullRequest, Target::default());
    assert_eq!(case.messages(), ["Sign in."]);
    case.send(Event::Accounts(accounts(), vec![(REPOSITORY, Ok(login("1:ana")))]));
    assert!(case.find().is_some());
}

#[test]
fn a_login_that_has_ended_is_one_question_whatever_the_number_of_repositories() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let ended = || Problem {
        trouble: Trouble::NeedsLogin,
        sentence: "Your login has ended.".into(),
        retry_after: None,
    };
    case.poll();
    let generation = case.probe().expect("a probe");
    case.send(Event::Probed(REPOSITORY, generation, Err(ended())));
    let expected = (
        Question::SignInAgain(LoginWay::OAuth),
        "Your login has ended.".to_owned(),
        vec!["Sign In".to_owned()],
    );
    assert_eq!((questions(&case), case.messages()), (vec![expected.clone()], vec![]));
    assert!(case.session.repositories[&REPOSITORY].review.is_some(), "what was read stays");
    // The clock asks no more; git may, and is not told twice.
    case.poll();
    assert_eq!((case.probe(), case.find()), (None, None));
    let moved = Discovery { head: Some("b".repeat(40)), ..discovery("discounts") };
    case.send(discovered(moved));
    let generation = case.find().expect("a search");
    case.send(Event::Found(REPOSITORY, generation, Err(ended())));
    assert_eq!(questions(&case), vec![]);
    // The user's own question is answered each time; the answer begins a sign-in.
    case.command(Command::Refresh, Target::default());
    let generation = case.find().expect("a search");
    case.send(Event::Found(REPOSITORY, generation, Err(ended())));
    assert_eq!(questions(&case), vec![expected]);
    case.send(Event::Answered(Question::SignInAgain(LoginWay::OAuth), Some(0)));
    assert!(case.effects.iter().any(|effect| matches!(effect, Effect::SignIn(SignInId(1), _))));
    case.send(Event::Answered(Question::SignInAgain(LoginWay::OAuth), None));
    assert!(!case.effects.iter().any(|effect| matches!(effect, Effect::SignIn(..))));
}

#[test]
fn only_the_latest_sign_in_is_heard_and_its_progress_always_ends() {
    let mut case = Case::new();
    let progress = |case: &Case| -> Vec<(u64, bool)> {
        let step = |effect: &Effect| match effect {
            Effect::Progress(Work::SignIn(SignInId(id)), step) => {
                Some((*id, matches!(step, ProgressStep::Begin(_))))
            }
            _ => None,
        };
        case.effects.iter().filter_map(step).collect()
    };
    case.command(Command::GenerateToken, Target::default());
    assert_eq!(progress(&case), [(1, true)]);
    case.command(Command::GenerateToken, Target::default());
    assert_eq!(progress(&case), [(1, false), (2, true)]);
    let waiting = || SignInStep::Waiting { page: "https://p".into(), redirect: Some("http://r".into()) };
    case.send(Event::SignIn(SignInId(1), waiting()));
    assert!(case.effects.is_empty(), "{:?}", case.effects);
    case.send(Event::SignIn(SignInId(2), waiting()));
    assert!(
        matches!(&case.effects[..], [Effect::Message(..), Effect::OpenPage(page)] if page == "https://p")
    );
    case.send(Event::CancelSignIn(SignInId(1)));
    assert!(case.effects.is_empty());
    case.send(Event::CancelSignIn(SignInId(2)));
    assert!(matches!(&case.effects[..], [Effect::CancelSignIn]));
    case.send(Event::SignIn(SignInId(2), SignInStep::Cancelled));
    assert_eq!(progress(&case), [(2, false)]);
    // Who is signed in all the same is told so.
    case.send(Event::SignIn(SignInId(2), SignInStep::Done("late".into())));
    assert_eq!((progress(&case), case.messages()), (vec![], vec!["late"]));
}

#[test]
fn accounts_with_one_name_are_told_apart_in_questions() {
    let mut case = Case::new();
    let accounts = ["1", "2", "3"].map(|id| (id.to_owned(), "Ana".to_owned())).to_vec();
    case.send(Event::Accounts(accounts, Vec::new()));
    case.command(Command::SignOut, Target::default());
    let (question, _, choices) = questions(&case).remove(0);
    assert_eq!(choices, ["Ana", "Ana (2)", "Ana (3)"]);
    case.send(Event::Answered(question, Some(2)));
    assert!(matches!(&case.effects[..], [Effect::SignOut(id)] if id == "3"));
}

fn questions(case: &Case) -> Vec<(Question, String, Vec<String>)> {
    let question = |effect: &Effect| match effect {
        Effect::Ask { question, text, choices } => Some((question.clone(), text.clone(), choices.clone())),
        _ => None,
    };
    case.effects.iter().filter_map(question).collect()
}
