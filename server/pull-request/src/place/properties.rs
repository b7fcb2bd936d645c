//! What holds for all texts and edits: carrying edit by edit agrees with the full diff, and no intact claim is untrue.

use proptest::prelude::*;

use super::*;
use crate::diff::lines_of;
use crate::model::Side;
use crate::text::{Encoding, Position};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// What a user does, in terms that fit any text: positions are taken modulo what is there.
#[derive(Clone, Debug)]
enum Act {
    /// Whole lines come in at a line's start or at the end of the line above.
    AddLines { line: u32, count: u8, at_end: bool },
    /// Whole lines go.
    RemoveLines { line: u32, count: u8, from_end: bool },
    /// Typing inside a line.
    Type { line: u32, column: u32 },
    /// Enter inside a line.
    Split { line: u32, column: u32 },
    /// Anything for anything.
    Replace { from: (u32, u32), to: (u32, u32), lines: u8 },
    /// A formatter, or a client without incremental changes: the whole document comes anew, with one line more.
    Whole { line: u32 },
}

fn linewise() -> impl Strategy<Value = Act> {
    prop_oneof![
        (any::<u32>(), 1..4u8, any::<bool>()).prop_map(|(line, count, at_end)| Act::AddLines {
            line,
            count,
            at_end
        }),
        (any::<u32>(), 1..4u8, any::<bool>()).prop_map(|(line, count, from_end)| Act::RemoveLines {
            line,
            count,
            from_end
        }),
        any::<u32>().prop_map(|line| Act::Whole { line }),
    ]
}

fn any_act() -> impl Strategy<Value = Act> {
    let place = || (any::<u32>(), any::<u32>());
    prop_oneof![
        3 => linewise(),
        2 => place().prop_map(|(line, column)| Act::Type { line, column }),
        2 => place().prop_map(|(line, column)| Act::Split { line, column }),
        2 => (place(), place(), 0..3u8).prop_map(|(from, to, lines)| Act::Replace { from, to, lines }),
    ]
}

/// A text of unique lines under edits whose new lines are unique too.
struct Session {
    text: Text,
    end: &'static str,
    fresh: u32,
}

impl Session {
    fn new(count: u32, end: &'static str) -> Self {
        let lines: String = (0..count).map(|n| format!("original line {n} 🦀{end}")).collect();
        Self { text: Text::new(&lines), end, fresh: 0 }
    }

    fn new_line(&mut self) -> String {
        self.fresh += 1;
        format!("added as number {}", self.fresh)
    }

    fn position(&self, (line, column): (u32, u32)) -> Position {
        let line = line % self.text.line_count();
        let length = self.text.line_length(line, Encoding::Utf16);
        Position { line, character: column % (length + 1) }
    }

    fn act(&mut self, act: &Act) -> Edit {
        let (range, new) = match *act {
            Act::AddLines { line, count, at_end } => {
                let line = line % self.text.line_count();
                let lines: Vec<String> = (0..count).map(|_| self.new_line()).collect();
                let lines = lines.join(self.end);
                if at_end && line > 0 {
                    let above = Position { line: line - 1, character: u32::MAX };
                    (Some((above, above)), format!("{}{lines}", self.end))
                } else {
                    let start = Position { line, character: 0 };
                    (Some((start, start)), format!("{lines}{}", self.end))
                }
            }
            Act::RemoveLines { line, count, from_end } => {
                let line = line % self.text.line_count();
                let end = line + u32::from(count);
                let range = if from_end && line > 0 {
                    (
                        Position { line: line - 1, character: u32::MAX },
                        Position { line: end - 1, character: u32::MAX },
                    )
                } else {
                    (Position { line, character: 0 }, Position { line: end, character: 0 })
                };
                (Some(range), String::new())
            }
            Act::Type { line, column } => {
                let at = self.position((line, column));
                self.fresh += 1;
                (Some((at, at)), format!("<{}>", self.fresh))
            }
            Act::Split { line, column } => {
                let at = self.position((line, column));
                (Some((at, at)), self.end.to_owned())
            }
            Act::Replace { from, to, lines } => {
                let (one, other) = (self.position(from), self.position(to));
                // Mostly small: the ends at most three lines apart.
                let near = Position { line: other.line.clamp(one.line, one.line + 3), ..other };
                let new: Vec<String> = (0..lines).map(|_| self.new_line()).collect();
                (Some((one, near)), new.join(self.end))
            }
            Act::Whole { line } => {
                let mut whole = self.text.clone();
                let start = Position { line: line % whole.line_count(), character: 0 };
                let new = self.new_line() + self.end;
                whole.apply(Some((start, start)), &new, Encoding::Utf16);
                (None, whole.to_string())
            }
        };
        self.text.apply(range, &new, Encoding::Utf16)
    }
}

fn anchor(lines: LineRange) -> Anchor {
    Anchor {
        path: "file".into(),
        spot: Spot::Lines(Side::To, lines),
        source_commit: None,
        destination_commit: None,
        outdated: None,
    }
}

