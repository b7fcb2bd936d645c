//! Suggestions in a comment: what is found stands in the comment, what is fenced plainly is found letter for letter,
//! a diff holds both texts whole, and applying changes the commented lines and nothing else.
//!
//! The input is the comment; what stands before its first NUL, if there is one, are the commented lines.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pull_request::model::LineRange;
use pull_request::place::Placement;
use pull_request::suggestion::{Suggestion, Wanted, Why, apply, as_diff, find, of_lines};
use pull_request::text::{Encoding, Text};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (commented, raw) = text.split_once('\0').unwrap_or(("fn pay() {\n    charge();\n}\n", &text));
    for suggestion in find(raw) {
        for line in &suggestion.replacement {
            check_line(raw, line);
        }
        check_diff(commented, &suggestion.replacement);
        check_application(commented, &suggestion);
    }
    check_plain_fences(raw);
    check_diff(commented, &raw.lines().map(str::to_owned).collect::<Vec<_>>());
});

/// A line is one line, and the comment has it; a parser may turn a tab before it into blanks.
fn check_line(raw: &str, line: &str) {
    assert!(!line.contains(['\n', '\r']), "{line:?}");
    assert!(raw.contains(line.trim_start()), "{line:?} is not in {raw:?}");
}

/// Whatever stands between fences that it does not contain comes back.
fn check_plain_fences(text: &str) {
    let lines: Vec<&str> = text.split('\n').map(|line| line.trim_end_matches('\r')).collect();
    if text.contains(['\0', '\r']) {
        return;
    }
    for (mark, longest) in [('`', longest_run(text, '`')), ('~', longest_run(text, '~'))] {
        let fence = mark.to_string().repeat(longest.max(2) + 1);
        for (before, prefix) in
            [("", ""), ("See:\n\n", ""), ("> Quoted\n\n", ""), ("", "> "), ("- a\n\n", "  ")]
        {
            // What a container takes off a line depends on its tabs, and its blank lines may lack the blanks.
            if !prefix.is_empty() && text.contains('\t') {
                continue;
            }
            let body: String = lines.iter().map(|line| format!("{prefix}{line}\n")).collect();
            let raw = format!("{before}{prefix}{fence}suggestion\n{body}{prefix}{fence}\n\nafter");
            let found = find(&raw);
            assert_eq!(found.len(), 1, "{raw:?}");
            assert_eq!(found[0].replacement, lines, "{raw:?}");
        }
    }
    let lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
    assert_eq!(find(&of_lines(&lines)), [Suggestion { replacement: lines }], "{text:?}");
}

/// Applied to each line of a text that has them, and to all at once, it replaces these and not a byte more.
fn check_application(document: &str, suggestion: &Suggestion) {
    let text = Text::new(document);
    let final_line = text.line_count() - 1;
    let ranges = (0..=final_line.min(8)).map(LineRange::line).chain([LineRange::new(0, final_line)]);
    for lines in ranges {
        let reviewed: Vec<String> = (lines.first..=lines.last)
            .filter_map(|line| text.line(line))
            .map(|line| line.into_owned())
            .collect();
        let is_same = reviewed == suggestion.replacement;
        let wanted = Wanted {
            placement: Placement::Exact(lines),
            reviewed: Some(reviewed),
            suggestion: suggestion.clone(),
        };
        let replacement = match apply(&text, &wanted) {
            Ok(replacement) => replacement,
            Err(Why::NothingToChange) => continue,
            Err(why) => {
                assert_eq!(why, Why::MixedLineEnds, "{document:?}");
                assert!(document.contains('\r'), "{document:?}");
                continue;
            }
        };
        assert!(!is_same && replacement.lines == lines, "{document:?}");
        let (start, end) = replacement.range(&text, Encoding::Utf8);
        let (start, end) = (text.offset(start, Encoding::Utf8), text.offset(end, Encoding::Utf8));
        let after = format!("{}{}{}", &document[..start], replacement.new_text, &document[end..]);
        let applied = Text::new(&after);
        for (at, line) in (lines.first..).zip(&suggestion.replacement) {
            assert_eq!(applied.line(at).as_deref(), Some(line.as_str()), "{document:?} became {after:?}");
        }
    }
}

/// The lines led by `-` and blanks are the commented ones, those by `+` and blanks the new ones.
fn check_diff(commented: &str, replacement: &[String]) {
    let diff = as_diff(commented, replacement);
    let side = |mark: char| -> Vec<&str> {
        let lines = diff.split_terminator('\n');
        lines.filter_map(|line| line.strip_prefix([mark, ' '])).collect()
    };
    assert_eq!(side('-'), commented.lines().collect::<Vec<_>>(), "{diff:?}");
    assert_eq!(side('+'), replacement, "{diff:?}");
    // Nothing is told as changed that both have at the start or the end.
    let changed: Vec<char> = diff.split_terminator('\n').filter_map(|line| line.chars().next()).collect();
    let first = changed.iter().position(|mark| *mark != ' ').unwrap_or(0);
    let last = changed.iter().rposition(|mark| *mark != ' ').map_or(0, |at| at + 1);
    assert!(!changed[first..last].contains(&' '), "{diff:?}");
}

fn longest_run(text: &str, mark: char) -> usize {
    text.split(|it| it != mark).map(str::len).max().unwrap_or(0)
}
