//! The backend: what the engine asks of a store, as Swift does it.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use storagedriver::url::Url;
use storagedriver::{RedirectRequest, Result, Version, async_trait};
use storagedriver_object::http::{HttpClient, HttpOptions};
use storagedriver_object::{
    Condition, Description, Download, ListRequest, Object, ObjectStoreBackend, OpenUpload, Page, Part,
    PutOptions, StoreResult,
};
use tokio::sync::OnceCell;

use crate::SwiftParameters;
use crate::account::Account;
use crate::claims::Moves;
use crate::client::{Client, Swift};
use crate::identity::Identity;
use crate::layout::Layout;
use crate::listing::PAGE;
use crate::parameters::invalid;
use crate::tempurl::TempUrls;

/// After this a claim counts as left behind.
const CLAIM_AGE: Duration = Duration::from_secs(600);

/// A container of Swift, as the engine sees it.
#[derive(Debug)]
pub struct SwiftBackend {
    client: Client,
    description: Description,
}

impl SwiftBackend {
    /// The container that the parameters name. Makes no request.
    ///
    /// # Errors
    /// `InvalidParameter` if `authurl` is not a URL, if what the version of the identity API needs is missing (`username`,
    /// `password`, `applicationcredentialsecret`, `authversion`), or if `container` or `prefix` cannot be names.
    pub fn new(parameters: &SwiftParameters) -> Result<Self> {
        Self::with_options(parameters, parameters.http(), CLAIM_AGE)
    }

    /// The same, with other settings of the HTTP client than those of the parameters, and another age at which what was
    /// left behind by renames, deletes and commits that were cut short is told of as an upload (10 minutes otherwise).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_options(
        parameters: &SwiftParameters,
        options: HttpOptions,
        claim_age: Duration,
    ) -> Result<Self> {
        let identity = Identity::new(parameters)?;
        let container = &parameters.container;
        if container.is_empty() || container.contains('/') || container.len() > 256 {
            return Err(invalid("container", "is a name of 1 to 256 bytes without a slash"));
        }
        if parameters.prefix.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(invalid("prefix", "has a component . or .., which no URL can name"));
        }
        // TLS with the system's certificates can be set up; what is left is the user agent.
        let http = HttpClient::new("swift", options)
            .map_err(|error| invalid("useragent", format!("or the set-up of TLS: {error}")))?;
        let account = Account::new(http.clone(), identity);
        let client = Client {
            http,
            service: Arc::new(Swift { container: container.clone(), account }),
            layout: Layout::new(&parameters.prefix),
            cluster: OnceCell::new(),
            temp_urls: TempUrls::new(parameters),
            moves: Moves::default(),
            claim_age,
        };
        Ok(SwiftBackend { client, description: describe() })
    }
}

/// What every cluster has: the defaults of <https://docs.openstack.org/swift/latest/api/large_objects.html>.
fn describe() -> Description {
    let mut description = Description::FULL;
    description.min_part = 1 << 20;
    // As many as a static manifest takes. Segments grow, so they hold more than 5 TiB.
    description.max_parts = 1000;
    description.copy_part = false;
    description.page = PAGE;
    // A manifest is copied whatever it stands for; what is plain is no larger than a put.
    description.max_copy = u64::MAX;
    description.conditional_put = false;
    description.conditional_complete = false;
    description.conditional_copy = false;
    description.conditional_delete = false;
    description.consistent_listings = false;
    description
}

#[async_trait]
impl ObjectStoreBackend for SwiftBackend {
    fn name(&self) -> &str {
        "swift"
    }

    fn description(&self) -> &Description {
        &self.description
    }

    async fn head(&self, key: &str) -> StoreResult<Object> {
        self.client.head(key).await
    }

    async fn get(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        version: Option<&Version>,
    ) -> StoreResult<Download> {
        self.client.get(key, range, version).await
    }

    async fn put(&self, key: &str, content: Bytes, options: &PutOptions) -> StoreResult<Version> {
        self.client.put(key, content, options).await
    }

    async fn list(&self, request: &ListRequest) -> StoreResult<Page> {
        self.client.list(request).await
    }

    async fn delete(&self, keys: &[String]) -> StoreResult<()> {
        self.client.delete(keys).await
    }

    async fn copy(&self, from: &str, to: &str, _: Option<&Version>) -> StoreResult<Option<Version>> {
        self.client.copy(from, to).await
    }

    async fn begin_upload(&self, key: &str, mark: &str) -> StoreResult<String> {
        self.client.begin_upload(key, mark).await
    }

    async fn put_part(&self, key: &str, id: &str, number: u32, content: Bytes) -> StoreResult<String> {
        self.client.put_part(key, id, number, content).await
    }

    async fn complete(
        &self,
        key: &str,
        id: &str,
        parts: &[Part],
        _: Option<&Condition>,
    ) -> StoreResult<Version> {
        self.client.complete(key, id, parts).await
    }

    async fn abort(&self, key: &str, id: &str) -> StoreResult<()> {
        self.client.abort(key, id).await
    }

    async fn open_uploads(&self, prefix: &str) -> StoreResult<Vec<OpenUpload>> {
        self.client.open_uploads(prefix).await
    }

    async fn presign(&self, key: &str, request: &RedirectRequest) -> StoreResult<Option<Url>> {
        self.client.presign(key, request).await
    }
}
