//! Requests on single blobs, each as the REST interface has it.

use std::sync::Arc;

use bytes::Bytes;
use storagedriver::Version;
use storagedriver::url::Url;
use storagedriver_object::http::{HeaderName, HttpClient, Method, Refusal, ReplyHead, Request, header};
use storagedriver_object::{Condition, StoreError, StoreResult};

use crate::blob::{BLOB_TYPE, Blob, MARK, etag, quoted};
use crate::location::{Location, with_query};
use crate::service::{AzureService, VERSION, VERSION_HEADER};

/// Replies without a body that matters.
pub(crate) const SMALL: usize = 64 << 10;

/// Sends requests to one container.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) http: HttpClient,
    pub(crate) service: Arc<AzureService>,
    pub(crate) location: Location,
}

impl Client {
    /// A request with the version of the interface, and the length of the body, which is signed.
    pub(crate) fn request(
        &self,
        what: &'static str,
        method: Method,
        url: Url,
        body: Bytes,
    ) -> StoreResult<Request> {
        let request = Request::new(what, method, url).header(VERSION_HEADER, VERSION)?;
        if request.method == Method::PUT || request.method == Method::POST {
            let length = body.len().to_string();
            return Ok(request.header(header::CONTENT_LENGTH, &length)?.body(body));
        }
        Ok(request)
    }

    pub(crate) async fn send<T: Send>(
        &self,
        request: &Request,
        limit: usize,
        parse: impl Fn(&ReplyHead, Bytes) -> Result<T, Refusal> + Send + Sync,
    ) -> StoreResult<T> {
        self.http.exchange(&*self.service, request, limit, parse).await
    }

    pub(crate) async fn head(&self, key: &str) -> StoreResult<Blob> {
        let url = self.location.blob(key)?;
        let request = self.request("GetBlobProperties", Method::HEAD, url, Bytes::new())?;
        self.send(&request, SMALL, |head, _| Blob::of(key, head)).await
    }

    /// Whether this error is the service's refusal to put a blob where one of another type is. The
    /// engine knows no such error, so it is told from the blob that is there.
    pub(crate) async fn other_type(&self, key: &str) -> StoreResult<Option<Version>> {
        match self.head(key).await {
            Ok(blob) if blob.blob_type.as_deref().is_some_and(|found| found != "BlockBlob") => {
                Ok(Some(blob.object.version))
            }
            Ok(_) | Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn put_blob(
        &self,
        key: &str,
        content: Bytes,
        mark: Option<&str>,
        condition: Option<&Condition>,
    ) -> StoreResult<Version> {
        let request = self.request("PutBlob", Method::PUT, self.location.blob(key)?, content)?;
        let request = request.header(BLOB_TYPE, "BlockBlob")?;
        let request = marked(conditional(request, condition)?, mark)?;
        self.send(&request, SMALL, |head, _| etag(head)).await
    }

    pub(crate) async fn put_block(&self, key: &str, id: &str, content: Bytes) -> StoreResult<()> {
        let url = with_query(self.location.blob(key)?, &[("comp", "block"), ("blockid", id)]);
        let request = self.request("PutBlock", Method::PUT, url, content)?;
        self.send(&request, SMALL, |_, _| Ok(())).await
    }

    pub(crate) async fn put_block_list(&self, key: &str, list: String, mark: &str) -> StoreResult<Version> {
        let url = with_query(self.location.blob(key)?, &[("comp", "blocklist")]);
        let request = self.request("PutBlockList", Method::PUT, url, list.into())?;
        let request = marked(request.header(header::CONTENT_TYPE, "application/xml")?, Some(mark))?;
        self.send(&request, SMALL, |head, _| etag(head)).await
    }

    /// Deletes a blob; whether it was there.
    pub(crate) async fn delete(&self, key: &str, version: Option<&Version>) -> StoreResult<bool> {
        let url = self.location.blob(key)?;
        let mut request = self.request("DeleteBlob", Method::DELETE, url, Bytes::new())?;
        if let Some(version) = version {
            request = request.header(header::IF_MATCH, &quoted(version))?;
        }
        match self.send(&request, SMALL, |_, _| Ok(())).await {
            Ok(()) => Ok(true),
            Err(StoreError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The request with the demands on what it replaces.
pub(crate) fn conditional(request: Request, condition: Option<&Condition>) -> StoreResult<Request> {
    match condition {
        None => Ok(request),
        Some(Condition::Absent) => request.header(header::IF_NONE_MATCH, "*"),
        Some(Condition::Matches(version)) => request.header(header::IF_MATCH, &quoted(version)),
    }
}

fn marked(request: Request, mark: Option<&str>) -> StoreResult<Request> {
    match mark {
        Some(mark) => request.header(MARK, mark),
        None => Ok(request),
    }
}

/// Names of headers that the list of `http` lacks.
pub(crate) const COPY_SOURCE: HeaderName = HeaderName::from_static("x-ms-copy-source");
pub(crate) const SOURCE_IF_MATCH: HeaderName = HeaderName::from_static("x-ms-source-if-match");
pub(crate) const COPY_ACTION: HeaderName = HeaderName::from_static("x-ms-copy-action");
