//! What the suite leaves to the driver: an upload that is open in this process is not aborted.

#![allow(clippy::unwrap_used)] // tests may

use storagedriver::{ErrorKind, Storage, WriteMode};
use storagedriver_inmemory::InMemory;

#[tokio::test]
async fn a_writer_that_has_lost_gives_up_no_hold_but_its_own() {
    let storage = Storage::new(InMemory::new());
    storage.writer("/a", WriteMode::Create).await.unwrap().close().await.unwrap();
    let winner = storage.writer("/a", WriteMode::Append).await.unwrap();
    let loser = storage.writer("/a", WriteMode::Append).await.unwrap();
    winner.close().await.unwrap();
    let next = storage.writer("/a", WriteMode::Append).await.unwrap();
    drop(loser);
    let listed = storage.uploads("/").await.unwrap();
    assert_eq!(storage.abort_upload(&listed[0]).await.unwrap_err().kind(), ErrorKind::Conflict);
    drop(next);
    storage.abort_upload(&listed[0]).await.unwrap();
}
