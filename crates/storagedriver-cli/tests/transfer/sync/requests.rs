//! How much is asked of the two storages.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use storagedriver::Storage;
use storagedriver_cli::registry::{Entry, classify};
use storagedriver_cli::sync::SyncOptions;

use super::{clean, memory, memory_with, options, run};
use crate::layers::{Counting, Counts};
use crate::trees::{Files, Numbers, Registry, small_registry, without_uploads};

fn counting(storage: &Storage) -> (Storage, Arc<Counts>) {
    let counts = Arc::new(Counts::default());
    let layer = counts.clone();
    (storage.layer(|inner| Counting { inner, counts: layer }), counts)
}

#[tokio::test]
async fn a_second_run_reads_only_what_is_compared_by_bytes_and_writes_nothing() {
    let files = small_registry();
    let (from, to) = (memory_with(&files).await, memory());
    clean(&from, &to, &SyncOptions::default()).await;
    let ((from, read), (to, written)) = (counting(&from), counting(&to));
    let summary = clean(&from, &to, &SyncOptions::default()).await;
    assert_eq!(summary.copied, 0);
    assert_eq!(written.changes(), 0);
    let compared: u64 = without_uploads(files)
        .iter()
        .filter(|(path, _)| matches!(classify(path), Entry::TagCurrent { .. } | Entry::Other))
        .map(|(_, content)| content.len() as u64)
        .sum();
    assert_eq!(read.read.load(Ordering::SeqCst), compared);
    assert_eq!(written.read.load(Ordering::SeqCst), compared);
}

/// A store may keep parts of an upload until it is cancelled: dropping a writer is not enough.
#[tokio::test]
async fn every_copy_is_committed_or_cancelled() {
    let mut files = small_registry();
    let blobs: Vec<String> = files.keys().filter(|path| path.contains("/blobs/")).cloned().collect();
    files.insert(blobs[4].clone(), "wrong".into());
    let (to, written) = counting(&memory());
    run(&memory_with(&files).await, &to, &SyncOptions::default()).await;
    // Each blob, and the one file that is too large to be held in memory.
    assert_eq!(written.of("writer"), blobs.len() as u64 + 1);
    assert_eq!((written.of("commit"), written.of("cancel")), (blobs.len() as u64, 1));
}

/// The source is read once: every byte, none twice.
#[tokio::test]
async fn the_source_is_read_once() {
    let files = without_uploads(small_registry());
    let (from, read) = counting(&memory_with(&files).await);
    clean(&from, &memory(), &SyncOptions::default()).await;
    assert_eq!(
        read.read.load(Ordering::SeqCst),
        files.values().map(|content| content.len() as u64).sum::<u64>()
    );
}

#[tokio::test]
async fn of_one_repository_the_source_is_read_once() {
    let files = without_uploads(small_registry());
    let (from, read) = counting(&memory_with(&files).await);
    let (to, written) = counting(&memory());
    let only = options(|options| options.repositories = vec!["team/app".to_owned()]);
    let summary = clean(&from, &to, &only).await;
    assert_eq!(read.read.load(Ordering::SeqCst), summary.copied_bytes);
    assert_eq!(written.changes(), summary.copied);
}

#[tokio::test]
async fn no_more_than_the_transfers_asked_for_run_at_once() {
    let files: Files = (0..200).map(|n| (format!("/f{n}"), vec![n; 100].into())).collect();
    for transfers in [1, 3] {
        let (from, read) = counting(&memory_with(&files).await);
        clean(&from, &memory(), &options(|options| options.transfers = transfers)).await;
        assert_eq!(read.most_open.load(Ordering::SeqCst), transfers as i64);
    }
}

/// Listing costs pages, not requests per directory: ceil(n / 1000).
#[tokio::test]
async fn listing_is_paged() {
    let mut files = Files::new();
    let mut registry = Registry::of(&mut files);
    let mut numbers = Numbers::new(3);
    for number in 0..300 {
        let layers: Vec<_> = (0..3).map(|_| numbers.bytes(10)).collect();
        let image = registry.image(&format!("r{number}"), &layers);
        registry.tag(&format!("r{number}"), "latest", image);
    }
    drop(registry);
    let (from, read) = counting(&memory_with(&files).await);
    let (to, written) = counting(&memory());
    let pages = |counts: &Counts| counts.pages.swap(0, Ordering::SeqCst);
    clean(&from, &to, &SyncOptions::default()).await;
    let blobs = files.keys().filter(|path| path.contains("/blobs/")).count() as u64;
    let links = files.len() as u64 - blobs;
    assert!(blobs > 1000 && links > 1000);
    let budget = (files.len() as u64).div_ceil(1000);
    assert!(pages(&read) <= budget);
    pages(&written);
    clean(&from, &to, &SyncOptions::default()).await;
    assert!(pages(&read) <= budget);
    assert!(pages(&written) <= budget);
    assert_eq!((read.of("list"), written.of("list")), (0, 0));
    // One walk at each side in each run.
    assert_eq!((read.of("walk"), written.of("walk")), (2, 2));
}
