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
use storagedriver_testsuites::faults::{
    Fault, FaultProxy, Life, Mark, Rule, Schedule, end_uploads, gcs, survive,
};

/// How many faults each way of uploading survives.
const FAULTS: u64 = 2_000;
/// What listings do wrong. No signature covers where one starts, and a page that repeats is noticed.
const LISTING: [Fault; 3] =
    [Fault::TruncateListing { keep: 1, mark: Mark::Truncated }, Fault::IgnoreStartAfter, Fault::RepeatPage];
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

async fn uploads_survive(uploads: &'static str, chunksize: u64) {
    let seed = seed();
    println!("seed {seed}");
    let options = GcsOptions { page_size: 5, rewrite_limit: Some(200_000), ..GcsOptions::default() };
    let server = GcsServer::start(options).unwrap();
    let faults = Fault::survivable().into_iter().chain(LISTING);
    let schedule = Schedule::seeded(seed).rate(0.25).faults(faults).classified_by(gcs::operation);
    let upstream = server.endpoint().trim_start_matches("http://").parse().unwrap();
    let proxy = FaultProxy::start(upstream, schedule).unwrap();
    let mut parameters = parameters(&server.endpoint(), uploads, chunksize);
    parameters.endpoint = format!("http://{}", proxy.address());

    let lives = (0..LIVES)
        .map(|number| Life::new(open(&parameters, 2), seed ^ number, &format!("/life-{number}"), chunksize));
    let calm = survive(lives.collect(), &proxy, FAULTS, || open(&parameters, 3)).await;
    end_uploads(&calm).await.unwrap();
    let left: Vec<_> =
        server.store().uploads("bucket").into_iter().map(|(id, upload)| (id, upload.key)).collect();
    assert!(left.is_empty(), "multipart uploads are left: {left:?}");
    let keys = server.store().keys("bucket");
    let left: Vec<_> = keys.iter().filter(|key| key.contains('~')).collect();
    assert!(left.is_empty(), "objects of uploads are left: {left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_in_parts_survive() {
    uploads_survive("xml", 5 << 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_in_segments_survive() {
    uploads_survive("compose", 256 << 10).await;
}

/// A server and a proxy that does nothing of its own accord.
fn proxied(uploads: &'static str) -> (GcsServer, FaultProxy, Storage) {
    proxied_by(uploads, GcsOptions::default())
}

fn proxied_by(uploads: &'static str, options: GcsOptions) -> (GcsServer, FaultProxy, Storage) {
    let server = GcsServer::start(options).unwrap();
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

/// Files in two directories, ten names to a page.
async fn listed() -> (GcsServer, FaultProxy, Storage) {
    let (server, proxy, storage) = proxied_by("xml", GcsOptions { page_size: 10, ..GcsOptions::default() });
    for number in 0..40 {
        server.store().put("bucket", &format!("root/d/{}/{number:02}", number / 20), "x");
    }
    (server, proxy, storage)
}

async fn walked(storage: &Storage, options: storagedriver::WalkOptions) -> storagedriver::Result<usize> {
    let mut walk = storage.walk("/", options).await?;
    let mut files = 0;
    while let Some(info) = walk.next().await? {
        files += usize::from(info.is_file());
    }
    Ok(files)
}

#[tokio::test]
async fn a_page_that_is_cut_loses_no_name() {
    for keep in [0, 1, 9] {
        let (_server, proxy, storage) = listed().await;
        let cut = || Rule::new(Fault::TruncateListing { keep, mark: Mark::Truncated }).on(gcs::LIST).times(3);
        proxy.inject(cut());
        assert_eq!(walked(&storage, storagedriver::WalkOptions::new()).await.unwrap(), 40, "{keep} kept");
        assert_eq!(proxy.rules_left(), 0);
        proxy.inject(cut());
        storage.delete("/d").await.unwrap();
        assert!(storage.stat("/d").await.unwrap_err().is_not_found());
    }
}

#[tokio::test]
async fn a_page_that_repeats_is_noticed() {
    let (_server, proxy, storage) = listed().await;
    proxy.inject(Rule::new(Fault::RepeatPage).on(gcs::LIST));
    let error = walked(&storage, storagedriver::WalkOptions::new()).await.unwrap_err();
    assert_eq!(error.kind(), storagedriver::ErrorKind::Corrupted, "{error}");
    assert_eq!(proxy.rules_left(), 0);
    assert_eq!(walked(&storage, storagedriver::WalkOptions::new()).await.unwrap(), 40);
}

/// Every walk and delete under storms of what listings do wrong: all names, or an error that says so.
#[tokio::test]
async fn listings_show_all_or_say_that_they_cannot() {
    let server = GcsServer::start(GcsOptions { page_size: 4, ..GcsOptions::default() }).unwrap();
    let schedule = Schedule::seeded(seed()).rate(0.2).faults(LISTING).classified_by(gcs::operation);
    let upstream = server.endpoint().trim_start_matches("http://").parse().unwrap();
    let proxy = FaultProxy::start(upstream, schedule).unwrap();
    let mut parameters = parameters(&server.endpoint(), "xml", 5 << 20);
    parameters.endpoint = format!("http://{}", proxy.address());
    let storage = open(&parameters, 1);
    let place = |number: usize| format!("/d/{}/{number:02}", number / 8);
    let (mut whole, mut noticed) = (0, 0);
    let mut see = |seen: storagedriver::Result<bool>| match seen {
        Ok(right) => {
            assert!(right, "names are missing, or shown twice");
            whole += 1;
        }
        Err(error) => {
            assert_eq!(error.kind(), storagedriver::ErrorKind::Corrupted, "{error}");
            noticed += 1;
        }
    };
    while proxy.counts().faults() < 500 {
        for number in 0..32 {
            server.store().put("bucket", &format!("root{}", place(number)), "x");
        }
        for start in [0, 7, 13, 30] {
            let key = storage.stat(&place(start)).await.unwrap().key();
            let options = storagedriver::WalkOptions::new().after(key);
            see(walked(&storage, options).await.map(|seen| seen == 31 - start));
        }
        see(storage.list("/d").await.map(|found| found.len() == 4));
        let deleted = storage.delete("/d").await;
        let left = server.store().keys("bucket").len();
        see(deleted.map(|()| left == 0));
    }
    println!("{whole} whole, {noticed} noticed: {:?}", proxy.counts().by_fault);
    assert!(whole > 100 && noticed > 100, "{whole} whole, {noticed} noticed");
    assert!(LISTING.iter().all(|fault| proxy.counts().by_fault.contains_key(fault.name())));
}
