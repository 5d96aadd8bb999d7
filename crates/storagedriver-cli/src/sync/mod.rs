//! Copying a registry's storage, or any other tree, from one driver to another.
//!
//! [`sync`] compares two walks in key order and keeps no state of its own, so it can be killed at
//! any time and run again. Blobs come before the links of the repositories, and all other files
//! where their names put them. At every instant each tag of the destination resolves to whole blobs: before a
//! link is written, what it refers to is there. A link that the destination has already is taken for
//! one whose blobs and links are there: registries and this program write it last. What lies below
//! `_uploads` is left out.
//!
//! What counts as the same: for a blob its size; for a link whose digest stands in its path that it
//! exists; for every other file its bytes.
//!
//! ```
//! use std::sync::Arc;
//! use storagedriver::Storage;
//! use storagedriver_cli::sync::{SyncOptions, sync};
//! use storagedriver_cli::transfer::Monitor;
//! use storagedriver_inmemory::InMemory;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> storagedriver::Result<()> {
//! let from = Storage::new(InMemory::new());
//! from.put_content("/some/file", "content").await?;
//! let to = Storage::new(InMemory::new());
//! let summary = sync(&from, &to, &SyncOptions::default(), &Arc::new(Monitor::default())).await?;
//! assert_eq!((summary.copied, summary.copied_bytes, summary.faults), (1, 7, 0));
//! assert_eq!(to.get_content("/some/file").await?, "content");
//! # Ok(())
//! # }
//! ```

mod copy;
mod join;
mod overlap;
mod pass;
mod prune;
mod run;
mod shard;
mod whole;

use std::sync::Arc;

use storagedriver::{Result, Storage};

pub(crate) use copy::{check_link, hash, link_digest, read_link};
pub use overlap::{Location, Overlap, overlap};
pub use shard::{InvalidShard, Shard};

use crate::transfer::Monitor;

/// What to copy, and how.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SyncOptions {
    /// Only these repositories, not what is nested below them, and the blobs that they link to.
    /// None: everything.
    pub repositories: Vec<String>,
    /// How many files are copied at once; 0 counts as 1.
    pub transfers: usize,
    /// The most bytes of content to read per second. None: no limit.
    pub bandwidth: Option<u64>,
    /// Change nothing, count what would be copied or deleted.
    pub dry_run: bool,
    /// Delete from the destination what the source does not have, uploads excepted. Nothing is
    /// deleted when there was a fault. The source should be at rest.
    pub delete: bool,
    /// Read every file back that was copied.
    pub verify: bool,
    /// Only the files of this part, so that several machines share the work: what one of them needs and another
    /// has not copied yet, it copies itself. None: all files.
    pub shard: Option<Shard>,
    /// How many files of the destination are remembered as there: what is not is asked for again where a link needs
    /// it. Each takes about 200 bytes.
    pub remembered: usize,
}

impl Default for SyncOptions {
    /// Everything, 8 at once, no limit, nothing deleted, nothing read back.
    fn default() -> Self {
        SyncOptions {
            repositories: Vec::new(),
            transfers: 8,
            bandwidth: None,
            dry_run: false,
            delete: false,
            verify: false,
            shard: None,
            remembered: 32_768,
        }
    }
}

/// What a run of [`sync`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncSummary {
    /// Files that are the same already.
    pub same: u64,
    /// Files copied; on a dry run those that would be.
    pub copied: u64,
    /// Bytes of them.
    pub copied_bytes: u64,
    /// Files deleted; on a dry run those that would be.
    pub deleted: u64,
    /// Files that only the destination has, where none was to be deleted.
    pub extra: u64,
    /// Files of the source that went away after they were listed.
    pub gone: u64,
    /// Uploads in progress at the source, left out.
    pub uploads_left_out: u64,
    /// Faults, each reported as it was found.
    pub faults: u64,
    /// Whether the deletion that was asked for was left out because of faults.
    pub deletion_skipped: bool,
}

/// Makes `to` what `from` is.
///
/// # Errors
/// What ends the run: a walk that fails, a name that cannot be a repository's, or a backend that
/// fails many times in a row. All else is a fault, reported to the monitor, and the run goes on.
pub async fn sync(
    from: &Storage,
    to: &Storage,
    options: &SyncOptions,
    monitor: &Arc<Monitor>,
) -> Result<SyncSummary> {
    let run = Arc::new(run::Run::new(from, to, options, monitor));
    pass::copy_all(&run).await?;
    if run.options.delete {
        prune::delete_extra(&run).await?;
    }
    Ok(run.summary())
}
