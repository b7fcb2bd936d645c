//! Journeys over real git: which repository, remote and pull request is found, and where comments land in its files.

mod checkouts;
mod files;
mod folders;
mod history;
mod pull_requests;
mod remotes;
mod typing;

/// The comments of the picnic's list at the tip of its branch, as diagnostics begin.
const LIST: [&str; 3] =
    ["9: Ben Okafor: Green ones", "13: Ben Okafor: Why no kale", "15: Ben Okafor: Three in a row"];

/// How long the simulator may wait for a request.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);
