//! A rename that is given up: what it had begun is done to the end, empty directories included.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use object_store::local::LocalFileSystem;
use storagedriver::Storage;
use storagedriver_objectstore::{ObjectStoreDriver, ObjectStoreOptions, Profile};

/// Polls the future so often, with pauses for what it waits for, and drops it.
async fn drop_after<T>(polls: usize, future: impl Future<Output = T>) {
    let mut future = Box::pin(future);
    for _ in 0..polls {
        if (&mut future).now_or_never().is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_dropped_rename_leaves_no_empty_directory() {
    for polls in 1..12 {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalFileSystem::new_with_prefix(directory.path()).unwrap().with_automatic_cleanup(true);
        let options = ObjectStoreOptions::new(Profile::local());
        let storage = Storage::new(ObjectStoreDriver::new(Arc::new(store), options));
        storage.put_content("/a/from", "content").await.unwrap();
        drop_after(polls, storage.rename("/a/from", "/b/to")).await;
        let mut looks = 0;
        loop {
            looks += 1;
            let entries = std::fs::read_dir(directory.path()).unwrap();
            let names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            if names == ["a"] || names == ["b"] {
                break;
            }
            assert!(looks < 1000, "after {polls} polls: {names:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
