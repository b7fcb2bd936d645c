//! JSON as Bitbucket Cloud writes it, and plain data made of it.
//!
//! - [`wire`]: structs spelled as the API spells them, every field optional.
//! - `scan`: cuts a text into members and elements, knowing only strings and brackets.
//! - `lenient`: decoding that loses as little as possible of what is damaged.
//! - `convert` and `anchor`: from the wire to `pull_request::model`.
//! - `request`: bodies of requests.
//! - `mention`: names of mentioned people, out of rendered HTML.
//!
//! Pure: it must not send anything.

mod anchor;
mod convert;
mod lenient;
mod mention;
pub(crate) mod request;
mod scan;
pub mod wire;

use std::collections::HashSet;

pub(crate) use convert::Member;
pub use convert::{Id, Readable};
pub(crate) use lenient::{read as read_wire, without_mark};

use crate::listing::Listing;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What could be read of it. `more` is set if the answer is cut off.
    pub listing: Listing<T>,
    /// How many items all pages have together, where Bitbucket says so.
    pub size: Option<u64>,
    /// How many items a page has at most, where Bitbucket says so.
    pub pagelen: Option<u64>,
    /// The address of the next page as Bitbucket wrote it: hostile until checked.
    pub next: Option<String>,
}

/// Reads one object.
///
/// `None` if it is no object or lacks what nothing can be made without (its id). What is damaged is
/// left out; then [`Read::flawed`] is set, and a comment is marked as unreadable.
pub fn read<T: Readable>(json: &[u8]) -> Option<Read<T>> {
    let (wire, flawed) = lenient::read::<T::Wire>(without_mark(json))?;
    T::from_wire(wire, flawed).map(|value| Read { value, flawed })
}

/// Whether it is an object that does not break off (an id may be cut within its digits), and no error.
pub(crate) fn is_whole(json: &[u8]) -> bool {
    lenient::is_whole_without(without_mark(json), b"error")
}

/// Made by [`read`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read<T> {
    /// The object.
    pub value: T,
    /// Something of it could not be read and was left out.
    pub flawed: bool,
}

/// Reads a page (`{"values": [...], "next": ...}`), each item on its own.
///
/// `None` if it is no page at all. A page that breaks off gives the items before the break. Items with
/// an id that was there before are left out.
pub fn read_page<T: Readable>(json: &[u8]) -> Option<Page<T>> {
    let raw = lenient::page(without_mark(json))?;
    let mut listing = Listing::default();
    let mut known = HashSet::new();
    for item in raw.items {
        let Some(Read { value, flawed }) = read::<T>(item) else {
            listing.unreadable += 1;
            continue;
        };
        if value.id().is_none_or(|id| known.insert(id)) {
            listing.unreadable += u32::from(value.is_unreadable(flawed));
            listing.items.push(value);
        }
    }
    if raw.cut {
        listing.more = Some("An answer of Bitbucket broke off, so a part is missing; refresh.".into());
    }
    Some(Page { listing, size: raw.size, pagelen: raw.pagelen, next: raw.next })
}
