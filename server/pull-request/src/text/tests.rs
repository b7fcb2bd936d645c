//! Positions and edits against a slow, plain converter that walks over characters and knows no rope.

use proptest::prelude::*;

use super::*;

/// A document as a vector of characters: what LSP says about lines and columns, word for word.
struct Plain {
    chars: Vec<char>,
    /// Start and end of each line, the line's end excluded.
    lines: Vec<(usize, usize)>,
}

impl Plain {
    fn new(text: &str) -> Self {
        Self::of(text.chars().collect())
    }

    fn of(chars: Vec<char>) -> Self {
        let mut lines = Vec::new();
        let (mut start, mut at) = (0, 0);
        while at < chars.len() {
            let ends = match (chars[at], chars.get(at + 1)) {
                ('\r', Some('\n')) => 2,
                ('\r' | '\n', _) => 1,
                _ => 0,
            };
            if ends > 0 {
                lines.push((start, at));
                start = at + ends;
            }
            at += ends.max(1);
        }
        lines.push((start, chars.len()));
        Self { chars, lines }
    }

    fn units(char: char, encoding: Encoding) -> u32 {
        match encoding {
            Encoding::Utf8 => char.len_utf8() as u32,
            Encoding::Utf16 => char.len_utf16() as u32,
            Encoding::Utf32 => 1,
        }
    }

    fn index(&self, position: Position, encoding: Encoding) -> usize {
        let Some(&(start, end)) = self.lines.get(position.line as usize) else {
            return self.chars.len();
        };
        let mut left = position.character;
        for at in start..end {
            let width = Self::units(self.chars[at], encoding);
            if left < width {
                return at;
            }
            left -= width;
        }
        end
    }

    fn position(&self, index: usize, encoding: Encoding) -> Position {
        let line = self.lines.iter().rposition(|&(start, _)| start <= index).unwrap();
        let (start, end) = self.lines[line];
        let character = (start..index.min(end)).map(|at| Self::units(self.chars[at], encoding)).sum();
        Position { line: line as u32, character }
    }

    fn line(&self, line: usize) -> String {
        let (start, end) = self.lines[line];
        self.chars[start..end].iter().collect()
    }

    fn byte(&self, index: usize) -> usize {
        self.chars[..index].iter().map(|char| char.len_utf8()).sum()
    }
}

const ENCODINGS: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

/// Every kind of line end, characters of one to four bytes, combining marks, and what only looks like a line end.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec!["\n", "\r\n", "\r", "\n\r", "\r\r\n"]),
        6 => prop::sample::select(vec!["a", "bc", " ", "\t", "é", "e\u{301}", "ß", "語", "𝄞", "🦀", "👩‍👩‍👧"]),
        1 => prop::sample::select(vec!["\u{2028}", "\u{85}", "\u{b}", "\u{c}", "\0", "\u{feff}", "\u{10ffff}"]),
    ];
    // Long enough now and then to be several chunks of a rope.
    let pieces = prop_oneof![
        20 => prop::collection::vec(piece.clone(), 0..24),
        1 => prop::collection::vec(piece, 1200..1500),
    ];
    pieces.prop_map(|pieces| pieces.concat())
}

