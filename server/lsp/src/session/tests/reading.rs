//! Which refresh runs and when: searches, loads, probes, the clock, branches; not where a comment is drawn.

use super::*;

#[test]
fn one_refresh_is_in_flight_and_the_others_wait_as_one() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let mut searches = 0;
    for _ in 0..20 {
        case.command(Command::Refresh, Target::default());
        searches += usize::from(case.find().is_some());
    }
    assert_eq!(searches, 1);
    let generation = case.session.repositories[&REPOSITORY].generation;
    case.send(Event::Found(REPOSITORY, generation, Err(unreachable())));
    assert!(case.find().is_some(), "the one that waited begins");
    let generation = case.find().unwrap();
    case.send(Event::Found(REPOSITORY, generation, Err(unreachable())));
    assert_eq!(case.find(), None);
}

#[test]
fn a_probe_without_a_difference_loads_nothing_until_the_fifth() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let fresh = |comment_count| Fresh {
        updated_on: Some(NOW),
        comment_count: Some(comment_count),
        task_count: Some(0),
        commits: (Some("a".repeat(12)), None),
        open: true,
    };
    let poll = |case: &mut Case| {
        case.poll();
        case.probe().expect("a probe")
    };
    for _ in 0..4 {
        let generation = poll(&mut case);
        case.send(Event::Probed(REPOSITORY, generation, Ok(fresh(1))));
        assert_eq!(case.load(), None);
    }
    let generation = poll(&mut case);
    case.send(Event::Probed(REPOSITORY, generation, Ok(fresh(1))));
    assert!(case.load().is_some(), "a deletion is seen by loading only");
    case.answer_load(vec![]);
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![])], "deleted comments vanish");

    let generation = poll(&mut case);
    case.send(Event::Probed(REPOSITORY, generation, Ok(fresh(2))));
    assert!(case.load().is_some(), "a new comment is loaded at once");
}

#[test]
fn an_older_clock_does_not_count() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let clock = case.session.repositories[&REPOSITORY].poll_clock;
    case.command(Command::Refresh, Target::default());
    case.answer_find(vec![pull_request(4)]);
    case.answer_load(vec![]);
    case.send(Event::Timer(Timer::Poll(REPOSITORY, clock)));
    assert_eq!((case.probe(), case.find()), (None, None));
}

#[test]
fn a_branch_without_a_pull_request_is_asked_for_seldom() {
    let mut case = Case::new();
    case.send(discovered(discovery("discounts")));
    case.answer_find(vec![]);
    assert_eq!(case.polls()[0].0, 300);
}

#[test]
fn which_pull_request_was_the_last_is_asked_once_and_not_by_the_clock() {
    let mut case = Case::new();
    case.send(discovered(discovery("discounts")));
    assert_eq!(case.explains(), Some(true));
    let merged = PullRequest { state: PullRequestState::Merged, ..pull_request(3) };
    let found = Found { pull_requests: Vec::new(), ended: Some(vec![merged]), explanation: Vec::new() };
    let generation = case.find().unwrap();
    case.send(Event::Found(REPOSITORY, generation, Ok(found)));
    case.poll();
    assert_eq!(case.explains(), Some(false));
    case.answer_find(vec![]);
    assert_eq!(case.session.repositories[&REPOSITORY].ended.len(), 1, "it is known still");
    case.command(Command::Refresh, Target::default());
    assert_eq!(case.explains(), Some(true));
    case.answer_find(vec![pull_request(4)]);
    assert_eq!(case.session.repositories[&REPOSITORY].ended, [], "it is not the last any more");
}

#[test]
fn a_search_that_ends_a_review_leaves_the_clock_running_and_what_waits_begins() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.command(Command::Refresh, Target::default());
    let generation = case.find().expect("a search");
    case.command(Command::Refresh, Target::default());
    let found = Found { pull_requests: Vec::new(), ended: None, explanation: Vec::new() };
    case.send(Event::Found(REPOSITORY, generation, Ok(found)));
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![])]);
    assert_eq!(case.polls().len(), 1, "the clock runs on");
    assert!(case.find().is_some(), "the one that waited begins");
}

#[test]
fn a_pull_request_that_is_no_longer_there_is_looked_for_anew() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.poll();
    let generation = case.probe().expect("a probe");
    let gone = Problem { trouble: Trouble::NotFound, sentence: "Not there.".into(), retry_after: None };
    case.send(Event::Probed(REPOSITORY, generation, Err(gone)));
    assert!(case.find().is_some());
}

