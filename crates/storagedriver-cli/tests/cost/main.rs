//! What `docs/cost.md` says about requests: the formulas, held against an S3 server, and the page made from them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

mod formulas;
mod measured;
mod page;
