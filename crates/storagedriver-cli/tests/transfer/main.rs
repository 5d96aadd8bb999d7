//! `sync` and `verify`, on the same trees and through the same layers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

mod layers;
mod sync;
mod sync_kill;
mod trees;
mod verify;
