//! The host: finds, starts and uses drivers that are executables.
//!
//! A program that refers to this crate finds `registry-storage-<name>` on its `PATH` by
//! `factory::create("<name>", …)`, for every name that no linked crate has. The driver `external` is for what
//! needs more: another path, timeouts, a driver that runs already.
//!
//! ```no_run
//! # async fn open() -> storagedriver::Result<()> {
//! use storagedriver::{Factory, Parameters};
//! use storagedriver_ipc::host;
//!
//! let mut parameters = Parameters::from_iter([("path", "/opt/drivers/registry-storage-swift")]);
//! parameters.insert("parameters", Parameters::from_iter([("container", "registry")]));
//! let storage = Factory::new().with(host::DRIVER).create("external", parameters).await?;
//! storage.stat("/").await?;
//! # Ok(())
//! # }
//! ```

mod directory;
mod external;
mod find;
mod launch;
mod link;
mod opened;
mod output;
mod parameters;
mod process;
mod queue;
mod read;
mod secrets;
mod supervisor;
mod walk;
mod wire;
mod write;

pub use parameters::{DRIVER, ExternalParameters, RESOLVER};
