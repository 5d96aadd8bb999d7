//! The calls of one request and one reply, errors, cancellation and the end of a server.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::stream;
use storagedriver::{ErrorKind, Operation, Storage, WriteMode};
use storagedriver_inmemory::InMemory;
use storagedriver_ipc::Server;
use storagedriver_ipc::proto::{
    AbortUploadRequest, DeleteRequest, EntryKind, ExamineRequest, GetContentRequest, Header,
    PutContentRequest, ReadRequest, RedirectUrlRequest, RenameRequest, StatRequest, UploadsRequest,
};
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tonic::{Code, Request, Status};

use crate::probe::probe;
use crate::raw::{self, Served, within};

fn stat(path: &str) -> StatRequest {
    StatRequest { path: path.into() }
}

#[tokio::test]
async fn a_file_is_looked_at_moved_and_deleted() {
    let storage = Storage::new(InMemory::new());
    storage.put_content("/a/b", "content").await.unwrap();
    let (_served, mut client) = raw::open(storage.clone()).await;
    let info = client.stat(stat("/a/b")).await.unwrap().into_inner().info.unwrap();
    assert_eq!((info.path.as_str(), info.kind(), info.size), ("/a/b", EntryKind::File, Some(7)));
    assert!(info.modified.is_some());
    let info = client.stat(stat("/a")).await.unwrap().into_inner().info.unwrap();
    assert_eq!((info.kind(), info.size, info.modified), (EntryKind::Directory, None, None));

    client.rename(RenameRequest { from: "/a/b".into(), to: "/c".into() }).await.unwrap();
    assert_eq!(storage.get_content("/c").await.unwrap(), "content");
    client.delete(DeleteRequest { path: "/c".into() }).await.unwrap();
    assert!(!storage.exists("/c").await.unwrap());

    let request = RedirectUrlRequest {
        path: "/c".into(),
        method: "GET".into(),
        headers: vec![Header { name: "range".into(), value: "bytes=0-".into() }],
        client_address: "::1".into(),
        expiry: None,
    };
    assert_eq!(client.redirect_url(request.clone()).await.unwrap().into_inner().url, None);
    let bad = RedirectUrlRequest { client_address: "somewhere".into(), ..request };
    assert_eq!(client.redirect_url(bad).await.unwrap_err().code(), Code::InvalidArgument);
    let findings = client.examine(ExamineRequest { scratch: "/scratch".into() }).await.unwrap();
    assert!(findings.into_inner().findings.is_empty());
}

#[tokio::test]
async fn an_upload_is_listed_and_aborted() {
    let storage = Storage::new(InMemory::new());
    let mut writer = storage.writer("/a/b", WriteMode::Create).await.unwrap();
    writer.write("content").await.unwrap();
    writer.close().await.unwrap();
    let (_served, mut client) = raw::open(storage.clone()).await;
    let mut replies = client.uploads(UploadsRequest { below: "/".into() }).await.unwrap().into_inner();
    let uploads = replies.message().await.unwrap().unwrap().uploads;
    assert!(replies.message().await.unwrap().is_none());
    let [upload] = uploads.as_slice() else { panic!("{uploads:?}") };
    assert_eq!((upload.path.as_str(), upload.size), ("/a/b", 7));

    let mut odd = upload.clone();
    odd.path = "/a//b".into();
    let error = raw::error(client.abort_upload(AbortUploadRequest { upload: Some(odd) }).await);
    assert_eq!(error.kind(), ErrorKind::InvalidPath);
    assert!(client.abort_upload(AbortUploadRequest { upload: None }).await.is_err());
    client.abort_upload(AbortUploadRequest { upload: Some(upload.clone()) }).await.unwrap();
    assert!(storage.uploads("/").await.unwrap().is_empty());
}

#[tokio::test]
async fn an_error_says_what_the_host_does_not_know() {
    let (_served, mut client) = raw::open(Storage::new(InMemory::new())).await;
    let status = client.stat(stat("/absent")).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let error = raw::error::<()>(Err(status));
    assert_eq!((error.kind(), error.path()), (ErrorKind::PathNotFound, Some("/absent")));
    // The host adds these, under the name that its user gave to the driver.
    assert_eq!((error.driver(), error.operation()), (None, None));
    let error = raw::error(client.stat(stat("/a//b")).await);
    assert_eq!((error.kind(), error.path()), (ErrorKind::InvalidPath, Some("/a//b")));
    let request = ReadRequest { path: "/a".into(), offset: 8, length: None, version: None };
    let put = PutContentRequest { path: "/a".into(), data: "content".into(), last: true };
    client.put_content(stream::iter([put])).await.unwrap();
    let error = raw::error(client.read(request).await);
    assert_eq!(error.kind(), ErrorKind::InvalidOffset);
    assert!(error.to_string().contains('8') && error.to_string().contains('7'), "{error}");
}

