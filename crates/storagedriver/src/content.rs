//! Content on its way out of a store.

use std::fmt;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use tokio_util::io::StreamReader;

use crate::{Error, Result, Version};

/// What part of a file to read, and of which version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The first byte to read. Equal to the size: an empty stream; past it:
    /// [`InvalidOffset`](Error::InvalidOffset).
    pub offset: u64,
    /// The most bytes to read; `None` is to the end. A range that reaches past the end is cut
    /// there.
    pub length: Option<u64>,
    /// Read only this version: [`Conflict`](Error::Conflict) if the path holds another one.
    pub version: Option<Version>,
}

impl ReadOptions {
    /// All of the content.
    pub fn all() -> Self {
        Self::default()
    }

    /// From `offset` to the end.
    pub fn from_offset(offset: u64) -> Self {
        ReadOptions { offset, ..Self::default() }
    }

    /// At most `length` bytes.
    #[must_use]
    pub fn with_length(mut self, length: u64) -> Self {
        self.length = Some(length);
        self
    }

    /// Only this version.
    #[must_use]
    pub fn with_version(mut self, version: Version) -> Self {
        self.version = Some(version);
        self
    }

    /// The half-open range of bytes to read out of content of `size` bytes; `None` if the offset
    /// is past the end.
    pub fn range(&self, size: u64) -> Option<std::ops::Range<u64>> {
        if self.offset > size {
            return None;
        }
        let end = match self.length {
            Some(length) => self.offset.saturating_add(length).min(size),
            None => size,
        };
        Some(self.offset..end)
    }
}

/// A stream of one version of a file's content.
///
/// Chunks are of any size above zero. Dropping it stops the read.
pub struct Content {
    size: u64,
    version: Option<Version>,
    stream: BoxStream<'static, Result<Bytes>>,
}

impl Content {
    /// Content of `size` bytes in all (not only in the range that was asked for).
    pub fn new(size: u64, stream: impl Stream<Item = Result<Bytes>> + Send + 'static) -> Self {
        Content { size, version: None, stream: stream.boxed() }
    }

    /// Content that is in memory already: `chunk` is the range asked for, `size` the whole.
    pub fn from_bytes(size: u64, chunk: Bytes) -> Self {
        if chunk.is_empty() {
            return Content::new(size, stream::empty());
        }
        Content::new(size, stream::once(std::future::ready(Ok(chunk))))
    }

    /// The version that is being read.
    #[must_use]
    pub fn with_version(mut self, version: Version) -> Self {
        self.version = Some(version);
        self
    }

    /// The same content through another stream: for layers that count, limit or hold something
    /// while it is read.
    #[must_use]
    pub fn map_stream<S>(self, wrap: impl FnOnce(BoxStream<'static, Result<Bytes>>) -> S) -> Self
    where
        S: Stream<Item = Result<Bytes>> + Send + 'static,
    {
        Content { size: self.size, version: self.version, stream: wrap(self.stream).boxed() }
    }

    /// Keeps `guard` until the stream is read or dropped.
    #[must_use]
    pub fn holding(self, guard: impl Send + 'static) -> Self {
        self.map_stream(|stream| {
            let (mut stream, mut held) = (stream, Some(guard));
            stream::poll_fn(move |context| {
                let polled = stream.poll_next_unpin(context);
                if let Poll::Ready(None) = polled {
                    drop(held.take());
                }
                polled
            })
        })
    }

    /// The size of the whole content, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The version that is being read, where the backend tells one.
    pub fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// The next chunk; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        self.stream.next().await
    }

    /// All of what was asked for, in memory.
    pub async fn bytes(mut self) -> Result<Bytes> {
        let Some(first) = self.next().await.transpose()? else {
            return Ok(Bytes::new());
        };
        let Some(second) = self.next().await.transpose()? else {
            return Ok(first);
        };
        let mut all = BytesMut::with_capacity(first.len().saturating_add(second.len()));
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        while let Some(chunk) = self.next().await.transpose()? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// As [`tokio::io::AsyncRead`]. An [`Error`] arrives inside a [`std::io::Error`].
    pub fn into_async_read(self) -> StreamReader<IoStream, Bytes> {
        StreamReader::new(IoStream(self.stream))
    }
}

impl Stream for Content {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        self.stream.poll_next_unpin(context)
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("size", &self.size)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// The stream inside [`Content::into_async_read`].
pub struct IoStream(BoxStream<'static, Result<Bytes>>);

impl Stream for IoStream {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context).map_err(io_error)
    }
}

impl fmt::Debug for IoStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IoStream")
    }
}

/// An [`Error`] as the adapters for tokio's I/O traits report it.
pub(crate) fn io_error(error: Error) -> std::io::Error {
    use std::io::ErrorKind as Io;
    let kind = match &error {
        Error::PathNotFound { .. } => Io::NotFound,
        Error::InvalidPath { .. } | Error::InvalidOffset { .. } => Io::InvalidInput,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => Io::PermissionDenied,
        Error::OutOfSpace { .. } => Io::StorageFull,
        Error::Unsupported { .. } => Io::Unsupported,
        Error::Corrupted { .. } => Io::InvalidData,
        _ => Io::Other,
    };
    std::io::Error::new(kind, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_at_the_end_and_refused_past_it() {
        let options = ReadOptions::from_offset(4).with_length(10);
        assert_eq!(options.range(6), Some(4..6));
        assert_eq!(options.range(4), Some(4..4));
        assert_eq!(options.range(3), None);
        assert_eq!(ReadOptions::from_offset(1).with_length(u64::MAX).range(3), Some(1..3));
        assert_eq!(ReadOptions::all().range(0), Some(0..0));
    }

    #[tokio::test]
    async fn one_chunk_is_not_copied() {
        let chunk = Bytes::from_static(b"content");
        let read = Content::from_bytes(7, chunk.clone()).bytes().await.unwrap();
        assert_eq!(read.as_ptr(), chunk.as_ptr());
        assert!(Content::from_bytes(7, Bytes::new()).bytes().await.unwrap().is_empty());
    }
}
