//! The same between every two kinds of storage: in memory, and a directory.

use std::path::Path;

use storagedriver::Storage;
use storagedriver_cli::registry::{Entry, FaultKind, classify};
use storagedriver_cli::sync::SyncOptions;
use storagedriver_cli::verify::{VerifyOptions, verify};
use storagedriver_filesystem::FilesystemParameters;
use tempfile::TempDir;

use super::{clean, kinds, memory, options, run};
use crate::trees::{Files, Registry, assert_same, fill, small_registry, snapshot, without_uploads};

/// A storage, and the directory that goes with it.
struct Place {
    storage: Storage,
    _directory: Option<TempDir>,
}

fn directory() -> Place {
    let directory = tempfile::tempdir().unwrap();
    let parameters = FilesystemParameters::new(directory.path()).with_durability("none");
    Place { storage: parameters.into_storage().unwrap(), _directory: Some(directory) }
}

fn places() -> [Place; 2] {
    [Place { storage: memory(), _directory: None }, directory()]
}

#[tokio::test]
async fn copied_moved_broken_and_deleted() {
    for (from, to) in places().into_iter().flat_map(|from| places().map(|to| (from.storage.clone(), to))) {
        let to = &to.storage;
        let mut files = small_registry();
        // The directory of one of the pairs went with its place: the copy makes it anew.
        fill(&from, &files).await;
        clean(&from, to, &SyncOptions::default()).await;
        assert_same(&snapshot(to).await, &without_uploads(files.clone()));
        assert_eq!(clean(&from, to, &SyncOptions::default()).await.copied, 0);

        let mut moved = Files::new();
        let mut registry = Registry::of(&mut moved);
        let image = registry.image("team/app", &[b"another".to_vec()]);
        registry.tag("team/app", "1.0", image);
        drop(registry);
        fill(&from, &moved).await;
        files.extend(moved);
        clean(&from, to, &SyncOptions::default()).await;
        assert_same(&snapshot(to).await, &without_uploads(files.clone()));

        let (corrupt, _) =
            files.iter().find(|(path, _)| matches!(classify(path), Entry::Blob { .. })).unwrap();
        from.put_content(corrupt, "wrong").await.unwrap();
        to.delete(corrupt).await.unwrap();
        let (_, faults) = run(&from, to, &SyncOptions::default()).await;
        assert_eq!(kinds(&faults), [FaultKind::CorruptBlob]);
        assert!(!to.exists(corrupt).await.unwrap());

        from.delete("/docker").await.unwrap();
        clean(&from, to, &options(|options| options.delete = true)).await;
        assert_eq!(snapshot(to).await.into_keys().collect::<Vec<_>>(), ["/scheduler-state.json"]);
    }
}

/// What a registry of another program wrote, with its uploads in progress.
#[tokio::test]
async fn a_registry_that_distribution_wrote_is_copied_and_found_whole() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/registry");
    let from = FilesystemParameters::new(tree).into_storage().unwrap();
    let wanted = without_uploads(snapshot(&from).await);
    for to in places() {
        let summary = clean(&from, &to.storage, &options(|options| options.verify = true)).await;
        assert_eq!(summary.uploads_left_out, 2);
        assert_same(&snapshot(&to.storage).await, &wanted);
        let found = verify(&to.storage, &VerifyOptions::default(), &Default::default()).await.unwrap();
        assert_eq!(found.faults, 0);
        assert!(found.blobs > 50 && found.manifests > 10, "{found:?}");
    }
}
