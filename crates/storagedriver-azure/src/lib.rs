//! The registry storage driver for Azure Blob Storage: the names, parameters and layout of CNCF
//! Distribution's driver `azure`, on the object engine. Account keys, shared access signatures and
//! Entra tokens; block blobs, and the append blobs that a Go registry left; content is replaced
//! atomically, uncommitted bytes are invisible, and clients can be sent to signed URLs.
//!
//! ```
//! use storagedriver::{Factory, Parameters, RedirectRequest};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storagedriver::Result<()> {
//! let given = [("accountname", "layers"), ("accountkey", "c2VjcmV0"), ("container", "registry")];
//! let factory = Factory::new().with(storagedriver_azure::DRIVER);
//! let storage = factory.create("azure", Parameters::from_iter(given)).await?;
//! // Makes no request: the URL is signed here.
//! let url = storage.redirect_url(&RedirectRequest::get(), "/docker/registry/v2/x").await?;
//! let url = url.expect("an account key signs URLs");
//! assert_eq!(url.host_str(), Some("layers.blob.core.windows.net"));
//! assert_eq!(url.path(), "/registry/docker/registry/v2/x");
//! # Ok(())
//! # }
//! ```
#![doc(html_root_url = "https://docs.rs/storagedriver-azure")]

mod account;
mod backend;
mod blob;
mod client;
mod connection_string;
mod copy;
mod credentials;
mod hierarchy;
mod listing;
mod location;
mod parameters;
mod service;
mod signatures;
mod uploads;
mod xml;

pub use backend::AzureBackend;
pub use parameters::{AzureParameters, DRIVER};
