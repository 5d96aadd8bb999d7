//! How many requests each operation makes.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use storagedriver::{Storage, WalkOptions, WriteMode};
use storagedriver_object::testing::{Control, MemoryStore};
use storagedriver_object::{Description, ObjectDriver, ObjectOptions};
use storagedriver_testsuites::{Costs, costs};

fn open(description: Description) -> (Storage, Control) {
    let backend = MemoryStore::new(description).client();
    let control = backend.control();
    (Storage::new(ObjectDriver::new(backend, ObjectOptions::default())), control)
}

async fn fill(storage: &Storage, count: usize) {
    for place in 0..count {
        storage.put_content(&format!("/d/{}/f{place:05}", place % 10), "x").await.unwrap();
    }
}

#[tokio::test]
async fn of_each_operation() {
    let (storage, control) = open(Description::FULL);
    let found = costs(&storage, || control.take_log().len()).await.unwrap();
    assert_eq!(found, Costs::OBJECT_ENGINE);
}

#[tokio::test]
async fn of_uploads() {
    let (storage, control) = open(Description::FULL);
    let mut writer = storage.writer("/a", WriteMode::Create).await.unwrap();
    writer.write("content").await.unwrap();
    writer.commit().await.unwrap();
    assert_eq!(control.take_log(), ["list ~uploads/a/~", "put a"]);

    storage.put_content("/held", "content").await.unwrap();
    for (path, requests) in [("/free", 3), ("/held", 5)] {
        storage.writer(path, WriteMode::Create).await.unwrap().close().await.unwrap();
        let writer = storage.writer(path, WriteMode::Append).await.unwrap();
        control.take_log();
        writer.commit().await.unwrap();
        let log = control.take_log();
        assert_eq!(log.len(), requests, "a commit after a close, {path}: {log:#?}");
        storage.writer(path, WriteMode::Create).await.unwrap().close().await.unwrap();
        control.take_log();
        drop(storage.writer(path, WriteMode::Create).await.unwrap());
        assert_eq!(control.take_log().len(), 1 + 3, "a create over what was closed");
    }

    let mut writer = storage.writer("/large", WriteMode::Create).await.unwrap();
    for _ in 0..101 {
        writer.write(vec![7; 1 << 20]).await.unwrap();
    }
    writer.commit().await.unwrap();
    let log = control.take_log();
    // List, begin, session, 11 parts, mark, complete, delete.
    assert_eq!(log.len(), 17, "101 MiB: {log:#?}");
}

#[tokio::test]
async fn of_rename() {
    let mut description = Description::FULL;
    description.min_part = 1000;
    description.max_part = 1000;
    description.max_copy = 5000;
    let (storage, control) = open(description);
    storage.put_content("/a", vec![1; 5000]).await.unwrap();
    control.take_log();
    storage.rename("/a", "/b").await.unwrap();
    assert_eq!(control.take_log().len(), 4, "up to the limit of one copy");
    storage.put_content("/a", vec![1; 9500]).await.unwrap();
    control.take_log();
    storage.rename("/a", "/b").await.unwrap();
    assert_eq!(control.take_log().len(), 5 + 10, "above: begin, 10 parts, complete in place of the copy");
    assert_eq!(storage.get_content("/b").await.unwrap(), vec![1; 9500]);
}

#[tokio::test]
async fn of_listings() {
    let mut description = Description::FULL;
    description.page = 100;
    description.delete_batch = 100;
    let (storage, control) = open(description);
    fill(&storage, 1000).await;
    control.take_log();
    assert_eq!(storage.list("/d").await.unwrap().len(), 10);
    assert_eq!(control.take_log().len(), 1, "list of 10");
    let mut walk = storage.walk("/", WalkOptions::new()).await.unwrap();
    let mut entries = 0;
    while walk.next().await.unwrap().is_some() {
        entries += 1;
    }
    assert_eq!((entries, control.take_log().len()), (1011, 10), "walk of 1,000");
    let mut walk = storage.walk("/d", WalkOptions::new()).await.unwrap();
    let mut entries = 0;
    while walk.next().await.unwrap().is_some() {
        entries += 1;
        walk.skip_dir();
    }
    let log = control.take_log().len();
    assert!(entries == 10 && log <= 11, "a walk of 10 that skips each: {log}");
    storage.delete("/d").await.unwrap();
    assert_eq!(control.take_log().len(), 2 * 10 + 2, "delete of 1,000");
}

#[tokio::test]
async fn of_deletes() {
    let (storage, control) = open(Description::FULL);
    for path in ["/a/b", "/a/b-", "/a/b0"] {
        storage.put_content(path, "x").await.unwrap();
    }
    control.take_log();
    storage.delete("/a/b").await.unwrap();
    let file = ["list a/b", "delete a/b", "open_uploads a/b", "list ~uploads/a/b/"];
    assert_eq!(control.take_log(), file, "of a file");
    storage.delete("/a").await.unwrap();
    let directory = ["list a", "delete a/b-", "open_uploads a", "list ~uploads/a/"];
    assert_eq!(control.take_log(), directory, "of a directory of two");
    storage.delete("/a").await.unwrap_err();
    assert_eq!(control.take_log(), ["list a", "open_uploads a", "list ~uploads/a/"], "of nothing");

    // With a page of 1,000 names and a batch of 1,000 keys, and siblings on both sides.
    for count in [1000, 1001, 3000] {
        fill(&storage, count).await;
        for sibling in ["/d-", "/d0"] {
            storage.put_content(sibling, "x").await.unwrap();
        }
        control.take_log();
        storage.delete("/d").await.unwrap();
        let (pages, batches) = (count / 1000 + 1, count.div_ceil(1000));
        assert_eq!(control.take_log().len(), pages + batches + 2, "of {count} between siblings");
    }
}
