//! Uploads as calls.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::stream;
use storagedriver::bytes::Bytes;
use storagedriver::{ErrorKind, WriteMode};
use storagedriver_ipc::convert;
use storagedriver_ipc::proto::write_reply::Step as Reply;
use storagedriver_ipc::proto::write_request::Step;
use storagedriver_ipc::proto::{
    self, WriteAccepted, WriteChunk, WriteEnded, WriteEnding, WriteOpen, WriteOpened, WriteReply,
    WriteRequest,
};
use tokio::sync::mpsc;
use tonic::{Code, Status, Streaming};

use crate::probe::{Probed, probe};
use crate::raw::{self, Client, within};

/// The host's side of an upload.
struct Upload {
    steps: mpsc::Sender<WriteRequest>,
    replies: Streaming<WriteReply>,
}

impl Upload {
    async fn open(client: &mut Client, path: &str, mode: proto::WriteMode) -> Result<Self, Status> {
        let (steps, receiver) = mpsc::channel(16);
        let upload = WriteOpen { path: path.into(), mode: mode.into() };
        steps.send(WriteRequest { step: Some(Step::Open(upload)) }).await.unwrap();
        let requests =
            stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
        let replies = within(client.write(requests)).await?.into_inner();
        Ok(Upload { steps, replies })
    }

    async fn create(client: &mut Client, path: &str) -> Self {
        let mut upload = Self::open(client, path, proto::WriteMode::Create).await.unwrap();
        assert_eq!(upload.reply().await, Reply::Opened(WriteOpened { size: 0 }));
        upload
    }

    async fn send(&self, step: Step) {
        self.steps.send(WriteRequest { step: Some(step) }).await.unwrap();
    }

    async fn piece(&self, sequence: u64, data: impl Into<Bytes>, last: bool) {
        self.send(Step::Chunk(WriteChunk { sequence, data: data.into(), last })).await;
    }

    async fn end(&self, ending: WriteEnding) {
        self.send(Step::Ending(ending.into())).await;
    }

    async fn next(&mut self) -> Result<Option<Reply>, Status> {
        Ok(within(self.replies.message()).await?.map(|reply| reply.step.unwrap()))
    }

    async fn reply(&mut self) -> Reply {
        self.next().await.unwrap().unwrap()
    }
}

fn accepted(sequence: u64, size: u64) -> Reply {
    Reply::Accepted(WriteAccepted { sequence, size })
}

fn ended(size: u64) -> Reply {
    Reply::Ended(WriteEnded { size })
}

