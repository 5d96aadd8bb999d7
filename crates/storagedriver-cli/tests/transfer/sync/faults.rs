//! What is wrong with a source, or goes wrong, is reported, and the run goes on.

use futures_util::FutureExt;
use storagedriver::Storage;
use storagedriver::bytes::Bytes;
use storagedriver_cli::registry::{Algorithm, Digest, Entry, FaultKind, blob_path};
use storagedriver_cli::sync::{SyncOptions, sync};

use super::{kinds, memory, memory_with, options, run};
use crate::layers::{Before, down};
use crate::trees::{
    Files, Registry, assert_same, broken_tags_of, image_manifest, single_layer, small_registry, snapshot,
    without_uploads,
};

#[tokio::test]
async fn a_corrupt_blob_is_never_published_nor_a_tag_that_needs_it() {
    let mut files = small_registry();
    let layer = single_layer(&files);
    let mut bytes = files[&blob_path(&layer)].to_vec();
    bytes[40_000] ^= 1;
    files.insert(blob_path(&layer), bytes.into());
    let (from, to) = (memory_with(&files).await, memory());
    let (_, faults) = run(&from, &to, &SyncOptions::default()).await;
    let found = snapshot(&to).await;
    assert!(!found.contains_key(&blob_path(&layer)));
    assert!(to.uploads("/").await.unwrap().is_empty(), "the cancelled copy left an upload");
    assert_eq!(broken_tags_of(&found), Vec::<String>::new());
    // The blob once; of the one repository the layer's link, the revision, its entry in the tag's
    // index, and the tag.
    let mut expected = vec![FaultKind::CorruptBlob];
    expected.extend([FaultKind::Withheld; 4]);
    assert_eq!(kinds(&faults), expected, "{faults:#?}");
    let mut wanted = without_uploads(files);
    for fault in &faults {
        wanted.remove(&fault.path);
    }
    assert_same(&found, &wanted);
}

#[tokio::test]
async fn a_corrupt_source_does_not_replace_a_good_copy() {
    let files = small_registry();
    let layer = blob_path(&single_layer(&files));
    let (from, to) = (memory_with(&files).await, memory_with(&without_uploads(files.clone())).await);
    from.put_content(&layer, "cut off").await.unwrap();
    let (_, faults) = run(&from, &to, &SyncOptions::default()).await;
    assert_eq!(kinds(&faults), [FaultKind::CorruptBlob]);
    assert_same(&snapshot(&to).await, &without_uploads(files));
}

#[tokio::test]
async fn links_that_say_nothing_or_something_else_are_not_copied() {
    let mut files = small_registry();
    let repository = "broken".to_owned();
    let other = single_layer(&files);
    let mut registry = Registry::of(&mut files);
    let [empty, wrong, large] = ["a", "b", "c"].map(|content| registry.blob(content));
    let layer = |digest| Entry::LayerLink { repository: repository.clone(), digest };
    registry.entry(&layer(empty), "");
    registry.entry(&layer(wrong), other.to_string());
    registry.entry(&layer(large), vec![b'x'; 5000]);
    let tag = Entry::TagCurrent { repository: repository.clone(), tag: "t".to_owned() };
    registry.entry(&tag, "sha256:0");
    drop(registry);
    let (from, to) = (memory_with(&files).await, memory());
    let (_, faults) = run(&from, &to, &SyncOptions::default()).await;
    assert_eq!(
        kinds(&faults),
        [FaultKind::EmptyLink, FaultKind::WrongLink, FaultKind::WrongLink, FaultKind::WrongLink]
    );
    assert!(!snapshot(&to).await.keys().any(|path| path.contains("/broken/")));
}

#[tokio::test]
async fn a_link_whose_blob_is_missing_is_withheld_and_so_is_what_refers_to_it() {
    let mut files = Files::new();
    let mut registry = Registry::of(&mut files);
    let missing = Digest::of(Algorithm::Sha256, b"missing");
    let config = registry.layer("a", "config");
    let image = registry.manifest("a", image_manifest(config, &[missing]));
    let index = registry.index("a", &[image]);
    registry.tag("a", "t", index);
    let absent = Digest::of(Algorithm::Sha256, b"absent");
    registry.tag("a", "no-revision", absent);
    registry.entry(&Entry::LayerLink { repository: "a".to_owned(), digest: missing }, missing.to_string());
    let garbled = registry.manifest("a", "{}");
    registry.tag("a", "garbled", garbled);
    drop(registry);
    let (from, to) = (memory_with(&files).await, memory());
    let (_, faults) = run(&from, &to, &SyncOptions::default()).await;
    assert!(faults.iter().all(|fault| fault.kind == FaultKind::Withheld), "{faults:#?}");
    let found = snapshot(&to).await;
    // The layer's link, both revisions and the garbled one, three tags with their index.
    assert_eq!(faults.len(), 1 + 3 + 6, "{faults:#?}");
    // The blobs that are whole are there, and the link to the configuration.
    assert_eq!(found.len(), 4 + 1, "{:#?}", found.keys());
}

fn flaky(inner: &Storage, fails: impl Fn(&'static str, &str) -> bool + Send + Sync + 'static) -> Storage {
    inner.layer(|driver| {
        Before::new(driver, move |operation, path| {
            let fail = fails(operation, path.as_str());
            async move { if fail { Err(down(&path)) } else { Ok(()) } }.boxed()
        })
    })
}

#[tokio::test]
async fn one_file_that_fails_does_not_end_the_run() {
    let files = small_registry();
    let from = memory_with(&files).await;
    let to = memory();
    let bad = flaky(&to, |operation, path| operation == "write" && path == "/docker/large");
    let (_, faults) = run(&from, &bad, &SyncOptions::default()).await;
    assert_eq!(kinds(&faults), [FaultKind::Backend]);
    assert!(faults[0].detail.contains("does not answer"), "{}", faults[0]);
    let mut wanted = without_uploads(files);
    wanted.remove("/docker/large");
    assert_same(&snapshot(&to).await, &wanted);
}

#[tokio::test]
async fn a_backend_that_is_down_ends_the_run() {
    let files: Files = (0..100).map(|n| (format!("/f{n}"), Bytes::from_static(b"x"))).collect();
    let from = memory_with(&files).await;
    let bad = flaky(&memory(), |operation, _| operation == "write");
    let error = sync(&from, &bad, &SyncOptions::default(), &Default::default()).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    let unlisted = flaky(&from, |operation, _| operation == "walk");
    assert!(sync(&unlisted, &memory(), &SyncOptions::default(), &Default::default()).await.is_err());
}

/// A destination that stores something else than it was given.
#[tokio::test]
async fn what_reads_back_wrong_is_reported_and_a_blob_or_link_taken_away() {
    let files = small_registry();
    let layer = blob_path(&single_layer(&files));
    let from = memory_with(&files).await;
    let to = memory();
    let (inner, bad) = (to.clone(), layer.clone());
    let lossy = to.layer(|driver| {
        Before::new(driver, move |operation, path| {
            let (storage, now) = (inner.clone(), operation == "read" && path.as_str() == bad);
            async move { if now { storage.put_content(path.as_str(), "garbage").await } else { Ok(()) } }
                .boxed()
        })
    });
    let (_, faults) = run(&from, &lossy, &options(|options| options.verify = true)).await;
    assert!(
        faults.iter().any(|fault| fault.kind == FaultKind::ReadBack && fault.path == layer),
        "{faults:#?}"
    );
    let found = snapshot(&to).await;
    assert!(!found.contains_key(&layer));
    assert_eq!(broken_tags_of(&found), Vec::<String>::new());
}
