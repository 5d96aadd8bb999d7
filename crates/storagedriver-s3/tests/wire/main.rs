//! What goes over the wire: headers, hosts, quirks, and how many requests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failure fails the test"
)]

mod budgets;
mod headers;
mod hosts;
mod listing;
#[path = "../servers/mod.rs"]
mod servers;
mod signing;
mod strays;
