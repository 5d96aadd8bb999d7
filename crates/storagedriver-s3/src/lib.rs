//! The S3 driver of `storagedriver`: registry storage in a bucket of Amazon S3, or of any store
//! that speaks its protocol, with the names, parameters and layout of CNCF Distribution's driver
//! `s3`. The contract is kept by the engine (`storagedriver-object`); here are the requests, the
//! credentials, and the quirks of some fifteen stores as data. Making a driver sends no request.
//!
//! ```
//! use storagedriver::{Parameters, RedirectRequest};
//! use storagedriver_s3::S3Parameters;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storagedriver::Result<()> {
//! let storage = S3Parameters::parse(Parameters::from_iter([
//!     ("bucket", "layers"),
//!     ("region", "eu-west-1"),
//!     ("accesskey", "AKIAIOSFODNN7EXAMPLE"),
//!     ("secretkey", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
//! ]))?
//! .into_storage()?;
//! let url = storage.redirect_url(&RedirectRequest::get(), "/blobs/data").await?;
//! assert_eq!(url.and_then(|url| Some(url.host_str()?.to_owned())).as_deref(),
//!            Some("layers.s3.eu-west-1.amazonaws.com"));
//! # Ok(())
//! # }
//! ```
#![doc(html_root_url = "https://docs.rs/storagedriver-s3")]

mod backend;
mod content;
mod credentials;
mod digests;
mod endpoint;
mod listing;
mod multipart;
mod open;
mod parameters;
mod preset;
mod presign;
mod profile;
#[cfg(feature = "aws-config")]
mod profile_files;
mod profiles;
mod refusals;
mod removal;
mod service;
mod suggest;
mod xml;

pub use backend::S3Backend;
pub use object_store::aws::{AwsCredential, AwsCredentialProvider};
pub use open::{DRIVER, DRIVER_S3AWS, S3Options};
pub use parameters::S3Parameters;
pub use preset::{Preset, label, server};
pub use profile::{Addressing, BatchDelete, ListVersion, PartSizes, Prefixes, Profile};
pub use profiles::{PROFILES, profile, profile_of_host};

/// What the macro needs.
#[doc(hidden)]
pub mod __private {
    pub use storagedriver;
}
