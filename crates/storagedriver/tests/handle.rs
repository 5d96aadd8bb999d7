//! What the handle does once for all drivers.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use storagedriver::{Error, ErrorKind, Operation, ReadOptions, Storage, StoragePath, WalkOptions, WriteMode};
use storagedriver_inmemory::InMemory;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn storage() -> Storage {
    Storage::new(InMemory::new())
}

#[tokio::test]
async fn a_bad_path_is_refused_by_every_operation_before_any_io() {
    let storage = storage();
    let long = format!("/{}", "a".repeat(256));
    for bad in ["", "a", "//a", "/a/", "/..", "/a/../b", "/a b", long.as_str()] {
        let errors = [
            storage.get_content(bad).await.unwrap_err(),
            storage.put_content(bad, "x").await.unwrap_err(),
            storage.reader(bad, ReadOptions::all()).await.unwrap_err(),
            storage.writer(bad, WriteMode::Create).await.unwrap_err(),
            storage.stat(bad).await.unwrap_err(),
            storage.list(bad).await.unwrap_err(),
            storage.rename(bad, "/a").await.unwrap_err(),
            storage.rename("/a", bad).await.unwrap_err(),
            storage.delete(bad).await.unwrap_err(),
            storage.walk(bad, WalkOptions::new()).await.unwrap_err(),
            storage.uploads(bad).await.unwrap_err(),
            storage.redirect_url(&storagedriver::RedirectRequest::get(), bad).await.unwrap_err(),
            storage.backend_key(bad).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::InvalidPath, "{error}");
            assert_eq!(error.path(), Some(bad));
            assert_eq!(error.driver(), Some("inmemory"));
            assert!(error.operation().is_some());
        }
    }
}

#[tokio::test]
async fn the_root_is_valid_only_where_no_name_is_needed() {
    let storage = storage();
    assert!(storage.stat("/").await.unwrap().is_dir());
    assert!(storage.list("/").await.unwrap().is_empty());
    assert!(storage.uploads("/").await.unwrap().is_empty());
    assert!(storage.walk("/", WalkOptions::new()).await.unwrap().next().await.unwrap().is_none());
    for error in [
        storage.get_content("/").await.unwrap_err(),
        storage.put_content("/", "x").await.unwrap_err(),
        storage.delete("/").await.unwrap_err(),
        storage.rename("/", "/a").await.unwrap_err(),
        storage.rename("/a", "/").await.unwrap_err(),
        storage.writer("/", WriteMode::Append).await.unwrap_err(),
        storage.reader("/", ReadOptions::all()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidPath, "{error}");
    }
}

#[tokio::test]
async fn rename_onto_itself_asks_only_whether_the_file_is_there() {
    let storage = storage();
    storage.put_content("/d/a", "x").await.unwrap();
    let before = storage.stat("/d/a").await.unwrap();
    storage.rename("/d/a", "/d/a").await.unwrap();
    assert_eq!(storage.stat("/d/a").await.unwrap(), before);
    assert!(storage.rename("/d", "/d").await.unwrap_err().is_not_found());
    assert!(storage.rename("/e", "/e").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn content_of_a_limited_size_only() {
    let storage = storage();
    storage.put_content("/a", "12345").await.unwrap();
    assert_eq!(storage.get_content_limited("/a", 5).await.unwrap(), "12345");
    let error = storage.get_content_limited("/a", 4).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.operation(), Some(Operation::GetContent));
    assert!(storage.get_content_limited("/b", 4).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn content_and_uploads_through_the_io_traits() {
    let storage = storage();
    let writer = storage.writer("/a", WriteMode::Create).await.unwrap();
    let mut sink = writer.into_async_write();
    for _ in 0..100 {
        sink.write_all(b"0123456789").await.unwrap();
    }
    sink.shutdown().await.unwrap();
    assert!(!storage.exists("/a").await.unwrap(), "shutting down is not an ending");
    let writer = sink.into_inner().await.unwrap();
    assert_eq!(writer.size(), 1000);
    writer.commit().await.unwrap();

    let mut text = String::new();
    let content = storage.reader("/a", ReadOptions::from_offset(990)).await.unwrap();
    assert_eq!(content.size(), 1000);
    content.into_async_read().read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "0123456789");
}

#[tokio::test]
async fn a_copy_between_stores_by_the_io_traits() {
    let (from, to) = (storage(), storage());
    from.put_content("/a", vec![7; 300_000]).await.unwrap();
    let mut reader = from.reader("/a", ReadOptions::all()).await.unwrap().into_async_read();
    let mut sink = to.writer("/b", WriteMode::Create).await.unwrap().into_async_write();
    tokio::io::copy(&mut reader, &mut sink).await.unwrap();
    sink.into_inner().await.unwrap().commit().await.unwrap();
    assert_eq!(to.get_content("/b").await.unwrap(), from.get_content("/a").await.unwrap());
}

#[tokio::test]
async fn stale_uploads_go_and_young_ones_stay() {
    let storage = storage();
    for path in ["/a/1", "/a/2", "/b"] {
        storage.writer(path, WriteMode::Create).await.unwrap().close().await.unwrap();
    }
    let reaped = storage.abort_stale("/", Storage::STALE_AFTER).await.unwrap();
    assert_eq!((reaped.aborted.len(), reaped.kept), (0, 3));
    let resumed = storage.writer("/a/2", WriteMode::Append).await.unwrap();
    let reaped = storage.abort_stale("/a", Duration::ZERO).await.unwrap();
    assert_eq!((reaped.aborted.len(), reaped.kept), (1, 1), "a live upload is kept");
    drop(resumed);
    assert_eq!(storage.uploads("/").await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_walk_is_over_at_its_end_and_streams() {
    let storage = storage();
    for path in ["/a/x", "/a-b", "/a0"] {
        storage.put_content(path, "x").await.unwrap();
    }
    let mut walk = storage.walk("/", WalkOptions::new()).await.unwrap();
    while walk.next().await.unwrap().is_some() {}
    assert!(walk.next().await.unwrap().is_none());
    let keys = |options: WalkOptions| {
        let storage = storage.clone();
        async move {
            let walk = storage.walk("/", options).await.unwrap();
            walk.into_stream()
                .map(|info| info.map(|info| info.key().to_string()))
                .try_collect::<Vec<_>>()
                .await
        }
    };
    assert_eq!(keys(WalkOptions::new()).await.unwrap(), ["/a-b", "/a/", "/a/x", "/a0"]);
    assert_eq!(keys(WalkOptions::tree()).await.unwrap(), ["/a/", "/a/x", "/a-b", "/a0"]);
}

#[tokio::test]
async fn an_error_knows_driver_operation_and_path() {
    let error = storage().get_content("/a").await.unwrap_err();
    assert_eq!(error.to_string(), "inmemory: get_content /a: path not found");
    assert!(matches!(error, Error::PathNotFound { .. }));
    assert!(error.is_not_found() && !error.is_retryable());
}

#[test]
fn futures_can_move_between_threads() {
    fn assert_send<T: Send>(_: &T) {}
    fn assert_sync<T: Send + Sync>(_: &T) {}
    let storage = storage();
    assert_sync(&storage);
    let path = StoragePath::parse("/a").unwrap();
    assert_sync(&path);
    assert_send(&storage.walk("/", WalkOptions::new()));
    assert_send(&async {
        let writer = storage.writer("/a", WriteMode::Create).await.unwrap();
        writer.commit().await.unwrap();
    });
}
