//! Listings that lie, and names that are no paths.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use storagedriver::{ErrorKind, Result, Storage, WalkOptions, WalkOrder};
use storagedriver_object::testing::{Control, Lie, MemoryBackend, MemoryStore};
use storagedriver_object::{Description, ObjectDriver, ObjectOptions, ObjectStoreBackend, PutOptions};

fn open(store: &MemoryStore) -> (Storage, Control) {
    let backend = store.client();
    let control = backend.control();
    (Storage::new(ObjectDriver::new(backend, ObjectOptions::default())), control)
}

fn paged(page: usize) -> Description {
    let mut description = Description::FULL;
    description.page = page;
    description.delete_batch = 3;
    description
}

fn unordered(page: usize) -> Description {
    let mut description = paged(page);
    description.byte_order = false;
    description.start_after = false;
    description
}

async fn fill(storage: &Storage) -> Vec<String> {
    let mut files = Vec::new();
    for directory in ["a", "b", "c"] {
        for number in 0..6 {
            let path = format!("/d/{directory}/{number}");
            storage.put_content(&path, "x").await.unwrap();
            files.push(path);
        }
    }
    files
}

/// The files of a walk; with `skip`, of each directory but `/d` only the first is looked into.
async fn walk(storage: &Storage, options: WalkOptions, skip: bool) -> Result<Vec<String>> {
    let mut walk = storage.walk("/", options).await?;
    let mut files = Vec::new();
    while let Some(info) = walk.next().await? {
        if info.is_dir() && skip && info.path().as_str() != "/d" {
            walk.skip_dir();
        }
        if info.is_file() {
            files.push(info.path().to_string());
        }
    }
    Ok(files)
}

/// Fails unless every operation that lists ends, as `Corrupted` or by what one page told.
async fn all_end(storage: &Storage) {
    let within = Duration::from_secs(20);
    let mut refused = 0;
    let mut see = |what: &str, answer: Result<()>| match answer {
        Ok(()) => {}
        Err(error) => {
            assert!(
                matches!(error.kind(), ErrorKind::Corrupted | ErrorKind::PathNotFound),
                "{what}: {error}"
            );
            refused += usize::from(error.kind() == ErrorKind::Corrupted);
        }
    };
    let timed = |answer: std::result::Result<Result<()>, _>| answer.unwrap();
    see("list", timed(tokio::time::timeout(within, async { storage.list("/d").await.map(drop) }).await));
    for order in [WalkOrder::Key, WalkOrder::Tree] {
        let mut options = WalkOptions::new();
        options.order = order;
        let walked = async { walk(storage, options, false).await.map(drop) };
        see("walk", timed(tokio::time::timeout(within, walked).await));
    }
    see("stat", timed(tokio::time::timeout(within, async { storage.stat("/d").await.map(drop) }).await));
    see("uploads", timed(tokio::time::timeout(within, async { storage.uploads("/").await.map(drop) }).await));
    see("delete", timed(tokio::time::timeout(within, storage.delete("/d")).await));
    // Some have no second page, and a delete finds fewer names each time.
    assert!(refused >= 2, "{refused} operations noticed it");
}

#[tokio::test]
async fn a_page_that_does_not_advance_is_corrupted_and_no_loop() {
    for description in [paged(4), unordered(4)] {
        for lie in [Lie::RepeatedPage, Lie::NewMarkers, Lie::EmptyPages] {
            let store = MemoryStore::new(description.clone());
            let (storage, control) = open(&store);
            fill(&storage).await;
            control.lie(lie);
            all_end(&storage).await;
        }
    }
}

#[tokio::test]
async fn a_start_that_is_ignored_repeats_and_misses_nothing() {
    for page in 1..9 {
        let store = MemoryStore::new(paged(page));
        let (storage, control) = open(&store);
        let files = fill(&storage).await;
        control.lie(Lie::IgnoredStart);
        assert_eq!(walk(&storage, WalkOptions::new(), false).await.unwrap(), files, "pages of {page}");
        assert!(walk(&storage, WalkOptions::new(), true).await.unwrap().is_empty(), "pages of {page}");
        for (place, file) in files.iter().enumerate() {
            let mut options = WalkOptions::new();
            options.start_after = Some(file.parse().unwrap());
            let rest = walk(&storage, options, false).await.unwrap();
            assert_eq!(rest, *files.get(place + 1..).unwrap(), "pages of {page}, after {file}");
        }
    }
}

/// Keys that no path has, before and behind those that are paths.
const FOREIGN: [&str; 12] =
    ["d/", "d//x", "d/a/", "d/a//", "d/a//b", "d/a/0/", "d/a/5//", "d/b/~x", "d/~", "~x", "d/ b", "d/c/../0"];

async fn put_raw(backend: &MemoryBackend, key: &str) {
    backend.put(key, Bytes::from_static(b"foreign"), &PutOptions::default()).await.unwrap();
}

#[tokio::test]
async fn foreign_keys_are_not_shown_wherever_a_page_ends() {
    for page in 1..40 {
        for description in [paged(page), unordered(page)] {
            let store = MemoryStore::new(description);
            let (storage, _) = open(&store);
            let files = fill(&storage).await;
            let backend = store.client();
            for key in FOREIGN {
                put_raw(&backend, key).await;
            }
            let walked = walk(&storage, WalkOptions::new(), false).await.unwrap();
            let step = format!("pages of {page}");
            assert_eq!(walked, files, "{step}");
            assert!(walk(&storage, WalkOptions::new(), true).await.unwrap().is_empty(), "{step}");
            let listed = storage.list("/d").await.unwrap();
            let names: Vec<&str> = listed.iter().map(|info| info.path().as_str()).collect();
            assert_eq!(names, ["/d/a", "/d/b", "/d/c"], "{step}");
            assert!(listed.iter().all(|info| info.is_dir() && !info.is_file()), "{step}");
            let listed = storage.list("/d/a").await.unwrap();
            assert_eq!(listed.len(), 6, "{step}");
            assert!(listed.iter().all(|info| info.is_file()), "{step}: {listed:?}");
            assert_eq!(storage.uploads("/").await.unwrap(), [], "{step}");
            // What lies below a directory goes with it, whatever its name.
            storage.delete("/d").await.unwrap();
            let left: BTreeSet<String> = store.keys().into_iter().collect();
            assert_eq!(left, BTreeSet::from(["~x".to_owned()]), "{step}");
        }
    }
}

#[tokio::test]
async fn a_directory_of_foreign_keys_only_is_none() {
    for page in 1..12 {
        let store = MemoryStore::new(paged(page));
        let (storage, _) = open(&store);
        let backend = store.client();
        for key in FOREIGN {
            put_raw(&backend, key).await;
        }
        for path in ["/d", "/d/a", "/d/b"] {
            assert!(storage.stat(path).await.unwrap_err().is_not_found(), "{path}, pages of {page}");
        }
        assert!(storage.list("/d/b").await.unwrap_err().is_not_found(), "pages of {page}");
        assert!(walk(&storage, WalkOptions::new(), false).await.unwrap().is_empty(), "pages of {page}");
        // The list of a parent tells a name, and not what lies below it.
        let listed = storage.list("/").await.unwrap();
        assert!(listed.iter().all(|info| info.is_dir()), "pages of {page}: {listed:?}");
        storage.delete("/d").await.unwrap();
        assert_eq!(store.keys(), ["~x"], "pages of {page}");
    }
}
