//! Placements as pictures: what happened to the text, and where its comments are drawn then.

use expect_test::{Expect, expect};

use crate::testing::draw;

fn check(fixture: &str, drawn: Expect) {
    drawn.assert_eq(&draw(fixture));
}

#[test]
fn nothing_happened() {
    check(
        "
//- commented src/pay.rs
fn pay() {
    charge();
  //^^^^^^^^^ ana: Why twice?
    charge();
}
",
        expect![[r#"
            1 │ fn pay() {
            2 ┃     charge();   ana: Why twice?
            3 │     charge();
            4 │ }
        "#]],
    );
}

#[test]
fn lines_came_in_above() {
    check(
        "
//- commented src/pay.rs
fn pay() { charge(); }
         //^^^^^^^^^ ana: Why twice?
//- buffer
// moved
fn pay() { charge(); }
",
        expect![[r#"
            1 │ // moved
            2 ┃ fn pay() { charge(); }   ana: Why twice?   (moved from 1)
        "#]],
    );
}

#[test]
fn a_local_commit_and_unsaved_edits_add_up() {
    check(
        "
//- commented
one();
two();
three();
//^^^^^^ ana: Three?
//- head
zero();
one();
two();
three();
//- buffer
zero();
one();
three();
four();
",
        expect![[r#"
            1 │ zero();
            2 │ one();
            3 ┃ three();   ana: Three?
            4 │ four();
        "#]],
    );
}

#[test]
fn the_line_was_edited() {
    check(
        "
//- commented
fn pay() {
    charge(account, amount);
  //^^^^^^^^^^^^^^^^^^^^^^^^ ana: In cents?
    log();
}
//- buffer
fn pay() {
    // In cents.
    check(account);
    charge(account, amount_in_cents);
    log();
}
",
        expect![[r#"
            1 │ fn pay() {
            2 │     // In cents.
            3 │     check(account);
            4 ┃     charge(account, amount_in_cents);   ana: In cents?   (changed since: was "charge(account, amount);")
            5 │     log();
            6 │ }
        "#]],
    );
}

#[test]
fn the_line_was_deleted() {
    check(
        "
//- commented
fn pay() {
    charge(account, amount);
  //^^^^^^^^^^^^^^^^^^^^^^^^ ana: In cents?
    log();
}
//- buffer
fn pay() {
    log();
}
",
        expect![[r#"
            1 │ fn pay() {
            2 ┃     log();   ana: In cents?   (gone: was "charge(account, amount);")
            3 │ }
        "#]],
    );
}

#[test]
fn the_last_line_was_deleted() {
    check(
        "
//- commented
one();
two();
//^^^^ ana: Why?
//- buffer
one();
",
        expect![[r#"
            1 ┃ one();   ana: Why?   (gone: was "two();")
        "#]],
    );
}

#[test]
fn something_else_stands_there() {
    check(
        "
//- commented
fn pay() {
    charge(account, amount);
  //^^^^^^^^^^^^^^^^^^^^^^^^ ana: In cents?
}
//- buffer
fn pay() {
    unimplemented!()
}
",
        expect![[r#"
            1 │ fn pay() {
            2 ┃     unimplemented!()   ana: In cents?   (gone: was "charge(account, amount);")
            3 │ }
        "#]],
    );
}

#[test]
fn of_equal_lines_the_commented_one_is_kept() {
    check(
        "
//- commented
fn a() {
    retry();
}

fn b() {
    retry();
  //^^^^^^^^ ana: How often?
}
//- buffer
fn a() {
    start();
    retry();
}

fn b() {
    retry();
}
",
        expect![[r#"
            1 │ fn a() {
            2 │     start();
            3 │     retry();
            4 │ }
            5 │
            6 │ fn b() {
            7 ┃     retry();   ana: How often?   (moved from 6)
            8 │ }
        "#]],
    );
}

#[test]
fn an_equal_line_elsewhere_is_not_the_deleted_one() {
    check(
        "
//- commented
fn first() {
    retry_with_backoff(policy);
}

fn second() {
    retry_with_backoff(policy);
  //^^^^^^^^^^^^^^^^^^^^^^^^^^^ ana: How often?
    finish();
}
//- buffer
fn first() {
    retry_with_backoff(policy);
}

fn second() {
    finish();
}
",
        expect![[r#"
            1 │ fn first() {
            2 │     retry_with_backoff(policy);
            3 │ }
            4 │
            5 │ fn second() {
            6 ┃     finish();                     ana: How often?   (gone: was "retry_with_backoff(policy);")
            7 │ }
        "#]],
    );
}

#[test]
fn a_function_was_moved() {
    check(
        "
//- commented
fn helper(value: u32) -> u32 {
//^^^^^^^^^^^^^^^^^^^^^^^^^^^^ ana: Name?
    value.rotate_left(3)
  //^^^^^^^^^^^^^^^^^^^^ bo: Why 3?
}

fn main() {
    let input = read_input();
    let output = helper(input);
    print_output(output);
    print_summary(output);
}
//- buffer
fn main() {
    let input = read_input();
    let output = helper(input);
    print_output(output);
    print_summary(output);
}

fn helper(value: u32) -> u32 {
    value.rotate_left(3)
}
",
        expect![[r#"
             1 │ fn main() {
             2 │     let input = read_input();
             3 │     let output = helper(input);
             4 │     print_output(output);
             5 │     print_summary(output);
             6 │ }
             7 │
             8 ┃ fn helper(value: u32) -> u32 {    ana: Name?   (moved from 1, 97% sure)
             9 ┃     value.rotate_left(3)          bo: Why 3?   (moved from 2, 95% sure)
            10 │ }
        "#]],
    );
}

#[test]
fn a_block_was_indented() {
    check(
        "
//- commented
fn pay() {
    charge(account, amount);
    receipt(account);
  //^^^^^^^^^^^^^^^^^ ana [2 lines]: Both?
    done();
}
//- buffer
fn pay() {
    if amount > 0 {
        charge(account, amount);
        receipt(account);
    }
    done();
}
",
        expect![[r#"
            1 │ fn pay() {
            2 │     if amount > 0 {
            3 ┃         charge(account, amount);   ana: Both?   (moved from 2, 91% sure)
            4 ┃         receipt(account);
            5 │     }
            6 │     done();
            7 │ }
        "#]],
    );
}

#[test]
fn a_bracket_is_not_followed_on_a_hunch() {
    check(
        "
//- commented
fn a() {
    one();
}
//^ ana: Blank line, please.
fn b() {
    two();
}
//- buffer
fn b() {
    two();
}
fn c() {
    if three() {
        four();
    }
}
",
        expect![[r#"
            1 ┃ fn b() {           ana: Blank line, please.   (gone: was "}")
            2 │     two();
            3 │ }
            4 │ fn c() {
            5 │     if three() {
            6 │         four();
            7 │     }
            8 │ }
        "#]],
    );
}

#[test]
fn ranges_lose_their_edges_and_gain_a_middle() {
    check(
        "
//- commented
alpha();
beta();
gamma();
//^^^^^ ana [3 lines]: Head.
delta();
epsilon();
zeta();
//^^^^ bo [3 lines]: Tail.
eta();
theta();
//^^^^^ cy [2 lines]: Middle.
//- buffer
beta();
gamma();
delta();
epsilon();
eta();
something_new();
theta();
",
        expect![[r#"
            1 ┃ beta();            ana: Head.   (changed since: was "alpha(); / beta(); / gamma();")
            2 ┃ gamma();
            3 ┃ delta();           bo: Tail.   (changed since: was "delta(); / epsilon(); / zeta();")
            4 ┃ epsilon();
            5 ┃ eta();             cy: Middle.   (changed since: was "eta(); / theta();")
            6 ┃ something_new();
            7 ┃ theta();
        "#]],
    );
}

#[test]
fn a_whole_range_moves() {
    check(
        "
//- commented
alpha();
beta();
gamma();
//^^^^^ ana [2 lines]: Two.
//- buffer
zero();
alpha();
beta();
gamma();
",
        expect![[r#"
            1 │ zero();
            2 │ alpha();
            3 ┃ beta();    ana: Two.   (moved from 2)
            4 ┃ gamma();
        "#]],
    );
}

#[test]
fn a_file_was_renamed_and_edited() {
    check(
        "
//- commented src/old.rs
//^ ana: Split this file?
use std::fmt;
//^^^^^^^^^^ bo: Unused.
pub fn show() {}
//- head src/new.rs
//! New home.
use std::fmt;
pub fn show() {}
",
        expect![[r#"
            1 ┃ //! New home.      ana: Split this file?   (on the file)
            2 ┃ use std::fmt;      bo: Unused.   (moved from 1)
            3 │ pub fn show() {}
        "#]],
    );
}

#[test]
fn the_file_is_gone() {
    check(
        "
//- commented src/old.rs
//^ ana: Split this file?
use std::fmt;
//^^^^^^^^^^ bo: Unused.
//- buffer (gone)
",
        expect![[r#"
            ana: Split this file?   (file gone)
            bo: Unused.   (file gone)
        "#]],
    );
}

#[test]
fn a_rebase_put_other_work_around_it() {
    check(
        "
//- commented
use a;
use b;

fn pay() {
    charge();
  //^^^^^^^^^ ana: Why twice?
}
//- head
// Licence.
use a;
use b;
use c;

fn unrelated() {
    work();
}

fn pay() {
    charge();
}
",
        expect![[r#"
             1 │ // Licence.
             2 │ use a;
             3 │ use b;
             4 │ use c;
             5 │
             6 │ fn unrelated() {
             7 │     work();
             8 │ }
             9 │
            10 │ fn pay() {
            11 ┃     charge();      ana: Why twice?   (moved from 5)
            12 │ }
        "#]],
    );
}

#[test]
fn a_force_push_amended_the_line() {
    check(
        "
//- commented
fn pay() {
    let total = price * count;
  //^^^^^^^^^^^^^^^^^^^^^^^^^^ ana: Overflow?
    charge(total);
}
//- head
fn pay() {
    let total = price.checked_mul(count)?;
    charge(total);
}
",
        expect![[r#"
            1 │ fn pay() {
            2 ┃     let total = price.checked_mul(count)?;   ana: Overflow?   (changed since: was "let total = price * count;")
            3 │     charge(total);
            4 │ }
        "#]],
    );
}

#[test]
fn only_an_excerpt_is_known() {
    check(
        "
//- commented (excerpt)
fn pay() {
    let total = price * count;
  //^^^^^^^^^^^^^^^^^^^^^^^^^^ ana: Overflow?
    charge(total);
  //^^^^^^^^^^^^^ bo: And then?
    forget_about_it(total);
  //^^^^^^^^^^^^^^^^^^^^^^ cy: Why?
}
//- head
// Licence.
// More of it.

fn pay() {
    let total = price.checked_mul(count)?;
    charge(total);
}
",
        expect![[r#"
            1 │ // Licence.
            2 │ // More of it.
            3 │
            4 │ fn pay() {
            5 ┃     let total = price.checked_mul(count)?;   ana: Overflow?   (changed since: was "let total = price * count;", 63% sure)
            6 ┃     charge(total);                           bo: And then?   (moved from 3, 77% sure)
            7 ┃ }                                            cy: Why?   (gone: was "forget_about_it(total);", 60% sure)
        "#]],
    );
}

#[test]
fn an_excerpt_of_a_line_that_stands_twice() {
    check(
        "
//- commented (excerpt)
fn first() {
    retry_with_backoff(policy);
}
fn second() {
    retry_with_backoff(policy);
  //^^^^^^^^^^^^^^^^^^^^^^^^^^^ ana: How often?
}
//- head
fn zeroth() {
    prepare();
}
fn first() {
    retry_with_backoff(policy);
}
fn second() {
    retry_with_backoff(policy);
}
",
        expect![[r#"
            1 │ fn zeroth() {
            2 │     prepare();
            3 │ }
            4 │ fn first() {
            5 │     retry_with_backoff(policy);
            6 │ }
            7 │ fn second() {
            8 ┃     retry_with_backoff(policy);   ana: How often?   (moved from 5, 94% sure)
            9 │ }
        "#]],
    );
}

#[test]
fn an_excerpt_without_a_trace() {
    check(
        "
//- commented (excerpt)
fn pay() {
    let total = price * count;
  //^^^^^^^^^^^^^^^^^^^^^^^^^^ ana: Overflow?
}
//- head
[package]
name = \"pay\"
version = \"0.1.0\"
",
        expect![[r#"
            1 │ [package]
            2 ┃ name = "pay"        ana: Overflow?   (gone: was "let total = price * count;", by line number)
            3 │ version = "0.1.0"
        "#]],
    );
}

#[test]
fn nothing_is_known() {
    check(
        "
//- commented (unknown)
one
two
//^ ana: A guess.
//^ bo [2-9]: Partly past the end.
//^ cy [40]: Past the end.
//- head
uno
dos
tres
//- buffer
cero
uno
dos
tres
",
        expect![[r#"
            1 │ cero
            2 │ uno
            3 ┃ dos    ana: A guess.   (moved from 2, by line number)
              ┃        bo: Partly past the end.   (changed since: was "?", by line number)
            4 ┃ tres   cy: Past the end.   (gone: was "?", by line number)
        "#]],
    );
}

#[test]
fn comments_on_removed_lines_stand_where_the_removal_is() {
    check(
        "
//- base
fn pay() {
    legacy_check();
  //^^^^^^^^^^^^^^^ ana: Really go?
    charge(amount);
  //^^^^^^^^^^^^^^^ bo: Was fine.
    log();
  //^^^^^^ cy: Untouched.
}
//- head
fn pay() {
    charge(amount_in_cents);
    log();
}
//- buffer
// Unsaved.
fn pay() {
    charge(amount_in_cents);
    log();
}
",
        expect![[r#"
            1 │ // Unsaved.
            2 │ fn pay() {
            3 ┃     charge(amount_in_cents);   ana: Really go?   (gone: was "legacy_check();")
              ┃                                bo: Was fine.   (changed since: was "charge(amount);")
            4 ┃     log();                     cy: Untouched.
            5 │ }
        "#]],
    );
}

#[test]
fn a_removed_line_that_went_elsewhere_stays_with_its_removal() {
    check(
        "
//- base
fn pay() {
    check_the_account_first(account);
  //^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ ana: Really go?
    charge(amount);
    log(amount);
    finish(amount);
}
fn other() {
}
//- head
fn pay() {
    charge(amount);
    log(amount);
    finish(amount);
}
fn other() {
    check_the_account_first(account);
}
",
        expect![[r#"
            1 │ fn pay() {
            2 ┃     charge(amount);                     ana: Really go?   (gone: was "check_the_account_first(account);")
            3 │     log(amount);
            4 │     finish(amount);
            5 │ }
            6 │ fn other() {
            7 │     check_the_account_first(account);
            8 │ }
        "#]],
    );
}

#[test]
fn a_removed_line_known_by_its_excerpt() {
    check(
        "
//- base (excerpt)
fn pay() {
    legacy_check(account);
  //^^^^^^^^^^^^^^^^^^^^^^ ana: Really go?
    charge(amount);
}
//- head
// Licence.
fn pay() {
    charge(amount);
}
",
        expect![[r#"
            1 │ // Licence.
            2 │ fn pay() {
            3 ┃     charge(amount);   ana: Really go?   (gone: was "legacy_check(account);", 90% sure)
            4 │ }
        "#]],
    );
}

#[test]
fn a_work_tree_with_other_line_ends_is_the_same_text() {
    check(
        "
//- commented
one();
two();
//^^^^ ana: Two?
//- buffer (crlf)
one();
two();
",
        expect![[r#"
            1 │ one();
            2 ┃ two();   ana: Two?
        "#]],
    );
}

#[test]
fn a_lone_return_is_within_a_line_of_git() {
    check(
        "
//- commented
one();␍uno();
two();
//^^^^ ana: Two?
//- buffer
zero();
one();␍uno();
two();
",
        expect![[r#"
            1 │ zero();
            2 │ one();␍uno();
            3 ┃ two();          ana: Two?   (moved from 2)
        "#]],
    );
}

#[test]
fn a_missing_last_line_end_is_no_change() {
    check(
        "
//- commented
one();
two();
//^^^^ ana: Two?
//- buffer (no end)
one();
two();
",
        expect![[r#"
            1 │ one();
            2 ┃ two();   ana: Two?
        "#]],
    );
}

#[test]
fn an_emptied_file() {
    check(
        "
//- commented
one();
//^^^^ ana: One?
//^^^^ bo [7]: Past the end.
//- buffer
",
        expect![[r#"
            1 ┃    ana: One?   (gone: was "one();")
              ┃    bo: Past the end.   (gone: was "?")
        "#]],
    );
}

#[test]
fn a_comment_on_an_empty_file() {
    check(
        "
//- commented
//^ ana [1]: Why is this empty?
//- buffer
",
        expect![[r#"
            1 ┃    ana: Why is this empty?   (gone: was "?")
        "#]],
    );
}

#[test]
fn lines_past_the_end_of_the_commented_text() {
    check(
        "
//- commented
one();
two();
//^^^^ ana [9]: Past the end.
//^^^^ bo [2-9]: Partly past the end.
//- buffer
one();
two();
three();
",
        expect![[r#"
            1 │ one();
            2 ┃ two();     ana: Past the end.   (gone: was "?")
              ┃            bo: Partly past the end.   (changed since: was "two();")
            3 │ three();
        "#]],
    );
}

#[test]
fn one_line_of_40_kilobytes() {
    let long = "abcdefghij ".repeat(4_000);
    check(
        &format!(
            "
//- commented
{long}
//^^^ ana: Wrap this?
//- buffer
first
{long} and more
"
        ),
        expect![[r#"
            1 │ first
            2 ┃ abcdefghij abcdefghij abcdefghij abcdefghij abcd…   ana: Wrap this?   (changed since: was "abcdefghij abcdefghij abcdefghij abcdefghij abcd")
        "#]],
    );
}

#[test]
fn something_like_a_binary() {
    check(
        "
//- commented
\0PNG\u{1a}\u{fffd}\u{fffd}
\u{1}\u{2}\0\0\u{fffd}\u{7f}
//^^^ ana: Smaller?
//- buffer
\0PNG\u{1a}\u{fffd}\u{fffd}\u{fffd}
\u{1}\u{2}\0\0\u{fffd}\u{7f}
\0\0
",
        expect![[r#"
            1 │ ␀PNG���
            2 ┃ ␀␀�     ana: Smaller?
            3 │ ␀␀
        "#]],
    );
}
