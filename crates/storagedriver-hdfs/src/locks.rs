//! Who publishes, renames, deletes or prunes at a path waits for who else in this process does.
//!
//! HDFS has no call that removes a directory only if it is one, nor one that replaces a file only if
//! it is still the same: each is looked at first. Of several processes, see `docs/hdfs.md`.

use std::hash::{DefaultHasher, Hash, Hasher};

use storagedriver::StoragePath;
use tokio::sync::{Mutex, MutexGuard};

use crate::cluster::Hadoop;

const COUNT: usize = 256;

/// Of the process, not of a driver: two handles may be for one directory.
static LOCKS: [Mutex<()>; COUNT] = [const { Mutex::const_new(()) }; COUNT];

fn index(hadoop: &Hadoop, path: &StoragePath) -> usize {
    let mut hasher = DefaultHasher::new();
    (&hadoop.label, hadoop.content(path)).hash(&mut hasher);
    usize::try_from(hasher.finish() % COUNT as u64).unwrap_or_default()
}

async fn at(index: usize) -> Option<MutexGuard<'static, ()>> {
    match LOCKS.get(index) {
        Some(lock) => Some(lock.lock().await),
        None => None,
    }
}

/// Holds a path. Whoever holds one waits for no other.
pub(crate) async fn hold(hadoop: &Hadoop, path: &StoragePath) -> Option<MutexGuard<'static, ()>> {
    at(index(hadoop, path)).await
}

/// Holds two paths.
pub(crate) async fn hold_both(
    hadoop: &Hadoop,
    one: &StoragePath,
    other: &StoragePath,
) -> (Option<MutexGuard<'static, ()>>, Option<MutexGuard<'static, ()>>) {
    let (one, other) = (index(hadoop, one), index(hadoop, other));
    let (first, second) = (one.min(other), one.max(other));
    let first_held = at(first).await;
    if first == second { (first_held, None) } else { (first_held, at(second).await) }
}
