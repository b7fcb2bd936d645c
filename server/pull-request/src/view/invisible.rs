//! Characters that cannot be seen, or that make text look like something else: controls, bidi marks, zero width.
//!
//! In bodies and code they are shown by number, `⟦U+202E⟧`; in one-line texts they are left out.
//! (CVE-2021-42574 "Trojan Source"; terminal escapes.)
//! It must not know Markdown.

use std::borrow::Cow;

/// The text with hidden characters shown by number; line feeds and tabs stay, `\r\n` becomes `\n`.
///
/// A run of one hidden character is shown once, with its count.
pub(crate) fn reveal(text: &str) -> Cow<'_, str> {
    if !may_hide(text) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut before = None;
    while let Some(character) = characters.next() {
        let after = characters.peek().copied();
        if character == '\r' && after == Some('\n') {
            continue;
        }
        if matches!(character, '\n' | '\t') || !is_hidden(before, character, after) {
            shown.push(character);
            before = Some(character);
            continue;
        }
        let mut count = 1;
        while characters.next_if_eq(&character).is_some() {
            count += 1;
        }
        shown.push_str(&format!("⟦U+{:04X}", u32::from(character)));
        if count > 1 {
            shown.push_str(&format!(" ×{count}"));
        }
        shown.push('⟧');
        before = None;
    }
    Cow::Owned(shown)
}

/// The text as one line: white space of any kind becomes single spaces, hidden characters are left out, ends are trimmed.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(256));
    let mut characters = text.chars().peekable();
    let mut before = None;
    while let Some(character) = characters.next() {
        if character.is_whitespace() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else if !is_hidden(before, character, characters.peek().copied()) {
            line.push(character);
        }
        before = Some(character);
    }
    line.truncate(line.trim_end().len());
    line
}

/// Whether a character is hidden where it stands between its neighbours.
///
/// Joiners are part of how emoji, Arabic and Indic scripts are written, so they pass between such characters.
pub(crate) fn is_hidden(before: Option<char>, character: char, after: Option<char>) -> bool {
    match character {
        '\u{200C}' | '\u{200D}' => {
            let (Some(before), Some(after)) = (before, after) else {
                return true;
            };
            let emoji = character == '\u{200D}' && is_emoji(before) && is_emoji(after);
            !(emoji || is_joining_script(before) && is_joining_script(after))
        }
        // A symbol's form: behind any other character it is nothing to be seen, and may spell a hidden message.
        '\u{FE00}'..='\u{FE0F}' => !before.is_some_and(|before| has_forms(before, character, after)),
        // What fonts show as nothing at all, though Unicode calls some of it letters.
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' => true,
        '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' => true,
        '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' => true,
        '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' => true,
        '\u{E0000}'..='\u{E0FFF}' => true,
        _ => character.is_control(),
    }
}

/// A quick look: only texts with controls or characters beyond ASCII can hide something.
fn may_hide(text: &str) -> bool {
    text.bytes().any(|byte| byte >= 0x7F || byte < 0x20 && byte != b'\n' && byte != b'\t')
}

/// Whether a variation selector chooses between forms of the character before it: of keys, emoji, CJK and other symbols.
fn has_forms(before: char, selector: char, after: Option<char>) -> bool {
    let is_key = matches!(before, '#' | '*' | '0'..='9') && after == Some('\u{20E3}');
    is_key && matches!(selector, '\u{FE0E}' | '\u{FE0F}')
        || matches!(before, '©' | '®' | '\u{1000}'..) && !is_hidden(None, before, None)
}

fn is_emoji(character: char) -> bool {
    matches!(character, '\u{1F000}'..='\u{1FAFF}' | '\u{2190}'..='\u{2BFF}' | '\u{FE0F}')
}

fn is_joining_script(character: char) -> bool {
    matches!(
        character,
        '\u{0600}'..='\u{061B}' | '\u{061D}'..='\u{08FF}' | '\u{0900}'..='\u{109F}' | '\u{1780}'..='\u{17B3}'
            | '\u{17B6}'..='\u{180A}' | '\u{1820}'..='\u{18AF}' | '\u{FB50}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::vectors::hostile_characters;

    #[test]
    fn hidden_characters_are_shown_by_number_in_bodies() {
        assert_eq!(reveal("a\u{202E}b\u{2066}"), "a⟦U+202E⟧b⟦U+2066⟧");
        assert_eq!(reveal("\x1b[31mred\x07\x07\x07"), "⟦U+001B⟧[31mred⟦U+0007 ×3⟧");
        assert_eq!(reveal("one\r\n\ttwo\r"), "one\n\ttwo⟦U+000D⟧");
        assert!(matches!(reveal("plain ~ text\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn hidden_characters_are_left_out_of_lines() {
        assert_eq!(one_line("  a\u{202E}b\n\n\tc\u{85}d\u{2028}e\u{200B} "), "ab c d e");
        assert_eq!(one_line("\u{1b}]8;;https://x\u{07}click"), "]8;;https://xclick");
        assert_eq!(one_line("\u{3164}\u{200B}"), "");
    }

    #[test]
    fn joiners_that_people_write_with_stay() {
        let family = "👩‍👩‍👧 ❤️‍🔥 می‌خواهم क्‍ष 1️⃣ ©️ ✈︎ 葛︀";
        assert_eq!(reveal(family), family);
        assert_eq!(one_line(family), family);
        assert_eq!(one_line("ad\u{200D}min\u{200C}"), "admin");
        assert_eq!(
            one_line("a\u{FE00}d\u{FE0F}min \u{FE01}1\u{FE0F} ✈\u{FE0F}\u{FE01}"),
            "admin 1 ✈\u{FE0F}"
        );
    }

    #[test]
    fn every_hostile_character_is_handled() {
        for character in hostile_characters() {
            let text = format!("a{character}b");
            let shown = reveal(&text);
            let stays = matches!(character, '\n' | '\t');
            assert_eq!(shown.contains(character), stays, "{character:?} in {shown:?}");
            assert!(!one_line(&text).contains(character), "{character:?}");
        }
    }
}
