//! What every subject can do: the work of a registry, in its own words.

use std::error::Error;
use std::time::Instant;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _};

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Part size on S3 for all, in bytes: what Distribution's driver and ours have by default.
pub(crate) const PART: usize = 10 << 20;

/// A future that a worker on any thread can wait for.
macro_rules! outcome {
    () => { impl Future<Output = Outcome> + Send };
    ($result:ty) => { impl Future<Output = Outcome<$result>> + Send };
}

/// One that is measured. Paths begin with `/` and lie below the storage's root directory.
pub(crate) trait Subject: Send + Sync + 'static {
    /// Stores a small content.
    fn put(&self, path: &str, content: Bytes) -> outcome!();

    /// Reads a small content whole; its size.
    fn get(&self, path: &str) -> outcome!(u64);

    /// Whether there is something, by asking for its size and time.
    fn stat(&self, path: &str) -> outcome!(bool);

    /// Streams `chunk` again and again, `times` times, into a new content; when all was handed over,
    /// before it was committed.
    fn upload(&self, path: &str, chunk: Bytes, times: u64) -> outcome!(Instant);

    /// Streams a content in the pieces that it comes in, and keeps none of it; its size.
    fn download(&self, path: &str) -> outcome!(u64);

    /// Streams a content through a buffer of the reader's; its size.
    fn read(&self, path: &str, buffer: &mut [u8]) -> outcome!(u64);

    /// Moves a content; copy and delete where there is nothing better.
    fn rename(&self, from: &str, to: &str) -> outcome!();

    /// How many children a directory has, by listing it.
    fn list(&self, path: &str) -> outcome!(u64);

    /// How many files are below a directory, by visiting each.
    fn walk(&self, path: &str) -> outcome!(u64);

    /// Deletes everything below a directory.
    fn delete(&self, path: &str) -> outcome!();

    /// Deletes one content.
    fn delete_file(&self, path: &str) -> outcome!();

    /// An upload as a registry makes it: opened and closed, three times `chunk` appended by a writer
    /// of its own, committed by another, moved to its place.
    fn registry_upload(&self, _from: &str, _to: &str, _chunk: Bytes) -> outcome!() {
        async { Err("cannot resume an upload".into()) }
    }
}

/// Reads all that there is through a buffer; how much it was.
pub(crate) async fn read_all(mut reader: impl AsyncRead + Unpin + Send, buffer: &mut [u8]) -> Outcome<u64> {
    let mut size = 0;
    loop {
        match reader.read(buffer).await? {
            0 => return Ok(size),
            count => size += count as u64,
        }
    }
}
