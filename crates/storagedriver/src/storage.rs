//! The handle that a user of storage holds.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::StreamExt;
use url::Url;

use crate::list_walk::ListWalk;
use crate::observe::Observer;
use crate::{
    Content, Error, FileInfo, FileWriter, Finding, Guarantees, Operation, PathLimits, ReadOptions,
    RedirectRequest, Result, StorageDriver, StoragePath, UploadInfo, Walk, WalkOptions, WriteMode,
};

/// Storage: one driver, with everything that is the same for all drivers done around it.
///
/// Paths are checked before any I/O, errors name driver, operation and path, spans and metrics are
/// recorded, and a driver without a walk of its own is walked by `list`. Cloning is cheap.
///
/// Paths are `&str` here; whoever has a [`StoragePath`] gives `path.as_str()`.
#[derive(Clone)]
pub struct Storage {
    driver: Arc<dyn StorageDriver>,
    observer: Observer,
    limits: PathLimits,
}

/// What [`Storage::abort_stale`] did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Reaped {
    /// The uploads that are gone.
    pub aborted: Vec<UploadInfo>,
    /// How many were left because they were active within the age, or moved on meanwhile.
    pub kept: usize,
}

impl Storage {
    /// How old an upload is, by its last activity, when it counts as stale: 7 days.
    pub const STALE_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    /// The handle of a driver. Needs no registration.
    pub fn new(driver: impl StorageDriver) -> Self {
        Self::from_arc(Arc::new(driver))
    }

    /// The handle of a driver that others hold too.
    pub fn from_arc(driver: Arc<dyn StorageDriver>) -> Self {
        let observer = Observer::new(driver.name());
        let limits = driver.limits();
        Storage { driver, observer, limits }
    }

    /// The handle of the same driver inside a layer.
    ///
    /// ```
    /// # fn read_only(storage: storagedriver::Storage) -> storagedriver::Storage {
    /// use storagedriver::layer::ReadOnly;
    ///
    /// storage.layer(ReadOnly::new)
    /// # }
    /// ```
    #[must_use]
    pub fn layer<L: StorageDriver>(&self, wrap: impl FnOnce(Arc<dyn StorageDriver>) -> L) -> Self {
        Self::new(wrap(self.driver.clone()))
    }

    /// The driver below.
    pub fn driver(&self) -> &Arc<dyn StorageDriver> {
        &self.driver
    }

    /// The driver's name.
    pub fn name(&self) -> &str {
        self.observer.driver()
    }

    /// Which promises of the contract the backend cannot keep.
    pub fn guarantees(&self) -> Guarantees {
        self.driver.guarantees()
    }

    /// How long paths may be.
    pub fn limits(&self) -> PathLimits {
        self.limits
    }

    /// Checks a path that may be the root.
    fn any_path(&self, operation: Operation, path: &str) -> Result<StoragePath> {
        let checked = StoragePath::parse(path).and_then(|path| self.limits.check(&path).map(|()| path));
        checked.map_err(|error| error.stamped(self.observer.driver(), operation, None))
    }

    /// Checks a path that must name something.
    fn named_path(&self, operation: Operation, path: &str) -> Result<StoragePath> {
        let checked = self.any_path(operation, path)?;
        if checked.is_root() {
            let error = Error::invalid_path("/", format!("{operation} needs a path below the root"));
            return Err(error.stamped(self.observer.driver(), operation, None));
        }
        Ok(checked)
    }

    /// All of a file's content, in memory.
    ///
    /// # Errors
    /// [`PathNotFound`](Error::PathNotFound) if the path is absent or a directory,
    /// [`InvalidPath`](Error::InvalidPath), or what the backend reports.
    pub async fn get_content(&self, path: &str) -> Result<Bytes> {
        let path = self.named_path(Operation::GetContent, path)?;
        let content = self.observer.run(Operation::GetContent, &path, self.driver.get_content(&path)).await?;
        self.observer.read(content.len());
        Ok(content)
    }

    /// All of a file's content, if it has at most `limit` bytes.
    ///
    /// # Errors
    /// As [`get_content`](Self::get_content), and [`Unsupported`](Error::Unsupported) if the content is
    /// larger; no more than one chunk of it was read then.
    pub async fn get_content_limited(&self, path: &str, limit: u64) -> Result<Bytes> {
        let content = self.reader(path, ReadOptions::all()).await?;
        if content.size() > limit {
            let reason = format!("the content has {} bytes, more than the {limit} asked for", content.size());
            let path = StoragePath::parse(path)?;
            let error = Error::unsupported(&path, reason);
            return Err(self.observer.failed(error, Operation::GetContent, &path));
        }
        content.bytes().await
    }

