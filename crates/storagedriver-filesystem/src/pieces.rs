//! The stream of an open file: a turn at a time from the cache, and larger pieces from the pool.

use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::stream;
use storagedriver::{Content, Result, StoragePath};

use crate::inline::spend;
use crate::jobs::lost;
use crate::reader::{Opened, TURN};
use crate::root::Root;
use crate::sys::Way;

/// What each job of the pool reads.
const PIECE: u64 = 1 << 20;

/// How many buffers a stream keeps for its next pieces: whoever drops a piece before asking for the
/// next gets the same memory again, still in the processor's cache.
const KEPT: usize = 2;

type Kept = Arc<Mutex<Vec<Vec<u8>>>>;

/// A piece whose buffer goes back to its stream.
struct Piece {
    buffer: Vec<u8>,
    length: usize,
    kept: Kept,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(std::mem::take(&mut self.buffer));
        }
    }
}

/// What is left to be read.
struct Reading {
    root: Arc<Root>,
    path: StoragePath,
    /// There until it is dropped.
    file: Option<Arc<OwnedFd>>,
    way: Way,
    rest: Range<u64>,
    kept: Kept,
}

impl Drop for Reading {
    /// Who closes a deleted file as the last one frees its blocks, and a network file system may ask
    /// its server: then the file is closed in the pool.
    fn drop(&mut self) {
        let Some(file) = self.file.take() else {
            return;
        };
        let quick = self.way != Way::Patient
            && self.root.sys.meta_by(self.way, &*file).is_ok_and(|meta| meta.links > 0);
        if !quick && let Ok(runtime) = tokio::runtime::Handle::try_current() {
            self.root.sys.pooled();
            drop(runtime.spawn_blocking(move || drop(file)));
        }
    }
}

impl Opened {
    pub(crate) fn into_content(self, root: Arc<Root>, path: StoragePath) -> Content {
        let (version, size, first) = (self.version.version(), self.size, Bytes::from(self.read));
        let Some(rest) = self.rest else {
            return Content::from_bytes(size, first).with_version(version);
        };
        let (file, kept) = (Some(Arc::new(rest.file)), Kept::default());
        let reading = Reading { root, path, file, way: rest.way, rest: rest.range, kept };
        let pieces = stream::try_unfold((first, reading), |(first, mut reading)| async move {
            if !first.is_empty() {
                return Ok(Some((first, (Bytes::new(), reading))));
            }
            Ok(reading.next().await?.map(|piece| (piece, (Bytes::new(), reading))))
        });
        Content::new(size, pieces).with_version(version)
    }
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(file) = self.file.clone().filter(|_| !self.rest.is_empty()) else {
            return Ok(None);
        };
        let piece = match self.cached(&file).await {
            Some(piece) => piece,
            None => self.pooled(file).await?,
        };
        let read = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.rest.start = self.rest.start.saturating_add(read);
        Ok(Some(piece))
    }

    /// What the cache has of the next turn.
    async fn cached(&mut self, file: &OwnedFd) -> Option<Bytes> {
        if self.way == Way::Patient {
            return None;
        }
        let turn = usize::try_from(self.rest.end.saturating_sub(self.rest.start).min(TURN)).ok()?;
        spend(TURN).await;
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffer = kept.unwrap_or_default();
        if buffer.len() < turn {
            buffer = vec![0; turn];
        }
        let free = buffer.get_mut(..turn)?;
        let length = self.root.sys.read_quick(self.way, file, free, self.rest.start);
        let piece = Piece { buffer, length, kept: self.kept.clone() };
        (length > 0).then(|| Bytes::from_owner(piece))
    }

    /// The next piece, whatever it takes.
    async fn pooled(&self, file: Arc<OwnedFd>) -> Result<Bytes> {
        let end = self.rest.start.saturating_add(PIECE).min(self.rest.end);
        let (root, on, at) = (self.root.clone(), self.path.clone(), self.rest.start..end);
        self.root.sys.pooled();
        let piece = tokio::task::spawn_blocking(move || root.read(&on, &file, at));
        let piece = piece.await.map_err(|error| lost(&self.path, error))??;
        Ok(piece.into())
    }
}
