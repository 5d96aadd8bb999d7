//! The Google Cloud Storage driver of `storagedriver`: registry storage in a bucket, with the name, parameters and
//! keys of CNCF Distribution's driver. Uploads go in parallel parts, copies of any size stay inside the service, every
//! change is conditional on the generation it replaces, and the open uploads of a Go registry are hidden and can be
//! reaped. The contract is kept by the engine of `storagedriver-object`; this crate is its backend.
//!
//! ```no_run
//! use storagedriver_gcs::GcsParameters;
//!
//! # async fn example() -> storagedriver::Result<()> {
//! let mut parameters = GcsParameters::new("layers");
//! parameters.keyfile = Some("/etc/registry/key.json".into());
//! let storage = parameters.into_storage()?;
//! storage.put_content("/docker/x", "content").await?;
//! assert_eq!(storage.get_content("/docker/x").await?, "content");
//! # Ok(())
//! # }
//! ```
#![doc(html_root_url = "https://docs.rs/storagedriver-gcs")]

mod backend;
mod client;
mod compose;
mod credentials;
mod json;
mod listing;
mod multipart;
mod objects;
mod parameters;
mod place;
mod refusal;
mod signing;

pub use backend::GcsBackend;
pub use parameters::{DRIVER, GcsParameters};
