//! The interface that the author of a driver implements.
//!
//! What must hold is the contract, `docs/contract.md`; `storagedriver-testsuites` checks it. What
//! the [`Storage`](crate::Storage) handle guarantees to a driver, so that no driver repeats it:
//!
//! - every path is valid and within [`StorageDriver::limits`]; `/` arrives only at `stat`, `list`,
//!   `walk` and `uploads`;
//! - a writer gets at most one ending (`close`, `commit` or `cancel`), nothing after it, and no
//!   two calls at once;
//! - `rename` never has equal ends: onto itself it is answered by the handle after a `stat`;
//! - driver name and operation are added to errors; spans and metrics are recorded.

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;
use url::Url;

use crate::{
    Content, FileInfo, Finding, Guarantees, PathLimits, ReadOptions, RedirectRequest, Result, StoragePath,
    UploadInfo, WalkOptions,
};

/// Whether a writer starts afresh or goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WriteMode {
    /// Start afresh. Uploads at the path that were closed before this opened are discarded.
    Create,
    /// Resume the newest closed upload at the path; else continue the committed content, which
    /// stays readable and unchanged until the commit replaces it; else
    /// [`PathNotFound`](crate::Error::PathNotFound).
    Append,
}

/// A storage driver: a filesystem-like key/value store.
///
/// Dropping any future of it at any await point leaves a state that the contract allows.
#[async_trait]
pub trait StorageDriver: Debug + Send + Sync + 'static {
    /// The name under which the driver is registered, such as `filesystem`.
    fn name(&self) -> &str;

    /// All of a file's content.
    ///
    /// # Errors
    /// [`PathNotFound`](crate::Error::PathNotFound) if the path is absent or a directory.
    async fn get_content(&self, path: &StoragePath) -> Result<Bytes>;

    /// Makes `content` the content of `path`, atomically; directories above are implied. When it
    /// returns, the content is durable. Uploads at the path stay as they are.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) if `path` is a directory or a file stands above it, on
    /// drivers with real directories.
    async fn put_content(&self, path: &StoragePath, content: Bytes) -> Result<()>;

    /// Opens a file's content for reading, from `options.offset`.
    ///
    /// # Errors
    /// [`PathNotFound`](crate::Error::PathNotFound) if the path is absent or a directory,
    /// [`InvalidOffset`](crate::Error::InvalidOffset) if the offset is past the end,
    /// [`Conflict`](crate::Error::Conflict) if `options.version` is not what the path holds.
    async fn reader(&self, path: &StoragePath, options: &ReadOptions) -> Result<Content>;

    /// Opens a writer. Nothing that it writes is visible before its commit.
    ///
    /// # Errors
    /// [`PathNotFound`](crate::Error::PathNotFound) from `Append` if there is neither an upload nor
    /// content at the path; [`Conflict`](crate::Error::Conflict) as for `put_content`, which may
    /// also come as late as the commit.
    async fn writer(&self, path: &StoragePath, mode: WriteMode) -> Result<Box<dyn DriverWriter>>;

    /// What is at `path`. `/` always exists, and asking for it asks the backend: it is the health
    /// check. A path that is both file and directory answers as
    /// [`FileAndDirectory`](crate::EntryKind::FileAndDirectory) or, where telling would cost more, as the file.
    ///
    /// # Errors
    /// [`PathNotFound`](crate::Error::PathNotFound) if nothing is there; an upload is nothing.
    async fn stat(&self, path: &StoragePath) -> Result<FileInfo>;

    /// The direct children, sorted by path, each once: kind always, size and time where they come
    /// free. No names of staging files or sessions.
    ///
    /// # Errors
    /// [`PathNotFound`](crate::Error::PathNotFound) if the path is absent or a file. An empty root
    /// is an empty list.
    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>>;

    /// Moves a file, replacing what is at `to`. Distribution calls this Move. The source is deleted
    /// only when the destination is whole. Uploads at either end stay as they are.
    ///
    /// # Errors
    /// [`PathNotFound`](crate::Error::PathNotFound), naming `from`, if it is absent or a directory;
    /// then `to` is untouched.
    async fn rename(&self, from: &StoragePath, to: &StoragePath) -> Result<()>;

    /// Deletes the path and all below it, uploads included, and no sibling. Interrupted, it can be
    /// run again.
    ///
    /// # Errors
    /// [`PathNotFound`](crate::Error::PathNotFound) if there is neither content nor an upload at or
    /// below the path.
    async fn delete(&self, path: &StoragePath) -> Result<()>;

    /// The uploads at and below `below` that were neither committed nor cancelled, sorted by path.
    /// None is an empty list, also where `below` is absent.
    async fn uploads(&self, below: &StoragePath) -> Result<Vec<UploadInfo>>;

    /// Removes every trace of an upload.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) if it has moved on since it was listed: closed again by
    /// a writer that resumed it, or, where the driver can see that, open in a live one. Where it
    /// cannot, that writer's ending is the `Conflict`. One that is gone already is no error.
    async fn abort_upload(&self, upload: &UploadInfo) -> Result<()>;

    /// A walk of the driver's own: every descendant of `path` in the order and from the place that
    /// `options` say. `None`: the handle walks by `list`, and calls `stat` for files whose size or time
    /// `list` left open.
    ///
    /// # Errors
    /// [`PathNotFound`](crate::Error::PathNotFound) if the path is absent or a file, here or at the first step.
    async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
        let _ = (path, options);
        Ok(None)
    }

    /// A URL at which a client can do `request` itself, without credentials of its own; `None`: the
    /// registry has to serve it. Makes no request where the backend allows that.
    async fn redirect_url(&self, request: &RedirectRequest, path: &StoragePath) -> Result<Option<Url>> {
        let _ = (request, path);
        Ok(None)
    }

    /// The name under which the backend keeps `path`, where clients of the backend can use it (S3:
    /// the key). Middleware that signs URLs of its own needs it, through any wrapper.
    fn backend_key(&self, path: &StoragePath) -> Option<String> {
        let _ = path;
        None
    }

    /// Tries what the backend can do beyond the operations of the contract, and whether that is what
    /// the driver takes for granted: for an operator who looks at a new backend. Works below
    /// `scratch`, where nothing is, and leaves nothing there.
    ///
    /// # Errors
    /// The backend cannot be reached, or refuses what every driver needs.
    async fn examine(&self, scratch: &StoragePath) -> Result<Vec<Finding>> {
        let _ = scratch;
        Ok(Vec::new())
    }

    /// Which promises of the contract this backend cannot keep.
    fn guarantees(&self) -> Guarantees {
        Guarantees::FULL
    }

    /// How long paths may be: one limit for all operations, that of the longest name the driver
    /// derives from a path.
    fn limits(&self) -> PathLimits {
        PathLimits::default()
    }
}

