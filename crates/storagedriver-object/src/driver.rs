//! The driver that the engine makes of a backend.

use std::sync::Arc;

use bytes::Bytes;
use storagedriver::url::Url;
use storagedriver::{
    Content, DriverWalk, DriverWriter, FileInfo, Finding, Guarantee, Guarantees, PathLimits, ReadOptions,
    RedirectRequest, Result, StorageDriver, StoragePath, UploadInfo, WalkOptions, WalkOrder, WriteMode,
    async_trait,
};

use crate::engine::{Engine, ObjectOptions};
use crate::walk::KeyWalk;
use crate::{ObjectStoreBackend, content, delete, examine, listing, rename, uploads};

/// A storage driver on a flat object store.
#[derive(Debug)]
pub struct ObjectDriver<B> {
    engine: Arc<Engine<B>>,
}

impl<B: ObjectStoreBackend> ObjectDriver<B> {
    /// A driver on this store. Makes no request.
    pub fn new(backend: B, options: ObjectOptions) -> Self {
        ObjectDriver { engine: Arc::new(Engine::new(backend, options)) }
    }

    /// The store below.
    pub fn backend(&self) -> &B {
        &self.engine.backend
    }
}

#[async_trait]
impl<B: ObjectStoreBackend> StorageDriver for ObjectDriver<B> {
    fn name(&self) -> &str {
        self.engine.backend.name()
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        content::get(&self.engine, path).await
    }

    async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
        content::put(&self.engine, path, content).await
    }

    async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
        content::read(&self.engine, path, options).await
    }

    async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        Ok(match mode {
            WriteMode::Append => Box::new(uploads::append(&self.engine, path).await?),
            _ => Box::new(uploads::create(&self.engine, path).await?),
        })
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        listing::stat(&self.engine, path).await
    }

    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        listing::list(&self.engine, path).await
    }

    async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
        rename::rename(&self.engine, from, to).await
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        delete::delete(&self.engine, path).await
    }

    async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
        uploads::uploads(&self.engine, below).await
    }

    async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
        uploads::abort(&self.engine, upload).await
    }

    async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
        let description = self.engine.description();
        if options.order != WalkOrder::Key || !description.byte_order || !description.start_after {
            return Ok(None);
        }
        Ok(Some(Box::new(KeyWalk::new(&self.engine, path, options))))
    }

    async fn redirect_url(&self, request: &RedirectRequest, path: &StoragePath) -> Result<Option<Url>> {
        let url = self.engine.backend.presign(&self.engine.keys.file(path), request).await;
        url.map_err(|error| error.at(path))
    }

    fn backend_key(&self, path: &StoragePath) -> Option<String> {
        Some(self.engine.keys.file(path))
    }

    async fn examine(&self, scratch: &StoragePath) -> Result<Vec<Finding>> {
        examine::examine(&self.engine, scratch).await
    }

    fn guarantees(&self) -> Guarantees {
        let description = self.engine.description();
        let mut guarantees = description.guarantees;
        if !description.rename {
            guarantees = guarantees.without(Guarantee::AtomicRename);
        }
        if !description.marks && !self.engine.stages() {
            // A commit that was cut short is not told from one that was not done.
            guarantees = guarantees.without(Guarantee::IndependentUploads);
        }
        if !description.conditional_put {
            guarantees = guarantees.without(Guarantee::FencedUploads);
        }
        if description.multipart && !description.stray_parts {
            guarantees = guarantees.without(Guarantee::ShorterResume);
        }
        guarantees
    }

    fn limits(&self) -> PathLimits {
        let description = self.engine.description();
        self.engine.keys.limits(description.key_limit, description.name_limit)
    }
}