    /// Makes `content` the content of `path`, atomically and durably, whatever was there.
    ///
    /// # Errors
    /// [`Conflict`](Error::Conflict) if `path` is a directory or a file stands above it, on drivers
    /// with real directories; [`InvalidPath`](Error::InvalidPath); or what the backend reports.
    pub async fn put_content(&self, path: &str, content: impl Into<Bytes>) -> Result<()> {
        let content = content.into();
        let path = self.named_path(Operation::PutContent, path)?;
        let length = content.len();
        self.observer.run(Operation::PutContent, &path, self.driver.put_content(&path, content)).await?;
        self.observer.written(length);
        Ok(())
    }

    /// Opens a file's content for reading.
    ///
    /// # Errors
    /// [`PathNotFound`](Error::PathNotFound) if the path is absent or a directory,
    /// [`InvalidOffset`](Error::InvalidOffset) if the offset is past the end (at the end: an empty
    /// stream), [`Conflict`](Error::Conflict) if the version asked for is not there,
    /// [`InvalidPath`](Error::InvalidPath), or what the backend reports.
    pub async fn reader(&self, path: &str, options: ReadOptions) -> Result<Content> {
        let path = self.named_path(Operation::Reader, path)?;
        let content =
            self.observer.run(Operation::Reader, &path, self.driver.reader(&path, &options)).await?;
        let observer = self.observer.clone();
        Ok(content.map_stream(|stream| {
            stream.map(move |chunk| match chunk {
                Ok(chunk) => {
                    observer.read(chunk.len());
                    Ok(chunk)
                }
                Err(error) => Err(observer.failed(error, Operation::Reader, &path)),
            })
        }))
    }

    /// Opens an upload.
    ///
    /// # Errors
    /// [`PathNotFound`](Error::PathNotFound) from [`WriteMode::Append`] if there is neither an upload nor
    /// content at the path; [`InvalidPath`](Error::InvalidPath); or what the backend reports.
    pub async fn writer(&self, path: &str, mode: WriteMode) -> Result<FileWriter> {
        let path = self.named_path(Operation::Writer, path)?;
        let inner = self.observer.run(Operation::Writer, &path, self.driver.writer(&path, mode)).await?;
        Ok(FileWriter::new(inner, self.observer.clone(), path))
    }

    /// What is at the path. `/` always exists; asking for it asks the backend.
    ///
    /// # Errors
    /// [`PathNotFound`](Error::PathNotFound), [`InvalidPath`](Error::InvalidPath), or what the
    /// backend reports.
    pub async fn stat(&self, path: &str) -> Result<FileInfo> {
        let path = self.any_path(Operation::Stat, path)?;
        self.observer.run(Operation::Stat, &path, self.driver.stat(&path)).await
    }