fn position() -> impl Strategy<Value = Position> {
    let line = prop_oneof![12 => 0..16u32, 2 => 0..1000u32, 1 => Just(u32::MAX)];
    let character = prop_oneof![12 => 0..14u32, 1 => Just(u32::MAX)];
    (line, character).prop_map(|(line, character)| Position { line, character })
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// How many documents are tried with 40 positions each; the `POSITIONS` of the environment are a longer run.
#[expect(clippy::disallowed_methods, reason = "how long a test takes is for who runs it to say")]
fn documents() -> u32 {
    std::env::var("POSITIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(600)
}

proptest! {
    #![proptest_config(config(documents()))]

    /// 600 texts x 40 positions x 3 encodings, both ways.
    #[test]
    fn positions_are_those_of_the_plain_converter(text in nasty(), positions in prop::collection::vec(position(), 40)) {
        let (ours, plain) = (Text::new(&text), Plain::new(&text));
        let lines = &plain.lines;
        prop_assert_eq!(ours.line_count() as usize, lines.len());
        for encoding in ENCODINGS {
            for &position in &positions {
                let index = plain.index(position, encoding);
                let byte = plain.byte(index);
                prop_assert_eq!(ours.offset(position, encoding), byte, "{:?} {:?}", position, encoding);
                prop_assert_eq!(ours.position(byte, encoding), plain.position(index, encoding));
            }
        }
        for &Position { line, .. } in &positions {
            let known = lines.get(line as usize);
            prop_assert_eq!(ours.line(line).map(Cow::into_owned), known.map(|_| plain.line(line as usize)));
            for encoding in ENCODINGS {
                let length = known.map_or(0, |&(start, end)| (start..end).map(|at| Plain::units(plain.chars[at], encoding)).sum());
                prop_assert_eq!(ours.line_length(line, encoding), length);
            }
        }
    }

}

proptest! {
    #![proptest_config(config(250))]

    /// Every byte, also those inside of characters and of `\r\n`, has a position that leads to its character or its line's end.
    #[test]
    fn bytes_inside_of_characters_belong_to_them(text in nasty()) {
        let ours = Text::new(&text);
        for byte in 0..text.len().min(64) + 2 {
            let back = ours.offset(ours.position(byte, Encoding::Utf16), Encoding::Utf16);
            prop_assert!(back <= byte && byte - back < 4 && text.is_char_boundary(back));
        }
    }

    /// Edits give the text that plain splicing gives, and what an edit says about whole lines is true of the texts.
    #[test]
    fn edits_splice_and_tell_which_lines_stay(
        text in nasty(),
        edits in prop::collection::vec((position(), position(), nasty(), 0..3usize), 1..8),
    ) {
        let mut ours = Text::new(&text);
        let mut plain = Plain::new(&text);
        for (one, other, new, encoding) in edits {
            let encoding = ENCODINGS[encoding];
            let (a, b) = (plain.index(one, encoding), plain.index(other, encoding));
            let mut chars = plain.chars.clone();
            chars.splice(a.min(b)..a.max(b), new.chars());
            let before = std::mem::replace(&mut plain, Plain::of(chars));
            let edit = ours.apply(Some((one, other)), &new, encoding);

            prop_assert_eq!(ours.to_string(), plain.chars.iter().collect::<String>());
            prop_assert_eq!(ours.line_count() as usize, plain.lines.len());
            prop_assert_eq!(ours.lone_returns, lone_returns(&ours.rope, 0..ours.rope.len_chars()));

            let (old, new) = (edit.before(), edit.after());
            let (old_count, new_count) = (before.lines.len() as u32, plain.lines.len() as u32);
            prop_assert_eq!(old.start, new.start);
            prop_assert!(old.start <= old.end && new.start <= new.end);
            prop_assert_eq!(old_count - old.end, new_count - new.end, "{:?}", edit);
            let spliced: Vec<_> = [(0..old.start, 0..new.start), (old.end..old_count, new.end..new_count)].into();
            for (stays, now) in spliced {
                for (line, now) in stays.zip(now).take(40) {
                    prop_assert_eq!(before.line(line as usize), plain.line(now as usize), "{:?} {} {}", edit, line, now);
                }
            }
            prop_assert!(edit.last_line() < new_count);
        }
    }

    /// git's lines, found by splitting at `\n`, are covered by the LSP lines that they are said to be.
    #[test]
    fn lines_of_git_are_found_among_lsp_lines(text in nasty(), first in 0..12u32, more in 0..3u32) {
        let ours = Text::new(&text);
        let lines: Vec<&str> = text.split('\n').collect();
        let range = LineRange { first, last: first + more };
        let found = ours.lsp_lines(range);
        prop_assert!(found.first <= found.last && found.last < ours.line_count());
        if (range.last as usize) < lines.len() {
            let wanted = lines[first as usize..=range.last as usize].join("\n");
            let trimmed = |text: &str| text.trim_end_matches(['\r', '\n']).to_owned();
            prop_assert_eq!(trimmed(&ours.slice(found)), trimmed(&wanted));
        } else if (first as usize) >= lines.len() {
            prop_assert_eq!(found, LineRange::line(ours.line_count() - 1));
        }
    }
}

fn edit(text: &str, from: (u32, u32), to: (u32, u32), new: &str) -> (Range<u32>, Range<u32>) {
    let mut text = Text::new(text);
    let at = |(line, character)| Position { line, character };
    let edit = text.apply(Some((at(from), at(to))), new, Encoding::Utf16);
    (edit.before(), edit.after())
}

#[test]
fn a_clone_keeps_the_text_it_was_made_of() {
    let mut text = Text::new("one\n");
    let kept = text.clone();
    text.apply(Some((Position::new(0, 0), Position::new(0, 3))), "two", Encoding::Utf8);
    assert_eq!((kept.to_string().as_str(), text.to_string().as_str()), ("one\n", "two\n"));
}

#[test]
fn a_surrogate_pair_is_not_split() {
    let text = Text::new("a🦀b");
    assert_eq!(text.offset(Position::new(0, 2), Encoding::Utf16), 1);
    assert_eq!(text.offset(Position::new(0, 3), Encoding::Utf16), 5);
    assert_eq!(text.offset(Position::new(0, 3), Encoding::Utf8), 1);
}

#[test]
fn enter_at_a_line_start_moves_the_line_and_at_a_line_end_leaves_it() {
    assert_eq!(edit("one\ntwo\n", (1, 0), (1, 0), "\n"), (1..1, 1..2));
    assert_eq!(edit("one\ntwo\n", (0, 3), (0, 3), "\n"), (1..1, 1..2));
    assert_eq!(edit("one\r\ntwo\r\n", (0, 3), (0, 3), "\r\n"), (1..1, 1..2));
}

#[test]
fn enter_inside_of_a_line_splits_it() {
    assert_eq!(edit("one\ntwo\n", (1, 1), (1, 1), "\n"), (1..2, 1..3));
}

#[test]
fn whole_lines_go_without_touching_their_neighbours() {
    assert_eq!(edit("one\ntwo\nthree", (1, 0), (2, 0), ""), (1..2, 1..1));
    assert_eq!(edit("one\ntwo\nthree", (1, 3), (2, 5), ""), (2..3, 2..2));
}

#[test]
fn what_is_replaced_by_the_same_is_not_touched() {
    let mut text = Text::new("one\ntwo\nthree\n");
    let edit = text.apply(None, "one\ntwo!\nthree\n", Encoding::Utf16);
    assert_eq!((edit.before(), edit.after()), (1..2, 1..2));
    let edit = text.apply(None, "one\ntwo!\nthree\n", Encoding::Utf16);
    assert!(edit.before().is_empty() && edit.after().is_empty());
}

#[test]
fn joining_a_return_with_a_newline_is_no_new_line() {
    assert_eq!(edit("a\rb", (1, 0), (1, 0), "\n"), (1..1, 1..1));
    let mut text = Text::new("a\rx\nb");
    text.apply(Some((Position::new(1, 0), Position::new(1, 1))), "", Encoding::Utf8);
    assert_eq!((text.line_count(), text.lone_returns), (2, 0));
}

#[test]
fn slices_and_lines_have_no_last_end() {
    let text = Text::new("one\r\ntwo\nthree\n");
    assert_eq!(text.slice(LineRange { first: 0, last: 1 }), "one\r\ntwo");
    assert_eq!(text.slice(LineRange { first: 2, last: 99 }), "three\n");
    assert_eq!(text.slice(LineRange::line(9)), "");
    assert_eq!(text.line(0).as_deref(), Some("one"));
    assert_eq!((text.line(3).as_deref(), text.line(4)), (Some(""), None));
}

#[test]
fn a_debugged_text_keeps_its_contents_to_itself() {
    assert_eq!(format!("{:?}", Text::new("secret\n")), "Text(2 lines, 7 bytes)");
}

#[test]
fn lines_end_as_they_do() {
    let text = Text::new("a\nb\r\nc\rd\r\r\n\ne");
    let ends: Vec<_> = (0..8).map(|line| text.line_end(line)).collect();
    let (lf, crlf, cr) = (Some("\n"), Some("\r\n"), Some("\r"));
    assert_eq!(ends, [lf, crlf, cr, cr, crlf, lf, None, None]);
}

#[test]
fn the_lines_of_git_are_found_again() {
    let text = Text::new("a\nb\rc\r\nd\re");
    let git = |first, last| text.git_lines(LineRange { first, last });
    assert_eq!(git(0, 0), LineRange::line(0));
    assert_eq!(git(1, 2), LineRange::line(1));
    assert_eq!(git(2, 3), LineRange { first: 1, last: 2 });
    assert_eq!(git(0, 99), LineRange { first: 0, last: 2 });
    assert_eq!(git(99, 99), LineRange::line(2));
    assert_eq!(
        Text::new("a\nb\n").git_lines(LineRange { first: 1, last: 9 }),
        LineRange { first: 1, last: 2 }
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every line of git, and so every range of them, is found again from the LSP lines that it is.
    #[test]
    fn to_lsp_lines_and_back(text in "([ab🦀]|\r|\n|\r\n){0,40}", first: u32, more in 0..5_u32) {
        let count = text.split_terminator('\n').count().max(1) as u32;
        let first = first % count;
        let lines = LineRange { first, last: (first + more).min(count - 1) };
        let text = Text::new(&text);
        prop_assert_eq!(text.git_lines(text.lsp_lines(lines)), lines);
    }
}
