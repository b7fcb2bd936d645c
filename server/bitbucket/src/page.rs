//! Walks through the pages of a list.
//!
//! Where pages are plainly numbered they are fetched side by side: as many as the expected count
//! suggests together with the first, the rest as soon as the first says how many there are.
//! Otherwise `next` is followed, and `next` is never trusted: it stays on the API, within what was asked for.
//! It must not know what the items are.

use std::collections::{BTreeMap, HashSet};

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use url::Url;

use crate::cloud::{Id, Page, Readable, read_page};
use crate::error::Error;
use crate::http::{Http, Want, unexpected};
use crate::listing::Listing;
use crate::origin::Origin;
use crate::pieces::{Allowance, Pieced, in_pieces};

/// The most pages of one list.
pub(crate) const MOST_PAGES: u32 = 200;
/// The most items of one list.
const MOST_ITEMS: usize = 20_000;

/// What to list.
pub(crate) struct Query {
    /// Under the API's path, with a leading slash, percent-encoded.
    pub(crate) path: String,
    /// Without `?`, `page` and `pagelen`, percent-encoded.
    pub(crate) parameters: String,
    /// The items of a page: at most 50 for pull requests, 100 for the rest.
    pub(crate) pagelen: u32,
    /// How many items there probably are.
    pub(crate) expected: Option<u32>,
    /// The most pages.
    pub(crate) pages: u32,
}

impl Query {
    /// Where a page is that has `pagelen` items.
    pub(crate) fn url(&self, origin: &Origin, pagelen: u32, page: u32) -> Option<Url> {
        let mut query = self.parameters.clone();
        let mut add = |key: &str, value: u32| {
            let and = if query.is_empty() { "" } else { "&" };
            query.push_str(&format!("{and}{key}={value}"));
        };
        add("pagelen", pagelen);
        if page > 1 {
            add("page", page);
        }
        origin.endpoint(&self.path, &query)
    }

    /// How many pages to ask for at once.
    ///
    /// Bitbucket's counts may leave out deleted comments, which are in lists, and may be a little old:
    /// hence a tenth more. A page too many costs one request; a page too few one more round trip.
    fn first_wave(&self) -> u32 {
        let most = self.pages.clamp(1, MOST_PAGES);
        let Some(expected) = self.expected.filter(|expected| *expected > 0) else {
            return 1;
        };
        let likely = expected.saturating_add(expected / 10);
        likely.div_ceil(self.pagelen).clamp(1, most)
    }
}

/// Fetches all pages. Fails only if the first page does; what is missing later is said in `more`.
pub(crate) async fn list<T: Readable>(http: &Http, query: Query) -> Result<Listing<T>, Error> {
    let mut walk = Walk::new(http, &query);
    walk.numbered(query.first_wave()).await?;
    walk.follow().await;
    Ok(walk.listing())
}

struct Walk<'a, T> {
    http: &'a Http,
    query: &'a Query,
    pages: BTreeMap<u32, Page<T>>,
    /// Where to go on after the last of `pages`.
    next: Option<String>,
    /// Bitbucket said how many items there are.
    is_sized: bool,
    /// Numbered pages that were answered, well or not.
    settled: HashSet<u32>,
    /// A limit is reached.
    is_full: bool,
    seen: HashSet<String>,
    bytes: usize,
    items: usize,
    /// Items that are too large by themselves.
    too_large: u32,
    more: Option<String>,
}

/// What came of a request for a page.
enum Fetched<T> {
    Whole(Vec<u8>),
    InPieces(Pieced<T>),
}

impl<'a, T: Readable> Walk<'a, T> {
    fn new(http: &'a Http, query: &'a Query) -> Self {
        Self {
            http,
            query,
            pages: BTreeMap::new(),
            next: None,
            is_sized: false,
            settled: HashSet::new(),
            is_full: false,
            seen: HashSet::new(),
            bytes: 0,
            items: 0,
            too_large: 0,
            more: None,
        }
    }

