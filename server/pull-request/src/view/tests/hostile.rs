//! What no field brings onto the screen: every hostile text in every field, and every output judged.

use super::*;
use crate::testing::court::Court;
use crate::testing::outputs::{Field, show};
use crate::testing::vectors::{hostile_characters, vectors};

/// Puts every `step`th of the texts into each field, other ones into the next, and finds no fault.
#[track_caller]
#[allow(clippy::print_stdout, reason = "how much was judged")]
fn nothing_comes_out(texts: &[String], fields: &[Field], step: usize) {
    let (mut n_outputs, mut n_distinct) = (0, 0);
    let mut faults = Vec::new();
    for (from, &field) in fields.iter().enumerate() {
        let mut court = Court::on(field, true);
        for evil in texts.iter().skip(from % step).step_by(step) {
            let verdict = court.judge(evil);
            n_outputs += verdict.shown.outputs.len();
            n_distinct += verdict.n_new;
            faults.extend(verdict.faults);
            verdict.shown.documents.iter().for_each(assert_well_formed);
        }
    }
    let (n_texts, n_fields) = (texts.len(), fields.len());
    let counts = format!(
        "every {step}. of {n_texts} texts in {n_fields} fields: {n_outputs} outputs, {n_distinct} distinct, {} faults",
        faults.len()
    );
    println!("{counts}");
    let first: Vec<&String> = faults.iter().take(5).collect();
    assert!(faults.is_empty(), "{counts}\n{first:#?}");
    assert!(n_outputs > 100 * n_texts * n_fields / step, "{counts}");
}

#[test]
fn no_hostile_text_in_any_field_comes_out() {
    let texts = vectors();
    assert!(texts.len() > 2_500, "{}", texts.len());
    nothing_comes_out(&texts, Field::ALL, step());
}

/// Which texts are tried in a field: every 64th, and all where the environment's `HOSTILE` is `all`.
#[allow(clippy::disallowed_methods, reason = "a test may be asked to do more")]
fn step() -> usize {
    if std::env::var("HOSTILE").is_ok_and(|value| value == "all") { 1 } else { 64 }
}

#[test]
fn no_hidden_character_in_any_field_comes_out() {
    let texts: Vec<String> = hostile_characters().iter().map(|it| format!("a{it}b {it}{it}")).collect();
    nothing_comes_out(&texts, &[Field::Everything], 1);
    nothing_comes_out(&texts, &Field::ALL[..Field::ALL.len() - 1], 16);
}

#[test]
fn every_field_is_seen_somewhere() {
    for &field in Field::ALL.iter().filter(|field| !matches!(field, Field::AccountId)) {
        let text = if field.is_address() { "https://zebra.example/" } else { "zebra" };
        let seen = show(field, text).outputs.iter().any(|output| output.text.contains("zebra"));
        assert!(seen, "{field:?}");
    }
}
