//! What goes over the wire, against a server that answers as the tests tell it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

mod copies;
mod errors;
mod scripted;
mod wire;
