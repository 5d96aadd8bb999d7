//! Requests to one bucket.

use std::sync::Arc;

use bytes::Bytes;
use object_store::client::HttpRequest;
use storagedriver::async_trait;
use storagedriver::url::Url;
use storagedriver_object::http::{
    HeaderName, HeaderValue, HttpClient, Refusal, ReplyHead, Request, Service, header,
};
use storagedriver_object::{StoreError, StoreResult};

use crate::credentials::Credentials;
use crate::place::Place;
use crate::refusal;

/// The header that names the project which pays for a request.
const USER_PROJECT: HeaderName = HeaderName::from_static("x-goog-user-project");
/// So much of a reply is read: a page of 1,000 names of 1,024 bytes, each escaped.
const REPLY_LIMIT: usize = 16 << 20;

/// What Cloud Storage wants of a request, and says to it.
#[derive(Debug)]
pub(crate) struct Gcs {
    pub(crate) bucket: String,
    pub(crate) credentials: Credentials,
    pub(crate) user_project: Option<HeaderValue>,
}

#[async_trait]
impl Service for Gcs {
    async fn authorize(&self, request: &mut HttpRequest) -> StoreResult<()> {
        if let Some(token) = self.credentials.bearer().await? {
            request.headers_mut().insert(header::AUTHORIZATION, token);
        }
        if let Some(project) = &self.user_project {
            request.headers_mut().insert(USER_PROJECT, project.clone());
        }
        Ok(())
    }

    fn refusal(&self, head: &ReplyHead, body: &[u8]) -> Refusal {
        refusal::read(head, body)
    }

    fn is_transient(&self, refusal: &Refusal) -> bool {
        refusal::is_transient(refusal)
    }

    fn error(&self, request: &Request, refusal: Refusal) -> StoreError {
        refusal::error(&self.bucket, request, refusal)
    }

    fn is_expired(&self, refusal: &Refusal) -> bool {
        refusal.status.as_u16() == 401
    }

    async fn renew(&self) -> bool {
        self.credentials.forget().await
    }
}

/// A bucket, and the way to it.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) http: HttpClient,
    pub(crate) service: Arc<Gcs>,
    pub(crate) place: Place,
    /// The IAM credentials service.
    pub(crate) iam: Url,
}

impl Client {
    /// Sends a request with a small reply.
    pub(crate) async fn exchange<T: Send>(
        &self,
        request: &Request,
        parse: impl Fn(&ReplyHead, Bytes) -> Result<T, Refusal> + Send + Sync,
    ) -> StoreResult<T> {
        self.http.exchange(&*self.service, request, REPLY_LIMIT, parse).await
    }

    /// Sends a request of which only the bucket can be missing.
    pub(crate) async fn exchange_with_bucket<T: Send>(
        &self,
        request: &Request,
        parse: impl Fn(&ReplyHead, Bytes) -> Result<T, Refusal> + Send + Sync,
    ) -> StoreResult<T> {
        refusal::of_bucket(&self.service.bucket, self.exchange(request, parse).await)
    }
}
