//! The remotes of a repository with the addresses that git would really use, and nothing secret in them.
//!
//! It must not know which of them are Bitbucket's.
//! A remote that cannot be used is told with its problem; it never keeps the others from being read.

use std::collections::HashMap;
use std::path::Path;

use gix::bstr::{BStr, ByteSlice};
use gix::config::section::is_trusted;

use crate::repository::{GitConfig, Repository, Trust};
use crate::ssh_config;
use crate::url;

/// A configured remote. No field holds a password, and none but [`user`](Self::user) what stands before an `@`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Its name, such as `origin`.
    pub name: String,
    /// The address that git fetches from, `url.<base>.insteadOf` applied.
    /// User info is removed, but for `git@` in front of an ssh host.
    /// Where there is a [`problem`](Self::problem), it is for showing only.
    pub url: String,
    /// The address as written, where `insteadOf` made another of it; cleaned as `url` is.
    pub written: Option<String>,
    /// The user name in the address, where it is one of `http` or `https`, so that an account can be chosen by it.
    /// What may be a secret, and what stands for a kind of token rather than for somebody, is left out.
    pub user: Option<String>,
    /// The host that `url`'s host stands for by ssh's configuration, in lower case, where it is another one.
    pub host_alias_of: Option<String>,
    /// Why the remote cannot be used, in a few words.
    pub problem: Option<String>,
}

impl Repository {
    /// All remotes in the order of the configuration; those of a repository with reduced trust too, for showing.
    pub fn remotes(&self) -> Vec<Remote> {
        let handle = self.handle();
        let snapshot = handle.config_snapshot();
        let rules = instead_of(snapshot.plumbing());
        let mut aliases = Aliases::new(self);
        let mut remotes = Vec::new();
        for (name, urls) in written(snapshot.plumbing()) {
            let name = shown_name(&name);
            let Some(raw) = urls.first() else {
                let problem = Some("it has no address".into());
                remotes.push(Remote {
                    name,
                    url: String::new(),
                    written: None,
                    user: None,
                    host_alias_of: None,
                    problem,
                });
                continue;
            };
            let effective = rewrite(raw, &rules);
            let cleaned = url::clean(effective.as_deref().unwrap_or(raw));
            remotes.push(Remote {
                name,
                written: effective.as_ref().map(|_| url::clean(raw).shown),
                user: cleaned.user,
                host_alias_of: cleaned.ssh_host.as_deref().and_then(|host| aliases.of(host)),
                url: cleaned.shown,
                problem: cleaned.problem.map(str::to_owned),
            });
        }
        if self.trust() == Trust::Reduced {
            for remote in &mut remotes {
                remote.problem.get_or_insert_with(|| "the repository belongs to another user".into());
            }
        }
        remotes
    }
}

/// A remote's name, safe to show: an address in its place is cleaned like one.
pub(crate) fn shown_name(name: &str) -> String {
    if name.contains("://") || name.contains('@') {
        return url::clean(name).shown;
    }
    let escape = |letter: char| match url::is_unprintable(letter) {
        true => letter.escape_unicode().collect::<Vec<_>>(),
        false => vec![letter],
    };
    name.chars().flat_map(escape).collect()
}

/// Whether there is a remote of that name.
pub(crate) fn is_configured(handle: &gix::Repository, name: &BStr) -> bool {
    let snapshot = handle.config_snapshot();
    let sections = snapshot.plumbing().sections_by_name("remote");
    sections.into_iter().flatten().any(|section| section.header().subsection_name() == Some(name))
}

/// The names of all remotes.
pub(crate) fn names(handle: &gix::Repository) -> Vec<String> {
    written(handle.config_snapshot().plumbing()).into_iter().map(|(name, _)| name).collect()
}

/// Each remote's name and addresses as written, in one pass.
fn written(config: &gix::config::File) -> Vec<(String, Vec<String>)> {
    let mut remotes: Vec<(String, Vec<String>)> = Vec::new();
    let mut by_name = HashMap::new();
    for section in config.sections_by_name("remote").into_iter().flatten() {
        let Some(name) = section.header().subsection_name() else {
            continue;
        };
        let name = name.to_str_lossy().into_owned();
        let at = *by_name.entry(name.clone()).or_insert_with(|| {
            remotes.push((name, Vec::new()));
            remotes.len() - 1
        });
        for url in section.values("url") {
            // An empty value takes back those before it.
            if url.is_empty() {
                remotes[at].1.clear();
            } else {
                remotes[at].1.push(url.to_str_lossy().into_owned());
            }
        }
    }
    remotes
}

/// The `insteadOf` rules as (prefix, replacement), from configuration that may decide something.
fn instead_of(config: &gix::config::File) -> Vec<(String, String)> {
    let sections = config.sections_by_name_and_filter("url", is_trusted).into_iter().flatten();
    let rules = sections.flat_map(|section| {
        let base = section.header().subsection_name().map(|base| base.to_str_lossy().into_owned());
        let prefixes = section.values("insteadOf").into_iter();
        base.into_iter().flat_map(move |base| {
            prefixes.clone().map(move |prefix| (prefix.to_str_lossy().into_owned(), base.clone()))
        })
    });
    rules.collect()
}

/// The address by the rule with the longest prefix, the first of equals; `None` if that changes nothing.
fn rewrite(raw: &str, rules: &[(String, String)]) -> Option<String> {
    let fitting = rules.iter().rev().filter(|(prefix, _)| raw.starts_with(prefix.as_str()));
    let (prefix, base) = fitting.max_by_key(|(prefix, _)| prefix.len())?;
    Some(format!("{base}{}", &raw[prefix.len()..])).filter(|effective| effective != raw)
}

/// ssh's configuration, read once per host in one listing.
struct Aliases<'a> {
    home: Option<&'a Path>,
    system: Option<&'a Path>,
    known: HashMap<String, Option<String>>,
}

impl<'a> Aliases<'a> {
    fn new(repository: &'a Repository) -> Self {
        let surroundings = repository.surroundings();
        let usual = surroundings.git_config == GitConfig::OfUser && cfg!(unix);
        Self {
            home: surroundings.home.as_deref(),
            system: usual.then_some(Path::new("/etc/ssh/ssh_config")),
            known: HashMap::new(),
        }
    }

    fn of(&mut self, host: &str) -> Option<String> {
        if let Some(known) = self.known.get(host) {
            return known.clone();
        }
        let found = ssh_config::look_up(host, self.home?, self.system).host_name;
        let other = found.map(|name| name.to_ascii_lowercase());
        let other = other.filter(|name| !name.eq_ignore_ascii_case(host));
        self.known.insert(host.to_owned(), other.clone());
        other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_wins_and_the_first_of_equals() {
        let rules =
            [("bb:", "https://one/"), ("bb:ws/", "https://two/"), ("bb:ws/", "https://three/"), ("", "")];
        let rules = rules.map(|(prefix, base)| (prefix.to_owned(), base.to_owned()));
        assert_eq!(rewrite("bb:ws/repo", &rules).as_deref(), Some("https://two/repo"));
        assert_eq!(rewrite("bb:other/repo", &rules).as_deref(), Some("https://one/other/repo"));
        assert_eq!(rewrite("https://x/", &rules), None);
    }

    #[test]
    fn names_are_safe_to_show() {
        assert_eq!(shown_name("origin"), "origin");
        assert_eq!(shown_name("team/fork"), "team/fork");
        assert_eq!(shown_name("or\u{1b}[31migin"), "or\\u{1b}[31migin");
        assert_eq!(shown_name("https://me:SECRET@host/x"), "https://host/x");
    }
}
