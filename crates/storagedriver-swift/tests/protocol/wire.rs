//! What is sent: which requests, with which headers.

use storagedriver::Storage;
use storagedriver_testservers::{SwiftOptions, SwiftServer};

use crate::server::parameters;
use crate::{MIB, content, upload};

/// A server, and a storage on it that has its token already and knows what the cluster has.
pub(crate) async fn wire(options: SwiftOptions) -> (SwiftServer, Storage) {
    let server = SwiftServer::start(options).unwrap();
    let storage = parameters(&server.endpoint()).into_storage().unwrap();
    assert_eq!(server.requests().count(), 0, "making a driver makes no request");
    storage.put_content("/first", "content").await.unwrap();
    storage.delete("/first").await.unwrap();
    server.requests().clear();
    (server, storage)
}

/// Distribution's driver waits for the sum of what it sends to be compared.
#[tokio::test]
async fn every_put_names_the_sum_of_its_bytes() {
    let (server, storage) = wire(SwiftOptions::default()).await;
    storage.put_content("/a", "content").await.unwrap();
    upload(&storage, "/b", &content(3 * MIB)).await;
    let puts = server.requests().matching(|request| request.method.as_str() == "PUT");
    for put in &puts {
        let names_it = put.header("etag").is_some() || put.query.contains("multipart-manifest=put");
        assert!(names_it, "{put:?}");
    }
    assert!(puts.len() > 5);
}

#[tokio::test]
async fn everything_that_is_read_is_the_newest() {
    let (server, storage) = wire(SwiftOptions::default()).await;
    storage.put_content("/a", "content").await.unwrap();
    storage.get_content("/a").await.unwrap();
    storage.stat("/a").await.unwrap();
    let reads = server.requests().matching(|request| matches!(request.method.as_str(), "GET" | "HEAD"));
    assert!(reads.len() >= 2 && reads.iter().all(|read| read.header("x-newest") == Some("true")));
}

#[tokio::test]
async fn many_are_deleted_by_one_request() {
    let (server, storage) = wire(SwiftOptions::default()).await;
    for number in 0..50 {
        server.store().put("container", &format!("some/root/files/d/{number:02}"), "x");
    }
    storage.delete("/d").await.unwrap();
    let bulk = server.requests().matching(|request| request.query.contains("bulk-delete"));
    assert_eq!(bulk.len(), 1);
    assert!(server.store().keys("container").is_empty());
}
