//! Which puts run where their future is polled.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{answers_from_caches, directory, hooked};
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

/// Into a root that does not exist, into directories that it makes, over content, and of content
/// that is large.
const PUTS: [(&str, usize); 4] = [("/a", 1), ("/b/c/d", 64 << 10), ("/b/c/d", 0), ("/b/c/d", (64 << 10) + 1)];

/// Over content that is just not large, and over content that is.
const OVER: [(&str, usize); 6] =
    [("/a", 1), ("/a", 1 << 20), ("/a", 1), ("/a", (1 << 20) + 1), ("/a", 1), ("/a", 1)];

/// How many jobs of the pool each of these puts begins.
async fn pooled<const N: usize>(magic: u64, puts: [(&str, usize); N]) -> [usize; N] {
    let directory = directory();
    let hook = Arc::new(Counting { pooled: AtomicUsize::new(0), magic });
    let storage = hooked(&directory.path().join("root"), hook.clone());
    let mut found = [0; N];
    for ((path, size), found) in puts.into_iter().zip(&mut found) {
        let before = hook.pooled.load(Ordering::SeqCst);
        let content = vec![b'x'; size];
        storage.put_content(path, content.clone()).await.unwrap();
        *found = hook.pooled.load(Ordering::SeqCst) - before;
        assert!(storage.get_content(path).await.unwrap() == content);
    }
    found
}

/// Puts until exactly these jobs begin: the kernel may forget what it cached at any time.
async fn begins<const N: usize>(puts: [(&str, usize); N], wanted: [usize; N]) {
    let mut found = [0; N];
    for _ in 0..50 {
        found = pooled(TMPFS, puts).await;
        if found == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{found:?} jobs begin, each time, and not {wanted:?}");
}

#[tokio::test]
async fn small_content_is_put_without_the_pool_where_the_root_is_in_memory() {
    for magic in [EXT4, NFS] {
        assert_eq!(pooled(magic, PUTS).await, [1, 1, 1, 1]);
    }
    if answers_from_caches("small content is put without the pool") {
        // The first of them finds out what the root is, and prepares it.
        begins(PUTS, [1, 0, 0, 1]).await;
    }
}

#[tokio::test]
async fn a_large_file_is_replaced_in_the_pool() {
    if answers_from_caches("a large file is replaced in the pool") {
        begins(OVER, [1, 1, 0, 1, 1, 0]).await;
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
