//! Registry storage drivers out of process: `registry-storage-<name>`, in any language.

pub mod convert;
pub mod proto;
#[cfg(feature = "serve")]
mod server;

#[cfg(feature = "serve")]
pub use server::{Server, SocketFile, main};
#[cfg(feature = "host")]
use tower as _;

/// The version of the protocol that this crate speaks.
pub const VERSION: u32 = 1;
