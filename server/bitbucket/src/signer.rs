//! Who signs requests: asked before each, and told when one was refused.
//!
//! It must not know where tokens are kept or how new ones are got; the caller's implementation does.

use credentials::Authorization;
use futures_util::future::{BoxFuture, ready};

use crate::error::Error;

/// Signs the requests of one account.
pub trait Signer: Send + Sync {
    /// How to sign the next request.
    ///
    /// # Errors
    /// Why there is nothing to sign with now: [`Error::NeedsLogin`] or [`Error::NoToken`].
    fn sign(&self) -> BoxFuture<'_, Result<Authorization, Error>>;

    /// What to sign with after Bitbucket answered 401 to `refused`; never the same again. Asked once for a request.
    ///
    /// # Errors
    /// There is nothing else. [`Error::Unauthorized`] where no other token was to be had.
    fn instead_of<'a>(&'a self, refused: &'a Authorization) -> BoxFuture<'a, Result<Authorization, Error>>;
}

/// A token that never changes.
impl Signer for Authorization {
    fn sign(&self) -> BoxFuture<'_, Result<Authorization, Error>> {
        Box::pin(ready(Ok(self.clone())))
    }

    fn instead_of<'a>(&'a self, refused: &'a Authorization) -> BoxFuture<'a, Result<Authorization, Error>> {
        let basic = matches!(refused, Authorization::Basic { .. });
        Box::pin(ready(Err(Error::Unauthorized { basic })))
    }
}

#[cfg(test)]
mod tests {
    use credentials::Secret;

    use super::*;

    #[tokio::test]
    async fn a_fixed_token_has_no_other() {
        let token = Authorization::Bearer(Secret::new("one".into()));
        assert!(token.sign().await.is_ok_and(|signed| signed.secret().same_as(token.secret())));
        let refused = token.instead_of(&token).await.err();
        assert_eq!(refused, Some(Error::Unauthorized { basic: false }));
    }
}
