//! Checking a registry's storage.
//!
//! [`verify`] walks over the blobs and then over the repositories, in key order, so that a run can be
//! taken up again after any key. Faults are reported as they are found.
//!
//! Memory does not grow with the tree. The digests of all blobs go to a temporary file in the order of the walk;
//! whether a link's blob is there is looked up in it, and asked of the storage only if it is not. The digests of all
//! that manifests refer to go to others as sorted runs, and what is in the first and in none of these is counted at
//! the end: the blobs that no manifest refers to. That takes 33 bytes a digest in the directory for temporary files.
//!
//! ```
//! use std::sync::Arc;
//! use storagedriver::Storage;
//! use storagedriver_cli::transfer::Monitor;
//! use storagedriver_cli::verify::{VerifyOptions, verify};
//! use storagedriver_inmemory::InMemory;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> storagedriver::Result<()> {
//! let storage = Storage::new(InMemory::new());
//! let link = format!("/docker/registry/v2/repositories/a/_layers/sha256/{}/link", "0".repeat(64));
//! storage.put_content(&link, "").await?;
//! let monitor = Arc::new(Monitor::new(|event| println!("{event:?}")));
//! let summary = verify(&storage, &VerifyOptions::default(), &monitor).await?;
//! assert_eq!((summary.links, summary.faults), (1, 1));
//! # Ok(())
//! # }
//! ```

mod check;
mod index;
mod pass;
mod spool;

use std::sync::Arc;

use storagedriver::{Result, Storage, WalkKey};

use crate::transfer::Monitor;

/// What to check, and how.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct VerifyOptions {
    /// Check only what comes after this key, in key order: blobs before repositories. With it,
    /// unreferenced blobs are not counted.
    pub start_after: Option<WalkKey>,
    /// Do not read blobs, only look whether they are there; manifests excepted.
    pub links_only: bool,
    /// Which part of the blobs to read, 0 to 1.
    pub sample: f64,
    /// Chooses which blobs are read when `sample` is below 1.
    pub seed: u64,
    /// How many files are checked at once; 0 counts as 1.
    pub transfers: usize,
    /// The most bytes of content to read per second. None: no limit.
    pub bandwidth: Option<u64>,
}

impl Default for VerifyOptions {
    /// Everything, 8 at once, no limit.
    fn default() -> Self {
        VerifyOptions {
            start_after: None,
            links_only: false,
            sample: 1.0,
            seed: 0,
            transfers: 8,
            bandwidth: None,
        }
    }
}

/// What a run of [`verify`] found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifySummary {
    /// Blobs that are there.
    pub blobs: u64,
    /// Blobs that were read and compared with their digest.
    pub hashed: u64,
    /// Bytes of them.
    pub hashed_bytes: u64,
    /// Links that were followed, tags included.
    pub links: u64,
    /// Manifests whose references were followed.
    pub manifests: u64,
    /// Files that went away after they were listed.
    pub gone: u64,
    /// Blobs that no manifest refers to: what a garbage collection would remove. Not a fault. None:
    /// not counted, because not all manifests were read.
    pub unreferenced: Option<u64>,
    /// Faults, each reported as it was found.
    pub faults: u64,
}

/// Checks every blob against its digest, every link against its blob, every manifest against what
/// it refers to, every tag against its repository's revisions.
///
/// # Errors
/// What ends the run: a walk that fails, or a backend that fails many times in a row. All else is a
/// fault, reported to the monitor, and the run goes on.
pub async fn verify(
    storage: &Storage,
    options: &VerifyOptions,
    monitor: &Arc<Monitor>,
) -> Result<VerifySummary> {
    let check = Arc::new(check::Check::new(storage, options, monitor)?);
    pass::check_all(&check).await?;
    check.summary().await
}
