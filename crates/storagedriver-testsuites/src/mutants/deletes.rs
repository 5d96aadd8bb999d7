//! Mutants about deletes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use storagedriver::{EntryKind, Error, Layer, Result, StorageDriver, StoragePath, WalkOptions};

use super::wrap::{gap, lock, mutant, right_walk};

/// Whether nothing but `path` is in the directory above it.
async fn is_alone(inner: &Arc<dyn StorageDriver>, path: &StoragePath) -> Option<StoragePath> {
    let parent = path.parent().filter(|parent| !parent.is_root())?;
    let children = inner.list(&parent).await.ok()?;
    children.iter().all(|info| info.path() == path).then_some(parent)
}

/// Removes the directory that was seen to become empty, with what has come into it since.
async fn prune_late(inner: &Arc<dyn StorageDriver>, directory: Option<StoragePath>) -> Result<()> {
    let Some(directory) = directory else { return Ok(()) };
    gap().await;
    match inner.delete(&directory).await {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}

mutant! {
    /// A delete removes the directory that it empties, with what has come into it since.
    DeletePrunesLate {
        // Slow, so that a delete that was begun before has seen the directory without it.
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            self.inner.put_content(path, content).await
        }

        async fn delete(&self, path: &StoragePath) -> Result<()> {
            let emptied = is_alone(&self.inner, path).await;
            self.inner.delete(path).await?;
            prune_late(&self.inner, emptied).await
        }
    }
}

mutant! {
    /// A delete takes along what is beside it, if the name begins the same.
    DeleteTakesLongerNames {
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            self.inner.delete(path).await?;
            let parent = path.parent().unwrap_or_else(StoragePath::root);
            for info in self.inner.list(&parent).await.unwrap_or_default() {
                if info.path().as_str().starts_with(path.as_str()) {
                    self.inner.delete(info.path()).await?;
                }
            }
            for upload in self.inner.uploads(&parent).await? {
                if upload.path().as_str().starts_with(path.as_str()) {
                    self.inner.abort_upload(&upload).await?;
                }
            }
            Ok(())
        }
    }
}

mutant! {
    /// A delete of nothing succeeds.
    DeleteOfNothingSucceeds {
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            match self.inner.delete(path).await {
                Err(Error::PathNotFound { .. }) => Ok(()),
                outcome => outcome,
            }
        }
    }
}

mutant! {
    /// A delete removes the files of a directory, and not what is in directories below.
    DeleteIsShallow {
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            if !self.inner.stat(path).await.is_ok_and(|info| info.kind() == EntryKind::Directory) {
                return self.inner.delete(path).await;
            }
            for upload in self.inner.uploads(path).await? {
                self.inner.abort_upload(&upload).await?;
            }
            let children = self.inner.list(path).await?;
            for info in children.iter().filter(|info| info.is_file()) {
                self.inner.delete(info.path()).await?;
            }
            Ok(())
        }
    }
}

mutant! {
    /// Only a file can be deleted.
    DeleteRefusesDirectories {
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            if self.inner.stat(path).await.is_ok_and(|info| !info.is_file()) {
                return Err(Error::conflict(path, "the directory is not empty"));
            }
            self.inner.delete(path).await
        }
    }
}

mutant! {
    /// Large files stay when they are deleted.
    DeleteLeavesLargeFiles {
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            if self.inner.stat(path).await.is_ok_and(|info| info.size() == Some(100_000)) {
                return Ok(());
            }
            self.inner.delete(path).await
        }
    }
}

mutant! {
    /// What was a file once can never be a directory.
    DeletedNamesAreKept remembers BTreeSet<StoragePath> {
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            let file = self.inner.stat(path).await.is_ok_and(|info| info.is_file());
            self.inner.delete(path).await?;
            if file {
                lock(&self.state).insert(path.clone());
            }
            Ok(())
        }

        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            if path.parent().is_some_and(|parent| lock(&self.state).contains(&parent)) {
                return Err(Error::conflict(path, "there is a file above"));
            }
            self.inner.put_content(path, content).await
        }
    }
}

mutant! {
    /// A delete that was interrupted cannot be run again.
    DeleteIsMarkedFirst remembers Vec<StoragePath> {
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            if lock(&self.state).contains(path) {
                return Err(Error::conflict(path, "the path is being deleted"));
            }
            lock(&self.state).push(path.clone());
            gap().await;
            let outcome = self.inner.delete(path).await;
            lock(&self.state).retain(|marked| marked != path);
            outcome
        }
    }
}

mutant! {
    /// A delete leaves uploads.
    DeleteLeavesUploads {
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            for info in right_walk(&self.inner, path, &WalkOptions::new()).await.unwrap_or_default() {
                if info.is_file() {
                    let aside = StoragePath::parse("/deleted.file")?;
                    self.inner.rename(info.path(), &aside).await?;
                    self.inner.delete(&aside).await?;
                }
            }
            match self.inner.stat(path).await {
                Ok(_) => {
                    let aside = StoragePath::parse("/deleted.file")?;
                    self.inner.rename(path, &aside).await?;
                    self.inner.delete(&aside).await
                }
                Err(_) => Ok(()),
            }
        }
    }
}

mutant! {
    /// A delete does not find a path with nothing but an upload.
    DeleteMissesLoneUploads {
        async fn delete(&self, path: &StoragePath) -> Result<()> {
            self.inner.stat(path).await?;
            self.inner.delete(path).await
        }
    }
}
