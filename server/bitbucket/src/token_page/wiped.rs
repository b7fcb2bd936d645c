//! Bytes that are wiped from memory when they are let go.
//!
//! For what a token passes through before it is a [`credentials::Secret`]. It must not know what it holds.

use std::ops::{Deref, DerefMut};

/// A buffer that never grows, as growing would leave a copy behind.
pub(super) struct Wiped(Box<[u8]>);

impl Wiped {
    /// So many zeros.
    pub(super) fn zeros(length: usize) -> Self {
        Self(vec![0; length].into_boxed_slice())
    }

    fn wipe(&mut self) {
        self.0.fill(0);
        // The zeros may be looked at here, for all that the compiler knows, so it cannot leave them out.
        std::hint::black_box(&mut self.0);
    }
}

impl Deref for Wiped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Wiped {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        self.wipe();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays() {
        let mut bytes = Wiped::zeros(5);
        bytes.copy_from_slice(b"token");
        bytes.wipe();
        assert_eq!(*bytes, [0; 5]);
    }
}
