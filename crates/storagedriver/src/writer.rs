//! The handle of an upload.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::io::AsyncWrite;

use crate::content::io_error;
use crate::observe::{Observer, OpenUpload};
use crate::{DriverWriter, Operation, Result, StoragePath};

/// An upload in progress. Nothing that it writes is visible before [`commit`](Self::commit).
///
/// Each of the three endings consumes it. Dropping it without one publishes nothing and keeps what
/// the last `close` of the upload made durable. A server whose request handler may be dropped, as
/// when a client goes away, runs the ending in a task of its own:
///
/// ```
/// # async fn handle(storage: storagedriver::Storage, body: bytes::Bytes) -> storagedriver::Result<u64> {
/// use storagedriver::WriteMode;
///
/// let mut writer = storage.writer("/uploads/1/data", WriteMode::Append).await?;
/// writer.write(body).await?;
/// tokio::spawn(writer.close()).await.expect("closing does not panic")
/// # }
/// ```
pub struct FileWriter {
    inner: Box<dyn DriverWriter>,
    observer: Observer,
    path: StoragePath,
    _open: OpenUpload,
}

impl FileWriter {
    pub(crate) fn new(inner: Box<dyn DriverWriter>, observer: Observer, path: StoragePath) -> Self {
        let open = observer.open_upload();
        FileWriter { inner, observer, path, _open: open }
    }

    /// Takes the whole chunk, or none of it when this fails or its future is dropped. The next
    /// write may be tried after a failure.
    ///
    /// # Errors
    /// What the backend reports.
    pub async fn write(&mut self, chunk: impl Into<Bytes>) -> Result<()> {
        let chunk = chunk.into();
        if chunk.is_empty() {
            return Ok(());
        }
        let length = chunk.len();
        self.observer.run(Operation::Write, &self.path, self.inner.write(chunk)).await?;
        self.observer.written(length);
        Ok(())
    }

    /// The path that a commit publishes.
    pub fn path(&self) -> &StoragePath {
        &self.path
    }

    /// How many bytes the upload has, those before a resume and those still buffered included.
    pub fn size(&self) -> u64 {
        self.inner.size()
    }

    /// Keeps the upload for a later [`WriteMode::Append`](crate::WriteMode::Append), which finds
    /// exactly the size that this returns, also from another process and after a crash.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) if another writer that resumed the same upload ended
    /// it. What an earlier `close` made durable is not lost.
    pub async fn close(mut self) -> Result<u64> {
        self.observer.run(Operation::Close, &self.path, self.inner.close()).await?;
        Ok(self.inner.size())
    }

    /// Publishes the upload as the content of its path, atomically and durably.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) if another writer that resumed the same upload ended
    /// it, if the content that an append started from was replaced, or if a file stands where a
    /// directory is needed or the reverse. What was accepted is resumable, if it could be kept.
    pub async fn commit(mut self) -> Result<()> {
        self.observer.run(Operation::Commit, &self.path, self.inner.commit()).await
    }

    /// Removes every trace of the upload. Committed content of the path is untouched.
    ///
    /// # Errors
    /// What the backend reports; traces that are left go with `abort_stale`.
    pub async fn cancel(mut self) -> Result<()> {
        self.observer.run(Operation::Cancel, &self.path, self.inner.cancel()).await
    }

    /// As [`tokio::io::AsyncWrite`]. Flushing and shutting down wait for what was written; they do
    /// not end the upload: [`into_inner`](AsyncFileWriter::into_inner) does, by one of its endings.
    pub fn into_async_write(self) -> AsyncFileWriter {
        AsyncFileWriter { state: State::Idle(Box::new(self)) }
    }
}

impl fmt::Debug for FileWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileWriter")
            .field("path", &self.path)
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

enum State {
    Idle(Box<FileWriter>),
    Writing(BoxFuture<'static, (Box<FileWriter>, Result<()>)>),
    /// Only while a poll moves the writer from one state to the other.
    Moving,
}

/// A [`FileWriter`] as [`tokio::io::AsyncWrite`].
///
/// ```
/// # async fn copy(storage: storagedriver::Storage, mut from: tokio::io::Empty) -> std::io::Result<()> {
/// use storagedriver::WriteMode;
/// use tokio::io::AsyncWriteExt;
///
/// let writer = storage.writer("/a", WriteMode::Create).await.map_err(std::io::Error::other)?;
/// let mut sink = writer.into_async_write();
/// sink.write_all(b"content").await?;
/// sink.flush().await?;
/// sink.into_inner().await?.commit().await.map_err(std::io::Error::other)
/// # }
/// ```
pub struct AsyncFileWriter {
    state: State,
}

impl AsyncFileWriter {
    /// Waits for what was written, and gives the writer back for its ending.
    ///
    /// # Errors
    /// The failure of a write that was still under way. The writer is dropped then, and publishes
    /// nothing.
    pub async fn into_inner(mut self) -> io::Result<FileWriter> {
        std::future::poll_fn(|context| self.poll_idle(context)).await?;
        match self.state {
            State::Idle(writer) => Ok(*writer),
            State::Writing(_) | State::Moving => Err(io::Error::other("the writer is busy")),
        }
    }

    fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let State::Writing(writing) = &mut self.state {
            let (writer, outcome) = ready!(writing.as_mut().poll(context));
            self.state = State::Idle(writer);
            return Poll::Ready(outcome.map_err(io_error));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for AsyncFileWriter {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_idle(context))?;
        match std::mem::replace(&mut self.state, State::Moving) {
            State::Idle(mut writer) => {
                let chunk = Bytes::copy_from_slice(buffer);
                self.state = State::Writing(Box::pin(async move {
                    let outcome = writer.write(chunk).await;
                    (writer, outcome)
                }));
                Poll::Ready(Ok(buffer.len()))
            }
            busy => {
                self.state = busy;
                Poll::Ready(Err(io::Error::other("the writer is busy")))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_idle(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}

impl fmt::Debug for AsyncFileWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AsyncFileWriter")
    }
}
