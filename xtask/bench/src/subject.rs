//! What every subject can do: the work of a registry, in its own words.

use std::error::Error;

use async_trait::async_trait;
use bytes::Bytes;

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Part size for all, in bytes: what Distribution's driver and ours have by default.
pub(crate) const PART: usize = 10 << 20;

/// One that is measured. Paths begin with `/` and lie below the storage's root directory.
#[async_trait]
pub(crate) trait Subject: Send + Sync {
    /// Stores a small content.
    async fn put(&self, path: &str, content: Bytes) -> Outcome;

    /// Reads a small content whole; its size.
    async fn get(&self, path: &str) -> Outcome<u64>;

    /// Streams `chunk` again and again, `times` times, into a new content.
    async fn upload(&self, path: &str, chunk: Bytes, times: u64) -> Outcome;

    /// Streams a content and keeps none of it; its size.
    async fn download(&self, path: &str) -> Outcome<u64>;

    /// Moves a content; copy and delete where there is nothing better.
    async fn rename(&self, from: &str, to: &str) -> Outcome;

    /// How many children a directory has, by listing it.
    async fn list(&self, path: &str) -> Outcome<u64>;

    /// How many files are below a directory, by visiting each.
    async fn walk(&self, path: &str) -> Outcome<u64>;

    /// Deletes everything below a directory.
    async fn delete(&self, path: &str) -> Outcome;

    /// An upload as a registry makes it: opened and closed, three times `chunk` appended by a writer
    /// of its own, committed by another, moved to its place.
    async fn registry_upload(&self, _from: &str, _to: &str, _chunk: Bytes) -> Outcome {
        Err("cannot resume an upload".into())
    }
}
