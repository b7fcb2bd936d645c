//! What a list of the API comes to.
//!
//! It must not know how it was fetched.

/// The items of a paged answer, as many of them as could be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing<T> {
    /// In Bitbucket's order, each id once.
    pub items: Vec<T>,
    /// How many items could not be read in full.
    /// They are among `items` in part (a comment has its mark `unreadable`), or left out where not even
    /// their id could be read.
    pub unreadable: u32,
    /// Why there is more than `items`, as a sentence; `None` if the listing is complete.
    pub more: Option<String>,
}

impl<T> Listing<T> {
    /// Only the items that `keep` wants.
    pub(crate) fn filtered(mut self, keep: impl FnMut(&T) -> bool) -> Self {
        self.items.retain(keep);
        self
    }
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self { items: Vec::new(), unreadable: 0, more: None }
    }
}
