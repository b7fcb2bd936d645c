//! Credentials: secrets, where they come from, and how they are kept out of logs.
//!
//! - [`Secret`]: text that nothing prints; [`Secret::expose`] is the only way out.
//! - [`from_environment`]: the account that the environment describes.
//! - [`Redactor`]: wipes known secrets, in all their spellings, out of text on its way to a log.
//!
//! It must not know what a pull request is, which host a secret is for, nor how requests are sent.

mod base64;
mod environment;
mod redact;
mod secret;

pub use environment::{Account, Error, Source, from_environment};
pub use redact::{RedactingWriter, Redactor};
pub use secret::{Authorization, Secret};
