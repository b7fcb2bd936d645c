//! Which hosts were sent to, for the status.
//!
//! It must not know why. It holds scheme, host and port; never a path, a query or a user name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

/// The hosts that requests were sent to, with how many. Clones share the list.
#[derive(Clone, Debug, Default)]
pub struct Contacts(Arc<Mutex<BTreeMap<String, u64>>>);

impl Contacts {
    /// Each as `https://host` or `https://host:port`, with the number of requests.
    pub fn list(&self) -> Vec<(String, u64)> {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.iter().map(|(host, count)| (host.clone(), *count)).collect()
    }

    pub(super) fn note(&self, url: &Url) {
        let host = url.origin().ascii_serialization();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(host).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_counted_and_nothing_else_is_kept() {
        let contacts = Contacts::default();
        for url in ["https://ana:pw@a.test/x?code=1", "https://a.test/y", "http://127.0.0.1:8080/z"] {
            contacts.clone().note(&Url::parse(url).unwrap());
        }
        let expected = [("http://127.0.0.1:8080".to_owned(), 1), ("https://a.test".to_owned(), 2)];
        assert_eq!(contacts.list(), expected);
    }
}
