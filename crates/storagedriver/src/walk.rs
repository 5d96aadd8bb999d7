//! Walking over everything below a path.

use std::fmt;

use futures_util::Stream;
use futures_util::stream;

use crate::observe::Observer;
use crate::{DriverWalk, FileInfo, Operation, Result, StoragePath, WalkKey, WalkOrder};

/// In which order to walk, and from where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WalkOptions {
    /// The order of the entries.
    pub order: WalkOrder,
    /// Yield exactly the entries whose key is greater than this one in that order. It need not
    /// exist, nor lie below the start.
    pub start_after: Option<WalkKey>,
}

impl WalkOptions {
    /// From the start, in [`WalkOrder::Key`].
    pub fn new() -> Self {
        Self::default()
    }

    /// From the start, in [`WalkOrder::Tree`].
    pub fn tree() -> Self {
        WalkOptions { order: WalkOrder::Tree, start_after: None }
    }

    /// Only what comes after `key`.
    #[must_use]
    pub fn after(mut self, key: WalkKey) -> Self {
        self.start_after = Some(key);
        self
    }

    /// Whether the entry with this key is to be yielded.
    pub fn admits(&self, key: &WalkKey) -> bool {
        self.start_after.as_ref().is_none_or(|start| key.cmp_in(start, self.order).is_gt())
    }
}

/// A walk in progress. Dropping it stops it.
///
/// ```
/// # async fn count(storage: &storagedriver::Storage) -> storagedriver::Result<u64> {
/// use storagedriver::WalkOptions;
///
/// let mut files = 0;
/// let mut walk = storage.walk("/docker", WalkOptions::new()).await?;
/// while let Some(info) = walk.next().await? {
///     if info.path().name() == "_uploads" {
///         walk.skip_dir();
///     } else if info.is_file() {
///         files += 1;
///     }
/// }
/// # Ok(files)
/// # }
/// ```
pub struct Walk {
    inner: Box<dyn DriverWalk>,
    observer: Observer,
    start: StoragePath,
    over: bool,
}

impl Walk {
    pub(crate) fn new(inner: Box<dyn DriverWalk>, observer: Observer, start: StoragePath) -> Self {
        Walk { inner, observer, start, over: false }
    }

    /// The next entry; `None` at the end, and after an error.
    ///
    /// # Errors
    /// What the backend reports; the walk is over then. Resume it by
    /// [`WalkOptions::after`] the last entry's [`key`](FileInfo::key).
    pub async fn next(&mut self) -> Result<Option<FileInfo>> {
        if self.over {
            return Ok(None);
        }
        if let Some(info) = self.inner.at_hand() {
            return Ok(Some(info));
        }
        let step = self.inner.next().await;
        self.over = !matches!(step, Ok(Some(_)));
        step.map_err(|error| self.observer.failed(error, Operation::Walk, &self.start))
    }

    /// Leaves out what lies below the directory that `next` returned last; after a file it does
    /// nothing.
    pub fn skip_dir(&mut self) {
        self.inner.skip_dir();
    }

    /// As a stream, for what does not skip.
    pub fn into_stream(self) -> impl Stream<Item = Result<FileInfo>> + Send {
        stream::try_unfold(self, |mut walk| async move { Ok(walk.next().await?.map(|info| (info, walk))) })
    }
}

impl fmt::Debug for Walk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk").field("start", &self.start).finish_non_exhaustive()
    }
}
