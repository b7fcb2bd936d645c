//! Documents and the summary lens.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use expect_test::{Expect, expect};

use super::*;
use crate::view::diagnostic::diagnostic;

/// The document with its map in the margin.
fn draw_document(document: &Document) -> String {
    let mut drawn = String::new();
    for (line, text) in document.text.lines().enumerate() {
        let row = document.rows.iter().find(|row| row.line == line as u32);
        let margin = match row {
            Some(Row { thread: Some(thread), .. }) => thread.0.to_string(),
            Some(Row { thread: None, .. }) => "-".into(),
            None => String::new(),
        };
        writeln!(drawn, "{margin:.>3}│ {text}").unwrap();
        for link in document.links.iter().filter(|link| link.line == line as u32) {
            let target = match &link.target {
                LinkTarget::Web(url) => url.clone(),
                LinkTarget::Thread(thread) => format!("thread {}", thread.0),
            };
            let (start, length) = (link.start as usize, (link.end - link.start) as usize);
            writeln!(drawn, "...│ {:start$}{} {target}", "", "^".repeat(length)).unwrap();
        }
    }
    drawn
}

fn draw_symbols(symbols: &[Symbol], depth: usize, drawn: &mut String) {
    for symbol in symbols {
        let LineRange { first, last } = symbol.lines;
        writeln!(drawn, "{:depth$}{first}..{last} {} ({})", "", symbol.name, symbol.detail).unwrap();
        draw_symbols(&symbol.children, depth + 2, drawn);
    }
}

fn page_of(see: impl FnOnce(&Page<'_>, &Reader<'_>)) {
    let (pull_request, discussion, statuses) = sample();
    let moved = placed(Placement::Moved(on(9, 10)), Provenance::Diff);
    let gone = placed(Placement::Gone { near: 7 }, Provenance::Diff);
    let older = |root: u64, placed| PlacedThread {
        thread: discussion.thread_of(CommentId(root)).unwrap(),
        placed,
        written_on_older_version: true,
    };
    let page = Page {
        pull_request: &pull_request,
        discussion: &discussion,
        placed: &[older(1, &moved), older(20, &moved), older(21, &gone)],
        statuses: &statuses,
        n_unreadable: 2,
        left_out: Some("Bitbucket answered with an error on the third page."),
        as_of: Some("as of 5 minutes ago, offline"),
    };
    with_reader(|reader| see(&page, reader));
}

