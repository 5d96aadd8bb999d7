//! Registry storage drivers out of process: `registry-storage-<name>`, in any language.

pub mod convert;
#[cfg(all(feature = "host", unix))]
pub mod host;
pub mod proto;
