//! The driver's own walk, and the handle's walk over `list`, against what the order says.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use storagedriver::{
    DriverWalk, Layer, Result, Storage, StorageDriver, StoragePath, WalkKey, WalkOptions, WalkOrder,
    async_trait,
};
use storagedriver_inmemory::InMemory;

/// Hides the driver's own walk, so that the handle walks by `list`.
#[derive(Debug)]
struct WithoutWalk(Arc<dyn StorageDriver>);

#[async_trait]
impl Layer for WithoutWalk {
    fn inner(&self) -> &dyn StorageDriver {
        &*self.0
    }

    async fn walk(&self, _: &StoragePath, _: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
        Ok(None)
    }
}

/// The keys below `start`, after `after`, without what lies below a directory in `skipped`: from
/// the definition, by sorting.
fn expected(
    files: &BTreeSet<StoragePath>,
    start: &StoragePath,
    order: WalkOrder,
    after: Option<&WalkKey>,
    skipped: &BTreeSet<StoragePath>,
) -> Vec<String> {
    let mut keys = Vec::new();
    for file in files.iter().filter(|file| file.is_below(start)) {
        keys.push(WalkKey::file(file));
        let above = std::iter::successors(file.parent(), StoragePath::parent);
        keys.extend(above.take_while(|path| path.is_below(start)).map(|path| WalkKey::directory(&path)));
    }
    keys.retain(|key| after.is_none_or(|after| key.cmp_in(after, order).is_gt()));
    keys.sort_by(|one, other| one.cmp_in(other, order));
    keys.dedup();
    // A directory that the walk never yields cannot be skipped.
    let yielded: BTreeSet<_> = keys.iter().map(WalkKey::to_string).collect();
    keys.retain(|key| {
        !skipped.iter().any(|directory| {
            key.path().is_below(directory) && yielded.contains(&WalkKey::directory(directory).to_string())
        })
    });
    keys.iter().map(WalkKey::to_string).collect()
}

async fn walked(
    storage: &Storage,
    start: &StoragePath,
    options: WalkOptions,
    skipped: &BTreeSet<StoragePath>,
) -> Vec<String> {
    let mut keys = Vec::new();
    let mut walk = storage.walk(start.as_str(), options).await.unwrap();
    while let Some(info) = walk.next().await.unwrap() {
        keys.push(info.key().to_string());
        assert!(info.is_dir() || (info.size() == Some(1) && info.modified().is_some()));
        if skipped.contains(info.path()) {
            walk.skip_dir();
        }
    }
    keys
}

fn path() -> impl Strategy<Value = StoragePath> {
    let name = prop::sample::select(vec!["a", "a-", "a.b", "a0", "b", "B", "_"]);
    prop::collection::vec(name, 1..5)
        .prop_map(|names| StoragePath::parse(&format!("/{}", names.join("/"))).unwrap())
}

fn key() -> impl Strategy<Value = WalkKey> {
    (path(), 0..3).prop_map(|(path, place)| match place {
        0 => WalkKey::file(&path),
        1 => WalkKey::directory(&path),
        _ => WalkKey::after_subtree(&path),
    })
}

proptest! {
    #[test]
    fn every_walk_is_what_its_order_says(
        files in prop::collection::vec(path(), 1..40),
        after in prop::option::of(key()),
        skipped in prop::collection::btree_set(path(), 0..6),
        start_depth in 0usize..3,
        tree in any::<bool>(),
        native in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store = Storage::new(InMemory::new());
            let mut kept = BTreeSet::new();
            for file in files {
                if store.put_content(file.as_str(), "x").await.is_ok() {
                    kept.insert(file);
                }
            }
            let first = kept.first().unwrap().clone();
            let mut start = StoragePath::root();
            for name in first.components().take(start_depth.min(first.components().count() - 1)) {
                start = start.child(name).unwrap();
            }
            let mut options = if tree { WalkOptions::tree() } else { WalkOptions::new() };
            let expected = expected(&kept, &start, options.order, after.as_ref(), &skipped);
            options.start_after = after;
            let storage = if native { store.clone() } else { store.layer(WithoutWalk) };
            let seen = walked(&storage, &start, options, &skipped).await;
            prop_assert_eq!(seen, expected);
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_walk_longer_than_a_batch_misses_and_doubles_nothing() {
    let store = Storage::new(InMemory::new());
    for number in 0..2000 {
        store.put_content(&format!("/d{}/f{number:04}", number / 300), "x").await.unwrap();
    }
    for options in [WalkOptions::new(), WalkOptions::tree()] {
        let keys = walked(&store, &StoragePath::root(), options, &BTreeSet::new()).await;
        assert_eq!(keys.len(), 2007);
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 2007);
    }
}

#[tokio::test]
async fn a_file_or_nothing_cannot_be_walked() {
    let store = Storage::new(InMemory::new());
    store.put_content("/a", "x").await.unwrap();
    for storage in [store.clone(), store.layer(WithoutWalk)] {
        for options in [WalkOptions::new(), WalkOptions::tree()] {
            for path in ["/a", "/b"] {
                assert!(storage.walk(path, options.clone()).await.unwrap_err().is_not_found());
            }
        }
    }
}
