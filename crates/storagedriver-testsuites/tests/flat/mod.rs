//! A flat store and its driver, as small as they can be and still keep the contract.

mod server;
mod writer;

use std::sync::Arc;

use server::File;
pub(crate) use server::Server;
use storagedriver::bytes::Bytes;
use storagedriver::{
    Content, DriverWriter, EntryKind, Error, FileInfo, Guarantee, Guarantees, ReadOptions, Result,
    StorageDriver, StoragePath, UploadInfo, Version, WriteMode, async_trait,
};
use writer::Writer;

/// A driver of the server.
#[derive(Debug)]
pub(crate) struct Flat {
    server: Arc<Server>,
}

/// A request on its way, or its reply: here a future can be dropped.
async fn on_the_way() {
    tokio::task::yield_now().await;
}

impl Flat {
    pub(crate) fn new(server: Arc<Server>) -> Self {
        Flat { server }
    }

    async fn file(&self, path: &StoragePath) -> Result<File> {
        on_the_way().await;
        let found = self.server.lock().files.get(path).cloned();
        on_the_way().await;
        found.ok_or_else(|| Error::path_not_found(path))
    }
}

fn info(path: &StoragePath, file: &File) -> FileInfo {
    FileInfo::file(path.clone())
        .with_size(file.content.len() as u64)
        .with_modified(file.modified)
        .with_version(Version::new(file.version.to_string()))
}

#[async_trait]
impl StorageDriver for Flat {
    fn name(&self) -> &str {
        "flat"
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        Ok(self.file(path).await?.content)
    }

    async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
        on_the_way().await;
        self.server.put(path, content);
        on_the_way().await;
        Ok(())
    }

    async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
        let file = self.file(path).await?;
        let version = Version::new(file.version.to_string());
        if options.version.as_ref().is_some_and(|wanted| *wanted != version) {
            return Err(Error::conflict(path, "another version is there"));
        }
        let size = file.content.len() as u64;
        let Some(range) = options.range(size) else {
            return Err(Error::invalid_offset(path, options.offset, Some(size)));
        };
        let part = file.content.slice(range.start as usize..range.end as usize);
        Ok(Content::from_bytes(size, part).with_version(version))
    }

    async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        on_the_way().await;
        let writer = match mode {
            WriteMode::Append => Writer::append(self.server.clone(), path)?,
            _ => Writer::create(self.server.clone(), path),
        };
        on_the_way().await;
        Ok(Box::new(writer))
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        on_the_way().await;
        let (file, directory) = {
            let state = self.server.lock();
            (
                state.files.get(path).cloned(),
                path.is_root() || state.files.keys().any(|file| file.is_below(path)),
            )
        };
        on_the_way().await;
        match (file, directory) {
            (Some(file), true) => Ok(info(path, &file).with_kind(EntryKind::FileAndDirectory)),
            (Some(file), false) => Ok(info(path, &file)),
            (None, true) => Ok(FileInfo::directory(path.clone())),
            (None, false) => Err(Error::path_not_found(path)),
        }
    }

    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        on_the_way().await;
        let mut children: Vec<FileInfo> = Vec::new();
        for file in self.server.lock().files.keys().filter(|file| file.is_below(path)) {
            let name = file.components().nth(path.components().count()).unwrap();
            let child = path.child(name).unwrap();
            let kind = if *file == child { EntryKind::File } else { EntryKind::Directory };
            match children.iter_mut().find(|known| *known.path() == child) {
                Some(known) if known.kind() != kind => {
                    *known = known.clone().with_kind(EntryKind::FileAndDirectory);
                }
                Some(_) => {}
                // Without size and time: a walk has to ask.
                None => children.push(FileInfo::file(child).with_kind(kind)),
            }
        }
        on_the_way().await;
        if children.is_empty() && !path.is_root() {
            return Err(Error::path_not_found(path));
        }
        children.sort_by(|one, other| one.path().cmp(other.path()));
        Ok(children)
    }

    async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
        let source = self.file(from).await?;
        self.server.put(to, source.content);
        on_the_way().await;
        // Only what was copied.
        self.server.remove(from, Some(source.version));
        on_the_way().await;
        Ok(())
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        on_the_way().await;
        let (files, uploads) = {
            let state = self.server.lock();
            let files: Vec<StoragePath> =
                state.files.keys().filter(|file| file.is_within(path)).cloned().collect();
            let uploads: Vec<u64> = state
                .uploads
                .iter()
                .filter(|(_, upload)| upload.path.is_within(path))
                .map(|(id, _)| *id)
                .collect();
            (files, uploads)
        };
        if files.is_empty() && uploads.is_empty() {
            return Err(Error::path_not_found(path));
        }
        for file in files {
            on_the_way().await;
            self.server.remove(&file, None);
        }
        for upload in uploads {
            on_the_way().await;
            self.server.lock().uploads.remove(&upload);
        }
        Ok(())
    }

    async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>> {
        on_the_way().await;
        let mut found: Vec<UploadInfo> = {
            let state = self.server.lock();
            let within = state.uploads.iter().filter(|(_, upload)| upload.path.is_within(below));
            within
                .map(|(id, upload)| {
                    let size = upload.content.len() as u64;
                    let id = format!("{id}.{}", upload.closed);
                    UploadInfo::new(upload.path.clone(), size, upload.modified, id)
                })
                .collect()
        };
        found.sort_by(|one, other| one.path().cmp(other.path()));
        Ok(found)
    }

    async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
        on_the_way().await;
        let (id, closed) = upload.id().split_once('.').unwrap();
        let (id, closed): (u64, u64) = (id.parse().unwrap(), closed.parse().unwrap());
        let mut state = self.server.lock();
        match state.uploads.get(&id) {
            Some(found) if found.closed != closed => {
                Err(Error::conflict(upload.path(), "the upload moved on"))
            }
            _ => {
                state.uploads.remove(&id);
                Ok(())
            }
        }
    }

    fn guarantees(&self) -> Guarantees {
        let guarantees = Guarantees::FULL.without(Guarantee::AtomicRename).without(Guarantee::Durable);
        if self.server.ends_uploads { guarantees.without(Guarantee::IndependentUploads) } else { guarantees }
    }
}
