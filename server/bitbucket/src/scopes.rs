//! Which scopes this program needs, in the words of each kind of token.
//!
//! Pure. Bitbucket spells them in two ways: OAuth's `pullrequest:write`, where one includes others, and the
//! API tokens' `write:pullrequest:bitbucket`, where none does.

use crate::http::covers;

/// How far the program is to reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Read pull requests, discuss and vote.
    ReviewOnly,
    /// Merge and push, too.
    #[default]
    Full,
}

impl Reach {
    /// What an OAuth consumer is asked for; also what its owner ticks.
    pub fn oauth(self) -> &'static [&'static str] {
        match self {
            Self::ReviewOnly => &["account", "pullrequest"],
            Self::Full => &["account", "pullrequest:write"],
        }
    }

    /// What a person's API token needs.
    pub fn api_token(self) -> &'static [&'static str] {
        const FULL: &[&str] = &[
            "read:user:bitbucket",
            "read:repository:bitbucket",
            "read:pullrequest:bitbucket",
            "write:pullrequest:bitbucket",
            "write:repository:bitbucket",
        ];
        match self {
            Self::ReviewOnly => &FULL[..4],
            Self::Full => FULL,
        }
    }

    /// What a token of a repository, a project or a workspace needs: there is no user behind one.
    pub fn access_token(self) -> &'static [&'static str] {
        &self.oauth()[1..]
    }

    /// The needed scopes that a token lacks. `person`: there is a user behind it.
    ///
    /// Nothing is claimed of a token that names no scopes.
    pub fn missing(self, granted: &[String], person: bool) -> Vec<&'static str> {
        let needed = match granted.iter().any(|scope| scope.ends_with(":bitbucket")) {
            true => self.api_token(),
            false if person => self.oauth(),
            false => self.access_token(),
        };
        let lacking = needed.iter().filter(|scope| !granted.is_empty() && !covers(granted, scope));
        lacking.copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(reach: Reach, granted: &[&str], person: bool) -> Vec<&'static str> {
        let granted: Vec<String> = granted.iter().map(|scope| (*scope).to_owned()).collect();
        reach.missing(&granted, person)
    }

    #[test]
    fn what_is_missing_is_named_in_the_tokens_own_words() {
        use Reach::{Full, ReviewOnly};
        let none: [&str; 0] = [];
        assert_eq!(missing(Full, &["account", "pullrequest:write"], true), none);
        assert_eq!(missing(Full, &["account", "pullrequest"], true), ["pullrequest:write"]);
        assert_eq!(missing(ReviewOnly, &["account", "pullrequest"], true), none);
        assert_eq!(missing(ReviewOnly, &["pullrequest:write"], true), ["account"]);
        assert_eq!(missing(Full, &["pullrequest:write"], false), none);
        assert_eq!(missing(Full, &["repository:write"], false), ["pullrequest:write"]);
        assert_eq!(
            missing(Full, &["read:user:bitbucket", "read:pullrequest:bitbucket"], true),
            ["read:repository:bitbucket", "write:pullrequest:bitbucket", "write:repository:bitbucket"]
        );
        assert_eq!(missing(ReviewOnly, Full.api_token(), true), none);
        assert_eq!(missing(Full, &[], true), none);
    }
}
