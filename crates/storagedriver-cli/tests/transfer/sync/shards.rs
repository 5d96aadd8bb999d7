//! `--shard`: the parts make the whole, in any order, at once or one after another.

use proptest::prelude::*;
use storagedriver::Storage;
use storagedriver_cli::registry::{Entry, FaultKind, blob_path, classify};
use storagedriver_cli::sync::{Shard, SyncOptions, SyncSummary};
use storagedriver_cli::transfer::Event;

use super::random::{partly, registry};
use super::{clean, kinds, memory, memory_with, options, run, run_seen};
use crate::trees::{
    Files, Numbers, Registry, assert_same, broken_tags_of, small_registry, snapshot, without_uploads,
};

fn of(shard: (u32, u32), change: impl FnOnce(&mut SyncOptions)) -> SyncOptions {
    options(|options| {
        options.shard = Some(Shard::new(shard.0, shard.1).unwrap());
        change(options);
    })
}

/// `1..=parts` in an order that `seed` chooses.
fn order(parts: u32, seed: u64) -> Vec<u32> {
    let mut numbers = Numbers::new(seed);
    let mut order: Vec<u32> = (1..=parts).collect();
    order.sort_by_cached_key(|_| numbers.next());
    order
}

fn add(sum: &mut SyncSummary, part: &SyncSummary) {
    sum.copied += part.copied;
    sum.copied_bytes += part.copied_bytes;
    sum.deleted += part.deleted;
    sum.extra += part.extra;
    sum.uploads_left_out += part.uploads_left_out;
}

/// What a run would copy and delete, and a failure if it names a file twice.
async fn would(from: &Storage, to: &Storage, options: &SyncOptions) -> Vec<String> {
    let (_, events) = run_seen(from, to, options).await;
    let mut paths: Vec<String> = events
        .into_iter()
        .filter_map(|event| match event {
            Event::WouldCopy { path, .. } => Some(path),
            Event::WouldDelete { path } => Some(format!("delete {path}")),
            _ => None,
        })
        .collect();
    paths.sort();
    assert!(paths.is_sorted_by(|a, b| a < b), "{paths:#?}");
    paths
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_parts_together_do_what_the_whole_does(
        seed: u64, other: u64, parts in 1..5_u32, delete: bool, some: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let files = registry(seed);
            let mut older = without_uploads(partly(&files, other));
            for (path, content) in without_uploads(registry(other)) {
                older.entry(path).or_insert(content);
            }
            let names = files.keys().filter_map(|path| match classify(path) {
                Entry::RevisionLink { repository, .. } => Some(repository),
                _ => None,
            });
            let mut repositories: Vec<String> = names.collect();
            repositories.dedup();
            repositories.truncate(if some { 2 } else { 0 });
            let change = |options: &mut SyncOptions| {
                options.repositories.clone_from(&repositories);
                options.delete = delete;
            };
            let (from, whole) = (memory_with(&files).await, memory_with(&older).await);

            // A dry run of each names every file once, and no other.
            let dry = |options: &mut SyncOptions| {
                change(options);
                options.dry_run = true;
            };
            let mut named = Vec::new();
            for part in 1..=parts {
                named.extend(would(&from, &whole, &of((part, parts), dry)).await);
            }
            named.sort();
            assert_eq!(named, would(&from, &whole, &options(dry)).await);

            // One after another, first without a deletion, as the documentation says.
            let to = memory_with(&older).await;
            let mut sum = SyncSummary::default();
            for part in order(parts, seed) {
                let without = of((part, parts), |options| {
                    change(options);
                    options.delete = false;
                });
                let summary = clean(&from, &to, &without).await;
                add(&mut sum, &summary);
                assert_eq!(broken_tags_of(&snapshot(&to).await), Vec::<String>::new());
            }
            for part in order(parts, other).into_iter().filter(|_| delete) {
                sum.extra = 0;
                let summary = clean(&from, &to, &of((part, parts), change)).await;
                assert_eq!(summary.copied, 0);
                sum.deleted += summary.deleted;
                assert_eq!(broken_tags_of(&snapshot(&to).await), Vec::<String>::new());
            }
            let summary = clean(&from, &whole, &options(change)).await;
            assert_same(&snapshot(&to).await, &snapshot(&whole).await);
            let figures = |summary: &SyncSummary| {
                (summary.copied, summary.copied_bytes, summary.deleted, summary.uploads_left_out)
            };
            assert_eq!(figures(&sum), figures(&summary));
            // The run without a shard that is the check finds nothing to do.
            assert_eq!(would(&from, &to, &options(dry)).await, Vec::<String>::new());
        });
    }
}

/// Machines that know nothing of one another, at the same time.
#[tokio::test]
async fn parts_at_once_end_as_the_whole_does() {
    let files = small_registry();
    let (from, to) = (memory_with(&files).await, memory());
    let parts: Vec<SyncOptions> =
        (1..=4).map(|part| of((part, 4), |options| options.verify = true)).collect();
    let runs = parts.iter().map(|options| clean(&from, &to, options));
    futures_util::future::join_all(runs).await;
    assert_same(&snapshot(&to).await, &without_uploads(files));
}

/// What a link needs and another part has not copied yet comes with the link.
#[tokio::test]
async fn the_order_holds_within_a_part() {
    let files = small_registry();
    let (from, to) = (memory_with(&files).await, memory());
    let mut some_tags = false;
    for part in order(6, 3) {
        clean(&from, &to, &of((part, 6), |_| ())).await;
        let found = snapshot(&to).await;
        assert_eq!(broken_tags_of(&found), Vec::<String>::new());
        for path in found.keys() {
            if let Some(digest) =
                Some(classify(path)).filter(Entry::is_digest_link).and_then(|link| link.digest())
            {
                assert!(found.contains_key(&blob_path(&digest)), "{path} came before its blob");
            }
        }
        some_tags |= found.keys().any(|path| matches!(classify(path), Entry::TagCurrent { .. }));
    }
    assert!(some_tags);
}

/// A tag that its part has not moved yet still refers to what this part would delete.
#[tokio::test]
async fn nothing_that_a_tag_may_refer_to_is_deleted_before_the_tag_is_copied() {
    let mut old = Files::new();
    let mut registry = Registry::of(&mut old);
    let image = registry.image("a", &[b"old".to_vec()]);
    registry.tag("a", "t", image);
    drop(registry);
    let mut new = Files::new();
    let mut registry = Registry::of(&mut new);
    let image = registry.image("a", &[b"new".to_vec()]);
    registry.tag("a", "t", image);
    drop(registry);
    let current = Entry::TagCurrent { repository: "a".to_owned(), tag: "t".to_owned() }.path().unwrap();
    let (from, to) = (memory_with(&new).await, memory_with(&old).await);
    let (its, others): (Vec<u32>, Vec<u32>) =
        (1..=3).partition(|&part| Shard::new(part, 3).unwrap().has(&current));
    for part in others {
        let (summary, faults) = run(&from, &to, &of((part, 3), |options| options.delete = true)).await;
        assert!(summary.deletion_skipped);
        assert_eq!((kinds(&faults), &faults[0].path), (vec![FaultKind::NotDeleted], &current));
        let found = snapshot(&to).await;
        assert_eq!(broken_tags_of(&found), Vec::<String>::new());
        assert!(old.keys().filter(|path| path.contains("/blobs/")).all(|path| found.contains_key(path)));
    }
    clean(&from, &to, &of((its[0], 3), |options| options.delete = true)).await;
    for part in 1..=3 {
        clean(&from, &to, &of((part, 3), |options| options.delete = true)).await;
    }
    assert_same(&snapshot(&to).await, &new);
}
