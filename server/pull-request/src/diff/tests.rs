//! Hunks, carrying, and that big rewrites stay cheap.

use proptest::prelude::*;

use super::*;

fn carry(before: &str, after: &str, first: u32, last: u32) -> Carried {
    LineDiff::between(before, after).carry(LineRange { first, last })
}

fn intact(first: u32, last: u32) -> Carried {
    Carried::Intact(LineRange { first, last })
}

fn changed(first: u32, last: u32) -> Carried {
    Carried::Changed { near: LineRange { first, last } }
}

#[test]
fn lines_move_with_what_is_put_above_them() {
    assert_eq!(carry("a\nb\nc\n", "x\ny\na\nb\nc\n", 1, 2), intact(3, 4));
    assert_eq!(carry("a\nb\nc\n", "b\nc\n", 1, 2), intact(0, 1));
    assert_eq!(carry("a\nb\nc\n", "a\nb\nc\nx\n", 0, 2), intact(0, 2));
}

#[test]
fn line_ends_make_no_difference() {
    assert_eq!(LineDiff::between("a\nb\n", "a\r\nb\r\n").hunks(), &[]);
    assert_eq!(LineDiff::between("a\nb", "a\nb\n").hunks(), &[]);
    assert_eq!(LineDiff::between("a\nb\r\n", "a\nb").hunks(), &[]);
    assert_eq!(LineDiff::between("a\rb\n", "a\nb\n").hunks().len(), 1);
}

#[test]
fn something_put_between_them_changes_them() {
    assert_eq!(carry("a\nb\nc\n", "a\nx\nb\nc\n", 0, 1), changed(0, 2));
    assert_eq!(carry("a\nb\nc\n", "a\nx\nb\nc\n", 1, 2), intact(2, 3));
}

#[test]
fn cut_ranges_are_near_what_is_left() {
    let before = "alpha\nbeta\ngamma\ndelta\nepsilon\n";
    assert_eq!(carry(before, "delta\nepsilon\n", 1, 3), changed(0, 0));
    assert_eq!(carry(before, "alpha\nbeta\n", 1, 3), changed(1, 1));
    assert_eq!(carry(before, "alpha\nbeta\ndelta\nepsilon\n", 1, 3), changed(1, 2));
}

#[test]
fn a_replaced_line_is_near_the_one_that_it_became() {
    let before = "start();\nlet total = price * count;\nend();\n";
    let after = "start();\n// Discounts come later.\nlog(count);\nlet total = price * count + tax;\nlog(total);\nend();\n";
    assert_eq!(carry(before, after, 1, 1), changed(3, 3));
}

#[test]
fn replaced_lines_are_paired_in_order() {
    let before = "open_door(front);\nring_bell(twice);\nwipe_shoes();\n";
    let after = "open_door(back);\nring_bell(once);\nwipe_shoes(left);\n";
    for line in 0..3 {
        assert_eq!(carry(before, after, line, line), changed(line, line));
    }
    assert_eq!(carry(before, after, 0, 1), changed(0, 1));
}

#[test]
fn something_unrelated_is_not_the_line() {
    let before = "start();\ncharge(account, amount);\nend();\n";
    let after = "start();\nlog::info!(\"hello\");\nend();\n";
    assert_eq!(carry(before, after, 1, 1), Carried::Gone { near: 1 });
}

#[test]
fn what_is_gone_is_near_what_stands_there_now() {
    assert_eq!(carry("a\nb\nc\n", "a\nc\n", 1, 1), Carried::Gone { near: 1 });
    assert_eq!(carry("a\nb\nc\n", "a\nb\n", 2, 2), Carried::Gone { near: 1 });
    assert_eq!(carry("a\nb\n", "", 0, 1), Carried::Gone { near: 0 });
}

#[test]
fn lines_past_the_end_are_never_intact() {
    assert_eq!(carry("a\nb\n", "a\nb\n", 2, 2), Carried::Gone { near: 1 });
    assert_eq!(carry("a\nb\n", "x\na\nb\n", 1, u32::MAX), changed(2, 2));
    assert_eq!(carry("", "a\n", 0, 0), Carried::Gone { near: 0 });
    assert_eq!(carry("a\n", "a\n", u32::MAX, u32::MAX), Carried::Gone { near: 0 });
    assert_eq!(LineDiff::identity().carry(LineRange::line(u32::MAX)), intact(u32::MAX, u32::MAX));
}

#[test]
fn a_reindented_block_is_paired_line_by_line() {
    let body: Vec<String> = (0..300).map(|n| format!("step_{n}(value, {});", n * 7)).collect();
    let before = format!("fn run() {{\n{}\n}}\n", body.join("\n"));
    let after = format!("fn run() {{\n  if ready {{\n    {}\n  }}\n}}\n", body.join("\n    "));
    let diff = LineDiff::between(&before, &after);
    for line in 1..=300 {
        assert_eq!(diff.carry(LineRange::line(line)), changed(line + 1, line + 1));
    }
}

#[test]
fn origins_are_the_way_back() {
    let diff = LineDiff::between("a\nb\nc\nd\n", "x\na\nc\ny\nd\n");
    let back: Vec<_> = (0..5).map(|line| diff.origin(line)).collect();
    assert_eq!(back, [None, Some(0), Some(2), None, Some(3)]);
}

#[test]
fn pairing_has_a_budget() {
    // 30,000 lines rewritten: compared each with each that would be nearly a billion comparisons.
    let text = |word: &str| (0..30_000).map(|n| format!("{word} {n} {};\n", n % 17)).collect::<String>();
    let (before, after) = (text("call the first one"), text("let us have another"));
    let diff = LineDiff::between(&before, &after);
    assert_eq!(diff.hunks().len(), 1);
    assert!(!matches!(diff.carry(LineRange::line(15_000)), Carried::Intact(_)));
}

fn words() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0..12u8, 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// With lines that repeat: an intact claim is about the same lines, `near` is on the text, and hunks add up.
    #[test]
    fn carried_lines_are_true(before in words(), after in words(), first in 0..32u32, more in 0..5u32) {
        let text = |words: &[u8]| words.iter().map(|word| format!("word number {word}\n")).collect::<String>();
        let diff = LineDiff::between(&text(&before), &text(&after));
        let lines = LineRange { first, last: first + more };
        let count = after.len() as u32;
        match diff.carry(lines) {
            Carried::Intact(now) => prop_assert_eq!(
                &before[lines.first as usize..=lines.last as usize],
                &after[now.first as usize..=now.last as usize]
            ),
            Carried::Changed { near } => prop_assert!(near.first <= near.last && near.last < count),
            Carried::Gone { near } => prop_assert!(near < count.max(1)),
        }
        for line in 0..count {
            if let Some(origin) = diff.origin(line) {
                prop_assert_eq!(before[origin as usize], after[line as usize]);
                prop_assert_eq!(diff.carry(LineRange::line(origin)), intact(line, line));
            }
        }
    }
}
