//! What is read on the thread of the future is what the pool would read, and nothing there blocks.

mod answers;
mod turns;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use storagedriver::{ErrorKind, ReadOptions, Result, Storage, StorageDriver, StoragePath};
use tempfile::TempDir;

use super::{answers_from_caches, hooked, plain};
use crate::jobs::{Hold, run};
use crate::sys::{Call, Errno, Event, Hook, Quick, Sys, Way};
use crate::{Filesystem, FilesystemParameters};

const EXT4: u64 = 0xEF53;
const TMPFS: u64 = 0x0102_1994;
const NFS: u64 = 0x6969;

const STEPS: [Quick; 6] =
    [Quick::Direct, Quick::Root, Quick::Identity, Quick::Open, Quick::Meta, Quick::Read];

/// More than two turns of a stream.
const LARGE: usize = 600 << 10;

/// Counts jobs of the pool, and decides what the caches answer.
#[derive(Default)]
struct Watcher {
    jobs: AtomicUsize,
    steps: Mutex<Vec<Quick>>,
    /// The file system that each one is taken for.
    magic: Option<u64>,
    refused: Option<Quick>,
    /// The most that one read from the cache gives.
    most: Option<usize>,
    /// What happens before each read from the cache.
    before_read: Option<Box<dyn Fn() + Send + Sync>>,
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watcher")
    }
}

impl Watcher {
    fn taken_for(magic: u64) -> Self {
        Watcher { magic: Some(magic), ..Watcher::default() }
    }

    fn jobs(&self) -> usize {
        self.jobs.load(Ordering::SeqCst)
    }
}

impl Hook for Watcher {
    fn before(&self, _: Call) -> Result<(), Errno> {
        Ok(())
    }

    fn after(&self, _: Event) {}

    fn quick(&self, step: Quick) -> Result<(), Errno> {
        self.steps.lock().unwrap().push(step);
        if let (Quick::Read, Some(before)) = (step, &self.before_read) {
            before();
        }
        if self.refused == Some(step) { Err(Errno::AGAIN) } else { Ok(()) }
    }

    fn most(&self, wanted: usize) -> usize {
        self.most.map_or(wanted, |most| most.min(wanted))
    }

    fn magic(&self, found: u64) -> u64 {
        self.magic.unwrap_or(found)
    }

    fn pooled(&self) {
        self.jobs.fetch_add(1, Ordering::SeqCst);
    }
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

/// A root with a file of each size that differs, a link inside, links out, and no file system objects
/// of other kinds.
fn tree() -> TempDir {
    let directory = super::directory();
    let root = directory.path().join("root");
    std::fs::create_dir_all(root.join("d/below")).unwrap();
    std::fs::create_dir(root.join("many")).unwrap();
    for (name, size) in [("empty", 0), ("small", 4096), ("large", LARGE)] {
        std::fs::write(root.join("d").join(name), content(size)).unwrap();
    }
    for number in 0..1000 {
        std::fs::write(root.join(format!("many/{number:064}")), "").unwrap();
    }
    std::fs::write(directory.path().join("secret"), "secret").unwrap();
    symlink("small", root.join("d/link")).unwrap();
    symlink("d", root.join("way")).unwrap();
    symlink("nothing", root.join("d/dangling")).unwrap();
    symlink("../secret", root.join("out")).unwrap();
    symlink(directory.path(), root.join("up")).unwrap();
    directory
}

fn root(directory: &TempDir) -> PathBuf {
    directory.path().join("root")
}

async fn whole(storage: &Storage, path: &str, options: ReadOptions) -> Result<Vec<u8>> {
    let mut content = storage.reader(path, options).await?;
    let mut all = Vec::new();
    while let Some(piece) = content.next().await {
        let piece = piece?;
        assert!(!piece.is_empty());
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

/// What every operation that reads says of every kind of path, as text.
async fn everything(storage: &Storage) -> Vec<String> {
    let mut said = Vec::new();
    for path in [
        "/d/empty",
        "/d/small",
        "/d/large",
        "/d/link",
        "/d/dangling",
        "/way/small",
        "/d",
        "/d/below",
        "/many",
        "/none",
        "/d/small/none",
        "/out",
        "/up/secret",
        "/up",
        "/",
    ] {
        let short = |bytes: &[u8]| {
            (bytes.len(), bytes.iter().fold(0u64, |sum, &byte| sum.wrapping_mul(31) + u64::from(byte)))
        };
        if path != "/" {
            let got = storage.get_content(path).await.map(|content| short(&content));
            said.push(format!("get {path} {got:?}"));
            for options in [
                ReadOptions::all(),
                ReadOptions::from_offset(7),
                ReadOptions::from_offset(5).with_length(300 << 10),
                ReadOptions::from_offset(1 << 40),
            ] {
                let read = whole(storage, path, options).await.map(|content| short(&content));
                said.push(format!("read {path} {read:?}"));
            }
        }
        said.push(format!("stat {path} {:?}", storage.stat(path).await));
        said.push(format!("list {path} {:?}", storage.list(path).await));
    }
    said
}

/// Does `operate` until it started no job, since the kernel may forget what it cached: for a rename
/// of anything on the machine, or for want of memory.
///
/// Once only where no lookup is answered from caches.
async fn starts_no_job(watcher: &Watcher, what: &str, operate: impl AsyncFn()) {
    if !answers_from_caches(what) {
        operate().await;
        return;
    }
    for _ in 0..200 {
        let before = watcher.jobs();
        operate().await;
        if watcher.jobs() == before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{what} starts jobs of the pool, each time");
}

fn truncate(path: &Path, length: u64) {
    std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
}
