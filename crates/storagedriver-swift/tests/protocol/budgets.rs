//! How many requests each operation makes: the table in `docs/swift.md`.

use storagedriver::{RedirectRequest, Storage, WalkOptions, WriteMode};
use storagedriver_testservers::{SwiftOptions, SwiftServer};
use storagedriver_testsuites::{Costs, costs};

use crate::server::parameters;
use crate::wire::wire;
use crate::{MIB, content, upload};

fn count(server: &SwiftServer) -> usize {
    let count = server.requests().count();
    server.requests().clear();
    count
}

/// A cluster that has no static large objects.
fn dynamic() -> SwiftOptions {
    SwiftOptions { static_large_objects: false, ..SwiftOptions::default() }
}

async fn walked(storage: &Storage, path: &str, skips: bool) -> usize {
    let mut walk = storage.walk(path, WalkOptions::new()).await.unwrap();
    let mut entries = 0;
    while walk.next().await.unwrap().is_some() {
        entries += 1;
        if skips {
            walk.skip_dir();
        }
    }
    entries
}

#[tokio::test]
async fn of_each_operation() {
    let (server, storage) = wire(SwiftOptions::default()).await;
    // Of the first redirect: the keys of the container and of the account are asked for, one is set, and looked at.
    storage.redirect_url(&RedirectRequest::get(), "/first").await.unwrap();
    assert_eq!(count(&server), 4, "the first redirect");
    let found = costs(&storage, || count(&server)).await.unwrap();
    // A rename looks at both ends, and a delete at what it deletes: it may be a manifest. No put has a condition, so
    // each time that a session is written anew it is looked at first.
    let stated = Costs { registry_upload: 26, rename: 6, delete_of_file: 6, ..Costs::OBJECT_ENGINE };
    assert_eq!(found, stated);
}

/// With the token, and what the cluster has: that is asked when it first matters.
#[tokio::test]
async fn of_the_first_requests() {
    let server = SwiftServer::start(SwiftOptions::default()).unwrap();
    let storage = parameters(&server.endpoint()).into_storage().unwrap();
    assert_eq!(count(&server), 0, "making a driver");
    storage.stat("/").await.unwrap();
    assert_eq!(count(&server), 2, "a token, and a page");
    storage.put_content("/a", "content").await.unwrap();
    assert_eq!(count(&server), 2, "what the cluster has, and the put");
}

#[tokio::test]
async fn of_large_uploads() {
    let (server, storage) = wire(SwiftOptions::default()).await;
    upload(&storage, "/a", &content(4 * MIB)).await;
    // Of each segment itself, and whether its upload goes on. The sessions that there are, record, session; claim, record,
    // manifest, record, claim, session.
    assert_eq!(count(&server), 11 + 2 * 4, "static");
    let (server, storage) = wire(dynamic()).await;
    upload(&storage, "/a", &content(4 * MIB)).await;
    // Segments that no part names are looked for.
    assert_eq!(count(&server), 12 + 2 * 4, "dynamic");
}

#[tokio::test]
async fn of_uploads_that_are_ended() {
    let (server, storage) = wire(SwiftOptions::default()).await;
    let mut writer = storage.writer("/a", WriteMode::Create).await.unwrap();
    for _ in 0..3 {
        writer.write(content(MIB)).await.unwrap();
    }
    writer.close().await.unwrap();
    count(&server);
    storage.uploads("/").await.unwrap();
    assert_eq!(count(&server), 4, "uploads");
    let writer = storage.writer("/a", WriteMode::Append).await.unwrap();
    assert_eq!(count(&server), 2, "append");
    writer.cancel().await.unwrap();
    assert_eq!(count(&server), 11, "cancel");
    assert!(server.store().keys("container").is_empty());
}

#[tokio::test]
async fn of_puts_over_something() {
    let (server, storage) = wire(SwiftOptions::default()).await;
    storage.put_content("/a", "content").await.unwrap();
    count(&server);
    storage.put_content("/a", "other").await.unwrap();
    // The put that is refused, what is there, the put.
    assert_eq!(count(&server), 3, "something else");
    for (segments, removals) in [(2, 2), (4, 1)] {
        upload(&storage, "/a", &content(segments * MIB)).await;
        count(&server);
        storage.put_content("/a", "other").await.unwrap();
        // The put that is refused, what is there, the claim, what is there now, the put, the segments, the claim; few
        // segments go one by one, many at once.
        assert_eq!(count(&server), 7 + removals, "a large object of {segments} segments");
    }
}

#[tokio::test]
async fn of_large_objects() {
    let (server, storage) = wire(SwiftOptions::default()).await;
    upload(&storage, "/a", &content(4 * MIB)).await;
    count(&server);
    storage.get_content("/a").await.unwrap();
    assert_eq!(count(&server), 1, "get");
    storage.stat("/a").await.unwrap();
    assert_eq!(count(&server), 1, "stat");
    storage.list("/").await.unwrap();
    assert_eq!(count(&server), 1, "list: that of a static manifest tells the size");
    storage.rename("/a", "/b").await.unwrap();
    assert_eq!(count(&server), 9, "rename");
    storage.delete("/b").await.unwrap();
    assert_eq!(count(&server), 11, "delete");

    let (server, storage) = wire(dynamic()).await;
    upload(&storage, "/a", &content(4 * MIB)).await;
    count(&server);
    storage.list("/").await.unwrap();
    assert_eq!(count(&server), 2, "list: of a dynamic manifest it tells no size");
}

#[tokio::test]
async fn of_listings_and_deletes() {
    let (server, storage) = wire(SwiftOptions::default()).await;
    for place in 0..1200 {
        server.store().put("container", &format!("some/root/files/d/{}/f{place:05}", place % 4), "x");
    }
    assert_eq!(storage.list("/d").await.unwrap().len(), 4);
    assert_eq!(count(&server), 1, "list of 4");
    assert_eq!(storage.list("/d/3").await.unwrap().len(), 300);
    assert_eq!(count(&server), 1, "list of 300");
    assert_eq!(walked(&storage, "/d", false).await, 1204);
    assert_eq!(count(&server), 2, "walk of 1,200: pages of 1,000");
    assert_eq!(walked(&storage, "/d", true).await, 4);
    // The first page has names of each. At most it is one more for each skip.
    assert_eq!(count(&server), 2, "walk of 4 that skips each");
    storage.delete("/d/0").await.unwrap();
    // A look at the path, a page, a look at each, all but the last at once, that one; two more look for uploads.
    assert_eq!(count(&server), 2 + 300 + 2 + 2, "delete of 300");
    storage.delete("/d").await.unwrap();
    assert_eq!(count(&server), 2 + 900 + 2 + 2, "delete of 900");
    assert!(server.store().keys("container").is_empty());
}

#[tokio::test]
async fn of_deletes_where_there_is_no_bulk_delete() {
    let (server, storage) = wire(SwiftOptions { bulk_delete: false, ..SwiftOptions::default() }).await;
    for place in 0..50 {
        server.store().put("container", &format!("some/root/files/d/f{place:05}"), "x");
    }
    storage.delete("/d").await.unwrap();
    assert_eq!(count(&server), 2 + 2 * 50 + 2);
}
