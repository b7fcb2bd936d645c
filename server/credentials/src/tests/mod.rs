//! Tests with real processes: this test binary starts itself again as helpers, which may die at any moment.

mod dying;
mod helper;
mod refreshing;
mod server;