/// An upload in progress. Dropping it publishes nothing and keeps what the last `close` of the
/// upload made durable.
#[async_trait]
pub trait DriverWriter: Send + Sync {
    /// Takes the whole chunk or, when it fails or its future is dropped, none of it. After a
    /// failure the next write may be tried.
    async fn write(&mut self, chunk: Bytes) -> Result<()>;

    /// How many bytes were accepted since the upload began, those before a resume and those still
    /// buffered included.
    fn size(&self) -> u64;

    /// Makes what was accepted durable, for a later `Append` that finds exactly `size()` bytes,
    /// zero included.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) if another writer that resumed the same upload ended it.
    async fn close(&mut self) -> Result<()>;

    /// Publishes what was accepted as the content of the path, atomically and durably. A failed
    /// commit first tries to leave what was accepted resumable.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) if another writer that resumed the same upload ended
    /// it, if the content that an append started from was replaced, or as for `put_content`.
    async fn commit(&mut self) -> Result<()>;

    /// Removes every trace of the upload.
    async fn cancel(&mut self) -> Result<()>;
}

/// A walk of a driver's own.
#[async_trait]
pub trait DriverWalk: Send {
    /// The next entry; `None` at the end. Files have size and time; each directory comes just
    /// before its first descendant. After an error the walk is over.
    async fn next(&mut self) -> Result<Option<FileInfo>>;

    /// The next entry, as `next` would return it, if it is at hand; `None`: ask `next`. Whoever asks
    /// here first saves a future on the heap for each entry of a walk that reads ahead.
    fn at_hand(&mut self) -> Option<FileInfo> {
        None
    }

    /// Leaves out what lies below the directory that was returned last; after a file it does
    /// nothing.
    fn skip_dir(&mut self);
}