    /// Page 1, and numbered pages beside it.
    async fn numbered(&mut self, first_wave: u32) -> Result<(), Error> {
        let (http, query) = (self.http, self.query);
        let allowance = &Allowance::new();
        let fetch = |number: u32| async move {
            let outcome = match query.url(http.origin(), query.pagelen, number) {
                Some(url) => http.get(&url, Want::Json).await,
                None => Err(unexpected(0, "a path that leads out of the API")),
            };
            let outcome = match outcome {
                Ok(body) => Ok(Fetched::Whole(body)),
                Err(Error::TooLarge { .. }) => {
                    in_pieces(http, query, number, allowance).await.map(Fetched::InPieces)
                }
                Err(error) => Err(error),
            };
            (number, outcome)
        };
        let mut running: FuturesUnordered<_> = (1..=first_wave).map(fetch).collect();
        let mut early: Vec<(u32, Result<Fetched<T>, Error>)> = Vec::new();
        // The last page that is worth waiting for; known once page 1 is there.
        let mut last = None;
        while let Some((number, outcome)) = running.next().await {
            if number == 1 {
                let page = self.take(1, outcome?)?;
                let pages = self.count(page);
                last = Some(pages);
                for number in first_wave + 1..=pages {
                    running.push(fetch(number));
                }
                for (number, outcome) in early.drain(..) {
                    self.settle(number, outcome, pages);
                }
            } else if let Some(last) = last {
                self.settle(number, outcome, last);
            } else {
                early.push((number, outcome));
            }
            // Pages that were asked for in vain are not waited for.
            let done = last.is_some_and(|last| (2..=last).all(|page| self.settled.contains(&page)));
            if done || self.is_full {
                break;
            }
        }
        Ok(())
    }

    /// How many pages may be asked for by number. 1 if the pages are not plainly numbered.
    fn count(&mut self, first: PageFacts) -> u32 {
        self.next = first.next;
        self.is_sized = first.size.is_some();
        let Some(next) = &self.next else { return 1 };
        if !self.is_plainly_numbered(next) {
            return 1;
        }
        let pagelen = first.pagelen.filter(|pagelen| *pagelen > 0).unwrap_or(self.query.pagelen.into());
        let size = first.size.unwrap_or(0).min(MOST_ITEMS as u64);
        let pages = u32::try_from(size.div_ceil(pagelen)).unwrap_or(MOST_PAGES);
        let wanted = if first.size.is_some() { pages } else { self.query.first_wave() };
        wanted.clamp(1, self.most_pages())
    }

    fn most_pages(&self) -> u32 {
        self.query.pages.clamp(1, MOST_PAGES)
    }

    /// Takes what a numbered page after the first came to.
    fn settle(&mut self, number: u32, outcome: Result<Fetched<T>, Error>, last: u32) {
        if number > last || self.is_full {
            return;
        }
        self.settled.insert(number);
        match outcome.and_then(|fetched| self.take(number, fetched)) {
            Ok(page) if number == last => self.next = page.next,
            Ok(_) => {}
            // A page that was only guessed to exist.
            Err(Error::NotFound | Error::Unexpected { status: 400, .. }) if !self.is_sized => {
                self.no_such_page(number);
            }
            Err(error) => self.stop(&error),
        }
    }

    /// The list ends before this page.
    fn no_such_page(&mut self, number: u32) {
        self.pages
            .insert(number, Page { listing: Listing::default(), size: None, pagelen: None, next: None });
        self.next = None;
    }

    fn stop(&mut self, error: &Error) {
        let sentence = error.sentence();
        self.more.get_or_insert(format!("A part of the list is missing. {sentence}"));
    }

