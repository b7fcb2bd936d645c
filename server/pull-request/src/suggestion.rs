//! Suggested changes: fenced `suggestion` blocks in a comment, and what they would do to the commented lines.
//!
//! It reads Markdown and makes text, and says what applying a suggestion does to a document; it must not know who asked for it.

mod apply;

pub use self::apply::{All, Replacement, Wanted, Why, apply, apply_all};

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use crate::view::invisible::reveal;
use crate::view::markdown::{OPTIONS, fence, line_feeds};

/// Comments longer than this (in bytes) are not searched: half a suggestion would be a wrong one.
const LONGEST: usize = 256 * 1024;

/// What an author wants to stand in place of the commented lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The new lines without terminators; empty if the commented lines shall go.
    pub replacement: Vec<String>,
}

impl Suggestion {
    /// Whether it brings characters that nobody sees into the code, or such that make it look like other code.
    pub fn has_hidden_characters(&self) -> bool {
        self.replacement.iter().any(|line| reveal(line) != line.as_str())
    }
}

/// The suggestions in a comment's raw Markdown, in their order.
///
/// A suggestion is a fenced code block (CommonMark: backticks or tildes, three or more) whose info string starts with the
/// word `suggestion`; one that is never closed ends with the comment.
/// A comment of more than 256 KiB has none.
pub fn find(raw: &str) -> Vec<Suggestion> {
    find_with_places(raw).into_iter().map(|(suggestion, _)| suggestion).collect()
}

/// As [`find`], each with the bytes of its block from the opening fence to the closing one.
pub(crate) fn find_with_places(raw: &str) -> Vec<(Suggestion, Range<usize>)> {
    if raw.len() > LONGEST || !raw.contains("suggestion") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut block: Option<String> = None;
    for (event, place) in Parser::new_ext(&line_feeds(raw), OPTIONS).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if is_suggestion(&info) => {
                block = Some(String::new());
            }
            Event::Text(text) => {
                if let Some(block) = &mut block {
                    block.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                if let Some(block) = block.take() {
                    let replacement = block.lines().map(str::to_owned).collect();
                    found.push((Suggestion { replacement }, place));
                }
            }
            _ => {}
        }
    }
    found
}

/// A block that suggests these lines as they are, to be changed; without a line feed at its end.
pub fn of_lines(lines: &[String]) -> String {
    let mut block = String::new();
    for line in lines {
        block.push_str(line);
        block.push('\n');
    }
    let fence = fence(&block);
    format!("{fence}suggestion\n{block}{fence}")
}

/// Whether a line opens a suggestion.
pub(crate) fn opens(line: &str) -> bool {
    let fence = line.trim_start();
    let info = fence.trim_start_matches(['`', '~']);
    fence.len() - info.len() >= 3 && is_suggestion(info)
}

/// Whether a fence's info string opens a suggestion.
pub(crate) fn is_suggestion(info: &str) -> bool {
    info.split_whitespace().next() == Some("suggestion")
}

/// The change from the commented lines to the replacement, each line led by `-`, `+`, or a space where nothing changes.
///
/// It is for reading: without a hunk header, and what both have in common at the start and the end is kept as context.
pub fn as_diff(commented: &str, replacement: &[String]) -> String {
    let before: Vec<&str> = commented.lines().collect();
    let after: Vec<&str> = replacement.iter().map(String::as_str).collect();
    let same = |(one, other): &(&&str, &&str)| one == other;
    let at_start = before.iter().zip(&after).take_while(same).count();
    let at_end = before[at_start..].iter().rev().zip(after[at_start..].iter().rev()).take_while(same).count();
    let parts = [
        (' ', &before[..at_start]),
        ('-', &before[at_start..before.len() - at_end]),
        ('+', &after[at_start..after.len() - at_end]),
        (' ', &before[before.len() - at_end..]),
    ];
    let mut diff = String::new();
    for (mark, lines) in parts {
        for line in lines {
            diff.push(mark);
            diff.push_str(line);
            diff.push('\n');
        }
    }
    diff
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn check(raw: &str, expected: &[&[&str]]) {
        let found: Vec<Vec<String>> = find(raw).into_iter().map(|it| it.replacement).collect();
        assert_eq!(found, expected, "{raw:?}");
    }

    #[test]
    fn fences_of_all_kinds() {
        check("```suggestion\nlet a = 1;\n```", &[&["let a = 1;"]]);
        check("Better:\n\n~~~suggestion\nlet a = 1;\n~~~\nor not", &[&["let a = 1;"]]);
        check("````suggestion\n```rust\nx\n```\n````", &[&["```rust", "x", "```"]]);
        check("  ```suggestion\n  a\n    b\n  ```", &[&["a", "  b"]]);
        check("- so:\n\n  ```suggestion\n  a\n  ```", &[&["a"]]);
        check("> ```suggestion\n> a\n> ```", &[&["a"]]);
        check("``` suggestion extra words\na\n```", &[&["a"]]);
        check("```suggestion\r\na\r\n\tb\r\n```\r\n", &[&["a", "\tb"]]);
        check("```suggestion\na\n```\n\n```suggestion\nb\n```", &[&["a"], &["b"]]);
        check("```suggestion\ra\r b\r\rc\r```\rd", &[&["a", " b", "", "c"]]);
    }

    #[test]
    fn unclosed_fences_end_with_the_comment() {
        check("```suggestion\na\nb", &[&["a", "b"]]);
        check("```suggestion", &[&[]]);
        check("> ```suggestion\n> a\nb", &[&["a"]]);
    }

    #[test]
    fn nothing_and_an_empty_line_are_not_the_same() {
        check("```suggestion\n```", &[&[]]);
        check("```suggestion\n\n```", &[&[""]]);
        check("```suggestion\na\n\n```", &[&["a", ""]]);
    }

    #[test]
    fn what_is_no_suggestion() {
        check("```rust\nsuggestion\n```", &[]);
        check("```suggestions\na\n```", &[]);
        check("    ```suggestion\n    a\n    ```", &[]);
        check("``suggestion``", &[]);
        check("a suggestion\n", &[]);
        check("", &[]);
    }

    #[test]
    fn a_comment_too_long_has_no_suggestion() {
        check(&format!("```suggestion\n{}\n```", "x\n".repeat(LONGEST)), &[]);
    }

    #[test]
    fn the_diff_keeps_what_is_the_same() {
        let replacement = ["fn pay() {", "    charge_once();", "    log();", "}"].map(String::from);
        expect![[r#"
             fn pay() {
            -    charge();
            -    charge();
            +    charge_once();
            +    log();
             }
        "#]]
        .assert_eq(&as_diff("fn pay() {\r\n    charge();\r\n    charge();\r\n}", &replacement));
        assert_eq!(as_diff("a\nb\n", &[]), "-a\n-b\n");
        assert_eq!(as_diff("", &["a".into()]), "+a\n");
        assert_eq!(as_diff("a\na\n", &["a".into()]), " a\n-a\n");
        assert_eq!(as_diff("a\n", &["a".into(), "a".into()]), " a\n+a\n");
    }
}
