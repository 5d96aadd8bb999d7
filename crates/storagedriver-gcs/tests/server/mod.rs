//! A server in the process of the test, and drivers on it.
#![allow(dead_code)]

use std::time::Duration;

use storagedriver::{Parameters, Storage};
use storagedriver_gcs::{GcsBackend, GcsParameters};
use storagedriver_object::http::HttpOptions;
use storagedriver_testservers::{GcsOptions, GcsServer};
use storagedriver_testsuites::{BoxError, Harness, Scale, Store, async_trait};

/// Makes a server of its own for each case.
pub(crate) struct Servers {
    uploads: &'static str,
    chunksize: u64,
    options: GcsOptions,
}

impl Servers {
    /// Large content in parts.
    pub(crate) fn xml() -> Self {
        Servers {
            uploads: "xml",
            chunksize: 5 << 20,
            options: GcsOptions { page_size: 100, ..GcsOptions::default() },
        }
    }

    /// Large content in segments that are composed, so small that trees are made of them; copies in many steps.
    pub(crate) fn compose() -> Self {
        let options = GcsOptions { rewrite_limit: Some(1 << 20), page_size: 100, ..GcsOptions::default() };
        Servers { uploads: "compose", chunksize: 256 << 10, options }
    }
}

#[async_trait]
impl Harness for Servers {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        let server = GcsServer::start(self.options.clone())?;
        let parameters = parameters(&server.endpoint(), self.uploads, self.chunksize);
        Ok(Box::new(Opened { storage: parameters.clone().into_storage()?, parameters, server }))
    }

    fn scale(&self) -> Scale {
        // A request whose future was dropped may be with the server, and is done there.
        let mut scale =
            Scale::default().with_settle(Duration::from_millis(100)).with_part_size(self.chunksize);
        scale.children = 250;
        scale.with_page_size(self.options.page_size)
    }
}

struct Opened {
    parameters: GcsParameters,
    storage: Storage,
    server: GcsServer,
}

#[async_trait]
impl Store for Opened {
    fn storage(&self) -> Storage {
        self.storage.clone()
    }

    async fn another(&self) -> Result<Option<Storage>, BoxError> {
        Ok(Some(self.parameters.clone().into_storage()?))
    }
}

/// Parameters for the bucket of a server; the token is asked of the server, too.
pub(crate) fn parameters(endpoint: &str, uploads: &'static str, chunksize: u64) -> GcsParameters {
    let mut credentials = Parameters::new();
    for (name, value) in [
        ("type", "authorized_user"),
        ("client_id", "client"),
        ("client_secret", "secret"),
        ("refresh_token", "refresh"),
    ] {
        credentials.insert(name, value);
    }
    credentials.insert("token_uri", format!("{endpoint}/token"));
    let mut parameters = GcsParameters::new("bucket");
    endpoint.clone_into(&mut parameters.endpoint);
    parameters.credentials = Some(credentials);
    parameters.rootdirectory = "/some/root/".to_owned();
    parameters.uploads = uploads;
    parameters.chunksize = chunksize;
    parameters
}

/// A storage that waits little between attempts.
pub(crate) fn impatient(parameters: &GcsParameters, attempts: u32) -> Result<Storage, BoxError> {
    let mut options = HttpOptions::default();
    options.attempts = attempts;
    options.first_wait = Duration::from_millis(1);
    options.max_wait = Duration::from_millis(20);
    options.stall_timeout = Duration::from_secs(5);
    Ok(parameters.storage(GcsBackend::with_options(parameters, options)?)?)
}
