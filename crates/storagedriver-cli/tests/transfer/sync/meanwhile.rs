//! The source changes while it is copied.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;
use storagedriver_cli::registry::{Entry, FaultKind, blob_path};
use storagedriver_cli::sync::SyncOptions;

use super::{memory, memory_with, options, run};
use crate::layers::Before;
use crate::trees::{
    Files, Registry, assert_same, broken_tags_of, single_layer, small_registry, snapshot, without_uploads,
};

#[tokio::test]
async fn a_file_that_goes_away_meanwhile_is_counted_and_no_fault() {
    let files = small_registry();
    let inner = memory_with(&files).await;
    let layer = blob_path(&single_layer(&files));
    let gone = layer.clone();
    let other = inner.clone();
    let from = inner.layer(|driver| {
        Before::new(driver, move |operation, path| {
            let (storage, gone) = (other.clone(), gone.clone());
            async move {
                if operation == "read" && (path.as_str() == gone || path.as_str() == "/scheduler-state.json")
                {
                    let _ = storage.delete(path.as_str()).await;
                }
                Ok(())
            }
            .boxed()
        })
    });
    let only_plain = memory();
    let (summary, faults) = run(&from, &only_plain, &SyncOptions::default()).await;
    // The blob is gone without its links: those are withheld. The other file is gone, that is all.
    assert_eq!(summary.gone, 2);
    assert!(faults.iter().all(|fault| fault.kind == FaultKind::Withheld), "{faults:#?}");
    assert!(!snapshot(&only_plain).await.contains_key("/scheduler-state.json"));
}

#[tokio::test]
async fn a_tag_that_is_deleted_with_its_manifest_meanwhile_is_gone() {
    let mut files = Files::new();
    let mut registry = Registry::of(&mut files);
    let image = registry.image("a", &[b"layer".to_vec()]);
    registry.tag("a", "t", image);
    drop(registry);
    let inner = memory_with(&files).await;
    let other = inner.clone();
    let once = AtomicBool::new(true);
    let from = inner.layer(|driver| {
        Before::new(driver, move |operation, path| {
            let now =
                operation == "read" && path.as_str().ends_with("/link") && once.swap(false, Ordering::SeqCst);
            let storage = other.clone();
            async move {
                if now {
                    storage.delete("/docker/registry/v2/repositories/a/_manifests").await?;
                }
                Ok(())
            }
            .boxed()
        })
    });
    let to = memory();
    let (summary, faults) = run(&from, &to, &options(|options| options.transfers = 1)).await;
    assert!(faults.is_empty(), "{faults:#?}");
    // The revision, the tag's index and the tag: those that the walk had shown before they went.
    assert!((1..=3).contains(&summary.gone), "{}", summary.gone);
    assert!(!snapshot(&to).await.keys().any(|path| path.contains("_manifests")));
}

/// What is pushed after the blobs were walked over is copied whole with its tag.
#[tokio::test]
async fn a_push_between_the_passes_is_copied_whole() {
    let files = small_registry();
    let mut pushed = Files::new();
    let mut registry = Registry::of(&mut pushed);
    let children = [
        registry.image("team/app", &[b"late 1".to_vec()]),
        registry.image("team/app", &[b"late 2".to_vec()]),
    ];
    let index = registry.index("team/app", &children);
    registry.tag("team/app", "1.0", index);
    drop(registry);
    let inner = memory_with(&files).await;
    let (other, late) = (inner.clone(), Arc::new(pushed.clone()));
    // At the tag itself: neither the blobs nor the links of the repository were seen.
    let once = Arc::new(AtomicBool::new(true));
    let from = inner.layer(|driver| {
        Before::new(driver, move |operation, path| {
            let at_tag =
                operation == "read" && path.as_str().ends_with("/team/app/_manifests/tags/1.0/current/link");
            let now = at_tag && once.swap(false, Ordering::SeqCst);
            let (storage, late) = (other.clone(), late.clone());
            async move {
                if now {
                    crate::trees::fill(&storage, &late).await;
                }
                Ok(())
            }
            .boxed()
        })
    });
    let to = memory();
    let (_, faults) = run(&from, &to, &SyncOptions::default()).await;
    assert!(faults.is_empty(), "{faults:#?}");
    let found = snapshot(&to).await;
    assert_eq!(broken_tags_of(&found), Vec::<String>::new());
    assert_same(&found, &without_uploads(snapshot(&inner).await));
    assert!(pushed.keys().all(|path| found.contains_key(path)));
}

/// A tag of a late push moves on, and the manifest it stood for is deleted, after it was read.
#[tokio::test]
async fn a_tag_that_moves_while_it_is_copied_is_followed() {
    let image = |content: &str| {
        let mut files = Files::new();
        let mut registry = Registry::of(&mut files);
        let image = registry.image("a", &[content.as_bytes().to_vec()]);
        registry.tag("a", "t", image);
        drop(registry);
        (files, Entry::RevisionLink { repository: "a".to_owned(), digest: image }.path().unwrap())
    };
    let ((first, _), (second, passing), (third, _)) = (image("first"), image("second"), image("third"));
    let inner = memory_with(&first).await;
    let (late, once) = (inner.clone(), AtomicBool::new(true));
    let from = inner.layer(|driver| {
        Before::new(driver, move |operation, path| {
            let now = operation == "read" && path.as_str().ends_with("/current/link");
            let push = (now && once.swap(false, Ordering::SeqCst)).then(|| second.clone());
            let late = late.clone();
            async move {
                crate::trees::fill(&late, &push.unwrap_or_default()).await;
                Ok(())
            }
            .boxed()
        })
    });
    let (late, last, deleted) = (inner.clone(), third.clone(), passing.clone());
    let to = memory();
    let watched = to.layer(|driver| {
        Before::new(driver, move |operation, path| {
            let now = operation == "stat" && path.as_str() == deleted;
            let (late, push) = (late.clone(), now.then(|| last.clone()));
            async move {
                if let Some(push) = push {
                    crate::trees::fill(&late, &push).await;
                    late.delete(path.as_str()).await?;
                }
                Ok(())
            }
            .boxed()
        })
    });
    let (_, faults) = run(&from, &watched, &SyncOptions::default()).await;
    assert_eq!(faults, []);
    let found = snapshot(&to).await;
    assert!(!found.contains_key(&passing), "the second image's revision was to be gone before it was copied");
    assert_eq!(broken_tags_of(&found), Vec::<String>::new());
    assert!(third.iter().all(|(path, content)| found.get(path) == Some(content)));
}

/// A garbage collection takes the blob and the link to it.
#[tokio::test]
async fn a_link_that_is_deleted_with_its_blob_meanwhile_is_gone() {
    let mut files = Files::new();
    Registry::of(&mut files).layer("a", "layer");
    let from = memory_with(&files).await;
    let source = from.clone();
    let watched = memory().layer(|driver| {
        Before::new(driver, move |operation, path| {
            let (source, now) = (source.clone(), operation == "stat" && path.as_str().contains("/blobs/"));
            async move { if now { source.delete("/docker").await } else { Ok(()) } }.boxed()
        })
    });
    let only = options(|options| options.repositories = vec!["a".to_owned()]);
    let (summary, faults) = run(&from, &watched, &only).await;
    assert_eq!((summary.gone, summary.copied, faults.len()), (1, 0, 0), "{faults:#?}");
}
