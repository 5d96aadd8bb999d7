//! The contract as a model, and drivers checked against it.
//!
//! - [`Reference`] is the contract in its simplest form: a map of files, a list of closed uploads
//!   and the open writers. Where the contract leaves a driver a choice, it has several next states.
//! - [`Program`] is a list of operations on a small set of colliding paths. It prints as readable
//!   lines and is parsed from them, so what failed once can be replayed.
//! - [`run_state_machine`] runs random programs on a driver, compares each answer with the model,
//!   and shrinks what fails.
//! - [`history`] records what concurrent operations answered, and checks that some order of them
//!   explains it.

mod expect;
pub mod history;
mod machine;
mod parse;
mod program;
mod reference;
mod run;
mod strategy;
mod transition;
mod writers;

pub use expect::{Expectation, Observed};
pub use machine::{Divergence, Handles, check_program};
pub use program::{Content, Handle, Operation, Program, Slot, Step};
pub use reference::Reference;
pub use run::{
    SEED_VARIABLE, StateMachineFailure, replay, run_state_machine, run_state_machine_blocking,
    run_state_machine_with_seed,
};
