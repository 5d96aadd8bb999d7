//! The backend: what the engine asks of a store, as Cloud Storage does it.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use storagedriver::url::Url;
use storagedriver::{RedirectRequest, Result, Version, async_trait};
use storagedriver_object::http::{HeaderValue, HttpClient, HttpOptions};
use storagedriver_object::{
    Condition, Description, Download, ListRequest, Object, ObjectStoreBackend, OpenUpload, Page, Part,
    PutOptions, StoreError, StoreResult,
};

use crate::GcsParameters;
use crate::client::{Client, Gcs};
use crate::credentials::{Credentials, Environment, Source, find};
use crate::listing::{PAGE, go_generation};
use crate::parameters::invalid;
use crate::place::Place;

/// How many keys one call of `delete` takes; they are deleted one by one, several at once.
const DELETE_BATCH: usize = 100;

/// A bucket of Google Cloud Storage, as the engine sees it.
#[derive(Debug)]
pub struct GcsBackend {
    client: Client,
    description: Description,
    /// Whether the endpoint ignores most conditions, and takes generations in their place.
    emulator: bool,
}

impl GcsBackend {
    /// The bucket that the parameters name. Reads the files that hold credentials; makes no request.
    ///
    /// # Errors
    /// `InvalidParameter` if the credentials cannot be read or are of a kind that is not known, or the endpoint is
    /// not a URL.
    pub fn new(parameters: &GcsParameters) -> Result<Self> {
        Self::with_options(parameters, parameters.http())
    }

    /// The same, with other settings of the HTTP client than those of the parameters.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_options(parameters: &GcsParameters, options: HttpOptions) -> Result<Self> {
        let place = Place::new(&parameters.endpoint, &parameters.bucket)
            .map_err(|wrong| invalid("endpoint", wrong))?;
        let iam = Url::parse(&parameters.iamendpoint)
            .map_err(|wrong| invalid("iamendpoint", format!("is not a URL: {wrong}")))?;
        let user_project = match parameters.userproject.as_deref().map(HeaderValue::from_str) {
            Some(Ok(project)) => Some(project),
            Some(Err(_)) => return Err(invalid("userproject", "has characters that no project has")),
            None => None,
        };
        let source = if parameters.anonymous {
            Source::Anonymous
        } else {
            let json = parameters.credentials.as_ref().map(crate::parameters::json);
            find(parameters.keyfile.as_deref(), json, &Environment::of_process())
                .map_err(|(parameter, wrong)| invalid(parameter, wrong))?
        };
        // TLS with the system's certificates can be set up; what is left is the user agent.
        let http = HttpClient::new("gcs", options)
            .map_err(|error| invalid("useragent", format!("or the set-up of TLS: {error}")))?;
        let credentials = Credentials::new(source, http.clone());
        let service = Gcs { bucket: parameters.bucket.clone(), credentials, user_project };
        Ok(GcsBackend {
            client: Client { http, service: Arc::new(service), place, iam },
            description: describe(parameters),
            emulator: parameters.emulator,
        })
    }
}

/// What the service has: <https://cloud.google.com/storage/quotas>.
fn describe(parameters: &GcsParameters) -> Description {
    let multipart = parameters.uploads == "xml";
    let mut description = Description::FULL;
    description.multipart = multipart;
    description.min_part = if multipart { 5 << 20 } else { 1 };
    description.copy_part = false;
    // Also without multipart uploads there are those of the Go driver.
    description.lists_uploads = true;
    description.page = PAGE;
    description.delete_batch = DELETE_BATCH;
    // A rewrite takes what it takes, in as many calls as that needs.
    description.max_copy = u64::MAX;
    description.conditional_complete = !multipart && !parameters.emulator;
    description
}

#[async_trait]
impl ObjectStoreBackend for GcsBackend {
    fn name(&self) -> &str {
        "gcs"
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

    async fn delete_version(&self, key: &str, version: &Version) -> StoreResult<()> {
        let name = if self.emulator { "generation" } else { "ifGenerationMatch" };
        self.client.delete_one(key, &[(name, version.as_str())]).await
    }

    async fn copy(&self, from: &str, to: &str, version: Option<&Version>) -> StoreResult<Option<Version>> {
        let name = if self.emulator { "sourceGeneration" } else { "ifSourceGenerationMatch" };
        let conditions: Vec<_> = version.iter().map(|version| (name, version.as_str())).collect();
        match self.client.rewrite(from, to, &conditions).await {
            // Of a generation that is gone an emulator says only that.
            Err(StoreError::NotFound) if self.emulator && version.is_some() => {
                self.client.head(from).await?;
                Err(StoreError::Precondition)
            }
            copied => copied,
        }
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
        match go_generation(id) {
            Some(generation) => {
                let name = if self.emulator { "generation" } else { "ifGenerationMatch" };
                self.client.delete_one(key, &[(name, generation)]).await
            }
            None => self.client.abort(key, id).await,
        }
    }

    async fn open_uploads(&self, prefix: &str) -> StoreResult<Vec<OpenUpload>> {
        let mut found = self.client.go_sessions(prefix).await?;
        if self.description.multipart {
            found.extend(self.client.multipart_uploads(prefix).await?);
        }
        Ok(found)
    }

    async fn concatenate(
        &self,
        key: &str,
        segments: &[String],
        options: &PutOptions,
    ) -> StoreResult<Version> {
        self.client.concatenate(key, segments, options).await
    }

    async fn presign(&self, key: &str, request: &RedirectRequest) -> StoreResult<Option<Url>> {
        self.client.presign(key, request).await
    }
}
