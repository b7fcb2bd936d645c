//! Folders and repositories come and go: what is looked at, and what leaves along; not how a branch is read.

use super::*;

#[test]
fn settings_that_come_before_the_repository_was_found_count_for_it() {
    let mut case = Case::new();
    case.send(Event::Settings(json!({ "preferredRemotes": ["fork"] })));
    let again = case.effects.iter().any(|effect| match effect {
        Effect::Discover { preferred_remotes, .. } => preferred_remotes == &["fork"],
        _ => false,
    });
    assert!(again, "the folder is looked at by the new order");
}

#[test]
fn a_repository_of_somebody_else_gets_no_network() {
    let mut case = Case::new();
    let discovery =
        Discovery { trusted: false, remarks: vec!["It is not yours.".into()], ..discovery("discounts") };
    case.send(discovered(discovery));
    assert_eq!(case.find(), None);
}

#[test]
fn a_folder_that_is_closed_takes_its_diagnostics_along() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.send(Event::Folders(vec![], vec![ROOT.into()]));
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![])]);
    assert!(case.effects.iter().any(|effect| matches!(effect, Effect::Forget(REPOSITORY))));
}

#[test]
fn a_repository_whose_folder_was_closed_while_it_was_looked_at_is_let_go() {
    let mut case = Case::new();
    case.send(Event::Folders(Vec::new(), vec![ROOT.into()]));
    case.send(discovered(discovery("discounts")));
    assert!(matches!(case.effects[..], [Effect::Forget(REPOSITORY)]), "{:?}", case.effects);
}

#[test]
fn a_repository_that_is_let_go_of_takes_its_progress_along() {
    let mut case = Case::new();
    case.send(discovered(discovery("discounts")));
    let generation = case.find().unwrap();
    case.send(Event::Timer(Timer::StillBusy(REPOSITORY, generation)));
    case.send(Event::Folders(vec![], vec![ROOT.into()]));
    assert!(
        case.effects.iter().any(|effect| matches!(
            effect,
            Effect::Progress(Work::Repository(REPOSITORY), ProgressStep::End)
        ))
    );
}

#[test]
fn a_repository_that_was_deleted_takes_what_is_shown_along() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.send(Event::Discovered(ROOT.into(), Err("There is no repository any more.".into())));
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![])]);
    assert!(case.effects.iter().any(|effect| matches!(effect, Effect::Forget(REPOSITORY))));
}
