//! Random registries and random states of the destination.

use proptest::prelude::*;
use storagedriver::bytes::Bytes;
use storagedriver_cli::registry::{Entry, Manifest, blob_path, classify};
use storagedriver_cli::sync::SyncOptions;

use super::{clean, memory_with, options};
use crate::trees::{Files, Numbers, Registry, assert_same, broken_tags_of, snapshot, without_uploads};

const NAMES: &[&str] = &["a", "a-b", "a.b", "a/b", "a/b-c", "a0", "b/9/c", "b"];
const TAGS: &[&str] = &["1", "1.0", "1-0", "1_0", "current", "index", "link"];

/// A registry that `seed` determines.
pub(super) fn registry(seed: u64) -> Files {
    let mut files = Files::new();
    let mut numbers = Numbers::new(seed);
    let mut registry = Registry::of(&mut files);
    for _ in 0..numbers.below(8) {
        let repository = NAMES[numbers.below(NAMES.len() as u64) as usize];
        let mut children = Vec::new();
        for _ in 0..=numbers.below(2) {
            let layers: Vec<Vec<u8>> = (0..numbers.below(4))
                .map(|_| {
                    // Few different ones, so that repositories share them.
                    let content = numbers.below(6);
                    Numbers::new(content).bytes((content * 91) as usize)
                })
                .collect();
            children.push(registry.image(repository, &layers));
        }
        let target = if numbers.below(3) == 0 { registry.index(repository, &children) } else { children[0] };
        registry.tag(repository, TAGS[numbers.below(TAGS.len() as u64) as usize], target);
        if numbers.below(4) == 0 {
            let rest = format!("{:x}/startedat", numbers.next());
            registry.entry(&Entry::Upload { repository: repository.to_owned(), rest }, "now");
        }
    }
    drop(registry);
    for _ in 0..numbers.below(4) {
        files.insert(format!("/other/{}", numbers.below(9)), Bytes::from(numbers.bytes(9)));
    }
    files
}

/// What an earlier run, stopped anywhere, may have left of `files`: the first so many files in an
/// order in which each comes after what it refers to. Other files may be of an older state.
pub(super) fn partly(files: &Files, seed: u64) -> Files {
    let is_index = |digest| {
        let manifest = Manifest::parse(&files[&blob_path(&digest)]).unwrap();
        !manifest.children.is_empty()
    };
    let rank = |path: &str| match classify(path) {
        Entry::Blob { .. } => 0,
        Entry::LayerLink { .. } => 1,
        Entry::RevisionLink { digest, .. } if !is_index(digest) => 2,
        Entry::RevisionLink { .. } => 3,
        Entry::TagIndex { .. } => 4,
        Entry::TagCurrent { .. } => 5,
        _ => 6,
    };
    let mut order: Vec<&String> = files.keys().collect();
    order.sort_by_key(|path| rank(path));
    let mut numbers = Numbers::new(seed);
    let kept = numbers.below(order.len() as u64 + 1) as usize;
    let mut part = Files::new();
    for path in &order[..kept] {
        let older = matches!(classify(path), Entry::Other) && numbers.below(2) == 0;
        let content = if older { Bytes::from(numbers.bytes(9)) } else { files[*path].clone() };
        part.insert((*path).clone(), content);
    }
    part
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_registry_over_any_earlier_state_ends_identical(
        seed: u64, other: u64, transfers in 1..6_usize, delete: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let files = registry(seed);
            // The destination holds a part of this registry, and all of an older one.
            let mut older = without_uploads(partly(&files, other));
            let stale = without_uploads(registry(other));
            for (path, content) in &stale {
                older.entry(path.clone()).or_insert_with(|| content.clone());
            }
            let (from, to) = (memory_with(&files).await, memory_with(&older).await);
            let options = options(|options| {
                options.transfers = transfers;
                options.delete = delete;
            });
            clean(&from, &to, &options).await;
            let found = snapshot(&to).await;
            let mut wanted = without_uploads(files);
            assert_eq!(broken_tags_of(&found), Vec::<String>::new());
            if !delete {
                for (path, content) in stale {
                    wanted.entry(path).or_insert(content);
                }
            }
            assert_same(&found, &wanted);
            let again = clean(&from, &to, &SyncOptions::default()).await;
            assert_eq!(again.copied, 0);
        });
    }
}
