//! What is deleted while it is checked is no fault. What the walk did not show is looked up: there is the gap in
//! which it happens.

use std::sync::Arc;

use futures_util::FutureExt;
use storagedriver_cli::registry::{Entry, blob_path, classify};

use super::{check_storage, memory_with, options};
use crate::layers::Before;
use crate::trees::{Files, Registry, fill};

/// A registry of one image.
fn image() -> (Files, Entry) {
    let mut files = Files::new();
    let mut registry = Registry::of(&mut files);
    let digest = registry.image("a", &[b"layer".to_vec()]);
    registry.tag("a", "t", digest);
    drop(registry);
    (files, Entry::RevisionLink { repository: "a".to_owned(), digest })
}

/// Deletes `gone` from `files`, and writes `new`, before `operation` at a path that `at` chooses;
/// what is found then.
async fn changed_at(
    files: &Files,
    gone: Vec<String>,
    new: Files,
    operation: &'static str,
    at: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> (u64, usize) {
    let inner = memory_with(files).await;
    let (other, change) = (inner.clone(), Arc::new((gone, new)));
    let storage = inner.layer(|driver| {
        Before::new(driver, move |asked, path| {
            let now = asked == operation && at(path.as_str());
            let (storage, change) = (other.clone(), change.clone());
            async move {
                if now {
                    for path in &change.0 {
                        let _ = storage.delete(path).await;
                    }
                    fill(&storage, &change.1).await;
                }
                Ok(())
            }
            .boxed()
        })
    });
    let one_by_one = options(|options| {
        options.transfers = 1;
        options.links_only = true;
    });
    let (summary, faults) = check_storage(&storage, &one_by_one).await;
    (summary.gone, faults.len())
}

#[tokio::test]
async fn a_blob_with_its_links() {
    let (mut files, _) = image();
    // A blob that the walk did not show.
    let (link, entry) = files
        .keys()
        .map(|path| (path.clone(), classify(path)))
        .find(|(_, entry)| matches!(entry, Entry::LayerLink { .. }))
        .unwrap();
    assert!(files.remove(&blob_path(&entry.digest().unwrap())).is_some(), "{link}");
    let blobs_and_links = vec!["/docker".to_owned()];
    let (gone, faults) = changed_at(&files, blobs_and_links, Files::new(), "stat", |path| {
        path.starts_with("/docker/registry/v2/blobs/")
    })
    .await;
    // Two layers, the revision, the tag and its index: whichever was listed before.
    assert!(gone > 0);
    assert_eq!(faults, 0);
}

#[tokio::test]
async fn a_manifest_with_its_tag() {
    let (mut files, revision) = image();
    let path = revision.path().unwrap();
    files.remove(&path);
    let tag = "/docker/registry/v2/repositories/a/_manifests/tags/t".to_owned();
    let asked = path.clone();
    // When the tag was read, and its revision is looked for.
    let (gone, faults) =
        changed_at(&files, vec![path, tag], Files::new(), "stat", move |path| path == asked).await;
    assert!(gone > 0);
    assert_eq!(faults, 0);
}

#[tokio::test]
async fn a_manifest_whose_tag_moved_on() {
    let (mut files, revision) = image();
    let mut moved = Files::new();
    let mut registry = Registry::of(&mut moved);
    let other = registry.image("a", &[b"other layer".to_vec()]);
    registry.tag("a", "t", other);
    drop(registry);
    // All of it is there before, but for what the tag stands for.
    let tag = Entry::TagCurrent { repository: "a".to_owned(), tag: "t".to_owned() }.path().unwrap();
    let now = Files::from([(tag.clone(), moved.remove(&tag).unwrap())]);
    files.extend(moved);
    let path = revision.path().unwrap();
    files.remove(&path);
    let asked = path.clone();
    let (gone, faults) = changed_at(&files, vec![path], now, "stat", move |path| path == asked).await;
    assert_eq!((gone, faults), (0, 0));
}

#[tokio::test]
async fn what_a_manifest_refers_to_with_its_revision() {
    let (files, revision) = image();
    let manifest = blob_path(&revision.digest().unwrap());
    let others =
        files.keys().filter(|path| matches!(classify(path), Entry::Blob { .. }) && **path != manifest);
    let gone: Vec<String> = others.cloned().chain([revision.path().unwrap()]).collect();
    let repository =
        gone.clone().into_iter().chain(["/docker/registry/v2/repositories/a".to_owned()]).collect();
    // When the manifest itself is read.
    let (gone, faults) =
        changed_at(&files, repository, Files::new(), "read", move |path| path == manifest).await;
    assert!(gone > 0);
    assert_eq!(faults, 0);
}
