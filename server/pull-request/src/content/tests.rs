//! What is found, and how sure that is.

use super::*;

fn found(before: &str, line: u32, after: &str) -> Option<(u32, u8, Likeness)> {
    let excerpt = Excerpt::of(&Lines::of(before), LineRange::line(line));
    let found = find(&excerpt, &Lines::of(after), line)?;
    Some((found.lines.first, found.confidence.percent(), found.likeness))
}

#[test]
fn lines_are_those_of_git() {
    let lines = Lines::of("one\r\ntwo\rdue\n\nlast");
    assert_eq!(lines.count(), 4);
    assert_eq!(
        lines.range(LineRange { first: 0, last: u32::MAX }).collect::<Vec<_>>(),
        ["one", "two\rdue", "", "last"]
    );
    assert_eq!((Lines::of("").count(), Lines::of("\n").count(), Lines::of("a\n").count()), (0, 1, 1));
    assert_eq!(lines.get(4), None);
}

#[test]
fn telling_text_that_stands_once_is_nearly_certain() {
    let (line, sure, likeness) =
        found("a\nlet total = price * count;\nb\n", 1, "x\ny\nlet total = price * count;\n").unwrap();
    assert_eq!((line, likeness), (2, Likeness::Exact));
    assert!((85..100).contains(&sure), "{sure}");
}

#[test]
fn other_indentation_is_a_little_less_certain() {
    let before = "fn f() {\nlet total = price * count;\n}\n";
    let same = found(before, 1, before).unwrap();
    let indented = found(before, 1, "fn f() {\n\tlet total = price*count;\n}\n").unwrap();
    assert_eq!((indented.0, indented.2), (1, Likeness::Blanks));
    assert!(indented.1 < same.1 && indented.1 > 80, "{indented:?} {same:?}");
}

#[test]
fn altered_text_is_found_but_not_taken_for_the_same() {
    let before = "fn pay() {\n    let total = price * count;\n    charge(total);\n}\n";
    let after = "fn zero() {}\nfn pay() {\n    let total = price * count + tax;\n    charge(total);\n}\n";
    let (line, sure, likeness) = found(before, 1, after).unwrap();
    assert_eq!((line, likeness), (2, Likeness::Similar));
    assert!((40..90).contains(&sure), "{sure}");
}

#[test]
fn text_in_two_places_is_doubtful_unless_its_surroundings_decide() {
    let before = "alpha_one();\nlet total = price * count;\nalpha_two();\n";
    let copies = "let total = price * count;\n\nlet total = price * count;\n";
    let (_, sure, _) = found(before, 1, copies).unwrap();
    assert!(sure <= 50, "{sure}");
    let decided = format!("let total = price * count;\n\n{before}");
    let (line, sure, _) = found(before, 1, &decided).unwrap();
    assert_eq!(line, 3);
    assert!(sure > 85, "{sure}");
}

#[test]
fn a_far_copy_is_less_of_a_rival() {
    let near = format!("x\nlet total = price * count;\n{}let total = price * count;\n", "y\n".repeat(100));
    let (line, sure, _) = found("a\nlet total = price * count;\nb\n", 1, &near).unwrap();
    assert_eq!(line, 1);
    assert!((70..90).contains(&sure), "{sure}");
}

#[test]
fn brackets_say_nothing_by_themselves() {
    let (_, sure, _) = found("one();\n}\ntwo();\n", 1, "three();\n}\nfour();\n").unwrap();
    assert!(sure < 30, "{sure}");
    assert_eq!(found("one();\n\ntwo();\n", 1, "three();\n\nfour();\n"), None);
}

#[test]
fn a_gap_closes_where_lines_were_deleted() {
    let before =
        Lines::of("fn pay() {\n    legacy_check(account);\n    charge(amount);\n    log(amount);\n}\n");
    let excerpt = Excerpt::of(&before, LineRange::line(1));
    let after = Lines::of("// Licence.\nfn pay() {\n    charge(amount);\n    log(amount);\n}\n");
    let (line, between, sure) = find_gap(&excerpt, &after, 1).unwrap();
    assert_eq!((line, between), (2, None));
    assert!(sure.percent() > 80, "{sure}");
}

#[test]
fn a_gap_holds_what_came_instead() {
    let before = Lines::of("fn pay() {\n    legacy_check(account);\n    charge(amount);\n}\n");
    let excerpt = Excerpt::of(&before, LineRange::line(1));
    let after = Lines::of("fn pay() {\n    nothing of the kind\n    and_more\n    charge(amount);\n}\n");
    let (line, between, _) = find_gap(&excerpt, &after, 1).unwrap();
    assert_eq!((line, between), (1, Some(LineRange { first: 1, last: 2 })));
    assert_eq!(find_gap(&excerpt, &Lines::of("quite\nanother\nfile\n"), 1), None);
}

#[test]
fn a_search_in_a_monotonous_text_stays_cheap() {
    // 200,000 times the same line: only the nearest places are looked at.
    let text = "let total = price * count;\n".repeat(200_000);
    let excerpt = Excerpt::of(&Lines::of("a\nlet total = price * count;\nb\n"), LineRange::line(1));
    let found = find(&excerpt, &Lines::of(text), 150_000).unwrap();
    assert_eq!(found.lines, LineRange::line(150_000));
    assert!(found.confidence.percent() <= 50);
}

#[test]
fn empty_and_past_the_end_is_nothing() {
    let text = Lines::of("one\ntwo\n");
    let nothing = Excerpt::of(&text, LineRange::line(u32::MAX));
    assert_eq!(nothing.lines, Vec::<String>::new());
    assert_eq!(find(&nothing, &text, 0), None);
    let excerpt = Excerpt::of(&text, LineRange { first: 1, last: u32::MAX });
    assert_eq!(excerpt.lines, ["two"]);
    assert_eq!(find(&excerpt, &Lines::of(""), u32::MAX), None);
    assert_eq!(find_gap(&excerpt, &Lines::of(""), u32::MAX), None);
}
