//! The suite, on each vendor's driver, made of its own parameters, and a server with its rules.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use storagedriver::Storage;
use storagedriver_testservers::S3Server;
use storagedriver_testsuites::{BoxError, Harness, Scale, Store, async_trait};

use crate::vendors::{PART, Vendor};

/// So many names in a page: fewer than the largest directory has.
const PAGE: usize = 12;

/// Opens a root of its own on one server for each case.
struct Servers {
    vendor: Vendor,
    server: Arc<S3Server>,
}

impl Servers {
    fn new(vendor: Vendor) -> Self {
        Servers { vendor, server: Arc::new(S3Server::start((vendor.rules)()).expect("a server")) }
    }
}

#[async_trait]
impl Harness for Servers {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        static ROOTS: AtomicU64 = AtomicU64::new(0);
        let root = format!("/roots/{}", ROOTS.fetch_add(1, Ordering::Relaxed));
        Ok(Box::new(Opened { vendor: self.vendor, server: self.server.clone(), root }))
    }

    fn scale(&self) -> Scale {
        let mut scale = Scale::default().with_page_size(PAGE);
        scale.children = 2 * PAGE + 3;
        // The crate storagedriver-s3 runs it at length; here it is the profiles that are tried.
        scale.concurrency = 4;
        scale.rounds = 1;
        scale.large = 128 << 10;
        scale.boundaries = vec![PART];
        // A request whose connection was dropped may still be on its way through the server.
        scale.with_settle(Duration::from_millis(300))
    }
}

struct Opened {
    vendor: Vendor,
    server: Arc<S3Server>,
    root: String,
}

#[async_trait]
impl Store for Opened {
    fn storage(&self) -> Storage {
        let preset = self.vendor.small(&self.server, PAGE, &[("rootdirectory", &self.root)]);
        preset.into_storage().expect("a driver")
    }

    async fn another(&self) -> Result<Option<Storage>, BoxError> {
        Ok(Some(self.storage()))
    }
}

mod oss {
    storagedriver_testsuites::register_suite!(super::Servers::new(crate::vendors::OSS));
}

mod obs {
    storagedriver_testsuites::register_suite!(super::Servers::new(crate::vendors::OBS));
}

mod bos {
    storagedriver_testsuites::register_suite!(super::Servers::new(crate::vendors::BOS));
}

mod us3 {
    storagedriver_testsuites::register_suite!(super::Servers::new(crate::vendors::US3));
}

mod storj {
    storagedriver_testsuites::register_suite!(super::Servers::new(crate::vendors::STORJ));
}
