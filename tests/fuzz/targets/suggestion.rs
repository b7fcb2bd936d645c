//! Suggestions in a comment: what is found stands in the comment, what is fenced plainly is found letter for letter,
//! and a diff holds both texts whole.
//!
//! The input is the comment; what stands before its first NUL, if there is one, are the commented lines.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pull_request::suggestion::{as_diff, find};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (commented, raw) = text.split_once('\0').unwrap_or(("fn pay() {\n    charge();\n}\n", &text));
    for suggestion in find(raw) {
        for line in &suggestion.replacement {
            check_line(raw, line);
        }
        check_diff(commented, &suggestion.replacement);
    }
    check_plain_fences(raw);
    check_diff(commented, &raw.lines().map(str::to_owned).collect::<Vec<_>>());
});

/// A line is one line, and the comment has it; a parser may turn a tab before it into blanks.
fn check_line(raw: &str, line: &str) {
    assert!(!line.contains('\n'), "{line:?}");
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
