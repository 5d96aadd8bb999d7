//! The URLs that clients get.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![forbid(unsafe_code)]

mod cloudfront;
mod configured;
mod keyed;
mod ranges;
mod redirect;
mod rewrite;
