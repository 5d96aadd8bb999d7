//! A process that ends before, or after, each of its requests; another goes on with the store.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::time::Duration;

use storagedriver::{Result, Storage, WriteMode};
use storagedriver_object::testing::{Control, Fault, MemoryStore};
use storagedriver_object::{Description, ObjectDriver, ObjectOptions};

const PART: u64 = 2000;

fn open(store: &MemoryStore) -> (Storage, Control) {
    let backend = store.client();
    let control = backend.control();
    let mut options = ObjectOptions::default();
    options.part_size = PART;
    options.orphan_age = Duration::ZERO;
    (Storage::new(ObjectDriver::new(backend, options)), control)
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|place| (place * 7 % 251) as u8).collect()
}

fn small() -> Description {
    let mut description = Description::FULL;
    description.min_part = 1024;
    description.page = 7;
    description.delete_batch = 5;
    description.max_copy = 100_000;
    description
}

fn descriptions() -> Vec<Description> {
    let mut unconditional = small();
    unconditional.conditional_put = false;
    unconditional.conditional_complete = false;
    unconditional.conditional_copy = false;
    unconditional.conditional_delete = false;
    let mut segments = small();
    segments.multipart = false;
    segments.copy_part = false;
    segments.lists_uploads = false;
    vec![small(), unconditional, segments]
}

/// Runs `work` on a client of a prepared store again and again, its request k being its last, for
/// every k and every way to end; `check` sees the store through another client.
async fn end_at_each_request(
    prepare: impl AsyncFn(&Storage),
    work: impl AsyncFn(&Storage) -> Result<()>,
    check: impl AsyncFn(&Storage, &MemoryStore, &str, bool),
) {
    for description in descriptions() {
        for fault in [Fault::LostBefore, Fault::LostAfter, Fault::Before, Fault::Applied] {
            for last in 0.. {
                let store = MemoryStore::new(description.clone());
                prepare(&open(&store).0).await;
                let (storage, control) = open(&store);
                control.fail(last, fault);
                let ended = tokio::select! {
                    ended = work(&storage) => Some(ended),
                    () = control.lost() => None,
                };
                let done = matches!(ended, Some(Ok(())));
                let over = control.count() <= last;
                drop(storage);
                let step = format!("{fault:?} at request {last}, multipart {}", description.multipart);
                check(&open(&store).0, &store, &step, done).await;
                assert!(last < 200, "the work does not end");
                if over {
                    assert!(done, "without a fault: {ended:?}");
                    break;
                }
            }
        }
    }
}

async fn nothing_is_left(store: &MemoryStore, step: &str) {
    let (storage, _) = open(store);
    storage.abort_stale("/", Duration::ZERO).await.unwrap();
    assert_eq!(store.open_uploads(), 0, "{step}: multipart uploads are left");
    let committed = storage.uploads("/").await.unwrap();
    assert!(committed.is_empty(), "{step}: {committed:?}");
    let left: Vec<String> = store.keys().into_iter().filter(|key| key.contains("~uploads")).collect();
    assert!(left.is_empty(), "{step}: {} keys of sessions, {:?}", left.len(), left.first());
}

#[tokio::test]
async fn of_a_commit_leave_old_or_new() {
    for (closed, more) in [(100, 50), (100, 5000), (7000, 10), (7000, 9000)] {
        let whole = content(closed + more);
        end_at_each_request(
            async |storage| {
                storage.put_content("/file", "old").await.unwrap();
                let mut writer = storage.writer("/file", WriteMode::Create).await.unwrap();
                writer.write(whole[..closed].to_vec()).await.unwrap();
                writer.close().await.unwrap();
            },
            async |storage| {
                let mut writer = storage.writer("/file", WriteMode::Append).await?;
                writer.write(whole[closed..].to_vec()).await?;
                writer.commit().await
            },
            async |storage, store, step, done| {
                let found = storage.get_content("/file").await.unwrap();
                let uploads = storage.uploads("/file").await.unwrap();
                if found == whole {
                    assert!(uploads.is_empty(), "{step}: committed, and an upload: {uploads:?}");
                } else {
                    assert!(!done && found == "old", "{step}: {} bytes", found.len());
                    let writer = storage.writer("/file", WriteMode::Append).await.unwrap();
                    let size = writer.size() as usize;
                    assert!(size == closed || size == whole.len(), "{step}: resumed at {size}");
                    writer.commit().await.unwrap();
                    assert_eq!(storage.get_content("/file").await.unwrap(), whole[..size], "{step}");
                }
                nothing_is_left(store, step).await;
            },
        )
        .await;
    }
}

