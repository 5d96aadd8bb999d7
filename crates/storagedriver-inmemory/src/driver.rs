//! The driver.

use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use futures_util::stream;
use storagedriver::bytes::Bytes;
use storagedriver::{
    Content, DriverWalk, DriverWriter, Error, FileInfo, Guarantee, Guarantees, ReadOptions, Result,
    StorageDriver, StoragePath, UploadInfo, WalkOptions, WalkOrder, WriteMode, async_trait,
};

use crate::rope::{Rope, RopeBuilder};
use crate::state::{File, State, prefix_of, version};
use crate::walk::KeyWalk;
use crate::writer::{Resumed, Writer};

/// Registry storage in the memory of the process. Cloning shares the store.
#[derive(Clone, Default)]
pub struct InMemory {
    state: Arc<RwLock<State>>,
}

impl InMemory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    // Every change is complete before anything can panic, so a poisoned lock guards a whole state.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, path: &StoragePath) -> Result<File> {
        self.read().files.get(path).cloned().ok_or_else(|| Error::path_not_found(path))
    }

    fn resume(&self, path: &StoragePath) -> Result<Writer> {
        let mut state = self.write();
        if let Some((key, upload)) = state.newest_upload(path) {
            let (content, base) = (upload.content.clone(), upload.base);
            let resumed = Resumed { key: key.clone(), generation: upload.generation };
            if let Some(upload) = state.uploads.get_mut(&key) {
                upload.resumed += 1;
            }
            drop(state);
            return Ok(Writer::new(
                self.clone(),
                path.clone(),
                RopeBuilder::after(&content),
                base,
                Some(resumed),
            ));
        }
        let Some(File { content, version, .. }) = state.files.get(path).cloned() else {
            return Err(Error::path_not_found(path));
        };
        drop(state);
        Ok(Writer::new(self.clone(), path.clone(), RopeBuilder::after(&content), Some(version), None))
    }
}

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.read();
        f.debug_struct("InMemory")
            .field("files", &state.files.len())
            .field("uploads", &state.uploads.len())
            .finish()
    }
}

#[async_trait]
impl StorageDriver for InMemory {
    fn name(&self) -> &str {
        "inmemory"
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        Ok(self.file(path)?.content.bytes())
    }

    async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
        self.write().publish(path, Rope::from(content))
    }

    async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
        let file = self.file(path)?;
        let held = version(file.version);
        if options.version.as_ref().is_some_and(|wanted| *wanted != held) {
            return Err(Error::conflict(
                path,
                "the content was replaced: it no longer has the version asked for",
            ));
        }
        let size = file.content.size();
        let Some(range) = options.range(size) else {
            return Err(Error::invalid_offset(path, options.offset, Some(size)));
        };
        let chunks = file.content.range(range).map(Ok);
        Ok(Content::new(size, stream::iter(chunks)).with_version(held))
    }

    async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        let writer = match mode {
            WriteMode::Append => self.resume(path)?,
            _ => {
                let mut state = self.write();
                state.uploads.retain(|(at, _), _| at != path);
                Writer::new(self.clone(), path.clone(), RopeBuilder::default(), None, None)
            }
        };
        Ok(Box::new(writer))
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        let state = self.read();
        match state.files.get(path) {
            Some(file) => Ok(file.info(path)),
            None if state.is_directory(path) => Ok(FileInfo::directory(path.clone())),
            None => Err(Error::path_not_found(path)),
        }
    }

    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        let children = self.read().children(path);
        if children.is_empty() && !path.is_root() {
            return Err(Error::path_not_found(path));
        }
        Ok(children)
    }

    async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
        let mut state = self.write();
        if !state.files.contains_key(from) {
            return Err(Error::path_not_found(from));
        }
        state.check_place(to)?;
        if let Some(file) = state.files.remove(from) {
            let version = state.next_number();
            state.files.insert(to.clone(), File { version, ..file });
        }
        Ok(())
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        let mut state = self.write();
        let prefix = prefix_of(path);
        let mut doomed: Vec<StoragePath> = state
            .files
            .range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded))
            .map(|(below, _)| below)
            .take_while(|below| below.as_str().starts_with(&prefix))
            .cloned()
            .collect();
        doomed.extend(state.files.contains_key(path).then(|| path.clone()));
        let uploads = state.uploads_within(path);
        if doomed.is_empty() && uploads.is_empty() {
            return Err(Error::path_not_found(path));
        }
        for file in doomed {
            state.files.remove(&file);
        }
        for upload in uploads {
            state.uploads.remove(&upload);
        }
        Ok(())
    }

    async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
        let state = self.read();
        let keys = state.uploads_within(below);
        Ok(keys.iter().filter_map(|key| state.uploads.get(key).map(|upload| upload.info(key))).collect())
    }

    async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
        let mut state = self.write();
        let number = upload.id().split('.').next().and_then(|number| number.parse().ok());
        let Some(key) = number.map(|number| (upload.path().clone(), number)) else {
            return Ok(());
        };
        let Some(found) = state.uploads.get(&key) else {
            return Ok(());
        };
        if found.resumed > 0 || found.info(&key).id() != upload.id() {
            return Err(Error::conflict(upload.path(), "the upload has moved on since it was listed"));
        }
        state.uploads.remove(&key);
        Ok(())
    }

    async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
        if options.order != WalkOrder::Key {
            return Ok(None);
        }
        if !self.read().is_directory(path) {
            return Err(Error::path_not_found(path));
        }
        Ok(Some(Box::new(KeyWalk::new(self.clone(), path, options.clone()))))
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::FULL.without(Guarantee::Durable).without(Guarantee::Shared)
    }
}
