//! Reading, from drivers that keep their word and from others.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use storagedriver::{ErrorKind, ReadOptions, Storage};
use storagedriver_ipc::proto::{ContentHead, ContentReply, ReadRequest};
use tonic::Status;

use crate::fake::{Answers, Fake, Replies};

const LARGE: usize = 300_000;

fn head(size: u64, data: &'static [u8]) -> ContentReply {
    ContentReply { head: Some(ContentHead { size, version: None }), data: Bytes::from_static(data) }
}

fn more(data: &'static [u8]) -> ContentReply {
    ContentReply { head: None, data: Bytes::from_static(data) }
}

fn content(request: ReadRequest) -> Result<Replies<ContentReply>, Status> {
    let replies: Vec<Result<ContentReply, Status>> = match request.path.as_str() {
        "/one" => vec![Ok(head(4, b"abcd"))],
        "/pieces" => vec![Ok(head(6, b"")), Ok(more(b"ab")), Ok(more(b"")), Ok(more(b"cd")), Ok(more(b"ef"))],
        "/empty" => vec![Ok(head(0, b""))],
        "/fewer" => vec![Ok(head(10, b"abcd"))],
        "/more" => vec![Ok(head(3, b"ab")), Ok(more(b"cd"))],
        "/headless" => vec![Ok(more(b"abcd"))],
        "/nothing" => vec![],
        "/fails" => vec![Ok(head(4, b"ab")), Err(Status::unavailable("the disk is on fire"))],
        // A head that nobody should believe.
        "/huge" => vec![Ok(head(u64::MAX, b"ab")), Ok(more(b"cd"))],
        "/offset" => vec![Ok(head(10, b"ef")), Ok(more(b"gh"))],
        _ => return Ok(stream::iter([Ok(head(LARGE as u64, &[7; 1000]))]).chain(stream::pending()).boxed()),
    };
    Ok(stream::iter(replies).boxed())
}

async fn storage() -> (Fake, Storage) {
    let fake = Fake::serve(Answers { content: Box::new(content), ..Answers::default() });
    let storage = fake.open().await.unwrap();
    (fake, storage)
}

async fn both(storage: &Storage, path: &str) -> Result<Bytes, ErrorKind> {
    let got = storage.get_content(path).await.map_err(|error| error.kind());
    let read = match storage.reader(path, ReadOptions::all()).await {
        Ok(content) => content.bytes().await,
        Err(error) => Err(error),
    };
    assert_eq!(got, read.map_err(|error| error.kind()), "{path}");
    got
}

#[tokio::test]
async fn what_was_said_is_read() {
    let (_fake, storage) = storage().await;
    assert_eq!(both(&storage, "/one").await.unwrap(), "abcd");
    assert_eq!(both(&storage, "/pieces").await.unwrap(), "abcdef");
    assert_eq!(both(&storage, "/empty").await.unwrap(), "");
    let mut content = storage.reader("/pieces", ReadOptions::all()).await.unwrap();
    while let Some(piece) = content.next().await {
        assert!(!piece.unwrap().is_empty());
    }
    // Two bytes more than a range of two has.
    let options = ReadOptions::from_offset(4).with_length(2);
    let error = storage.reader("/offset", options).await.unwrap().bytes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupted, "{error}");
    let options = ReadOptions::from_offset(4).with_length(4);
    assert_eq!(storage.reader("/offset", options).await.unwrap().bytes().await.unwrap(), "efgh");
    // The driver did not refuse it.
    let error = storage.reader("/offset", ReadOptions::from_offset(11)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOffset, "{error}");
}

#[tokio::test]
async fn more_or_fewer_bytes_than_were_said_are_an_error() {
    let (_fake, storage) = storage().await;
    assert_eq!(both(&storage, "/fewer").await, Err(ErrorKind::Corrupted));
    assert_eq!(both(&storage, "/more").await, Err(ErrorKind::Corrupted));
    assert_eq!(both(&storage, "/huge").await, Err(ErrorKind::Corrupted));
    assert_eq!(both(&storage, "/headless").await, Err(ErrorKind::Backend));
    assert_eq!(both(&storage, "/nothing").await, Err(ErrorKind::Backend));
    assert_eq!(both(&storage, "/fails").await, Err(ErrorKind::Unavailable));
    let error = storage.get_content("/fewer").await.unwrap_err().to_string();
    assert!(error.contains("6 bytes fewer"), "{error}");
}

#[tokio::test]
async fn a_connection_that_breaks_is_no_end() {
    let (fake, storage) = storage().await;
    let mut content = storage.reader("/endless", ReadOptions::all()).await.unwrap();
    assert_eq!(content.next().await.unwrap().unwrap().len(), 1000);
    fake.break_connections();
    let error = content.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("the driver is gone"), "{error}");
    // The next call has a new connection.
    assert_eq!(both(&storage, "/one").await.unwrap(), "abcd");
}
