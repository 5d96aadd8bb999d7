//! Layers that watch or disturb a storage.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use storagedriver::bytes::Bytes;
use storagedriver::{
    Content, DriverWalk, DriverWriter, Error, FileInfo, Layer, ReadOptions, Result, StorageDriver,
    StoragePath, WalkOptions, WriteMode, async_trait,
};

/// What was asked of a storage.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Calls by operation.
    pub(crate) calls: Mutex<BTreeMap<&'static str, u64>>,
    /// Bytes of content that were read.
    pub(crate) read: AtomicU64,
    /// Pages of walks, as a flat store with 1,000 keys a page would serve them.
    pub(crate) pages: AtomicU64,
    /// Content that is being read now, and the most at once.
    open: AtomicI64,
    pub(crate) most_open: AtomicI64,
}

impl Counts {
    fn call(&self, operation: &'static str) {
        *self.calls.lock().unwrap().entry(operation).or_default() += 1;
    }

    pub(crate) fn of(&self, operation: &str) -> u64 {
        self.calls.lock().unwrap().get(operation).copied().unwrap_or_default()
    }

    pub(crate) fn changes(&self) -> u64 {
        ["put_content", "writer", "rename", "delete"].iter().map(|operation| self.of(operation)).sum()
    }
}

/// Counts what is asked of a storage.
#[derive(Debug)]
pub(crate) struct Counting {
    pub(crate) inner: Arc<dyn StorageDriver>,
    pub(crate) counts: Arc<Counts>,
}

struct Open(Arc<Counts>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Layer for Counting {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.inner
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        self.counts.call("get_content");
        let content = self.inner.get_content(path).await?;
        self.counts.read.fetch_add(content.len() as u64, Ordering::SeqCst);
        Ok(content)
    }

    async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
        self.counts.call("put_content");
        self.inner.put_content(path, content).await
    }

    async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
        self.counts.call("reader");
        let open = self.counts.open.fetch_add(1, Ordering::SeqCst) + 1;
        let open_now = Open(self.counts.clone());
        self.counts.most_open.fetch_max(open, Ordering::SeqCst);
        // Others get their turn while this is open.
        tokio::task::yield_now().await;
        let counts = self.counts.clone();
        let content = self.inner.reader(path, options).await?;
        let content = content.map_stream(|stream| {
            stream.inspect(move |chunk| {
                let length = chunk.as_ref().map_or(0, Bytes::len);
                counts.read.fetch_add(length as u64, Ordering::SeqCst);
            })
        });
        Ok(content.holding(open_now))
    }

    async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        self.counts.call("writer");
        let inner = self.inner.writer(path, mode).await?;
        Ok(Box::new(CountingWriter { inner, counts: self.counts.clone() }))
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        self.counts.call("stat");
        self.inner.stat(path).await
    }

    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        self.counts.call("list");
        self.inner.list(path).await
    }

    async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
        self.counts.call("rename");
        self.inner.rename(from, to).await
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        self.counts.call("delete");
        self.inner.delete(path).await
    }

    async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
        self.counts.call("walk");
        let Some(inner) = self.inner.walk(path, options).await? else { return Ok(None) };
        self.counts.pages.fetch_add(1, Ordering::SeqCst);
        Ok(Some(Box::new(Paged { inner, counts: self.counts.clone(), keys: 0, at_directory: false })))
    }
}

struct CountingWriter {
    inner: Box<dyn DriverWriter>,
    counts: Arc<Counts>,
}

#[async_trait]
impl DriverWriter for CountingWriter {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.inner.write(chunk).await
    }

    fn size(&self) -> u64 {
        self.inner.size()
    }

    async fn close(&mut self) -> Result<()> {
        self.counts.call("close");
        self.inner.close().await
    }

    async fn commit(&mut self) -> Result<()> {
        self.counts.call("commit");
        self.inner.commit().await
    }

    async fn cancel(&mut self) -> Result<()> {
        self.counts.call("cancel");
        self.inner.cancel().await
    }
}