    /// Whether a file or a directory is at the path.
    ///
    /// # Errors
    /// As [`stat`](Self::stat), absence excepted.
    pub async fn exists(&self, path: &str) -> Result<bool> {
        match self.stat(path).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The direct children, sorted by path.
    ///
    /// # Errors
    /// [`PathNotFound`](Error::PathNotFound) if the path is absent or a file,
    /// [`InvalidPath`](Error::InvalidPath), or what the backend reports.
    pub async fn list(&self, path: &str) -> Result<Vec<FileInfo>> {
        let path = self.any_path(Operation::List, path)?;
        self.observer.run(Operation::List, &path, self.driver.list(&path)).await
    }

    /// Moves a file, replacing what is at `to`. Distribution calls this Move.
    ///
    /// # Errors
    /// [`PathNotFound`](Error::PathNotFound), naming `from`, if it is absent or a directory;
    /// [`Conflict`](Error::Conflict) if `to` is a directory or a file stands above it, on drivers
    /// with real directories; [`InvalidPath`](Error::InvalidPath); or what the backend reports.
    pub async fn rename(&self, from: &str, to: &str) -> Result<()> {
        let from = self.named_path(Operation::Rename, from)?;
        let to = self.named_path(Operation::Rename, to)?;
        self.observer
            .run(Operation::Rename, &from, async {
                if from != to {
                    return self.driver.rename(&from, &to).await;
                }
                match self.driver.stat(&from).await? {
                    info if info.is_file() => Ok(()),
                    _ => Err(Error::path_not_found(&from)),
                }
            })
            .await
    }

    /// Deletes the path and all below it, uploads included.
    ///
    /// # Errors
    /// [`PathNotFound`](Error::PathNotFound) if nothing is there, not even an upload;
    /// [`InvalidPath`](Error::InvalidPath), for `/` too; or what the backend reports: run again,
    /// it goes on.
    pub async fn delete(&self, path: &str) -> Result<()> {
        let path = self.named_path(Operation::Delete, path)?;
        self.observer.run(Operation::Delete, &path, self.driver.delete(&path)).await
    }

    /// Walks over everything below the path.
    ///
    /// # Errors
    /// [`PathNotFound`](Error::PathNotFound), here or at the first step, if the path is absent or a
    /// file; [`InvalidPath`](Error::InvalidPath); or what the backend reports.
    pub async fn walk(&self, path: &str, options: WalkOptions) -> Result<Walk> {
        let path = self.any_path(Operation::Walk, path)?;
        let walk = self
            .observer
            .run(Operation::Walk, &path, async {
                match self.driver.walk(&path, &options).await? {
                    Some(native) => Ok(native),
                    None => Ok(Box::new(ListWalk::start(self.driver.clone(), &path, options).await?) as _),
                }
            })
            .await?;
        Ok(Walk::new(walk, self.observer.clone(), path))
    }

    /// The uploads at and below the path that were neither committed nor cancelled, sorted by path.
    ///
    /// # Errors
    /// [`InvalidPath`](Error::InvalidPath), or what the backend reports.
    pub async fn uploads(&self, below: &str) -> Result<Vec<UploadInfo>> {
        let below = self.any_path(Operation::Uploads, below)?;
        self.observer.run(Operation::Uploads, &below, self.driver.uploads(&below)).await
    }

    /// Removes every trace of an upload.
    ///
    /// # Errors
    /// [`Conflict`](Error::Conflict) if it moved on since it was listed, or what the backend
    /// reports.
    pub async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
        self.observer.run(Operation::AbortUpload, upload.path(), self.driver.abort_upload(upload)).await
    }

    /// Aborts the uploads at and below the path whose last activity is `older_than` ago or more;
    /// [`STALE_AFTER`](Self::STALE_AFTER) is the usual age. One that moves on meanwhile is kept.
    ///
    /// # Errors
    /// What the backend reports; run again, it goes on.
    pub async fn abort_stale(&self, below: &str, older_than: Duration) -> Result<Reaped> {
        let now = SystemTime::now();
        let mut reaped = Reaped::default();
        for upload in self.uploads(below).await? {
            let age = now.duration_since(upload.modified()).unwrap_or_default();
            if age < older_than {
                reaped.kept += 1;
                continue;
            }
            match self.abort_upload(&upload).await {
                Ok(()) => reaped.aborted.push(upload),
                Err(Error::Conflict { .. }) => reaped.kept += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(reaped)
    }

    /// A URL at which a client can do `request` itself; `None`: the caller has to serve it.
    ///
    /// # Errors
    /// [`InvalidPath`](Error::InvalidPath), or what the backend reports.
    pub async fn redirect_url(&self, request: &RedirectRequest, path: &str) -> Result<Option<Url>> {
        let path = self.named_path(Operation::RedirectUrl, path)?;
        self.observer.run(Operation::RedirectUrl, &path, self.driver.redirect_url(request, &path)).await
    }

    /// Tries what the backend can do beyond the operations of the contract. Works below `scratch`,
    /// which must be empty, and leaves nothing there.
    ///
    /// # Errors
    /// [`InvalidPath`](Error::InvalidPath), or what the backend reports.
    pub async fn examine(&self, scratch: &str) -> Result<Vec<Finding>> {
        let scratch = self.named_path(Operation::Examine, scratch)?;
        self.observer.run(Operation::Examine, &scratch, self.driver.examine(&scratch)).await
    }

    /// The name under which the backend keeps the path, where its clients can use it.
    ///
    /// # Errors
    /// [`InvalidPath`](Error::InvalidPath).
    pub fn backend_key(&self, path: &str) -> Result<Option<String>> {
        Ok(self.driver.backend_key(&self.named_path(Operation::RedirectUrl, path)?))
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storage").field("driver", &self.driver).finish_non_exhaustive()
    }
}
