//! The filesystem driver of `storagedriver`: registry storage in a directory, with the names,
//! parameters and layout of CNCF Distribution's driver of the same name. Content is replaced
//! atomically, what is acknowledged survives a power cut, uncommitted bytes are invisible, and
//! nothing leads out of the root directory.
//!
//! ```
//! use storagedriver::{ReadOptions, WriteMode};
//! use storagedriver_filesystem::FilesystemParameters;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storagedriver::Result<()> {
//! # let directory = tempfile::tempdir().expect("a temporary directory");
//! # let directory = directory.path();
//! let storage = FilesystemParameters::new(directory).into_storage()?;
//! let mut writer = storage.writer("/blobs/data", WriteMode::Create).await?;
//! writer.write("content").await?;
//! writer.commit().await?;
//! let content = storage.reader("/blobs/data", ReadOptions::from_offset(3)).await?;
//! assert_eq!(content.bytes().await?, "tent");
//! # Ok(())
//! # }
//! ```
#![doc(html_root_url = "https://docs.rs/storagedriver-filesystem")]

#[cfg(not(target_os = "linux"))]
compile_error!(
    "storagedriver-filesystem needs Linux 5.6 or later: it keeps inside its root directory by openat2; \
     a fallback for other systems is designed and not yet built"
);

mod across;
mod directories;
mod driver;
mod durability;
mod early;
mod faults;
mod inline;
mod jobs;
mod listing;
mod moving;
mod names;
mod parameters;
mod pieces;
mod publish;
mod reader;
mod remove;
mod root;
mod staging;
mod sys;
#[cfg(test)]
mod tests;
mod upload;
mod uploads;
mod version;
mod walk;
mod writer;

pub use driver::Filesystem;
pub use parameters::{DRIVER, FilesystemParameters};