    /// Page after page by `next`, from the last numbered one on.
    async fn follow(&mut self) {
        while let (Some(next), None) = (self.next.take(), &self.more) {
            let number = self.pages.keys().next_back().copied().unwrap_or(0) + 1;
            if number > self.most_pages() {
                self.more = Some(format!("Bitbucket has more; only the first {} are shown.", self.items));
                return;
            }
            let Some(url) = re_rooted(self.http.origin(), &self.query.path, &next) else {
                self.more = Some(
                    "Bitbucket's answer leads to another place for the rest of the list, so it was not \
                     followed."
                        .into(),
                );
                return;
            };
            if !self.seen.insert(url.to_string()) {
                self.more = Some("Bitbucket's pages lead in a circle, so a part may be missing.".into());
                return;
            }
            let page = match self.http.get(&url, Want::Json).await {
                Ok(body) => self.take(number, Fetched::Whole(body)),
                Err(error) => Err(error),
            };
            match page {
                Ok(page) => self.next = page.next,
                Err(error) => self.stop(&error),
            }
        }
    }

    /// Reads a page and keeps it, within the limits.
    fn take(&mut self, number: u32, fetched: Fetched<T>) -> Result<PageFacts, Error> {
        let limit = self.http.options().list_limit;
        let bytes = match &fetched {
            Fetched::Whole(body) => body.len(),
            Fetched::InPieces(pieced) => pieced.bytes,
        };
        if self.bytes + bytes > limit {
            self.is_full = true;
            return Err(Error::TooLarge { limit });
        }
        let mut page = match fetched {
            Fetched::Whole(body) => {
                read_page::<T>(&body).ok_or_else(|| unexpected(200, "no page of a list"))?
            }
            Fetched::InPieces(pieced) => {
                self.too_large += pieced.too_large;
                pieced.page
            }
        };
        self.bytes += bytes;
        self.items += page.listing.items.len();
        if self.items > MOST_ITEMS {
            let over = self.items - MOST_ITEMS;
            page.listing.items.truncate(page.listing.items.len().saturating_sub(over));
            self.items = MOST_ITEMS;
            self.is_full = true;
            self.more = Some(format!("Bitbucket has more; only the first {MOST_ITEMS} are shown."));
        }
        if let Some(cut) = page.listing.more.take() {
            self.more.get_or_insert(cut);
        }
        let facts = PageFacts { size: page.size, pagelen: page.pagelen, next: page.next.take() };
        self.pages.insert(number, page);
        Ok(facts)
    }

    /// Whether `next` is this query with `page=2` and nothing else.
    fn is_plainly_numbered(&self, next: &str) -> bool {
        let origin = self.http.origin();
        let (Some(next), Some(own)) =
            (re_rooted(origin, &self.query.path, next), self.query.url(origin, self.query.pagelen, 2))
        else {
            return false;
        };
        let pairs = |url: &Url| {
            let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            pairs.sort();
            pairs
        };
        next.path() == own.path() && pairs(&next) == pairs(&own)
    }

    fn listing(self) -> Listing<T> {
        let too_large = (self.too_large > 0).then(|| {
            format!(
                "{} larger than {} MiB and left out; look at the pull request on the web.",
                match self.too_large {
                    1 => "One is".to_owned(),
                    count => format!("{count} are"),
                },
                self.http.options().body_limit.div_ceil(1 << 20)
            )
        });
        let mut listing =
            Listing { unreadable: self.too_large, more: self.more.or(too_large), ..Listing::default() };
        let mut known: HashSet<Id> = HashSet::new();
        for page in self.pages.into_values() {
            listing.unreadable += page.listing.unreadable;
            // An item that came in while the pages were read pushes another onto the next page, too.
            let fresh = |item: &T| item.id().is_none_or(|id| known.insert(id));
            listing.items.extend(page.listing.items.into_iter().filter(fresh));
        }
        listing
    }
}

struct PageFacts {
    size: Option<u64>,
    pagelen: Option<u64>,
    next: Option<String>,
}

