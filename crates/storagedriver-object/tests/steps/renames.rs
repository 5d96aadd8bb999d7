//! Renames that others get in the way of.
use std::time::Duration;

use storagedriver::{ErrorKind, Result, Storage};
use storagedriver_object::testing::{Control, MemoryStore};
use storagedriver_object::{Description, ObjectDriver, ObjectOptions};

fn descriptions() -> Vec<(&'static str, Description)> {
    let mut parts = Description::FULL;
    parts.max_copy = 10;
    parts.min_part = 10;
    let mut client = parts.clone();
    client.copy_part = false;
    vec![("copy", Description::FULL), ("part copies", parts), ("through the client", client)]
}

fn open(store: &MemoryStore) -> (Storage, Control) {
    let backend = store.client();
    let control = backend.control();
    let mut options = ObjectOptions::default();
    options.part_size = 20;
    (Storage::new(ObjectDriver::new(backend, options)), control)
}

/// Renames `/from`, of 50 bytes, to `/to`; after so many requests another client does `between`.
async fn rename_with(
    description: &Description,
    requests: usize,
    between: impl AsyncFn(&Storage),
) -> (Result<()>, Storage, bool) {
    let store = MemoryStore::new(description.clone());
    let ((storage, control), (other, _)) = (open(&store), open(&store));
    storage.put_content("/from", vec![1; 50]).await.unwrap();
    control.hold();
    control.step(requests);
    let renaming = tokio::spawn(async move { storage.rename("/from", "/to").await });
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    let late = renaming.is_finished();
    between(&other).await;
    control.release();
    (renaming.await.unwrap(), other, late)
}

#[tokio::test]
async fn a_destination_that_is_replaced_after_the_copy_is_a_later_write() {
    for (how, description) in descriptions() {
        let mut replaced = false;
        for requests in 0..20 {
            let put = async |other: &Storage| other.put_content("/to", "other").await.unwrap();
            let (renamed, storage, late) = rename_with(&description, requests, put).await;
            renamed.unwrap_or_else(|error| panic!("{how}, after {requests}: {error}"));
            assert!(!storage.exists("/from").await.unwrap(), "{how}, after {requests}");
            let found = storage.get_content("/to").await.unwrap();
            assert!(found == "other" || found == vec![1; 50], "{how}, after {requests}: {found:?}");
            replaced |= found == "other" && !late;
        }
        assert!(replaced, "{how}: the put came before the copy or after the rename each time");
    }
}

#[tokio::test]
async fn a_destination_that_is_deleted_after_the_copy_is_a_later_delete() {
    for (how, description) in descriptions() {
        let mut deleted = false;
        for requests in 0..20 {
            // Before the copy there is nothing to delete.
            let delete = async |other: &Storage| drop(other.delete("/to").await);
            let (renamed, storage, late) = rename_with(&description, requests, delete).await;
            let there = storage.exists("/to").await.unwrap();
            let source = storage.exists("/from").await.unwrap();
            let step = format!("{how}, after {requests}: {renamed:?}");
            match renamed {
                Ok(()) => assert!(!source, "{step}"),
                // The delete found the parts on their way.
                Err(error) => assert!(error.kind() == ErrorKind::Conflict && source && !there, "{step}"),
            }
            deleted |= !there && !source && !late;
        }
        assert!(deleted, "{how}: never between the copy and the end");
    }
}

#[tokio::test]
async fn a_source_that_is_replaced_is_not_lost_and_no_error() {
    for (how, description) in descriptions() {
        for requests in 0..20 {
            let put = async |other: &Storage| other.put_content("/from", vec![2; 60]).await.unwrap();
            let (renamed, storage, _) = rename_with(&description, requests, put).await;
            renamed.unwrap_or_else(|error| panic!("{how}, after {requests}: {error}"));
            let to = storage.get_content("/to").await.unwrap();
            let from = storage.get_content("/from").await;
            // Renamed before the put, or after it.
            let before = to == vec![1; 50] && from.as_ref().is_ok_and(|from| *from == vec![2; 60]);
            let after = to == vec![2; 60] && from.is_err();
            assert!(before || after, "{how}, after {requests}: {to:?} {from:?}");
        }
    }
}

#[tokio::test]
async fn a_source_that_never_stands_still_is_a_conflict() {
    let store = MemoryStore::new(Description::FULL);
    let ((storage, control), (other, _)) = (open(&store), open(&store));
    storage.put_content("/from", "0").await.unwrap();
    control.hold();
    let renaming = tokio::spawn(async move { storage.rename("/from", "/to").await });
    for round in 0..20 {
        // Between each head and the copy that follows.
        control.step(1);
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        other.put_content("/from", format!("{round}")).await.unwrap();
    }
    let renamed = tokio::time::timeout(Duration::from_secs(10), renaming).await.unwrap().unwrap();
    assert_eq!(renamed.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(other.get_content("/from").await.unwrap(), "19");
    assert!(!other.exists("/to").await.unwrap());
}

#[tokio::test]
async fn a_copy_that_is_not_whole_keeps_its_source() {
    let store = MemoryStore::new(Description::FULL);
    let (storage, control) = open(&store);
    storage.put_content("/from", vec![1; 50]).await.unwrap();
    control.break_copies();
    let error = storage.rename("/from", "/to").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert_eq!(storage.get_content("/from").await.unwrap(), vec![1; 50]);
}
