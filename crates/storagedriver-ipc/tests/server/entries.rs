//! Lists, in batches.

use prost::Message;
use storagedriver::{Storage, WriteMode};
use storagedriver_inmemory::InMemory;
use storagedriver_ipc::proto::{FileInfo, ListRequest, UploadsRequest};

use crate::probe::{MANY, probe};
use crate::raw::{self, within};

#[tokio::test]
async fn a_hundred_thousand_children_come_in_batches() {
    let (_served, mut client) = raw::open(probe().storage).await;
    let mut replies = client.list(ListRequest { path: "/many".into() }).await.unwrap().into_inner();
    let mut entries: Vec<FileInfo> = Vec::new();
    while let Some(reply) = within(replies.message()).await.unwrap() {
        assert!((1..=1000).contains(&reply.entries.len()) && reply.encoded_len() <= 256 << 10);
        entries.extend(reply.entries);
    }
    assert_eq!(entries.len(), MANY);
    assert!(entries.is_sorted_by(|a, b| a.path < b.path));
    assert_eq!(entries.last().unwrap().path, "/many/099999");
}

#[tokio::test]
async fn long_names_make_small_batches() {
    let storage = Storage::new(InMemory::new());
    let directory = format!("/{}", "d".repeat(250)).repeat(14);
    for number in 0..300 {
        storage.put_content(&format!("{directory}/{number:0200}"), "").await.unwrap();
        let writer = storage.writer(&format!("{directory}/{number:0200}"), WriteMode::Create).await.unwrap();
        writer.close().await.unwrap();
    }
    let (_served, mut client) = raw::open(storage).await;
    let mut sizes = Vec::new();
    let mut replies = client.list(ListRequest { path: directory.clone() }).await.unwrap().into_inner();
    while let Some(reply) = within(replies.message()).await.unwrap() {
        assert!(reply.encoded_len() <= 256 << 10);
        sizes.push(reply.entries.len());
    }
    assert!(sizes.iter().sum::<usize>() == 300 && sizes.len() > 3, "{sizes:?}");
    let mut replies = client.uploads(UploadsRequest { below: "/".into() }).await.unwrap().into_inner();
    let mut number = 0;
    while let Some(reply) = within(replies.message()).await.unwrap() {
        assert!(reply.encoded_len() <= 256 << 10);
        number += reply.uploads.len();
    }
    assert_eq!(number, 300);
}
