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
    file: Arc<OwnedFd>,
    way: Way,
    rest: Range<u64>,
    kept: Kept,
}

impl Opened {
    pub(crate) fn into_content(self, root: Arc<Root>, path: StoragePath) -> Content {
        let (version, size, rest) = (self.version.version(), self.size, self.rest());
        let first = Bytes::from(self.read);
        if rest.is_empty() {
            return Content::from_bytes(size, first).with_version(version);
        }
        let (file, kept) = (Arc::new(self.file), Kept::default());
        let reading = Reading { root, path, file, way: self.way, rest, kept };
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
        if self.rest.is_empty() {
            return Ok(None);
        }
        let piece = match self.cached().await {
            Some(piece) => piece,
            None => self.pooled().await?,
        };
        let read = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.rest.start = self.rest.start.saturating_add(read);
        Ok(Some(piece))
    }

    /// What the cache has of the next turn.
    async fn cached(&mut self) -> Option<Bytes> {
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
        let length = self.root.sys.read_quick(self.way, &*self.file, free, self.rest.start);
        let piece = Piece { buffer, length, kept: self.kept.clone() };
        (length > 0).then(|| Bytes::from_owner(piece))
    }

    /// The next piece, whatever it takes.
    async fn pooled(&self) -> Result<Bytes> {
        let end = self.rest.start.saturating_add(PIECE).min(self.rest.end);
        let (root, on, from, at) =
            (self.root.clone(), self.path.clone(), self.file.clone(), self.rest.start..end);
        self.root.sys.pooled();
        let piece = tokio::task::spawn_blocking(move || root.read(&on, &from, at));
        let piece = piece.await.map_err(|error| lost(&self.path, error))??;
        Ok(piece.into())
    }
}
