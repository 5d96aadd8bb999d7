//! The contract of storage drivers as tests.

mod harness;
pub mod model;

pub use harness::{Harness, Scale, Store};
pub use storagedriver::{BoxError, async_trait};
