//! The memory of `sync`, `verify` and `du` does not grow with the tree: looked at from outside, on trees
//! that exist only as answers.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // A failure here fails the test.

use storagedriver::bytes::Bytes;
use storagedriver::{
    Content, DriverWalk, DriverWriter, Error, FileInfo, ReadOptions, Result, Storage, StorageDriver,
    StoragePath, UploadInfo, WalkOptions, WriteMode, async_trait,
};
use storagedriver_cli::registry::{BLOBS, Entry, REPOSITORIES, classify};
use storagedriver_cli::sync::{SyncOptions, sync};
use storagedriver_cli::usage::UsageWalk;
use storagedriver_cli::verify::{VerifyOptions, verify};

/// A registry of so many blobs, each linked by one of many repositories. Nothing of it is kept.
#[derive(Debug)]
struct Vast {
    blobs: u64,
    /// Whether the repositories have their links.
    linked: bool,
}

fn blob(number: u64) -> String {
    format!("{BLOBS}/sha256/00/{number:064x}/data")
}

fn link(number: u64) -> String {
    let repository = number / 100;
    format!("{REPOSITORIES}/r{repository:08}/_layers/sha256/{number:064x}/link")
}

impl Vast {
    fn content(&self, path: &StoragePath) -> Result<Bytes> {
        match classify(path.as_str()) {
            Entry::LayerLink { digest, .. } if self.linked => Ok(digest.to_string().into()),
            Entry::Blob { .. } => Ok(Bytes::new()),
            _ => Err(Error::path_not_found(path)),
        }
    }
}

struct VastWalk {
    next: u64,
    end: u64,
    path: fn(u64) -> String,
}

#[async_trait]
impl DriverWalk for VastWalk {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        if self.next == self.end {
            return Ok(None);
        }
        let path = (self.path)(self.next);
        self.next += 1;
        let info = FileInfo::file(StoragePath::parse(&path)?);
        Ok(Some(info.with_size(0).with_modified(std::time::SystemTime::UNIX_EPOCH)))
    }

    fn skip_dir(&mut self) {}
}

#[async_trait]
impl StorageDriver for Vast {
    fn name(&self) -> &'static str {
        "vast"
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        self.content(path)
    }

    async fn put_content(&self, _path: &StoragePath, _content: Bytes) -> Result<()> {
        Ok(())
    }

    async fn reader(&self, path: &StoragePath, _options: &ReadOptions) -> Result<Content> {
        let content = self.content(path)?;
        Ok(Content::from_bytes(content.len() as u64, content))
    }

    async fn writer(&self, path: &StoragePath, _mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        Err(Error::unsupported(path, "nothing is kept"))
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        if path.as_str() == REPOSITORIES {
            return Ok(FileInfo::directory(path.clone()));
        }
        let size = self.content(path)?.len() as u64;
        Ok(FileInfo::file(path.clone()).with_size(size))
    }

    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        Err(Error::path_not_found(path))
    }

    async fn rename(&self, from: &StoragePath, _to: &StoragePath) -> Result<()> {
        Err(Error::unsupported(from, "nothing is kept"))
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        Err(Error::unsupported(path, "nothing is kept"))
    }

    async fn uploads(&self, _below: &StoragePath) -> Result<Vec<UploadInfo>> {
        Ok(Vec::new())
    }

    async fn abort_upload(&self, upload: &UploadInfo) -> Result<()> {
        Err(Error::unsupported(upload.path(), "nothing is kept"))
    }

    async fn walk(&self, path: &StoragePath, _options: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
        let (end, path): (_, fn(u64) -> String) = match path.as_str() {
            BLOBS => (self.blobs, blob),
            REPOSITORIES if self.linked => (self.blobs, link),
            _ => (0, blob),
        };
        Ok(Some(Box::new(VastWalk { next: 0, end, path })))
    }
}

/// The most memory that this process ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

async fn run(blobs: u64) {
    let from = Storage::new(Vast { blobs, linked: true });
    let to = Storage::new(Vast { blobs, linked: false });
    let summary = sync(&from, &to, &SyncOptions::default(), &Default::default()).await.unwrap();
    assert_eq!((summary.same, summary.copied, summary.faults), (blobs, blobs, 0));
    let mut options = VerifyOptions::default();
    options.links_only = true;
    let summary = verify(&from, &options, &Default::default()).await.unwrap();
    assert_eq!((summary.blobs, summary.links, summary.faults), (blobs, blobs, 0));
    assert_eq!(summary.unreferenced, Some(blobs));
    let mut walk = UsageWalk::new(&from, REPOSITORIES, usize::MAX).await.unwrap();
    let (mut directories, mut all) = (0, None);
    while let Some(usage) = walk.next(|_| ()).await.unwrap() {
        directories += 1;
        all = Some(usage);
    }
    // Each link with the directory of its digest; `sha256`, `_layers` and the name, each once a repository.
    assert_eq!(directories, blobs + blobs / 100 * 3 + 1);
    assert_eq!(all.map(|usage| (usage.depth, usage.files)), Some((0, blobs)));
}

/// One test, so that nothing else in this process takes memory.
#[tokio::test]
async fn memory_does_not_grow_with_the_tree() {
    // Until all that is bounded is full.
    run(36_000).await;
    let before = peak();
    run(180_000).await;
    let grown = peak() - before;
    // 32 bytes for each of the 144,000 blobs more would be more than this. What the allocator keeps differs
    // from run to run by up to 2 MiB.
    assert!(grown < 4 << 20, "{grown} bytes more for a tree five times as large");
}
