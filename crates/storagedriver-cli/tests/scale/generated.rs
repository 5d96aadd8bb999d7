//! The driver `generated`: serves a registry that exists by formula, and counts what is asked of it.

use std::collections::VecDeque;
use std::iter::Peekable;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use storagedriver::bytes::Bytes;
use storagedriver::{
    Content, DriverWalk, DriverWriter, Error, FileInfo, ReadOptions, Registration, Result, Storage,
    StorageDriver, StoragePath, UploadInfo, WalkOptions, WalkOrder, WriteMode, async_trait,
};
use storagedriver_cli::registry::{BLOBS, REPOSITORIES, classify};

use crate::registry::{File, Files, Registry};

/// How many files a page of a listing holds, as on S3.
const PAGE: usize = 1000;

storagedriver::parameters! {
    /// Parameters of the driver `generated`.
    pub(crate) struct GeneratedParameters for "generated" {
        /// How many files there are, rounded up to whole repositories.
        files: Integer(10000 ..= 1000000000) = 10000,
        /// A file that is not there although it should be.
        lacks: String,
    }
}

/// The driver `generated`.
pub(crate) const DRIVER: Registration = Registration::new(
    "generated",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_VERSION"),
    "a registry by formula, for tests of scale",
    &GeneratedParameters::TABLE,
    |parameters| {
        Box::pin(async move {
            let parameters = GeneratedParameters::parse(parameters)?;
            let registry = Arc::new(Registry::new(parameters.files.unsigned_abs()));
            Ok(Storage::new(Generated { registry, lacks: parameters.lacks.map(Arc::from) }))
        })
    },
);

storagedriver::register!(DRIVER);

/// What was asked of all storages of this driver in this process.
pub(crate) static LIST_CALLS: AtomicU64 = AtomicU64::new(0);
pub(crate) static STATS: AtomicU64 = AtomicU64::new(0);
pub(crate) static GETS: AtomicU64 = AtomicU64::new(0);

#[derive(Debug)]
struct Generated {
    registry: Arc<Registry>,
    lacks: Option<Arc<str>>,
}

impl Generated {
    fn content(&self, path: &StoragePath) -> Result<Bytes> {
        let content = self.registry.content(&classify(path.as_str()));
        let there = content.filter(|_| self.lacks.as_deref() != Some(path.as_str()));
        there.map(Bytes::from).ok_or_else(|| Error::path_not_found(path))
    }
}

#[async_trait]
impl StorageDriver for Generated {
    fn name(&self) -> &'static str {
        "generated"
    }

    async fn get_content(&self, path: &StoragePath) -> Result<Bytes> {
        GETS.fetch_add(1, Ordering::Relaxed);
        self.content(path)
    }

    async fn reader(&self, path: &StoragePath, _options: &ReadOptions) -> Result<Content> {
        GETS.fetch_add(1, Ordering::Relaxed);
        let content = self.content(path)?;
        Ok(Content::from_bytes(content.len() as u64, content))
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        STATS.fetch_add(1, Ordering::Relaxed);
        if path.is_root() {
            return Ok(FileInfo::directory(path.clone()));
        }
        let size = self.content(path)?.len() as u64;
        Ok(FileInfo::file(path.clone()).with_size(size).with_modified(SystemTime::UNIX_EPOCH))
    }

    /// Nobody who goes over millions of files lists directory by directory.
    async fn list(&self, path: &StoragePath) -> Result<Vec<FileInfo>> {
        Err(Error::unsupported(path, "this storage is walked, not listed"))
    }

    async fn walk(&self, path: &StoragePath, options: &WalkOptions) -> Result<Option<Box<dyn DriverWalk>>> {
        if options.order != WalkOrder::Key || options.start_after.is_some() {
            return Err(Error::unsupported(
                path,
                "this storage is walked in the order of keys and from the start",
            ));
        }
        let within = |place: &&&str| StoragePath::parse(place).is_ok_and(|place| place.is_within(path));
        let [blobs, links] = [BLOBS, REPOSITORIES].each_ref().map(|place| within(&place));
        if !blobs && !links {
            return Err(Error::path_not_found(path));
        }
        Ok(Some(Box::new(Pages {
            start: if path.is_root() { 0 } else { path.as_str().len() },
            files: Files::new(&self.registry, blobs, links).peekable(),
            lacks: self.lacks.clone(),
            left_of_page: None,
            before: String::new(),
            entries: VecDeque::new(),
            directory: None,
        })))
    }

    async fn put_content(&self, path: &StoragePath, _content: Bytes) -> Result<()> {
        Err(Error::unsupported(path, "nothing is kept"))
    }

    async fn writer(&self, path: &StoragePath, _mode: WriteMode) -> Result<Box<dyn DriverWriter>> {
        Err(Error::unsupported(path, "nothing is kept"))
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
}

