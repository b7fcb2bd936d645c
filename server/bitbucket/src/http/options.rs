//! The limits of a client.
//!
//! It must not know what they limit beyond the words here.

use std::time::Duration;

/// The limits of a client. The defaults are for Bitbucket Cloud; tests make them smaller.
#[derive(Clone, Debug)]
pub struct Options {
    /// Sent as `User-Agent`.
    pub user_agent: String,
    /// For the connection, TLS included.
    pub connect: Duration,
    /// From sending a request to the head of its answer, the connection included.
    pub header: Duration,
    /// Between two pieces of an answer's body.
    pub idle: Duration,
    /// For all of a request for JSON: waiting at the gate, redirects and repeats included.
    pub total: Duration,
    /// Likewise for a request for a file or a diff.
    pub total_of_files: Duration,
    /// The most bytes of one answer, after decompression.
    pub body_limit: usize,
    /// The most bytes of all pages of one list.
    pub list_limit: usize,
    /// How often a request is repeated after a broken connection or a 5xx.
    pub repeats: u32,
    /// The wait before the first repeat; doubles each time.
    pub first_pause: Duration,
    /// The least and the most that a 429 holds requests back.
    pub retry_after: (Duration, Duration),
    /// The wait after a 429 that does not say how long; doubles each time.
    pub first_wait: Duration,
    /// After this many failures in a row the client rests.
    pub failures_in_a_row: u32,
    /// The first rest; doubles each time.
    pub first_rest: Duration,
    /// The most requests at the same time.
    pub side_by_side: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            user_agent: concat!("bitbucket-lsp/", env!("CARGO_PKG_VERSION")).into(),
            connect: Duration::from_secs(5),
            header: Duration::from_secs(10),
            idle: Duration::from_secs(15),
            total: Duration::from_secs(30),
            total_of_files: Duration::from_secs(120),
            body_limit: 32 << 20,
            list_limit: 64 << 20,
            repeats: 2,
            first_pause: Duration::from_millis(250),
            retry_after: (Duration::from_secs(1), Duration::from_secs(300)),
            first_wait: Duration::from_secs(15),
            failures_in_a_row: 5,
            first_rest: Duration::from_secs(10),
            side_by_side: 32,
        }
    }
}
