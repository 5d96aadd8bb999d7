//! `sync`, `verify` and `du` of a registry of 20,000,000 files (2,000,000 where nobody asked for more): how much memory
//! they take, how many pages they list, and that they find the one file that differs.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

mod generated;
mod registry;
#[cfg(target_os = "linux")]
mod runs;
