//! What the program `storagedriver` is made of and other programs may want too: the copying of one
//! storage to another ([`sync`]), the check of a storage ([`verify`]), the sums of what lies below a
//! path ([`usage`]) and the text by which a storage is named on a command line ([`storage_argument`]).
//!
//! The program itself, its command line and its output are in the binary.
//!
//! ```
//! use std::sync::Arc;
//! use storagedriver::Storage;
//! use storagedriver_cli::sync::{SyncOptions, sync};
//! use storagedriver_cli::transfer::{Event, Monitor};
//! use storagedriver_cli::verify::{VerifyOptions, verify};
//! use storagedriver_inmemory::InMemory;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> storagedriver::Result<()> {
//! let (from, to) = (Storage::new(InMemory::new()), Storage::new(InMemory::new()));
//! from.put_content("/docker/registry/v2/other", "content").await?;
//!
//! let monitor = Arc::new(Monitor::new(|event: &Event| println!("{event:?}")));
//! let copied = sync(&from, &to, &SyncOptions::default(), &monitor).await?;
//! assert_eq!((copied.copied, copied.faults), (1, 0));
//! let verified = verify(&to, &VerifyOptions::default(), &monitor).await?;
//! assert_eq!(verified.faults, 0);
//! # Ok(())
//! # }
//! ```

pub mod registry;
pub mod storage_argument;
pub mod sync;
pub mod transfer;
pub mod usage;
pub mod verify;
