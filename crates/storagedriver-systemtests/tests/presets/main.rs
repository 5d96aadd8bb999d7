//! The drivers that are presets over the S3 driver, against servers in this process that keep their vendors' rules.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failure fails the test"
)]

mod hosts;
mod operations;
mod rules;
mod suites;
mod vendors;
mod wire;
