//! The suite, on servers in this process that have and lack what stores do. Stores without order, and those that take
//! parts of one size alone, are in `storagedriver-systemtests`: it runs the suite for `storj` and `us3`.
#![expect(clippy::expect_used, reason = "a failed expectation fails the test")]

mod servers;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use servers::{MIN_PART, parameters};
use storagedriver::Storage;
use storagedriver_s3::{Profile, S3Options as Options};
use storagedriver_testservers::{S3Options, S3Server};
use storagedriver_testsuites::{BoxError, Harness, Scale, Store, async_trait};

/// Opens a root of its own on one server for each case.
struct Servers {
    server: Arc<S3Server>,
    profile: Profile,
    chunk: u64,
}

static ROOTS: AtomicU64 = AtomicU64::new(0);

impl Servers {
    fn new(options: S3Options, profile: Profile) -> Self {
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

/// Amazon's: all there is.
mod aws {
    use super::Servers;
    use super::servers::{options, small};
    use storagedriver_testsuites::{register_histories, register_state_machine, register_suite};

    fn harness() -> Servers {
        let mut profile = small("aws");
        profile.page = 50;
        Servers::new(options(), profile)
    }

    register_suite!(harness());

    mod machine {
        super::register_state_machine!(super::harness());
    }

    mod histories {
        super::register_histories!(super::harness());
    }
}

/// A store without conditional writes.
mod generic {
    use super::Servers;
    use super::servers::{options, small};
    use storagedriver_testservers::{ConditionalWrites, PartSizes, S3Options};

    storagedriver_testsuites::register_suite!(Servers::new(
        S3Options {
            conditional_writes: ConditionalWrites::Ignored,
            part_sizes: PartSizes::Equal,
            batch_delete_md5: true,
            url_encoding: false,
            ..options()
        },
        small("generic")
    ));
}

/// A store that completes an upload only with all the parts that it was sent, as Ceph does.
mod all_parts_named {
    use super::Servers;
    use super::servers::{options, small};
    use storagedriver_testservers::{ConditionalWrites, S3Options};

    storagedriver_testsuites::register_suite!(Servers::new(
        S3Options { conditional_writes: ConditionalWrites::Ignored, stray_parts: false, ..options() },
        small("ceph")
    ));
}

/// Version 1 of listings, one delete at a time, no copies of parts.
mod bare {
    use super::Servers;
    use super::servers::{options, small};
    use storagedriver_s3::ListVersion;
    use storagedriver_testservers::{ConditionalWrites, ListV2, S3Options};

    storagedriver_testsuites::register_suite!({
        let mut profile = small("gcs-interop");
        profile.list = ListVersion::V1;
        profile.lists_uploads = false;
        profile.page = 30;
        Servers::new(
            S3Options {
                list_v2: ListV2::Refused,
                batch_delete: false,
                part_copy: false,
                lists_uploads: false,
                storage_class_and_acl: false,
                conditional_writes: ConditionalWrites::Refused,
                url_encoding: false,
                ..options()
            },
            profile,
        )
    });
}
