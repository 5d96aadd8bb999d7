//! Killed while others push to the source and delete from it, a copy leaves only whole tags.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use storagedriver::bytes::Bytes;
use storagedriver_cli::registry::{Digest, Entry, classify};

use super::child::Copying;
use super::{broken_tags, finish, open, paths, read};
use crate::trees::{Files, Numbers, Registry};

const KILLS: usize = 20;
const REPOSITORIES: u64 = 6;
const TAGS: u64 = 4;

/// What a registry writes for a push, in its order.
fn push(numbers: &mut Numbers, repository: &str, tag: &str) -> (Vec<(String, Bytes)>, Digest) {
    let mut writes = Vec::new();
    let target = {
        let mut registry = Registry::new(|path, content| writes.push((path.to_owned(), content)));
        let mut image = |registry: &mut Registry<'_>| {
            let layers: Vec<Vec<u8>> = (0..3)
                .map(|_| {
                    let length = 200 + numbers.below(60_000) as usize;
                    numbers.bytes(length)
                })
                .collect();
            registry.image(repository, &layers)
        };
        let first = image(&mut registry);
        let second = image(&mut registry);
        let target = if first < second { registry.index(repository, &[first, second]) } else { first };
        registry.tag(repository, tag, target);
        target
    };
    (writes, target)
}

/// What the one who disturbs the source and the test tell each other.
#[derive(Default)]
struct Signals {
    /// No copy is running: wait.
    pause: AtomicBool,
    stop: AtomicBool,
    /// How many pushes and deletions were done.
    done: AtomicU64,
}

/// Pushes, moves and deletes tags until told to stop.
async fn disturb(root: PathBuf, signals: Arc<Signals>) {
    let storage = open(&root);
    let mut numbers = Numbers::new(11);
    let mut pushed: Vec<(String, Digest)> = Vec::new();
    while !signals.stop.load(Ordering::Relaxed) {
        // Not so often that a copy never gets beyond the blobs.
        tokio::time::sleep(Duration::from_millis(numbers.below(25))).await;
        if signals.pause.load(Ordering::Relaxed) {
            continue;
        }
        let repository = format!("live/r{}", numbers.below(REPOSITORIES));
        let tag = format!("t{}", numbers.below(TAGS));
        let directory = format!("/docker/registry/v2/repositories/{repository}/_manifests");
        match numbers.below(8) {
            // A tag is deleted.
            0 | 1 => drop(storage.delete(&format!("{directory}/tags/{tag}")).await),
            // A manifest is deleted, as registries do it: the revision, then the tags that stand for it.
            2 if !pushed.is_empty() => {
                let at = numbers.below(pushed.len() as u64) as usize;
                let (repository, digest) = pushed.swap_remove(at);
                let revision = Entry::RevisionLink { repository: repository.clone(), digest };
                let _ = storage.delete(&revision.path().unwrap()).await;
                for number in 0..TAGS {
                    let entry =
                        Entry::TagCurrent { repository: repository.clone(), tag: format!("t{number}") };
                    let current = entry.path().unwrap();
                    if storage.get_content(&current).await.is_ok_and(|found| found == digest.to_string()) {
                        let _ = storage.delete(current.strip_suffix("/current/link").unwrap()).await;
                    }
                }
            }
            _ => {
                let (writes, target) = push(&mut numbers, &repository, &tag);
                for (path, content) in writes {
                    storage.put_content(&path, content).await.unwrap();
                }
                pushed.push((repository, target));
            }
        }
        signals.done.fetch_add(1, Ordering::Relaxed);
    }
}

fn tags(root: &Path, paths: &[String]) -> Files {
    let tags = paths.iter().filter(|path| matches!(classify(path), Entry::TagCurrent { .. }));
    tags.filter_map(|path| Some((path.clone(), read(root, path)?))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_resolve_after_each_kill_while_the_source_changes() {
    let directory = tempfile::tempdir().unwrap();
    let (from, to, record) =
        (directory.path().join("from"), directory.path().join("to"), directory.path().join("read"));
    let storage = open(&from);
    let mut numbers = Numbers::new(u64::from(std::process::id()));
    for number in 0..REPOSITORIES * TAGS {
        let (repository, tag) = (format!("live/r{}", number / TAGS), format!("t{}", number % TAGS));
        for (path, content) in push(&mut numbers, &repository, &tag).0 {
            storage.put_content(&path, content).await.unwrap();
        }
    }
    finish(&from, &to).await;
    let mut seen: BTreeSet<_> = tags(&to, &paths(&open(&to)).await).into_iter().collect();
    let first = seen.len();
    let signals = Arc::new(Signals::default());
    let disturbing = tokio::spawn(disturb(from.clone(), signals.clone()));
    for _ in 0..KILLS {
        let before = signals.done.load(Ordering::Relaxed);
        signals.pause.store(false, Ordering::Relaxed);
        let mut copying = Copying::start(&from, &to, &record, true);
        copying.until_read(1 + numbers.below(300), 0).await;
        while signals.done.load(Ordering::Relaxed) <= before + 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        copying.kill();
        signals.pause.store(true, Ordering::Relaxed);
        assert_eq!(broken_tags(&to).await, Vec::<String>::new());
        seen.extend(tags(&to, &paths(&open(&to)).await));
    }
    signals.stop.store(true, Ordering::Relaxed);
    disturbing.await.unwrap();
    // Tags moved at the destination: else nothing was at stake.
    println!("{} operations, {} tags moved", signals.done.load(Ordering::Relaxed), seen.len() - first);
    assert!(seen.len() - first >= KILLS / 4, "only {} tags moved", seen.len() - first);
    finish(&from, &to).await;
    assert_eq!(broken_tags(&to).await, Vec::<String>::new());
    let wanted = tags(&from, &paths(&storage).await);
    let found = tags(&to, &paths(&open(&to)).await);
    assert!(!wanted.is_empty());
    assert!(wanted.iter().all(|(path, content)| found.get(path) == Some(content)));
}