#[tokio::test]
async fn a_panic_ends_the_call_and_not_the_driver() {
    let probed = probe();
    let (_served, mut client) = raw::open(probed.storage).await;
    let is_panic = |error: &storagedriver::Error| {
        assert_eq!(error.kind(), ErrorKind::Backend);
        let text = error.to_string();
        assert!(text.contains("panicked") && !text.contains("hunter2"), "{text}");
    };
    let path = || "/panic".to_owned();
    is_panic(&raw::error(client.get_content(GetContentRequest { path: path() }).await));
    let request = ReadRequest { path: path(), offset: 0, length: None, version: None };
    let mut replies = client.read(request).await.unwrap().into_inner();
    let mut length = 0;
    let error = loop {
        match replies.message().await {
            Ok(reply) => length += reply.unwrap().data.len(),
            Err(status) => break raw::error::<()>(Err(status)),
        }
    };
    is_panic(&error);
    assert_eq!(length, 200_000);
    client.stat(stat("/")).await.unwrap();
}

/// Waits until a counter has the value.
async fn until(counter: &std::sync::atomic::AtomicU64, value: u64) {
    within(async {
        while counter.load(Ordering::SeqCst) != value {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_the_host_drops_is_dropped_here() {
    let probed = probe();
    let (_served, mut client) = raw::open(probed.storage).await;
    {
        let mut other = client.clone();
        let hanging = tokio::spawn(async move { other.stat(stat("/hang")).await });
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(probed.counts.dropped.load(Ordering::SeqCst), 0);
        hanging.abort();
    }
    until(&probed.counts.dropped, 1).await;
    // So is what has a deadline.
    let mut request = Request::new(stat("/hang"));
    request.set_timeout(Duration::from_millis(100));
    assert!(client.stat(request).await.is_err());
    until(&probed.counts.dropped, 2).await;
    let request = ReadRequest { path: "/gate".into(), offset: 0, length: None, version: None };
    let replies = client.read(request).await.unwrap();
    drop(replies);
    until(&probed.counts.dropped, 3).await;
}

#[tokio::test]
async fn many_calls_that_are_dropped_at_once_do_not_end_the_connection() {
    // Of its own, so that it can be held up: then it gets each call together with its end.
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let served = {
        let _within = runtime.enter();
        Served::start(Server::opened(probe().storage))
    };
    let mut client = served.client().await;
    let mut other = client.clone();
    let holding_up = tokio::spawn(async move { other.stat(stat("/block")).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let calls = (0..1000).map(|_| {
        let mut other = client.clone();
        async move { other.stat(stat("/hang")).await }
    });
    let calls = futures_util::future::join_all(calls);
    assert!(tokio::time::timeout(Duration::from_millis(50), calls).await.is_err());
    within(holding_up).await.unwrap().unwrap_err();
    within(client.stat(stat("/"))).await.unwrap();
    runtime.shutdown_background();
}

#[tokio::test]
async fn content_without_its_last_piece_changes_nothing() {
    let storage = Storage::new(InMemory::new());
    let (_served, mut client) = raw::open(storage.clone()).await;
    let piece = |path: &str, last| PutContentRequest { path: path.into(), data: "content".into(), last };
    let status = client.put_content(stream::iter([piece("/a", false)])).await.unwrap_err();
    assert!(status.message().contains("nothing was changed"), "{status}");
    assert!(!storage.exists("/a").await.unwrap());

    // The connection breaks, or the host gives up: the same.
    let (sender, receiver) = mpsc::channel(1);
    sender.send(piece("/a", false)).await.unwrap();
    let requests =
        stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
    let mut other = client.clone();
    let call = tokio::spawn(async move { other.put_content(requests).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    call.abort();
    let error: Result<_, Status> = client.stat(stat("/a")).await;
    assert_eq!(raw::error(error).kind(), ErrorKind::PathNotFound);

    let pieces = [piece("/a", false), piece("", false), piece("", true)];
    client.put_content(stream::iter(pieces)).await.unwrap();
    assert_eq!(storage.get_content("/a").await.unwrap(), "contentcontentcontent");
    let error = raw::error(client.put_content(stream::iter([piece("/", true)])).await);
    assert_eq!((error.kind(), error.operation()), (ErrorKind::InvalidPath, None::<Operation>));
}

#[tokio::test]
async fn a_server_that_is_told_to_end_drops_what_lasts() {
    let probed = probe();
    let (served, mut client) = raw::open(probed.storage).await;
    let hanging = tokio::spawn(async move { client.stat(stat("/hang")).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let socket = served.socket.clone();
    let start = Instant::now();
    served.stop().await;
    assert!(start.elapsed() < Duration::from_secs(30));
    until(&probed.counts.dropped, 1).await;
    // What the connection reports has a source; what came over it has none.
    let status = within(hanging).await.unwrap().unwrap_err();
    assert!(std::error::Error::source(&status).is_some(), "{status:?}");
    assert!(std::os::unix::net::UnixStream::connect(socket).is_err());
}
