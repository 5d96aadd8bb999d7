//! Signing, and the reading of refusals.

use std::sync::Arc;

use object_store::aws::AwsAuthorizer;
use object_store::client::HttpRequest;
use storagedriver::{ErrorKind, async_trait};
use storagedriver_object::http::{Refusal, ReplyHead, Request, Service};
use storagedriver_object::{StoreError, StoreResult};

use crate::credentials::Credentials;
use crate::digests::unhex;
use crate::refusals;

/// The digest of the body, where it was made before.
pub(crate) const BODY_DIGEST: &str = "x-amz-content-sha256";

/// What all requests of a driver have in common.
#[derive(Debug)]
pub(crate) struct S3Service {
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) region: String,
    pub(crate) bucket: String,
    /// Whether bodies are part of the signature.
    pub(crate) sign_payload: bool,
}

#[async_trait]
impl Service for S3Service {
    async fn authorize(&self, request: &mut HttpRequest) -> StoreResult<()> {
        let credential = self.credentials.get().await?;
        let digest = request.headers_mut().remove(BODY_DIGEST);
        let digest = digest.and_then(|digest| unhex(digest.to_str().ok()?));
        AwsAuthorizer::new(&credential, "s3", &self.region)
            .with_sign_payload(self.sign_payload)
            .try_authorize(request, digest.as_deref())
            .map_err(|error| {
                StoreError::failed(ErrorKind::Backend, "the request could not be signed").with_source(error)
            })
    }

    fn refusal(&self, head: &ReplyHead, body: &[u8]) -> Refusal {
        refusals::read(head, body)
    }

    fn is_transient(&self, refusal: &Refusal) -> bool {
        refusals::is_transient(refusal)
    }

    fn error(&self, request: &Request, refusal: Refusal) -> StoreError {
        refusals::error(request, refusal, &self.bucket)
    }

    fn is_expired(&self, refusal: &Refusal) -> bool {
        refusals::is_expired(refusal)
    }

    async fn renew(&self) -> bool {
        self.credentials.renew()
    }
}
