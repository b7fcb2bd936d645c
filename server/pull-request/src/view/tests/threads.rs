//! Threads as diagnostics, lenses, hints and hovers.

use std::fmt::Write as _;

use expect_test::expect;

use super::*;
use crate::view::action::ThreadAction;
use crate::view::diagnostic::{Diagnostic, diagnostic};

pub(super) fn draw(it: Option<Diagnostic>) -> String {
    let Some(it) = it else { return "nothing\n".into() };
    let faded = if it.unnecessary { " faded" } else { "" };
    let mut drawn =
        format!("{}..{} {:?}{faded}\n{}\n", it.lines.first, it.lines.last, it.severity, it.message);
    writeln!(drawn, "{} <{}>", it.code, it.code_link.unwrap_or_default()).unwrap();
    for reply in it.related {
        writeln!(drawn, "  {}: {}", reply.author, reply.text).unwrap();
    }
    drawn
}

#[test]
fn a_diagnostic_tells_who_what_and_where_from() {
    let thread = discussed();
    let placed = placed(Placement::Moved(on(9, 10)), Provenance::Diff);
    let it = PlacedThread { thread: &thread, placed: &placed, written_on_older_version: true };
    expect![[r#"
        9..10 Warning
        Ana Li: Why twice? @Cem Ak — suggestion: charge_once(); (+4 replies) · 1 open task · moved from lines 42–43
        1 <https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-1>
          Bob: Because charge may fail, see docs.
          Cem Ak: I don't think so.
          You: Nor do I. Really
          Dee: a comment that could not be read
    "#]].assert_eq(&with_reader(|reader| {
        draw(diagnostic(&it, &Options::default(), reader))
    }));
    expect!["Ana Li: Why twice? @Cem Ak — suggestion: charge_once(); · 4 replies · 1 open task · moved from lines 42–43"].assert_eq(&with_reader(|reader| lens::thread_lens(&it, reader)));
    expect!["Ana Li +4, Ana Li +4, Ana Li +4, 1 more"]
        .assert_eq(&with_reader(|reader| inlay::inlay(&[it, it, it, it], reader)));
    expect![[r#"
        Bitbucket: Reply (Ana Li: Why twice? @Cem Ak — suggestion: charge…)
        Bitbucket: Resolve thread (Ana Li: Why twice? @Cem Ak — suggestion: charge…)
        Bitbucket: Resolve thread and go to next (Ana Li: Why twice? @Cem Ak — suggestion: charge…)
        Bitbucket: Reopen thread (Ana Li: Why twice? @Cem Ak — suggestion: charge…)
        Bitbucket: Add task (Ana Li: Why twice? @Cem Ak — suggestion: charge…)
        Bitbucket: Show thread (Ana Li: Why twice? @Cem Ak — suggestion: charge…)
        Bitbucket: Open in browser (Ana Li: Why twice? @Cem Ak — suggestion: charge…)
        Bitbucket: Copy link (Ana Li: Why twice? @Cem Ak — suggestion: charge…)
    "#]]
    .assert_eq(&with_reader(|reader| {
        use ThreadAction::*;
        [Reply, Resolve, ResolveAndNext, Reopen, AddTask, Show, OpenInBrowser, CopyLink]
            .map(|action| action.title(&thread, reader) + "\n")
            .concat()
    }));
}

/// Every placement and provenance in the words of a lens, with how loud its diagnostic is.
#[test]
fn the_words_for_every_placement() {
    let line = |side| Comment { anchor: Some(anchor(side, 41, 41)), ..comment(1, 0, "Ana", 1, "Why?") };
    let lines = |side| Comment { anchor: Some(anchor(side, 41, 43)), ..comment(1, 0, "Ana", 1, "Why?") };
    let file =
        Comment { anchor: Some(Anchor { spot: Spot::File, ..anchor(Side::To, 0, 0) }), ..line(Side::To) };
    let flagged = Comment {
        anchor: Some(Anchor { outdated: Some(true), ..anchor(Side::To, 41, 41) }),
        ..line(Side::To)
    };
    let sure = Provenance::Content(Confidence::of(0.83));
    let (exact, moved) = (Placement::Exact(on(41, 41)), Placement::Moved(on(6, 6)));
    let (changed, gone) = (Placement::Changed { near: on(5, 5) }, Placement::Gone { near: 7 });
    let mut drawn = String::new();
    for (what, comment, placement, provenance, older) in [
        ("exact", line(Side::To), exact, Provenance::Diff, false),
        ("exact, older", line(Side::To), exact, Provenance::Diff, true),
        ("moved", line(Side::To), moved, Provenance::Diff, true),
        ("moved lines", lines(Side::To), Placement::Moved(on(1, 3)), Provenance::Diff, false),
        ("changed", line(Side::To), changed, Provenance::Diff, false),
        ("changed, older", line(Side::To), changed, Provenance::Diff, true),
        ("gone", line(Side::To), gone, Provenance::Diff, false),
        ("file gone", line(Side::To), Placement::FileGone, Provenance::Diff, false),
        ("flagged", flagged, exact, Provenance::Diff, false),
        ("by content", line(Side::To), moved, sure, true),
        ("by number", line(Side::To), exact, Provenance::LineNumber, true),
        ("removed", line(Side::From), gone, Provenance::Diff, false),
        ("removed lines", lines(Side::From), gone, Provenance::Diff, true),
        ("old line still there", line(Side::From), moved, Provenance::Diff, false),
        ("old line changed", line(Side::From), changed, Provenance::Diff, false),
        ("file", file, Placement::Exact(on(0, 0)), Provenance::LineNumber, true),
    ] {
        let thread = fold(vec![comment], vec![]).threads.remove(0);
        let placed = placed(placement, provenance);
        let it = PlacedThread { thread: &thread, placed: &placed, written_on_older_version: older };
        let (lens, diagnostic) = with_reader(|reader| {
            (lens::thread_lens(&it, reader), diagnostic(&it, &Options::default(), reader))
        });
        let loud =
            diagnostic.map(|it| format!("{:?}{}", it.severity, if it.unnecessary { ", faded" } else { "" }));
        writeln!(drawn, "{what:21} {lens}  [{}]", loud.unwrap_or("nothing".into())).unwrap();
    }
    expect![[r#"
        exact                 Ana: Why?  [Information]
        exact, older          Ana: Why?  [Information]
        moved                 Ana: Why? · moved from line 42  [Information]
        moved lines           Ana: Why? · moved from lines 42–44  [Information]
        changed               Ana: Why? · changed since  [Information]
        changed, older        Ana: Why? · changed since · outdated  [Hint, faded]
        gone                  Ana: Why? · outdated  [Hint, faded]
        file gone             Ana: Why? · outdated: the file is gone  [nothing]
        flagged               Ana: Why? · outdated  [Hint, faded]
        by content            Ana: Why? · moved from line 42 · found by its text, 83 % sure  [Information]
        by number             Ana: Why? · guess: by the line number alone  [Information]
        removed               Ana: Why? · removed line  [Information]
        removed lines         Ana: Why? · removed lines  [Information]
        old line still there  Ana: Why? · line 42 of the old file  [Information]
        old line changed      Ana: Why? · line 42 of the old file · changed since  [Information]
        file                  Ana: Why? · file comment  [Information]
    "#]]
    .assert_eq(&drawn);
}

#[test]
fn a_hover_shows_the_whole_thread() {
    let thread = discussed();
    let placed = placed(Placement::Changed { near: on(9, 9) }, Provenance::Content(Confidence::of(0.7)));
    let it = PlacedThread { thread: &thread, placed: &placed, written_on_older_version: false };
    expect![[r#"
        **Open thread** · line 10 · 1 open task · changed since · found by its text, 70 % sure

        Commented, lines 42–43 then:

        ```rs
            charge();
            charge();
        ```

        **Ana Li** · 2 days ago

        > **Why** twice? @Cem Ak
        >
        > ```diff
        > -    charge();
        > -    charge();
        > +    charge_once();
        > ```

        ↳ **Bob** · 3 hours ago · edited

        > Because `charge` may fail, see [docs](https://x.org).

        ↳ *deleted comment*

        ↳ **Cem Ak** to a deleted comment · 1 hour ago

        > I **don't** think so.

        ↳ **You** to Cem Ak · just now · pending, nobody else sees it yet

        > Nor do I.
        >
        > #### Really

        ↳ **Dee** · just now · *this comment could not be read in full*, [see it on Bitbucket](https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-6)

        - [ ] Charge once (Bob)
        - [x] Ask Cem (Bob)

        [Open in Bitbucket](https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-1)
    "#]].assert_eq(&(with_reader(|reader| hover::hover(&it, reader)) + "\n"));
}

#[test]
fn a_hover_of_a_resolved_thread_on_a_removed_line() {
    let resolution = Some(Resolution { user: Some(user("Bob")), on: Some(Timestamp(NOW.0 - 30 * 60)) });
    let root = Comment {
        anchor: Some(anchor(Side::From, 4, 5)),
        resolution,
        ..comment(1, 0, "Ana", 26, "Keep ```` this.")
    };
    let thread = fold(vec![root], vec![]).threads.remove(0);
    let placed = Placed {
        commented: Some("```\n````".into()),
        ..placed(Placement::Gone { near: 3 }, Provenance::Diff)
    };
    let it = PlacedThread { thread: &thread, placed: &placed, written_on_older_version: false };
    expect![[r#"
        **Resolved thread** · near line 4 · removed lines

        The old file's lines 5–6:

        `````rs
        ```
        ````
        `````

        Resolved by Bob · 30 minutes ago

        **Ana** · 1 day ago

        > Keep \`\`\`\` this.

        [Open in Bitbucket](https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-1)
    "#]]
    .assert_eq(&(with_reader(|reader| hover::hover(&it, reader)) + "\n"));
}

#[test]
fn what_the_user_wants_to_see() {
    let thread =
        |root: Comment, tasks| fold(vec![root, comment(2, 1, "Bot", 1, "ok")], tasks).threads.remove(0);
    let root = Comment { anchor: Some(anchor(Side::To, 1, 1)), ..comment(1, 0, "Ana", 1, "Why?") };
    let open = thread(root.clone(), vec![]);
    let resolved = thread(
        Comment { resolution: Some(Resolution::default()), ..root.clone() },
        vec![task(1, 1, "", false)],
    );
    let tasked = thread(root, vec![task(1, 1, "Do", false), task(2, 1, "Done", true)]);
    let exact = placed(Placement::Exact(on(1, 1)), Provenance::Diff);
    let gone = placed(Placement::Gone { near: 0 }, Provenance::Diff);
    let see = |thread: &Thread, placed: &Placed, options: &Options| {
        let it = PlacedThread { thread, placed, written_on_older_version: false };
        with_reader(|reader| diagnostic(&it, options, reader)).map(|it| (it.severity, it.unnecessary))
    };
    let quiet = Options { show_outdated: false, ..Options::default() };
    let all = Options { show_resolved: true, severity: Severity::Error, ..Options::default() };
    assert_eq!(see(&open, &exact, &quiet), Some((Severity::Information, false)));
    assert_eq!(see(&open, &exact, &all), Some((Severity::Error, false)));
    assert_eq!(see(&open, &gone, &quiet), None);
    assert_eq!(see(&open, &gone, &all), Some((Severity::Hint, true)));
    assert_eq!(see(&resolved, &exact, &quiet), None);
    assert_eq!(see(&resolved, &exact, &all), Some((Severity::Hint, false)));
    assert_eq!(see(&tasked, &exact, &quiet), Some((Severity::Warning, false)));
    assert_eq!(see(&tasked, &exact, &all), Some((Severity::Error, false)), "never less than any open thread");
    assert_eq!(see(&tasked, &gone, &all), Some((Severity::Warning, true)));

    let ignoring = |authors: &[&str]| Options {
        ignore_authors: authors.iter().map(|it| it.to_string()).collect(),
        ..Options::default()
    };
    assert!(see(&open, &exact, &ignoring(&["bot"])).is_some(), "Ana wrote too");
    assert!(see(&open, &exact, &ignoring(&[" BOT", "ANA"])).is_none(), "by name, in either case");
    assert!(see(&open, &exact, &ignoring(&["557058:bot", "{ana}"])).is_none(), "by id");
    assert!(see(&open, &exact, &ignoring(&["", "@me"])).is_some());
    let mine = fold(vec![Comment { anchor: open.anchor.clone(), ..comment(1, 0, "Me", 1, "") }], vec![]);
    assert!(see(&mine.threads[0], &exact, &ignoring(&["@me"])).is_none());
}

#[test]
fn a_general_thread_has_no_place() {
    let thread = fold(vec![comment(1, 0, "Ana", 1, "Hi")], vec![]).threads.remove(0);
    let placed = placed(Placement::Exact(on(0, 0)), Provenance::Diff);
    let it = PlacedThread { thread: &thread, placed: &placed, written_on_older_version: false };
    assert_eq!(with_reader(|reader| diagnostic(&it, &Options::default(), reader)), None);
}

#[test]
fn names_are_never_empty() {
    let named = |display_name: &str, nickname: Option<&str>| User {
        display_name: display_name.into(),
        nickname: nickname.map(String::from),
        ..User::default()
    };
    with_reader(|reader| {
        assert_eq!(reader.name(Some(&user("Me"))), "You");
        assert_eq!(reader.name(Some(&named("\u{3164}", Some("ana")))), "ana");
        assert_eq!(reader.name(Some(&named(" ", None))), "Someone");
        assert_eq!(reader.name(None), "Deleted account");
    });
}

#[test]
fn suggestions_in_hovers_are_not_compared_to_half_of_the_lines() {
    let thread = discussed();
    let cut = Placed {
        commented: Some("charge();\n…".into()),
        ..placed(Placement::Exact(on(41, 42)), Provenance::Diff)
    };
    let it = PlacedThread { thread: &thread, placed: &cut, written_on_older_version: false };
    let hover = with_reader(|reader| hover::hover(&it, reader));
    assert!(hover.contains("```suggestion"), "{hover}");
}

#[test]
fn long_threads_are_counted_where_they_are_cut() {
    let root = Comment { anchor: Some(anchor(Side::To, 1, 1)), ..comment(1, 0, "Ana", 1, "Why?") };
    let replies = (2..=300).map(|id| comment(id, 1, "Bob", 1, "Because."));
    let tasks = (1..=300).map(|id| task(id, 1, "Do", false)).collect();
    let thread = fold(std::iter::once(root).chain(replies).collect(), tasks).threads.remove(0);
    let placed = placed(Placement::Exact(on(1, 1)), Provenance::Diff);
    let it = PlacedThread { thread: &thread, placed: &placed, written_on_older_version: false };
    let hover = with_reader(|reader| hover::hover(&it, reader));
    assert!(hover.contains("… 200 more comments, [see them on Bitbucket](https://"), "{hover}");
    assert!(hover.contains("- … 200 more tasks"), "{hover}");
    let related = with_reader(|reader| diagnostic(&it, &Options::default(), reader)).unwrap().related;
    assert_eq!(related.len(), 50);
}
