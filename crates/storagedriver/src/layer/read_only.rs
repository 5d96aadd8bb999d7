//! A store that can only be read.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{DriverWriter, Error, Finding, Layer, Result, StorageDriver, StoragePath, UploadInfo, WriteMode};

/// Refuses everything that would change the store, with
/// [`PermissionDenied`](Error::PermissionDenied), before any I/O.
#[derive(Debug)]
pub struct ReadOnly(Arc<dyn StorageDriver>);

impl ReadOnly {
    /// The driver `inner`, for reading only.
    pub fn new(inner: Arc<dyn StorageDriver>) -> Self {
        ReadOnly(inner)
    }
}

fn refused<T>(path: &StoragePath) -> Result<T> {
    Err(Error::permission_denied(path, "this storage was opened read-only"))
}

#[async_trait]
impl Layer for ReadOnly {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.0
    }

    async fn put_content(&self, path: &StoragePath, _content: Bytes) -> Result<()> {
        refused(path)
    }

    async fn writer(&self, path: &StoragePath, _mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        refused(path)
    }

    async fn rename(&self, from: &StoragePath, _to: &StoragePath) -> Result<()> {
        refused(from)
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        refused(path)
    }

    async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
        refused(upload.path())
    }

    async fn examine(&self, scratch: &StoragePath) -> Result<Vec<Finding>> {
        refused(scratch)
    }
}
