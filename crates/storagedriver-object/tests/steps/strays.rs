//! Parts that a writer sent past its last close and lost, on a store that completes an upload only with
//! all the parts that it was sent, as Ceph does.

use storagedriver::WriteMode;
use storagedriver_object::Description;
use storagedriver_object::testing::MemoryStore;

use crate::store::{PART, nothing_is_left, open};

fn store() -> MemoryStore {
    let mut description = Description::FULL;
    description.min_part = 1024;
    description.stray_parts = false;
    description.conditional_put = false;
    description.conditional_complete = false;
    MemoryStore::new(description)
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|place| (place * 7 % 251) as u8).collect()
}

/// Leaves an upload that was closed at the first size, with parts sent up to the second.
async fn lose_parts(store: &MemoryStore, whole: &[u8], closed: usize) {
    let (storage, control) = open(store);
    let (kept, lost) = whole.split_at(closed);
    let mut writer = storage.writer("/file", WriteMode::Create).await.unwrap();
    writer.write(kept.to_vec()).await.unwrap();
    writer.close().await.unwrap();
    control.take_log();
    let mut writer = storage.writer("/file", WriteMode::Append).await.unwrap();
    for piece in lost.chunks(PART / 2) {
        writer.write(piece.to_vec()).await.unwrap();
        tokio::task::yield_now().await;
    }
    drop(writer);
    let sent = control.take_log().iter().filter(|request| request.starts_with("put_part")).count();
    assert!(sent > 1, "{sent} parts were sent past the close");
}

#[tokio::test]
async fn what_was_lost_is_replaced_by_what_is_sent_again() {
    for closed in [0, 10, 3 * PART, 3 * PART + 10] {
        let (store, whole) = (store(), content(8 * PART));
        lose_parts(&store, &whole, closed).await;
        let (storage, _) = open(&store);
        let mut writer = storage.writer("/file", WriteMode::Append).await.unwrap();
        assert_eq!(writer.size(), closed as u64);
        writer.write(whole[closed..].to_vec()).await.unwrap();
        writer.commit().await.unwrap();
        assert!(storage.get_content("/file").await.unwrap() == whole, "closed at {closed}");
        nothing_is_left(&store, &format!("closed at {closed}")).await;
    }
}

#[tokio::test]
async fn an_upload_without_closed_parts_begins_anew() {
    for closed in [0, 10] {
        let (store, whole) = (store(), content(8 * PART));
        lose_parts(&store, &whole, closed).await;
        assert_eq!(store.open_uploads(), 1);
        let (storage, _) = open(&store);
        let mut writer = storage.writer("/file", WriteMode::Append).await.unwrap();
        writer.write(whole[closed..2 * PART + 10].to_vec()).await.unwrap();
        writer.commit().await.unwrap();
        assert!(storage.get_content("/file").await.unwrap() == whole[..2 * PART + 10], "closed at {closed}");
        assert_eq!(store.open_uploads(), 0, "closed at {closed}");
        nothing_is_left(&store, &format!("closed at {closed}")).await;
    }
}

#[tokio::test]
async fn a_writer_that_goes_on_after_anothers_close_spares_its_parts() {
    for before in [0, 2 * PART] {
        let (store, whole) = (store(), content(9 * PART));
        let closed = 3 * PART;
        let (one, _) = open(&store);
        let (other, _) = open(&store);
        let mut writer = one.writer("/file", WriteMode::Create).await.unwrap();
        writer.write(whole[..closed].to_vec()).await.unwrap();
        writer.close().await.unwrap();
        let mut late = other.writer("/file", WriteMode::Append).await.unwrap();
        late.write(vec![1; before]).await.unwrap();
        let mut writer = one.writer("/file", WriteMode::Append).await.unwrap();
        writer.write(whole[closed..].to_vec()).await.unwrap();
        writer.close().await.unwrap();
        // The loser is told before it sends anything more.
        let mut told = false;
        for _ in 0..4 {
            told |= late.write(vec![2; 2 * PART]).await.is_err();
        }
        let ended = late.close().await.unwrap_err();
        assert!(told && ended.kind() == storagedriver::ErrorKind::Conflict, "{before}: {ended}");
        one.writer("/file", WriteMode::Append).await.unwrap().commit().await.unwrap();
        assert!(one.get_content("/file").await.unwrap() == whole, "{before} bytes sent before");
    }
}
