//! A completion that the store is still at when the next process comes.

use std::time::Duration;

use storagedriver::{ErrorKind, WriteMode};
use storagedriver_object::testing::{Fault, MemoryStore};

use crate::store::{PART, kinds, nothing_is_left, open};

/// Leaves an upload that was closed, and whose commit was sent by a client that ended then.
async fn end_at_the_completion(store: &MemoryStore, whole: &[u8], fault: Fault) {
    let (storage, control) = open(store);
    let mut writer = storage.writer("/file", WriteMode::Create).await.unwrap();
    writer.write(whole.to_vec()).await.unwrap();
    writer.close().await.unwrap();
    let writer = storage.writer("/file", WriteMode::Append).await.unwrap();
    control.take_log();
    // The mark comes first; what looks at the session before it is a request of its own.
    let unfenced = usize::from(!store.description().conditional_put);
    control.fail(1 + unfenced, fault);
    tokio::select! {
        ended = writer.commit() => panic!("{ended:?}"),
        () = control.lost() => {}
    }
    let log = control.take_log();
    assert_eq!(log.last().map(String::as_str), Some("complete file"), "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn a_commit_waits_for_the_one_before_it_and_tells_that_it_was_done() {
    for (kind, description) in kinds().into_iter().filter(|(_, description)| description.multipart) {
        for more in [0, 10, 3 * PART] {
            for took in [50, 500, 1200] {
                let step = format!("{kind}, {more} more, {took} ms");
                let (store, whole) = (MemoryStore::new(description.clone()), vec![1; 2 * PART]);
                store.complete_late(Duration::from_millis(took));
                end_at_the_completion(&store, &whole, Fault::LostAfter).await;
                store.complete_late(Duration::ZERO);
                let (storage, _) = open(&store);
                let mut writer = storage.writer("/file", WriteMode::Append).await.unwrap();
                writer.write(vec![2; more]).await.unwrap();
                let told = writer.commit().await.unwrap_err();
                assert_eq!(told.kind(), ErrorKind::Conflict, "{step}: {told}");
                let writer = storage.writer("/file", WriteMode::Append).await.unwrap();
                assert_eq!(writer.size(), whole.len() as u64, "{step}");
                drop(writer);
                assert_eq!(storage.get_content("/file").await.unwrap(), whole, "{step}");
                nothing_is_left(&store, &step).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_completion_that_never_came_is_made_up_for_at_once() {
    for (kind, description) in kinds().into_iter().filter(|(_, description)| description.multipart) {
        let (store, whole) = (MemoryStore::new(description), vec![1; 2 * PART]);
        end_at_the_completion(&store, &whole, Fault::LostBefore).await;
        let (storage, _) = open(&store);
        let began = tokio::time::Instant::now();
        storage.writer("/file", WriteMode::Append).await.unwrap().commit().await.unwrap();
        assert!(began.elapsed().is_zero(), "{kind}");
        assert_eq!(storage.get_content("/file").await.unwrap(), whole, "{kind}");
        nothing_is_left(&store, kind).await;
    }
}
