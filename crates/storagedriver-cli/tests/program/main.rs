//! The built program, run as its users run it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

mod changing;
mod checking;
mod conformance;
mod copying;
mod drawing;
mod exit_codes;
mod interruption;
mod listing;
mod measuring;
mod run;
mod serving;
mod shells;
mod signals;
mod streaming;
mod terminal;
mod urls;
