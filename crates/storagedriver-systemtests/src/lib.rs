//! What the tests of whole systems share: the storage that they are given, and the server's own view
//! of it. Each process of such a test opens the storage anew, by its name in the factory. The tests
//! are programs of their own, in `tests`; `cargo xtask conformance s3` starts their server and names
//! it in [`STORAGE_VARIABLE`].
//!
//! ```no_run
//! use storagedriver_systemtests::{GivenStorage, Server};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let given = GivenStorage::from_environment()?;
//! let storage = given.open("some/root").await?;
//! storage.put_content("/file", "content").await?;
//! assert_eq!(Server::new(&given)?.open_uploads("some/root/").await?, []);
//! # Ok(())
//! # }
//! ```

mod given;
mod growth;
mod server;

pub use given::{GivenStorage, STORAGE_VARIABLE};
pub use growth::growth;
pub use server::{OpenUpload, Server};

use std::error::Error;

/// Any error: a test shows it and fails.
pub type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;
