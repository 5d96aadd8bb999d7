//! Uploads that last longer than others let them lie.

use std::time::Duration;

use storagedriver::{ErrorKind, WriteMode};
use storagedriver_object::testing::MemoryStore;

use crate::store::{PART, kinds, nothing_is_left, open};

const MINUTE: Duration = Duration::from_secs(60);
const AGE: Duration = Duration::from_secs(15 * 60);

async fn a_minute_goes_by(store: &MemoryStore) {
    tokio::time::advance(MINUTE).await;
    store.grow_older(MINUTE);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_is_written_to_is_not_stale_however_long_it_lasts() {
    for (kind, description) in kinds() {
        let store = MemoryStore::new(description);
        let ((storage, _), (reaper, _)) = (open(&store), open(&store));
        let mut writer = storage.writer("/file", WriteMode::Create).await.unwrap();
        let mut whole = Vec::new();
        for minute in 0..180_u8 {
            // A part takes four minutes.
            let chunk = vec![minute; PART / 4];
            whole.extend_from_slice(&chunk);
            writer.write(chunk).await.unwrap();
            a_minute_goes_by(&store).await;
            let reaped = reaper.abort_stale("/", AGE).await.unwrap();
            assert!(reaped.aborted.is_empty(), "{kind}, minute {minute}: {reaped:?}");
        }
        writer.commit().await.unwrap();
        assert_eq!(storage.get_content("/file").await.unwrap(), whole, "{kind}");
        nothing_is_left(&store, kind).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_rests_for_longer_is_and_its_writer_is_told() {
    for (kind, description) in kinds() {
        for commit in [true, false] {
            let store = MemoryStore::new(description.clone());
            let ((storage, _), (reaper, _)) = (open(&store), open(&store));
            let mut writer = storage.writer("/file", WriteMode::Create).await.unwrap();
            for _ in 0..3 {
                writer.write(vec![1; PART]).await.unwrap();
            }
            for _ in 0..=15 {
                a_minute_goes_by(&store).await;
            }
            let reaped = reaper.abort_stale("/", AGE).await.unwrap();
            assert!(!reaped.aborted.is_empty(), "{kind}: {reaped:?}");
            let ended = if commit { writer.commit().await } else { writer.close().await.map(drop) };
            let told = ended.as_ref().is_err_and(|error| error.kind() == ErrorKind::Conflict);
            assert!(told, "{kind}, commit {commit}: {ended:?}");
            assert!(!storage.exists("/file").await.unwrap(), "{kind}, commit {commit}");
            nothing_is_left(&store, kind).await;
        }
    }
}
