//! A stranger's text in a field of a pull request: whatever the bytes, nothing comes out that the judge forbids.
//!
//! The first byte chooses the field, the others are the text.

#![no_main]

use std::sync::{LazyLock, Mutex};

use libfuzzer_sys::fuzz_target;
use pull_request::testing::court::Court;
use pull_request::testing::outputs::Field;

static COURTS: LazyLock<Vec<Mutex<Court>>> =
    LazyLock::new(|| Field::ALL.iter().map(|&field| Mutex::new(Court::on(field, false))).collect());

fuzz_target!(init: { LazyLock::force(&COURTS); }, |bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let court = &COURTS[usize::from(*first) % COURTS.len()];
    let verdict = court.lock().unwrap().judge(&String::from_utf8_lossy(rest));
    assert!(verdict.faults.is_empty(), "{}", verdict.faults.join("\n\n"));
});
