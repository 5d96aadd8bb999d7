//! The backend: what the engine asks, in requests.

use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use storagedriver::url::Url;
use storagedriver::{ErrorKind, RedirectRequest, Result, Version, async_trait};
use storagedriver_object::http::{HeaderValue, HttpClient, Method, header};
use storagedriver_object::{
    Condition, Description, Download, ListRequest, Object, ObjectStoreBackend, Page, Part, PutOptions,
    StoreError, StoreResult,
};

use crate::AzureParameters;
use crate::blob::{Blob, quoted};
use crate::client::Client;
use crate::copy::{Patience, is_replaceable};
use crate::credentials::Credentials;
use crate::hierarchy::Hierarchy;
use crate::location::Location;
use crate::parameters::invalid;
use crate::service::AzureService;
use crate::signatures::Signatures;
use crate::{listing, uploads};

/// How many single deletes are on their way at once.
const DELETES: usize = 16;

/// What the service takes, from its scalability targets:
/// <https://learn.microsoft.com/azure/storage/blobs/scalability-targets>
const DESCRIPTION: Description = {
    let mut description = Description::FULL;
    description.min_part = 1;
    description.max_part = 4000 << 20;
    description.max_parts = 50_000;
    description.copy_part = false;
    description.lists_uploads = false;
    description.page = 5000;
    description.delete_batch = 256;
    // More is allowed; but what breaks off is sent again from the beginning.
    description.max_put = 256 << 20;
    description.max_copy = u64::MAX;
    description
};

/// A container of Azure Blob Storage, as a flat object store.
#[derive(Debug)]
pub struct AzureBackend {
    client: Client,
    description: Description,
    patience: Patience,
    signatures: Signatures,
    hierarchy: Hierarchy,
}

impl AzureBackend {
    /// The container that the parameters name. Makes no request.
    ///
    /// # Errors
    /// `InvalidParameter` if parameters contradict each other or something is missing.
    pub fn new(parameters: &AzureParameters) -> Result<Self> {
        let account = parameters.account()?;
        let http = HttpClient::new("azure", parameters.http())
            .map_err(|error| invalid("skipverify", format!("TLS cannot be set up: {error}")))?;
        let location = Location::new(
            &account.name,
            &parameters.container,
            &account.endpoint,
            &parameters.rootdirectory,
            parameters.slash()?,
        );
        let mut description = DESCRIPTION;
        description.key_limit -= location.lead_length();
        let name = account.name.clone();
        let service = AzureService::new(&name, Credentials::new(account, http.connector())?);
        Ok(AzureBackend {
            client: Client { http, service: Arc::new(service), location },
            description,
            patience: Patience {
                looks: match parameters.max_retries {
                    0 => Some(5),
                    looks => u32::try_from(looks).ok(),
                },
                // Without any wait it would ask without end.
                delay: parameters.retry_delay.max(Duration::from_millis(1)),
                stall: parameters.stalltimeout,
            },
            signatures: Signatures::default(),
            hierarchy: Hierarchy::default(),
        })
    }
}

/// The value of `Range`; a range to the end of all numbers is one to the end of the blob.
fn bytes_of(range: &Range<u64>) -> HeaderValue {
    let last = match range.end {
        u64::MAX => String::new(),
        end => end.saturating_sub(1).to_string(),
    };
    // Digits and a dash are always a header.
    HeaderValue::from_str(&format!("bytes={}-{last}", range.start))
        .unwrap_or_else(|_| HeaderValue::from_static("bytes=0-"))
}

#[async_trait]
impl ObjectStoreBackend for AzureBackend {
    fn name(&self) -> &str {
        "azure"
    }

    fn description(&self) -> &Description {
        &self.description
    }

    async fn head(&self, key: &str) -> StoreResult<Object> {
        self.client.head(key).await?.whole()
    }

