//! Registry storage drivers: one small trait models a filesystem-like key/value store, as CNCF
//! Distribution does; every backend is a crate of its own that registers itself at link time. This
//! crate is the model: [`StorageDriver`] is what the author of a driver implements, [`Storage`] is
//! what a user holds, `factory` finds a driver by its name.
#![doc(html_root_url = "https://docs.rs/storagedriver")]

#[cfg(feature = "config")]
pub mod config;
mod content;
mod driver;
mod error;
mod examine;
pub mod factory;
mod guarantees;
mod info;
pub mod layer;
mod list_walk;
pub mod observe;
pub mod parameters;
mod path;
mod redirect;
mod storage;
mod value;
mod walk;
mod walk_key;
mod writer;

#[cfg(feature = "config")]
pub use config::Configuration;
pub use content::{Content, IoStream, ReadOptions};
pub use driver::{DriverWalk, DriverWriter, StorageDriver, WriteMode};
pub use error::{BoxError, Context, Error, ErrorKind, ErrorParts, Operation, Result};
pub use examine::{Finding, Outcome};
pub use factory::{Factory, MiddlewareRegistration, Registration, Resolver};
pub use guarantees::{Guarantee, Guarantees};
pub use info::{EntryKind, FileInfo, UploadInfo, Version};
pub use layer::Layer;
pub use parameters::{ParameterTable, Secret};
pub use path::{PathLimits, StoragePath};
pub use redirect::RedirectRequest;
pub use storage::{Reaped, Storage};
pub use value::{Parameters, Value};
pub use walk::{Walk, WalkOptions};
pub use walk_key::{WalkKey, WalkOrder};
pub use writer::{AsyncFileWriter, FileWriter};

// What appears in signatures, so that a driver needs no version of its own.
pub use async_trait::async_trait;
pub use bytes;
pub use futures_util::future::BoxFuture;
pub use url;

/// For the macros.
#[doc(hidden)]
pub mod __private {
    pub use inventory;
}
