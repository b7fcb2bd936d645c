//! A page that is too large as a whole, fetched in pieces, so that one huge item does not cost the others.
//!
//! It must not know what the items are, nor how a list goes on after this page.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::cloud::{Page, Readable, read_page};
use crate::error::Error;
use crate::http::{Http, Want, unexpected};
use crate::listing::Listing;
use crate::page::Query;

/// The most requests for pieces of one list. A huge item in a page of a hundred takes twenty.
const MOST_REQUESTS: u32 = 60;

/// How many requests for pieces one list may still make.
pub(crate) struct Allowance(AtomicU32);

impl Allowance {
    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(MOST_REQUESTS))
    }

    fn take(&self) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }
}

/// A page put together from pieces.
pub(crate) struct Pieced<T> {
    pub(crate) page: Page<T>,
    /// The bytes of all pieces.
    pub(crate) bytes: usize,
    /// Items that are too large by themselves, and so are left out.
    pub(crate) too_large: u32,
}

/// Fetches a numbered page by tenths, and tenths that are too large item by item.
///
/// One piece after another, so that no two large ones are in memory at the same time.
///
/// # Errors
/// [`Error::TooLarge`] if the allowance or the limit of a list is spent before the page is there;
/// what any piece fails for otherwise.
pub(crate) async fn in_pieces<T: Readable>(
    http: &Http,
    query: &Query,
    number: u32,
    allowance: &Allowance,
) -> Result<Pieced<T>, Error> {
    let mut pieced = Pieced {
        page: Page {
            listing: Listing::default(),
            size: None,
            pagelen: Some(query.pagelen.into()),
            next: None,
        },
        bytes: 0,
        too_large: 0,
    };
    // The next one last.
    let mut places: Vec<(u32, u32)> = parts(query.pagelen, number).collect();
    let mut has_more = true;
    while let Some((pagelen, number)) = places.pop() {
        let limit = http.options().list_limit;
        if !allowance.take() || pieced.bytes > limit {
            return Err(Error::TooLarge { limit });
        }
        let url = query.url(http.origin(), pagelen, number);
        let url = url.ok_or_else(|| unexpected(0, "a path that leads out of the API"))?;
        let body = match http.get(&url, Want::Json).await {
            Ok(body) => body,
            Err(Error::TooLarge { .. }) if pagelen <= 1 => {
                pieced.too_large += 1;
                continue;
            }
            Err(Error::TooLarge { .. }) => {
                places.extend(parts(pagelen, number));
                continue;
            }
            // Past the end of the list.
            Err(Error::NotFound | Error::Unexpected { status: 400, .. }) => {
                has_more = false;
                break;
            }
            Err(error) => return Err(error),
        };
        let mut piece = read_page::<T>(&body).ok_or_else(|| unexpected(200, "no page of a list"))?;
        pieced.bytes += body.len();
        let whole = &mut pieced.page;
        whole.size = whole.size.or(piece.size);
        whole.listing.items.append(&mut piece.listing.items);
        whole.listing.unreadable += piece.listing.unreadable;
        whole.listing.more = whole.listing.more.take().or(piece.listing.more);
        if piece.next.is_none() {
            has_more = false;
            break;
        }
    }
    if has_more {
        let next = query.url(http.origin(), query.pagelen, number.saturating_add(1));
        pieced.page.next = next.map(Into::into);
    }
    Ok(pieced)
}

/// The smaller pages that hold the same items, the last one first.
fn parts(pagelen: u32, number: u32) -> impl Iterator<Item = (u32, u32)> {
    let count = if pagelen.is_multiple_of(10) { 10 } else { pagelen };
    let first = number.saturating_sub(1).saturating_mul(count);
    (1..=count).rev().map(move |part| (pagelen / count, first + part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_the_same_items() {
        for (pagelen, number) in [(100, 1), (100, 7), (50, 3), (10, 12), (5, 2)] {
            let items = |pagelen: u32, number: u32| (number - 1) * pagelen..number * pagelen;
            let mut parts: Vec<(u32, u32)> = parts(pagelen, number).collect();
            parts.reverse();
            let all: Vec<u32> =
                parts.into_iter().flat_map(|(pagelen, number)| items(pagelen, number)).collect();
            assert_eq!(all, items(pagelen, number).collect::<Vec<_>>());
        }
        assert_eq!(parts(5, 2).next(), Some((1, 10)));
    }
}
