//! Uploads on a store that completes them only with all the parts that it was sent.

use storagedriver::{ErrorKind, Guarantee, Storage, WriteMode};
use storagedriver_testservers::{ConditionalWrites, S3Options, S3Server};

use crate::open;
use crate::servers::{MIN_PART, options, small};

const PART: usize = 4 * MIN_PART as usize;

/// A Ceph gateway, and two clients of it.
fn ceph() -> (S3Server, [Storage; 2]) {
    let served =
        S3Options { conditional_writes: ConditionalWrites::Ignored, stray_parts: false, ..options() };
    let server = S3Server::start(served).unwrap();
    let clients = [0, 1].map(|_| open(&server.endpoint(), "r", small("ceph")));
    (server, clients)
}

/// An upload that was closed with two parts, and to which a client sent two more before it ended.
async fn lose_two_parts(storage: &Storage) {
    let mut writer = storage.writer("/file", WriteMode::Create).await.unwrap();
    writer.write(vec![1; 2 * PART]).await.unwrap();
    writer.close().await.unwrap();
    let mut writer = storage.writer("/file", WriteMode::Append).await.unwrap();
    for _ in 0..8 {
        // More than two parts, so that two have been sent when this returns.
        writer.write(vec![2; PART / 2]).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_commit_with_less_than_was_lost_is_refused_and_says_what_to_do() {
    let (server, [lost, next]) = ceph();
    assert!(!next.guarantees().has(Guarantee::ShorterResume));
    lose_two_parts(&lost).await;
    let refused = next.writer("/file", WriteMode::Append).await.unwrap().commit().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Backend, "{refused}");
    let told = refused.to_string();
    for part in ["CompleteMultipartUpload", "/file", "InvalidPart", "was lost", "Create", "request id"] {
        assert!(told.contains(part), "{part:?} is not in: {told}");
    }
    assert!(!next.exists("/file").await.unwrap());

    // What was closed is still there, and as much again makes it whole.
    let mut writer = next.writer("/file", WriteMode::Append).await.unwrap();
    assert_eq!(writer.size(), 2 * PART as u64);
    writer.write(vec![3; 4 * PART]).await.unwrap();
    writer.commit().await.unwrap();
    let whole = [vec![1; 2 * PART], vec![3; 4 * PART]].concat();
    assert_eq!(next.get_content("/file").await.unwrap(), whole);
    assert!(server.store().uploads("bucket").is_empty());
}

#[tokio::test]
async fn an_upload_that_begins_anew_is_free_of_what_was_lost() {
    let (server, [lost, next]) = ceph();
    lose_two_parts(&lost).await;
    let mut writer = next.writer("/file", WriteMode::Create).await.unwrap();
    writer.write(vec![3; PART + 1]).await.unwrap();
    writer.commit().await.unwrap();
    assert_eq!(next.get_content("/file").await.unwrap(), vec![3; PART + 1]);
    assert!(server.store().uploads("bucket").is_empty());
}
