//! The read-only documents that we write: opened, reloaded, outrun; not what stands in them.

use super::*;

#[test]
fn a_document_of_ours_that_an_editor_reloads_keeps_its_lenses() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let (path, text) = show_pull_request(&mut case);
    for _ in 0..2 {
        let uri = "file:///cache/document.md".to_owned();
        case.send(Event::Opened {
            uri: uri.clone(),
            path: Some(path.clone()),
            version: 1,
            text: text.clone(),
        });
        let (reply, mut lenses) = oneshot::channel();
        case.send(Event::Lenses(uri.clone(), reply));
        assert_eq!(titles(&lenses.try_recv().unwrap()), ["Go to code"]);
        // An editor closes and opens what it reloads.
        case.send(Event::Closed(uri));
    }
}

#[test]
fn a_document_of_ours_that_was_outrun_while_it_was_opened_is_written_anew() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    case.open("cart.py", CODE);
    case.command(Command::ShowPullRequest, Target::default());
    let written = |case: &Case| {
        case.effects.iter().find_map(|effect| match effect {
            Effect::ShowText { name, text, show, .. } => Some((name.clone(), text.clone(), *show)),
            _ => None,
        })
    };
    let (name, text, _) = written(&case).expect("a document");
    let path = PathBuf::from("/cache").join(&name);
    case.send(Event::Written(name, path.clone()));
    case.edit("cart.py", 2, (0, 0), (0, 0), "new\n");
    assert_eq!(written(&case), None, "nobody has it open");
    case.send(Event::Opened {
        uri: "file:///cache/4.md".into(),
        path: Some(path),
        version: 1,
        text: text.clone(),
    });
    let (_, anew, show) = written(&case).expect("the document anew");
    assert!(text.contains("line 3 ") && anew.contains("line 4 ") && !show, "{text} {anew}");
}

#[test]
fn a_document_of_ours_answers_for_the_text_that_is_on_screen() {
    let mut case = Case::with_review(vec![comment(1, "cart.py", 2)]);
    let (path, text) = show_pull_request(&mut case);
    let uri = "file:///cache/pull-request-4.md".to_owned();
    case.send(Event::Opened { uri: uri.clone(), path: Some(path), version: 1, text: text.clone() });
    let rows = |case: &mut Case| {
        let (reply, mut lenses) = oneshot::channel();
        case.send(Event::Lenses(uri.clone(), reply));
        lenses.try_recv().unwrap().iter().map(|lens| lens.line).collect::<Vec<u32>>()
    };
    let before = rows(&mut case);
    assert_eq!(before.len(), 1);
    // Another thread above it moves the rows of the text that is written now, but not of the one on screen.
    case.command(Command::Refresh, Target::default());
    case.answer_find(vec![pull_request(4)]);
    case.answer_load(vec![comment(1, "cart.py", 2), comment(2, "a.py", 0)]);
    case.place();
    assert_eq!(rows(&mut case), before);
    let at = |line| Position { line, character: 0 };
    let change = Change { range: Some((at(0), at(1))), text: "something else".into() };
    case.send(Event::Changed(uri.clone(), 2, vec![change]));
    assert_eq!(rows(&mut case), Vec::<u32>::new(), "of an unknown text nothing is said");
}

fn titles(lenses: &[crate::answer::Lens]) -> Vec<&str> {
    lenses.iter().map(|lens| lens.title.as_str()).collect()
}

/// Runs Show Pull Request; the document is on disk then. Its path and text.
fn show_pull_request(case: &mut Case) -> (PathBuf, String) {
    case.command(Command::ShowPullRequest, Target::default());
    let shown = case.effects.iter().find_map(|effect| match effect {
        Effect::ShowText { name, text, .. } => Some((name.clone(), text.clone())),
        _ => None,
    });
    let (name, text) = shown.expect("a document");
    let path = PathBuf::from("/cache").join(&name);
    case.send(Event::Written(name, path.clone()));
    (path, text)
}
