//! Single objects: told of, read, put, deleted.

use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::StreamExt;
use md5::{Digest, Md5};
use storagedriver::url::Url;
use storagedriver::{ErrorKind, Version};
use storagedriver_object::http::{HeaderName, Method, Refusal, ReplyHead, Request, StatusCode, header};
use storagedriver_object::{Download, Object, StoreError, StoreResult};

use crate::client::Client;
use crate::layout::Set;
use crate::uploads::hex;

/// The mark of an object.
pub(crate) const MARK: HeaderName = HeaderName::from_static("x-object-meta-storagedriver-mark");
/// The set of segments that a manifest names, its last number and how many there are.
pub(crate) const SET: HeaderName = HeaderName::from_static("x-object-meta-storagedriver-set");
/// How many bytes the segments of a dynamic manifest are.
pub(crate) const SIZE: HeaderName = HeaderName::from_static("x-object-meta-storagedriver-size");
/// What the names of the segments of a dynamic manifest begin with.
pub(crate) const MANIFEST: HeaderName = HeaderName::from_static("x-object-manifest");
const STATIC: &str = "x-static-large-object";
/// What Distribution's driver says of everything.
pub(crate) const CONTENT: &str = "application/octet-stream";

/// An object, and what it is to the store.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) object: Object,
    /// Whether it is a manifest.
    pub(crate) is_large: bool,
    /// The segments that it is the manifest of, if they are ours to remove.
    pub(crate) set: Option<Set>,
    /// The size that a dynamic manifest was published with.
    expected: Option<u64>,
}

impl Found {
    pub(crate) fn refers_to(&self, set: &Set) -> bool {
        self.set.as_ref().is_some_and(|own| own.name == set.name)
    }
}

impl Client {
    /// What is at a key.
    pub(crate) async fn look(&self, key: &str) -> StoreResult<Found> {
        let request = Request::new("HEAD object", Method::HEAD, self.url(key, &[]).await?);
        self.exchange(&request, |head, _| {
            let size = head.content_length()?;
            Ok(self.told(head, key, size))
        })
        .await
    }

