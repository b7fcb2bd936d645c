//! The name of a draft.

use std::fmt;
use std::io;

/// A draft's name, for its files and for commands: a word and 16 hexadecimal digits, as in `reply-3f9c0a1b2c3d4e5f`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DraftId(String);

/// Letters of the word.
const LONGEST_WORD: usize = 32;
const DIGITS: usize = 16;

impl DraftId {
    /// Reads a name; nothing else than a name is taken, so that it can stand in a path.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (word, digits) = text.rsplit_once('-')?;
        let word_right = (1..=LONGEST_WORD).contains(&word.len())
            && word.starts_with(|letter: char| letter.is_ascii_lowercase())
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let digits_right =
            digits.len() == DIGITS && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (word_right && digits_right).then(|| Self(text.to_owned()))
    }

    /// A name that nobody else has. What cannot stand in the word is left out of it.
    pub(crate) fn new(hint: &str) -> io::Result<Self> {
        let letters = hint.chars().filter(|letter| letter.is_ascii_lowercase() || *letter == '-');
        let word: String = letters.take(LONGEST_WORD).collect();
        let word = match word.trim_start_matches('-') {
            "" => "draft",
            word => word,
        };
        Ok(Self(format!("{word}-{}", private_files::random_id()?)))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DraftId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_taken() {
        for right in ["reply-0123456789abcdef", "edit-task-0000000000000000"] {
            assert_eq!(DraftId::parse(right).unwrap().to_string(), right);
        }
        for wrong in [
            "",
            "reply",
            "reply-0123456789abcde",
            "reply-0123456789abcdef0",
            "reply-0123456789ABCDEF",
            "-0123456789abcdef",
            "--0123456789abcdef",
            "../reply-0123456789abcdef",
            "a/b-0123456789abcdef",
            "a\\b-0123456789abcdef",
            "a\0-0123456789abcdef",
            "Reply-0123456789abcdef",
            "é-0123456789abcdef",
            "reply-0123456789abcdef\n",
            "reply-0123456789abcdef.md",
        ] {
            assert_eq!(DraftId::parse(wrong), None, "{wrong:?}");
        }
        assert_eq!(DraftId::parse(&format!("{}-0123456789abcdef", "x".repeat(33))), None);
    }

    #[test]
    fn new_names_are_names_and_differ() {
        for hint in ["reply", "", "../../etc", "-", "ÄÖ", "edit-task", &"x".repeat(99)] {
            let [one, two] = [hint, hint].map(|hint| DraftId::new(hint).unwrap());
            assert_eq!(DraftId::parse(one.as_str()), Some(one.clone()), "{hint}");
            assert_ne!(one, two);
        }
    }
}
