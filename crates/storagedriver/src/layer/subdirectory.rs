//! A directory of a store, as a store.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt;
use url::Url;

use crate::{
    Content, DriverWalk, DriverWriter, FileInfo, Finding, Layer, PathLimits, ReadOptions, RedirectRequest,
    Result, StorageDriver, StoragePath, UploadInfo, WalkOptions, WriteMode,
};

/// Makes one directory of a store the root of another: what is outside is out of reach.
///
/// Paths, walk keys and the paths in errors are those within the directory; reasons and causes may
/// name the whole path. The directory need not be there: the root always exists, and `stat` of it asks
/// the backend. The longest path is shorter by the directory's own. What a driver counts or limits it
/// goes on counting and limiting over the whole store.
///
/// ```
/// use storagedriver::{StoragePath, layer::Subdirectory};
///
/// # fn tenant(storage: storagedriver::Storage) -> storagedriver::Result<storagedriver::Storage> {
/// let directory = StoragePath::parse("/tenants/a")?;
/// // `/x` of this storage is `/tenants/a/x` of the whole.
/// let tenant = storage.layer(|whole| Subdirectory::new(whole, directory));
/// # Ok(tenant)
/// # }
/// ```
#[derive(Debug)]
pub struct Subdirectory {
    inner: Arc<dyn StorageDriver>,
    directory: StoragePath,
}

impl Subdirectory {
    /// The directory `directory` of `inner`. The root is the whole store.
    pub fn new(inner: Arc<dyn StorageDriver>, directory: StoragePath) -> Self {
        Subdirectory { inner, directory }
    }

    /// The path within the whole store.
    fn whole(&self, path: &StoragePath) -> StoragePath {
        path.moved_below(&self.directory)
    }

    /// The result of an operation on a path of the whole store, with the path of its error within the
    /// directory.
    fn seen<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| error.seen_from(&self.directory))
    }
}

/// The entry as seen from the directory; `None` for what does not lie below it.
fn entry(info: FileInfo, directory: &StoragePath) -> Option<FileInfo> {
    let path = info.path().seen_from(directory).filter(|path| !path.is_root())?;
    Some(info.with_path(path))
}

#[async_trait]
impl Layer for Subdirectory {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.inner
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        self.seen(self.inner.get_content(&self.whole(path)).await)
    }

    async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
        self.seen(self.inner.put_content(&self.whole(path), content).await)
    }

    async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
        let content = self.seen(self.inner.reader(&self.whole(path), options).await)?;
        let directory = self.directory.clone();
        Ok(content.map_stream(|stream| stream.map_err(move |error| error.seen_from(&directory))))
    }

    async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let inner = self.seen(self.inner.writer(&self.whole(path), mode).await)?;
        Ok(Box::new(WriterBelow { inner, directory: self.directory.clone() }))
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        let found = self.seen(self.inner.stat(&self.whole(path)).await);
        if !path.is_root() {
            return Ok(found?.with_path(path.clone()));
        }
        match found {
            Err(error) if !error.is_not_found() => Err(error),
            // The root exists whatever the whole store has at the directory's path.
            _ => Ok(FileInfo::directory(StoragePath::root())),
        }
    }

    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        match self.seen(self.inner.list(&self.whole(path)).await) {
            Ok(found) => Ok(found.into_iter().filter_map(|info| entry(info, &self.directory)).collect()),
            Err(error) if path.is_root() && error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
        self.seen(self.inner.rename(&self.whole(from), &self.whole(to)).await)
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        self.seen(self.inner.delete(&self.whole(path)).await)
    }

    async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
        let found = self.seen(self.inner.uploads(&self.whole(below)).await)?;
        Ok(found
            .into_iter()
            .filter_map(|upload| {
                // One at the directory's own path would be at the root, where none can be.
                let path = upload.path().seen_from(&self.directory).filter(|path| !path.is_root())?;
                Some(upload.with_path(path))
            })
            .collect())
    }

    async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
        let whole = upload.clone().with_path(self.whole(upload.path()));
        self.seen(self.inner.abort_upload(&whole).await)
    }

    async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
        let mut options = options.clone();
        options.start_after = options.start_after.map(|key| key.moved_below(&self.directory));
        let at_root = path.is_root();
        let inner = match self.seen(self.inner.walk(&self.whole(path), &options).await) {
            Ok(Some(inner)) => inner,
            // By `list`, through this layer.
            Ok(None) => return Ok(None),
            Err(error) if at_root && error.is_not_found() => return Ok(Some(Box::new(Over))),
            Err(error) => return Err(error),
        };
        let may_be_absent = at_root;
        Ok(Some(Box::new(WalkBelow { inner, directory: self.directory.clone(), may_be_absent })))
    }

    async fn redirect_url(&self, request: &RedirectRequest, path: &StoragePath) -> Result<Option<Url>> {
        self.seen(self.inner.redirect_url(request, &self.whole(path)).await)
    }

    fn backend_key(&self, path: &StoragePath) -> Option<String> {
        self.inner.backend_key(&self.whole(path))
    }

    async fn examine(&self, scratch: &StoragePath) -> Result<Vec<Finding>> {
        self.seen(self.inner.examine(&self.whole(scratch)).await)
    }

    fn limits(&self) -> PathLimits {
        let limits = self.inner.limits();
        // The root has no name of its own, only a `/` that the rest of a path brings.
        let taken = if self.directory.is_root() { 0 } else { self.directory.as_str().len() };
        PathLimits::new(limits.path.saturating_sub(taken), limits.component)
    }
}

struct WriterBelow {
    inner: Box<dyn DriverWriter>,
    directory: StoragePath,
}

impl WriterBelow {
    fn seen<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| error.seen_from(&self.directory))
    }
}

#[async_trait]
impl DriverWriter for WriterBelow {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        let written = self.inner.write(chunk).await;
        self.seen(written)
    }

    fn size(&self) -> u64 {
        self.inner.size()
    }

    async fn close(&mut self) -> Result<()> {
        let closed = self.inner.close().await;
        self.seen(closed)
    }

    async fn commit(&mut self) -> Result<()> {
        let committed = self.inner.commit().await;
        self.seen(committed)
    }

    async fn cancel(&mut self) -> Result<()> {
        let cancelled = self.inner.cancel().await;
        self.seen(cancelled)
    }
}

/// The walk of a directory that is not there.
struct Over;

#[async_trait]
impl DriverWalk for Over {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        Ok(None)
    }

    fn skip_dir(&mut self) {}
}

struct WalkBelow {
    inner: Box<dyn DriverWalk>,
    directory: StoragePath,
    /// Of the root, and nothing has come yet: absence is an empty root then.
    may_be_absent: bool,
}

#[async_trait]
impl DriverWalk for WalkBelow {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        loop {
            let may_be_absent = std::mem::take(&mut self.may_be_absent);
            match self.inner.next().await {
                Ok(Some(info)) => {
                    if let Some(info) = entry(info, &self.directory) {
                        return Ok(Some(info));
                    }
                }
                Ok(None) => return Ok(None),
                Err(error) if may_be_absent && error.is_not_found() => return Ok(None),
                Err(error) => return Err(error.seen_from(&self.directory)),
            }
        }
    }

    fn at_hand(&mut self) -> Option<FileInfo> {
        loop {
            let info = self.inner.at_hand()?;
            self.may_be_absent = false;
            if let Some(info) = entry(info, &self.directory) {
                return Some(info);
            }
        }
    }

    fn skip_dir(&mut self) {
        self.inner.skip_dir();
    }
}
