//! Credentials: secrets, where they come from, where they are kept, and how they are kept out of logs.
//!
//! - [`Secret`]: text that nothing prints; [`Secret::expose`] is the only way out.
//! - [`from_environment`]: the account that the environment describes.
//! - [`store`]: the keyring of the system, or files where the user chose that.
//! - [`vault`]: what an account's secrets are in a store; a crash leaves the old or the new, never a mix.
//! - [`account`]: which accounts there are, and which one is used for a repository.
//! - [`refresh`]: one token for all processes, exchanged for a new one before it expires.
//! - [`git_protocol`]: what git asks its credential helpers, and the answers.
//! - [`Redactor`]: wipes known secrets, in all their spellings, out of text on its way to a log.
//!
//! It must not know what a pull request is, nor how requests are sent.

pub mod account;
mod base64;
mod environment;
pub mod git_protocol;
mod lock;
mod redact;
pub mod refresh;
mod secret;
pub mod store;
#[cfg(all(test, unix))]
mod tests;
pub mod vault;

pub use environment::{Account, Error, Source, from_environment};
pub use lock::{Lock, LockError};
pub use redact::{RedactingWriter, Redactor};
pub use secret::{Authorization, Secret};
