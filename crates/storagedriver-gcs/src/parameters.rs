//! What can be configured, and how the factory makes the driver.

use std::sync::Arc;

use serde_json::Value as Json;
use storagedriver::layer::ConcurrencyLimit;
use storagedriver::{Error, Parameters, Registration, Result, Storage, Value};
use storagedriver_object::http::HttpOptions;
use storagedriver_object::{ObjectDriver, ObjectOptions};

use crate::GcsBackend;

/// Chunks are whole multiples of it, as Distribution demands.
const CHUNK_UNIT: u64 = 256 << 10;

storagedriver::parameters! {
    /// Parameters of the driver `gcs`.
    pub struct GcsParameters for "gcs" {
        /// The bucket; it has to exist.
        bucket: String = required,
        /// A file with credentials in JSON: the key of a service account, or what `gcloud` writes. Without it and
        /// `credentials` the application default credentials are used.
        keyfile: Path,
        /// The same JSON as a map. Ignored if there is a `keyfile`.
        credentials: Map,
        /// What all keys begin with; slashes at both ends do not count.
        rootdirectory: String = "",
        /// The size of the first parts of an upload, a multiple of 256 KiB; they grow with it. The service takes no
        /// part of less than 5 MiB, so with `uploads: xml` less counts as that.
        chunksize: Bytes(256 KiB ..= 5 GiB) = 16 MiB,
        /// How many operations run at once, streams and steps of walks included.
        maxconcurrency: Limit(25) = 50,
        /// The `User-Agent` of the requests.
        useragent: String,
        /// Where the service is: another one for a private endpoint, a proxy or an emulator.
        endpoint: String = "https://storage.googleapis.com",
        /// Where the IAM credentials service is, which signs URLs for accounts without a key.
        iamendpoint: String = "https://iamcredentials.googleapis.com",
        /// Whether requests have no credentials: for emulators, and to read public buckets.
        anonymous: Bool = false,
        /// How large content is sent: `xml` in parts of the XML API's multipart uploads, `compose` as segment
        /// objects that the JSON API composes, for endpoints that have no XML API.
        uploads: Choice("xml", "compose") = "xml",
        /// Whether the endpoint is an emulator that ignores conditions on deletes, copies and compositions, as
        /// fake-gcs-server does: generations are named in their place.
        emulator: Bool = false,
        /// The project that pays for the requests, where the bucket lets the requester pay.
        userproject: String,
        /// How long no byte may move before a request counts as dead.
        stalltimeout: Duration(1 s ..) = "60s",
        /// Whether any certificate is taken for the service's: for tests alone.
        skipverify: Bool = false,
    }
}

impl GcsParameters {
    /// The defaults, for this bucket.
    pub fn new(bucket: impl Into<String>) -> Self {
        GcsParameters {
            bucket: bucket.into(),
            keyfile: None,
            credentials: None,
            rootdirectory: String::new(),
            chunksize: 16 << 20,
            maxconcurrency: 50,
            useragent: None,
            endpoint: crate::place::GOOGLE.to_owned(),
            iamendpoint: "https://iamcredentials.googleapis.com".to_owned(),
            anonymous: false,
            uploads: "xml",
            emulator: false,
            userproject: None,
            stalltimeout: std::time::Duration::from_secs(60),
            skipverify: false,
        }
    }

    /// The storage, with the limit of operations at once: what the factory makes. Reads the files that hold
    /// credentials; makes no request.
    ///
    /// # Errors
    /// `InvalidParameter` if `chunksize` is not a multiple of 256 KiB, `rootdirectory` has a component `.` or `..`,
    /// or as [`GcsBackend::new`].
    pub fn into_storage(self) -> Result<Storage> {
        let backend = GcsBackend::new(&self)?;
        self.storage(backend)
    }

