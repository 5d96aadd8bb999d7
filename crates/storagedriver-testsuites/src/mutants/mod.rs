//! Drivers that are wrong, to prove that the suite can fail.
//!
//! A mutant wraps a driver that keeps the contract and breaks one sentence of it. Each names the
//! cases that must fail on it, and what they must say: a case that fails for another reason proves
//! nothing. The test `mutants` of this crate runs them over the in-memory driver, and sees to it that
//! no case of the suite is without a mutant that it catches.
//!
//! What no case can see, such as durability, no mutant breaks: for that there are crash tests.

mod content;
mod deletes;
mod driver;
mod endings;
mod lists;
mod openings;
mod paths;
mod readers;
mod renames;
mod table;
mod uploads;
mod walks;
mod wrap;
mod writes;

use std::sync::Arc;

use storagedriver::StorageDriver;

pub use table::MUTANTS;

/// One wrong driver.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Mutant {
    /// What it does: `close_publishes`.
    pub name: &'static str,
    /// Wraps a driver that keeps the contract.
    pub wrap: fn(Arc<dyn StorageDriver>) -> Arc<dyn StorageDriver>,
    /// The cases that must fail on it, the one for its sentence first; and a part of what each
    /// must say.
    pub caught_by: &'static [(&'static str, &'static str)],
}
