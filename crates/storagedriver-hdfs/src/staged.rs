//! A staged file of our own: written by a task, so that a write whose future is dropped is taken
//! whole or not at all, and removed again unless it is let go of.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use hdfs_native::HdfsError;
use hdfs_native::file::{FileReader, FileWriter};
use storagedriver::{Error, Result, StoragePath};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::cluster::Hadoop;

/// How many pieces wait for the task at most.
const WAITING: usize = 4;

/// The least that a NameNode takes for a block's size, by its default: what is shorter has one block.
const LEAST_BLOCK: u64 = 1 << 20;

enum Piece {
    Bytes(Bytes),
    End,
}

/// A file below the staging place that is removed when this is dropped.
pub(crate) struct Trace {
    hadoop: Arc<Hadoop>,
    path: StoragePath,
    place: String,
    armed: bool,
}

impl Trace {
    pub(crate) fn new(hadoop: &Arc<Hadoop>, path: &StoragePath, place: String) -> Self {
        Trace { hadoop: hadoop.clone(), path: path.clone(), place, armed: true }
    }

    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// It belongs to somebody else now.
    pub(crate) fn let_go(&mut self) {
        self.armed = false;
    }

    /// Removes it now.
    pub(crate) async fn remove(mut self) {
        sweep(&self.hadoop, &self.path, &self.place).await;
        self.armed = false;
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        let (hadoop, path) = (self.hadoop.clone(), self.path.clone());
        let place = std::mem::take(&mut self.place);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            drop(runtime.spawn(async move { sweep(&hadoop, &path, &place).await }));
        }
    }
}

/// Removes a staged file, and the directories that were made for it or for its publication.
async fn sweep(hadoop: &Hadoop, path: &StoragePath, place: &str) {
    if let Err(error) = hadoop.remove(place).await {
        tracing::debug!(%path, %error, "a staged file is left; abort_stale removes it");
    }
    hadoop.prune_staging(path).await;
    hadoop.prune(path).await;
}

/// A file that is being written.
pub(crate) struct Staged {
    pub(crate) trace: Trace,
    pieces: Option<mpsc::Sender<Piece>>,
    task: JoinHandle<Result<(), HdfsError>>,
    /// Whether the task ended well, once that is known.
    ended: Option<bool>,
    pub(crate) length: u64,
}

impl Staged {
    /// Makes the file.
    pub(crate) async fn create(hadoop: &Arc<Hadoop>, path: &StoragePath, place: String) -> Result<Self> {
        let trace = Trace::new(hadoop, path, place);
        let (pieces, waiting) = mpsc::channel(WAITING);
        let (told, made) = oneshot::channel();
        let (hadoop, path) = (hadoop.clone(), path.clone());
        let place = trace.place().to_owned();
        let task = tokio::spawn(async move {
            let file = match hadoop.client.create(&place, &hadoop.options).await {
                Ok(file) => {
                    let _ = told.send(());
                    file
                }
                Err(error) => return Err(error),
            };
            let writing = Writing {
                hadoop: hadoop.clone(),
                place: place.clone(),
                file,
                written: 0,
                blocksize: None,
                synced: hadoop.durable,
            };
            let ended = writing.run(waiting).await?;
            if !ended {
                // Given up, perhaps before there was anything that could have been removed.
                sweep(&hadoop, &path, &place).await;
            }
            Ok(())
        });
        let mut staged = Staged { trace, pieces: Some(pieces), task, ended: None, length: 0 };
        if made.await.is_err() {
            staged.settle().await?;
            return Err(staged.broken());
        }
        Ok(staged)
    }

    fn broken(&self) -> Error {
        Error::unavailable(
            &self.trace.path,
            "the staged file cannot be written any more: an earlier write failed; resume the upload",
        )
    }

    /// Waits until the task takes a piece; then `piece` is called and what it gives is taken at once.
    pub(crate) async fn send(&mut self, piece: impl FnOnce() -> Bytes) -> Result<()> {
        let permit = match &self.pieces {
            Some(pieces) => pieces.clone().reserve_owned().await.ok(),
            None => None,
        };
        let Some(permit) = permit else {
            self.settle().await?;
            return Err(self.broken());
        };
        let piece = piece();
        self.length = self.length.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        drop(permit.send(Piece::Bytes(piece)));
        Ok(())
    }

