//! Writers that take chunks in a wrong way.

use async_trait::async_trait;
use bytes::Bytes;
use storagedriver::Result;

use super::wrap::{Draft, Habit, gap, lock};

/// What is written is readable at once.
pub(super) struct WritesInPlace;

#[async_trait]
impl Habit for WritesInPlace {
    async fn write(draft: &mut Draft, chunk: Bytes) -> Result<()> {
        draft.inner.write(chunk).await?;
        draft.publish().await
    }
}

/// `size` leaves out what is buffered.
pub(super) struct SizeWithoutBuffer;

#[async_trait]
impl Habit for SizeWithoutBuffer {
    fn size(draft: &Draft) -> u64 {
        draft.inner.size() & !4095
    }
}

/// Chunks of one byte are lost.
pub(super) struct LosesTinyChunks;

#[async_trait]
impl Habit for LosesTinyChunks {
    async fn write(draft: &mut Draft, chunk: Bytes) -> Result<()> {
        if chunk.len() == 1 && draft.accepted.len() > 2_000 {
            return Ok(());
        }
        draft.inner.write(chunk).await
    }

    fn size(draft: &Draft) -> u64 {
        draft.accepted.len() as u64
    }
}

/// All writers share one buffer.
pub(super) struct SharedBuffer;

impl SharedBuffer {
    async fn flush(draft: &mut Draft) -> Result<()> {
        let buffered = std::mem::take(&mut *lock(&draft.desk.buffer));
        if buffered.is_empty() { Ok(()) } else { draft.inner.write(buffered.into()).await }
    }
}

#[async_trait]
impl Habit for SharedBuffer {
    async fn write(draft: &mut Draft, chunk: Bytes) -> Result<()> {
        lock(&draft.desk.buffer).extend_from_slice(&chunk);
        Ok(())
    }

    fn size(draft: &Draft) -> u64 {
        draft.accepted.len() as u64
    }

    async fn close(draft: &mut Draft) -> Result<()> {
        Self::flush(draft).await?;
        draft.inner.close().await
    }

    async fn commit(draft: &mut Draft) -> Result<()> {
        Self::flush(draft).await?;
        draft.inner.commit().await
    }

    async fn cancel(draft: &mut Draft) -> Result<()> {
        lock(&draft.desk.buffer).clear();
        draft.inner.cancel().await
    }
}

/// What is written past the first mebibyte is lost.
pub(super) struct LosesWhatIsLarge;

#[async_trait]
impl Habit for LosesWhatIsLarge {
    async fn write(draft: &mut Draft, chunk: Bytes) -> Result<()> {
        if draft.inner.size() >= 1 << 20 { Ok(()) } else { draft.inner.write(chunk).await }
    }

    fn size(draft: &Draft) -> u64 {
        draft.accepted.len() as u64
    }
}

/// The last byte of a chunk that fills a part is lost.
pub(super) struct LosesByteAtBoundary;

#[async_trait]
impl Habit for LosesByteAtBoundary {
    async fn write(draft: &mut Draft, chunk: Bytes) -> Result<()> {
        if chunk.len() >= 4096 && chunk.len().is_multiple_of(4096) {
            return draft.inner.write(chunk.slice(..chunk.len() - 1)).await;
        }
        draft.inner.write(chunk).await
    }

    fn size(draft: &Draft) -> u64 {
        draft.accepted.len() as u64
    }
}

/// A dropped write took half of its chunk.
pub(super) struct TornWrite;

#[async_trait]
impl Habit for TornWrite {
    async fn write(draft: &mut Draft, chunk: Bytes) -> Result<()> {
        let half = chunk.len() / 2;
        if half > 0 {
            draft.inner.write(chunk.slice(..half)).await?;
            gap().await;
        }
        draft.inner.write(chunk.slice(half..)).await
    }
}