    /// The same, of a backend that was made with other settings.
    ///
    /// # Errors
    /// As [`into_storage`](Self::into_storage).
    pub fn storage(&self, backend: GcsBackend) -> Result<Storage> {
        if !self.chunksize.is_multiple_of(CHUNK_UNIT) {
            let reason = format!("is {} bytes, which is not a multiple of {CHUNK_UNIT}", self.chunksize);
            return Err(invalid("chunksize", reason));
        }
        if self.rootdirectory.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(invalid("rootdirectory", "has a component . or .., which no URL can name"));
        }
        let mut options = ObjectOptions::default();
        options.root = self.rootdirectory.trim_matches('/').to_owned();
        options.part_size = self.chunksize;
        let driver = Arc::new(ObjectDriver::new(backend, options));
        Ok(Storage::new(ConcurrencyLimit::new(driver, self.maxconcurrency.max(25))))
    }

    /// The settings of the HTTP client.
    pub(crate) fn http(&self) -> HttpOptions {
        let mut options = HttpOptions::default();
        options.stall_timeout = self.stalltimeout;
        options.skip_verify = self.skipverify;
        if let Some(agent) = &self.useragent {
            options.user_agent.clone_from(agent);
        }
        options
    }
}

pub(crate) fn invalid(parameter: &str, reason: impl Into<String>) -> Error {
    Error::invalid_parameter("gcs", parameter, reason)
}

/// A map of parameters as JSON.
pub(crate) fn json(parameters: &Parameters) -> Json {
    Json::Object(parameters.iter().map(|(name, value)| (name.to_owned(), of_value(value))).collect())
}

fn of_value(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(switch) => Json::Bool(*switch),
        Value::Integer(number) => Json::from(*number),
        Value::Float(number) => Json::from(*number),
        Value::String(text) => Json::String(text.clone()),
        Value::List(items) => Json::Array(items.iter().map(of_value).collect()),
        Value::Map(map) => json(map),
    }
}

/// The registration of the driver `gcs`.
pub const DRIVER: Registration = Registration::new(
    "gcs",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "a bucket of Google Cloud Storage",
    &GcsParameters::TABLE,
    |parameters| Box::pin(async move { GcsParameters::parse(parameters)?.into_storage() }),
);

storagedriver::register!(DRIVER);

#[cfg(test)]
mod tests {
    use storagedriver::{ErrorKind, Factory};

    use super::*;

    fn given(pairs: &[(&str, &str)]) -> Parameters {
        Parameters::from_iter(pairs.iter().copied())
    }

    #[test]
    fn the_defaults_are_those_of_the_table() {
        let parsed = GcsParameters::parse(given(&[("bucket", "layers")])).unwrap();
        assert_eq!(format!("{parsed:?}"), format!("{:?}", GcsParameters::new("layers")));
    }

    #[tokio::test]
    async fn the_factory_makes_it_without_a_request() {
        // Nothing listens there.
        let pairs = [
            ("bucket", "b"),
            ("anonymous", "true"),
            ("endpoint", "http://127.0.0.1:9"),
            ("rootdirectory", "/a/"),
        ];
        let storage = storagedriver::factory::create("gcs", given(&pairs)).await.unwrap();
        assert_eq!(storage.name(), "gcs");
        assert_eq!(storage.backend_key("/x").unwrap().as_deref(), Some("a/x"));
    }

    #[tokio::test]
    async fn what_cannot_be_is_refused_by_name() {
        for (name, value) in [
            ("chunksize", "262145"),
            ("chunksize", "131072"),
            ("rootdirectory", "a/../b"),
            ("endpoint", "storage"),
            ("keyfile", "/nowhere/at/all.json"),
            ("uploads", "resumable"),
        ] {
            let mut parameters = given(&[("bucket", "b"), (name, value)]);
            if name != "keyfile" {
                parameters.insert("anonymous", true);
            }
            let error = Factory::new().with(DRIVER).create("gcs", parameters).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[tokio::test]
    async fn credentials_given_inline_are_read_and_not_shown() {
        let mut credentials =
            given(&[("type", "service_account"), ("client_email", "a@b"), ("private_key_id", "1")]);
        credentials.insert("private_key", "hush");
        let mut parameters = given(&[("bucket", "b")]);
        parameters.insert("credentials", credentials);
        let error = Factory::new().with(DRIVER).create("gcs", parameters.clone()).await.unwrap_err();
        assert!(error.to_string().contains("credentials") && !error.to_string().contains("hush"), "{error}");
        let parsed = GcsParameters::parse(parameters).unwrap();
        assert!(!format!("{parsed:?}").contains("hush"));
    }
}