/// A walk that counts pages: a flat store lists files only, 1,000 a page, and begins a new page
/// after what is skipped.
struct Paged {
    inner: Box<dyn DriverWalk>,
    counts: Arc<Counts>,
    keys: u64,
    at_directory: bool,
}

#[async_trait]
impl DriverWalk for Paged {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        let next = self.inner.next().await?;
        self.at_directory = next.as_ref().is_some_and(FileInfo::is_dir);
        if next.as_ref().is_some_and(FileInfo::is_file) {
            self.keys += 1;
            if self.keys > 1000 {
                self.keys = 1;
                self.counts.pages.fetch_add(1, Ordering::SeqCst);
            }
        }
        Ok(next)
    }

    fn skip_dir(&mut self) {
        if self.at_directory {
            self.counts.pages.fetch_add(1, Ordering::SeqCst);
            self.keys = 0;
        }
        self.inner.skip_dir();
    }
}

type Hook = Box<dyn Fn(&'static str, StoragePath) -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// Lets a test do something before an operation, or fail it.
pub(crate) struct Before {
    pub(crate) inner: Arc<dyn StorageDriver>,
    pub(crate) hook: Hook,
}

impl Before {
    pub(crate) fn new<F>(inner: Arc<dyn StorageDriver>, hook: F) -> Self
    where
        F: Fn(&'static str, StoragePath) -> BoxFuture<'static, Result<()>> + Send + Sync + 'static,
    {
        Before { inner, hook: Box::new(hook) }
    }
}

impl fmt::Debug for Before {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Before")
    }
}

#[async_trait]
impl Layer for Before {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.inner
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        (self.hook)("read", path.clone()).await?;
        self.inner.get_content(path).await
    }

    async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
        (self.hook)("read", path.clone()).await?;
        self.inner.reader(path, options).await
    }

    async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
        (self.hook)("write", path.clone()).await?;
        self.inner.put_content(path, content).await
    }

    async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        (self.hook)("write", path.clone()).await?;
        self.inner.writer(path, mode).await
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        (self.hook)("stat", path.clone()).await?;
        self.inner.stat(path).await
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        (self.hook)("delete", path.clone()).await?;
        self.inner.delete(path).await
    }

    async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
        (self.hook)("walk", path.clone()).await?;
        self.inner.walk(path, options).await
    }
}

/// Stops for good at the change with a given number: as if the process were killed there. A change
/// of a writer is its commit.
#[derive(Debug)]
pub(crate) struct StopsAt {
    pub(crate) inner: Arc<dyn StorageDriver>,
    pub(crate) left: Arc<AtomicUsize>,
    pub(crate) stopped: Arc<tokio::sync::Notify>,
}

async fn change(left: &AtomicUsize, stopped: &tokio::sync::Notify) {
    let before = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    if before.is_err() {
        stopped.notify_one();
        std::future::pending::<()>().await;
    }
}

#[async_trait]
impl Layer for StopsAt {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.inner
    }

    async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
        change(&self.left, &self.stopped).await;
        self.inner.put_content(path, content).await
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        change(&self.left, &self.stopped).await;
        self.inner.delete(path).await
    }

    async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let inner = self.inner.writer(path, mode).await?;
        Ok(Box::new(StopsWriter { inner, left: self.left.clone(), stopped: self.stopped.clone() }))
    }
}

struct StopsWriter {
    inner: Box<dyn DriverWriter>,
    left: Arc<AtomicUsize>,
    stopped: Arc<tokio::sync::Notify>,
}

#[async_trait]
impl DriverWriter for StopsWriter {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.inner.write(chunk).await
    }

    fn size(&self) -> u64 {
        self.inner.size()
    }

    async fn close(&mut self) -> Result<()> {
        self.inner.close().await
    }

    async fn commit(&mut self) -> Result<()> {
        change(&self.left, &self.stopped).await;
        self.inner.commit().await
    }

    async fn cancel(&mut self) -> Result<()> {
        self.inner.cancel().await
    }
}

/// An error of a backend.
pub(crate) fn down(path: &StoragePath) -> Error {
    Error::unavailable(path, "the backend does not answer")
}
