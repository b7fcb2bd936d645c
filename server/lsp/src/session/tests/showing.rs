//! What is shown, hidden, walked through and copied of a review that was read; not how it is worded.

use super::*;

#[test]
fn from_a_folder_to_a_diagnostic_over_the_whole_workspace() {
    let case = Case::with_review(vec![comment(1, "cart.py", 2), comment(2, "receipt.py", 0)]);
    let expected = [("cart.py".to_owned(), None, vec![2]), ("receipt.py".to_owned(), None, vec![0])];
    assert_eq!(case.published(), expected);
}

#[test]
fn a_client_that_spells_a_uri_otherwise_keeps_nothing_under_the_other_spelling() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let spelled = "file:///Repositories/till/cart.py".to_owned();
    let file = Some(PathBuf::from(ROOT).join("cart.py"));
    case.send(Event::Opened { uri: spelled.clone(), path: file, version: 1, text: CODE.into() });
    let location = Location { repository: REPOSITORY, path: "cart.py".into(), is_new: false };
    case.send(Event::Belongs(spelled.clone(), Some(location)));
    let by_uri = |case: &Case| -> Vec<(String, usize)> {
        let published = |effect: &Effect| match effect {
            Effect::Publish { uri, diagnostics, .. } => Some((uri.clone().unwrap(), diagnostics.len())),
            _ => None,
        };
        case.effects.iter().filter_map(published).collect()
    };
    assert_eq!(by_uri(&case), [(uri("cart.py"), 0), (spelled.clone(), 1)]);
    case.send(Event::Closed(spelled.clone()));
    assert_eq!(by_uri(&case), [(spelled, 0), (uri("cart.py"), 1)]);
}

#[test]
fn settings_count_at_once() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.send(Event::Settings(json!({ "comments": { "enabled": false } })));
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![])]);
    case.send(Event::Settings(json!({})));
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![2])]);
    case.send(Event::Settings(json!({ "comments": { "ignoreAuthors": ["ana"] } })));
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![])]);
    case.send(Event::Settings(json!({ "token": "x" })));
    assert!(case.messages()[0].contains("not taken from the editor"));
    case.send(Event::Settings(json!({ "token": "x", "refreshInterval": 0 })));
    assert_eq!((case.messages(), case.polls()), (vec![], vec![]), "said once; and no clock");
}

#[test]
fn what_is_switched_off_is_asked_for_a_last_time() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let mut refreshes = |settings: Value| {
        case.send(Event::Settings(settings));
        let counts = |effect: &&Effect| matches!(effect, Effect::RefreshLenses | Effect::RefreshInlays);
        case.effects.iter().filter(counts).count()
    };
    assert_eq!(refreshes(json!({ "inlayHints": { "enabled": true } })), 2, "both");
    assert_eq!(
        refreshes(json!({ "inlayHints": { "enabled": false } })),
        2,
        "both: one of them for the last time"
    );
    assert_eq!(refreshes(json!({ "codeLens": { "enabled": false } })), 1, "the lenses on screen go");
    assert_eq!(refreshes(json!({ "codeLens": { "enabled": false }, "comments": { "enabled": false } })), 0);
}

#[test]
fn toggling_hides_and_shows() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.command(Command::ToggleComments, Target::default());
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![])]);
    case.command(Command::ToggleComments, Target::default());
    assert_eq!(case.published(), [("cart.py".to_owned(), None, vec![2])]);
}

#[test]
fn next_and_previous_walk_over_files_and_round_again() {
    let comments = vec![comment(1, "cart.py", 1), comment(2, "cart.py", 3), comment(3, "receipt.py", 0)];
    let mut case = Case::with_review(comments);
    case.open("cart.py", CODE);
    let mut go = |command, line| {
        let target = Target { uri: Some(uri("cart.py")), line: Some(line), ..Target::default() };
        case.command(command, target);
        case.effects.iter().find_map(|effect| match effect {
            Effect::ShowFile { path, line, .. } => {
                Some(format!("{}:{line}", path.file_name()?.to_string_lossy()))
            }
            _ => None,
        })
    };
    assert_eq!(go(Command::NextComment, 0).as_deref(), Some("cart.py:1"));
    assert_eq!(go(Command::NextComment, 1).as_deref(), Some("cart.py:3"));
    assert_eq!(go(Command::NextComment, 3).as_deref(), Some("receipt.py:0"));
    assert_eq!(go(Command::PreviousComment, 1).as_deref(), Some("receipt.py:0"));
    assert_eq!(go(Command::PreviousComment, 3).as_deref(), Some("cart.py:1"));
}

#[test]
fn next_comment_without_a_cursor_goes_on_from_its_last_stop() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 1), comment(2, "cart.py", 3)]);
    let mut go = || {
        case.command(Command::NextComment, Target::default());
        case.effects.iter().find_map(|effect| match effect {
            Effect::ShowFile { line, .. } => Some(*line),
            _ => None,
        })
    };
    assert_eq!([go(), go(), go()], [Some(1), Some(3), Some(1)]);
}

#[test]
fn copy_link_answers_with_the_thread_and_without_one_with_the_pull_request() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.open("cart.py", CODE);
    let at = |line| Target { uri: Some(uri("cart.py")), line: Some(line), ..Target::default() };
    let link = case.command(Command::CopyLink, at(2));
    assert_eq!(
        link,
        json!({ "text": "https://bitbucket.org/corner-shop/till/pull-requests/4/_/diff#comment-1" })
    );
    let link = case.command(Command::CopyLink, at(4));
    assert_eq!(link, json!({ "text": "https://bitbucket.org/corner-shop/till/pull-requests/4" }));
}
