//! Drafts and the real client against the simulated Bitbucket, by processes that may die at any moment.
//!
//! The program `outbox` writes and sends as it is ordered; tests start it, kill it, and judge by the simulator's own
//! state what became of each text.

pub mod courier;
pub mod dice;
pub mod orders;
pub mod world;
