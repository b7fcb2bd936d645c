//! What a token's own text says about its kind, so that a mix-up can be explained.
//!
//! It must not decide whether a token is good: Bitbucket does. Nothing of the text leaves this module.

use credentials::Authorization;

/// The kind of a token, by its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Removed by Bitbucket in July 2026.
    AppPassword,
    /// An Atlassian account's API token; goes with an e-mail address.
    ApiToken,
    /// Of a repository, a project or a workspace; goes alone.
    AccessToken,
    /// Anything else.
    Unknown,
}

impl Shape {
    /// By the prefixes that Atlassian gives its tokens. The app passwords of before 2023 have none: they are
    /// 20 letters and digits, and go with a user name that is no e-mail address.
    pub(crate) fn of(authorization: &Authorization) -> Self {
        let text = authorization.secret().expose();
        let is_name = matches!(authorization, Authorization::Basic { user, .. } if !user.contains('@'));
        let is_plain = text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match text.get(..4) {
            Some("ATBB") => Self::AppPassword,
            Some("ATAT") => Self::ApiToken,
            Some("ATCT") => Self::AccessToken,
            _ if is_name && is_plain => Self::AppPassword,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use credentials::Secret;

    use super::*;

    #[test]
    fn prefixes_and_lengths_tell_kinds_apart() {
        let bearer = |text: &str| Shape::of(&Authorization::Bearer(Secret::new(text.into())));
        let basic = |user: &str, text: &str| {
            Shape::of(&Authorization::Basic { user: user.into(), password: Secret::new(text.into()) })
        };
        let old = "q3XkqZ8dXjYFYwwwM2Eq";
        assert_eq!(bearer("ATBBabcdef"), Shape::AppPassword);
        assert_eq!(basic("ana@shop.test", "ATBBabcdef"), Shape::AppPassword);
        assert_eq!(basic("ana", old), Shape::AppPassword);
        assert_eq!(basic("ana@shop.test", old), Shape::Unknown);
        assert_eq!(bearer(old), Shape::Unknown);
        assert_eq!(basic("ana", &old[1..]), Shape::Unknown);
        assert_eq!(bearer("ATATT3xFfGF0"), Shape::ApiToken);
        assert_eq!(bearer("ATCTT3xFfGN0"), Shape::AccessToken);
        for short in ["", "A", "ATÄ", "é\u{301}"] {
            assert_eq!(bearer(short), Shape::Unknown);
        }
    }
}
