//! Any service of Apache OpenDAL as a registry storage driver of `storagedriver`: by name (`opendal:service=fs,root=/x`), or
//! over an `Operator` that the program has made. What a service can do is found from its capabilities and from a reviewed
//! list of services, [`Review`]; what it cannot keep of the contract, `guarantees()` says. The contract is kept by the engine
//! of `storagedriver-object`, uploads in segments beside their sessions, joined at the commit.
//!
//! ```
//! use opendal::{Operator, services};
//! use storagedriver::Storage;
//! use storagedriver_opendal::OpenDal;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let operator = Operator::new(services::Memory::default())?;
//! let storage = Storage::new(OpenDal::new(operator)?);
//! storage.put_content("/docker/x", "content").await?;
//! assert_eq!(storage.get_content("/docker/x").await?, "content");
//! # Ok(())
//! # }
//! ```
#![doc(html_root_url = "https://docs.rs/storagedriver-opendal")]

mod backend;
mod driver;
mod failure;
mod ledger;
mod listing;
mod parameters;
mod review;
mod writing;

pub use backend::OpenDalBackend;
pub use driver::{OpenDal, OpenDalOptions};
pub use parameters::{DRIVER, OpenDalParameters};
pub use review::Review;
