//! A flat store in memory that can lack whatever a [`Description`] can state, fail at any request,
//! and stop before each; for tests of the engine and of what is built on it.

mod control;
mod memory;
mod state;

pub use control::{Control, Fault, Lie};
pub use memory::{MemoryBackend, MemoryStore};