    /// Makes what was sent durable, and closes the file.
    pub(crate) async fn finish(&mut self) -> Result<()> {
        if let Some(pieces) = &self.pieces {
            if let Ok(permit) = pieces.reserve().await {
                permit.send(Piece::End);
            }
            self.pieces = None;
        }
        self.settle().await
    }

    /// Waits for the task, and tells how it ended.
    async fn settle(&mut self) -> Result<()> {
        match self.ended {
            Some(true) => return Ok(()),
            Some(false) => return Err(self.broken()),
            None => {}
        }
        let ended = (&mut self.task).await;
        let path = &self.trace.path;
        let outcome = match ended {
            Ok(outcome) => outcome.map_err(Hadoop::write_fault(path, "write a staged file")),
            Err(_) => Err(Error::backend(path, "cannot write a staged file: its task was stopped")),
        };
        self.ended = Some(outcome.is_ok());
        outcome
    }

    /// Adds the first `length` bytes of another file.
    pub(crate) async fn copy(&mut self, from: &FileReader, length: u64) -> Result<()> {
        let path = self.trace.path.clone();
        let too_short = || Error::corrupted(&path, "a staged file is shorter than it was when it was closed");
        let length = usize::try_from(length).map_err(|_| too_short())?;
        if length > from.file_length() {
            return Err(too_short());
        }
        let mut rest = length;
        let mut stream = Box::pin(from.read_range_stream(0, length));
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(Hadoop::write_fault(&path, "read what the upload begins with"))?;
            rest = rest.checked_sub(chunk.len()).ok_or_else(too_short)?;
            self.send(|| chunk).await?;
        }
        if rest > 0 { Err(too_short()) } else { Ok(()) }
    }
}

/// The task's side.
struct Writing {
    hadoop: Arc<Hadoop>,
    place: String,
    file: FileWriter,
    written: u64,
    /// Asked for when there may be a second block.
    blocksize: Option<u64>,
    synced: bool,
}

impl Writing {
    /// Writes what comes. False if it was given up before its end.
    async fn run(mut self, mut waiting: mpsc::Receiver<Piece>) -> Result<bool, HdfsError> {
        loop {
            match waiting.recv().await {
                Some(Piece::Bytes(piece)) => self.write(piece).await?,
                Some(Piece::End) => {
                    if self.written > 0 {
                        self.sync().await?;
                    }
                    return self.file.close().await.map(|()| true);
                }
                None => return Ok(false),
            }
        }
    }

    async fn write(&mut self, mut piece: Bytes) -> Result<(), HdfsError> {
        while !piece.is_empty() {
            let room = self.room().await?;
            let part = piece.split_to(piece.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            self.file.write_bytes(part).await?;
            self.written = self.written.saturating_add(length);
            // A sync reaches the block that is being written and none before it.
            if length == room {
                self.sync().await?;
            }
        }
        Ok(())
    }

    /// How much goes into the block that is being written.
    async fn room(&mut self) -> Result<u64, HdfsError> {
        if !self.synced || self.written < LEAST_BLOCK && self.blocksize.is_none() {
            return Ok(if self.synced { LEAST_BLOCK.saturating_sub(self.written) } else { u64::MAX });
        }
        let blocksize = match self.blocksize {
            Some(bytes) => bytes,
            None => {
                let status = self.hadoop.client.get_file_info(&self.place).await?;
                let bytes = status.blocksize.filter(|&bytes| bytes > 0).unwrap_or(u64::MAX);
                self.blocksize = Some(bytes);
                bytes
            }
        };
        Ok(blocksize.saturating_sub(self.written.checked_rem(blocksize).unwrap_or_default()))
    }

    /// Has every DataNode write what it has of the last block to its disk.
    async fn sync(&mut self) -> Result<(), HdfsError> {
        if !self.synced {
            return Ok(());
        }
        match self.file.hsync().await {
            // What the client says of files that are erasure-coded.
            Err(HdfsError::OperationFailed(reason)) => {
                tracing::warn!(place = %self.place, reason, "files here cannot be synced before they are closed");
                self.synced = false;
                Ok(())
            }
            outcome => outcome,
        }
    }
}