    async fn get(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        version: Option<&Version>,
    ) -> StoreResult<Download> {
        let mut request =
            self.client.request("GetBlob", Method::GET, self.client.location.blob(key)?, Bytes::new())?;
        let rest = request.clone();
        if let Some(range) = &range {
            request.headers.insert(header::RANGE, bytes_of(range));
        }
        if let Some(version) = version {
            request = request.header(header::IF_MATCH, &quoted(version))?;
        }
        let range = range.unwrap_or(0..u64::MAX);
        // What is resumed demands the version that the first reply tells.
        let begun: Arc<OnceLock<HeaderValue>> = Arc::default();
        let version = begun.clone();
        let resume = move |delivered: u64| {
            let mut request = rest.clone();
            let range = range.start.saturating_add(delivered)..range.end;
            request.headers.insert(header::RANGE, bytes_of(&range));
            if let Some(version) = version.get() {
                request.headers.insert(header::IF_MATCH, version.clone());
            }
            request
        };
        let service = self.client.service.clone();
        let (head, stream) = match self.client.http.download(service, request, Box::new(resume)).await {
            // Some servers say of what is not there that it has another version.
            Err(StoreError::Precondition) => {
                self.head(key).await?;
                return Err(StoreError::Precondition);
            }
            opened => opened?,
        };
        let object = Blob::of(key, &head).map_err(|refusal| refusal.into_error("GetBlob"))?.whole()?;
        let tag = HeaderValue::from_str(&quoted(&object.version));
        let tag = tag.map_err(|error| {
            StoreError::failed(ErrorKind::Backend, "the ETag is none that can be sent").with_source(error)
        })?;
        let _ = begun.set(tag);
        Ok(Download { object, stream })
    }

    async fn put(&self, key: &str, content: Bytes, options: &PutOptions) -> StoreResult<Version> {
        self.hierarchy.refuse(&self.client).await?;
        let (mark, condition) = (options.mark.as_deref(), options.condition.as_ref());
        match self.client.put_blob(key, content.clone(), mark, condition).await {
            Err(StoreError::Failed(failure)) if failure.kind() == ErrorKind::Conflict => {
                match self.client.other_type(key).await {
                    // A blob of another type is not replaced, it has to go first.
                    Ok(Some(there)) if is_replaceable(condition, &there) => {
                        self.client.delete(key, Some(&there)).await?;
                        self.client.put_blob(key, content, mark, Some(&Condition::Absent)).await
                    }
                    Ok(Some(_)) => Err(StoreError::Precondition),
                    _ => Err(StoreError::Failed(failure)),
                }
            }
            put => put,
        }
    }

    async fn list(&self, request: &ListRequest) -> StoreResult<Page> {
        listing::page(&self.client, request).await
    }

    async fn delete(&self, keys: &[String]) -> StoreResult<()> {
        stream::iter(keys.to_vec())
            .map(|key| async move { self.client.delete(&key, None).await.map(drop) })
            .buffer_unordered(DELETES)
            .try_collect()
            .await
    }

    async fn delete_version(&self, key: &str, version: &Version) -> StoreResult<()> {
        self.client.delete(key, Some(version)).await.map(drop)
    }

    async fn copy(&self, from: &str, to: &str, version: Option<&Version>) -> StoreResult<Option<Version>> {
        self.client.copy((from, version), to, None, &self.patience).await.map(Some)
    }

    async fn begin_upload(&self, _key: &str, mark: &str) -> StoreResult<String> {
        self.hierarchy.refuse(&self.client).await?;
        uploads::begin(mark)
    }

    async fn put_part(&self, key: &str, id: &str, number: u32, content: Bytes) -> StoreResult<String> {
        uploads::put_part(&self.client, key, id, number, content).await
    }

    async fn complete(
        &self,
        key: &str,
        id: &str,
        parts: &[Part],
        condition: Option<&Condition>,
    ) -> StoreResult<Version> {
        uploads::complete(&self.client, (key, id), parts, condition, &self.patience).await
    }

    async fn abort(&self, key: &str, id: &str) -> StoreResult<()> {
        uploads::abort(&self.client, key, id).await
    }

    async fn presign(&self, key: &str, request: &RedirectRequest) -> StoreResult<Option<Url>> {
        self.signatures.url(&self.client, key, request).await
    }
}
