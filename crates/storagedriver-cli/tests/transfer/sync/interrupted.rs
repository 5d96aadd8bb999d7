//! A run that is stopped anywhere leaves tags that resolve, and the next one finishes the work.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use storagedriver::Storage;
use storagedriver_cli::sync::{SyncOptions, sync};
use tokio::sync::Notify;

use super::{clean, memory, memory_with, options};
use crate::layers::StopsAt;
use crate::trees::{Files, assert_same, broken_tags_of, fill, small_registry, snapshot, without_uploads};

/// Runs until the change with that number, and not further; whether it got that far.
async fn stopped_at(from: &Storage, to: &Storage, options: &SyncOptions, change: usize) -> bool {
    let stopped = Arc::new(Notify::new());
    let notify = stopped.clone();
    let stopping =
        to.layer(|inner| StopsAt { inner, left: Arc::new(AtomicUsize::new(change)), stopped: notify });
    let monitor = Default::default();
    let run = sync(from, &stopping, options, &monitor);
    tokio::select! {
        biased;
        () = stopped.notified() => true,
        done = run => {
            done.unwrap();
            false
        }
    }
}

#[tokio::test]
async fn at_every_change_tags_resolve_and_the_next_run_ends_identical() {
    let files = small_registry();
    let from = memory_with(&files).await;
    let wanted = without_uploads(files);
    for transfers in [1, 4] {
        let options = options(|options| options.transfers = transfers);
        let mut stops = 0;
        loop {
            let to = memory();
            let stopped = stopped_at(&from, &to, &options, stops).await;
            let broken = broken_tags_of(&snapshot(&to).await);
            assert!(broken.is_empty(), "stopped at change {stops}: {broken:#?}");
            clean(&from, &to, &options).await;
            assert_same(&snapshot(&to).await, &wanted);
            if !stopped {
                break;
            }
            stops += 1;
        }
        assert!(stops > 100, "only {stops} changes were there to stop at");
    }
}

/// With only some repositories no pass over the blobs comes first.
#[tokio::test]
async fn at_every_change_of_one_repository_tags_resolve() {
    let from = memory_with(&small_registry()).await;
    let options = options(|options| options.repositories = vec!["team/app".to_owned()]);
    let mut stops = 0;
    loop {
        let to = memory();
        let stopped = stopped_at(&from, &to, &options, stops).await;
        let broken = broken_tags_of(&snapshot(&to).await);
        assert!(broken.is_empty(), "stopped at change {stops}: {broken:#?}");
        if !stopped {
            break;
        }
        stops += 1;
    }
    assert!(stops > 30, "only {stops} changes were there to stop at");
}

/// Deletion goes from tags to blobs.
#[tokio::test]
async fn at_every_change_of_a_deletion_tags_resolve() {
    let all = without_uploads(small_registry());
    let left: Files = all
        .iter()
        .filter(|(path, _)| !path.contains("repositories/team"))
        .map(|(a, b)| (a.clone(), b.clone()))
        .collect();
    let from = memory_with(&left).await;
    let options = options(|options| options.delete = true);
    let mut stops = 0;
    loop {
        let to = memory();
        fill(&to, &all).await;
        let stopped = stopped_at(&from, &to, &options, stops).await;
        let found = snapshot(&to).await;
        let broken = broken_tags_of(&found);
        assert!(broken.is_empty(), "stopped at change {stops}: {broken:#?}");
        if !stopped {
            assert_same(&found, &left);
            break;
        }
        stops += 1;
    }
    assert!(stops > 50, "only {stops} changes were there to stop at");
}
