//! Which puts run where their future is polled.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{directory, hooked};
use crate::sys::{Call, Errno, Event, Hook, Sys};

const TMPFS: u64 = 0x0102_1994;
const EXT4: u64 = 0xEF53;
const NFS: u64 = 0x6969;

/// Counts what begins in the pool, on a file system that is taken for another.
#[derive(Debug)]
struct Counting {
    pooled: AtomicUsize,
    magic: u64,
}

impl Hook for Counting {
    fn before(&self, _: Call) -> Result<(), Errno> {
        Ok(())
    }

    fn after(&self, _: Event) {}

    fn magic(&self, _: u64) -> u64 {
        self.magic
    }

    fn pooled(&self) {
        self.pooled.fetch_add(1, Ordering::SeqCst);
    }
}

/// How many of four puts begin in the pool: into a root that does not exist, into directories that
/// it makes, over content, and of content that is large.
async fn pooled(magic: u64) -> Vec<usize> {
    let directory = directory();
    let hook = Arc::new(Counting { pooled: AtomicUsize::new(0), magic });
    let storage = hooked(&directory.path().join("root"), hook.clone());
    let mut found = Vec::new();
    for (path, size) in [("/a", 1), ("/b/c/d", 64 << 10), ("/b/c/d", 0), ("/b/c/d", (64 << 10) + 1)] {
        let before = hook.pooled.load(Ordering::SeqCst);
        let content = vec![b'x'; size];
        storage.put_content(path, content.clone()).await.unwrap();
        found.push(hook.pooled.load(Ordering::SeqCst) - before);
        assert_eq!(storage.get_content(path).await.unwrap(), content);
    }
    found
}

#[tokio::test]
async fn small_content_is_put_without_the_pool_where_the_root_is_in_memory() {
    // The first of them finds out what the root is, and prepares it.
    assert_eq!(pooled(TMPFS).await, [1, 0, 0, 1]);
    for magic in [EXT4, NFS] {
        assert_eq!(pooled(magic).await, [1, 1, 1, 1]);
    }
}

#[tokio::test]
async fn what_is_in_the_way_of_a_put_without_the_pool_is_told_as_ever() {
    let directory = directory();
    let hook = Arc::new(Counting { pooled: AtomicUsize::new(0), magic: TMPFS });
    let storage = hooked(directory.path(), hook);
    for _ in 0..2 {
        storage.put_content("/a/b", "x").await.unwrap();
    }
    for path in ["/a", "/a/b/c"] {
        let error = storage.put_content(path, "y").await.unwrap_err();
        assert_eq!(error.kind(), storagedriver::ErrorKind::Conflict, "{path}");
    }
    assert_eq!(storage.get_content("/a/b").await.unwrap(), "x");
    assert!(storage.uploads("/").await.unwrap().is_empty(), "nothing is left on its way");
}

#[test]
fn another_mount_is_noticed() {
    let sys = Sys::default();
    let top = sys.open_start(Path::new("/")).unwrap();
    assert!(sys.is_same_mount(&top, "absent/below/file"));
    assert!(sys.is_same_mount(&top, "file"));
    assert!(!sys.is_same_mount(&top, "proc/absent/below/file"));
}
