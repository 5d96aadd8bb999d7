//! The storage driver `inmemory`: everything lives in the memory of the process, and goes with it.
//!
//! Content is shared, not copied: what `put_content` took is what `get_content` gives, chunks that
//! a writer took are the chunks that a reader gets. A reader holds a snapshot. No lock guards the
//! whole, and nothing is copied under one.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> storagedriver::Result<()> {
//! let storage = storagedriver::Storage::new(storagedriver_inmemory::InMemory::new());
//! storage.put_content("/greeting", "hello").await?;
//! assert_eq!(storage.get_content("/greeting").await?, "hello");
//! # Ok(())
//! # }
//! ```

mod directory;
mod driver;
mod files;
mod locked;
mod parameters;
mod rope;
mod shard;
mod uploads;
mod walk;
mod writer;

pub use driver::InMemory;
pub use parameters::{DRIVER, InMemoryParameters};
