//! How many requests each operation makes: the table in `docs/s3.md`.

use storagedriver::{Storage, WalkOptions};
use storagedriver_s3::{Profile, S3Options as Options};
use storagedriver_testservers::{S3Options, S3Server};
use storagedriver_testsuites::{Costs, costs};

use crate::open;
use crate::servers::{parameters, small};

/// Amazon's sizes, and pages of so many names.
fn amazon(page: usize) -> (S3Server, Storage) {
    let server = S3Server::start(S3Options::default()).unwrap();
    let mut profile = storagedriver_s3::profile("aws").unwrap().clone();
    profile.page = page;
    let mut parameters = parameters(&server.endpoint(), "");
    parameters.chunksize = 10 << 20;
    parameters.multipartcopythresholdsize = Some(32 << 20);
    parameters.multipartcopychunksize = 8 << 20;
    let storage = parameters.into_storage_with(Options::new("s3").with_profile(profile)).unwrap();
    (server, storage)
}

fn count(server: &S3Server) -> usize {
    let count = server.requests().count();
    server.requests().clear();
    count
}

#[tokio::test]
async fn of_each_operation() {
    let (server, storage) = amazon(1000);
    assert_eq!(count(&server), 0, "making a driver");
    let found = costs(&storage, || count(&server)).await.unwrap();
    // The copy has the ETag of its source: nobody needs to look at it.
    let stated = Costs { registry_upload: 19, rename: 3, ..Costs::OBJECT_ENGINE };
    assert_eq!(found, stated);
}

#[tokio::test]
async fn of_rename() {
    let (server, storage) = amazon(1000);
    storage.put_content("/a", vec![1; (32 << 20) + 1]).await.unwrap();
    count(&server);
    storage.rename("/a", "/b").await.unwrap();
    // Head, begin, five ranges of 8 MiB, complete, head, delete.
    assert_eq!(count(&server), 5 + 5, "above it");
    assert_eq!(storage.get_content("/b").await.unwrap(), vec![1; (32 << 20) + 1]);
}

#[tokio::test]
async fn of_rename_where_copies_are_references() {
    let server = S3Server::start(S3Options::default()).unwrap();
    let mut chosen = parameters(&server.endpoint(), "");
    chosen.multipartcopythresholdsize = None;
    let options = || Options::new("s3").with_profile(storagedriver_s3::profile("ceph").unwrap().clone());
    let storage = chosen.clone().into_storage_with(options()).unwrap();
    storage.put_content("/a", vec![1; (32 << 20) + 1]).await.unwrap();
    count(&server);
    storage.rename("/a", "/b").await.unwrap();
    assert_eq!(count(&server), 3, "whole, whatever the size");
    chosen.multipartcopythresholdsize = Some(32 << 20);
    let storage = chosen.into_storage_with(options()).unwrap();
    storage.rename("/b", "/a").await.unwrap();
    assert!(count(&server) > 5, "in parts, where that is asked for");
}

#[tokio::test]
async fn of_listings_and_deletes() {
    let (server, storage) = amazon(100);
    for place in 0..1000 {
        server.store().put("bucket", &format!("d/{}/f{place:05}", place % 10), "x");
    }
    assert_eq!(storage.list("/d").await.unwrap().len(), 10);
    assert_eq!(count(&server), 1, "list of 10");
    assert_eq!(storage.list("/d/3").await.unwrap().len(), 100);
    assert_eq!(count(&server), 1, "list of a page");
    let mut walk = storage.walk("/", WalkOptions::new()).await.unwrap();
    let mut entries = 0;
    while walk.next().await.unwrap().is_some() {
        entries += 1;
    }
    assert_eq!((entries, count(&server)), (1011, 10), "walk of 1,000");
    let mut walk = storage.walk("/d", WalkOptions::new()).await.unwrap();
    let mut entries = 0;
    while walk.next().await.unwrap().is_some() {
        entries += 1;
        walk.skip_dir();
    }
    assert_eq!(entries, 10);
    let requests = count(&server);
    assert!(requests <= 11, "a walk of 10 that skips each: {requests}");
    storage.delete("/d").await.unwrap();
    // A page is 100 names here, and a batch 1,000. Two more look for uploads.
    assert_eq!(count(&server), 10 + 1 + 2, "delete of 1,000");
    assert!(server.store().keys("bucket").is_empty());
}

#[tokio::test]
async fn of_deletes_where_there_is_no_batch() {
    let server = S3Server::start(S3Options { batch_delete: false, ..S3Options::default() }).unwrap();
    let profile: Profile = small("oss");
    let storage = open(&server.endpoint(), "", profile);
    for place in 0..50 {
        server.store().put("bucket", &format!("d/f{place:05}"), "x");
    }
    storage.delete("/d").await.unwrap();
    // It lists no open uploads.
    assert_eq!(count(&server), 1 + 50 + 1);
    assert!(server.store().keys("bucket").is_empty());
}
