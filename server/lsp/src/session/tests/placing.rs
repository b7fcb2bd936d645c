//! Comments on text that changes: typing, saving, closing, and placings that typing outran; not how a place is found.

use super::*;

#[test]
fn typing_above_moves_a_comment_at_once_and_typing_elsewhere_publishes_nothing() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.open("cart.py", CODE);
    case.edit("cart.py", 2, (0, 0), (0, 0), "zero\n");
    assert_eq!(case.published(), [("cart.py".to_owned(), Some(2), vec![3])]);
    case.edit("cart.py", 3, (5, 4), (5, 4), "!");
    assert_eq!(case.published(), []);
    assert!(!case.effects.iter().any(|effect| matches!(effect, Effect::RefreshLenses)));
}

#[test]
fn a_commented_line_that_grows_is_marked_to_its_end_once_typing_pauses() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 1)]);
    case.open("cart.py", CODE);
    let length = u32::try_from(CODE.lines().nth(1).unwrap().len()).unwrap();
    let end = |case: &Case| {
        case.effects.iter().find_map(|effect| match effect {
            Effect::Publish { diagnostics, .. } => Some(diagnostics[0].end),
            _ => None,
        })
    };
    case.edit("cart.py", 2, (1, 0), (1, 0), "  ");
    let at_once = end(&case);
    case.send(Event::Timer(Timer::TypingPaused(uri("cart.py"), 2)));
    assert_eq!(end(&case).or(at_once), Some((1, length + 2)));
}

#[test]
fn a_burst_of_edits_is_published_once() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.open("cart.py", CODE);
    let at = |line| Position { line, character: 0 };
    for version in 2..10 {
        let change = Change { range: Some((at(0), at(0))), text: "new\n".into() };
        let effects = case.session.handle(Event::Changed(uri("cart.py"), version, vec![change]), NOW);
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Publish { .. })));
    }
    case.effects = case.session.settle(NOW);
    assert_eq!(case.published(), [("cart.py".to_owned(), Some(9), vec![10])]);
}

#[test]
fn a_placing_that_typing_outran_does_not_put_comments_back() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.open("cart.py", CODE);
    let saved = case.session.handle(Event::Saved(uri("cart.py")), NOW);
    let Some(Effect::Place(placing)) = saved.into_iter().find(|effect| matches!(effect, Effect::Place(_)))
    else {
        panic!("saving places anew");
    };
    case.edit("cart.py", 2, (0, 0), (0, 0), "zero\n");
    let places = placing.threads.iter().map(|thread| (thread.thread, on_its_line(thread))).collect();
    case.send(Event::Placed(REPOSITORY, placing.generation, vec![("cart.py".into(), 1)], places));
    assert_eq!(case.published(), []);
    let (reply, mut lenses) = oneshot::channel();
    case.send(Event::Lenses(uri("cart.py"), reply));
    let lines: Vec<u32> = lenses.try_recv().unwrap().iter().map(|lens| lens.line).collect();
    assert_eq!(lines, [0, 3, 3, 3], "the thread's, and two to answer it");
}

#[test]
fn a_thread_that_typing_outran_is_placed_after_a_pause() {
    let mut case = Case::new();
    case.send(Event::Opened { uri: uri("cart.py"), path: None, version: 1, text: CODE.into() });
    case.send(discovered(discovery("discounts")));
    let generation = case.find().expect("a search");
    let location = Location { repository: REPOSITORY, path: "cart.py".into(), is_new: false };
    case.send(Event::Belongs(uri("cart.py"), Some(location)));
    let pull_requests = vec![(name(), pull_request(4))];
    let found = Found { pull_requests, ended: None, explanation: Vec::new() };
    case.send(Event::Found(REPOSITORY, generation, Ok(found)));
    case.answer_load(vec![comment(1, "cart.py", 2)]);
    let placing = case.placing();
    case.edit("cart.py", 2, (0, 0), (0, 0), "zero\n");
    case.answer_place(&placing);
    assert_eq!(case.published(), [], "its line is not known for this text");
    let again = case.effects.iter().find_map(|effect| match effect {
        Effect::After(_, timer @ Timer::PlaceAgain(..)) => Some(timer.clone()),
        _ => None,
    });
    case.send(Event::Timer(again.expect("another try")));
    case.place();
    assert_eq!(case.published(), [("cart.py".to_owned(), Some(2), vec![2])]);
}

#[test]
fn a_placing_on_unsaved_text_that_is_closed_meanwhile_does_not_count() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.open("cart.py", CODE);
    case.edit("cart.py", 2, (0, 0), (0, 0), "zero\n");
    case.send(Event::Saved(uri("cart.py")));
    let mut unsaved = case.placing();
    case.send(Event::Closed(uri("cart.py")));
    case.place();
    let on_disk = case.published();
    // Its outcome, line 40, comes last; and also after the file was opened again, with versions from 1.
    let Spot::Lines(side, _) = unsaved.threads[0].anchor.spot else { panic!("lines") };
    let mut threads = unsaved.threads.as_ref().clone();
    threads[0].anchor.spot = Spot::Lines(side, LineRange::line(40));
    unsaved.threads = std::sync::Arc::new(threads);
    case.answer_place(&unsaved);
    assert_eq!(case.published(), []);
    case.open("cart.py", CODE);
    case.edit("cart.py", 2, (4, 0), (4, 0), "x");
    case.answer_place(&unsaved);
    assert_eq!(case.published(), []);
    assert_eq!(on_disk, [("cart.py".to_owned(), None, vec![2])]);
}

#[test]
fn closing_without_saving_goes_back_to_the_file_on_disk() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.open("cart.py", CODE);
    case.edit("cart.py", 2, (0, 0), (0, 0), "zero\n");
    case.send(Event::Closed(uri("cart.py")));
    case.place();
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![2])]);
}

#[test]
fn a_file_that_is_not_in_the_commit_may_be_a_commented_one_that_was_moved() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let file = Some(PathBuf::from(ROOT).join("basket.py"));
    case.send(Event::Opened { uri: uri("basket.py"), path: file, version: 1, text: CODE.into() });
    let location = Location { repository: REPOSITORY, path: "basket.py".into(), is_new: true };
    case.send(Event::Belongs(uri("basket.py"), Some(location)));
    assert_eq!(case.placing().threads.len(), 1);
}
