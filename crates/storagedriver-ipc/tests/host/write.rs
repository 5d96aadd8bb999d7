//! Uploads: what was accepted, what was refused, and what becomes of it.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::FutureExt;
use storagedriver::{Error, ErrorKind, Storage, StoragePath, WriteMode};
use storagedriver_ipc::convert::error_message;
use storagedriver_ipc::proto::write_reply::Step as Reply;
use storagedriver_ipc::proto::write_request::Step;
use storagedriver_ipc::proto::{
    WriteAccepted, WriteEnded, WriteEnding, WriteOpened, WriteRefused, WriteReply, WriteRequest,
};
use tokio::sync::Semaphore;

use crate::fake::{Answers, Call, Fake};

const MIB: usize = 1 << 20;

/// A driver that takes an upload.
#[derive(Clone)]
struct Taker {
    /// What it accepted.
    content: Arc<Mutex<Vec<u8>>>,
    /// The endings that came, and whether the host went without one.
    ends: Arc<Mutex<Vec<Option<WriteEnding>>>>,
    /// How often it refuses the chunk of this number.
    refuse: Arc<Mutex<(u64, usize)>>,
    /// How many chunks it may take.
    permits: Arc<Semaphore>,
    /// What it says of sizes is wrong by so much.
    wrong: u64,
}

impl Taker {
    fn new() -> Taker {
        Taker {
            content: Arc::default(),
            ends: Arc::default(),
            refuse: Arc::default(),
            permits: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            wrong: 0,
        }
    }

    async fn storage(&self) -> (Fake, Storage) {
        let taker = self.clone();
        let write =
            move |call| -> Pin<Box<dyn Future<Output = ()> + Send>> { Box::pin(taker.clone().take(call)) };
        let fake = Fake::serve(Answers { write: Arc::new(write), ..Answers::default() });
        let storage = fake.open().await.unwrap();
        (fake, storage)
    }

    fn content(&self) -> Vec<u8> {
        self.content.lock().unwrap().clone()
    }

