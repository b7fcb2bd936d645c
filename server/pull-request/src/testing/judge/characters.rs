//! Which characters a reader cannot see, or which change how others are seen.

use std::ops::RangeInclusive;

/// Unicode's controls, format marks without a form, default ignorables, line and paragraph separators,
/// and the blanks that are letters or symbols by class. In order.
const UNSEEN: &[RangeInclusive<u32>] = &[
    0x00..=0x1F,
    0x7F..=0x9F,
    0xAD..=0xAD,
    0x34F..=0x34F,
    0x61C..=0x61C,
    0x115F..=0x1160,
    0x17B4..=0x17B5,
    0x180B..=0x180F,
    0x200B..=0x200F,
    0x2028..=0x202E,
    0x2060..=0x206F,
    0x2800..=0x2800,
    0x3164..=0x3164,
    0xFE00..=0xFE0F,
    0xFEFF..=0xFEFF,
    0xFFA0..=0xFFA0,
    0xFFF0..=0xFFFB,
    0x1BCA0..=0x1BCA3,
    0x1D173..=0x1D17A,
    0xE0000..=0xE0FFF,
];

/// Whether every character is seen, but for those that are allowed.
pub(super) fn visible(text: &str, allowed: &str) -> Result<(), String> {
    let mut before = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let after = characters.peek().copied();
        if is_unseen(character)
            && !allowed.contains(character)
            && !is_part_of_writing(before, character, after)
        {
            return Err(format!("U+{:04X} is in it", u32::from(character)));
        }
        before = Some(character);
    }
    Ok(())
}

fn is_unseen(character: char) -> bool {
    let number = u32::from(character);
    UNSEEN
        .binary_search_by(|range| match (number < *range.start(), number > *range.end()) {
            (true, _) => std::cmp::Ordering::Greater,
            (_, true) => std::cmp::Ordering::Less,
            _ => std::cmp::Ordering::Equal,
        })
        .is_ok()
}

/// Joiners between letters that join, and selectors of a symbol's form: emoji and many scripts are not written without.
fn is_part_of_writing(before: Option<char>, character: char, after: Option<char>) -> bool {
    let joins = |neighbour: Option<char>| {
        neighbour.is_some_and(|it| it >= '\u{600}' && (!is_unseen(it) || it == '\u{FE0F}'))
    };
    let is_symbol = |it: char| it >= '\u{1000}' && !is_unseen(it) || "©®".contains(it);
    match character {
        '\u{200C}' | '\u{200D}' => joins(before) && joins(after),
        '\u{FE0E}' | '\u{FE0F}' => {
            before.is_some_and(|it| is_symbol(it) || after == Some('\u{20E3}') && "#*0123456789".contains(it))
        }
        '\u{FE00}'..='\u{FE0D}' => before.is_some_and(is_symbol),
        _ => false,
    }
}
