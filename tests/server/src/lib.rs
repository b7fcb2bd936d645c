//! What a journey needs: an editor that speaks plain LSP, and a world with a simulated Bitbucket and a clone.
//!
//! A journey says what a user does and waits for what the user then sees. It never sleeps: it waits on a condition,
//! and if that does not come true in time, says what was seen instead.

pub mod canary;
#[cfg(target_os = "linux")]
pub mod children;
pub mod editor;
mod logs;
pub mod process;
pub mod world;