#[test]
fn a_pull_request_as_a_document() {
    page_of(|page, reader| {
        let document = document::pull_request(page, reader);
        expect![[r#"
            ...│ # #12 Add \*totals\*
            ...│ 
            ...│ **draft** · by Bob · `feature/totals` (bob/repo) → `main` (team/repo)
            ...│ 
            ...│ 1 approval · 1 change request · builds 1 ✓ 1 ✗ · 4 open threads · 2 open tasks
            ...│ 
            ...│ created 3 days ago · updated 1 hour ago · as of 5 minutes ago, offline · [Open in Bitbucket](https://bitbucket.org/team/repo/pull-requests/12)
            ...│                                                                                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ https://bitbucket.org/team/repo/pull-requests/12
            ...│ 
            ...│ **Note:** 2 comments could not be read.
            ...│ 
            ...│ **Note:** not everything is shown here: Bitbucket answered with an error on the third page.
            ...│ 
            ...│ ## Description
            ...│ 
            ...│ > Adds totals.
            ...│ >
            ...│ > - [x] tests
            ...│ > - [ ] docs
            ...│ 
            ...│ ## Reviewers (1 approval · 1 change request)
            ...│ 
            ...│ - ✓ Ana Li — approved
            ...│ - · You — no vote yet
            ...│ - ✗ Cem Ak — requested changes (not a reviewer)
            ...│ 
            ...│ ## Builds (1 ✓ 1 ✗)
            ...│ 
            ..-│ - ✓ unit — successful · 12 tests · 10 minutes ago · [Open](https://ci.example/1)
            ...│                                                            ^^^^^^^^^^^^^^^^^^^^ https://ci.example/1
            ..-│ - ✗ lint \[fast] — failed · 12 tests · 10 minutes ago
            ...│ 
            ...│ ## Tasks (2 open of 3)
            ...│ 
            ..-│ - [ ] Write the changelog (Bob)
            ..1│ - [ ] Charge once (Bob) · thread
            ...│                           ^^^^^^ thread 1
            ..1│ - [x] Ask Cem (Bob) · thread
            ...│                       ^^^^^^ thread 1
            ...│ 
            ...│ ## Comments (2 general threads)
            ...│ 
            .30│ **Ana Li** · 5 hours ago
            .30│ 
            .30│ > Nice work!
            .30│ >
            .30│ > See <https://x.org/a>.
            ...│        ^^^^^^^^^^^^^^^ https://x.org/a
            .30│ 
            .30│ ↳ **Bob** · 4 hours ago
            .30│ 
            .30│ > Thanks.
            .30│ 
            .30│ [Open in Bitbucket](https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-30)
            ...│                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-30
            ...│ 
            ...│ ***
            ...│ 
            .32│ **Resolved thread**
            .32│ 
            .32│ **You** · 3 hours ago
            .32│ 
            .32│ > Rebase?
            .32│ 
            .32│ [Open in Bitbucket](https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-32)
            ...│                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-32
            ...│ 
            ...│ ## Threads (3 open · 1 resolved · 1 outdated)
            ...│ 
            ...│ ### `README.md`
            ...│ 
            .22│ - line 1 · Cem Ak: Comment 22 · as written, not found in the code yet
            ...│   ^^^^^^ thread 22
            ...│ 
            ...│ ### `src/pay.rs`
            ...│ 
            ..1│ - lines 10–11 · Ana Li: Why twice? @Cem Ak — suggestion: charge_once(); · 4 replies · 1 open task · moved from lines 42–43
            ...│   ^^^^^^^^^^^ thread 1
            .21│ - near line 8 · Cem Ak: Comment 21 · outdated
            ...│   ^^^^^^^^^^^ thread 21
            .20│ - ✓ lines 10–11 · Cem Ak: Comment 20 · resolved · moved from line 4
            ...│     ^^^^^^^^^^^ thread 20
        "#]].assert_eq(&draw_document(&document));
        let mut symbols = String::new();
        draw_symbols(&document.symbols, 0, &mut symbols);
        expect![[r#"
            0..70 #12 Add *totals* (draft)
              12..17 Description ()
              19..23 Reviewers (1 approval · 1 change request)
              25..28 Builds (1 ✓ 1 ✗)
              30..34 Tasks (2 open of 3)
              36..58 Comments (2 general threads)
                38..48 Ana Li: Nice work! See https://x.org/a. ()
                52..58 You: Rebase? (resolved)
              60..70 Threads (3 open · 1 resolved · 1 outdated)
                62..64 README.md (1 open of 1)
                  64..64 Cem Ak: Comment 22 (line 1 · as written, not found in the code yet)
                66..70 src/pay.rs (2 open of 3)
                  68..68 Ana Li: Why twice? @Cem Ak — suggestion: charge_once(); (lines 10–11 · 4 replies · 1 open task · moved from lines 42–43)
                  69..69 Cem Ak: Comment 21 (near line 8 · outdated)
                  70..70 Cem Ak: Comment 20 (lines 10–11 · resolved · moved from line 4)
        "#]].assert_eq(&symbols);
        assert_well_formed(&document);
    });
}

#[test]
fn a_thread_as_a_document() {
    page_of(|page, reader| {
        let thread = page.placed[0].thread;
        let document = document::thread(thread, Some(&page.placed[0]), Some(page.pull_request), reader);
        expect![[r#"
            ...│ # Ana Li: Why twice? @Cem Ak — suggestion: charge_once();
            ...│ 
            ...│ On [#12 Add \*totals\*](https://bitbucket.org/team/repo/pull-requests/12)
            ...│                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ https://bitbucket.org/team/repo/pull-requests/12
            ...│ 
            ...│ `src/pay.rs` · lines 10–11
            ...│                ^^^^^^^^^^^ thread 1
            ...│ 
            ..1│ **Open thread** · lines 10–11 · 1 open task · moved from lines 42–43
            ..1│ 
            ..1│ **Ana Li** · 2 days ago
            ..1│ 
            ..1│ > **Why** twice? @Cem Ak
            ..1│ >
            ..1│ > ```diff
            ..1│ > -    charge();
            ..1│ > -    charge();
            ..1│ > +    charge_once();
            ..1│ > ```
            ..1│ 
            ..1│ ↳ **Bob** · 3 hours ago · edited
            ..1│ 
            ..1│ > Because `charge` may fail, see [docs](https://x.org).
            ...│                                         ^^^^^^^^^^^^^ https://x.org
            ..1│ 
            ..1│ ↳ *deleted comment*
            ..1│ 
            ..1│ ↳ **Cem Ak** to a deleted comment · 1 hour ago
            ..1│ 
            ..1│ > I **don't** think so.
            ..1│ 
            ..1│ ↳ **You** to Cem Ak · just now · pending, nobody else sees it yet
            ..1│ 
            ..1│ > Nor do I.
            ..1│ >
            ..1│ > #### Really
            ..1│ 
            ..1│ ↳ **Dee** · just now · *this comment could not be read in full*, [see it on Bitbucket](https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-6)
            ...│                                                                                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-6
            ..1│ 
            ..1│ - [ ] Charge once (Bob)
            ..1│ - [x] Ask Cem (Bob)
            ..1│ 
            ..1│ [Open in Bitbucket](https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-1)
            ...│                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ https://bitbucket.org/team/repo/pull-requests/12/_/diff#comment-1
        "#]].assert_eq(&draw_document(&document));
        assert_well_formed(&document);
        let without_place = document::thread(thread, None, None, reader);
        assert!(without_place.text.contains("**Open thread** · lines 42–43"), "{}", without_place.text);
    });
}

#[test]
fn a_summary_of_the_pull_request() {
    let (mut pull_request, discussion, statuses) = sample();
    let see = |pull_request: &PullRequest, expected: Expect| {
        expected.assert_eq(&lens::summary_lens(pull_request, &discussion, &statuses, 2));
    };
    see(
        &pull_request,
        expect![
            "Bitbucket #12 Add *totals* · draft · 1 approval · 1 change request · builds 1 ✓ 1 ✗ · 4 open threads · 2 open tasks · 1 of 2 pull requests"
        ],
    );
    pull_request.draft = false;
    pull_request.title = "$(alert) Session expired".into();
    see(
        &pull_request,
        expect![
            "Bitbucket #12 $ (alert) Session expired · open · 1 approval · 1 change request · builds 1 ✓ 1 ✗ · 4 open threads · 2 open tasks · 1 of 2 pull requests"
        ],
    );
    expect!["Bitbucket #12 $ (alert) Session expired · merged · 0 open threads"].assert_eq(
        &lens::summary_lens(
            &PullRequest { state: PullRequestState::Merged, participants: Vec::new(), ..pull_request },
            &Discussion::default(),
            &[],
            1,
        ),
    );
}

/// Five thousand threads, seen in every way.
#[test]
#[allow(clippy::disallowed_methods, reason = "a test may look at the clock")]
fn many_threads_take_little_time() {
    let (pull_request, _, statuses) = sample();
    let inline = |id: u64| Comment {
        anchor: Some(Anchor {
            path: format!("src/{}.rs", id % 100),
            ..anchor(Side::To, id as u32, id as u32)
        }),
        ..comment(id, 0, "Ana", 1, "Why *twice*? See `charge`.")
    };
    let discussion = fold((1..=5_000).map(inline).collect(), vec![]);
    let at = placed(Placement::Moved(on(1, 1)), Provenance::Diff);
    let placed: Vec<PlacedThread<'_>> = discussion
        .threads
        .iter()
        .map(|thread| PlacedThread { thread, placed: &at, written_on_older_version: false })
        .collect();
    let page = Page {
        pull_request: &pull_request,
        discussion: &discussion,
        placed: &placed,
        statuses: &statuses,
        n_unreadable: 0,
        left_out: None,
        as_of: None,
    };
    with_reader(|reader| {
        let before = Instant::now();
        let document = document::pull_request(&page, reader);
        let shown = placed.iter().filter_map(|it| diagnostic(it, &Options::default(), reader)).count();
        lens::summary_lens(&pull_request, &discussion, &statuses, 1);
        let took = before.elapsed();
        assert_eq!(shown, 5_000);
        assert_eq!(document.rows.iter().filter(|row| row.thread.is_some()).count(), 5_000);
        assert!(took < Duration::from_secs(5), "{took:?}");
    });
}

#[test]
fn drafts_as_a_list() {
    let row = |id: &str, title: &str, state, first_words: &str| DraftRow {
        id: id.into(),
        title: title.into(),
        state,
        changed: Timestamp(NOW.0 - 300),
        first_words: first_words.into(),
    };
    let rows = [
        row("a1", "Reply to Ana in #12", DraftState::Draft, "I *think* that"),
        row("b2", "New comment on src/pay.rs", DraftState::Sending, "Why?"),
        row("c3", "", DraftState::SendingElsewhere, ""),
        row("d4", "Task", DraftState::Rejected("Bitbucket refused it: <b>no</b>.".into()), "Do it"),
        row("e5", "Edit", DraftState::Unknown("The connection broke.".into()), "See"),
    ];
    let list = with_reader(|reader| document::drafts(&rows, reader));
    assert_well_formed(&list.document);
    let mut drawn = String::new();
    for (line, text) in (0..).zip(list.document.text.lines()) {
        writeln!(drawn, "{:.>3}│ {text}", list.at(line).unwrap_or_default()).unwrap();
    }
    draw_symbols(&list.document.symbols, 0, &mut drawn);
    expect![[r#"
        ...│ # Drafts
        ...│ 
        .a1│ - **Reply to Ana in #12** · not sent · 5 minutes ago · I \*think\* that
        .b2│ - **New comment on src/pay.rs** · being sent · 5 minutes ago · Why?
        .c3│ - **(no title)** · being sent by another editor · 5 minutes ago
        .d4│ - **Task** · refused: Bitbucket refused it: \<b>no\</b>. · 5 minutes ago · Do it
        .e5│ - **Edit** · perhaps sent: The connection broke. · 5 minutes ago · See
        0..6 Drafts (5 drafts)
          2..2 Reply to Ana in #12 (not sent)
          3..3 New comment on src/pay.rs (being sent)
          4..4 (no title) (being sent by another editor)
          5..5 Task (refused: Bitbucket refused it: <b>no</b>.)
          6..6 Edit (perhaps sent: The connection broke.)
    "#]]
    .assert_eq(&drawn);
    let none = with_reader(|reader| document::drafts(&[], reader));
    assert_well_formed(&none.document);
    expect![[r#"
        # Drafts

        There are no drafts: nothing waits to be sent.
    "#]]
    .assert_eq(&none.document.text);
    assert_eq!(none.rows, []);
}
