//! Journeys of freshness: what git does, what other people do on Bitbucket, and what happens while it is out of reach.

mod bitbucket;
mod checkout;
mod network;

/// The comments of the picnic's list at the tip of its branch, as diagnostics begin.
const LIST: [&str; 3] =
    ["9: Ben Okafor: Green ones", "13: Ben Okafor: Why no kale", "15: Ben Okafor: Three in a row"];
/// How long the simulator may wait for a request.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);
