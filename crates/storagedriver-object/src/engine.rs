//! What all operations of one driver share.

use std::time::Duration;

use storagedriver::{Error, FileInfo, Result, StoragePath};

use crate::budget::Budget;
use crate::buffer::Meter;
use crate::keys::Keys;
use crate::{Description, Object, ObjectStoreBackend, StoreError};

/// How a driver uses its store.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ObjectOptions {
    /// The prefix of all keys: Distribution's `rootdirectory`.
    pub root: String,
    /// The size of the first parts in bytes (`chunksize`); raised to the store's least.
    pub part_size: u64,
    /// How many parts of one upload are on their way at once.
    pub parallel: usize,
    /// How many ranges of one copy are on their way at once.
    pub copy_parallel: usize,
    /// The size of a range, in bytes, where a copy goes part by part; brought within what the store
    /// takes.
    pub copy_part: u64,
    /// How old a multipart upload that no session names must be for `uploads` to tell of it: a
    /// younger one may be in the hands of a writer that is about to write its session.
    pub orphan_age: Duration,
    /// The memory for parts on their way, beyond one per writer.
    pub budget: Budget,
}

impl Default for ObjectOptions {
    /// At the root of the bucket, 10 MiB parts, copies in ranges of 1 GiB, four at once of either,
    /// orphans after an hour, the budget of the process.
    fn default() -> Self {
        ObjectOptions {
            root: String::new(),
            part_size: 10 << 20,
            parallel: 4,
            copy_parallel: 4,
            copy_part: 1 << 30,
            orphan_age: Duration::from_secs(3600),
            budget: Budget::process(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Engine<B> {
    pub(crate) backend: B,
    pub(crate) keys: Keys,
    pub(crate) meter: Meter,
    pub(crate) options: ObjectOptions,
}

impl<B: ObjectStoreBackend> Engine<B> {
    pub(crate) fn new(backend: B, options: ObjectOptions) -> Self {
        Engine { keys: Keys::new(&options.root), meter: Meter::new(backend.name()), backend, options }
    }

    pub(crate) fn description(&self) -> &Description {
        self.backend.description()
    }

    /// Whether an upload that has a session is put together beside it and then moved to its path: what
    /// was published is told by that, as objects keep no marks.
    pub(crate) fn stages(&self) -> bool {
        let description = self.description();
        !description.marks && description.rename && !description.multipart
    }

    pub(crate) fn parallel(&self) -> usize {
        self.options.parallel.max(1)
    }

    /// What is at a path; `None` if there is no object.
    pub(crate) async fn head(&self, path: &StoragePath) -> Result<Option<Object>> {
        match self.backend.head(&self.keys.file(path)).await {
            Ok(object) => Ok(Some(object)),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error.at(path)),
        }
    }

    pub(crate) fn file_info(&self, path: StoragePath, object: &Object) -> FileInfo {
        let info = FileInfo::file(path).with_size(object.size).with_modified(object.modified);
        if self.description().versions { info.with_version(object.version.clone()) } else { info }
    }

    pub(crate) async fn delete_keys(&self, path: &StoragePath, keys: &[String]) -> Result<()> {
        for batch in keys.chunks(self.description().delete_batch.max(1)) {
            self.backend.delete(batch).await.map_err(|error| error.at(path))?;
        }
        Ok(())
    }
}

pub(crate) fn corrupted(path: &StoragePath, reason: &str) -> Error {
    Error::corrupted(path, reason)
}
