//! The built program, run as its users run it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

mod changing;
mod checking;
mod copying;
mod exit_codes;
mod interruption;
mod listing;
mod run;
mod serving;
mod streaming;
