//! The registry storage driver `redb`: everything in one [redb](https://docs.rs/redb) file, which
//! one process can open at a time. A content is one value: reading or writing it takes its size in
//! memory, 3 GiB at most.
#![forbid(unsafe_code)]

mod driver;
mod store;

pub use driver::Redb;
use storagedriver::{Registration, Storage};

storagedriver::parameters! {
    /// Parameters of the driver `redb`.
    pub struct RedbParameters for "redb" {
        /// The database file; made if it is absent.
        file: Path = required,
    }
}

/// The driver `redb`.
pub const DRIVER: Registration = Registration::new(
    "redb",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "One redb file",
    &RedbParameters::TABLE,
    |parameters| Box::pin(async { Ok(Storage::new(Redb::open(&RedbParameters::parse(parameters)?.file)?)) }),
);

storagedriver::register!(DRIVER);
