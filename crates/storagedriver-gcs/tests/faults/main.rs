//! Under storms of faults no acknowledged byte is lost and none is seen twice, and afterwards nothing is left over.
//!
//! The faults are the same whenever the seed is; `STORAGEDRIVER_FAULT_SEED=n` draws others.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // A failure here fails the test.

#[path = "../server/mod.rs"]
mod server;

use std::time::Duration;

use server::parameters;
use storagedriver::Storage;
use storagedriver_gcs::{GcsBackend, GcsParameters};
use storagedriver_object::http::HttpOptions;
use storagedriver_object::{ObjectDriver, ObjectOptions};
use storagedriver_testservers::{GcsOptions, GcsServer};
use storagedriver_testsuites::faults::{Fault, FaultProxy, Life, Rule, Schedule, gcs};

/// How many faults each way of uploading survives.
const FAULTS: u64 = 2_000;
/// How many lives go on at once, each on paths of its own.
const LIVES: u64 = 8;

fn seed() -> u64 {
    std::env::var("STORAGEDRIVER_FAULT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_240_607)
}

/// Few attempts, so that what fails is seen by the engine, and little waiting.
fn open(parameters: &GcsParameters, attempts: u32) -> Storage {
    let mut http = HttpOptions::default();
    http.attempts = attempts;
    http.first_wait = Duration::from_millis(1);
    http.max_wait = Duration::from_millis(4);
    http.stall_timeout = Duration::from_secs(20);
    let mut options = ObjectOptions::default();
    options.root = "root".to_owned();
    options.part_size = parameters.chunksize;
    // At the end every upload is told of, however young.
    options.orphan_age = Duration::ZERO;
    Storage::new(ObjectDriver::new(GcsBackend::with_options(parameters, http).unwrap(), options))
}

async fn survive(uploads: &'static str, chunksize: u64) {
    let seed = seed();
    println!("seed {seed}");
    let options = GcsOptions { page_size: 5, rewrite_limit: Some(200_000), ..GcsOptions::default() };
    let server = GcsServer::start(options).unwrap();
    let schedule = Schedule::seeded(seed).rate(0.25).classified_by(gcs::operation);
    let upstream = server.endpoint().trim_start_matches("http://").parse().unwrap();
    let proxy = FaultProxy::start(upstream, schedule).unwrap();
    let mut parameters = parameters(&server.endpoint(), uploads, chunksize);
    parameters.endpoint = format!("http://{}", proxy.address());

    let mut lives: Vec<Life> = (0..LIVES)
        .map(|number| Life::new(open(&parameters, 2), seed ^ number, &format!("/life-{number}"), chunksize))
        .collect();
    while proxy.counts().faults() < FAULTS {
        let step = lives.into_iter().map(|mut life| {
            tokio::spawn(async move {
                for _ in 0..10 {
                    life.step().await;
                }
                life
            })
        });
        let mut next = Vec::new();
        for life in futures_util::future::join_all(step).await {
            next.push(life.unwrap());
        }
        lives = next;
    }
    println!(
        "{uploads}: {} requests, {} faults: {:?}",
        proxy.counts().requests,
        proxy.counts().faults(),
        proxy.counts().by_fault
    );
    let mut done = 0;
    for life in &lives {
        println!("{}", life.told());
        done += life.acknowledged();
    }
    assert!(done > 200, "only {done} operations were acknowledged: the faults hid everything");

    proxy.stop_faults();
    let calm = open(&parameters, 3);
    for life in &mut lives {
        life.look(&calm).await;
    }
    calm.abort_stale("/", Duration::ZERO).await.unwrap();
    assert!(calm.uploads("/").await.unwrap().is_empty());
    let left: Vec<_> =
        server.store().uploads("bucket").into_iter().map(|(id, upload)| (id, upload.key)).collect();
    assert!(left.is_empty(), "multipart uploads are left: {left:?}");
    let keys = server.store().keys("bucket");
    let left: Vec<_> = keys.iter().filter(|key| key.contains('~')).collect();
    assert!(left.is_empty(), "objects of uploads are left: {left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_in_parts_survive() {
    survive("xml", 5 << 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_in_segments_survive() {
    survive("compose", 256 << 10).await;
}

/// A server and a proxy that does nothing of its own accord.
fn proxied(uploads: &'static str) -> (GcsServer, FaultProxy, Storage) {
    let server = GcsServer::start(GcsOptions::default()).unwrap();
    let upstream = server.endpoint().trim_start_matches("http://").parse().unwrap();
    let proxy = FaultProxy::start(upstream, Schedule::none().classified_by(gcs::operation)).unwrap();
    let mut parameters = parameters(&server.endpoint(), uploads, 5 << 20);
    parameters.endpoint = format!("http://{}", proxy.address());
    let storage = open(&parameters, 3);
    (server, proxy, storage)
}

/// A hole of `object_store`: it takes the 200 for the completion.
#[tokio::test]
async fn an_error_inside_a_completion_is_no_completion() {
    for applied in [false, true] {
        let (_server, proxy, storage) = proxied("xml");
        let fault = Fault::ErrorInSuccess { code: "InternalError", applied };
        proxy.inject(Rule::new(fault).on(gcs::COMPLETE_MULTIPART_UPLOAD));
        let mut writer = storage.writer("/a", storagedriver::WriteMode::Create).await.unwrap();
        let content = vec![5; (6 << 20) + 1];
        writer.write(content.clone()).await.unwrap();
        writer.commit().await.unwrap();
        assert_eq!(proxy.rules_left(), 0);
        assert_eq!(storage.get_content("/a").await.unwrap(), content, "applied: {applied}");
        assert_eq!(proxy.counts().of(gcs::COMPLETE_MULTIPART_UPLOAD), 2);
    }
}

/// A reply that is cut goes on where it was cut, of the generation that it began with.
#[tokio::test]
async fn a_cut_download_goes_on_with_the_same_generation() {
    let (_server, proxy, storage) = proxied("xml");
    let content: Vec<u8> = (0..3_000_000_u32).map(|number| (number / 7) as u8).collect();
    storage.put_content("/a", content.clone()).await.unwrap();
    proxy.inject(Rule::new(Fault::ResetResponse { after: 1_000_000 }).on(gcs::MEDIA));
    assert_eq!(storage.get_content("/a").await.unwrap(), content);
    let reads: Vec<_> = proxy.log().into_iter().filter(|entry| entry.operation == gcs::MEDIA).collect();
    assert_eq!(reads.len(), 2);
    assert!(reads[1].query.contains("generation="), "{}", reads[1].query);
}

/// The content is replaced while the reader waits: it fails, and never goes on with the other content.
#[tokio::test]
async fn a_cut_download_of_replaced_content_fails() {
    let (server, proxy, storage) = proxied("xml");
    storage.put_content("/a", vec![1; 3_000_000]).await.unwrap();
    proxy.inject(Rule::new(Fault::ResetResponse { after: 100_000 }).on(gcs::MEDIA));
    let mut content = storage.reader("/a", storagedriver::ReadOptions::all()).await.unwrap();
    server.store().put("bucket", "root/a", vec![2; 3_000_000]);
    let mut read = Vec::new();
    let error = loop {
        match content.next().await {
            Some(Ok(chunk)) => read.extend_from_slice(&chunk),
            Some(Err(error)) => break error,
            None => panic!("the reader ended after {} bytes without an error", read.len()),
        }
    };
    assert_eq!(error.kind(), storagedriver::ErrorKind::Conflict, "{error}");
    assert!(read.iter().all(|byte| *byte == 1));
}
