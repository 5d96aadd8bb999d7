//! A bound on how many operations run at once.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use crate::{
    Content, DriverWalk, DriverWriter, Error, FileInfo, Finding, Layer, ReadOptions, RedirectRequest, Result,
    StorageDriver, StoragePath, UploadInfo, WalkOptions, WriteMode,
};

/// Lets at most so many operations run at once; the others wait their turn, first come first
/// served.
///
/// What Distribution's `maxthreads` and `maxconcurrency` bound, with two gaps of it closed: a read
/// counts until its stream ends or is dropped, and each step of a walk counts. A writer counts
/// while one of its calls runs, not while it is idle between them, so that slow uploads do not keep
/// readers out.
#[derive(Debug)]
pub struct ConcurrencyLimit {
    inner: Arc<dyn StorageDriver>,
    turns: Arc<Semaphore>,
}

impl ConcurrencyLimit {
    /// At most `limit` operations at once; 0 counts as 1, and more than a semaphore can hold as
    /// that.
    pub fn new(inner: Arc<dyn StorageDriver>, limit: u64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
        ConcurrencyLimit { inner, turns: Arc::new(Semaphore::new(limit)) }
    }
}

async fn turn(turns: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit> {
    // The semaphore is never closed; if it were, the operation must not run unbounded.
    turns.clone().acquire_owned().await.map_err(|closed| {
        Error::unavailable(&StoragePath::root(), "the concurrency limit was shut down").with_source(closed)
    })
}

#[async_trait]
impl Layer for ConcurrencyLimit {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.inner
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        let _turn = turn(&self.turns).await?;
        self.inner.get_content(path).await
    }

    async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
        let _turn = turn(&self.turns).await?;
        self.inner.put_content(path, content).await
    }

    async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
        let turn = turn(&self.turns).await?;
        Ok(self.inner.reader(path, options).await?.holding(turn))
    }

    async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let _turn = turn(&self.turns).await?;
        let inner = self.inner.writer(path, mode).await?;
        Ok(Box::new(LimitedWriter { inner, turns: self.turns.clone() }))
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        let _turn = turn(&self.turns).await?;
        self.inner.stat(path).await
    }

    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        let _turn = turn(&self.turns).await?;
        self.inner.list(path).await
    }

    async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
        let _turn = turn(&self.turns).await?;
        self.inner.rename(from, to).await
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        let _turn = turn(&self.turns).await?;
        self.inner.delete(path).await
    }

    async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
        let _turn = turn(&self.turns).await?;
        self.inner.uploads(below).await
    }

    async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
        let _turn = turn(&self.turns).await?;
        self.inner.abort_upload(upload).await
    }

    async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
        let _turn = turn(&self.turns).await?;
        let native = self.inner.walk(path, options).await?;
        Ok(native.map(|inner| Box::new(LimitedWalk { inner, turns: self.turns.clone() }) as _))
    }

    async fn redirect_url(&self, request: &RedirectRequest, path: &StoragePath) -> Result<Option<Url>> {
        let _turn = turn(&self.turns).await?;
        self.inner.redirect_url(request, path).await
    }

    async fn examine(&self, scratch: &StoragePath) -> Result<Vec<Finding>> {
        let _turn = turn(&self.turns).await?;
        self.inner.examine(scratch).await
    }
}

struct LimitedWriter {
    inner: Box<dyn DriverWriter>,
    turns: Arc<Semaphore>,
}

#[async_trait]
impl DriverWriter for LimitedWriter {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        let _turn = turn(&self.turns).await?;
        self.inner.write(chunk).await
    }

    fn size(&self) -> u64 {
        self.inner.size()
    }

    async fn close(&mut self) -> Result<()> {
        let _turn = turn(&self.turns).await?;
        self.inner.close().await
    }

    async fn commit(&mut self) -> Result<()> {
        let _turn = turn(&self.turns).await?;
        self.inner.commit().await
    }

    async fn cancel(&mut self) -> Result<()> {
        let _turn = turn(&self.turns).await?;
        self.inner.cancel().await
    }
}

struct LimitedWalk {
    inner: Box<dyn DriverWalk>,
    turns: Arc<Semaphore>,
}

#[async_trait]
impl DriverWalk for LimitedWalk {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        let _turn = turn(&self.turns).await?;
        self.inner.next().await
    }

    fn at_hand(&mut self) -> Option<FileInfo> {
        // A step counts, also one that has not to wait; without a turn `next` waits for one.
        let _turn = self.turns.try_acquire().ok()?;
        self.inner.at_hand()
    }

    fn skip_dir(&mut self) {
        self.inner.skip_dir();
    }
}
