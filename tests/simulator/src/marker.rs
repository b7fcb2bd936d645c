//! The word by which every secret of the tests is recognised, wherever it is left.

/// All secrets that the simulator makes have this word in them, and all that a scenario gives it should.
///
/// So a search over everything that a test run leaves behind can prove that none got out. `tests/canary/search` does
/// that, and reads the word from this line. It has letters and digits only, so that what is written as it is looks the
/// same in JSON, in an address and in a header.
pub const MARKER: &str = "c4n4ryT0k3n";
