//! The way of accepted bytes into the store: part numbers, parts, segments.

use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use storagedriver::{BoxFuture, Error, Result};

use crate::session::BaseBytes;
use crate::upload::Upload;
use crate::{ObjectStoreBackend, PutOptions, StoreError, StoreResult, parts};

/// How many part numbers a writer takes at once.
const BLOCK: u32 = 64;

impl<B: ObjectStoreBackend> Upload<B> {
    /// Makes a function that sends one part, or one segment.
    pub(crate) fn sender(
        &self,
    ) -> impl Fn(u32, Bytes) -> BoxFuture<'static, StoreResult<String>> + Send + Sync + use<B> {
        let (engine, key) = (self.engine.clone(), self.key());
        let id = self.durable.upload.clone().unwrap_or_default();
        let segments = format!("{}{}", engine.keys.segments(&self.path, &self.durable.nonce), self.writer);
        move |number, content| {
            let (engine, key, id) = (engine.clone(), key.clone(), id.clone());
            let segment = format!("{segments}-{number:08}");
            Box::pin(async move {
                if engine.description().multipart {
                    return engine.backend.put_part(&key, &id, number, content).await;
                }
                engine.backend.put(&segment, content, &PutOptions::default()).await?;
                Ok(segment)
            })
        }
    }

    /// Makes sure that this writer may use `count` more part numbers. The session names the
    /// multipart upload before the first part is sent.
    pub(crate) async fn reserve(&mut self, count: u32) -> Result<()> {
        let tail = self.durable_tail.clone();
        if !self.engine.description().multipart {
            if self.version.is_none() {
                self.store(|_| {}, &tail).await?;
            }
            if self.numbers.is_empty() {
                self.numbers = 1..u32::MAX;
            }
            return Ok(());
        }
        let shared = !self.engine.description().stray_parts;
        if shared && self.durable.size.is_some() && self.durable.upload.is_some() {
            // Others use the same numbers: what one of them has closed meanwhile is not to be overwritten.
            self.adopt().await?;
        }
        if u32::try_from(self.numbers.len()).unwrap_or(u32::MAX) >= count {
            return Ok(());
        }
        if self.durable.upload.is_none() && self.pending.is_none() {
            let begun = self.engine.backend.begin_upload(&self.key(), &self.durable.nonce).await;
            self.pending = Some(begun.map_err(|error| error.at(&self.path))?);
        }
        if shared {
            return self.number_on(count, &tail).await;
        }
        let end = self.engine.description().max_parts.saturating_add(1);
        let block = BLOCK.max(u32::try_from(self.window.len()).unwrap_or(u32::MAX)).max(count);
        let pending = self.pending.clone();
        let from = AtomicU32::new(0);
        let claimed = self
            .store(
                |session| {
                    session.upload = session.upload.take().or_else(|| pending.clone());
                    from.store(session.free, Ordering::Relaxed);
                    session.free = session.free.saturating_add(block).min(end).max(session.free);
                },
                &tail,
            )
            .await;
        if matches!(claimed, Err(Error::Conflict { .. })) || claimed.is_ok() {
            self.drop_pending().await;
        }
        claimed?;
        let from = from.into_inner();
        // Between its own and these, another writer may have taken some.
        let start =
            if self.numbers.end == from && !self.numbers.is_empty() { self.numbers.start } else { from };
        self.numbers = start..self.durable.free;
        if u32::try_from(self.numbers.len()).unwrap_or(u32::MAX) < count {
            return Err(self.too_many());
        }
        Ok(())
    }

    /// Takes all numbers after the last part that was closed, whoever else may use them: two writers
    /// that send at once spoil each other's parts, and at most one of them completes.
    async fn number_on(&mut self, count: u32, tail: &[u8]) -> Result<()> {
        if let Some(pending) = self.pending.clone() {
            let named = self
                .store(
                    |session| session.upload = session.upload.take().or_else(|| Some(pending.clone())),
                    tail,
                )
                .await;
            if matches!(named, Err(Error::Conflict { .. })) || named.is_ok() {
                self.drop_pending().await;
            }
            named?;
        }
        if self.numbers.end == 0 {
            let last = self.window.parts().last().map_or(0, |part| part.number);
            self.numbers = last.saturating_add(1)..self.engine.description().max_parts.saturating_add(1);
        }
        if u32::try_from(self.numbers.len()).unwrap_or(u32::MAX) < count {
            return Err(self.too_many());
        }
        Ok(())
    }

    fn too_many(&self) -> Error {
        let reason = format!(
            "the upload needs more than the {} parts that the store allows, at {} bytes for the first of \
             them; raise the parameter chunksize",
            self.engine.description().max_parts,
            self.durable.part_size
        );
        Error::unsupported(&self.path, reason)
    }

    /// Aborts what was begun and did not become the upload of the session.
    pub(crate) async fn drop_pending(&mut self) {
        if let Some(id) = self.pending.take().filter(|id| self.durable.upload.as_ref() != Some(id)) {
            // What is left goes with `abort_stale`.
            let _ = self.engine.backend.abort(&self.key(), &id).await;
        }
    }

    /// Sends what fills parts. What it has not sent when it fails or is dropped stays in the buffer.
    pub(crate) async fn drain(&mut self) -> Result<()> {
        if self.window.has_failed() {
            // Before more is taken: what is not sent is memory.
            self.settle().await?;
        }
        loop {
            let description = self.engine.description();
            let size = parts::size_after(description, self.durable.part_size, self.window.len());
            let Some(length) = usize::try_from(size).ok().filter(|length| *length <= self.buffer.len())
            else {
                return Ok(());
            };
            if self.base.as_ref().is_some_and(|base| base.bytes == BaseBytes::AtPath) {
                self.take_base().await?;
                continue;
            }
            self.reserve(1).await?;
            let (parallel, budget) = (self.engine.parallel(), self.engine.options.budget.clone());
            let permit =
                self.window.room(parallel, &budget, size).await.map_err(|error| error.at(&self.path))?;
            self.send(length, permit);
        }
    }

    /// Sends the first bytes of the buffer as a part.
    pub(crate) fn send(&mut self, length: usize, permit: Option<tokio::sync::OwnedSemaphorePermit>) {
        if let Some(number) = self.numbers.next() {
            let send = self.sender();
            self.window.add(number, self.buffer.take(length), permit, send);
        }
    }

    pub(crate) async fn settle(&mut self) -> Result<()> {
        let send = self.sender();
        let settled = self.window.settle(send).await;
        self.dead |= matches!(settled, Err(StoreError::NoSuchUpload));
        settled.map_err(|error| error.at(&self.path))
    }
}
