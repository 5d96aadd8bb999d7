//! Parameters and registration.

use storagedriver::{Registration, Storage};

use crate::InMemory;

storagedriver::parameters! {
    /// Parameters of the driver `inmemory`: there are none.
    pub struct InMemoryParameters for "inmemory" {}
}

/// The driver `inmemory`.
pub const DRIVER: Registration = Registration {
    name: "inmemory",
    crate_name: env!("CARGO_PKG_NAME"),
    crate_version: env!("CARGO_PKG_VERSION"),
    summary: "everything in the memory of the process, gone with it",
    table: &InMemoryParameters::TABLE,
    create: |parameters| {
        Box::pin(async move {
            InMemoryParameters::parse(parameters)?;
            Ok(Storage::new(InMemory::new()))
        })
    },
};

storagedriver::register!(DRIVER);
