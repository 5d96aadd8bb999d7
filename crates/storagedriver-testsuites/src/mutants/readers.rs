//! Mutants about readers.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use storagedriver::{
    Content, Error, FileInfo, Layer, ReadOptions, Result, StorageDriver, StoragePath, Version,
};

use super::wrap::{gap, lock, mutant};

mutant! {
    /// Every version is called the same.
    OneVersion {
        async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
            Ok(self.inner.stat(path).await?.with_version(Version::new("1")))
        }

        async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
            let mut any = options.clone();
            any.version = None;
            Ok(self.inner.reader(path, &any).await?.with_version(Version::new("1")))
        }
    }
}

mutant! {
    /// `reader` gives whatever version is there.
    ReaderIgnoresVersion {
        async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
            let mut any = options.clone();
            any.version = None;
            self.inner.reader(path, &any).await
        }
    }
}

mutant! {
    /// An offset past the end gives nothing, instead of an error.
    PastTheEndIsEmpty {
        async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
            match self.inner.reader(path, options).await {
                Err(Error::InvalidOffset { size, .. }) => {
                    Ok(Content::from_bytes(size.unwrap_or_default(), Bytes::new()))
                }
                outcome => outcome,
            }
        }
    }
}

mutant! {
    /// An offset at the end is an error.
    TheEndIsPastTheEnd {
        async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
            let content = self.inner.reader(path, options).await?;
            if options.offset == content.size() && options.offset > 0 {
                return Err(Error::invalid_offset(path, options.offset, Some(content.size())));
            }
            Ok(content)
        }
    }
}

mutant! {
    /// `reader` reads to the end, whatever length was asked for.
    LengthIgnored {
        async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
            let mut all = options.clone();
            all.length = None;
            self.inner.reader(path, &all).await
        }
    }
}

mutant! {
    /// An offset at a boundary reads from a byte before.
    OffsetIsOneOff {
        async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
            let content = self.inner.reader(path, options).await?;
            if options.offset >= 4096 && options.offset.is_multiple_of(4096) && options.offset < content.size() {
                let mut before = options.clone();
                before.offset -= 1;
                return self.inner.reader(path, &before).await;
            }
            Ok(content)
        }
    }
}

mutant! {
    /// A reader of a part tells the size of the part.
    SizeOfThePart {
        async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
            let content = self.inner.reader(path, options).await?;
            let part = content.bytes().await?;
            Ok(Content::from_bytes(part.len() as u64, part))
        }
    }
}

mutant! {
    /// A stream that fills its last chunk loses a byte.
    StreamLosesLastByte {
        async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
            let content = self.inner.reader(path, options).await?;
            let size = content.size();
            let mut bytes = content.bytes().await?;
            if bytes.len() as u64 == size && size.is_multiple_of(4096) {
                bytes.truncate(bytes.len().saturating_sub(1));
            }
            Ok(Content::from_bytes(size, bytes))
        }
    }
}

mutant! {
    /// What is absent reads as nothing.
    AbsentReadsEmpty {
        async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
            match self.inner.reader(path, options).await {
                Err(Error::PathNotFound { .. }) => Ok(Content::from_bytes(0, Bytes::new())),
                outcome => outcome,
            }
        }
    }
}

/// A part of the content that is at the path now.
async fn piece(inner: &Arc<dyn StorageDriver>, path: &StoragePath, at: u64, most: u64) -> Result<Bytes> {
    inner.reader(path, &ReadOptions::from_offset(at).with_length(most)).await?.bytes().await
}

const PIECE: u64 = 64 << 10;

mutant! {
    /// A reader takes each piece from the version that is there at the time.
    ReaderSplices {
        async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
            let opened = self.inner.reader(path, options).await?;
            let range = options.range(opened.size()).unwrap_or_default();
            let source = (self.inner.clone(), path.clone());
            let pieces = stream::try_unfold(range, move |mut left| {
                let (inner, path) = source.clone();
                async move {
                    if left.is_empty() {
                        return Ok(None);
                    }
                    let bytes = piece(&inner, &path, left.start, PIECE.min(left.end - left.start)).await?;
                    left.start += bytes.len() as u64;
                    Ok((!bytes.is_empty()).then_some((bytes, left)))
                }
            });
            let version = opened.version().cloned();
            let content = Content::new(opened.size(), pieces);
            Ok(match version {
                Some(version) => content.with_version(version),
                None => content,
            })
        }
    }
}

mutant! {
    /// All readers share one position.
    ReadersShareAPosition remembers u64 {
        async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
            let opened = self.inner.reader(path, options).await?;
            let end = options.range(opened.size()).unwrap_or_default().end;
            *lock(&self.state) = options.offset;
            let (inner, path, position) = (self.inner.clone(), path.clone(), self.state.clone());
            let pieces = stream::try_unfold((), move |()| {
                let (inner, path, position) = (inner.clone(), path.clone(), position.clone());
                async move {
                    let at = *lock(&position);
                    if at >= end {
                        return Ok(None);
                    }
                    gap().await;
                    let bytes = piece(&inner, &path, at, PIECE.min(end - at)).await?;
                    *lock(&position) = at + bytes.len() as u64;
                    Ok(Some((bytes, ())))
                }
            });
            Ok(Content::new(opened.size(), pieces))
        }
    }
}

/// Notes the path when it is dropped, unless it was disarmed.
struct NotedWhenDropped {
    path: Option<StoragePath>,
    noted: Arc<Mutex<Vec<StoragePath>>>,
}

impl NotedWhenDropped {
    fn disarm(&mut self) {
        self.path = None;
    }
}

impl Drop for NotedWhenDropped {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            lock(&self.noted).push(path);
        }
    }
}

mutant! {
    /// A reader that is dropped midway leaves its file locked.
    DroppedReaderLocks remembers Vec<StoragePath> {
        async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content> {
            let content = self.inner.reader(path, options).await?;
            let noted = self.state.clone();
            let mut guard = NotedWhenDropped { path: Some(path.clone()), noted };
            Ok(content.map_stream(|mut stream| {
                stream::poll_fn(move |context| {
                    let polled = stream.poll_next_unpin(context);
                    if matches!(polled, std::task::Poll::Ready(None)) {
                        guard.disarm();
                    }
                    polled
                })
            }))
        }

        async fn delete(&self, path: &StoragePath) -> Result<()> {
            if lock(&self.state).contains(path) {
                return Err(Error::unavailable(path, "the file is being read"));
            }
            self.inner.delete(path).await
        }
    }
}