    async fn ends(&self) -> Vec<Option<WriteEnding>> {
        for _ in 0..1000 {
            let ends = self.ends.lock().unwrap().clone();
            if !ends.is_empty() {
                return ends;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("the driver never noticed an end");
    }

    fn refuses(&self, sequence: u64) -> bool {
        let mut refuse = self.refuse.lock().unwrap();
        let refuses = refuse.0 == sequence && refuse.1 > 0;
        refuse.1 -= usize::from(refuses);
        refuses
    }

    async fn take(self, mut call: Call<WriteRequest, WriteReply>) {
        let send = |call: &Call<_, _>, step| call.send(WriteReply { step: Some(step) });
        let (mut next, mut chunk, mut refused) = (1, Vec::new(), false);
        while let Some(request) = call.next().await {
            match request.step.unwrap() {
                Step::Open(_) => {
                    send(&call, Reply::Opened(WriteOpened { size: self.content().len() as u64 }))
                }
                Step::Chunk(piece) => {
                    assert!(piece.data.len() <= MIB, "{} bytes in one piece", piece.data.len());
                    if piece.sequence != next {
                        assert!(refused, "{} came instead of {next}", piece.sequence);
                        continue;
                    }
                    chunk.extend_from_slice(&piece.data);
                    if !piece.last {
                        continue;
                    }
                    self.permits.acquire().await.unwrap().forget();
                    let whole = std::mem::take(&mut chunk);
                    refused = self.refuses(next);
                    if refused {
                        let error = Error::out_of_space(&StoragePath::root(), "the disk is full");
                        let error = Some(error_message(&error));
                        send(&call, Reply::Refused(WriteRefused { sequence: next, error }));
                        continue;
                    }
                    self.content.lock().unwrap().extend(whole);
                    let size = self.content().len() as u64 + self.wrong;
                    send(&call, Reply::Accepted(WriteAccepted { sequence: next, size }));
                    next += 1;
                }
                Step::Ending(ending) => {
                    self.ends.lock().unwrap().push(Some(WriteEnding::try_from(ending).unwrap()));
                    send(&call, Reply::Ended(WriteEnded { size: self.content().len() as u64 }));
                    return;
                }
            }
        }
        self.ends.lock().unwrap().push(None);
    }
}

fn pattern(size: usize, seed: u8) -> Bytes {
    (0..size).map(|place| (place % 251) as u8 ^ seed).collect::<Vec<_>>().into()
}

#[tokio::test]
async fn chunks_of_every_size_arrive() {
    let taker = Taker::new();
    let (_fake, storage) = taker.storage().await;
    let mut writer = storage.writer("/a", WriteMode::Create).await.unwrap();
    let mut all = Vec::new();
    for (seed, size) in [1, MIB - 1, MIB, MIB + 1, 5 * MIB + 3, 100].into_iter().enumerate() {
        let chunk = pattern(size, seed as u8);
        all.extend_from_slice(&chunk);
        writer.write(chunk).await.unwrap();
        assert_eq!(writer.size(), all.len() as u64);
    }
    writer.commit().await.unwrap();
    assert!(taker.content() == all);
    assert_eq!(taker.ends().await, [Some(WriteEnding::Commit)]);
}

/// A writer runs 4 MiB ahead of its driver and no further; a write that is dropped while it waits took
/// nothing.
#[tokio::test]
async fn a_driver_that_does_not_take_stops_the_writer() {
    let taker = Taker { permits: Arc::new(Semaphore::new(0)), ..Taker::new() };
    let (_fake, storage) = taker.storage().await;
    let mut writer = storage.writer("/a", WriteMode::Create).await.unwrap();
    for seed in 0..4 {
        writer.write(pattern(MIB, seed)).await.unwrap();
    }
    let mut dropped = Box::pin(writer.write(pattern(1, 4)));
    for _ in 0..50 {
        assert!((&mut dropped).now_or_never().is_none());
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    drop(dropped);
    assert_eq!(writer.size(), 4 * MIB as u64);
    taker.permits.add_permits(10);
    writer.write(pattern(7, 5)).await.unwrap();
    assert_eq!(writer.close().await.unwrap(), 4 * MIB as u64 + 7);
    let all: Vec<u8> = (0..4).flat_map(|seed| pattern(MIB, seed)).chain(pattern(7, 5)).collect();
    assert!(taker.content() == all);
}

/// However small, only so many chunks wait.
#[tokio::test]
async fn small_chunks_are_counted() {
    let taker = Taker { permits: Arc::new(Semaphore::new(0)), ..Taker::new() };
    let (_fake, storage) = taker.storage().await;
    let mut writer = storage.writer("/a", WriteMode::Create).await.unwrap();
    for _ in 0..4096 {
        writer.write(pattern(1, 0)).await.unwrap();
    }
    assert!(writer.write(pattern(1, 1)).now_or_never().is_none());
    assert_eq!(writer.size(), 4096);
    taker.permits.add_permits(5000);
    assert_eq!(writer.close().await.unwrap(), 4096);
}

/// What the driver refuses is told by the next write, which takes nothing; the one after sends it again.
#[tokio::test]
async fn a_refused_chunk_is_sent_again() {
    let taker = Taker::new();
    *taker.refuse.lock().unwrap() = (2, 1);
    let (_fake, storage) = taker.storage().await;
    let mut writer = storage.writer("/a", WriteMode::Create).await.unwrap();
    for seed in 0..3 {
        writer.write(pattern(100, seed)).await.unwrap();
    }
    let error = loop {
        // It may take more before it hears of the refusal.
        match writer.write(Bytes::new()).await {
            Ok(()) => tokio::time::sleep(std::time::Duration::from_millis(1)).await,
            Err(error) => break error,
        }
        if let Err(error) = writer.write(pattern(1, 9)).await {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::OutOfSpace, "{error}");
    assert!(error.to_string().contains("the disk is full"), "{error}");
    let size = writer.size();
    writer.write(pattern(50, 3)).await.unwrap();
    assert_eq!(writer.size(), size + 50);
    writer.commit().await.unwrap();
    let mut all: Vec<u8> = (0..3).flat_map(|seed| pattern(100, seed)).collect();
    all.extend(std::iter::repeat_n(9, usize::try_from(size).unwrap() - 300));
    all.extend(pattern(50, 3));
    assert!(taker.content() == all);
}

/// A commit never publishes less than was accepted: one chunk that is refused for good, and it fails; what
/// the driver has stays resumable.
#[tokio::test]
async fn a_commit_after_a_refusal_closes_what_is_there() {
    for (times, commits) in [(1, true), (2, false)] {
        let taker = Taker::new();
        *taker.refuse.lock().unwrap() = (2, times);
        let (_fake, storage) = taker.storage().await;
        let mut writer = storage.writer("/a", WriteMode::Create).await.unwrap();
        for seed in 0..3 {
            writer.write(pattern(100, seed)).await.unwrap();
        }
        // Whether the first refusal comes before the commit or in it, the chunk is sent once more.
        let outcome = writer.commit().await;
        let ends = taker.ends().await;
        if commits {
            outcome.unwrap();
            assert_eq!(ends, [Some(WriteEnding::Commit)]);
            assert_eq!(taker.content().len(), 300);
        } else {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutOfSpace, "{error}");
            assert_eq!(ends, [Some(WriteEnding::Close)]);
            assert!(taker.content() == pattern(100, 0));
        }
    }
}

#[tokio::test]
async fn a_dropped_writer_ends_without_an_ending() {
    let taker = Taker::new();
    let (_fake, storage) = taker.storage().await;
    let mut writer = storage.writer("/a", WriteMode::Create).await.unwrap();
    writer.write(pattern(100, 0)).await.unwrap();
    drop(writer);
    assert_eq!(taker.ends().await, [None]);
    let writer = storage.writer("/a", WriteMode::Create).await.unwrap();
    writer.cancel().await.unwrap();
    assert_eq!(taker.ends().await.last(), Some(&Some(WriteEnding::Cancel)));
}

#[tokio::test]
async fn a_driver_that_counts_otherwise_is_noticed() {
    let taker = Taker { wrong: 1, ..Taker::new() };
    let (_fake, storage) = taker.storage().await;
    let mut writer = storage.writer("/a", WriteMode::Create).await.unwrap();
    writer.write(pattern(100, 0)).await.unwrap();
    let error = writer.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupted, "{error}");
    assert_eq!(taker.ends().await, [None]);
}

#[tokio::test]
async fn a_connection_that_breaks_ends_the_upload() {
    let taker = Taker::new();
    let (fake, storage) = taker.storage().await;
    let mut writer = storage.writer("/a", WriteMode::Create).await.unwrap();
    writer.write(pattern(100, 0)).await.unwrap();
    fake.break_connections();
    let error = loop {
        match writer.write(pattern(100, 0)).await {
            Ok(()) => tokio::time::sleep(std::time::Duration::from_millis(1)).await,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert_eq!(writer.write(pattern(1, 0)).await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(writer.commit().await.unwrap_err().kind(), ErrorKind::Unavailable);
}

/// Whoever drops a write while the host finds out why the call broke off still hears of it.
#[tokio::test]
async fn a_dropped_write_does_not_hide_that_the_call_broke_off() {
    let write = |mut call: Call<WriteRequest, WriteReply>| -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            call.next().await;
            call.send(WriteReply { step: Some(Reply::Opened(WriteOpened { size: 0 })) });
            call.next().await;
            call.reset();
        })
    };
    let fake = Fake::serve(Answers { write: Arc::new(write), ..Answers::default() });
    let storage = fake.open().await.unwrap();
    let mut writer = storage.writer("/a", WriteMode::Create).await.unwrap();
    writer.write(pattern(1, 0)).await.unwrap();
    let mut dropped = 0;
    for _ in 0..400 {
        match writer.write(pattern(1, 0)).now_or_never() {
            Some(Ok(())) => {}
            Some(Err(error)) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}"),
            None => dropped += 1,
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    assert!(dropped > 0, "no write waited for the cause");
    assert_eq!(writer.write(pattern(1, 0)).await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(writer.commit().await.unwrap_err().kind(), ErrorKind::Unavailable);
}
