//! The account that git's configuration names for a repository.
//!
//! It must not know which accounts there are; it tells the name as it is written.

use gix::bstr::ByteSlice;
use gix::config::section::is_trusted;

use crate::repository::Repository;
use crate::url;

/// The setting's name in git's configuration.
const SETTING: &str = "bitbucket.account";

impl Repository {
    /// The value of git's setting `bitbucket.account`, the repository's and the user's configuration merged as git
    /// merges them: the last one holds.
    ///
    /// `None` if it is not set, blank, or no text that can be shown.
    /// What a repository of another user says does not count.
    pub fn account(&self) -> Option<String> {
        let handle = self.handle();
        let value = handle.config_snapshot().plumbing().string_filter(SETTING, is_trusted)?;
        let name = value.to_str().ok()?.trim();
        (!name.is_empty() && !name.chars().any(url::is_unprintable)).then(|| name.to_owned())
    }
}
