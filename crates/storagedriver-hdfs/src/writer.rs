//! The writer: what it accepts it gathers, and hands on in pieces.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use storagedriver::{DriverWriter, Result};

use crate::upload::Upload;

/// How much is gathered before it is handed on.
const GATHERED: usize = 256 << 10;

/// A [`DriverWriter`] of this driver.
pub(crate) struct HdfsWriter {
    upload: Upload,
    gathered: BytesMut,
    /// What was handed on, and what the upload had when it was opened.
    written: u64,
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

impl HdfsWriter {
    pub(crate) fn new(upload: Upload) -> Self {
        HdfsWriter { written: upload.opened_at(), upload, gathered: BytesMut::new() }
    }

    /// Hands on what is gathered. Dropped or failed, that is still gathered.
    async fn hand_on(&mut self) -> Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let (gathered, written) = (&mut self.gathered, &mut self.written);
        let take = || {
            *written = written.saturating_add(length(gathered));
            std::mem::take(gathered).freeze()
        };
        self.upload.write(take).await
    }
}

#[async_trait]
impl DriverWriter for HdfsWriter {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        if self.gathered.len().saturating_add(chunk.len()) < GATHERED {
            self.gathered.extend_from_slice(&chunk);
            return Ok(());
        }
        if chunk.len() >= GATHERED {
            self.hand_on().await?;
            let written = &mut self.written;
            let take = || {
                *written = written.saturating_add(length(&chunk));
                chunk
            };
            return self.upload.write(take).await;
        }
        let (gathered, written) = (&mut self.gathered, &mut self.written);
        let take = || {
            gathered.extend_from_slice(&chunk);
            *written = written.saturating_add(length(gathered));
            std::mem::take(gathered).freeze()
        };
        self.upload.write(take).await
    }

    fn size(&self) -> u64 {
        self.written.saturating_add(length(&self.gathered))
    }

    async fn close(&mut self) -> Result<()> {
        self.hand_on().await?;
        self.upload.close(self.written).await
    }

    async fn commit(&mut self) -> Result<()> {
        self.hand_on().await?;
        self.upload.commit(self.written).await
    }

    async fn cancel(&mut self) -> Result<()> {
        self.upload.cancel().await
    }
}
