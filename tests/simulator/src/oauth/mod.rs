//! OAuth 2 as Bitbucket has it: consumers, codes, tokens, rotation.
//!
//! - `authority`: the state and its rules.
//! - `routes`: the page with Grant and Deny, and the token endpoint.
//! - `handle`: what tests do to it.

pub(crate) mod authority;
mod handle;
mod routes;

pub use authority::OauthCounts;
pub use handle::OauthHandle;
pub(crate) use routes::answer;

use crate::world::{Account, World};

/// Whose Bearer token it is, and whether it has run out.
pub(crate) fn bearer<'a>(world: &'a World, token: &str) -> Option<(&'a Account, bool)> {
    let of_scenario = world.accounts.iter().find(|account| account.token == token);
    of_scenario.map(|account| (account, account.expired)).or_else(|| world.authority.bearer(token))
}
