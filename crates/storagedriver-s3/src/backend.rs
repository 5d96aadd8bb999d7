//! The backend: what its requests have in common, and which request each method makes.

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use storagedriver::url::Url;
use storagedriver::{Finding, Outcome, RedirectRequest, Version, async_trait};
use storagedriver_object::http::{HeaderName, HttpClient, Method, Refusal, ReplyHead, Request};
use storagedriver_object::{
    Condition, Description, Download, Feature, ListRequest, Object, ObjectStoreBackend, OpenUpload, Page,
    Part, PutOptions, StoreResult,
};

use crate::credentials::Credentials;
use crate::digests;
use crate::endpoint::Endpoint;
use crate::presign::presign;
use crate::profile::Profile;
use crate::service::{BODY_DIGEST, S3Service};
use crate::suggest::better;

/// The metadata that holds the mark of an object.
pub(crate) const MARK: &str = "x-amz-meta-storagedriver-mark";
/// More than any reply has but a page of a listing.
pub(crate) const SMALL: usize = 256 << 10;

/// A bucket of a store that speaks the protocol of Amazon S3.
///
/// Made from [`S3Parameters`](crate::S3Parameters). Programs use it through a
/// [`Storage`](storagedriver::Storage); it is public for those who build on the engine.
#[derive(Debug)]
pub struct S3Backend {
    pub(crate) name: &'static str,
    pub(crate) client: HttpClient,
    pub(crate) service: Arc<S3Service>,
    pub(crate) endpoint: Endpoint,
    /// Where URLs for others lead.
    pub(crate) redirect: Endpoint,
    pub(crate) profile: Profile,
    pub(crate) description: Description,
    /// What every new object is to have: type, ACL, encryption, class.
    pub(crate) attributes: Vec<(HeaderName, String)>,
    /// Whether bodies are sent with their MD5.
    pub(crate) content_md5: bool,
}

impl S3Backend {
    /// The quirks of the store that it speaks to.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    pub(crate) fn bucket(&self) -> &str {
        &self.service.bucket
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.service.credentials
    }

    /// A request for an object.
    pub(crate) fn object(
        &self,
        what: &'static str,
        method: Method,
        key: &str,
        query: &[(&str, &str)],
    ) -> StoreResult<Request> {
        Ok(Request::new(what, method, self.endpoint.object(key, query)?))
    }

    /// The same with the headers that say what the new object is to have.
    pub(crate) fn new_object(
        &self,
        what: &'static str,
        method: Method,
        key: &str,
        query: &[(&str, &str)],
    ) -> StoreResult<Request> {
        let mut request = self.object(what, method, key, query)?;
        for (name, value) in &self.attributes {
            request = request.header(name.clone(), value)?;
        }
        Ok(request)
    }

    /// With a body, and its digests if they are signed or asked for.
    pub(crate) async fn with_body(&self, mut request: Request, body: Bytes) -> StoreResult<Request> {
        if self.content_md5 {
            let digest = digests::md5(&body).await?;
            request = request.header(HeaderName::from_static("content-md5"), &digest)?;
        }
        if !self.service.sign_payload {
            return Ok(request.body(body));
        }
        let digest = digests::sha256(&body).await?;
        Ok(request.header(HeaderName::from_static(BODY_DIGEST), &digest)?.body(body))
    }

    /// Sends a request whose reply is at most `limit` bytes.
    pub(crate) async fn exchange<T: Send>(
        &self,
        request: &Request,
        limit: usize,
        parse: impl Fn(&ReplyHead, Bytes) -> Result<T, Refusal> + Send + Sync,
    ) -> StoreResult<T> {
        self.client.exchange(&*self.service, request, limit, parse).await
    }
}

#[async_trait]
impl ObjectStoreBackend for S3Backend {
    fn name(&self) -> &str {
        self.name
    }

    fn description(&self) -> &Description {
        &self.description
    }

    async fn head(&self, key: &str) -> StoreResult<Object> {
        self.head_object(key).await
    }

    async fn get(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        version: Option<&Version>,
    ) -> StoreResult<Download> {
        self.get_object(key, range, version).await
    }

    async fn put(&self, key: &str, content: Bytes, options: &PutOptions) -> StoreResult<Version> {
        self.put_object(key, content, options).await
    }

    async fn list(&self, request: &ListRequest) -> StoreResult<Page> {
        self.list_objects(request).await
    }

    async fn delete(&self, keys: &[String]) -> StoreResult<()> {
        self.delete_objects(keys).await
    }

    async fn delete_version(&self, key: &str, version: &Version) -> StoreResult<()> {
        self.delete_object(key, Some(version)).await
    }

    async fn copy(&self, from: &str, to: &str, version: Option<&Version>) -> StoreResult<Option<Version>> {
        self.copy_object(from, to, version).await
    }

    async fn begin_upload(&self, key: &str, mark: &str) -> StoreResult<String> {
        self.create_multipart_upload(key, mark).await
    }

    async fn put_part(&self, key: &str, id: &str, number: u32, content: Bytes) -> StoreResult<String> {
        self.upload_part(key, id, number, content).await
    }

    async fn copy_part(
        &self,
        key: &str,
        id: &str,
        number: u32,
        source: &Object,
        range: Range<u64>,
    ) -> StoreResult<String> {
        self.upload_part_copy((key, id, number), source, range).await
    }

    async fn complete(
        &self,
        key: &str,
        id: &str,
        parts: &[Part],
        condition: Option<&Condition>,
    ) -> StoreResult<Version> {
        self.complete_multipart_upload(key, id, parts, condition).await
    }

    async fn abort(&self, key: &str, id: &str) -> StoreResult<()> {
        self.abort_multipart_upload(key, id).await
    }

    async fn open_uploads(&self, prefix: &str) -> StoreResult<Vec<OpenUpload>> {
        self.list_multipart_uploads(prefix).await
    }

    fn suggest(&self, found: &[(Feature, bool)]) -> Option<Finding> {
        let better: Vec<_> = better(&self.profile, found).iter().map(|profile| profile.name).collect();
        let finding = Finding::new("the profile of the store", Outcome::No);
        (!better.is_empty()).then(|| finding.with_detail(format!("set profile: {}", better.join(" or "))))
    }

    async fn presign(&self, key: &str, request: &RedirectRequest) -> StoreResult<Option<Url>> {
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Ok(None);
        }
        let url = self.redirect.object(key, &[])?;
        let credential = self.credentials().get().await?;
        let when = (SystemTime::now(), request.expiry);
        Ok(presign(&url, &request.method, &credential, &self.service.region, when))
    }
}
