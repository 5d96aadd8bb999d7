//! The OpenStack Swift driver of `storagedriver`: registry storage in a container, with the name, parameters and object
//! layout of the driver `swift` of CNCF Distribution v2. Large content is kept in segments under one manifest, static where
//! the cluster has that; those that a Go registry wrote are read, renamed and deleted with their segments. The contract is
//! kept by the engine of `storagedriver-object`; this crate is its backend.
//!
//! ```no_run
//! use storagedriver::Secret;
//! use storagedriver_swift::SwiftParameters;
//!
//! # async fn example() -> storagedriver::Result<()> {
//! let mut parameters = SwiftParameters::new("https://keystone.example.org/v3", "layers");
//! parameters.username = Some("registry".to_owned());
//! parameters.password = Some(Secret::new("secret"));
//! parameters.tenant = Some("images".to_owned());
//! let storage = parameters.into_storage()?;
//! storage.put_content("/docker/x", "content").await?;
//! assert_eq!(storage.get_content("/docker/x").await?, "content");
//! # Ok(())
//! # }
//! ```
#![doc(html_root_url = "https://docs.rs/storagedriver-swift")]

mod account;
mod backend;
mod claims;
mod client;
mod cluster;
mod identity;
mod layout;
mod listing;
mod objects;
mod parameters;
mod publish;
mod refusal;
mod removal;
mod segments;
mod tempurl;
mod uploads;

pub use backend::SwiftBackend;
pub use parameters::{DRIVER, SwiftParameters};