/// `next` with the API's scheme, host and port, if it goes on with the same list; else `None`.
///
/// Its path must be the one that was asked for or one below it. The repository in it may be spelled
/// otherwise (by its uuid, or by its new name after a renaming). Old answers write
/// `https://bitbucket.org/!api/2.0/…`, which means the same.
fn re_rooted(origin: &Origin, path: &str, next: &str) -> Option<Url> {
    let next = origin.api().join(next).ok()?;
    if !matches!(next.scheme(), "https" | "http") {
        return None;
    }
    let written = next.path();
    let written = written.strip_prefix("/!api").unwrap_or(written);
    let below = written.strip_prefix(origin.api_path()).filter(|rest| rest.starts_with('/'))?;
    let mut given = below.split('/').skip(1);
    for (position, asked) in path.split('/').skip(1).enumerate() {
        let given = given.next()?;
        let is_repository = path.starts_with("/repositories/") && matches!(position, 1 | 2);
        if given.is_empty() || (given != asked && !is_repository) {
            return None;
        }
    }
    origin.endpoint(below, next.query().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/repositories/team/app/pullrequests/1/comments";

    fn next(next: &str) -> Option<String> {
        re_rooted(&Origin::default(), PATH, next).map(|url| url.to_string())
    }

    #[test]
    fn next_stays_on_the_api_and_within_the_list() {
        let api = "https://api.bitbucket.org/2.0/repositories/team/app/pullrequests/1/comments?page=2";
        for good in [
            api,
            "http://api.bitbucket.org/2.0/repositories/team/app/pullrequests/1/comments?page=2",
            "https://evil.example/2.0/repositories/team/app/pullrequests/1/comments?page=2",
            "https://user:pw@evil.example:1/2.0/repositories/team/app/pullrequests/1/comments?page=2",
            "https://bitbucket.org/!api/2.0/repositories/team/app/pullrequests/1/comments?page=2",
            "/2.0/repositories/team/app/pullrequests/1/comments?page=2",
            "//evil.example/2.0/repositories/team/app/pullrequests/1/comments?page=2",
        ] {
            assert_eq!(next(good).as_deref(), Some(api), "{good}");
        }
        let renamed =
            "https://api.bitbucket.org/2.0/repositories/%7Bu%7D/%7Bv%7D/pullrequests/1/comments?page=2";
        assert_eq!(next(renamed).as_deref(), Some(renamed));
        let below = "https://api.bitbucket.org/2.0/repositories/team/app/pullrequests/1/comments/x?page=2";
        assert_eq!(next(below).as_deref(), Some(below));
        for evil in [
            "https://api.bitbucket.org/2.0/user",
            "https://api.bitbucket.org/2.0/repositories/team/app/pullrequests/2/comments?page=2",
            "https://api.bitbucket.org/2.0/repositories/team/app/pullrequests/1/commentsx",
            "https://api.bitbucket.org/2.0/repositories/team/app/pullrequests/1",
            "https://api.bitbucket.org/2.0/repositories/team/../../internal",
            "https://api.bitbucket.org/2.0/repositories/team/app/pullrequests/1/comments/../../2/comments",
            "https://api.bitbucket.org/2.0/repositories/team/app/%2e%2e/pullrequests/1/comments",
            "https://api.bitbucket.org/1.0/repositories/team/app/pullrequests/1/comments",
            "https://api.bitbucket.org/2.0x/repositories/team/app/pullrequests/1/comments",
            "https://api.bitbucket.org/2.0//team/app/pullrequests/1/comments",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "ftp://api.bitbucket.org/2.0/repositories/team/app/pullrequests/1/comments",
            "?page=2",
            "",
        ] {
            assert_eq!(next(evil), None, "{evil}");
        }
    }

    #[test]
    fn as_many_pages_as_are_likely_are_asked_for_at_once() {
        let wave = |expected, pagelen, pages| {
            let query = Query { path: PATH.into(), parameters: String::new(), pagelen, expected, pages };
            query.first_wave()
        };
        assert_eq!(wave(None, 100, MOST_PAGES), 1);
        assert_eq!(wave(Some(0), 100, MOST_PAGES), 1);
        assert_eq!(wave(Some(50), 100, MOST_PAGES), 1);
        assert_eq!(wave(Some(95), 100, MOST_PAGES), 2);
        assert_eq!(wave(Some(2000), 100, MOST_PAGES), 22);
        assert_eq!(wave(Some(u32::MAX), 100, MOST_PAGES), 200);
        assert_eq!(wave(Some(2000), 50, 4), 4);
    }
}
