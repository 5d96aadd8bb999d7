//! What is copied, and what counts as the same.

use storagedriver::layer::ReadOnly;
use storagedriver_cli::registry::{Digest, Entry, FaultKind, blob_path, classify};
use storagedriver_cli::sync::SyncOptions;
use storagedriver_cli::transfer::Event;

use super::{clean, memory, memory_with, options, run, run_seen};
use crate::trees::{Files, Registry, assert_same, broken_tags_of, small_registry, snapshot, without_uploads};

#[tokio::test]
async fn the_copy_is_identical_uploads_aside() {
    let files = small_registry();
    let (from, to) = (memory_with(&files).await, memory());
    let summary = clean(&from, &to, &SyncOptions::default()).await;
    let wanted = without_uploads(files);
    assert_same(&snapshot(&to).await, &wanted);
    assert_eq!(summary.copied, wanted.len() as u64);
    assert_eq!(summary.copied_bytes, wanted.values().map(|content| content.len() as u64).sum::<u64>());
    assert_eq!(summary.uploads_left_out, 1);
    assert_eq!((summary.same, summary.extra, summary.gone, summary.deleted), (0, 0, 0, 0));
    assert!(to.uploads("/").await.unwrap().is_empty(), "a copy left an upload open");
}

#[tokio::test]
async fn any_other_tree_is_copied_as_plain_files() {
    let files: Files = [("/a", "1"), ("/a-b/c", ""), ("/docker/x", "3"), ("/x/_uploads/y", "4")]
        .map(|(path, content)| (path.to_owned(), content.into()))
        .into();
    let (from, to) = (memory_with(&files).await, memory());
    let summary = clean(&from, &to, &SyncOptions::default()).await;
    assert_same(&snapshot(&to).await, &files);
    assert_eq!((summary.copied, summary.uploads_left_out), (4, 0));
    // A file that changed keeps its size.
    from.put_content("/docker/x", "5").await.unwrap();
    let summary = clean(&from, &to, &SyncOptions::default()).await;
    assert_eq!((summary.copied, summary.same), (1, 3));
    assert_same(&snapshot(&to).await, &snapshot(&from).await);
}

#[tokio::test]
async fn an_empty_source_is_no_error() {
    let (from, to) = (memory(), memory());
    let summary = clean(&from, &to, &SyncOptions::default()).await;
    assert_eq!(summary.copied, 0);
}

#[tokio::test]
async fn a_moved_tag_of_the_same_size_is_recopied() {
    let mut files = small_registry();
    let (from, to) = (memory_with(&files).await, memory());
    clean(&from, &to, &SyncOptions::default()).await;
    let mut moved = Files::new();
    let mut registry = Registry::of(&mut moved);
    let image = registry.image("team/app", &[b"another".to_vec()]);
    registry.tag("team/app", "1.0", image);
    drop(registry);
    crate::trees::fill(&from, &moved).await;
    let summary = clean(&from, &to, &SyncOptions::default()).await;
    files.extend(moved.clone());
    assert_same(&snapshot(&to).await, &without_uploads(files));
    // Three blobs, two layer links, the revision, the tag's index and the tag.
    assert_eq!(summary.copied, 8);
}

#[tokio::test]
async fn a_blob_of_another_size_is_copied_again() {
    let files = small_registry();
    let (from, to) = (memory_with(&files).await, memory());
    clean(&from, &to, &SyncOptions::default()).await;
    let blob = files.keys().find(|path| matches!(classify(path), Entry::Blob { .. })).unwrap();
    to.put_content(blob, "cut off").await.unwrap();
    let summary = clean(&from, &to, &SyncOptions::default()).await;
    assert_eq!(summary.copied, 1);
    assert_same(&snapshot(&to).await, &without_uploads(files));
}

#[tokio::test]
async fn a_second_dry_run_has_nothing_to_do_and_a_dry_run_changes_nothing() {
    let files = small_registry();
    let (from, to) = (memory_with(&files).await, memory());
    let dry = options(|options| options.dry_run = true);
    let locked = to.layer(ReadOnly::new);
    let (summary, events) = run_seen(&from.layer(ReadOnly::new), &locked, &dry).await;
    let wanted = without_uploads(files);
    assert_eq!((summary.copied, summary.faults), (wanted.len() as u64, 0));
    assert_eq!(events.iter().filter(|event| matches!(event, Event::WouldCopy { .. })).count(), wanted.len());
    assert!(snapshot(&to).await.is_empty());
    let done = clean(&from, &to, &SyncOptions::default()).await;
    assert_eq!((done.copied, done.copied_bytes), (summary.copied, summary.copied_bytes));
    let summary = clean(&from, &locked, &dry).await;
    assert_eq!((summary.copied, summary.same), (0, wanted.len() as u64));
}

