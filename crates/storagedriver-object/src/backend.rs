//! The interface that the author of a backend implements.

use std::fmt::Debug;
use std::ops::Range;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use storagedriver::url::Url;
use storagedriver::{Finding, RedirectRequest, Version, async_trait};

use crate::{Description, Feature, StoreResult};

/// An object, as a `head`, a `get` or a listing tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its key in the bucket.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written.
    pub modified: SystemTime,
    /// What names this state of the object: an ETag, a generation. Equal versions of one key mean
    /// equal bytes.
    pub version: Version,
    /// The mark that it was published with; a listing may leave it out.
    pub mark: Option<String>,
}

/// What a request demands of the object that it replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// It has this version.
    Matches(Version),
    /// There is none.
    Absent,
}

/// How an object is to be published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PutOptions {
    /// Refused with [`StoreError::Precondition`](crate::StoreError::Precondition) unless it holds.
    /// Only given where the [`Description`] has it.
    pub condition: Option<Condition>,
    /// A short text (letters, digits, `-`, `.`) to keep with the object as metadata; `head`
    /// returns it.
    pub mark: Option<String>,
}

/// Where a page of a listing starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Cursor {
    /// At the first name.
    #[default]
    Start,
    /// After this key. Only given where the [`Description`] has it.
    After(String),
    /// Where the page ended that gave this marker, for the same prefix and delimiter.
    Marker(String),
}

/// What to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRequest {
    /// Only keys that start with this.
    pub prefix: String,
    /// Whether keys that have a `/` after the prefix are rolled up to the names up to that `/`.
    pub delimiter: bool,
    /// Where to start.
    pub cursor: Cursor,
    /// The most names to return, rolled up ones counted.
    pub limit: usize,
}

/// One page of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The objects. A page may be empty and not the last.
    pub objects: Vec<Object>,
    /// What was rolled up: prefixes that end in `/`.
    pub prefixes: Vec<String>,
    /// Where the next page starts; `None` if this is the last.
    pub next: Option<String>,
}

/// Content on its way out.
pub struct Download {
    /// The whole object that the range is of.
    pub object: Object,
    /// The range. All of it comes from the version that `object` names, or it ends in an error.
    pub stream: BoxStream<'static, StoreResult<Bytes>>,
}

/// A part of a multipart upload, as `complete` needs it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Part {
    /// Its number, from 1; the parts of an upload ascend, with gaps.
    pub number: u32,
    /// What the store called it when it took it.
    pub tag: String,
    /// Its size in bytes.
    pub size: u64,
}

/// A multipart upload that the store holds open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUpload {
    /// The key that it would publish.
    pub key: String,
    /// The store's name for it.
    pub id: String,
    /// When it was begun.
    pub started: SystemTime,
}

