//! What no field brings onto the screen: every hostile text in every field, and every output judged.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::*;
use crate::testing::judge::{judge, shape};
use crate::testing::outputs::{Field, Kind, Output, show};
use crate::testing::vectors::{hostile_characters, vectors};

/// What is made of texts in a field, judged.
struct Court {
    field: Field,
    /// The shapes of all Markdown with honest texts in the field: of each kind, none, and one that is too long to be shown.
    honest: Vec<Vec<String>>,
    /// Digests of outputs that were judged before: most do not change with the field.
    known: HashSet<u64>,
    hasher: RandomState,
    n_outputs: usize,
    n_distinct: usize,
    faults: Vec<String>,
}

impl Court {
    fn on(field: Field) -> Self {
        let texts = ["x", "", "https://x.org/", &"x".repeat(3_000)];
        let honest = texts.iter().map(|text| shapes(field, &show(field, text).outputs)).collect();
        let (known, hasher) = (HashSet::new(), RandomState::new());
        Self { field, honest, known, hasher, n_outputs: 0, n_distinct: 0, faults: Vec::new() }
    }

    fn judge(&mut self, evil: &str) {
        let shown = show(self.field, evil);
        self.n_outputs += shown.outputs.len();
        let mut is_new = false;
        for output in &shown.outputs {
            if !self.known.insert(self.hasher.hash_one(output)) {
                continue;
            }
            is_new = true;
            self.n_distinct += 1;
            if let Err(fault) = judge(output) {
                self.faults.push(format!("{:?} with {evil:?}\n{fault}", self.field));
            }
        }
        // What is put through the gate alone has no shape of ours.
        if is_new && self.field != Field::Sentence {
            let shapes = shapes(self.field, &shown.outputs);
            for (at, shape) in shapes.iter().enumerate() {
                if !self.honest.iter().any(|honest| honest.get(at) == Some(shape)) {
                    let honest = self.honest[0].get(at);
                    self.faults.push(format!("{:?} with {evil:?} has\n{shape}not\n{honest:?}", self.field));
                }
            }
        }
        shown.documents.iter().for_each(assert_well_formed);
    }
}

fn shapes(field: Field, outputs: &[Output]) -> Vec<String> {
    let markdown = outputs.iter().filter(|output| output.kind == Kind::Markdown);
    markdown.map(|output| shape(&output.text, !field.is_address())).collect()
}

/// Puts every `step`th of the texts into each field, other ones into the next, and finds no fault.
#[track_caller]
#[allow(clippy::print_stdout, reason = "how much was judged is to be seen")]
fn nothing_comes_out(texts: &[String], fields: &[Field], step: usize) {
    let (mut n_outputs, mut n_distinct) = (0, 0);
    let mut faults = Vec::new();
    for (from, &field) in fields.iter().enumerate() {
        let mut court = Court::on(field);
        texts.iter().skip(from % step).step_by(step).for_each(|evil| court.judge(evil));
        n_outputs += court.n_outputs;
        n_distinct += court.n_distinct;
        faults.extend(court.faults);
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
fn nothing_hostile_in_any_field_comes_out() {
    let texts = vectors();
    assert!(texts.len() > 2_500, "{}", texts.len());
    nothing_comes_out(&texts, Field::ALL, 32);
}

#[test]
#[ignore = "takes a minute when optimised; tests/run does it"]
fn no_hostile_text_in_any_field_comes_out() {
    nothing_comes_out(&vectors(), Field::ALL, 1);
}

#[test]
fn no_hidden_character_in_any_field_comes_out() {
    let texts: Vec<String> = hostile_characters().iter().map(|it| format!("a{it}b {it}{it}")).collect();
    nothing_comes_out(&texts, &[Field::Everything], 1);
    nothing_comes_out(&texts, &Field::ALL[..Field::ALL.len() - 1], 8);
}

#[test]
fn every_field_is_seen_somewhere() {
    for &field in Field::ALL.iter().filter(|field| !matches!(field, Field::AccountId)) {
        let text = if field.is_address() { "https://zebra.example/" } else { "zebra" };
        let seen = show(field, text).outputs.iter().any(|output| output.text.contains("zebra"));
        assert!(seen, "{field:?}");
    }
}
