//! A process that ends before, or after, each of its requests; another goes on with the store.

use storagedriver::{Result, Storage, WriteMode};
use storagedriver_object::testing::{Fault, MemoryStore};

use crate::store::{kinds, no_session_is_left, nothing_is_left, open};

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|place| (place * 7 % 251) as u8).collect()
}

/// What a check sees of a run that was cut short.
#[derive(Clone)]
struct Ended<'a> {
    storage: Storage,
    store: &'a MemoryStore,
    /// Whether the work answered that it was done.
    done: bool,
    /// Where the store cannot list its uploads, one that was begun and stands in no session stays.
    may_leave_upload: bool,
    step: &'a str,
}

impl Ended<'_> {
    async fn reap(&self) {
        if self.may_leave_upload {
            no_session_is_left(self.store, self.step).await;
            assert!(self.store.open_uploads() <= 1, "{}", self.step);
        } else {
            nothing_is_left(self.store, self.step).await;
        }
    }
}

/// Runs `work` on a client of a prepared store again and again, its request k being its last, for
/// every k and every way to end; `check` sees the store through another client.
async fn end_at_each_request(
    prepare: impl AsyncFn(&Storage),
    work: impl AsyncFn(&Storage) -> Result<()>,
    check: impl AsyncFn(Ended<'_>),
) {
    for (kind, description) in kinds() {
        for fault in [Fault::LostBefore, Fault::LostAfter, Fault::Before, Fault::Applied, Fault::Repeated] {
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
                let log = control.take_log();
                drop(storage);
                let request = log.get(last).map_or("no request", String::as_str);
                let step = format!("{kind}: {fault:?} at request {last}, {request}: {ended:?}");
                // No backend sends a rename twice.
                let is_rename = request.starts_with("rename");
                assert!(done || fault != Fault::Repeated || is_rename, "{step}: what was sent twice");
                let may_leave_upload = !description.lists_uploads
                    && (request.starts_with("begin_upload") || request.starts_with("put ~uploads"));
                let (storage, _) = open(&store);
                check(Ended { storage, store: &store, done, may_leave_upload, step: &step }).await;
                assert!(last < 200, "the work does not end");
                if log.len() <= last {
                    assert!(done, "without a fault: {ended:?}");
                    break;
                }
            }
        }
    }
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
            async |ended| {
                let Ended { storage, done, step, .. } = ended.clone();
                let found = storage.get_content("/file").await.unwrap();
                let uploads = storage.uploads("/file").await.unwrap();
                if found == whole {
                    // One that has a size can be resumed.
                    let left = uploads.iter().any(|upload| upload.size() > 0);
                    assert!(!left, "{step}: committed, and an upload: {uploads:?}");
                } else {
                    assert!(!done && found == "old", "{step}: {} bytes", found.len());
                    let writer = storage.writer("/file", WriteMode::Append).await.unwrap();
                    let size = writer.size() as usize;
                    assert!(size == closed || size == whole.len(), "{step}: resumed at {size}");
                    writer.commit().await.unwrap();
                    assert_eq!(storage.get_content("/file").await.unwrap(), whole[..size], "{step}");
                }
                ended.reap().await;
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
            async |ended| {
                let Ended { storage, done, step, .. } = ended.clone();
                let writer = storage.writer("/file", WriteMode::Append).await.unwrap();
                let size = writer.size() as usize;
                assert!(size == whole.len() || !done && size == closed, "{step}: resumed at {size}");
                writer.commit().await.unwrap();
                assert_eq!(storage.get_content("/file").await.unwrap(), whole[..size], "{step}");
                ended.reap().await;
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
        async |ended| {
            let Ended { storage, done, step, .. } = ended.clone();
            assert!(!storage.exists("/file").await.unwrap(), "{step}");
            match storage.writer("/file", WriteMode::Append).await {
                Ok(writer) => assert_eq!(writer.size(), 9001, "{step}"),
                Err(error) => assert!(error.is_not_found() && !done, "{step}: {error}"),
            }
            ended.reap().await;
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
            async |ended| {
                let Ended { storage, done, step, .. } = ended.clone();
                let to = storage.get_content("/to").await.unwrap();
                let from = storage.get_content("/from").await;
                assert!(to == whole || to == "old" && !done, "{step}");
                assert!(to == whole || from.as_ref().is_ok_and(|from| *from == whole), "{step}: neither");
                assert!(!done || from.is_err(), "{step}: the source is left");
                ended.reap().await;
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
        async |ended| {
            let Ended { storage, done, step, .. } = ended.clone();
            let again = storage.delete("/d").await;
            assert!(again.is_ok() && !done || again.is_err_and(|error| error.is_not_found()), "{step}");
            assert_eq!(ended.store.keys(), ["d-/kept"], "{step}");
            assert_eq!(ended.store.open_uploads(), 0, "{step}");
        },
    )
    .await;
}

#[tokio::test]
async fn of_an_append_to_content_leave_old_or_new() {
    for (size, more) in [(100, 50), (100, 5000), (7000, 10), (7000, 9000)] {
        let whole = content(size + more);
        end_at_each_request(
            async |storage| storage.put_content("/file", whole[..size].to_vec()).await.unwrap(),
            async |storage| {
                let mut writer = storage.writer("/file", WriteMode::Append).await?;
                writer.write(whole[size..].to_vec()).await?;
                writer.commit().await
            },
            async |ended| {
                let Ended { storage, done, step, .. } = ended.clone();
                let found = storage.get_content("/file").await.unwrap();
                assert!(found == whole || !done && found == whole[..size], "{step}: {} bytes", found.len());
                if found != whole {
                    // What was accepted can be kept where the commit failed; it goes on from the same content.
                    let writer = storage.writer("/file", WriteMode::Append).await.unwrap();
                    let resumed = writer.size() as usize;
                    assert!(resumed == size || resumed == whole.len(), "{step}: resumed at {resumed}");
                    writer.commit().await.unwrap();
                    assert_eq!(storage.get_content("/file").await.unwrap(), whole[..resumed], "{step}");
                }
                ended.reap().await;
            },
        )
        .await;
    }
}

/// A closed upload of a size, that a work is to end.
async fn end_an_upload(sizes: (usize, usize), work: impl AsyncFn(&Storage, &[u8]) -> Result<()>) {
    let (closed, more) = sizes;
    end_at_each_request(
        async |storage| {
            storage.put_content("/file", "old").await.unwrap();
            let mut writer = storage.writer("/file", WriteMode::Create).await.unwrap();
            writer.write(content(closed)).await.unwrap();
            writer.close().await.unwrap();
        },
        async |storage| work(storage, &content(more)).await,
        async |ended| {
            let Ended { storage, done, step, .. } = ended.clone();
            let writer = storage.writer("/file", WriteMode::Append).await.unwrap();
            let size = writer.size() as usize;
            // The upload as it was closed, or, as there is none, the content.
            assert!(size == 3 || !done && size == closed, "{step}: resumed at {size}");
            drop(writer);
            if done {
                let keys = ended.store.keys();
                assert_eq!(
                    (keys.as_slice(), ended.store.open_uploads()),
                    (&["file".to_owned()][..], 0),
                    "{step}"
                );
            }
            ended.reap().await;
            assert_eq!(storage.get_content("/file").await.unwrap(), "old", "{step}");
        },
    )
    .await;
}

#[tokio::test]
async fn of_a_cancel_leave_the_upload_as_closed_or_nothing() {
    for sizes in [(100, 50), (100, 5000), (7000, 10), (7000, 9000)] {
        end_an_upload(sizes, async |storage, more| {
            let mut writer = storage.writer("/file", WriteMode::Append).await?;
            writer.write(more.to_vec()).await?;
            writer.cancel().await
        })
        .await;
    }
}

#[tokio::test]
async fn of_an_abort_leave_the_upload_as_closed_or_nothing() {
    for closed in [100, 7000] {
        end_an_upload((closed, 0), async |storage, _| {
            for upload in storage.uploads("/").await? {
                storage.abort_upload(&upload).await?;
            }
            Ok(())
        })
        .await;
    }
}

#[tokio::test]
async fn of_a_create_leave_the_old_upload_or_the_new_one() {
    for closed in [100, 7000] {
        end_at_each_request(
            async |storage| {
                let mut writer = storage.writer("/file", WriteMode::Create).await.unwrap();
                writer.write(content(closed)).await.unwrap();
                writer.close().await.unwrap();
            },
            async |storage| {
                let mut writer = storage.writer("/file", WriteMode::Create).await?;
                writer.write(content(5000)).await?;
                writer.close().await.map(drop)
            },
            async |ended| {
                let Ended { storage, done, step, .. } = ended.clone();
                match storage.writer("/file", WriteMode::Append).await {
                    Ok(writer) => {
                        let size = writer.size() as usize;
                        assert!(size == 5000 || !done && size == closed, "{step}: resumed at {size}");
                        writer.commit().await.unwrap();
                        assert_eq!(storage.get_content("/file").await.unwrap(), content(size), "{step}");
                    }
                    Err(error) => assert!(error.is_not_found() && !done, "{step}: {error}"),
                }
                ended.reap().await;
            },
        )
        .await;
    }
}
