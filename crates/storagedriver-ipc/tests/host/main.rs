//! The host, with drivers that answer what a test says.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

mod fake;
mod opening;
mod read;
mod supervision;
mod walk;
mod write;
