//! Drivers on an S3 server in the process of the test.
#![allow(dead_code, reason = "no test binary uses all of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use storagedriver::{Parameters, Storage};
use storagedriver_s3::{Profile, S3Options as Options, S3Parameters, profile};
use storagedriver_testservers::{S3Options, S3Server};
use storagedriver_testsuites::{BoxError, Harness, Scale, Store, async_trait};

/// The least part of the servers here: small, so that few bytes make many parts.
pub(crate) const MIN_PART: u64 = 1024;

/// The profile of that name, with parts as small as the servers here take them.
pub(crate) fn small(name: &str) -> Profile {
    let mut small = profile(name).expect("a profile of that name").clone();
    small.min_part = MIN_PART;
    small
}

/// The parameters of a driver on a server.
pub(crate) fn parameters(endpoint: &str, root: &str) -> S3Parameters {
    let mut parameters = S3Parameters::parse(Parameters::from_iter([
        ("bucket", "bucket"),
        ("regionendpoint", endpoint),
        ("accesskey", "access"),
        ("secretkey", "secret"),
        ("rootdirectory", root),
    ]))
    .expect("valid parameters");
    parameters.chunksize = 4 * MIN_PART;
    parameters.multipartcopychunksize = 8 * MIN_PART;
    parameters.multipartcopythresholdsize = Some(100_000);
    parameters
}

pub(crate) fn open(endpoint: &str, root: &str, profile: Profile) -> Storage {
    let options = Options::new("s3").with_profile(profile);
    parameters(endpoint, root).into_storage_with(options).expect("a driver")
}

/// A server as the profile of that name says that it is.
pub(crate) fn options() -> S3Options {
    S3Options { min_part: MIN_PART, ..S3Options::default() }
}

/// Opens a root of its own on one server for each case.
pub(crate) struct Servers {
    pub(crate) server: Arc<S3Server>,
    pub(crate) profile: Profile,
    pub(crate) chunk: u64,
}

static ROOTS: AtomicU64 = AtomicU64::new(0);

impl Servers {
    pub(crate) fn new(options: S3Options, profile: Profile) -> Self {
        let server = S3Server::start(options).expect("a server");
        Servers { server: Arc::new(server), profile, chunk: 4 * MIN_PART }
    }
}

#[async_trait]
impl Harness for Servers {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        let root = format!("/roots/{}", ROOTS.fetch_add(1, Ordering::Relaxed));
        let opened =
            Opened { server: self.server.clone(), profile: self.profile.clone(), root, chunk: self.chunk };
        Ok(Box::new(opened))
    }

    fn scale(&self) -> Scale {
        let mut scale = Scale::default();
        scale.children = 120;
        scale.concurrency = 8;
        scale.rounds = 4;
        scale.large = 1 << 20;
        scale.boundaries = vec![self.chunk, 64 << 10];
        // A request whose connection was dropped may still be on its way through the server.
        let scale = scale.with_settle(std::time::Duration::from_millis(300));
        if self.profile.page < 100 { scale.with_page_size(self.profile.page) } else { scale }
    }
}

struct Opened {
    server: Arc<S3Server>,
    profile: Profile,
    root: String,
    chunk: u64,
}

impl Opened {
    fn make(&self) -> Result<Storage, BoxError> {
        let mut parameters = parameters(&self.server.endpoint(), &self.root);
        parameters.chunksize = self.chunk;
        Ok(parameters.into_storage_with(Options::new("s3").with_profile(self.profile.clone()))?)
    }
}

#[async_trait]
impl Store for Opened {
    fn storage(&self) -> Storage {
        self.make().expect("a driver")
    }

    async fn another(&self) -> Result<Option<Storage>, BoxError> {
        Ok(Some(self.make()?))
    }
}
