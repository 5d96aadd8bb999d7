//! The writer: what it accepts it gathers, and hands on to the pool in large pieces.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use storagedriver::{DriverWriter, Error, Result, StoragePath};
use tokio::task::JoinHandle;

use crate::jobs::{Holds, Ticket, lost, run};
use crate::root::Root;
use crate::upload::Upload;

/// How much is gathered before it is written: one job of the pool for each so many bytes.
const GATHERED: usize = 1 << 20;

type Writing = JoinHandle<(Box<Upload>, Result<()>)>;

/// A [`DriverWriter`] of this driver.
pub(crate) struct FilesystemWriter {
    root: Arc<Root>,
    holds: Arc<Holds>,
    path: StoragePath,
    /// `None` while a job has it.
    upload: Option<Box<Upload>>,
    writing: Option<Writing>,
    /// What was accepted and is not yet in the file, which ends at `written`.
    gathered: Arc<Vec<u8>>,
    written: u64,
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

impl FilesystemWriter {
    pub(crate) fn new(root: Arc<Root>, holds: Arc<Holds>, path: StoragePath, upload: Upload) -> Self {
        let written = upload.opened_at();
        FilesystemWriter {
            root,
            holds,
            path,
            upload: Some(Box::new(upload)),
            writing: None,
            gathered: Arc::default(),
            written,
        }
    }

    fn broken(&self) -> Error {
        Error::backend(&self.path, "the writer cannot go on: an earlier write stopped by a panic")
    }

    /// Waits for the write that is under way, be it one whose future was dropped, and tells how it
    /// ended.
    async fn settle(&mut self) -> Result<()> {
        let Some(writing) = &mut self.writing else {
            return Ok(());
        };
        let ended = writing.await;
        self.writing = None;
        let (upload, outcome) = ended.map_err(|error| lost(&self.path, error))?;
        self.upload = Some(upload);
        outcome
    }

    /// The upload, once nothing is under way. A write that failed or was given up took nothing, so
    /// that its outcome does not matter any more.
    async fn idle(&mut self) -> Result<Box<Upload>> {
        let _ = self.settle().await;
        self.upload.take().ok_or_else(|| self.broken())
    }

    /// Runs an ending.
    async fn end<E>(&mut self, ending: E) -> Result<()>
    where
        E: FnOnce(&Root, &Ticket, &mut Upload, &[u8], u64) -> Result<()> + Send + 'static,
    {
        let mut upload = self.idle().await?;
        let (root, gathered, written) = (self.root.clone(), self.gathered.clone(), self.written);
        run(&self.holds, &self.path, move |ticket| ending(&root, ticket, &mut upload, &gathered, written))
            .await
    }
}

#[async_trait]
impl DriverWriter for FilesystemWriter {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        if self.writing.is_some() {
            let _ = self.settle().await;
        }
        if self.gathered.len().saturating_add(chunk.len()) < GATHERED {
            Arc::make_mut(&mut self.gathered).extend_from_slice(&chunk);
            return Ok(());
        }
        let mut upload = self.upload.take().ok_or_else(|| self.broken())?;
        let total = self.written.saturating_add(length(&self.gathered)).saturating_add(length(&chunk));
        let (gathered, written) = (self.gathered.clone(), self.written);
        // If this future is dropped, the job goes on, and what it wrote is past the end: the next
        // write writes there again, and an ending cuts it off.
        self.writing = Some(tokio::task::spawn_blocking(move || {
            let outcome = upload.write(written, &[&gathered, &chunk]);
            (upload, outcome)
        }));
        self.settle().await?;
        self.written = total;
        match Arc::get_mut(&mut self.gathered) {
            Some(gathered) => gathered.clear(),
            None => self.gathered = Arc::default(),
        }
        Ok(())
    }

    fn size(&self) -> u64 {
        self.written.saturating_add(length(&self.gathered))
    }

    async fn close(&mut self) -> Result<()> {
        let size = self.size();
        self.end(move |_, ticket, upload, gathered, written| {
            if !gathered.is_empty() {
                upload.write(written, &[gathered])?;
            }
            upload.close(ticket, size)
        })
        .await
    }

    async fn commit(&mut self) -> Result<()> {
        let size = self.size();
        let path = self.path.clone();
        self.end(move |root, ticket, upload, gathered, written| {
            if !upload.is_untouched() {
                if !gathered.is_empty() {
                    upload.write(written, &[gathered])?;
                }
                return upload.commit(ticket, size);
            }
            // Nothing is on disk yet: the content goes the shorter way.
            let put = root.put(ticket, &path, gathered);
            if put.is_err() && upload.write(0, &[gathered]).is_ok() {
                // Left resumable, if that can be done; the error that counts is the first.
                let _ = upload.close(ticket, size);
            }
            put
        })
        .await
    }

    async fn cancel(&mut self) -> Result<()> {
        self.end(|_, ticket, upload, _, _| upload.cancel(ticket)).await
    }
}
