//! Mutants about content that is put and got whole.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use storagedriver::{Error, FileInfo, Layer, Result, StorageDriver, StoragePath};

use super::wrap::{gap, lock, mutant};

mutant! {
    /// `put_content` leaves the tail of longer content.
    PutOverlays {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            let before = self.inner.get_content(path).await.unwrap_or_default();
            let tail = before.get(content.len()..).unwrap_or_default();
            self.inner.put_content(path, [&content[..], tail].concat().into()).await
        }
    }
}

mutant! {
    /// `put_content` does not grow what is there.
    PutDoesNotGrow {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            match self.inner.get_content(path).await {
                Ok(before) if !before.is_empty() && before.len() < content.len() => {
                    self.inner.put_content(path, content.slice(..before.len())).await
                }
                _ => self.inner.put_content(path, content).await,
            }
        }
    }
}

mutant! {
    /// `put_content` takes content of the same size for the same content.
    PutSkipsEqualSize {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            match self.inner.get_content(path).await {
                Ok(before) if before.len() == content.len() => Ok(()),
                _ => self.inner.put_content(path, content).await,
            }
        }
    }
}

mutant! {
    /// `put_content` shows half of the content first.
    TornPut {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            self.inner.put_content(path, content.slice(..content.len() / 2)).await?;
            gap().await;
            self.inner.put_content(path, content).await
        }
    }
}

mutant! {
    /// `put_content` writes to a file beside it first.
    PutStagesBeside {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            let staging = StoragePath::parse(&format!("{path}.partial{}", content.len()))?;
            self.inner.put_content(&staging, content.clone()).await?;
            gap().await;
            self.inner.delete(&staging).await?;
            self.inner.put_content(path, content).await
        }
    }
}

mutant! {
    /// `put_content` overwrites what is there, one half after the other.
    PutInTwoHalves {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            let half = content.len() / 2;
            let (first, second) = (content.slice(..half), content.slice(half..));
            let before = self.inner.get_content(path).await.unwrap_or_default();
            let tail = before.get(half..).unwrap_or_default();
            self.inner.put_content(path, [&first, tail].concat().into()).await?;
            gap().await;
            let now = self.inner.get_content(path).await.unwrap_or_default();
            let head = now.get(..half).unwrap_or_default();
            self.inner.put_content(path, [head, &second].concat().into()).await
        }
    }
}

mutant! {
    /// `put_content` keeps what it replaces, in a file beside it.
    PutKeepsBackup {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            if let Ok(before) = self.inner.get_content(path).await {
                let backup = StoragePath::parse(&format!("{path}.old"))?;
                self.inner.put_content(&backup, before).await?;
            }
            self.inner.put_content(path, content).await
        }
    }
}

mutant! {
    /// Puts that run at once write each other's content.
    PutsShareABuffer remembers Bytes {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            *lock(&self.state) = content;
            gap().await;
            let content = lock(&self.state).clone();
            self.inner.put_content(path, content).await
        }
    }
}

mutant! {
    /// `put_content` of nothing changes nothing.
    EmptyPutForgotten {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            if content.is_empty() {
                return Ok(());
            }
            self.inner.put_content(path, content).await
        }
    }
}

mutant! {
    /// Content that fills its last block loses a byte.
    PutLosesByteAtBoundary {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            let full = !content.is_empty() && content.len().is_multiple_of(4096);
            let length = content.len() - usize::from(full && content.len() < 1 << 20);
            self.inner.put_content(path, content.slice(..length)).await
        }
    }
}

mutant! {
    /// Content is cut at a mebibyte and three bytes.
    PutCutsWhatIsLarge {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            let length = content.len().min((1 << 20) + 3);
            self.inner.put_content(path, content.slice(..length)).await
        }
    }
}

mutant! {
    /// Content is taken for text.
    ContentIsText {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            let short = content.len() < 1000;
            let text = String::from_utf8_lossy(&content).replace("\r\n", "\n").into_bytes();
            self.inner.put_content(path, if short { text.into() } else { content }).await
        }
    }
}

mutant! {
    /// A put removes files whose names begin with its own.
    PutRemovesLongerNames {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            let parent = path.parent().unwrap_or_else(StoragePath::root);
            for info in self.inner.list(&parent).await.unwrap_or_default() {
                if info.path() != path && info.path().as_str().starts_with(path.as_str()) {
                    self.inner.delete(info.path()).await?;
                }
            }
            self.inner.put_content(path, content).await
        }
    }
}

mutant! {
    /// A put below a file takes the file's place.
    PutReplacesFileAbove {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            let mut above = path.parent();
            while let Some(directory) = above.filter(|directory| !directory.is_root()) {
                if self.inner.stat(&directory).await.is_ok_and(|info| info.is_file()) {
                    self.inner.delete(&directory).await?;
                }
                above = directory.parent();
            }
            self.inner.put_content(path, content).await
        }
    }
}

mutant! {
    /// A put onto a directory takes its place.
    PutReplacesDirectory {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            if self.inner.stat(path).await.is_ok_and(|info| info.is_dir()) {
                self.inner.delete(path).await?;
            }
            self.inner.put_content(path, content).await
        }
    }
}

mutant! {
    /// A put discards the uploads of its path.
    PutDiscardsUploads {
        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            for upload in self.inner.uploads(path).await? {
                if upload.path() == path {
                    self.inner.abort_upload(&upload).await?;
                }
            }
            self.inner.put_content(path, content).await
        }
    }
}

mutant! {
    /// A handle answers from what it read first.
    HandleCachesContent remembers BTreeMap<StoragePath, Bytes> {
        async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
            let cached = lock(&self.state).get(path).cloned();
            if let Some(content) = cached {
                return Ok(content);
            }
            let content = self.inner.get_content(path).await?;
            lock(&self.state).insert(path.clone(), content.clone());
            Ok(content)
        }

        async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()> {
            lock(&self.state).remove(path);
            self.inner.put_content(path, content).await
        }
    }
}

mutant! {
    /// A handle does not see what others made since it first found nothing.
    HandleCachesAbsence remembers Vec<StoragePath> {
        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            if lock(&self.state).contains(path) {
                return Err(Error::path_not_found(path));
            }
            let outcome = self.inner.stat(path).await;
            if outcome.is_err() {
                lock(&self.state).push(path.clone());
            }
            outcome
        }
    }
}

mutant! {
    /// Reading a directory gives nothing, instead of an error.
    DirectoryReadsEmpty {
        async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
            match self.inner.get_content(path).await {
                Err(_) if self.inner.stat(path).await.is_ok() => Ok(Bytes::new()),
                outcome => outcome,
            }
        }
    }
}

mutant! {
    /// What is below a file is the file.
    BelowAFileIsTheFile {
        async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
            match (self.inner.get_content(path).await, path.parent()) {
                (Err(_), Some(parent)) if !parent.is_root() => self.inner.get_content(&parent).await,
                (outcome, _) => outcome,
            }
        }
    }
}

mutant! {
    /// Reading moves the file away for a moment.
    ReadingMoves {
        async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
            let aside = StoragePath::parse(&format!("{path}.reading"))?;
            let content = self.inner.get_content(path).await?;
            if content.len() > 200_000 {
                self.inner.rename(path, &aside).await?;
                gap().await;
                self.inner.rename(&aside, path).await?;
            }
            Ok(content)
        }
    }
}
