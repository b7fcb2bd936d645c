//! What the token endpoint answers: any bytes are read or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| bitbucket::oauth::fuzzing::token_reply(bytes));
