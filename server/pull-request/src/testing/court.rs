//! Puts texts into one field, and judges everything that is shown of them: by itself, and against what honest texts show.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::judge::{judge, shape};
use super::outputs::{Field, Kind, Output, Shown, show};

/// What was found in one text's outputs.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// The faults, as sentences.
    pub faults: Vec<String>,
    /// How many outputs were looked at that were not seen before.
    pub n_new: usize,
    /// What was shown.
    pub shown: Shown,
}

/// A judge of one field.
pub struct Court {
    field: Field,
    /// The shapes of all Markdown with an honest text in the field: of each kind, none, and one too long to be shown.
    honest: Vec<Vec<String>>,
    /// Digests of outputs without a fault: most do not change with the field.
    known: HashSet<u64>,
    hasher: RandomState,
    remembers: bool,
}

impl Court {
    /// A court that has seen honest texts. `remembers`: also what it sees from now on, so its memory grows.
    pub fn on(field: Field, remembers: bool) -> Self {
        let mut court = Self {
            field,
            honest: Vec::new(),
            known: HashSet::new(),
            hasher: RandomState::new(),
            remembers: true,
        };
        for text in ["x", "", "https://x.org/", &"x".repeat(3_000)] {
            let shapes = court.shapes(&show(field, text).outputs);
            court.honest.push(shapes);
            court.judge(text);
        }
        court.remembers = remembers;
        court
    }

    /// Judges all that is shown of a text in the field.
    pub fn judge(&mut self, text: &str) -> Verdict {
        let mut verdict = Verdict { shown: show(self.field, text), ..Verdict::default() };
        for output in &verdict.shown.outputs {
            let digest = self.hasher.hash_one(output);
            if self.known.contains(&digest) {
                continue;
            }
            verdict.n_new += 1;
            match judge(output) {
                Err(fault) => verdict.faults.push(format!("{:?} with {text:?}\n{fault}", self.field)),
                Ok(()) if self.remembers => drop(self.known.insert(digest)),
                Ok(()) => {}
            }
        }
        if verdict.n_new > 0 {
            self.compare(text, &mut verdict);
        }
        verdict
    }

    /// What we say around others' texts has the same shape, whatever they wrote.
    fn compare(&self, text: &str, verdict: &mut Verdict) {
        for (at, shape) in self.shapes(&verdict.shown.outputs).iter().enumerate() {
            if !self.honest.iter().any(|honest| honest.get(at) == Some(shape)) {
                let honest = self.honest.first().and_then(|honest| honest.get(at));
                verdict
                    .faults
                    .push(format!("{:?} with {text:?} has the shape\n{shape}\nnot\n{honest:?}", self.field));
            }
        }
    }

    fn shapes(&self, outputs: &[Output]) -> Vec<String> {
        // What is put through the gate alone has no shape of ours.
        let markdown = outputs.iter().filter(|it| it.kind == Kind::Markdown && self.field != Field::Sentence);
        markdown.map(|output| shape(&output.text, !self.field.is_address())).collect()
    }
}
