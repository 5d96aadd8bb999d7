//! Nothing waits for listings: what they do not show yet is read, renamed and replaced all the same.

use std::time::Duration;

use storagedriver::ErrorKind;
use storagedriver_testservers::{SwiftOptions, SwiftServer};

use crate::server::parameters;
use crate::{MIB, content, impatient, upload};

#[tokio::test]
async fn static_large_objects_need_no_listing() {
    let server = SwiftServer::start(SwiftOptions::default()).unwrap();
    let storage = impatient(&parameters(&server.endpoint()), 1);
    server.freeze_listings(true);
    let content = content(3 * MIB + 5);
    let began = std::time::Instant::now();
    upload(&storage, "/a", &content).await;
    assert_eq!(storage.get_content("/a").await.unwrap(), content);
    assert_eq!(storage.stat("/a").await.unwrap().size(), Some(content.len() as u64));
    storage.rename("/a", "/b").await.unwrap();
    assert_eq!(storage.get_content("/b").await.unwrap(), content);
    storage.put_content("/b", "small").await.unwrap();
    assert_eq!(storage.get_content("/b").await.unwrap(), "small");
    // Segments that no listing shows go, too.
    assert_eq!(server.store().keys("container"), ["some/root/files/b"]);
    storage.delete("/b").await.unwrap();
    assert!(server.store().keys("container").is_empty());
    // Not a measure of speed: Distribution's driver waits up to 15 s for each of these.
    assert!(began.elapsed() < Duration::from_secs(60));
}

/// A dynamic large object is what the listing shows: until that is all, a reader is told to come again.
#[tokio::test]
async fn dynamic_large_objects_are_never_read_in_part() {
    let options = SwiftOptions { static_large_objects: false, ..SwiftOptions::default() };
    let server = SwiftServer::start(options).unwrap();
    let storage = impatient(&parameters(&server.endpoint()), 1);
    let content = content(3 * MIB + 5);
    upload(&storage, "/first", &content).await;
    server.freeze_listings(true);
    upload(&storage, "/a", &content).await;
    assert_eq!(storage.stat("/a").await.unwrap().size(), Some(content.len() as u64));
    let error = storage.get_content("/a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    server.freeze_listings(false);
    assert_eq!(storage.get_content("/a").await.unwrap(), content);
}
