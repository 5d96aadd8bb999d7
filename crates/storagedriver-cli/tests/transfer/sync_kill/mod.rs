//! `sync` in a process of its own, killed again and again.
//!
//! By default the tree has 64 MiB; with `STORAGEDRIVER_FULL=1` in the environment, 1 GiB.

mod child;
mod live;
mod resumed;

use std::path::Path;
use std::sync::Arc;

use storagedriver::bytes::Bytes;
use storagedriver::{Storage, WalkOptions};
use storagedriver_cli::transfer::Monitor;
use storagedriver_filesystem::FilesystemParameters;

/// How many files a child copies at once.
const TRANSFERS: usize = 4;

/// A directory as the filesystem driver sees it. What a killed process wrote is the kernel's, so
/// syncing to the disk would show nothing here.
fn open(root: &Path) -> Storage {
    FilesystemParameters::new(root).with_durability("none").into_storage().unwrap()
}

/// The paths of all files.
async fn paths(storage: &Storage) -> Vec<String> {
    let mut paths = Vec::new();
    let mut walk = storage.walk("/", WalkOptions::new()).await.unwrap();
    while let Some(info) = walk.next().await.unwrap() {
        if info.is_file() {
            paths.push(info.path().as_str().to_owned());
        }
    }
    paths
}

/// The content of a file, past the driver.
fn read(root: &Path, path: &str) -> Option<Bytes> {
    std::fs::read(root.join(path.strip_prefix('/').unwrap())).ok().map(Bytes::from)
}

/// The tags of a directory that do not resolve to whole blobs.
async fn broken_tags(root: &Path) -> Vec<String> {
    if !root.exists() {
        return Vec::new();
    }
    crate::trees::broken_tags(&paths(&open(root)).await, &|path| read(root, path))
}

/// A last, undisturbed run.
async fn finish(from: &Path, to: &Path) {
    let monitor = Arc::new(Monitor::new(|event| {
        assert!(!matches!(event, storagedriver_cli::transfer::Event::Fault(_)), "{event:?}");
    }));
    storagedriver_cli::sync::sync(&open(from), &open(to), &Default::default(), &monitor).await.unwrap();
}