/// A walk: pages of files, and the directories that their paths imply.
struct Pages {
    /// How long the path is that the walk started at.
    start: usize,
    files: Peekable<Files>,
    lacks: Option<Arc<str>>,
    /// How many files the page still has; None: no page was asked for yet.
    left_of_page: Option<usize>,
    /// The file before.
    before: String,
    entries: VecDeque<FileInfo>,
    /// The directory that was shown last, if nothing was after it.
    directory: Option<StoragePath>,
}

impl Pages {
    fn next_file(&mut self) -> Option<File> {
        let lacks = self.lacks.clone();
        let _ = self.files.next_if(|(path, _)| lacks.as_deref() == Some(path));
        match self.left_of_page {
            Some(0) if self.files.peek().is_none() => {}
            Some(left @ 1..) => self.left_of_page = Some(left - 1),
            _ => {
                LIST_CALLS.fetch_add(1, Ordering::Relaxed);
                self.left_of_page = Some(PAGE - 1);
            }
        }
        self.files.next()
    }
}

#[async_trait]
impl DriverWalk for Pages {
    async fn next(&mut self) -> Result<Option<FileInfo>> {
        if self.entries.is_empty() {
            let Some((path, size)) = self.next_file() else { return Ok(None) };
            let same = path.bytes().zip(self.before.bytes()).take_while(|(a, b)| a == b).count();
            for (end, _) in path.match_indices('/').filter(|(end, _)| *end > self.start && *end >= same) {
                self.entries.push_back(FileInfo::directory(StoragePath::parse(&path[..end])?));
            }
            let file = FileInfo::file(StoragePath::parse(&path)?);
            self.entries.push_back(file.with_size(size).with_modified(SystemTime::UNIX_EPOCH));
            self.before = path;
        }
        let entry = self.entries.pop_front();
        self.directory = entry.as_ref().filter(|entry| !entry.is_file()).map(|entry| entry.path().clone());
        Ok(entry)
    }

    fn skip_dir(&mut self) {
        let Some(directory) = self.directory.take() else { return };
        self.entries.clear();
        let below = |(path, _): &File| {
            path.strip_prefix(directory.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        while self.files.next_if(below).is_some() {}
        // The next request starts after it.
        self.left_of_page = Some(0);
    }
}

/// In the order of a walk: what the formula has, each entry once, and each file as `stat` and `get_content` show it.
#[tokio::test]
async fn what_is_walked_is_there() {
    let storage = storagedriver::factory::create("generated", Default::default()).await.unwrap();
    let copy = Storage::new(storagedriver_inmemory::InMemory::new());
    let mut entries = Vec::new();
    let mut walk = storage.walk("/", WalkOptions::new()).await.unwrap();
    while let Some(entry) = walk.next().await.unwrap() {
        if entry.is_file() {
            let content = storage.get_content(entry.path().as_str()).await.unwrap();
            assert_eq!(entry.size(), Some(content.len() as u64));
            assert_eq!(storage.stat(entry.path().as_str()).await.unwrap().size(), entry.size());
            copy.put_content(entry.path().as_str(), content).await.unwrap();
        }
        entries.push((entry.path().clone(), entry.kind()));
    }
    // A driver that does keep its files walks over the same.
    let mut walk = copy.walk("/", WalkOptions::new()).await.unwrap();
    let mut same = Vec::new();
    while let Some(entry) = walk.next().await.unwrap() {
        same.push((entry.path().clone(), entry.kind()));
    }
    assert!(entries == same);
}
