//! The HDFS driver of `storagedriver`: registry storage in a directory of Hadoop's distributed file
//! system, with the name, parameters and layout of the driver that `haosdent/distribution` has.
//! It speaks Hadoop's own protocol, to NameNode and DataNodes, and needs neither Java nor a C library.
//! Content is replaced atomically, what is acknowledged is on the disks of the DataNodes,
//! uncommitted bytes are invisible, and uploads go on after a crash.
//!
//! ```no_run
//! use storagedriver::{ReadOptions, WriteMode};
//! use storagedriver_hdfs::HdfsParameters;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storagedriver::Result<()> {
//! let storage = HdfsParameters::new("namenode.example:8020", "/data/registry").into_storage()?;
//! let mut writer = storage.writer("/blobs/data", WriteMode::Create).await?;
//! writer.write("content").await?;
//! writer.commit().await?;
//! let content = storage.reader("/blobs/data", ReadOptions::from_offset(3)).await?;
//! assert_eq!(content.bytes().await?, "tent");
//! # Ok(())
//! # }
//! ```
#![doc(html_root_url = "https://docs.rs/storagedriver-hdfs")]

mod cluster;
mod driver;
mod fault;
mod listing;
mod locks;
mod namenode;
mod names;
mod parameters;
mod publish;
mod reader;
mod staged;
mod tidy;
mod upload;
mod uploads;
mod version;
mod walk;
mod writer;

pub use driver::Hdfs;
pub use parameters::{DRIVER, HdfsParameters};