fn intact(placement: Placement) -> Option<LineRange> {
    placement.lines().filter(|_| placement.is_intact())
}

/// Runs edits, carries anchors on each line and on ranges by them and by the diff, and compares.
/// Where edits are of whole lines only, every single line that survives has to be carried.
fn compare(count: u32, end: &'static str, acts: &[Act], whole_lines_only: bool) -> Result<(), TestCaseError> {
    let mut session = Session::new(count, end);
    let original = session.text.to_string();
    let singles = (0..count).map(LineRange::line);
    let ranges = (0..count).map(|first| LineRange { first, last: (first + first % 4).min(count - 1) });
    let origins: Vec<LineRange> = singles.chain(ranges).collect();
    let mut carried: Vec<Placement> = origins.iter().map(|&lines| Placement::Exact(lines)).collect();
    for act in acts {
        let edit = session.act(act);
        for (placement, &origin) in carried.iter_mut().zip(&origins) {
            let before = *placement;
            prop_assert_eq!(placement.carry_edit(origin, &edit), before != *placement);
        }
    }
    let now = session.text.to_string();
    let diff = LineDiff::between(&original, &now);
    let (old, new): (Vec<&str>, Vec<&str>) = (lines_of(&original).collect(), lines_of(&now).collect());
    for (placement, &origin) in carried.iter().zip(&origins) {
        let by_diff = place(&anchor(origin), &[&diff]);
        let wanted = &old[origin.first as usize..=origin.last as usize];
        for lines in [intact(*placement), intact(by_diff)].into_iter().flatten() {
            prop_assert_eq!(wanted, &new[lines.first as usize..=lines.last as usize]);
        }
        // Unique lines in their old order: the diff has to find whatever the edits left alone.
        if placement.is_intact() {
            prop_assert_eq!(*placement, by_diff);
        }
        if whole_lines_only && wanted.len() == 1 {
            let survives = new.contains(&wanted[0]);
            prop_assert_eq!(placement.is_intact(), survives, "{:?} {:?}", origin, placement);
        }
        let lines = placement.lines().expect("no edit deletes a file");
        prop_assert!(lines.first <= lines.last && lines.last < session.text.line_count(), "{:?}", placement);
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn carrying_agrees_with_the_diff(
        count in 1..24u32,
        crlf in any::<bool>(),
        acts in prop::collection::vec(any_act(), 0..14),
    ) {
        compare(count, if crlf { "\r\n" } else { "\n" }, &acts, false)?;
    }

    #[test]
    fn whole_lines_that_come_and_go_lose_nobody_else(
        count in 1..24u32,
        crlf in any::<bool>(),
        acts in prop::collection::vec(linewise(), 0..14),
    ) {
        compare(count, if crlf { "\r\n" } else { "\n" }, &acts, true)?;
    }
}

proptest! {
    #![proptest_config(config(2))]

    /// A long day of editing.
    #[test]
    fn carrying_does_not_wear_off(acts in prop::collection::vec(any_act(), 1000..1500)) {
        compare(600, "\n", &acts, false)?;
    }
}

/// Texts of lines that repeat, with brackets, blank lines and every line end.
fn repetitive() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "",
        "}",
        "{",
        "    return value;",
        "return value;",
        "fn first(value: u32) {",
        "fn second(value: u32) {",
        "    let total = price * count;",
        "    let total = price * count + tax;",
        "語",
        "a\rb",
        "\0",
    ]);
    let end = prop_oneof![8 => Just("\n"), 2 => Just("\r\n"), 1 => Just("\r")];
    prop::collection::vec((line, end), 0..24)
        .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [line, end]).collect())
}

proptest! {
    #![proptest_config(config(1500))]

    /// Whatever is known, true or not: a journey ends on the buffer, and says intact only of the same text.
    #[test]
    fn a_journey_is_never_silently_wrong(
        texts in [repetitive(), repetitive(), repetitive()],
        first in prop_oneof![9 => 0..26u32, 1 => Just(u32::MAX)],
        more in 0..4u32,
        side in prop::sample::select(vec![Side::From, Side::To]),
        known in 0..3u8,
        legs in any::<(bool, bool)>(),
        there in prop::bool::weighted(0.95),
    ) {
        let [commented, head, on_screen] = &texts;
        let text = Lines::of(commented.as_str());
        let buffer = Lines::of(on_screen.as_str());
        let origin = LineRange { first, last: first.saturating_add(more) };
        let excerpt = Excerpt::of(&text, origin);
        let (to_head, to_buffer) = (LineDiff::between(commented, head), LineDiff::between(head, on_screen));
        let journey = Journey {
            commented: match known {
                0 => Commented::Text(&text),
                1 => Commented::Excerpt(&excerpt),
                _ => Commented::Nothing,
            },
            // A leg left out by mistake leads to wrong lines, but not to wrong claims.
            to_head: legs.0.then_some(&to_head),
            to_buffer: legs.1.then_some(&to_buffer),
            buffer: there.then_some(&buffer),
        };
        let anchor = Anchor { spot: Spot::Lines(side, origin), ..anchor(origin) };
        let placed = journey.place(&anchor);
        let Some(lines) = placed.placement.lines() else {
            prop_assert!(!there);
            return Ok(());
        };
        prop_assert!(lines.first <= lines.last && lines.last <= buffer.last());
        prop_assert!(placed.commented.is_none_or(|commented| commented.len() <= 4096 + '…'.len_utf8()));
        if placed.placement.is_intact() && placed.provenance != Provenance::LineNumber {
            prop_assert!(text.has(origin) && lines.last - lines.first == more);
            for (old, new) in text.range(origin).zip(buffer.range(lines)) {
                match placed.provenance {
                    Provenance::Diff => prop_assert_eq!(old, new),
                    _ => prop_assert!(old.split_whitespace().collect::<String>() == new.split_whitespace().collect::<String>()),
                }
            }
        }
        if known == 2 && there {
            prop_assert_eq!(placed.provenance, Provenance::LineNumber);
        }
    }
}

