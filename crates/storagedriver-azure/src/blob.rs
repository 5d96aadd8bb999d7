//! A blob, as the headers of a reply or a listing tell of it.

use std::time::SystemTime;

use storagedriver::{ErrorKind, Version};
use storagedriver_object::http::{HeaderName, Refusal, ReplyHead};
use storagedriver_object::{Object, StoreError, StoreResult};

use crate::service::hierarchical;
use crate::xml::Listed;

/// The metadata that holds the mark.
pub(crate) const MARK: HeaderName = HeaderName::from_static("x-ms-meta-storagedriver_mark");
pub(crate) const COPY_ID: HeaderName = HeaderName::from_static("x-ms-copy-id");
pub(crate) const COPY_STATUS: HeaderName = HeaderName::from_static("x-ms-copy-status");
pub(crate) const COPY_PROGRESS: HeaderName = HeaderName::from_static("x-ms-copy-progress");
pub(crate) const BLOB_TYPE: HeaderName = HeaderName::from_static("x-ms-blob-type");
const RESOURCE_TYPE: HeaderName = HeaderName::from_static("x-ms-resource-type");

/// What a head tells.
#[derive(Debug, Clone)]
pub(crate) struct Blob {
    pub(crate) object: Object,
    pub(crate) copy_id: Option<String>,
    pub(crate) copy_status: Option<String>,
    pub(crate) copy_progress: Option<String>,
    pub(crate) blob_type: Option<String>,
    is_hierarchical: bool,
}

impl Blob {
    pub(crate) fn of(key: &str, head: &ReplyHead) -> Result<Self, Refusal> {
        let text = |name: HeaderName| head.header(name.as_str()).map(str::to_owned);
        let size = match head.header("content-range") {
            // `bytes 0-9/100`
            Some(range) => range
                .rsplit_once('/')
                .and_then(|(_, size)| size.parse().ok())
                .ok_or_else(|| Refusal::unreadable("the reply does not tell the size of the blob"))?,
            None => head.content_length()?,
        };
        let modified = head.header("last-modified").and_then(|text| httpdate::parse_http_date(text).ok());
        Ok(Blob {
            object: Object {
                key: key.to_owned(),
                size,
                modified: modified.unwrap_or(SystemTime::UNIX_EPOCH),
                version: etag(head)?,
                mark: text(MARK),
            },
            copy_id: text(COPY_ID),
            copy_status: text(COPY_STATUS),
            copy_progress: text(COPY_PROGRESS),
            blob_type: text(BLOB_TYPE),
            is_hierarchical: head.headers.contains_key(RESOURCE_TYPE),
        })
    }

    /// The object, if there is one: while it is being copied to there is none yet, and a copy that
    /// failed leaves an empty blob that is none.
    pub(crate) fn whole(self) -> StoreResult<Object> {
        if self.is_hierarchical {
            return Err(hierarchical());
        }
        match self.copy_status.as_deref() {
            Some("pending") => Err(StoreError::failed(
                ErrorKind::Unavailable,
                format!("a copy to {:?} is not done yet; try again", self.object.key),
            )),
            Some("failed" | "aborted") if self.object.size == 0 => Err(StoreError::NotFound),
            _ => Ok(self.object),
        }
    }
}

/// The version of what a reply is about.
pub(crate) fn etag(head: &ReplyHead) -> Result<Version, Refusal> {
    head.header("etag").map(version).ok_or_else(|| Refusal::unreadable("the reply has no ETag"))
}

/// Listings tell ETags without quotes, heads with them.
pub(crate) fn version(etag: &str) -> Version {
    Version::new(etag.trim().trim_matches('"'))
}

/// A version as a condition wants it.
pub(crate) fn quoted(version: &Version) -> String {
    format!("\"{}\"", version.as_str())
}

/// An object of a listing; `None` for what is no whole one.
pub(crate) fn listed(key: String, entry: Listed) -> StoreResult<Option<Object>> {
    if entry.resource_type.is_some() {
        return Err(hierarchical());
    }
    let is_whole = match entry.copy_status.as_deref() {
        Some("pending") => false,
        Some("failed" | "aborted") => entry.size > 0,
        _ => true,
    };
    Ok(is_whole.then(|| Object {
        key,
        size: entry.size,
        modified: entry.modified.unwrap_or(SystemTime::UNIX_EPOCH),
        version: version(&entry.etag),
        mark: None,
    }))
}