async fn unended(probed: &Probed, number: u64) {
    within(async {
        while probed.counts.unended.load(Ordering::SeqCst) != number {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn chunks_are_taken_whole_and_each_ending_ends() {
    let probed = probe();
    let (_served, mut client) = raw::open(probed.storage.clone()).await;
    let mut upload = Upload::create(&mut client, "/a").await;
    upload.piece(1, "one ", true).await;
    assert_eq!(upload.reply().await, accepted(1, 4));
    // A chunk in three pieces, the last of them empty.
    upload.piece(2, "tw", false).await;
    upload.piece(2, "o ", false).await;
    upload.piece(2, "", true).await;
    assert_eq!(upload.reply().await, accepted(2, 8));
    upload.end(WriteEnding::Close).await;
    assert_eq!(upload.reply().await, ended(8));
    assert_eq!(upload.next().await.unwrap(), None);

    let mut upload = Upload::open(&mut client, "/a", proto::WriteMode::Append).await.unwrap();
    assert_eq!(upload.reply().await, Reply::Opened(WriteOpened { size: 8 }));
    let large = Bytes::from(vec![b'x'; 1 << 20]);
    for piece in 1..=5 {
        upload.piece(1, large.clone(), piece == 5).await;
    }
    upload.end(WriteEnding::Commit).await;
    assert_eq!(upload.reply().await, accepted(1, 8 + (5 << 20)));
    assert_eq!(upload.reply().await, ended(8 + (5 << 20)));
    assert_eq!(upload.next().await.unwrap(), None);
    let content = probed.storage.get_content("/a").await.unwrap();
    assert!(content.starts_with(b"one two xxx") && content.len() == 8 + (5 << 20));

    let mut upload = Upload::create(&mut client, "/b").await;
    upload.piece(1, "one", true).await;
    upload.end(WriteEnding::Cancel).await;
    assert_eq!(upload.reply().await, accepted(1, 3));
    assert_eq!(upload.reply().await, ended(0));
    assert!(probed.storage.uploads("/").await.unwrap().is_empty());
    assert_eq!(probed.counts.unended.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_follows_a_refused_chunk_waits_for_it() {
    let probed = probe();
    let (_served, mut client) = raw::open(probed.storage.clone()).await;
    let mut upload = Upload::create(&mut client, "/a").await;
    upload.piece(1, "1", true).await;
    upload.piece(2, "ba", false).await;
    upload.piece(2, "d", true).await;
    upload.piece(3, "3", true).await;
    upload.piece(4, "4", true).await;
    assert_eq!(upload.reply().await, accepted(1, 1));
    let Reply::Refused(refused) = upload.reply().await else { panic!("it was not refused") };
    assert_eq!(refused.sequence, 2);
    let error = convert::from_error_message(refused.error.unwrap());
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Throttled, None));
    upload.piece(2, "2", true).await;
    upload.piece(3, "three", true).await;
    assert_eq!(upload.reply().await, accepted(2, 2));
    assert_eq!(upload.reply().await, accepted(3, 7));
    // A refusal just before the ending: what was accepted is kept.
    upload.piece(4, "bad", true).await;
    upload.end(WriteEnding::Commit).await;
    assert!(matches!(upload.reply().await, Reply::Refused(_)));
    assert_eq!(upload.reply().await, ended(7));
    assert_eq!(probed.storage.get_content("/a").await.unwrap(), "12three");
}

#[tokio::test]
async fn a_stream_without_an_ending_is_a_drop() {
    let probed = probe();
    let (_served, mut client) = raw::open(probed.storage.clone()).await;
    let mut writer = probed.storage.writer("/a", WriteMode::Create).await.unwrap();
    writer.write("closed").await.unwrap();
    writer.close().await.unwrap();
    // It ends ...
    let mut upload = Upload::open(&mut client, "/a", proto::WriteMode::Append).await.unwrap();
    upload.piece(1, "more", true).await;
    upload.reply().await;
    assert_eq!(upload.reply().await, accepted(1, 10));
    drop(upload.steps);
    assert!(within(upload.replies.message()).await.unwrap().is_none());
    unended(&probed, 1).await;
    // ... or breaks, in the middle of a chunk.
    let mut upload = Upload::open(&mut client, "/a", proto::WriteMode::Append).await.unwrap();
    assert_eq!(upload.reply().await, Reply::Opened(WriteOpened { size: 6 }));
    upload.piece(1, "more", false).await;
    drop(upload);
    unended(&probed, 2).await;
    assert!(!probed.storage.exists("/a").await.unwrap());
    assert_eq!(probed.storage.uploads("/").await.unwrap().first().unwrap().size(), 6);
}

#[tokio::test]
async fn what_the_protocol_does_not_allow_ends_the_upload_without_publishing() {
    let probed = probe();
    let (_served, mut client) = raw::open(probed.storage.clone()).await;
    let steps = [
        Step::Chunk(WriteChunk { sequence: 2, data: "two".into(), last: true }),
        Step::Open(WriteOpen { path: "/a".into(), mode: 1 }),
        Step::Ending(WriteEnding::Unspecified.into()),
        Step::Ending(99),
    ];
    for (number, step) in (1..).zip(steps) {
        let mut upload = Upload::create(&mut client, "/a").await;
        upload.send(step).await;
        let status = upload.next().await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains("broke the protocol"), "{status}");
        unended(&probed, number).await;
    }
    let mut upload = Upload::create(&mut client, "/a").await;
    upload.piece(1, "begun", false).await;
    upload.end(WriteEnding::Commit).await;
    assert!(upload.next().await.unwrap_err().message().contains("middle of a chunk"));
    assert!(!probed.storage.exists("/a").await.unwrap());
    let first = WriteRequest { step: Some(Step::Ending(WriteEnding::Commit.into())) };
    assert!(client.write(stream::iter([first])).await.unwrap_err().message().contains("`open`"));
    let open = WriteRequest { step: Some(Step::Open(WriteOpen { path: "/a".into(), mode: 0 })) };
    assert!(client.write(stream::iter([open])).await.unwrap_err().message().contains("mode"));
}

#[tokio::test]
async fn the_drivers_failures_end_the_call() {
    let probed = probe();
    let (_served, mut client) = raw::open(probed.storage.clone()).await;
    let absent = Upload::open(&mut client, "/absent", proto::WriteMode::Append).await;
    assert_eq!(raw::error(absent).kind(), ErrorKind::PathNotFound);
    let mut upload = Upload::create(&mut client, "/a").await;
    upload.piece(1, "panic", true).await;
    assert!(raw::error(upload.next().await).to_string().contains("panicked"));
    unended(&probed, 1).await;
    // Two that resumed the same upload: the second to end is told, by a status.
    let mut first = Upload::create(&mut client, "/b").await;
    first.end(WriteEnding::Close).await;
    assert_eq!(first.reply().await, ended(0));
    let mut first = Upload::open(&mut client, "/b", proto::WriteMode::Append).await.unwrap();
    let mut second = Upload::open(&mut client, "/b", proto::WriteMode::Append).await.unwrap();
    for upload in [&mut first, &mut second] {
        assert_eq!(upload.reply().await, Reply::Opened(WriteOpened { size: 0 }));
        upload.piece(1, "x", true).await;
        assert_eq!(upload.reply().await, accepted(1, 1));
    }
    first.end(WriteEnding::Commit).await;
    assert_eq!(first.reply().await, ended(1));
    second.end(WriteEnding::Commit).await;
    assert_eq!(raw::error(second.next().await).kind(), ErrorKind::Conflict);
}