#[tokio::test]
async fn of_a_close_keep_the_last_one() {
    for (closed, more) in [(100, 50), (100, 5000), (7000, 10), (7000, 9000)] {
        let whole = content(closed + more);
        end_at_each_request(
            async |storage| {
                let mut writer = storage.writer("/file", WriteMode::Create).await.unwrap();
                writer.write(whole[..closed].to_vec()).await.unwrap();
                writer.close().await.unwrap();
            },
            async |storage| {
                let mut writer = storage.writer("/file", WriteMode::Append).await?;
                writer.write(whole[closed..].to_vec()).await?;
                writer.close().await.map(drop)
            },
            async |storage, store, step, done| {
                let writer = storage.writer("/file", WriteMode::Append).await.unwrap();
                let size = writer.size() as usize;
                assert!(size == whole.len() || !done && size == closed, "{step}: resumed at {size}");
                writer.commit().await.unwrap();
                assert_eq!(storage.get_content("/file").await.unwrap(), whole[..size], "{step}");
                nothing_is_left(store, step).await;
            },
        )
        .await;
    }
}

#[tokio::test]
async fn of_a_first_upload_leave_nothing_that_is_not_reaped() {
    let whole = content(9000);
    end_at_each_request(
        async |_| {},
        async |storage| {
            let mut writer = storage.writer("/file", WriteMode::Create).await?;
            writer.write(whole.clone()).await?;
            writer.write("x").await?;
            writer.close().await.map(drop)
        },
        async |storage, store, step, done| {
            assert!(!storage.exists("/file").await.unwrap(), "{step}");
            match storage.writer("/file", WriteMode::Append).await {
                Ok(writer) => assert_eq!(writer.size(), 9001, "{step}"),
                Err(error) => assert!(error.is_not_found() && !done, "{step}: {error}"),
            }
            nothing_is_left(store, step).await;
        },
    )
    .await;
}

#[tokio::test]
async fn of_a_rename_never_lose_the_content() {
    for size in [50, 150_000] {
        let whole = content(size);
        end_at_each_request(
            async |storage| {
                storage.put_content("/from", whole.clone()).await.unwrap();
                storage.put_content("/to", "old").await.unwrap();
            },
            async |storage| storage.rename("/from", "/to").await,
            async |storage, store, step, done| {
                let to = storage.get_content("/to").await.unwrap();
                let from = storage.get_content("/from").await;
                assert!(to == whole || to == "old" && !done, "{step}");
                assert!(to == whole || from.as_ref().is_ok_and(|from| *from == whole), "{step}: neither");
                assert!(!done || from.is_err(), "{step}: the source is left");
                nothing_is_left(store, step).await;
            },
        )
        .await;
    }
}

#[tokio::test]
async fn of_a_delete_can_be_run_again() {
    end_at_each_request(
        async |storage| {
            for place in 0..12 {
                storage.put_content(&format!("/d/{place}"), "x").await.unwrap();
            }
            storage.put_content("/d-/kept", "x").await.unwrap();
            let mut writer = storage.writer("/d/upload", WriteMode::Create).await.unwrap();
            writer.write(content(5000)).await.unwrap();
            writer.close().await.unwrap();
        },
        async |storage| storage.delete("/d").await,
        async |storage, store, step, done| {
            let again = storage.delete("/d").await;
            assert!(again.is_ok() && !done || again.is_err_and(|error| error.is_not_found()), "{step}");
            assert_eq!(store.keys(), ["d-/kept"], "{step}");
            assert_eq!(store.open_uploads(), 0, "{step}");
        },
    )
    .await;
}
