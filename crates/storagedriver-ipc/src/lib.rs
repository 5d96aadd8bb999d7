//! Registry storage drivers out of process: `registry-storage-<name>`, in any language.

pub mod convert;
#[cfg(all(feature = "host", unix))]
pub mod host;
pub mod proto;
#[cfg(feature = "serve")]
mod server;

#[cfg(all(feature = "host", unix))]
pub use host::{DRIVER, ExternalParameters, RESOLVER};
#[cfg(feature = "serve")]
pub use server::{Server, SocketFile, main, main_with};

/// The version of the protocol that this crate speaks.
pub const VERSION: u32 = 1;