    /// What is at a key, if anything is.
    pub(crate) async fn find(&self, key: &str) -> StoreResult<Option<Found>> {
        match self.look(key).await {
            Ok(found) => Ok(Some(found)),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether a key is the manifest of these segments.
    pub(crate) async fn refers(&self, key: &str, set: &Set) -> StoreResult<bool> {
        Ok(self.find(key).await?.is_some_and(|found| found.refers_to(set)))
    }

    pub(crate) async fn head(&self, key: &str) -> StoreResult<Object> {
        let found = self.look(key).await?;
        // A listing that is late shows less, and what was put is there all the same.
        let size = found.expected.unwrap_or(found.object.size);
        Ok(Object { size, ..found.object })
    }

    /// What the head of a reply tells of an object of this size.
    fn told(&self, head: &ReplyHead, key: &str, size: u64) -> Found {
        let manifest = head.header(&MANIFEST);
        let is_static = head.header(STATIC).is_some_and(|told| told.eq_ignore_ascii_case("true"));
        let kept = head.header(&SET).and_then(Set::parse);
        let set = match manifest {
            Some(manifest) => {
                let named = self.layout.parse_manifest(self.container(), manifest);
                // The manifest counts: what it says of itself may have been copied from elsewhere.
                named.map(|named| kept.filter(|kept| kept.name == named.name).unwrap_or(named))
            }
            None => kept.filter(|_| is_static),
        };
        let expected = head.header(&SIZE).and_then(|text| text.parse().ok()).filter(|_| manifest.is_some());
        let stamp = head.header("x-timestamp").unwrap_or_default();
        let etag = head.header(header::ETAG).map(|etag| etag.trim_matches('"'));
        Found {
            object: Object {
                key: key.to_owned(),
                size,
                modified: modified(head, stamp),
                // The entity tag of a dynamic manifest with more segments than a page of names is left out.
                version: Version::new(etag.filter(|etag| !etag.is_empty()).unwrap_or(stamp)),
                mark: head.header(&MARK).map(str::to_owned),
            },
            is_large: is_static || manifest.is_some(),
            set,
            expected,
        }
    }

    pub(crate) async fn get(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        version: Option<&Version>,
    ) -> StoreResult<Download> {
        let url = self.url(key, &[]).await?;
        let request = ranged(Request::new("GET object", Method::GET, url.clone()), range.as_ref())?;
        let read = Arc::new(OnceLock::new());
        let resume = resume(url, range.clone(), &read)?;
        let (head, stream) = self.http.download(self.service.clone(), request, resume).await?;
        let start = range.map_or(0, |range| range.start);
        let size = whole_size(&head, start).ok_or_else(|| {
            let reason = format!("GET object of {key}: the reply has other bytes than those asked for");
            StoreError::failed(ErrorKind::Backend, reason)
        })?;
        let found = self.told(&head, key, size);
        // The reply itself says what it is of. A condition would not do: Ceph compares it with the manifest's tag.
        if version.is_some_and(|version| *version != found.object.version) {
            return Err(StoreError::Precondition);
        }
        if found.expected.is_some_and(|expected| expected != size) {
            let reason = format!(
                "GET object of {key}: the container's listing, which its dynamic manifest is made of, does not show all \
                 of its segments, or shows others too; try again later"
            );
            return Err(StoreError::failed(ErrorKind::Unavailable, reason));
        }
        let _ = read.set(found.object.version.to_string());
        let stream = stream.map(|chunk| {
            chunk.map_err(|error| match error {
                // What was read from is gone, and the rest of it with it.
                StoreError::NotFound => StoreError::Precondition,
                error => error,
            })
        });
        Ok(Download { object: found.object, stream: stream.boxed() })
    }

    /// All of a small object, if there is one.
    pub(crate) async fn read(&self, key: &str) -> StoreResult<Option<(ReplyHead, Bytes)>> {
        let request = Request::new("GET record", Method::GET, self.url(key, &[]).await?);
        match self.exchange(&request, |head, body| Ok((head.clone(), body))).await {
            Ok(read) => Ok(Some(read)),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The request that puts these bytes: the service compares them with their sum.
    pub(crate) async fn put_request(
        &self,
        what: &'static str,
        key: &str,
        query: &[(&str, &str)],
        content: Bytes,
    ) -> StoreResult<Request> {
        let sum = md5_hex(&content);
        let request = Request::new(what, Method::PUT, self.url(key, query).await?)
            .header(header::CONTENT_TYPE, CONTENT)?
            .body(content);
        // A manifest's tag is not that of its text.
        if query.is_empty() { request.header(header::ETAG, &sum) } else { Ok(request) }
    }

    /// Sends a put, and again if the container was missing.
    pub(crate) async fn send_put(&self, request: &Request) -> StoreResult<Version> {
        match self.send_put_as_is(request).await {
            Err(StoreError::NotFound) => {
                self.make_container().await?;
                self.send_put_as_is(request).await
            }
            put => put,
        }
    }

    /// Sends a put that refers to other objects: it may be one of those that is missing.
    pub(crate) async fn send_put_as_is(&self, request: &Request) -> StoreResult<Version> {
        self.exchange(request, |head, _| {
            let etag =
                head.header(header::ETAG).ok_or_else(|| Refusal::unreadable("the reply has no ETag"))?;
            Ok(Version::new(etag.trim_matches('"')))
        })
        .await
    }

    /// Deletes one object and nothing that it refers to; one that is absent is no error.
    pub(crate) async fn delete_one(&self, key: &str) -> StoreResult<()> {
        let request = Request::new("DELETE object", Method::DELETE, self.url(key, &[]).await?);
        match self.exchange(&request, |_, _| Ok(())).await {
            Err(StoreError::NotFound) => Ok(()),
            deleted => deleted,
        }
    }
}

/// When an object was written. `Last-Modified` is in whole seconds, rounded up.
fn modified(head: &ReplyHead, stamp: &str) -> SystemTime {
    let exact = stamp.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let exact = exact.and_then(|since| UNIX_EPOCH.checked_add(since));
    let rounded = || head.header(header::LAST_MODIFIED).and_then(|text| httpdate::parse_http_date(text).ok());
    // Never too old: what looks old is reaped.
    exact.or_else(rounded).unwrap_or_else(SystemTime::now)
}

fn ranged(request: Request, range: Option<&Range<u64>>) -> StoreResult<Request> {
    match range {
        None => Ok(request),
        Some(range) if range.end == u64::MAX => {
            request.header(header::RANGE, &format!("bytes={}-", range.start))
        }
        Some(range) => {
            request.header(header::RANGE, &format!("bytes={}-{}", range.start, range.end.saturating_sub(1)))
        }
    }
}

/// Makes the requests for the rest of a download, of the version that it began with.
fn resume(
    url: Url,
    range: Option<Range<u64>>,
    read: &Arc<OnceLock<String>>,
) -> StoreResult<Box<dyn Fn(u64) -> Request + Send + Sync>> {
    let read = read.clone();
    let range = range.unwrap_or(0..u64::MAX);
    let plain = Request::new("GET object", Method::GET, url);
    Ok(Box::new(move |delivered| {
        let etag = format!("\"{}\"", read.get().map(String::as_str).unwrap_or_default());
        let rest = range.start.saturating_add(delivered)..range.end;
        // Digits, and a tag that came in a header: always headers.
        let request = plain.clone().header(header::IF_MATCH, &etag);
        request.and_then(|request| ranged(request, Some(&rest))).unwrap_or_else(|_| plain.clone())
    }))
}

/// The size of the object that a reply has a range of.
fn whole_size(head: &ReplyHead, start: u64) -> Option<u64> {
    if head.status != StatusCode::PARTIAL_CONTENT {
        return head.content_length().ok().filter(|_| start == 0);
    }
    let (within, total) = head.header(header::CONTENT_RANGE)?.strip_prefix("bytes ")?.split_once('/')?;
    // Other bytes than those asked for must not pass for them.
    (within.split_once('-')?.0.parse() == Ok(start)).then_some(())?;
    total.parse().ok()
}

pub(crate) fn md5_hex(content: &[u8]) -> String {
    hex(&Md5::digest(content))
}
