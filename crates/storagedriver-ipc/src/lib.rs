//! Registry storage drivers out of process: an executable `registry-storage-<name>`, in any language, is used as any other driver.
//! `host` (a feature) finds, starts and supervises such executables; a program that refers to this crate has it in
//! its factory. `serve` (a feature) serves a driver that is written in Rust: [`main`] is a whole executable, [`Server`] a part of a
//! program. What goes over the socket is [`proto`]; `docs/out-of-process.md` says how to speak it from another language.
//!
#![cfg_attr(all(feature = "host", feature = "serve", unix), doc = "```")]
#![cfg_attr(not(all(feature = "host", feature = "serve", unix)), doc = "```ignore")]
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use storagedriver::{Factory, Parameters, Storage};
//! use storagedriver_inmemory::InMemory;
//! use storagedriver_ipc::{DRIVER, Server, SocketFile};
//!
//! // One process ...
//! let socket = SocketFile::private("example")?;
//! let server = Server::opened(Storage::new(InMemory::new()));
//! tokio::spawn(server.serve(socket.listener()?, std::future::pending()));
//!
//! // ... and another.
//! let parameters = Parameters::from_iter([("socket", socket.path().display().to_string())]);
//! let storage = Factory::new().with(DRIVER).create("external", parameters).await?;
//! storage.put_content("/greeting", "hello").await?;
//! assert_eq!(storage.get_content("/greeting").await?, "hello");
//! # Ok(())
//! # }
//! ```

pub mod convert;
#[cfg(all(feature = "host", unix))]
pub mod host;
pub mod proto;
#[cfg(all(feature = "serve", unix))]
mod server;

#[cfg(all(feature = "host", unix))]
pub use host::{DRIVER, ExternalParameters, RESOLVER};
#[cfg(all(feature = "serve", unix))]
pub use server::{Server, SocketFile, main, main_with};

/// The version of the protocol that this crate speaks.
pub const VERSION: u32 = 1;
