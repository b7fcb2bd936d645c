//! What no field brings onto the screen.

use super::*;
use crate::view::action::{CommentAction, TaskAction, ThreadAction};
use crate::view::diagnostic::diagnostic;
use crate::view::invisible::hostile_characters;

/// Every field that comes from outside, filled with one text.
fn filled(with: &str) -> (PullRequest, Discussion, Vec<BuildStatus>) {
    let (mut pull_request, _, _) = sample();
    let evil_user = User {
        uuid: Some(with.into()),
        account_id: Some(with.into()),
        display_name: with.into(),
        nickname: Some(with.into()),
    };
    pull_request.title = with.into();
    pull_request.description = with.into();
    pull_request.author = Some(evil_user.clone());
    pull_request.html_url = Some(format!("https://x.org/{with}"));
    pull_request.source.branch = Some(with.into());
    pull_request.destination.branch = Some(with.into());
    for participant in &mut pull_request.participants {
        participant.user = Some(evil_user.clone());
    }
    let fill = |comment: Comment| Comment {
        author: Some(evil_user.clone()),
        raw: format!("{with}\n@{{a:b}} `{with}`\n```suggestion\n{with}\n```\n```{with}\n{with}"),
        mentions: vec![("a:b".into(), with.into())],
        anchor: comment.anchor.map(|anchor| Anchor { path: format!("{with}.{with}"), ..anchor }),
        resolution: comment.resolution.map(|_| Resolution { user: Some(evil_user.clone()), on: None }),
        html_url: Some(format!("https://x.org/{with}")),
        ..comment
    };
    let resolved = Some(Resolution::default());
    let comments = [
        Comment { anchor: Some(anchor(Side::To, 1, 2)), ..comment(1, 0, "", 1, "") },
        comment(2, 1, "", 1, ""),
        Comment { anchor: Some(anchor(Side::From, 1, 2)), resolution: resolved, ..comment(3, 0, "", 1, "") },
        comment(4, 0, "", 1, ""),
        comment(5, 4, "", 1, ""),
        Comment { unreadable: true, ..comment(6, 5, "", 1, "") },
    ];
    let tasks = [task(1, 1, with, false), task(2, 0, with, true)]
        .map(|task| Task { creator: Some(evil_user.clone()), ..task });
    let status = BuildStatus {
        key: with.into(),
        name: with.into(),
        state: BuildState::Failed,
        url: Some(format!("https://x.org/{with}")),
        description: Some(with.into()),
        updated_on: None,
    };
    (pull_request, fold(comments.map(fill).into(), tasks.into()), vec![status])
}

/// The list of drafts with one text in every field.
fn drafts(with: &str, reader: &Reader<'_>) -> Document {
    let states = [
        DraftState::Draft,
        DraftState::Sending,
        DraftState::SendingElsewhere,
        DraftState::Rejected(with.into()),
        DraftState::Unknown(with.into()),
    ];
    let rows = states.map(|state| DraftRow {
        id: "a".into(),
        title: with.into(),
        state,
        changed: NOW,
        first_words: with.into(),
    });
    let list = document::drafts(&rows, reader);
    let row = |(line, _): &(u32, String)| list.document.text.lines().nth(*line as usize).unwrap_or_default();
    assert!(list.rows.len() == 5 && list.rows.iter().map(row).all(|row| row.starts_with("- **")));
    list.document
}

/// Everything that the view makes of a filled discussion: (one-line texts, texts with lines, addresses).
fn all_output(with: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
    let (pull_request, discussion, statuses) = filled(with);
    let mut names = Names::of(discussion.threads.iter().flat_map(|thread| thread.participants()));
    names.add_mentions(discussion.threads[0].first());
    let placed = [Placement::Changed { near: on(1, 1) }, Placement::Gone { near: 1 }].map(|placement| {
        Placed { placement, provenance: Provenance::LineNumber, commented: Some(with.into()) }
    });
    let inline = discussion.threads.iter().filter(|thread| !thread.is_general());
    let placed: Vec<PlacedThread<'_>> = inline
        .zip(&placed)
        .map(|(thread, placed)| PlacedThread { thread, placed, written_on_older_version: false })
        .collect();
    assert_eq!(placed.len(), 2);
    let sending = discussion.threads.iter().flat_map(|it| &it.comments).map(|it| it.comment.id).collect();
    let reader = Reader { me: None, names: &names, now: NOW, sending: &sending };
    let options = Options { show_resolved: true, ..Options::default() };

    let (mut lines, mut texts, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
    let mut documents = vec![document::pull_request(
        &Page {
            pull_request: &pull_request,
            discussion: &discussion,
            placed: &placed,
            statuses: &statuses,
            n_unreadable: 0,
            left_out: Some(with),
            as_of: Some(with),
        },
        &reader,
    )];
    lines.push(lens::summary_lens(&pull_request, &discussion, &statuses, 1));
    lines.push(inlay::inlay(&placed, &reader));
    for it in &placed {
        let diagnostic = diagnostic(it, &options, &reader).unwrap();
        lines.extend([diagnostic.message, diagnostic.code, lens::thread_lens(it, &reader)]);
        lines.extend(diagnostic.related.into_iter().flat_map(|related| [related.author, related.text]));
        addresses.extend(diagnostic.code_link);
        lines.push(ThreadAction::CopyLink.title(it.thread, &reader));
        lines.push(CommentAction::Delete.title(it.thread.first(), &reader));
        lines.extend(it.thread.tasks.iter().map(|task| TaskAction::Complete.title(task, &reader)));
        texts.push(hover::hover(it, &reader));
        documents.push(document::thread(it.thread, Some(it), Some(&pull_request), &reader));
    }
    documents.push(drafts(with, &reader));
    for document in documents {
        assert_well_formed(&document);
        texts.push(document.text);
        addresses.extend(document.links.into_iter().filter_map(|link| match link.target {
            LinkTarget::Web(url) => Some(url),
            LinkTarget::Thread(_) => None,
        }));
        let mut symbols = document.symbols;
        while let Some(symbol) = symbols.pop() {
            lines.extend([symbol.name, symbol.detail]);
            symbols.extend(symbol.children);
        }
    }
    (lines, texts, addresses)
}

#[test]
fn no_hidden_character_in_any_field_comes_out() {
    for character in hostile_characters() {
        let (lines, texts, addresses) = all_output(&format!("a{character}b"));
        for line in lines.iter().chain(&addresses) {
            assert!(!line.contains(character), "{character:?} in {line:?}");
        }
        for text in texts {
            let stays = matches!(character, '\n' | '\t');
            assert!(stays || !text.contains(character), "{character:?} in {text:?}");
        }
    }
}

#[test]
fn no_markup_in_any_field_comes_out() {
    for evil in [
        "[x](command:y)",
        "<img src=x onerror=alert(1)>",
        "![x](https://evil.example/i.png)",
        "`</code><script>`",
        "```\n<script>\n```",
        "](command:x) [x](javascript:y",
        "x\n\n# Title\n\n<b>",
        "|a|\n|-|\n|<b>|",
        "&lt;b&gt; &#60;b&#62;",
        "**x\n- <i>",
    ] {
        let (lines, texts, addresses) = all_output(evil);
        for line in lines {
            assert!(!line.contains('\n'), "{line:?}");
        }
        for text in texts {
            markdown::tests::assert_harmless(evil, &text);
        }
        for address in addresses {
            assert_eq!(markdown::web_url(&address).as_ref(), Some(&address));
        }
    }
}
