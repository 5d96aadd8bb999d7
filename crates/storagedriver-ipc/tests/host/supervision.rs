//! Drivers that break off or do not answer.

use std::sync::atomic::Ordering;

use futures_util::FutureExt;
use futures_util::future::join_all;
use storagedriver::{ErrorKind, Parameters};
use storagedriver_ipc::proto::OpenReply;

use crate::fake::{Answers, Fake};

#[tokio::test]
async fn many_calls_share_one_new_connection() {
    let fake = Fake::serve(Answers::default());
    let storage = fake.open().await.unwrap();
    storage.stat("/").await.unwrap();
    for round in 2..=4 {
        fake.break_connections();
        while storage.stat("/").await.is_err() {}
        let calls = (0..50).map(|_| storage.stat("/"));
        assert!(join_all(calls).await.iter().all(Result::is_ok));
        assert_eq!(fake.accepted.load(Ordering::SeqCst), round);
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_does_not_stop_the_start_that_others_wait_for() {
    let fake = Fake::serve(Answers::default());
    let storage = fake.open().await.unwrap();
    storage.stat("/").await.unwrap();
    fake.break_connections();
    let _ = storage.stat("/").await;
    for polls in 0..20 {
        let mut call = Box::pin(storage.stat("/"));
        for _ in 0..polls {
            if (&mut call).now_or_never().is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(call);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    storage.stat("/").await.unwrap();
    assert_eq!(fake.accepted.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_unavailable() {
    let fake = Fake::serve(Answers { hangs: true, ..Answers::default() });
    let storage = fake.open_with(Parameters::from_iter([("timeout", "1s")])).await.unwrap();
    let error = storage.stat("/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("within 1s") && error.to_string().contains("`timeout`"), "{error}");
}

/// It fails at once when the next start is far away, and says when that is.
#[tokio::test]
async fn a_driver_that_stays_away_is_tried_less_and_less() {
    let fake = Fake::serve(Answers::default());
    let storage = fake.open().await.unwrap();
    drop(fake);
    let mut reasons = Vec::new();
    for _ in 0..12 {
        let error = storage.stat("/").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        reasons.push(error.to_string());
    }
    let last = reasons.last().unwrap();
    assert!(last.contains("times in quick succession") && last.contains("started again in"), "{reasons:?}");
    assert!(last.contains("nothing serves at"), "{reasons:?}");
}

#[tokio::test]
async fn a_driver_that_comes_back_with_less_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let first = Fake::serve(Answers::default());
    let socket = directory.path().join("socket");
    std::os::unix::fs::symlink(first.socket(), &socket).unwrap();
    let parameters = Parameters::from_iter([("socket", socket.display().to_string().as_str())]);
    let storage = crate::fake::external(parameters).await.unwrap();
    storage.stat("/").await.unwrap();
    let opened = OpenReply { lacking: vec!["shared".to_owned()], ..Default::default() };
    let second = Fake::serve(Answers { opened, ..Answers::default() });
    std::fs::remove_file(&socket).unwrap();
    std::os::unix::fs::symlink(second.socket(), &socket).unwrap();
    drop(first);
    let mut told = String::new();
    for _ in 0..5 {
        let error = storage.stat("/").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        told += &std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    }
    assert!(told.contains("another than before") && told.contains("Shared"), "{told}");
}
