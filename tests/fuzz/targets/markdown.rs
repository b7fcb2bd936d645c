//! A stranger's text in a field of a pull request: whatever the bytes, nothing comes out that the judge forbids.
//!
//! The first byte chooses the field, the others are the text.

#![no_main]

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{LazyLock, Mutex};

use libfuzzer_sys::fuzz_target;
use pull_request::testing::judge::{judge, shape};
use pull_request::testing::outputs::{Field, Kind, Output, show};

/// What was judged of honest texts: most outputs do not change with the field, so they need no second look.
struct Honest {
    outputs: HashSet<u64>,
    /// The shapes of each field's Markdown, for each kind of honest text.
    shapes: HashMap<Field, Vec<Vec<String>>>,
}

static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

static HONEST: LazyLock<Mutex<Honest>> = LazyLock::new(|| {
    let mut honest = Honest { outputs: HashSet::new(), shapes: HashMap::new() };
    for &field in Field::ALL {
        for text in ["x", "", "https://x.org/", &"x".repeat(3_000)] {
            let outputs = show(field, text).outputs;
            honest.shapes.entry(field).or_default().push(shapes(field, &outputs));
            for output in outputs {
                judge(&output).unwrap();
                honest.outputs.insert(HASHER.hash_one(&output));
            }
        }
    }
    Mutex::new(honest)
});

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let field = Field::ALL[usize::from(*first) % Field::ALL.len()];
    let text = String::from_utf8_lossy(rest);
    let shown = show(field, &text);
    let honest = HONEST.lock().unwrap();
    for output in &shown.outputs {
        if !honest.outputs.contains(&HASHER.hash_one(output))
            && let Err(fault) = judge(output)
        {
            panic!("{field:?} with {text:?}\n{fault}");
        }
    }
    // What is put through the gate alone has no shape of ours.
    if field != Field::Sentence {
        for (at, shape) in shapes(field, &shown.outputs).iter().enumerate() {
            let is_known = honest.shapes[&field].iter().any(|honest| honest.get(at) == Some(shape));
            assert!(
                is_known,
                "{field:?} with {text:?} has\n{shape}\nnot\n{:?}",
                honest.shapes[&field][0].get(at)
            );
        }
    }
});

fn shapes(field: Field, outputs: &[Output]) -> Vec<String> {
    let markdown = outputs.iter().filter(|output| output.kind == Kind::Markdown);
    markdown.map(|output| shape(&output.text, !field.is_address())).collect()
}
