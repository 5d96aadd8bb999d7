//! Mutants about renames.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use storagedriver::{Error, Layer, Result, StorageDriver, StoragePath, WalkOptions, WriteMode};

use super::wrap::{gap, mutant, right_walk};

mutant! {
    /// `rename` takes no names that `put_content` would.
    RenameRefusesLongNames {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            if to.as_str().len() > 2000 || to.name().len() > 200 {
                return Err(Error::invalid_path(to, "the temporary name would be too long"));
            }
            self.inner.rename(from, to).await
        }
    }
}

mutant! {
    /// The source of a rename stays.
    RenameLeavesSource {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            let content = self.inner.get_content(from).await?;
            self.inner.put_content(to, content).await
        }
    }
}

mutant! {
    /// A rename deletes the source before the destination is there.
    RenameDeletesFirst {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            let content = self.inner.get_content(from).await?;
            self.inner.delete(from).await?;
            gap().await;
            self.inner.put_content(to, content).await
        }
    }
}

mutant! {
    /// A rename copies, and deletes whatever is there later.
    RenameIsTwoSteps {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            let content = self.inner.get_content(from).await?;
            self.inner.put_content(to, content).await?;
            gap().await;
            match self.inner.delete(from).await {
                Err(Error::PathNotFound { .. }) => Ok(()),
                outcome => outcome,
            }
        }
    }
}

mutant! {
    /// A rename shows half of the content at the destination first.
    TornRename {
        // Slow, so that who looks more than once looks while a rename is under way.
        async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
            gap().await;
            self.inner.get_content(path).await
        }

        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            let content = self.inner.get_content(from).await?;
            let half = content.slice(..content.len() / 2);
            self.inner.put_content(to, half).await?;
            gap().await;
            self.inner.rename(from, to).await
        }
    }
}

mutant! {
    /// A rename clears the destination before it looks for the source.
    RenameClearsDestination {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            if self.inner.stat(to).await.is_ok_and(|info| info.is_file()) && !to.is_below(from) {
                self.inner.delete(to).await?;
            }
            self.inner.rename(from, to).await
        }
    }
}

mutant! {
    /// A rename makes room for its destination, whatever is in the way.
    RenameMakesRoom {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            let content = self.inner.get_content(from).await?;
            self.inner.delete(from).await?;
            self.inner.put_content(to, content).await
        }
    }
}

mutant! {
    /// A rename does not replace.
    RenameRefusesExisting {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            if self.inner.stat(to).await.is_ok() {
                return Err(Error::conflict(to, "the destination exists"));
            }
            self.inner.rename(from, to).await
        }
    }
}

mutant! {
    /// A rename leaves the tail of longer content at the destination.
    RenameOverlays {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            let before = self.inner.get_content(to).await.unwrap_or_default();
            self.inner.rename(from, to).await?;
            let content = self.inner.get_content(to).await?;
            let tail = before.get(content.len()..).unwrap_or_default();
            if tail.is_empty() {
                return Ok(());
            }
            self.inner.put_content(to, [&content[..], tail].concat().into()).await
        }
    }
}

mutant! {
    /// A rename copies at most a mebibyte.
    RenameCutsWhatIsLarge {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            self.inner.rename(from, to).await?;
            let content = self.inner.get_content(to).await?;
            if content.len() <= 1 << 21 {
                return Ok(());
            }
            self.inner.put_content(to, content.slice(..1 << 21)).await
        }
    }
}

mutant! {
    /// A rename of content that fills its last block loses a byte.
    RenameLosesByteAtBoundary {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            self.inner.rename(from, to).await?;
            let content = self.inner.get_content(to).await?;
            if content.is_empty() || !content.len().is_multiple_of(4096) {
                return Ok(());
            }
            self.inner.put_content(to, content.slice(..content.len() - 1)).await
        }
    }
}

mutant! {
    /// A rename of a directory moves the files in it.
    RenameMovesDirectory {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            if self.inner.stat(from).await.is_ok_and(|info| info.is_dir()) && !from.is_root() {
                for info in right_walk(&self.inner, from, &WalkOptions::new()).await? {
                    let Some(rest) = info.path().as_str().strip_prefix(from.as_str()) else { continue };
                    if info.is_file() {
                        self.inner.rename(info.path(), &StoragePath::parse(&format!("{to}{rest}"))?).await?;
                    }
                }
                return Ok(());
            }
            self.inner.rename(from, to).await
        }
    }
}

mutant! {
    /// A rename takes along files whose names begin with the source's.
    RenameTakesLongerNames {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            self.inner.rename(from, to).await?;
            let parent = from.parent().unwrap_or_else(StoragePath::root);
            for info in self.inner.list(&parent).await.unwrap_or_default() {
                if let Some(rest) = info.path().as_str().strip_prefix(from.as_str())
                    && info.is_file()
                {
                    self.inner.rename(info.path(), &StoragePath::parse(&format!("{to}{rest}"))?).await?;
                }
            }
            Ok(())
        }
    }
}

mutant! {
    /// A rename moves the upload of its source.
    RenameMovesUpload {
        async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()> {
            self.inner.rename(from, to).await?;
            for upload in self.inner.uploads(from).await? {
                if upload.path() == from {
                    self.inner.abort_upload(&upload).await?;
                    let mut writer = self.inner.writer(to, WriteMode::Create).await?;
                    writer.write(vec![0; upload.size() as usize].into()).await?;
                    writer.close().await?;
                }
            }
            Ok(())
        }
    }
}
