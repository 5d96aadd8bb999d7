//! Drivers around drivers: a layer changes some methods and forwards the rest.

mod limit;
mod read_only;
mod subdirectory;

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;
use url::Url;

pub use limit::ConcurrencyLimit;
pub use read_only::ReadOnly;
pub use subdirectory::Subdirectory;

use crate::{
    Content, DriverWalk, DriverWriter, FileInfo, Finding, Guarantees, PathLimits, ReadOptions,
    RedirectRequest, Result, StorageDriver, StoragePath, UploadInfo, WalkOptions, WriteMode,
};

/// A driver that wraps another: [`inner`](Layer::inner), plus the methods it changes.
///
/// Every method forwards unless it is overridden, and everything that implements `Layer` is a
/// [`StorageDriver`]. So a method that the interface gains later neither bypasses a layer nor
/// breaks it. A layer whose `walk` should go through its own `list` overrides `walk` to return
/// `None`.
///
/// ```
/// use std::sync::Arc;
/// use storagedriver::{async_trait, bytes::Bytes, Layer, Result, StorageDriver, StoragePath};
///
/// /// Answers every `get_content` in capitals.
/// #[derive(Debug)]
/// struct Shout(Arc<dyn StorageDriver>);
///
/// #[async_trait]
/// impl Layer for Shout {
///     fn inner(&self) -> &dyn StorageDriver {
///         &*self.0
///     }
///
///     async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
///         Ok(self.0.get_content(path).await?.to_ascii_uppercase().into())
///     }
/// }
/// ```
#[allow(missing_docs)] // each method is documented in `StorageDriver`
#[async_trait]
pub trait Layer: Debug + Send + Sync + 'static {
    /// The driver that is wrapped.
    fn inner(&self) -> &dyn StorageDriver;

    fn name(&self) -> &str {
        self.inner().name()
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        self.inner().get_content(path).await
    }

    async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
        self.inner().put_content(path, content).await
    }

    async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
        self.inner().reader(path, options).await
    }

    async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        self.inner().writer(path, mode).await
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        self.inner().stat(path).await
    }

    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        self.inner().list(path).await
    }

    async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
        self.inner().rename(from, to).await
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        self.inner().delete(path).await
    }

    async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
        self.inner().uploads(below).await
    }

    async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
        self.inner().abort_upload(upload).await
    }

    async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
        self.inner().walk(path, options).await
    }

    async fn redirect_url(&self, request: &RedirectRequest, path: &StoragePath) -> Result<Option<Url>> {
        self.inner().redirect_url(request, path).await
    }

    fn backend_key(&self, path: &StoragePath) -> Option<String> {
        self.inner().backend_key(path)
    }

    async fn examine(&self, scratch: &StoragePath) -> Result<Vec<Finding>> {
        self.inner().examine(scratch).await
    }

    fn guarantees(&self) -> Guarantees {
        self.inner().guarantees()
    }

    fn limits(&self) -> PathLimits {
        self.inner().limits()
    }
}

// A method that `StorageDriver` gains is not forwarded until it stands here and in `Layer`.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<L: Layer> StorageDriver for L {
    fn name(&self) -> &str {
        Layer::name(self)
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        Layer::get_content(self, path).await
    }

    async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
        Layer::put_content(self, path, content).await
    }

    async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
        Layer::reader(self, path, options).await
    }

    async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        Layer::writer(self, path, mode).await
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        Layer::stat(self, path).await
    }

    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        Layer::list(self, path).await
    }

    async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
        Layer::rename(self, from, to).await
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        Layer::delete(self, path).await
    }

    async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
        Layer::uploads(self, below).await
    }

    async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
        Layer::abort_upload(self, upload).await
    }

    async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
        Layer::walk(self, path, options).await
    }

    async fn redirect_url(&self, request: &RedirectRequest, path: &StoragePath) -> Result<Option<Url>> {
        Layer::redirect_url(self, request, path).await
    }

    fn backend_key(&self, path: &StoragePath) -> Option<String> {
        Layer::backend_key(self, path)
    }

    async fn examine(&self, scratch: &StoragePath) -> Result<Vec<Finding>> {
        Layer::examine(self, scratch).await
    }

    fn guarantees(&self) -> Guarantees {
        Layer::guarantees(self)
    }

    fn limits(&self) -> PathLimits {
        Layer::limits(self)
    }
}