#[test]
fn an_edit_and_its_inverse_are_put_right_by_the_next_journey() {
    let original = "one\ntwo\nthree\n";
    let mut text = Text::new(original);
    let mut placement = Placement::Exact(LineRange::line(1));
    let at = |line, character| Position { line, character };
    for (range, new) in [((at(1, 3), at(1, 3)), "!"), ((at(1, 3), at(1, 4)), "")] {
        let edit = text.apply(Some(range), new, Encoding::Utf16);
        placement.carry_edit(LineRange::line(1), &edit);
    }
    assert_eq!(placement, Placement::Changed { near: LineRange::line(1) });
    let diff = LineDiff::between(original, &text.to_string());
    assert_eq!(place(&anchor(LineRange::line(1)), &[&diff]), Placement::Exact(LineRange::line(1)));
}

#[test]
fn edits_reach_no_comment_on_the_file() {
    let whole = Anchor { spot: Spot::File, ..anchor(LineRange::line(0)) };
    let journey = Journey {
        commented: Commented::Nothing,
        to_head: None,
        to_buffer: None,
        buffer: Some(&Lines::of("one\n")),
    };
    let mut placed = journey.place(&whole);
    let edit = Text::new("one\n").apply(None, "", Encoding::Utf16);
    assert!(!placed.carry_edit(&whole, &edit));
    assert_eq!(placed.placement, Placement::Exact(LineRange::line(0)));
}

#[test]
fn deleting_exactly_the_lines_is_gone_and_cutting_them_is_changed() {
    let edit = |from: u32, to: u32| {
        let (start, end) = (Position { line: from, character: 0 }, Position { line: to, character: 0 });
        Text::new("a\nb\nc\nd\n").apply(Some((start, end)), "", Encoding::Utf16)
    };
    let origin = LineRange { first: 1, last: 2 };
    let carried = |edit: &Edit| {
        let mut placement = Placement::Exact(origin);
        placement.carry_edit(origin, edit);
        placement
    };
    assert_eq!(carried(&edit(1, 3)), Placement::Gone { near: 1 });
    assert_eq!(carried(&edit(1, 4)), Placement::Gone { near: 0 });
    assert_eq!(carried(&edit(1, 2)), Placement::Changed { near: LineRange::line(1) });
    assert_eq!(carried(&edit(2, 4)), Placement::Changed { near: LineRange::line(1) });
    assert_eq!(carried(&edit(0, 1)), Placement::Moved(LineRange { first: 0, last: 1 }));
}

#[test]
fn a_lone_return_moves_placements_to_lsp_lines() {
    let text = Text::new("a\rb\nc\n");
    let commented = LineRange::line(1);
    assert_eq!(Placement::Exact(commented).in_lsp_lines(&text), Placement::Exact(LineRange::line(2)));
    assert_eq!(Placement::Gone { near: 0 }.in_lsp_lines(&text), Placement::Gone { near: 0 });
}

#[test]
fn long_commented_texts_are_cut() {
    let many: String = (0..100).map(|n| format!("line {n}\n")).collect();
    let long = format!("{}語\n", "x".repeat(4094));
    for (text, last, cut) in
        [(many.as_str(), 99, "line 39\n…"), (long.as_str(), 0, "xx…"), (long.as_str(), 7, "xx…")]
    {
        let lines = Lines::of(text);
        let journey = Journey {
            commented: Commented::Text(&lines),
            to_head: None,
            to_buffer: None,
            buffer: Some(&lines),
        };
        let commented = journey.place(&anchor(LineRange { first: 0, last })).commented.unwrap();
        assert!(
            commented.ends_with(cut) && commented.len() <= 4096 + 3,
            "{}",
            &commented[commented.len() - 12..]
        );
    }
}
