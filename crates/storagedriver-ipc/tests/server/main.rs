//! The kit that serves a driver, called by a client that is nothing but the generated code.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure fails the test"
)]

mod calls;
mod entries;
mod frames;
mod opening;
mod probe;
mod raw;
mod uploads;
mod walks;
