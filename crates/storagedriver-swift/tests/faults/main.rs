//! Under storms of faults no acknowledged byte is lost and none is seen twice, and afterwards nothing is left over.
//!
//! The faults are the same whenever the seed is; `STORAGEDRIVER_FAULT_SEED=n` draws others.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

#[path = "../server/mod.rs"]
mod server;

use std::time::Duration;

use server::parameters;
use storagedriver::Storage;
use storagedriver_object::ObjectDriver;
use storagedriver_object::http::HttpOptions;
use storagedriver_swift::{SwiftBackend, SwiftParameters};
use storagedriver_testservers::{SwiftOptions, SwiftServer};
use storagedriver_testsuites::faults::{Fault, FaultProxy, Life, Schedule, survive, swift};

/// How many faults each kind of large object survives.
const FAULTS: u64 = 500;
/// How many lives go on at once, each on paths of its own.
const LIVES: u64 = 8;

fn seed() -> u64 {
    std::env::var("STORAGEDRIVER_FAULT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_240_607)
}

/// Few attempts, so that what fails is seen by the engine, and little waiting.
fn open(parameters: &SwiftParameters, attempts: u32) -> Storage {
    let mut http = HttpOptions::default();
    http.attempts = attempts;
    http.first_wait = Duration::from_millis(1);
    http.max_wait = Duration::from_millis(4);
    http.stall_timeout = Duration::from_secs(20);
    let mut options = parameters.options();
    // At the end every upload is told of, however young.
    options.orphan_age = Duration::ZERO;
    Storage::new(ObjectDriver::new(
        SwiftBackend::with_options(parameters, http, Duration::ZERO).unwrap(),
        options,
    ))
}

async fn uploads_survive(options: SwiftOptions) {
    let seed = seed();
    println!("seed {seed}");
    let server = SwiftServer::start(options).unwrap();
    let schedule = Schedule::seeded(seed).rate(0.2).faults(Fault::survivable());
    let schedule = schedule.classified_by(swift::operations_in("container"));
    let upstream = server.endpoint().trim_start_matches("http://").parse().unwrap();
    let proxy = FaultProxy::start(upstream, schedule).unwrap();
    let parameters = parameters(&format!("http://{}", proxy.address()));

    let lives = (0..LIVES).map(|number| {
        Life::new(open(&parameters, 3), seed ^ number, &format!("/life-{number}"), parameters.chunksize)
    });
    let calm = survive(lives.collect(), &proxy, FAULTS, || open(&parameters, 3)).await;
    swift::end_uploads(&calm).await.unwrap();
    // What is left are files and their segments.
    let keys = server.store().keys("container");
    let left: Vec<_> =
        keys.iter().filter(|key| ["~", "/claims/", "/open/"].iter().any(|part| key.contains(part))).collect();
    assert!(left.is_empty(), "objects of uploads are left: {left:?}");
    let mut held = std::collections::BTreeSet::new();
    for key in keys.iter().filter(|key| key.contains("/files/")) {
        let object = server.store().object("container", key).unwrap();
        if let Some(set) = object.metadata.get("storagedriver-set") {
            held.insert(set.split(' ').next().unwrap().to_owned());
        }
    }
    let orphans: Vec<_> = keys
        .iter()
        .filter_map(|key| key.split_once("/segments/")?.1.rsplit_once('/'))
        .filter(|(set, _)| !held.contains(*set))
        .collect();
    assert!(orphans.is_empty(), "segments are left that no manifest names: {orphans:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn static_large_objects_survive() {
    uploads_survive(SwiftOptions::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dynamic_large_objects_survive() {
    let options = SwiftOptions {
        info: false,
        static_large_objects: false,
        bulk_delete: false,
        ..SwiftOptions::default()
    };
    uploads_survive(options).await;
}
