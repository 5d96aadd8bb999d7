//! What is sent: how many requests, and which.

use storagedriver::{RedirectRequest, Storage};
use storagedriver_testservers::{SwiftOptions, SwiftServer};
use storagedriver_testsuites::{Costs, costs};

use crate::server::parameters;
use crate::{MIB, content, upload};

/// A server, and a storage on it that has its token already and knows what the cluster has.
async fn wire(options: SwiftOptions) -> (SwiftServer, Storage) {
    let server = SwiftServer::start(options).unwrap();
    let storage = parameters(&server.endpoint()).into_storage().unwrap();
    assert_eq!(server.requests().count(), 0, "making a driver makes no request");
    storage.put_content("/first", "content").await.unwrap();
    storage.delete("/first").await.unwrap();
    server.requests().clear();
    (server, storage)
}

fn count(server: &SwiftServer) -> usize {
    let count = server.requests().count();
    server.requests().clear();
    count
}

#[tokio::test]
async fn operations_cost_what_the_page_says() {
    let (server, storage) = wire(SwiftOptions::default()).await;
    // Of the first redirect: the keys of the container and of the account are asked for, and one is made.
    storage.redirect_url(&RedirectRequest::get(), "/first").await.unwrap();
    let found = costs(&storage, || count(&server)).await.unwrap();
    // A rename looks at both ends, and a delete at what it deletes: it may be a manifest. No put has a condition, so
    // each time that a session is written anew it is looked at first.
    let stated = Costs { registry_upload: 26, rename: 6, delete_of_file: 6, ..Costs::OBJECT_ENGINE };
    assert_eq!(found, stated);
}

#[tokio::test]
async fn large_uploads_cost_two_requests_a_segment() {
    let (server, storage) = wire(SwiftOptions::default()).await;
    upload(&storage, "/a", &content(4 * MIB)).await;
    // 4 segments; the sessions that there are, record, session, claim, record, manifest, record, claim, session.
    assert_eq!(count(&server), 11 + 2 * 4);
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