/// A flat object store, as narrow as the engine needs it.
///
/// Every key is whole, without a leading `/`; the backend adds no prefix. A method or a condition
/// that the [`Description`] says the store lacks is only used to find out whether it does
/// (`storagedriver check`): the backend sends what it is asked for, or refuses. Each call is one
/// request where the store allows it; retries of what is safe to retry are the backend's.
/// Dropping a future may leave its request to take effect later.
#[async_trait]
pub trait ObjectStoreBackend: Debug + Send + Sync + 'static {
    /// The name under which the driver is registered: `s3`.
    fn name(&self) -> &str;

    /// What the store has, always the same.
    fn description(&self) -> &Description;

    /// What is at `key`, its mark included.
    async fn head(&self, key: &str) -> StoreResult<Object>;

    /// Reads a range, never an empty one, which is cut at the end of the object; `None`: all of it.
    /// [`Range`](crate::StoreError::Range) if it starts at or past the end,
    /// [`Precondition`](crate::StoreError::Precondition) if `version` is given and not there.
    async fn get(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        version: Option<&Version>,
    ) -> StoreResult<Download>;

    /// Replaces the object, atomically and durably; returns its version.
    async fn put(&self, key: &str, content: Bytes, options: &PutOptions) -> StoreResult<Version>;

    /// One page of keys.
    async fn list(&self, request: &ListRequest) -> StoreResult<Page>;

    /// Deletes at most [`Description::delete_batch`] objects; one that is absent is no error.
    async fn delete(&self, keys: &[String]) -> StoreResult<()>;

    /// Deletes the object if it has this version; one that is absent is no error.
    async fn delete_version(&self, key: &str, version: &Version) -> StoreResult<()> {
        let _ = (key, version);
        Err(crate::StoreError::unsupported("conditional deletes"))
    }

    /// Copies an object of at most [`Description::max_copy`] bytes, its mark included, once the
    /// copy is whole; with `version` only that one, where the [`Description`] has it. Returns the
    /// version of the copy if the store tells it with its answer: a copy that is not found whole
    /// afterwards is then known to have been replaced since, and not to have failed.
    async fn copy(&self, from: &str, to: &str, version: Option<&Version>) -> StoreResult<Option<Version>>;

    /// Moves an object in one step, over what is there; `NotFound` if there is none. Only called where
    /// the [`Description`] has it. Never sent twice: the second would find nothing.
    async fn rename(&self, from: &str, to: &str) -> StoreResult<()> {
        let _ = (from, to);
        Err(crate::StoreError::unsupported("renames"))
    }

    /// Begins a multipart upload; the object will have this mark.
    async fn begin_upload(&self, key: &str, mark: &str) -> StoreResult<String> {
        let _ = (key, mark);
        Err(crate::StoreError::unsupported("multipart uploads"))
    }

    /// Sends a part, replacing the one of that number; returns its tag.
    async fn put_part(&self, key: &str, id: &str, number: u32, content: Bytes) -> StoreResult<String> {
        let _ = (key, id, number, content);
        Err(crate::StoreError::unsupported("multipart uploads"))
    }

    /// Makes a part of a range of `source`, in the version that it names; returns its tag.
    async fn copy_part(
        &self,
        key: &str,
        id: &str,
        number: u32,
        source: &Object,
        range: Range<u64>,
    ) -> StoreResult<String> {
        let _ = (key, id, number, source, range);
        Err(crate::StoreError::unsupported("copies of parts"))
    }

    /// Publishes the parts, in their order; returns the version of the object.
    /// [`NoSuchUpload`](crate::StoreError::NoSuchUpload) if it was completed or aborted.
    async fn complete(
        &self,
        key: &str,
        id: &str,
        parts: &[Part],
        condition: Option<&Condition>,
    ) -> StoreResult<Version> {
        let _ = (key, id, parts, condition);
        Err(crate::StoreError::unsupported("multipart uploads"))
    }

    /// Ends a multipart upload and frees its parts; one that is gone is no error.
    async fn abort(&self, key: &str, id: &str) -> StoreResult<()> {
        let _ = (key, id);
        Err(crate::StoreError::unsupported("multipart uploads"))
    }

    /// All open multipart uploads whose key starts with `prefix`.
    async fn open_uploads(&self, prefix: &str) -> StoreResult<Vec<OpenUpload>> {
        let _ = prefix;
        Err(crate::StoreError::unsupported("listing multipart uploads"))
    }

    /// Publishes the concatenation of the objects `segments`, atomically; what it publishes does
    /// not need them afterwards. Only called where there is no multipart.
    async fn concatenate(
        &self,
        key: &str,
        segments: &[String],
        options: &PutOptions,
    ) -> StoreResult<Version> {
        let _ = (key, segments, options);
        Err(crate::StoreError::unsupported("concatenation"))
    }

    /// A URL at which a client can do `request`; `None` if there is none. Makes no request.
    async fn presign(&self, key: &str, request: &RedirectRequest) -> StoreResult<Option<Url>> {
        let _ = (key, request);
        Ok(None)
    }

    /// What to change in the parameters so that the driver fits what was found out about the store;
    /// `None` if it fits, or if the backend has no such parameter.
    fn suggest(&self, found: &[(Feature, bool)]) -> Option<Finding> {
        let _ = found;
        None
    }
}
