//! A system without a keyring that this program knows.
//!
//! It must not know what would be kept in it.

use crate::store::StoreError;
use crate::store::worker::Connect;

/// As a part of a sentence.
pub(crate) const NAME: &str = "the keyring";

/// Says that there is none.
pub(crate) fn connect(_: String) -> Connect {
    Box::new(|| Err(StoreError::Absent { detail: "none is known for this system".to_owned() }))
}
