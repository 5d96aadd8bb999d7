//! Under storms of faults no acknowledged byte is lost and none is seen twice, and afterwards nothing is
//! left over.
//!
//! The faults are the same whenever the seed is; `STORAGEDRIVER_FAULT_SEED=n` draws others.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure fails the test")]

mod servers;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use servers::{MIN_PART, options, parameters, small};
use storagedriver::Storage;
use storagedriver_object::http::HttpOptions;
use storagedriver_object::{ObjectDriver, ObjectOptions};
use storagedriver_s3::{Profile, S3Options as Options};
use storagedriver_testservers::{ConditionalWrites, S3Options, S3Server};
use storagedriver_testsuites::faults::{FaultProxy, Life, Schedule, end_uploads, s3, survive};
use storagedriver_testsuites::model::run_state_machine_with_seed;
use storagedriver_testsuites::{BoxError, Harness, Scale, Store, async_trait};

/// How many faults each kind of store survives.
const FAULTS: u64 = 2_000;
/// How many lives go on at once, each on paths of its own.
const LIVES: u64 = 8;

fn seed() -> u64 {
    std::env::var("STORAGEDRIVER_FAULT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_240_607)
}

/// Little waiting.
fn open(endpoint: &str, root: &str, profile: &Profile, attempts: u32, orphan_age: Duration) -> Storage {
    let mut http = HttpOptions::default();
    http.attempts = attempts;
    http.first_wait = Duration::from_millis(1);
    http.max_wait = Duration::from_millis(4);
    http.stall_timeout = Duration::from_secs(20);
    let mut parameters = parameters(endpoint, root);
    parameters.multipartcopythresholdsize = Some(8 * MIN_PART);
    let mut engine = ObjectOptions::default();
    engine.root = root.to_owned();
    engine.part_size = parameters.chunksize;
    engine.orphan_age = orphan_age;
    let chosen = Options::new("s3").with_profile(profile.clone()).with_http(http);
    Storage::new(ObjectDriver::new(parameters.into_backend(chosen).unwrap(), engine))
}

fn faulty(server: &S3Server, seed: u64, rate: f64) -> (FaultProxy, String) {
    let schedule = Schedule::seeded(seed).rate(rate).classified_by(s3::path_style);
    let upstream = server.endpoint().trim_start_matches("http://").parse().unwrap();
    let proxy = FaultProxy::start(upstream, schedule).unwrap();
    let endpoint = format!("http://{}", proxy.address());
    (proxy, endpoint)
}

async fn nothing_is_left(server: &S3Server, calm: &Storage) {
    end_uploads(calm).await.unwrap();
    let left: Vec<_> = server.store().uploads("bucket").into_iter().map(|(_, upload)| upload.key).collect();
    assert!(left.is_empty(), "multipart uploads are left: {left:?}");
    let keys = server.store().keys("bucket");
    let left: Vec<_> = keys.iter().filter(|key| key.contains('~')).collect();
    assert!(left.is_empty(), "objects of uploads are left: {left:?}");
}

/// Few attempts, so that what fails is seen by the engine and by the client.
async fn uploads_survive(served: S3Options, profile: Profile) {
    let seed = seed();
    println!("seed {seed}");
    let server = S3Server::start(served).unwrap();
    let (proxy, endpoint) = faulty(&server, seed, 0.25);
    let lives = (0..LIVES).map(|number| {
        let storage = open(&endpoint, "root", &profile, 2, Duration::ZERO);
        Life::new(storage, seed ^ number, &format!("/life-{number}"), 4 * MIN_PART)
    });
    // Every upload is told of, however young.
    let calm =
        survive(lives.collect(), &proxy, FAULTS, || open(&endpoint, "root", &profile, 3, Duration::ZERO))
            .await;
    nothing_is_left(&server, &calm).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_has_everything_survives() {
    let mut profile = small("aws");
    profile.page = 5;
    uploads_survive(options(), profile).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_without_conditional_writes_survives() {
    let served = S3Options { conditional_writes: ConditionalWrites::Ignored, ..options() };
    uploads_survive(served, small("ceph")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_has_little_survives() {
    let served = S3Options {
        conditional_writes: ConditionalWrites::Refused,
        batch_delete: false,
        part_copy: false,
        storage_class_and_acl: false,
        url_encoding: false,
        ..options()
    };
    uploads_survive(served, small("gcs-interop")).await;
}

/// With attempts enough the driver hides faults: the model sees none.
struct Hiding {
    server: Arc<S3Server>,
    endpoint: String,
}

static ROOTS: AtomicU64 = AtomicU64::new(0);

#[async_trait]
impl Harness for Hiding {
    async fn open(&self) -> Result<Box<dyn Store>, BoxError> {
        let root = format!("/roots/{}", ROOTS.fetch_add(1, Ordering::Relaxed));
        Ok(Box::new(Opened { _server: self.server.clone(), endpoint: self.endpoint.clone(), root }))
    }

    fn scale(&self) -> Scale {
        Scale::network().with_part_size(4 * MIN_PART)
    }
}

struct Opened {
    _server: Arc<S3Server>,
    endpoint: String,
    root: String,
}

#[async_trait]
impl Store for Opened {
    fn storage(&self) -> Storage {
        // An upload that was begun, and begun again because the answer was lost, is nobody's: young as it
        // is, it is not told of.
        open(&self.endpoint, &self.root, &small("aws"), 30, Duration::from_secs(3600))
    }

    async fn another(&self) -> Result<Option<Storage>, BoxError> {
        Ok(Some(self.storage()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_model_sees_no_fault() {
    let server = Arc::new(S3Server::start(options()).unwrap());
    let (proxy, endpoint) = faulty(&server, seed(), 0.1);
    let harness = Hiding { server: server.clone(), endpoint };
    run_state_machine_with_seed(Arc::new(harness), seed(), 60, 40).await.unwrap();
    println!("{} faults hidden: {:?}", proxy.counts().faults(), proxy.counts().by_fault);
    assert!(proxy.counts().faults() > 100);
}
