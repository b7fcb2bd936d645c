//! The way back: from lines of the document on screen to lines that can be commented on.

use crate::diff::{Carried, LineDiff};
use crate::model::LineRange;

/// How many lines a comment may be on, as Bitbucket's own page allows.
pub const MOST_LINES: u32 = 30;

/// Where lines of a document are in the head of the pull request, 0-based. At most [`MOST_LINES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Back {
    /// The same lines, unchanged.
    Exact(LineRange),
    /// Not all of them are there as they are, or they are too many.
    Near {
        /// The nearest lines that are there.
        lines: LineRange,
        /// From the first to the last line of the document that exists only there, changed or new;
        /// `None` if all are in the head, and only too many: then `lines` is the first of them.
        local: Option<LineRange>,
    },
    /// The head's file has no lines: only the file as a whole can be commented on.
    Nowhere,
}

/// Carries lines of a document back to the head's text, of `head_lines` lines as git counts them.
///
/// `document_to_head` is the difference from the one to the other; `lines` are lines of the document, counted like git too.
pub fn back(document_to_head: &LineDiff, head_lines: u32, lines: LineRange) -> Back {
    let Some(last) = head_lines.checked_sub(1) else { return Back::Nowhere };
    let within = |it: LineRange| LineRange { first: it.first.min(last), last: it.last.min(last) };
    let (near, is_intact) = match document_to_head.carry(lines) {
        Carried::Intact(near) => (near, near.last <= last),
        Carried::Changed { near } => (near, false),
        Carried::Gone { near } => (LineRange::line(near), false),
    };
    let near = within(near);
    let shown = LineRange { last: near.last.min(near.first.saturating_add(MOST_LINES - 1)), ..near };
    match is_intact {
        true if shown == near => Back::Exact(near),
        true => Back::Near { lines: shown, local: None },
        false => Back::Near { lines: shown, local: Some(local(document_to_head, last, lines)) },
    }
}

/// From the first to the last line that is not in the head; all of them if only something was put between.
fn local(document_to_head: &LineDiff, last: u32, lines: LineRange) -> LineRange {
    let is_local = |line: &u32| !matches!(document_to_head.carry(LineRange::line(*line)), Carried::Intact(head) if head.last <= last);
    let mut all = lines.first..=lines.last;
    match (all.find(is_local), (lines.first..=lines.last).rev().find(is_local)) {
        (Some(first), Some(last)) => LineRange { first, last },
        _ => lines,
    }
}

