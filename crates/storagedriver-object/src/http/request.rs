//! A request, and the head of its reply.

use std::time::{Duration, SystemTime};

use ::http::header::{CONTENT_LENGTH, RETRY_AFTER};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use bytes::Bytes;
use object_store::client::{HttpRequest, HttpRequestBody};
use storagedriver::ErrorKind;
use storagedriver::url::Url;

use super::Refusal;
use crate::{StoreError, StoreResult};

/// A request that can be sent more than once.
#[derive(Clone)]
pub struct Request {
    /// What it is, in the store's own words: `UploadPart`.
    pub what: &'static str,
    /// The method.
    pub method: Method,
    /// The whole URL, everything in it percent-encoded.
    pub url: Url,
    /// The headers, without those that signing adds.
    pub headers: HeaderMap,
    /// The body; it is shared, not copied, by further attempts.
    pub body: Bytes,
}

/// Without query and headers: both may hold secrets.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("what", &self.what)
            .field("method", &self.method)
            .field("place", &self.place())
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Request {
    /// A request without headers and body.
    pub fn new(what: &'static str, method: Method, url: Url) -> Self {
        Request { what, method, url, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// With a header, in place of another of that name.
    ///
    /// # Errors
    /// The value has characters that no header can have.
    pub fn header(mut self, name: HeaderName, value: &str) -> StoreResult<Self> {
        let value = HeaderValue::from_str(value).map_err(|error| {
            let reason =
                format!("{}: the value of the header {name} has characters that none can have", self.what);
            StoreError::failed(ErrorKind::Backend, reason).with_source(error)
        })?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Where it goes, without the query: for messages.
    pub(crate) fn place(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{host}{port}{}", self.url.path())
    }

    /// As it is signed.
    pub(crate) fn to_http(&self) -> StoreResult<HttpRequest> {
        let mut request = ::http::Request::builder()
            .method(self.method.clone())
            .uri(self.url.as_str())
            .body(HttpRequestBody::from(self.body.clone()))
            .map_err(|error| {
                let reason = format!("{} of {}: the URL is not one", self.what, self.place());
                StoreError::failed(ErrorKind::Backend, reason).with_source(error)
            })?;
        *request.headers_mut() = self.headers.clone();
        Ok(request)
    }
}

/// Status and headers of a reply.
#[derive(Debug, Clone)]
pub struct ReplyHead {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
}

impl ReplyHead {
    /// A header, if it is there and text.
    pub fn header(&self, name: impl AsRef<str>) -> Option<&str> {
        self.headers.get(name.as_ref())?.to_str().ok()
    }

    /// How many bytes the reply has, or would have.
    ///
    /// # Errors
    /// The store does not say so.
    pub fn content_length(&self) -> Result<u64, Refusal> {
        self.header(CONTENT_LENGTH)
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| Refusal::unreadable("the reply does not tell its length"))
    }

    /// How long the store asks to wait: seconds, or a date.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.header(RETRY_AFTER)?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = httpdate::parse_http_date(text).ok()?;
        Some(date.duration_since(SystemTime::now()).unwrap_or_default())
    }
}
