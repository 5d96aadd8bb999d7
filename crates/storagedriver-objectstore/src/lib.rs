//! Any store of the crate `object_store` as a registry storage driver of `storagedriver`. From Rust it takes the store
//! itself and a [`Profile`] that tells what it can do; by name (`objectstore`) it takes a URL. The contract is kept by the
//! engine of `storagedriver-object`, uploads in segments beside their sessions, joined at the commit; what a store cannot
//! keep, `guarantees()` says. For S3, Azure and Google Cloud Storage there are drivers of their own, which do more.
//!
//! ```
//! use std::sync::Arc;
//!
//! use object_store::memory::InMemory;
//! use storagedriver::Storage;
//! use storagedriver_objectstore::{ObjectStoreDriver, ObjectStoreOptions, Profile};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storagedriver::Result<()> {
//! let store = Arc::new(InMemory::new());
//! let storage = Storage::new(ObjectStoreDriver::new(store, ObjectStoreOptions::new(Profile::memory())));
//! storage.put_content("/docker/x", "content").await?;
//! assert_eq!(storage.get_content("/docker/x").await?, "content");
//! # Ok(())
//! # }
//! ```
#![doc(html_root_url = "https://docs.rs/storagedriver-objectstore")]

mod backend;
mod driver;
mod failure;
mod listing;
mod parameters;
mod profile;

pub use backend::ObjectStoreAdapter;
pub use driver::{ObjectStoreDriver, ObjectStoreOptions};
pub use parameters::{DRIVER, ObjectStoreParameters};
pub use profile::Profile;