#[test]
fn of_several_pull_requests_the_newest_is_shown_and_another_can_be_picked() {
    let mut case = Case::new();
    case.send(discovered(discovery("discounts")));
    case.answer_find(vec![pull_request(9), pull_request(4)]);
    assert!(case.effects.iter().any(|effect| matches!(effect, Effect::Load { id: PullRequestId(9), .. })));
    case.command(Command::SwitchPullRequest, Target::default());
    let asked = case.effects.iter().find_map(|effect| match effect {
        Effect::Ask { choices, .. } => Some(choices.len()),
        _ => None,
    });
    assert_eq!(asked, Some(2));
    case.command(Command::SwitchPullRequest, Target { pull_request: Some(77), ..Target::default() });
    assert!(case.messages()[0].contains("#77"));
    let question = Question::PullRequest(REPOSITORY, vec![PullRequestId(7), PullRequestId(4)]);
    case.send(Event::Answered(question, Some(1)));
    case.answer_find(vec![pull_request(9), pull_request(4)]);
    assert!(case.effects.iter().any(|effect| matches!(effect, Effect::Load { id: PullRequestId(4), .. })));
}

#[test]
fn another_branch_takes_the_comments_away_and_looks_for_its_own() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.send(discovered(discovery("main")));
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![])]);
    assert!(case.find().is_some());
    case.answer_find(vec![]);
    case.command(Command::ShowPullRequest, Target::default());
    assert_eq!(case.messages(), ["This branch has no pull request on Bitbucket yet."]);
}

#[test]
fn what_was_in_flight_for_the_old_branch_is_not_shown_on_the_new_one() {
    let mut case = Case::new();
    case.send(discovered(discovery("discounts")));
    case.answer_find(vec![pull_request(4)]);
    let old = case.load().unwrap();
    case.send(discovered(discovery("main")));
    let new = case.find().expect("the new branch does not wait for the old one");
    assert_ne!(old, new);
    let loaded = loaded(vec![comment(1, "cart.py", 2)]);
    case.send(Event::Loaded(REPOSITORY, old, Ok(Box::new(loaded))));
    assert!(case.session.repositories[&REPOSITORY].review.is_none());
}

#[test]
fn a_commit_without_news_on_bitbucket_places_anew_and_loads_nothing() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let discovery = Discovery { head: Some("b".repeat(40)), ..discovery("discounts") };
    case.send(discovered(discovery));
    assert!(case.effects.iter().any(|effect| matches!(effect, Effect::Place(_))));
    case.answer_find(vec![pull_request(4)]);
    assert_eq!(case.load(), None);
}

#[test]
fn a_fetch_asks_once_whether_there_is_news() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.send(Event::GitChanged(REPOSITORY));
    assert!(case.effects.iter().any(|effect| matches!(effect, Effect::Discover { .. })));
    case.send(discovered(discovery("discounts")));
    assert!(case.find().is_some());
    case.answer_find(vec![pull_request(4)]);
    assert_eq!(case.load(), None, "there was none");
    case.send(discovered(discovery("discounts")));
    assert_eq!(case.find(), None);
}

#[test]
fn a_refresh_by_command_begins_anew_with_the_network() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let reconnects = |case: &Case| matches!(case.effects[0], Effect::Reconnect);
    case.command(Command::Refresh, Target::default());
    assert!(reconnects(&case), "before it asks");
    case.command(Command::ToggleComments, Target::default());
    assert!(!reconnects(&case));
}

#[test]
fn progress_is_shown_only_when_it_takes_long_and_never_by_the_clock() {
    let mut case = Case::new();
    case.send(discovered(discovery("discounts")));
    let generation = case.find().unwrap();
    let steps =
        |case: &Case| case.effects.iter().filter(|effect| matches!(effect, Effect::Progress(..))).count();
    case.send(Event::Timer(Timer::StillBusy(REPOSITORY, generation)));
    assert_eq!(steps(&case), 1);
    let found = Found { pull_requests: Vec::new(), ended: None, explanation: Vec::new() };
    case.send(Event::Found(REPOSITORY, generation, Ok(found)));
    assert_eq!(steps(&case), 1, "it ends");
    case.send(Event::Timer(Timer::StillBusy(REPOSITORY, generation)));
    assert_eq!(steps(&case), 0);
}
