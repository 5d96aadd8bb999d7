//! What can be configured.

use std::path::PathBuf;
use std::sync::Arc;

use storagedriver::layer::ConcurrencyLimit;
use storagedriver::{Result, Storage};

use crate::FileSystem;

/// The least that `maxthreads` may be; less is raised to it, as Distribution does.
const LEAST_THREADS: u64 = 25;

/// Whether what is acknowledged survives a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// Yes: files and directories are synced before an operation answers.
    #[default]
    Full,
    /// No: only a crash of the process. For tests, and for content that can be made again.
    None,
}

/// The parameters of the driver.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The directory that everything lies below. Made by the first write, parents included.
    pub rootdirectory: PathBuf,
    /// How many operations run at once, streams included; at least 25.
    pub maxthreads: u64,
    /// Whether what is acknowledged survives a power cut.
    pub durability: Durability,
}

impl Options {
    /// Distribution's defaults, below `rootdirectory`: 100 operations at once, full durability.
    pub fn new(rootdirectory: impl Into<PathBuf>) -> Self {
        Options { rootdirectory: rootdirectory.into(), maxthreads: 100, durability: Durability::Full }
    }

    /// How many operations run at once; less than 25 counts as 25.
    #[must_use]
    pub fn with_maxthreads(mut self, maxthreads: u64) -> Self {
        self.maxthreads = maxthreads;
        self
    }

    /// Whether what is acknowledged survives a power cut.
    #[must_use]
    pub fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// The storage, with the limit of operations at once.
    ///
    /// # Errors
    /// As [`FileSystem::new`].
    pub fn into_storage(self) -> Result<Storage> {
        let driver = Arc::new(FileSystem::new(&self)?);
        Ok(Storage::new(ConcurrencyLimit::new(driver, self.maxthreads.max(LEAST_THREADS))))
    }
}