/// The lines of the base that were removed at a line of the document: those that it stands in place of,
/// else those that stood right above it, else right below it. `None` if there are none.
pub fn removals(base_to_document: &LineDiff, line: u32) -> Option<LineRange> {
    let hunks = base_to_document.hunks();
    let from = hunks.partition_point(|hunk| hunk.after.end < line);
    let touching = || hunks[from..].iter().take_while(|hunk| hunk.after.start <= line.saturating_add(1));
    let removing = || touching().filter(|hunk| !hunk.before.is_empty());
    let hunk = removing()
        .find(|hunk| hunk.after.contains(&line))
        .or_else(|| removing().find(|hunk| hunk.after.is_empty() && hunk.after.start == line))
        .or_else(|| {
            removing().find(|hunk| hunk.after.is_empty() && hunk.after.start == line.saturating_add(1))
        })?;
    Some(LineRange { first: hunk.before.start, last: hunk.before.end - 1 })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use expect_test::expect;
    use proptest::prelude::*;

    use super::*;
    use crate::content::lines::Lines;

    fn lines(first: u32, last: u32) -> LineRange {
        LineRange { first, last }
    }

    /// Carries each line of the document back, and draws where it comes to.
    fn draw(document: &str, head: &str) -> String {
        let (diff, head) = (LineDiff::between(document, head), Lines::of(head));
        let mut drawn = String::new();
        for (at, line) in (0..).zip(document.lines()) {
            let there = match back(&diff, head.count(), LineRange::line(at)) {
                Back::Exact(there) => format!("is {}", there.first + 1),
                Back::Near { lines, .. } => {
                    format!("local, near {} {:?}", lines.first + 1, head.get(lines.first).unwrap())
                }
                Back::Nowhere => "nowhere".into(),
            };
            writeln!(drawn, "{line:<12} {there}").unwrap();
        }
        drawn
    }

    #[test]
    fn local_lines_have_a_neighbour() {
        let head = "fn pay() {\n    charge();\n    log();\n}\n";
        expect![[r#"
            // mine      local, near 1 "fn pay() {"
            fn pay() {   is 1
                charge(2); local, near 2 "    charge();"
                log();   is 3
                more();  local, near 4 "}"
            }            is 4
            // end       local, near 4 "}"
        "#]]
        .assert_eq(&draw("// mine\nfn pay() {\n    charge(2);\n    log();\n    more();\n}\n// end\n", head));
        expect![[r#"
            only         nowhere
            mine         nowhere
        "#]]
        .assert_eq(&draw("only\nmine\n", ""));
    }

    #[test]
    fn ranges_are_told_which_of_their_lines_are_local() {
        let (document, head) = ("a\nb\nnew\nc\nd\n", "a\nb\nc\nd\n");
        let diff = LineDiff::between(document, head);
        let to = |it| back(&diff, 4, it);
        assert_eq!(to(lines(0, 1)), Back::Exact(lines(0, 1)));
        assert_eq!(to(lines(3, 4)), Back::Exact(lines(2, 3)));
        assert_eq!(to(lines(1, 3)), Back::Near { lines: lines(1, 2), local: Some(lines(2, 2)) });
        assert_eq!(to(lines(2, 2)), Back::Near { lines: lines(2, 2), local: Some(lines(2, 2)) });
        assert_eq!(
            to(lines(5, 5)),
            Back::Near { lines: lines(3, 3), local: Some(lines(5, 5)) },
            "behind the end"
        );
        let removed = LineDiff::between("a\nc\n", "a\nb\nc\n");
        assert_eq!(
            back(&removed, 3, lines(0, 1)),
            Back::Near { lines: lines(0, 2), local: Some(lines(0, 1)) },
            "a line between them is gone here"
        );
        assert_eq!(back(&LineDiff::identity(), 3, lines(1, 2)), Back::Exact(lines(1, 2)));
        assert_eq!(
            back(&LineDiff::identity(), 3, lines(2, 3)),
            Back::Near { lines: lines(2, 2), local: Some(lines(3, 3)) }
        );
        assert_eq!(back(&LineDiff::identity(), 0, lines(0, 0)), Back::Nowhere);
    }

    #[test]
    fn no_comment_is_on_more_lines_than_bitbucket_takes() {
        let same = LineDiff::identity();
        assert_eq!(back(&same, 100, lines(10, 39)), Back::Exact(lines(10, 39)));
        assert_eq!(back(&same, 100, lines(10, 40)), Back::Near { lines: lines(10, 39), local: None });
        assert_eq!(
            back(&same, 100, lines(0, u32::MAX)),
            Back::Near { lines: lines(0, 29), local: Some(lines(100, u32::MAX)) }
        );
    }

    #[test]
    fn removed_lines_are_found_where_they_stood() {
        let diff = LineDiff::between("a\nx\ny\nb\nold\nc\nz\n", "a\nb\nnew 1\nnew 2\nc\n");
        let found: Vec<_> = (0..6).map(|line| removals(&diff, line)).collect();
        let (xy, old, z) = (Some(lines(1, 2)), Some(lines(4, 4)), Some(lines(6, 6)));
        assert_eq!(found, [xy, xy, old, old, z, z]);
        let top = LineDiff::between("x\na\nb\n", "a\nb\n");
        assert_eq!(removals(&top, 0), Some(lines(0, 0)));
        assert_eq!(removals(&top, 1), None);
        assert_eq!(removals(&LineDiff::between("a\n", "a\nb\n"), 1), None, "nothing was removed for it");
        assert_eq!(removals(&LineDiff::between("a\nb\n", ""), 0), Some(lines(0, 1)));
        assert_eq!(removals(&LineDiff::identity(), 0), None);
    }

    fn text() -> impl Strategy<Value = Vec<&'static str>> {
        prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "d", "}", ""]), 0..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_exact_is_the_same_text(document in text(), head in text(), first in 0..70_u32, more in 0..40_u32) {
            let (document, head) = (document.join("\r\n"), head.join("\n"));
            let (mine, theirs) = (Lines::of(document.as_str()), Lines::of(head.as_str()));
            let asked = lines(first, first + more);
            match back(&LineDiff::between(&document, &head), theirs.count(), asked) {
                Back::Exact(there) => {
                    prop_assert!(mine.range(asked).eq(theirs.range(there)));
                    prop_assert_eq!(there.last - there.first, more);
                    prop_assert!(more < MOST_LINES && theirs.has(there));
                }
                Back::Near { lines, local } => {
                    prop_assert!(theirs.has(lines) && lines.first <= lines.last && lines.last - lines.first < MOST_LINES);
                    match local {
                        Some(local) => prop_assert!(asked.first <= local.first && local.last <= asked.last),
                        None => prop_assert!(more >= MOST_LINES),
                    }
                }
                Back::Nowhere => prop_assert_eq!(theirs.count(), 0),
            }
        }

        #[test]
        fn what_was_removed_is_not_in_the_document(base in text(), document in text()) {
            let (base, document) = (base.join("\n"), document.join("\n"));
            let diff = LineDiff::between(&base, &document);
            for line in 0..Lines::of(document.as_str()).count() + 1 {
                if let Some(removed) = removals(&diff, line) {
                    prop_assert!((removed.first..=removed.last).all(|line| !matches!(diff.carry(LineRange::line(line)), Carried::Intact(_))));
                }
            }
        }
    }
}