#[tokio::test]
async fn one_repository_is_copied_with_its_blobs_and_nothing_else() {
    let files = small_registry();
    let (from, to) = (memory_with(&files).await, memory());
    let only = options(|options| options.repositories = vec!["team/app".to_owned()]);
    let summary = clean(&from, &to, &only).await;
    assert_eq!(summary.uploads_left_out, 1);
    let found = snapshot(&to).await;
    let below = "/docker/registry/v2/repositories/team/app/_";
    let wanted: Files = without_uploads(files.clone())
        .into_iter()
        .filter(|(path, _)| match classify(path) {
            Entry::Blob { digest } => links_to(&files, below, &digest),
            _ => path.starts_with(below),
        })
        .collect();
    assert_same(&found, &wanted);
    assert!(broken_tags_of(&found).is_empty());
    // Again: nothing to do, unless a blob behind a link is broken.
    let summary = clean(&from, &to, &only).await;
    assert_eq!(summary.copied, 0);
    let blob = wanted.keys().find(|path| matches!(classify(path), Entry::Blob { .. })).unwrap();
    to.put_content(blob, "cut off").await.unwrap();
    let summary = clean(&from, &to, &only).await;
    assert_eq!(summary.copied, 1);
    assert_same(&snapshot(&to).await, &wanted);
}

fn links_to(files: &Files, below: &str, digest: &Digest) -> bool {
    files.keys().any(|path| path.starts_with(below) && classify(path).digest().as_ref() == Some(digest))
}

#[tokio::test]
async fn a_dry_run_of_one_repository_counts_what_the_run_copies() {
    let files = small_registry();
    let (from, to) = (memory_with(&files).await, memory());
    let only = |dry_run| {
        options(|options| {
            options.repositories = vec!["team/app".to_owned(), "library/base".to_owned()];
            options.dry_run = dry_run;
        })
    };
    let dry = clean(&from, &to.layer(ReadOnly::new), &only(true)).await;
    let done = clean(&from, &to, &only(false)).await;
    assert_eq!((dry.copied, dry.copied_bytes), (done.copied, done.copied_bytes));
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_a_fault_and_a_bad_name_an_error() {
    let from = memory_with(&small_registry()).await;
    let absent =
        options(|options| options.repositories = vec!["team/none".to_owned(), "team/app".to_owned()]);
    let to = memory();
    let (summary, faults) = run(&from, &to, &absent).await;
    assert_eq!(faults.iter().map(|fault| fault.kind).collect::<Vec<_>>(), [FaultKind::MissingRepository]);
    assert!(summary.copied > 0);
    let bad = options(|options| options.repositories = vec!["team/app/_layers".to_owned()]);
    let error = storagedriver_cli::sync::sync(&from, &memory(), &bad, &Default::default()).await.unwrap_err();
    assert!(error.to_string().contains("_layers"), "{error}");
}

#[tokio::test]
async fn blobs_of_other_algorithms_and_unknown_ones_are_copied() {
    let mut files = Files::new();
    for algorithm in storagedriver_cli::registry::Algorithm::ALL {
        let digest = Digest::of(*algorithm, b"content");
        files.insert(blob_path(&digest), "content".into());
    }
    files.insert("/docker/registry/v2/blobs/tarsum/v1/sha256/ab/abcd/data".to_owned(), "old".into());
    let (from, to) = (memory_with(&files).await, memory());
    clean(&from, &to, &SyncOptions::default()).await;
    assert_same(&snapshot(&to).await, &files);
}

#[tokio::test]
async fn what_was_copied_is_read_back_if_asked() {
    let files = small_registry();
    let (from, to) = (memory_with(&files).await, memory());
    clean(&from, &to, &options(|options| options.verify = true)).await;
    assert_same(&snapshot(&to).await, &without_uploads(files));
}

#[tokio::test(start_paused = true)]
async fn bandwidth_holds_reading_back() {
    let files: Files = (0..20).map(|n| (format!("/f{n}"), vec![0; 10_000].into())).collect();
    let (from, to) = (memory_with(&files).await, memory());
    // The clock is paused: only the bucket moves it.
    tokio::time::advance(std::time::Duration::from_secs(5)).await;
    let start = tokio::time::Instant::now();
    clean(&from, &to, &options(|options| options.bandwidth = Some(20_000))).await;
    assert!(start.elapsed() >= std::time::Duration::from_secs(8), "{:?}", start.elapsed());
}
