//! While Bitbucket cannot be reached, refuses or asks to wait: what stays, what is said, when the next try is.

use super::*;

#[test]
fn while_offline_comments_stay_quietly_and_the_wait_grows() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.open("cart.py", CODE);
    let mut waits = Vec::new();
    for _ in 0..6 {
        case.poll();
        let generation = case.probe().unwrap();
        case.send(Event::Probed(REPOSITORY, generation, Err(unreachable())));
        assert_eq!((case.messages(), case.published()), (vec![], vec![]));
        waits.push(case.polls()[0].0);
    }
    assert_eq!(waits, [120, 240, 480, 600, 600, 600]);
    let (reply, mut hover) = oneshot::channel();
    case.send(Event::Hover(uri("cart.py"), Position { line: 2, character: 0 }, reply));
    let hover = hover.try_recv().unwrap().expect("still there").markdown;
    assert!(hover.contains("comment 1") && hover.contains("offline"), "{hover}");
}

#[test]
fn while_there_is_nothing_to_show_yet_the_next_try_is_soon() {
    let mut case = Case::new();
    case.send(discovered(discovery("discounts")));
    let mut waits = Vec::new();
    for _ in 0..5 {
        let generation = case.find().expect("a try");
        case.send(Event::Found(REPOSITORY, generation, Err(unreachable())));
        assert_eq!(case.messages(), Vec::<&str>::new());
        let (wait, timer) = case.polls().pop().expect("another try");
        waits.push(wait);
        case.send(Event::Timer(timer));
    }
    assert_eq!(waits, [20, 40, 80, 160, 600]);
}

#[test]
fn a_request_to_wait_is_obeyed() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.poll();
    let generation = case.probe().unwrap();
    let problem = Problem { retry_after: Some(5_000), ..unreachable() };
    case.send(Event::Probed(REPOSITORY, generation, Err(problem)));
    assert_eq!(case.polls()[0].0, 5_000);
}

#[test]
fn refused_credentials_are_said_once_and_not_tried_by_the_clock() {
    let mut case = Case::new();
    case.send(discovered(discovery("discounts")));
    let refused =
        Problem { trouble: Trouble::Refused, sentence: "Your token is wrong.".into(), retry_after: None };
    let generation = case.find().unwrap();
    case.send(Event::Found(REPOSITORY, generation, Err(refused.clone())));
    assert_eq!(case.messages(), ["Your token is wrong."]);
    case.poll();
    assert_eq!(case.find(), None);
    case.command(Command::Refresh, Target::default());
    let generation = case.find().expect("a command does try");
    case.send(Event::Found(REPOSITORY, generation, Err(refused)));
    assert_eq!(case.messages(), ["Your token is wrong."]);
}

#[test]
fn refused_while_a_review_is_shown_it_is_not_probed_for_ever() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let poll = |case: &mut Case| {
        case.poll();
        case.probe()
    };
    let generation = poll(&mut case).expect("a probe");
    let refused = Problem { trouble: Trouble::Refused, sentence: "Revoked.".into(), retry_after: None };
    case.send(Event::Probed(REPOSITORY, generation, Err(refused)));
    assert_eq!(case.messages(), ["Revoked."]);
    assert_eq!(poll(&mut case), None);
}
