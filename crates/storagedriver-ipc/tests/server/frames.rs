//! Content on its way out: what is in one message, and how far a driver is read.

use std::sync::atomic::Ordering;
use std::time::Duration;

use storagedriver::bytes::Bytes;
use storagedriver::{ErrorKind, Storage};
use storagedriver_inmemory::InMemory;
use storagedriver_ipc::proto::{ContentReply, GetContentRequest, ReadRequest};
use tonic::Streaming;

use crate::probe::probe;
use crate::raw::{self, Client, within};

const MIB: usize = 1 << 20;

async fn get(client: &mut Client, path: &str) -> Streaming<ContentReply> {
    client.get_content(GetContentRequest { path: path.into() }).await.unwrap().into_inner()
}

fn read(path: &str) -> ReadRequest {
    ReadRequest { path: path.into(), offset: 0, length: None, version: None }
}

/// The head, and the sizes of the pieces.
async fn sizes(mut replies: Streaming<ContentReply>) -> (u64, Vec<usize>) {
    let first = within(replies.message()).await.unwrap().unwrap();
    let head = first.head.unwrap();
    let mut sizes = vec![first.data.len()];
    while let Some(reply) = within(replies.message()).await.unwrap() {
        assert!(reply.head.is_none());
        sizes.push(reply.data.len());
    }
    (head.size, sizes)
}

#[tokio::test]
async fn all_of_a_file_is_in_pieces_of_a_mebibyte() {
    let storage = Storage::new(InMemory::new());
    let pattern: Vec<u8> = (0..64 * 1021 + 3).map(|index| (index % 251) as u8).collect();
    let mut large = pattern.repeat(64 * MIB / pattern.len() + 1);
    large.truncate(64 * MIB + 3);
    let large = Bytes::from(large);
    storage.put_content("/large", large.clone()).await.unwrap();
    storage.put_content("/small", "content").await.unwrap();
    storage.put_content("/empty", "").await.unwrap();
    let (_served, mut client) = raw::open(storage).await;
    assert_eq!(sizes(get(&mut client, "/small").await).await, (7, vec![7]));
    assert_eq!(sizes(get(&mut client, "/empty").await).await, (0, vec![0]));

    let mut replies = get(&mut client, "/large").await;
    let mut whole = Vec::new();
    while let Some(reply) = within(replies.message()).await.unwrap() {
        assert_eq!(reply.head.map(|head| head.size), whole.is_empty().then_some(large.len() as u64));
        assert!(reply.data.len() <= MIB);
        whole.extend_from_slice(&reply.data);
    }
    assert!(whole == large);
}

#[tokio::test]
async fn a_range_is_read_and_the_head_tells_of_the_whole() {
    let storage = Storage::new(InMemory::new());
    storage.put_content("/a", "0123456789").await.unwrap();
    let (_served, mut client) = raw::open(storage).await;
    let request = ReadRequest { offset: 3, length: Some(4), ..read("/a") };
    let mut replies = client.read(request).await.unwrap().into_inner();
    let reply = replies.message().await.unwrap().unwrap();
    assert_eq!((reply.head.as_ref().unwrap().size, &*reply.data), (10, &b"3456"[..]));
    let version = reply.head.unwrap().version;
    assert!(version.is_some());
    client.read(ReadRequest { version, ..read("/a") }).await.unwrap();
    let other = ReadRequest { version: Some("other".into()), ..read("/a") };
    assert_eq!(raw::error(client.read(other).await).kind(), ErrorKind::Conflict);
    // At the end: the head, and nothing else.
    let at_end = ReadRequest { offset: 10, ..read("/a") };
    assert_eq!(sizes(client.read(at_end).await.unwrap().into_inner()).await, (10, vec![0]));
}

#[tokio::test]
async fn large_chunks_are_cut_and_tiny_ones_put_together() {
    let (_served, mut client) = raw::open(probe().storage).await;
    for (chunk, number, expected) in [
        (5 * MIB / 2, 2, vec![MIB, MIB, MIB / 2, MIB, MIB, MIB / 2]),
        (MIB, 3, vec![MIB, MIB, MIB]),
        (64 << 10, 3, vec![64 << 10; 3]),
        // 65 chunks of 4,000 bytes are the most that fit into 256 KiB.
        (4000, 100, vec![65 * 4000, 35 * 4000]),
        (10, 3, vec![30]),
    ] {
        let replies = client.read(read(&format!("/chunks/{chunk}/{number}"))).await.unwrap().into_inner();
        assert_eq!(sizes(replies).await, ((chunk * number) as u64, expected), "{chunk} x {number}");
    }
}

#[tokio::test]
async fn neither_head_nor_chunk_waits_for_the_next() {
    let probed = probe();
    let (_served, mut client) = raw::open(probed.storage).await;
    let mut replies = within(client.read(read("/gate"))).await.unwrap().into_inner();
    let first = within(replies.message()).await.unwrap().unwrap();
    assert_eq!((first.head.unwrap().size, first.data.len()), (30, 0));
    probed.gate.add_permits(1);
    assert_eq!(within(replies.message()).await.unwrap().unwrap().data.len(), 10);
    probed.gate.add_permits(2);
    let mut rest = 0;
    while let Some(reply) = within(replies.message()).await.unwrap() {
        rest += reply.data.len();
    }
    assert_eq!(rest, 20);
}

#[tokio::test]
async fn a_driver_is_read_no_further_than_a_slow_reader_lets_it() {
    let probed = probe();
    let (_served, mut client) = raw::open(probed.storage).await;
    // 1 GiB, of which the reader takes one piece.
    let mut replies = client.read(read("/chunks/1048576/1024")).await.unwrap().into_inner();
    within(replies.message()).await.unwrap().unwrap();
    let chunks = || probed.counts.chunks.load(Ordering::SeqCst);
    let mut before = u64::MAX;
    while chunks() != before {
        before = chunks();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // What was taken, 2 MiB of the stream's window, and one or two that wait for it.
    assert!((2..=6).contains(&before), "{before} MiB were read from the driver");
    // Others are not held up by it.
    let other = client.read(read("/chunks/1048576/16")).await.unwrap().into_inner();
    assert_eq!(sizes(other).await.1.len(), 16);
    for _ in 0..100 {
        assert_eq!(within(replies.message()).await.unwrap().unwrap().data.len(), MIB);
    }
    assert!(chunks() <= 16 + 101 + 6, "{} MiB", chunks());
}
