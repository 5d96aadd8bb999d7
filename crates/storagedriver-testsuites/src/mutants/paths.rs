//! Mutants about paths, and what a path is.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use storagedriver::{
    Content, EntryKind, Error, FileInfo, Layer, ReadOptions, Result, StorageDriver, StoragePath,
};

use super::wrap::{lock, mutant};

mutant! {
    /// Names differ in case only: they are the same.
    CaseFolded {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            self.inner.put_content(&StoragePath::parse(&path.as_str().to_ascii_lowercase())?, content).await
        }

        async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
            self.inner.get_content(&StoragePath::parse(&path.as_str().to_ascii_lowercase())?).await
        }

        async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
            self.inner.reader(&StoragePath::parse(&path.as_str().to_ascii_lowercase())?, options).await
        }

        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            self.inner.stat(&StoragePath::parse(&path.as_str().to_ascii_lowercase())?).await
        }
    }
}

mutant! {
    /// Names that begin with a dot are refused.
    DotNamesRefused {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            if path.components().any(|name| name.starts_with('.')) {
                return Err(Error::invalid_path(path, "a name begins with a dot"));
            }
            self.inner.put_content(path, content).await
        }
    }
}

mutant! {
    /// Names that begin with a dot are not listed.
    DotNamesHidden {
        async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
            let mut children = self.inner.list(path).await?;
            children.retain(|info| !info.path().name().starts_with('.'));
            Ok(children)
        }
    }
}

mutant! {
    /// Paths of more than 40 components fail.
    DeepPathsFail {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            if path.components().count() > 40 {
                return Err(Error::backend(path, "too many directories"));
            }
            self.inner.put_content(path, content).await
        }
    }
}

mutant! {
    /// The beginning of a name is a directory.
    PrefixIsADirectory {
        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            match self.inner.stat(path).await {
                Err(Error::PathNotFound { .. }) => {
                    let parent = path.parent().unwrap_or_else(StoragePath::root);
                    let siblings = self.inner.list(&parent).await.unwrap_or_default();
                    let begins = |info: &FileInfo| info.path().as_str().starts_with(path.as_str());
                    if siblings.iter().any(begins) {
                        return Ok(FileInfo::directory(path.clone()));
                    }
                    Err(Error::path_not_found(path))
                }
                outcome => outcome,
            }
        }
    }
}

mutant! {
    /// Directories stay when nothing is below them any more.
    EmptyDirectoryLeft remembers BTreeSet<StoragePath> {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            self.inner.put_content(path, content).await?;
            let mut above = path.parent();
            while let Some(directory) = above.filter(|directory| !directory.is_root()) {
                above = directory.parent();
                lock(&self.state).insert(directory);
            }
            Ok(())
        }

        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            match self.inner.stat(path).await {
                Err(Error::PathNotFound { .. }) if lock(&self.state).contains(path) => {
                    Ok(FileInfo::directory(path.clone()))
                }
                outcome => outcome,
            }
        }

        async fn delete(&self, path: &StoragePath) -> Result<()> {
            self.inner.delete(path).await?;
            lock(&self.state).retain(|directory| !directory.is_within(path));
            Ok(())
        }
    }
}

mutant! {
    /// The root is absent as long as nothing is in it.
    EmptyRootAbsent {
        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            if path.is_root() && self.inner.list(path).await?.is_empty() {
                return Err(Error::path_not_found(path));
            }
            self.inner.stat(path).await
        }

        async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
            let children = self.inner.list(path).await?;
            if path.is_root() && children.is_empty() {
                return Err(Error::path_not_found(path));
            }
            Ok(children)
        }
    }
}

mutant! {
    /// `stat` of the root fails.
    RootNeedsAName {
        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            if path.is_root() {
                return Err(Error::backend(path, "an object needs a name"));
            }
            self.inner.stat(path).await
        }
    }
}

mutant! {
    /// `stat` does not tell when.
    StatWithoutTime {
        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            let info = self.inner.stat(path).await?;
            Ok(match info.kind() {
                EntryKind::Directory => info,
                _ => FileInfo::file(path.clone()).with_size(info.size().unwrap_or_default()),
            })
        }
    }
}

mutant! {
    /// `stat` tells a size that is rounded up to blocks.
    StatCountsBlocks {
        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            let info = self.inner.stat(path).await?;
            let size = info.size().unwrap_or_default().next_multiple_of(512);
            Ok(info.with_size(size))
        }
    }
}

mutant! {
    /// `stat` tells of an upload as of a file.
    StatSeesUploads {
        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            match self.inner.stat(path).await {
                Err(Error::PathNotFound { .. }) => {
                    let uploads = self.inner.uploads(path).await?;
                    let own = uploads.iter().find(|upload| upload.path() == path);
                    let own = own.ok_or_else(|| Error::path_not_found(path))?;
                    Ok(FileInfo::file(path.clone()).with_size(own.size()).with_modified(own.modified()))
                }
                outcome => outcome,
            }
        }
    }
}

mutant! {
    /// An upload implies the directories above it.
    UploadsImplyDirectories {
        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            match self.inner.stat(path).await {
                Err(Error::PathNotFound { .. }) => {
                    let uploads = self.inner.uploads(path).await?;
                    if uploads.iter().any(|upload| upload.path().is_below(path)) {
                        return Ok(FileInfo::directory(path.clone()));
                    }
                    Err(Error::path_not_found(path))
                }
                outcome => outcome,
            }
        }
    }
}
