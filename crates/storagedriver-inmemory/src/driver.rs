//! The driver.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use futures_util::stream;
use storagedriver::bytes::Bytes;
use storagedriver::{
    Content, DriverWalk, DriverWriter, Error, FileInfo, Guarantee, Guarantees, ReadOptions, Result,
    StorageDriver, StoragePath, UploadInfo, WalkOptions, WriteMode, async_trait,
};

use crate::files::Files;
use crate::rope::{Rope, RopeBuilder};
use crate::uploads::Uploads;
use crate::walk::TreeWalk;
use crate::writer::{Resumed, Writer};

/// Registry storage in the memory of the process. Cloning shares the store.
#[derive(Clone, Default)]
pub struct InMemory {
    store: Arc<Store>,
}

#[derive(Default)]
struct Store {
    files: Files,
    /// Whoever needs both takes this lock first.
    uploads: RwLock<Uploads>,
}

impl InMemory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn files(&self) -> &Files {
        &self.store.files
    }

    // Every change is complete before anything can panic, so a poisoned lock guards whole uploads.
    fn read_uploads(&self) -> RwLockReadGuard<'_, Uploads> {
        self.store.uploads.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write_uploads(&self) -> RwLockWriteGuard<'_, Uploads> {
        self.store.uploads.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn create(&self, path: &StoragePath) -> Writer {
        // Uploads at the path are rare, and others need not wait for a look.
        if self.read_uploads().any_at(path) {
            self.write_uploads().remove_at(path);
        }
        Writer::new(self.clone(), path.clone(), RopeBuilder::default(), None, None)
    }

    fn resume(&self, path: &StoragePath) -> Result<Writer> {
        let mut uploads = self.write_uploads();
        if let Some((key, upload)) = uploads.newest(path) {
            let (content, base) = (upload.content.clone(), upload.base.clone());
            let resumed = Resumed { key: key.clone(), generation: upload.generation };
            if let Some(upload) = uploads.0.get_mut(&key) {
                upload.resumed += 1;
            }
            drop(uploads);
            let content = RopeBuilder::after(&content);
            return Ok(Writer::new(self.clone(), path.clone(), content, base, Some(resumed)));
        }
        let (content, version) =
            self.files().file(path, |file| (file.content.clone(), file.version.clone()))?;
        drop(uploads);
        Ok(Writer::new(self.clone(), path.clone(), RopeBuilder::after(&content), Some(version), None))
    }
}

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemory")
            .field("directories", &self.files().directories())
            .field("uploads", &self.read_uploads().0.len())
            .finish()
    }
}

#[async_trait]
impl StorageDriver for InMemory {
    fn name(&self) -> &str {
        "inmemory"
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        Ok(self.files().file(path, |file| file.content.clone())?.into_bytes())
    }

    async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
        self.files().publish(path, Rope::from(content), None)
    }

    async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
        let (content, version) =
            self.files().file(path, |file| (file.content.clone(), file.version.clone()))?;
        if options.version.as_ref().is_some_and(|wanted| *wanted != version) {
            return Err(Error::conflict(
                path,
                "the content was replaced: it no longer has the version asked for",
            ));
        }
        let size = content.size();
        let Some(range) = options.range(size) else {
            return Err(Error::invalid_offset(path, options.offset, Some(size)));
        };
        let chunks = content.into_range(range).map(Ok);
        Ok(Content::new(size, stream::iter(chunks)).with_version(version))
    }

    async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let writer = match mode {
            WriteMode::Append => self.resume(path)?,
            _ => self.create(path),
        };
        Ok(Box::new(writer))
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        self.files().stat(path)
    }

    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        self.files().list(path)
    }

    async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
        self.files().rename(from, to)
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        let uploads = self.read_uploads();
        let removed = if uploads.within(path).is_empty() {
            // Nobody closes an upload here meanwhile: that takes the lock.
            self.files().remove(path)
        } else {
            drop(uploads);
            let mut uploads = self.write_uploads();
            let keys = uploads.within(path);
            for key in &keys {
                uploads.0.remove(key);
            }
            self.files().remove(path) || !keys.is_empty()
        };
        if removed { Ok(()) } else { Err(Error::path_not_found(path)) }
    }

    async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
        let uploads = self.read_uploads();
        let keys = uploads.within(below);
        Ok(keys.iter().filter_map(|key| uploads.0.get(key).map(|upload| upload.info(key))).collect())
    }

    async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
        let mut uploads = self.write_uploads();
        let number = upload.id().split('.').next().and_then(|number| number.parse().ok());
        let Some(key) = number.map(|number| (upload.path().clone(), number)) else {
            return Ok(());
        };
        let Some(found) = uploads.0.get(&key) else {
            return Ok(());
        };
        if found.resumed > 0 || found.info(&key).id() != upload.id() {
            return Err(Error::conflict(upload.path(), "the upload has moved on since it was listed"));
        }
        uploads.0.remove(&key);
        Ok(())
    }

    async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
        Ok(Some(Box::new(TreeWalk::start(self.clone(), path, options.clone())?)))
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::FULL.without(Guarantee::Durable).without(Guarantee::Shared)
    }
}
