//! The contract of registry storage drivers, as tests.
//!
//! One suite holds every driver, in this workspace or outside, to the same contract: the page
//! `docs/contract.md`, whose sentences are in [`contract::SECTIONS`]. A driver gives it a [`Harness`], and
//! [`register_suite!`] makes one `#[test]` of each case:
//!
//! ```
//! use storagedriver::Storage;
//! use storagedriver_inmemory::InMemory;
//! use storagedriver_testsuites::{BoxError, Harness, Store, async_trait};
//!
//! struct Fresh;
//!
//! #[async_trait]
//! impl Harness for Fresh {
//!     async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
//!         Ok(Box::new(Opened(Storage::new(InMemory::new()))))
//!     }
//! }
//!
//! struct Opened(Storage);
//!
//! #[async_trait]
//! impl Store for Opened {
//!     fn storage(&self) -> Storage {
//!         self.0.clone()
//!     }
//! }
//!
//! storagedriver_testsuites::register_suite!(Fresh);
//! # fn main() {}
//! ```
//!
//! A case is skipped only for a guarantee that the driver says it lacks, and says so on standard
//! error. With `STORAGEDRIVER_CONFORMANCE_REPORT=FILE` each case appends a line of JSON to a file.
//! A program runs the same cases by [`run_suite`].

mod cases;
pub mod contract;
mod costs;
pub mod distribution;
mod failure;
#[cfg(feature = "http-faults")]
pub mod faults;
pub mod fixture;
mod harness;
#[cfg(feature = "model")]
pub mod model;
pub mod mutants;
#[cfg(feature = "on-server")]
mod on_server;
#[cfg(feature = "ipc")]
mod out_of_process;
mod register;
mod report;
mod run;
mod task;

pub use cases::CASES;
pub use costs::{Costs, costs};
pub use failure::{Checked, Failure, Mismatch};
pub use fixture::Fixture;
pub use harness::{Harness, Scale, Store};
#[cfg(feature = "on-server")]
pub use on_server::{OnServer, STORAGE_VARIABLE};
#[cfg(feature = "ipc")]
pub use out_of_process::OutOfProcess;
pub use report::{REPORT_VARIABLE, SERVER_VARIABLE};
pub use run::{Case, Outcome, check, run_blocking, run_case, run_own_case, run_shared_case, run_suite};

// What a harness needs.
pub use storagedriver::{BoxError, async_trait};
