//! Deleting what the source does not have.

use std::sync::Arc;

use futures_util::FutureExt;
use storagedriver::{FileInfo, Layer, Result, StorageDriver, StoragePath, async_trait};
use storagedriver_cli::registry::{Entry, FaultKind};
use storagedriver_cli::sync::SyncOptions;

use super::{clean, kinds, memory_with, options, run};
use crate::layers::Before;
use crate::trees::{Files, Registry, assert_same, fill, small_registry, snapshot, without_uploads};

fn extra() -> Files {
    let mut files = Files::new();
    let mut registry = Registry::of(&mut files);
    let image = registry.image("team/old", &[b"old layer".to_vec()]);
    registry.tag("team/old", "t", image);
    let image = registry.image("team/app", &[b"old layer of app".to_vec()]);
    registry.tag("team/app", "old", image);
    drop(registry);
    files.insert("/leftover".to_owned(), "x".into());
    files
}

fn upload() -> Files {
    let rest = "1234-abcd/startedat".to_owned();
    let path = Entry::Upload { repository: "team/old".to_owned(), rest }.path().unwrap();
    Files::from([(path, "2026-01-01T00:00:00Z".into())])
}

#[tokio::test]
async fn nothing_is_deleted_unless_asked() {
    let from = memory_with(&small_registry()).await;
    let to = memory_with(&extra()).await;
    let summary = clean(&from, &to, &SyncOptions::default()).await;
    assert_eq!((summary.deleted, summary.extra), (0, extra().len() as u64));
    let found = snapshot(&to).await;
    assert!(extra().keys().all(|path| found.contains_key(path)));
}

#[tokio::test]
async fn what_the_source_lacks_is_deleted_uploads_excepted() {
    let files = small_registry();
    let from = memory_with(&files).await;
    let to = memory_with(&extra()).await;
    fill(&to, &upload()).await;
    let dry = clean(
        &from,
        &to,
        &options(|options| {
            options.delete = true;
            options.dry_run = true;
        }),
    )
    .await;
    assert_eq!(dry.deleted, extra().len() as u64);
    assert!(snapshot(&to).await.contains_key("/leftover"));
    let summary = clean(&from, &to, &options(|options| options.delete = true)).await;
    assert_eq!(summary.deleted, extra().len() as u64);
    let mut wanted = without_uploads(files);
    wanted.extend(upload());
    assert_same(&snapshot(&to).await, &wanted);
}

#[tokio::test]
async fn of_one_repository_only_its_own_files_are_deleted() {
    let files = small_registry();
    let from = memory_with(&files).await;
    let to = memory_with(&extra()).await;
    let only = options(|options| {
        options.delete = true;
        options.repositories = vec!["team/app".to_owned()];
    });
    let summary = clean(&from, &to, &only).await;
    let found = snapshot(&to).await;
    let below = "/docker/registry/v2/repositories/team/app/";
    // Two layer links, the revision, the tag and its index.
    assert_eq!(summary.deleted, 5);
    assert!(!found.keys().any(|path| path.starts_with(below) && !files.contains_key(path)));
    // Blobs may be another repository's.
    assert!(extra().keys().filter(|path| !path.starts_with(below)).all(|path| found.contains_key(path)));
}

#[tokio::test]
async fn nothing_is_deleted_after_a_fault() {
    let mut files = small_registry();
    let layer = files.keys().find(|path| path.contains("/_layers/")).unwrap().clone();
    files.insert(layer, "".into());
    let from = memory_with(&files).await;
    let to = memory_with(&extra()).await;
    let (summary, faults) = run(&from, &to, &options(|options| options.delete = true)).await;
    assert_eq!(kinds(&faults), [FaultKind::EmptyLink]);
    assert_eq!((summary.deleted, summary.deletion_skipped), (0, true));
    assert!(snapshot(&to).await.contains_key("/leftover"));
}

#[tokio::test]
async fn what_comes_to_the_source_meanwhile_is_not_deleted() {
    let inner = memory_with(&small_registry()).await;
    let late = inner.clone();
    let from = inner.layer(|driver| {
        Before::new(driver, move |operation, path| {
            let late = late.clone();
            async move {
                if operation == "stat" && path.as_str() == "/leftover" {
                    late.put_content("/leftover", "x").await?;
                }
                Ok(())
            }
            .boxed()
        })
    });
    let to = memory_with(&extra()).await;
    let summary = clean(&from, &to, &options(|options| options.delete = true)).await;
    assert_eq!(summary.deleted, extra().len() as u64 - 1);
    assert!(snapshot(&to).await.contains_key("/leftover"));
}

/// A store in which `/a` is a file and has a file below it, as flat stores allow.
#[derive(Debug)]
struct Flat(Arc<dyn StorageDriver>);

#[async_trait]
impl Layer for Flat {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.0
    }

    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        if path.as_str() == "/a" {
            Ok(vec![FileInfo::file(path.child("b")?)])
        } else {
            self.0.list(path).await
        }
    }
}

/// Deleting it would take along what lies below.
#[tokio::test]
async fn a_file_with_files_below_it_is_not_deleted() {
    let from = memory_with(&Files::new()).await;
    let extra = Files::from([("/a".to_owned(), "1".into()), ("/b".to_owned(), "2".into())]);
    let to = memory_with(&extra).await;
    let (_, faults) = run(&from, &to.layer(Flat), &options(|options| options.delete = true)).await;
    assert_eq!(kinds(&faults), [FaultKind::NotDeleted]);
    assert_eq!(snapshot(&to).await.into_keys().collect::<Vec<_>>(), ["/a"]);
}
